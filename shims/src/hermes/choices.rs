//! What chooses a model or a provider beside the launch, and cannot be overruled: it is named.
//!
//! The one list, by what becomes of it (Hermes 0.19). Overruled in the runtime home's `config.yaml`: the keys of
//! [`super::settings`], among them `auxiliary`, `delegation`, `model_aliases` and the fallbacks. Overruled by pins and
//! removed: the families of [`super::variables`]. Given to Hermes as the user wrote it: `-m`, and refused where it
//! is no literal. Left to the user, and named here: jobs with a choice of their own, and the presets of `/moa`.

use crate::judged::hermes::SETTING_NAMED as NAMED;
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::Value as Json;

use super::argv::HermesArgs;
use super::home::HermesHomes;
use super::settings;
use super::yaml::Mapping;
use crate::{ConflictingSetting, Inputs, Launch, Message};

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

/// The file with the gateway's chats, where a launch runs it. Hermes keeps them in its database too, and both the same.
pub fn chats_file(homes: &HermesHomes, words: &HermesArgs) -> Option<PathBuf> {
    words.runs_gateway().then(|| homes.base.join("sessions/sessions.json"))
}

/// Refuses a gateway with chats that keep the provider of an earlier `/model`: Hermes sends the key of its config
/// there, which is this launch's (from its source, 0.19).
///
/// # Errors
/// When there is such a chat, or the file cannot be read.
pub fn refuse_chats(homes: &HermesHomes, words: &HermesArgs, launch: &Launch, inputs: &Inputs) -> Result<()> {
    let Some(path) = chats_file(homes, words) else { return Ok(()) };
    let bytes = inputs.file(&path)?.unwrap_or_default();
    let help = "run plain `hermes gateway run`, without agent-run, and send /new in these chats";
    let chats = match serde_json::from_slice::<Json>(bytes) {
        _ if bytes.is_empty() => return Ok(()),
        Ok(chats) => chats,
        Err(error) => bail!(Message::new(format!("could not read {}: {error}", path.display()), help)),
    };
    let elsewhere = |chat: &Json| {
        let kept = |key: &str| chat["model_override"][key].as_str().filter(|text| !text.is_empty());
        let base_url = launch.base_url.value.trim_end_matches('/');
        kept("base_url").is_some_and(|url| url.trim_end_matches('/') != base_url)
            || kept("model").is_some_and(|model| model != launch.model.value.id)
            || kept("provider").is_some_and(|provider| provider != "custom")
    };
    let chats = chats.as_object().into_iter().flatten().filter(|(_, chat)| elsewhere(chat));
    let names: Vec<String> = chats.map(|(name, _)| format!("`{}`", name.escape_debug())).collect();
    if !names.is_empty() {
        let chats = names.join(", ");
        bail!(Message::new(
            format!("{}: chats keep the provider or model of an earlier /model: {chats}", path.display()),
            help
        ));
    }
    Ok(())
}

/// Settings that choose and stay.
pub fn kept(homes: &HermesHomes, settings: &Mapping) -> impl Iterator<Item = ConflictingSetting> {
    NAMED.iter().filter(|key| settings.get(key).is_some()).map(|key| ConflictingSetting {
        path: homes.base.join(settings::FILE),
        key: (*key).to_owned(),
        answer: "is kept, and `/moa` uses the providers that it names",
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{inputs, launch};
    use super::*;
    use crate::Fact;

    #[test]
    fn a_gateway_with_chats_on_another_provider_is_refused() {
        let check = |args: &[&str], text: &str| {
            let mut inputs = inputs();
            inputs.facts.insert("/home/u/.hermes/sessions/sessions.json".into(), Fact::File(text.into()));
            let mut launch = launch(args);
            launch.base_url.value = "https://ours/v1".into();
            launch.model.value.id = "m".into();
            let words = HermesArgs::of(&launch);
            refuse_chats(&HermesHomes::find(&launch, &words, &inputs), &words, &launch, &inputs)
        };
        for kept in [
            r#""base_url": "https://theirs/v1", "provider": "custom""#,
            r#""provider": "openrouter""#,
            r#""model": "other""#,
        ] {
            let chats = format!(r#"{{"_README": "x", "a:b": {{"model_override": {{{kept}}}}}, "c": {{}}}}"#);
            let error = Message::of(&check(&["gateway", "run"], &chats).expect_err(kept)).render();
            assert!(error.contains("an earlier /model: `a:b`\nhelp: "), "{error}");
            assert!(check(&["chat"], &chats).is_ok(), "no gateway runs");
        }
        let own = r#"{"a": {"model_override": {"base_url": "https://ours/v1/", "provider": "custom", "model": "m"}}}"#;
        assert!(check(&["gateway"], own).is_ok() && check(&["gateway"], "").is_ok());
        assert!(check(&["gateway"], "{").is_err());
    }

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
