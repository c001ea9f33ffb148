//! What came of a trial, promise by promise, in plain words. No key is in them.

use std::collections::BTreeSet;

use anyhow::Error;
use shims::trial::{KEY_VARIABLE, MODEL, PLANTED_KEY, Promise, Trial, TrialTest};

use super::TrialRun;
use super::sandbox::BESIDE_MODEL;
use crate::error;
use crate::mock_provider::RequestRecord;
use crate::probe::findings::{holds, keys, without_keys};

/// Whether a promise holds.
#[derive(Debug, Eq, PartialEq)]
pub enum TrialOutcome {
    /// It does.
    Holds,
    /// It does not, and this was seen.
    Broken(String),
    /// What would show it did not happen, for this reason.
    Unseen(String),
}

/// A promise, and whether it holds.
pub struct Verdict {
    /// What it is about.
    pub subject: &'static str,
    /// What holds, or does not.
    pub text: &'static str,
    /// The version from which on it is known to hold, where older ones are known not to.
    pub since: Option<&'static str>,
    pub outcome: TrialOutcome,
}

impl Verdict {
    fn of(promise: &Promise, outcome: TrialOutcome) -> Self {
        let Promise { subject, text, since, .. } = *promise;
        Self { subject, text, since, outcome }
    }
}

/// Judges a trial whose launches ran.
pub fn of(trial: &Trial, ran: &TrialRun) -> Vec<Verdict> {
    let mut verdicts: Vec<_> =
        trial.promises.iter().map(|promise| Verdict::of(promise, judge(&promise.test, ran))).collect();
    verdicts.extend(anything_else(trial, ran));
    verdicts
}

/// The verdicts of a trial for which there was no time.
pub fn without_time(trial: &Trial) -> Vec<Verdict> {
    unseen(trial, "the time was up")
}

/// The verdicts of a trial whose launch failed.
pub fn not_launched(trial: &Trial, error: &Error) -> Vec<Verdict> {
    unseen(trial, &format!("it was not launched: {}", error::message(error).text))
}

fn unseen(trial: &Trial, why: &str) -> Vec<Verdict> {
    trial.promises.iter().map(|promise| Verdict::of(promise, TrialOutcome::Unseen(why.to_owned()))).collect()
}

fn judge(test: &TrialTest, ran: &TrialRun) -> TrialOutcome {
    let outcome = match *test {
        TrialTest::Models(word) => models(word, ran),
        TrialTest::NoKey(path) => {
            let mut came = ran.elsewhere.iter().filter(|record| is_below(record, path));
            broken_if(came.any(|it| ran.keys.iter().any(|key| holds(it, key))), "it got the key")
        }
        TrialTest::Nothing(path) => {
            broken_if(ran.elsewhere.iter().any(|record| is_below(record, path)), "its server got a request")
        }
        TrialTest::Tool(word) => tool(word, ran),
        TrialTest::WithoutKey(word) => {
            let results: Vec<_> = ran.provider.iter().filter(|it| is_prompt(it) && holds(it, word)).collect();
            let printed = results.iter().any(|it| holds(&without_keys(it), &ran.keys[0]));
            match results.len() {
                0 => TrialOutcome::Unseen("no tool result came back".to_owned()),
                _ => broken_if(printed, "the tool printed the key"),
            }
        }
        TrialTest::Then(first, second) => then(first, second, ran),
        TrialTest::Environment(path) => match ran.written(path) {
            Some(text) => environment(|secret| text.contains(secret), ran),
            None => TrialOutcome::Unseen("it did not run".to_owned()),
        },
        TrialTest::NotRun(path) => broken_if(ran.written(path).is_some(), "it ran"),
        TrialTest::Line(word, wanted) => match ran.output.stdout.lines().find(|line| line.contains(word)) {
            Some(line) if line.contains(wanted) => TrialOutcome::Holds,
            Some(line) => TrialOutcome::Broken(format!("it says `{}`", line.trim())),
            None => TrialOutcome::Unseen(format!("it did not print a line with `{word}`")),
        },
        TrialTest::Apart => apart(ran),
    };
    // Promises about what does not happen prove nothing where nothing happens. A prompt that went elsewhere alone does.
    let is_line = matches!(test, TrialTest::Line(..));
    if !is_line && !matches!(outcome, TrialOutcome::Broken(_)) && !ran.provider.iter().any(is_prompt) {
        return TrialOutcome::Unseen(match &ran.output.ended {
            Some(how) => format!("the agent exited ({how}) without a request"),
            None => "the agent sent no request in time".to_owned(),
        });
    }
    // What had not ended may still have done it, or not yet.
    let is_open = matches!(
        (test, &outcome),
        (TrialTest::NoKey(_) | TrialTest::Nothing(_) | TrialTest::NotRun(_), TrialOutcome::Holds)
            | (TrialTest::Then(..), TrialOutcome::Broken(_))
    );
    if is_open && ran.output.ended.is_none() {
        return TrialOutcome::Unseen("the agent had not ended in time".to_owned());
    }
    outcome
}

fn broken_if(is_broken: bool, what: &str) -> TrialOutcome {
    if is_broken { TrialOutcome::Broken(what.to_owned()) } else { TrialOutcome::Holds }
}

fn models(word: &str, ran: &TrialRun) -> TrialOutcome {
    let asked: Vec<_> =
        ran.provider.iter().filter(|it| is_prompt(it) && it.last_user().contains(word)).collect();
    if asked.is_empty() {
        return TrialOutcome::Unseen("it sent no request for it".to_owned());
    }
    let others: BTreeSet<_> =
        asked.iter().filter_map(|it| it.model.as_deref()).filter(|model| *model != MODEL).collect();
    if !others.is_empty() {
        let others = others.into_iter().collect::<Vec<_>>().join(", ");
        return TrialOutcome::Broken(format!("it requested {others}"));
    }
    let asks_for_more = |it: &&RequestRecord| it.headers.values().any(|value| value.contains("context-1m"));
    broken_if(asked.iter().any(asks_for_more), "it requested a window of a million tokens")
}

fn tool(word: &str, ran: &TrialRun) -> TrialOutcome {
    let results: Vec<_> = ran.provider.iter().filter(|it| is_prompt(it) && holds(it, word)).collect();
    if results.is_empty() {
        return TrialOutcome::Unseen("no tool result came back".to_owned());
    }
    environment(|secret| results.iter().any(|it| holds(it, secret)), ran)
}

/// Whether what a program saw holds a key that a launch does not hand on.
fn environment(sees: impl Fn(&str) -> bool, ran: &TrialRun) -> TrialOutcome {
    if sees(&ran.stale) || sees(&ran.keys[1]) {
        return TrialOutcome::Broken("another provider's key was in its environment".to_owned());
    }
    broken_if(
        sees(&format!("{KEY_VARIABLE}={}", ran.keys[0])),
        "your own variable with the key was in its environment",
    )
}

fn then(first: &str, second: &str, ran: &TrialRun) -> TrialOutcome {
    let prompts: Vec<_> = ran.provider.iter().filter(|it| is_prompt(it)).collect();
    let Some(at) = prompts.iter().position(|it| it.last_user().contains(first)) else {
        return TrialOutcome::Unseen("it got no request".to_owned());
    };
    let later = &prompts[at + 1..];
    if later.is_empty() {
        return TrialOutcome::Unseen("it sent no more requests".to_owned());
    }
    let is_there = later.iter().any(|it| it.last_user().to_lowercase().contains(second));
    broken_if(!is_there, "it continued with the whole conversation")
}

fn apart(ran: &TrialRun) -> TrialOutcome {
    for (records, own, other, model) in [
        (&ran.provider, &ran.keys[0], &ran.keys[1], MODEL),
        (&ran.elsewhere, &ran.keys[1], &ran.keys[0], BESIDE_MODEL),
    ] {
        let prompts: Vec<_> = records.iter().filter(|it| is_prompt(it)).collect();
        if prompts.is_empty() {
            return TrialOutcome::Unseen("one of them sent no request".to_owned());
        }
        if records.iter().any(|it| holds(it, other)) {
            return TrialOutcome::Broken("a provider got the other's key".to_owned());
        }
        if prompts.iter().any(|it| it.model.as_deref() != Some(model)) {
            return TrialOutcome::Broken("a provider got a request for the other's model".to_owned());
        }
        if !prompts.iter().all(|it| keys(it).any(|(_, value)| value.ends_with(own.as_str()))) {
            return TrialOutcome::Broken("a provider got a request without its key".to_owned());
        }
    }
    TrialOutcome::Holds
}

/// What no trial may bring, whatever it is about.
fn anything_else(trial: &Trial, ran: &TrialRun) -> Vec<Verdict> {
    let subject = trial.promises.first().map_or("trial", |promise| promise.subject);
    let mut found = Vec::new();
    let mut say = |text: &'static str, what: String| {
        found.push(Verdict { subject, text, since: None, outcome: TrialOutcome::Broken(what) });
    };
    // The prompts and the paths elsewhere of a promise are judged by it.
    let (mut words, mut named) = (Vec::new(), Vec::new());
    for promise in &trial.promises {
        match promise.test {
            TrialTest::Models(word) => words.push(word),
            TrialTest::NoKey(path) | TrialTest::Nothing(path) => named.push(path),
            _ => {}
        }
    }
    let unnamed =
        |it: &&RequestRecord| is_prompt(it) && !words.iter().any(|word| it.last_user().contains(word));
    let models = ran.provider.iter().filter(unnamed).filter_map(|it| it.model.as_deref());
    let models: BTreeSet<_> = models.filter(|model| *model != MODEL).collect();
    for model in models {
        say("every request is for the launch's model", format!("one request was for {model}"));
    }
    let own = &ran.keys[0];
    let is_named = |it: &RequestRecord| named.iter().any(|path| is_below(it, path));
    let others = ran.elsewhere.iter().filter(|it| !is_named(it) && holds(it, own)).map(path_of);
    for path in others.collect::<BTreeSet<_>>() {
        say("only the provider gets the key", format!("the key was sent to {path} elsewhere"));
    }
    for it in ran.provider.iter().filter(|it| !it.path.starts_with('/') && holds(it, own)) {
        say("only the provider gets the key", format!("the key was sent to {}", path_of(it)));
    }
    let outside = |it: &&RequestRecord| it.path.starts_with('/') && holds(&without_keys(it), own);
    // A tool that prints its environment prints the key too; that the agent's children have it is known.
    if !trial.promises.iter().any(|it| matches!(it.test, TrialTest::Tool(_)))
        && ran.provider.iter().any(|it| outside(&it))
    {
        say("the key is only sent in its header", "the key was also sent elsewhere".to_owned());
    }
    if ran
        .provider
        .iter()
        .any(|it| it.headers.values().any(|value| value.contains(PLANTED_KEY) || value.contains(&ran.stale)))
    {
        say("the provider gets no other key than its own", "another key was sent".to_owned());
    }
    found
}

fn is_below(record: &RequestRecord, path: &str) -> bool {
    record.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// The path without its query, which may hold anything.
fn path_of(record: &RequestRecord) -> &str {
    record.path.split('?').next().unwrap_or_default()
}

fn is_prompt(record: &RequestRecord) -> bool {
    record.protocol.is_some() && record.path.starts_with('/') && !path_of(record).ends_with("/count_tokens")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shims::Protocol;

    use super::*;
    use crate::probe::ProbeOutput;

    /// A run whose only request holds this text.
    fn run(text: &str) -> TrialRun {
        let record = RequestRecord {
            n: 1,
            ms: 0,
            method: "POST".to_owned(),
            path: "/v1/messages".to_owned(),
            host: None,
            protocol: Some(Protocol::Anthropic),
            model: Some(MODEL.to_owned()),
            stream: true,
            headers: [("authorization".to_owned(), "Bearer sk-own".to_owned())].into(),
            body: json!({"messages": [{"role": "user", "content": text}]}),
            status: 200,
        };
        TrialRun {
            provider: vec![record],
            elsewhere: Vec::new(),
            keys: ["sk-own", "sk-other"].map(str::to_owned),
            stale: "sk-stale".to_owned(),
            folder: "/nowhere".into(),
            output: ProbeOutput { stdout: String::new(), stderr: String::new(), ended: None },
        }
    }

    #[test]
    fn a_tool_that_sees_a_key_of_another_provider_breaks_its_promise() {
        let judge = |text: &str| judge(&TrialTest::Tool("ran"), &run(text));
        assert_eq!(judge("ran ANTHROPIC_AUTH_TOKEN=sk-own"), TrialOutcome::Holds);
        for text in ["ran A=sk-stale", "ran A=sk-other", "ran TRIAL_KEY=sk-own"] {
            assert!(matches!(judge(text), TrialOutcome::Broken(_)), "{text}");
        }
        assert!(matches!(judge("walked"), TrialOutcome::Unseen(_)));
    }

    #[test]
    fn a_prompt_that_only_went_elsewhere_breaks_its_promise() {
        let mut ran = run("said");
        let test = TrialTest::Nothing("/provider");
        let nothing = TrialRun { provider: Vec::new(), ..run("said") };
        assert!(matches!(judge(&test, &nothing), TrialOutcome::Unseen(_)));
        let mut record = ran.provider.remove(0);
        record.path = "/provider/v1/messages".to_owned();
        ran.elsewhere.push(record);
        assert!(matches!(judge(&test, &ran), TrialOutcome::Broken(_)));
    }

    #[test]
    fn a_key_that_a_tool_saw_breaks_its_promise() {
        let judge = |text: &str| judge(&TrialTest::WithoutKey("ran"), &run(text));
        assert_eq!(judge("ran A="), TrialOutcome::Holds);
        assert!(matches!(judge("ran A=sk-own"), TrialOutcome::Broken(_)));
        assert!(matches!(judge("walked"), TrialOutcome::Unseen(_)));
    }

    #[test]
    fn what_no_promise_is_about_is_named_too() {
        let trial = Trial::new([]).holds("x", "y", TrialTest::Models("said"));
        let texts = |ran: &TrialRun| {
            let broken = |it: &Verdict| matches!(it.outcome, TrialOutcome::Broken(_));
            of(&trial, ran).into_iter().filter(broken).map(|it| it.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(&run("said")), Vec::<&str>::new());
        assert_eq!(texts(&run("said sk-own")), ["the key is only sent in its header"]);
        let mut proxied = run("said");
        let mut record = proxied.provider[0].clone();
        record.path = "http://elsewhere.example/".to_owned();
        proxied.provider.push(record);
        assert_eq!(texts(&proxied), ["only the provider gets the key"]);
        let mut other = run("something of its own");
        other.provider[0].model = Some("another-model".to_owned());
        assert_eq!(texts(&other), ["every request is for the launch's model"]);
        let mut stale = run("said");
        stale.provider[0].headers.insert("x-api-key".to_owned(), "sk-stale".to_owned());
        assert_eq!(texts(&stale), ["the provider gets no other key than its own"]);
    }
}
