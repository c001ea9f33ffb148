//! Keys as Crush reads them: Go's `encoding/json` takes a key in any case for the field's own.

use std::iter;

use serde_json::Value as Json;

use super::JsonObject;

/// The object with `fields` spelled as we look for them. Of two spellings of one, the later adds to the earlier.
pub fn spelled(object: JsonObject, fields: &[&str]) -> JsonObject {
    if object.keys().all(|key| !fields.iter().any(|field| key != field && is(key, field))) {
        return object;
    }
    let mut spelled = JsonObject::new();
    for (key, value) in object {
        let key = fields.iter().find(|field| is(&key, field)).map_or(key, |field| (*field).to_owned());
        match (spelled.get_mut(&key), value) {
            (Some(Json::Object(old)), Json::Object(new)) => old.extend(new),
            (_, value) => _ = spelled.insert(key, value),
        }
    }
    spelled
}

/// As [`spelled`], for a value that is no object too.
pub fn respell(value: &mut Json, fields: &[&str]) {
    if let Json::Object(object) = value {
        *object = spelled(std::mem::take(object), fields);
    }
}

/// Whether Go takes `key` for the field called `field`, which is ASCII in lower case.
///
/// Two letters outside of ASCII fold into it (`foldName` of `encoding/json`, which is `unicode.SimpleFold`).
pub fn is(key: &str, field: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(field.chars())
}

/// A second spelling of a field that ends in `s`, which sorts after the first.
///
/// Crush joins its files key by key, and what a project wrote beside our keys would stay. A second spelling is a
/// key of its own there, and when Go decodes it, its value takes the place of what the first one gave: of the
/// whole list of providers, and of each chosen model (seen in 0.90.1).
pub fn again(field: &str) -> String {
    format!("{}\u{17f}", field.strip_suffix('s').unwrap_or(field))
}

/// A field's own spelling, and the last one: as [`again`], for a field with an `s` anywhere in it.
///
/// A field without one has no spelling that sorts after the one in lower case.
pub fn spellings(field: &str) -> impl Iterator<Item = String> {
    let last = field.contains('s').then(|| field.replace('s', "\u{17f}"));
    iter::once(field.to_owned()).chain(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_that_go_folds_is_found() {
        for key in ["tasks", "TASKS", "tas\u{212a}s", "ta\u{17f}ks", "\u{54}AS\u{212a}\u{17f}"] {
            assert!(is(key, "tasks"), "{key}");
        }
        for key in ["task", "taskss", "tasks ", "tásks", "taßks", "t\u{430}sks"] {
            assert!(!is(key, "tasks"), "{key}");
        }
    }

    #[test]
    fn a_second_spelling_is_the_same_field_and_comes_last() {
        for field in ["models", "providers"] {
            let second = again(field);
            assert!(is(&second, field) && second.as_str() > field, "{second}");
        }
    }
}
