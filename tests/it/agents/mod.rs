/// Settings without a choice, and sessions by project.
mod codex;
/// Settings, sessions, and a project's own settings.
mod crush;
/// Links to the user's home, and settings.
mod hermes;
