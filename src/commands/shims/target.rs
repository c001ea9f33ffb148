//! What links point to: the name we were called by, which outlives an upgrade.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use shims::Message;

use crate::env::Environment;
use crate::launch::program;

/// The name we were called by as an absolute path, its links not followed; where that leads elsewhere, our
/// own file.
pub fn stable(called: &OsStr, env: &Environment) -> Result<PathBuf> {
    let ourselves = program::own_file_id();
    let is_us = |path: &PathBuf| ourselves.is_some() && program::file_id(path) == ourselves;
    let named = if called.as_bytes().contains(&b'/') {
        Some(PathBuf::from(called))
    } else {
        env.path().into_iter().map(|dir| dir.join(called)).find(is_us)
    };
    match named.and_then(|path| std::path::absolute(path).ok()).filter(is_us) {
        Some(path) => Ok(path),
        None => std::env::current_exe().context("could not find the file of agent-run itself"),
    }
}

/// Why a target will not last.
pub fn warning(target: &Path) -> Option<Message> {
    let help = "run agent-run from a permanent path";
    let shown = target.display();
    if target.starts_with("/nix/store") {
        let text = format!("the shims point to {shown}, which the next upgrade removes");
        return Some(Message::new(text, help));
    }
    // target/debug/agent-run, or target/x86_64-unknown-linux-gnu/release/agent-run
    let is_build = target.ancestors().skip(2).take(2).any(|dir| dir.ends_with("target"));
    is_build.then(|| Message::new(format!("the shims point to {shown}, a build folder of cargo"), help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(path: &str) -> Environment {
        Environment::made_of([("PATH".into(), path.into())].into())
    }

    #[test]
    fn the_name_we_were_called_by_is_kept() {
        let root = tempfile::tempdir().expect("a folder");
        let myself = std::env::current_exe().expect("a test binary");
        let link = root.path().join("agent-run");
        std::os::unix::fs::symlink(&myself, &link).expect("a link");
        let path = format!("/nowhere:{}", root.path().display());
        let target = |called: &Path, path: &str| stable(called.as_ref(), &env(path)).expect("a target");
        assert_eq!(target(&link, ""), link);
        assert_eq!(target(Path::new("agent-run"), &path), link);
        assert_eq!(target(Path::new("sh"), "/bin"), myself);
        assert_eq!(target(Path::new("/bin/sh"), "/bin"), myself);
    }

    #[test]
    fn what_will_not_last_is_said() {
        for passing in ["/nix/store/0c-agent-run-1/bin/agent-run", "/src/target/debug/agent-run"] {
            assert!(warning(Path::new(passing)).is_some_and(|text| text.help.is_some()), "{passing}");
        }
        for lasting in ["/usr/bin/agent-run", "/home/u/.nix-profile/bin/agent-run"] {
            assert_eq!(warning(Path::new(lasting)), None);
        }
    }
}
