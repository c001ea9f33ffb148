//! `models diff`: what changed between the list before and the present one.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use serde::Serialize;
use shims::Message;

use super::ModelsContext;
use crate::catalog::{CachedList, ModelRecord};
use crate::cli::models::ModelsDiffArgs;
use crate::ui::{format, output};

/// The difference between two lists, by id.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Changes {
    new: Vec<String>,
    gone: Vec<String>,
    repriced: Vec<Repriced>,
}

/// A model whose price changed, in US dollars for a million tokens.
#[derive(Debug, PartialEq, Serialize)]
struct Repriced {
    id: String,
    input_before: Option<f64>,
    input: Option<f64>,
    output_before: Option<f64>,
    output: Option<f64>,
}

/// Runs the command.
pub fn run(words: &ModelsDiffArgs, context: &ModelsContext<'_>) -> Result<ExitCode> {
    let (name, provider) = context.provider(&words.provider)?;
    let loaded = context.load_visibly(name, provider, words.refresh);
    loaded.report(name);
    let Some(now) = loaded.known.list() else {
        bail!(loaded.failure(name).unwrap_or_else(|| Message::new(
            format!("there is no list of `{name}`"),
            format!("load it with `agent-run models list {name} --refresh`")
        )));
    };
    let before = context.catalog.before(name, provider);
    let changes = before.as_ref().map(|before| changes(before, now)).transpose()?.unwrap_or_default();
    let done = if words.json {
        output::json(&changes)?
    } else {
        output::write(|out| {
            match before.as_ref().and_then(CachedList::age) {
                Some(age) => writeln!(out, "changes since the list from {} ago:", format::age(age))?,
                None => writeln!(out, "No changes since the first download")?,
            }
            print(out, &changes)
        })?
    };
    loaded.failure(name).map_or(Ok(done), |failure| Err(anyhow!(failure)))
}

fn print(out: &mut impl Write, changes: &Changes) -> std::io::Result<()> {
    let price = |price: Option<f64>| price.map_or_else(|| "unknown".to_owned(), |price| format!("${price}"));
    changes.new.iter().try_for_each(|id| writeln!(out, "new\t{id}"))?;
    changes.gone.iter().try_for_each(|id| writeln!(out, "gone\t{id}"))?;
    for Repriced { id, input_before, input, output_before, output } in &changes.repriced {
        let (input_before, input) = (price(*input_before), price(*input));
        let (output_before, output) = (price(*output_before), price(*output));
        writeln!(out, "repriced\t{id}\tinput {input_before} -> {input}, output {output_before} -> {output}")?;
    }
    Ok(())
}

fn changes(before: &CachedList, now: &CachedList) -> Result<Changes> {
    let by_id = |list: &CachedList| -> Result<BTreeMap<String, ModelRecord>> {
        let records = list.entries()?.into_iter().map(|entry| entry.record);
        Ok(records.map(|record| (record.id.clone(), record)).collect())
    };
    let (before, now) = (by_id(before)?, by_id(now)?);
    let missing_in = |other: &BTreeMap<String, ModelRecord>, list: &BTreeMap<String, ModelRecord>| {
        list.keys().filter(|id| !other.contains_key(*id)).cloned().collect()
    };
    let repriced = |(id, now): (&String, &ModelRecord)| {
        let before = before.get(id)?;
        let prices = |record: &ModelRecord| (record.input_cost_per_million, record.output_cost_per_million);
        let ((input_before, output_before), (input, output)) = (prices(before), prices(now));
        let change = Repriced { id: id.clone(), input_before, input, output_before, output };
        (prices(before) != prices(now)).then_some(change)
    };
    Ok(Changes {
        new: missing_in(&before, &now),
        gone: missing_in(&now, &before),
        repriced: now.iter().filter_map(repriced).collect(),
    })
}
