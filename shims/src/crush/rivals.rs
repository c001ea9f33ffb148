//! What the user's and the project's files say against a launch.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::homes::Homes;
use super::settings::OURS;
use crate::rivals::assigned;
use crate::{Inputs, Plan, Rival};

const PROJECT: [&str; 2] = ["crush.json", ".crush.json"];

/// The working folder's own files.
pub fn files(inputs: &Inputs) -> Vec<PathBuf> {
    PROJECT.into_iter().chain([".env"]).map(|name| inputs.dirs.cwd.join(name)).collect()
}

/// The settings that the plan overrules.
pub fn of(homes: &Homes, inputs: &Inputs, plan: &Plan) -> Vec<Rival> {
    let own = homes.theirs.iter().flat_map(|theirs| [theirs.settings(), theirs.choices()]);
    let own = own.flat_map(|path| in_json(&path, "left out of the launch's own settings", inputs));
    let cwd = &inputs.dirs.cwd;
    let project = PROJECT.into_iter().map(|name| cwd.join(name));
    let last = "crush.json in the session folder has the last word";
    let project = project.flat_map(|path| in_json(&path, last, inputs));
    own.chain(project).chain(in_dotenv(&cwd.join(".env"), inputs, plan)).collect()
}

fn in_json(path: &Path, answer: &'static str, inputs: &Inputs) -> Vec<Rival> {
    let bytes = inputs.file(path).ok().flatten().unwrap_or_default();
    let json: Json = serde_json::from_slice(bytes).unwrap_or_default();
    let set = OURS.into_iter().filter(|key| json.get(key).is_some_and(|value| !value.is_null()));
    set.map(|key| Rival { path: path.to_owned(), key: key.to_owned(), answer }).collect()
}

/// Crush sets from a dotenv file what is not in the environment yet.
fn in_dotenv(path: &Path, inputs: &Inputs, plan: &Plan) -> Vec<Rival> {
    let text = inputs.text(path).ok().flatten().unwrap_or_default();
    let is_set = |name: &&str| matches!(plan.env.get(OsStr::new(name)), Some(Some(_)));
    let answer = "the launch sets the variable, and Crush leaves it";
    let rival = |name: &str| Rival { path: path.to_owned(), key: name.to_owned(), answer };
    assigned(text).filter(is_set).map(rival).collect()
}
