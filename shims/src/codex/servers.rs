//! A project's MCP servers that would be sent the provider's key.
//!
//! Codex takes the servers of a project that the user trusts, and sends to a remote one the variables that
//! `bearer_token_env_var` and `env_http_headers` name (0.169). Servers that are commands are a matter of trust in
//! the project: they can do all that the user can.

use std::path::{Path, PathBuf};

use toml::{Table, Value as Toml};

use super::home::Home;
use crate::{Inputs, Launch, Plan};

/// Where projects keep them: the working folder, and those above it. A server in the user's own home is the
/// user's word.
pub fn files(home: &Home, inputs: &Inputs) -> Vec<PathBuf> {
    let folders = inputs.dirs.cwd.ancestors().map(|folder| folder.join(".codex"));
    folders.filter(|folder| *folder != home.real).map(|folder| folder.join("config.toml")).collect()
}

/// Turns off the remote servers that name a variable with a secret of this launch, and tells the user of each.
pub fn turn_off(launch: &Launch, home: &Home, inputs: &Inputs, plan: &mut Plan) {
    let secrets = plan.secret_variables(launch);
    for path in files(home, inputs) {
        for (name, server) in read(&path, inputs) {
            // Codex refuses any other name.
            let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            if !is_name || !variables(&server).any(|variable| secrets.contains(variable)) {
                continue;
            }
            plan.warn(format!(
                "{}: the MCP server `{name}` would be sent the key of provider `{}`; it is off in this launch",
                path.display(),
                launch.provider
            ));
            plan.arg("-c");
            // With a URL, since Codex refuses a server without one, and the project may not be trusted.
            plan.arg(format!(
                "mcp_servers.{name}={{ url = \"http://127.0.0.1:9/unused\", enabled = false }}"
            ));
        }
    }
}

fn read(path: &Path, inputs: &Inputs) -> Table {
    let text = inputs.text(path).ok().flatten().unwrap_or_default();
    let mut table: Table = text.parse().unwrap_or_default();
    match table.remove("mcp_servers") {
        Some(Toml::Table(servers)) => servers,
        _ => Table::new(),
    }
}

/// The variables that a remote server is sent.
fn variables(server: &Toml) -> impl Iterator<Item = &str> {
    let token = server.get("bearer_token_env_var").and_then(Toml::as_str);
    let headers = server.get("env_http_headers").and_then(Toml::as_table).into_iter().flatten();
    token.into_iter().chain(headers.filter_map(|(_, variable)| variable.as_str()))
}
