//! `models list`: one provider's models, several providers', or all.

use shims::Message;
use shims::window::split_long_context;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::Serialize;

use super::{LoadedModels, ModelsContext};
use crate::catalog::{CONFIG, Modality, ModelRecord};
use crate::cli::models::ModelsListArgs;
use crate::commands::at_once;
use crate::config::Provider;
use crate::ui::table::{self, Column, number, text};
use crate::ui::{self, Progress, Screen, escaped, format, output, pager};

/// A model in a list of several providers'.
#[derive(Serialize)]
pub struct ModelRow<'a> {
    pub provider: &'a str,
    #[serde(flatten)]
    pub record: ModelRecord,
    #[serde(skip)]
    pub from: &'static str,
    #[serde(skip)]
    pub age: Option<Duration>,
}

const COLUMNS: [Column; 6] = [
    text("id").whole(),
    number("context").left_out(1),
    number("$/M in").left_out(2),
    number("$/M out").left_out(3),
    text("flags"),
    text("provider"),
];

/// Runs the command.
///
/// # Errors
/// When the list of a provider could not be loaded; those of the others have been printed then.
pub fn run(words: &ModelsListArgs, context: &ModelsContext<'_>) -> Result<ExitCode> {
    let providers = providers(words, context)?;
    let loaded = load_all(words, context, &providers);
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for ((name, provider), loaded) in providers.iter().zip(&loaded) {
        loaded.report(name);
        failed.extend(loaded.failure(name));
        rows.extend(rows_of(words, name, provider, loaded));
    }
    let done = print(words, &rows, &providers, failed.is_empty(), context)?;
    // Each is said once, behind the models of the others.
    let Some(last) = failed.pop() else { return Ok(done) };
    failed.into_iter().for_each(ui::log::warn);
    bail!(last)
}

/// The providers that were named; else all of them, which may be one.
fn providers<'a>(
    words: &ModelsListArgs,
    context: &ModelsContext<'a>,
) -> Result<Vec<(&'a str, &'a Provider)>> {
    if !words.providers.is_empty() {
        let mut seen = BTreeSet::new();
        let named = words.providers.iter().filter(|name| seen.insert(*name));
        return named.map(|name| context.provider(name)).collect();
    }
    if context.config.providers.is_empty() {
        bail!(Message::new(
            "the config has no providers yet",
            "add one with `agent-run providers add` (`agent-run providers presets` lists the known ones)"
        ))
    }
    Ok(context.config.providers.iter().map(|(name, provider)| (name.as_str(), provider)).collect())
}

fn load_all<'a>(
    words: &ModelsListArgs,
    context: &ModelsContext<'a>,
    providers: &[(&'a str, &'a Provider)],
) -> Vec<LoadedModels<'a>> {
    let names: Vec<_> = providers.iter().map(|(name, _)| *name).collect();
    let is_asked =
        |(name, provider): &(&'a str, &'a Provider)| context.is_asked(name, provider, words.refresh);
    let progress = Progress::start(&names, providers.iter().any(is_asked));
    at_once(providers, |at, (name, provider)| {
        let start = Instant::now();
        let loaded = context.load(name, provider, words.refresh);
        let state = match loaded.failure {
            Some(_) => "failed".to_owned(),
            None => format!("done after {} ms", start.elapsed().as_millis()),
        };
        progress.set(at, &format!("{name}: {state}"));
        loaded
    })
}

fn rows_of<'a>(
    words: &ModelsListArgs,
    name: &'a str,
    provider: &Provider,
    loaded: &LoadedModels<'_>,
) -> Vec<ModelRow<'a>> {
    let wanted: Vec<String> =
        words.search.iter().flat_map(|text| text.split_whitespace()).map(str::to_lowercase).collect();
    let matches = |record: &ModelRecord| {
        let text = format!("{} {}", record.id, record.name.as_deref().unwrap_or_default()).to_lowercase();
        wanted.iter().all(|word| text.contains(word))
    };
    let served = |record: &ModelRecord| {
        words
            .protocol
            .is_none_or(|protocol| provider.protocols.contains(&protocol) && record.speaks(protocol))
    };
    let configured = |id: &str| provider.models.iter().any(|entry| split_long_context(&entry.id).0 == id);
    let mut records = without_wishes(loaded.known.records(), provider);
    if words.all_kinds {
        let seen: BTreeSet<_> = records.iter().map(|record| record.id.clone()).collect();
        let listed = loaded.known.list().and_then(|list| list.entries().ok()).unwrap_or_default();
        records
            .extend(listed.into_iter().map(|entry| entry.record).filter(|record| !seen.contains(&record.id)));
    }
    let records = records.into_iter().filter(|record| matches(record) && served(record));
    let row = |record: ModelRecord| {
        let (from, age) = match record.source.as_deref() {
            Some(CONFIG) => ("config", None),
            _ if configured(&record.id) => ("config+list", loaded.known.age),
            _ => ("list", loaded.known.age),
        };
        ModelRow { provider: name, record, from, age }
    };
    records.map(row).collect()
}

/// `[1m]` after a name in the config asks Claude Code for its larger window and is no part of the id. Such a
/// model is listed once, with what the provider's list says of it unless the config has an entry of that name.
fn without_wishes(records: Vec<ModelRecord>, provider: &Provider) -> Vec<ModelRecord> {
    if !records.iter().any(|record| split_long_context(&record.id).1) {
        return records;
    }
    let mut seen = BTreeSet::new();
    let mut kept = Vec::with_capacity(records.len());
    for record in &records {
        let (id, is_long) = split_long_context(&record.id);
        if !seen.insert(id) {
            continue;
        }
        let has_entry = provider.models.iter().any(|entry| entry.id == record.id);
        let plain = records.iter().find(|plain| is_long && !has_entry && plain.id == id);
        kept.push(ModelRecord { id: id.to_owned(), ..plain.unwrap_or(record).clone() });
    }
    kept
}

/// Prints the rows; where that is all there is to say, by a pager if they are many.
fn print(
    words: &ModelsListArgs,
    rows: &[ModelRow<'_>],
    providers: &[(&str, &Provider)],
    is_all: bool,
    context: &ModelsContext<'_>,
) -> Result<ExitCode> {
    if words.json {
        return output::json(&rows);
    }
    let screen = Screen::stdout();
    if !screen.is_terminal() {
        if rows.is_empty() && is_all {
            ui::log::warn(none(words));
        }
        let rows: Vec<_> = rows.iter().map(exact).collect();
        return output::write(|out| table::separated(out, &rows));
    }
    // With one provider its name says nothing.
    let columns = &COLUMNS[..COLUMNS.len() - usize::from(providers.len() < 2)];
    let default = |row: &ModelRow<'_>| {
        let provider = providers.iter().find(|(name, _)| *name == row.provider);
        let default = provider.and_then(|(_, provider)| provider.default_model.as_deref());
        default.is_some_and(|default| split_long_context(default).0 == row.record.id)
    };
    let lines: Vec<_> = rows.iter().map(|row| short(row, default(row))[..columns.len()].to_vec()).collect();
    let mut text =
        if rows.is_empty() { String::new() } else { table::aligned(columns, &lines, screen) + "\n" };
    text += &screen.line(&escaped(&summary(words, rows)), 0);
    text.push('\n');
    if let ([(first, _), _, ..], true) = (providers, words.providers.is_empty() && !words.all) {
        let next = format!("For one provider: `agent-run models list {}`", shims::quote(first.as_ref()));
        text += &screen.line(&escaped(&next), 0);
        text.push('\n');
    }
    if is_all { pager::show(&text, words.pager, context.env) } else { output::whole(&text) }
}

/// That there are none, and why.
fn none(words: &ModelsListArgs) -> String {
    match (&words.search, words.protocol) {
        (None, None) => "no models: neither the config nor the provider lists any".to_owned(),
        (Some(text), _) => format!("no model has `{text}` in its id or name"),
        (None, Some(protocol)) => format!("no model is served over {protocol}"),
    }
}

/// How many there are, and from where: the last line.
fn summary(words: &ModelsListArgs, rows: &[ModelRow<'_>]) -> String {
    if rows.is_empty() {
        return format!("N{}.", &none(words)[1..]);
    }
    let mut parts = Vec::new();
    let own = rows.iter().filter(|row| row.from == "config").count();
    let ages: BTreeSet<_> = rows.iter().filter_map(|row| row.age).collect();
    let listed = rows.len() - own;
    if listed > 0 {
        let age = match (ages.first(), ages.last()) {
            (Some(young), Some(old)) if format::age(*young) != format::age(*old) => {
                format!(", {} to {} old", format::age(*young), format::age(*old))
            }
            (Some(age), _) => format!(", {} old", format::age(*age)),
            _ => String::new(),
        };
        let whose = if rows.iter().any(|row| row.provider != rows[0].provider) {
            "the providers' lists"
        } else {
            "the provider's list"
        };
        parts.push(format!("{listed} from {whose}{age}"));
    }
    if own > 0 {
        parts.push(format!("{own} from the config"));
    }
    format!("{}: {}.", format::count(rows.len(), "model"), parts.join(", "))
}

/// A row for programs: exact numbers, in columns that stay as they are.
fn exact(row: &ModelRow<'_>) -> Vec<String> {
    let record = &row.record;
    let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    let price = |price: Option<f64>| price.map_or_else(String::new, |price| price.to_string());
    let known = |flag: Option<bool>| flag.map_or("", |yes| if yes { "yes" } else { "no" }).to_owned();
    vec![
        record.id.clone(),
        count(record.context_window),
        count(record.max_output_tokens),
        price(record.input_cost_per_million),
        price(record.output_cost_per_million),
        known(record.tools),
        known(record.reasoning),
        row.from.to_owned(),
        row.age.map_or_else(String::new, |age| age.as_secs().to_string()),
        row.provider.to_owned(),
    ]
}

/// A row for people.
fn short(row: &ModelRow<'_>, is_default: bool) -> Vec<String> {
    let record = &row.record;
    let sees = record.input_modalities.as_ref().is_some_and(|inputs| inputs.contains(&Modality::Image));
    let flags = [
        (is_default, "default"),
        (record.tools == Some(true), "tools"),
        (record.tools == Some(false), "no tools"),
        (record.reasoning == Some(true), "reasoning"),
        (sees, "images"),
        (!record.is_chat(), "no chat"),
    ];
    let flags: Vec<_> = flags.into_iter().filter_map(|(is_so, flag)| is_so.then_some(flag)).collect();
    vec![
        record.id.clone(),
        record.context_window.map_or_else(String::new, format::tokens),
        format::price(record.input_cost_per_million),
        format::price(record.output_cost_per_million),
        flags.join(", "),
        row.provider.to_owned(),
    ]
}
