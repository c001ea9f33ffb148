//! `models list`: one provider's models, several providers', or all.

use shims::Message;
use shims::window::split_long_context;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::{LoadedModels, ModelsContext};
use crate::catalog::{CONFIG, ModelRecord};
use crate::cli::models::ModelsListArgs;
use crate::config::Provider;
use crate::ui::progress::Progress;
use crate::ui::sanitize::SanitizingWriter;
use crate::ui::table::{self, Column, number, text};
use crate::ui::{self, format, output};

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

const COLUMNS: [Column; 10] = [
    text("id"),
    number("context").left_out(1),
    number("output").left_out(6),
    number("$/M in").left_out(2),
    number("$/M out").left_out(3),
    text("tools").left_out(4),
    text("reasoning").left_out(5),
    text("source").left_out(8),
    number("age").left_out(7),
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
    for ((name, provider), loaded) in providers.iter().zip(&loaded) {
        loaded.report(name);
        rows.extend(rows_of(words, name, provider, loaded));
    }
    let done = print(words, &rows, providers.len() > 1, context)?;
    let failed: Vec<_> = providers
        .iter()
        .zip(&loaded)
        .filter(|(_, loaded)| loaded.failed)
        .map(|((name, _), _)| *name)
        .collect();
    if failed.is_empty() {
        return Ok(done);
    }
    bail!(Message::new(
        format!("the list of {} could not be loaded", failed.join(", ")),
        "the warnings above say why"
    ))
}

/// The providers that were named; else all of them, which may be one.
fn providers<'a>(
    words: &ModelsListArgs,
    context: &ModelsContext<'a>,
) -> Result<Vec<(&'a str, &'a Provider)>> {
    if !words.providers.is_empty() {
        return words.providers.iter().map(|name| context.provider(name)).collect();
    }
    let all: Vec<_> =
        context.config.providers.iter().map(|(name, provider)| (name.as_str(), provider)).collect();
    match all.as_slice() {
        [] => bail!(Message::new(
            "the config has no providers yet",
            "add one with `agent-run providers add NAME` (`agent-run providers presets` lists the known ones)"
        )),
        [(first, _), _, ..] if !words.all => ui::log::warn(Message::new(
            format!("no provider was named, so the models of all {} are listed", all.len()),
            format!("name one, as in `agent-run models list {first}`, or say --all"),
        )),
        _ => {}
    }
    Ok(all)
}

fn load_all<'a>(
    words: &ModelsListArgs,
    context: &ModelsContext<'a>,
    providers: &[(&'a str, &'a Provider)],
) -> Vec<LoadedModels<'a>> {
    let names: Vec<_> = providers.iter().map(|(name, _)| *name).collect();
    let is_asked = |(name, provider): &(&'a str, &'a Provider)| {
        provider.loads_models() && (words.refresh || !context.catalog.known(name, provider).fresh)
    };
    let progress = Progress::start(&names, providers.iter().any(is_asked));
    let load = |index: usize| {
        let (name, provider) = providers[index];
        let start = Instant::now();
        let loaded = context.load(name, provider, words.refresh);
        let state = if loaded.failure.is_some() { "failed" } else { "done" };
        progress.set(index, &format!("{name}: {state} after {} ms", start.elapsed().as_millis()));
        loaded
    };
    std::thread::scope(|scope| {
        let load = &load;
        let threads: Vec<_> = (0..providers.len()).map(|index| scope.spawn(move || load(index))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
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
    let records = without_wishes(loaded.known.records(), provider);
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

fn print(
    words: &ModelsListArgs,
    rows: &[ModelRow<'_>],
    several: bool,
    context: &ModelsContext<'_>,
) -> Result<ExitCode> {
    if words.json {
        return output::write(|out| {
            serde_json::to_writer_pretty(&mut *out, rows)?;
            writeln!(out)
        });
    }
    let Some(width) = table::terminal_width() else {
        let rows: Vec<_> = rows.iter().map(exact).collect();
        return output::write(|out| table::separated(out, &rows));
    };
    // With one provider its name says nothing.
    let columns = &COLUMNS[..COLUMNS.len() - usize::from(!several)];
    let rows: Vec<_> = rows.iter().map(|row| short(row)[..columns.len()].to_vec()).collect();
    if words.pager {
        return page(|out| table::aligned(out, columns, &rows, width), context);
    }
    output::write(|out| table::aligned(out, columns, &rows, width))
}

fn page(
    print: impl FnOnce(&mut SanitizingWriter<&mut Vec<u8>>) -> std::io::Result<()>,
    context: &ModelsContext<'_>,
) -> Result<ExitCode> {
    let pager = context.env.var("PAGER").unwrap_or("less".as_ref());
    let mut text = Vec::new();
    print(&mut SanitizingWriter::new(&mut text))?;
    // It may hold arguments, as in `less -R`.
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(pager)
        .stdin(Stdio::piped())
        .spawn()
        .context("could not run $PAGER")?;
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that was quit early is no failure.
        _ = stdin.write_all(&text);
    }
    child.wait().context("could not wait for $PAGER")?;
    Ok(ExitCode::SUCCESS)
}

fn exact(row: &ModelRow<'_>) -> Vec<String> {
    cells(row, |count| count.to_string(), |age| age.as_secs().to_string())
}

fn short(row: &ModelRow<'_>) -> Vec<String> {
    cells(row, format::tokens, format::age)
}

fn cells(row: &ModelRow<'_>, tokens: fn(u64) -> String, age: fn(Duration) -> String) -> Vec<String> {
    let record = &row.record;
    let price = |price: Option<f64>| price.map_or_else(String::new, |price| price.to_string());
    let known = |flag: Option<bool>| flag.map_or("", |yes| if yes { "yes" } else { "no" }).to_owned();
    vec![
        record.id.clone(),
        record.context_window.map_or_else(String::new, tokens),
        record.max_output_tokens.map_or_else(String::new, tokens),
        price(record.input_cost_per_million),
        price(record.output_cost_per_million),
        known(record.tools),
        known(record.reasoning),
        row.from.to_owned(),
        row.age.map_or_else(String::new, age),
        row.provider.to_owned(),
    ]
}
