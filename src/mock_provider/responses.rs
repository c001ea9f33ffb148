//! OpenAI's Responses API, as far as agents use it: text and function calls, nothing stored.

use serde_json::{Value as Json, json};

use super::dialect::{Answer, ApiDialect, ModelRequest, Turn, event, is_aside, items, last_user, str_of};

/// The protocol `openai-responses`.
pub struct Responses;

impl ApiDialect for Responses {
    fn turn(&self, body: &Json) -> Turn {
        let input = || items(&body["input"]).filter(|item| !is_aside(item));
        let is_result = |item: &Json| str_of(item, "type").ends_with("_output");
        Turn {
            last_user: match &body["input"] {
                Json::String(text) => text.clone(),
                _ => last_user(input()),
            },
            after_tool: input().next_back().is_some_and(is_result),
            tools: tools(body).map(|(_, tool)| str_of(tool, "name").to_owned()).collect(),
        }
    }

    fn whole(&self, ask: &ModelRequest<'_>, answer: &Answer) -> Json {
        response(ask, "completed", &[item(ask, answer, true)], Some(answer))
    }

    fn events(&self, ask: &ModelRequest<'_>, answer: &Answer) -> Vec<String> {
        let begun = item(ask, answer, false);
        let done = item(ask, answer, true);
        let id = &begun["id"];
        let mut events = vec![
            json!({"type": "response.created", "response": response(ask, "in_progress", &[], None)}),
            json!({"type": "response.in_progress", "response": response(ask, "in_progress", &[], None)}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": begun}),
        ];
        match answer {
            Answer::Text(text) => events.extend(text_events(id, &answer.pieces(), text)),
            Answer::Tool { arguments, .. } => events.extend(tool_events(id, &answer.pieces(), arguments)),
        }
        events.extend([
            json!({"type": "response.output_item.done", "output_index": 0, "item": done}),
            json!({"type": "response.completed", "response": self.whole(ask, answer)}),
        ]);
        (events.iter_mut().enumerate())
            .map(|(number, data)| {
                data["sequence_number"] = number.into();
                event(data["type"].as_str(), data)
            })
            .collect()
    }
}

/// The tools on offer, each with its namespace: Codex 0.171 has its sub-agents in one.
fn tools(body: &Json) -> impl Iterator<Item = (Option<&str>, &Json)> {
    items(&body["tools"]).flat_map(|tool| {
        let namespace = (tool["type"] == "namespace").then(|| str_of(tool, "name"));
        let within = namespace.is_some().then(|| items(&tool["tools"])).into_iter().flatten();
        let alone = namespace.is_none().then_some(tool).into_iter();
        within.chain(alone).map(move |tool| (namespace, tool))
    })
}

fn text_events(id: &Json, pieces: &[String], text: &str) -> Vec<Json> {
    let event = |kind: &str, key: &str, value: Json| {
        json!({
            "type": format!("response.{kind}"), "item_id": id, "output_index": 0, "content_index": 0, key: value,
        })
    };
    let mut events = vec![event("content_part.added", "part", part(""))];
    events.extend(pieces.iter().map(|piece| event("output_text.delta", "delta", piece.as_str().into())));
    events.push(event("output_text.done", "text", text.into()));
    events.push(event("content_part.done", "part", part(text)));
    events
}

fn tool_events(id: &Json, pieces: &[String], arguments: &Json) -> Vec<Json> {
    let event = |kind: &str, key: &str, value: &str| {
        json!({
            "type": format!("response.function_call_arguments.{kind}"),
            "item_id": id, "output_index": 0, key: value,
        })
    };
    let mut events: Vec<_> = pieces.iter().map(|piece| event("delta", "delta", piece)).collect();
    events.push(event("done", "arguments", &arguments.to_string()));
    events
}

fn part(text: &str) -> Json {
    json!({"type": "output_text", "text": text, "annotations": []})
}

fn item(ask: &ModelRequest<'_>, answer: &Answer, done: bool) -> Json {
    let status = if done { "completed" } else { "in_progress" };
    match answer {
        Answer::Text(text) => json!({
            "id": format!("msg_{}", ask.id),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": if done { json!([part(text)]) } else { json!([]) },
        }),
        Answer::Tool { name, arguments } => {
            let mut call = json!({
                "id": format!("fc_{}", ask.id),
                "type": "function_call",
                "status": status,
                "call_id": format!("call_{}", ask.id),
                "name": name,
                "arguments": if done { arguments.to_string() } else { String::new() },
            });
            let called = tools(ask.body).find(|(_, tool)| tool["name"] == name.as_str());
            if let Some((Some(namespace), _)) = called {
                call["namespace"] = namespace.into();
            }
            call
        }
    }
}

fn response(ask: &ModelRequest<'_>, status: &str, output: &[Json], answer: Option<&Answer>) -> Json {
    let usage = answer.map(Answer::tokens).map(|output_tokens| {
        json!({
            "input_tokens": ask.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": ask.input_tokens + output_tokens,
        })
    });
    json!({
        "id": format!("resp_{}", ask.id),
        "object": "response",
        "created_at": ask.created,
        "status": status,
        "model": ask.model,
        "output": output,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "metadata": {},
        "parallel_tool_calls": true,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock_provider::dialect::examples;

    #[test]
    fn a_stream_says_what_the_whole_says() {
        for answer in [examples::text(), examples::tool()] {
            let ask = examples::ask(&Json::Null);
            let events = examples::data(&Responses.events(&ask, &answer));
            let deltas: String = events.iter().map(|event| str_of(event, "delta")).collect();
            let item = &Responses.whole(&ask, &answer)["output"][0];
            match answer {
                Answer::Text(_) => assert_eq!(deltas, str_of(&item["content"][0], "text")),
                Answer::Tool { .. } => assert_eq!(deltas, str_of(item, "arguments")),
            }
            assert_eq!(events.last().expect("events")["response"]["output"][0], *item);
        }
    }

    #[test]
    fn events_are_numbered_and_name_one_item() {
        let events = examples::data(&Responses.events(&examples::ask(&Json::Null), &examples::text()));
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event["sequence_number"], number);
            assert!(matches!(str_of(event, "item_id"), "" | "msg_7"), "{event}");
        }
        assert_eq!(events[0]["type"], "response.created");
        assert_eq!(events.last().expect("events")["type"], "response.completed");
    }

    #[test]
    fn the_turn_is_read_from_items_and_from_a_bare_string() {
        let said = json!({"role": "user", "content": [{"type": "input_text", "text": "hi"}]});
        let result = json!({"type": "function_call_output", "call_id": "c", "output": "x"});
        let aside = json!({"role": "developer", "content": [{"type": "input_text", "text": "note"}]});
        let turn = Responses.turn(&json!({"input": [said, result, aside]}));
        assert_eq!((turn.last_user.as_str(), turn.after_tool), ("hi", true));
        let turn = Responses.turn(&json!({"input": "hi", "tools": [{"type": "function", "name": "run"}]}));
        let expected = Turn { last_user: "hi".to_owned(), after_tool: false, tools: vec!["run".to_owned()] };
        assert_eq!(turn, expected);
    }
}
