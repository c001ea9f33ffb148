//! What a row says of its model, field by field: the paths that state each, most trustworthy first.
//!
//! The rules go by what a row holds and not by who sent it, since gateways answer in shapes borrowed from
//! each other, and a new provider borrows them again. A path stands here once some list was seen to use it.

use std::collections::BTreeSet;

use serde_json::Value;
use shims::Protocol;

use super::value::{at, first_count, first_flag, text, words};
use crate::catalog::record::{Kind, Modality};

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
const PARTIAL_LISTS: &[&str] = &["tags", "capabilities"];

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
fn ollama_capabilities(row: &Value) -> Option<Vec<String>> {
    text(row, "digest").and_then(|_| words(row, "capabilities"))
}

/// What a prompt may hold.
pub fn input_modalities(row: &Value) -> Option<BTreeSet<Modality>> {
    modalities(row, &["input_modalities", "architecture.input_modalities", "modalities.input"])
        .or_else(|| arrow(row).and_then(|(input, _)| parse_modalities(input.split(['+', ',']))))
        .or_else(|| stated_modalities(row))
}

/// What an answer may hold.
pub fn output_modalities(row: &Value) -> Option<BTreeSet<Modality>> {
    modalities(row, &["output_modalities", "architecture.output_modalities", "modalities.output"])
        .or_else(|| arrow(row).and_then(|(_, output)| parse_modalities(output.split(['+', ',']))))
}

fn modalities(row: &Value, paths: &[&str]) -> Option<BTreeSet<Modality>> {
    paths.iter().find_map(|path| parse_modalities(words(row, path)?.iter().map(String::as_str)))
}

/// `text+image->text`.
fn arrow(row: &Value) -> Option<(&str, &str)> {
    ["architecture.modality", "modality"].iter().find_map(|path| text(row, path)?.split_once("->"))
}

fn parse_modalities<'a>(words: impl Iterator<Item = &'a str>) -> Option<BTreeSet<Modality>> {
    let known = words.filter_map(|word| match word.trim() {
        "text" => Some(Modality::Text),
        "image" | "images" | "vision" => Some(Modality::Image),
        "audio" | "speech" => Some(Modality::Audio),
        "video" => Some(Modality::Video),
        "file" | "files" | "pdf" | "document" => Some(Modality::File),
        _ => None,
    });
    let known: BTreeSet<_> = known.collect();
    (!known.is_empty()).then_some(known)
}

/// From single statements such as `supports_image_in`; one alone says of the rest only that it is text.
fn stated_modalities(row: &Value) -> Option<BTreeSet<Modality>> {
    const STATED: [(Modality, &[&str]); 4] = [
        (
            Modality::Image,
            &[
                "supports_image_in",
                "supports_vision",
                "supports_images",
                "capabilities.vision",
                "capabilities.image_input",
                "capabilities.supports.vision",
                "model_spec.capabilities.supportsVision",
                "model_info.supports_vision",
            ],
        ),
        (Modality::Video, &["supports_video_in", "model_spec.capabilities.supportsVideoInput"]),
        (
            Modality::Audio,
            &[
                "supports_audio_input",
                "model_info.supports_audio_input",
                "model_spec.capabilities.supportsAudioInput",
            ],
        ),
        (Modality::File, &["capabilities.pdf_input", "model_info.supports_pdf_input"]),
    ];
    let mut stated = STATED.map(|(modality, paths)| (modality, first_flag(row, paths)));
    let lists_vision = PARTIAL_LISTS.iter().filter_map(|path| words(row, path)).any(|list| {
        list.iter().any(|word| matches!(word.as_str(), "vision" | "image_input" | "supports_vision"))
    });
    if lists_vision || text(row, "type") == Some("vlm") {
        stated[0].1 = Some(true);
    } else if ollama_capabilities(row).is_some() {
        stated[0].1 = stated[0].1.or(Some(false));
    }
    if stated.iter().all(|(_, said)| said.is_none()) {
        return None;
    }
    let taken = stated.iter().filter(|(_, said)| *said == Some(true)).map(|(modality, _)| *modality);
    Some(taken.chain([Modality::Text]).collect())
}

/// The protocols a row names; other words are not about protocols.
pub fn protocols(row: &Value) -> BTreeSet<Protocol> {
    let mut named = BTreeSet::new();
    for path in ["supported_endpoints", "api_capabilities", "protocol", "protocols"] {
        for word in words(row, path).unwrap_or_default() {
            if word.contains("messages") || word == "anthropic" {
                named.insert(Protocol::Anthropic);
            } else if word.contains("responses") {
                named.insert(Protocol::OpenaiResponses);
            } else if word.contains("chat") || word == "openai" {
                named.insert(Protocol::OpenaiChatCompletions);
            }
        }
    }
    named
}

/// Whether one can chat with the model; a list that says nothing of it keeps all its models.
pub fn kind(row: &Value, outputs: Option<&BTreeSet<Modality>>) -> Kind {
    let of_another_type = ["type", "mode", "model_type", "model_info.mode", "task"]
        .iter()
        .filter_map(|path| text(row, path))
        .any(names_another_type);
    let refuses = first_flag(
        row,
        &["supports_chat", "active", "capabilities.completion_chat", "capabilities.chat_completion"],
    ) == Some(false);
    let offline = first_flag(row, &["offline", "model_spec.offline"]) == Some(true);
    let hidden = text(row, "visibility") == Some("hide");
    let generates_no_content = words(row, "supportedGenerationMethods")
        .is_some_and(|methods| !methods.iter().any(|method| method == "generatecontent"));
    let only_embeds =
        ollama_capabilities(row).is_some_and(|list| !list.iter().any(|word| word == "completion"));
    let writes_no_text = outputs.is_some_and(|outputs| !outputs.contains(&Modality::Text));
    let is_other = of_another_type
        || refuses
        || offline
        || hidden
        || generates_no_content
        || only_embeds
        || writes_no_text;
    if is_other { Kind::Other } else { Kind::Chat }
}

/// `embedding`, `image_generation`, `text-to-speech`; but not `image-text-to-text`, which answers in text.
fn names_another_type(name: &str) -> bool {
    const STEMS: [&str; 11] = [
        "embed",
        "image",
        "audio",
        "video",
        "moderation",
        "rerank",
        "transcri",
        "speech",
        "tts",
        "stt",
        "asr",
    ];
    let name = name.to_ascii_lowercase();
    if name.contains("chat") || name.ends_with("text-to-text") {
        return false;
    }
    name.split(|c: char| !c.is_alphanumeric()).any(|word| STEMS.iter().any(|stem| word.starts_with(stem)))
}

/// The window of the row that this one is a fine-tune of (vLLM).
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

    #[test]
    fn modalities_come_from_lists_arrows_and_statements() {
        use Modality::{File, Image, Text, Video};
        for (row, inputs) in [
            (json!({"architecture": {"input_modalities": ["text", "file"]}}), vec![Text, File]),
            (json!({"architecture": {"modality": "text+image->text"}}), vec![Text, Image]),
            (json!({"supports_image_in": false, "supports_video_in": true}), vec![Text, Video]),
            (json!({"capabilities": {"image_input": {"supported": true}}}), vec![Text, Image]),
            (json!({"type": "vlm"}), vec![Text, Image]),
        ] {
            assert_eq!(input_modalities(&row), Some(inputs.into_iter().collect()), "{row}");
        }
        assert_eq!(input_modalities(&json!({"type": "llm"})), None);
    }

    #[test]
    fn only_what_says_so_cannot_chat() {
        for row in [
            json!({"type": "embeddings"}),
            json!({"mode": "image_generation"}),
            json!({"model_type": "text-to-speech"}),
            json!({"active": false}),
            json!({"supports_chat": false}),
            json!({"visibility": "hide"}),
            json!({"model_spec": {"offline": true}}),
            json!({"supportedGenerationMethods": ["embedContent"]}),
            json!({"digest": "1", "capabilities": ["embedding"]}),
        ] {
            assert_eq!(kind(&row, output_modalities(&row).as_ref()), Kind::Other, "{row}");
        }
        let pictures = json!({"architecture": {"modality": "text->image"}});
        assert_eq!(kind(&pictures, output_modalities(&pictures).as_ref()), Kind::Other);
        for row in [
            json!({"type": "model"}),
            json!({"type": "vlm"}),
            json!({"mode": "responses"}),
            json!({"type": "image-text-to-text"}),
            json!({"supportedGenerationMethods": ["generateContent", "countTokens"]}),
            json!({}),
        ] {
            assert_eq!(kind(&row, None), Kind::Chat, "{row}");
        }
    }

    #[test]
    fn endpoints_name_protocols() {
        let row = json!({"supported_endpoints": ["/v1/chat/completions", "/v1/messages", "/v1/audio"]});
        assert_eq!(protocols(&row), [Protocol::Anthropic, Protocol::OpenaiChatCompletions].into());
        assert_eq!(protocols(&json!({"protocol": "anthropic"})), [Protocol::Anthropic].into());
        assert!(protocols(&json!({})).is_empty());
    }
}
