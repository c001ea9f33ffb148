//! What the whole reading of a file promises: `errors` says what is refused and in which words, `accepts`
//! what is taken and what it means, `demo` that the example is true, `depths` what a launch reads of it,
//! `files` what the disk adds, `schema` that the JSON Schema says the same, `append` where a new provider goes.

mod accepts;
mod append;
mod demo;
mod depths;
mod errors;
mod files;
mod schema;

use std::path::Path;

use super::{Config, Loaded, Problems};

fn parse(text: &str) -> Result<Loaded, Problems> {
    super::parse(text.to_owned(), Path::new("c.yaml"))
}

#[track_caller]
fn config(text: &str) -> Config {
    match parse(text) {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{problems}\n{text}"),
    }
}

/// Every message about `text`, in its order.
#[track_caller]
fn messages(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => panic!("no problem is found in\n{text}"),
        Err(problems) => problems.messages().map(|message| message.render()).collect(),
    }
}

/// The keys that may stand beside `unknown`, as the error about it tells them.
#[track_caller]
fn keys(text: &str) -> Vec<String> {
    let message = messages(text).remove(0);
    let (_, keys) = message.split_once("known keys: ").unwrap_or_else(|| panic!("{message}"));
    keys.split(", ").map(str::to_owned).collect()
}

/// A config of one sound provider, `p`, with more lines in it.
fn provider(lines: &str) -> String {
    let mut text = String::from(
        "providers:\n  p:\n    protocols: [openai-responses]\n    base_urls: {openai: https://host/v1}\n",
    );
    for line in lines.lines() {
        text.push_str("    ");
        text.push_str(line);
        text.push('\n');
    }
    text
}
