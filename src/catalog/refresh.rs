//! Loads a list again and keeps it, unless what came is worse than what there is.

use std::time::Duration;

use shims::{Message, Protocol};

use super::cache::{CachedList, Completeness};
use super::fetch::{AWHILE, Failure, FailureKind, Fetcher, Probe, RetryPolicy};
use super::source::Source;
use super::{Catalog, KeyLookup};
use crate::config::Provider;

/// A list after a refresh, and what is to be said about it.
pub struct Refreshed {
    /// The list: the new one, or the old if that is better.
    pub list: CachedList,
    /// What the user should know.
    pub warnings: Vec<Message>,
}

impl Catalog<'_> {
    /// Loads a provider's list because something waits for it, for at most `limit`.
    ///
    /// A failure of a moment ago is repeated instead of being waited for again. A key that could not be
    /// had then may be there now, so it is looked for again. After a failure the list on disk stays as it was.
    pub fn refresh_within(
        &self,
        name: &str,
        provider: &Provider,
        limit: Duration,
        key: &KeyLookup<'_>,
    ) -> Result<Refreshed, Failure> {
        let source = Source::new(name, provider);
        match self.cache.failure(&source).filter(|failed| failed.kind != FailureKind::NoKey) {
            Some(failed) => Err(failed),
            None => self.load(source, RetryPolicy::at_most(limit), key),
        }
    }

    /// Loads a provider's list because the user asked for it. After a failure the list on disk stays as it was.
    pub fn refresh(
        &self,
        name: &str,
        provider: &Provider,
        key: &KeyLookup<'_>,
    ) -> Result<Refreshed, Failure> {
        self.load(Source::new(name, provider), RetryPolicy::EXPLICIT, key)
    }

    /// Asks `model` for one short answer over a protocol, because the user asked for it.
    /// Nothing of it is kept. A failure means that nothing could be asked; what the provider answers, or that it does
    /// not, is a [`Probe`].
    pub fn probe(
        &self,
        name: &str,
        provider: &Provider,
        protocol: Protocol,
        model: &str,
        key: &KeyLookup<'_>,
    ) -> Result<Probe, Failure> {
        let source = Source::new(name, provider);
        Fetcher { source, key, env: self.env, retry: RetryPolicy::ANSWER }.probe(protocol, model)
    }

    pub(super) fn load(
        &self,
        source: Source<'_>,
        retry: RetryPolicy,
        key: &KeyLookup<'_>,
    ) -> Result<Refreshed, Failure> {
        let fetched = Fetcher { source, key, env: self.env, retry }.fetch().inspect_err(|failure| {
            self.cache.remember_failure(&source, failure, failure.worth_remembering());
        })?;
        let mut warnings = fetched.warnings.clone();
        let extent = fetched.extent;
        if let Some(list) = self.cache.open(&source) {
            let is_worse = if fetched.records.is_empty() {
                list.entries().is_ok_and(|entries| !entries.is_empty()).then_some("an empty list")
            } else {
                (extent == Completeness::Partial && list.head.extent != Completeness::Partial)
                    .then_some("only part of its list")
            };
            if let Some(what) = is_worse {
                warnings.push(format!("the provider sent {what}, so the previous list is kept").into());
                let failure = Failure::new(FailureKind::Lasting, format!("the provider sent {what}"));
                self.cache.remember_failure(&source, &failure, AWHILE);
                return Ok(Refreshed { list, warnings });
            }
        }
        let list = self.cache.store(&source, fetched)?;
        if extent == Completeness::Partial {
            let failure = Failure::new(FailureKind::Lasting, "only part of the list could be read");
            self.cache.remember_failure(&source, &failure, AWHILE);
        }
        Ok(Refreshed { list, warnings })
    }
}
