//! `model_api_filters`: which of a provider's models to keep, and in which order.
//!
//! Rules run in order, each over the whole list; what they keep is appended, and the first rule to keep a
//! model decides its place. Patterns are compiled here and nowhere on the way of a launch: the outcome is
//! kept beside the list, and [`fingerprint`] tells whether it still holds.

use std::cmp::Ordering;
use std::collections::HashSet;

use anyhow::{Context, Result};
use regex::{Captures, Regex};
use shims::short_hash;

use crate::config::Filter;

/// The places in `ids` of what `rules` keep, best first.
pub fn apply(rules: &[Filter], ids: &[&str]) -> Result<Vec<usize>> {
    let mut kept = Vec::new();
    let mut seen = HashSet::new();
    for rule in rules {
        kept.extend(one(rule, ids)?.into_iter().filter(|index| seen.insert(*index)));
    }
    Ok(kept)
}

/// What tells one set of rules from another.
pub fn fingerprint(rules: &[Filter]) -> String {
    format!("{:016x}", short_hash(format!("{rules:?}")))
}

fn one(rule: &Filter, ids: &[&str]) -> Result<Vec<usize>> {
    if keeps_all(rule) {
        return Ok((0..ids.len()).collect());
    }
    let pattern =
        Regex::new(&rule.filter).with_context(|| format!("could not use filter `{}`", rule.filter))?;
    let templates: Vec<String> = match &rule.order_key {
        Some(templates) => templates.iter().map(|template| dollars(template)).collect(),
        None => vec!["${1}".to_owned()],
    };
    let mut matched: Vec<(Vec<String>, usize)> = ids
        .iter()
        .enumerate()
        .filter_map(|(index, id)| Some((keys(&pattern.captures(id)?, &templates), index)))
        .collect();
    matched.sort_by(|(left_keys, left), (right_keys, right)| {
        let by_key = left_keys.iter().zip(right_keys).map(|(left, right)| natural(left, right));
        by_key.fold(Ordering::Equal, Ordering::then).then_with(|| natural(ids[*left], ids[*right]))
    });
    if rule.desc {
        matched.reverse();
    }
    matched.truncate(rule.top.unwrap_or(usize::MAX));
    Ok(matched.into_iter().map(|(_, index)| index).collect())
}

/// The rule of a provider that names none, [`Filter::keep_all`]: the provider's own order is the best there is.
fn keeps_all(rule: &Filter) -> bool {
    rule.filter.is_empty() && rule.order_key.is_none() && rule.top.is_none()
}

fn keys(captures: &Captures<'_>, templates: &[String]) -> Vec<String> {
    let expanded = templates.iter().map(|template| {
        let mut key = String::new();
        captures.expand(template, &mut key);
        key
    });
    expanded.collect()
}

/// `\1` as other tools write it, in the words of the regex crate: `${1}`.
fn dollars(template: &str) -> String {
    let mut text = String::with_capacity(template.len() + 2);
    let mut rest = template;
    while let Some(at) = rest.find('\\') {
        let after = &rest[at + 1..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        text.push_str(&rest[..at]);
        if digits == 0 {
            text.push('\\');
        } else {
            text.extend(["${", &after[..digits], "}"]);
        }
        rest = &after[digits..];
    }
    text + rest
}

/// Compares texts with runs of digits as numbers: `4.6` comes before `4.10`.
pub fn natural(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match (digits(left), digits(right)) {
            (0, _) | (_, 0) => match (left.split_first(), right.split_first()) {
                (Some((a, rest_left)), Some((b, rest_right))) if a == b => {
                    (left, right) = (rest_left, rest_right);
                }
                (a, b) => return a.map(|(byte, _)| byte).cmp(&b.map(|(byte, _)| byte)),
            },
            (in_left, in_right) => {
                let number =
                    |digits: &[u8]| digits.iter().position(|&byte| byte != b'0').unwrap_or(digits.len());
                let (a, b) = (&left[..in_left], &right[..in_right]);
                let (a, b) = (&a[number(a)..], &b[number(b)..]);
                match a.len().cmp(&b.len()).then_with(|| a.cmp(b)) {
                    Ordering::Equal => (left, right) = (&left[in_left..], &right[in_right..]),
                    unequal => return unequal,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 10] = [
        "anthropic/claude-sonnet-4.6",
        "anthropic/claude-opus-4.6",
        "anthropic/claude-haiku-4.5",
        "anthropic/claude-opus-4.10",
        "openai/gpt-5.3-codex",
        "openai/gpt-5.4-mini",
        "openai/gpt-4.1",
        "zz/x-2-1",
        "zz/x-1-9",
        "zz/x-1-10",
    ];

    fn kept(rules: &str) -> Vec<&'static str> {
        let rules: Vec<Filter> = serde_yaml::from_str(rules).unwrap();
        apply(&rules, &IDS).unwrap().into_iter().map(|index| IDS[index]).collect()
    }

    #[test]
    fn captures_order_models_however_they_are_written() {
        let expected = ["anthropic/claude-sonnet-4.6", "anthropic/claude-opus-4.10"];
        assert_eq!(kept(r#"[{filter: "^anthropic/(claude-.+)$", order_key: ["\\1"], top: 2}]"#), expected);
        assert_eq!(kept(r#"[{filter: "^anthropic/(claude-.+)$", order_key: ["$1"], top: 2}]"#), expected);
        assert_eq!(
            kept(r#"[{filter: "^anthropic/(?P<m>claude-.+)$", order_key: ["${m}"], top: 2}]"#),
            expected
        );
        assert_eq!(kept(r#"[{filter: "^anthropic/(claude-.+)$", top: 2}]"#), expected);
    }

    #[test]
    fn digits_are_compared_as_numbers() {
        let rule = r#"[{filter: "^zz/x-(\\d+)-(\\d+)$", order_key: ["$2", "$1"], desc: false}]"#;
        assert_eq!(kept(rule), ["zz/x-2-1", "zz/x-1-9", "zz/x-1-10"]);
        assert_eq!(
            kept(r#"[{filter: "claude-opus", order_key: [], top: 1}]"#),
            ["anthropic/claude-opus-4.10"]
        );
        assert_eq!(natural("a007b", "a7b"), Ordering::Equal);
        assert_eq!(natural("99999999999999999999998", "99999999999999999999999"), Ordering::Less);
        assert_eq!(natural("a", "a1"), Ordering::Less);
    }

    #[test]
    fn rules_add_up_and_the_first_decides_the_place() {
        assert_eq!(
            kept(r#"[{filter: "gpt-5", top: 1}, {filter: "gpt", desc: false}]"#),
            ["openai/gpt-5.4-mini", "openai/gpt-4.1", "openai/gpt-5.3-codex"]
        );
        assert_eq!(kept(r#"[{filter: "gpt", top: 0}]"#), [""; 0]);
        assert_eq!(kept(r#"[{filter: "^zz", top: null}]"#).len(), 3);
    }

    #[test]
    fn the_implicit_rule_keeps_the_providers_order() {
        let all = apply(&Filter::keep_all().unwrap(), &IDS).unwrap();
        assert_eq!(all, (0..IDS.len()).collect::<Vec<_>>());
    }

    #[test]
    fn other_rules_have_another_fingerprint() {
        let rules = |text| -> Vec<Filter> { serde_yaml::from_str(text).unwrap() };
        let one = fingerprint(&rules("[{filter: a}]"));
        assert_eq!(one, fingerprint(&rules("[{filter: a, top: 100}]")));
        assert_ne!(one, fingerprint(&rules("[{filter: a, top: 99}]")));
        assert_ne!(one, fingerprint(&rules("[{filter: a, desc: false}]")));
    }
}
