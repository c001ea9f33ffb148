//! Claude Code: routing by variables, one onboarding flag, nothing else on disk.

use std::ffi::OsString;

use anyhow::Result;

use crate::{Agent, Inputs, Launch, Plan, Protocol, Value, Versions};

/// Claude Code.
pub struct Claude;

impl Agent for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn title(&self) -> &'static str {
        "Claude Code"
    }

    fn install(&self) -> &'static str {
        "npm install -g @anthropic-ai/claude-code"
    }

    fn versions(&self) -> Versions {
        Versions { minimum: "2.1.126", tested: "2.1.197" }
    }

    fn protocols(&self) -> &'static [Protocol] {
        &[Protocol::Anthropic]
    }

    fn env_family(&self) -> &'static [&'static str] {
        &["ANTHROPIC_API_KEY", "ANTHROPIC_*"]
    }

    fn one_shot(&self, prompt: &str) -> Vec<OsString> {
        ["-p", prompt].map(OsString::from).into()
    }

    fn adapt(&self, launch: &Launch, _inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        plan.set("ANTHROPIC_BASE_URL", launch.base_url.value.as_str());
        plan.set("ANTHROPIC_AUTH_TOKEN", if launch.keyed { Value::key() } else { "agent-run".into() });
        plan.set("ANTHROPIC_MODEL", launch.model.value.id.as_str());
        plan.forward(launch);
        Ok(())
    }
}
