//! Files of the user's own: replaced in one step, and what belongs to them stays theirs.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

/// Puts `contents` in the place of the file, with the owner and the mode it had; a new one is for its owner
/// alone. Whoever reads it sees the old content or the new, never a part.
///
/// Root keeps the owner of a file that it changes for someone else; nobody else can give files away.
///
/// # Errors
/// When it cannot be written; the old content then stands as it was.
pub fn replace(file: &Path, contents: &[u8]) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut fresh = tempfile::Builder::new().prefix(&format!("{name}.tmp.")).tempfile_in(folder_of(file))?;
    fresh.write_all(contents)?;
    let mut mode = 0o600;
    if let Ok(there) = fs::metadata(file) {
        mode = there.mode() & 0o7777;
        let now = fresh.as_file().metadata()?;
        if (now.uid(), now.gid()) != (there.uid(), there.gid()) {
            // A group that the user is not in cannot be kept either.
            _ = fchown(fresh.as_file(), Some(there.uid()), Some(there.gid()));
        }
    }
    fresh.as_file().set_permissions(Permissions::from_mode(mode))?;
    fresh.as_file().sync_all()?;
    fresh.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// Puts a file that everyone may read in its place, as a package would; a link there is replaced.
///
/// # Errors
/// When it cannot be written.
pub fn publish(file: &Path, contents: &[u8]) -> io::Result<()> {
    let mut fresh = tempfile::NamedTempFile::new_in(folder_of(file))?;
    fresh.write_all(contents)?;
    fresh.as_file().set_permissions(Permissions::from_mode(0o644))?;
    fresh.persist(file).map_err(|error| error.error)?;
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
