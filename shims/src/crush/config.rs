//! The provider of a launch, as the session file names it: the last of the files that Crush merges.
//!
//! No key is in it. Every value that Crush expands as a shell would is written so that it comes out as meant.

use std::collections::HashSet;
use std::iter;

use anyhow::{Result, anyhow, bail};
use serde_json::{Value as Json, json};

use super::JsonObject;
use super::case_fold::again;
use super::literal::{literal, variable};
use super::model;
use crate::{Inputs, Launch, Message, Model, Protocol, Value, short_hash};

/// The beginning of the variable that carries the key. It must not begin with `CRUSH_`: while Crush loads its
/// providers, each `CRUSH_X` is exported as `X` too (seen in 0.90.1).
pub const KEY: &str = "AGENT_RUN_API_KEY";

/// The beginning of the variables that carry headers.
const HEADER: &str = "AGENT_RUN_HEADER_";

/// What is sent for a provider without a key. Without any, Crush would send an `OPENAI_API_KEY` or
/// `ANTHROPIC_API_KEY` of the user's.
const NO_KEY: &str = "agent-run";

/// The provider as Crush's settings name and describe it.
pub struct CrushProvider<'a> {
    launch: &'a Launch,
    alone: bool,
    id: String,
    kind: &'static str,
    base_url: String,
    api_key: String,
    headers: JsonObject,
    /// The variables that the settings refer to.
    pub variables: Vec<(String, Value)>,
}

impl<'a> CrushProvider<'a> {
    /// The provider of a launch; `alone` keeps from Crush what other models it has.
    ///
    /// # Errors
    /// When Crush would drop it without a word (no base URL, no model), or would read the URL as another one.
    pub fn of(launch: &'a Launch, alone: bool, inputs: &Inputs) -> Result<Self> {
        let name = &launch.provider;
        let family = launch.protocol.value.family();
        if launch.base_url.value.is_empty() {
            bail!(Message::new(
                format!("provider `{name}` has no base URL"),
                format!("set `providers.{name}.base_urls.{family}`")
            ));
        }
        if launch.model.value.id.is_empty() {
            bail!(Message::new(format!("provider `{name}` has no model"), "name one with --model"));
        }
        let (kind, base_url) = endpoint(launch);
        let literal = literal(base_url).filter(|url| !url.contains(char::is_control));
        let base_url = literal.ok_or_else(|| {
            anyhow!(Message::new(
                format!(
                    "the base URL of provider `{name}` contains a control character, which Crush would remove"
                ),
                format!("correct `providers.{name}.base_urls.{family}`")
            ))
        })?;
        let mut variables = Vec::new();
        let mut api_key = NO_KEY.to_owned();
        if launch.keyed {
            let key = inputs.secret_variable(KEY);
            api_key = variable(&key);
            variables.push((key, Value::key()));
        }
        if launch.protocol.value == Protocol::Anthropic && !launch.anthropic_use_api_key {
            api_key = format!("Bearer {api_key}");
        }
        let mut headers = JsonObject::new();
        // A header that was written down plain may still be a token, and the file is no place for one.
        for (at, (header, value)) in (1..).zip(&launch.headers) {
            let carrier = inputs.secret_variable(&format!("{HEADER}{at}"));
            headers.insert(header.clone(), variable(&carrier).into());
            variables.push((carrier, value.clone()));
        }
        let id = inputs.secret_id(&id(name));
        Ok(Self { launch, alone, id, kind, base_url, api_key, headers, variables })
    }

    /// The settings of the session file: what is chosen, the provider, `env` with the variables that no other file
    /// may change, and what of a project's settings is turned off.
    pub fn session(&self, env: JsonObject, overrides: JsonObject) -> Json {
        let mut session = overrides;
        for (name, value) in env {
            session.entry("env").or_insert_with(|| json!({}))[name] = value;
        }
        self.choose(&mut session);
        // Whatever else the project put into the same entries is gone with these.
        for field in ["models", "providers"] {
            session.insert(again(field), session[field].clone());
        }
        session.into()
    }

    /// Adds the provider and the chosen models to settings.
    pub fn choose(&self, settings: &mut JsonObject) {
        settings.insert("models".into(), self.selection());
        settings.insert("providers".into(), json!({ &self.id: self.described() }));
    }

    fn described(&self) -> Json {
        json!({
            "name": format!("{} (agent-run)", self.launch.provider),
            "type": self.kind,
            "base_url": self.base_url,
            "api_key": self.api_key,
            "disable": false,
            "discover_models": false,
            "extra_headers": self.headers,
            "models": self.models(),
        })
    }

    fn small(&self) -> &str {
        match self.launch.tiers.haiku.as_str() {
            "" => &self.launch.model.value.id,
            id => id,
        }
    }

    fn selection(&self) -> Json {
        // A project may have set the last three for the same slot, and they stay unless named.
        let choose = |model: &str| json!({ "provider": self.id, "model": model, "max_tokens": 0, "reasoning_effort": "", "think": false });
        json!({ "large": choose(&self.launch.model.value.id), "small": choose(self.small()) })
    }

    /// Every known model once. The launched one leads: Crush falls back to the first.
    fn models(&self) -> Vec<Json> {
        let others = if self.alone { &[] } else { self.launch.models.as_slice() };
        let unknown = Model::named(self.small());
        let small = self.launch.models.iter().find(|model| model.id == unknown.id).unwrap_or(&unknown);
        let mut seen = HashSet::new();
        let models = iter::once(&self.launch.model.value).chain(others).chain(iter::once(small));
        let window = self.launch.assumed_window();
        models.filter(|model| seen.insert(&model.id)).map(|model| model::entry(model, window)).collect()
    }
}

/// Type and base URL. Crush's `anthropic` adds `/v1` by itself and takes a key that begins with `Bearer ` for a
/// bearer token; `openai-compat` adds `/chat/completions` alone (seen in 0.90.1).
fn endpoint(launch: &Launch) -> (&'static str, &str) {
    let base_url = launch.base_url.value.trim_end_matches('/');
    match launch.protocol.value {
        Protocol::Anthropic => ("anthropic", base_url.strip_suffix("/v1").unwrap_or(base_url)),
        Protocol::OpenaiChatCompletions | Protocol::OpenaiResponses => ("openai-compat", base_url),
    }
}

/// The beginning of the provider's id: `agent-run-<name>`, so that it is never one of Crush's own, which bring
/// special cases along. A `.` or `/` in it would break Crush's own paths; a name that has to change for that gets
/// a piece of its hash, and no two names get the same id.
fn id(name: &str) -> String {
    let fits = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    if name.chars().all(|c| fits(&c)) {
        return format!("agent-run-{name}");
    }
    let fitting: String = name.to_ascii_lowercase().chars().map(|c| if fits(&c) { c } else { '-' }).collect();
    format!("agent-run-{fitting}-{:08x}", short_hash(name) >> 32)
}

#[cfg(test)]
mod tests {
    use super::super::tests::launch;
    use super::*;
    use crate::{Origin, Sourced};

    const ID: &str = "agent-run-kimi-xxxxxxxx";

    fn provider(launch: &Launch) -> CrushProvider<'_> {
        CrushProvider::of(launch, false, &Inputs::default()).expect("complete")
    }

    fn speaking(protocol: Protocol, url: &str) -> Launch {
        let mut launch = launch(&[]);
        launch.protocol.value = protocol;
        launch.base_url.value = url.to_owned();
        launch
    }

    #[test]
    fn the_session_file_names_the_whole_provider_twice_and_no_key() {
        let launch = launch(&[]);
        let overrides = json!({"mcp": {"e": {"disabled": true}}, "env": {"N": ""}});
        let overrides = overrides.as_object().expect("an object").clone();
        let env = JsonObject::from_iter([("A".to_owned(), "$A".into())]);
        let session = provider(&launch).session(env, overrides);
        let described = json!({
            "name": "kimi (agent-run)",
            "type": "openai-compat",
            "base_url": "https://kimi.example/v1",
            "api_key": "$AGENT_RUN_API_KEY_xxxxxxxx",
            "disable": false,
            "discover_models": false,
            "extra_headers": {},
            "models": [{ "id": "k2", "name": "k2", "context_window": 200_000 }],
        });
        let chosen =
            json!({ "provider": ID, "model": "k2", "max_tokens": 0, "reasoning_effort": "", "think": false });
        assert_eq!(
            session,
            json!({
                "mcp": {"e": {"disabled": true}},
                "env": {"N": "", "A": "$A"},
                "models": {"large": chosen, "small": chosen},
                "providers": {ID: described},
                "model\u{17f}": {"large": chosen, "small": chosen},
                "provider\u{17f}": {ID: described},
            })
        );
        let keys: Vec<_> = session.as_object().expect("an object").keys().collect();
        assert_eq!(keys[4..], ["model\u{17f}", "provider\u{17f}"], "the last one counts");
    }

    #[test]
    fn the_protocol_decides_type_url_and_key() {
        let chat = Protocol::OpenaiChatCompletions;
        for (protocol, url, meant) in [
            (chat, "https://a.example/v1", ("openai-compat", "https://a.example/v1")),
            (chat, "https://a.example/api/", ("openai-compat", "https://a.example/api")),
            (chat, "https://a.example/$A`b`", ("openai-compat", r"https://a.example/\$A\`b\`")),
            (Protocol::Anthropic, "https://a.example/v1", ("anthropic", "https://a.example")),
            (Protocol::Anthropic, "https://a.example/v1/", ("anthropic", "https://a.example")),
            (Protocol::Anthropic, "https://a.example/coding", ("anthropic", "https://a.example/coding")),
        ] {
            let launch = speaking(protocol, url);
            let provider = provider(&launch);
            assert_eq!((provider.kind, provider.base_url.as_str()), meant);
        }
        let key = |launch: &Launch| provider(launch).api_key;
        let mut bearer = speaking(Protocol::Anthropic, "https://a.example");
        assert_eq!(key(&bearer), "Bearer $AGENT_RUN_API_KEY_xxxxxxxx");
        bearer.anthropic_use_api_key = true;
        assert_eq!(key(&bearer), "$AGENT_RUN_API_KEY_xxxxxxxx");
        let keyless = Launch { keyed: false, ..launch(&[]) };
        assert_eq!(key(&keyless), NO_KEY);
        assert!(provider(&keyless).variables.is_empty());
    }

    #[test]
    fn every_model_is_listed_once_and_the_launched_one_leads() {
        let mut launch = launch(&[]);
        launch.models = vec![Model::named("a"), Model::named("k2"), Model::named("a")];
        launch.tiers.haiku = "tiny".into();
        let ids = |alone| {
            let provider = CrushProvider::of(&launch, alone, &Inputs::default()).expect("complete");
            provider
                .models()
                .iter()
                .map(|model| model["id"].as_str().expect("an id").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(false), ["k2", "a", "tiny"]);
        assert_eq!(ids(true), ["k2", "tiny"]);
        assert_eq!(provider(&launch).selection()["small"]["model"], "tiny");
    }

    #[test]
    fn a_window_that_is_not_known_is_assumed() {
        let local = speaking(Protocol::OpenaiChatCompletions, "http://127.0.0.1:1/v1");
        assert_eq!(provider(&local).models()[0]["context_window"], 65_536);
        let mut known = launch(&[]);
        known.model.value.context_window = Some(1000);
        assert_eq!(provider(&known).models()[0]["context_window"], 1000);
    }

    #[test]
    fn every_header_goes_by_a_variable() {
        let mut launch = launch(&[]);
        launch.headers.insert("X-Plain".into(), r"$5 \ `x` 'y'".into());
        launch.headers.insert("X-Secret".into(), Value::from("k=").then(Value::key()));
        let provider = provider(&launch);
        assert_eq!(provider.headers["X-Plain"], "$AGENT_RUN_HEADER_1_xxxxxxxx");
        assert_eq!(provider.headers["X-Secret"], "$AGENT_RUN_HEADER_2_xxxxxxxx");
        assert_eq!(
            provider.variables[1..],
            [
                ("AGENT_RUN_HEADER_1_xxxxxxxx".into(), Value::from(r"$5 \ `x` 'y'")),
                ("AGENT_RUN_HEADER_2_xxxxxxxx".into(), Value::from("k=").then(Value::key())),
            ]
        );
    }

    #[test]
    fn ids_fit_crush_and_stay_apart() {
        assert_eq!(id("kimi-code_2"), "agent-run-kimi-code_2");
        let odd = ["a.b", "a-b", "A.b", "a/b", "ä"].map(id);
        for (at, one) in odd.iter().enumerate() {
            assert!(one.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')), "{one}");
            assert!(odd[at + 1..].iter().all(|other| other != one), "{one} twice");
        }
        assert!(odd[0].starts_with("agent-run-a-b-"), "{}", odd[0]);
    }

    #[test]
    fn a_provider_that_crush_would_drop_is_refused() {
        let no_url = speaking(Protocol::Anthropic, "");
        let no_model =
            Launch { model: Sourced::new(Model::default(), Origin::Default(String::new())), ..launch(&[]) };
        let bad_url = speaking(Protocol::OpenaiChatCompletions, "https://a.example/\r\n");
        for (launch, part) in
            [(no_url, "base_urls.anthropic"), (no_model, "--model"), (bad_url, "base_urls.openai")]
        {
            let error = CrushProvider::of(&launch, false, &Inputs::default()).err().expect("refused");
            let error = Message::of(&error).render();
            assert!(error.contains("\nhelp: ") && error.contains(part), "{error}");
        }
    }
}
