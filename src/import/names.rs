//! Names for what other tools call by any text: safe as a file's, and unique.

use shims::proxy;

use crate::config::{self, Config};
use crate::presets;

use super::ImportedProvider;

/// A draft and what becomes of it.
pub enum Named {
    /// It gets this name.
    New(String),
    /// The config has it already, under this name.
    There(String),
}

/// A name for `draft` that neither `taken` nor the config has, or the name of the same provider there.
pub fn name(draft: &ImportedProvider, config: Option<&Config>, taken: &[String]) -> Named {
    let wanted = safe(&draft.name);
    // The name of an agent could be mistaken.
    let wanted = if config::clash(&wanted).is_some() { wanted + "-api" } else { wanted };
    let mut name = wanted.clone();
    for number in 2.. {
        let there = config.and_then(|config| config.providers.get(&name));
        if there.is_some_and(|there| draft.is_at(there)) {
            return Named::There(name);
        }
        if there.is_none() && !taken.contains(&name) {
            break;
        }
        name = format!("{wanted}-{number}");
    }
    Named::New(name)
}

/// Letters, digits, `-`, `_` and `.`, as a shim's name wants them.
pub fn safe(text: &str) -> String {
    const LONGEST: usize = 48;
    let mut name = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_alphanumeric() || c == '_' || (c == '.' && !name.is_empty()) {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name: String = name.chars().take(LONGEST).collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "imported".to_owned() } else { name.to_owned() }
}

/// The name that a URL suggests: that of the preset with this URL, or else `acme` for `https://api.acme.com/v1`.
pub fn of_host(url: &str) -> String {
    let is_known = |preset: &presets::Preset| {
        preset
            .provider
            .base_urls
            .all()
            .any(|known| !proxy::is_loopback(known) && known == url.trim_end_matches('/'))
    };
    if let Some(known) = presets::all().ok().and_then(|all| all.into_iter().find(is_known)) {
        return known.name;
    }
    let host = proxy::host(url);
    if host == "localhost" || host.chars().all(|c| c.is_ascii_digit() || c == '.') || host.contains(':') {
        return "local".to_owned();
    }
    let labels: Vec<_> = host.split('.').collect();
    labels.iter().rev().nth(1).or(labels.first()).map_or_else(String::new, |label| (*label).to_owned())
}

/// The variable in which a key of that name's provider would usually be.
pub fn variable(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches('_');
    let digit = if name.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    if name.is_empty() { "PROVIDER_API_KEY".to_owned() } else { format!("{digit}{name}_API_KEY") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_files() {
        for (text, name) in [
            ("DeepSeek", "deepseek"),
            ("Packy Code (CN)/2", "packy-code-cn-2"),
            ("..", "imported"),
            ("-x", "x"),
            ("月之暗面", "月之暗面"),
            ("a\nb", "a-b"),
            ("", "imported"),
        ] {
            assert_eq!(safe(text), name, "{text}");
        }
    }

    #[test]
    fn hosts_suggest_names() {
        for (url, name) in [
            ("https://api.deepseek.com/anthropic", "deepseek"),
            ("https://api.moonshot.cn/anthropic", "moonshot-cn"),
            ("http://localhost:11434", "local"),
            ("http://127.0.0.1:1/v1", "local"),
            ("http://[::1]:1/v1", "local"),
            ("https://box/v1", "box"),
            ("https://openrouter.ai/api", "openrouter"),
        ] {
            assert_eq!(of_host(url), name, "{url}");
        }
    }

    #[test]
    fn variables_are_named_after_providers() {
        let named = ["packy-code", "302.ai", "月"].map(variable);
        assert_eq!(named, ["PACKY_CODE_API_KEY", "_302_AI_API_KEY", "PROVIDER_API_KEY"]);
    }
}
