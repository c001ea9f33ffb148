//! The config's file: read within a limit, and only where nobody else can have written it.

use shims::{Message, quote};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Result, anyhow};

use super::problem::{Problem, SourcePos};
use crate::fs::nonblocking;

/// Maximum size of a config file, in bytes.
const LARGEST: u64 = 16 << 20;

/// A file as it lies on the disk.
pub struct Opened {
    bytes: Vec<u8>,
    /// Whether others than its owner may read it.
    pub others_read: bool,
}

impl Opened {
    pub fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(&self.bytes).map_err(|error| {
            let sound = &self.bytes[..error.valid_up_to()];
            not_utf8(&String::from_utf8_lossy(sound))
        })
    }
}

/// The error for a config that is not there.
pub fn none_there(path: &Path) -> Message {
    let text = format!("there is no config: {}", path.display());
    Message::new(text, "`agent-run providers add` creates it")
}

/// Reads the file, if its owner and mode allow to trust it.
pub fn open(path: &Path) -> Result<Opened> {
    let shown = path.display();
    let failed = |what: &str, help: &str| {
        anyhow!(Message::new(format!("could not read the config: {shown}: {what}"), help))
    };
    let io = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => anyhow!(none_there(path)),
        ErrorKind::PermissionDenied => failed(
            "permission denied",
            &format!("check its permissions: `ls -ld {}`", quote(path.as_os_str())),
        ),
        ErrorKind::IsADirectory => {
            failed("it is a folder", "name a file, with `--config` or in AGENT_RUN_CONFIG")
        }
        _ => failed(&error.to_string(), "check that the path is a file that you can read"),
    };
    let mut file = nonblocking::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(io(ErrorKind::IsADirectory.into()));
    }
    if let Some((what, help)) = foreign(&metadata, path) {
        return Err(failed(what, &help));
    }
    let bytes = nonblocking::stream(&mut file, &metadata, LARGEST + 1).map_err(io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(failed("it is larger than 16 MiB", "check that this is the right file"));
    }
    Ok(Opened { bytes, others_read: metadata.is_file() && metadata.mode() & 0o077 != 0 })
}

/// Reports why a config file must not be trusted. Whoever can write it says what is run here, by `key_command` for one.
///
/// The file behind a link counts. Root may use anyone's, as containers mount a user's config; a pipe is made by
/// who passes it.
fn foreign(file: &Metadata, path: &Path) -> Option<(&'static str, String)> {
    let me = crate::fs::me();
    if !file.is_file() {
        None
    } else if file.mode() & 0o002 != 0 {
        Some((
            "every user can write to it, and it sets the commands to run",
            format!("run `chmod o-w {}`", quote(path.as_os_str())),
        ))
    } else if !me.is_root() && file.uid() != me.as_raw() && file.uid() != 0 && !is_unmapped_root(file) {
        let help = format!(
            "use your own copy, or change its owner; check it with `ls -lL {}`",
            quote(path.as_os_str())
        );
        Some(("it belongs to another user, and it sets the commands to run", help))
    } else {
        None
    }
}

/// Whether this is a user namespace that does not know root, and the file may be root's: all files of unknown owners
/// belong to one user there (`/proc/sys/kernel/overflowuid`). Nobody but its owner may be able to write it.
fn is_unmapped_root(file: &Metadata) -> bool {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let overflow = read("/proc/sys/kernel/overflowuid").trim().parse();
    // Each line: the first uid inside, the first outside, how many.
    let map = read("/proc/self/uid_map");
    let knows_root = map.lines().any(|line| line.split_whitespace().next() == Some("0"));
    overflow == Ok(file.uid()) && file.mode() & 0o022 == 0 && !map.is_empty() && !knows_root
}

/// What makes a file readable by its owner alone.
pub fn for_its_owner(path: &Path) -> String {
    format!("run `chmod 600 {}`", quote(path.as_os_str()))
}

fn not_utf8(sound: &str) -> Problem {
    let line = sound.rsplit('\n').next().unwrap_or_default();
    let mark = SourcePos { line: sound.matches('\n').count() + 1, column: line.chars().count() + 1 };
    Problem::at(mark, "the file is not valid UTF-8 here", "save it as UTF-8")
}
