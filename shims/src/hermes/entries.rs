//! What lies in a home of Hermes, and whose it is.

use crate::judged::hermes::ENTRY_OWN;
pub use crate::judged::hermes::{ENTRY_FILE as FILES, ENTRY_FOLDER as FOLDERS};

/// Tells a launcher within the launch where the user's own things are.
pub const MARKER: &str = ".agent-run.json";

/// Whether an entry is never a link. `SQLite` puts its side files next to the real database.
pub fn owns(name: &str) -> bool {
    ENTRY_OWN.contains(&name)
        || ["config.yaml.", "auth.json.", ".update_"].iter().any(|start| name.starts_with(start))
        || ["-wal", "-shm", "-journal", "_cache.json"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_locks_and_side_files_are_never_linked() {
        for name in ["auth.json", "state.db-wal", "profiles", ".update_pending.json", "models_dev_cache.json"]
        {
            assert!(owns(name), "{name}");
        }
        for name in ["state.db", "skills", ".env", "honcho.json", "image_cache"] {
            assert!(!owns(name), "{name}");
        }
        assert!(FOLDERS.contains(&"pending"), "a staged memory waits for every launch");
        assert!(!FOLDERS.iter().chain(FILES).any(|name| owns(name)));
    }
}
