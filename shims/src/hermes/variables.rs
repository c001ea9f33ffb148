//! Which variables route Hermes 0.19, authenticate it or choose a model, by families, and which dotenv files name
//! them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use crate::inputs::matches;
use crate::short_hash;

pub use crate::judged::hermes::VARIABLE_REMOVED as FAMILY;
use crate::judged::hermes::{VARIABLE_PINNED, VARIABLE_REMOVED_BACKGROUND};

/// Keeps python-dotenv 1.2 from reading the pins.
pub const NO_DOTENV: &str = "PYTHON_DOTENV_DISABLED";

/// Whether a variable belongs to a family.
pub fn is_family(name: &str) -> bool {
    super::INFO.removes(name)
}

/// Whether a variable of a family stays empty. What Hermes sets in its own environment while it runs does not: it may
/// load the pins again, which would undo that.
fn is_pinned(name: &str) -> bool {
    is_family(name) && !VARIABLE_REMOVED_BACKGROUND.iter().any(|pattern| matches(pattern, name))
}

/// What stays empty in every launch, and every name of a family that these dotenv files may set.
pub fn pinned<'a>(dotenvs: impl Iterator<Item = &'a [u8]>) -> BTreeSet<String> {
    // The same in each launch, which asks several times.
    static ALWAYS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let exact = FAMILY.iter().filter(|pattern| !pattern.contains('*') && is_pinned(pattern));
        exact.chain(VARIABLE_PINNED).copied().collect()
    });
    let mut names: BTreeSet<String> = ALWAYS.iter().map(|&name| name.to_owned()).collect();
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

/// Why Hermes 0.19 might write the file again in its own way, over the user's: it drops zero bytes and what is no UTF-8,
/// trims lines, ends the last one, and parts what it takes for two variables in a line. A file too many is only copied.
pub fn would_be_rewritten(dotenv: &[u8]) -> Option<&'static str> {
    let is_control = |c: char| c.is_control() && !['\t', '\n', '\r'].contains(&c);
    let Some(text) = str::from_utf8(dotenv).ok().filter(|text| !text.contains(is_control)) else {
        return Some("it is not plain text in UTF-8");
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.is_empty() && !text.ends_with(['\n', '\r']) {
        return Some("its last line has no line end");
    }
    let is_comment = |line: &&str| line.is_empty() || line.trim_start().starts_with('#');
    let mut lines = text.split(['\n', '\r']).filter(|line| !is_comment(line));
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    // Each name that it knows has an underscore.
    let ends_name = |text: &str| text.rsplit(|c| !is_part(c)).next().is_some_and(|name| name.contains('_'));
    lines.find_map(|line| {
        if line.trim() != line {
            return Some("a line begins or ends with white space");
        }
        let is_joined = line.match_indices('=').skip(1).any(|(at, _)| ends_name(&line[..at]));
        is_joined.then_some("a line may hold two variables")
    })
}

/// How the name of a copy begins.
pub const COPY: &str = "copy-";

fn hash(text: impl AsRef<[u8]>) -> String {
    format!("{:012x}", short_hash(text) >> 16)
}

/// What Hermes keeps when it writes a dotenv file again and saves nothing: the characters that are to be seen.
fn kept(dotenv: &[u8]) -> String {
    let is_kept = |c: &char| !c.is_whitespace() && !c.is_control() && !['\u{feff}', '\u{fffd}'].contains(c);
    String::from_utf8_lossy(dotenv).chars().filter(is_kept).collect()
}

/// The name of the copy of a dotenv file: by its content, and by what Hermes keeps of it.
pub fn copy_name(dotenv: &[u8], name: &str) -> String {
    format!("{COPY}{}-{}{name}", hash(dotenv), hash(kept(dotenv)))
}

/// Whether this is a copy that a launch wrote of a dotenv file, and Hermes saved nothing in it.
pub fn is_unchanged_copy(path: &Path, bytes: &[u8]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut parts = name.split(['-', '.']);
    name.starts_with(COPY) && parts.nth(2).is_some_and(|part| part == hash(kept(bytes)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{home, inputs, launch, plan};
    use std::path::Path;

    use super::*;
    use crate::{Entry, EntryKind, Fact, Note};

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
            "HERMES_KANBAN_TASK",
            "HERMES_TUI_GATEWAY_URL",
            "HERMES_TUI_SIDECAR_URL",
            "GATEWAY_PROXY_URL",
            "GATEWAY_PROXY_KEY",
            "LLM_MODEL",
            "HERMES_INFERENCE_FALLBACK",
            "HERMES_RPC_TOKEN",
            "HERMES_XAI_API_KEY",
            "HERMES_OIDC_SECRET",
            "HERMES_COPILOT_HOST",
            "HERMES_SHARED_AUTH_DIR",
            "PYTHON_DOTENV_DISABLED",
            "OPENROUTER_BASE_URL",
        ] {
            assert!(is_family(name), "{name}");
        }
        for name in [
            "HERMES_TIMEZONE",
            "HERMES_YOLO_MODE",
            "HERMES_CA_BUNDLE",
            "HERMES_DASHBOARD_SESSION_TOKEN",
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
    fn what_hermes_would_write_again_is_known() {
        for dotenv in [
            &b"A=1"[..],
            b"A=1\n B=2\n",
            b"A=1 \nB=2\n",
            b"A=caf\xe9\n",
            b"A=1\0\n",
            b"A=1\x1f\n",
            b"\xff\xfeA\0=\x001\0",
            b"TAVILY_API_KEY=abcEXA_API_KEY=def\n",
            b"   \n#x",
        ] {
            assert!(would_be_rewritten(dotenv).is_some(), "{}", dotenv.escape_ascii());
        }
        for dotenv in [
            &b""[..],
            b"\n\n",
            b"A=1\n",
            b"\xef\xbb\xbfA=1\r\n# a comment \n\n  # b\nB='x y'\n",
            b"A=c2VjcmV0==\n",
            b"A=https://x.example/?a=1&b=2\n",
        ] {
            assert_eq!(would_be_rewritten(dotenv), None, "{}", dotenv.escape_ascii());
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
        for name in
            ["GATEWAY_PROXY_URL", "AUXILIARY_APPROVAL_API_KEY", "CUSTOM_BASE_URL", "HERMES_TUI_PROVIDER"]
        {
            assert!(pins.contains(name), "{name} is pinned whatever a file names");
        }
        for name in ["HERMES_CRON_SESSION", "HERMES_TUI_GATEWAY_URL"] {
            assert!(!pins.contains(name), "Hermes sets {name} itself");
        }
        assert!(!pins.contains("AUXILIARY_A_MODEL"), "a comment");
        let wide: Vec<u8> = "\u{feff}LLM_MODEL=x".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(words(&wide).contains("LLM_MODEL"));
    }

    #[test]
    fn a_dotenv_that_hermes_would_write_again_is_copied() {
        for text in [&b"A=1"[..], b"A=1\0\n", b"\xff\xfeA\0=\0x\0\n\0", b"A=caf\xe9\n"] {
            let mut inputs = inputs();
            inputs.facts.insert("/home/u/.hermes/.env".into(), Fact::File(text.to_vec()));
            let plan = plan(&launch(&[]), inputs);
            let link = plan.links[&home(&plan).join(".env")].as_ref().expect("a link");
            assert_eq!(plan.files[&link.target], text, "{}", text.escape_ascii());
            assert!(link.target.starts_with(home(&plan)) && plan.notes.len() == 1);
            // It may hold secrets.
            let shown = format!("{}{}", plan.lines(true), plan.json());
            assert!(shown.contains("copy /home/u/.hermes/.env -> ") && !shown.contains("A=1"), "{shown}");
        }
        // What Hermes saved in it stays.
        let mut inputs = inputs();
        inputs.facts.insert("/home/u/.hermes/.env".into(), Fact::File(b"A=1".into()));
        let copy = plan(&launch(&[]), inputs.clone()).copies.into_keys().next().expect("a copy");
        inputs.facts.insert(copy, Fact::File(b"A=1\nB=2\n".into()));
        let plan = plan(&launch(&[]), inputs);
        assert!(plan.copies.is_empty() && plan.links.contains_key(&home(&plan).join(".env")));
    }

    #[test]
    fn a_copy_of_an_earlier_dotenv_goes_unless_hermes_saved_in_it() {
        let with = |dotenv: &[u8], copies: &[(&Path, &[u8])]| {
            let mut inputs = inputs();
            inputs.facts.insert("/home/u/.hermes/.env".into(), Fact::File(dotenv.to_vec()));
            let entry =
                |path: &Path| Entry { name: path.file_name().expect("a name").into(), kind: EntryKind::File };
            let entries = copies.iter().map(|(path, _)| entry(path)).collect();
            if let Some(managed) = copies.first().and_then(|(path, _)| path.parent()) {
                inputs.facts.insert(managed.into(), Fact::Dir(entries));
            }
            inputs
                .facts
                .extend(copies.iter().map(|(path, text)| (path.to_path_buf(), Fact::File(text.to_vec()))));
            plan(&launch(&[]), inputs)
        };
        let copy = with(b"A=1", &[]).copies.into_keys().next().expect("a copy");
        for dotenv in [&b"A=2"[..], b"A=1\n", b"HERMES_MANAGED_DIR=/x\n"] {
            // As it was written, and as Hermes wrote it again.
            for copied in [&b"A=1"[..], b"A=1\n"] {
                let gone = with(dotenv, &[(&copy, copied)]);
                assert_eq!(gone.old_copies, [copy.clone()].into(), "{}", dotenv.escape_ascii());
            }
            let gone = with(dotenv, &[(&copy, b"A=1")]);
            assert!(gone.lines(true).contains(&format!("remove {}\n", copy.display())));
            let saved = with(dotenv, &[(&copy, b"A=1\nB=2\n")]);
            assert!(saved.old_copies.is_empty());
            let is_named =
                |note: &Note| matches!(note, Note::Warning(text) if text.render().contains("Hermes saved"));
            assert!(saved.notes.iter().any(is_named), "{:?}", saved.notes);
        }
        assert!(with(b"A=1", &[(&copy, b"A=1")]).old_copies.is_empty(), "it is in use");
    }
}
