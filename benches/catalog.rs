//! What model lists of 500 and 5,000 models cost, and twenty providers asked at once, as ratios of runs
//! that take turns.
//!
//! Run with `cargo bench --bench catalog`. Absolute times drift with the machine; the ratios hardly do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "this is a benchmark")]

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, reason = "of the stage, a list's server and a home are used")]
mod stage;
mod support;

use std::fmt::Write;
use std::time::Duration;

use agent_run::internals::MAX_ROWS;
use serde_json::json;
use stage::Sandbox;
use stage::lists::{Lists, respond};
use support::{Contestant, long_list, race, table};

const ROUNDS: usize = 100;
/// A command that opens no list.
const FLOOR: &[&str] = &["models", "cache", "path"];

fn main() {
    let complete = |prefix| ["models", "complete", "mock", prefix];
    for count in [500, MAX_ROWS] {
        let lists = Lists::json(r#"{"data": [{"id": "only"}]}"#);
        let sandbox = sandbox(&lists);
        long_list(&sandbox.home(".cache/agent-run/models"), count);
        println!("\ncompletion among {count} models");
        compare(
            &sandbox,
            &[
                ("no list", FLOOR),
                ("no match", &complete("zzz")),
                ("a prefix of 1 in 200", &complete("vendor-7/model-00")),
                ("all", &complete("")),
            ],
        );
    }
    for count in [400, MAX_ROWS] {
        let body = big_reply(count);
        let lists = Lists::json(&body);
        let sandbox = sandbox(&lists);
        println!("\na list of {count} models in {} kB", body.len() / 1000);
        compare(
            &sandbox,
            &[
                ("no list", FLOOR),
                ("from disk", &["models", "list", "mock"]),
                ("refreshed", &["models", "list", "mock", "--refresh"]),
            ],
        );
    }
    many_providers();
}

/// Twenty providers that answer after 20, 40 … 400 ms, beside the slowest of them alone.
fn many_providers() {
    let lists: Vec<_> = (1..=20).map(|n| late(Duration::from_millis(20 * n))).collect();
    let sandbox = Sandbox::new();
    let entry = |(n, lists): (usize, &Lists)| {
        format!(
            "  p{n}:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{}/v1'}}\n",
            lists.address
        )
    };
    sandbox.config(&format!("providers:\n{}", lists.iter().enumerate().map(entry).collect::<String>()));
    println!("\na refresh of 20 providers, of which the slowest answers after 400 ms");
    let contestants = [
        ("the slowest alone", &["models", "list", "p19", "--refresh"][..]),
        ("all", &["models", "list", "--all", "--refresh"]),
    ];
    compare_in(&sandbox, &contestants, 15);
}

/// A provider that takes its time.
fn late(delay: Duration) -> Lists {
    let body = big_reply(100);
    Lists::start(move |_, stream| {
        std::thread::sleep(delay);
        respond(stream, "200 OK", &[("content-type", "application/json")], body.as_bytes());
    })
}

fn compare(sandbox: &Sandbox, commands: &[(&str, &[&str])]) {
    compare_in(sandbox, commands, ROUNDS);
}

fn compare_in(sandbox: &Sandbox, commands: &[(&str, &[&str])], rounds: usize) {
    let mut contestants: Vec<_> = commands
        .iter()
        .map(|(name, words)| {
            let mut command = sandbox.command("agent-run");
            command.args(*words);
            Contestant::new(name, command)
        })
        .collect();
    race(&mut contestants, rounds);
    table(&contestants, commands[0].0);
}

fn sandbox(lists: &Lists) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.config(&format!(
        "providers:\n  mock:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{}/v1'}}\n",
        lists.address
    ));
    sandbox.agent_run(&["models", "list", "mock"]).exits(0);
    sandbox
}

/// A reply with as much beside the ids as `OpenRouter`'s.
fn big_reply(count: usize) -> String {
    let mut rows = String::new();
    for n in 0..count {
        let row = json!({
            "id": format!("vendor-{}/model-{n}", n % 20), "name": format!("Model {n}"), "created": 1_754_408_224,
            "description": "x".repeat(900), "context_length": 131_072,
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
            "pricing": {"prompt": "0.00000015", "completion": "0.0000006", "request": "0", "image": "0"},
            "top_provider": {"context_length": 131_072, "max_completion_tokens": 16_384},
            "supported_parameters": ["tools", "reasoning", "max_tokens", "temperature", "top_p", "stop", "seed"],
        });
        write!(rows, "{}{row}", if n == 0 { "" } else { "," }).unwrap();
    }
    format!("{{\"data\": [{rows}]}}")
}
