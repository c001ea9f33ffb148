//! One provider of the user's file removed, or its key moved, as text: comments, order and all else stay as they are.
//!
//! As in `append.rs`, the text before and the text after are read again, and must differ by what was asked for alone.

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use shims::Message;

use super::append::{names, same_but, tree, with_line_ends_of, without_problems};
use super::problem::SourcePos;
use super::yaml::{PROVIDERS, Tree};

/// The keys of a provider that say where its key is.
const KEY_KINDS: [&str; 4] = ["key", "key_env", "key_file", "key_command"];

/// The text without the provider `name`.
pub fn remove(text: &str, name: &str, path: &Path) -> Result<String> {
    let found = ProviderLines::find(text, name, path)?;
    let ProviderLines { before, lines, range } = &found;
    let range = &(heading(lines, range.start)..range.end);
    let mut after = [&lines[..range.start], &lines[range.end..]].concat().concat();
    let providers = [PROVIDERS.into()];
    if names(Some(before), &providers).len() == 1 {
        // The key must not be left without a value.
        let at = before.locate(&providers).map_or(0, |mark| mark.line - 1);
        let mut left = [&lines[..range.start], &lines[range.end..]].concat();
        let line = left.get(at).map(|line| line.replacen(':', ": {}", 1)).unwrap_or_default();
        if let Some(there) = left.get_mut(at) {
            *there = &line;
        }
        after = left.concat();
    }
    let is_right = |after: &Tree| {
        let is_gone = names(Some(after), &providers).iter().all(|left| left != name);
        is_gone && same_but(Some(before), after, &providers, |key| key == name)
    };
    match tree(&after, "").ok().flatten() {
        Some(tree) if is_right(&tree) => Ok(after),
        _ => Err(found.by_hand("remove", name, path)),
    }
}

/// The text in which the provider `name` has its key where `line` says, as in `key_file: ~/key`; with `None` it has none.
pub fn set_key(text: &str, name: &str, line: Option<&str>, path: &Path) -> Result<String> {
    let found = ProviderLines::find(text, name, path)?;
    let ProviderLines { before, lines, range } = &found;
    let by_hand = || found.by_hand("change the key of", name, path);
    let provider = [PROVIDERS.into(), name.into()];
    let keys = before.keys(&provider);
    let fresh = |indent: usize, comment: &str| {
        line.map(|line| format!("{}{line}{comment}\n", " ".repeat(indent))).unwrap_or_default()
    };
    let old: Vec<_> = keys.iter().filter(|(key, _)| KEY_KINDS.contains(&key.as_str())).collect();
    let (place, fresh) = match old.as_slice() {
        [(_, mark)] => {
            let next = keys.iter().map(|(_, mark)| mark.line - 1).filter(|at| *at >= mark.line).min();
            let end = own_end(lines, mark.line - 1..next.unwrap_or(range.end), mark.column - 1);
            (mark.line - 1..end, fresh(mark.column - 1, comment(lines[mark.line - 1])))
        }
        [] => {
            let indent = keys.first().map_or(4, |(_, mark)| mark.column - 1);
            (range.end..range.end, fresh(indent, ""))
        }
        _ => return Err(by_hand()),
    };
    if place.start < range.start || place.end > range.end {
        return Err(by_hand());
    }
    let head = lines[..place.start].concat();
    let gap = if head.ends_with('\n') || head.is_empty() { "" } else { "\n" };
    let after = with_line_ends_of(text, format!("{head}{gap}{fresh}{}", lines[place.end..].concat()));
    let is_right = |after: &Tree| {
        let is_kind = |key: &str| KEY_KINDS.contains(&key);
        let kept = names(Some(after), &provider).iter().filter(|key| is_kind(key)).count();
        kept == usize::from(line.is_some()) && same_but(Some(before), after, &provider, is_kind)
    };
    if !tree(&after, "").ok().flatten().is_some_and(|tree| is_right(&tree)) {
        return Err(by_hand());
    }
    without_problems(after, name, "change")
}

/// A provider in its file.
pub(super) struct ProviderLines<'a> {
    pub(super) before: Tree,
    pub(super) lines: Vec<&'a str>,
    /// Its lines, counted from 0.
    pub(super) range: Range<usize>,
}

impl<'a> ProviderLines<'a> {
    pub(super) fn find(text: &'a str, name: &str, path: &Path) -> Result<Self> {
        let provider = [PROVIDERS.into(), name.into()];
        let before = tree(text, "the config")?;
        let Some((before, mark)) = before.and_then(|tree| tree.locate(&provider).map(|mark| (tree, mark)))
        else {
            bail!(Message::new(
                format!("no provider `{name}` in the config"),
                "list them with `agent-run providers list`"
            ));
        };
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let start = mark.line - 1;
        let places = before.keys(&[PROVIDERS.into()]).into_iter().chain(before.keys(&[]));
        let next = places.map(|(_, mark)| mark.line - 1).filter(|at| *at > start).min();
        let end = own_end(&lines, start..next.unwrap_or(lines.len()), mark.column - 1);
        // An entry that shares its line with another is not written line by line.
        let is_alone = lines[start][..].trim_start().len() + mark.column - 1 == lines[start].len();
        let is_sound = is_alone && end > start;
        let found = Self { before, lines, range: start..end };
        if is_sound { Ok(found) } else { Err(found.by_hand("change", name, path)) }
    }

    /// The number of a line, counted from 0, and what of it is before and behind a place.
    pub(super) fn at(&self, mark: Option<SourcePos>) -> Option<(usize, &'a str, &'a str)> {
        let SourcePos { line, column } = mark?;
        let text = *self.lines.get(line - 1)?;
        let (head, rest) =
            text.split_at(text.char_indices().nth(column - 1).map_or(text.len(), |(at, _)| at));
        Some((line - 1, head, rest))
    }

    /// The error of a change that lines cannot make: names the line, and those that use what is in it.
    pub(super) fn by_hand(&self, what: &str, name: &str, path: &Path) -> anyhow::Error {
        let line = self.range.start + 1;
        let used: Vec<_> = (self.lines.iter().enumerate())
            .filter(|(at, _)| !self.range.contains(at))
            .filter(|(_, line)| !line.trim_start().starts_with('#'))
            .filter_map(|(at, line)| Some((at, line.split(" #").next()?.split_once('*')?.1)))
            .filter_map(|(at, rest)| Some((at, rest.split([' ', ',', ']', '}', '\r', '\n']).next()?)))
            .filter(|(_, anchor)| {
                let anchor = format!("&{anchor}");
                self.lines[self.range.clone()]
                    .iter()
                    .any(|line| line.split_whitespace().any(|word| word == anchor))
            })
            .map(|(at, _)| (at + 1).to_string())
            .collect();
        let why = if used.is_empty() { String::new() } else { format!(": line {} uses it", used.join(", ")) };
        anyhow!(Message::new(
            format!(
                "{}:{line}: could not {what} `{name}` without changing the rest of the config{why}",
                path.display()
            ),
            format!("edit it with `agent-run providers edit {}`", shims::quote(name.as_ref()))
        ))
    }
}

/// The line after the last one in `range` that is deeper than `indent`: comments and space behind it belong to what
/// follows.
fn own_end(lines: &[&str], range: Range<usize>, indent: usize) -> usize {
    let is_own = |line: &str| {
        let depth = line.len() - line.trim_start().len();
        let text = line.trim();
        // An item of a list may stand below its key.
        !text.is_empty() && (depth > indent || (depth == indent && text.starts_with("- ")))
    };
    let more = range.clone().skip(1).rev().find(|at| is_own(lines[*at]));
    more.unwrap_or(range.start) + 1
}

/// The line with which the comment begins that heads the entry at `start`: the comment lines right above it and as far
/// indented.
fn heading(lines: &[&str], start: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    let is_its = |line: &&&str| is_comment(line) && indent(line) == indent(lines[start]);
    start - lines[..start].iter().rev().take_while(is_its).count()
}

/// The comment at the end of a line, with the space before it.
fn comment(line: &str) -> &str {
    let line = line.trim_end();
    let mut quote = None;
    let mut last = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if last.is_whitespace() => return &line[line[..at].trim_end().len()..],
            // Elsewhere in a word it is a letter like others.
            (None, '"' | '\'') if last.is_whitespace() || "[{,:".contains(last) => quote = Some(c),
            (Some('"'), _) if last == '\\' => {
                last = ' ';
                continue;
            }
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        last = c;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
# mine
providers:
    # the first
    one:
        protocols: [anthropic]
        base_urls: {anthropic: 'http://127.0.0.1:9'}
        key_command:
        - pass
        - show x
        # which model
        default_model: m1

    # the second
    two:
        protocols: [anthropic]
        base_urls: {anthropic: 'http://127.0.0.1:9'}

# how long
models_ttl: 1h
";

    #[test]
    fn a_provider_goes_with_its_lines_and_nothing_else_changes() {
        let after = remove(CONFIG, "two", "c.yaml".as_ref()).expect("removed");
        let (head, _) = CONFIG.split_once("    # the second\n").expect("there");
        assert_eq!(after, format!("{head}\n# how long\nmodels_ttl: 1h\n"));
        let after = remove(&after, "one", "c.yaml".as_ref()).expect("removed");
        assert!(after.contains("providers: {}\n") && after.contains("models_ttl: 1h"), "{after}");
        let back = super::super::append(
            &after,
            "one",
            "one:\n  protocols: [anthropic]\n  base_urls: {anthropic: 'http://a.b'}\n",
        );
        assert!(back.is_ok_and(|text| !text.contains("{}")));
        let error = crate::error::render(&remove(CONFIG, "three", "c.yaml".as_ref()).expect_err("not there"));
        assert!(error.starts_with("no provider `three`"), "{error}");
    }

    #[test]
    fn a_key_is_moved_in_place_and_comments_stay() {
        let after = set_key(CONFIG, "one", Some("key_file: ~/k"), "c.yaml".as_ref()).expect("moved");
        let old = "        key_command:\n        - pass\n        - show x\n";
        assert_eq!(after, CONFIG.replace(old, "        key_file: ~/k\n"));
        assert_eq!(set_key(&after, "one", None, "c.yaml".as_ref()).expect("gone"), CONFIG.replace(old, ""));
        let after = set_key(CONFIG, "two", Some("key_env: K"), "c.yaml".as_ref()).expect("added");
        assert!(after.contains("'http://127.0.0.1:9'}\n        key_env: K\n\n# how long"), "{after}");
        assert!(set_key(CONFIG, "one", Some("key_env: NOT A NAME"), "c.yaml".as_ref()).is_err());
    }

    #[test]
    fn a_comment_goes_with_the_entry_that_it_heads_and_with_no_other() {
        let entry = |name: &str| {
            format!("  {name}:\n    protocols: [anthropic]\n    base_urls: {{anthropic: 'http://a.b'}}\n")
        };
        let (one, two) = (entry("one"), entry("two"));
        for (above, stays) in [
            ("  # about two\n  # and more\n", ""),
            ("  # apart\n\n  # about two\n", "  # apart\n\n"),
            ("  # about two\n\n", "  # about two\n\n"),
            ("# about two\n", "# about two\n"),
            ("    # about one\n", "    # about one\n"),
        ] {
            let text = format!("# mine\nproviders:\n{one}{above}{two}");
            let after = remove(&text, "two", "c.yaml".as_ref()).expect("removed");
            assert_eq!(after, format!("# mine\nproviders:\n{one}{stays}"));
        }
        let text = format!("# mine\nproviders:\n  # about one\n{one}{two}");
        let after = remove(&text, "one", "c.yaml".as_ref()).expect("removed");
        assert_eq!(after, format!("# mine\nproviders:\n{two}"));
    }

    #[test]
    fn a_comment_behind_a_key_stays_behind_the_new_one() {
        for (line, comment) in [
            ("key_env: K  # mine", "  # mine"),
            ("key_env: K#1", ""),
            ("key_command: [sh, -c, 'a # b'] # it\\'s", " # it\\'s"),
            ("key_command: [sh, -c, \"a \\\" # b\"]", ""),
            ("key_command: # from pass\n    - pass\n    - x", " # from pass"),
        ] {
            let head = "providers:\n  one:\n    protocols: [anthropic]\n    base_urls: {anthropic: 'http://a.b'}\n    ";
            let text = format!("{head}{line}\n    default_model: m\n");
            let after = set_key(&text, "one", Some("key_file: ~/k"), "c.yaml".as_ref()).expect(line);
            assert_eq!(after, format!("{head}key_file: ~/k{comment}\n    default_model: m\n"));
        }
    }

    #[test]
    fn what_is_not_written_line_by_line_is_left_to_its_owner() {
        let flow =
            "providers: {one: {protocols: [anthropic], base_urls: {anthropic: 'http://a.b'}, key_env: K}}\n";
        let shared = "providers:\n  one: &a\n    protocols: [anthropic]\n    base_urls: {anthropic: 'http://a.b'}\n  two: *a\n";
        for text in [flow, shared] {
            let error = crate::error::render(&remove(text, "one", "c.yaml".as_ref()).expect_err("left"));
            assert!(error.contains("providers edit one"), "{error}");
            let place = if text == flow { "c.yaml:1: " } else { "c.yaml:2: " };
            assert!(
                error.starts_with(place) && error.contains("line 5 uses it") == (text == shared),
                "{error}"
            );
        }
        assert!(set_key(flow, "one", None, "c.yaml".as_ref()).is_err());
        let merged = "providers:\n  one: &a\n    protocols: [anthropic]\n    base_urls: {anthropic: 'http://a.b'}\n    key_env: K\n  two:\n    <<: *a\n    default_model: m\n";
        assert!(set_key(merged, "two", Some("key_env: L"), "c.yaml".as_ref()).is_err());
    }
}
