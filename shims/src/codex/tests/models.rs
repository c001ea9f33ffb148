//! The catalogue of models.

use crate::Message;
use serde_json::Value as Json;

use super::*;

/// The file that the launch names.
pub fn path(plan: &Plan) -> String {
    let word = words(plan).into_iter().find_map(|word| word.strip_prefix("model_catalog_json="));
    word.expect("a catalogue").trim_matches('"').to_owned()
}

fn entries(plan: &Plan) -> Vec<Json> {
    let catalogue: Json = serde_json::from_str(&written(plan, &path(plan))).expect("JSON");
    catalogue["models"].as_array().expect("models").clone()
}

/// The ids, in the picker's order.
pub fn slugs(plan: &Plan) -> Vec<String> {
    entries(plan).iter().map(|entry| entry["slug"].as_str().expect("a slug").to_owned()).collect()
}

fn offering(models: Vec<Model>) -> Launch {
    Launch { models, ..launch() }
}

fn named(count: usize) -> Vec<Model> {
    (0..count).map(|at| Model::named(format!("m-{at}"))).collect()
}

#[test]
fn the_launchs_model_comes_first_then_the_tiers_then_the_others() {
    let mut launch = offering(named(5));
    launch.models.push(Model::named("M"));
    launch.tiers.haiku = "m-3".to_owned();
    launch.tiers.subagent = "inherit".to_owned();
    let plan = plan(&launch, &machine(&[])).expect("a plan");
    assert_eq!(slugs(&plan), ["M", "m-3", "m-0", "m-1", "m-2", "m-4"]);
    for (at, entry) in entries(&plan).iter().enumerate() {
        assert_eq!(entry["priority"], at);
        assert!(entry["base_instructions"].as_str().is_some_and(|text| text.len() > 10_000));
    }
}

#[test]
fn any_number_of_models_makes_a_catalogue_of_some() {
    let plan = plan(&offering(named(5000)), &machine(&[])).expect("a plan");
    assert_eq!(slugs(&plan).len(), 100);
    assert!(written(&plan, &path(&plan)).len() < 2_000_000);
}

#[test]
fn what_is_known_of_a_model_is_said_and_nothing_else() {
    let known = Model {
        name: Some("Known \"1\"".to_owned()),
        context_window: Some(131_072),
        reasoning: Some(true),
        vision: Some(false),
        input_cost_per_million: Some(0.25),
        output_cost_per_million: Some(1.5),
        ..Model::named("vendor/known")
    };
    let plain = Model { reasoning: Some(false), context_window: Some(2_097_152), ..Model::named("plain") };
    let plan = plan(&offering(vec![known, plain]), &machine(&[])).expect("a plan");
    let entries = entries(&plan);
    let efforts = |entry: &Json| -> Vec<String> {
        let levels = entry["supported_reasoning_levels"].as_array().expect("levels");
        levels.iter().map(|level| level["effort"].as_str().expect("an effort").to_owned()).collect()
    };
    let expected = [
        ("M @ p", "", 272_000, ["none", "medium"], &["text", "image"][..]),
        (
            "vendor/known @ p",
            "Known \"1\", 131k tokens, $0.25 in, $1.5 out per million tokens",
            131_072,
            ["medium", "minimal"],
            &["text"],
        ),
        ("plain @ p", "2.0M tokens", 2_097_152, ["none", "medium"], &["text", "image"]),
    ];
    for (entry, (name, description, window, levels, inputs)) in entries.iter().zip(expected) {
        assert_eq!(entry["display_name"], name);
        assert_eq!(entry["description"], description);
        assert_eq!(
            (&entry["context_window"], &entry["max_context_window"]),
            (&window.into(), &window.into())
        );
        let offered = efforts(entry);
        assert_eq!(offered[..2], levels, "{name}");
        // A role of the user's starts with any of these.
        for effort in ["minimal", "low", "medium", "high", "xhigh", "max", "ultra"] {
            assert!(offered.iter().any(|it| it == effort), "{name} {effort}");
        }
        assert_eq!(entry["input_modalities"], serde_json::json!(inputs));
        assert!(
            entry.get("default_reasoning_level").is_none(),
            "a request without a pick asks for no effort"
        );
    }
}

#[test]
fn a_file_is_written_once_and_never_another_one_under_its_name() {
    let machine = machine(&[]);
    let first = plan(&offering(named(3)), &machine).expect("a plan");
    let file = path(&first);
    assert!(file.starts_with("/c/codex/p-") && file.ends_with("/agent-run-models.json"), "{file}");
    let folder = Path::new(&file).parent().expect("a folder").to_owned();
    assert!(first.dirs.contains(&folder), "it is marked as in use");
    let mut there = machine.clone();
    there.facts.insert(file.clone().into(), Fact::File(b"\n]}\n".to_vec()));
    let second = plan(&offering(named(3)), &there).expect("a plan");
    assert!(path(&second) == file && second.dirs.contains(&folder));
    assert!(!second.files.contains_key(Path::new(&file)), "written again");
    assert!(written(&first, &file).ends_with("\n]}\n"));
    there.facts.insert(file.clone().into(), Fact::File(b"\n},\n".to_vec()));
    assert!(plan(&offering(named(3)), &there).expect("a plan").files.contains_key(Path::new(&file)));

    let changed = |change: fn(&mut Launch)| {
        let mut launch = offering(named(3));
        change(&mut launch);
        path(&plan(&launch, &machine).expect("a plan"))
    };
    let others = [
        changed(|it| it.provider = "q".to_owned()),
        changed(|it| it.model.value = Model::named("N")),
        changed(|it| it.models.truncate(2)),
        changed(|it| it.models.swap(0, 1)),
        changed(|it| it.models[0].context_window = Some(1)),
        changed(|it| it.models[0].name = Some("N".to_owned())),
        changed(|it| it.models[0].reasoning = Some(true)),
        changed(|it| it.models[0].reasoning = Some(false)),
        changed(|it| it.models[0].vision = Some(false)),
        changed(|it| it.models[0].input_cost_per_million = Some(1.0)),
        changed(|it| it.models[0].output_cost_per_million = Some(1.0)),
    ];
    let all: std::collections::BTreeSet<_> = others.iter().chain([&file]).collect();
    assert_eq!(all.len(), others.len() + 1, "{all:#?}");
}

#[test]
fn a_model_that_codex_knows_keeps_what_codex_knows() {
    for (id, tools, is_catalogued) in [
        ("gpt-6-sol", ToolSet::Full, false),
        ("openai/gpt-5.5", ToolSet::Full, false),
        ("gpt-6-sol", ToolSet::Minimal, true),
        ("gpt-4o", ToolSet::Full, true),
        ("gpt-oss:20b", ToolSet::Full, true),
        ("deepseek/deepseek-v4", ToolSet::Full, true),
    ] {
        let model = Sourced::new(Model::named(id), Origin::Default(String::new()));
        let launch = Launch { model, codex_tools: tools, ..launch() };
        let plan = plan(&launch, &machine(&[])).expect("a plan");
        let has = words(&plan).iter().any(|word| word.starts_with("model_catalog_json="));
        assert_eq!(has, is_catalogued, "{id}");
    }
}

#[test]
fn a_cache_whose_name_codex_cannot_be_given_costs_the_catalogue_and_not_the_launch() {
    use std::os::unix::ffi::OsStrExt;
    let mut machine = machine(&[]);
    machine.dirs.cache = std::ffi::OsStr::from_bytes(b"/c\xff").into();
    let one = plan(&launch(), &machine).expect("a plan");
    assert!(!words(&one).iter().any(|word| word.starts_with("model_catalog_json=")));
    let minimal = Launch { codex_tools: ToolSet::Minimal, ..launch() };
    assert!(Message::of(&plan(&minimal, &machine).expect_err("refused")).render().contains("not UTF-8"));
}

/// A file under an old name would hold the old text.
#[test]
fn another_text_of_instructions_has_another_form() {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(include_str!("../instructions.md"));
    let start = format!("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
    assert_eq!(
        (start.as_str(), crate::codex::models::FORM),
        ("3b08633f", 2),
        "raise FORM with a change of the text"
    );
}
