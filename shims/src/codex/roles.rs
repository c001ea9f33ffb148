//! Roles of sub-agents that bring a model of their own.
//!
//! The model itself asks for a role, and no `-c` word outdoes what the role's file says (seen in 0.171). The user's
//! own are in files of their own or named by `config.toml`; which of a project's are read, `projects` says.

use std::path::{Path, PathBuf};

use toml::{Table, Value as Toml};

use super::config::{SettingsText, may_say, table};
use super::home::CodexHome;
use super::texts::named_path;
use crate::inputs::without_dots;
use crate::{Entry, EntryKind, Inputs, Launch, Message, Plan};

/// How many folders deep roles are looked for. Codex looks deeper; nobody keeps them there.
const DEEPEST: usize = 4;

/// How many files and folders are looked at.
const MOST: usize = 200;

/// What [`warn`] must know. Most homes have no roles, and are asked nothing more.
pub fn reads(home: &CodexHome, inputs: &Inputs) -> Vec<PathBuf> {
    if home.isolated {
        return Vec::new();
    }
    let mut paths = named_by_settings(home, inputs);
    if inputs.entry(&home.real, "agents").is_some() {
        below(&home.real.join("agents"), inputs, DEEPEST, &mut paths);
    }
    paths
}

/// Every role's file below a folder, and the folders on the way. A link to a folder may lead anywhere, and is left out.
fn below(folder: &Path, inputs: &Inputs, deep: usize, paths: &mut Vec<PathBuf>) {
    paths.push(folder.to_owned());
    for Entry { name, kind } in inputs.entries(folder) {
        let path = folder.join(name);
        if paths.len() >= MOST {
            return;
        }
        if is_toml(&path) {
            paths.push(path);
        } else if *kind == EntryKind::Dir && deep > 0 {
            below(&path, inputs, deep - 1, paths);
        }
    }
}

/// The files of `[agents.NAME] config_file` in the user's own settings.
fn named_by_settings(home: &CodexHome, inputs: &Inputs) -> Vec<PathBuf> {
    let text = inputs.readable(&home.real.join("config.toml")).unwrap_or_default();
    if !may_say(text, "config_file") {
        return Vec::new();
    }
    let table: Table = text.parse().unwrap_or_default();
    let agents = table.get("agents").and_then(Toml::as_table).into_iter().flatten();
    let files = agents.filter_map(|(_, role)| role.get("config_file")?.as_str());
    files.map(|file| without_dots(&named_path(&home.real, file, inputs))).collect()
}

/// Warns of each role that would ask this provider for a model that nobody said it has.
pub fn warn(launch: &Launch, home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    let tiers = &launch.tiers;
    let tiers = tiers.ids();
    let known = |id: &str| {
        let mut models = launch.models.iter().chain([&launch.model.value]);
        models.any(|model| model.id == id) || tiers.into_iter().any(|tier| tier == id)
    };
    for path in reads(home, inputs) {
        let role = table(&path, inputs);
        let model = role.as_ref().and_then(|role| role.get("model")).and_then(Toml::as_str);
        if let Some(model) = model.filter(|model| !known(model)) {
            plan.warn(Message::new(
                format!(
                    "{}: a sub-agent of this role requests the model {model:?} from provider `{}`",
                    path.display(),
                    launch.provider
                ),
                "remove `model` from the role to use the launch's model",
            ));
        }
    }
}

pub fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

const ROLE: &str = "may make a sub-agent request another model than this launch's";

/// Warns of a project's roles that bring a model of their own.
pub fn warn_of_projects(folder: &Path, launch: &Launch, inputs: &Inputs, plan: &mut Plan) {
    let is_launchs = |model: &Toml| model.as_str() == Some(&*launch.model.value.id);
    // Codex reads roles at any depth (seen in 0.171); those below another folder are not read here.
    let is_folder = |entry: &&Entry| match entry.kind {
        EntryKind::Dir => true,
        EntryKind::Link(_) => !is_toml(Path::new(&entry.name)) || inputs.is_folder(&folder.join(&entry.name)),
        EntryKind::File => false,
    };
    for entry in inputs.entries(folder).iter().filter(is_folder) {
        let path = folder.join(&entry.name);
        let path = path.display();
        plan.warn(format!("{path} is not searched: a role there {ROLE}"));
    }
    for entry in inputs.entries(folder).iter().filter(|entry| is_toml(Path::new(&entry.name))) {
        let path = folder.join(&entry.name);
        match SettingsText::read(&path, inputs) {
            SettingsText::Settings(table) if table.get("model").is_none_or(is_launchs) => {}
            SettingsText::Nothing => {}
            _ => plan.warn(format!("{} {ROLE}", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fact, Model, Note, Protocol};

    #[test]
    fn a_role_with_a_foreign_model_is_named_wherever_it_lies() {
        let mut inputs = Inputs::default();
        inputs.dirs.home = "/h".into();
        let config = "[agents.by_settings]\n\"config\\u005ffile\" = 'roles/named.toml'\n[agents.plain]\ndescription = 'x'\n";
        for (path, text) in [
            ("/h/.codex/config.toml", config),
            ("/h/.codex/roles/named.toml", "model = 'named-model'"),
            ("/h/.codex/agents/top.toml", "model = 'gpt-6-sol'\n"),
            ("/h/.codex/agents/deep/er/low.toml", "model = \"low-model\"\n"),
            ("/h/.codex/agents/ours.toml", "model = 'm'\n"),
            ("/h/.codex/agents/listed.toml", "model = 'listed'\n"),
            ("/h/.codex/agents/none.toml", "developer_instructions = 'be brief'\n"),
            ("/h/.codex/agents/broken.toml", "[[[ model = 'x'"),
        ] {
            inputs.facts.insert(path.into(), Fact::File(text.into()));
        }
        let folder = |entries: &[(&str, EntryKind)]| {
            Fact::Dir(
                entries.iter().map(|(name, kind)| Entry { name: name.into(), kind: kind.clone() }).collect(),
            )
        };
        let files = ["top", "ours", "listed", "none", "broken"].map(|name| format!("{name}.toml"));
        let mut agents: Vec<_> = files.iter().map(|name| (name.as_str(), EntryKind::File)).collect();
        agents.push(("deep", EntryKind::Dir));
        inputs.facts.insert("/h/.codex".into(), folder(&[("agents", EntryKind::Link("/x".into()))]));
        inputs.facts.insert("/h/.codex/agents".into(), folder(&agents));
        inputs.facts.insert("/h/.codex/agents/deep".into(), folder(&[("er", EntryKind::Dir)]));
        inputs.facts.insert("/h/.codex/agents/deep/er".into(), folder(&[("low.toml", EntryKind::File)]));

        let mut launch = Launch::sample("p", Protocol::OpenaiResponses, "https://p.example", "m");
        launch.models = vec![Model::named("listed")];
        let named = |launch: &Launch| {
            let mut plan = Plan::default();
            warn(launch, &CodexHome::of(launch, &inputs), &inputs, &mut plan);
            plan.notes
        };
        let notes = named(&launch);
        assert_eq!(notes.len(), 3, "{notes:?}");
        for (note, (file, model)) in notes.iter().zip([
            ("/h/.codex/roles/named.toml: ", "\"named-model\""),
            ("/h/.codex/agents/top.toml: ", "\"gpt-6-sol\""),
            ("/h/.codex/agents/deep/er/low.toml: ", "\"low-model\""),
        ]) {
            assert!(
                matches!(note, Note::Warning(text) if text.render().starts_with(file) && text.render().contains(model)),
                "{note:?}"
            );
        }
        launch.isolated = true;
        assert!(named(&launch).is_empty(), "nothing of the user's is there");
    }
}
