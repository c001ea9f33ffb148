//! What the user's shell finds to complete the agents themselves, which is what their shims complete by.
//!
//! It looks at the folders in which the shells look by themselves. What an rc file loads is not seen.

use std::path::PathBuf;

use shims::Agent;

use super::completions::place;
use crate::cli::Shell;
use crate::env::Environment;
use crate::launch::program;
use crate::shim_links::pairs::ShimTarget;

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
            lines.push(format!("{command}@… completes by {}", file.display()));
        } else if agent.info().prints_completion {
            lines.push(format!(
                "{command}@… completes file names: {name} has no completion for {command}. To add it:"
            ));
            let (folder, file) = place(shell, command);
            let path = dirs.data.join(folder).join(file);
            lines.push(format!("  {command} completion {name} >{}", path.display()));
        } else {
            lines.push(format!("{command}@… completes file names: {} offers no completion", agent.title()));
        }
    }
    if shell == Shell::Bash && !has_bash_completion(env) {
        lines.push("bash reads completion files only with bash-completion, which was not found.".to_owned());
        lines.push("Without it, add this line to ~/.bashrc:".to_owned());
        lines.push("  eval \"$(agent-run completion bash)\"".to_owned());
    }
    lines
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

fn has_bash_completion(env: &Environment) -> bool {
    shared(env).iter().any(|data| data.join("bash-completion/bash_completion").is_file())
}
