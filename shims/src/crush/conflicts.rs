//! The settings of the user, the administrator and the project that a launch overrules, for `why` and `doctor`.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value as Json;

use super::case_fold;
use super::homes::CrushHomes;
use super::project_files::ProjectFiles;
use super::settings::REPLACED;
use super::variables::{dotenv_names, dotenv_path};
use crate::json::{self, GO};
use crate::{ConflictingSetting, Inputs, Launch, Plan};

/// The administrator's settings, which cannot be left out. No launch needs to know them.
pub const SYSTEM: &str = "/etc/crush/crush.json";

const LAST: &str = "crush.json in the session folder overrides it";

/// The settings that the plan overrules.
pub fn of(launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
    let homes = CrushHomes::of(launch, inputs);
    let own = [homes.theirs.settings()].into_iter().chain(homes.theirs.choices());
    let own = own.map(|path| (path, "omitted from the launch's own settings"));
    let mut found: Vec<ConflictingSetting> = own
        .chain([(SYSTEM.into(), LAST)])
        .flat_map(|(path, answer)| in_file(&path, answer, inputs))
        .collect();
    let project = ProjectFiles::read(&homes.start, &homes.project, launch, inputs).unwrap_or_default();
    found.extend(project.settings.iter().flat_map(|(path, settings)| chosen(path, settings, LAST)));
    found.extend(in_dotenv(inputs, plan));
    found
}

fn in_file(path: &Path, answer: &'static str, inputs: &Inputs) -> Vec<ConflictingSetting> {
    let bytes = inputs.file(path).ok().flatten().unwrap_or_default();
    match json::parse(bytes, GO) {
        Ok(Json::Object(settings)) => chosen(path, &settings, answer),
        _ => Vec::new(),
    }
}

fn chosen(path: &Path, settings: &super::JsonObject, answer: &'static str) -> Vec<ConflictingSetting> {
    let set = settings
        .iter()
        .filter(|(key, value)| !value.is_null() && REPLACED.iter().any(|field| case_fold::is(key, field)));
    set.map(|(key, _)| ConflictingSetting::new(path, key, answer)).collect()
}

/// Crush sets from a dotenv file what is not in the environment yet.
fn in_dotenv(inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
    let path = dotenv_path(inputs);
    let is_set = |name: &String| matches!(plan.env.get(OsStr::new(name)), Some(Some(_)));
    let answer = "the launch sets the variable, and Crush does not change it";
    let names = dotenv_names(inputs).into_iter().filter(is_set);
    names.map(|name| ConflictingSetting::new(&path, name, answer)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fact, Launch, Protocol};

    #[test]
    fn the_users_and_the_projects_files_are_found_in_any_spelling() {
        let mut inputs = Inputs::default();
        (inputs.dirs.home, inputs.dirs.cwd) = ("/home/u".into(), "/work".into());
        inputs.dirs.config = "/home/u/.config".into();
        for (path, text) in [
            ("/home/u/.config/crush/crush.json", r#"{"providers": {"x": {}}, "models": null, "lsp": {}}"#),
            ("/work/.crush.json", r#"{"model\u017f": {"large": {}}, "Providers": {}}"#),
            ("/etc/crush/crush.json", r#"{"PROVIDERS": {}}"#),
            ("/work/.env", "EDITOR=vi\nexport\tCRUSH_CLIENT_SERVER: 1\n"),
        ] {
            inputs.facts.insert(path.into(), Fact::File(text.into()));
        }
        let launch = Launch::sample("p", Protocol::OpenaiChatCompletions, "https://p.example", "m");
        let mut plan = Plan::default();
        plan.set("CRUSH_CLIENT_SERVER", "0");
        let conflicts = of(&launch, &inputs, &plan);
        let found: Vec<_> =
            conflicts.iter().map(|it| (it.path.to_str().unwrap_or(""), it.key.as_str())).collect();
        let expected = [
            ("/home/u/.config/crush/crush.json", "providers"),
            ("/etc/crush/crush.json", "PROVIDERS"),
            ("/work/.crush.json", "model\u{17f}"),
            ("/work/.crush.json", "Providers"),
            ("/work/.env", "CRUSH_CLIENT_SERVER"),
        ];
        assert_eq!(found, expected);
    }
}
