//! Providers that are known without a config, in the config's own language.
//!
//! The file is data, read when a command asks for it and at no other time. What is in it was gathered on
//! the day its head names, and is a start: the user's entry is a copy that stays as it was added.

use std::borrow::Cow;
use std::path::Path;

use anyhow::{Context, Result, bail};
use shims::Message;

use crate::catalog::origin;
use crate::config::{self, Provider, yaml_scalar as scalar};
use crate::key::place::KeyPlace;
use crate::suggest;
use crate::ui::wrap::comments;

const TEXT: &str = include_str!("presets.yaml");

/// How wide the comments of an entry are, whose lines come two columns further to the right in a config.
pub const ENTRY_WIDTH: usize = 78;

/// When the presets were gathered.
pub const DAY: &str = "2026-11-22";

/// A known provider.
pub struct Preset {
    /// Its name, as a provider and as a preset.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What to know before using it; may be empty.
    pub note: String,
    /// What the config makes of it.
    pub provider: Provider,
    entry: String,
}

/// All presets, in the file's order.
pub fn all() -> Result<Vec<Preset>> {
    let loaded = config::parse(TEXT.to_owned(), Path::new("the presets"))?;
    let preset = |(name, provider): (String, Provider)| {
        let entry = entry(&name).with_context(|| format!("preset {name} is not written as an entry"))?;
        let about = entry.lines().nth(1).and_then(|line| line.trim().strip_prefix("# "));
        let about = about.with_context(|| format!("preset {name} has no title"))?;
        let (title, note) = about.split_once(". ").unwrap_or((about.trim_end_matches('.'), ""));
        Ok(Preset { title: title.to_owned(), note: note.to_owned(), name, provider, entry })
    };
    loaded.config.providers.into_iter().map(preset).collect()
}

/// The preset called `name`.
pub fn by_name(name: &str) -> Result<Preset> {
    if let Some(known) = all()?.into_iter().find(|preset| preset.name == name) {
        return Ok(known);
    }
    let near = near(name)?;
    let meant =
        if near.is_empty() { String::new() } else { format!("did you mean {}? ", suggest::join_or(&near)) };
    bail!(Message::new(
        format!("no preset `{name}`"),
        format!(
            "{meant}list all with `agent-run providers presets`, or add another provider by its base URL: \
             `agent-run providers add {} --server https://HOST/v1`",
            shims::quote(name.as_ref())
        )
    ))
}

/// The names that are like one that is not known. Those whose models have that name come first.
pub fn near(name: &str) -> Result<Vec<String>> {
    let all = all()?;
    let mut near: Vec<_> =
        serving(name, &all).into_iter().map(|preset| preset.name.clone()).take(4).collect();
    for like in suggest::near(name, all.iter().map(Preset::name)) {
        if near.len() < 3 && !near.iter().any(|name| name == like) {
            near.push(like.to_owned());
        }
    }
    Ok(near)
}

/// Those whose models or vendor have that name; else those whose models' name it begins or ends with, as `chatgpt` does,
/// and of these first what has its end too, as `zai-coding` has that of `glm-coding`.
pub fn serving<'a>(name: &str, presets: impl IntoIterator<Item = &'a Preset>) -> Vec<&'a Preset> {
    let name = name.to_lowercase();
    let has = |family: &str| {
        family.len() > 2 && !is_known(family) && (name.starts_with(family) || name.ends_with(family))
    };
    let mut found: Vec<_> =
        presets.into_iter().filter(|preset| preset.serves(&name) || has(preset.family())).collect();
    let end = name.rsplit_once('-').map_or("", |(_, end)| end);
    found.sort_by_key(|preset| (!preset.serves(&name), !preset.name.ends_with(end)));
    found
}

/// Whether there is a preset of that name.
pub fn is_known(name: &str) -> bool {
    entry(name).is_some()
}

/// The lines of one entry, with its name in the first column.
fn entry(name: &str) -> Option<String> {
    let (_, rest) = TEXT.split_once(&format!("\n  {name}:\n"))?;
    let lines = rest.lines().take_while(|line| line.starts_with("    "));
    Some(lines.fold(format!("{name}:\n"), |entry, line| entry + &line[2..] + "\n"))
}

/// An entry as it stands below `providers:`.
pub fn indented(entry: &str) -> String {
    entry.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

impl Preset {
    /// A provider that is not known, by its entry: its name in the first column, and its keys below.
    pub fn unknown(name: &str, title: String, entry: String) -> Result<Self> {
        let text = format!("providers:\n{}", indented(&entry));
        let mut config = config::parse(text, Path::new("the new entry"))?.config;
        let provider = config.providers.swap_remove(name).context("the entry has another name")?;
        Ok(Self { name: name.to_owned(), title, note: String::new(), provider, entry })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its example is a model of this family, as `kimi-k3` is of `kimi`, or its vendor has that name too.
    fn serves(&self, family: &str) -> bool {
        let mut names = self.title.split(|c: char| !c.is_alphanumeric()).chain([self.family()]);
        !family.is_empty() && names.any(|name| name.eq_ignore_ascii_case(family))
    }

    /// What the id of its example begins with: `kimi` of `kimi-k3`.
    fn family(&self) -> &str {
        let model = self.provider.default_model.as_deref().unwrap_or_default();
        let id = model.rsplit('/').next().unwrap_or_default();
        id.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default()
    }

    /// An entry of this preset with the server at another address: scheme, host and port of its URLs are these.
    pub fn moved(&self, entry: &str, address: &str) -> String {
        let mut origins: Vec<String> = self.provider.base_urls.all().map(origin).collect();
        origins.dedup();
        origins.iter().fold(entry.to_owned(), |entry, old| entry.replace(old.as_str(), address))
    }

    /// The entry for a config file, with its name in the first column.
    pub fn entry(&self, name: &str, key: Option<&KeyPlace>, model: Option<&str>) -> String {
        let mut lines: Vec<String> = self.entry.lines().map(str::to_owned).collect();
        lines[0] = format!("{}:", scalar(name));
        // What is not there yet goes behind the URLs.
        let mut put = |key: &str, value: String| {
            let line = format!("  {key}: {value}");
            let has = |lines: &[String], key: &str| {
                lines.iter().position(|line| line.trim_start().starts_with(&format!("{key}:")))
            };
            let place = if key.starts_with("key_") { "key_env" } else { key };
            if let Some(at) = has(&lines, place) {
                lines[at] = line;
            } else {
                let last = ["anthropic", "openai", "key_env", "key_file", "key_command"];
                let at = last.iter().filter_map(|key| has(&lines, key)).max().unwrap_or(0);
                lines.insert(at + 1, line);
            }
        };
        if let Some((kind, value)) = key.map(KeyPlace::line).as_ref().and_then(|line| line.split_once(": ")) {
            put(kind, value.to_owned());
        }
        if let Some(model) = model {
            put("default_model", scalar(model));
            if !self.provider.models.is_empty() {
                put("models", format!("[{}]", scalar(model)));
            }
        }
        comments(&(lines.join("\n") + "\n"), ENTRY_WIDTH, Cow::Borrowed)
    }

    /// What is in capitals in its URLs and model, to be filled in by the user.
    pub fn blanks(&self) -> Vec<String> {
        // Only the presets are written so.
        if !is_known(&self.name) {
            return Vec::new();
        }
        let texts = self.provider.base_urls.all().chain(self.provider.default_model.as_deref());
        let words = texts.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
        let mut blanks: Vec<String> = Vec::new();
        for word in words.filter(|word| word.len() > 5 && word.chars().all(|c| c.is_ascii_uppercase())) {
            if !blanks.iter().any(|blank| blank == word) {
                blanks.push(word.to_owned());
            }
        }
        blanks
    }

    /// Where the preset itself expects the key.
    pub fn key_variable(&self) -> Option<&str> {
        self.provider.key_env.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(preset: &str, key: Option<&KeyPlace>, model: Option<&str>) -> (String, Provider) {
        let entry = by_name(preset).expect("a preset").entry("my own: one", key, model);
        let indented = indented(&entry);
        let loaded = config::parse(format!("providers:\n{indented}"), Path::new("c"));
        let mut config = loaded.unwrap_or_else(|problems| panic!("{problems}\n{entry}")).config;
        (entry, config.providers.swap_remove("my own: one").expect("the provider"))
    }

    #[test]
    fn every_preset_is_a_sound_entry_that_says_what_it_is() {
        let all = all().expect("the presets");
        assert!(all.len() > 50 && TEXT.contains(DAY));
        for preset in all {
            assert!(!preset.title.is_empty() && preset.title.len() < 50, "{}", preset.title);
            let (entry, provider) = added(&preset.name, None, None);
            assert_eq!(format!("{provider:?}"), format!("{:?}", preset.provider), "{entry}");
            let wide = |line: &&str| line.contains("# ") && line.chars().count() > 78;
            assert_eq!(entry.lines().find(wide), None);
        }
    }

    #[test]
    fn what_is_asked_for_stands_in_the_entry_once() {
        let command = KeyPlace::Command(["pass", "show", "it's: a key"].map(str::to_owned).into());
        for name in ["deepseek", "ollama", "azure", "vercel"] {
            let (entry, provider) = added(name, Some(&command), Some("qwen3:30b"));
            assert_eq!(provider.key_env, None, "{entry}");
            assert_eq!(provider.key_command.as_deref().map(|argv| argv[2].as_str()), Some("it's: a key"));
            assert_eq!(provider.default_model.as_deref(), Some("qwen3:30b"));
            assert_eq!(entry.matches("key_").count(), 1, "{entry}");
            if name == "azure" {
                assert_eq!(provider.models[0].id, "qwen3:30b");
            }
        }
        let (_, provider) = added("deepseek", Some(&KeyPlace::File("~/k".into())), None);
        assert_eq!(provider.key_file, Some("~/k".into()));
        let (_, provider) = added("deepseek", Some(&KeyPlace::Env("MY_KEY".into())), None);
        assert_eq!(provider.key_env.as_deref(), Some("MY_KEY"));
    }

    #[test]
    fn only_what_the_user_must_fill_in_is_in_capitals() {
        let blanks = |preset: &Preset| (preset.name.clone(), preset.blanks());
        let all: Vec<_> = all().expect("the presets").iter().map(blanks).collect();
        let names = all.iter().filter(|(_, blanks)| !blanks.is_empty()).map(|(name, _)| name.as_str());
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["azure", "bedrock", "cloudflare-gateway", "cloudflare-workers"]
        );
    }

    #[test]
    fn a_preset_that_is_not_there_brings_those_like_it() {
        let error = crate::error::render(&by_name("depseek").err().expect("no preset"));
        assert!(error.contains("did you mean deepseek"), "{error}");
        // A name of models finds who makes them.
        for (family, meant) in [
            ("GLM", "zai"),
            ("kimi", "moonshot"),
            ("qwen", "qwen"),
            ("gpt", "openai"),
            ("claude", "anthropic"),
            ("grok", "xai"),
            ("ChatGPT", "openai"),
            ("glm-coding", "zai-coding"),
        ] {
            let near = near(family).expect("the presets");
            assert!(near[0].starts_with(meant), "{family}: {near:?}");
        }
    }
}
