//! The launcher's own options behind a shim: `AGENT_RUN_OPTS`, parsed with argh.
//!
//! On a shim's command line every word belongs to the agent, so the launcher has no words there.

use anyhow::{Result, bail};
use argh::FromArgs;

use crate::{Message, Protocol};

/// Which of the launcher's refusals to override.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Force {
    /// Launch a model that no list knows.
    pub model: bool,
    /// Speak a protocol that the provider does not declare.
    pub protocol: bool,
}

impl Force {
    /// What `word` after `--force` means.
    ///
    /// # Errors
    /// When it is none of its words.
    pub fn by_name(word: &str) -> Result<Self, String> {
        match word {
            "model" => Ok(Self { model: true, protocol: false }),
            "protocol" => Ok(Self { model: false, protocol: true }),
            "all" => Ok(Self { model: true, protocol: true }),
            _ => Err(format!("`{word}` is not one of model, protocol, all")),
        }
    }

    /// Both overrides together, as when the option is given twice.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { model: self.model || other.model, protocol: self.protocol || other.protocol }
    }
}

fn protocol(word: &str) -> Result<Protocol, String> {
    Protocol::by_name(word).ok_or_else(|| {
        let known: Vec<_> = Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
        format!("`{word}` is not one of {}", known.join(", "))
    })
}

/// Options of agent-run for a launch through a symlink
#[derive(Debug, Default, FromArgs)]
pub struct Opts {
    /// the model to start with
    #[argh(option)]
    pub model: Option<String>,
    /// the protocol to speak
    #[argh(option, from_str_fn(protocol))]
    pub protocol: Option<Protocol>,
    /// override a refusal: model, protocol or all
    #[argh(option, from_str_fn(Force::by_name))]
    pub force: Vec<Force>,
    /// print what would be done, and do nothing
    #[argh(switch)]
    pub dry_run: bool,
    /// with --dry-run: print it as JSON
    #[argh(switch)]
    pub json: bool,
    /// with --dry-run: print the contents of files too
    #[argh(switch, short = 'v')]
    pub verbose: bool,
    /// the config file
    #[argh(option)]
    pub config: Option<String>,
}

/// The variable these options come from.
pub const VARIABLE: &str = "AGENT_RUN_OPTS";

/// The long options, which are those of `launch`.
pub const OPTIONS: [&str; 6] = ["--model", "--protocol", "--force", "--config", "--dry-run", "--json"];

/// What the variable said.
#[derive(Debug)]
pub enum ParsedOpts {
    /// Options for this launch.
    Options(Box<Opts>),
    /// `--help`: the text to show.
    Help(String),
}

/// Parses the variable's text; quotes join words as in a shell.
///
/// # Errors
/// With the variable's name in front, as the user typed none of these words on a command line.
pub fn parse(text: &str) -> Result<ParsedOpts> {
    let Some(words) = shlex::split(text) else {
        bail!(Message::new(
            format!("{VARIABLE}: a quotation mark is not closed"),
            format!("write it as in a shell: {VARIABLE}='--model \"my model\"'")
        ))
    };
    // argh wants `--name value`; people also write `--name=value`.
    let words: Vec<String> = words
        .into_iter()
        .flat_map(|word| match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => vec![name.to_owned(), value.to_owned()],
            _ => vec![word],
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match Opts::from_args(&[VARIABLE], &words) {
        Ok(opts) => Ok(ParsedOpts::Options(Box::new(opts))),
        Err(early) if early.status.is_ok() => Ok(ParsedOpts::Help(early.output.trim_end().to_owned())),
        Err(early) => {
            let said = early.output.trim().replace('\n', " ");
            let known = words.iter().find(|word| word.starts_with("--") && !OPTIONS.contains(word));
            let near = known.and_then(|word| {
                let nearest = OPTIONS.iter().map(|option| (strsim::jaro_winkler(word, option), option));
                nearest.filter(|(likeness, _)| *likeness > 0.85).max_by(|(a, _), (b, _)| a.total_cmp(b))
            });
            let meant = near.map_or_else(String::new, |(_, option)| format!("did you mean {option}? "));
            bail!(Message::new(
                format!("{VARIABLE}: {said}"),
                format!(
                    "{meant}{VARIABLE} takes {} and -v, as in {VARIABLE}='--model m'",
                    OPTIONS.join(", ")
                )
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opts(text: &str) -> Opts {
        match parse(text).expect(text) {
            ParsedOpts::Options(opts) => *opts,
            ParsedOpts::Help(help) => panic!("{help}"),
        }
    }

    #[test]
    fn words_split_as_in_a_shell() {
        let said = opts(r#"--model "my model" --protocol anthropic --force model --dry-run"#);
        assert_eq!(said.model.as_deref(), Some("my model"));
        assert_eq!(said.protocol, Some(Protocol::Anthropic));
        assert!(said.force[0].model && !said.force[0].protocol && said.dry_run);
        assert_eq!(opts("--model=a=b").model.as_deref(), Some("a=b"));
        assert!(opts("").model.is_none());
    }

    #[test]
    fn errors_name_the_variable_and_the_next_step() {
        for bad in ["--modle x", "--force", "--force yes", "--protocol chat", "word", "--model 'x"] {
            let error = Message::of(&parse(bad).expect_err(bad)).render();
            assert!(error.starts_with("AGENT_RUN_OPTS: "), "{error}");
            assert!(error.contains("\nhelp: "), "{error}");
        }
        assert!(matches!(parse("--help"), Ok(ParsedOpts::Help(_))));
    }
}
