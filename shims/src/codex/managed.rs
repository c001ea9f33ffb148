//! What the machine's administrator decides, which beats the command line.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::config::SettingsText;
use crate::judged::codex::{MANAGED_NAMED, REQUIREMENT_NAMED, SYSTEM_NAMED};
use crate::{Inputs, Message, Plan};

/// Beats even `-c` (seen in Codex 0.171).
pub const MANAGED: &str = "/etc/codex/managed_config.toml";

/// Stands below the user's own.
pub const SYSTEM: &str = "/etc/codex/config.toml";

/// The files that Codex 0.171 opens in that folder, and the keys there that would decide what a launch chooses, with
/// what each does. `config.toml` stands below the user's own, so that only a provider of our id and what is in no home
/// of a launch reach one from there; requirements limit what may be asked for, and turn features on.
const FILES: [(&str, &[(&str, &str)]); 3] =
    [(MANAGED, MANAGED_NAMED), (SYSTEM, SYSTEM_NAMED), ("/etc/codex/requirements.toml", REQUIREMENT_NAMED)];

/// What [`check`] must know.
pub fn files() -> impl Iterator<Item = PathBuf> {
    FILES.iter().map(|(path, _)| PathBuf::from(path))
}

/// Whether the file says this, other than that a feature is off.
fn sets(table: &toml::Table, key: &str) -> bool {
    let (first, rest) = key.split_once('.').unwrap_or((key, ""));
    let said = table.get(first).and_then(|at| rest.split_terminator('.').try_fold(at, |at, key| at.get(key)));
    said.is_some_and(|value| value.as_bool() != Some(false))
}

/// Warns of what wins over the launch.
///
/// # Errors
/// When a file defines the launch's own provider: it would take the prompt and the key.
pub fn check(id: &str, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
    for (path, deciding) in FILES {
        let table = match SettingsText::read(Path::new(path), inputs) {
            SettingsText::Settings(table) => table,
            SettingsText::Unreadable if path == MANAGED => {
                plan.warn(Message::new(
                    format!(
                        "{path} could not be read, and may change the provider and the model of this launch"
                    ),
                    format!("check it with `ls -l {path}`"),
                ));
                continue;
            }
            SettingsText::Unreadable | SettingsText::Nothing => continue,
        };
        let providers = table.get("model_providers").and_then(toml::Value::as_table);
        if providers.is_some_and(|providers| providers.contains_key(id)) {
            bail!(Message::new(
                format!("{path} defines the provider {id}, under which this launch would send its key"),
                format!("ask the machine's administrator to remove [model_providers.{id}] from it")
            ));
        }
        for (key, effect) in deciding.iter().filter(|(key, _)| sets(&table, key)) {
            plan.warn(Message::new(
                format!("{path} sets {key}, and {effect}"),
                format!("ask the machine's administrator to remove {key} from it"),
            ));
        }
    }
    Ok(())
}
