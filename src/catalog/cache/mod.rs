//! Lists on disk: `$XDG_CACHE_HOME/agent-run/models/`, private, replaced whole, and never needed.
//!
//! What cannot be read is as good as absent: it is fetched again. Nothing here asks a provider.
//!
//! | file | holds |
//! |---|---|
//! | `<provider>-<identity>.list` | the list, see [`list`] |
//! | `<provider>-<identity>.before` | the one before it that differed, for `models diff` |
//! | `<provider>-<identity>.failed` | why there is no newer one, and until when not to ask |
//! | `<provider>-<identity>.lock` | nothing; held by whoever refreshes the list |

mod list;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use shims::Dirs;

use super::filter;
use super::record::Record;
use super::source::Source;
use crate::config::Filter;
use crate::exec::files;

pub use list::{Draft, Entry, Extent, Stored};

/// The folder of the lists.
#[derive(Clone, Copy, Debug)]
pub struct Cache<'a> {
    dirs: &'a Dirs,
}

/// A list as it was fetched.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The models in the provider's order, those one cannot chat with among them.
    pub records: Vec<Record>,
    /// How much of the list that is.
    pub extent: Extent,
    /// The URL it came from, without its query.
    pub source: String,
    /// What was odd about it.
    pub warnings: Vec<String>,
}

/// A refresh that failed, remembered so that it is not tried again at once.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Failed {
    /// What went wrong.
    pub message: String,
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
        self.folder().join(format!("{}-{}.{kind}", file_name(source.name), source.identity()))
    }

    /// The list on disk, with the filters of today; `None` if there is none that can be used.
    pub fn open(self, source: &Source<'_>) -> Option<Stored> {
        let stored = read(&self.path(source, "list"))?;
        let rules = source.provider.model_api_filters.as_deref().unwrap_or_default();
        if stored.head.filters == filter::fingerprint(rules) {
            return Some(stored);
        }
        let filtered = self.filter_anew(source, rules, &stored);
        filtered
            .inspect_err(|error| log::warn!("could not filter the models of {}: {error:#}", source.name))
            .ok()
    }

    /// The list before this one that differed from it.
    pub fn open_before(self, source: &Source<'_>) -> Option<Stored> {
        read(&self.path(source, "before"))
    }

    fn filter_anew(self, source: &Source<'_>, rules: &[Filter], stored: &Stored) -> Result<Stored> {
        let records = stored.entries()?.into_iter().map(|entry| entry.record).collect();
        let head = &stored.head;
        let content = Draft {
            provider: source.name,
            identity: &head.identity,
            source: &head.source,
            fetched_at: head.fetched_at,
            extent: head.extent,
            filters: filter::fingerprint(rules),
            entries: &ranked(rules, records)?,
        }
        .encode()?;
        if let Err(error) = files::write(&self.path(source, "list"), &content, self.dirs) {
            log::debug!("the filtered list stays in memory: {error:#}");
        }
        Stored::in_memory(content)
    }

    /// Keeps a list, and the one it replaces if that was another. A cache that cannot be written costs
    /// another fetch the next time, and no more.
    ///
    /// # Errors
    /// When the filters cannot be applied.
    pub fn store(self, source: &Source<'_>, fetched: Fetched) -> Result<Stored> {
        let rules = source.provider.model_api_filters.as_deref().unwrap_or_default();
        let entries = ranked(rules, fetched.records)?;
        let content = Draft {
            provider: source.name,
            identity: &source.identity(),
            source: &fetched.source,
            fetched_at: now(),
            extent: fetched.extent,
            filters: filter::fingerprint(rules),
            entries: &entries,
        }
        .encode()?;
        let path = self.path(source, "list");
        let replaced = read(&path).and_then(|stored| stored.entries().ok());
        if replaced.is_some_and(|before| differ(&before, &entries)) {
            // Only `models diff` misses it.
            let kept = fs::read(&path).map(|old| files::write(&self.path(source, "before"), &old, self.dirs));
            log::debug!("the list before: {kept:?}");
        }
        if let Err(error) = files::write(&path, &content, self.dirs) {
            log::warn!("{error:#}");
        }
        _ = fs::remove_file(self.path(source, "failed"));
        Stored::in_memory(content)
    }

    /// Remembers that asking is of no use for `length`.
    pub fn remember_failure(self, source: &Source<'_>, message: &str, length: Duration) {
        let failed = Failed { message: message.to_owned(), until: now() + length.as_secs() };
        let written = serde_json::to_vec(&failed)
            .map_err(anyhow::Error::from)
            .and_then(|json| files::write(&self.path(source, "failed"), &json, self.dirs));
        if let Err(error) = written {
            log::debug!("{error:#}");
        }
    }

    /// The failure that is still to be minded.
    pub fn failure(self, source: &Source<'_>) -> Option<Failed> {
        let failed: Failed = serde_json::from_slice(&fs::read(self.path(source, "failed")).ok()?).ok()?;
        // No failure is minded for longer than a day: the clock may have been wrong.
        let day = 24 * 60 * 60;
        (now()..=now() + day).contains(&failed.until).then_some(failed)
    }

    /// The lock on refreshing this list; `None` if someone else holds it.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub fn lock(self, source: &Source<'_>) -> Result<Option<File>> {
        files::private_dir(&self.folder(), self.dirs)?;
        let path = self.path(source, "lock");
        let could_not = || format!("could not lock {}", path.display());
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = open.with_context(could_not)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(could_not),
        }
    }

    /// Removes the lists of one provider, or all; says how many files went.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn clear(self, provider: Option<&str>) -> Result<usize> {
        let folder = self.folder();
        let files = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            files => files.with_context(|| format!("could not read {}", folder.display()))?,
        };
        let mut removed = 0;
        for file in files.filter_map(Result::ok) {
            let name = file.file_name();
            if !provider.is_none_or(|provider| belongs_to(&name.to_string_lossy(), provider)) {
                continue;
            }
            match fs::remove_file(file.path()) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                gone => {
                    gone.with_context(|| format!("could not remove {}", file.path().display()))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Stored {
    /// How long ago the list was fetched; `None` if that lies in the future, so that nothing is known.
    pub fn age(&self) -> Option<Duration> {
        now().checked_sub(self.head.fetched_at).map(Duration::from_secs)
    }

    /// Whether the list is young enough not to be asked for again. One that lacks pages never is.
    pub fn is_fresh(&self, ttl: Duration) -> bool {
        self.head.extent != Extent::Partial && self.age().is_some_and(|age| age < ttl)
    }
}

fn read(path: &Path) -> Option<Stored> {
    let stored = File::open(path).map_err(anyhow::Error::from).and_then(Stored::open);
    stored.inspect_err(|error| log::debug!("no list in {}: {error:#}", path.display())).ok()
}

/// Gives each model its place after the filters; those one cannot chat with get none.
fn ranked(rules: &[Filter], records: Vec<Record>) -> Result<Vec<Entry>> {
    let chat: Vec<usize> = (0..records.len()).filter(|&index| records[index].is_chat()).collect();
    let ids: Vec<&str> = chat.iter().map(|&index| records[index].id.as_str()).collect();
    let mut ranks = vec![None; records.len()];
    for (rank, kept) in filter::apply(rules, &ids)?.into_iter().enumerate() {
        ranks[chat[kept]] = Some(rank);
    }
    Ok(records.into_iter().zip(ranks).map(|(record, rank)| Entry { record, rank }).collect())
}

/// Whether a model came, went or changed its price.
fn differ(before: &[Entry], after: &[Entry]) -> bool {
    let prices = |entries: &[Entry]| {
        let mut prices: Vec<_> = entries.iter().map(|Entry { record, .. }| price(record)).collect();
        prices.sort();
        prices
    };
    prices(before) != prices(after)
}

fn price(record: &Record) -> (String, String) {
    let Record { input_cost_per_million: input, output_cost_per_million: output, .. } = record;
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
mod tests {
    use super::*;
    use crate::catalog::record::Kind;
    use crate::config::Provider;
    use std::os::unix::fs::MetadataExt;

    fn sandbox() -> (tempfile::TempDir, Dirs) {
        let root = tempfile::tempdir().unwrap();
        let dirs = Dirs { cache: root.path().join("cache/agent-run"), ..Dirs::default() };
        (root, dirs)
    }

    fn provider(more: &str) -> Provider {
        let base = "protocols: [anthropic]\nbase_urls: {anthropic: 'http://127.0.0.1:9'}";
        crate::catalog::provider(&format!("{base}\n{more}"))
    }

    fn fetched(ids: &[&str]) -> Fetched {
        Fetched { records: ids.iter().map(|id| Record::named(*id)).collect(), ..Fetched::default() }
    }

    fn ids(stored: &Stored) -> Vec<String> {
        stored.kept().unwrap().into_iter().map(|record| record.id).collect()
    }

    #[test]
    fn a_list_is_kept_privately_and_found_again() {
        let (_root, dirs) = sandbox();
        let (cache, provider) = (Cache::new(&dirs), provider(""));
        let source = Source::new("p", &provider);
        assert!(cache.open(&source).is_none());
        let mut list = fetched(&["b", "a", "embed"]);
        list.records[2].kind = Kind::Other;
        cache.store(&source, list).unwrap();
        assert_eq!(ids(&cache.open(&source).unwrap()), ["b", "a"]);
        let path = cache.path(&source, "list");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(cache.folder()).unwrap().mode() & 0o777, 0o700);
        fs::write(&path, "garbage").unwrap();
        assert!(cache.open(&source).is_none());
        cache.store(&source, fetched(&["c"])).unwrap();
        assert_eq!(ids(&cache.open(&source).unwrap()), ["c"]);
    }

    #[test]
    fn other_filters_take_effect_without_another_fetch() {
        let (_root, dirs) = sandbox();
        let cache = Cache::new(&dirs);
        let few = provider("model_api_filters: [{filter: '^a'}]");
        cache.store(&Source::new("p", &few), fetched(&["b1", "a2", "a10"])).unwrap();
        let all = provider("");
        for _ in 0..2 {
            assert_eq!(ids(&cache.open(&Source::new("p", &few)).unwrap()), ["a10", "a2"]);
            assert_eq!(ids(&cache.open(&Source::new("p", &all)).unwrap()), ["b1", "a2", "a10"]);
        }
    }

    #[test]
    fn only_a_list_that_differs_moves_the_one_before() {
        let (_root, dirs) = sandbox();
        let (cache, provider) = (Cache::new(&dirs), provider(""));
        let source = Source::new("p", &provider);
        for list in [fetched(&["a"]), fetched(&["a", "b"]), fetched(&["b", "a"])] {
            cache.store(&source, list).unwrap();
        }
        assert_eq!(ids(&cache.open_before(&source).unwrap()), ["a"]);
        let mut dearer = fetched(&["a", "b"]);
        dearer.records[0].input_cost_per_million = Some(1.0);
        cache.store(&source, dearer).unwrap();
        assert_eq!(ids(&cache.open_before(&source).unwrap()), ["b", "a"]);
    }

    #[test]
    fn a_failure_is_minded_for_a_while_and_forgotten_with_success() {
        let (_root, dirs) = sandbox();
        let (cache, provider) = (Cache::new(&dirs), provider(""));
        let source = Source::new("p", &provider);
        cache.remember_failure(&source, "down", Duration::from_secs(60));
        assert_eq!(cache.failure(&source).unwrap().message, "down");
        cache.store(&source, fetched(&["a"])).unwrap();
        assert!(cache.failure(&source).is_none());
        cache.remember_failure(&source, "from the future", Duration::from_secs(360_000));
        assert!(cache.failure(&source).is_none());
    }

    #[test]
    fn one_at_a_time_refreshes() {
        let (_root, dirs) = sandbox();
        let (cache, provider) = (Cache::new(&dirs), provider(""));
        let source = Source::new("p", &provider);
        let lock = cache.lock(&source).unwrap().unwrap();
        assert!(cache.lock(&source).unwrap().is_none());
        drop(lock);
        assert!(cache.lock(&source).unwrap().is_some());
    }

    #[test]
    fn clearing_one_provider_leaves_the_others() {
        let (_root, dirs) = sandbox();
        let (cache, provider) = (Cache::new(&dirs), provider(""));
        for name in ["p", "p-q", "../p"] {
            cache.store(&Source::new(name, &provider), fetched(&["a"])).unwrap();
        }
        assert_eq!(cache.clear(Some("p")).unwrap(), 1);
        assert_eq!(cache.clear(None).unwrap(), 2);
        assert_eq!(cache.clear(None).unwrap(), 0);
    }
}
