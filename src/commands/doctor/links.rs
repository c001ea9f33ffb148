//! The shims on PATH: links named `<agent>@<provider>` that lead to this program, or should.

use std::path::Path;

use shims::quote;

use super::report::{Finding, Group};
use crate::env::Environment;
use crate::exec;

/// Looks at every folder of PATH.
pub fn look(is_provider: impl Fn(&str) -> bool, env: &Environment) -> Group {
    let mut group = Group::new("Shims");
    let mut sound = Vec::new();
    for folder in env.path() {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
            let Some((agent, provider)) = shims::split_shim_name(&name) else { continue };
            let path = folder.join(&name);
            if shims::by_name(agent).is_none() || !path.is_symlink() {
                continue;
            }
            match trouble(&name, &path, is_provider(provider)) {
                Some(finding) => group.add(finding),
                None => sound.push(name),
            }
        }
    }
    sound.sort();
    if !sound.is_empty() {
        group.add(Finding::ok("on PATH", sound.join(", ")));
    }
    group
}

fn trouble(name: &str, path: &Path, is_provider: bool) -> Option<Finding> {
    let (shown, remove) = (path.display(), format!("rm {}", quote(path.as_os_str())));
    match exec::identity(path) {
        None => Some(Finding::problem(name, format!("{shown} leads nowhere"), remove)),
        end if end != exec::ourselves() => {
            let text = format!("{shown} leads to another program, or another agent-run");
            Some(Finding::note(name, text, format!("if you do not want it: {remove}")))
        }
        _ if !is_provider => {
            Some(Finding::note(name, format!("{shown}: the config has no such provider"), remove))
        }
        _ => None,
    }
}
