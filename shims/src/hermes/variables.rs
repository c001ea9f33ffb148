//! Which variables route Hermes 0.19, authenticate it or choose a model, by families, and which dotenv files name
//! them.

use std::collections::BTreeSet;

use crate::inputs::matches;

pub use crate::judged::hermes::VARIABLE_REMOVED as FAMILY;

/// Keeps python-dotenv 1.2 from reading the pins.
pub const NO_DOTENV: &str = "PYTHON_DOTENV_DISABLED";

/// What Hermes sets in its own environment while it runs: pins, which it may load again, would undo that.
const ITS_OWN: [&str; 3] = ["HERMES_SESSION_*", "HERMES_KANBAN_*", "HERMES_CRON_SESSION"];

/// The side tasks that read variables of their own.
const SIDE_TASKS: [&str; 4] = ["VISION", "VIDEO", "WEB_EXTRACT", "APPROVAL"];
const SIDE_TASK_ENDS: [&str; 4] = ["PROVIDER", "MODEL", "BASE_URL", "API_KEY"];

/// Whether a variable belongs to a family.
pub fn is_family(name: &str) -> bool {
    FAMILY.iter().any(|pattern| matches(pattern, name))
}

/// What stays empty in every launch, and every name of a family that these dotenv files may set.
pub fn pinned<'a>(dotenvs: impl Iterator<Item = &'a [u8]>) -> BTreeSet<String> {
    let is_pinned = |name: &str| is_family(name) && !ITS_OWN.iter().any(|pattern| matches(pattern, name));
    let exact = FAMILY.iter().copied().filter(|pattern| !pattern.contains('*') && is_pinned(pattern));
    let exact = exact.map(str::to_owned);
    let more = ["HERMES_INFERENCE_MODEL", "HERMES_INFERENCE_PROVIDER", "HERMES_MODEL", "HERMES_TUI_PROVIDER"];
    let more = more.into_iter().chain(["CUSTOM_BASE_URL"]).map(str::to_owned);
    let tasks = SIDE_TASKS
        .iter()
        .flat_map(|task| SIDE_TASK_ENDS.iter().map(move |end| format!("AUXILIARY_{task}_{end}")));
    let mut names: BTreeSet<String> = exact.chain(more).chain(tasks).collect();
    for bytes in dotenvs {
        names.extend(words(bytes).into_iter().filter(|name| is_pinned(name)));
    }
    names
}

/// Everything in a dotenv file that may be a variable's name. Hermes 0.19 also reads UTF-16, drops zero bytes, and
/// finds variables in the middle of a line: so where a name stands does not count, but for comments.
pub fn words(dotenv: &[u8]) -> BTreeSet<String> {
    let narrow: Vec<u8> = dotenv.iter().copied().filter(|&byte| byte != 0).collect();
    let text = String::from_utf8_lossy(&narrow);
    let lines = text.split(['\n', '\r']).filter(|line| !line.trim_start().starts_with('#'));
    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    lines.flat_map(|line| line.split(is_end)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_catch_what_routes_and_spare_the_rest() {
        for name in [
            "AUXILIARY_VIDEO_MODEL",
            "AUXILIARY_MY_TASK_BASE_URL",
            "CUSTOM_API_KEY",
            "HERMES_INFERENCE_MODEL",
            "HERMES_MODEL",
            "HERMES_TUI_PROVIDER",
            "HERMES_XAI_BASE_URL",
            "HERMES_API_KEY",
            "HERMES_SESSION_ID",
        ] {
            assert!(is_family(name), "{name}");
        }
        for name in [
            "HERMES_TIMEZONE",
            "HERMES_YOLO_MODE",
            "HERMES_CA_BUNDLE",
            "HERMES_DISABLE_LAZY_INSTALLS",
            "HERMES_MANAGED",
            "HERMES_TUI_THEME",
            "HERMES_AGENT_TIMEOUT",
            "OPENROUTER_API_KEY",
            "TELEGRAM_BOT_TOKEN",
            "SSL_CERT_FILE",
        ] {
            assert!(!is_family(name), "{name}");
        }
    }

    #[test]
    fn a_dotenv_names_what_it_may_set_in_any_spelling() {
        let dotenv =
            b"export\tHERMES_XAI_BASE_URL = x\n'CUSTOM_API_KEY'=y # HERMES_NO_MODEL\n #AUXILIARY_A_MODEL=z\n";
        let pins = pinned([&dotenv[..]].into_iter());
        for name in ["HERMES_XAI_BASE_URL", "CUSTOM_API_KEY", "AUXILIARY_VIDEO_MODEL", "HERMES_MODEL"] {
            assert!(pins.contains(name), "{name}");
        }
        assert!(!pins.contains("AUXILIARY_A_MODEL"), "a comment");
        let wide: Vec<u8> = "\u{feff}LLM_MODEL=x".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(words(&wide).contains("LLM_MODEL"));
    }
}
