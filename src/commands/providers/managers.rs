//! Password managers that are installed here, as places to keep a key in.
//!
//! Commands as of pass 1.7, gopass 1.15, 1Password CLI 2, Bitwarden CLI 2024, rbw 1.13, libsecret 0.21 and
//! macOS 14. Nothing here runs one.

use crate::env::Environment;

/// A manager: its program, the words that print a key kept under a name, and how it gets there.
struct Manager {
    program: &'static str,
    show: &'static [&'static str],
    store: &'static str,
}

/// What stands for the name in the words below.
const NAME: &str = "NAME";

const MANAGERS: [Manager; 7] = [
    Manager { program: "pass", show: &["show", NAME], store: "pass insert NAME" },
    Manager { program: "gopass", show: &["show", "--password", NAME], store: "gopass insert NAME" },
    Manager {
        program: "op",
        show: &["read", "op://Private/NAME/credential"],
        store: "op item create --vault Private --category 'API Credential' --title NAME 'credential[password]=…'",
    },
    Manager { program: "bw", show: &["get", "password", NAME], store: "add an item NAME in Bitwarden" },
    Manager { program: "rbw", show: &["get", NAME], store: "rbw add NAME" },
    Manager {
        program: "secret-tool",
        show: &["lookup", "service", NAME],
        store: "secret-tool store --label NAME service NAME",
    },
    Manager {
        program: "security",
        show: &["find-generic-password", "-s", NAME, "-w"],
        store: "security add-generic-password -s NAME -a \"$USER\" -w",
    },
];

/// A way to keep a key.
pub struct KeyCommandPreset {
    /// The `key_command`.
    pub argv: Vec<String>,
    /// What to type so that it finds the key.
    pub store: String,
}

impl KeyCommandPreset {
    /// Whether it is the system's own keychain.
    pub fn is_keychain(&self) -> bool {
        self.argv.first().is_some_and(|program| ["secret-tool", "security"].contains(&program.as_str()))
    }
}

/// The ways that are installed here, for the key of the provider `name`.
pub fn found(name: &str, env: &Environment) -> Vec<KeyCommandPreset> {
    let is_here = |manager: &&Manager| env.programs(manager.program).next().is_some();
    let way = |manager: &Manager| {
        let words = manager.show.iter().map(|word| word.replace(NAME, name));
        let quoted = shims::quote(name.as_ref());
        KeyCommandPreset {
            argv: std::iter::once(manager.program.to_owned()).chain(words).collect(),
            store: manager.store.replace(NAME, &quoted),
        }
    };
    MANAGERS.iter().filter(is_here).map(way).collect()
}
