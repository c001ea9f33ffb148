//! Files that are only there to be locked.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Result, anyhow};
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use shims::Message;

use super::io_error;

/// Opens a file that is only there to be locked, made if it is missing, on a disk that cannot be written too.
/// Its folder must have been looked at. Anything can be locked, and a pipe is not waited for. A link is refused, since
/// it would have the file made elsewhere.
pub fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let open = options.custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path);
    open.or_else(|error| options.create(false).write(false).read(true).open(path).map_err(|_| error)).map_err(
        |error| {
            if path.is_symlink() {
                anyhow!(Message::new(
                    format!("could not open the lock {}: it is a symlink", path.display()),
                    "remove it; agent-run creates it again"
                ))
            } else {
                io_error("open the lock", path)(error)
            }
        },
    )
}
