//! What a text of a project's settings may do when Crush expands it as a shell would (mvdan.cc/sh 3.13, seen in
//! 0.90.1).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value as Json;

use super::{JsonObject, case_fold};
use crate::Message;

/// The start of every variable that a launch sets for itself.
const PREFIX: &str = "AGENT_RUN_";

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

/// What is behind the name that a text begins with.
fn behind_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !is_of_name(c)).unwrap_or(text.len());
    is_name(&text[..end]).then(|| &text[end..])
}

/// Whether it is the name of a variable, so that `$` before it is that variable and nothing more.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_of_name)
}

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

/// Refuses files that a project would put into the prompt and that may hold the environment. Crush joins the lists of all
/// its settings, so that a launch cannot take one away.
pub fn check_context(
    settings: &[(PathBuf, JsonObject)],
    variables: &BTreeSet<String>,
    home: &Path,
) -> Result<()> {
    let members = |json: &'_ Json| json.as_object().cloned().unwrap_or_default();
    for (file, settings) in settings {
        let options = settings.iter().filter(|(key, _)| case_fold::is(key, "options"));
        for (key, value) in options.flat_map(|(_, options)| members(options)) {
            let is_list = ["context_paths", "global_context_paths"].iter().any(|it| case_fold::is(&key, it));
            if is_list && any_text(&value, None, &|path| may_hold_environment(path, variables, home)) {
                bail!(Message::new(
                    format!(
                        "options.{key} in {} may put the provider's key into the prompt: it names files of processes, \
                         such as /proc/self/environ, or a path that may lead there",
                        file.display()
                    ),
                    "name files of the project there, without `..` within a path and without `$`",
                ));
            }
        }
    }
    Ok(())
}

/// Whether a path may lead to files of processes. Crush puts the home for `~`, expands the whole text if it begins with
/// `$`, and reads all files of a folder (0.90.1).
fn may_hold_environment(path: &str, variables: &BTreeSet<String>, home: &Path) -> bool {
    let mut rest = path.strip_prefix('~').unwrap_or(path);
    if let Some(behind) = path.strip_prefix('$') {
        let end = |text: &str| text.find(|c| !is_of_name(c)).unwrap_or(text.len());
        let (name, behind) = match behind.strip_prefix('{') {
            Some(braced) => braced.split_once('}').unwrap_or_default(),
            None => behind.split_at(end(behind)),
        };
        let is_left_out = |c: char| c.is_control() || c == '$';
        if may_run(path) || !is_name(name) || variables.contains(name) || behind.contains(is_left_out) {
            return true;
        }
        rest = behind;
    }
    let parts: Vec<_> = rest.split('/').filter(|part| !["", "."].contains(part)).collect();
    let above = parts.iter().take_while(|part| **part == "..").count();
    let within = &parts[above..];
    // Behind a link, `..` leads elsewhere.
    let is_unclear = within.contains(&"..");
    let is_special = |part: &&str| ["proc", "dev"].contains(part);
    let is_outside = if above > 0 || path.starts_with('$') {
        above > 0 && within.is_empty() || within.iter().any(is_special)
    } else if path.starts_with(['/', '~']) {
        // All of it is known, up to links.
        let home = if path.starts_with('~') { home.to_string_lossy() } else { "".into() };
        let whole = format!("{home}{rest}");
        whole.split('/').find(|part| !["", "."].contains(part)).is_none_or(|part| is_special(&part))
    } else {
        false
    };
    is_unclear || is_outside
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

    #[test]
    fn a_path_that_may_lead_to_the_environment_is_no_context() {
        let variables = ["EVIL".to_owned()].into();
        let is_refused = |path: &str| may_hold_environment(path, &variables, Path::new("/home/dev"));
        for path in [
            "/proc/self/environ",
            "$(id)",
            "//proc/./self/environ",
            "../../proc/self/environ",
            "./../../proc/1",
            "/dev/fd/../environ",
            "/dev/stdin",
            "/var/run/../proc/self/environ",
            "docs/../../proc/self/environ",
            "~/../../proc/self/environ",
            "~/x/../../../proc",
            "$HOME/../../proc/self/environ",
            "${HOME}/../../proc/self/environ",
            "$HOME/../../pr\0oc/self/environ",
            "$HOME/../../pr\\\noc/self/environ",
            "${A:-/pr}oc/self/environ",
            "$A$EVIL",
            "$EVIL/self/environ",
            "/",
            "/..",
            "../..",
            "$HOME/..",
        ] {
            assert!(is_refused(path), "{path:?}");
        }
        for path in [
            "docs/rules.md",
            "proc/self/environ",
            "./dev/x.md",
            "../shared/rules.md",
            "/etc/rules.md",
            "~/notes.md",
            "~",
            "$HOME/notes.md",
            "${XDG_CONFIG_HOME}/x",
            "process.md",
            "~/dev/RULES.md",
            "/home/dev/p/RULES.md",
            "/srv/dev/proc/RULES.md",
        ] {
            assert!(!is_refused(path), "{path:?}");
        }
        for path in ["~", "~/proc/self/environ", "~proc/self/environ"] {
            assert!(may_hold_environment(path, &variables, Path::new("/")), "{path:?}");
        }
    }
}
