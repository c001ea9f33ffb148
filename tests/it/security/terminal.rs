use std::process::Command;

use serde_json::{Value, json};

use super::sandbox;
use crate::support::lists::{Lists, respond};
use crate::support::{Ran, Sandbox, run};

/// What moves a terminal's cursor, sets its title or clipboard, or turns its text around.
const DRIVERS: [&str; 14] = [
    "\u{1b}[31mred",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]52;c;ZXZpbA==\u{1b}\\",
    "\u{1b}Pq#0\u{1b}\\",
    "\u{9b}31mc1",
    "\u{9d}52;c;ZXZpbA==\u{9c}",
    "a\rb",
    "a\u{8}\u{8}b",
    "a\u{0}b",
    "a\u{7f}b",
    "\u{202e}rtl\u{202c}",
    "\u{2066}iso\u{2069}\u{61c}\u{200f}",
    "line\u{2028}para\u{2029}\u{85}next\u{b}\u{c}",
];

/// All of them in one, and then too much of it.
fn hostile() -> String {
    DRIVERS.concat() + &"\u{1b}[31m long".repeat(400)
}

/// The first character that must not reach a terminal.
fn driver(text: &str) -> Option<char> {
    let is_bidi = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().find(|&c| (c.is_control() && c != '\n' && c != '\t') || is_bidi(c))
}

#[track_caller]
fn is_clean(ran: &Ran, what: &str) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        assert_eq!(driver(text), None, "{what}: {stream}: {text:?}");
        assert!(!text.contains("sk-planted-key"), "{what}: {stream} has the key: {text}");
    }
    assert!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
}

/// Everything that may show what a provider said, at every level of the log.
#[track_caller]
fn show_all(sandbox: &Sandbox, what: &str) -> usize {
    let mut cases = 0;
    for log in ["warn", "trace"] {
        for words in [
            &["models", "list", "mock", "--refresh"] as &[&str],
            &["models", "list", "mock"],
            &["models", "list", "--all", "--json"],
            &["models", "show", "mock", "m-one"],
            &["models", "show", "mock", "m-one", "--json"],
            &["models", "show", "mock", "m-none"],
            &["models", "diff", "mock", "--refresh"],
            &["models", "diff", "mock", "--json"],
            &["models", "complete", "mock"],
            &["providers", "test", "mock"],
            &["providers", "test", "mock", "--json"],
            &["providers", "show", "mock"],
            &["doctor", "mock"],
            &["doctor", "--json"],
            &["why", "codex@mock", "--model", "m-no"],
            &["launch", "mock", "--model", "m-no", "--dry-run", "codex"],
            &["launch", "mock", "--dry-run", "-v", "crush"],
            &["models", "cache", "clear"],
            &["launch", "mock", "--model", "m-no", "codex"],
        ] {
            let ran = run(sandbox.command("agent-run").args(words).env("RUST_LOG", log));
            is_clean(&ran, &format!("{what}: {words:?} RUST_LOG={log}"));
            cases += 1;
        }
        for shell in ["bash", "zsh", "fish"] {
            for line in [
                &["agent-run", "launch", "mock", "--model", ""] as &[&str],
                &["agent-run", "models", "show", "mock", ""],
            ] {
                let mut command = sandbox.command("agent-run");
                let ran = run(command.args(line).env("AGENT_RUN_COMPLETE", shell).env("RUST_LOG", log));
                is_clean(&ran, &format!("{what}: TAB in {shell}"));
                cases += 1;
            }
        }
    }
    cases
}

fn shown(sandbox: &Sandbox) -> String {
    sandbox.agent_run(&["models", "list", "mock", "--refresh"]).stderr
}

#[test]
fn no_list_of_models_drives_the_terminal() {
    let mut rows: Vec<Value> =
        DRIVERS.iter().map(|text| json!({"id": format!("bad-{text}"), "name": text})).collect();
    let h = hostile();
    rows.push(json!({"id": h, "object": h, "owned_by": h}));
    rows.push(json!({"id": "m-one", "name": h, "display_name": h, "description": h, "owned_by": h, "title": h,
        "deprecation_date": h, "expiration_date": h, "alias_of": h, "parent": h, "canonical_slug": h, "context_length": h,
        "pricing": {"prompt": h, "completion": h}, "architecture": {"input_modalities": [h], "modality": h},
        "supported_parameters": [h], "created": h, "type": h, h.as_str(): h}));
    let body = json!({"data": rows, "object": h, "message": h, "has_more": true, "last_id": h}).to_string();
    let lists = Lists::json(&body);
    let sandbox = sandbox(&lists, "");
    let cases = show_all(&sandbox, "a list");
    assert_eq!(cases, 50);
    assert!(
        sandbox.agent_run(&["models", "list", "mock"]).stdout.contains("m-one"),
        "it is a list all the same"
    );
}

#[test]
fn no_error_of_a_provider_drives_the_terminal() {
    let h = hostile();
    let bodies = [
        json!({"error": {"message": h, "type": h, "code": h}}).to_string(),
        json!({"message": h}).to_string(),
        json!({"detail": [{"msg": h}]}).to_string(),
        json!(h).to_string(),
        h.clone(),
    ];
    let lists = Lists::json("{}");
    let sandbox = sandbox(&lists, "    models: [{id: m-one}]\n");
    let mut seen = String::new();
    for status in [
        "200 OK",
        "400 Bad",
        "401 Unauthorized",
        "402 Pay",
        "403 Forbidden",
        "404 Not Found",
        "429 Too Many",
        "500 Oops",
    ] {
        for body in &bodies {
            let body = body.clone();
            lists.now(move |_, stream| respond(stream, status, &[], body.as_bytes()));
            for words in [&["models", "list", "mock", "--refresh"] as &[&str], &["providers", "test", "mock"]]
            {
                let ran = run(sandbox.command("agent-run").args(words).env("RUST_LOG", "trace"));
                is_clean(&ran, &format!("{status}: {words:?}"));
            }
            seen += &shown(&sandbox);
        }
    }
    assert!(seen.contains("red"), "the provider's words are shown: {seen}");
    for body in &bodies {
        let body = body.clone();
        lists.now(move |_, stream| respond(stream, "401 Unauthorized", &[], body.as_bytes()));
        show_all(&sandbox, "an error");
    }
}

#[test]
fn no_header_or_status_line_drives_the_terminal() {
    let lists = Lists::json("{}");
    let sandbox = sandbox(&lists, "    models: [{id: m-one}]\n");
    // What cannot be in a header at all is sent too.
    for text in
        DRIVERS.iter().copied().chain(["http://evil\u{1b}[31m.example/\u{202e}x", "\u{1b}]52;c;eA==\u{7}"])
    {
        for (status, header) in [
            ("302 Found", "location"),
            ("429 Too Many", "retry-after"),
            ("200 OK", "content-type"),
            ("200 OK", "content-encoding"),
            ("200 OK", "transfer-encoding"),
            ("401 No", "www-authenticate"),
            ("200 OK", "link"),
        ] {
            let (value, path) = (text.to_owned(), format!("http://x/{text}"));
            lists.now(move |_, stream| {
                let value = if header == "location" { &path } else { &value };
                respond(stream, status, &[(header, value), (value, header)], b"{}");
            });
            for words in [&["models", "list", "mock", "--refresh"] as &[&str], &["providers", "test", "mock"]]
            {
                let ran = run(sandbox.command("agent-run").args(words).env("RUST_LOG", "trace"));
                is_clean(&ran, &format!("{header}: {text:?}: {words:?}"));
            }
        }
        let status = format!("500 {text}");
        lists.now(move |_, stream| respond(stream, &status, &[], b"{}"));
        is_clean(
            &run(sandbox.command("agent-run").args(["models", "list", "mock"]).env("RUST_LOG", "trace")),
            text,
        );
    }
}

#[test]
fn nothing_of_the_config_or_the_command_line_drives_the_terminal() {
    let lists = Lists::json("{}");
    let sandbox = sandbox(&lists, "");
    let all: String = DRIVERS.concat().chars().filter(|&c| c != '\0').collect();
    // YAML takes control characters as escapes alone.
    let yaml = shims::yaml::quoted;
    let name: String = all.chars().filter(|c| !c.is_control()).collect();
    let entry = format!(
        "    models: [{{id: {0}, name: {0}}}, {{id: m-one, name: {0}}}]\n    extra_env: {{X: {0}}}\n    args: [{0}]\n    \
         tiers: {{opus: {0}}}\n  {1}:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://127.0.0.1:9'}}\n    \
         key_command: [{0}]\n    default_model: {0}\n",
        yaml(&all),
        yaml(&name)
    );
    let path = sandbox.config(&super::config(&lists, &entry));
    let words = [
        &["config", "show"] as &[&str],
        &["config", "show", "--json"],
        &["config", "check"],
        &["providers", "list"],
        &["providers", "show", &name],
        &["providers", "test", &name],
        &["launch", "mock", "--dry-run", "claude"],
        &["launch", "mock", "--dry-run", "-v", "--json", "claude"],
        &["launch", &name, "--dry-run", "-v", "codex"],
        &["launch", &name, "codex"],
        &["why", "claude@mock"],
        &["env", "mock", "--format", "json"],
        &["models", "list", "--all"],
        &["models", "show", "mock", &all],
        &["doctor"],
        &["shims", "install"],
        &["shims", "list"],
    ];
    for words in words {
        is_clean(&sandbox.agent_run(words), &format!("a value: {words:?}"));
    }
    // Faults of every kind, in keys and in values.
    let broken = |text: &str| {
        [
            format!("{}: 1\n", yaml(text)),
            format!("providers: {{{}: {{}}}}\n", yaml(text)),
            format!("providers: {{p: {{{}: 1}}}}\n", yaml(text)),
            format!(
                "providers: {{p: {{protocols: [{0}], base_urls: {{openai: {0}}}, headers: {{{0}: x}}}}}}\n",
                yaml(text)
            ),
            format!("providers: {{p: {{model_api_filters: [{{filter: {}}}]}}}}\n", yaml(&format!("({text}"))),
            format!("a: {text}\n"),
        ]
    };
    for text in DRIVERS.iter().map(|text| text.replace('\0', "")).chain([all.clone()]) {
        for yaml in broken(&text) {
            sandbox.write(&path, &yaml);
            for words in [&["config", "check"] as &[&str], &["providers", "list"], &["doctor"]] {
                is_clean(&sandbox.agent_run(words), &format!("a fault: {yaml:?}: {words:?}"));
            }
        }
    }
    sandbox.config(&super::config(&lists, ""));
    let file = format!("/nowhere/{all}");
    for words in [
        &["launch", &all, "claude"] as &[&str],
        &["launch", "mock", &all],
        &["launch", "mock", "--model", &all, "claude"],
        &["launch", "mock", "--protocol", &all, "claude"],
        &["launch", "mock", "--force", &all, "claude"],
        &["launch", "mock", "--dry-run", "claude", &all],
        &["launch", "mock", "shell", &all],
        &["models", "show", "mock", &all],
        &["models", "list", &all],
        &["providers", "add", &all],
        &["providers", "add", "deepseek", "--name", &all, "--dry-run"],
        &["providers", "add", "deepseek", "--key-env", &all, "--dry-run"],
        &["providers", "presets", &all],
        &["shims", "install", &all],
        &["shims", "path", "--dir", &file],
        &["config", "path", "--config", &file],
        &["config", "check", "--config", &file],
        &["import", &all],
        &["why", &all],
        &["doctor", &all],
        &["env", &all],
        &["help", "--man", "/dev/null/\u{1b}[31m"],
        &["help", &all],
        &["completion", &all],
        &[&all],
        &["--config", &file, "providers", "list"],
    ] {
        is_clean(&sandbox.agent_run(words), &format!("a word: {words:?}"));
    }
    let shim = format!("claude@{}", all.replace('/', ""));
    std::os::unix::fs::symlink(crate::support::AGENT_RUN, sandbox.path("bin").join(&shim)).unwrap();
    is_clean(&sandbox.run(&shim, &[]).exits(125), "a link's name");
    let opts = sandbox.command("claude@mock").env("AGENT_RUN_OPTS", &all).output();
    assert!(opts.is_err(), "no such link");
    sandbox.shim("claude@mock");
    is_clean(&run(sandbox.command("claude@mock").env("AGENT_RUN_OPTS", &all)), "AGENT_RUN_OPTS");
}

#[test]
fn data_holds_what_the_config_says_escaped() {
    let lists = Lists::json("{}");
    let text = "a\u{9b}b\u{202e}c\u{7f}";
    let more = format!("    models: [{{id: m-one, name: {}}}]\n", shims::yaml::quoted(text));
    let sandbox = sandbox(&lists, &more);
    let ran = sandbox.agent_run(&["models", "show", "mock", "m-one", "--json"]);
    is_clean(&ran, "data");
    let data: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(data["name"], text, "{}", ran.stdout);
}

/// On a terminal there are tables, colours and progress, and nothing drives it that comes from elsewhere.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs util-linux' script: --features system-tools")]
fn a_real_terminal_gets_no_sequence_that_is_not_ours() {
    let h = hostile();
    let row = json!({"id": "m-one", "name": h, "description": h, "owned_by": h});
    let lists = Lists::json(&json!({"data": [row, {"id": h}]}).to_string());
    let error = json!({"error": {"message": h}}).to_string();
    let sandbox =
        sandbox(&lists, &format!("    models: [{{id: m-two, name: {}}}]\n", shims::yaml::quoted(&h)));
    let show = |words: &str| {
        let mut command: Command = sandbox.command("script");
        let ran = run(command.args(["-qefc", words, "/dev/null"]));
        // Ours move up and down and clear a line; titles, marks and prefixes have their colours.
        let mut rest = ran.stdout.replace("\r\n", "\n").replace("\r\u{1b}[2K", "");
        let colours = [
            "31mproblem",
            "32mok",
            "33mnote",
            "2mknown",
            "1mid ",
            "1mhelp:",
            "32mNothing is wrong",
            "31magent-run:",
            "33magent-run: warning:",
        ];
        let colours = colours.map(|colour| format!("\u{1b}[{colour}"));
        // Progress of `providers test` has four lines.
        let moves = ["\u{1b}[1A", "\u{1b}[4A", "\u{1b}[1B", "\u{1b}[0m"];
        for ours in moves.into_iter().chain(colours.iter().map(String::as_str)) {
            rest = rest.replace(ours, "");
        }
        assert_eq!(driver(&rest), None, "{words}: {rest:?}");
        rest
    };
    assert!(show("agent-run models list mock --refresh").contains("m-one"));
    show("agent-run models show mock m-one; agent-run models show mock m-two");
    assert!(show("agent-run doctor mock").contains("Model lists"));
    lists.now(move |_, stream| respond(stream, "401 No", &[], error.as_bytes()));
    assert!(show("agent-run models list mock --refresh").contains("the key was refused"));
    assert!(show("agent-run providers test mock; agent-run doctor mock").contains("the key was refused"));
}
