//! The context window of one model of the user's file, set as text: comments, order and all else stay as they are.
//!
//! As in `change.rs`, the text before and the text after are read again, and must differ by that number alone.

use std::path::Path;

use anyhow::Result;

use super::append::{names, same_but, tree, with_line_ends_of, without_problems};
use super::change::ProviderLines;
use super::problem::Step;
use super::yaml::{PROVIDERS, Tree, scalar};

const MODELS: &str = "models";
const WINDOW: &str = "context_window";

/// The text in which the model `id` of the provider `name` has this context window.
pub fn set_window(text: &str, name: &str, id: &str, window: u64, path: &Path) -> Result<String> {
    let found = ProviderLines::find(text, name, path)?;
    let ProviderLines { before, lines, range } = &found;
    let by_hand = || found.by_hand("change a context window of", name, path);
    let provider = [PROVIDERS.into(), name.into()];
    let list = [PROVIDERS.into(), name.into(), MODELS.into()];
    let items = items(before, name);
    let entry = format!("{{id: {}, {WINDOW}: {window}}}", scalar(id));
    let steps = |at: usize, key: Option<&str>| -> Vec<Step> {
        let item = [MODELS.into(), Step::Index(at)].into_iter().chain(key.map(Step::from));
        provider.iter().cloned().chain(item).collect()
    };
    let there = items.iter().position(|item| model_id(item).as_deref() == Some(id));
    // The line, how much of it stays, what comes behind that, and what of it follows.
    let (at, head, fresh, tail) = match there {
        Some(item) => {
            let number = before.locate(&steps(item, Some(WINDOW)));
            let key = number.or_else(|| before.locate(&steps(item, Some("id"))));
            let mark = key.or_else(|| before.locate(&steps(item, None)));
            let (at, head, rest) = found.at(mark).ok_or_else(by_hand)?;
            let (fresh, tail) = if number.is_some() {
                let from = rest.find(|c: char| c.is_ascii_digit()).ok_or_else(by_hand)?;
                let tail = rest[from..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
                (format!("{}{window}", &rest[..from]), tail)
            } else if key.is_none() {
                let quoted = [id.to_owned(), format!("'{id}'"), format!("\"{id}\"")];
                (entry, quoted.iter().find_map(|id| rest.strip_prefix(id.as_str())).ok_or_else(by_hand)?)
            } else if head.contains('{') {
                (format!("{WINDOW}: {window}, "), rest)
            } else {
                (format!("{WINDOW}: {window}\n{}", " ".repeat(head.chars().count())), rest)
            };
            (at, head.to_owned(), fresh, tail)
        }
        None if items.is_empty() && before.at(&list).is_some() => {
            let (at, head, rest) = found.at(before.locate(&list)).ok_or_else(by_hand)?;
            let inside = rest.find("[]").ok_or_else(by_hand)? + 1;
            (at, format!("{head}{}", &rest[..inside]), entry, &rest[inside..])
        }
        None if items.is_empty() => {
            let indent = " ".repeat(before.keys(&provider).first().map_or(4, |(_, mark)| mark.column - 1));
            (range.end, String::new(), format!("{indent}{MODELS}:\n{indent}- {entry}\n"), "")
        }
        None => {
            let (at, ..) = found.at(before.locate(&steps(0, None))).ok_or_else(by_hand)?;
            let dash = lines[at].find("- ").ok_or_else(by_hand)?;
            (at, String::new(), format!("{}{entry}\n", &lines[at][..dash + 2]), lines[at])
        }
    };
    let above = lines[..at].concat();
    let gap = if above.ends_with('\n') || above.is_empty() { "" } else { "\n" };
    let below = lines.get(at + 1..).filter(|_| at < range.end).unwrap_or(&lines[at..]).concat();
    let after = with_line_ends_of(text, format!("{above}{gap}{head}{fresh}{tail}{below}"));
    let is_right = |after: &Tree| {
        let other = |item: &Tree| model_id(item).as_deref() != Some(id);
        let others = |items: Vec<Tree>| items.into_iter().filter(other).collect::<Vec<_>>();
        let changed = self::items(after, name).into_iter().find(|item| !other(item));
        let old = there.map(|at| &items[at]);
        let kept = |changed: &Tree| {
            let keys = names(old, &[]).into_iter().filter(|key| key != WINDOW);
            let same = |key: &String| {
                old.and_then(|old| old.at(&[key.as_str().into()])) == changed.at(&[key.as_str().into()])
            };
            let number = changed.at(&[WINDOW.into()]).and_then(|number| number.read::<u64>().0);
            keys.collect::<Vec<_>>().iter().all(same) && number == Some(window)
        };
        others(self::items(before, name)) == others(self::items(after, name))
            && changed.is_some_and(|changed| kept(&changed))
            && same_but(Some(before), after, &provider, |key| key == MODELS)
    };
    if !tree(&after, "").ok().flatten().is_some_and(|tree| is_right(&tree)) {
        return Err(by_hand());
    }
    without_problems(after, name, "change")
}

/// The models of a provider, each as it is written.
fn items(tree: &Tree, name: &str) -> Vec<Tree> {
    let item = |at: usize| tree.at(&[PROVIDERS.into(), name.into(), MODELS.into(), Step::Index(at)]);
    (0..).map_while(item).collect()
}

/// The id of a model, which is written alone or with what is known of it.
fn model_id(item: &Tree) -> Option<String> {
    item.at(&["id".into()]).map_or_else(|| item.read().0, |id| id.read().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(models: &str) -> String {
        format!(
            "# mine\nproviders:\n  one:\n    protocols: [anthropic]\n    base_urls: {{anthropic: 'http://127.0.0.1:9'}}\n\
             {models}\n  # the second\n  two:\n    protocols: [anthropic]\n    base_urls: {{anthropic: 'http://a.b'}}\n\
             models_ttl: 1h\n"
        )
    }

    #[test]
    fn a_window_is_set_in_place_however_the_model_is_written() {
        for (models, after) in [
            (
                "    models:\n    - {id: 'm:1', context_window: 4096}  # as served\n",
                "    models:\n    - {id: 'm:1', context_window: 65536}  # as served\n",
            ),
            (
                "    models:\n      - id: m:1\n        context_window: 4_096\n        vision: true\n      - other\n",
                "    models:\n      - id: m:1\n        context_window: 65536\n        vision: true\n      - other\n",
            ),
            ("    models:\n    - {id: m:1}\n", "    models:\n    - {context_window: 65536, id: m:1}\n"),
            (
                "    models:\n    - id: m:1\n      vision: true\n",
                "    models:\n    - context_window: 65536\n      id: m:1\n      vision: true\n",
            ),
            (
                "    models:\n    - other\n    - 'm:1'\n",
                "    models:\n    - other\n    - {id: m:1, context_window: 65536}\n",
            ),
            (
                "    models:\n    - other\n",
                "    models:\n    - {id: m:1, context_window: 65536}\n    - other\n",
            ),
            ("    models: [other, m:1]\n", "    models: [other, {id: m:1, context_window: 65536}]\n"),
            ("", "    models:\n    - {id: m:1, context_window: 65536}\n"),
            ("    models: []  # none\n", "    models: [{id: m:1, context_window: 65536}]  # none\n"),
        ] {
            let changed = set_window(&config(models), "one", "m:1", 65_536, "c.yaml".as_ref());
            let changed =
                changed.unwrap_or_else(|error| panic!("{}\n{models}", crate::error::render(&error)));
            assert_eq!(changed, config(after));
            let crlf = |text: &str| config(text).replace('\n', "\r\n");
            let changed = set_window(&crlf(models), "one", "m:1", 65_536, "c.yaml".as_ref()).expect("CRLF");
            assert_eq!(changed, crlf(after));
        }
        let text = config("");
        let changed = set_window(text.trim_end(), "two", "m", 7, "c.yaml".as_ref());
        assert!(changed.is_ok_and(|text| {
            text.contains("http://a.b'}\n    models:\n    - {id: m, context_window: 7}\n")
        }));
    }

    #[test]
    fn what_is_not_written_line_by_line_is_left_to_its_owner() {
        let flow = config("    models: [other]\n");
        let shared = config("    models: &m\n    - {id: m, context_window: 1}\n")
            .replace("models_ttl", "    models: *m\nmodels_ttl");
        let wide = config("    models:\n    - {id: m, context_window: 0x10}\n");
        for text in [flow, shared, wide] {
            let error = set_window(&text, "one", "m", 7, "c.yaml".as_ref()).expect_err("left");
            let error = crate::error::render(&error);
            assert!(
                error.contains("without changing the rest") && error.contains("providers edit one"),
                "{error}"
            );
        }
    }
}
