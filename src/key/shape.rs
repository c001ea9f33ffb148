//! What is given for a key and is none: a reference to one, a whole line of a file, a prompt.
//!
//! Each kind is one that people or programs really give. Base64 with `=`, a UUID, a JWT, `id:secret` and the short
//! made-up keys of local servers are keys. Nothing here repeats what it read, but the name of a variable that is
//! written as only variables are.

use std::path::Path;

/// Why a text is no key.
#[derive(Debug)]
pub struct Mistake {
    /// What it is instead, as the end of a sentence.
    pub what: &'static str,
    /// What was probably meant.
    pub help: String,
}

/// The endings of names of variables that hold keys.
const ENDINGS: [&str; 6] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASS", "AUTH"];

/// What keys of many vendors begin with.
const STARTS: [&str; 6] = ["sk-", "sk_", "gsk_", "xai-", "hf_", "AIza"];

/// What printers of values print where there is none: JSON, JavaScript, Python, Go.
const NOTHING: [&str; 6] = ["null", "undefined", "None", "nil", "<nil>", "[object Object]"];

/// Why this is no key, if it is none. There is no white space around it.
pub fn mistaken(text: &str) -> Option<Mistake> {
    let found = |what, help: String| Some(Mistake { what, help });
    if let Some(help) = reference(text) {
        return found("a reference to a key and not the key itself", help);
    }
    if NOTHING.contains(&text) {
        let help = "set the real source of the key; with jq, use `jq -er`, which fails if nothing is found";
        return found("the output of a program for a missing value", help.to_owned());
    }
    let is_quoted = |quote| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
    if ['"', '\'', '`'].into_iter().any(is_quoted) {
        let help = "remove the quotation marks, which would be sent too; with jq, use `jq -er`";
        return found("text in quotation marks", help.to_owned());
    }
    if text.starts_with(['{', '[']) && text.contains('"') {
        let help = "print only the key, as in `key_command: [jq, -er, .token, FILE]`";
        return found("JSON", help.to_owned());
    }
    if is_assignment(text) {
        return found("a line of the form NAME=…", "use only the part after the `=`".to_owned());
    }
    if text.starts_with("-----BEGIN") {
        return found("a certificate or key pair file", "use the provider's API key".to_owned());
    }
    if text.split_once([' ', '\t']).is_some_and(|(word, _)| is_scheme(word)) {
        let help = "use only the part after `Bearer` or the header name, which the agent adds";
        return found("a whole header", help.to_owned());
    }
    if (text.starts_with('<') && text.ends_with('>')) || is_placeholder(text) {
        return found("a placeholder", "put the real key there".to_owned());
    }
    if is_variable(text) && ENDINGS.iter().any(|ending| text.ends_with(ending)) && text.contains('_') {
        return found("the name of a variable", format!("write `key_env: {text}`"));
    }
    if is_masked(text) {
        let help = "copy the key itself, not what a page or a list shows of it";
        return found("a key of which a part is hidden", help.to_owned());
    }
    if text.contains([' ', '\t']) || text.ends_with(':') {
        let help = "it must print only the key; a command must print prompts to stderr or /dev/tty";
        return found("text such as a prompt or a message", help.to_owned());
    }
    if text.starts_with("~/") || (text.starts_with('/') && Path::new(text).exists()) {
        return found("the path of a file", "set `key_file` instead".to_owned());
    }
    None
}

/// Whether a text is more like a key than like words, a name or a path: a word of it begins as keys of vendors do, or a
/// part of one is longer or more mixed than words are.
pub fn is_like_key(text: &str) -> bool {
    text.split_whitespace().any(is_word_like_key)
}

fn is_word_like_key(word: &str) -> bool {
    let is_no_word = |part: &str| {
        let has = |is: fn(&u8) -> bool| part.as_bytes().iter().any(is);
        let mixes = has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit);
        let mixes_cases = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
        part.len() >= 24 || (mixes && part.len() >= if mixes_cases { 8 } else { 12 })
    };
    // Base64 has `/` too, but seldom first.
    let is_path = word.contains("://") || word.starts_with(['/', '~', '.']);
    let ends = |c: char| "_-.,:;@?!&'\"()".contains(c) || (is_path && c == '/');
    begins_as_key(word) || holds_start(word) || word.split(ends).any(is_no_word)
}

/// Whether what vendors' keys begin with is somewhere in the word, with enough behind it to be one.
fn holds_start(word: &str) -> bool {
    let begins = |at: usize| at == 0 || !word.as_bytes()[at - 1].is_ascii_alphanumeric();
    STARTS.iter().any(|start| {
        word.match_indices(start).any(|(at, _)| begins(at) && word.len() - at >= start.len() + 8)
    })
}

/// Whether it begins as keys of known kinds do.
pub fn begins_as_key(text: &str) -> bool {
    STARTS.iter().any(|start| text.starts_with(start))
}

/// What fetches the key that a reference leads to.
fn reference(text: &str) -> Option<String> {
    let inner = |open: &str, close: &str| text.strip_prefix(open)?.strip_suffix(close);
    if text.starts_with("$(") || (text.starts_with('!') && text.contains(' ')) {
        return Some("write the command as a list: `key_command: [pass, show, NAME]`".to_owned());
    }
    let in_braces = inner("${env:", "}").or_else(|| inner("{env:", "}")).or_else(|| inner("${", "}"));
    let variable = in_braces.or_else(|| inner("%", "%")).or_else(|| text.strip_prefix("env:"));
    let plain = text.strip_prefix('$').filter(|name| is_name(name));
    if let Some(name) = variable.filter(|name| in_braces.is_some() || is_name(name)).or(plain) {
        // A key that merely looks like a reference must not be shown.
        let name = if is_variable(name) { name } else { "NAME" };
        return Some(format!("write `key_env: {name}`"));
    }
    if text.starts_with("op://") {
        return Some("write `key_command: [op, read, 'op://…']`".to_owned());
    }
    if inner("{file:", "}").is_some() || text.starts_with("file:") {
        return Some("write `key_file: PATH`".to_owned());
    }
    let (scheme, _) = text.split_once("://")?;
    scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        .then(|| "set the command that prints the key: `key_command: [PROGRAM, ARGUMENTS…]`".to_owned())
}

/// `NAME=…`, with a name as variables have it, or before what vendors' keys begin with. `YWJj==` is base64.
fn is_assignment(text: &str) -> bool {
    let (text, exported) = match text.strip_prefix("export ").or_else(|| text.strip_prefix("set ")) {
        Some(rest) => (rest.trim_start(), true),
        None => (text, false),
    };
    let Some((name, value)) = text.split_once('=') else { return false };
    let name = name.trim_end();
    let upper = name.to_ascii_uppercase();
    let is_key = ENDINGS.iter().any(|ending| upper.ends_with(ending));
    is_name(name)
        && !value.is_empty()
        && !value.starts_with('=')
        && (exported || is_key || is_variable(name) || STARTS.iter().any(|start| value.starts_with(start)))
}

/// As pages and tools show a key that is not for everybody's eyes: `sk-***`, `sk-12...ab`, `sk-xxxxxxxx`.
fn is_masked(text: &str) -> bool {
    let rest = STARTS.iter().find_map(|start| text.strip_prefix(start)).unwrap_or_default();
    text.contains("***")
        || text.contains("...")
        || (rest.len() >= 4 && rest.bytes().all(|byte| byte | 0x20 == b'x'))
}

/// `Bearer`, `Basic`, or a header's name with its colon.
fn is_scheme(word: &str) -> bool {
    let known = ["bearer", "basic", "token", "authorization:", "x-api-key:", "api-key:"];
    known.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

fn is_placeholder(text: &str) -> bool {
    let start = text.get(..5).unwrap_or_default();
    ["your-", "your_"].iter().any(|your| start.eq_ignore_ascii_case(your))
}

/// Whether it can be the name of a variable.
pub fn is_name(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.bytes().all(word) && !text.as_bytes()[0].is_ascii_digit()
}

/// A name in capitals, as variables have it.
fn is_variable(text: &str) -> bool {
    is_name(text) && !text.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_given_by_mistake_is_known_with_what_was_meant() {
        for (text, help) in [
            ("NAME=sk-abc1234567890abcdefgh", "the part after the `=`"),
            ("name=sk-abc", "the part after the `=`"),
            ("${DEEPSEEK_API_KEY}", "key_env: DEEPSEEK_API_KEY"),
            ("$DEEPSEEK_API_KEY", "key_env: DEEPSEEK_API_KEY"),
            ("${env:DEEPSEEK_API_KEY}", "key_env: DEEPSEEK_API_KEY"),
            ("{env:DEEPSEEK_API_KEY}", "key_env: DEEPSEEK_API_KEY"),
            ("env:DEEPSEEK_API_KEY", "key_env: DEEPSEEK_API_KEY"),
            ("%DEEPSEEK_API_KEY%", "key_env: DEEPSEEK_API_KEY"),
            ("DEEPSEEK_API_KEY", "key_env: DEEPSEEK_API_KEY"),
            ("$ecretWord", "key_env: NAME"),
            ("${DEEPSEEK_API_KEY:-sk-1}", "key_env: NAME"),
            ("$(pass show deepseek)", "key_command"),
            ("!pass show deepseek", "key_command"),
            ("op://vault/item/field", "op, read"),
            ("vault://secret/x#key", "key_command"),
            ("https://host/key", "key_command"),
            ("{file:~/.secret}", "key_file"),
            ("~/.secrets/deepseek", "key_file"),
            ("/etc/passwd", "key_file"),
            ("null", "jq -er"),
            ("undefined", "jq -er"),
            ("None", "jq -er"),
            ("DEEPSEEK_API_KEY=sk-1", "the part after the `=`"),
            ("export K=sk-1", "the part after the `=`"),
            ("api_key=sk-1", "the part after the `=`"),
            ("TOKEN = sk-1", "the part after the `=`"),
            ("\"sk-1\"", "quotation marks"),
            ("'sk-1'", "quotation marks"),
            ("{\"token\": \"sk-1\"}", "jq, -er"),
            ("Bearer sk-1", "the part after `Bearer`"),
            ("x-api-key: sk-1", "the part after `Bearer`"),
            ("Enter passphrase for key:", "print only the key"),
            ("Password:", "print only the key"),
            ("error: not found", "print only the key"),
            ("<your-api-key>", "real key"),
            ("YOUR_API_KEY", "real key"),
            ("sk-***", "copy the key itself"),
            ("sk-ab12********ef", "copy the key itself"),
            ("sk-ab12...ef", "copy the key itself"),
            ("sk-XXXXXXXX", "copy the key itself"),
        ] {
            let mistake = mistaken(text).unwrap_or_else(|| panic!("{text} passes"));
            assert!(mistake.help.contains(help), "{text}: {mistake:?}");
            let said = format!("{} {}", mistake.what, mistake.help);
            assert!(!said.contains("sk-1") && !said.contains("ecretWord"), "{said}");
        }
    }

    #[test]
    fn keys_of_every_make_pass() {
        for text in [
            "sk-proj-0123456789-abcdef_ABCDEF",
            "sk-ant-api03-x",
            "sk-your-key",
            "AIzaSyA-0123456789",
            "gsk_0123456789",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x_-y",
            "ABSKQmVkcm9ja0FQSUtleS0xMjM=",
            "YWJj==",
            "dXNlcg==:cGFzcw==",
            "/9j/4AAQSkZJRg==",
            "user:password",
            "$2b$10$N9qo8uLOickgx2ZMRZoMye",
            "ollama",
            "lm-studio",
            "none",
            "EMPTY",
            "x",
            "xxxx",
            "1234",
            "dummy",
            "not-needed",
            "KEY",
            "a=b",
            "{0f8fad5b}",
        ] {
            assert!(mistaken(text).is_none(), "{text}: {:?}", mistaken(text));
        }
    }

    #[test]
    fn a_key_is_not_taken_for_the_name_of_a_variable() {
        for key in [
            "gsk_abc",
            "hf_abc",
            "AIzaSyA0123456789",
            "0f8fad5bd9cb469fa16570867728950e",
            "bd9cb469fa16570867728950e0f8fad5",
            "AKIAIOSFODNN7EXAMPLE",
            "abcdefghijklmnopqrstuvwxyz",
            "prod_aB3dE5fG7h",
            "sk-ab/cdefgh",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "Bearer sk-0123456789",
            "https://me:sk-0123456789@host/v1",
        ] {
            assert!(is_like_key(key), "{key}");
        }
        for name in [
            "DEEPSEEK_API_KEY",
            "my_key",
            "KEY2",
            "Z_AI_API_KEY",
            "CLOUDFLARE_AI_GATEWAY_TOKEN",
            "gpt4Key",
            "yes, please go on and remove it, thank you",
            "no-i-do-not-want-to-do-this",
            "what does it do with my task-list?",
            "https://my-own-resource-name.openai.azure.com/openai/v1",
            "http://127.0.0.1:8081/v1",
            "~/secrets/production/deepseek",
            "/home/somebody/secrets/deepseek",
            "pass show work/providers/deepseek",
        ] {
            assert!(!is_like_key(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_random_key_is_taken_for_anything_else(
            text in "(sk-|gsk_|)[A-Za-z0-9+/]{16,64}={0,2}|[A-Za-z0-9_-]{16,64}={0,2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
        ) {
            prop_assert!(mistaken(&text).is_none(), "{}: {:?}", text, mistaken(&text));
        }
    }
}
