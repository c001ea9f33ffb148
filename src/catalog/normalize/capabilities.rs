//! What a row says of the capabilities of its model: what goes in and out, over which protocol, and what for.

use std::collections::BTreeSet;

use serde_json::Value;
use shims::Protocol;

use super::fields::{PARTIAL_LISTS, ollama_capabilities};
use super::value::{first_flag, text, words};
use crate::catalog::record::{Modality, ModelKind};

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

/// Whether one can chat with the model: as its row says, or else as its id does. `is_own`: it is in the list of a server
/// that its user runs.
pub fn kind(row: &Value, id: &str, outputs: Option<&BTreeSet<Modality>>, is_own: bool) -> ModelKind {
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
    // LiteLLM lists its rules among its models: `openai/*`.
    let is_pattern = id.ends_with('*');
    // Many lists have nothing but ids. What a row says of chat counts more.
    let says_chat = outputs.is_some_and(|outputs| outputs.contains(&Modality::Text))
        || ["type", "mode", "model_type", "model_info.mode"]
            .iter()
            .any(|path| text(row, path).is_some_and(|text| text != "model"))
        || first_flag(
            row,
            &["supports_chat", "capabilities.completion_chat", "capabilities.chat_completion"],
        ) == Some(true)
        || ollama_capabilities(row).is_some();
    let is_named_other = !says_chat && id_of_another_type(id, is_own);
    let is_other = of_another_type
        || is_named_other
        || is_pattern
        || refuses
        || offline
        || hidden
        || generates_no_content
        || only_embeds
        || writes_no_text;
    if is_other { ModelKind::NonChat } else { ModelKind::Chat }
}

/// `text-embedding-3-large`, `bge-m3`, `whisper-1`: ids of families that only embed, rank, transcribe, speak or draw. Only
/// whole parts of an id count, so that `gpt-image` is one, and `imagine-chat` is none. What draws is judged by its id at
/// vendors alone: whoever runs a server has chosen its models, and may have named them.
fn id_of_another_type(id: &str, is_own: bool) -> bool {
    const DRAWING: [&str; 10] =
        ["dall", "dalle", "imagen", "flux", "diffusion", "image", "images", "moderation", "sora", "veo"];
    const PARTS: [&str; 15] = [
        "embed",
        "embedding",
        "embeddings",
        "embedder",
        "bge",
        "gte",
        "minilm",
        "rerank",
        "reranker",
        "whisper",
        "transcribe",
        "transcription",
        "tts",
        "stt",
        "asr",
    ];
    let id = id.to_ascii_lowercase();
    let name = id.rsplit('/').next().unwrap_or(&id);
    let mut parts = name.split(|c: char| !c.is_alphanumeric());
    parts.any(|part| PARTS.contains(&part) || (!is_own && DRAWING.contains(&part)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
            assert_eq!(kind(&row, "m", output_modalities(&row).as_ref(), false), ModelKind::NonChat, "{row}");
        }
        for id in [
            "openai/*",
            "text-embedding-3-large",
            "BAAI/bge-m3",
            "nomic-embed-text:latest",
            "jina-reranker-v3",
            "whisper-1",
            "gpt-4o-mini-tts",
            "dall-e-3",
            "gpt-image-2",
            "black-forest-labs/flux.2-pro",
        ] {
            assert_eq!(kind(&json!({}), id, None, false), ModelKind::NonChat, "{id}");
        }
        for id in ["gpt-6-luna", "embedded-coder", "qwen3-coder:30b", "imagine-chat", "flux-labs/chat-8b"] {
            assert_eq!(kind(&json!({}), id, None, false), ModelKind::Chat, "{id}");
        }
        // What somebody runs is not left out for its name, unless it can only embed.
        for (id, kind) in [("flux-coder:8b", ModelKind::Chat), ("nomic-embed-text", ModelKind::NonChat)] {
            assert_eq!(super::kind(&json!({}), id, None, true), kind, "{id}");
        }
        // The row counts more than the id.
        let stated = json!({"type": "llm"});
        assert_eq!(kind(&stated, "my-embed-chat", None, false), ModelKind::Chat);
        let pictures = json!({"architecture": {"modality": "text->image"}});
        assert_eq!(kind(&pictures, "m", output_modalities(&pictures).as_ref(), false), ModelKind::NonChat);
        for row in [
            json!({"type": "model"}),
            json!({"type": "vlm"}),
            json!({"mode": "responses"}),
            json!({"type": "image-text-to-text"}),
            json!({"supportedGenerationMethods": ["generateContent", "countTokens"]}),
            json!({}),
        ] {
            assert_eq!(kind(&row, "m", None, false), ModelKind::Chat, "{row}");
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
