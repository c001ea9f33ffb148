//! Anthropic's Messages API, as in its public reference for `anthropic-version: 2023-06-01`.

use serde_json::{Value as Json, json};

use super::dialect::{Answer, ApiDialect, ModelRequest, Turn, event, is_aside, items, last_user, str_of};

/// The protocol `anthropic`.
pub struct Anthropic;

impl ApiDialect for Anthropic {
    fn turn(&self, body: &Json) -> Turn {
        let messages = || items(&body["messages"]).filter(|message| !is_aside(message));
        let is_result = |message: &Json| items(&message["content"]).any(|part| part["type"] == "tool_result");
        Turn {
            last_user: last_user(messages()),
            after_tool: messages().next_back().is_some_and(is_result),
            tools: items(&body["tools"]).map(|tool| str_of(tool, "name").to_owned()).collect(),
        }
    }

    fn whole(&self, ask: &ModelRequest<'_>, answer: &Answer) -> Json {
        let content = match answer {
            Answer::Text(text) => json!({"type": "text", "text": text}),
            Answer::Tool { arguments, .. } => tool_use(ask, answer, arguments),
        };
        message(ask, &json!([content]), Some(stop_reason(answer)), answer.tokens())
    }

    fn events(&self, ask: &ModelRequest<'_>, answer: &Answer) -> Vec<String> {
        let (block, delta, field) = match answer {
            Answer::Text(_) => (json!({"type": "text", "text": ""}), "text_delta", "text"),
            Answer::Tool { .. } => (tool_use(ask, answer, &json!({})), "input_json_delta", "partial_json"),
        };
        let mut events = vec![
            json!({"type": "message_start", "message": message(ask, &json!([]), None, 1)}),
            json!({"type": "content_block_start", "index": 0, "content_block": block}),
            json!({"type": "ping"}),
        ];
        events.extend(answer.pieces().into_iter().map(
            |piece| json!({"type": "content_block_delta", "index": 0, "delta": {"type": delta, field: piece}}),
        ));
        events.extend([
            json!({"type": "content_block_stop", "index": 0}),
            json!({
                "type": "message_delta",
                "delta": {"stop_reason": stop_reason(answer), "stop_sequence": null},
                "usage": usage(ask, answer.tokens()),
            }),
            json!({"type": "message_stop"}),
        ]);
        events.iter().map(|data| event(data["type"].as_str(), data)).collect()
    }

    fn error(&self, status: u16, message: &str) -> Json {
        let kind = match status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": message}})
    }

    fn models(&self, ids: &[&str]) -> Json {
        let created = "2025-01-01T00:00:00Z";
        let data: Vec<_> = (ids.iter())
            .map(|id| json!({"type": "model", "id": id, "display_name": id, "created_at": created}))
            .collect();
        json!({"data": data, "has_more": false, "first_id": ids.first(), "last_id": ids.last()})
    }
}

fn message(ask: &ModelRequest<'_>, content: &Json, stop_reason: Option<&str>, output_tokens: u64) -> Json {
    json!({
        "id": format!("msg_{}", ask.id),
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": usage(ask, output_tokens),
    })
}

fn usage(ask: &ModelRequest<'_>, output_tokens: u64) -> Json {
    json!({
        "input_tokens": ask.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    })
}

fn tool_use(ask: &ModelRequest<'_>, answer: &Answer, input: &Json) -> Json {
    let Answer::Tool { name, .. } = answer else { return Json::Null };
    json!({"type": "tool_use", "id": format!("toolu_{}", ask.id), "name": name, "input": input})
}

fn stop_reason(answer: &Answer) -> &'static str {
    match answer {
        Answer::Text(_) => "end_turn",
        Answer::Tool { .. } => "tool_use",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock_provider::dialect::examples;

    fn joined(answer: &Answer, field: &str) -> String {
        let events = examples::data(&Anthropic.events(&examples::ask(&Json::Null), answer));
        events.iter().map(|event| str_of(&event["delta"], field)).collect()
    }

    #[test]
    fn a_stream_says_what_the_whole_says() {
        let ask = examples::ask(&Json::Null);
        let whole = Anthropic.whole(&ask, &examples::text());
        assert_eq!(joined(&examples::text(), "text"), str_of(&whole["content"][0], "text"));
        let whole = Anthropic.whole(&ask, &examples::tool());
        let input: Json = serde_json::from_str(&joined(&examples::tool(), "partial_json")).expect("JSON");
        assert_eq!(input, whole["content"][0]["input"]);
        assert_eq!(whole["stop_reason"], "tool_use");
    }

    #[test]
    fn a_stream_opens_and_closes_in_order() {
        let events = examples::data(&Anthropic.events(&examples::ask(&Json::Null), &examples::tool()));
        let mut kinds: Vec<_> = events.iter().map(|event| str_of(event, "type")).collect();
        kinds.dedup();
        assert_eq!(
            kinds,
            [
                "message_start",
                "content_block_start",
                "ping",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop"
            ]
        );
    }

    #[test]
    fn a_system_message_at_the_end_hides_neither_words_nor_tool_results() {
        let aside = json!({"role": "system", "content": "date changed"});
        let asked = json!({"role": "user", "content": [{"type": "text", "text": "hi"}]});
        let result = json!({"role": "user", "content": [{"type": "tool_result", "content": "out"}]});
        let turn = Anthropic.turn(&json!({"messages": [asked, aside], "tools": [{"name": "Bash"}]}));
        let expected = Turn { last_user: "hi".to_owned(), after_tool: false, tools: vec!["Bash".to_owned()] };
        assert_eq!(turn, expected);
        let turn = Anthropic.turn(&json!({"messages": [asked, result, aside]}));
        assert!(turn.after_tool);
        assert_eq!(turn.last_user, "hi");
    }
}
