//! OpenAI's Chat Completions API, which most other providers copy.

use serde_json::{Value as Json, json};

use super::dialect::{Answer, ApiDialect, ModelRequest, Turn, event, is_aside, items, last_user, str_of};

/// The protocol `openai-chat-completions`.
pub struct Chat;

impl ApiDialect for Chat {
    fn turn(&self, body: &Json) -> Turn {
        let messages = || items(&body["messages"]).filter(|message| !is_aside(message));
        Turn {
            last_user: last_user(messages()),
            after_tool: messages().next_back().is_some_and(|message| message["role"] == "tool"),
            tools: items(&body["tools"]).map(|tool| str_of(&tool["function"], "name").to_owned()).collect(),
        }
    }

    fn whole(&self, ask: &ModelRequest<'_>, answer: &Answer) -> Json {
        let message = match answer {
            Answer::Text(text) => json!({"role": "assistant", "content": text}),
            Answer::Tool { arguments, .. } => {
                let call = call(ask, answer, &arguments.to_string());
                json!({"role": "assistant", "content": null, "tool_calls": [call]})
            }
        };
        let choice = json!({"index": 0, "message": message, "finish_reason": finish_reason(answer)});
        let mut whole = envelope(ask, "chat.completion", &[choice]);
        whole["usage"] = usage(ask, answer);
        whole
    }

    fn events(&self, ask: &ModelRequest<'_>, answer: &Answer) -> Vec<String> {
        let chunk = |delta: Json, finish: Option<&str>| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            envelope(ask, "chat.completion.chunk", &[choice])
        };
        let mut chunks = vec![match answer {
            Answer::Text(_) => chunk(json!({"role": "assistant", "content": ""}), None),
            Answer::Tool { .. } => {
                let mut call = call(ask, answer, "");
                call["index"] = 0.into();
                chunk(json!({"role": "assistant", "content": null, "tool_calls": [call]}), None)
            }
        }];
        chunks.extend(answer.pieces().into_iter().map(|piece| match answer {
            Answer::Text(_) => chunk(json!({"content": piece}), None),
            Answer::Tool { .. } => {
                chunk(json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}), None)
            }
        }));
        chunks.push(chunk(json!({}), Some(finish_reason(answer))));
        if ask.body["stream_options"]["include_usage"] == true {
            let mut last = envelope(ask, "chat.completion.chunk", &[]);
            last["usage"] = usage(ask, answer);
            chunks.push(last);
        }
        let done = std::iter::once("data: [DONE]\n\n".to_owned());
        chunks.iter().map(|chunk| event(None, chunk)).chain(done).collect()
    }
}

fn envelope(ask: &ModelRequest<'_>, object: &str, choices: &[Json]) -> Json {
    json!({
        "id": format!("chatcmpl-{}", ask.id),
        "object": object,
        "created": ask.created,
        "model": ask.model,
        "choices": choices,
    })
}

fn usage(ask: &ModelRequest<'_>, answer: &Answer) -> Json {
    json!({
        "prompt_tokens": ask.input_tokens,
        "completion_tokens": answer.tokens(),
        "total_tokens": ask.input_tokens + answer.tokens(),
    })
}

fn call(ask: &ModelRequest<'_>, answer: &Answer, arguments: &str) -> Json {
    let Answer::Tool { name, .. } = answer else { return Json::Null };
    let function = json!({"name": name, "arguments": arguments});
    json!({"id": format!("call_{}", ask.id), "type": "function", "function": function})
}

fn finish_reason(answer: &Answer) -> &'static str {
    match answer {
        Answer::Text(_) => "stop",
        Answer::Tool { .. } => "tool_calls",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock_provider::dialect::examples;

    #[test]
    fn a_stream_says_what_the_whole_says() {
        let ask = examples::ask(&Json::Null);
        let chunks = examples::data(&Chat.events(&ask, &examples::text()));
        let said: String =
            chunks.iter().map(|chunk| str_of(&chunk["choices"][0]["delta"], "content")).collect();
        let whole = Chat.whole(&ask, &examples::text());
        assert_eq!(said, str_of(&whole["choices"][0]["message"], "content"));

        let chunks = examples::data(&Chat.events(&ask, &examples::tool()));
        let calls = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0]);
        let arguments: String = calls.map(|call| str_of(&call["function"], "arguments")).collect();
        let whole = Chat.whole(&ask, &examples::tool());
        let call = &whole["choices"][0]["message"]["tool_calls"][0];
        assert_eq!(arguments, str_of(&call["function"], "arguments"));
        assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    }

    #[test]
    fn a_stream_gives_usage_only_when_asked_and_then_says_done() {
        for (asked, body) in [(false, json!({})), (true, json!({"stream_options": {"include_usage": true}}))]
        {
            let events = Chat.events(&examples::ask(&body), &examples::text());
            assert_eq!(events.last().map(String::as_str), Some("data: [DONE]\n\n"));
            let usage = examples::data(&events).iter().filter(|chunk| chunk["usage"].is_object()).count();
            assert_eq!(usage, usize::from(asked));
        }
    }

    #[test]
    fn a_tool_message_ends_the_turn_of_a_tool_rule() {
        let said = json!({"role": "user", "content": "hi"});
        let tools = json!([{"type": "function", "function": {"name": "run"}}]);
        let turn = Chat.turn(&json!({"messages": [said], "tools": tools}));
        let expected = Turn { last_user: "hi".to_owned(), after_tool: false, tools: vec!["run".to_owned()] };
        assert_eq!(turn, expected);
        let turn = Chat.turn(&json!({"messages": [said, {"role": "tool", "content": "x"}]}));
        assert_eq!((turn.last_user.as_str(), turn.after_tool), ("hi", true));
    }
}
