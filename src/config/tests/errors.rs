//! What is refused, and in which words.

use std::fmt::Write;

use super::{messages, parse, provider};

const CASES: &str = include_str!("errors.txt");

#[test]
fn every_error_says_where_what_and_how_to_fix_it() {
    let (head, cases) = CASES.split_once("## the whole file\n\n").expect("the first section");
    let (whole, inner) = cases.split_once("## in a provider\n\n").expect("the second section");
    let said = format!(
        "{head}## the whole file\n\n{}## in a provider\n\n{}",
        section(whole, str::to_owned),
        section(inner, provider)
    );
    if std::env::var_os("UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/errors.txt");
        std::fs::write(path, &said).expect("written");
    } else {
        let differing = said.lines().zip(CASES.lines()).find(|(said, expected)| said != expected);
        assert!(differing.is_none() && said == CASES, "{differing:#?}");
    }
}

/// A section with the messages that are really given.
fn section(cases: &str, whole: impl Fn(&str) -> String) -> String {
    let mut said = String::new();
    let mut text = String::new();
    let mut lines = cases.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with("> ") {
            text.push_str(line);
            text.push('\n');
            continue;
        }
        while lines.next_if(|line| !line.is_empty()).is_some() {}
        lines.next();
        said.push_str(&text);
        for line in messages(&whole(&text)).iter().flat_map(|message| message.lines()) {
            let _ = writeln!(said, "> {line}");
        }
        said.push('\n');
        text.clear();
    }
    assert!(text.is_empty(), "no message is expected of\n{text}");
    said
}

/// Every text that is refused.
pub fn refused() -> Vec<String> {
    let (_, cases) = CASES.split_once("## the whole file\n\n").expect("the first section");
    let (whole, inner) = cases.split_once("## in a provider\n\n").expect("the second section");
    let texts = |section: &str| -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut said = false;
        for line in section.lines() {
            if line.starts_with("> ") {
                said = true;
            } else if said {
                // The empty line behind the messages.
                said = false;
                texts.push(String::new());
            } else if let Some(text) = texts.last_mut() {
                let _ = writeln!(text, "{line}");
            }
        }
        texts.retain(|text| !text.is_empty());
        texts
    };
    texts(whole).into_iter().chain(texts(inner).iter().map(|lines| provider(lines))).collect()
}

#[test]
fn no_message_repeats_a_key() {
    let long = "SECRETxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    for lines in [
        "key: [SECRET]",
        "key: {SECRET: 1}",
        "key: 'SECRET\u{e9}'",
        "key: \"SECRET\\nx\"",
        "key: |\n  SECRET\n  x",
        "key_check: SECRET",
        "keep_env: [SECRET-1]",
        "key: [12345]",
        "key_env: SECRET-12345",
        "key_command: SECRET",
        "key_file: [SECRET]",
        "isolated: SECRET",
        "models: [{id: a, vision: SECRET}]",
        &format!("codex: {{tools: {long}}}"),
        &format!("codex: {{{long}}}"),
        "codex: {key:SECRET}",
        "extra_env: {A:SECRET}",
        "extra_env: {A: 'x ${env:B SECRET'}",
        &format!("headers: {{A: '${{{long}}}'}}"),
        "headers: {A: \"SECRET\\n\"}",
        "proxy: http://me:SECRET@",
        "models_url: http://me:SECRET@host",
        "key:SECRET",
        "key: 'SECRET",
        "key: \"SECRET\\q\"",
        "key: *SECRET",
        "key: SECRET: x",
        "key: @SECRET",
        "key: !<SECRET",
        "key: %SECRET",
        "key: SECRET\nkey: SECRET",
        "key: mysecretvalue,SECRET: x",
        "headers: {Authorization: \"Basic foo, SECRET: bar}",
        "headers: {Authorization: \"Basic foo, secret-SECRET: bar}\n    SECRET: x",
        "key: plain\n      SECRET: x",
        "sk-SECRET: x",
        "key: \"plain\nSECRET: x",
        "protocols: |\n      SECRET: x",
        "proxy: {url: \"a\n      SECRET: {b: c}\", x: y}",
    ] {
        for message in messages(&provider(lines)) {
            assert!(!message.contains("SECRET") && !message.contains("12345"), "{lines}\n{message}");
        }
    }
}

#[test]
fn what_aliases_stand_for_is_bounded() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..8 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{aliases}]");
    }
    assert!(messages(&bomb)[0].starts_with("c.yaml:6:5: the aliases expand to more than 1000000 values"));

    // One that fits the schema, and so would be built.
    let mut flat = provider(&format!("models: &m [{}]", vec!["m"; 2_000].join(", ")));
    for number in 0..1_000 {
        let base = "protocols: [openai-responses], base_urls: {openai: https://h}";
        let _ = writeln!(flat, "  p{number}: {{{base}, models: *m}}");
    }
    assert!(messages(&flat)[0].contains("the aliases expand to more than"));

    let mut merges = provider("extra_env: &e {A: x, B: y}");
    let _ = writeln!(merges, "  q: {{<<: [{}]}}", vec!["*e"; 600_000].join(", "));
    assert!(messages(&merges)[0].contains("the aliases expand to more than"));
}

#[test]
fn yaml_is_what_libyaml_takes() {
    // Saphyr's YAML 1.2 took the first two for other keys, and refused the third.
    for text in
        ["\u{2028}providers: {}", "providers: {?p: null}", "providers: {\n}\n", "providers: {p: [\n]}\n"]
    {
        let messages = parse(text)
            .err()
            .map(|problems| problems.messages().map(|message| message.render()).collect::<Vec<_>>().concat());
        assert!(!messages.as_deref().unwrap_or_default().contains("invalid YAML"), "{text}: {messages:?}");
        assert!(!messages.as_deref().unwrap_or_default().contains("unknown key"), "{text}: {messages:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |levels: usize| messages(&format!("providers: {}", "[".repeat(levels))).remove(0);
    assert!(deep(64).contains("nested more than 64 levels deep"));
    assert!(deep(1_000).contains("nested more than 64 levels deep"));
    assert!(deep(100_000).contains("nested more than 64 levels deep"), "and at once");
    let mut aliased = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        let _ = writeln!(aliased, "a{level}: &a{level} [*a{}]", level - 1);
    }
    assert!(messages(&aliased)[0].contains("nested more than 64 levels deep"));
}

#[test]
fn the_mark_is_below_its_column() {
    for (text, excerpt) in [
        ("\u{feff}colour: x\n", "\n  1 | colour: …\n    | ^"),
        ("\u{feff}providers: x\n", "\n  1 | providers: …\n    |            ^"),
        ("providers:\n  模型: x\n", "\n  2 |   模型: …\n    |         ^"),
        ("providers: {}\nshims: {dir: x, colour: 'a, b: c'}\n", "\n  2 | shims: …\n    |        ^"),
    ] {
        assert!(messages(text)[0].contains(excerpt), "{}", messages(text)[0]);
    }
}
