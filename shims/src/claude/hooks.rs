//! Hooks over HTTP that would be sent the provider's key.
//!
//! Such a hook names the variables that go into its headers, and with `-p` those of a project run without a
//! question. 2.1.332 leaves the provider's key out; older versions send it, so that a repository could fetch the key
//! without running anything. A list of the variables that hooks may have is stronger than what a hook names, wherever
//! the hook stands; lists of several settings add up. Hooks that are commands inherit the environment anyway: that is a
//! matter of trust in the project.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use anyhow::{Result, bail};
use serde_json::Value as Json;

use super::found::FoundSettings;
use super::front_matter::Document;
use super::source::{self, FileContent, SettingsSource, names, texts};
use super::{argv, plugins};
use crate::inputs::without_dots;
use crate::{Launch, Message, Plan};

/// What brings hooks that are in no settings file.
const PLUGIN_OPTIONS: [&str; 2] = ["--agents", "--plugin-url"];

/// The list of variables that leaves hooks all they name but this launch's secrets, where one names such a secret or
/// stands where it cannot be seen; each that was seen is named to the user.
///
/// # Errors
/// When another list has the secret: lists add up.
pub fn allowed_variables(
    found: &FoundSettings<'_>,
    secrets: &BTreeSet<String>,
    plan: &mut Plan,
) -> Result<Option<BTreeSet<String>>> {
    let launch = found.launch;
    let lists = || found.all().filter_map(|source| source.settings.get("httpHookAllowedEnvVars"));
    let has_secret = |list: &Json| texts(list).any(|name| secrets.contains(name));
    if lists().next().is_some() && !lists().any(has_secret) {
        return Ok(None); // no hook gets one
    }
    let mut allowed: BTreeSet<String> = BTreeSet::new();
    let mut is_needed = false;
    for source in found.all() {
        for hook in source.hooks() {
            let named = hook.get("allowedEnvVars").into_iter().flat_map(texts);
            let is_kept = |name: &str| source.is_users() && is_kept(name, launch, plan);
            let (ours, theirs): (Vec<_>, Vec<_>) =
                named.partition(|name| secrets.contains(*name) && !is_kept(name));
            allowed.extend(theirs.into_iter().map(str::to_owned));
            let Some(name) = ours.first() else { continue };
            let consequence = format!(
                "{}: an HTTP hook would get {name}, the key of provider `{}`",
                source.path.display(),
                launch.provider
            );
            if lists().any(has_secret) {
                bail!(Message::new(consequence, format!("take {name} out of allowedEnvVars in that file")));
            }
            plan.warn(format!("{consequence}; it gets no key in this launch"));
            is_needed = true;
        }
    }
    if unseen(found) {
        if lists().any(has_secret) {
            look_into_plugins(found, secrets, plan)?;
            plan.info(
                "skills, commands, agents or plugins may define HTTP hooks, and Claude Code before \
                 2.1.332 would give them the key",
            );
        } else {
            is_needed = true;
            allowed.extend(visible_variables(found, plan));
        }
    }
    // A project that names the user's key variable too gets it taken from both.
    if is_needed {
        allowed.retain(|name| !secrets.contains(name));
    }
    Ok(is_needed.then_some(allowed))
}

/// Whether it is a variable of the user's key or headers and the child inherits it.
fn is_kept(name: &str, launch: &Launch, plan: &Plan) -> bool {
    launch.key_variables.contains(name) && !plan.env.contains_key(OsStr::new(name))
}

/// Whether there may be hooks that no settings file shows.
fn unseen(found: &FoundSettings<'_>) -> bool {
    argv::enters_worktree(found.launch)
        || found.all().any(SettingsSource::enables_plugins)
        || PLUGIN_OPTIONS.iter().any(|option| argv::forwards(found.launch, option))
        || !found.plugins.is_empty()
        || found.unread.is_some()
        || found.documents.iter().any(Document::may_hold_hooks)
}

/// Refuses hooks that name a secret in plugins that the user's words and environment name, and warns of others.
fn look_into_plugins(found: &FoundSettings<'_>, secrets: &BTreeSet<String>, plan: &mut Plan) -> Result<()> {
    let (inputs, provider) = (found.inputs, &found.launch.provider);
    if secrets.is_empty() {
        return Ok(());
    }
    let files = found.plugins.iter().flat_map(|folder| plugins::hook_files(folder, inputs));
    let closed = files.collect::<BTreeSet<_>>().into_iter().filter_map(|path| {
        let FileContent::Closed(why) = source::object(&path, inputs) else { return None };
        let consequence = format!(
            "could not read {}: {why}; a hook in it may name the key of provider `{provider}`",
            path.display()
        );
        let help = "remove the plugin, or remove the key's variable from httpHookAllowedEnvVars";
        Some((path, Message::new(consequence, help)))
    });
    let naming = found.plugin_hooks.iter().filter_map(|SettingsSource { path, settings, .. }| {
        let text = settings.get("hooks")?.to_string();
        let name = secrets.iter().find(|name| names(&text, name))?;
        let consequence = format!(
            "{} names {name}, the key of provider `{provider}`, and Claude Code before 2.1.332 sends it to the \
             address in that file",
            path.display()
        );
        Some((path.clone(), Message::new(consequence, format!("take {name} out of that file"))))
    });
    let named: Vec<_> =
        argv::plugin_folders(found.launch, inputs).iter().map(|it| without_dots(it)).collect();
    for (path, message) in closed.chain(naming) {
        if named.iter().any(|folder| path.starts_with(folder)) {
            bail!(message);
        }
        plan.warn(message);
    }
    Ok(())
}

/// What the child sees and a hook can name: capitals, digits and underscores (2.1.332).
fn visible_variables(found: &FoundSettings<'_>, plan: &Plan) -> BTreeSet<String> {
    let inherited = found.inputs.env.keys().filter(|name| !plan.env.contains_key(*name));
    let inherited = inherited.filter_map(|name| name.to_str());
    let set = plan.env.iter().filter(|(_, value)| value.is_some()).filter_map(|(name, _)| name.to_str());
    let settings = found.all().flat_map(|source| source.env().map(|(name, _)| name));
    let can_be_named = |name: &&str| {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        name.bytes().all(is_part) && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    inherited.chain(set).chain(settings).filter(can_be_named).map(str::to_owned).collect()
}

/// Whether hooks or the status line of a settings file name the variable.
pub fn name_variable(source: &SettingsSource, variable: &str) -> bool {
    ["hooks", "statusLine"]
        .iter()
        .filter_map(|key| source.settings.get(*key))
        .any(|value| names(&value.to_string(), variable))
}
