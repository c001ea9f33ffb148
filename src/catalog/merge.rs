//! The user's own words about models over the provider's: field by field, by id.

use std::collections::{BTreeSet, HashMap};

use shims::Model;

use super::local;
use super::record::{Modality, ModelRecord};
use crate::config::Provider;

/// The `source` of a model that only the config knows.
pub const CONFIG: &str = "config";

/// Every model, best first: the default, then the config's in its order, then the provider's in its own.
pub fn merged(provider: &Provider, remote: Vec<ModelRecord>) -> Vec<ModelRecord> {
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let mut remote: Vec<Option<ModelRecord>> = remote.into_iter().map(Some).collect();
    for (index, record) in remote.iter().flatten().enumerate() {
        by_id.insert(record.id.clone(), index);
    }
    let default = provider.default_model.iter().map(String::as_str);
    let configured = provider.models.iter().map(|entry| entry.id.as_str());
    let mut seen = BTreeSet::new();
    let mut models = Vec::with_capacity(remote.len());
    for id in default.chain(configured) {
        // At Ollama one model may be spelled in two ways.
        let other = local::other_spelling(provider, id);
        if other.is_some_and(|other| seen.contains(other.as_str())) || !seen.insert(id) {
            continue;
        }
        let other = || local::other_spelling(provider, id).and_then(|other| by_id.get(&other));
        let listed = by_id.get(id).or_else(other).and_then(|&index| remote[index].take());
        let listed = listed.map(|listed| ModelRecord { id: id.to_owned(), ..listed });
        models.push(one(provider, id, listed));
    }
    models.extend(remote.into_iter().flatten());
    models
}

/// The model `id` as the config and the provider describe it together.
pub fn one(provider: &Provider, id: &str, listed: Option<ModelRecord>) -> ModelRecord {
    let listed =
        listed.unwrap_or_else(|| ModelRecord { source: Some(CONFIG.to_owned()), ..ModelRecord::named(id) });
    match entry(provider, id) {
        Some(entry) => over(entry, listed),
        None => listed,
    }
}

/// The same for an adapter, which knows some things that no list says.
pub fn model(provider: &Provider, record: ModelRecord) -> Model {
    let entry = entry(provider, &record.id);
    let model = Model::from(record);
    let Some(entry) = entry else { return model };
    Model {
        vision: entry.vision.or(model.vision),
        supports_attachments: entry.supports_attachments.or(model.supports_attachments),
        cached_output_cost_per_million: entry.cached_output_cost_per_million,
        ..model
    }
}

/// What the config says of the model `id`.
pub fn entry<'a>(provider: &'a Provider, id: &str) -> Option<&'a Model> {
    let find = |id: &str| provider.models.iter().find(|entry| entry.id == id);
    find(id).or_else(|| find(&local::other_spelling(provider, id)?))
}

fn over(entry: &Model, listed: ModelRecord) -> ModelRecord {
    ModelRecord {
        name: entry.name.clone().or(listed.name),
        context_window: entry.context_window.or(listed.context_window),
        max_output_tokens: entry.max_output_tokens.or(listed.max_output_tokens),
        reasoning: entry.reasoning.or(listed.reasoning),
        input_modalities: with_vision(entry.vision, listed.input_modalities),
        input_cost_per_million: entry.input_cost_per_million.or(listed.input_cost_per_million),
        output_cost_per_million: entry.output_cost_per_million.or(listed.output_cost_per_million),
        cached_input_cost_per_million: entry
            .cached_input_cost_per_million
            .or(listed.cached_input_cost_per_million),
        ..listed
    }
}

fn with_vision(vision: Option<bool>, listed: Option<BTreeSet<Modality>>) -> Option<BTreeSet<Modality>> {
    let Some(vision) = vision else { return listed };
    let mut inputs = listed.unwrap_or_else(|| [Modality::Text].into());
    if vision {
        inputs.insert(Modality::Image);
    } else {
        inputs.remove(&Modality::Image);
    }
    Some(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(more: &str) -> Provider {
        crate::catalog::provider(&format!(
            "protocols: [anthropic]\nbase_urls: {{anthropic: 'https://a.b'}}\n{more}"
        ))
    }

    fn remote() -> Vec<ModelRecord> {
        let sized = |id: &str| ModelRecord {
            context_window: Some(1000),
            name: Some("R".into()),
            ..ModelRecord::named(id)
        };
        vec![sized("r2"), sized("r1"), sized("both")]
    }

    #[test]
    fn the_default_comes_first_then_the_configs_then_the_providers() {
        let ids = |more: &str| {
            let models = merged(&provider(more), remote());
            models.into_iter().map(|model| model.id).collect::<Vec<_>>()
        };
        let models = "models: [{id: c1}, {id: both}]";
        assert_eq!(ids(&format!("default_model: r1\n{models}")), ["r1", "c1", "both", "r2"]);
        assert_eq!(ids(&format!("default_model: gone\n{models}")), ["gone", "c1", "both", "r2", "r1"]);
        assert_eq!(ids(&format!("default_model: both\n{models}")), ["both", "c1", "r2", "r1"]);
        assert_eq!(ids(""), ["r2", "r1", "both"]);
    }

    #[test]
    fn a_name_without_a_tag_means_latest_at_ollama_alone() {
        let listed = || vec![ModelRecord { context_window: Some(1000), ..ModelRecord::named("m:latest") }];
        for (url, expected) in [
            ("http://localhost:11434", &[("m", Some(7)), ("n:4b", None)][..]),
            ("http://localhost:8000", &[("m", None), ("n:4b", None), ("m:latest", Some(1000))]),
        ] {
            let provider = crate::catalog::provider(&format!(
                "protocols: [anthropic]\nbase_urls: {{anthropic: '{url}'}}\ndefault_model: m\nmodels: [n:4b, \
                 {{id: 'm:latest', context_window: 7}}]"
            ));
            let entries = &provider.models;
            assert_eq!(entry(&provider, "m").is_some(), url.ends_with("11434"), "{entries:?}");
            let mut provider = provider;
            if !url.ends_with("11434") {
                provider.models.pop();
            }
            let models = merged(&provider, listed());
            let models: Vec<_> =
                models.iter().map(|model| (model.id.as_str(), model.context_window)).collect();
            assert_eq!(models, expected, "{url}");
        }
    }

    #[test]
    fn the_config_wins_field_by_field() {
        let provider =
            provider("models: [{id: both, context_window: 7, vision: true}, {id: own, reasoning: true}]");
        let models = merged(&provider, remote());
        assert_eq!((models[0].context_window, models[0].name.as_deref()), (Some(7), Some("R")));
        assert_eq!(models[0].input_modalities, Some([Modality::Text, Modality::Image].into()));
        assert_eq!((models[1].reasoning, models[1].source.as_deref()), (Some(true), Some(CONFIG)));
        assert_eq!(model(&provider, models[0].clone()).vision, Some(true));
    }
}
