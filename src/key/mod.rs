//! Resolves a key source to the API key.
//!
//! One source a launch, resolved once, before anything is locked or written; a failure never falls
//! back to another source. The key is never logged, and errors name the source, not what it gave.

mod command;
pub mod file;
mod keychain;
pub mod place;
pub mod redact;
pub mod shape;
pub mod store;

use std::cell::OnceCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use shims::Message;

use crate::config::{KeyCheck, KeySource, Provider, Secret};
use crate::env::Environment;
use crate::fs::nonblocking;

/// A key is a header value; more than this is some other file or a program gone wild.
const LONGEST: usize = 64 * 1024;

/// A provider's key, resolved when it is first needed and once: its command may ask for a password.
pub struct Key<'a> {
    name: &'a str,
    source: Option<KeySource<'a>>,
    check: KeyCheck,
    env: &'a Environment,
    home: &'a Path,
    found: OnceCell<String>,
}

impl<'a> Key<'a> {
    /// The key of a provider that may have none.
    pub fn of(name: &'a str, provider: Option<&'a Provider>, env: &'a Environment, home: &'a Path) -> Self {
        let check = provider.map(|provider| provider.key_check).unwrap_or_default();
        let source = provider.and_then(Provider::key_source);
        Self { name, source, check, env, home, found: OnceCell::new() }
    }

    /// The key; `None` for a provider without one.
    pub fn get(&self) -> Result<Option<&str>> {
        let Some(source) = self.source else { return Ok(None) };
        if self.found.get().is_none() {
            _ = self.found.set(resolve_for(self.name, source, self.check, self.env, self.home)?);
        }
        Ok(self.found.get().map(String::as_str))
    }

    /// Whether getting it runs a command.
    pub fn is_asked_for(&self) -> bool {
        matches!(self.source, Some(KeySource::Command(_)))
    }
}

/// The key of the provider called `name`, which may have none.
pub fn of(name: &str, provider: &Provider, env: &Environment, home: &Path) -> Result<Option<String>> {
    let source = provider.key_source();
    source.map(|source| resolve_for(name, source, provider.key_check, env, home)).transpose()
}

/// The key of the provider called `name`, from its source. Where no key is there, the help is to set one.
fn resolve_for(
    name: &str,
    source: KeySource<'_>,
    check: KeyCheck,
    env: &Environment,
    home: &Path,
) -> Result<String> {
    resolve(source, check, env, home).map_err(|error| {
        if !is_missing(source, env, home) {
            return error;
        }
        let Message { text, help } = no_key(name, &error);
        anyhow!(Message { text: format!("`{name}` has {text}"), help })
    })
}

/// That nothing is where the key of the provider called `name` should be; the help is to set one.
pub fn no_key(name: &str, error: &anyhow::Error) -> Message {
    let Message { text, help } = crate::error::message(error);
    let set = format!("set a key with `{}`", setting(name));
    let help = help.map_or_else(|| set.clone(), |help| format!("{set}, or {help}"));
    Message::new(format!("no key: {text}"), help)
}

/// What stores a key for the provider called `name`.
pub fn setting(name: &str) -> String {
    format!("agent-run key set {}", shims::quote(name.as_ref()))
}

/// Whether there is nothing where the key should be. In an agent's session, which has no key variables, nobody knows.
pub fn is_missing(source: KeySource<'_>, env: &Environment, home: &Path) -> bool {
    match source {
        KeySource::Env(name) => env.depth() == 0 && env.var(name).is_none(),
        KeySource::File(path) => expand_home(path, home).metadata().map_or_else(
            |error| error.kind() == ErrorKind::NotFound,
            |there| there.is_file() && there.len() == 0,
        ),
        KeySource::Literal(_) | KeySource::Command(_) => false,
    }
}

/// Resolves the key. Unless `check` is off, what is plainly no key is refused.
pub fn resolve(source: KeySource<'_>, check: KeyCheck, env: &Environment, home: &Path) -> Result<String> {
    keep_out_of_cores();
    let raw = match source {
        KeySource::Literal(Secret(key)) => key.clone().into_bytes(),
        KeySource::Env(name) => from_env(name, env)?,
        KeySource::File(path) => from_file(path, home)?,
        KeySource::Command(argv) => command::output(argv, home, env)?,
    };
    judge(&raw, check).with_context(|| format!("could not use the key from {source}"))
}

/// Keeps this process, which is about to hold a key, out of core files: whatever ends it, the kernel writes
/// none. Becoming another program lifts it, so that the agent is what it always was.
pub fn keep_out_of_cores() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        log::debug!("a crash may leave a core file with the key in it: {}", error.desc());
    }
}

/// Which key it is, without the key: `<sha256 01234567…>`.
pub fn fingerprint(key: &str) -> String {
    format!("<sha256 {:08x}…>", shims::short_hash(key) >> 32)
}

fn from_env(name: &str, env: &Environment) -> Result<Vec<u8>> {
    match env.var(name) {
        Some(key) => Ok(key.as_encoded_bytes().to_vec()),
        None if env.depth() > 0 => bail!(Message::new(
            format!(
                "the variable {name} (key_env) is not set: this runs inside an agent, and agent-run removes key \
                 variables from an agent's environment"
            ),
            format!(
                "use key_command or key_file, or add `keep_env: [{name}]` to the provider of the outer launch"
            )
        )),
        None => bail!(Message::new(
            format!("the variable {name} (key_env) is not set"),
            format!("run `export {name}=…` in the shell you launch from")
        )),
    }
}

fn from_file(path: &Path, home: &Path) -> Result<Vec<u8>> {
    let path = expand_home(path, home);
    let read = nonblocking::open(&path).and_then(|mut file| {
        file.metadata().and_then(|it| nonblocking::stream(&mut file, &it, LONGEST as u64 + 1))
    });
    read.with_context(|| {
        Message::new(
            format!("could not read key_file {}", path.display()),
            "write only the key to that file, and set its mode to 600",
        )
    })
}

/// `~/…` in a config value means the user's home, as in a shell.
pub fn expand_home(path: &Path, home: &Path) -> PathBuf {
    path.strip_prefix("~").map_or_else(|_| path.to_owned(), |rest| home.join(rest))
}

/// A key that was typed, by the rules for every source.
pub fn typed(line: &str, check: KeyCheck) -> Result<String> {
    keep_out_of_cores();
    judge(line.as_bytes(), check).map_err(|error| {
        anyhow!(Message::new(
            format!("this is not used as a key: {error}"),
            "paste the key alone; for one in a variable or a file, or one that a command prints, choose that instead"
        ))
    })
}

/// The one rule for what any source gives: white space around it is not part of the key, and the rest is one line of
/// plain ASCII that looks like a key.
fn judge(raw: &[u8], check: KeyCheck) -> Result<String> {
    if raw.len() > LONGEST {
        bail!(Message::new("more than 64 KiB", "a key is one short line"));
    }
    let raw = raw.trim_ascii();
    if raw.is_empty() {
        bail!(Message::new("it is empty", "it must contain only the key"));
    }
    match raw.iter().position(|&byte| !matches!(byte, b' '..=b'~')) {
        Some(at) if raw[at] < 0x80 => {
            bail!(Message::new(
                format!("a control character at byte {at}"),
                "it must contain one line with only the key"
            ))
        }
        Some(at) => {
            bail!(Message::new(
                format!("a character outside ASCII at byte {at}"),
                "keys are plain ASCII; copy it again"
            ))
        }
        None => {}
    }
    let key = String::from_utf8(raw.to_vec())?;
    match shape::mistaken(&key) {
        Some(mistake) if check == KeyCheck::On => bail!(Message::new(
            mistake.what,
            format!("{}; add `key_check: off` to the provider if it really is the key", mistake.help)
        )),
        _ => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(script: &str) -> Result<String> {
        let argv = ["sh", "-c", script].map(str::to_owned);
        resolve(KeySource::Command(&argv), KeyCheck::On, &Environment::read(), Path::new("/nowhere"))
    }

    #[test]
    fn a_command_gives_the_key_without_its_newline() {
        assert_eq!(command("echo sk-1").expect("a key"), "sk-1");
        assert_eq!(command("printf 'sk-2\r\n\n'").expect("a key"), "sk-2");
    }

    #[test]
    fn white_space_around_a_key_is_no_part_of_it_whatever_the_source() {
        let spaced = " \tsk-5 \r\n\n";
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("key");
        std::fs::write(&file, spaced).expect("written");
        let vars = [("K".into(), spaced.into())].into_iter().collect();
        let env = Environment::made_of(vars);
        let argv = ["printf", "%s", spaced].map(str::to_owned);
        let literal = Secret(spaced.to_owned());
        for source in [
            KeySource::Literal(&literal),
            KeySource::Env("K"),
            KeySource::File(&file),
            KeySource::Command(&argv),
        ] {
            let key = resolve(source, KeyCheck::On, &env, home.path()).expect("a key");
            assert_eq!(key, "sk-5", "{source:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_from_any_source_unless_the_config_insists() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("key");
        for given in ["${DEEPSEEK_API_KEY}", "null", "\"sk-1\"", "DEEPSEEK_API_KEY=sk-1", "Password: "] {
            std::fs::write(&file, given).expect("written");
            let env = Environment::made_of([("K".into(), given.into())].into_iter().collect());
            let argv = ["printf", "%s", given].map(str::to_owned);
            let literal = Secret(given.to_owned());
            for source in [
                KeySource::Literal(&literal),
                KeySource::Env("K"),
                KeySource::File(&file),
                KeySource::Command(&argv),
            ] {
                let error = resolve(source, KeyCheck::On, &env, home.path()).expect_err(given);
                let error = crate::error::render(&error);
                assert!(error.contains("\nhelp: ") && error.contains("`key_check: off`"), "{error}");
                let key = resolve(source, KeyCheck::Off, &env, home.path()).expect("a key");
                assert_eq!(key, given.trim());
            }
        }
    }

    #[test]
    fn within_an_agents_session_a_missing_variable_is_explained() {
        let vars = [(shims::planner::DEPTH.into(), "1".into())].into_iter().collect();
        let env = Environment::made_of(vars);
        let error = resolve(KeySource::Env("MY_KEY"), KeyCheck::On, &env, Path::new("/nowhere"));
        let error = crate::error::render(&error.expect_err("not set"));
        assert!(error.contains("removes") && error.contains("keep_env: [MY_KEY]"), "{error}");
    }

    #[test]
    fn a_child_left_behind_does_not_hold_the_launch() {
        assert_eq!(command("echo sk-3; sleep 3 &").expect("a key"), "sk-3");
    }

    #[test]
    fn every_failure_says_what_was_run_and_never_what_it_printed() {
        for (script, part) in [
            ("echo sk-secret; exit 3", "exit code 3"),
            ("echo sk-secret; kill -9 $$", "signal 9 (SIGKILL)"),
            ("true", "it is empty"),
            ("printf 'sk-secret\n2'", "a control character at byte 9"),
            ("printf 'sk-secret\\000'", "a control character at byte 9"),
            ("printf 'sk-secret\\303\\251'", "outside ASCII at byte 9"),
            ("yes sk-secret", "more than 64 KiB"),
        ] {
            let error = crate::error::render(&command(script).expect_err(script));
            assert!(error.contains("key_command `sh "), "{error}");
            assert!(error.contains(part) && error.contains("\nhelp: "), "{error}");
            assert!(!error.contains("sk-secret"), "{error}");
        }
    }

    #[test]
    fn files_are_read_with_the_home_expanded() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("key"), "sk-4\n").expect("written");
        let source = PathBuf::from("~/key");
        let key = resolve(KeySource::File(&source), KeyCheck::On, &Environment::read(), home.path())
            .expect("a key");
        assert_eq!(key, "sk-4");
        let missing = PathBuf::from("~/missing");
        let error = resolve(KeySource::File(&missing), KeyCheck::On, &Environment::read(), home.path());
        assert!(crate::error::render(&error.expect_err("no file")).contains("could not read key_file"));
    }
}
