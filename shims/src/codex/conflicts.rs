//! What the user's own files say against a launch.

use std::ffi::OsStr;
use std::path::Path;

use toml::Table;

use super::config::REPLACED;
use super::home::CodexHome;
use crate::{Agent, ConflictingSetting, Inputs, Launch, Plan, dotenv};

/// Of a trusted project's keys Codex takes the first two, and passes the others by.
const PROJECTS: [&str; 6] =
    ["model", "review_model", "model_provider", "openai_base_url", "chatgpt_base_url", "profile"];

/// The user's and the project's settings that the plan overrules.
pub fn of(launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
    let home = CodexHome::of(launch, inputs);
    let mut conflicts = of_project(&inputs.dirs.cwd.join(".codex/config.toml"), inputs);
    if launch.isolated {
        return conflicts;
    }
    let own = home.real.join("config.toml");
    let left_out = |key| ConflictingSetting {
        path: own.clone(),
        key,
        answer: "omitted from the launch's own config.toml",
    };
    conflicts.extend(keys(&own, REPLACED, inputs).map(left_out));
    conflicts.extend(of_dotenv(&home.real.join(".env"), inputs, plan));
    conflicts
}

fn of_project(path: &Path, inputs: &Inputs) -> Vec<ConflictingSetting> {
    let answer = |key: &str| match key {
        "model" | "review_model" => "set with -c on the command line",
        _ => "Codex ignores it in projects, and -c sets the provider",
    };
    keys(path, &PROJECTS, inputs)
        .map(|key| ConflictingSetting { path: path.to_owned(), answer: answer(&key), key })
        .collect()
}

fn of_dotenv(path: &Path, inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
    let bytes = inputs.file(path).ok().flatten().unwrap_or_default();
    let family = super::Codex.info().managed_env_vars;
    let names = dotenv::names(bytes, dotenv::DotenvDialect::Lines).into_iter().filter(|name| {
        family.iter().any(|pattern| crate::inputs::matches(pattern, name))
            || plan.env.contains_key(OsStr::new(name))
    });
    let answer = "the launch's provider reads only variables of its own";
    names.map(|name| ConflictingSetting { path: path.to_owned(), key: name, answer }).collect()
}

/// Those of `wanted` that the file sets.
fn keys<'a>(path: &Path, wanted: &'a [&'a str], inputs: &Inputs) -> impl Iterator<Item = String> + use<'a> {
    let text = inputs.text(path).ok().flatten().unwrap_or_default();
    let table: Table = text.parse().unwrap_or_default();
    wanted.iter().filter(move |key| table.contains_key(**key)).map(|key| (*key).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fact, Protocol};

    #[test]
    fn the_users_the_projects_and_the_dotenvs_settings_are_said_apart() {
        let mut inputs = Inputs::default();
        inputs.dirs.home = "/home/u".into();
        inputs.dirs.cwd = "/work".into();
        for (path, text) in [
            ("/home/u/.codex/config.toml", "model = 'm'\nprofile = 'p'\nhide_agent_reasoning = true"),
            ("/work/.codex/config.toml", "model = 'm'\nopenai_base_url = 'u'\nmodel_context_window = 1"),
            ("/home/u/.codex/.env", "export OPENAI_API_KEY=k\nEDITOR=vi\n"),
        ] {
            inputs.facts.insert(path.into(), Fact::File(text.into()));
        }
        let mut launch = Launch::sample("p", Protocol::OpenaiResponses, "https://p.example", "m");
        let keys = |launch: &Launch| -> Vec<_> {
            let conflicts = of(launch, &inputs, &Plan::default());
            conflicts
                .into_iter()
                .map(|conflict| format!("{} {}", conflict.path.display(), conflict.key))
                .collect()
        };
        let project = ["/work/.codex/config.toml model", "/work/.codex/config.toml openai_base_url"];
        let own = ["config.toml model", "config.toml profile", ".env OPENAI_API_KEY"];
        let own = own.map(|it| format!("/home/u/.codex/{it}"));
        assert_eq!(keys(&launch), [&project.map(str::to_owned)[..], &own].concat());
        launch.isolated = true;
        assert_eq!(keys(&launch), project);
    }
}
