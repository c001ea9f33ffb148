//! One launch, made up: what is configured, typed, inherited and there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::support::Sandbox;

pub const KEY: &str = "sk-planted-of-the-chosen-provider";

/// One launch, made up.
#[derive(Clone, Debug)]
pub struct Case {
    pub agent: &'static str,
    pub key: &'static str,
    pub provider: Vec<&'static str>,
    pub model: Option<&'static str>,
    pub words: Vec<OsString>,
    pub env: BTreeMap<&'static str, OsString>,
    pub home: Vec<(&'static str, &'static str)>,
    pub by_link: bool,
}

const AGENTS: [&str; 5] = ["claude", "codex", "hermes", "crush", "shell"];
pub const KEYS: [&str; 5] = [
    "",
    "key_env: MOCK_KEY",
    "key_file: ~/.key",
    "key: sk-planted-of-the-chosen-provider",
    "key_command: [cat, key]",
];
const LINES: [&str; 10] = [
    "anthropic_use_api_key: true",
    "headers: {X-Plain: 'a: b', X-From: 'x ${env:FROM}', X-Lit: '$${HOME}'}",
    "extra_env: {MINE: '${context:model}/${env:FROM}/$${', ANTHROPIC_BETAS: ours, EMPTY: ''}",
    "tiers: {haiku: m2, subagent: inherit}",
    "args: [--standing, 'two words']",
    "proxy: none",
    "proxy: http://127.0.0.1:9",
    "isolated: true",
    "codex: {tools: minimal}",
    "models_url: https://host.example/list",
];
const WORDS: [&[u8]; 14] = [
    b"",
    b"-p",
    b"--help",
    b"--",
    b"two words",
    b"a\nb",
    b"\xff\xfe",
    b"$HOME `x` 'y'",
    "é".as_bytes(),
    b"exec",
    b"resume",
    b"--settings={}",
    b"--data-dir=/d",
    b"--agent",
];
const VARIABLES: [(&str, &[u8]); 12] = [
    ("ANTHROPIC_BASE_URL", b"https://foreign.example"),
    ("ANTHROPIC_NEW_IN_2027", b"foreign"),
    ("CLAUDE_CODE_USE_BEDROCK", b"1"),
    ("OPENAI_API_KEY", b"sk-foreign"),
    ("OPENAI_BASE_URL", b"https://foreign.example"),
    ("AUXILIARY_VISION_MODEL", b"foreign"),
    ("AGENT_RUN_HEADER_7", b"foreign"),
    ("HTTPS_PROXY", b"http://proxy.example:1"),
    ("no_proxy", b"intern.example"),
    ("OTHER_KEY", b"sk-other"),
    ("NOISE", b"\xff\n=\x01"),
    ("AGENT_RUN_DEPTH", b"2"),
];
const HOMES: [(&str, &str); 8] = [
    (".claude.json", r#"{"n": 1.50, "s": "\ud800"}"#),
    (
        ".claude/settings.json",
        r#"{"env": {"ANTHROPIC_BETAS": "b", "HTTPS_PROXY": "http://p"}, "apiKeyHelper": "cat"}"#,
    ),
    (".codex/config.toml", "model = \"x\"\n[mcp_servers.docs]\ncommand = \"npx\"\n"),
    (".codex/AGENTS.md", "hello"),
    (
        ".config/crush/crush.json",
        r#"{"providers": {"x": {}}, "env": {"A": "$B"}, "mcp": {"a": {"url": "u"}}}"#,
    ),
    (".config/crush/crushrc", "option debug true\n"),
    (".hermes/config.yaml", "model: theirs\napprovals: {mode: off}\n"),
    (".hermes/.env", "OPENAI_BASE_URL=http://foreign.example\n"),
];

pub fn case() -> impl Strategy<Value = Case> {
    let words = prop::collection::vec(
        prop_oneof![
            4 => select(&WORDS[..]).prop_map(<[u8]>::to_vec),
            1 => prop::collection::vec(1_u8..=255, 0..6),
        ],
        0..5,
    );
    let env = subsequence(VARIABLES.to_vec(), 0..=VARIABLES.len());
    (
        select(&AGENTS[..]),
        select(&KEYS[..]),
        subsequence(LINES.to_vec(), 0..=4),
        select(&[None, Some("m1"), Some("m2"), Some("no list has it")][..]),
        words,
        env,
        subsequence(HOMES.to_vec(), 0..=HOMES.len()),
        any::<bool>(),
    )
        .prop_map(|(agent, key, mut provider, model, words, env, home, by_link)| {
            let mut keys = BTreeSet::new();
            provider.retain(|line| keys.insert(line.split(':').next()));
            let env = env.into_iter().map(|(name, value)| (name, OsStr::from_bytes(value).to_owned()));
            let words = words.into_iter().map(OsString::from_vec).collect();
            Case { agent, key, provider, model, words, env: env.collect(), home, by_link }
        })
}

impl Case {
    fn config(&self) -> String {
        let mut text = String::from(
            "providers:\n  other: {protocols: [anthropic], base_urls: {anthropic: https://o.example}, key_env: OTHER_KEY}\n  \
             mock:\n    protocols: [anthropic, openai-responses, openai-chat-completions]\n    \
             base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}\n    \
             default_model: m1\n    models: [{id: m1, context_window: 128000}, m2]\n    model_api_filters: []\n",
        );
        for line in self.provider.iter().chain([&self.key]).filter(|line| !line.is_empty()) {
            text.extend(["    ", line, "\n"]);
        }
        text
    }

    /// The sandbox, with a fake agent that leaves the very bytes the kernel handed it beside itself.
    pub fn sandbox(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox.known_secret();
        sandbox.config(&self.config());
        sandbox.write(&sandbox.home(".key"), KEY);
        sandbox.write(&sandbox.path("work/key"), KEY);
        for (path, text) in &self.home {
            sandbox.write(&sandbox.home(path), text);
        }
        let dump = "#!/bin/sh\ncat /proc/$$/cmdline >\"$0.argv\"\ncat /proc/$$/environ >\"$0.env\"\n";
        sandbox.script(self.program(), dump);
        sandbox.shim(&format!("{}@mock", self.agent));
        sandbox
    }

    pub fn program(&self) -> &'static str {
        if self.agent == "shell" { "some-program" } else { self.agent }
    }

    /// `agent-run launch mock … AGENT -- …`, or `AGENT@mock …` with the options in the variable.
    pub fn command(&self, sandbox: &Sandbox, by_link: bool, options: &[&str]) -> Command {
        let mut options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        if let Some(model) = self.model {
            options.extend([
                "--model".to_owned(),
                model.to_owned(),
                "--force".to_owned(),
                "model".to_owned(),
            ]);
        }
        let mut command = if by_link {
            let mut command = sandbox.command(format!("{}@mock", self.agent));
            command.env("AGENT_RUN_OPTS", shlex::try_join(options.iter().map(String::as_str)).unwrap());
            command
        } else {
            let mut command = sandbox.command("agent-run");
            command.args(["launch", "mock"]).args(options).args([self.agent, "--"]);
            command
        };
        if self.agent == "shell" {
            command.arg(self.program());
        }
        command.args(&self.words).envs(&self.env).env("FROM", "outside").env("MOCK_KEY", KEY);
        command
    }
}
