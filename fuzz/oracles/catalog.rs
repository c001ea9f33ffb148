//! What must hold of model lists, filters and files of the cache, whatever is in them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use regex::Regex;

use agent_run::internals::{
    CachedList, Filter, Header, MAX_ROWS, ModelList, ModelRecord, RankedRecord, error_text, filter,
    is_unsafe_to_print, pages,
};

use super::files;

const URL: &str = "https://lists.example/v1/models?limit=1000";
const SOURCE: &str = "https://lists.example/v1/models";

/// The pages of one provider's answer.
pub fn model_list(data: &[u8]) -> bool {
    let mut list = ModelList::default();
    for page in files(data) {
        if let Ok(Some(next)) = list.add_page(page, SOURCE)
            && let Some(url) = pages::url(URL, next)
        {
            is_the_same_server(&url);
        }
        _ = error_text(page);
    }
    assert!(list.records.len() <= MAX_ROWS);
    let records = list.finish().records;
    let ids: BTreeSet<_> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids.len(), records.len(), "an id twice");
    records.iter().for_each(is_sane);
    is_read_back(&records);
    !records.is_empty()
}

/// The key goes along to the next page: the client's own parser must see the same server there.
fn is_the_same_server(url: &str) {
    // What is no URL is asked of nobody.
    let Ok(next) = url.parse::<ureq::http::Uri>() else { return };
    assert!(next.host().is_some_and(|host| host.eq_ignore_ascii_case("lists.example")), "{url}");
    assert!(next.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")), "{url}");
    assert!(matches!(next.port_u16(), None | Some(443)), "{url}");
}

fn is_sane(record: &ModelRecord) {
    let id = &record.id;
    assert!((1..=256).contains(&id.len()), "{id}");
    assert!(!id.chars().any(|c| c.is_whitespace() || is_unsafe_to_print(c)), "{id:?}");
    if let Some(name) = &record.name {
        assert!(!name.is_empty() && name.chars().count() <= 121, "{name}");
        assert!(!name.chars().any(is_unsafe_to_print), "{name:?}");
    }
    let limits = [record.context_window, record.max_input_tokens, record.max_output_tokens];
    assert!(limits.iter().flatten().all(|limit| (1..=100_000_000).contains(limit)), "{record:?}");
    if let (Some(window), Some(output)) = (record.context_window, record.max_output_tokens) {
        assert!(output < window, "{record:?}");
    }
    let costs = [record.input_cost_per_million, record.output_cost_per_million];
    for cost in costs.iter().chain([&record.cached_input_cost_per_million]).flatten() {
        assert!(cost.is_finite() && *cost >= 0.0, "{record:?}");
    }
    if let Some(day) = &record.retires_at {
        let shape = |(at, c): (usize, char)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() };
        assert!(day.len() == 10 && day.chars().enumerate().all(shape), "{day}");
    }
}

/// The list as a file of the cache gives back what was put into it.
fn is_read_back(records: &[ModelRecord]) {
    let rank = |at: usize| (at % 3 != 2).then_some(records.len() - at);
    let entries: Vec<RankedRecord> = records
        .iter()
        .enumerate()
        .map(|(at, record)| RankedRecord { record: record.clone(), rank: rank(at) })
        .collect();
    let stored = CachedList::in_memory(encoded(&entries)).expect("what we write");
    assert_eq!(stored.entries().expect("what we write"), entries);
    for entry in entries.iter().take(64) {
        let kept = entry.rank.map(|_| entry.record.clone());
        assert_eq!(stored.find(&entry.record.id).expect("what we write"), kept);
        assert!(stored.holds(&entry.record.id).expect("what we write"));
    }
}

fn encoded(entries: &[RankedRecord]) -> Vec<u8> {
    let head = Header {
        provider: "p".to_owned(),
        identity: "0123456789abcdef".to_owned(),
        source: SOURCE.to_owned(),
        fetched_at: 7,
        ..Header::default()
    };
    head.encode(entries).expect("records are JSON")
}

/// A file of the cache.
///
/// Few inputs get the length in the first line right, so the rest is also read behind a line that fits.
pub fn cache_file(data: &[u8]) -> bool {
    let whole_file = looked_into(data);
    let whole = encoded(&[]);
    let fitting = String::from_utf8(whole).expect("JSON");
    let fitting = fitting.replacen("\"bytes\":0", &format!("\"bytes\":{}", data.len()), 1);
    looked_into(&[fitting.as_bytes(), data].concat());
    whole_file
}

fn looked_into(data: &[u8]) -> bool {
    let Ok(stored) = CachedList::in_memory(data.to_vec()) else { return false };
    let entries = stored.entries().unwrap_or_default();
    assert!(entries.len() <= data.len());
    for entry in &entries {
        assert!(!entry.record.id.contains(['\n', '\t']), "{:?}", entry.record.id);
        _ = (stored.find(&entry.record.id), stored.holds(&entry.record.id));
    }
    assert!(stored.kept().unwrap_or_default().len() <= entries.len());
    assert!(stored.best(usize::MAX).unwrap_or_default().len() <= 40);
    for (prefix, many) in [("", usize::MAX), ("", 0), ("", 1), ("a", 2), ("a/", 0), ("\u{ff}", 0)] {
        let parts = stored.in_parts(prefix, many).unwrap_or_default();
        assert!(parts.len() <= data.len(), "{} parts", parts.len());
        assert!(parts.iter().all(|id| id.starts_with(prefix) && !id.contains(['\n', '\t'])), "{parts:?}");
    }
    true
}

/// The rules of `model_api_filters`, and in a second file the ids, a line each.
pub fn filters(data: &[u8]) -> bool {
    let files = files(data);
    let texts: Vec<_> = files.iter().filter_map(|file| std::str::from_utf8(file).ok()).collect();
    let [rules, ids] = texts[..] else { return false };
    let Ok(rules) = serde_yaml::from_str::<Vec<Filter>>(rules) else { return false };
    let ids: Vec<&str> = ids.lines().collect();
    are_ordered(&ids);
    assert_eq!(filter::fingerprint(&rules), filter::fingerprint(&rules.clone()));
    assert_eq!(filter::fingerprint(&rules).len(), 16);
    let kept = match filter::apply(&rules, &ids) {
        Ok(kept) => kept,
        Err(error) => {
            assert!(rules.iter().any(|rule| Regex::new(&rule.filter).is_err()), "{error:#}");
            return false;
        }
    };
    assert!(kept.iter().all(|index| *index < ids.len()), "{kept:?}");
    assert_eq!(kept.iter().collect::<BTreeSet<_>>().len(), kept.len(), "one twice: {kept:?}");
    let tops = rules.iter().try_fold(0_usize, |sum, rule| Some(sum.saturating_add(rule.top?)));
    assert!(tops.is_none_or(|tops| kept.len() <= tops), "more than the rules let pass");
    let patterns: Vec<_> = rules.iter().filter_map(|rule| Regex::new(&rule.filter).ok()).collect();
    for id in kept.iter().map(|index| ids[*index]) {
        assert!(patterns.iter().any(|pattern| pattern.is_match(id)), "no rule keeps {id}");
    }
    if let [rule] = &rules[..]
        && rule.top.is_none()
    {
        let matching = ids.iter().filter(|id| patterns[0].is_match(id)).count();
        assert_eq!(kept.len(), matching, "one is lost");
    }
    true
}

/// The order of ids is one: sorting by it cannot panic.
fn are_ordered(ids: &[&str]) {
    for a in ids.iter().take(12) {
        assert_eq!(filter::natural(a, a), Ordering::Equal);
        for b in ids.iter().take(12) {
            assert_eq!(filter::natural(a, b), filter::natural(b, a).reverse(), "{a} {b}");
            for c in ids.iter().take(12) {
                let orders = [filter::natural(a, b), filter::natural(b, c), filter::natural(a, c)];
                let torn = orders[0].is_le() && orders[1].is_le() && orders[2].is_gt();
                assert!(!torn, "{a:?} {b:?} {c:?}");
            }
        }
    }
}
