//! Reads for an adapter what it declared, and hands it over as [`Inputs`].

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use shims::{Agent, Dirs, Entry, EntryKind, Fact, Inputs, Launch};

use crate::env::Environment;

/// Bytes beyond which nothing is a settings file.
const LARGEST: u64 = 64 << 20;

/// Everything the agent's adapter asks of this machine for this launch.
///
/// What it declares may depend on what was read, so it is asked until it asks for nothing new.
pub fn gather(agent: &dyn Agent, launch: &Launch, dirs: &Dirs, env: &Environment) -> Inputs {
    let mut inputs = bare(dirs, env);
    loop {
        let wanted = agent.reads(launch, &inputs);
        let new: Vec<_> = wanted.into_iter().filter(|path| inputs.fact(path).is_none()).collect();
        if new.is_empty() {
            return inputs;
        }
        for path in new {
            read(path, &mut inputs);
        }
    }
}

/// Adds what stands at `path`.
pub fn read(path: PathBuf, inputs: &mut Inputs) {
    let fact = look(&path);
    inputs.facts.insert(path, fact);
}

/// The folders and the environment, with nothing read.
pub fn bare(dirs: &Dirs, env: &Environment) -> Inputs {
    Inputs { dirs: dirs.clone(), env: env.all().clone(), ..Inputs::default() }
}

fn look(path: &Path) -> Fact {
    match contents(path) {
        Ok(bytes) => Fact::File(bytes),
        Err(error) if error.kind() == ErrorKind::IsADirectory => list(path),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Fact::Absent,
        Err(error) => Fact::Unreadable(error.to_string()),
    }
}

/// The whole file. A repository may hold a link to a device where settings belong, and an archive a pipe: neither
/// may hold the launch up or fill the memory.
fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is neither a file nor a folder"));
    }
    if metadata.len() > LARGEST {
        return Err(io::Error::other("it is larger than 64 MiB"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn list(path: &Path) -> Fact {
    let read = || -> std::io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_symlink() => EntryKind::Link(fs::read_link(entry.path())?),
                kind if kind.is_dir() => EntryKind::Dir,
                _ => EntryKind::File,
            };
            entries.push(Entry { name: entry.file_name(), kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    };
    read().map_or_else(|error| Fact::Unreadable(error.to_string()), Fact::Dir)
}
