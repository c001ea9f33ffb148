//! Files and folders: private, replaced whole, opened without waiting, locked.

pub mod atomic;
pub mod files;
pub mod lock;
pub mod nonblocking;
pub mod private_dir;
pub mod waiting;

pub use atomic::AtomicFile;
pub use private_dir::Folders;

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::OnceLock;

use anyhow::anyhow;
use nix::unistd::{Uid, geteuid};
use shims::{Message, quote};

/// What could not be done to a file or folder, why, and where to look.
pub fn io_error<'a>(what: &'a str, path: &'a Path) -> impl Fn(io::Error) -> anyhow::Error + Copy + 'a {
    move |error| {
        let see = |path: &Path| format!("`ls -ld {}`", quote(path.as_os_str()));
        let help = match error.kind() {
            // A lock that was waited for brings its own.
            _ if held(&error).is_some() => held(&error).unwrap_or_default(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space on that disk".to_owned(),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => format!(
                "check its permissions, {}, or set XDG_CACHE_HOME and XDG_STATE_HOME to other folders",
                see(path.parent().unwrap_or(path))
            ),
            _ => format!("check it: {}", see(path)),
        };
        anyhow!(Message::new(format!("could not {what} {}: {error}", path.display()), help))
    }
}

/// The help that an error of this program brings along, as that of a lock that was waited for.
pub fn held(error: &io::Error) -> Option<String> {
    error.get_ref()?.downcast_ref::<Message>()?.help.clone()
}

/// Folders that exist while a test runs.
#[cfg(test)]
pub fn made_up_dirs() -> (tempfile::TempDir, shims::Dirs) {
    let root = tempfile::tempdir().expect("a folder");
    let below = |name: &str| root.path().join(name).join("agent-run");
    let dirs = shims::Dirs { cache: below("cache"), state: below("state"), ..shims::Dirs::default() };
    (root, dirs)
}

/// Whose files count as this user's. It is asked for once: a launch looks at dozens of files and folders.
pub fn me() -> Uid {
    static ME: OnceLock<Uid> = OnceLock::new();
    *ME.get_or_init(geteuid)
}
