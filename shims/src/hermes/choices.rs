//! What chooses a model or a provider beside the launch, and cannot be overruled: it is named.
//!
//! The one list, by what becomes of it (Hermes 0.19). Overruled in the runtime home's `config.yaml`: the keys of
//! [`super::settings`], among them `auxiliary`, `delegation`, `model_aliases` and the fallbacks. Overruled by pins and
//! removed: the families of [`super::variables`]. Given to Hermes as the user wrote it: `-m`, and refused where it
//! is no literal. Out of reach: what `/model` left in the gateway's chats ([`super::gateway`]). Left to the user, and
//! named here: jobs with a choice of their own, and the presets of `/moa`.

use crate::judged::hermes::SETTING_NAMED as NAMED;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::argv::HermesArgs;
use super::home::HermesHomes;
use super::settings;
use super::yaml::Mapping;
use crate::{ConflictingSetting, Inputs, Message};

/// The file with the user's jobs, where a launch runs them.
pub fn jobs_file(homes: &HermesHomes, words: &HermesArgs) -> Option<PathBuf> {
    words.runs_jobs().then(|| homes.base.join("cron/jobs.json"))
}

/// What to say of jobs that choose for themselves.
pub fn warning(homes: &HermesHomes, words: &HermesArgs, inputs: &Inputs) -> Option<Message> {
    let path = jobs_file(homes, words)?;
    let jobs = match inputs.file(&path) {
        Ok(None | Some([])) => return None,
        Ok(Some(bytes)) => serde_json::from_slice::<Json>(bytes).ok(),
        Err(_) => None,
    };
    let what = match jobs {
        Some(jobs) => format!("jobs with their own model or provider: {}", choosing(&jobs)?),
        None => "jobs that could not be read, and may have their own provider".to_owned(),
    };
    Some(Message::new(
        format!("{} holds {what}", path.display()),
        "set these keys to null there to use this launch's provider and model",
    ))
}

/// The names of the jobs that choose.
fn choosing(jobs: &Json) -> Option<String> {
    let chooses = |job: &&Json| {
        ["model", "provider", "base_url"]
            .iter()
            .any(|key| job[key].as_str().is_some_and(|text| !text.is_empty()))
    };
    let names = jobs["jobs"].as_array()?.iter().filter(chooses);
    let names = names.map(|job| job["name"].as_str().or(job["id"].as_str()).unwrap_or("one without a name"));
    let names: Vec<String> = names.map(|name| format!("`{}`", name.escape_debug())).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Settings that choose and stay.
pub fn kept(homes: &HermesHomes, settings: &Mapping) -> impl Iterator<Item = ConflictingSetting> {
    let answer = "is kept, and `/moa` uses the providers that it names";
    let set = NAMED.iter().filter(|key| settings.get(key).is_some());
    set.map(move |key| ConflictingSetting::new(&homes.base.join(settings::FILE), *key, answer))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{inputs, launch};
    use super::*;
    use crate::Fact;

    #[test]
    fn jobs_with_a_choice_of_their_own_are_named() {
        let said = |args: &[&str], text: &str| {
            let mut inputs = inputs();
            inputs.facts.insert("/home/u/.hermes/cron/jobs.json".into(), Fact::File(text.into()));
            let launch = launch(args);
            let words = HermesArgs::of(&launch);
            warning(&HermesHomes::find(&launch, &words, &inputs), &words, &inputs)
        };
        let jobs = r#"{"jobs": [{"name": "daily", "model": "x"}, {"name": "plain", "model": null}]}"#;
        let text = said(&["cron", "tick"], jobs).expect("a warning");
        assert!(
            text.render().contains("`daily`")
                && !text.render().contains("plain")
                && text.render().contains("\nhelp: "),
            "{text}"
        );
        assert!(
            said(&["gateway", "run"], "{").is_some_and(|text| text.render().contains("could not be read"))
        );
        assert_eq!(said(&["chat"], jobs), None, "no job runs");
        assert_eq!(said(&["cron"], r#"{"jobs": []}"#), None);
    }
}
