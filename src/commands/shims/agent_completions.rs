//! What the user's shell finds to complete the agents themselves, which is what their shims complete by.
//!
//! It looks at the folders in which the shells look by themselves. What an rc file loads is seen only for agent-run's own
//! completion, as far as its text tells.

use std::path::{Path, PathBuf};

use shims::{Agent, Message};

use super::completions::place;
use crate::cli::Shell;
use crate::env::Environment;
use crate::fs::nonblocking;
use crate::launch::program;
use crate::shim_links::{self, pairs::ShimTarget};

/// A line or two for each installed agent of these shims; none where the shell is another.
pub fn lines(shims: &[String], env: &Environment) -> Vec<String> {
    let Some((shell, name)) = env.shell().and_then(|name| Some((known(name)?, name))) else {
        return Vec::new();
    };
    let Ok(dirs) = env.dirs() else { return Vec::new() };
    let mut lines = Vec::new();
    let is_shim_of = |agent: &dyn Agent| {
        shims.iter().any(|shim| ShimTarget::parse(shim).is_ok_and(|pair| pair.agent.name() == agent.name()))
    };
    for agent in shims::coding_agents().filter(|agent| is_shim_of(*agent)) {
        if program::locate(agent, &dirs, env).is_err() {
            continue;
        }
        let command = agent.name();
        if let Some(file) = files(shell, command, env).into_iter().find(|file| file.is_file()) {
            lines.push(format!("{command}@… completes with {}", file.display()));
        } else if agent.info().prints_completion {
            lines.push(format!(
                "{command}@… completes file names: {name} has no completion for {command}. To add it:"
            ));
            let (folder, file) = place(shell, command);
            let path = dirs.data.join(folder).join(file);
            lines.push(format!("  {command} completion {name} >{}", shims::quote(path.as_os_str())));
        } else {
            lines.push(format!("{command}@… completes file names: {} offers no completion", agent.title()));
        }
    }
    lines
}

/// Why the user's shell does not load the script in the user's own folder, and the lines to add; nothing where it does, as
/// far as its startup files tell.
pub fn not_loaded(env: &Environment) -> Option<Message> {
    let shell = known(env.shell()?)?;
    let dirs = env.dirs().ok()?;
    let folder = dirs.data.join(place(shell, "").0);
    match shell {
        Shell::Bash => bash_not_loaded(bash_completion(env), &dirs.home, Path::new("/etc")),
        Shell::Zsh => {
            let of_zsh = env.var("ZDOTDIR").map_or_else(|| dirs.home.clone(), PathBuf::from);
            let zshrc = shim_links::zshrc(env);
            let rc = startup(&of_zsh, &[".zshenv", ".zprofile", ".zshrc"]);
            // It may be written with a variable or `~`, and in a line without `fpath`. Other such folders are below `/`
            // or Homebrew's.
            let below = folder.strip_prefix(&dirs.home).unwrap_or(&folder).to_string_lossy();
            let is_folder = |word: &str| {
                let word = word.trim_start_matches(['"', '\'']);
                let is_other = word.starts_with('/') || word.to_lowercase().contains("brew");
                word.contains("zsh/site-functions") && !is_other
            };
            let words = || rc.split(|c: char| c.is_whitespace() || "()=:".contains(c));
            let is_added = rc.contains(&*below) || words().any(is_folder);
            let is_inherited =
                env.var("FPATH").is_some_and(|path| std::env::split_paths(path).any(|dir| dir == folder));
            if is_added || is_inherited || rc.contains("agent-run completion") {
                return None;
            }
            let line = format!("fpath=({} $fpath)", shims::quote(folder.as_os_str()));
            let lines = if ["compinit", "oh-my-zsh.sh"].iter().any(|word| rc.contains(word)) {
                format!("add this line to {zshrc}, before compinit runs:\n  {line}")
            } else {
                format!("add these lines to {zshrc}:\n  {line}\n  autoload -Uz compinit && compinit")
            };
            Some(Message::new("zsh loads completions only from the folders of fpath", lines))
        }
        Shell::Fish => None,
    }
}

fn bash_not_loaded(script: Option<PathBuf>, home: &Path, etc: &Path) -> Option<Message> {
    let rc = startup(home, &[".bashrc", ".bash_profile", ".bash_login", ".profile"]);
    if rc.contains("agent-run completion") {
        return None;
    }
    let only = "bash reads completion files only with bash-completion, which";
    let Some(script) = script else {
        let help = "install it, or add this line to ~/.bashrc:\n  eval \"$(agent-run completion bash)\"";
        return Some(Message::new(format!("{only} was not found"), help));
    };
    // Those of Debian and Arch, of NixOS and Fedora, of Alpine, and of Gentoo.
    let system = startup(
        etc,
        &[
            "bash.bashrc",
            "bashrc",
            "bash/bashrc",
            "bash/bash_completion.sh",
            "bash/bashrc.d/bash_completion.sh",
        ],
    );
    let names_it = |text: &str| text.contains("bash_completion") || text.contains("bash-completion");
    // Fedora's is read by the user's, and reads a folder.
    let is_in_folder = || {
        (rc.contains("/etc/bashrc") && system.contains("/etc/profile.d/"))
            && etc.join("profile.d/bash_completion.sh").is_file()
    };
    if names_it(&rc) || names_it(&system) || is_in_folder() {
        return None;
    }
    let line = format!(". {}", shims::quote(script.as_os_str()));
    Some(Message::new(
        format!("{only} no startup file of bash loads"),
        format!("add this line to ~/.bashrc:\n  {line}"),
    ))
}

/// The text of the shell's startup files, without comments.
fn startup(folder: &Path, files: &[&str]) -> String {
    let text = files
        .iter()
        .filter_map(|file| nonblocking::text(&folder.join(file)).ok())
        .collect::<Vec<_>>()
        .join("\n");
    text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n")
}

fn known(shell: &str) -> Option<Shell> {
    <Shell as clap::ValueEnum>::from_str(shell, false).ok()
}

/// Where the shells look for a command's completion: bash-completion 2.11, fish 3.6, zsh 5.9 as Debian and Homebrew have
/// them.
fn files(shell: Shell, command: &str, env: &Environment) -> Vec<PathBuf> {
    let (folder, file) = place(shell, command);
    let mut folders: Vec<_> = shared(env).into_iter().map(|data| data.join(folder)).collect();
    match shell {
        Shell::Bash => folders.push("/etc/bash_completion.d".into()),
        Shell::Fish => {
            folders.extend(env.dirs().ok().map(|dirs| dirs.config.join("fish/completions")));
            folders.extend(shared(env).into_iter().map(|data| data.join("fish/completions")));
        }
        Shell::Zsh => folders.extend(shared(env).into_iter().map(|data| data.join("zsh/vendor-completions"))),
    }
    let mut names = vec![file];
    if shell == Shell::Bash {
        names.extend([format!("{command}.bash"), format!("_{command}")]);
    }
    folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).collect()
}

/// The folders of shared data: the specification's, and those beside the folders of PATH.
fn shared(env: &Environment) -> Vec<PathBuf> {
    let mut folders = env.data_dirs().unwrap_or_default();
    for bin in env.path() {
        let beside = bin.parent().map(|above| above.join("share"));
        folders.extend(beside.filter(|beside| !folders.contains(beside)));
    }
    folders
}

fn bash_completion(env: &Environment) -> Option<PathBuf> {
    shared(env)
        .into_iter()
        .map(|data| data.join("bash-completion/bash_completion"))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_loads_completion_files_where_a_startup_file_loads_bash_completion() {
        let root = tempfile::tempdir().expect("a folder");
        let (home, etc) = (root.path().join("home"), root.path().join("etc"));
        std::fs::create_dir_all(&home).expect("created");
        std::fs::create_dir_all(etc.join("profile.d")).expect("created");
        let script = "/usr/share/bash-completion/bash_completion";
        let said = || bash_not_loaded(Some(script.into()), &home, &etc).and_then(|said| said.help);
        let line = format!("add this line to ~/.bashrc:\n  . {script}");
        let write = |path: PathBuf, text: &str| std::fs::write(path, text).expect("written");
        // As Debian has it: for a login shell alone, and commented out.
        write(etc.join("profile.d/bash_completion.sh"), script);
        write(etc.join("bash.bashrc"), &format!("#  . {script}\n"));
        assert_eq!(said().as_deref(), Some(&*line));
        for (path, text) in [
            (home.join(".bashrc"), format!("if true; then\n  . {script}\nfi\n")),
            (home.join(".bash_profile"), "eval \"$(agent-run completion bash)\"".to_owned()),
            (etc.join("bash.bashrc"), format!(". {script}\n")),
        ] {
            let before = std::fs::read_to_string(&path).unwrap_or_default();
            write(path.clone(), &text);
            assert_eq!(said(), None, "{}", path.display());
            write(path, &before);
        }
        write(etc.join("bashrc"), "for i in /etc/profile.d/*.sh; do . \"$i\"; done\n");
        assert_eq!(said().as_deref(), Some(&*line));
        write(home.join(".bashrc"), ". /etc/bashrc\n");
        assert_eq!(said(), None);
        write(home.join(".bashrc"), "");
        let missing = bash_not_loaded(None, &home, &etc).expect("a warning");
        assert!(missing.text.contains("was not found"), "{missing:?}");
    }
}
