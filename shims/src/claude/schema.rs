//! Which of the user's own `--settings` Claude Code accepts.
//!
//! One value of a wrong type has it drop everything that `--settings` holds, and what a launch adds is among it. The
//! schemas are its own, of 2.1.332 and of what differs in 2.1.197, as `/update-config` prints them: without the
//! descriptions, without `propertyNames`, as unknown hooks are skipped, and with any `env`, as that is made text. Where
//! more is checked than the schema says, it is narrower: no marketplaces of `settings` and `npm`, no `awsPairs`. A test
//! in `tests/real` compares them, and with `UPDATE=1` writes them.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value as Json};

/// Keys whose wrong value Claude Code ignores, and takes the rest of the settings (2.1.197 and 2.1.332). It does the same
/// with an event of `hooks` that is no list.
const PASSED_OVER: [&str; 4] =
    ["autoCompactWindow", "effortLevel", "preferredNotifChannel", "strictPluginOnlyCustomization"];

/// Hooks that may guard something, for 2.1.332.
const GUARDS: [&str; 3] = ["PreToolUse", "PermissionRequest", "PreSkillShellCommand"];

const SCHEMAS: &str = include_str!("../../judged/claude-settings.json");

/// The first value that a version of Claude Code rejects.
pub fn rejected(settings: &Map<String, Json>) -> Option<String> {
    let schemas: Vec<Json> = serde_json::from_str(SCHEMAS).unwrap_or_default();
    if schemas.is_empty() {
        return Some(String::new());
    }
    if let Some(place) = unloadable(settings) {
        return Some(place);
    }
    let settings = Json::Object(settings.clone());
    let place = schemas.iter().find_map(|schema| wrong(schema, &settings, ""))?;
    Some(place.trim_start_matches('.').to_owned())
}

/// The first key whose name has a version drop the settings whole, also where it only repeats a key of another file.
///
/// For 2.1.197, a map with a `constructor` is none. 2.1.332 drops what holds [`GUARDS`] in a place where they do not run,
/// or what looks like a list of hooks there; this is its rule, but at any depth and below any key.
pub fn unloadable(settings: &Map<String, Json>) -> Option<String> {
    let place = settings.iter().find_map(|(key, value)| unloadable_key(key, value, "", false))?;
    Some(place.trim_start_matches('.').to_owned())
}

fn unloadable_key(key: &str, value: &Json, place: &str, is_in_event: bool) -> Option<String> {
    let at = format!("{place}.{key}");
    let is_event = place == ".hooks" && key != "hooks" && value.is_array();
    let is_list = key == "hooks" && at != ".hooks" && !is_in_event && (value.is_array() || value.is_object());
    let is_misplaced = (GUARDS.contains(&key) || is_list) && !is_event;
    let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if key == "constructor" || is_misplaced && !is_empty {
        return Some(at);
    }
    below(value, &at, is_in_event || is_event)
}

fn below(value: &Json, place: &str, is_in_event: bool) -> Option<String> {
    match value {
        Json::Object(map) => {
            map.iter().find_map(|(key, value)| unloadable_key(key, value, place, is_in_event))
        }
        Json::Array(list) => list.iter().find_map(|value| below(value, &format!("{place}[]"), is_in_event)),
        _ => None,
    }
}

/// Where the value first differs from the schema.
fn wrong(schema: &Json, value: &Json, place: &str) -> Option<String> {
    let rules = schema.as_object().into_iter().flatten();
    if *schema == Json::Bool(false) || !rules.into_iter().all(|(rule, of)| keeps(rule, of, value)) {
        return Some(place.to_owned());
    }
    match value {
        Json::Object(map) => map.iter().find_map(|(key, value)| {
            let is_passed_over = match place {
                "" => PASSED_OVER.contains(&key.as_str()),
                ".hooks" => !value.is_array(),
                _ => false,
            };
            if is_passed_over {
                return None;
            }
            // It is made text, which fails (2.1.197 and 2.1.332).
            if place == ".env" && is_no_text(value) {
                return Some(format!(".env.{key}"));
            }
            let known = schema.get("properties").and_then(|known| known.get(key));
            wrong(known.or_else(|| schema.get("additionalProperties"))?, value, &format!("{place}.{key}"))
        }),
        Json::Array(list) => {
            let of = schema.get("items")?;
            list.iter().enumerate().find_map(|(at, value)| wrong(of, value, &format!("{place}[{at}]")))
        }
        _ => None,
    }
}

/// Whether JavaScript can make no text of it.
fn is_no_text(value: &Json) -> bool {
    match value {
        Json::Object(map) => map.contains_key("toString"),
        Json::Array(list) => list.iter().any(is_no_text),
        _ => false,
    }
}

/// Whether the value itself keeps one rule of a schema. An unknown rule is not kept.
fn keeps(rule: &str, of: &Json, value: &Json) -> bool {
    let number = || Some((value.as_f64()?, of.as_f64()?));
    let length = || Some((value.as_str()?.encode_utf16().count() as u64, of.as_u64()?));
    match rule {
        "type" => match of.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("number") => value.is_number(),
            Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Some("null") => value.is_null(),
            _ => false,
        },
        "enum" => of.as_array().is_some_and(|all| all.contains(value)),
        "const" => of == value,
        "anyOf" => of.as_array().is_some_and(|all| all.iter().any(|of| wrong(of, value, "").is_none())),
        "not" => wrong(of, value, "").is_some(),
        "required" => {
            let mut names = of.as_array().into_iter().flatten().filter_map(Json::as_str);
            value.as_object().is_none_or(|map| names.all(|name| map.contains_key(name)))
        }
        "minimum" => number().is_none_or(|(value, of)| value >= of),
        "maximum" => number().is_none_or(|(value, of)| value <= of),
        "exclusiveMinimum" => number().is_none_or(|(value, of)| value > of),
        "minLength" => length().is_none_or(|(value, of)| value >= of),
        "maxLength" => length().is_none_or(|(value, of)| value <= of),
        "minItems" => {
            value.as_array().is_none_or(|list| of.as_u64().is_some_and(|of| list.len() as u64 >= of))
        }
        "format" => of == "uri" && value.as_str().is_none_or(is_url),
        "pattern" => value.as_str().is_none_or(|text| matches(of.as_str().unwrap_or_default(), text)),
        "properties" | "items" | "additionalProperties" => true,
        _ => false,
    }
}

/// The patterns of the schemas.
fn matches(pattern: &str, text: &str) -> bool {
    let is_word =
        |text: &str, more: char| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == more);
    match pattern {
        r"^[^*]*\*?$" => !text.strip_suffix('*').unwrap_or(text).contains('*'),
        "^custom:.*" => text.starts_with("custom:"),
        "^[a-zA-Z0-9_-]+$" => !text.is_empty() && is_word(text, '-'),
        "^[A-Za-z_][A-Za-z0-9_]*$" => is_word(text, '_') && text.starts_with(|c: char| !c.is_ascii_digit()),
        r"^([01]?\d|2[0-3]):[0-5]\d$" => text.split_once(':').is_some_and(|(hour, minute)| {
            let is = |text: &str, below: u32| text.parse().is_ok_and(|number: u32| number < below);
            is_word(text.replace(':', "").as_str(), '_')
                && hour.len() <= 2
                && minute.len() == 2
                && is(hour, 24)
                && is(minute, 60)
        }),
        _ => false,
    }
}

/// Whether JavaScript takes it for a URL. Of the ways to write one, those that leave no doubt.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    // The colon of a port stands behind the bracket of an address.
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (address, ""),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    // JavaScript takes a last part in any notation of a number for one of an address, and passes over a dot at the end.
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let (digits, base) = last.strip_prefix("0x").map_or((&*last, 10), |digits| (digits, 16));
    let is_numbered = digits.chars().all(|c| c.is_digit(base));
    let is_named = || {
        host.split('.').all(|part| !part.is_empty() && part.chars().all(is_name))
            && !host.to_ascii_lowercase().contains("xn--")
            && (!is_numbered || host.parse::<Ipv4Addr>().is_ok())
    };
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = in_brackets.map_or_else(is_named, |address| address.parse::<Ipv6Addr>().is_ok());
    ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str())
        && user.chars().all(|c| is_name(c) || "~%:".contains(c))
        && is_host
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && (port.is_empty() || port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_what_claude_code_takes_for_one() {
        for text in ["http://3proxy:8080/x", "http://a.2fauth/", "https://example.com./", "http://0xfg/"] {
            assert!(is_url(text), "{text}");
        }
        // Tried as the URL of a hook in `--settings` beside an `apiKeyHelper` (2.1.332): it ran with each.
        for url in
            ["http://[::1]:3000/h", "https://u:p@h.example/x", "HTTPS://h.example/h", "http://127.0.0.1:1"]
        {
            assert!(is_url(url), "{url}");
        }
        for text in
            ["bad url", "http://", "http://a:b:1/", "http://[::1", "http://1.2.3.4.5/", "http://a:99999/"]
        {
            assert!(!is_url(text), "{text}");
        }
        // 2.1.197 drops all settings for each but the last, which other versions may.
        for text in ["http://a:+9/", "http://1.2.3.4.5./", "http://a.0xf/", "http://XN--a/", "http://a../"] {
            assert!(!is_url(text), "{text}");
        }
    }
}
