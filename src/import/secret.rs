//! What may be a key, where nobody says that it is one.

/// Whether some of the text may be a key: what looks like one, or what a command merely repeats.
///
/// Too much is taken for one rather than too little.
pub fn may_hold_key(text: &str) -> bool {
    let long = |word: &str| word.len() >= 32 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let repeats = |word: &str| matches!(word, "echo" | "printf");
    let mut words = text.split(|c: char| c.is_whitespace() || "=:,;'\"".contains(c));
    text.contains("sk-") || words.any(|word| long(word) || repeats(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_or_looks_like_a_key_may_be_one() {
        for text in ["sk-1", "Bearer sk-1", "echo hunter2", "x=0123456789abcdef0123456789abcdef"] {
            assert!(may_hold_key(text), "{text}");
        }
        for text in ["pass show deepseek", "op read op://vault/item/field", "agent-run", "/usr/bin/security"]
        {
            assert!(!may_hold_key(text), "{text}");
        }
    }
}
