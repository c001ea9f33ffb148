//! Where a key is, asked at a terminal.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use shims::Message;

use super::managers;
use crate::catalog::{Failure, FailureKind, OR_OF_PROXY};
use crate::config::KeyCheck;
use crate::env::Environment;
use crate::key::file::below_home;
use crate::key::place::KeyPlace;
use crate::key::store::KeyStore;
use crate::ui::log::say;
use crate::ui::{log, prompt};
use crate::{import, key};

/// Where a key is, as somebody at the terminal says it.
pub enum KeyAnswer {
    /// It is there already.
    There(KeyPlace),
    /// It was typed, and is to be put there.
    Typed(KeyStore, String),
}

impl KeyAnswer {
    /// What the config says of it.
    pub fn place(&self, home: &Path) -> KeyPlace {
        match self {
            Self::There(place) => place.clone(),
            Self::Typed(store, _) => store.place(home),
        }
    }
}

/// What can be done after a failed test.
#[derive(Clone, Copy)]
pub enum AfterFailure {
    EnterKey,
    TestAgain,
    ChooseModel,
    EnterAddress,
    /// The provider or the key is taken as it is.
    GoOn,
}

/// Asks what to do after a failure, with these words for each answer; the last one is to stop.
///
/// # Errors
/// [`prompt::Stopped`], also when nobody answers.
pub fn what_now(answers: &[(AfterFailure, &str)]) -> Result<AfterFailure> {
    let words = answers.iter().map(|(_, words)| *words).chain(["stop"]);
    let chosen = prompt::choose("What now?", &words.map(str::to_owned).collect::<Vec<_>>())?;
    answers.get(chosen).map(|(answer, _)| *answer).context(prompt::STOPPED)
}

/// What a failed test says of the key that was just given: the config, which does not have it yet, names another, or a
/// file that is still to be written.
pub fn about_key(failed: Failure, key: Option<&KeyAnswer>) -> Failure {
    let help = match key.filter(|_| failed.kind == FailureKind::KeyRefused) {
        Some(KeyAnswer::Typed(..)) => "check the key that you pasted".to_owned(),
        Some(KeyAnswer::There(place)) => format!("check `{}`", place.line()),
        None => return failed,
    };
    // A plain proxy may have refused it.
    let other = failed.message.help.as_deref().and_then(|help| help.split_once(OR_OF_PROXY));
    let help = other.map_or(help.clone(), |(_, other)| format!("{help}{OR_OF_PROXY}{other}"));
    Failure::new(failed.kind, Message::new(failed.message.text, help))
}

/// Asks where the key is, until there is an answer that can be used. In place of one that was typed `before`, only the key
/// is asked for, which goes where that one would have gone. The `stores` are those of [`KeyStore::files`].
///
/// # Errors
/// When nobody answers.
pub fn ask_key(
    before: Option<&KeyAnswer>,
    variable: Option<&str>,
    name: &str,
    stores: Vec<KeyStore>,
    check: KeyCheck,
    home: &Path,
    env: &Environment,
) -> Result<KeyAnswer> {
    enum Way {
        Paste(KeyStore),
        There(KeyPlace),
        /// Not looked at.
        Place(KeyPlace),
        Variable,
        File,
        Command,
    }
    let mut ways: Vec<(Way, String)> = Vec::new();
    if let Some(variable) = variable.filter(|variable| env.var(variable).is_some()) {
        ways.push((
            Way::Place(KeyPlace::Env(variable.to_owned())),
            format!("in the variable {variable}, which is set"),
        ));
    }
    let mut stores = stores.into_iter();
    for store in stores.next().into_iter().chain(KeyStore::keychain(name, env)) {
        let text = format!("paste it now; it is stored in {}", store.shown());
        ways.push((Way::Paste(store), text));
    }
    for there in stores {
        let text = format!("in {}, which is there already", there.shown());
        ways.push((Way::There(there.place(home)), text));
    }
    ways.push((Way::Variable, "in an environment variable".to_owned()));
    ways.push((Way::File, "in a file".to_owned()));
    let managers: Vec<_> = managers::found(name, env).into_iter().filter(|way| !way.is_keychain()).collect();
    let other = if managers.is_empty() { "a command" } else { "another command" };
    for way in managers {
        let text = format!("`{}` prints it", shims::quoted(&way.argv));
        ways.push((Way::Place(KeyPlace::Command(way.argv)), text));
    }
    ways.push((Way::Command, format!("{other} prints it")));
    if let Some(KeyAnswer::Typed(store, _)) = before {
        ways = vec![(Way::Paste(store.clone()), String::new())];
    }
    let texts: Vec<_> = ways.iter().map(|(_, text)| text.clone()).collect();
    for _ in 0..3 {
        let chosen = match ways.as_slice() {
            [_] => 0,
            _ => prompt::choose(&format!("Where is the key of {name}?"), &texts)?,
        };
        let answer = match &ways[chosen].0 {
            Way::Paste(store) => {
                match key::typed(&prompt::ask_hidden("Key (not shown while you type): ")?, check) {
                    Ok(key) => return Ok(KeyAnswer::Typed(store.clone(), key)),
                    Err(error) => Err(error),
                }
            }
            Way::There(place) => place.resolve(env, home).map(|_| place.clone()),
            Way::Place(place) => Ok(place.clone()),
            Way::Variable => ask_variable(variable, name, env),
            Way::File => ask_file(name, home, env),
            Way::Command => ask_command(name, home, env),
        };
        match answer {
            Ok(KeyPlace::Env(variable))
                if env.var(&variable).is_none()
                    && !prompt::insists(&format!("{variable} is not set here. Use it all the same?"))? => {}
            Ok(place) => return Ok(KeyAnswer::There(place)),
            Err(error) => say(&format!("{}\n", crate::error::render(&error))),
        }
    }
    bail!(prompt::STOPPED)
}

/// Warns of a place that was named with an option: the key may still be put there.
pub fn look_at(place: &KeyPlace, is_asked: bool, env: &Environment) -> Result<()> {
    match place {
        // What comes next names it too where nobody is asked.
        KeyPlace::Env(variable) if is_asked && env.var(variable).is_none() => {
            let help = format!("run `export {variable}=…` before you launch");
            log::warn(Message::new(format!("the variable {variable} is not set here"), help));
        }
        KeyPlace::File(path) => {
            let path = key::expand_home(path, &env.dirs()?.home);
            if !path.exists() {
                let help = "write the key to it, and nothing else";
                log::warn(Message::new(format!("there is no file {}", path.display()), help));
            }
            key::file::open_to_others(&path).into_iter().for_each(log::warn);
        }
        _ => {}
    }
    Ok(())
}

fn ask_variable(usual: Option<&str>, provider: &str, env: &Environment) -> Result<KeyPlace> {
    let shown = usual.map(|usual| format!(" [{usual}]")).unwrap_or_default();
    let name = prompt::ask(&format!("Variable{shown}: "))?;
    // As a shell writes it.
    let name = name.strip_prefix('$').unwrap_or(&name).trim_start_matches('{').trim_end_matches('}');
    let name = if name.is_empty() { usual.unwrap_or_default() } else { name };
    let is_right = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
    };
    let is_known = usual == Some(name) || env.var(name).is_some();
    // What is no name may be the key itself, which is not repeated.
    if !is_right(name) || (!is_known && key::shape::is_like_key(name)) {
        let help = format!("type a name such as {}, not the key", import::variable(provider));
        bail!(Message::new("this is not a variable name", help));
    }
    Ok(KeyPlace::Env(name.to_owned()))
}

fn ask_file(name: &str, home: &Path, env: &Environment) -> Result<KeyPlace> {
    let typed = prompt::ask("File: ")?;
    // As a shell or a file manager writes it.
    let quoted = ['\'', '"'].into_iter().find_map(|mark| typed.strip_prefix(mark)?.strip_suffix(mark));
    let path = PathBuf::from(quoted.unwrap_or(&typed));
    // The error of a file that is not there names it.
    if path.as_os_str().is_empty() || (key::shape::is_like_key(&path.to_string_lossy()) && !path.exists()) {
        let help = format!("type a path such as ~/keys/{name}, not the key");
        bail!(Message::new("this is no path of a file", help));
    }
    KeyPlace::File(path.clone()).resolve(env, home)?;
    let path = key::expand_home(&path, home);
    let path = std::path::absolute(&path).unwrap_or(path);
    if let Some(open) = key::file::open_to_others(&path) {
        log::warn(open);
    }
    Ok(KeyPlace::File(below_home(&path, home)))
}

fn ask_command(name: &str, home: &Path, env: &Environment) -> Result<KeyPlace> {
    let text = prompt::ask("Command: ")?;
    // A key that is pasted here is neither kept nor repeated.
    if key::shape::begins_as_key(&text) {
        bail!(Message::new("this looks like a key", "type the command that prints it, not the key"));
    }
    let help = format!("type it as in a shell: `pass show {}`", shims::quote(name.as_ref()));
    let place = KeyPlace::command(&text, Message::new("this is not a command", help))?;
    place.resolve(env, home)?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_about_a_proxy_is_still_said() {
        let other = format!("{OR_OF_PROXY}or set `proxy: none` below providers.p");
        let place = KeyAnswer::There(KeyPlace::Env("K".to_owned()));
        for (kind, rest, expected) in [
            (FailureKind::KeyRefused, other.as_str(), format!("check `key_env: K`{other}")),
            (FailureKind::KeyRefused, "", "check `key_env: K`".to_owned()),
            (FailureKind::Passing, "", "check key_env OLD".to_owned()),
        ] {
            let failed = Failure::new(kind, Message::new("refused", format!("check key_env OLD{rest}")));
            assert_eq!(about_key(failed, Some(&place)).message.help, Some(expected));
        }
    }
}
