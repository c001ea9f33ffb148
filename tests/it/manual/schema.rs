//! `agent-run-config(5)`, of the config's schema, which a test compares with what is read.

use std::fmt::Write;

use agent_run::internals::SCHEMA;
use clap_mangen::roff::{Roff, bold, italic, roman};
use serde_json::Value as Json;

use super::page::{heading, inlines, item, literal, paragraphs, section, see_also, source};
use super::prose;

/// `agent-run-config(5)`.
pub fn config() -> String {
    let schema: Json = serde_json::from_str(SCHEMA).expect("JSON");
    let mut roff = Roff::new();
    let name = "agent-run-config - the config file of agent-run";
    heading(&mut roff, "AGENT-RUN-CONFIG", "5", name, "File Formats");
    section(&mut roff, "DESCRIPTION");
    paragraphs(&mut roff, &prose::CONFIG_DESCRIPTION);
    for (title, pointer) in [
        ("THE FILE", ""),
        ("A PROVIDER", "/$defs/provider"),
        ("A MODEL OF A PROVIDER", "/$defs/model"),
        ("A FILTER OF A PROVIDER", "/$defs/filter"),
    ] {
        section(&mut roff, title);
        if let Some(text) = schema.pointer(pointer).and_then(|map| map["description"].as_str()) {
            roff.text(inlines(text));
        }
        keys(&mut roff, &schema, pointer, "");
    }
    section(&mut roff, "EXAMPLE");
    literal(&mut roff, &prose::CONFIG_EXAMPLE.lines().collect::<Vec<_>>());
    see_also(&mut roff, "agent-run(1)");
    source(&roff)
}

/// The keys of a map, and of the maps in it: `base_urls.openai`.
fn keys(roff: &mut Roff, schema: &Json, pointer: &str, above: &str) {
    let map = schema.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
    let required: Vec<_> =
        map["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    for (key, rule) in map["properties"].as_object().unwrap_or_else(|| panic!("no keys at {pointer}")) {
        let referred = rule["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
        let target = referred.and_then(|to| schema.pointer(to)).unwrap_or(rule);
        let description = rule["description"].as_str().or(target["description"].as_str());
        let description = description.unwrap_or_else(|| panic!("{pointer}: {key} has no description"));
        let name = format!("{above}{key}");
        let mut text = description.trim_end_matches('.').to_owned() + ".";
        if let Some(values) = target["items"]["enum"].as_array() {
            let values: Vec<_> =
                values.iter().filter_map(Json::as_str).map(|value| format!("`{value}`")).collect();
            _ = write!(text, " Values: {}.", values.join(", "));
        }
        if required.contains(&key.as_str()) {
            text.push_str(" Required.");
        }
        if !rule["default"].is_null() {
            let default = rule["default"].as_str().map_or_else(|| rule["default"].to_string(), str::to_owned);
            _ = write!(text, " Default: `{default}`.");
        }
        item(roff, vec![bold(name.clone()), roman(" "), italic(kind(schema, target))], &text);
        let (inside, rules) = match referred {
            Some(to) => (to.to_owned(), target),
            None => (format!("{pointer}/properties/{key}"), rule),
        };
        let other_form = rules["anyOf"]
            .as_array()
            .and_then(|forms| forms.iter().position(|form| form["properties"].is_object()));
        let is_map = rules["properties"].is_object();
        match other_form.map(|index| format!("{inside}/anyOf/{index}")).or(is_map.then_some(inside)) {
            // The old spelling, whose keys are those of the new one.
            Some(_) if key == "isolated-homes" => {}
            Some(inside) => keys(roff, schema, &inside, &format!("{name}.")),
            None => {}
        }
    }
}

/// What a value is, in a word or two.
fn kind(schema: &Json, rule: &Json) -> String {
    if let Some(to) = rule["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
        return kind(schema, schema.pointer(to).expect("what is referred to"));
    }
    if let Some(values) = rule["enum"].as_array() {
        let values: Vec<_> = values.iter().filter_map(Json::as_str).collect();
        return values.join("|");
    }
    if let Some(forms) = rule["anyOf"].as_array() {
        let mut kinds: Vec<_> = forms.iter().map(|form| kind(schema, form)).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    let kinds = match &rule["type"] {
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).collect(),
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    };
    let named = [
        ("string", "text"),
        ("object", "map"),
        ("array", "list"),
        ("integer", "number"),
        ("number", "number"),
    ];
    match named.iter().find(|(name, _)| kinds.contains(name)) {
        // Texts may be written without quotes, so that a number and a switch are texts too.
        Some((_, "list")) if rule["items"]["enum"].is_null() => {
            format!("list of {}", kind(schema, &rule["items"]))
        }
        Some((_, word)) => (*word).to_owned(),
        None if kinds.contains(&"boolean") => "true|false".to_owned(),
        None => panic!("no type: {rule}"),
    }
}
