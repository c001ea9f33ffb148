//! The user that this program runs as.

use std::sync::OnceLock;

use nix::unistd::{Uid, geteuid};

/// Whose files count as this user's. It is asked for once: a launch looks at dozens of files and folders.
pub fn me() -> Uid {
    static ME: OnceLock<Uid> = OnceLock::new();
    *ME.get_or_init(geteuid)
}
