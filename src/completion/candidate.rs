//! A word that completion offers.

use clap::builder::StyledStr;
use clap_complete::CompletionCandidate;

/// A word that is offered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// The word.
    pub value: String,
    /// What it is; may be empty.
    pub about: String,
    /// Whether it is what happens without a word.
    pub is_default: bool,
}

impl Candidate {
    /// One with a text beside it.
    pub fn with(value: &str, about: String) -> Self {
        Self { value: value.to_owned(), about, is_default: false }
    }
}

/// What the engine's candidate for the default is called; it keeps one candidate of an id.
const DEFAULT: &str = "default";

impl From<CompletionCandidate> for Candidate {
    fn from(found: CompletionCandidate) -> Self {
        let about = found.get_help().map(ToString::to_string).unwrap_or_default();
        Self {
            value: found.get_value().to_string_lossy().into_owned(),
            about: about.lines().next().unwrap_or_default().to_owned(),
            is_default: found.get_id().is_some_and(|id| id == DEFAULT),
        }
    }
}

impl From<Candidate> for CompletionCandidate {
    fn from(Candidate { value, about, is_default }: Candidate) -> Self {
        // With a tag it is spared the argument's name, which is made for each.
        let candidate =
            Self::new(value).tag(Some(StyledStr::new())).id(is_default.then(|| DEFAULT.to_owned()));
        if about.is_empty() { candidate } else { candidate.help(Some(about.into())) }
    }
}
