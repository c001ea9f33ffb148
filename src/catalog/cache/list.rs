//! The form of a list on disk: made so that one model, or all with a prefix, are found without reading the rest.
//!
//! The first line is JSON about the list. Then comes a line for each model, sorted by the bytes of its id:
//!
//! ```text
//! <id> TAB <place in the provider's order> TAB <place after the filters, or -> TAB <the record, as JSON>
//! ```
//!
//! An id holds neither white space nor control characters, so lines need no quoting and can be searched by
//! halves: among 50,000 models that takes some twenty reads. One file a list means that it is replaced whole.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::record::Record;

/// Raised whenever a reader of the old form would misunderstand the new one; others are then rebuilt.
const VERSION: u32 = 1;
/// Longer than any first line we write.
const LONGEST_HEAD: usize = 8 * 1024;

/// What is known of a list as a whole.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Head {
    version: u32,
    /// The provider's name in the config.
    pub provider: String,
    /// See [`crate::catalog::source::Source::identity`].
    pub identity: String,
    /// Where the list came from, without the query.
    pub source: String,
    /// When it was fetched, in seconds since 1970.
    pub fetched_at: u64,
    /// How much of the provider's list this is.
    pub extent: Extent,
    /// The filters that were applied: [`crate::catalog::filter::fingerprint`].
    pub filters: String,
    /// The length of all lines after the first, which a file that was cut off does not have.
    bytes: u64,
}

/// How much of a provider's list was read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// As much as can be had: it is too long, or does not say where it goes on.
    Cut,
    /// Some pages: a later one failed.
    Partial,
}

/// A model and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The model.
    pub record: Record,
    /// Its place among those that the filters keep.
    pub rank: Option<usize>,
}

/// A list on disk, open for looking things up.
pub struct Stored {
    /// What is known of the list as a whole.
    pub head: Head,
    body: Body,
    start: u64,
}

enum Body {
    File(File),
    Memory(Vec<u8>),
}

/// A list about to be written.
pub struct Draft<'a> {
    pub provider: &'a str,
    pub identity: &'a str,
    pub source: &'a str,
    pub fetched_at: u64,
    pub extent: Extent,
    pub filters: String,
    /// The models in the provider's order.
    pub entries: &'a [Entry],
}

impl Draft<'_> {
    /// The file's content.
    ///
    /// # Errors
    /// When a record cannot be written as JSON, which no list has made happen.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut sorted: Vec<_> = self.entries.iter().enumerate().collect();
        sorted.sort_by_key(|(_, entry)| entry.record.id.as_bytes());
        let mut body = Vec::new();
        for (order, entry) in sorted {
            let rank = entry.rank.map_or(Cow::Borrowed("-"), |rank| rank.to_string().into());
            let json = compact(&entry.record)?;
            body.extend_from_slice(format!("{}\t{order}\t{rank}\t{json}\n", entry.record.id).as_bytes());
        }
        let head = Head {
            version: VERSION,
            provider: self.provider.to_owned(),
            identity: self.identity.to_owned(),
            source: self.source.to_owned(),
            fetched_at: self.fetched_at,
            extent: self.extent,
            filters: self.filters.clone(),
            bytes: body.len() as u64,
        };
        let mut file = serde_json::to_vec(&head)?;
        file.push(b'\n');
        file.append(&mut body);
        Ok(file)
    }
}

/// The record without what is unknown, and without what the line or the first line says already.
fn compact(record: &Record) -> Result<String> {
    let mut json = serde_json::to_value(record)?;
    if let Value::Object(fields) = &mut json {
        let said = |name: &str| matches!(name, "id" | "source");
        let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        fields.retain(|name, value| !said(name) && !is_empty(value) && value != "chat");
    }
    Ok(json.to_string())
}

impl Stored {
    /// Opens a list that is a file.
    ///
    /// # Errors
    /// When it is not such a list, not of this version, or not whole.
    pub fn open(file: File) -> Result<Self> {
        let length = file.metadata()?.len();
        Self::read(Body::File(file), length)
    }

    /// Opens a list that could not be written.
    ///
    /// # Errors
    /// As [`Stored::open`].
    pub fn in_memory(content: Vec<u8>) -> Result<Self> {
        let length = content.len() as u64;
        Self::read(Body::Memory(content), length)
    }

    fn read(body: Body, length: u64) -> Result<Self> {
        let mut first = [0; LONGEST_HEAD];
        let count = body.read_at(&mut first, 0)?;
        let end = first[..count].iter().position(|&byte| byte == b'\n').context("no first line")?;
        let head: Head = serde_json::from_slice(&first[..end])?;
        ensure!(head.version == VERSION, "version {}, not {VERSION}", head.version);
        let start = end as u64 + 1;
        ensure!(start + head.bytes == length, "cut off");
        Ok(Self { head, body, start })
    }

    /// The model `id`, if there is one and the filters keep it.
    ///
    /// # Errors
    /// When the file is corrupt.
    pub fn find(&self, id: &str) -> Result<Option<Record>> {
        let Some(line) = self.line(self.lower_bound(id.as_bytes())?)? else { return Ok(None) };
        let line = Line::parse(&line)?;
        if line.id != id || line.rank.is_none() {
            return Ok(None);
        }
        self.record(&line).map(Some)
    }

    /// The ids that begin with `prefix` and that the filters keep, sorted.
    ///
    /// # Errors
    /// When the file is corrupt.
    pub fn with_prefix(&self, prefix: &str) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        let start = self.lower_bound(prefix.as_bytes())?;
        self.lines(start, |line| {
            let line = Line::parse(line)?;
            let goes_on = line.id.starts_with(prefix);
            if goes_on && line.rank.is_some() {
                ids.push(line.id.to_owned());
            }
            Ok(goes_on)
        })?;
        Ok(ids)
    }

    /// Every model, those that the filters drop among them, in the provider's order.
    ///
    /// # Errors
    /// When the file is corrupt.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.lines(self.start, |line| {
            let line = Line::parse(line)?;
            entries.push((line.order, Entry { record: self.record(&line)?, rank: line.rank }));
            Ok(true)
        })?;
        entries.sort_by_key(|(order, _)| *order);
        Ok(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The models that the filters keep, best first.
    ///
    /// # Errors
    /// When the file is corrupt.
    pub fn kept(&self) -> Result<Vec<Record>> {
        let mut kept: Vec<_> = self.entries()?.into_iter().filter(|entry| entry.rank.is_some()).collect();
        kept.sort_by_key(|entry| entry.rank);
        Ok(kept.into_iter().map(|entry| entry.record).collect())
    }

    fn record(&self, line: &Line<'_>) -> Result<Record> {
        let record: Record = serde_json::from_str(line.json)?;
        Ok(Record { id: line.id.to_owned(), source: Some(self.head.source.clone()), ..record })
    }

    fn end(&self) -> u64 {
        self.start + self.head.bytes
    }

    /// Where the first line with an id of `key` or after it begins.
    fn lower_bound(&self, key: &[u8]) -> Result<u64> {
        // Lines that begin before `low` have smaller ids; those from `high` on have not.
        let (mut low, mut high) = (self.start, self.end());
        while low < high {
            let middle = self.line_start(low, low + (high - low) / 2)?;
            let line = self.line(middle)?.context("a line is missing")?;
            let id = line.split(|&byte| byte == b'\t').next().unwrap_or_default();
            if id < key {
                low = middle + line.len() as u64 + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Where the line around `at` begins; not before `low`, where one begins.
    fn line_start(&self, low: u64, at: u64) -> Result<u64> {
        let mut end = at;
        let mut chunk = [0; 512];
        while end > low {
            let from = low.max(end.saturating_sub(chunk.len() as u64));
            let part = &mut chunk[..usize::try_from(end - from)?];
            self.body.read_exact_at(part, from)?;
            if let Some(newline) = part.iter().rposition(|&byte| byte == b'\n') {
                return Ok(from + newline as u64 + 1);
            }
            end = from;
        }
        Ok(low)
    }

    /// The line that begins at `start`, without its newline.
    fn line(&self, start: u64) -> Result<Option<Vec<u8>>> {
        let mut found = None;
        self.lines(start, |line| {
            found = Some(line.to_owned());
            Ok(false)
        })?;
        Ok(found)
    }

    /// Hands the lines from `start` on to `each`, until it wants no more.
    fn lines(&self, start: u64, mut each: impl FnMut(&[u8]) -> Result<bool>) -> Result<()> {
        let mut rest = Vec::new();
        let mut chunk = vec![0; 1024];
        let mut at = start;
        while at < self.end() {
            let count = self.body.read_at(&mut chunk, at)?;
            ensure!(count > 0, "cut off");
            at += count as u64;
            rest.extend_from_slice(&chunk[..count]);
            let mut from = 0;
            while let Some(length) = memchr::memchr(b'\n', &rest[from..]) {
                if !each(&rest[from..from + length])? {
                    return Ok(());
                }
                from += length + 1;
            }
            rest.drain(..from);
            // Whoever reads on after one line reads many.
            chunk.resize(64 * 1024, 0);
        }
        ensure!(rest.is_empty(), "the last line is cut off");
        Ok(())
    }
}

impl Body {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_at(buffer, at),
            Self::Memory(bytes) => {
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
        }
    }

    fn read_exact_at(&self, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let count = self.read_at(buffer, at)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = &mut buffer[count..];
            at += count as u64;
        }
        Ok(())
    }
}

struct Line<'a> {
    id: &'a str,
    order: usize,
    rank: Option<usize>,
    json: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a [u8]) -> Result<Self> {
        let mut fields = std::str::from_utf8(line)?.splitn(4, '\t');
        let mut next = || fields.next().context("a field is missing");
        let (id, order, rank, json) = (next()?, next()?, next()?, next()?);
        let rank = if rank == "-" { None } else { Some(rank.parse()?) };
        Ok(Self { id, order: order.parse()?, rank, json })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(entries: &[Entry]) -> Draft<'_> {
        Draft {
            provider: "p",
            identity: "0123456789abcdef",
            source: "https://a.b/models",
            fetched_at: 7,
            extent: Extent::Whole,
            filters: String::new(),
            entries,
        }
    }

    /// `z…` is dropped by the filters; the provider lists its models backwards.
    fn entries(count: usize) -> Vec<Entry> {
        let id = |n: usize| format!("{}/m-{n:05}", ["a", "bb", "ccc", "z"][n % 4]);
        let entry = |n: usize| Entry {
            record: Record {
                context_window: Some(n as u64),
                source: Some("https://a.b/models".to_owned()),
                ..Record::named(id(n))
            },
            rank: (n % 4 != 3).then_some(count - n),
        };
        (0..count).rev().map(entry).collect()
    }

    fn stored(count: usize) -> (Vec<Entry>, Stored) {
        let entries = entries(count);
        let stored = Stored::in_memory(draft(&entries).encode().unwrap()).unwrap();
        (entries, stored)
    }

    #[test]
    fn what_was_written_is_read_back() {
        for count in [0, 1, 2, 3, 100] {
            let (entries, stored) = stored(count);
            assert_eq!(stored.entries().unwrap(), entries);
            assert_eq!(stored.head.extent, Extent::Whole);
            let best = entries.iter().filter(|entry| entry.rank.is_some()).min_by_key(|entry| entry.rank);
            assert_eq!(stored.kept().unwrap().first(), best.map(|entry| &entry.record));
        }
    }

    #[test]
    fn every_model_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 7, 500] {
            let (entries, stored) = stored(count);
            for entry in &entries {
                let kept = entry.rank.map(|_| entry.record.clone());
                assert_eq!(stored.find(&entry.record.id).unwrap(), kept);
            }
            for absent in ["", "a", "a/m-99999", "bb/m-00000", "zzz", "\u{10ffff}"] {
                assert_eq!(stored.find(absent).unwrap(), None);
            }
        }
    }

    #[test]
    fn a_prefix_gives_its_models_sorted() {
        let (entries, stored) = stored(500);
        for prefix in ["", "a", "a/m-000", "bb/m-00001", "ccc/", "d", "z/"] {
            let kept = entries.iter().filter(|entry| entry.rank.is_some());
            let mut expected: Vec<_> =
                kept.map(|entry| &entry.record.id).filter(|id| id.starts_with(prefix)).collect();
            expected.sort();
            assert_eq!(stored.with_prefix(prefix).unwrap().iter().collect::<Vec<_>>(), expected, "{prefix}");
        }
    }

    #[test]
    fn what_is_not_whole_or_not_ours_is_refused() {
        let whole = draft(&entries(50)).encode().unwrap();
        for length in 0..whole.len() {
            assert!(Stored::in_memory(whole[..length].to_vec()).is_err(), "{length}");
        }
        let mut longer = whole.clone();
        longer.push(b'\n');
        assert!(Stored::in_memory(longer).is_err());
        let other = String::from_utf8(whole).unwrap().replacen("\"version\":1", "\"version\":2", 1);
        assert!(Stored::in_memory(other.into_bytes()).is_err());
        assert!(Stored::in_memory(vec![0; 100_000]).is_err());
    }

    #[test]
    fn garbage_in_the_middle_is_an_error_and_no_crash() {
        let whole = draft(&entries(50)).encode().unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut broken = whole.clone();
            broken[at] = b'\xff';
            if let Ok(stored) = Stored::in_memory(broken) {
                _ = (stored.entries(), stored.find("ccc/m-00014"), stored.with_prefix("a"));
            }
        }
    }
}
