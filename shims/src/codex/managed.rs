//! What the machine's administrator decides, which beats the command line.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use toml::Table;

use crate::{Fact, Inputs, Message, Plan};

/// Beats even `-c` (seen in Codex 0.171).
pub const MANAGED: &str = "/etc/codex/managed_config.toml";

/// Others that Codex 0.171 opens in that folder. `config.toml` stands below the user's own, so that only a
/// provider of our id and what is in no home of a launch reach one from there; requirements limit what may be asked for.
const BESIDE: [&str; 2] = ["/etc/codex/config.toml", "/etc/codex/requirements.toml"];

/// Keys that would decide what a launch chooses, with what each does there.
const DECIDING: [(&str, &str); 9] = [
    ("model_provider", "Codex obeys it instead of this launch's provider"),
    ("model", "Codex requests it instead of this launch's model"),
    ("review_model", "Codex requests it in reviews instead of this launch's model"),
    ("model_catalog_json", "Codex reads the models' properties from it"),
    ("agents", "Codex may read the models of sub-agents from it"),
    ("mcp_servers", "Codex connects to them in this launch too"),
    ("sqlite_home", "Codex keeps its sessions there"),
    ("experimental_realtime_ws_base_url", SPOKEN),
    ("experimental_realtime_webrtc_call_base_url", SPOKEN),
];

const SPOKEN: &str = "Codex sends spoken conversations there, with this launch's key";

/// What [`check`] must know.
pub fn files() -> impl Iterator<Item = PathBuf> {
    std::iter::once(MANAGED).chain(BESIDE).map(PathBuf::from)
}

/// Warns of what wins over the launch.
///
/// # Errors
/// When a file defines the launch's own provider: it would take the prompt and the key.
pub fn check(id: &str, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
    for path in files() {
        let is_managed = path == Path::new(MANAGED);
        let Some(table) = read(&path, inputs, is_managed, plan) else { continue };
        let providers = table.get("model_providers").and_then(toml::Value::as_table);
        if providers.is_some_and(|providers| providers.contains_key(id)) {
            bail!(Message::new(
                format!(
                    "{} defines the provider {id}, under which this launch would send its key",
                    path.display()
                ),
                format!("ask the machine's administrator to remove [model_providers.{id}] from it")
            ));
        }
        let counts = |effect| is_managed || effect == SPOKEN;
        let decides = DECIDING.iter().filter(|(key, effect)| counts(*effect) && table.contains_key(*key));
        for (key, effect) in decides {
            plan.warn(Message::new(
                format!("{} sets {key}, and {effect}", path.display()),
                format!("ask the machine's administrator to remove {key} from it"),
            ));
        }
    }
    Ok(())
}

fn read(path: &Path, inputs: &Inputs, is_managed: bool, plan: &mut Plan) -> Option<Table> {
    let table = match inputs.fact(path) {
        None | Some(Fact::Absent) => return None,
        Some(_) => inputs.text(path).ok().flatten().map(str::parse::<Table>),
    };
    if let Some(Ok(table)) = table {
        return Some(table);
    }
    if is_managed {
        plan.warn(Message::new(
            format!(
                "{} could not be read, and may change the provider and the model of this launch",
                path.display()
            ),
            format!("check it with `ls -l {}`", path.display()),
        ));
    }
    None
}
