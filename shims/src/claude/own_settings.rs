//! The user's own `--settings`, read here and given to Claude Code together with what a launch adds.
//!
//! Claude Code takes the last `--settings` and forgets the others (2.1.197 and 2.1.332), so that the user's and ours
//! must be one. Arguments can be read by everybody on a machine: what is more than switches goes by a private file.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json};

use super::argv;
use super::found::FoundSettings;
use super::paths::SettingsKind;
use super::schema;
use super::source::{SettingsSource, is_space};
use crate::inputs::without_dots;
use crate::json::{self, Dialect};
use crate::{EntryKind, Fact, Inputs, Launch, Message, Plan, short_hash};

const OPTION: &str = "--settings";

/// Linux takes words of up to 128 KiB. A project may name as much as it likes.
pub const LONGEST_WORD: usize = 100 << 10;

/// What Claude Code joins when several settings have it, and takes from ours alone within one.
const JOINED: [&str; 2] = ["availableModels", "disabledMcpjsonServers"];

/// What the user's words give, the last one if there are several.
fn last_value(launch: &Launch) -> Option<String> {
    argv::values(launch, OPTION).pop()
}

/// Whether it is the settings themselves and no path.
fn is_inline(given: &str) -> bool {
    given.trim_start_matches(is_space).starts_with('{')
}

/// The file that it names.
fn file(launch: &Launch, inputs: &Inputs) -> Option<PathBuf> {
    last_value(launch).filter(|given| !is_inline(given)).map(|given| inputs.dirs.cwd.join(given))
}

/// What has to be read of it: the file, and whether it is a link.
pub fn files(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let file = file(launch, inputs);
    let folder = file.as_deref().and_then(Path::parent).map(Path::to_owned);
    file.into_iter().chain(folder).collect()
}

/// What it says.
///
/// # Errors
/// When it cannot be read or is no JSON object: Claude Code would not start either. When a value in it would have Claude
/// Code drop ours with it.
pub fn read(launch: &Launch, inputs: &Inputs) -> Result<Option<SettingsSource>> {
    let Some(given) = last_value(launch) else { return Ok(None) };
    let Some(path) = file(launch, inputs) else {
        let settings = object(Path::new(OPTION), given.as_bytes())?;
        return Ok(Some(SettingsSource { path: OPTION.into(), kind: SettingsKind::User, settings }));
    };
    let why = match inputs.fact(&path) {
        Some(Fact::File(bytes)) => {
            let settings = object(&path, bytes)?;
            return Ok(Some(SettingsSource { path, kind: SettingsKind::User, settings }));
        }
        Some(Fact::Dir(_)) => "it is a folder",
        Some(Fact::Stream) => "it is not a regular file",
        Some(Fact::Unreadable(error)) => &error.why,
        Some(Fact::Absent) | None => "there is no such file",
    };
    bail!(Message::new(
        format!("could not read {}, which {OPTION} names: {why}", path.display()),
        "name a JSON file"
    ))
}

fn object(path: &Path, bytes: &[u8]) -> Result<Map<String, Json>> {
    let help = "fix the value of `--settings`";
    match json::parse(bytes, Dialect::JavaScript) {
        Ok(Json::Object(object)) => match schema::rejected(&object) {
            None => Ok(object),
            Some(place) => bail!(dropped(path, &place, help)),
        },
        Ok(_) => bail!(Message::new(format!("{}:1:1: not a JSON object", path.display()), help)),
        Err(fault) => bail!(Message::new(format!("{}:{fault}", path.display()), help)),
    }
}

fn dropped(path: &Path, place: &str, help: &str) -> Message {
    let consequence = format!(
        "{}: Claude Code may reject the value of {place:?} and would drop all settings with it, those of this launch \
         too",
        path.display()
    );
    Message::new(consequence, help)
}

/// The user's words without any `--settings` that was read.
pub fn other_words(launch: &Launch) -> Vec<OsString> {
    let mut others = Vec::new();
    let options = argv::options(launch).count();
    let mut all = launch.words();
    let mut words = all.by_ref().take(options);
    while let Some(word) = words.next() {
        if word == OPTION {
            // Without a value it stays, and Claude Code says so.
            others.extend(words.next().is_none().then(|| word.to_owned()));
        } else if !argv::is_option(word, OPTION) {
            others.push(word.to_owned());
        }
    }
    others.extend(all.map(OsStr::to_owned));
    others
}

/// Gives Claude Code the user's settings and ours as one.
///
/// # Errors
/// When a file holds a key that ours would have to repeat and that would have Claude Code drop them.
pub fn add_argument(found: &FoundSettings<'_>, ours: Map<String, Json>, plan: &mut Plan) -> Result<()> {
    if let Some(place) = schema::unloadable(&ours) {
        let holds = |source: &&SettingsSource| {
            let (key, inner) = place.split_once('.').unwrap_or((&place, ""));
            source.settings.get(key).is_some_and(|value| value.get(inner).is_some())
        };
        let path = found.sources.iter().find(holds).map_or(Path::new(OPTION), |source| &source.path);
        bail!(dropped(path, &place, "take that key out of the file"));
    }
    let (settings, is_private) = match found.own() {
        None => (ours, false),
        Some(own) => (
            merged(anchored(own, found.inputs), ours),
            !own.settings.iter().all(|(key, value)| key != "env" && holds_no_text(value)),
        ),
    };
    if settings.is_empty() {
        return Ok(());
    }
    let text = Json::Object(settings).to_string();
    plan.arg(OPTION);
    if !is_private && text.len() < LONGEST_WORD {
        plan.arg(text);
        return Ok(());
    }
    let name = format!("{}-{:016x}", found.launch.provider, short_hash(&text));
    let path = found.inputs.dirs.cache.join("claude").join(name).join("agent-run-settings.json");
    plan.arg(AsRef::<OsStr>::as_ref(&path));
    plan.write(path, text);
    Ok(())
}

/// The user's settings with the places of their permission rules spelled out: `Read(/x)` counts from the folder of the
/// file, and if that is a link, of what it leads to (2.1.332). Ours lies elsewhere.
fn anchored(own: &SettingsSource, inputs: &Inputs) -> Map<String, Json> {
    let mut settings = own.settings.clone();
    let Some(folder) = own.path.parent().filter(|_| own.path.is_absolute()) else { return settings };
    let name = own.path.file_name();
    let link = inputs.entries(folder).iter().find_map(|entry| match &entry.kind {
        EntryKind::Link(target) if Some(&*entry.name) == name => Some(folder.join(target)),
        _ => None,
    });
    let real = link.as_deref().and_then(Path::parent).unwrap_or(folder);
    let folder = without_dots(real);
    let rules = settings.get_mut("permissions").and_then(Json::as_object_mut).into_iter().flatten();
    let lists = rules.filter(|(kind, _)| ["allow", "ask", "deny"].contains(&kind.as_str()));
    for rule in lists.filter_map(|(_, list)| list.as_array_mut()).flatten() {
        let Some((tool, place)) = rule.as_str().and_then(|text| text.split_once("(/")) else { continue };
        if !place.starts_with('/') {
            *rule = format!("{tool}(/{}/{place}", folder.display()).into();
        }
    }
    settings
}

/// Whether nobody minds that others read it.
fn holds_no_text(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => true,
        Json::String(_) => false,
        Json::Array(list) => list.iter().all(holds_no_text),
        Json::Object(map) => map.values().all(holds_no_text),
    }
}

/// The user's settings with ours in front.
fn merged(mut own: Map<String, Json>, ours: Map<String, Json>) -> Map<String, Json> {
    for (key, value) in ours {
        let is_joined = JOINED.contains(&key.as_str());
        let both = match (own.remove(&key), value) {
            (Some(Json::Object(own)), Json::Object(ours)) => merged(own, ours).into(),
            (Some(Json::Array(mut own)), Json::Array(ours)) if is_joined => {
                let new: Vec<_> = ours.into_iter().filter(|entry| !own.contains(entry)).collect();
                own.extend(new);
                own.into()
            }
            (_, ours) => ours,
        };
        own.insert(key, both);
    }
    own
}
