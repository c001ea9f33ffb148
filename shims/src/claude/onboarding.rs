//! Claude Code's own state file, and the one flag in it that a first start needs.
//!
//! Without `hasCompletedOnboarding` an interactive start shows its greeting, and in `x-api-key` mode exits
//! when Anthropic cannot be reached. The flag alone is enough (2.1.197). Trust in a folder is in the same
//! file and never ours to give.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{mcp_servers, paths, terminals};
use crate::json::{self, JAVASCRIPT};
use crate::{Edit, Fact, Inputs, Launch, Merge, Message, Plan};

const FLAG: &str = "hasCompletedOnboarding";

/// An approved key is known by its end (`key.slice(-20)`).
const KEY_TAIL: usize = 20;

/// What a launch has to know of the state file. The rest, often megabytes, is skipped unread.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StateContent {
    #[serde(rename = "hasCompletedOnboarding")]
    onboarded: Json,
    env: Json,
    #[serde(rename = "primaryApiKey")]
    login_key: Json,
    #[serde(rename = "teammateMode")]
    teammates: Json,
}

/// The state file, looked at.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four facts that have nothing to do with each other")]
pub struct StateFile {
    /// Where it is, or will be.
    pub path: PathBuf,
    /// Its `env`, which beats the environment as a settings file's does.
    pub env: Json,
    /// Whether it holds the key of a login at Anthropic's console, which goes out as `x-api-key` beside any
    /// bearer token (2.1.197).
    pub has_login_key: bool,
    /// Which of the variables that the provider's key and headers were read from the user's own MCP servers name.
    pub variables_of_servers: Vec<String>,
    /// Whether it has teammates run in another terminal, as old versions wrote it there.
    pub puts_teammates_elsewhere: bool,
    onboarded: bool,
    /// Whether it can be changed.
    open: bool,
}

impl StateFile {
    /// Looks at the state file.
    ///
    /// # Errors
    /// When it is no JSON object: Claude Code would replace it by its defaults, projects and logins gone. When Claude
    /// Code alone could read it.
    pub fn read(launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<Self> {
        let [legacy, usual] = paths::state_files(launch, inputs);
        let path = if inputs.fact(&legacy).is_none() || inputs.is_absent(&legacy) { usual } else { legacy };
        let unread = |path, open| Self { path, open, ..Self::default() };
        let bytes = match inputs.file(&path) {
            Ok(bytes) => bytes,
            Err(error) if !is_closed_to_claude(inputs.fact(&path)) => {
                // It could hold a login's key, or variables that beat the launch's.
                let what = format!("{error:#}; Claude Code would read it");
                bail!(Message::new(
                    what,
                    "make it a regular file of at most 64 MiB, or move it out of the way"
                ))
            }
            Err(error) => {
                // Claude Code starts all the same, so we do.
                plan.warn(format!("{error:#}; Claude Code may show its first-start dialogs"));
                return Ok(unread(path, false));
            }
        };
        let Some(bytes) = bytes else { return Ok(unread(path, true)) };
        let StateContent { onboarded, env, login_key, teammates } = content(&path, bytes)?;
        let onboarded = onboarded == Json::Bool(true);
        let open = std::str::from_utf8(bytes).is_ok();
        if !open && !onboarded {
            plan.warn(format!("{} is not UTF-8 and was not changed", path.display()));
        }
        let has_login_key = login_key.as_str().is_some_and(|key| !key.is_empty());
        let is_named = |variable: &&String| servers_name(bytes, variable);
        let variables_of_servers = launch.key_variables.iter().filter(is_named).cloned().collect();
        let puts_teammates_elsewhere = terminals::is_elsewhere(&teammates);
        Ok(Self { path, env, has_login_key, variables_of_servers, puts_teammates_elsewhere, onboarded, open })
    }

    /// Plans what is missing in the file; nothing when nothing is.
    pub fn merge(&self, launch: &Launch, plan: &mut Plan) {
        let mut edits = Vec::new();
        if !self.onboarded {
            edits.push(Edit::Set(FLAG, true.into()));
        }
        if super::sends_api_key(launch) {
            // Or Claude Code asks whether to use the key, and takes no for the answer of a hasty Enter.
            edits.push(Edit::AddKeyTail(&["customApiKeyResponses", "approved"], KEY_TAIL));
        }
        if self.open && !edits.is_empty() {
            let mut lock = self.path.clone().into_os_string();
            lock.push(".lock");
            plan.merges.insert(self.path.clone(), Merge { edits, lock: lock.into() });
        }
    }
}

/// Whether Claude Code cannot read it either, or nobody looked.
fn is_closed_to_claude(fact: Option<&Fact>) -> bool {
    match fact {
        None | Some(Fact::Dir(_)) => true,
        Some(Fact::Unreadable(error)) => error.is_denied,
        _ => false,
    }
}

/// Whether the user's own MCP servers name the variable. The file is read whole only where its name is in it at all.
fn servers_name(bytes: &[u8], variable: &str) -> bool {
    // As text first: `memmem` asks the processor what it can, which takes 20 µs on a virtual machine.
    let is_in = !variable.is_empty()
        && std::str::from_utf8(bytes).map_or_else(
            |_| memchr::memmem::find(bytes, variable.as_bytes()).is_some(),
            |text| text.contains(variable),
        );
    is_in && json::parse(bytes, JAVASCRIPT).is_ok_and(|state| mcp_servers::users_own_name(&state, variable))
}

fn content(path: &Path, bytes: &[u8]) -> Result<StateContent> {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let Some(first) = text.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        bail!(broken(path, 1, 1, "the file is empty"));
    };
    // The reader of JavaScript's JSON keeps everything and is slower on the megabytes that this file often has.
    if *first == b'{'
        && let Ok(content) = serde_json::from_slice(text)
    {
        return Ok(content);
    }
    match json::parse(bytes, JAVASCRIPT) {
        Ok(whole @ Json::Object(_)) => Ok(serde_json::from_value(whole)?),
        Ok(_) => bail!(broken(path, 1, 1, "not a JSON object")),
        Err(fault) => bail!(broken(path, fault.line, fault.column, fault.message)),
    }
}

fn broken(path: &Path, line: usize, column: usize, what: &str) -> Message {
    Message::new(
        format!("{}:{line}:{column}: {what}", path.display()),
        "fix the file or move it out of the way; Claude Code would replace it with its defaults",
    )
}
