//! `agent-run(1)`, of the declarations that `--help` prints.

use std::fmt::Write;

use agent_run::internals::command_line;
use clap::{Arg, Command};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::page::{heading, inlines, item, literal, paragraphs, section, see_also, source};
use super::prose;

/// What a PROVIDER is, which the page says once.
const PROVIDER: &str = "Provider name from your config";

/// `agent-run(1)`.
pub fn program() -> String {
    let root = command_line();
    let about = root.get_about().map(ToString::to_string).unwrap_or_default();
    let mut roff = Roff::new();
    heading(&mut roff, "AGENT-RUN", "1", &format!("agent-run - {}", lower_first(&about)), "User Commands");
    section(&mut roff, "SYNOPSIS");
    for (index, form) in prose::SYNOPSIS.iter().enumerate() {
        if index > 0 {
            roff.control("br", []);
        }
        roff.text(inlines(form));
    }
    section(&mut roff, "DESCRIPTION");
    paragraphs(&mut roff, &prose::DESCRIPTION);
    section(&mut roff, "OPTIONS");
    arguments(&mut roff, &root, |_| true);
    section(&mut roff, "COMMANDS");
    commands(&mut roff, &root, "agent-run");
    section(&mut roff, "EXIT STATUS");
    terms(&mut roff, &prose::EXIT_STATUS);
    section(&mut roff, "ENVIRONMENT");
    terms(&mut roff, &prose::ENVIRONMENT);
    section(&mut roff, "FILES");
    terms(&mut roff, &prose::FILES);
    section(&mut roff, "EXAMPLES");
    after_help(&mut roff, &root);
    see_also(&mut roff, "agent-run-config(5)");
    source(&roff)
}

fn terms(roff: &mut Roff, terms: &[(&str, &str)]) {
    for (term, text) in terms {
        item(roff, vec![bold(*term)], text);
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Every command that does something, with its options and examples.
fn commands(roff: &mut Roff, above: &Command, name: &str) {
    for command in above.get_subcommands().filter(|below| !below.is_hide_set()) {
        let name = format!("{name} {}", command.get_name());
        // What clap adds to a group: `models help`.
        if command.get_name() == "help" && above.get_name() != "agent-run" {
            continue;
        }
        if !command.is_subcommand_required_set() {
            roff.control("SS", [usage(command, &name).as_str()]);
            let about = command.get_long_about().or(command.get_about()).map(ToString::to_string);
            roff.text(inlines(&format!("{}.", about.unwrap_or_default().trim_end_matches('.'))));
            arguments(roff, command, |arg| !arg.is_global_set());
            after_help(roff, command);
        }
        commands(roff, command, &name);
    }
}

/// `agent-run models show [options] PROVIDER MODEL`
fn usage(command: &Command, name: &str) -> String {
    let mut text = name.to_owned();
    if command.get_arguments().any(|arg| !arg.is_positional() && is_shown(arg) && !arg.is_global_set()) {
        text.push_str(" [OPTIONS]");
    }
    for arg in command.get_positionals().filter(|arg| !arg.is_hide_set()) {
        let names = positional(arg);
        _ = if arg.is_required_set() { write!(text, " {names}") } else { write!(text, " [{names}]") };
    }
    text
}

/// `PROVIDER...`, or `AGENT [ARGS...]`.
fn positional(arg: &Arg) -> String {
    let is_many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
    match value_names(arg).as_slice() {
        [name] if is_many => format!("{name}..."),
        [first, others @ ..] => {
            others.iter().fold(first.clone(), |names, name| format!("{names} [{name}...]"))
        }
        [] => String::new(),
    }
}

fn value_names(arg: &Arg) -> Vec<String> {
    match arg.get_value_names() {
        Some(names) => names.iter().map(ToString::to_string).collect(),
        None => vec![arg.get_id().as_str().to_uppercase()],
    }
}

fn is_shown(arg: &Arg) -> bool {
    !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str())
}

fn arguments(roff: &mut Roff, command: &Command, wanted: impl Fn(&Arg) -> bool) {
    let (positional, options): (Vec<_>, Vec<_>) = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && wanted(arg))
        .filter(|arg| command.get_name() == "agent-run" || is_shown(arg))
        .partition(|arg| arg.is_positional());
    for arg in positional.into_iter().chain(options) {
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        if help == PROVIDER {
            continue;
        }
        item(roff, term(arg), &format!("{}.", help.trim_end_matches('.')));
        let values = arg.get_possible_values();
        let shown = values.iter().filter(|value| !value.is_hide_set() && value.get_help().is_some());
        let takes_values = arg.is_positional() || arg.get_action().takes_values();
        for value in shown.filter(|_| takes_values) {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            roff.control("br", []).text([bold(value.get_name())]).text(inlines(&format!("- {help}")));
        }
    }
}

/// `--model MODEL`, or `AGENT [ARGS...]`.
fn term(arg: &Arg) -> Vec<Inline> {
    let names = value_names(arg).join(" ");
    if arg.is_positional() {
        return vec![italic(positional(arg))];
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let mut term = Vec::new();
    for (index, name) in [short, long].into_iter().flatten().enumerate() {
        if index > 0 {
            term.push(roman(", "));
        }
        term.push(bold(name));
    }
    if arg.get_action().takes_values() {
        let is_optional = arg.get_num_args().is_some_and(|range| range.min_values() == 0);
        term.extend(match (is_optional, arg.is_require_equals_set()) {
            (true, true) => vec![roman("[="), italic(names), roman("]")],
            (true, false) => vec![roman(" ["), italic(names), roman("]")],
            (false, _) => vec![roman(" "), italic(names)],
        });
    }
    term
}

/// The examples, whose lines are indented, and what else is said below a command's help.
fn after_help(roff: &mut Roff, command: &Command) {
    let text = command.get_after_long_help().or(command.get_after_help());
    let text = text.map(ToString::to_string).unwrap_or_default();
    // The page's own examples are a section.
    let skipped = usize::from(command.get_name() == "agent-run");
    let lines: Vec<_> = text.lines().skip(skipped).collect();
    for block in lines.chunk_by(|a, b| !a.is_empty() && a.starts_with("  ") == b.starts_with("  ")) {
        if block[0].starts_with("  ") {
            let lines: Vec<_> = block.iter().map(|line| &line[2..]).collect();
            roff.control("RS", ["2"]);
            literal(roff, &lines);
            roff.control("RE", []);
        } else if block.iter().any(|line| !line.is_empty()) {
            roff.control("PP", []).text(inlines(block.join(" ").trim()));
        }
    }
}
