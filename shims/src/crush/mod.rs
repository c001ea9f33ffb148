//! Crush: folders of ours for its settings, its choices and its sessions, named by two variables and a flag.
//!
//! Crush merges its settings from `crush.json` in the config folder (`CRUSH_GLOBAL_CONFIG`), the `crushrc`
//! beside it, `crush.json` in its data folder (`CRUSH_GLOBAL_DATA`, where it keeps what is chosen in its
//! interface), the project's own files, and at last `crush.json` in the session folder (`--data-dir`); seen
//! in its source at 0.90. Only the last one beats a project that names a model, so what is chosen is said
//! there. The user's own folders are read and never named to Crush.

mod config;
mod flags;
mod fold;
mod homes;
mod model;
mod project;
mod rivals;
mod settings;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Map, Value as Json};

use self::config::{KEY, Provider};
use self::homes::{CONFIG, DATA, Homes, ORIGINAL};
use self::settings::Theirs;
use crate::loopback::PROXY_VARIABLES;
use crate::{Agent, Inputs, Launch, Plan, Protocol, Proxy, Rival, Value, Versions};

/// A JSON object.
type Object = Map<String, Json>;

/// Crush.
pub struct Crush;

impl Agent for Crush {
    fn name(&self) -> &'static str {
        "crush"
    }

    fn title(&self) -> &'static str {
        "Crush"
    }

    fn install(&self) -> &'static str {
        "go install github.com/charmbracelet/crush@latest"
    }

    /// 0.48 is the first version that reads settings in the session folder..
    fn versions(&self) -> Versions {
        Versions { minimum: "0.48.0", tested: "0.90.1" }
    }

    fn protocols(&self) -> &'static [Protocol] {
        &[Protocol::OpenaiChatCompletions, Protocol::Anthropic]
    }

    /// `OPENAI_API_KEY`, `ANTHROPIC_API_KEY` and the SDKs' base URLs are not among them: Crush always has ours
    /// and prefers it (seen in 0.90), while the tools it runs may need the user's.
    fn env_family(&self) -> &'static [&'static str] {
        &[
            CONFIG,
            DATA,
            "CRUSH_CLIENT_SERVER",
            "CRUSH_DISABLE_DEFAULT_PROVIDERS",
            "CRUSH_DISABLE_PROVIDER_AUTO_UPDATE",
            "OPENAI_ORG_ID",
            "OPENAI_PROJECT_ID",
            "OPENAI_CUSTOM_HEADERS",
            KEY,
            "AGENT_RUN_HEADER_*",
        ]
    }

    fn one_shot(&self, prompt: &str) -> Vec<OsString> {
        ["run", "-q", prompt].map(OsString::from).into()
    }

    fn fallback_programs(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let gopath = inputs.var("GOPATH").and_then(|list| std::env::split_paths(list).next());
        let bin = || gopath.unwrap_or_else(|| inputs.dirs.home.join("go")).join("bin");
        vec![inputs.var("GOBIN").map_or_else(bin, PathBuf::from).join(self.name())]
    }

    fn has_runtime_home(&self) -> bool {
        true
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn reads(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        let homes = Homes::of(launch, inputs);
        let mut paths = homes.project.reads(&homes.session, inputs);
        paths.extend(project::reads(&homes.start));
        paths.extend(homes.theirs.iter().flat_map(Theirs::reads));
        paths.push(homes.script());
        paths
    }

    fn adapt(&self, launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let homes = Homes::of(launch, inputs);
        // A session brings its last model back if Crush still lists it; not against the user's word.
        let alone = launch.model_was_asked_for() && homes.flags.resumes;
        let provider = Provider::of(launch, alone)?;
        let settings =
            homes.theirs.as_ref().map_or_else(|| Ok(settings::none()), |own| own.carried(inputs))?;

        let mut env = homes.variables();
        env.extend(provider.variables.iter().cloned());
        env.extend(silenced(launch.protocol.value).iter().map(|name| ((*name).to_owned(), "".into())));
        let pinned = pins(&env, launch, &settings);
        set(env, inputs, plan);

        homes.prepare(inputs, plan);
        plan.write(homes.config.join("crush.json"), pretty(&provider.global(settings)));
        if homes.flags.data_dir {
            plan.warn(
                "--data-dir is not agent-run's own folder: the project's settings, or a model chosen in Crush \
                 before, may win over this launch\nhelp: leave --data-dir out",
            );
        } else {
            homes.project.show_in(&homes.session, inputs, plan);
            plan.dirs.insert(homes.session.clone());
            plan.write(homes.session.join("crush.json"), pretty(&provider.session(&pinned)));
            let mut flag = OsString::from("--data-dir=");
            flag.push(&homes.session);
            plan.arg(flag);
        }
        plan.forward(launch);
        Ok(())
    }

    fn rival_files(&self, inputs: &Inputs) -> Vec<PathBuf> {
        rivals::files(inputs)
    }

    fn rivals(&self, launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<Rival> {
        rivals::of(&Homes::of(launch, inputs), inputs, plan)
    }
}

/// Variables by which Crush's SDKs send more than they are told to: a token beside our key, and headers.
fn silenced(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::Anthropic => &["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS", "OPENAI_CUSTOM_HEADERS"],
        Protocol::OpenaiChatCompletions | Protocol::OpenaiResponses => &["OPENAI_CUSTOM_HEADERS"],
    }
}

/// Names each variable as its own value, for `env` in the session folder: Crush exports that at its start,
/// after what the user and the project have written there.
///
/// A proxy in the user's own `env` stays, unless the launch decides on the proxy.
fn pins(env: &[(String, Value)], launch: &Launch, settings: &Object) -> Object {
    let itself = |name: &str| (name.to_owned(), Json::from(format!("${name}")));
    let mut pins: Object = env.iter().map(|(name, _)| itself(name)).collect();
    for name in PROXY_VARIABLES {
        let (name, inherited) = itself(name);
        let own = settings.get("env").and_then(|env| env.get(&name)).filter(|own| own.is_string());
        let value = own.filter(|_| launch.proxy == Proxy::Inherit).cloned().unwrap_or(inherited);
        pins.insert(name, value);
    }
    pins
}

fn set(env: Vec<(String, Value)>, inputs: &Inputs, plan: &mut Plan) {
    for (name, value) in env {
        plan.set(name, value);
    }
    for name in [CONFIG, DATA] {
        plan.set(format!("{ORIGINAL}{name}"), homes::own_value(name, inputs).unwrap_or_default());
    }
    // A proxy that is not there must not come from a `.env` either.
    for name in PROXY_VARIABLES.map(OsStr::new) {
        let stays = match plan.env.get(name) {
            Some(planned) => planned.is_some(),
            None => inputs.env.contains_key(name),
        };
        if !stays {
            plan.set(name, "");
        }
    }
}

fn pretty(json: &Json) -> String {
    format!("{json:#}\n")
}
