//! The symlinks named `<agent>@<provider>`: which there can be, and the folder in which they stand.
//!
//! It changes nothing of its own accord; `commands/shims` does, by what it is asked.
//!
//! A link is *ours* if its name begins with an agent's and an `@`, and it leads to this very program; or if
//! it is a broken link and its target was called `agent-run`. Nothing else is ever touched.

pub mod pairs;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::config::Config;
use crate::env::Environment;
use crate::fs::atomic::replace_link;
use crate::fs::io_error;
use crate::fs::private_dir::user_dir;
use crate::key;
use crate::launch::program;
use pairs::ShimTarget;

/// The folder of the links: the one that is named, `shims.dir` of the config, `$XDG_BIN_HOME`, else `~/.local/bin`.
pub fn folder(named: Option<&Path>, config: Option<&Config>, env: &Environment) -> Result<PathBuf> {
    let home = env.dirs()?.home;
    match named.or(config.and_then(|config| config.shims.dir.as_deref())) {
        Some(dir) => std::path::absolute(key::expand_home(dir, &home))
            .with_context(|| format!("could not name the folder {}", dir.display())),
        None => env.bin_dir(),
    }
}

/// The startup file of zsh, as messages name it.
pub fn zshrc(env: &Environment) -> String {
    env.var("ZDOTDIR").map_or("~".into(), |folder| folder.to_string_lossy()).into_owned() + "/.zshrc"
}

/// What to do so that a folder is on `PATH`.
pub fn path_help(dir: &Path, env: &Environment) -> String {
    let home = env.dirs().map(|dirs| dirs.home).unwrap_or_default();
    let zshrc = zshrc(env);
    let (line, file) = path_line(env.shell().unwrap_or("sh"), dir, &home, &zshrc);
    format!("add this line to {file}:\n  {line}")
}

/// The line that puts a folder on PATH, and the file of the shell it goes into.
fn path_line<'a>(shell: &str, dir: &Path, home: &Path, zshrc: &'a str) -> (String, &'a str) {
    let posix = format!("export PATH={}:\"$PATH\"", path_word(dir, home)).replace("\":\"", ":");
    match shell {
        "fish" => (format!("fish_add_path {}", path_word(dir, home)), "~/.config/fish/config.fish"),
        "zsh" => (posix, zshrc),
        "bash" => (posix, "~/.bashrc"),
        _ => (posix, "~/.profile"),
    }
}

/// A folder as a word of such a line, for any shell; below the home by `$HOME`, so that the line fits a terminal.
fn path_word(dir: &Path, home: &Path) -> String {
    let below = dir.strip_prefix(home).ok().filter(|_| home.is_absolute());
    match below.and_then(Path::to_str) {
        Some(below) if !below.is_empty() && shims::quote(below.as_ref()) == below => {
            format!("\"$HOME/{below}\"")
        }
        _ => shims::quote(dir.as_os_str()),
    }
}

/// What stands under a name.
#[derive(Debug, Eq, PartialEq)]
pub enum LinkState {
    /// Nothing.
    Missing,
    /// A link of agent-run, with its target.
    Managed(PathBuf),
    /// Something that is not ours.
    Unmanaged,
}

/// A folder of links.
pub struct Links {
    folder: PathBuf,
    ourselves: Option<(u64, u64)>,
}

impl Links {
    /// The links in `folder`, which need not exist yet.
    pub fn of(folder: PathBuf) -> Self {
        Self { folder, ourselves: program::own_file_id() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What stands under `name`.
    pub fn state(&self, name: &str) -> LinkState {
        let path = self.folder.join(name);
        let target = match fs::read_link(&path) {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => return LinkState::Missing,
            Err(_) => return LinkState::Unmanaged,
        };
        let leads_here = match program::file_id(&path) {
            Some(end) => Some(end) == self.ourselves,
            None => target.file_name().is_some_and(|name| name == "agent-run"),
        };
        if leads_here && ShimTarget::parse(name).is_ok() {
            LinkState::Managed(target)
        } else {
            LinkState::Unmanaged
        }
    }

    /// Whether it is a broken link.
    pub fn is_dangling(&self, name: &str) -> bool {
        program::file_id(&self.folder.join(name)).is_none()
    }

    /// The links of agent-run with their targets, sorted by name. A folder that does not exist has none.
    pub fn ours(&self) -> Result<Vec<(String, PathBuf)>> {
        let could_not = io_error("read", &self.folder);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(could_not)?,
        };
        let mut ours = Vec::new();
        for entry in entries {
            let Ok(name) = entry.map_err(could_not)?.file_name().into_string() else { continue };
            if let LinkState::Managed(target) = self.state(&name) {
                ours.push((name, target));
            }
        }
        ours.sort();
        Ok(ours)
    }

    /// Makes the link `name`; says what came of it, since something may have been put there meanwhile.
    pub fn make(&self, name: &str, target: &Path) -> Result<LinkState> {
        user_dir(&self.folder)?;
        let path = self.folder.join(name);
        match symlink(target, &path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(self.state(name)),
            made => {
                made.map_err(io_error("link", &path))?;
                Ok(LinkState::Missing)
            }
        }
    }

    /// Points a link of agent-run to `target`. If it cannot, it stands as it was.
    pub fn point(&self, name: &str, target: &Path) -> Result<()> {
        let path = self.folder.join(name);
        replace_link(&path, target).map_err(io_error("link", &path))
    }

    /// Removes a link of agent-run.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::remove_file(&path).map_err(io_error("remove", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox() -> (tempfile::TempDir, Links) {
        let root = tempfile::tempdir().expect("a folder");
        let links = Links::of(root.path().to_owned());
        (root, links)
    }

    #[test]
    fn only_links_to_ourselves_under_an_agents_name_are_ours() {
        let (root, links) = sandbox();
        let myself = std::env::current_exe().expect("a test binary");
        let gone = Path::new("/nowhere/bin/agent-run");
        let to = |name: &str, target: &Path| symlink(target, root.path().join(name)).expect("a link");
        to("codex@p", &myself);
        to("codex@me@work", &myself);
        to("claude@p", gone);
        to("hermes@p", Path::new("/bin/sh"));
        to("crush@p", Path::new("/nowhere/crush"));
        to("vim@p", &myself);
        to("agent-run", &myself);
        fs::write(root.path().join("claude@q"), "").expect("written");
        let ours = links.ours().expect("read");
        let expected = [("claude@p", gone), ("codex@me@work", &myself), ("codex@p", &myself)];
        assert_eq!(ours, expected.map(|(name, target)| (name.to_owned(), target.to_owned())));
        for foreign in ["hermes@p", "crush@p", "vim@p", "claude@q", "agent-run"] {
            assert_eq!(links.state(foreign), LinkState::Unmanaged, "{foreign}");
        }
        assert_eq!(links.state("codex@none"), LinkState::Missing);
        assert!(links.is_dangling("claude@p") && !links.is_dangling("codex@p"));
    }

    #[test]
    fn making_a_link_gives_way_to_what_stands_there() {
        let (root, links) = sandbox();
        let myself = std::env::current_exe().expect("a test binary");
        assert_eq!(links.make("codex@p", &myself).expect("made"), LinkState::Missing);
        assert_eq!(links.make("codex@p", &myself).expect("there"), LinkState::Managed(myself.clone()));
        fs::write(root.path().join("claude@p"), "mine").expect("written");
        assert_eq!(links.make("claude@p", &myself).expect("there"), LinkState::Unmanaged);
        assert_eq!(fs::read(root.path().join("claude@p")).expect("there"), b"mine");
        links.point("codex@p", Path::new("/x/agent-run")).expect("pointed");
        assert_eq!(links.state("codex@p"), LinkState::Managed("/x/agent-run".into()));
        assert_eq!(fs::read_dir(root.path()).expect("a folder").count(), 2, "no left-over");
    }

    #[test]
    fn each_shell_gets_its_own_line() {
        let path_line = |shell, dir: &str| path_line(shell, dir.as_ref(), "/home/u".as_ref(), "/z/.zshrc");
        let bash = path_line("bash", "/opt/bin");
        assert_eq!(bash, ("export PATH=/opt/bin:\"$PATH\"".to_owned(), "~/.bashrc"));
        assert_eq!(path_line("bash", "/home/u/bin").0, "export PATH=\"$HOME/bin:$PATH\"");
        assert_eq!(
            super::path_line("sh", "/a b/bin".as_ref(), "/a b".as_ref(), "").0,
            "export PATH=\"$HOME/bin:$PATH\""
        );
        assert_eq!(path_line("fish", "/home/u/bin").0, "fish_add_path \"$HOME/bin\"");
        let fish = path_line("fish", "/home/u/my bin");
        assert_eq!(fish, ("fish_add_path '/home/u/my bin'".to_owned(), "~/.config/fish/config.fish"));
        assert_eq!(path_line("zsh", "/b").1, "/z/.zshrc");
        assert_eq!(path_line("dash", "/b").1, "~/.profile");
    }
}
