//! Variables as a shell, a program or a file takes them.

use serde_json::Value as Json;

use super::{Assignment, ValuePart};
use crate::cli::env::EnvFormat;

/// Takes out what the format cannot say, and gives the names.
pub fn drop_unrepresentable(entries: &mut Vec<Assignment>, format: EnvFormat) -> Vec<String> {
    let can_run = matches!(format, EnvFormat::Sh | EnvFormat::Fish);
    let is_speakable = |piece: &ValuePart| match piece {
        ValuePart::Text(_) | ValuePart::Variable(_) => true,
        ValuePart::Output(_) => can_run,
        ValuePart::Unavailable => false,
    };
    let left_out = entries.extract_if(.., |(_, pieces)| !pieces.iter().all(is_speakable));
    left_out.map(|(name, _)| name).collect()
}

/// The variables, and the removal of others where the format knows one.
pub fn text(mut entries: Vec<Assignment>, removed: &[String], format: EnvFormat) -> String {
    run_once(&mut entries);
    let lines = |line: fn(&str, &[ValuePart]) -> String| -> String {
        entries.iter().map(|(name, value)| line(name, value) + "\n").collect()
    };
    // At the end, since a value above may refer to one of them.
    let without =
        |command: &str| -> String { removed.iter().flat_map(|name| [command, " ", name, "\n"]).collect() };
    match format {
        EnvFormat::Sh => lines(|name, value| format!("export {name}={}", sh(value))) + &without("unset"),
        EnvFormat::Fish => {
            lines(|name, value| format!("set -gx {name} {}", fish(value))) + &without("set -e")
        }
        EnvFormat::Dotenv => lines(|name, value| format!("{name}={}", dotenv(value))),
        EnvFormat::Json => {
            let text = |value: &[ValuePart]| Json::from(expanded(value, str::to_owned));
            let object: serde_json::Map<_, _> =
                entries.iter().map(|(name, value)| (name.clone(), text(value))).collect();
            format!("{:#}\n", Json::from(object))
        }
    }
}

/// A command that several values are made of may ask for a password, so it runs once.
fn run_once(entries: &mut [Assignment]) {
    let is_output = |value: &[ValuePart]| matches!(value, [ValuePart::Output(_)]);
    let Some((first, rest)) = entries.iter().position(|(_, value)| is_output(value)).and_then(|at| {
        let (before, rest) = entries.split_at_mut(at + 1);
        before.last().map(|(name, _)| (name.clone(), rest))
    }) else {
        return;
    };
    for (_, value) in rest.iter_mut().filter(|(_, value)| is_output(value)) {
        *value = vec![ValuePart::Variable(first.clone())];
    }
}

fn sh(value: &[ValuePart]) -> String {
    shell(value, |text| text.replace('\'', r"'\''"), ["\"${", "}\""], ["\"$(", ")\""])
}

fn fish(value: &[ValuePart]) -> String {
    let escaped = |text: &str| text.replace('\\', r"\\").replace('\'', r"\'");
    shell(value, escaped, ["\"$", "\""], ["(", " | string collect)"])
}

/// A value as one word of a shell: what text between single quotes becomes, and what is around a variable's name and a
/// command.
fn shell(
    value: &[ValuePart],
    escaped: impl Fn(&str) -> String,
    variable: [&str; 2],
    output: [&str; 2],
) -> String {
    let quoted = |text: &str| format!("'{}'", escaped(text));
    let piece = |piece: &ValuePart| match piece {
        ValuePart::Text(text) => quoted(text),
        ValuePart::Variable(name) => variable.join(name),
        ValuePart::Output(argv) => {
            output.join(&argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
        }
        ValuePart::Unavailable => String::new(),
    };
    if value.is_empty() { quoted("") } else { value.iter().map(piece).collect() }
}

/// Bare where it can be, since `docker run --env-file` takes quotes for a part of the value.
fn dotenv(value: &[ValuePart]) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if value.iter().all(|piece| !matches!(piece, ValuePart::Text(text) if !text.chars().all(is_bare))) {
        return expanded(value, str::to_owned);
    }
    if let [ValuePart::Text(text)] = value
        && !text.contains(['\'', '\n', '\r'])
    {
        return format!("'{text}'");
    }
    let escaped = |text: &str| {
        let text = text.replace('\\', r"\\").replace('"', "\\\"").replace('$', r"\$");
        text.replace('\n', r"\n").replace('\r', r"\r")
    };
    format!("\"{}\"", expanded(value, escaped))
}

/// The value with `${NAME}` for each variable.
fn expanded(value: &[ValuePart], text: impl Fn(&str) -> String) -> String {
    let write = |piece: &ValuePart| match piece {
        ValuePart::Text(plain) => text(plain),
        ValuePart::Variable(name) => format!("${{{name}}}"),
        ValuePart::Output(_) | ValuePart::Unavailable => String::new(),
    };
    value.iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn text_of(text: &str) -> ValuePart {
        ValuePart::Text(text.to_owned())
    }

    fn entries() -> Vec<Assignment> {
        let print = |text: &str| ValuePart::Output(vec!["printf".into(), "%s\n".into(), text.into()]);
        [
            ("A", vec![text_of("it's $HOME \\ \"x\"\nand")]),
            ("B", vec![]),
            ("C", vec![print("the 'key'")]),
            ("D", vec![print("the 'key'")]),
            ("E", vec![text_of("Bearer "), ValuePart::Variable("OTHER".into())]),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    #[test]
    fn a_shell_reads_back_every_value() {
        let script = text(entries(), &["GONE".to_owned()], EnvFormat::Sh);
        assert_eq!(script.matches("printf").count(), 1, "{script}");
        let shown = script + "printf '%s|' \"$A\" \"$B\" \"$C\" \"$D\" \"$E\" \"${GONE-gone}\"";
        let out = Command::new("sh").args(["-c", &shown]).env("OTHER", "o").env("GONE", "1").output();
        let out = String::from_utf8(out.expect("sh").stdout).expect("text");
        assert_eq!(out, "it's $HOME \\ \"x\"\nand||the 'key'|the 'key'|Bearer o|gone|");
    }

    #[test]
    fn fish_and_files_get_their_own_quotes() {
        let mut entries = entries();
        let lines = text(entries.clone(), &["GONE".to_owned()], EnvFormat::Fish);
        assert!(lines.starts_with("set -gx A 'it\\'s $HOME \\\\ \"x\"\nand'\nset -gx B ''\n"), "{lines}");
        assert!(lines.contains("set -gx C ('printf' '%s\n' 'the \\'key\\'' | string collect)"), "{lines}");
        assert!(lines.ends_with("set -gx D \"$C\"\nset -gx E 'Bearer '\"$OTHER\"\nset -e GONE\n"), "{lines}");

        assert_eq!(drop_unrepresentable(&mut entries, EnvFormat::Dotenv), ["C", "D"]);
        let lines = text(entries.clone(), &["GONE".to_owned()], EnvFormat::Dotenv);
        assert_eq!(lines, "A=\"it's \\$HOME \\\\ \\\"x\\\"\\nand\"\nB=\nE=\"Bearer ${OTHER}\"\n");
        let plain =
            vec![("U".to_owned(), vec![text_of("http://a:1/v1")]), ("V".to_owned(), vec![text_of("a b")])];
        assert_eq!(text(plain, &[], EnvFormat::Dotenv), "U=http://a:1/v1\nV='a b'\n");
        let json: Json = serde_json::from_str(&text(entries, &[], EnvFormat::Json)).expect("JSON");
        assert_eq!(json["E"], "Bearer ${OTHER}");
    }
}
