//! Which subcommand the user's words name. Nothing is changed in them.

use std::ffi::OsStr;

/// The options before a subcommand that take the next word as their value (Codex 0.169).
const VALUED: [&str; 18] = [
    "-a",
    "--add-dir",
    "--ask-for-approval",
    "-c",
    "--config",
    "-C",
    "--cd",
    "--disable",
    "--enable",
    "--local-provider",
    "-m",
    "--model",
    "-p",
    "--profile",
    "--remote",
    "--remote-auth-token-env",
    "-s",
    "--sandbox",
];

/// The options that take every word up to the next option.
const GREEDY: [&str; 2] = ["-i", "--image"];

/// Whether the terminal interface is asked to go on with a session, which has its own model recorded.
///
/// Only the first positional word counts. `exec resume` and `fork` do not: both run on the configured model
/// (seen in Codex 0.169).
pub fn resumes<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> bool {
    first_positional(words).is_some_and(|word| word == "resume")
}

fn first_positional<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Option<&'a OsStr> {
    let mut words = words.into_iter();
    let mut greedy = false;
    while let Some(word) = words.next() {
        if word == "--" {
            return None;
        }
        if !word.as_encoded_bytes().starts_with(b"-") {
            if greedy {
                continue;
            }
            return Some(word);
        }
        greedy = GREEDY.iter().any(|option| word == *option);
        if VALUED.iter().any(|option| word == *option) {
            words.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_resume(words: &str) -> bool {
        resumes(words.split_whitespace().map(OsStr::new))
    }

    #[test]
    fn resume_is_found_behind_options() {
        for words in [
            "resume --last",
            "-c a=1 --search resume",
            "-p work -s read-only -C /x resume id",
            "--model=m -cfoo=1 resume --last",
            "-i a.png b.png --search resume",
        ] {
            assert!(is_resume(words), "{words}");
        }
    }

    #[test]
    fn other_places_of_the_word_are_not_a_subcommand() {
        for words in [
            "",
            "exec resume --last",
            "fork --last",
            "-m resume",
            "-- resume",
            "hello resume",
            "-i resume",
            "-c",
        ] {
            assert!(!is_resume(words), "{words}");
        }
    }
}
