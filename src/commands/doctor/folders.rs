//! Our own folders: who can read them, how large they are, what was left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use shims::{Dirs, quote};

use super::report::{Finding, Group};
use crate::launch::apply::carry::pending;
use crate::probe;

/// What a probe that was killed leaves behind starts so.
pub const PROBE: &str = "probe-";

/// Looks at the cache and the state. `is_known` tells whether a folder's name is a provider's or a home's;
/// without a config nothing is called left over.
pub fn look(dirs: &Dirs, is_known: Option<&dyn Fn(&str) -> bool>) -> Group {
    let mut group = Group::new("Folders");
    for (what, root) in [("cache", &dirs.cache), ("state", &dirs.state)] {
        let Ok(metadata) = root.metadata() else { continue };
        let shown = root.display();
        let (size, unreadable) = size(root);
        for (path, why) in unreadable {
            let help = format!("see `ls -ld {}`", quote(path.as_os_str()));
            let text = format!("{} cannot be read: {why}; its contents are ignored", path.display());
            group.add(Finding::problem(what, text, help));
        }
        group.add(if metadata.permissions().mode() & 0o077 != 0 {
            let help = format!("run `chmod 700 {}`", quote(root.as_os_str()));
            Finding::problem(what, format!("other users can read {shown}"), help)
        } else {
            Finding::ok(what, format!("{shown}, {}", megabytes(size)))
        });
    }
    for agent in shims::coding_agents() {
        let places =
            shims::planner::uncopied(agent, dirs).map_or_else(Vec::new, |noted| pending::places(&noted));
        if !places.is_empty() {
            let text = format!(
                "files of earlier versions for {} that could not be read: {}",
                agent.title(),
                places.join(", ")
            );
            let help = "check their permissions; every launch tries again until they are copied or removed"
                .to_owned();
            group.add(Finding::note("state", text, help));
        }
    }
    probe::remove_left(PROBE, &dirs.cache);
    for (name, path) in folders(&dirs.cache) {
        if name.starts_with(PROBE) {
            // Without a lock, as on a file system that has none, nobody knows whether its process is there.
            if !probe::is_in_use(&path) {
                group.add(left_over(&path, "by an interrupted probe"));
            }
        } else if shims::by_name(&name).is_some()
            && let Some(is_known) = is_known
        {
            let gone = folders(&path).into_iter().filter(|(name, _)| !is_known(provider(name)));
            group.extend(gone.map(|(name, path)| {
                left_over(
                    &path,
                    &format!("by a provider that is no longer in the config, {}", provider(&name)),
                )
            }));
        }
    }
    group
}

fn left_over(path: &Path, whose: &str) -> Finding {
    let text = format!("left behind {whose}: {}, {}", path.display(), megabytes(size(path).0));
    Finding::note("cache", text, format!("run `rm -r {}`", quote(path.as_os_str())))
}

/// The provider of a folder, which may have a digest of its launch at the end.
fn provider(folder: &str) -> &str {
    match folder.rsplit_once('-') {
        Some((provider, digest))
            if matches!(digest.len(), 12 | 16) && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            provider
        }
        _ => folder,
    }
}

fn folders(path: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let dirs = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders: Vec<_> =
        dirs.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))).collect();
    folders.sort();
    folders
}

/// Bytes below a folder, links not followed, and the folders that cannot be read.
fn size(path: &Path) -> (u64, Vec<(PathBuf, std::io::Error)>) {
    let (mut bytes, mut unreadable, mut folders) = (0, Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        match fs::read_dir(&folder) {
            Ok(entries) => {
                for (metadata, path) in
                    entries.flatten().filter_map(|entry| Some((entry.metadata().ok()?, entry.path())))
                {
                    if metadata.is_dir() {
                        folders.push(path);
                    } else {
                        bytes += metadata.len();
                    }
                }
            }
            // A launch may remove a folder meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => unreadable.push((folder, error)),
        }
    }
    (bytes, unreadable)
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_its_provider() {
        assert_eq!(provider("ollama"), "ollama");
        assert_eq!(provider("my-gate-0123456789ab"), "my-gate");
        assert_eq!(provider("my-gate"), "my-gate");
    }
}
