//! Claude Code's own state file, and the one flag in it that a first start needs.
//!
//! Without `hasCompletedOnboarding` an interactive start shows its greeting, and in `x-api-key` mode exits
//! when Anthropic cannot be reached. The flag alone is enough (2.1.197). Trust in a folder is in the same
//! file and never ours to give.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::Value as Json;

use super::places;
use crate::{Edit, Fact, Inputs, Launch, Merge, Plan};

const FLAG: &str = "hasCompletedOnboarding";

/// An approved key is known by its end (`key.slice(-20)`).
const KEY_TAIL: usize = 20;

/// What a launch has to know of the state file. The rest, often megabytes, is skipped unread.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    #[serde(rename = "hasCompletedOnboarding")]
    onboarded: Json,
    env: Json,
    #[serde(rename = "primaryApiKey")]
    login_key: Json,
}

/// The state file, looked at.
#[derive(Debug)]
pub struct State {
    /// Where it is, or will be.
    pub path: PathBuf,
    /// Its `env`, which beats the environment as a settings file's does.
    pub env: Json,
    /// Whether it holds the key of a login at Anthropic's console, which goes out as `x-api-key` beside any
    /// bearer token (2.1.197).
    pub has_login_key: bool,
    onboarded: bool,
    /// Whether it can be changed.
    open: bool,
}

impl State {
    /// Looks at the state file.
    ///
    /// # Errors
    /// When it is no JSON object: Claude Code would replace it by its defaults, projects and logins gone.
    pub fn read(launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<Self> {
        let [legacy, usual] = places::state_files(launch, inputs);
        let path = if matches!(inputs.fact(&legacy), None | Some(Fact::Absent)) { usual } else { legacy };
        let unread =
            |path, open| Self { path, env: Json::Null, has_login_key: false, onboarded: false, open };
        let bytes = match inputs.file(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                // Claude Code starts all the same, so we do.
                plan.warn(format!("{error:#}; Claude Code may greet as on a first start"));
                return Ok(unread(path, false));
            }
        };
        let Some(bytes) = bytes else { return Ok(unread(path, true)) };
        let Content { onboarded, env, login_key } = content(&path, bytes)?;
        let onboarded = onboarded == Json::Bool(true);
        let open = std::str::from_utf8(bytes).is_ok();
        if !open && !onboarded {
            plan.warn(format!("{} is not UTF-8 and stays as it is", path.display()));
        }
        let has_login_key = login_key.as_str().is_some_and(|key| !key.is_empty());
        Ok(Self { path, env, has_login_key, onboarded, open })
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

fn content(path: &Path, bytes: &[u8]) -> Result<Content> {
    let text = places::without_bom(bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    // Only a derived struct refuses a key that stands twice. Claude Code and a map take the last one.
    let read: serde_json::Result<Content> = serde_json::from_slice(text).or_else(|_| {
        let whole: Json = serde_json::from_slice(text)?;
        let of = |name| whole[name].clone();
        Ok(Content { onboarded: of(FLAG), env: of("env"), login_key: of("primaryApiKey") })
    });
    match (first, read) {
        (Some(b'{'), Ok(content)) => Ok(content),
        (None, _) => bail!(broken(path, 1, 1, "the file is empty")),
        (_, Ok(_)) => bail!(broken(path, 1, 1, "not a JSON object")),
        (_, Err(error)) => bail!(broken(path, error.line(), error.column(), &reason(&error))),
    }
}

/// The error without its place.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}

fn broken(path: &Path, line: usize, column: usize, what: &str) -> String {
    format!(
        "{}:{line}:{column}: {what}\n\
         help: mend the file or move it away; Claude Code itself would put its defaults in its place",
        path.display()
    )
}
