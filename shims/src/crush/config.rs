//! The two JSON files of a launch: the global one, and the session folder's, which Crush merges last.
//!
//! No key is in either. Every value that Crush expands as a shell would (`$`, `` ` `` and `\`) is written
//! so that it comes out as meant.

use std::collections::HashSet;
use std::iter;

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};

use super::Object;
use super::{model, project};
use crate::{Launch, Model, Protocol, Value};

/// The variable that carries the key. Its name must not begin with `CRUSH_`: while Crush loads its
/// providers, each `CRUSH_X` is exported as `X` too (seen in 0.90).
pub const KEY: &str = "AGENT_RUN_API_KEY";

/// The beginning of the variables that carry headers.
pub const HEADER: &str = "AGENT_RUN_HEADER_";

/// What stands for the key of a provider without one. Without any, Crush would send an `OPENAI_API_KEY`
/// or `ANTHROPIC_API_KEY` of the user's.
const NO_KEY: &str = "agent-run";

/// The provider as Crush's settings name and describe it.
pub struct Provider<'a> {
    launch: &'a Launch,
    alone: bool,
    id: String,
    headers: Object,
    /// The variables that the settings refer to.
    pub variables: Vec<(String, Value)>,
}

impl<'a> Provider<'a> {
    /// The provider of a launch; `alone` keeps from Crush what other models it has.
    ///
    /// # Errors
    /// When Crush would drop it without a word: no base URL, no model.
    pub fn of(launch: &'a Launch, alone: bool) -> Result<Self> {
        let name = &launch.provider;
        if launch.base_url.value.is_empty() {
            let family = launch.protocol.value.family();
            bail!("provider `{name}` has no base URL\nhelp: set `providers.{name}.base_urls.{family}`");
        }
        if launch.model.value.id.is_empty() {
            bail!("provider `{name}` has no model\nhelp: name one with --model");
        }
        let mut variables = Vec::new();
        if launch.keyed {
            variables.push((KEY.to_owned(), Value::key()));
        }
        let mut headers = Object::new();
        // A header that was written down plain may still be a token, and the file is no place for one.
        for (at, (header, value)) in (1..).zip(&launch.headers) {
            variables.push((format!("{HEADER}{at}"), value.clone()));
            headers.insert(header.clone(), format!("${HEADER}{at}").into());
        }
        Ok(Self { launch, alone, id: id(name), headers, variables })
    }

    /// The settings of the global file: the user's own, this provider and its models.
    pub fn global(&self, mut settings: Object) -> Json {
        let mut provider = self.routing();
        provider.insert("name".into(), format!("{} (agent-run)", self.launch.provider).into());
        provider.insert("models".into(), self.models().into());
        settings.insert("providers".into(), json!({ &self.id: provider }));
        settings.insert("models".into(), self.selection(&[]));
        settings.into()
    }

    /// The settings of the session folder, which beat the project's and the choices made in Crush:
    /// what is chosen, where it is, and `env`, the variables that no other file may change.
    ///
    /// It holds no array, since Crush joins arrays instead of replacing them.
    pub fn session(&self, env: &Object) -> Json {
        // The project may have set these for the same slot, and they stay unless named.
        let neutral = [("max_tokens", 0.into()), ("reasoning_effort", "".into()), ("think", false.into())];
        json!({ "models": self.selection(&neutral), "providers": { &self.id: self.routing() }, "env": env })
    }

    fn routing(&self) -> Object {
        let (kind, base_url, key) = self.endpoint();
        let routing = [
            ("type", kind.into()),
            ("base_url", literal(base_url).into()),
            ("api_key", key.into()),
            ("disable", false.into()),
            ("discover_models", false.into()),
            ("extra_headers", self.headers.clone().into()),
        ];
        routing.into_iter().map(|(name, value): (&str, Json)| (name.to_owned(), value)).collect()
    }

    /// Type, base URL and key. Crush's `anthropic` adds `/v1` by itself and takes a key that begins with
    /// `Bearer ` for a bearer token; `openai-compat` adds `/chat/completions` alone (seen in 0.90).
    fn endpoint(&self) -> (&'static str, &str, String) {
        let key = if self.launch.keyed { format!("${KEY}") } else { NO_KEY.to_owned() };
        let base_url = self.launch.base_url.value.trim_end_matches('/');
        match self.launch.protocol.value {
            Protocol::Anthropic => {
                let key = if self.launch.anthropic_use_api_key { key } else { format!("Bearer {key}") };
                ("anthropic", base_url.strip_suffix("/v1").unwrap_or(base_url), key)
            }
            Protocol::OpenaiChatCompletions | Protocol::OpenaiResponses => ("openai-compat", base_url, key),
        }
    }

    fn small(&self) -> &str {
        match self.launch.tiers.haiku.as_str() {
            "" => &self.launch.model.value.id,
            id => id,
        }
    }

    fn selection(&self, more: &[(&str, Json)]) -> Json {
        let choose = |model: &str| {
            let mut chosen = json!({ "provider": self.id, "model": model });
            for (key, value) in more {
                chosen[*key] = value.clone();
            }
            chosen
        };
        json!({ "large": choose(&self.launch.model.value.id), "small": choose(self.small()) })
    }

    /// Every known model once. The launched one leads: Crush falls back to the first.
    fn models(&self) -> Vec<Json> {
        let others = if self.alone { &[] } else { self.launch.models.as_slice() };
        let unknown = Model::named(self.small());
        let small = self.launch.models.iter().find(|model| model.id == unknown.id).unwrap_or(&unknown);
        let mut seen = HashSet::new();
        let models = iter::once(&self.launch.model.value).chain(others).chain(iter::once(small));
        models.filter(|model| seen.insert(&model.id)).map(model::entry).collect()
    }
}

/// The provider's id: `agent-run-<name>`, so that it is never one of Crush's own, which bring special
/// cases along. A `.` or `/` in it would break Crush's own paths; a name that has to change for that gets
/// a piece of its hash, and no two names get the same id.
fn id(name: &str) -> String {
    let fits = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    if name.chars().all(|c| fits(&c)) {
        return format!("agent-run-{name}");
    }
    let fitting: String = name.to_ascii_lowercase().chars().map(|c| if fits(&c) { c } else { '-' }).collect();
    format!("agent-run-{fitting}-{:08x}", project::hash(name.as_bytes()) >> 32)
}

/// `text` so that Crush's expansion, which is that of a here document, gives it back.
fn literal(text: &str) -> String {
    text.replace('\\', r"\\").replace('$', r"\$").replace('`', r"\`")
}

#[cfg(test)]
mod tests {
    use super::super::tests::launch;
    use super::*;
    use crate::{Origin, Sourced};

    fn provider(launch: &Launch) -> Provider<'_> {
        Provider::of(launch, false).expect("complete")
    }

    fn global(launch: &Launch) -> Json {
        provider(launch).global(Object::new())
    }

    fn speaking(protocol: Protocol, url: &str) -> Launch {
        let mut launch = launch(&[]);
        launch.protocol.value = protocol;
        launch.base_url.value = url.to_owned();
        launch
    }

    #[test]
    fn both_files_name_the_provider_and_no_key() {
        let launch = launch(&[]);
        let global = global(&launch);
        let routing = json!({
            "type": "openai-compat",
            "base_url": "https://kimi.example/v1",
            "api_key": "$AGENT_RUN_API_KEY",
            "disable": false,
            "discover_models": false,
            "extra_headers": {},
        });
        let mut described = routing.clone();
        described["name"] = "kimi (agent-run)".into();
        described["models"] = json!([{ "id": "k2", "name": "k2" }]);
        assert_eq!(global["providers"], json!({ "agent-run-kimi": described }));
        let chosen = json!({ "provider": "agent-run-kimi", "model": "k2" });
        assert_eq!(global["models"], json!({ "large": chosen, "small": chosen }));

        let session = provider(&launch).session(&Object::new());
        let mut chosen = chosen;
        chosen["max_tokens"] = 0.into();
        chosen["reasoning_effort"] = "".into();
        chosen["think"] = false.into();
        assert_eq!(session["models"], json!({ "large": chosen, "small": chosen }));
        assert_eq!(session["providers"], json!({ "agent-run-kimi": routing }));
        assert!(!session.to_string().contains('['), "arrays would be joined to those of the global file");
    }

    #[test]
    fn the_protocol_decides_type_url_and_key() {
        let chat = Protocol::OpenaiChatCompletions;
        for (protocol, url, meant) in [
            (chat, "https://a.example/v1", ("openai-compat", "https://a.example/v1")),
            (chat, "https://a.example/api/", ("openai-compat", "https://a.example/api")),
            (Protocol::Anthropic, "https://a.example/v1", ("anthropic", "https://a.example")),
            (Protocol::Anthropic, "https://a.example/v1/", ("anthropic", "https://a.example")),
            (Protocol::Anthropic, "https://a.example/coding", ("anthropic", "https://a.example/coding")),
        ] {
            let launch = speaking(protocol, url);
            let provider = provider(&launch);
            let (kind, base_url, _) = provider.endpoint();
            assert_eq!((kind, base_url), meant);
        }
        let key = |launch: &Launch| provider(launch).endpoint().2;
        let mut bearer = speaking(Protocol::Anthropic, "https://a.example");
        assert_eq!(key(&bearer), "Bearer $AGENT_RUN_API_KEY");
        bearer.anthropic_use_api_key = true;
        assert_eq!(key(&bearer), "$AGENT_RUN_API_KEY");
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
            let provider = Provider::of(&launch, alone).expect("complete");
            provider
                .models()
                .iter()
                .map(|model| model["id"].as_str().expect("an id").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(false), ["k2", "a", "tiny"]);
        assert_eq!(ids(true), ["k2", "tiny"]);
        assert_eq!(global(&launch)["models"]["small"]["model"], "tiny");
    }

    #[test]
    fn every_header_goes_by_a_variable() {
        let mut launch = launch(&[]);
        launch.headers.insert("X-Plain".into(), r"$5 \ `x` 'y'".into());
        launch.headers.insert("X-Secret".into(), Value::from("k=").then(Value::key()));
        let provider = provider(&launch);
        assert_eq!(provider.headers["X-Plain"], "$AGENT_RUN_HEADER_1");
        assert_eq!(provider.headers["X-Secret"], "$AGENT_RUN_HEADER_2");
        assert_eq!(
            provider.variables[1..],
            [
                ("AGENT_RUN_HEADER_1".into(), Value::from(r"$5 \ `x` 'y'")),
                ("AGENT_RUN_HEADER_2".into(), Value::from("k=").then(Value::key())),
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
        for (launch, part) in [(no_url, "base_urls.anthropic"), (no_model, "--model")] {
            let error = Provider::of(&launch, false).err().expect("refused").to_string();
            assert!(error.contains("\nhelp: ") && error.contains(part), "{error}");
        }
    }
}
