//! The JSON Schema says what the types say.

use std::collections::BTreeSet;
use std::fmt::Write;

use jsonschema::Validator;
use serde_json::Value as Json;

use super::accepts::accepted;
use super::demo::in_force;
use super::errors::refused;
use super::{keys, messages, parse, provider};
use crate::config::{Problems, SCHEMA};

struct Schema {
    json: Json,
    validator: Validator,
}

impl Schema {
    fn read() -> Self {
        let json: Json = serde_json::from_str(SCHEMA).expect("JSON");
        assert_eq!(json["$schema"], "https://json-schema.org/draft/2020-12/schema");
        if let Err(error) = jsonschema::draft202012::meta::validate(&json) {
            panic!("no schema: {error} at {}", error.instance_path());
        }
        let validator = jsonschema::draft202012::new(&json).expect("a sound schema");
        Self { json, validator }
    }

    /// Why the schema refuses a file's text; `None` when it accepts it.
    fn refuses(&self, text: &str) -> Option<String> {
        let text = text.trim_start_matches('\u{feff}');
        let value: Json = serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let fault = self.validator.validate(&value).err()?;
        Some(format!("{}: {fault}", fault.instance_path()))
    }

    /// The properties of the map that `pointer` leads to.
    fn properties(&self, pointer: &str) -> BTreeSet<String> {
        let map = self.json.pointer(pointer).and_then(|rules| rules["properties"].as_object());
        map.unwrap_or_else(|| panic!("no properties at {pointer}")).keys().cloned().collect()
    }
}

#[test]
fn the_example_and_all_that_is_accepted_follow_it() {
    let schema = Schema::read();
    for text in accepted().into_iter().chain([in_force()]) {
        assert_eq!(schema.refuses(&text), None, "{text}");
    }
}

/// The maps of the file: a text with an unknown key in each, and where the schema has it.
fn maps() -> [(String, &'static str); 9] {
    [
        ("unknown: 1".to_owned(), ""),
        ("isolated_homes: {unknown: 1}\nproviders: {}".to_owned(), "/$defs/isolated_homes"),
        ("shims: {unknown: 1}\nproviders: {}".to_owned(), "/properties/shims"),
        ("providers: {p: {unknown: 1}}".to_owned(), "/$defs/provider"),
        ("providers: {p: {base_urls: {unknown: 1}}}".to_owned(), "/$defs/provider/properties/base_urls"),
        (provider("models: [{unknown: 1}]"), "/$defs/model"),
        (provider("model_api_filters: [{unknown: 1}]"), "/$defs/filter"),
        (provider("tiers: {unknown: 1}"), "/$defs/provider/properties/tiers"),
        (provider("codex: {unknown: 1}"), "/$defs/provider/properties/codex"),
    ]
}

#[test]
fn it_knows_the_keys_that_the_types_know() {
    let schema = Schema::read();
    for (text, pointer) in maps() {
        let mut known: BTreeSet<_> = keys(&text).into_iter().collect();
        if pointer.is_empty() {
            known.insert("isolated-homes".to_owned());
        }
        assert_eq!(schema.properties(pointer), known, "{pointer}");
    }
    // The manual's page is made of the schema.
    let (_, _, page) = crate::manual::PAGES[1];
    for (text, pointer) in maps() {
        for key in keys(&text) {
            let is_there =
                page.contains(&format!("\n\\fB{key}\\fR ")) || page.contains(&format!(".{key}\\fR "));
            assert!(is_there, "{key} of {pointer} is not in agent-run-config(5)");
        }
    }
    let agents = schema.properties("/$defs/provider/properties/args/anyOf/1");
    assert_eq!(agents, shims::AGENTS.iter().map(|agent| agent.name().to_owned()).collect());
    let protocols = schema.json.pointer("/$defs/provider/properties/protocols/items/enum").expect("a list");
    assert_eq!(*protocols, Json::from(shims::Protocol::ALL.map(shims::Protocol::name).to_vec()));
}

#[test]
fn every_key_takes_and_refuses_the_shapes_that_its_type_does() {
    let schema = Schema::read();
    let shapes = [
        "", "true", "5", "-5", "1.5", "a", "'a b'", "''", "[]", "[a]", "[5]", "[[a]]", "{}", "{a: b}",
        "{a: {}}",
    ];
    let (mut tried, mut differing) = (0, Vec::new());
    for (text, pointer) in maps() {
        for key in keys(&text) {
            for shape in shapes {
                let mut text = text.replace("unknown: 1", &format!("{key}: {shape}"));
                if pointer == "/$defs/model" && key != "id" {
                    text = text.replace("[{", "[{id: m, ");
                } else if pointer == "/$defs/filter" && key != "filter" {
                    text = text.replace("[{", "[{filter: f, ");
                } else if text.starts_with("providers: {p: {") {
                    let base = "protocols: [openai-responses], ";
                    let urls = "base_urls: {openai: https://host}, ";
                    let new = match key.as_str() {
                        "protocols" => urls.to_owned(),
                        "base_urls" | "openai" | "anthropic" => base.to_owned(),
                        _ => format!("{base}{urls}"),
                    };
                    text = text.replacen("{p: {", &format!("{{p: {{{new}"), 1);
                } else if pointer.is_empty() && key != "providers" {
                    let _ = write!(text, "\nproviders: {{}}");
                }
                let (by_schema, by_type) = (schema.refuses(&text), parse(&text).err());
                let shape_is_wrong = |problems: &Problems| {
                    problems.messages().any(|message| message.text.contains(": expected "))
                };
                let agree = match &by_type {
                    None => by_schema.is_none(),
                    Some(problems) => by_schema.is_some() || !shape_is_wrong(problems),
                };
                if !agree {
                    differing.push(format!("{text}\n  schema: {by_schema:?}\n  types: {by_type:?}"));
                }
                tried += 1;
            }
        }
    }
    assert!(differing.is_empty() && tried > 700, "{tried}\n{}", differing.join("\n"));
}

/// What only reading the file finds: sentences of errors that no schema can make.
const BEYOND: [&str; 15] = [
    "which is missing",
    "more than one source",
    "which the agents add",
    "has a query",
    "invalid regular expression",
    "`${",
    "control character",
    "NUL character",
    "contains a key",
    "no valid host",
    "needs a map or a list of maps",
    "also isolates sessions",
    "this header is already set",
    "for each connection",
    "the header's value is empty",
];

#[test]
fn what_it_lets_pass_of_what_is_refused_is_beyond_a_schema() {
    let schema = Schema::read();
    let mut seen = [0, 0];
    for text in refused() {
        let said = messages(&text);
        let unreadable = [
            "invalid YAML",
            "given twice",
            "is empty",
            "under two names",
            "inside its own anchor",
            "expected a key",
        ];
        if text.contains("<<")
            || said.iter().any(|said| unreadable.iter().any(|part| said.contains(part)))
                && serde_yaml::from_str::<Json>(&text).is_err()
        {
            continue;
        }
        let refused = schema.refuses(&text).is_some();
        seen[usize::from(refused)] += 1;
        let beyond = said.iter().all(|said| BEYOND.iter().any(|part| said.contains(part)));
        let twice = said.iter().any(|said| said.contains("given twice") || said.contains("under two names"));
        assert!(refused || beyond || twice, "{text}\n{said:#?}");
    }
    assert!(seen[1] > 40 && seen[0] < 30, "{seen:?}");
}
