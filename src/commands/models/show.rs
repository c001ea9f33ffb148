//! `models show`: one model, field by field, and who said what.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use shims::Message;

use super::list::ModelRow;
use super::{LoadedModels, ModelsContext, instead};
use crate::catalog::{CONFIG, ModelRecord, day};
use crate::cli::models::ModelsShowArgs;
use crate::config::Provider;
use crate::ui::{self, Screen, escaped, format, output, table};

/// What stands for a value that nobody has said.
const UNKNOWN: &str = "unknown";

/// Runs the command.
pub fn run(words: &ModelsShowArgs, context: &ModelsContext<'_>) -> Result<ExitCode> {
    let (name, provider) = context.provider(&words.provider)?;
    // What is on disk will do, unless it does not have the model.
    let mut loaded = LoadedModels::of(context.catalog.known(name, provider));
    if loaded.known.record(&words.model).is_none() {
        loaded = context.load_visibly(name, provider, false);
        loaded.report(name);
    }
    let Some(record) = loaded.known.record(&words.model) else {
        let records = loaded.known.records();
        let instead = if records.is_empty() {
            format!("the provider lists no models; see `agent-run models list {name}`")
        } else {
            instead(&words.model, records.iter(), name)
        };
        let text = format!("provider `{name}` has no model `{}`", words.model);
        bail!(match loaded.failure(name) {
            Some(failure) =>
                Message { text: format!("{text}, as far as is known: {}", failure.text), ..failure },
            None => Message::new(text, instead),
        });
    };
    if loaded.known.lacks(&record.id) {
        ui::log::warn(loaded.not_listed("model", &record.id, name));
    }
    if words.json {
        let row = ModelRow { provider: name, record, from: "", age: None };
        return output::json(&row);
    }
    let rows = rows(&record, &loaded, provider)?;
    let screen = Screen::stdout();
    if !screen.is_terminal() {
        return output::write(|out| table::separated(out, &rows));
    }
    let (unknown, mut rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row[1] == UNKNOWN);
    if !unknown.is_empty() {
        let fields: Vec<_> = unknown.iter().map(|row| row[0].as_str()).collect();
        rows.push(vec![UNKNOWN.to_owned(), fields.join(", "), String::new()]);
    }
    let width = rows.iter().map(|row| row[0].len()).max().unwrap_or_default();
    output::exact(|out| {
        rows.iter().try_for_each(|row| {
            let from = if row[2].is_empty() { String::new() } else { format!("  ({})", row[2]) };
            let line = format!("{:<width$}  {}{from}", row[0], row[1]);
            writeln!(out, "{}", screen.line(&escaped(&line), width + 2))
        })
    })
}

fn rows(record: &ModelRecord, loaded: &LoadedModels<'_>, provider: &Provider) -> Result<Vec<Vec<String>>> {
    let entry = provider.models.iter().find(|entry| entry.id == record.id);
    let entry = entry.map(serde_json::to_value).transpose()?.unwrap_or_default();
    let listed = loaded.known.listed(&record.id);
    let listed = listed.map(serde_json::to_value).transpose()?.unwrap_or_default();
    let age = loaded.known.age.map_or_else(String::new, |age| format!(", {} old", format::age(age)));
    let Value::Object(fields) = serde_json::to_value(record)? else { return Ok(Vec::new()) };
    let row = |(field, value): (String, Value)| {
        let is_listed = !listed[&field].is_null() && listed[&field] != json!([]);
        let key = if field == "input_modalities" { "vision" } else { &field };
        let from = if !entry[key].is_null() {
            CONFIG.to_owned()
        } else if is_listed {
            format!("{}{age}", record.source.as_deref().unwrap_or_default())
        } else {
            String::new()
        };
        vec![field.clone(), shown(&field, &value), from]
    };
    Ok(fields.into_iter().filter(|(field, _)| field != "source").map(row).collect())
}

fn shown(field: &str, value: &Value) -> String {
    match value {
        Value::Null => UNKNOWN.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "any of the provider's".to_owned(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Number(number) if field == "created" => {
            number.as_i64().and_then(day).unwrap_or_else(|| number.to_string())
        }
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    }
}
