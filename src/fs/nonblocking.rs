//! Opens and reads files without blocking on FIFOs or devices.
//!
//! A path of the user's may lead to a pipe, a device or a socket. Opening a pipe waits for its writer, and
//! reading a device may never end, so that a launch would hang without a word.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::libc::{O_NOCTTY, O_NONBLOCK};

/// Bytes beyond which a file is none that this program reads whole. A file of a project could be as large as it likes.
const LARGEST: u64 = 64 << 20;

/// How long a pipe that nobody writes to is waited for: its writer may start when someone reads.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens a file to read it, whatever it is, at once.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOCTTY).open(path)
}

/// The bytes of a regular file; of a device, only that it is empty, as `/dev/null` is. What is larger than 64 MiB is an
/// error, and so is anything else: [`ErrorKind::InvalidInput`], or [`ErrorKind::IsADirectory`].
pub fn file(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = start(path, LARGEST + 1)?;
    if bytes.len() as u64 > LARGEST { Err(io::Error::other("it is larger than 64 MiB")) } else { Ok(bytes) }
}

/// Up to `limit` bytes of a regular file from its beginning; otherwise as [`file()`].
pub fn start(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut file = open(path).map_err(|error| {
        // The system may keep a process that holds a key from reading what is its own, and not the agent that takes its
        // place.
        let is_kept = error.kind() == ErrorKind::PermissionDenied
            && path.canonicalize().is_ok_and(|real| real.starts_with("/proc"));
        if is_kept { ErrorKind::InvalidInput.into() } else { error }
    })?;
    let metadata = file.metadata()?;
    // What is of the process that reads it is no file or folder of anybody's. The system gives it no length.
    let is_own = || metadata.len() == 0 && is_of_proc(&file);
    if metadata.is_dir() {
        let kind = if is_own() { ErrorKind::InvalidInput } else { ErrorKind::IsADirectory };
        return Err(kind.into());
    }
    if metadata.is_file() {
        let bytes = whole(&mut file, metadata.len(), limit)?;
        if !bytes.is_empty() && metadata.len() == 0 && is_of_proc(&file) {
            return Err(ErrorKind::InvalidInput.into());
        }
        return Ok(bytes);
    }
    let is_empty = metadata.file_type().is_char_device() && file.read(&mut [0]).is_ok_and(|count| count == 0);
    if is_empty { Ok(Vec::new()) } else { Err(ErrorKind::InvalidInput.into()) }
}

#[cfg(target_os = "linux")]
fn is_of_proc(file: &File) -> bool {
    use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
    fstatfs(file).is_ok_and(|system| system.filesystem_type() == PROC_SUPER_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn is_of_proc(_file: &File) -> bool {
    false
}

/// A regular file of this length from its beginning, up to `limit` bytes. One whose length the system does not know, as
/// in `/proc`, is read until it ends; one that is as long as it was said to be is not asked for more.
fn whole(file: &mut File, length: u64, limit: u64) -> io::Result<Vec<u8>> {
    let expected = usize::try_from(length.min(limit)).unwrap_or_default();
    let mut bytes = vec![0; expected];
    let mut count = 0;
    while count < expected {
        match file.read(&mut bytes[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(count);
    if expected == 0 {
        // Not `read_to_end` of the file itself, which asks for its size once more.
        file.by_ref().take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The text of a regular file, as [`file()`].
pub fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(file(path)?).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// Up to `limit` bytes of an open file that may be a pipe with a writer, such as a shell's `<(…)`.
pub fn stream(file: &mut File, metadata: &Metadata, limit: u64) -> io::Result<Vec<u8>> {
    if metadata.is_file() {
        return whole(file, metadata.len(), limit);
    }
    let mut bytes = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    let mut chunk = [0; 4096];
    while (bytes.len() as u64) < limit {
        match file.read(&mut chunk) {
            // No writer yet, or none any more.
            Ok(0) if bytes.is_empty() && metadata.file_type().is_fifo() => {
                if Instant::now() > deadline {
                    return Err(io::Error::new(ErrorKind::TimedOut, "it is a pipe without a writer"));
                }
            }
            Ok(0) => break,
            Ok(count) => {
                bytes.extend_from_slice(&chunk[..count]);
                continue;
            }
            // There is a writer. It may be asking for a password.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(bytes)
}
