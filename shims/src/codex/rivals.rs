//! What the user's own files say against a launch.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use toml::Table;

use super::config::REPLACED;
use super::home::Home;
use crate::rivals::assigned;
use crate::{Agent, Inputs, Launch, Plan, Rival};

/// Of a trusted project's keys Codex 0.169 takes the first, and passes the others by.
const PROJECTS: [&str; 5] = ["model", "model_provider", "openai_base_url", "chatgpt_base_url", "profile"];

/// The project's own config.
pub fn files(inputs: &Inputs) -> Vec<PathBuf> {
    vec![project(inputs)]
}

fn project(inputs: &Inputs) -> PathBuf {
    inputs.dirs.cwd.join(".codex/config.toml")
}

/// The user's and the project's settings that the plan overrules.
pub fn of(launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<Rival> {
    let home = Home::of(launch, inputs);
    let project = project(inputs);
    let mut rivals = of_project(&project, inputs);
    if launch.isolated {
        return rivals;
    }
    let own = home.real.join("config.toml");
    let left_out = |key| Rival { path: own.clone(), key, answer: "left out of the launch's own config.toml" };
    rivals.extend(keys(&own, &REPLACED, inputs).map(left_out));
    rivals.extend(of_dotenv(&home.real.join(".env"), inputs, plan));
    rivals
}

fn of_project(path: &Path, inputs: &Inputs) -> Vec<Rival> {
    let answer = |key: &str| match key {
        "model" => "pinned with -c on the command line",
        _ => "Codex takes it from no project, and -c pins the provider",
    };
    keys(path, &PROJECTS, inputs)
        .map(|key| Rival { path: path.to_owned(), answer: answer(&key), key })
        .collect()
}

fn of_dotenv(path: &Path, inputs: &Inputs, plan: &Plan) -> Vec<Rival> {
    let text = inputs.text(path).ok().flatten().unwrap_or_default();
    let family = super::Codex.env_family();
    let names = assigned(text).filter(|name| {
        family.iter().any(|pattern| crate::inputs::matches(pattern, name))
            || plan.env.contains_key(OsStr::new(name))
    });
    let answer = "the launch's provider listens to variables of its own alone";
    names.map(|name| Rival { path: path.to_owned(), key: name.to_owned(), answer }).collect()
}

/// Those of `wanted` that the file sets.
fn keys<'a>(path: &Path, wanted: &'a [&'a str], inputs: &Inputs) -> impl Iterator<Item = String> + use<'a> {
    let text = inputs.text(path).ok().flatten().unwrap_or_default();
    let table: Table = text.parse().unwrap_or_default();
    wanted.iter().filter(move |key| table.contains_key(**key)).map(|key| (*key).to_owned())
}
