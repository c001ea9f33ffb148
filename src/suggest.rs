//! Near matches for names that do not exist.

/// The candidates in order of likeness to `word`, the nearest first.
///
/// A candidate that holds the word counts as near: people type the part of a model's id they remember.
pub fn rank<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let mut scored: Vec<_> = candidates
        .into_iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let holds = !word.is_empty() && lower.contains(&word);
            (strsim::jaro_winkler(&word, &lower) + f64::from(u8::from(holds)), candidate)
        })
        .collect();
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    scored.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Those of the candidates that may have been meant, at most three: what holds the word, or is much like it.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = word.to_lowercase();
    let is_near = |candidate: &&str| {
        let candidate = candidate.to_lowercase();
        (!lower.is_empty() && candidate.contains(&lower)) || strsim::jaro_winkler(&lower, &candidate) > 0.8
    };
    rank(word, candidates).into_iter().take(3).filter(is_near).collect()
}

/// The one candidate that was probably meant.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let best = *rank(word, candidates).first()?;
    (strsim::jaro_winkler(&word.to_lowercase(), &best.to_lowercase()) > 0.8).then_some(best)
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
pub fn join_or(names: &[&str]) -> String {
    match names {
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
        assert_eq!(near("opus", ids), ["anthropic/claude-opus"]);
        assert_eq!(near("zzz", ids), [""; 0]);
        assert_eq!(join_limited(&ids, 2), "kimi, deepseek and 2 more");
        assert_eq!(join_limited(&ids[..1], 2), "kimi");
        assert_eq!(join_or(&["a", "b", "c"]), "a, b or c");
        assert_eq!([join_or(&["a", "b"]), join_or(&["a"])], ["a or b", "a"]);
    }
}
