//! Providers out of other tools' own files, as entries of our config.
//!
//! Reads and changes nothing. What another tool says becomes a [`ImportedProvider`]; what of it has no place in our
//! config becomes a sentence in the draft's notes, never silence. No note and no entry tells a key, unless
//! keys are asked for.

mod cc_switch;
mod claude;
mod codex;
mod crush;
mod draft;
mod entry;
mod environment;
mod hermes;
mod names;
mod secret;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use shims::Message;

pub use draft::ImportedProvider;
pub use entry::{Keys, yaml};
pub use names::{Named, name, variable};

use crate::cli::import::ImportTool;
use crate::env::Environment;
use crate::fs::nonblocking;

/// Bytes of a settings file beyond which it is none.
const LARGEST: u64 = 16 << 20;

/// What another tool's settings hold.
#[derive(Default)]
pub struct ImportScan {
    /// The providers, in the order of the files.
    pub drafts: Vec<ImportedProvider>,
    /// What was looked at, there or not.
    pub looked_at: Vec<String>,
    /// What is no provider of a config, and why.
    pub skipped: Vec<String>,
}

impl ImportScan {
    /// The text of a file; `None` when there is none.
    fn read(&mut self, path: &Path) -> Result<Option<String>> {
        self.looked_at.push(path.display().to_string());
        let could_not = || format!("could not read {}", path.display());
        let mut file = match nonblocking::open(path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            file => file.with_context(could_not)?,
        };
        let there = file.metadata().with_context(could_not)?;
        let bytes = nonblocking::stream(&mut file, &there, LARGEST).with_context(could_not)?;
        let text = String::from_utf8(bytes).with_context(could_not)?;
        // Editors on Windows write a byte order mark, and no tool minds it.
        Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
    }

    fn json(&mut self, path: &Path) -> Result<Option<serde_json::Value>> {
        let Some(text) = self.read(path)? else { return Ok(None) };
        // The error's own text may quote the file, where a key can stand.
        serde_json::from_str(&text).map(Some).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            anyhow::anyhow!("could not read {}: not JSON at line {line}, column {column}", path.display())
        })
    }

    /// Takes a draft if it says where the provider is.
    fn take(&mut self, draft: ImportedProvider) {
        if draft.openai.is_none() && draft.anthropic.is_none() {
            self.skipped.push(format!("{}: it has no base URL", draft.from));
        } else {
            self.drafts.push(draft);
        }
    }
}

/// Looks for the providers of `tool`, in `file` instead of its own files if one is named. A file that is there and
/// cannot be read or understood is an error.
pub fn find(tool: ImportTool, file: Option<&Path>, env: &Environment) -> Result<ImportScan> {
    let mut found = ImportScan::default();
    match tool {
        ImportTool::Claude => claude::find(&mut found, file, env)?,
        ImportTool::Codex => codex::find(&mut found, file, env)?,
        ImportTool::Crush => crush::find(&mut found, file, env)?,
        ImportTool::Hermes => hermes::find(&mut found, file, env)?,
        ImportTool::Env => {
            if file.is_some() {
                bail!(Message::new("`env` reads the environment, not a file", "remove the file after `env`"));
            }
            environment::find(&mut found, env)?;
        }
        ImportTool::CcSwitch => cc_switch::find(&mut found, file, env)?,
    }
    if let Some(file) = file.filter(|file| !file.exists()) {
        bail!(Message::new(format!("no such file: {}", file.display()), "check the file name"));
    }
    found.drafts = draft::merged(std::mem::take(&mut found.drafts));
    Ok(found)
}

/// Looks for the providers of every tool. What cannot be read of one is listed with what is left out.
pub fn find_all(env: &Environment) -> ImportScan {
    let mut all = ImportScan::default();
    for tool in ImportTool::value_variants() {
        let found = match find(*tool, None, env) {
            Ok(found) => found,
            Err(error) => {
                all.skipped.push(crate::error::render(&error).replace('\n', "; "));
                continue;
            }
        };
        for draft in found.drafts {
            match all.drafts.iter_mut().find(|there| there.is_same(&draft)) {
                Some(there) if there.preset.is_none() => there.merge(draft),
                // A known provider's entry says it all.
                Some(there) => all.skipped.push(format!("{}: it is the same as {}", draft.from, there.from)),
                None => all.drafts.push(draft),
            }
        }
        all.looked_at.extend(found.looked_at);
        all.skipped.extend(found.skipped);
    }
    all
}

/// The command that prints a text of a JSON file, in whatever folder it runs.
fn jq(filter: &str, file: &Path) -> Vec<String> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    vec!["jq".to_owned(), "-er".to_owned(), filter.to_owned(), file.display().to_string()]
}

/// A folder that a variable may move.
fn folder(env: &Environment, variable: &str, default: &str) -> Result<PathBuf> {
    match env.var(variable) {
        Some(path) => Ok(path.into()),
        None => Ok(env.dirs()?.home.join(default)),
    }
}
