//! The homes that the tool before this one made below its cache, one for each provider.

use std::path::{Path, PathBuf};

use crate::print::quote;
use crate::{Inputs, Launch, Message, Plan};

/// Locks and numbers of processes, which mean nothing in another place.
const LOCKS: [&str; 4] = ["auth.lock", "cron.pid", "gateway.lock", "gateway.pid"];

/// A home of the tool before this one. Those of launches have digits after the provider's name.
pub fn home(name: &str, inputs: &Inputs) -> PathBuf {
    inputs.dirs.cache.join("hermes").join(name)
}

/// The home of an isolated provider, and of the name without one.
pub fn present(name: &str, inputs: &Inputs) -> PathBuf {
    inputs.dirs.state.join("hermes").join(name)
}

fn named(launch: &Launch, inputs: &Inputs) -> PathBuf {
    inputs.dirs.state.join("hermes").join(format!(".{}.named", launch.provider))
}

/// What must be read for [`plan`]. Most machines have no such home, and are asked no more.
pub fn reads(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let former = home(&launch.provider, inputs);
    let there = !inputs.entries(&former).is_empty() || launch.isolated && inputs.is_unreadable(&former);
    let more = if launch.isolated { present(&launch.provider, inputs) } else { named(launch, inputs) };
    [former].into_iter().chain(there.then_some(more)).collect()
}

/// Takes the home over for a provider that has one of its own. For any other it says once where the sessions are:
/// Hermes keeps them in one database, and that of the user's own home is not ours to fill.
pub fn plan(launch: &Launch, inputs: &Inputs, plan: &mut Plan) {
    let former = home(&launch.provider, inputs);
    if launch.isolated {
        take_over(&launch.provider, inputs, plan);
    } else if inputs.entry(&former, "state.db").is_some()
        && inputs.file(&named(launch, inputs)).is_ok_and(|file| file.is_none())
    {
        plan.warn(Message::new(
            format!(
                "sessions of the earlier launcher on {} are still in {}",
                launch.provider,
                former.display()
            ),
            format!("to list them: HERMES_HOME={} hermes sessions list", quote(former.as_os_str())),
        ));
        plan.write(named(launch, inputs), "");
    }
}

/// The folder in a runtime home where `profile create` of a launch made profiles before it was refused.
pub fn profiles(runtime: &Path, inputs: &Inputs) -> Option<PathBuf> {
    inputs.entry(runtime, "profiles").map(|_| runtime.join("profiles"))
}

/// Says where they are: `-p` means those beside the user's own home.
pub fn name_profiles(runtime: &Path, root: &Path, inputs: &Inputs, plan: &mut Plan) {
    let Some(folder) = profiles(runtime, inputs) else { return };
    if inputs.entries(&folder).is_empty() {
        return;
    }
    let (from, to) = (quote(folder.as_os_str()), quote(root.join("profiles").as_os_str()));
    plan.warn(Message::new(
        format!("profiles that an earlier launch made are not among your own: {}", folder.display()),
        format!("to keep them: mkdir -p {to} && mv -n {from}/* {to}"),
    ));
}

/// Takes over a home without a provider.
pub fn take_over(name: &str, inputs: &Inputs, plan: &mut Plan) {
    plan.take_over_home(home(name, inputs), present(name, inputs), &LOCKS, inputs);
}
