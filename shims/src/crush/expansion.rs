//! What a text of a project's settings may do when Crush expands it as a shell would (mvdan.cc/sh 3.13, seen in
//! 0.90.1).

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{JsonObject, case_fold};

/// The start of every variable that a launch sets for itself.
pub const PREFIX: &str = "AGENT_RUN_";

/// Whether the expansion of `text` may do more than insert variables by their names.
///
/// The forms that run commands are not listed, since a version may add some: only those that are known not to are.
/// Apart from these, a `$` with anything behind it, a backtick and `<(` count.
pub fn may_run(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '$', '`', '<', '>']) {
        let mut after = rest[at..].chars();
        rest = match after.next() {
            Some('$') if after.as_str().is_empty() => "",
            Some('$') => match behind_variable(after.as_str()) {
                Some(rest) => rest,
                None => return true,
            },
            Some('<' | '>') if !after.as_str().starts_with('(') => after.as_str(),
            // What it stands before is text. A line break is left out with it, and other characters may be.
            Some('\\') => match after.next() {
                Some(c) if c.is_control() => return has_active(text),
                _ => after.as_str(),
            },
            _ => return true,
        };
    }
    false
}

/// Whether there is a character that an expansion may begin with.
fn has_active(text: &str) -> bool {
    text.contains(['$', '`']) || text.contains("<(") || text.contains(">(")
}

/// What is behind the variable in a text behind its `$`: `NAME`, `{NAME}`, or `{NAME:-text}` and the like. Nothing
/// where anything else is there.
fn behind_variable(text: &str) -> Option<&str> {
    let Some(braced) = text.strip_prefix('{') else { return behind_name(text) };
    let rest = behind_name(braced)?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some(rest);
    }
    let word = rest.strip_prefix(':').unwrap_or(rest).strip_prefix(['-', '+', '?'])?;
    let is_active = |c: char| c.is_control() || "}{$`\"'\\<>()".contains(c);
    word[word.find(is_active)?..].strip_prefix('}')
}

/// The text that Crush makes of `text`, where it has no other expansion than `$NAME` and `${NAME}`, of known variables.
pub fn inserted(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> Option<String> {
    if may_run(text) || text.contains(|c: char| c.is_control() || c == '\\') {
        return None;
    }
    let mut parts = text.split('$');
    let mut whole = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = split(part);
        // An index, in some shells. The parser has one variable of its own.
        if !is_name(name) || name == "LINENO" || rest.starts_with('[') {
            return None;
        }
        whole.push_str(&value(name)?);
        whole.push_str(rest);
    }
    Some(whole)
}

/// The name of a variable behind its `$`, and what follows.
pub fn split(behind: &str) -> (&str, &str) {
    match behind.strip_prefix('{') {
        Some(braced) => braced.split_once('}').unwrap_or_default(),
        None => behind.split_at(behind.find(|c| !is_of_name(c)).unwrap_or(behind.len())),
    }
}

/// What is behind the name that a text begins with.
fn behind_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !is_of_name(c)).unwrap_or(text.len());
    is_name(&text[..end]).then(|| &text[end..])
}

/// Whether it is the name of a variable, so that `$` before it is that variable and nothing more.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_of_name)
}

/// Whether a character may be in the name of a variable.
fn is_of_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// Whether the text asks for a variable that holds the key: by its name, or by `${!…}`, which finds names.
///
/// The parser leaves out NUL, CR before LF, and LF behind a backslash, wherever they are.
pub fn asks_for_key(text: &str, mut is_key: impl FnMut(&str) -> bool) -> bool {
    let mut read = Cow::Borrowed(text);
    if text.contains(['\0', '\r', '\n']) {
        read = text.replace(['\0', '\r'], "").replace("\\\n", "").into();
    }
    read.contains(PREFIX) || read.contains("${!") || is_key(&read)
}

/// Whether there are servers or hooks that run as programs.
pub fn starts_programs(settings: &JsonObject) -> bool {
    settings.iter().any(|(key, value)| {
        ["mcp", "lsp", "hooks"].iter().any(|field| case_fold::is(key, field))
            && value.as_object().is_some_and(|entries| !entries.is_empty())
    })
}

/// Whether a text in `json`, as a key or a value, is one that `is` takes. What `skipped` holds is not looked at.
pub fn any_text(json: &Json, skipped: Option<&str>, is: &dyn Fn(&str) -> bool) -> bool {
    let mut left = vec![json];
    while let Some(json) = left.pop() {
        match json {
            Json::String(text) if is(text) => return true,
            Json::Array(items) => left.extend(items),
            Json::Object(members) => {
                if members.keys().any(|key| is(key)) {
                    return true;
                }
                let is_looked_at = |key: &str| !skipped.is_some_and(|field| case_fold::is(key, field));
                left.extend(members.iter().filter(|(key, _)| is_looked_at(key)).map(|(_, value)| value));
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_inserts_variables_by_name_is_harmless() {
        for text in [
            "",
            "plain",
            "$A",
            "a$A-b",
            "${A}",
            "Bearer ${A:-none}",
            "${A-}${A:+set}${A:?set A first}",
            r"\$(id)",
            r"\`id\`",
            r"C:\x $A",
            "^a$",
            "a < b > c",
            "$schema",
        ] {
            assert!(!may_run(text), "{text:?}");
        }
        for text in [
            "$(id)",
            "`id`",
            "${ id; }",
            "${\tid; }",
            "${\nid; }",
            "${|id;}",
            "$((1))",
            "$[1]",
            "${A:-`id`}",
            "${A:-$(id)}",
            "${A:-${ id; }}",
            "${A:-\"$B\"}",
            "${A:=x}",
            "${A@P}",
            "${A:1}",
            "${A/x/y}",
            "${A[$(id)]}",
            "${#A}",
            "${!A}",
            "${}",
            "${A",
            "${A:-x",
            "$1",
            "$$",
            "$ (id)",
            "<(id)",
            ">(id)",
            r"\\$(id)",
            "$\0(id)",
            "$\\\n(id)",
            "\\\0\\$(id)",
            "\\\r\n$(id)",
            "$'a'",
            "$\u{e9}",
        ] {
            assert!(may_run(text), "{text:?}");
        }
    }

    #[test]
    fn what_the_parser_leaves_out_hides_no_name() {
        let asks = |text: &str| asks_for_key(text, |text| text.contains("MY_KEY"));
        for text in
            ["${!A}", "$\0{!AGENT*}", "${\0!A}", "$AGENT_\0RUN_X", "$AGEN\\\nT_RUN_X", "$MY\\\r\n_KEY"]
        {
            assert!(asks(text), "{text:?}");
        }
        assert!(!asks("$A\\\n${B}\r\n!"));
    }
}
