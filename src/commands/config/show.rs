//! `agent-run config show`: what is in force, and where each value comes from.
//!
//! Of a key only its place and a fingerprint are shown. No command is run for that.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value as Json, json};
use shims::{Protocol, Sessions, ToolSet};

use super::redact::{arguments, proxy, redacted_entries};
use crate::cli::config::ConfigShowArgs;
use crate::config::{Args, Config, Filter, KeySource, Places, Provider, Secret, load};
use crate::env::Environment;
use crate::launch::lookup;
use crate::ui::{Ink, Screen, escaped, output};
use crate::{key, ui};

/// Prints the values in force of the config at `path`.
pub fn run(words: &ConfigShowArgs, path: &Path, env: &Environment) -> Result<ExitCode> {
    let loaded = load(path)?;
    let named: Vec<_> = words.provider.as_deref().into_iter().collect();
    loaded.warnings_for(&named).into_iter().for_each(ui::log::warn);
    let mut page = Page { places: loaded.places(), rows: Vec::new() };
    let Config { providers, isolated_homes, shims, models_ttl, .. } = &loaded.config;
    if let Some(name) = &words.provider {
        let (_, provider) = lookup::provider(name, &loaded.config)?;
        page.provider(name, provider, env);
    } else {
        page.add(&["models_ttl"], lifetime(models_ttl.as_secs()));
        if let Some(dir) = &shims.dir {
            page.add(&["shims", "dir"], dir.display().to_string());
        }
        for (agent, homes) in [("codex", &isolated_homes.codex), ("hermes", &isolated_homes.hermes)] {
            for home in homes {
                page.add(&["isolated_homes", agent, home], "a home without a provider".to_owned());
            }
        }
        providers.iter().for_each(|(name, provider)| page.provider(name, provider, env));
    }
    if words.json {
        return output::json(&page.json(path));
    }
    output::whole(&page.text(path, Screen::stdout()))
}

/// A value in force: its key, the value, and its line if the file has it.
struct SettingRow {
    steps: Vec<String>,
    value: Json,
    line: Option<usize>,
}

struct Page {
    places: Places,
    rows: Vec<SettingRow>,
}

impl Page {
    fn add(&mut self, steps: &[&str], value: impl Into<Json>) {
        let mut line = self.places.locate(steps);
        if line.is_none() && steps[0] == "isolated_homes" {
            line = self.places.locate(&[&["isolated-homes"], &steps[1..]].concat());
        }
        self.rows.push(SettingRow {
            steps: steps.iter().map(|&step| step.to_owned()).collect(),
            value: value.into(),
            line,
        });
    }

    fn provider(&mut self, name: &str, provider: &Provider, env: &Environment) {
        let mut add = |key: &[&str], value: Json| self.add(&[&["providers", name], key].concat(), value);
        let protocols: Vec<_> = provider.protocols.iter().map(|protocol| protocol.name()).collect();
        add(&["protocols"], json!(protocols));
        let urls = [("openai", Protocol::OpenaiResponses), ("anthropic", Protocol::Anthropic)];
        for (family, url) in urls.map(|(family, protocol)| (family, provider.base_url(protocol))) {
            if let Some(url) = url {
                add(&["base_urls", family], url.into());
            }
        }
        let (source, shown) = secret(provider, env);
        add(&[source], shown.into());
        add(&["key_check"], provider.key_check.name().into());
        if !provider.keep_env.is_empty() {
            add(&["keep_env"], provider.keep_env.iter().map(String::as_str).collect::<Json>());
        }
        add(&["anthropic_use_api_key"], provider.anthropic_use_api_key.into());
        add(&["default_model"], provider.default_model.clone().map_or(Json::Null, Json::from));
        if !provider.models.is_empty() {
            add(&["models"], provider.models.iter().map(|model| model.id.as_str()).collect::<Json>());
        }
        if provider.disable_model_loading_from_api {
            add(&["disable_model_loading_from_api"], true.into());
        } else {
            let filters = provider.model_api_filters.iter().flatten();
            add(&["model_api_filters"], filters.map(rule).collect::<Json>());
        }
        if let Some(url) = &provider.models_url {
            add(&["models_url"], url.as_str().into());
        }
        add(&["completion_key"], provider.completion_key.into());
        let tiers = &provider.tiers;
        for (tier, model) in [
            ("opus", &tiers.opus),
            ("sonnet", &tiers.sonnet),
            ("haiku", &tiers.haiku),
            ("subagent", &tiers.subagent),
        ] {
            add(&["tiers", tier], model.as_deref().unwrap_or("the launched model").into());
        }
        for (key, templates) in [("headers", &provider.headers), ("extra_env", &provider.extra_env)] {
            redacted_entries(templates).for_each(|(name, shown)| add(&[key, name], shown.into()));
        }
        match &provider.args {
            Args::All(words) if words.is_empty() => {}
            Args::All(words) => add(&["args"], arguments(words)),
            Args::ByAgent(lists) => {
                for (agent, words) in lists {
                    add(&["args", agent], arguments(words));
                }
            }
        }
        add(&["proxy"], proxy(&provider.proxy.0).into());
        add(&["isolated"], provider.isolated.into());
        let own = if provider.isolated { Sessions::Own } else { provider.sessions.unwrap_or_default() };
        add(&["sessions"], own.name().into());
        let tools = if provider.codex.tools == ToolSet::Minimal { "minimal" } else { "full" };
        add(&["codex", "tools"], tools.into());
    }

    fn text(&self, path: &Path, screen: Screen) -> String {
        let mut text = String::new();
        let mut provider = None;
        let is_terminal = screen.is_terminal();
        if is_terminal {
            let config = escaped(&path.display().to_string()).into_owned();
            text = screen.line(&format!("config: {config}"), 0) + "\n";
        }
        let lines: Vec<_> = self.rows.iter().map(|row| (name(row), plain(&row.value), row)).collect();
        let width = |texts: &mut dyn Iterator<Item = usize>| texts.filter(|width| *width <= 60).max();
        let keys = width(&mut lines.iter().map(|(key, ..)| key.chars().count())).unwrap_or(0);
        let values = width(&mut lines.iter().map(|(_, value, _)| value.chars().count()));
        let values = values.filter(|_| !is_terminal).unwrap_or(0);
        for (key, value, row) in &lines {
            let of = (row.steps[0] == "providers").then(|| row.steps[1].as_str());
            if of != provider
                && let Some(name) = of
            {
                let gap = if text.is_empty() { "" } else { "\n" };
                _ = writeln!(text, "{gap}{}", screen.paint(Ink::Heading, &escaped(name)));
            }
            provider = of;
            let (indent, keys) = if of.is_some() { ("  ", keys) } else { ("", keys + 2) };
            let origin = match row.line {
                // The file is named above.
                Some(line) if is_terminal => format!("(line {line})"),
                Some(line) => format!("{}:{line}", path.display()),
                None => "(default)".to_owned(),
            };
            let line = format!("{indent}{key:<keys$}  {value:<values$}  {origin}");
            _ = writeln!(text, "{}", screen.line(&escaped(&line), indent.len() + keys + 2));
        }
        text
    }

    fn json(&self, path: &Path) -> Json {
        let row = |row: &SettingRow| {
            let provider = (row.steps[0] == "providers").then(|| &row.steps[1]);
            let origin = if row.line.is_some() { "file" } else { "default" };
            json!({
                "provider": provider, "key": name(row), "value": row.value, "origin": origin, "line": row.line,
            })
        };
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        json!({ "path": path.to_string_lossy(), "values": rows })
    }
}

/// The row's key below its provider.
fn name(row: &SettingRow) -> String {
    let skipped = if row.steps[0] == "providers" { 2 } else { 0 };
    row.steps[skipped..].join(".")
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => "none".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "none".to_owned(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Where the key is kept, and which it is where that costs nothing to know.
fn secret(provider: &Provider, env: &Environment) -> (&'static str, String) {
    let which = |source| match env
        .dirs()
        .and_then(|dirs| key::resolve(source, provider.key_check, env, &dirs.home))
    {
        Ok(key) => key::fingerprint(&key),
        Err(error) => format!("({})", shims::without_codes(&error.root_cause().to_string())),
    };
    let Some(source) = provider.key_source() else {
        return ("key", "none: the provider has no key".to_owned());
    };
    let place = source.place();
    let shown = match source {
        KeySource::Literal(Secret(literal)) => key::fingerprint(literal),
        KeySource::Env(name) if env.var(name).is_none() => format!("{place}, which is not set"),
        KeySource::Env(_) | KeySource::File(_) => format!("{place} {}", which(source)),
        KeySource::Command(_) => format!("{place} (not run)"),
    };
    (source.setting(), shown)
}

fn rule(filter: &Filter) -> String {
    let Filter { filter, order_key, desc, top } = filter;
    let mut text = if filter.is_empty() { "all".to_owned() } else { filter.clone() };
    if let Some(keys) = order_key {
        _ = write!(text, " by {} {}", keys.join(" "), if *desc { "descending" } else { "ascending" });
    }
    if let Some(top) = top {
        _ = write!(text, " top {top}");
    }
    text
}

fn lifetime(seconds: u64) -> String {
    let unit = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let fits = unit.iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    fits.map_or_else(|| format!("{seconds}s"), |(length, unit)| format!("{}{unit}", seconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_read_as_they_are_written() {
        assert_eq!(
            [0, 45, 90, 1_800, 43_200, 172_800].map(lifetime),
            ["0s", "45s", "90s", "30m", "12h", "2d"]
        );
    }
}
