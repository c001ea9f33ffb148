//! `agent-run config`: the user's one file, opened, checked and explained. Only `edit` changes it, by the
//! user's own hand.

mod check;
mod edit;
mod redact;
mod show;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::config::{ConfigArgs, ConfigCommand};
use crate::config::SCHEMA;
use crate::env::Environment;
use crate::ui::output;

/// Does what `words` say with the config at `path`.
pub fn run(words: &ConfigArgs, path: &Path, env: &Environment) -> Result<ExitCode> {
    match &words.command {
        None | Some(ConfigCommand::Edit) => {
            edit::run(path, words.bootstrap_config, env.editor().as_deref(), None)
        }
        Some(ConfigCommand::Path) => output::write(|out| writeln!(out, "{}", path.display())),
        Some(ConfigCommand::Check(words)) => check::run(words, words.file.as_deref().unwrap_or(path)),
        Some(ConfigCommand::Show(words)) => show::run(words, path, env),
        Some(ConfigCommand::Schema) => output::write(|out| out.write_all(SCHEMA.as_bytes())),
    }
}

/// Opens the config at a line, as `agent-run config` does.
pub fn edit_at(path: &Path, line: usize, env: &Environment) -> Result<ExitCode> {
    edit::run(path, false, env.editor().as_deref(), Some(line))
}
