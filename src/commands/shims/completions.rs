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
use crate::fs::{io_error, nonblocking};

const PROGRAM: &str = "agent-run";
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

/// Where a command's completion goes below a data folder, and its file.
pub fn place(shell: Shell, command: &str) -> (&'static str, String) {
    match shell {
        Shell::Bash => ("bash-completion/completions", command.to_owned()),
        Shell::Fish => ("fish/vendor_completions.d", format!("{command}.fish")),
        Shell::Zsh => ("zsh/site-functions", format!("_{command}")),
    }
}

/// The completion files below a data folder.
pub struct Completions {
    data: PathBuf,
}

impl Completions {
    /// Those below `data`: `$XDG_DATA_HOME`, else `~/.local/share`.
    pub fn below(data: PathBuf) -> Self {
        Self { data }
    }

    /// Whether the shell's script stands, as this version writes it; `None` when there is none.
    pub fn is_current(&self, shell: Shell) -> Option<bool> {
        // bash-completion takes either name, and what nixpkgs installs has the second.
        let own = self.file(shell, PROGRAM);
        let text =
            nonblocking::text(&own).or_else(|_| nonblocking::text(&own.with_file_name("agent-run.bash")));
        Some(text.ok()? == script(shell))
    }

    /// Puts the scripts and the links of these shims in place; the scripts that were written.
    pub fn add(&self, shims: &[String]) -> Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        for shell in SHELLS.into_iter().filter(|shell| !self.is_foreign(*shell)) {
            let path = self.file(shell, PROGRAM);
            if write(&path, script(shell))? {
                written.push(path);
            }
            for link in shims.iter().filter(|_| shell != Shell::Zsh).map(|shim| self.file(shell, shim)) {
                match symlink(place(shell, PROGRAM).1, &link) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    made => made.map_err(io_error("link", &link))?,
                }
            }
        }
        Ok(written)
    }

    /// Removes the links of shims that do not stand any more; with the last of them the scripts, and folders
    /// that are empty then.
    pub fn keep(&self, stands: impl Fn(&str) -> bool) -> Result<()> {
        let mut is_used = false;
        for shell in SHELLS {
            for (shim, link) in self.links(shell) {
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
        for shell in SHELLS {
            let path = self.file(shell, PROGRAM);
            if path.is_file() && !self.is_foreign(shell) {
                remove(&path)?;
                // The folders may hold others' files: then they stay.
                let above = path.ancestors().skip(1).take_while(|dir| *dir != self.data);
                above.take_while(|dir| fs::remove_dir(dir).is_ok()).count();
            }
        }
        Ok(())
    }

    fn file(&self, shell: Shell, command: &str) -> PathBuf {
        let (folder, file) = place(shell, command);
        self.data.join(folder).join(file)
    }

    /// Whether something is in the script's place that no version of agent-run has written.
    fn is_foreign(&self, shell: Shell) -> bool {
        fn heading(text: &str) -> Option<&str> {
            text.lines().find(|line| line.starts_with("# "))
        }
        let path = self.file(shell, PROGRAM);
        let Ok(there) = fs::symlink_metadata(&path) else { return false };
        let is_ours = || nonblocking::text(&path).is_ok_and(|text| heading(&text) == heading(script(shell)));
        !there.is_file() || !is_ours()
    }

    /// The links to the script, by the shims that they are for. zsh needs none.
    fn links(&self, shell: Shell) -> Vec<(String, PathBuf)> {
        let ((folder, script), (_, end)) = (place(shell, PROGRAM), place(shell, ""));
        let entries = fs::read_dir(self.data.join(folder)).into_iter().flatten().flatten();
        let named = |path: PathBuf| {
            let shim = path.file_name()?.to_str()?.strip_suffix(&end)?.to_owned();
            Some((shim, path))
        };
        let paths = entries.map(|entry| entry.path()).filter(|_| shell != Shell::Zsh);
        paths.filter(|path| is_link_to(path, &script)).filter_map(named).collect()
    }
}

fn is_link_to(path: &Path, target: &str) -> bool {
    fs::read_link(path).is_ok_and(|to| to == Path::new(target))
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(io_error("remove", path))
}

/// Writes a script whole, readable by everyone, as a package's files are; says whether it was not there already.
fn write(path: &Path, text: &str) -> Result<bool> {
    if nonblocking::file(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(false);
    }
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        publish(path, text.as_bytes())
    };
    write().map_err(io_error("write", path)).map(|()| true)
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
        assert_eq!(completions.add(&names(&["codex@p", "claude@p"])).expect("added").len(), SHELLS.len());
        assert!(completions.add(&names(&["codex@p"])).expect("there already").is_empty());
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
