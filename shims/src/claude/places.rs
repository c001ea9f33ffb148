//! Where Claude Code keeps what this adapter must look at (seen in 2.1.197).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{Entry, Inputs, Launch, Part};

/// What administrators impose; it beats every other settings file and every argument.
const POLICY: &str =
    if cfg!(target_os = "macos") { "/Library/Application Support/ClaudeCode" } else { "/etc/claude-code" };

/// The variable as the agent will see it: the config's `extra_env` has the last word.
fn var(name: &str, launch: &Launch, inputs: &Inputs) -> Option<OsString> {
    let Some(value) = launch.extra_env.get(name) else { return inputs.var(name).map(OsString::from) };
    let mut seen = OsString::new();
    for part in value.parts() {
        match part {
            Part::Text(text) => seen.push(text),
            Part::Env(name) => seen.push(inputs.var(name).unwrap_or_default()),
            Part::Key => return None,
        }
    }
    Some(seen).filter(|seen| !seen.is_empty())
}

/// `CLAUDE_CONFIG_DIR`, which moves everything; a relative one counts from the working folder.
fn moved(launch: &Launch, inputs: &Inputs) -> Option<PathBuf> {
    var("CLAUDE_CONFIG_DIR", launch, inputs).map(|dir| inputs.dirs.cwd.join(dir))
}

fn config_dir(launch: &Launch, inputs: &Inputs) -> PathBuf {
    moved(launch, inputs).unwrap_or_else(|| inputs.dirs.home.join(".claude"))
}

/// The files that may hold Claude Code's own state: the one of old versions, which wins where it exists,
/// and the usual one.
pub fn state_files(launch: &Launch, inputs: &Inputs) -> [PathBuf; 2] {
    let custom = var("CLAUDE_CODE_CUSTOM_OAUTH_URL", launch, inputs).is_some();
    let name = if custom { ".claude-custom-oauth.json" } else { ".claude.json" };
    let folder = moved(launch, inputs).unwrap_or_else(|| inputs.dirs.home.clone());
    [config_dir(launch, inputs).join(".config.json"), folder.join(name)]
}

/// The user's, the project's and the local settings, weakest first. A project's are looked for in the
/// working folder alone, not in the folders above it.
pub fn settings(launch: &Launch, inputs: &Inputs) -> [PathBuf; 3] {
    let project = inputs.dirs.cwd.join(".claude");
    [
        config_dir(launch, inputs).join("settings.json"),
        project.join("settings.json"),
        project.join("settings.local.json"),
    ]
}

/// The policy file, and the folder of further ones with what is known of its files.
pub fn policies(inputs: &Inputs) -> Vec<PathBuf> {
    let folder = Path::new(POLICY).join("managed-settings.d");
    let is_policy = |entry: &&Entry| {
        let name = entry.name.to_string_lossy();
        name.ends_with(".json") && !name.starts_with('.')
    };
    let files = inputs.entries(&folder).iter().filter(is_policy).map(|entry| folder.join(&entry.name));
    let mut paths = vec![Path::new(POLICY).join("managed-settings.json")];
    paths.extend(files);
    paths.push(folder);
    paths
}

/// A file's bytes without a byte order mark, which Claude Code skips too.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}
