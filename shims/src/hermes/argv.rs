//! What the user's own words ask of Hermes, as far as a launch must know.
//!
//! The words themselves are passed on byte for byte; only a profile is taken out, since it names the home
//! to mirror, and a few words may have to go in front of them.

use std::ffi::{OsStr, OsString};

use anyhow::{Result, bail};

use super::refused;
use crate::judged::hermes::OPTION_VALUED;
use crate::{Launch, Message};

/// Options whose value may be left out.
const MAYBE_VALUED: [&str; 2] = ["-c", "--continue"];

/// Options without a value that are looked for.
const FLAGS: [&str; 5] = ["--cli", "--help", "--ignore-user-config", "--safe-mode", "--tui"];

/// Options whose value Hermes 0.19 puts together of all words up to the next option or command.
const JOINED: [&str; 4] = ["-c", "--continue", "-r", "--resume"];

/// The commands that end such a value (`_SUBCOMMANDS`, Hermes 0.19); others are part of it.
const ENDING: &str = "acp auth backup chat claw completion config cron dashboard debug desktop doctor dump \
    gateway gui honcho import insights login logout logs mcp memory model pairing plugins profile security serve \
    sessions setup skills status tools uninstall update version webhook whatsapp whatsapp-cloud";

const ONESHOT: [&str; 2] = ["-z", "--oneshot"];

/// The options of one letter, and those of `chat` (Hermes 0.19).
const LETTERS: [&str; 2] = ["Vchmrstwz", "Qchmqrstvw"];

/// Options of `chat` with a value, which Hermes does not know yet when it looks for a profile.
const OF_CHAT: [&str; 5] = ["-q", "--query", "--image", "--max-turns", "--source"];

/// The words of one launch, understood.
#[derive(Debug, Default)]
pub struct HermesArgs {
    /// All but the profile.
    all: Vec<OsString>,
    profile: Option<String>,
    positionals: Vec<String>,
    model: Option<String>,
    options: Vec<String>,
    /// Whether there is a prompt to answer without a conversation; Hermes takes an empty one for none.
    is_oneshot: bool,
}

impl HermesArgs {
    /// Reads the standing arguments and the user's own.
    pub fn of(launch: &Launch) -> Self {
        let mut all: Vec<_> = launch.words().map(OsStr::to_owned).collect();
        let mut words = Self { profile: take_profile(&mut all), ..Self::default() };
        let texts: Vec<_> = all.iter().map(|word| word.to_str().unwrap_or_default()).collect();
        let mut rest = &texts[..];
        while let [word, after @ ..] = rest {
            // What follows belongs to another program.
            if *word == "--args" && words.starts_with(["mcp", "add"]) {
                break;
            }
            rest = after.get(words.take(word, after)..).unwrap_or_default();
        }
        words.all = all;
        words
    }

    /// Notes what a word says, and says how many of those after it are its value.
    fn take(&mut self, word: &str, after: &[&str]) -> usize {
        let letters = LETTERS[usize::from(self.command() == Some("chat"))];
        if !is_option(word, letters) {
            self.positionals.push(word.to_owned());
            return 0;
        }
        let (mut name, mut inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value)),
            _ => (word.to_owned(), None),
        };
        let is_valued = |name: &str| OPTION_VALUED.contains(&name) || MAYBE_VALUED.contains(&name);
        // Those of other commands are their own.
        if self.chats() && name.starts_with("--") {
            name = String::from(full(&name));
        } else if self.chats() {
            for (at, letter) in word.char_indices().skip(1) {
                name = format!("-{letter}");
                if is_valued(&name) {
                    let rest = &word[at + letter.len_utf8()..];
                    inline = Some(rest.strip_prefix('=').unwrap_or(rest)).filter(|_| !rest.is_empty());
                    break;
                }
                self.options.push(name.clone());
            }
        }
        let next = after.first().filter(|next| !MAYBE_VALUED.contains(&&*name) || !is_option(next, letters));
        let next = next.filter(|_| inline.is_none() && is_valued(&name));
        if matches!(&*name, "-m" | "--model") {
            self.model = inline.or(next.copied()).map(str::to_owned);
        } else if ONESHOT.contains(&&*name) {
            self.is_oneshot = inline.or(next.copied()).is_some_and(|prompt| !prompt.is_empty());
        }
        self.options.push(name);
        let goes_on = |word: &&&str| !word.starts_with('-') && !ends_name(word);
        match next {
            Some(first) if JOINED.contains(&word) && goes_on(&first) => {
                1 + after[1..].iter().take_while(goes_on).count()
            }
            next => next.iter().count(),
        }
    }

    /// The profile that was asked for, by name.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The model that was asked for in Hermes' own way.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref().filter(|model| !model.is_empty() && (self.chats() || self.is_oneshot))
    }

    /// Whether there is a prompt to answer without a conversation.
    pub fn is_oneshot(&self) -> bool {
        self.is_oneshot
    }

    /// Whether one of these options is said.
    pub fn has_any(&self, options: &[&str]) -> bool {
        self.options.iter().any(|seen| options.contains(&seen.as_str()))
    }

    /// Whether an option may be this one: by itself, shortened, or with its value or other letters in one word, as argparse
    /// takes them.
    pub fn may_say(&self, long: &str, short: Option<char>) -> bool {
        self.options.iter().any(|option| match option.strip_prefix("--") {
            Some(name) => !name.is_empty() && long.starts_with(name),
            None => short.is_some_and(|letter| option.starts_with('-') && option.contains(letter)),
        })
    }

    /// The command.
    pub fn command(&self) -> Option<&str> {
        self.positionals.first().map(String::as_str)
    }

    /// Whether these are the command.
    pub fn starts_with(&self, command: [&str; 2]) -> bool {
        self.positionals.iter().map(String::as_str).take(2).eq(command)
    }

    /// Whether the words start a conversation.
    pub fn chats(&self) -> bool {
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

    /// Refuses what would outlive the launch without its key, and what would act on no home that the user means: plain
    /// Hermes is `typed` for that one.
    pub fn check(&self, typed: &str) -> Result<()> {
        if self.starts_with(["gateway", "install"]) {
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
        let lost = if self.is_oneshot {
            self.model.is_some()
        } else {
            self.has_any(&["--ignore-user-config", "--safe-mode"])
        };
        if lost && !self.has_any(&["--provider"]) {
            words.extend(["--provider", "custom"].map(OsString::from));
            if self.model.is_none() {
                words.extend(["-m", model].map(OsString::from));
            }
        }
        words.extend(self.all.iter().cloned());
        words
    }
}

/// Takes the profile out of the words, as Hermes 0.19 does before it reads any other.
fn take_profile(words: &mut Vec<OsString>) -> Option<String> {
    let texts: Vec<_> = words.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let mut at = 0;
    while let Some(&word) = texts.get(at) {
        let next = texts.get(at + 1);
        let mut before = texts[..at].iter();
        let mut is_others = || before.any(|word| *word == "mcp") && before.any(|word| *word == "add");
        if word == "--" || (word == "--args" && is_others()) {
            break;
        }
        if let (true, Some(name)) = (matches!(word, "-p" | "--profile"), next) {
            // Other words that follow `-p` are not a profile for Hermes either, and it looks no further.
            let name = Some(*name).filter(|name| is_profile_name(name))?.to_owned();
            words.drain(at..at + 2);
            return Some(name);
        }
        if let Some(name) = word.strip_prefix("--profile=") {
            let name = name.trim().to_lowercase();
            words.remove(at);
            return Some(name);
        }
        let skips = (OPTION_VALUED.contains(&word) && !OF_CHAT.contains(&word))
            || (MAYBE_VALUED.contains(&word) && next.is_some_and(|next| !next.starts_with('-')));
        at += if skips { 2 } else { 1 };
    }
    None
}

/// The option that argparse takes this for, in full: the only one that begins so.
fn full(name: &str) -> &str {
    let known = || OPTION_VALUED.iter().chain(&MAYBE_VALUED).chain(&FLAGS).copied();
    let begins = || known().find(|option| option.starts_with(name) && name != "--");
    known().find(|option| *option == name).or_else(begins).unwrap_or(name)
}

/// Whether argparse takes the word for options: with a space in it only if it begins with one that it knows.
fn is_option(word: &str, letters: &str) -> bool {
    let begins = |after: &str| after.starts_with(|it| it == '-' || letters.contains(it));
    word.strip_prefix('-').is_some_and(|after| !word.contains(' ') || begins(after))
}

fn ends_name(word: &str) -> bool {
    ENDING.split(' ').any(|command| command == word)
}

/// Whether Hermes takes the name for a profile's (`_PROFILE_ID_RE`, Hermes 0.19).
pub fn is_profile_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::super::tests::launch;
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
            (&["chat", "-q", "--profile=coder"], &["chat", "-q"]),
            (&["--mod", "-p", "coder", "serve"], &["--mod", "serve"]),
        ] {
            assert_eq!(words(args).profile(), Some("coder"), "{args:?}");
            assert_eq!(forwarded(args), rest);
        }
        for args in [
            &["-z", "-p", "x"][..],
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
        assert_eq!(forwarded(&["--ones", "hi", "--mod", "x"])[..2], ["--provider", "custom"]);
        assert_eq!(forwarded(&["chat", "--saf", "-q", "hi"])[..2], ["--provider", "custom"]);
        assert_eq!(forwarded(&["chat", "-m", "x", "-q", "hi"]), ["chat", "-m", "x", "-q", "hi"]);
    }

    #[test]
    fn the_model_is_only_read_where_it_is_one() {
        assert_eq!(words(&["-m", "x", "chat", "-q", "-m"]).model(), Some("x"));
        assert_eq!(words(&["-z", "hi", "-mx"]).model(), Some("x"));
        assert_eq!(words(&["--mod=x", "chat"]).model(), Some("x"));
        assert_eq!(words(&["-wvm", "x"]).model(), Some("x"));
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
}
