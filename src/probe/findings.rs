//! What the provider was sent, judged and put in plain words.
//!
//! No key is in these words: a key shows as the start of its SHA-256.

use std::collections::BTreeSet;
use std::fmt;

use shims::proxy::host;

use super::{LIMIT, ProbeOutput};
use crate::key;
use crate::mock_provider::{RequestRecord, TEXT};

/// The headers in which keys are sent.
const KEY_HEADERS: [&str; 5] =
    ["api-key", "authorization", "proxy-authorization", "x-api-key", "x-goog-api-key"];

/// How much of what a failed agent said is shown.
const LINES: usize = 12;

/// What a launch as promised sends.
pub struct Expectations {
    /// The provider's key.
    pub key: String,
    /// Variables that a launch must not send, with their values.
    pub stale: Vec<(String, String)>,
    /// The models that may be asked for.
    pub models: Vec<String>,
    /// The hosts that the agent may ask for beside the provider; any, where nothing of the user's is at stake.
    pub hosts: Option<&'static [&'static str]>,
}

/// What there is to say.
#[derive(Default)]
pub struct ProbeReport {
    /// What the agent asked and was answered: title and value.
    pub facts: Vec<(&'static str, String)>,
    /// What was as promised.
    pub passed: Vec<String>,
    /// What was not.
    pub failed: Vec<String>,
    /// Hosts that were asked for and should not have been.
    pub unexpected_hosts: Vec<String>,
    /// The agent's last words, when something was not as promised.
    pub log_tail: String,
}

impl ProbeReport {
    /// Judges a run by the requests it made.
    pub fn of(records: &[RequestRecord], expected: &Expectations, ran: &ProbeOutput) -> Self {
        let mut findings = Self::default();
        let (elsewhere, here): (Vec<_>, Vec<_>) = records.iter().partition(|record| is_elsewhere(record));
        findings.question(&here, expected);
        findings.reply(ran);
        findings.keys(records, &elsewhere, expected);
        findings.hosts(&elsewhere, expected);
        if !findings.as_promised() {
            let said: Vec<_> = ran.stdout.lines().chain(ran.stderr.lines()).collect();
            findings.log_tail = said[said.len().saturating_sub(LINES)..].join("\n");
        }
        findings
    }

    /// Whether the agent asked this provider with this key, got its answer, and did nothing else.
    pub fn as_promised(&self) -> bool {
        self.failed.is_empty() && self.unexpected_hosts.is_empty()
    }

    fn question(&mut self, here: &[&RequestRecord], expected: &Expectations) {
        let prompts: Vec<_> = here.iter().filter(|record| record.protocol.is_some()).collect();
        let Some(first) = prompts.first() else {
            return self.failed.push("the provider got no request".to_owned());
        };
        let models: BTreeSet<_> = prompts.iter().filter_map(|record| record.model.as_deref()).collect();
        let places: Vec<_> =
            keys(first).filter_map(|(name, value)| place(name, value, &expected.key)).collect();
        if places.is_empty() {
            self.failed.push("the provider's key was not sent to it".to_owned());
        }
        let others: Vec<_> =
            models.iter().filter(|model| !expected.models.iter().any(|it| it == *model)).copied().collect();
        if !others.is_empty() {
            self.failed.push(format!("a model was requested that was not chosen: {}", others.join(", ")));
        }
        self.facts.extend([
            ("host", first.host.clone().unwrap_or_default()),
            ("path", format!("{} {}", first.method, first.path)),
            ("protocol", first.protocol.map(|protocol| protocol.to_string()).unwrap_or_default()),
            ("model", models.into_iter().collect::<Vec<_>>().join(", ")),
            ("key", places.join(" and ")),
        ]);
        let others = here.len() - prompts.len();
        self.passed.push(format!("Requests: {} with a prompt, {others} without.", prompts.len()));
    }

    fn reply(&mut self, ran: &ProbeOutput) {
        let reply = ran.stdout.trim();
        self.facts.push(("reply", reply.lines().last().unwrap_or_default().to_owned()));
        match &ran.ended {
            None if reply.contains(TEXT) => {
                let text = format!(
                    "The agent printed the reply, but did not exit. It was stopped after {} s.",
                    LIMIT.as_secs()
                );
                self.passed.push(text);
            }
            None => self.failed.push(format!("the agent had not exited after {} s", LIMIT.as_secs())),
            Some(how) if !reply.contains(TEXT) => {
                self.failed.push(format!("the agent exited ({how}) without printing the reply, {TEXT}"));
            }
            Some(_) => {}
        }
    }

    fn keys(&mut self, records: &[RequestRecord], elsewhere: &[&RequestRecord], expected: &Expectations) {
        let sent = |(_, secret): &&(String, String)| records.iter().any(|record| holds(record, secret));
        for (name, _) in expected.stale.iter().filter(sent) {
            self.failed.push(format!("the value of {name} was sent"));
        }
        if records.iter().flat_map(keys).any(|(_, value)| !value.ends_with(&expected.key)) {
            self.failed.push("a key of another provider was sent".to_owned());
        }
        if records.iter().any(|record| holds(&without_keys(record), &expected.key)) {
            self.failed.push("the key was sent outside the headers meant for it".to_owned());
        }
        if elsewhere.iter().any(|record| holds(record, &expected.key)) {
            self.failed.push("the key was sent to another host".to_owned());
        }
        if self.as_promised() {
            let stale: Vec<_> = expected.stale.iter().map(|(name, _)| name.as_str()).collect();
            self.passed.push(match stale.join(" and ") {
                stale if stale.is_empty() => "No other key was sent.".to_owned(),
                stale => format!("No other key was sent, though this test set made-up ones in {stale}."),
            });
        }
    }

    fn hosts(&mut self, elsewhere: &[&RequestRecord], expected: &Expectations) {
        let asked: BTreeSet<_> = elsewhere.iter().map(|record| record.path.as_str()).collect();
        let is_its_own = |target: &&str| expected.hosts.is_none_or(|own| own.contains(&host(target)));
        let (own, unexpected_hosts): (Vec<_>, Vec<_>) = asked.into_iter().partition(is_its_own);
        if !own.is_empty() {
            let own = own.join(", ");
            self.passed.push(format!(
                "The agent also tried to contact {own}, which agents do by themselves; this was blocked."
            ));
        } else if unexpected_hosts.is_empty() {
            let none = "No other host was contacted (all proxied traffic was captured).";
            self.passed.push(none.to_owned());
        }
        self.unexpected_hosts = unexpected_hosts.into_iter().map(str::to_owned).collect();
    }
}

impl fmt::Display for ProbeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, value) in &self.facts {
            writeln!(f, "  {title:<9} {value}")?;
        }
        writeln!(f)?;
        self.passed.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        self.failed.iter().try_for_each(|line| writeln!(f, "Failed: {line}."))?;
        if !self.unexpected_hosts.is_empty() {
            writeln!(f, "Failed: the agent tried to contact {}.", self.unexpected_hosts.join(", "))?;
        }
        if !self.log_tail.is_empty() {
            writeln!(f, "\nThe agent's last output:\n{}", self.log_tail)?;
        }
        Ok(())
    }
}

/// Whether a request was for another host, and only came here because the proxy variables said so.
fn is_elsewhere(record: &RequestRecord) -> bool {
    !record.path.starts_with('/')
}

pub(super) fn keys(record: &RequestRecord) -> impl Iterator<Item = (&str, &str)> {
    KEY_HEADERS.iter().filter_map(|&name| Some((name, record.headers.get(name)?.as_str())))
}

pub(super) fn without_keys(record: &RequestRecord) -> RequestRecord {
    let mut record = record.clone();
    record.headers.retain(|name, _| !KEY_HEADERS.contains(&name.as_str()));
    record
}

pub(super) fn holds(record: &RequestRecord, secret: &str) -> bool {
    serde_json::to_string(record).is_ok_and(|text| text.contains(secret))
}

/// Where a key was seen, and which: `authorization: Bearer <sha256 01234567…>`.
fn place(name: &str, value: &str, key: &str) -> Option<String> {
    let scheme = value.strip_suffix(key)?;
    Some(format!("{name}: {scheme}{}", key::fingerprint(key)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shims::Protocol;

    use super::*;

    fn expected() -> Expectations {
        Expectations {
            key: "sk-ours".to_owned(),
            stale: vec![("OPENAI_API_KEY".to_owned(), "sk-stale".to_owned())],
            models: vec!["m".to_owned()],
            hosts: None,
        }
    }

    fn asked(path: &str, header: &str, value: &str) -> RequestRecord {
        RequestRecord {
            n: 1,
            ms: 0,
            method: "POST".to_owned(),
            path: path.to_owned(),
            host: Some("127.0.0.1:9".to_owned()),
            protocol: path.ends_with("/messages").then_some(Protocol::Anthropic),
            model: Some("m".to_owned()),
            stream: true,
            headers: [(header.to_owned(), value.to_owned())].into(),
            body: json!({"system": "be brief"}),
            status: 200,
        }
    }

    fn answered() -> ProbeOutput {
        ProbeOutput {
            stdout: format!("{TEXT}\n"),
            stderr: String::new(),
            ended: Some("exit status: 0".to_owned()),
        }
    }

    #[test]
    fn a_launch_as_promised_is_said_without_its_key() {
        let expected = expected();
        let records = [
            asked("/v1/messages", "authorization", &format!("Bearer {}", expected.key)),
            asked("telemetry.example:443", "user-agent", "x"),
        ];
        let findings = ProbeReport::of(&records, &expected, &answered());
        let text = findings.to_string();
        assert!(findings.as_promised(), "{text}");
        assert!(!text.contains(&expected.key) && !text.contains(&expected.stale[0].1), "{text}");
        for part in [
            "127.0.0.1:9",
            "POST /v1/messages",
            "anthropic",
            "Bearer <sha256 ",
            TEXT,
            "telemetry.example:443",
        ] {
            assert!(text.contains(part), "{part} is missing: {text}");
        }
    }

    #[test]
    fn every_broken_promise_is_named() {
        let expected = expected();
        let ours = format!("Bearer {}", expected.key);
        let good = asked("/v1/messages", "authorization", &ours);
        for (second, part) in [
            (asked("/v1/messages", "x-api-key", "sk-other"), "a key of another provider"),
            (asked("/v1/messages", "x-note", &expected.stale[0].1), "the value of OPENAI_API_KEY was sent"),
            (asked("/v1/messages", "x-note", &expected.key), "outside the headers"),
            (asked(&format!("/v1/messages?key={}", expected.key), "a", "b"), "outside the headers"),
            (asked("http://elsewhere.example/", "authorization", &ours), "to another host"),
        ] {
            let findings = ProbeReport::of(&[good.clone(), second], &expected, &answered());
            assert!(!findings.as_promised() && findings.to_string().contains(part), "{findings}");
        }
        let tempted = asked("telemetry.example:443", "user-agent", "x");
        for (hosts, as_promised) in [(&["telemetry.example"][..], true), (&["other.example"], false)] {
            let expected = Expectations { hosts: Some(hosts), ..self::expected() };
            let findings = ProbeReport::of(&[good.clone(), tempted.clone()], &expected, &answered());
            assert_eq!(findings.as_promised(), as_promised, "{findings}");
            assert!(findings.to_string().contains("tried to contact telemetry.example:443"), "{findings}");
        }
        let other = RequestRecord { model: Some("other".to_owned()), ..good.clone() };
        let findings = ProbeReport::of(&[good, other], &expected, &answered());
        assert!(findings.to_string().contains("not chosen: other"), "{findings}");
        let mute = ProbeOutput { stdout: String::new(), stderr: "boom".to_owned(), ended: None };
        let findings = ProbeReport::of(&[], &expected, &mute);
        for part in ["got no request", "had not exited", "boom"] {
            assert!(findings.to_string().contains(part), "{findings}");
        }
        // On a busy machine an agent may take long to end once it has answered.
        let slow = ProbeOutput { ended: None, ..answered() };
        let good = asked("/v1/messages", "authorization", &ours);
        let findings = ProbeReport::of(&[good], &expected, &slow);
        assert!(findings.as_promised() && findings.to_string().contains("was stopped after"), "{findings}");
        let keyless = asked("/v1/messages", "accept", "*/*");
        let findings = ProbeReport::of(&[keyless], &expected, &answered());
        assert!(findings.to_string().contains("was not sent to it"), "{findings}");
    }
}
