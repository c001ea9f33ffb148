//! `providers remove`: a provider out of the config, with what was made for it: its symlinks, its model list and, if
//! that is wanted, the key that this program keeps.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::key_place;
use crate::cli::providers::ProvidersRemoveArgs;
use crate::env::Environment;
use crate::key::store::KeyStore;
use crate::launch::lookup;
use crate::ui::{log, output, prompt};
use crate::{catalog, commands, config, context};

/// Removes a provider from the config.
pub fn run(words: &ProvidersRemoveArgs, option: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    let path = env.config_to_change(option)?;
    let path = path.as_path();
    let name = words.provider.as_str();
    let before = config::text(path)?;
    let loaded = context::load_sound(path, name)?;
    let provider = loaded.config.providers.get(name);
    if provider.is_none() && loaded.locate(&["providers", name]).is_none() {
        return Err(lookup::missing(name, None, &loaded.config));
    }
    // What can be refused is refused before anything is asked.
    config::remove(&before, name, path)?;
    config::check_writable(path, "")?;
    let dirs = env.dirs()?;
    let store = provider.and_then(|provider| KeyStore::of(name, provider, path, &dirs.home));
    let store = store.filter(|store| !store.is_link());
    let has_shims = !env.shims_read_another(option);
    let shims = if has_shims { commands::shims::of_provider(name, &loaded.config, env)? } else { Vec::new() };
    let shown = path.display();
    let other = store.as_ref().and_then(|store| store.other_reader(name, &loaded, &dirs.home));
    let mut with_key = words.with_key && store.is_some() && other.is_none();
    let links =
        if shims.is_empty() { String::new() } else { format!(", and the shims {}", shims.join(", ")) };
    let key = store.as_ref().filter(|_| with_key);
    let key = key.map_or_else(String::new, |store| format!(", and its key from {}", store.shown()));
    if !prompt::confirms_removal(words.yes, &format!("Remove {name} from {shown}{links}{key}?"), env)? {
        bail!("nothing was removed");
    }
    if let Some(store) = store.as_ref().filter(|_| !words.yes && !words.with_key && other.is_none()) {
        with_key = prompt::insists(&format!("Remove its key too, from {}?", store.shown()))?;
    }
    store.as_ref().filter(|_| with_key).map_or(Ok(()), KeyStore::check_removable)?;
    config::change_config(path, "", |now| config::remove(now, name, path))?;
    let mut text = format!("removed {name} from {shown}\n");
    // The provider is gone by now: what fails is reported with what was done.
    let mut failed = false;
    let mut fails = |error: &anyhow::Error| {
        failed = true;
        log::error(error);
    };
    for shim in &shims {
        match commands::shims::remove_named(shim, &loaded.config, env) {
            Ok(true) => _ = writeln!(text, "removed the shim {shim}"),
            Ok(false) => {}
            Err(error) => fails(&error),
        }
    }
    match catalog::clear(&dirs, Some(name)) {
        // What failed is remembered too.
        Ok(removed) if removed.iter().any(|file| file.extension().is_some_and(|end| end == "list")) => {
            text.push_str("removed its model list\n");
        }
        Ok(_) => {}
        Err(error) => fails(&error),
    }
    match store {
        Some(store) if with_key => match store.remove(env) {
            Ok(true) => _ = writeln!(text, "removed its key from {}", store.shown()),
            Ok(false) => _ = writeln!(text, "its key is not in {}", store.shown()),
            Err(error) => fails(&error),
        },
        Some(store) => {
            let reader = other.map_or_else(String::new, |other| format!(", because `{other}` uses it"));
            _ = writeln!(text, "its key was not removed from {}{reader}", store.shown());
        }
        None => {
            let kept = provider.and_then(key_place).filter(|(kind, _)| words.with_key && *kind != "key");
            if let Some((kind, place)) = kept {
                _ = writeln!(
                    text,
                    "its key was not removed, because agent-run does not store it: {kind} {place}"
                );
            }
        }
    }
    output::people(|out| out.write_all(text.as_bytes()))?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
