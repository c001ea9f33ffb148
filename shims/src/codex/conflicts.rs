//! What the user's own files say against a launch.

use std::ffi::OsStr;
use std::path::Path;

use super::config::{REPLACED, table};
use super::home::CodexHome;
use crate::judged::codex::PROJECT_OVERRULED;
use crate::{Agent, ConflictingSetting, Inputs, Launch, Plan, dotenv};

/// The user's and the project's settings that the plan overrules.
pub fn of(launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
    let home = CodexHome::of(launch, inputs);
    let mut conflicts =
        overruled(&inputs.dirs.cwd.join(".codex/config.toml"), PROJECT_OVERRULED.iter().copied(), inputs);
    if launch.isolated {
        return conflicts;
    }
    let own = home.real.join("config.toml");
    let left_out = REPLACED.iter().map(|&key| (key, "omitted from the launch's own config.toml"));
    conflicts.extend(overruled(&own, left_out, inputs));
    conflicts.extend(of_dotenv(&home.real.join(".env"), inputs, plan));
    conflicts
}

/// Those of the `keys` that the file sets, each with what overrules it.
fn overruled(
    path: &Path,
    keys: impl Iterator<Item = (&'static str, &'static str)>,
    inputs: &Inputs,
) -> Vec<ConflictingSetting> {
    let table = table(path, inputs).unwrap_or_default();
    let set = keys.filter(|(key, _)| table.contains_key(*key));
    set.map(|(key, answer)| ConflictingSetting::new(path, key, answer)).collect()
}

fn of_dotenv(path: &Path, inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
    let bytes = inputs.file(path).ok().flatten().unwrap_or_default();
    let family = super::Codex.info().managed_env_vars;
    let names = dotenv::names(bytes, dotenv::DotenvDialect::Lines).into_iter().filter(|name| {
        family.iter().any(|pattern| crate::inputs::matches(pattern, name))
            || plan.env.contains_key(OsStr::new(name))
    });
    let answer = "the launch's provider reads only variables of its own";
    names.map(|name| ConflictingSetting::new(path, name, answer)).collect()
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
