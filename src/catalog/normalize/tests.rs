//! The samples of `tests/fixtures/model-lists`, each against what it must become.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::*;

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Reject { reject: String },
    Models { skipped: usize, models: BTreeMap<String, RowSummary> },
}

/// Window, output limit, tools, reasoning, input price, output price, created.
type RowSummary =
    (Option<u64>, Option<u64>, Option<bool>, Option<bool>, Option<String>, Option<String>, serde_json::Value);

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/model-lists")
}

/// The sample, which is a file, or named `small.json/name` a part of one.
fn read(name: &str) -> Vec<u8> {
    let (file, part) = name.split_once('/').unwrap_or((name, ""));
    let text = std::fs::read(samples().join(file)).unwrap();
    if part.is_empty() { text } else { parts(&text)[part].get().into() }
}

fn parts(text: &[u8]) -> BTreeMap<String, Box<RawValue>> {
    serde_json::from_slice(text).unwrap()
}

fn list(body: &serde_json::Value) -> ModelList {
    let mut list = ModelList::default();
    list.add_page(body.to_string().as_bytes(), "here").unwrap();
    list.finish()
}

fn row(record: &ModelRecord) -> RowSummary {
    let price = |price: Option<f64>| price.map(|price| price.to_string());
    (
        record.context_window,
        record.max_output_tokens,
        record.tools,
        record.reasoning,
        price(record.input_cost_per_million),
        price(record.output_cost_per_million),
        json!(record.created),
    )
}

#[test]
fn every_sample_becomes_what_is_expected() {
    let expected: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&read("expected.json")).unwrap();
    let mut checked = 0;
    for (name, expected) in expected.into_iter().filter(|(name, _)| name != "_columns") {
        let mut list = ModelList::default();
        let outcome = list.add_page(&read(&name), "here");
        match serde_json::from_value(expected).unwrap() {
            Expected::Reject { reject } => assert_eq!(outcome.unwrap_err().to_string(), reject, "{name}"),
            Expected::Models { skipped, models } => {
                outcome.unwrap();
                let list = list.finish();
                assert_eq!(list.skipped, skipped, "{name}");
                let shown = list.records.iter().filter(|record| record.is_chat());
                let rows: BTreeMap<_, _> = shown.map(|record| (record.id.clone(), row(record))).collect();
                let in_seconds = |mut row: RowSummary| {
                    row.6 = json!(time::created(&json!({"created": row.6})));
                    row
                };
                let models: BTreeMap<_, _> =
                    models.into_iter().map(|(id, row)| (id, in_seconds(row))).collect();
                assert_eq!(rows, models, "{name}");
            }
        }
        checked += 1;
    }
    let files = std::fs::read_dir(samples()).unwrap().count() + parts(&read("small.json")).len();
    assert_eq!(checked, files - "README.md expected.json html_page.html small.json".split(' ').count());
}

#[test]
fn a_web_page_is_distinguished_from_broken_json() {
    assert_eq!(ModelList::default().add_page(&read("html_page.html"), "here"), Err(Reject::Html));
    assert_eq!(ModelList::default().add_page(b"\xef\xbb\xbf \n<html>", "here"), Err(Reject::Html));
    let broken = ModelList::default().add_page(b"{\"data\": [", "here").unwrap_err();
    assert!(matches!(broken, Reject::NotJson(_)), "{broken}");
}

#[test]
fn depth_is_an_error_and_no_crash() {
    let deep = "[".repeat(100_000);
    assert!(matches!(ModelList::default().add_page(deep.as_bytes(), "here"), Err(Reject::NotJson(_))));
}

#[test]
fn pages_add_up_and_repeated_ids_are_counted_once() {
    let mut list = ModelList::default();
    let next = list.add_page(&read("anthropic_page1.json"), "here").unwrap();
    assert_eq!(next, Some(Next::Query("after_id", "claude-haiku-4-5-20251001".to_owned())));
    assert_eq!(list.add_page(&read("anthropic_page2.json"), "here"), Ok(None));
    list.add_page(&read("anthropic_page2.json"), "here").unwrap();
    assert_eq!((list.records.len(), list.skipped), (3, 1));
    assert_eq!(list.records[1].retires_at.as_deref(), Some("2027-03-01"));
}

#[test]
fn a_list_without_end_is_cut() {
    let rows: Vec<_> = (0..MAX_ROWS + 7).map(|n| json!({"id": format!("m{n}")})).collect();
    let list = list(&json!({"data": rows}));
    assert_eq!((list.records.len(), list.dropped), (MAX_ROWS, 7));
}

#[test]
fn ids_are_kept_byte_for_byte_but_for_geminis_prefix() {
    let ids = ["@cf/meta/llama", "hf:org/name", "~vendor/x-latest", "accounts/f/models/g", "M:free", "模型"];
    let mut rows: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    rows.push(json!({"id": "models/gemini"}));
    let list = list(&json!(rows));
    let found: Vec<_> = list.records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(found, [ids.as_slice(), &["gemini"]].concat());
}

#[test]
fn names_cannot_drive_a_terminal() {
    let list = list(&json!([{"id": "m", "name": "\u{1b}]0;owned\u{7}\u{1b}[2JHi\nthere \u{202e}x"}]));
    let name = list.records[0].name.as_deref().unwrap();
    assert!(!name.chars().any(is_unsafe_to_print), "{name:?}");
}

#[test]
fn an_alias_knows_its_model() {
    let mut list = ModelList::default();
    list.add_page(&read("mistral.json"), "here").unwrap();
    let aliases: Vec<_> = list.records.iter().map(|record| record.alias_of.as_deref()).collect();
    assert_eq!(aliases, [None, Some("devstral-2512"), None]);
}

#[test]
fn nothing_free_is_concluded_from_a_row_of_zeros() {
    let zeros = |id: &str| json!({"id": id, "context_window": 0, "input_price": 0, "output_price": 0});
    let list = list(&json!([zeros("alias"), zeros("x:free"), {"id": "y", "pricing": {"prompt": "0"}}]));
    let prices: Vec<_> = list.records.iter().map(|record| record.input_cost_per_million).collect();
    assert_eq!(prices, [None, Some(0.0), Some(0.0)]);
}

#[test]
fn one_row_that_is_no_json_does_not_lose_the_list() {
    let body = br#"{"data": [{"id": "a", "pricing": {"prompt": NaN, "completion": "1"}}, {"id": "b", "n": -Infinity},
        {"id": "c", "context_length": 1e400}, {"id": "d", "name": "cut \ud83e, NaN and \"Infinity\""}]}"#;
    let mut list = ModelList::default();
    list.add_page(body, "here").unwrap();
    let ids: Vec<_> = list.records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    assert_eq!(list.records[0].input_cost_per_million, None);
    assert_eq!(list.records[2].context_window, None);
    assert_eq!(list.records[3].name.as_deref(), Some("cut \u{fffd}, NaN and \"Infinity\""));
    assert!(ModelList::default().add_page(b"{\"data\": [NaN", "here").is_err());
}

/// Vendors serve by vLLM too, and Ollama names who made a model: only the address tells whose server it is.
#[test]
fn what_draws_is_left_out_by_its_id_at_vendors_alone() {
    for (source, is_chat) in [
        ("https://api.vendor.example/v1/models", false),
        ("http://127.0.0.1:8000/v1/models", true),
        ("http://192.168.1.5:11434/v1/models", true),
    ] {
        for owner in ["vllm", "library", "somebody"] {
            let mut list = ModelList::default();
            let page = json!({"data": [{"id": "flux-coder", "object": "model", "owned_by": owner}]});
            list.add_page(page.to_string().as_bytes(), source).unwrap();
            assert_eq!(list.records[0].is_chat(), is_chat, "{source} {owner}");
        }
    }
}
