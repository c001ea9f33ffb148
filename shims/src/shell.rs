//! Any other program: the variables that tools which know no provider files listen to, and nothing more.
//!
//! The words are a program and its arguments; without any, or with options only, the program is the user's
//! shell. [`variables`] is the one home of the set, which `agent-run env` prints too. It is what an earlier
//! launcher of this name set, with one difference: a key goes only where a base URL of the provider goes
//! with it, since a client that finds a key and no URL sends it to the vendor's own server.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use anyhow::Result;

use crate::{Agent, AgentInfo, Inputs, Launch, Plan, Protocol, Value};

/// Any program, the user's shell by default.
pub struct ShellAgent;

/// Clients refuse to start without a key, also for a server that takes none.
const NO_KEY: &str = "agent-run";

const INFO: AgentInfo = AgentInfo {
    name: "shell",
    title: "the shell",
    install: "install it, or name another program after `shell`",
    minimum: "any",
    tested: "any",
    protocols: &[Protocol::Anthropic, Protocol::OpenaiResponses, Protocol::OpenaiChatCompletions],
    is_coding_agent: false,
    managed_env_vars: &[
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "ANTHROPIC_*",
        "CLAUDE_CODE_USE_*",
        "OPENAI_*",
    ],
    ..AgentInfo::USUAL
};

impl Agent for ShellAgent {
    fn info(&self) -> &'static AgentInfo {
        &INFO
    }

    fn program(&self, args: &[OsString], inputs: &Inputs) -> OsString {
        let shell = || inputs.var("SHELL").unwrap_or(OsStr::new("sh")).to_owned();
        named(args).map_or_else(shell, |(program, _)| program.clone())
    }

    fn plan(&self, launch: &Launch, _inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        for (name, value) in variables(launch) {
            plan.set(name, value);
        }
        if !launch.headers.is_empty() {
            plan.warn(format!(
                "no variable can pass the `headers` of {}, so they are not sent",
                launch.provider
            ));
        }
        match named(&launch.args) {
            Some((_, args)) => plan.args.extend(args.iter().cloned()),
            None => plan.append_user_args(launch),
        }
        Ok(())
    }
}

/// The program that the words name, and its arguments; options alone are the shell's own.
fn named(args: &[OsString]) -> Option<(&OsString, &[OsString])> {
    args.split_first().filter(|(first, _)| !first.as_encoded_bytes().starts_with(b"-"))
}

/// Where each family of clients finds this provider, its key and the model.
pub fn variables(launch: &Launch) -> BTreeMap<&'static str, Value> {
    let key = || if launch.keyed { Value::key() } else { NO_KEY.into() };
    let model = || Value::from(launch.model.value.id.as_str());
    let mut set = BTreeMap::new();
    if let Some(url) = launch.base_urls.get("anthropic") {
        // Both together would both be sent.
        let name = if launch.anthropic_use_api_key { "ANTHROPIC_API_KEY" } else { "ANTHROPIC_AUTH_TOKEN" };
        set.extend([("ANTHROPIC_BASE_URL", url.into()), (name, key()), ("ANTHROPIC_MODEL", model())]);
    }
    if let Some(url) = launch.base_urls.get("openai") {
        let openai = [("OPENAI_BASE_URL", url.into()), ("OPENAI_API_KEY", key()), ("OPENAI_MODEL", model())];
        set.extend(openai);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(args: &[&str]) -> Launch {
        let url = "https://api.acme.example";
        Launch {
            base_urls: BTreeMap::from([("anthropic", url.to_owned())]),
            args: args.iter().map(Into::into).collect(),
            ..Launch::sample("acme", Protocol::Anthropic, url, "large")
        }
    }

    fn plan(args: &[&str]) -> Plan {
        let mut inputs = Inputs::default();
        inputs.env.insert("SHELL".into(), "/bin/zsh".into());
        inputs.env.insert("OPENAI_ORG_ID".into(), "mine".into());
        Plan::of(&ShellAgent, &launch(args), &inputs).expect("a plan")
    }

    #[test]
    fn words_are_a_program_and_options_are_the_shells() {
        for (args, program, left) in [
            (&[][..], "/bin/zsh", &[][..]),
            (&["-c", "ls"], "/bin/zsh", &["-c", "ls"]),
            (&["aider", "--yes"], "aider", &["--yes"]),
        ] {
            let plan = plan(args);
            assert_eq!((plan.program.to_str(), plan.args.as_slice()), (Some(program), &*words(left)));
        }
        assert_eq!(ShellAgent.program(&[], &Inputs::default()), "sh");
    }

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(Into::into).collect()
    }

    #[test]
    fn a_key_goes_only_where_a_base_url_goes() {
        let plan = plan(&[]);
        let set = |name: &str| plan.env.get(OsStr::new(name)).and_then(Option::as_ref).map(Value::to_string);
        assert_eq!(set("ANTHROPIC_AUTH_TOKEN").as_deref(), Some("<key>"));
        assert_eq!(set("ANTHROPIC_MODEL").as_deref(), Some("large"));
        for name in ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID"] {
            assert_eq!(plan.env.get(OsStr::new(name)), Some(&None), "{name}");
        }
    }

    #[test]
    fn a_provider_without_a_key_gets_a_placeholder_and_never_the_users_own() {
        let keyless = Launch { keyed: false, anthropic_use_api_key: true, ..launch(&[]) };
        let set = variables(&keyless);
        assert_eq!(set.get("ANTHROPIC_API_KEY").map(ToString::to_string).as_deref(), Some(NO_KEY));
        assert!(!set.contains_key("ANTHROPIC_AUTH_TOKEN"));
    }
}
