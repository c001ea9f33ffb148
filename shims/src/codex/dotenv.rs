//! The user's `.env`, which Codex lets win over the inherited environment, but for names that begin with `CODEX_`
//! (seen in 0.169).
//!
//! Whether it goes along is a launch's choice: it depends on the proxy, `extra_env` and the URL. Codex and the
//! commands it runs read it again and again from `CODEX_HOME`, so that one folder cannot serve both answers. A launch
//! that it would undo is therefore started in a folder of its own kind, where everything but the `.env` is a link
//! into the runtime home. To leave it out for all would take the proxy from those who have it there.

use std::path::{Path, PathBuf};

use super::home::owns;
use crate::inputs::matches;
use crate::judged::codex::{DOTENV_STOPS, ENTRY_FOLDER as FOLDERS, ENTRY_MADE as MADE};
use crate::mirror::Mirror;
use crate::proxy::{PROXY_VARIABLES, is_loopback};
use crate::{EntryKind, Fact, Inputs, Launch, Plan, Proxy, dotenv};

/// The name that the user's `.env` sets against the launch.
pub fn conflict(launch: &Launch, real: &Path, inputs: &Inputs) -> Option<String> {
    let bytes = inputs.file(&real.join(".env")).ok().flatten()?;
    let decided = |name: &String| {
        name.starts_with("AGENT_RUN_")
            || launch.extra_env.contains_key(name)
            || DOTENV_STOPS.iter().any(|pattern| matches(pattern, name))
            || PROXY_VARIABLES.contains(&name.as_str()) && !matches!(launch.proxy, Proxy::Inherit)
            || ["NO_PROXY", "no_proxy"].contains(&name.as_str()) && is_loopback(&launch.base_url.value)
    };
    dotenv::names(bytes, dotenv::DotenvDialect::Lines).into_iter().find(decided)
}

/// Whether nobody can tell what it will be: what is in a pipe is Codex's to read. No launch has it then.
pub fn is_hidden(real: &Path, inputs: &Inputs) -> bool {
    matches!(inputs.fact(&real.join(".env")), Some(Fact::Stream))
}

/// What [`plan`] must know.
pub fn reads(runtime: &Path, without_dotenv: &Path) -> Vec<PathBuf> {
    mirror(runtime, without_dotenv, &[]).reads()
}

/// Plans the folder `without_dotenv` beside the runtime home, whose own plan is made.
pub fn plan(runtime: &Path, without_dotenv: &Path, inputs: &Inputs, plan: &mut Plan) {
    plan.dirs.insert(without_dotenv.to_owned());
    for &name in FOLDERS {
        let path = runtime.join(name);
        if !plan.links.contains_key(&path)
            && inputs.entry(runtime, name).is_none_or(|entry| entry.kind == EntryKind::Dir)
        {
            plan.dirs.insert(path);
        }
    }
    let planned = plan.links.iter().filter(|(path, link)| link.is_some() && path.parent() == Some(runtime));
    let planned = planned.filter_map(|(path, _)| path.file_name()?.to_str().map(str::to_owned));
    let always: Vec<String> = planned.chain(MADE.iter().chain(FOLDERS).copied().map(str::to_owned)).collect();
    let always: Vec<&str> = always.iter().map(String::as_str).collect();
    mirror(runtime, without_dotenv, &always).plan(inputs, plan);
}

fn mirror<'a>(runtime: &'a Path, without_dotenv: &'a Path, always: &'a [&'a str]) -> Mirror<'a> {
    Mirror {
        real: runtime,
        runtime: without_dotenv,
        owns: &|name| name == ".env" || owns(name) && !MADE.contains(&name) && !FOLDERS.contains(&name),
        always,
        quiet: &[],
        yielding: &[("memories", &[]), ("plugins", &[]), ("rules", &[]), ("skills", &[".system"])],
    }
}
