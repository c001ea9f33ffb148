//! What the mock provider does instead of answering with its fixed text.
//!
//! A script is a JSON array of rules. The first rule that matches a request and has not been used up
//! decides; a request that no rule matches gets the usual answer.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value as Json;
use shims::{Message, Protocol};

use super::dialect::Answer;
use super::http::Pace;
use super::route::{Route, Seen};

/// The rules, and what is left of them.
#[derive(Debug, Default)]
pub struct Script(Vec<ScriptRule>);

/// One rule: what must be true of a request, and what then happens.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScriptRule {
    /// A part of the path or its query.
    path: Option<String>,
    /// The method.
    method: Option<String>,
    /// A part of the body as sent.
    contains: Option<String>,
    /// A part of the last words of the user.
    last_user: Option<String>,
    /// The protocol the path belongs to.
    protocol: Option<Protocol>,
    /// The model, whole.
    model: Option<String>,

    /// The status; 400 and above is answered with an error of the protocol, unless there is a `body`.
    pub status: Option<u16>,
    /// The body: a string as it stands, anything else as JSON.
    pub body: Option<Json>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// Milliseconds before the answer. The request is in the log by then.
    delay_ms: u64,
    /// Parts of the user's last words. The delay ends once a request with each of them has come.
    pub delay_until: Vec<String>,
    /// Milliseconds before each event of a stream.
    chunk_delay_ms: u64,
    /// Cuts the connection when half of the answer is sent.
    close: bool,
    /// What the model says.
    text: Option<String>,
    /// The tool the model calls.
    tool: Option<ScriptTool>,
    /// How many tokens the prompt is said to have been; without it, a guess by its size.
    pub input_tokens: Option<u64>,
    /// How many requests the rule is for; without it, all.
    times: Option<u64>,
}

/// A tool call. It is only made where the tool is on offer and, unless `again`, not in answer to a tool's result: so
/// one script serves agents whose tools differ, and every turn ends in text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptTool {
    /// The tool's name.
    name: String,
    /// The arguments.
    #[serde(default = "no_arguments")]
    arguments: Json,
    /// Other names of the tool; the first on offer is called.
    #[serde(default)]
    prefer: Vec<String>,
    /// Whether it is called in answer to a tool's result too; the rule says then how many `times`.
    #[serde(default)]
    again: bool,
}

fn no_arguments() -> Json {
    Json::Object(serde_json::Map::new())
}

impl Script {
    /// The script in `said`: itself when it is a JSON array, else the path of a file that holds one.
    pub fn read(said: &str) -> Result<Self> {
        if said.trim_start().starts_with('[') {
            return Self::parse(said).context("could not read the script");
        }
        let text = fs::read_to_string(said).with_context(|| {
            Message::new(
                format!("could not read the script: {said}"),
                "give a file, or a JSON array of rules",
            )
        })?;
        Self::parse(&text).with_context(|| format!("could not read the script: {said}"))
    }

    fn parse(text: &str) -> Result<Self> {
        let rules: Vec<ScriptRule> = serde_json::from_str(text)?;
        for (index, rule) in rules.iter().enumerate() {
            rule.check().with_context(|| format!("rule {}", index + 1))?;
        }
        Ok(Self(rules))
    }

    /// What happens to this request; the rule is used up by one.
    pub fn pick(&mut self, seen: &Seen<'_>) -> ScriptRule {
        let Some(rule) = self.0.iter_mut().find(|rule| rule.times != Some(0) && rule.matches(seen)) else {
            return ScriptRule::default();
        };
        rule.times = rule.times.map(|times| times - 1);
        rule.clone()
    }
}

impl ScriptRule {
    fn check(&self) -> Result<()> {
        let answers = [self.body.is_some(), self.text.is_some(), self.tool.is_some()];
        if answers.iter().filter(|&&given| given).count() > 1 {
            bail!(Message::new("more than one of `body`, `text` and `tool`", "keep the one to answer with"));
        }
        if let Some(status) = self.status.filter(|status| !(200..600).contains(status)) {
            bail!(Message::new(format!("status {status} ends no request"), "use 200 to 599"));
        }
        Ok(())
    }

    fn matches(&self, seen: &Seen<'_>) -> bool {
        let part = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| text.contains(wanted.as_str()))
        };
        let says = self.text.is_some() || self.tool.is_some();
        part(&self.path, &seen.request.target)
            && part(&self.contains, &seen.text)
            && part(&self.last_user, &seen.turn.last_user)
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&seen.request.method))
            && self.protocol.is_none_or(|protocol| seen.protocol == Some(protocol))
            && self.model.as_ref().is_none_or(|model| seen.model() == Some(model))
            && (!says || matches!(seen.route, Route::Answer(_)))
            && self
                .tool
                .as_ref()
                .is_none_or(|tool| (tool.again || !seen.turn.after_tool) && tool.offered(seen).is_some())
    }

    /// What the model says by this rule; `None` leaves it to the mock provider.
    pub fn answer(&self, seen: &Seen<'_>) -> Option<Answer> {
        if let Some(tool) = &self.tool {
            let name = tool.offered(seen)?.to_owned();
            return Some(Answer::Tool { name, arguments: tool.arguments.clone() });
        }
        self.text.clone().map(Answer::Text)
    }

    /// How the answer is sent.
    pub fn pace(&self) -> Pace {
        Pace {
            delay: Duration::from_millis(self.delay_ms),
            chunk_delay: Duration::from_millis(self.chunk_delay_ms),
            cut: self.close,
        }
    }
}

impl ScriptTool {
    fn offered(&self, seen: &Seen<'_>) -> Option<&str> {
        let names = self.prefer.iter().chain([&self.name]);
        names.map(String::as_str).find(|name| seen.turn.tools.iter().any(|tool| tool == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock_provider::http::Request;

    fn script(json: &str) -> Script {
        Script::parse(json).expect("a script")
    }

    fn chat(body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            target: "/v1/chat/completions".to_owned(),
            body: body.as_bytes().to_vec(),
            ..Request::default()
        }
    }

    const ASKED: &str = r#"{"model": "m", "messages": [{"role": "user", "content": "say pong"}],
        "tools": [{"type": "function", "function": {"name": "terminal"}}]}"#;
    const ANSWERED: &str = r#"{"messages": [{"role": "user", "content": "say pong"},
        {"role": "tool", "content": "done"}],
        "tools": [{"type": "function", "function": {"name": "terminal"}}]}"#;

    #[test]
    fn the_first_rule_with_uses_left_decides() {
        let mut script = script(r#"[{"status": 500, "times": 2}, {"status": 429}]"#);
        let request = chat(ASKED);
        let statuses: Vec<_> = (0..4).map(|_| script.pick(&Seen::of(&request)).status).collect();
        assert_eq!(statuses, [Some(500), Some(500), Some(429), Some(429)]);
    }

    #[test]
    fn every_condition_must_hold() {
        let request = chat(ASKED);
        for (holds, condition) in [
            (true, r#""path": "/chat/""#),
            (false, r#""path": "/messages""#),
            (true, r#""method": "post""#),
            (false, r#""method": "GET""#),
            (true, r#""contains": "\"model\"""#),
            (false, r#""contains": "absent""#),
            (true, r#""last_user": "pong""#),
            (false, r#""last_user": "model""#),
            (true, r#""protocol": "openai-chat-completions""#),
            (false, r#""protocol": "anthropic""#),
            (true, r#""model": "m""#),
            (false, r#""model": "m2""#),
            (false, r#""model": "m", "method": "GET""#),
        ] {
            let picked = script(&format!(r#"[{{{condition}, "status": 418}}]"#)).pick(&Seen::of(&request));
            assert_eq!(picked.status.is_some(), holds, "{condition}");
        }
    }

    #[test]
    fn a_tool_is_called_once_a_turn_and_only_where_it_is_on_offer() {
        let mut script = script(
            r#"[{"tool": {"name": "Bash", "prefer": ["Task", "terminal"], "arguments": {"command": "env"}}}]"#,
        );
        let mut answer = |body: &str| {
            let request = chat(body);
            let seen = Seen::of(&request);
            script.pick(&seen).answer(&seen)
        };
        let Some(Answer::Tool { name, arguments }) = answer(ASKED) else { panic!("no tool is called") };
        assert_eq!((name.as_str(), arguments["command"].as_str()), ("terminal", Some("env")));
        assert_eq!(answer(ANSWERED), None);
        assert_eq!(answer(&ASKED.replace("terminal", "other")), None);
    }

    #[test]
    fn mistakes_are_named_with_their_rule() {
        for (json, part) in [
            (r#"[{"stauts": 500}]"#, "unknown field `stauts`"),
            (r#"[{}, {"text": "a", "body": "b"}]"#, "rule 2: more than one of"),
            (r#"[{"status": 100}]"#, "rule 1: status 100"),
            (r#"[{"protocol": "chat"}]"#, "unknown variant `chat`"),
            ("[{", "line 1"),
        ] {
            let error = format!("{:#}", Script::read(json).expect_err(json));
            assert!(error.contains(part), "{error}");
        }
        let error = format!("{:#}", Script::read("/no/such/file").expect_err("no file"));
        assert!(error.contains("/no/such/file"), "{error}");
    }
}
