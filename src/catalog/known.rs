//! What is known without asking: the config's models and the list on disk, seen as one.

use std::time::Duration;

use shims::window::split_long_context;
use shims::{Model, Protocol};

use super::cache::{CachedList, Completeness};
use super::record::ModelRecord;
use super::source::Source;
use super::{local, merge};
use crate::config::Filter;

/// What is known of a provider's models. Looking one up reads a few lines of one file.
pub struct ModelIndex<'a> {
    source: Source<'a>,
    list: Option<CachedList>,
    /// How old the provider's own list is; `None` without one.
    pub age: Option<Duration>,
    /// Whether asking again is needless: the list is young, or the config wants none.
    pub fresh: bool,
    /// Whether nothing is missing from the list; a model that is not in a complete one does not exist.
    pub complete: bool,
}

impl<'a> ModelIndex<'a> {
    pub(super) fn new(source: Source<'a>, list: Option<CachedList>, ttl: Duration) -> Self {
        let is_asked = source.provider.loads_models();
        Self {
            age: list.as_ref().and_then(CachedList::age),
            fresh: !is_asked || list.as_ref().is_some_and(|list| list.is_fresh(ttl)),
            complete: !is_asked
                || list.as_ref().is_some_and(|list| list.head.extent == Completeness::Complete),
            source,
            list,
        }
    }

    /// The provider's own list, if it is on disk.
    pub fn list(&self) -> Option<&CachedList> {
        self.list.as_ref()
    }

    /// Whether the provider was asked and has no model but these: its list was read to the end, and no filter leaves
    /// any of it out.
    pub fn is_all_there_is(&self) -> bool {
        let filters = self.source.provider.model_api_filters.iter().flatten();
        let keeps_all = |filter: &Filter| filter.filter.is_empty() && filter.top.is_none();
        self.complete && self.list.is_some() && filters.into_iter().all(keeps_all)
    }

    /// The model `id`, if the config or the list knows it.
    pub fn find(&self, id: &str) -> Option<Model> {
        self.record(id).map(|record| merge::model(self.source.provider, record))
    }

    /// The same with everything that is known of it.
    pub fn record(&self, id: &str) -> Option<ModelRecord> {
        let listed = self.listed(id);
        let provider = self.source.provider;
        let is_default = provider.default_model.as_deref() == Some(id);
        let is_ours = is_default || listed.is_some() || merge::entry(provider, id).is_some();
        is_ours.then(|| merge::one(provider, id, listed))
    }

    /// The model `id` as the provider's own list describes it.
    pub fn listed(&self, id: &str) -> Option<ModelRecord> {
        self.read(|list| list.find(id)).flatten().or_else(|| {
            let other = local::other_spelling(self.source.provider, id)?;
            let found = self.read(|list| list.find(&other)).flatten()?;
            Some(ModelRecord { id: id.to_owned(), ..found })
        })
    }

    /// The config's default model, if the provider's whole list does not have it: it may have been retired.
    pub fn missing_default(&self) -> Option<&'a str> {
        self.source.provider.default_model.as_deref().filter(|default| self.lacks(default))
    }

    /// Whether the provider's whole list does not have the model `id`.
    pub fn lacks(&self, id: &str) -> bool {
        let (id, _) = split_long_context(id);
        let other = local::other_spelling(self.source.provider, id);
        let holds = |id: &str| self.read(|list| list.holds(id));
        self.complete && holds(id) == Some(false) && other.is_none_or(|other| holds(&other) != Some(true))
    }

    /// Every model, best first: the default, the config's, the provider's.
    pub fn models(&self) -> Vec<Model> {
        let provider = self.source.provider;
        self.records().into_iter().map(|record| merge::model(provider, record)).collect()
    }

    /// The default, the config's models, and the first `count` of the provider's own list that are served over
    /// `protocol`. It reads no more of the list than these.
    pub fn best(&self, count: usize, protocol: Protocol) -> Vec<Model> {
        let provider = self.source.provider;
        let mut best = self.read(|list| list.best(count)).unwrap_or_default();
        best.retain(|record| record.speaks(protocol));
        for id in provider.default_model.iter().chain(provider.models.iter().map(|entry| &entry.id)) {
            // What the config names is offered whatever the list says, with what the list knows of it.
            let other = local::other_spelling(provider, id);
            if best.iter().all(|record| record.id != *id && Some(&record.id) != other.as_ref()) {
                best.extend(self.listed(id));
            }
        }
        merge::merged(provider, best).into_iter().map(|record| merge::model(provider, record)).collect()
    }

    /// The same with everything that is known of them.
    pub fn records(&self) -> Vec<ModelRecord> {
        merge::merged(self.source.provider, self.read(CachedList::kept).unwrap_or_default())
    }

    /// The ids of all models, the user's own first.
    pub fn ids(&self) -> Vec<String> {
        self.in_parts("", usize::MAX)
    }

    /// The ids that begin with `prefix`: the default, the config's, then the provider's, sorted. Of more than `many` of
    /// the provider's, only their parts up to the next `/`.
    pub fn in_parts(&self, prefix: &str, many: usize) -> Vec<String> {
        let provider = self.source.provider;
        let own = provider.default_model.iter().chain(provider.models.iter().map(|entry| &entry.id));
        let mut ids: Vec<String> = Vec::new();
        for id in own.filter(|id| id.starts_with(prefix)) {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        let mut listed = self.read(|list| list.in_parts(prefix, many)).unwrap_or_default();
        let is_new = |id: &String| !ids.contains(id);
        listed.retain(is_new);
        // Asked once and not for each of thousands.
        if local::is_ollama(provider) {
            listed.retain(|id| local::other_spelling(provider, id).as_ref().is_none_or(is_new));
        }
        ids.append(&mut listed);
        ids
    }

    /// A corrupt list is treated as missing.
    fn read<T>(&self, look: impl FnOnce(&CachedList) -> anyhow::Result<T>) -> Option<T> {
        let found = look(self.list.as_ref()?);
        found.inspect_err(|error| log::debug!("the list of {} is corrupt: {error:#}", self.source.name)).ok()
    }
}
