//! What lies in a home of Hermes, and whose it is.

/// Tells a launcher within the launch where the user's own things are.
pub const MARKER: &str = ".agent-run.json";

/// Folders that Hermes 0.19 keeps the user's data in. They are made in the user's home, because Hermes
/// fails on a link to a missing folder.
pub const FOLDERS: [&str; 19] = [
    "sessions",
    "skills",
    "memories",
    "cron",
    "hooks",
    "pairing",
    "image_cache",
    "audio_cache",
    "plugins",
    "skins",
    "checkpoints",
    "mcp-tokens",
    "pastes",
    "images",
    "kanban",
    "platforms",
    "sandboxes",
    "scripts",
    "bin",
];

/// Files that Hermes 0.19 creates through a dangling link, so that they are the user's from the start.
pub const FILES: [&str; 12] = [
    ".env",
    ".op.env",
    "state.db",
    "SOUL.md",
    ".hermes_history",
    "projects.db",
    "kanban.db",
    "memory_store.db",
    "verification_evidence.db",
    "processes.json",
    "shell-hooks-allowlist.json",
    "response_store.db",
];

/// What each home has for itself: generated, logs and caches; logins and key pools of other providers;
/// what would switch the home; marks of a daemon or of the packaging.
const OWN: [&str; 24] = [
    "config.yaml",
    MARKER,
    ".agent-run.lock",
    "managed",
    "logs",
    "cache",
    "runtime",
    ".update_check",
    ".skills_prompt_snapshot.json",
    ".tirith-install-failed",
    "context_length_cache.yaml",
    "interrupt_debug.log",
    "auth.json",
    "auth.lock",
    ".anthropic_oauth.json",
    "shared",
    "active_profile",
    "profiles",
    "gateway.pid",
    "gateway.lock",
    "gateway_state.json",
    ".managed",
    ".container-mode",
    ".install_method",
];

/// Whether an entry is never a link. `SQLite` puts its side files next to the real database.
pub fn owns(name: &str) -> bool {
    OWN.contains(&name)
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
        assert!(!FOLDERS.iter().chain(&FILES).any(|name| owns(name)));
    }
}
