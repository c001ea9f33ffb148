/// Settings without a choice, and sessions by project.
mod codex;
/// Sessions of Codex: of plain Codex, packed, or in homes of older versions.
mod codex_sessions;
mod codex_unread;
/// Settings, sessions, and a project's own settings.
mod crush;
/// Links to the user's home, and settings.
mod hermes;
