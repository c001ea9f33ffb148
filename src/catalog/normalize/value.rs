//! Careful reading of other people's JSON: a value counts only if it is what it claims to be.

use serde_json::Value;

/// No model has a window of a hundred million tokens; a larger number is a mistake or a joke.
const LARGEST_COUNT: u64 = 100_000_000;

/// The value at a dotted path; a number in it is an index into an array. `null` counts as absent.
pub fn at<'a>(row: &'a Value, path: &str) -> Option<&'a Value> {
    let found = path.split('.').try_fold(row, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => value.get(step),
    })?;
    (!found.is_null()).then_some(found)
}

/// A number of tokens: positive, whole, and a number rather than a text that looks like one.
pub fn count(value: &Value) -> Option<u64> {
    let whole = value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 1.0)?;
        // Above 2^53 the text is no longer that of the number, and above the largest count all the same.
        format!("{number}").parse().ok()
    })?;
    (1..=LARGEST_COUNT).contains(&whole).then_some(whole)
}

/// The first of `paths` that holds a number of tokens.
pub fn first_count(row: &Value, paths: &[&str]) -> Option<u64> {
    paths.iter().find_map(|path| count(at(row, path)?))
}

/// A text that is not empty.
pub fn text<'a>(row: &'a Value, path: &str) -> Option<&'a str> {
    at(row, path)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A yes or no, stated plainly or as `{"supported": true}`.
pub fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| ["supported", "support"].iter().find_map(|key| value.get(key)?.as_bool()))
}

/// The first of `paths` that states a yes or no.
pub fn first_flag(row: &Value, paths: &[&str]) -> Option<bool> {
    paths.iter().find_map(|path| flag(at(row, path)?))
}

/// The words of a list, or of a text with commas between them: lower case, `_` for `-` and space.
/// `None` if there is no word.
pub fn words(row: &Value, path: &str) -> Option<Vec<String>> {
    let word = |word: &str| word.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    let words: Vec<String> = match at(row, path)? {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(word).collect(),
        Value::String(text) => text.split(',').map(word).collect(),
        _ => return None,
    };
    (words.iter().any(|word| !word.is_empty())).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_sane_whole_numbers_count() {
        assert_eq!(count(&json!(131_072)), Some(131_072));
        assert_eq!(count(&json!(1e6)), Some(1_000_000));
        for wrong in
            [json!(0), json!(-1), json!(true), json!("131072"), json!(1.5), json!(100_000_001), json!(1e300)]
        {
            assert_eq!(count(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn paths_reach_into_objects_and_arrays() {
        let row = json!({"a": [{"b": 7}], "n": null});
        assert_eq!(at(&row, "a.0.b"), Some(&json!(7)));
        assert_eq!(at(&row, "a.1.b"), None);
        assert_eq!(at(&row, "n"), None);
    }

    #[test]
    fn words_are_read_from_lists_and_from_text() {
        let row = json!({"list": ["Tool-Use", 3], "text": "thinking, tools", "none": [], "blank": ""});
        assert_eq!(words(&row, "list"), Some(vec!["tool_use".to_owned()]));
        assert_eq!(words(&row, "text"), Some(vec!["thinking".to_owned(), "tools".to_owned()]));
        assert_eq!(words(&row, "none"), None);
        assert_eq!(words(&row, "blank"), None);
    }
}
