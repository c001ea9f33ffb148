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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fact, Launch, Protocol};

    #[test]
    fn the_users_and_the_projects_files_are_told() {
        let mut inputs = Inputs::default();
        (inputs.dirs.home, inputs.dirs.cwd) = ("/home/u".into(), "/work".into());
        inputs.dirs.config = "/home/u/.config".into();
        for (path, text) in [
            ("/home/u/.config/crush/crush.json", r#"{"providers": {"x": {}}, "models": null, "lsp": {}}"#),
            ("/work/.crush.json", r#"{"models": {"large": {}}}"#),
            ("/work/.env", "CRUSH_CLIENT_SERVER=1\nEDITOR=vi\n"),
        ] {
            inputs.facts.insert(path.into(), Fact::File(text.into()));
        }
        let launch = Launch::sample("p", Protocol::OpenaiChatCompletions, "https://p.example", "m");
        let mut plan = Plan::default();
        plan.set("CRUSH_CLIENT_SERVER", "0");
        let rivals = of(&Homes::of(&launch, &inputs), &inputs, &plan);
        let told: Vec<_> =
            rivals.iter().map(|it| (it.path.to_str().unwrap_or(""), it.key.as_str())).collect();
        let expected = [
            ("/home/u/.config/crush/crush.json", "providers"),
            ("/work/.crush.json", "models"),
            ("/work/.env", "CRUSH_CLIENT_SERVER"),
        ];
        assert_eq!(told, expected);
    }
}
