//! Values of the config as they may be shown: a secret in the wrong place becomes its fingerprint.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use shims::{Proxy, Template};

use crate::key;
use crate::key::redact::redact_keys;

/// Variables or headers as they may be shown.
pub fn redacted_entries(templates: &BTreeMap<String, Template>) -> impl Iterator<Item = (&str, String)> {
    templates.iter().map(|(name, template)| {
        let value = template.fill(|field| format!("<{}>", field.name()));
        let shown = match value.plain().map(|text| text.to_string_lossy().into_owned()) {
            Some(text) if names_secret(name) && !is_setting(&text) => key::fingerprint(&text),
            _ => redact_keys(&value.to_string()),
        };
        (name.as_str(), shown)
    })
}

/// Whether what goes by this name may be a secret.
fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "AUTH", "PASS", "COOKIE", "CREDENTIAL"].iter().any(|word| name.contains(word))
}

/// Whether the text is a number or a switch, as in `MAX_OUTPUT_TOKENS: 32000`.
fn is_setting(text: &str) -> bool {
    text.parse::<f64>().is_ok() || matches!(text, "" | "true" | "false" | "yes" | "no" | "on" | "off")
}

/// A list of arguments as it may be shown.
pub fn arguments(words: &[String]) -> Json {
    words.iter().map(|word| redact_keys(word)).collect()
}

/// A proxy without its password.
pub fn proxy(proxy: &Proxy) -> String {
    match proxy {
        Proxy::Inherit => "inherit".to_owned(),
        Proxy::None => "none".to_owned(),
        Proxy::Url(url) => match url.split_once("://").zip(url.rsplit_once('@')) {
            Some(((scheme, _), (_, host))) => format!("{scheme}://<user and password>@{host}"),
            None => url.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_a_key_is_said_as_its_fingerprint() {
        let template = |text: &str| Template::parse(text).expect("sound");
        let templates = [
            ("ANTHROPIC_API_KEY", "hunter2"),
            ("Authorization", "Bearer ${context:key}"),
            ("MAX_OUTPUT_TOKENS", "32000"),
            ("NOTE", "a sk-0123456789abcdef b"),
            ("X-Model", "${context:model}"),
            ("X-Title", "agent-run"),
        ];
        let templates = templates.map(|(name, text)| (name.to_owned(), template(text))).into();
        let shown: Vec<_> = redacted_entries(&templates).map(|(_, shown)| shown).collect();
        let fingerprint = key::fingerprint("sk-0123456789abcdef");
        let note = format!("a {fingerprint} b");
        let hidden = key::fingerprint("hunter2");
        assert_eq!(
            shown,
            [&hidden, "Bearer <key>", "32000", &note, "<model>", "agent-run"].map(str::to_owned)
        );
        let words = ["--header=x:sk-0123456789abcdef".to_owned()];
        assert_eq!(arguments(&words), json!([format!("--header=x:{fingerprint}")]));
    }

    #[test]
    fn a_proxys_password_is_not_shown() {
        let shown = proxy(&Proxy::Url("http://me:hunter2@host:1".to_owned()));
        assert_eq!(shown, "http://<user and password>@host:1");
        assert_eq!(proxy(&Proxy::Url("http://host:1".to_owned())), "http://host:1");
    }
}
