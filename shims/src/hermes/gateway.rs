//! The gateway, which keeps a model and a provider for each chat, and may serve several profiles (Hermes 0.19).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value as Json, json};

use super::argv::HermesArgs;
use super::home::HermesHomes;
use super::managed_config::utf8;
use super::yaml::Mapping;
use super::{settings, variables};
use crate::{Fact, Inputs, Launch, Message, Plan, json};

/// The gateway's settings of earlier versions, which count below `config.yaml`.
const FILE: &str = "gateway.json";

/// What has a chat served by another profile.
const PROFILES: [&str; 2] = ["multiplex_profiles", "profile_routes"];

/// The variable that stands above the first.
const MULTIPLEX: &str = "GATEWAY_MULTIPLEX_PROFILES";

/// What must be read to know them.
pub fn reads(homes: &HermesHomes, runtime: &Path, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let mut reads = lists(runtime, launch, inputs);
    reads.push(homes.base.join(FILE));
    reads
}

/// The lists of chats of this runtime home, of which the last is in use: Hermes finds a chat's `/model` by the folder of
/// the list, also in its database, and sends the key of its settings to the URL that it finds. So a launch with other
/// choices has another list, and so has one that follows a `/model` that names another provider.
fn lists(runtime: &Path, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let name = runtime.file_name().unwrap_or_default().to_string_lossy();
    // Not in the cache: its database outlives that.
    let folder = inputs.dirs.state.join("hermes-chats");
    let mut lists = Vec::new();
    for number in 0_u32.. {
        lists.push(folder.join(format!("{name}-{number}")).join("sessions.json"));
        let leads_elsewhere = match lists.last().and_then(|list| inputs.fact(list)) {
            None | Some(Fact::Absent) => false,
            Some(Fact::File(bytes)) => {
                models(bytes).is_none_or(|all| all.iter().any(|(_, kept)| leads_elsewhere(kept, launch)))
            }
            Some(_) => true,
        };
        if !leads_elsewhere {
            break;
        }
    }
    lists
}

/// The chats of a list, by name, and what an earlier `/model` left in each.
fn models(list: &[u8]) -> Option<Vec<(String, Json)>> {
    let Json::Object(chats) = serde_json::from_slice(list).ok()? else { return None };
    Some(chats.into_iter().map(|(name, chat)| (name, chat["model_override"].clone())).collect())
}

fn leads_elsewhere(kept: &Json, launch: &Launch) -> bool {
    let kept = |key: &str| kept[key].as_str().filter(|text| !text.is_empty());
    let base_url = launch.base_url.value.trim_end_matches('/');
    kept("base_url").is_some_and(|url| url.trim_end_matches('/') != base_url)
        || kept("provider").is_some_and(|provider| provider != "custom" && !provider.starts_with("custom:"))
}

/// Plans the gateway's settings, and says what of the user's a launch does not do. `settings` are those of `config.yaml`
/// and of a policy.
///
/// # Errors
/// When the user's file cannot be read.
pub fn plan(
    homes: &HermesHomes,
    runtime: &Path,
    words: &HermesArgs,
    settings: [&Mapping; 2],
    launch: &Launch,
    inputs: &Inputs,
    plan: &mut Plan,
) -> Result<()> {
    let path = homes.base.join(FILE);
    // Hermes passes over what is no map, too (0.19.0).
    let theirs = inputs.file(&path)?.filter(|bytes| str::from_utf8(bytes).is_ok());
    let theirs = theirs.and_then(|bytes| json::parse(bytes, json::Dialect::Python).ok());
    let mut theirs = match theirs {
        Some(Json::Object(theirs)) => theirs,
        _ => Map::new(),
    };
    let lists = lists(runtime, launch, inputs);
    let list = lists.last().map_or(runtime, PathBuf::as_path);
    if words.runs_gateway() {
        let settings = settings.map(Mapping::json);
        let says = |key: &&str| {
            let values = settings.iter().flat_map(|all| [&all[*key], &all["gateway"][*key]]);
            let mut values = values.chain(theirs.get(*key));
            let nothing = [json!(null), json!(false), json!([]), json!({}), json!(0)];
            let is_no = |value: &Json| {
                let word = value.as_str().map(str::to_lowercase).unwrap_or_default();
                nothing.contains(value) || ["false", "no", "off", "0"].contains(&word.as_str())
            };
            values.any(|value| !is_no(value))
        };
        let is_set = |value: &str| ["1", "true", "yes", "on"].contains(&&*value.trim().to_lowercase());
        let is_named = |(_, bytes): (_, &[u8])| variables::words(bytes).contains(MULTIPLEX);
        let names = inputs.var(MULTIPLEX).and_then(OsStr::to_str).is_some_and(is_set)
            || launch.extra_env.contains_key(MULTIPLEX)
            || homes.dotenvs(inputs).any(is_named);
        let profiles: Vec<_> = PROFILES.into_iter().filter(says).chain(names.then_some(MULTIPLEX)).collect();
        if !profiles.is_empty() {
            plan.warn(Message::new(
                format!(
                    "no effect in a launch: `{}`; all chats get the rules and memories of one profile",
                    profiles.join("`, `")
                ),
                "run `gateway run` with `-p NAME` for each profile, or without a provider",
            ));
        }
        let others = inputs.fact(list).and_then(|fact| match fact {
            Fact::File(bytes) => models(bytes),
            _ => None,
        });
        let names = others.into_iter().flatten().filter_map(|(name, kept)| {
            let model = kept["model"].as_str().filter(|model| *model != launch.model.value.id)?;
            Some(format!("`{}` (`{}`)", name.escape_debug(), model.escape_debug()))
        });
        let names = names.collect::<Vec<_>>().join(", ");
        if !names.is_empty() {
            plan.warn(Message::new(
                format!("chats keep the model that /model chose in them: {names}"),
                "send /new in a chat to return to this launch's model",
            ));
        }
    }
    settings::strip_routes_of_platforms(&mut theirs);
    let folder = list.parent().unwrap_or(runtime);
    theirs.insert("sessions_dir".into(), utf8("XDG_STATE_HOME", folder.as_os_str())?.into());
    plan.write(runtime.join(FILE), format!("{}\n", Json::from(theirs)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, home, inputs, launch, plan};
    use super::*;
    use crate::Note;

    fn chats(plan: &Plan) -> PathBuf {
        let settings: Json = serde_json::from_str(&file(plan, FILE)).expect("JSON");
        settings["sessions_dir"].as_str().expect("a folder").into()
    }

    fn warnings(plan: &Plan) -> String {
        let text = |note: &Note| match note {
            Note::Warning(text) => text.render(),
            Note::Info(_) => String::new(),
        };
        plan.notes.iter().map(text).collect()
    }

    #[test]
    fn a_chats_earlier_provider_is_out_of_reach() {
        let at = |launch: &Launch, list: Option<&str>| {
            let mut inputs = inputs();
            if let Some(text) = list {
                let first = chats(&plan(launch, inputs.clone()));
                inputs.facts.insert(first.join("sessions.json"), Fact::File(text.into()));
            }
            plan(launch, inputs)
        };
        let gateway = launch(&["gateway", "run"]);
        let first = at(&gateway, None);
        assert!(chats(&first).starts_with("/state/hermes-chats") && !home(&first).starts_with("/state"));
        let mut other = gateway.clone();
        other.base_url.value = "https://other/v1".into();
        assert_ne!(chats(&at(&other, None)), chats(&first));
        for kept in [
            r#""base_url": "https://theirs/v1", "provider": "custom""#,
            r#""provider": "openrouter""#,
            r#""base_url": "https://theirs/v1", "provider": "custom:x""#,
        ] {
            let list = format!(r#"{{"_README": "x", "a:b": {{"model_override": {{{kept}}}}}, "c": {{}}}}"#);
            assert_ne!(chats(&at(&gateway, Some(&list))), chats(&first), "{kept}");
        }
        assert_ne!(chats(&at(&gateway, Some("{"))), chats(&first), "who knows");
        let own = r#"{"_README": "x", "a": {"model_override":
            {"base_url": "http://127.0.0.1:1/v1/", "provider": "custom", "model": "n"}}}"#;
        let own = at(&gateway, Some(own));
        assert_eq!(chats(&own), chats(&first));
        assert!(warnings(&own).contains("/model chose in them: `a` (`n`)\nhelp: "), "{:?}", own.notes);
        assert!(
            file(&own, "config.yaml").contains("\"write_sessions_json\": true\n"),
            "else a list is missing"
        );
    }

    #[test]
    fn the_gateways_own_file_keeps_what_does_not_route() {
        let mut inputs = inputs();
        let theirs = r#"{"platforms": {"a": {"token": "t", "extra": {"model_routes": {"x": 1}}}}, "sessions_dir": "/x"}"#;
        inputs.facts.insert("/home/u/.hermes/gateway.json".into(), Fact::File(theirs.into()));
        let plan = plan(&launch(&["chat"]), inputs);
        let settings: Json = serde_json::from_str(&file(&plan, FILE)).expect("JSON");
        assert_eq!(settings["platforms"], json!({"a": {"token": "t", "extra": {}}}));
        assert_ne!(settings["sessions_dir"], "/x");
        assert!(!plan.links.contains_key(&home(&plan).join(FILE)));
    }

    #[test]
    fn the_gateways_own_file_is_read_as_python_reads_it() {
        let read = |theirs: &[u8]| {
            let mut inputs = inputs();
            inputs.facts.insert("/home/u/.hermes/gateway.json".into(), Fact::File(theirs.to_vec()));
            file(&plan(&launch(&["chat"]), inputs), FILE).contains(r#""kept":"x""#)
        };
        let deep = format!(r#"{{"kept": "x", "d": {}{}}}"#, "[".repeat(200), "]".repeat(200));
        for text in [r#"{"kept": "x", "d": [NaN, -Infinity, 1e999, "\ud83d"]}"#, &deep] {
            assert!(read(text.as_bytes()), "{text}");
        }
        for text in [
            &b"{\"kept\": \"x\", \"d\": \"\xff\"}"[..],
            b"\xef\xbb\xbf{\"kept\": \"x\"}",
            b"[{\"kept\": \"x\"}]",
        ] {
            assert!(!read(text), "Hermes passes over {}", text.escape_ascii());
        }
    }

    #[test]
    fn chats_of_other_profiles_are_named() {
        let said = |args: &[&str], name: &str, text: &str| {
            let mut inputs = inputs();
            inputs.facts.insert("/etc/hermes".into(), Fact::Dir(Vec::new()));
            inputs.facts.insert(Path::new("/home/u/.hermes").join(name), Fact::File(text.into()));
            warnings(&plan(&launch(args), inputs))
        };
        let routes = "gateway: {multiplex_profiles: true}\nprofile_routes: [{profile: work}]\n";
        let run = &["gateway", "run"];
        let text = said(run, "config.yaml", routes);
        assert!(text.contains("no effect in a launch: `multiplex_profiles`, `profile_routes`; "), "{text}");
        assert!(said(run, FILE, r#"{"multiplex_profiles": true}"#).contains(": `multiplex_profiles`; "));
        let dotenv = "GATEWAY_MULTIPLEX_PROFILES=1\n";
        assert!(said(run, ".env", dotenv).contains(": `GATEWAY_MULTIPLEX_PROFILES`; "));
        assert!(said(run, "/etc/hermes/config.yaml", routes).contains(": `multiplex_profiles`, "));
        assert_eq!(said(&["gateway", "--help"], "config.yaml", routes), "");
        assert_eq!(said(run, "config.yaml", "multiplex_profiles: false\nprofile_routes: []\n"), "");
    }
}
