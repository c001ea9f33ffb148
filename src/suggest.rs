//! Near matches for names that do not exist.

/// How unlike `word` a candidate is that may have been meant: `None` for one that was not.
///
/// Other letters' case comes first, then typing errors, then a part: people type the part of a model's id they remember.
fn distance(word: &str, candidate: &str) -> Option<(u8, usize)> {
    let (word, candidate) = (word.to_lowercase(), candidate.to_lowercase());
    let (short, long) = (word.chars().count(), candidate.chars().count());
    let (short, long) = (short.min(long), short.max(long));
    let typos = strsim::osa_distance(&word, &candidate);
    // Of two letters the other one is another word: `m3` is not meant for `m2`.
    let is_typed = short > 2 || (short < long && word.chars().next() == candidate.chars().next());
    let is_part = |part: &str, whole: &str| {
        let begins = |at: usize| !whole[..at].ends_with(char::is_alphanumeric);
        match part.chars().count() {
            0 | 1 => false,
            2 => whole.match_indices(part).any(|(at, _)| begins(at)),
            _ => whole.contains(part),
        }
    };
    let is_near = typos <= ((long + 1) / 3).clamp(1, 3) && typos < short.max(2) && is_typed;
    if word.is_empty() || candidate.is_empty() {
        None
    } else if typos == 0 || (typos == 1 && is_near) {
        Some((0, typos))
    } else if candidate.starts_with(&word) {
        Some((1, long))
    } else if is_near {
        Some((2, typos))
    } else if is_part(&word, &candidate) {
        Some((3, long))
    } else if is_part(&candidate, &word) {
        Some((4, long))
    } else {
        None
    }
}

/// The candidates in order of likeness to `word`, the nearest first.
pub fn rank<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let score = |candidate: &str| {
        let far = 1.0 - strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase());
        (distance(word, candidate).unwrap_or((u8::MAX, 0)), far)
    };
    let mut scored: Vec<_> = candidates.into_iter().map(|it| (score(it), it)).collect();
    scored.sort_by(|((a, a_far), left), ((b, b_far), right)| {
        a.cmp(b).then(a_far.total_cmp(b_far)).then_with(|| left.cmp(right))
    });
    scored.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Those of the candidates that may have been meant, at most three, the nearest first.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let is_near = |candidate: &&str| distance(word, candidate).is_some();
    rank(word, candidates).into_iter().take(3).filter(is_near).collect()
}

/// The one candidate that was probably meant.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(word, candidates).first().copied()
}

/// The one candidate that differs by typing errors alone; `my-openai` is not `openai` mistyped.
pub fn typo<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_typo = |candidate: &&str| match distance(word, candidate) {
        Some((0, _)) => true,
        Some((2, _)) => !word.contains(candidate),
        _ => false,
    };
    near(word, candidates).into_iter().find(is_typo)
}

/// `a, b, c and 7 more`: at most `most` of the candidates, for a message.
pub fn join_limited(candidates: &[&str], most: usize) -> String {
    let shown = candidates[..candidates.len().min(most)].join(", ");
    match candidates.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `a, b or c`.
pub fn join_or(names: &[impl AsRef<str>]) -> String {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [first @ .., before, last] => [first, &[&format!("{before} or {last}")]].concat().join(", "),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_and_parts_come_first() {
        let ids = ["kimi", "deepseek", "anthropic/claude-opus", "openai/gpt-5"];
        assert_eq!(rank("depseek", ids)[0], "deepseek");
        assert_eq!(rank("opus", ids)[0], "anthropic/claude-opus");
        assert_eq!(closest("depseek", ids), Some("deepseek"));
        assert_eq!(closest("zzz", ids), None);
        assert_eq!((typo("depseek", ids), typo("my-deepseek", ids)), (Some("deepseek"), None));
        assert_eq!(near("opus", ids), ["anthropic/claude-opus"]);
        assert_eq!(near("zzz", ids), [""; 0]);
        let names =
            ["openai", "openrouter", "xai", "zai", "zai-coding", "deepseek", "groq", "claude", "codex"];
        for (typed, meant) in [
            ("DeepSeek", &["deepseek"][..]),
            ("depeseek", &["deepseek"]),
            ("deep", &["deepseek"]),
            ("seek", &["deepseek"]),
            ("open", &["openai", "openrouter"]),
            ("xb", &[]),
            ("x", &["xai"]),
            ("co", &["codex", "zai-coding"]),
            ("opnerouter", &["openrouter"]),
            ("zai-codign", &["zai-coding", "zai"]),
            ("claude-code", &["claude"]),
            ("cluade", &["claude"]),
            ("cdoex", &["codex"]),
            ("code", &["codex"]),
            ("o", &["openai", "openrouter"]),
            ("grok", &["groq"]),
            ("gork", &[]),
            ("ollama", &[]),
            ("mistral", &[]),
            ("close", &[]),
            ("", &[]),
        ] {
            assert_eq!(near(typed, names), meant, "{typed}");
        }
        assert_eq!(
            near("kim", ["kilo", "mimo", "kimi-coding", "kim2", "akim"]),
            ["kim2", "akim", "kimi-coding"]
        );
        assert_eq!(join_limited(&ids, 2), "kimi, deepseek and 2 more");
        assert_eq!(join_limited(&ids[..1], 2), "kimi");
        assert_eq!(join_or(&["a", "b", "c"]), "a, b or c");
        assert_eq!([join_or(&["a", "b"]), join_or(&["a"])], ["a or b", "a"]);
    }
}
