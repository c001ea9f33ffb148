//! What the mock provider remembers of each request.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value as Json;
use shims::Protocol;

use super::dialect;

/// One request and the status it was answered with. It holds whatever the agent sent, keys too.
#[derive(Clone, Serialize)]
pub struct RequestRecord {
    /// The number of the request, from 1.
    pub n: u64,
    /// Milliseconds since the mock provider started.
    pub ms: u64,
    /// As sent.
    pub method: String,
    /// As sent, with the query; a whole URL or `host:port` when the mock provider was used as a proxy.
    pub path: String,
    /// The `Host` header.
    pub host: Option<String>,
    /// The protocol that the path belongs to.
    pub protocol: Option<Protocol>,
    /// The model asked for.
    pub model: Option<String>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Parsed when it is JSON, else as text.
    pub body: Json,
    /// The status of the answer.
    pub status: u16,
}

impl RequestRecord {
    /// The text of the last message in which the user said something.
    pub fn last_user(&self) -> String {
        self.protocol.map_or_else(String::new, |protocol| dialect::of(protocol).turn(&self.body).last_user)
    }
}

/// Where records go.
pub struct Log {
    started: Instant,
    count: u64,
    place: LogTarget,
    /// The user's last words of each request, wherever the record goes: a delay may wait for them.
    last_users: Vec<String>,
}

enum LogTarget {
    Memory(Vec<RequestRecord>),
    File(File),
}

impl Log {
    /// A log that is kept in memory.
    pub fn memory() -> Self {
        Self {
            started: Instant::now(),
            count: 0,
            place: LogTarget::Memory(Vec::new()),
            last_users: Vec::new(),
        }
    }

    /// A log of JSON lines at the end of a file, which is made with mode 0600.
    pub fn file(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let file = file.with_context(|| format!("could not open the log: {}", path.display()))?;
        Ok(Self { place: LogTarget::File(file), ..Self::memory() })
    }

    /// Numbers a record, gives it its time, and keeps it; it is in the file when this returns.
    pub fn add(&mut self, record: RequestRecord) -> Result<()> {
        self.count += 1;
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let record = RequestRecord { n: self.count, ms, ..record };
        self.last_users.push(record.last_user());
        match &mut self.place {
            LogTarget::Memory(records) => records.push(record),
            LogTarget::File(file) => {
                let mut line = serde_json::to_vec(&record)?;
                line.push(b'\n');
                // One write, so that a reader never finds half a line.
                file.write_all(&line).context("could not write the log")?;
            }
        }
        Ok(())
    }

    /// Whether a request came whose last words of the user contain `text`.
    pub fn has_last_user(&self, text: &str) -> bool {
        self.last_users.iter().any(|it| it.contains(text))
    }

    /// The records kept in memory; none when they go to a file.
    pub fn records(&self) -> &[RequestRecord] {
        match &self.place {
            LogTarget::Memory(records) => records,
            LogTarget::File(_) => &[],
        }
    }
}
