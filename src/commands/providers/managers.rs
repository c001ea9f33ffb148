//! Password managers that are installed here, as places to keep a key in.
//!
//! Commands as of pass 1.7, gopass 1.15, 1Password CLI 2, Bitwarden CLI 2024, rbw 1.13, libsecret 0.21 and
//! macOS 14. Nothing here runs one.

use crate::env::Environment;

/// What stands for the name in the words below.
const NAME: &str = "NAME";

/// Each manager: its program, the words that print a key kept under a name, and how it gets there.
const MANAGERS: [(&str, &[&str], &str); 7] = [
    ("pass", &["show", NAME], "pass insert NAME"),
    ("gopass", &["show", "--password", NAME], "gopass insert NAME"),
    (
        "op",
        &["read", "op://Private/NAME/credential"],
        "op item create --vault Private --category 'API Credential' --title NAME 'credential[password]=…'",
    ),
    ("bw", &["get", "password", NAME], "add an item NAME in Bitwarden"),
    ("rbw", &["get", NAME], "rbw add NAME"),
    ("secret-tool", &["lookup", "service", NAME], "secret-tool store --label NAME service NAME"),
    (
        "security",
        &["find-generic-password", "-s", NAME, "-w"],
        "security add-generic-password -s NAME -a \"$USER\" -w",
    ),
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
    let way = |(program, show, store): (&str, &[&str], &str)| {
        let words = show.iter().map(|word| word.replace(NAME, name));
        KeyCommandPreset {
            argv: std::iter::once(program.to_owned()).chain(words).collect(),
            store: store.replace(NAME, &shims::quote(name.as_ref())),
        }
    };
    let here = MANAGERS.into_iter().filter(|(program, ..)| env.programs(program).next().is_some());
    here.map(way).collect()
}
