//! Variables that lead elsewhere.

use super::{HIJACK, PROXY, STRAY};

/// Every variable of the family that the adapter knows, and of the list given, pointing elsewhere.
pub fn hostile(agent: &str, more: &[&str]) -> Vec<(String, String)> {
    let family = shims::by_name(agent).expect("an agent").info().managed_env_vars;
    let names =
        family.iter().map(|pattern| pattern.replace('*', "X")).chain(more.iter().map(|&name| name.into()));
    names
        .map(|name| {
            let value = hostile_value(&name);
            (name, value)
        })
        .collect()
}

/// What a planted variable of this name says.
pub fn hostile_value(name: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if name.to_ascii_uppercase().ends_with("_PROXY") {
        PROXY.to_owned()
    } else if ends(&["_URL", "_HOST", "_ENDPOINT", "_API_BASE"]) {
        format!("{HIJACK}/v1")
    } else if ends(&["_KEY", "_TOKEN", "_KEYS"]) {
        STRAY.to_owned()
    } else if ends(&["_HEADERS"]) {
        format!("x-planted: {STRAY}")
    } else if name.contains("MODEL") {
        "m-other".to_owned()
    } else {
        "1".to_owned()
    }
}

/// Variables as a `.env` has them.
pub fn lines(vars: &[(String, String)]) -> String {
    let lines: Vec<_> = vars.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    lines.concat()
}
