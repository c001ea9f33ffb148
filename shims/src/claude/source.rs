//! A file of Claude Code's, read as Claude Code reads it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::paths::SettingsKind;
use super::settings_override::HEADERS;
use crate::json::{self, Dialect, JsonError};
use crate::{Fact, Inputs};

/// What a JSON file says.
#[derive(Debug)]
pub enum FileContent {
    /// There is no such file, it is empty, or it is JSON but no object.
    Nothing,
    Object(Map<String, Json>),
    /// It is no JSON. Claude Code does not take it either, as far as its versions are known.
    Broken(JsonError),
    /// It is there and its bytes could not be had. Claude Code 2.1.197 and 2.1.332 do not read a pipe either.
    Closed(String),
}

impl FileContent {
    /// Why it says nothing although it is there, with the place.
    pub fn fault(&self, path: &Path) -> Option<String> {
        match self {
            Self::Broken(fault) => Some(format!("{}:{fault}", path.display())),
            Self::Closed(why) => Some(format!("{}: {why}", path.display())),
            Self::Nothing | Self::Object(_) => None,
        }
    }
}

/// Reads a settings file. One in UTF-16 with a byte order mark is taken too (2.1.197 and 2.1.332, which take no other
/// JSON file in that encoding).
pub fn settings(path: &Path, inputs: &Inputs) -> FileContent {
    read(path, inputs, true)
}

/// Reads a file of MCP servers.
pub fn object(path: &Path, inputs: &Inputs) -> FileContent {
    read(path, inputs, false)
}

fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(units) = bytes.strip_prefix(b"\xff\xfe") else { return Cow::Borrowed(bytes) };
    let units = units.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    let text = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(text.collect::<String>().into_bytes())
}

fn read(path: &Path, inputs: &Inputs, may_be_utf16: bool) -> FileContent {
    let bytes = match inputs.fact(path) {
        Some(Fact::File(bytes)) if may_be_utf16 => decoded(bytes),
        Some(Fact::File(bytes)) => Cow::Borrowed(bytes.as_slice()),
        Some(Fact::Stream) => return FileContent::Closed("it is not a regular file".to_owned()),
        Some(Fact::Unreadable(error)) => return FileContent::Closed(error.why.clone()),
        None | Some(Fact::Absent | Fact::Dir(_)) => return FileContent::Nothing,
    };
    if std::str::from_utf8(&bytes).is_ok_and(|text| text.chars().all(is_space)) {
        return FileContent::Nothing;
    }
    match json::parse(&bytes, Dialect::JavaScript) {
        Ok(Json::Object(object)) => FileContent::Object(object),
        Ok(_) => FileContent::Nothing,
        Err(fault) => FileContent::Broken(fault),
    }
}

/// What JavaScript's `trim` removes and `\s` matches: a byte order mark too, and no U+0085.
pub fn is_space(c: char) -> bool {
    c == '\u{feff}' || c.is_whitespace() && c != '\u{85}'
}

/// One settings file.
#[derive(Debug)]
pub struct SettingsSource {
    pub path: PathBuf,
    pub kind: SettingsKind,
    pub settings: Map<String, Json>,
}

impl SettingsSource {
    /// The variables it sets.
    pub fn env(&self) -> impl Iterator<Item = (&str, &Json)> {
        let env = self.settings.get("env").and_then(Json::as_object);
        env.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether it adds headers to every request.
    pub fn sets_headers(&self) -> bool {
        self.env().any(|(name, value)| name == HEADERS && !as_text(value).is_empty())
    }

    /// A top-level text that is not empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.settings.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    /// The only models it allows.
    pub fn available_models(&self) -> Option<impl Iterator<Item = &str>> {
        Some(self.settings.get("availableModels")?.as_array()?.iter().filter_map(Json::as_str))
    }

    /// The plugins that it turns on or off.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, bool)> {
        let plugins = self.settings.get("enabledPlugins").and_then(Json::as_object);
        plugins.into_iter().flatten().map(|(name, is_on)| (name.as_str(), *is_on != false))
    }

    /// Whether it turns a plugin on.
    pub fn enables_plugins(&self) -> bool {
        self.plugins().any(|(_, is_on)| is_on)
    }

    /// Every hook, whatever it is for.
    pub fn hooks(&self) -> impl Iterator<Item = &Json> {
        let events = self.settings.get("hooks").and_then(Json::as_object).into_iter().flat_map(Map::values);
        let groups = events.filter_map(Json::as_array).flatten();
        groups.filter_map(|group| group.get("hooks")?.as_array()).flatten()
    }

    /// Whether it is the user's own and no project's.
    pub fn is_users(&self) -> bool {
        self.kind == SettingsKind::User
    }
}

/// A variable's value as Claude Code takes it: numbers as they are written, nothing for `null`.
pub fn as_text(value: &Json) -> Cow<'_, str> {
    match value {
        Json::String(text) => Cow::Borrowed(text),
        Json::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

/// Whether `text` names the variable: its letters, and no further letter, digit or underscore beside them.
pub fn names(text: &str, variable: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(variable).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        !is_part(before) && !is_part(text.as_bytes().get(at + variable.len()))
    })
}

/// The same, with escapes read too: in YAML and in JSON `\x54` and `\u0054` are a T.
pub fn spells(text: &str, variable: &str) -> bool {
    names(text, variable) || text.contains('\\') && names(&unescaped(text), variable)
}

/// What a text between double quotes stands for, by the escapes of YAML 1.2, of which those of JSON are a part.
pub fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut chars = after.chars();
        let Some(escape) = chars.next() else { return plain };
        rest = chars.as_str();
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '\n' => {
                rest = rest.trim_start(); // the text goes on in the next line
                continue;
            }
            // White space and control characters.
            '_' | '0' | 'L' | 'N' | 'P' | 'a' | 'b' | 'e' | 'f' | 'n' | 'r' | 't' | 'v' => {
                plain.push(' ');
                continue;
            }
            other => {
                plain.push(other);
                continue;
            }
        };
        let number = rest.get(..digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number.and_then(char::from_u32) {
            Some(letter) => {
                plain.push(letter);
                rest = &rest[digits..];
            }
            None => plain.push(escape),
        }
    }
    plain.push_str(rest);
    plain
}

/// The texts of a list.
pub fn texts(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str)
}
