//! A project's MCP servers that would be sent the provider's key.
//!
//! Claude Code fills in `${NAME}` in the URL and the headers of a remote server from its own environment,
//! and with `-p` it connects to those of a project without a question (2.1.197). A repository could so
//! fetch the key without running anything. Servers that are commands inherit the environment anyway: that
//! is a matter of trust in the project.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json};

use super::places;
use crate::{Inputs, Launch, Plan};

/// Where projects keep them: the working folder, and those above it.
pub fn files(inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    inputs.dirs.cwd.ancestors().map(|folder| folder.join(".mcp.json"))
}

/// The remote servers that name a variable with a secret of this launch; the user is told of each.
///
/// # Errors
/// When the user's own `--settings` (`taken`) leaves no way to turn one off.
pub fn to_turn_off(launch: &Launch, inputs: &Inputs, plan: &mut Plan, taken: bool) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let secrets = plan.secret_variables(launch);
    for path in files(inputs) {
        let asks = |(_, server): &(&String, &Json)| {
            let text = server.to_string();
            server.get("command").is_none() && secrets.iter().any(|name| names(&text, name))
        };
        for (name, _) in read(&path, inputs).iter().filter(asks) {
            let consequence = format!(
                "{}: the MCP server `{name}` would be sent the key of provider `{}`",
                path.display(),
                launch.provider
            );
            if taken {
                bail!(
                    "{consequence}\nhelp: take the variable out of that file, or leave out --settings, and \
                     the server is turned off"
                );
            }
            plan.warn(format!("{consequence}; it is off in this launch"));
            found.push(name.clone());
        }
    }
    Ok(found)
}

fn read(path: &std::path::Path, inputs: &Inputs) -> Map<String, Json> {
    let Ok(Some(bytes)) = inputs.file(path) else { return Map::new() };
    let file: Json = serde_json::from_slice(places::without_bom(bytes)).unwrap_or_default();
    file["mcpServers"].as_object().cloned().unwrap_or_default()
}

/// Whether the text refers to the variable, with a default or without.
fn names(text: &str, variable: &str) -> bool {
    let reference = format!("${{{variable}");
    text.match_indices(&reference)
        .any(|(at, _)| matches!(text.as_bytes().get(at + reference.len()), Some(b'}' | b':')))
}
