//! What providers are known to refuse, from their users' reports and from clients' workarounds, 2026-11.

use shims::{Protocol, proxy};

use crate::config::Provider;

use Protocol::{Anthropic, OpenaiChatCompletions as Chat, OpenaiResponses as Responses};

/// What to know of a provider, and whether its entry in the config heeds it already.
type Hint = (&'static str, fn(&Provider) -> bool);

const API_KEY: Hint =
    ("it only accepts x-api-key: set `anthropic_use_api_key: true`", |it| it.anthropic_use_api_key);
const TOOL_SEARCH: Hint =
    ("it refuses tool search: set ENABLE_TOOL_SEARCH: \"false\" in `extra_env`", |provider| {
        provider.extra_env.contains_key("ENABLE_TOOL_SEARCH")
    });
const FUNCTION_TOOLS: Hint =
    ("it only accepts function tools: set `codex: {tools: minimal}`", has_minimal_tools);
const NAMESPACE_TOOLS: Hint =
    ("it refuses namespace tools: set `codex: {tools: minimal}`", has_minimal_tools);
const NO_RESPONSES: Hint = open("it has no Responses API");

/// One that no setting heeds.
const fn open(text: &'static str) -> Hint {
    (text, |_| false)
}

fn has_minimal_tools(provider: &Provider) -> bool {
    provider.codex.tools == shims::ToolSet::Minimal
}

/// A host or what it ends with, the protocol, and what to know.
const HINTS: &[(&str, Protocol, Hint)] = &[
    ("openrouter.ai", Responses, FUNCTION_TOOLS),
    ("openrouter.ai", Anthropic, open("only Anthropic models are guaranteed to work with Claude Code")),
    ("x.ai", Responses, NAMESPACE_TOOLS),
    (
        "x.ai",
        Anthropic,
        open("it refuses the system role inside messages, so Claude Code fails on the first turn"),
    ),
    ("volces.com", Responses, open("it refuses parallel_tool_calls and metadata, which Codex sends")),
    ("groq.com", Responses, open("its Responses API is beta and refuses `include`, which Codex sends")),
    ("api.mistral.ai", Responses, NO_RESPONSES),
    ("api.cerebras.ai", Responses, NO_RESPONSES),
    ("api.together.ai", Responses, NO_RESPONSES),
    ("integrate.api.nvidia.com", Responses, NO_RESPONSES),
    ("generativelanguage.googleapis.com", Responses, NO_RESPONSES),
    ("siliconflow.com", Responses, NO_RESPONSES),
    ("siliconflow.cn", Responses, NO_RESPONSES),
    ("moonshot.ai", Anthropic, TOOL_SEARCH),
    ("moonshot.cn", Anthropic, TOOL_SEARCH),
    ("api.kimi.com", Anthropic, TOOL_SEARCH),
    ("api.kimi.com", Chat, open("it serves known clients only (403 access_terminated_error)")),
    ("api.deepseek.com", Anthropic, open("silently replaces Claude model names with its own models")),
    ("api.poe.com", Anthropic, open("only Claude bots support it")),
    ("opencode.ai", Anthropic, API_KEY),
    ("modelscope.cn", Anthropic, open("it only accepts content as a string, and Claude Code sends lists")),
    ("api.anthropic.com", Anthropic, API_KEY),
    ("generativelanguage.googleapis.com", Chat, open("it refuses `store` and some keywords in tool schemas")),
    ("api.mistral.ai", Chat, open("it refuses fields it does not know (422 extra_forbidden)")),
    ("api.cerebras.ai", Chat, open("it refuses `store`, and reasoning_content in the history")),
];

/// What is known of one protocol of the server at `url`.
fn of(url: &str, protocol: Protocol) -> Option<Hint> {
    let host = proxy::host(url).to_ascii_lowercase();
    let is_there = |end: &str| {
        host == end || host.strip_suffix(end).is_some_and(|above| above.is_empty() || above.ends_with('.'))
    };
    let found = HINTS.iter().find(|(end, spoken, _)| *spoken == protocol && is_there(end));
    found.map(|(_, _, hint)| *hint)
}

/// What is known of a provider and not yet heeded by its config.
pub fn about(provider: &Provider) -> Vec<(Protocol, &'static str)> {
    let hint = |&protocol: &Protocol| {
        let (text, is_heeded) = of(provider.base_url(protocol)?, protocol)?;
        (!is_heeded(provider)).then_some((protocol, text))
    };
    provider.protocols.iter().filter_map(hint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_for_one_protocol_of_one_host() {
        assert!(of("https://API.x.ai/v1", Responses).is_some_and(|(hint, _)| hint.contains("namespace")));
        assert!(of("https://api.x.ai/v1", Chat).is_none());
        assert!(of("https://notx.ai/v1", Responses).is_none());
    }

    #[test]
    fn no_preset_leaves_a_hint_unheeded_that_a_setting_answers() {
        for preset in crate::presets::all().expect("the presets") {
            let open: Vec<_> =
                about(&preset.provider).into_iter().filter(|(_, h)| h.contains("set ")).collect();
            assert!(open.is_empty(), "{}: {open:?}", preset.name);
        }
    }
}
