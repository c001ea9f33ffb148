//! What the user's own words ask of Hermes, as far as a launch must know.
//!
//! The words themselves are passed on byte for byte; only a profile is taken out, since it names the home
//! to mirror, and a few words may have to go in front of them.

use std::ffi::{OsStr, OsString};
use std::ops::Range;

use anyhow::{Result, bail};

use super::refused;
use crate::judged::hermes::OPTION_VALUED;
use crate::{Launch, Message};

/// Options whose value may be left out.
const MAYBE_VALUED: [&str; 2] = ["-c", "--continue"];

/// The words of one launch, understood.
#[derive(Debug, Default)]
pub struct HermesArgs {
    all: Vec<OsString>,
    profile: Option<(Range<usize>, String)>,
    positionals: Vec<String>,
    model: Option<String>,
    options: Vec<String>,
}

impl HermesArgs {
    /// Reads the standing arguments and the user's own.
    pub fn of(launch: &Launch) -> Self {
        let mut words = Self { all: launch.words().map(OsStr::to_owned).collect(), ..Self::default() };
        let texts: Vec<_> = launch.words().map(|word| word.to_str().unwrap_or_default()).collect();
        let mut at = 0;
        while let Some(&word) = texts.get(at) {
            let command = words.positionals.iter().map(String::as_str).take(2);
            // What follows these belongs to another program.
            if word == "--" || (word == "--args" && command.eq(["mcp", "add"])) {
                break;
            }
            at += words.take(word, texts.get(at + 1).copied(), at);
        }
        words
    }

    /// Notes what a word says, and says how many words it is.
    fn take(&mut self, word: &str, next: Option<&str>, at: usize) -> usize {
        if matches!(word, "-p" | "--profile") && self.profile.is_none() {
            // Other words that follow `-p` are not a profile for Hermes either.
            if let Some(name) = next.filter(|name| is_profile_name(name)) {
                self.profile = Some((at..at + 2, name.to_owned()));
                return 2;
            }
        }
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ if word.starts_with("-m") && word.len() > 2 => ("-m", Some(&word[2..])),
            _ if word.starts_with("-z") && word.len() > 2 => ("-z", Some(&word[2..])),
            _ => (word, None),
        };
        let value = inline.or(next);
        match name {
            "--profile" if inline.is_some() && self.profile.is_none() => {
                let profile = value.unwrap_or_default().trim().to_lowercase();
                self.profile = Some((at..at + 1, profile));
            }
            "-m" | "--model" => self.model = value.map(str::to_owned),
            _ if !word.starts_with('-') => self.positionals.push(word.to_owned()),
            _ => {}
        }
        self.options.push(name.to_owned());
        let takes_next = inline.is_none()
            && (OPTION_VALUED.contains(&name)
                || (MAYBE_VALUED.contains(&name) && next.is_some_and(|next| !next.starts_with('-'))));
        if takes_next { 2 } else { 1 }
    }

    /// The profile that was asked for, by name.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_ref().map(|(_, name)| name.as_str())
    }

    /// The model that was asked for in Hermes' own way.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref().filter(|_| self.chats())
    }

    fn has_any(&self, options: &[&str]) -> bool {
        self.options.iter().any(|seen| options.contains(&seen.as_str()))
    }

    /// Whether an option may be this one: by itself, shortened, or with its value or other letters in one word, as argparse
    /// takes them.
    fn may_say(&self, long: &str, short: Option<char>) -> bool {
        self.options.iter().any(|option| match option.strip_prefix("--") {
            Some(name) => !name.is_empty() && long.starts_with(name),
            None => short.is_some_and(|letter| option.starts_with('-') && option.contains(letter)),
        })
    }

    fn command(&self) -> Option<&str> {
        self.positionals.first().map(String::as_str)
    }

    /// Whether the words start a conversation.
    fn chats(&self) -> bool {
        matches!(self.command(), None | Some("chat"))
    }

    /// Whether Hermes will run jobs that read their secrets through the config only.
    pub fn runs_jobs(&self) -> bool {
        matches!(self.command(), Some("cron" | "gateway"))
    }

    /// Whether Hermes serves chats.
    pub fn runs_gateway(&self) -> bool {
        let asks = self.positionals.get(1).map(String::as_str);
        self.command() == Some("gateway")
            && matches!(asks, None | Some("run" | "start" | "restart"))
            && !self.has_any(&["-h", "--help"])
    }

    /// Refuses what may open a session of another launch or of plain Hermes by the URL that it was recorded with: Hermes
    /// sends the key of its settings there (0.19). `prefers_tui` where something else than the words may ask for the TUI.
    pub fn check_sessions(&self, typed: &str, prefers_tui: bool) -> Result<()> {
        let asks = |options: &[&str]| self.has_any(options) || self.has_any(&["-h", "--help"]);
        let serves = match self.command() {
            Some("acp") => !asks(&["--check", "--setup-browser", "--version"]),
            Some("dashboard" | "serve") => !asks(&["--status", "--stop"]),
            Some("desktop" | "gui") => !asks(&["--build-only"]),
            _ => false,
        };
        if let Some(command) = self.command().filter(|_| serves) {
            bail!(Message::new(
                format!(
                    "`hermes {command}` opens a session by the URL it was recorded with, and would send this launch's key there"
                ),
                format!(
                    "set `isolated: true` for the provider, or run plain `{typed} {command}`, without agent-run"
                )
            ));
        }
        // A name may be several words, which look like a command.
        let resumes = self.may_say("resume", Some('r')) || self.may_say("continue", Some('c'));
        let browses = self.positionals.iter().map(String::as_str).take(2).eq(["sessions", "browse"]);
        let is_tui = self.may_say("tui", None) || (prefers_tui && !self.has_any(&["-z", "--oneshot"]));
        if is_tui && (resumes || browses) && !asks(&["--cli"]) {
            bail!(Message::new(
                "Hermes' TUI opens a session by the URL it was recorded with, and would send this launch's key there",
                "use `--cli`, or set `isolated: true` for the provider"
            ));
        }
        Ok(())
    }

    /// Refuses what would outlive the launch without its key, and what would act on no home that the user means: plain
    /// Hermes is `typed` for that one.
    pub fn check(&self, typed: &str) -> Result<()> {
        if self.positionals.iter().map(String::as_str).take(2).eq(["gateway", "install"]) {
            bail!(Message::new(
                "`hermes gateway install` would create a service without the provider's key",
                "run plain `hermes gateway install`, without agent-run, or `gateway run` with a provider"
            ));
        }
        match refused::refusal(&self.positionals, &self.options, typed) {
            Some(message) => bail!(message),
            None => Ok(()),
        }
    }

    /// What the user should know of these words.
    pub fn warning(&self) -> Option<Message> {
        let command = self.command().filter(|command| ["auth", "config"].contains(command))?;
        Some(Message::new(
            format!("`hermes {command}` shows the home of this launch, not your own"),
            format!("run plain `hermes {command}`, without agent-run, to see your own"),
        ))
    }

    /// The words for Hermes; `model` is the one the config names.
    pub fn forwarded(&self, model: &str) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        // Hermes 0.19 looks for a provider of its own for `-z -m` without one, and without our config it
        // has none at all.
        let lost = if self.has_any(&["-z", "--oneshot"]) {
            self.model.is_some()
        } else {
            self.chats() && self.has_any(&["--ignore-user-config", "--safe-mode"])
        };
        if lost && !self.has_any(&["--provider"]) {
            words.extend(["--provider", "custom"].map(OsString::from));
            if self.model.is_none() {
                words.extend(["-m", model].map(OsString::from));
            }
        }
        let taken = self.profile.as_ref().map_or(0..0, |(range, _)| range.clone());
        let own = self.all.iter().enumerate().filter(|(at, _)| !taken.contains(at));
        words.extend(own.map(|(_, word)| word.clone()));
        words
    }
}

/// Whether a word may be `-w` or `--worktree`, by itself, shortened, or among other letters, as argparse takes them.
pub fn asks_for_work_tree(launch: &Launch) -> bool {
    launch.words().filter_map(OsStr::to_str).any(|word| match word.strip_prefix("--") {
        Some(name) => !name.is_empty() && "worktree".starts_with(name),
        None => word.starts_with('-') && word.contains('w'),
    })
}

/// Whether Hermes takes the name for a profile's (`_PROFILE_ID_RE`, Hermes 0.19).
pub fn is_profile_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{inputs, launch, settled};
    use super::*;

    fn words(args: &[&str]) -> HermesArgs {
        HermesArgs::of(&launch(args))
    }

    fn forwarded(args: &[&str]) -> Vec<String> {
        words(args).forwarded("m").iter().map(|word| word.to_str().expect("UTF-8").to_owned()).collect()
    }

    #[test]
    fn a_profile_is_taken_out_wherever_hermes_finds_one() {
        for (args, rest) in [
            (&["-p", "coder", "-z", "hi"][..], &["-z", "hi"][..]),
            (&["chat", "--profile=Coder", "-q", "-"], &["chat", "-q", "-"]),
            (&["chat", "-q", "hi", "--profile", "coder"], &["chat", "-q", "hi"]),
        ] {
            assert_eq!(words(args).profile(), Some("coder"), "{args:?}");
            assert_eq!(forwarded(args), rest);
        }
        for args in [
            &["-z", "-p", "x"][..],
            &["chat", "-q", "--profile=x"],
            &["-p", "no:xdist"],
            &["--", "-p", "x"],
            &["mcp", "add", "docker", "--args", "--profile", "x"],
        ] {
            assert_eq!(words(args).profile(), None, "{args:?}");
            assert_eq!(forwarded(args), args);
        }
    }

    #[test]
    fn a_provider_is_named_where_hermes_would_look_for_another() {
        assert_eq!(forwarded(&["-z", "hi", "-m", "x"]), ["--provider", "custom", "-z", "hi", "-m", "x"]);
        assert_eq!(forwarded(&["-z", "hi"]), ["-z", "hi"]);
        assert_eq!(forwarded(&["-z", "hi", "--safe-mode"]), ["-z", "hi", "--safe-mode"]);
        assert_eq!(
            forwarded(&["chat", "--safe-mode", "-q", "hi"]),
            ["--provider", "custom", "-m", "m", "chat", "--safe-mode", "-q", "hi"]
        );
        assert_eq!(
            forwarded(&["--ignore-user-config", "--model=x"]),
            ["--provider", "custom", "--ignore-user-config", "--model=x"]
        );
        assert_eq!(
            forwarded(&["-z", "hi", "-mx", "--provider", "p"]),
            ["-z", "hi", "-mx", "--provider", "p"]
        );
        assert_eq!(forwarded(&["chat", "-m", "x", "-q", "hi"]), ["chat", "-m", "x", "-q", "hi"]);
    }

    #[test]
    fn the_model_is_only_read_where_it_is_one() {
        assert_eq!(words(&["-m", "x", "chat", "-q", "-m"]).model(), Some("x"));
        assert_eq!(words(&["-z", "hi", "-mx"]).model(), Some("x"));
        assert_eq!(words(&["cron", "create", "-m", "x"]).model(), None);
        assert_eq!(words(&["chat", "-q", "-m x"]).model(), None);
    }

    #[test]
    fn what_outlives_the_launch_is_refused_and_the_rest_is_said() {
        let error =
            Message::of(&words(&["gateway", "install"]).check("hermes").expect_err("refused")).render();
        assert!(error.contains("\nhelp: "), "{error}");
        assert!(words(&["gateway", "run"]).check("hermes").is_ok());
        assert!(words(&["-c", "x", "-m", "m", "auth", "add", "p"]).check("hermes").is_err());
        assert!(words(&["gateway", "run"]).runs_jobs());
        assert!(words(&["config", "show"]).warning().is_some_and(|said| said.text.contains("hermes config")));
        assert!(words(&["chat", "-c", "-q", "hi"]).warning().is_none());
    }

    #[test]
    fn what_may_open_a_session_by_its_recorded_url_is_refused() {
        for args in [
            &["acp"][..],
            &["serve", "--port", "0"],
            &["dashboard"],
            &["gui"],
            &["--tui", "-c"],
            &["chat", "--tui", "-r", "x"],
            &["--tui", "-rabc"],
            &["--tu", "--resum", "abc"],
            &["--tui", "--cont"],
            &["--tui", "-c", "my", "session"],
        ] {
            let error = words(args).check_sessions("hermes", false).expect_err("refused");
            assert!(Message::of(&error).render().contains("\nhelp: "), "{args:?}");
        }
        for args in [&["-c"][..], &["sessions", "browse"], &["--resume", "my", "project"]] {
            assert!(words(args).check_sessions("hermes", true).is_err(), "{args:?}");
        }
        assert!(words(&["-z", "hi", "-c"]).check_sessions("hermes", true).is_ok());
        for args in [
            &["acp", "--check"][..],
            &["serve", "--stop"],
            &["serve", "--help"],
            &["--tui"],
            &["-c"],
            &["chat", "-q", "acp"],
        ] {
            assert!(words(args).check_sessions("hermes", false).is_ok(), "{args:?}");
        }
        assert!(words(&["--cli", "-c"]).check_sessions("hermes", true).is_ok());
        assert!(words(&["sessions", "list"]).check_sessions("hermes", true).is_ok());
    }

    #[test]
    fn sessions_are_opened_by_their_recorded_url_in_an_isolated_home_alone() {
        let planned = |launch: &Launch, name: &str, text: &str| {
            let mut inputs = inputs();
            inputs
                .facts
                .insert(std::path::Path::new("/home/u/.hermes").join(name), crate::Fact::File(text.into()));
            crate::Plan::of(&super::super::Hermes, launch, &settled(launch, inputs))
        };
        let acp = |isolated| planned(&Launch { isolated, ..launch(&["acp"]) }, ".env", "").is_ok();
        assert!(acp(true) && !acp(false));
        for (name, text) in [(".env", "HERMES_TUI=1\n"), ("config.yaml", "display: {interface: TUI}\n")] {
            assert!(planned(&launch(&["--continue"]), name, text).is_err(), "{name}");
            assert!(planned(&launch(&["--cli", "--continue"]), name, text).is_ok(), "{name}");
        }
    }
}
