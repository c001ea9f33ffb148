//! The user's own Crush settings, as far as they go along on a launch.
//!
//! Providers, models and MCP logins stay behind: they hold keys, and would be a second place for a prompt
//! to go. Everything else is copied as it stands; what is written as a template stays one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value as Json;

use super::JsonObject;
use super::case_fold::{respell, spelled};
use super::expansion::any_text;
use crate::json::{self, Dialect};
pub use crate::judged::crush::SETTING_REPLACED as REPLACED;
use crate::judged::crush::SETTING_REPLACED_IN_OPTIONS as CATALOG;
use crate::{Fact, Inputs, Message};

/// What else we look for in the settings, in `options` and in each of `mcp`, and Crush finds in any case.
const TOP: &[&str] = &["options", "mcp", "env"];
const OPTIONS: &[&str] = &["data_directory", "disable_notifications", "notification_style", "notifications"];
const SERVER: [&str; 4] = ["type", "command", "url", "oauth_token"];

/// Where the user's own settings are.
pub struct Theirs {
    /// The folder of `crush.json` and `crushrc`, written by hand.
    pub config: PathBuf,
    /// The folder of the `crush.json` that Crush itself writes, unless the launch is given that very folder.
    pub data: Option<PathBuf>,
}

impl Theirs {
    /// What the other functions must know.
    pub fn reads(&self) -> impl Iterator<Item = PathBuf> {
        [self.settings(), self.script()].into_iter().chain(self.choices())
    }

    /// The settings written by hand.
    pub fn settings(&self) -> PathBuf {
        self.config.join("crush.json")
    }

    /// The choices made in Crush.
    pub fn choices(&self) -> Option<PathBuf> {
        Some(self.data.as_ref()?.join("crush.json"))
    }

    /// The user's settings in shell.
    pub fn script(&self) -> PathBuf {
        self.config.join("crushrc")
    }

    /// Whether there are settings in shell; what cannot be read is for Crush to say.
    pub fn has_script(&self, inputs: &Inputs) -> bool {
        matches!(inputs.fact(&self.script()), Some(Fact::File(_) | Fact::Stream | Fact::Unreadable(_)))
    }

    /// The file of the user's own in which a server, a hook or `env` names this variable.
    pub fn naming(&self, variable: &str, settings: &JsonObject, inputs: &Inputs) -> Option<PathBuf> {
        let uses = ["mcp", "lsp", "hooks", "env"].iter().filter_map(|key| settings.get(*key));
        if uses.into_iter().any(|entry| any_text(entry, None, &|text| text.contains(variable))) {
            return Some(self.settings());
        }
        // A line that adds a provider does not count, as the launch leaves it out.
        let uses =
            |line: &str| line.contains(variable) && ["mcp", "lsp", "hook"].iter().any(|it| line.contains(it));
        let script = self.script();
        let text = String::from_utf8_lossy(inputs.file(&script).ok().flatten().unwrap_or_default());
        text.lines().any(uses).then_some(script)
    }

    /// The settings that go along: the written ones, with the choices made in Crush on top.
    ///
    /// # Errors
    /// When a file cannot be read or is not what Crush accepts.
    pub fn carried(&self, inputs: &Inputs) -> Result<JsonObject> {
        let mut settings = object(&self.settings(), inputs)?;
        let file = self.choices();
        let mut choices = file.as_ref().map_or_else(|| Ok(JsonObject::new()), |file| object(file, inputs))?;
        for &key in REPLACED {
            settings.shift_remove(key);
            choices.shift_remove(key);
        }
        merge(&mut settings, choices).map_err(|clash| {
            anyhow!(Message::new(
                format!(
                    "could not read {}: {clash} in {}",
                    file.unwrap_or_default().display(),
                    self.settings().display()
                ),
                "Crush refuses this too; change one of the two"
            ))
        })?;
        forget_logins(&mut settings);
        settle_options(&mut settings).with_context(|| {
            let beside = self.data.as_ref().map(|data| format!(" and {}", data.display()));
            format!("could not use the settings of {}{}", self.config.display(), beside.unwrap_or_default())
        })?;
        Ok(settings)
    }
}

/// The JSON object in a file; nothing when there is no file or an empty one, which Crush skips.
fn object(path: &Path, inputs: &Inputs) -> Result<JsonObject> {
    let help = "fix the file or move it out of the way";
    let bytes = inputs.file(path).map_err(|error| Message::helped(&error, help))?;
    let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return Ok(JsonObject::new()) };
    let json = json::parse(bytes, Dialect::Go).map_err(|fault| {
        anyhow!(Message::new(
            format!("could not read {}:{fault}", path.display()),
            "Crush takes plain JSON only, without comments and trailing commas"
        ))
    })?;
    match json {
        Json::Object(object) => Ok(as_we_spell_it(object)),
        other => bail!(Message::new(
            format!("could not read {}:1:1: expected an object, found {}", path.display(), kind(&other)),
            "write the settings in { }"
        )),
    }
}

fn as_we_spell_it(object: JsonObject) -> JsonObject {
    let mut settings = spelled(object, &[REPLACED, TOP].concat());
    if let Some(options) = settings.get_mut("options") {
        respell(options, &[CATALOG, OPTIONS].concat());
    }
    if let Some(Json::Object(servers)) = settings.get_mut("mcp") {
        servers.values_mut().for_each(|server| respell(server, &SERVER));
    }
    settings
}

/// Merges as Crush merges its files (go-jsons, typed): objects by key, arrays one after the other, a later
/// scalar wins, `null` changes nothing.
///
/// # Errors
/// The path of a key that is of another kind below.
fn merge(below: &mut JsonObject, above: JsonObject) -> Result<(), String> {
    for (key, new) in above {
        match (below.get_mut(&key), new) {
            (Some(_), Json::Null) => {}
            (None | Some(Json::Null), new) => _ = below.insert(key, new),
            (Some(Json::Object(old)), Json::Object(new)) => {
                merge(old, new).map_err(|rest| format!("{key}.{rest}"))?;
            }
            (Some(Json::Array(old)), Json::Array(new)) => old.extend(new),
            (Some(old), new) if kind(old) == kind(&new) => *old = new,
            (Some(old), new) => return Err(format!("{key} is {} here and {}", kind(&new), kind(old))),
        }
    }
    Ok(())
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

/// Takes the MCP servers' logins out. They rotate: of two copies the first to be renewed kills the other.
/// A server that is nothing but a login goes too, as in Crush itself.
fn forget_logins(settings: &mut JsonObject) {
    let Some(Json::Object(servers)) = settings.get_mut("mcp") else { return };
    servers.retain(|_, server| {
        let Json::Object(server) = server else { return true };
        let had_login = server.shift_remove("oauth_token").is_some();
        !had_login || ["type", "command", "url"].iter().any(|key| server.contains_key(*key))
    });
}

/// Takes out the options that a launch decides, and writes the deprecated ones in the new way: Crush
/// would rewrite our file otherwise.
fn settle_options(settings: &mut JsonObject) -> Result<()> {
    let options = settings.entry("options").or_insert_with(|| JsonObject::new().into());
    if options.is_null() {
        *options = JsonObject::new().into();
    }
    let Json::Object(options) = options else {
        bail!(Message::new(format!("options is {}", kind(options)), "write the options in { }"))
    };
    options.shift_remove("data_directory");
    let off = options.shift_remove("disable_notifications") == Some(true.into());
    let style = options.shift_remove("notification_style").or_else(|| off.then(|| "disabled".into()));
    if let Some(style) = style {
        options.entry("notifications").or_insert(style);
    }
    // Without Crush's own list of providers there is no other one that a prompt could go to, and no waiting for that
    // list at the start.
    options.extend(CATALOG.iter().map(|option| ((*option).to_owned(), true.into())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn carried(settings: &str, choices: &str) -> Result<Json> {
        let theirs = Theirs { config: "/c".into(), data: Some("/d".into()) };
        let facts = [("/c/crush.json", settings), ("/d/crush.json", choices)];
        let fact = |text: &str| if text == "-" { Fact::Absent } else { Fact::File(text.into()) };
        let facts = facts.map(|(path, text)| (path.into(), fact(text)));
        theirs.carried(&Inputs { facts: facts.into(), ..Inputs::default() }).map(Json::Object)
    }

    fn refusal(settings: &str, choices: &str) -> String {
        Message::of(&carried(settings, choices).expect_err("refused")).render()
    }

    #[test]
    fn without_settings_only_the_catalog_is_turned_off() {
        let off =
            json!({"options": {"disable_default_providers": true, "disable_provider_auto_update": true}});
        for empty in ["-", "", "{}", r#"{"options": null}"#] {
            assert_eq!(carried(empty, "-").expect(empty), off);
        }
    }

    #[test]
    fn providers_and_models_stay_behind_and_the_rest_goes_along() {
        let settings = r#"{"$schema": "s", "providers": {"openai": {"api_key": "sk-own"}}, "models": {"large": {}},
            "lsp": {"go": {"command": "gopls"}}, "env": {"A": "$B"}, "new_in_2027": [1.50]}"#;
        let choices =
            r#"{"providers": {"x": 1}, "recent_models": {}, "options": {"tui": {"compact_mode": true}}}"#;
        let carried = carried(settings, choices).expect("read");
        let keys: Vec<_> = carried.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["$schema", "lsp", "env", "new_in_2027", "options"]);
        assert_eq!(carried["env"]["A"], "$B");
        assert_eq!(carried["options"]["tui"]["compact_mode"], true);
    }

    #[test]
    fn choices_are_merged_as_crush_merges() {
        let settings =
            r#"{"permissions": {"allowed_tools": ["a"]}, "options": {"debug": true, "progress": null}}"#;
        let choices =
            r#"{"permissions": {"allowed_tools": ["b"]}, "options": {"debug": null, "progress": false}}"#;
        let carried = carried(settings, choices).expect("read");
        assert_eq!(carried["permissions"]["allowed_tools"], json!(["a", "b"]));
        assert_eq!(
            (&carried["options"]["debug"], &carried["options"]["progress"]),
            (&json!(true), &json!(false))
        );
        let clash = refusal(r#"{"options": {"debug": true}}"#, r#"{"options": {"debug": "yes"}}"#);
        let start =
            "could not read /d/crush.json: options.debug is a string here and a boolean in /c/crush.json";
        assert!(clash.starts_with(start) && clash.contains("\nhelp: "), "{clash}");
    }

    #[test]
    fn keys_are_found_in_any_case_as_crush_finds_them() {
        let settings = r#"{"Providers": {"x": {}}, "MODELS": {}, "provider\u017f": {}, "Recent_Models": {},
            "Options": {"Data_Directory": "/x", "Disable_Default_Providers": false, "debug": true},
            "options": {"progress": true}, "Mcp": {"a": {"url": "u", "OAuth_Token": {}}}}"#;
        let carried = carried(settings, "-").expect("read");
        let options = json!({"debug": true, "progress": true, "disable_default_providers": true,
            "disable_provider_auto_update": true});
        assert_eq!(carried, json!({"options": options, "mcp": {"a": {"url": "u"}}}));
    }

    #[test]
    fn logins_stay_behind_and_servers_stay() {
        let settings = r#"{"mcp": {"kept": {"type": "http", "url": "u"}, "empty": {}}}"#;
        let choices = r#"{"mcp": {"kept": {"oauth_token": {"t": 1}}, "orphan": {"oauth_token": {}, "disabled": true}}}"#;
        let carried = carried(settings, choices).expect("read");
        assert_eq!(carried["mcp"], json!({"kept": {"type": "http", "url": "u"}, "empty": {}}));
    }

    #[test]
    fn options_of_the_launch_are_settled() {
        let options =
            |text: &str| carried(&format!(r#"{{"options": {text}}}"#), "-").expect(text)["options"].take();
        let settled =
            options(r#"{"data_directory": "/x", "disable_default_providers": false, "debug": true}"#);
        assert!(settled.get("data_directory").is_none());
        assert_eq!((&settled["disable_default_providers"], &settled["debug"]), (&json!(true), &json!(true)));
        for (said, meant) in [
            (r#"{"disable_notifications": true}"#, json!("disabled")),
            (r#"{"disable_notifications": false}"#, Json::Null),
            (r#"{"disable_notifications": true, "notification_style": "bell"}"#, json!("bell")),
            (r#"{"notification_style": "bell", "notifications": "osc"}"#, json!("osc")),
        ] {
            let settled = options(said);
            assert_eq!(settled.get("notifications").cloned().unwrap_or_default(), meant, "{said}");
            assert!(
                settled.get("disable_notifications").is_none() && settled.get("notification_style").is_none()
            );
        }
    }

    #[test]
    fn what_crush_refuses_is_refused_with_its_place() {
        for (text, place) in [
            ("{\n  // comment\n}", "/c/crush.json:2:3: "),
            ("{\"a\": 1,}", "/c/crush.json:1:9: "),
            ("\u{feff}{}", "/c/crush.json:1:1: "),
            (" ", "/c/crush.json:1:2: "),
            ("[]", "/c/crush.json:1:1: expected an object, found an array"),
            ("{\"options\": 3}", "options is a number"),
        ] {
            let error = refusal(text, "-");
            assert!(error.contains(place) && error.contains("\nhelp: "), "{error}");
        }
        assert!(refusal("{}", "{").contains("/d/crush.json:1:2: "));
    }
}
