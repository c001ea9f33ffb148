//! `agent-run key`: sets, tests or removes the key of one provider.

use std::io::{Read, Write, stdin};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use shims::{Message, proxy};

use super::providers::ask_key::{AfterFailure, KeyAnswer, about_key, ask_key, what_now};
use super::providers::find;
use super::providers::test::{TestOutcome, try_provider};
use crate::catalog::{Catalog, FailureKind};
use crate::cli::KeyCommand;
use crate::cli::key::{KeyArgs, KeyRemoveArgs};
use crate::config::{self, Loaded, Provider};
use crate::context;
use crate::env::Environment;
use crate::key;
use crate::key::place::KeyPlace;
use crate::key::store::{KeyStore, StoredKey};
use crate::presets;
use crate::signals;
use crate::ui::{log, output, prompt};

/// Bytes of stdin beyond which it is no key.
const LONGEST: u64 = 64 * 1024;

/// Runs one of the commands.
pub fn run(command: KeyCommand, option: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    match command {
        KeyCommand::Set(words) => set(&words, &env.config_to_change(option)?, env),
        KeyCommand::Test(words) => test(&words, &env.config_file(option)?, env),
        KeyCommand::Remove(words) => remove(&words, &env.config_to_change(option)?, env),
    }
}

/// Asks for the key at a terminal, tests it, and keeps it; elsewhere stdin is the key.
fn set(words: &KeyArgs, path: &Path, env: &Environment) -> Result<ExitCode> {
    let name = words.provider.as_str();
    let home = env.dirs()?.home;
    let loaded = load(path, name)?;
    let provider = find(name, &loaded.config)?;
    // What can be refused is refused before anything is asked.
    let former = KeyStore::of(name, provider, path, &home);
    let own = former.as_ref().filter(|store| store.other_reader(name, &loaded, &home).is_none());
    let file = KeyStore::file(path, name, own);
    let in_file = file.place(&home).line();
    config::set_key(&config::text(path)?, name, Some(&in_file), path)?;
    config::check_writable(path, &below(name, &in_file))?;
    let answer = if prompt::is_possible(env) {
        ask(name, provider, &file, &home, env)?
    } else {
        let mut typed = String::new();
        let read = stdin().take(LONGEST + 1).read_to_string(&mut typed);
        read.context("could not read the key from stdin")?;
        if typed.trim().is_empty() {
            let word = shims::quote(name.as_ref());
            let help = format!(
                "run it in a terminal to type the key, or pipe the key to it: `pass show {word} | \
                 agent-run key set {word}`"
            );
            bail!(Message::new("there is no key on stdin", help));
        }
        KeyAnswer::Typed(file, key::typed(&typed, provider.key_check)?)
    };
    let place = answer.place(&home);
    let line = place.line();
    signals::uninterrupted(|| {
        let stored = match &answer {
            KeyAnswer::Typed(store, key) => Some(store.put(key, former.as_ref() != Some(store), env)?),
            KeyAnswer::There(_) => None,
        };
        config::change_config(path, &below(name, &line), |now| {
            config::set_key(now, name, Some(&line), path)
        })?;
        stored.into_iter().try_for_each(StoredKey::keep)
    })?;
    forget_refusal(name, path, env);
    let kept = match (&answer, &place) {
        (KeyAnswer::Typed(store, _), _) => {
            let word = shims::quote(name.as_ref());
            let hint = format!("; `agent-run key test {word}` tests it");
            let hint = if prompt::is_possible(env) { String::new() } else { hint };
            format!("stored the key of {name} in {}{hint}", store.shown())
        }
        (_, KeyPlace::Env(variable)) => {
            let unset = if env.var(variable).is_none() { ", which is not set" } else { "" };
            format!("the key of {name} is read from the variable {variable}{unset}")
        }
        _ => format!("the key of {name}: {line}"),
    };
    // One of the user's own, which this program neither writes nor removes.
    let own = provider.key_file.as_ref().filter(|_| former.is_none());
    let own = own.filter(|file| place != KeyPlace::File((*file).clone()));
    let own = own.map(|file| format!("\n{} is no longer read, and was not changed", file.display()));
    let former = former.filter(|former| former.place(&home) != place);
    let former = former.map(|former| leave(&former, &answer, &loaded, name, &home, env));
    output::people(|out| writeln!(out, "{kept}{}", former.or(own).unwrap_or_default()))
}

/// Removes the key from where it was before it was set to another place, or says how to: only a key that was typed is
/// surely there, and another provider, or the new command, may read the former one.
fn leave(
    former: &KeyStore,
    answer: &KeyAnswer,
    loaded: &Loaded,
    name: &str,
    home: &Path,
    env: &Environment,
) -> String {
    let shown = former.shown();
    if let Some(other) = former.other_reader(name, loaded, home) {
        return format!("\nthe previous key was not removed from {shown}, because `{other}` uses it");
    }
    if let KeyAnswer::There(KeyPlace::Env(variable)) = answer
        && env.var(variable).is_none()
    {
        return format!("\nthe previous key is still in {shown}; remove it once {variable} is set");
    }
    let failed = match answer {
        KeyAnswer::Typed(..) if former.is_link() => None,
        KeyAnswer::Typed(..) => match former.remove(env) {
            Ok(true) => return format!("\nremoved the previous key from {shown}"),
            Ok(false) => None,
            Err(error) => Some(format!(" ({error:#})")),
        },
        KeyAnswer::There(_) => None,
    };
    let failed = failed.unwrap_or_default();
    format!("\nthe previous key is still in {shown}{failed}; to remove it: {}", former.removal())
}

fn ask(
    name: &str,
    provider: &Provider,
    file: &KeyStore,
    home: &Path,
    env: &Environment,
) -> Result<KeyAnswer> {
    let preset = presets::by_name(name).ok();
    let usual = preset.as_ref().and_then(presets::Preset::key_variable).or(provider.key_env.as_deref());
    let mut before = None;
    loop {
        let answer =
            ask_key(before.as_ref(), usual, name, vec![file.clone()], provider.key_check, home, env)?;
        let key = match &answer {
            KeyAnswer::Typed(_, key) => key.clone(),
            KeyAnswer::There(KeyPlace::Env(variable)) if env.var(variable).is_none() => {
                return Ok(answer);
            }
            KeyAnswer::There(place) => match place.resolve(env, home) {
                Ok(key) => key,
                Err(error) => {
                    log::say(&format!("{}\n", crate::error::render(&error)));
                    continue;
                }
            },
        };
        loop {
            let failed = match try_provider(name, provider, None, Some(&key), env)? {
                TestOutcome::Works => return Ok(answer),
                TestOutcome::NotTested(why) => {
                    log::say(&format!("{}\n", not_tested(name, &why).render()));
                    return Ok(answer);
                }
                TestOutcome::Failed(failed) => about_key(failed, Some(&answer)),
            };
            log::say(&format!("{}\n", failed.message.render()));
            let mut answers = [
                (AfterFailure::EnterKey, "enter another key"),
                (AfterFailure::TestAgain, "test again"),
                (AfterFailure::GoOn, "set it anyway"),
            ];
            if failed.kind != FailureKind::KeyRefused {
                answers.swap(0, 1);
            }
            match what_now(&answers)? {
                AfterFailure::EnterKey => break,
                AfterFailure::GoOn => return Ok(answer),
                _ => {}
            }
        }
        before = Some(answer);
    }
}

/// The config, in which nothing is wrong with the provider.
fn load(path: &Path, name: &str) -> Result<Loaded> {
    let loaded = context::load_sound(path, name)?;
    loaded.check(name)?;
    Ok(loaded)
}

fn test(words: &KeyArgs, path: &Path, env: &Environment) -> Result<ExitCode> {
    let name = words.provider.as_str();
    let config = load(path, name)?.config;
    let provider = find(name, &config)?;
    let key = key::of(name, provider, env, &env.dirs()?.home)?;
    if key.is_none() {
        let text = format!("`{name}` has no key to test: its entry in the config names none");
        let set = key::setting(name);
        let word = shims::quote(name.as_ref());
        let help = format!("test it without one: `agent-run providers test {word}`; `{set}` sets one");
        bail!(Message::new(text, help));
    }
    match try_provider(name, provider, None, key.as_deref(), env)? {
        TestOutcome::Works => Ok(ExitCode::SUCCESS),
        TestOutcome::NotTested(why) => bail!(not_tested(name, &why)),
        TestOutcome::Failed(failed) => Err(failed.into()),
    }
}

fn not_tested(name: &str, why: &str) -> Message {
    let word = shims::quote(name.as_ref());
    let help = format!("test it with a model: `agent-run providers test {word} --model MODEL`");
    Message::new(format!("the key was not tested: {why}"), help)
}

/// A line of a provider's entry, as it stands below `providers`.
fn below(name: &str, line: &str) -> String {
    format!("{}:\n  {line}", config::yaml_scalar(name))
}

/// What the provider refused before was another key.
fn forget_refusal(name: &str, path: &Path, env: &Environment) {
    if let (Ok(loaded), Ok(dirs)) = (config::load_for(path, name), env.dirs())
        && let Some(provider) = loaded.config.providers.get(name)
    {
        Catalog::open(&dirs, env, loaded.config.models_ttl).forget_failure(name, provider);
    }
}

/// Removes the key that is kept here. The provider then has the key that its preset expects, or else one in the file in
/// which `key set` would store it, so that a launch says that there is none; a server on this machine needs none.
fn remove(words: &KeyRemoveArgs, path: &Path, env: &Environment) -> Result<ExitCode> {
    let name = words.provider.as_str();
    let home = env.dirs()?.home;
    let loaded = load(path, name)?;
    let provider = find(name, &loaded.config)?;
    let store = KeyStore::of(name, provider, path, &home).filter(|store| !store.is_link());
    let source = provider.key_source();
    let set = format!("set a key with `{}`", key::setting(name));
    if source.is_none() {
        bail!(Message::new(format!("`{name}` has no key"), set));
    }
    if store.is_none() && provider.key.is_none() {
        bail!(Message::new(
            format!("agent-run does not store the key of `{name}`"),
            format!(
                "`agent-run providers show {}` prints where it is; remove it there",
                shims::quote(name.as_ref())
            )
        ));
    }
    if source.is_some_and(|source| key::is_missing(source, env, &home)) {
        bail!(Message::new(format!("`{name}` has no key"), set));
    }
    let other = store.as_ref().and_then(|store| store.other_reader(name, &loaded, &home));
    let goes = store.as_ref().filter(|_| other.is_none());
    let usual = presets::by_name(name).ok().and_then(|preset| preset.key_variable().map(str::to_owned));
    let is_local = provider.protocols.iter().filter_map(|it| provider.base_url(*it)).all(proxy::is_loopback);
    let is_set = usual.as_ref().is_some_and(|variable| env.var(variable).is_some());
    let line = match usual {
        Some(variable) => Some(KeyPlace::Env(variable).line()),
        None if is_local => None,
        None => Some(KeyStore::file(path, name, goes.filter(|it| it.is_file())).place(&home).line()),
    };
    // What can be refused is refused before anything is asked.
    let added = line.as_ref().map(|line| below(name, line)).unwrap_or_default();
    config::set_key(&config::text(path)?, name, line.as_deref(), path)?;
    config::check_writable(path, &added)?;
    goes.map_or(Ok(()), KeyStore::check_removable)?;
    let place = goes.map_or_else(|| path.display().to_string(), KeyStore::shown);
    let question = match &other {
        Some(other) => format!("Remove the key of {name}? `{other}` uses the same key and keeps it."),
        None => format!("Remove the key of {name} from {place}?"),
    };
    if !prompt::confirms_removal(words.yes, &question, env)? {
        bail!("nothing was removed");
    }
    config::change_config(path, &added, |now| config::set_key(now, name, line.as_deref(), path))?;
    let says = line.map_or_else(String::new, |line| format!("the config now says {line}; "));
    let now = format!(
        "{says}{}",
        if is_set { "it is set".to_owned() } else { format!("`{name}` has no key: {set}") }
    );
    let Some(store) = store else {
        return output::people(|out| writeln!(out, "removed the key of {name} from {place}\n{now}"));
    };
    let shown = store.shown();
    if let Some(other) = other {
        return output::people(|out| {
            writeln!(out, "the key was not removed from {shown}, because `{other}` uses it\n{now}")
        });
    }
    if let Err(error) = store.remove(env) {
        let help = format!("{now}; to remove the key: {}", store.removal());
        bail!(Message::new(format!("{error:#}"), help));
    }
    output::people(|out| writeln!(out, "removed the key of {name} from {shown}\n{now}"))
}
