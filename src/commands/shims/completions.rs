//! The files that make the shells complete a shim's words, loaded on demand; no rc file is touched.
//!
//! bash-completion and fish look for a file of the command's name, so each shim gets a link of its name to
//! the script, which acts by the name it is read under. zsh knows all shims from one file.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cli::Shell;
use crate::completion::script;
use crate::fs::atomic::publish;
use crate::fs::io_error;
use crate::fs::nonblocking;

/// A shell's script below the data folder, and what is added to a shim's name for its link.
struct CompletionFile {
    folder: &'static str,
    file: &'static str,
    link_suffix: Option<&'static str>,
    shell: Shell,
}

const PLACES: [CompletionFile; 3] = [
    CompletionFile {
        folder: "bash-completion/completions",
        file: "agent-run",
        link_suffix: Some(""),
        shell: Shell::Bash,
    },
    CompletionFile {
        folder: "fish/vendor_completions.d",
        file: "agent-run.fish",
        link_suffix: Some(".fish"),
        shell: Shell::Fish,
    },
    CompletionFile { folder: "zsh/site-functions", file: "_agent-run", link_suffix: None, shell: Shell::Zsh },
];

/// The completion files below a data folder.
pub struct Completions {
    data: PathBuf,
}

impl Completions {
    /// Those below `data`: `$XDG_DATA_HOME`, else `~/.local/share`.
    pub fn below(data: PathBuf) -> Self {
        Self { data }
    }

    /// The folder that zsh must have on its `fpath`.
    pub fn zsh_folder(&self) -> PathBuf {
        self.data.join(PLACES[2].folder)
    }

    /// Whether the shell's script stands, as this version writes it; `None` when there is none.
    pub fn is_current(&self, shell: Shell) -> Option<bool> {
        let place = PLACES.iter().find(|place| place.shell == shell)?;
        // bash-completion takes either name, and what nixpkgs installs has the second.
        let of_nix = self.data.join(place.folder).join("agent-run.bash");
        let text = nonblocking::text(&self.script(place)).or_else(|_| nonblocking::text(&of_nix));
        Some(text.ok()? == script(shell))
    }

    /// Puts the scripts and the links of these shims in place; says whether there were none before.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn add(&self, shims: &[String]) -> Result<bool> {
        let is_new = PLACES.iter().any(|place| !self.script(place).exists());
        for place in PLACES.iter().filter(|place| !self.is_foreign(place)) {
            write(&self.script(place), script(place.shell))?;
            for link in shims.iter().filter_map(|shim| self.link(place, shim)) {
                match symlink(place.file, &link) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    made => made.map_err(io_error("link", &link))?,
                }
            }
        }
        Ok(is_new)
    }

    /// Removes the links of shims that do not stand any more; with the last of them the scripts, and folders
    /// that are empty then.
    ///
    /// # Errors
    /// When one of them cannot be removed.
    pub fn keep(&self, stands: impl Fn(&str) -> bool) -> Result<()> {
        let mut is_used = false;
        for place in &PLACES {
            for (shim, link) in self.links(place) {
                if stands(&shim) {
                    is_used = true;
                } else {
                    remove(&link)?;
                }
            }
        }
        if is_used {
            return Ok(());
        }
        for place in &PLACES {
            let path = self.script(place);
            if path.is_file() && !self.is_foreign(place) {
                remove(&path)?;
                // The folders may hold others' files: then they stay.
                let above = path.ancestors().skip(1).take_while(|dir| *dir != self.data);
                above.take_while(|dir| fs::remove_dir(dir).is_ok()).count();
            }
        }
        Ok(())
    }

    fn script(&self, place: &CompletionFile) -> PathBuf {
        self.data.join(place.folder).join(place.file)
    }

    fn link(&self, place: &CompletionFile, shim: &str) -> Option<PathBuf> {
        Some(self.data.join(place.folder).join(format!("{shim}{}", place.link_suffix?)))
    }

    /// Whether something is in the script's place that no version of agent-run has written.
    fn is_foreign(&self, place: &CompletionFile) -> bool {
        fn heading(text: &str) -> Option<&str> {
            text.lines().find(|line| line.starts_with("# "))
        }
        let path = self.script(place);
        let Ok(there) = fs::symlink_metadata(&path) else { return false };
        let is_ours =
            || nonblocking::text(&path).is_ok_and(|text| heading(&text) == heading(script(place.shell)));
        !there.is_file() || !is_ours()
    }

    /// The links to the script, by the shims that they are for.
    fn links(&self, place: &CompletionFile) -> Vec<(String, PathBuf)> {
        let Ok(entries) = fs::read_dir(self.data.join(place.folder)) else { return Vec::new() };
        let paths = entries.flatten().map(|entry| entry.path());
        let named = |path: PathBuf| {
            let shim = path.file_name()?.to_str()?.strip_suffix(place.link_suffix?)?.to_owned();
            Some((shim, path))
        };
        paths.filter(|path| is_link_to(path, place.file)).filter_map(named).collect()
    }
}

fn is_link_to(path: &Path, target: &str) -> bool {
    fs::read_link(path).is_ok_and(|to| to == Path::new(target))
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(io_error("remove", path))
}

/// Writes a script whole, readable by everyone, as a package's files are.
fn write(path: &Path, text: &str) -> Result<()> {
    if nonblocking::file(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        publish(path, text.as_bytes())
    };
    write().map_err(io_error("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn what_is_added_is_found_by_name_and_goes_with_the_last_shim() {
        let root = tempfile::tempdir().expect("a folder");
        let completions = Completions::below(root.path().join("share"));
        assert!(completions.add(&names(&["codex@p", "claude@p"])).expect("added"));
        assert!(!completions.add(&names(&["codex@p"])).expect("there already"));
        let at = |path: &str| root.path().join("share").join(path);
        for path in ["bash-completion/completions/codex@p", "fish/vendor_completions.d/claude@p.fish"] {
            let script = fs::read_to_string(at(path)).expect("a script behind the link");
            assert!(script.contains("agent-run"), "{path}");
        }
        assert!(at("zsh/site-functions/_agent-run").is_file());
        completions.keep(|shim| shim == "claude@p").expect("removed");
        assert!(!at("bash-completion/completions/codex@p").exists());
        assert!(at("bash-completion/completions/claude@p").exists());
        fs::write(at("zsh/site-functions/_mine"), "").expect("written");
        completions.keep(|_| false).expect("removed");
        assert!(!at("bash-completion").exists() && !at("fish").exists());
        let left: Vec<_> = fs::read_dir(at("zsh/site-functions")).expect("a folder").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn the_name_that_nixpkgs_gives_the_script_of_bash_is_found_too() {
        let root = tempfile::tempdir().expect("a folder");
        let completions = Completions::below(root.path().to_owned());
        assert_eq!(completions.is_current(Shell::Bash), None);
        let folder = root.path().join("bash-completion/completions");
        fs::create_dir_all(&folder).expect("created");
        fs::write(folder.join("agent-run.bash"), script(Shell::Bash)).expect("written");
        assert_eq!(completions.is_current(Shell::Bash), Some(true));
        fs::write(folder.join("agent-run"), "# of another version\n").expect("written");
        assert_eq!(completions.is_current(Shell::Bash), Some(false), "the plain name comes first");
    }

    #[test]
    fn files_of_others_stay_as_they_are() {
        let root = tempfile::tempdir().expect("a folder");
        let completions = Completions::below(root.path().to_owned());
        let folder = root.path().join("bash-completion/completions");
        fs::create_dir_all(&folder).expect("created");
        for file in ["agent-run", "codex@p"] {
            fs::write(folder.join(file), "mine\n").expect("written");
        }
        completions.add(&names(&["codex@p", "claude@p"])).expect("added");
        assert!(!folder.join("claude@p").exists(), "it would lead to the other's file");
        completions.keep(|_| false).expect("removed");
        for file in ["agent-run", "codex@p"] {
            assert_eq!(fs::read_to_string(folder.join(file)).expect("there"), "mine\n");
        }
    }

    #[test]
    fn an_older_script_of_ours_is_replaced() {
        let root = tempfile::tempdir().expect("a folder");
        let completions = Completions::below(root.path().to_owned());
        let path = root.path().join("fish/vendor_completions.d/agent-run.fish");
        let heading = script(Shell::Fish).lines().next().expect("a first line");
        fs::create_dir_all(path.parent().expect("one")).expect("created");
        fs::write(&path, format!("{heading}\nold\n")).expect("written");
        completions.add(&[]).expect("added");
        assert_eq!(fs::read_to_string(&path).expect("there"), script(Shell::Fish));
    }
}
