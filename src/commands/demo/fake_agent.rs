//! The least that can ask a model something, for a machine without any agent.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use super::sandbox::DemoSandbox;
use crate::mock_provider::MODELS;
use crate::probe::PROMPT;

/// Asks the sandbox's provider over the Anthropic protocol, streaming, and returns the answer.
pub fn ask(sandbox: &DemoSandbox) -> Result<String> {
    talk(sandbox).context("could not connect to the built-in provider")
}

fn talk(sandbox: &DemoSandbox) -> Result<String> {
    let DemoSandbox { addr, path, key, .. } = sandbox;
    let messages = json!([{"role": "user", "content": PROMPT}]);
    let body =
        json!({"model": MODELS[0], "max_tokens": 100, "stream": true, "messages": messages}).to_string();
    let mut stream = TcpStream::connect(addr)?;
    write!(
        stream,
        "POST {path}/v1/messages HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    // An event's data is one line, and the lines between (chunk sizes, event names) start otherwise.
    let events = answer.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok());
    Ok(events.filter_map(|event: Json| event["delta"]["text"].as_str().map(str::to_owned)).collect())
}
