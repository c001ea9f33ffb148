//! `agent-run config check`: everything wrong with the file, and all warnings.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};
use shims::Message;

use crate::cli::config::ConfigCheckArgs;
use crate::config::{LintReport, Problem, dotted, lint};
use crate::ui::format::count;
use crate::ui::output;
use crate::ui::screen::use_config;

/// Prints what there is to say of the file at `path`; its errors, and with `--strict` its warnings, fail.
pub fn run(words: &ConfigCheckArgs, path: &Path) -> Result<ExitCode> {
    if words.file.is_some() && matches!(path.try_exists(), Ok(false)) {
        let help = "`agent-run config check` alone checks your config";
        bail!(Message::new(format!("there is no file {}", path.display()), help));
    }
    use_config(words.file.as_deref());
    let report = lint(path)?;
    if words.json {
        output::json(&json(&report, path))?;
    } else {
        let edit = if report.errors.is_empty() { "" } else { "`agent-run config edit` opens the file\n" };
        output::people(|out| out.write_all((text(&report, path) + edit).as_bytes()))?;
    }
    let sound = report.errors.is_empty() && (!words.strict || report.warnings.is_empty());
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The findings as lines for people, in the file's order, and their number.
pub fn text(report: &LintReport, path: &Path) -> String {
    let shown = path.display();
    let mut text = String::new();
    for (what, problem) in findings(report) {
        let Problem { mark, steps, message, help } = problem;
        let key = match (steps.is_empty(), what) {
            (true, _) => String::new(),
            (false, "error") => dotted(steps) + ": ",
            (false, _) => dotted(steps) + " ",
        };
        let excerpt = if what == "error" { problem.excerpt(&report.text) } else { String::new() };
        let message = format!("{shown}:{}:{}: {what}: {key}{message}{excerpt}", mark.line, mark.column);
        _ = writeln!(text, "{}", Message::new(message, help).render());
    }
    let number = |number: usize, what: &str| (number > 0).then(|| count(number, what));
    let counts = [number(report.errors.len(), "error"), number(report.warnings.len(), "warning")];
    let counts: Vec<_> = counts.into_iter().flatten().collect();
    let last = if counts.is_empty() {
        let providers = number(report.providers, "provider").unwrap_or("no provider".to_owned());
        format!("{shown}: valid, {providers}")
    } else {
        counts.join(", ")
    };
    text + &last + "\n"
}

fn json(report: &LintReport, path: &Path) -> Json {
    let findings: Vec<_> = findings(report)
        .into_iter()
        .map(|(what, problem)| {
            json!({
                "severity": what,
                "line": problem.mark.line,
                "column": problem.mark.column,
                "key": dotted(&problem.steps),
                "message": problem.message,
                "help": problem.help,
            })
        })
        .collect();
    json!({ "path": path.to_string_lossy(), "providers": report.providers, "findings": findings })
}

fn findings(report: &LintReport) -> Vec<(&'static str, &Problem)> {
    let errors = report.errors.iter().map(|problem| ("error", problem));
    let mut findings: Vec<_> = errors.chain(report.warnings.iter().map(|p| ("warning", p))).collect();
    findings.sort_by_key(|(_, problem)| problem.mark);
    findings
}
