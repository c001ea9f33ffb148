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

/// Whether the terminal interface goes on with a session on the model recorded in it.
///
/// Only the first positional word counts: `exec resume` and `fork` run on the configured model. So does a
/// session resumed with a model or a provider named by `-c` (both seen in Codex 0.169). Without the latter
/// the runtime home's own config decides, and nothing but a profile of the user's stands above that: then
/// the provider is pinned and the recorded model lost.
pub fn keeps_model<'a>(words: impl IntoIterator<Item = &'a OsStr> + Clone) -> bool {
    let names_profile = |word: &OsStr| {
        let word = word.as_encoded_bytes();
        word.starts_with(b"-p") || word.starts_with(b"--profile")
    };
    first_positional(words.clone()).is_some_and(|word| word == "resume")
        && !words.into_iter().any(names_profile)
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

    fn keeps(words: &str) -> bool {
        keeps_model(words.split_whitespace().map(OsStr::new))
    }

    #[test]
    fn resume_is_found_behind_options() {
        for words in [
            "resume --last",
            "-c a=1 --search resume",
            "-m x -s read-only -C /x resume id",
            "--model=m -cfoo=1 resume --last",
            "-i a.png b.png --search resume",
        ] {
            assert!(keeps(words), "{words}");
        }
    }

    #[test]
    fn other_words_and_other_places_do_not_count() {
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
            assert!(!keeps(words), "{words}");
        }
    }
}
