//! What a row says of its model's limits and abilities, field by field: the paths that state each, most trustworthy first.
//!
//! The rules go by what a row holds and not by who sent it, since gateways answer in shapes borrowed from
//! each other, and a new provider borrows them again. A path stands here once some list was seen to use it.

use serde_json::Value;

use super::value::{at, first_count, first_flag, text, words};

/// The window a server runs with, which may be far below what the model could do.
const SERVED_WINDOW: &[&str] =
    &["loaded_context_length", "loaded_instances.0.config.context_length", "meta.n_ctx", "max_model_len"];
/// The window as advertised, before and after the providers behind a router are asked.
const WINDOW: &[&str] = &[
    "context_window",
    "context_window.context_length",
    "context_length",
    "limits.max_context_length",
    "max_context_length",
    "context_size",
    "capabilities.limits.max_context_window_tokens",
    "model_spec.availableContextTokens",
];
const WINDOW_BY_PROMPT: &[&str] = &[
    "inputTokenLimit",
    "max_prompt_length",
    "max_input_tokens",
    "limits.max_input_tokens",
    "model_info.max_input_tokens",
    "details.context_length",
    "meta.n_ctx_train",
];
const PROMPT: &[&str] = &[
    "capabilities.limits.max_prompt_tokens",
    "max_prompt_tokens",
    "max_input_tokens",
    "limits.max_input_tokens",
    "model_info.max_input_tokens",
];
const OUTPUT: &[&str] = &[
    "top_provider.max_completion_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_output_length",
    "max_output",
    "outputTokenLimit",
    "limits.max_completion_tokens",
    "limits.max_output_tokens",
    "capabilities.limits.max_output_tokens",
    "model_spec.maxCompletionTokens",
    "context_window.max_output_tokens",
    "model_info.max_output_tokens",
    "max_tokens",
];
const TOOLS: &[&str] = &[
    "supports_tools",
    "supports_tool_use",
    "supports_tool_calling",
    "supports_function_calling",
    "capabilities.function_calling",
    "capabilities.tools",
    "capabilities.supports.tool_calls",
    "capabilities.trained_for_tool_use",
    "model_spec.capabilities.supportsFunctionCalling",
    "model_info.supports_function_calling",
];
const TOOLS_WORDS: &[&str] =
    &["tools", "tool_use", "tool_calls", "tool_calling", "function_calling", "function_call"];
const REASONING: &[&str] = &[
    "supports_reasoning",
    "thinking",
    "capabilities.reasoning",
    "capabilities.thinking",
    "model_spec.capabilities.supportsReasoning",
    "model_info.supports_reasoning",
    "reasoning",
    "think_efforts",
];
const REASONING_WORDS: &[&str] = &["reasoning", "include_reasoning", "reasoning_effort", "thinking"];
/// Lists that name everything a model can: what is missing there, it cannot.
const WHOLE_LISTS: &[&str] = &["supported_parameters", "supported_features", "features"];
/// Lists that name some of what a model can: what is missing there is unknown.
pub const PARTIAL_LISTS: &[&str] = &["tags", "capabilities"];

/// The providers behind a router's row that work now.
pub fn live_providers(row: &Value) -> Vec<&Value> {
    let providers = at(row, "providers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_live = |provider: &&Value| text(provider, "status").is_none_or(|status| status == "live");
    providers.iter().filter(|provider| provider.is_object()).filter(is_live).collect()
}

/// Tokens of the whole window, as served.
pub fn context_window(row: &Value, live: &[&Value]) -> Option<u64> {
    let routed = first_count(row, &["top_provider.context_length"]);
    let behind = || live.iter().filter_map(|provider| first_count(provider, &["context_length"])).min();
    first_count(row, SERVED_WINDOW)
        .or_else(|| routed.map(|routed| first_count(row, &["context_length"]).unwrap_or(routed).min(routed)))
        .or_else(|| first_count(row, WINDOW))
        .or_else(behind)
        .or_else(|| first_count(row, WINDOW_BY_PROMPT))
}

/// Whether the row says 0 where its window goes, as rows of placeholders do.
pub fn window_is_zero(row: &Value) -> bool {
    let is_zero = |path: &&str| at(row, path).and_then(Value::as_f64) == Some(0.0);
    WINDOW.iter().chain(WINDOW_BY_PROMPT).any(is_zero)
}

/// Tokens of one prompt, where that is less than the window.
pub fn max_input(row: &Value, window: Option<u64>) -> Option<u64> {
    first_count(row, PROMPT).filter(|&prompt| window.is_none_or(|window| prompt < window))
}

/// Tokens of one answer. As much as the window means "no limit of its own" in most lists.
pub fn max_output(row: &Value, window: Option<u64>) -> Option<u64> {
    first_count(row, OUTPUT).filter(|&output| window.is_none_or(|window| output < window))
}

/// Whether the model calls tools: behind a router, whether every provider lets it.
pub fn tools(row: &Value, live: &[&Value]) -> Option<bool> {
    let behind: Option<Vec<bool>> = live.iter().map(|provider| first_flag(provider, TOOLS)).collect();
    first_flag(row, TOOLS)
        .or_else(|| behind.filter(|all| !all.is_empty()).map(|all| all.into_iter().all(|can| can)))
        .or_else(|| listed(row, TOOLS_WORDS))
}

/// Whether the model reasons.
pub fn reasoning(row: &Value) -> Option<bool> {
    let has_settings = || at(row, "reasoning")?.as_object().filter(|object| !object.is_empty()).map(|_| true);
    let has_levels = || at(row, "supported_reasoning_levels")?.as_array().map(|levels| !levels.is_empty());
    first_flag(row, REASONING)
        .or_else(has_settings)
        .or_else(|| has_levels().filter(|&has| has))
        .or_else(|| listed(row, REASONING_WORDS))
}

fn listed(row: &Value, wanted: &[&str]) -> Option<bool> {
    let has = |list: &Vec<String>| list.iter().any(|word| wanted.contains(&word.as_str()));
    let whole: Vec<_> = WHOLE_LISTS.iter().filter_map(|path| words(row, path)).collect();
    let partial: Vec<_> = PARTIAL_LISTS.iter().filter_map(|path| words(row, path)).collect();
    if whole.iter().chain(&partial).any(has) {
        return Some(true);
    }
    (!whole.is_empty() || ollama_capabilities(row).is_some()).then_some(false)
}

/// Ollama's `capabilities` name everything; llama.cpp's imitation, which does not, has no digest.
pub fn ollama_capabilities(row: &Value) -> Option<Vec<String>> {
    text(row, "digest").and_then(|_| words(row, "capabilities"))
}

/// The id of the model that this row is a fine-tune of (vLLM).
pub fn parent(row: &Value) -> Option<&str> {
    text(row, "parent")
}

/// The model that this id is only another name of: the row is called by one of its own aliases (Mistral).
pub fn alias_of(row: &Value, id: &str) -> Option<String> {
    let name = text(row, "name").filter(|name| *name != id)?;
    let aliases = at(row, "aliases")?.as_array()?;
    aliases.iter().any(|alias| alias == name).then(|| name.to_owned())
}

/// Whether a price of nothing is meant: not in a row that also claims a window of nothing.
pub fn may_be_free(row: &Value, id: &str) -> bool {
    id.ends_with(":free") || id.ends_with("-free") || !window_is_zero(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_window_is_the_one_that_is_served() {
        for (row, window) in [
            (json!({"max_context_length": 262_144, "loaded_context_length": 32_768}), Some(32_768)),
            (json!({"loaded_instances": [{"config": {"context_length": 4096}}]}), Some(4096)),
            (json!({"context_length": 256_000, "top_provider": {"context_length": 131_072}}), Some(131_072)),
            (json!({"context_length": 1000, "top_provider": {"context_length": 2000}}), Some(1000)),
            (json!({"context_length": null, "top_provider": {"context_length": 2000}}), Some(2000)),
            (json!({"context_window": {"context_length": 983_040}}), Some(983_040)),
            (json!({"meta": {"n_ctx_train": 8192}}), Some(8192)),
            (json!({"context_length": "8192", "context_window": true}), None),
        ] {
            assert_eq!(context_window(&row, &[]), window, "{row}");
        }
    }

    #[test]
    fn a_router_is_as_able_as_its_least_able_live_provider() {
        let row = json!({"providers": [
            {"status": "live", "context_length": 64_000, "supports_tools": true},
            {"status": "live", "context_length": 32_000, "supports_tools": true},
            {"status": "error", "context_length": 1_000, "supports_tools": false},
        ]});
        let live = live_providers(&row);
        assert_eq!((context_window(&row, &live), tools(&row, &live)), (Some(32_000), Some(true)));
        let row = json!({"providers": [{"supports_tools": true}, {"supports_tools": false}]});
        assert_eq!(tools(&row, &live_providers(&row)), Some(false));
        let row = json!({"providers": [{"supports_tools": true}, {}]});
        assert_eq!(tools(&row, &live_providers(&row)), None);
    }

    #[test]
    fn a_limit_as_large_as_the_window_is_none() {
        assert_eq!(max_output(&json!({"max_tokens": 8192}), Some(8192)), None);
        assert_eq!(max_output(&json!({"max_tokens": 8191}), Some(8192)), Some(8191));
        assert_eq!(max_input(&json!({"max_input_tokens": 8192}), Some(8192)), None);
        assert_eq!(
            max_input(&json!({"capabilities": {"limits": {"max_prompt_tokens": 272_000}}}), Some(400_000)),
            Some(272_000)
        );
    }

    #[test]
    fn absence_means_no_only_in_lists_that_name_everything() {
        for (row, can_use_tools, reasons) in [
            (json!({"supported_parameters": ["tools"]}), Some(true), Some(false)),
            (json!({"supported_features": []}), None, None),
            (json!({"features": "thinking,function_calling"}), Some(true), Some(true)),
            (json!({"tags": ["tool-use"]}), Some(true), None),
            (json!({"capabilities": ["tool_use"]}), Some(true), None),
            (json!({"digest": "1", "capabilities": ["completion"]}), Some(false), Some(false)),
            (json!({"digest": "", "capabilities": ["completion"]}), None, None),
            (json!({"reasoning": {"mandatory": false}}), None, Some(true)),
            (json!({"reasoning": {}, "supported_reasoning_levels": []}), None, None),
            (json!({"think_efforts": {"support": true}}), None, Some(true)),
        ] {
            assert_eq!((tools(&row, &[]), reasoning(&row)), (can_use_tools, reasons), "{row}");
        }
    }
}
