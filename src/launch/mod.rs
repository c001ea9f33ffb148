//! One launch, from the request to the running agent: [`run`] and [`prepare`] are the whole sequence, and [`dry_run`]
//! takes the same steps up to the plan.
//!
//! The steps before the plan read, the plan is a value, and what comes after it carries out that value. Warnings are
//! collected as [`Note`]s and printed by whoever called; only what is waited for is said at once.

pub mod apply;
pub mod conflicts;
pub mod explain;
pub mod json_merge;
pub mod lookup;
pub mod model;
mod model_list;
mod private;
pub mod program;
pub mod request;
pub mod resolve;
pub mod snapshot;

use std::convert::Infallible;
use std::mem::ManuallyDrop;
use std::process::Command;

use anyhow::{Result, bail};
use shims::{Inputs, Launch, Message, Note, Plan};

use self::private::Private;
use crate::config::Provider;
use crate::context::Context;
use crate::env::Environment;
use crate::fs::Folders;
use crate::key::Key;
use crate::{machine_secret, ui};
use apply::homes::{self, HomeLock, InUse};
pub use model_list::{Network, Resolved};
pub use request::LaunchRequest;

/// Launches the agent, which takes this process over.
pub fn run(request: &LaunchRequest, env: &Environment) -> Result<Infallible> {
    env.check_depth()?;
    // 1. Load: the folders, and the config, of which only this provider is decoded.
    let context = Context::for_launch(request.config.as_deref(), &request.provider, env)?;
    // 2. to 9. Everything but the exec.
    let mut notes = Vec::new();
    let prepared = prepare(request, &context, UserFiles::Merge, &mut notes);
    notes.iter().for_each(ui::log::note);
    // 10. Exec. The locks on the homes in use are inherited by the agent, the lock for preparing them is released.
    let prepared = prepared?;
    prepared.in_use.hand_over();
    apply::replace_process(prepared.command)
}

/// A prepared launch, ready to exec: the command, and the lock on what was prepared for it.
///
/// The lock's descriptor is close-on-exec, so that becoming the agent releases it and nothing earlier does.
pub struct PreparedLaunch {
    /// The agent with its arguments and environment.
    pub command: Command,
    /// The runtime homes that the agent is about to use.
    in_use: InUse,
    _lock: Option<HomeLock>,
}

impl PreparedLaunch {
    /// Without the lock on what was prepared, for a launch that is started beside another one.
    #[must_use]
    pub fn unlocked(self) -> Self {
        Self { _lock: None, ..self }
    }
}

/// What a launch does with files of the user's own that its plan would change.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum UserFiles {
    /// Merges into them, as planned.
    Merge,
    /// Leaves them alone, and refreshes no list: the agent is only tried, by `demo` or a probe.
    Leave,
}

/// Makes everything ready for the exec.
///
/// # Errors
/// At the first step that fails. What was written until then is whole, and the next launch goes on from it.
pub fn prepare(
    request: &LaunchRequest,
    context: &Context<'_>,
    user_files: UserFiles,
    notes: &mut Vec<Note>,
) -> Result<PreparedLaunch> {
    let Context { env, dirs, loaded } = context;
    let agent = request.agent;
    // 2. Find the provider. A home of an old config needs none.
    let provider = resolve::provider(request, &loaded.config)?;
    // 3. Locate the program, before anything that waits or asks.
    let mut inputs = snapshot::without_files(dirs, env);
    if agent.info().has_runtime_home {
        inputs.secret = machine_secret::obtain(dirs, notes)?;
    }
    inputs.program = Some(program::locate_for(agent, &request.args, &inputs, env)?);
    // 4. Resolve protocol, URL and model. The provider is asked only where its model list has to decide.
    let key = Key::of(&request.provider, provider, env, &dirs.home);
    let resolved =
        ManuallyDrop::new(model_list::resolve(request, provider, context, Network::On, &key, notes)?);
    // 5. Get the key. Its command may ask for a password, so nothing is locked yet.
    let key = key.get()?;
    if let Some(why) = key.and_then(|key| agent.refused_key(key)) {
        let help = format!("set another key for provider `{}`, or none if it needs none", request.provider);
        bail!(Message::new(why, help));
    }
    // 6. Lock the runtime homes: two launches must not read and write them at once.
    let mut folders = Folders::of(dirs);
    let lock = homes::lock(agent, &request.provider, &mut folders)?;
    // 7. Plan, from a snapshot of every file that the agent's adapter asks for.
    let (plan, inputs) = plan(request, resolved.launch(), context, inputs)?;
    // Never dropped, nor is the launch above: this process is about to become the agent, and to give memory back piece
    // by piece would only take time.
    let (mut plan, _inputs) = (ManuallyDrop::new(plan), ManuallyDrop::new(inputs));
    if user_files == UserFiles::Leave {
        plan.merges.clear();
    }
    notes.append(&mut plan.notes);
    // 8. Apply: mark the homes as used before they are filled, then folders, files, links and merges.
    let in_use = homes::hold(&plan, agent, &mut folders);
    apply::prepare(&plan, &mut folders, key, notes)?;
    let command = apply::command(&plan, key, env)?;
    // 9. Leave an old model list to a process of its own, for the next launch.
    if user_files == UserFiles::Merge {
        resolved.refresh_later(request, context, key);
    }
    Ok(PreparedLaunch { command, in_use, _lock: lock })
}

/// What a launch would do.
pub struct Planned<'a> {
    /// The launch and its provider; `None` for a home without one.
    pub launch: Option<(Launch, &'a Provider)>,
    /// The very plan that a launch would carry out.
    pub plan: Plan,
    /// What it was made from.
    pub inputs: Inputs,
}

/// Takes the steps of [`prepare`] up to the plan, with no lock and no change. The provider is asked for its list, with a
/// key that needs no command, only where `network` allows it and nothing else tells the model.
///
/// # Errors
/// Those of a launch, but for a missing program or key.
pub fn dry_run<'a>(
    request: &LaunchRequest,
    context: &'a Context<'_>,
    network: Network,
    notes: &mut Vec<Note>,
) -> Result<Planned<'a>> {
    // 2. and 4. as in a launch; 3., the program, may be missing.
    let resolved = resolve_only(request, context, network, notes)?;
    // 7. as in a launch.
    plan_only(request, context, resolved)
}

/// Takes the steps of [`dry_run`] up to the resolved launch, with nothing planned.
pub fn resolve_only<'a>(
    request: &LaunchRequest,
    context: &'a Context<'_>,
    network: Network,
    notes: &mut Vec<Note>,
) -> Result<Resolved<'a>> {
    let provider = resolve::provider(request, &context.loaded.config)?;
    let key = Key::of(&request.provider, provider, context.env, &context.dirs.home);
    model_list::resolve(request, provider, context, network, &key, notes)
}

/// The rest of [`dry_run`].
pub fn plan_only<'a>(
    request: &LaunchRequest,
    context: &'a Context<'_>,
    resolved: Resolved<'a>,
) -> Result<Planned<'a>> {
    let inputs = snapshot::without_files(&context.dirs, context.env);
    let (plan, inputs) = plan(request, resolved.launch(), context, inputs)?;
    Ok(Planned { launch: resolved.into_launch(), plan, inputs })
}

fn plan(
    request: &LaunchRequest,
    launch: Option<&Launch>,
    context: &Context<'_>,
    inputs: Inputs,
) -> Result<(Plan, Inputs)> {
    let LaunchRequest { agent, provider, args, .. } = request;
    let Some(launch) = launch else {
        // A home of an old config.
        let inputs = snapshot::of_providerless_home(*agent, provider, inputs);
        return Ok((Plan::of_providerless_home(*agent, provider, args, &inputs)?, inputs));
    };
    let inputs = snapshot::collect(*agent, launch, &Private::of(context), inputs);
    Ok((Plan::of(*agent, launch, &inputs)?, inputs))
}
