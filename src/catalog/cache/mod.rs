//! Lists on disk: `$XDG_CACHE_HOME/agent-run/models/`, private, replaced whole, and never needed.
//!
//! What cannot be read is as good as absent: it is fetched again. Nothing here asks a provider.
//!
//! | file | holds |
//! |---|---|
//! | `<provider>-<identity>.list` | the list, see [`mod@format`] |
//! | `<provider>-<identity>.before` | the one before it that differed, for `models diff` |
//! | `<provider>-<identity>.failed` | why there is no newer one, and until when not to ask |
//! | `<provider>-<identity>.lock` | nothing; held by whoever refreshes the list |

mod format;
mod list;

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use shims::{Dirs, Message};

use super::fetch::Failure;
use super::filter;
use super::record::ModelRecord;
use super::source::Source;
use crate::config::Filter;
use crate::fs::{files, lock, private_dir, waiting};
use crate::{error, ui};

pub use format::{Completeness, Header, RankedRecord};
pub use list::CachedList;

/// No file of a list that is still asked for gets this old without being written.
const LEFT_BEHIND: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The folder of the lists.
#[derive(Clone, Copy, Debug)]
pub struct Cache<'a> {
    dirs: &'a Dirs,
}

/// A list as it was fetched.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The models in the provider's order, those one cannot chat with among them.
    pub records: Vec<ModelRecord>,
    /// How much of the list that is.
    pub extent: Completeness,
    /// The URL it came from, without its query.
    pub source: String,
    /// What was odd about it.
    pub warnings: Vec<Message>,
}

/// A refresh that failed, remembered so that it is not tried again at once.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Failed {
    /// What went wrong; files of earlier versions have what to do about it in the text.
    #[serde(flatten)]
    pub failure: Failure,
    /// When to ask again, in seconds since 1970.
    pub until: u64,
}

impl<'a> Cache<'a> {
    /// The cache below the folders of a launch.
    pub fn new(dirs: &'a Dirs) -> Self {
        Self { dirs }
    }

    /// The folder itself.
    pub fn folder(self) -> PathBuf {
        self.dirs.cache.join("models")
    }

    /// A file of one list.
    pub fn path(self, source: &Source<'_>, kind: &str) -> PathBuf {
        self.folder().join(format!("{}-{}.{kind}", file_name(source.name), source.cache_key()))
    }

    /// The list on disk, with the filters of today; `None` if there is none that can be used.
    pub fn open(self, source: &Source<'_>) -> Option<CachedList> {
        let stored = read(&self.path(source, "list"))?;
        let rules = source.provider.model_api_filters.as_deref().unwrap_or_default();
        if stored.head.filters == filter::fingerprint(rules) {
            return Some(stored);
        }
        let filtered = self.filter_again(source, rules, &stored);
        filtered
            .inspect_err(|error| log::warn!("could not filter the models of {}: {error:#}", source.name))
            .ok()
    }

    /// The list before this one that differed from it.
    pub fn open_previous(self, source: &Source<'_>) -> Option<CachedList> {
        read(&self.path(source, "before"))
    }

    fn filter_again(self, source: &Source<'_>, rules: &[Filter], stored: &CachedList) -> Result<CachedList> {
        let records = stored.entries()?.into_iter().map(|entry| entry.record).collect();
        let head = Header { filters: filter::fingerprint(rules), ..stored.head.clone() };
        let content = head.encode(&ranked(rules, records)?)?;
        if let Err(error) = files::write(&self.path(source, "list"), &content, self.dirs) {
            log::debug!("the filtered list stays in memory: {error:#}");
        }
        CachedList::in_memory(content)
    }

    /// Keeps a list, and the one it replaces if that was another. A cache that cannot be written costs
    /// another fetch the next time, and no more.
    pub fn store(self, source: &Source<'_>, fetched: Fetched) -> Result<CachedList> {
        let rules = source.provider.model_api_filters.as_deref().unwrap_or_default();
        let entries = ranked(rules, fetched.records)?;
        let head = Header {
            provider: source.name.to_owned(),
            identity: source.cache_key(),
            source: fetched.source,
            fetched_at: now(),
            extent: fetched.extent,
            filters: filter::fingerprint(rules),
            ..Header::default()
        };
        let content = head.encode(&entries)?;
        let path = self.path(source, "list");
        let replaced = read(&path).and_then(|stored| stored.entries().ok());
        if replaced.is_some_and(|before| differ(&before, &entries)) {
            // Only `models diff` misses it.
            let kept =
                files::read(&path).map(|old| files::write(&self.path(source, "before"), &old, self.dirs));
            log::debug!("the list before: {kept:?}");
        }
        match files::write(&path, &content, self.dirs) {
            Ok(()) => {
                _ = fs::remove_file(self.path(source, "failed"));
                self.sweep(source.name);
            }
            Err(error) => ui::log::warn(error::message(&error)),
        }
        CachedList::in_memory(content)
    }

    /// Remembers that asking is of no use for `length`.
    pub fn remember_failure(self, source: &Source<'_>, failure: &Failure, length: Duration) {
        let failed = Failed { failure: failure.clone(), until: now() + length.as_secs() };
        let written = serde_json::to_vec(&failed)
            .map_err(anyhow::Error::from)
            .and_then(|json| files::write(&self.path(source, "failed"), &json, self.dirs));
        if let Err(error) = written {
            log::debug!("{error:#}");
        }
    }

    /// The last failure, if its back-off has not expired.
    pub fn failure(self, source: &Source<'_>) -> Option<Failure> {
        let failed: Failed = serde_json::from_slice(&files::read(&self.path(source, "failed")).ok()?).ok()?;
        // No failure is minded for longer than a day: the clock may have been wrong.
        let day = 24 * 60 * 60;
        (now()..=now() + day).contains(&failed.until).then_some(failed.failure)
    }

    /// The lock on refreshing this list; `None` if someone else holds it.
    pub fn lock(self, source: &Source<'_>) -> Result<Option<File>> {
        private_dir::private_dir(&self.folder(), self.dirs)?;
        let path = self.path(source, "lock");
        let file = lock::open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if waiting::is_unknown(&error) => Ok(Some(file)),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("could not lock {}", path.display()))
            }
        }
    }

    /// Removes the lists of one provider, or all, and what failed; returns the files.
    pub fn clear(self, provider: Option<&str>) -> Result<Vec<PathBuf>> {
        let mut removed = Vec::new();
        for path in self.files(provider)? {
            match fs::remove_file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                gone => {
                    gone.with_context(|| format!("could not remove {}", path.display()))?;
                    removed.push(path);
                }
            }
        }
        Ok(removed)
    }

    /// Removes what a provider left behind when its URL or key source was another.
    fn sweep(self, provider: &str) {
        let is_left = |path: &PathBuf| {
            let age = fs::metadata(path).and_then(|file| file.modified()).map(|time| time.elapsed());
            matches!(age, Ok(Ok(age)) if age > LEFT_BEHIND)
        };
        for path in self.files(Some(provider)).unwrap_or_default().into_iter().filter(is_left) {
            log::debug!("{} is left behind: {:?}", path.display(), fs::remove_file(&path));
        }
    }

    fn files(self, provider: Option<&str>) -> Result<Vec<PathBuf>> {
        let folder = self.folder();
        if folder.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return Ok(Vec::new());
        }
        // What is found is removed: it must be ours.
        private_dir::private_dir(&folder, self.dirs)?;
        let files = fs::read_dir(&folder).with_context(|| format!("could not read {}", folder.display()))?;
        let is_meant = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            provider.is_none_or(|provider| belongs_to(&name, provider))
        };
        Ok(files.filter_map(Result::ok).map(|file| file.path()).filter(is_meant).collect())
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl CachedList {
    /// How long ago the list was fetched; `None` if that lies in the future, so that nothing is known.
    pub fn age(&self) -> Option<Duration> {
        now().checked_sub(self.head.fetched_at).map(Duration::from_secs)
    }

    /// Whether the list is young enough not to be asked for again. One that lacks pages never is.
    pub fn is_fresh(&self, ttl: Duration) -> bool {
        self.head.extent != Completeness::Partial && self.age().is_some_and(|age| age < ttl)
    }
}

fn read(path: &Path) -> Option<CachedList> {
    let stored = files::open(path)
        .map_err(anyhow::Error::from)
        .and_then(|(file, there)| CachedList::open(file, there.len()));
    stored.inspect_err(|error| log::debug!("no list in {}: {error:#}", path.display())).ok()
}

/// Gives each model its place after the filters; those one cannot chat with get none.
fn ranked(rules: &[Filter], records: Vec<ModelRecord>) -> Result<Vec<RankedRecord>> {
    let chat: Vec<usize> = (0..records.len()).filter(|&index| records[index].is_chat()).collect();
    let ids: Vec<&str> = chat.iter().map(|&index| records[index].id.as_str()).collect();
    let mut ranks = vec![None; records.len()];
    for (rank, kept) in filter::apply(rules, &ids)?.into_iter().enumerate() {
        ranks[chat[kept]] = Some(rank);
    }
    Ok(records.into_iter().zip(ranks).map(|(record, rank)| RankedRecord { record, rank }).collect())
}

/// Whether a model came, went or changed its price.
fn differ(before: &[RankedRecord], after: &[RankedRecord]) -> bool {
    let prices = |entries: &[RankedRecord]| {
        let mut prices: Vec<_> = entries.iter().map(|RankedRecord { record, .. }| price(record)).collect();
        prices.sort();
        prices
    };
    prices(before) != prices(after)
}

fn price(record: &ModelRecord) -> (String, String) {
    let ModelRecord { input_cost_per_million: input, output_cost_per_million: output, .. } = record;
    (record.id.clone(), format!("{input:?} {output:?}"))
}

/// A provider's name as part of a file name; the identity tells apart what this makes alike.
fn file_name(provider: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    provider.chars().take(64).map(safe).collect()
}

fn belongs_to(file: &str, provider: &str) -> bool {
    let rest = file.strip_prefix(&file_name(provider)).and_then(|rest| rest.strip_prefix('-'));
    let identity = rest.and_then(|rest| rest.split_once('.')).map(|(identity, _)| identity);
    identity.is_some_and(|identity| identity.len() == 16 && identity.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
