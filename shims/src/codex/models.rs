//! The models that Codex's own picker offers: a generated catalogue, named by its content.
//!
//! Without one, `/model` lists `OpenAI`'s models whoever the provider is, and each start warns of missing metadata. An
//! entry says what Codex assumes of a model it does not know (0.158, 0.171), so that a request is the same with it as
//! without, and beside that what the config and the provider's list say. Codex refuses an entry that brings no
//! instructions, and leaves its own out for an empty text; so each has a copy of those.
//!
//! What is in the file follows from its name, and it is written once: a warm launch only looks whether it is whole.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::{FILE_END, Fact, Inputs, Launch, Model, Plan, ToolSet};

/// Of the provider's own list; what the config names comes with any number.
pub const LISTED: usize = 40;

/// Entries at the most: each is 17 kB, and a config may name any number of models.
const MOST: usize = 100;

/// To be raised with any change of what is written, [`INSTRUCTIONS`] among it.
pub const FORM: u32 = 2;

/// Of 0.171.0, licensed under the Apache License 2.0 alone: see NOTICE.
const INSTRUCTIONS: &str = include_str!("instructions.md");

const FILE: &str = "agent-run-models.json";

/// How the file ends. No line of it but the last one is like this, so that a part of it does not end so.
const END: &[u8; FILE_END] = b"\n]}\n";

/// What Codex assumes where it does not know the window (0.158, 0.171).
const ASSUMED_WINDOW: i64 = 272_000;

/// How the ids begin of which Codex has its own metadata, with instructions and tools made for them (0.171). A
/// provider's prefix, as in `openai/gpt-6-sol`, does not keep it from knowing them.
const KNOWN: [&str; 5] = ["codex-", "gpt-5.5", "gpt-5.6", "gpt-6", "gpt-daybreak-"];

/// The catalogue of one launch.
pub struct Catalogue<'a> {
    provider: &'a str,
    models: Vec<&'a Model>,
    folder: PathBuf,
}

impl<'a> Catalogue<'a> {
    /// `None` where Codex knows the launch's model better than any entry here could say.
    pub fn of(launch: &'a Launch, inputs: &Inputs) -> Option<Self> {
        let id = &launch.model.value.id;
        let own = id.rsplit('/').next().unwrap_or(id);
        if launch.codex_tools == ToolSet::Full && KNOWN.iter().any(|start| own.starts_with(start)) {
            return None;
        }
        let tiers = &launch.tiers;
        let tiers = tiers.ids();
        let named = tiers.iter().filter_map(|tier| launch.models.iter().find(|model| model.id == **tier));
        let mut seen = HashSet::new();
        let models = std::iter::once(&launch.model.value).chain(named).chain(&launch.models);
        let models: Vec<_> = models.filter(|model| seen.insert(&model.id)).take(MOST).collect();
        let mut hasher = DefaultHasher::new();
        (FORM, &launch.provider, models.len()).hash(&mut hasher);
        for model in &models {
            let known = (&model.id, &model.name, model.context_window, model.reasoning, model.vision);
            let costs = [model.input_cost_per_million, model.output_cost_per_million];
            (known, costs.map(|cost| cost.map(f64::to_bits))).hash(&mut hasher);
        }
        let name = format!("{}-{:016x}", launch.provider, hasher.finish());
        let folder = inputs.dirs.cache.join("codex").join(name);
        // Codex cannot be given another name. A minimal set of tools needs the catalogue, and the launch then fails.
        let is_named = launch.codex_tools == ToolSet::Minimal || folder.to_str().is_some();
        is_named.then_some(Self { provider: &launch.provider, models, folder })
    }

    /// The file's path.
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The largest window of its models.
    pub fn largest_window(&self) -> i64 {
        self.models
            .iter()
            .map(|model| window(model).unwrap_or(ASSUMED_WINDOW))
            .max()
            .unwrap_or(ASSUMED_WINDOW)
    }

    /// Plans the file, unless it is there and whole.
    pub fn plan(&self, inputs: &Inputs, plan: &mut Plan) {
        plan.dirs.insert(self.folder.clone());
        let path = self.path();
        if !matches!(inputs.fact(&path), Some(Fact::File(end)) if end == END) {
            plan.write(path, self.text());
        }
    }

    fn text(&self) -> String {
        let models = self.models.iter().enumerate().map(|(at, model)| self.entry(at, model).to_string());
        // A model a line, for whoever looks into it.
        let models = models.collect::<Vec<_>>().join(",\n");
        format!("{{\"models\":[\n{models}{}", String::from_utf8_lossy(END))
    }

    fn entry(&self, at: usize, model: &Model) -> Json {
        let window = window(model).unwrap_or(ASSUMED_WINDOW);
        let inputs: &[&str] = if model.vision == Some(false) { &["text"] } else { &["text", "image"] };
        json!({
            "slug": model.id,
            // So that the provider is seen: at "Model provider" Codex shows its id, which is the same for all (0.171).
            "display_name": format!("{} @ {}", model.id, self.provider),
            "description": description(model),
            "supported_reasoning_levels": efforts(model),
            "shell_type": "default",
            "visibility": "list",
            "supported_in_api": true,
            "priority": at,
            "supports_reasoning_summaries": false,
            "support_verbosity": false,
            "truncation_policy": { "mode": "bytes", "limit": 10_000 },
            "supports_parallel_tool_calls": false,
            "context_window": window,
            // A `model_context_window` of a project can only lower it.
            "max_context_window": window,
            "experimental_supported_tools": [],
            "input_modalities": inputs,
            "base_instructions": INSTRUCTIONS,
        })
    }
}

/// The model's window, where it is one that Codex takes: an `i64` (0.171), of at least one token.
pub fn window(model: &Model) -> Option<i64> {
    model.context_window.and_then(|window| i64::try_from(window).ok()).filter(|window| *window > 0)
}

/// What the picker asks for after a model: `none` is marked, or the first. Before anything was picked Codex asks for no
/// effort.
///
/// All that Codex knows: a role of the user's, for a sub-agent, does not start with an effort that is not in the list,
/// while a plain Codex sends it to a model that it does not know (0.171).
fn efforts(model: &Model) -> Json {
    let efforts = [
        ("none", "for a model without reasoning"),
        ("medium", "for a model with reasoning"),
        ("minimal", "only if the model supports this effort"),
        ("low", "faster"),
        ("high", "more thorough"),
        ("xhigh", "only if the model supports this effort"),
        ("max", "only if the model supports this effort"),
        ("ultra", "only if the model supports this effort"),
    ];
    let first = usize::from(model.reasoning == Some(true));
    let effort = |(effort, description): (&str, &str)| json!({"effort": effort, "description": description});
    efforts.into_iter().skip(first).map(effort).collect()
}

fn description(model: &Model) -> String {
    let name = model.name.clone().filter(|name| *name != model.id);
    let window = model.context_window.map(|window| match window {
        1_000_000.. => format!("{}.{}M tokens", window / 1_000_000, window / 100_000 % 10),
        1000.. => format!("{}k tokens", window / 1000),
        _ => format!("{window} tokens"),
    });
    let price = model.input_cost_per_million.zip(model.output_cost_per_million);
    let price = price.map(|(input, output)| format!("${input} in, ${output} out per million tokens"));
    let parts: Vec<_> = name.into_iter().chain(window).chain(price).collect();
    parts.join(", ")
}
