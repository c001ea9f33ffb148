//! What chooses a model or a provider beside the launch, and cannot be overruled: it is named.
//!
//! The one list, by what becomes of it (Hermes 0.19). Overruled in the runtime home's `config.yaml`: the keys of
//! [`super::settings`], among them `auxiliary`, `delegation`, `model_aliases` and the fallbacks. Overruled by pins and
//! removed: the families of [`super::variables`]. Given to Hermes as the user wrote it: `-m`, and refused where it
//! is no literal. Out of reach: what `/model` left in the gateway's chats ([`super::gateway`]). Left to the user, and
//! named here: jobs with a choice of their own, and the presets of `/moa`.

use crate::judged::hermes::SETTING_NAMED as NAMED;
use std::path::PathBuf;

use anyhow::{Result, bail};
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

/// What to say of jobs that choose for themselves, and of those that Hermes skips in this launch because they were made
/// with another model.
///
/// # Errors
/// When such a job runs a number of times: Hermes counts the skipped run, and removes the job after its last (0.19).
pub fn of_jobs(
    homes: &HermesHomes,
    words: &HermesArgs,
    model: &str,
    typed: &str,
    inputs: &Inputs,
) -> Result<Vec<Message>> {
    let Some(path) = jobs_file(homes, words) else { return Ok(Vec::new()) };
    let jobs = match inputs.file(&path) {
        Ok(None | Some([])) => return Ok(Vec::new()),
        Ok(Some(bytes)) => serde_json::from_slice::<Json>(bytes).ok(),
        Err(_) => None,
    };
    let own_help = "set these keys to null there to use this launch's provider and model";
    let holds = |what: String, help: &str| Message::new(format!("{} holds {what}", path.display()), help);
    let Some(jobs) = jobs else {
        let what = "jobs that could not be read, and may have their own provider".to_owned();
        return Ok(vec![holds(what, own_help)]);
    };
    let help = format!(
        "set provider_snapshot and model_snapshot to null there to use this launch's, or run plain `{typed}`, without agent-run"
    );
    let runs =
        words.starts_with(["cron", "run"]) || words.starts_with(["cron", "tick"]) || words.runs_gateway();
    let is_counted = |job: &Json| is_skipped(job, model) && job["repeat"]["times"].is_number();
    if let Some(names) = named(&jobs, is_counted).filter(|_| runs) {
        let what =
            "jobs that Hermes would skip and count as run, as they were made with another provider or model";
        bail!(holds(format!("{what}: {names}"), &help));
    }
    let own =
        named(&jobs, |job| ["model", "provider", "base_url"].iter().any(|key| !text(job, key).is_empty()));
    let own = own.map(|names| holds(format!("jobs with their own model or provider: {names}"), own_help));
    let what = "jobs that Hermes skips in this launch, as they were made with another provider or model";
    let skipped = named(&jobs, |job| is_skipped(job, model));
    let skipped = skipped.map(|names| holds(format!("{what}: {names}"), &help));
    Ok(own.into_iter().chain(skipped).collect())
}

/// Whether Hermes skips it where the model is this one; the provider of a launch is always `custom`.
fn is_skipped(job: &Json, model: &str) -> bool {
    [("provider", "provider_snapshot", "custom"), ("model", "model_snapshot", model)].iter().any(
        |(own, made_with, now)| {
            let made_with = text(job, made_with).to_lowercase();
            text(job, own).is_empty() && !made_with.is_empty() && made_with != now.trim().to_lowercase()
        },
    )
}

fn text<'a>(job: &'a Json, key: &str) -> &'a str {
    job[key].as_str().unwrap_or_default().trim()
}

/// The names of those jobs.
fn named(jobs: &Json, is: impl Fn(&Json) -> bool) -> Option<String> {
    let names = jobs["jobs"].as_array()?.iter().filter(|job| is(job));
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
            let homes = HermesHomes::find(&launch, &words, &inputs);
            of_jobs(&homes, &words, "New", "hermes", &inputs)
        };
        let jobs = r#"{"jobs": [{"name": "daily", "model": "x"}, {"name": "plain", "model": null}]}"#;
        let rendered = |args: &[&str], text: &str| match said(args, text) {
            Ok(all) => all.iter().map(Message::render).collect::<Vec<_>>(),
            Err(error) => vec![format!("refused: {}", Message::of(&error).render())],
        };
        let all = rendered(&["cron", "tick"], jobs);
        assert!(matches!(&all[..], [one] if one.contains(": `daily`\nhelp: ")), "{all:?}");
        let all = rendered(&["gateway", "run"], "{");
        assert!(matches!(&all[..], [one] if one.contains("could not be read")), "{all:?}");
        assert_eq!(rendered(&["chat"], jobs), Vec::<String>::new(), "no job runs");
        assert_eq!(rendered(&["cron"], r#"{"jobs": []}"#), Vec::<String>::new());
        // Seen with 0.19: one that was to run once was gone, and had not run.
        let made = |snapshot: &str, times: &str| {
            format!(
                r#"{{"jobs": [{{"id": "a", "model_snapshot": "{snapshot}", "provider_snapshot": "custom", "repeat": {{"times": {times}}}}}]}}"#
            )
        };
        for words in [["cron", "tick"], ["cron", "run"], ["gateway", "run"]] {
            let all = rendered(&words, &made("old", "1"));
            assert!(
                matches!(&all[..], [one] if one.starts_with("refused: ") && one.contains(": `a`\nhelp: ")),
                "{all:?}"
            );
        }
        for (words, times) in [(["cron", "tick"], "null"), (["cron", "list"], "1")] {
            let all = rendered(&words, &made("old", times));
            assert!(
                matches!(&all[..], [one] if one.contains("skips in this launch") && one.contains(": `a`\nhelp: ")),
                "{all:?}"
            );
        }
        assert_eq!(rendered(&["cron", "tick"], &made("new", "1")), Vec::<String>::new());
    }
}
