//! Keys as Crush reads them: Go's `encoding/json` takes a key in any case for the field's own.

use serde_json::Value as Json;

use super::Object;

/// The object with `fields` spelled as we look for them. Of two spellings of one, the later adds to the earlier.
pub fn spelled(object: Object, fields: &[&str]) -> Object {
    if object.keys().all(|key| !fields.iter().any(|field| key != field && is(key, field))) {
        return object;
    }
    let mut spelled = Object::new();
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

/// Two letters outside of ASCII fold into it (Go's `foldName`, as `unicode.SimpleFold`).
fn is(key: &str, field: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(field.chars())
}
