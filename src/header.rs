//! What a request header of the config may be: its name, and its value once its variables are filled in. The same for
//! every agent.
//!
//! Claude Code sends what follows a line break as a header of its own, Codex drops the whole header and says nothing
//! (seen in 2.1.332 and 0.171.0).

use shims::{Agent, Message, Part, Value};

use crate::env::Environment;

/// Headers that belong to the connection or the body. Agents drop them, or send them and break the request: with
/// `Host`, Claude Code, Codex and Hermes name another server, and Crush drops it (seen in 2.1.332, 0.171.0, 0.19.0 and
/// 0.90.1).
const CONNECTION: [&str; 13] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What a client sends as `Authorization` or `Proxy-Authorization` for a name and a password (RFC 7617).
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{name}:{password}").as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    let quartet = |three: &[u8]| {
        let byte = |at: usize| three.get(at).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let sign = |at: usize| char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize]);
        (0..4).map(move |at| if at <= three.len() { sign(at) } else { '=' }).collect::<Vec<_>>()
    };
    bytes.chunks(3).flat_map(quartet).collect()
}

/// Whether a header belongs to the connection, and not to a config.
pub fn is_the_connections(name: &str) -> bool {
    CONNECTION.iter().any(|it| name.eq_ignore_ascii_case(it))
}

/// The header of a provider's key.
pub fn of_key(key: &str, as_api_key: bool) -> (String, String) {
    if as_api_key {
        ("x-api-key".to_owned(), key.to_owned())
    } else {
        ("authorization".to_owned(), format!("Bearer {key}"))
    }
}

/// Whether a header is the one of the key.
pub fn is_the_keys(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

/// Whether an agent sends the provider's key, or a placeholder, as `Authorization` and drops a value of the config's
/// without a word. Seen in Claude Code 2.1.332, unless the key goes as `x-api-key`, and in Codex 0.171.0 where there is
/// a key; Crush 0.90.1 and Hermes 0.19.0 send the config's value instead.
pub fn keeps_authorization(agent: &dyn Agent, keyed: bool, as_api_key: bool) -> bool {
    match agent.name() {
        "claude" => !as_api_key,
        "codex" => keyed,
        _ => false,
    }
}

/// The sentence for a header that an agent would drop, and what to do.
pub fn dropped(agent: &dyn Agent, provider: &str, name: &str) -> Message {
    Message::new(
        format!(
            "providers.{provider}.headers.{name}: {} sets `Authorization` itself, and would drop this one",
            agent.title()
        ),
        "remove the header, and set key_env, key_file or key_command to send the key as a bearer token",
    )
}

/// What is wrong with a value that would be sent.
pub fn fault(value: &[u8]) -> Option<&'static str> {
    if value.is_empty() {
        Some("an empty value")
    } else if value.iter().any(u8::is_ascii_control) {
        Some("a line break or another control character")
    } else if !value.is_ascii() {
        Some("a character that is not ASCII")
    } else if value.trim_ascii() != value {
        Some("a space at its start or end")
    } else {
        None
    }
}

/// The sentence for a value with a fault, and what to do.
pub fn complaint(name: &str, fault: &str) -> Message {
    Message::new(
        format!("headers.{name} has {fault} after its variables are expanded"),
        "a header's value is one line of plain ASCII; check its variables with `printf %s \"$NAME\" | od \
         -c`",
    )
}

/// What is wrong with a planned value, as far as this process knows it: the key is judged where it comes from.
pub fn fault_of(value: &Value, env: &Environment) -> Option<&'static str> {
    let mut text = Vec::new();
    for part in value.parts() {
        match part {
            Part::Text(plain) => text.extend(plain.as_encoded_bytes()),
            Part::Key => text.push(b'k'),
            Part::Env(name) => text.extend(env.var(name).unwrap_or_default().as_encoded_bytes()),
        }
    }
    fault(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_password_are_sent_as_the_standard_has_it() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
