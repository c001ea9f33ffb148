//! What providers are known to refuse, from their users' reports and from clients' workarounds, 2026-11.

use shims::{Protocol, proxy};

use crate::config::Provider;

use Protocol::{Anthropic, OpenaiChatCompletions as Chat, OpenaiResponses as Responses};

/// A host or what it ends with, the protocol, and what to know.
const HINTS: &[(&str, Protocol, &str)] = &[
    ("openrouter.ai", Responses, "it only accepts function tools: set `codex: {tools: minimal}`"),
    ("openrouter.ai", Anthropic, "only Anthropic models are guaranteed to work with Claude Code"),
    ("x.ai", Responses, "it refuses namespace tools: set `codex: {tools: minimal}`"),
    ("x.ai", Anthropic, "it refuses the system role inside messages, so Claude Code fails on the first turn"),
    ("volces.com", Responses, "it refuses parallel_tool_calls and metadata, which Codex sends"),
    ("groq.com", Responses, "its Responses API is beta and refuses `include`, which Codex sends"),
    ("api.mistral.ai", Responses, "it has no Responses API"),
    ("api.cerebras.ai", Responses, "it has no Responses API"),
    ("api.together.ai", Responses, "it has no Responses API"),
    ("integrate.api.nvidia.com", Responses, "it has no Responses API"),
    ("generativelanguage.googleapis.com", Responses, "it has no Responses API"),
    ("siliconflow.com", Responses, "it has no Responses API"),
    ("siliconflow.cn", Responses, "it has no Responses API"),
    ("moonshot.ai", Anthropic, "it refuses tool search: set ENABLE_TOOL_SEARCH: \"false\" in `extra_env`"),
    ("moonshot.cn", Anthropic, "it refuses tool search: set ENABLE_TOOL_SEARCH: \"false\" in `extra_env`"),
    ("api.kimi.com", Anthropic, "it refuses tool search: set ENABLE_TOOL_SEARCH: \"false\" in `extra_env`"),
    ("api.kimi.com", Chat, "it serves known clients only (403 access_terminated_error)"),
    ("api.deepseek.com", Anthropic, "silently replaces Claude model names with its own models"),
    ("api.poe.com", Anthropic, "only Claude bots support it"),
    ("opencode.ai", Anthropic, "it only accepts x-api-key: set `anthropic_use_api_key: true`"),
    ("modelscope.cn", Anthropic, "it only accepts content as a string, and Claude Code sends lists"),
    ("api.anthropic.com", Anthropic, "it only accepts x-api-key: set `anthropic_use_api_key: true`"),
    ("generativelanguage.googleapis.com", Chat, "it refuses `store` and some keywords in tool schemas"),
    ("api.mistral.ai", Chat, "it refuses fields it does not know (422 extra_forbidden)"),
    ("api.cerebras.ai", Chat, "it refuses `store`, and reasoning_content in the history"),
];

/// What is known of one protocol of the server at `url`.
pub fn of(url: &str, protocol: Protocol) -> Option<&'static str> {
    let host = proxy::host(url).to_ascii_lowercase();
    let is_there = |end: &str| {
        host == end || host.strip_suffix(end).is_some_and(|above| above.is_empty() || above.ends_with('.'))
    };
    let found = HINTS.iter().find(|(end, spoken, _)| *spoken == protocol && is_there(end));
    found.map(|(_, _, hint)| *hint)
}

/// What is known of a provider and not yet heeded by its config.
pub fn about(provider: &Provider) -> Vec<(Protocol, &'static str)> {
    let heeded = |hint: &str| {
        (hint.contains("anthropic_use_api_key") && provider.anthropic_use_api_key)
            || (hint.contains("ENABLE_TOOL_SEARCH") && provider.extra_env.contains_key("ENABLE_TOOL_SEARCH"))
            || (hint.contains("tools: minimal") && provider.codex.tools == shims::ToolSet::Minimal)
    };
    let hint = |protocol: &Protocol| Some((*protocol, of(provider.base_url(*protocol)?, *protocol)?));
    provider.protocols.iter().filter_map(hint).filter(|(_, hint)| !heeded(hint)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_for_one_protocol_of_one_host() {
        assert!(of("https://API.x.ai/v1", Responses).is_some_and(|hint| hint.contains("namespace")));
        assert_eq!(of("https://api.x.ai/v1", Chat), None);
        assert_eq!(of("https://notx.ai/v1", Responses), None);
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
