//! Looks things up in a list on disk without reading the rest; its format is in [`super::format`].

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};

use super::format::{BEST, Header, RankedRecord, VERSION};
use crate::catalog::record::ModelRecord;

/// Longer than any first line we write.
const LONGEST_HEAD: usize = 8 * 1024;

/// A list of this many bytes is read whole where nothing says where the best are.
const SHORT: u64 = 64 * 1024;

/// A list on disk, open for looking things up.
pub struct CachedList {
    /// What is known of the list as a whole.
    pub head: Header,
    body: Storage,
    start: u64,
}

enum Storage {
    File(File),
    Memory(Vec<u8>),
}

impl CachedList {
    /// Opens a list that is a file.
    pub fn open(file: File, length: u64) -> Result<Self> {
        Self::read(Storage::File(file), length)
    }

    /// Opens a list that could not be written.
    pub fn in_memory(content: Vec<u8>) -> Result<Self> {
        let length = content.len() as u64;
        Self::read(Storage::Memory(content), length)
    }

    fn read(body: Storage, length: u64) -> Result<Self> {
        let mut first = [0; LONGEST_HEAD];
        let count = body.read_at(&mut first, 0)?;
        let end = first[..count].iter().position(|&byte| byte == b'\n').context("no first line")?;
        let head: Header = serde_json::from_slice(&first[..end])?;
        ensure!(head.version == VERSION, "version {}, not {VERSION}", head.version);
        let start = end as u64 + 1;
        ensure!(start.checked_add(head.bytes) == Some(length), "cut off");
        // A short list has been read whole by now.
        let body = if count as u64 == length { Storage::Memory(first[..count].to_vec()) } else { body };
        Ok(Self { head, body, start })
    }

    /// The model `id`, if there is one and the filters keep it.
    pub fn find(&self, id: &str) -> Result<Option<ModelRecord>> {
        let Some(line) = self.line(self.lower_bound(id.as_bytes())?)? else { return Ok(None) };
        let line = RecordLine::parse(&line)?;
        if line.id != id || line.rank.is_none() {
            return Ok(None);
        }
        self.record(&line).map(Some)
    }

    /// Whether the provider lists `id` at all, kept or not.
    pub fn holds(&self, id: &str) -> Result<bool> {
        let line = self.line(self.lower_bound(id.as_bytes())?)?;
        line.map_or(Ok(false), |line| Ok(RecordLine::parse(&line)?.id == id))
    }

    /// The ids that begin with `prefix` and that the filters keep, sorted; of more than `many`, only their parts
    /// up to the next `/` after the prefix.
    ///
    /// A part is left by a search for what comes after it, so that 5,000 models cost little more than 500.
    pub fn in_parts(&self, prefix: &str, many: usize) -> Result<Vec<String>> {
        let mut at = self.lower_bound(prefix.as_bytes())?;
        let mut ids = Vec::new();
        self.kept_lines(at, prefix, |id| {
            ids.push(id.to_owned());
            ids.len() <= many
        })?;
        if ids.len() <= many {
            return Ok(ids);
        }
        let mut parts = Vec::new();
        loop {
            let mut part = None;
            self.kept_lines(at, prefix, |id| {
                let slash = id[prefix.len()..].find('/').map(|slash| prefix.len() + slash);
                match slash {
                    Some(slash) => part = Some(id[..=slash].to_owned()),
                    None => parts.push(id.to_owned()),
                }
                part.is_none()
            })?;
            let Some(part) = part else { return Ok(parts) };
            // `0` is what comes after `/`.
            let next = self.lower_bound([&part.as_bytes()[..part.len() - 1], b"0"].concat().as_slice())?;
            // One that leads back would be followed without end.
            ensure!(next > at, "not sorted");
            at = next;
            parts.push(part);
        }
    }

    /// Hands on the ids from `start` that begin with `prefix` and that the filters keep, while `each` wants more.
    fn kept_lines(&self, start: u64, prefix: &str, mut each: impl FnMut(&str) -> bool) -> Result<()> {
        self.lines(start, |line| {
            let line = RecordLine::parse(line)?;
            Ok(line.id.starts_with(prefix) && (line.rank.is_none() || each(line.id)))
        })
    }

    /// Every model, those that the filters drop among them, in the provider's order.
    pub fn entries(&self) -> Result<Vec<RankedRecord>> {
        let mut entries = Vec::new();
        self.lines(self.start, |line| {
            let line = RecordLine::parse(line)?;
            entries.push((line.order, RankedRecord { record: self.record(&line)?, rank: line.rank }));
            Ok(true)
        })?;
        entries.sort_by_key(|(order, _)| *order);
        Ok(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The models that the filters keep, best first.
    pub fn kept(&self) -> Result<Vec<ModelRecord>> {
        let mut kept: Vec<_> = self.entries()?.into_iter().filter(|entry| entry.rank.is_some()).collect();
        kept.sort_by_key(|entry| entry.rank);
        Ok(kept.into_iter().map(|entry| entry.record).collect())
    }

    /// The first `count` of [`CachedList::kept`], at most `BEST`, without reading the others.
    pub fn best(&self, count: usize) -> Result<Vec<ModelRecord>> {
        if self.head.best.is_empty() {
            // A list of an older version, soon replaced. A long one is not worth the time of a launch.
            let is_short = self.head.bytes <= SHORT;
            let mut kept = if is_short { self.kept()? } else { Vec::new() };
            kept.truncate(count.min(BEST));
            return Ok(kept);
        }
        let mut best = Vec::new();
        let mut last = None;
        for &at in self.head.best.iter().take(count.min(BEST)) {
            let start = self.start.checked_add(at).context("a place beyond the file")?;
            let line = self.line(start)?.context("a line is missing")?;
            let line = RecordLine::parse(&line)?;
            ensure!(line.rank.is_some() && line.rank > last, "the best are not in order");
            last = line.rank;
            best.push(self.record(&line)?);
        }
        Ok(best)
    }

    fn record(&self, line: &RecordLine<'_>) -> Result<ModelRecord> {
        let record: ModelRecord = serde_json::from_str(line.json)?;
        Ok(ModelRecord { id: line.id.to_owned(), source: Some(self.head.source.clone()), ..record })
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
        // Not by `memchr` itself, which first asks the processor what it can: 20 µs on a virtual machine.
        let newline = memchr::arch::all::memchr::One::new(b'\n');
        let mut rest = Vec::new();
        let mut chunk = vec![0; 1024];
        let mut at = start;
        while at < self.end() {
            let count = self.body.read_at(&mut chunk, at)?;
            ensure!(count > 0, "cut off");
            at += count as u64;
            rest.extend_from_slice(&chunk[..count]);
            let mut from = 0;
            while let Some(length) = newline.find(&rest[from..]) {
                if !each(&rest[from..from + length])? {
                    return Ok(());
                }
                from += length + 1;
            }
            rest.drain(..from);
            if at < self.end() {
                // Whoever reads on after one line reads many.
                chunk.resize(64 * 1024, 0);
            }
        }
        ensure!(rest.is_empty(), "the last line is cut off");
        Ok(())
    }
}

impl Storage {
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

struct RecordLine<'a> {
    id: &'a str,
    order: usize,
    rank: Option<usize>,
    json: &'a str,
}

impl<'a> RecordLine<'a> {
    fn parse(line: &'a [u8]) -> Result<Self> {
        let mut fields = std::str::from_utf8(line)?.splitn(4, '\t');
        let mut next = || fields.next().context("a field is missing");
        let (id, order, rank, json) = (next()?, next()?, next()?, next()?);
        let rank = if rank == "-" { None } else { Some(rank.parse()?) };
        Ok(Self { id, order: order.parse()?, rank, json })
    }
}

#[cfg(test)]
mod tests;
