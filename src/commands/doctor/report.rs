//! What the doctor found, in groups, and how it is printed.

use shims::Message;
use std::io::{self, Write};

use anyhow::Error;
use serde::Serialize;

use crate::ui::sanitize::{SanitizingWriter, escaped};
use crate::ui::table::{paragraph, width_of};

/// The width of a mark, and of what is written below it.
const INDENT: usize = 10;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// A problem of the agent's own that is known of this version; it is no finding about this machine.
    Known,
    /// Worth knowing; nothing has to be done.
    Note,
    /// Wrong.
    Problem,
}

/// One thing found.
#[derive(Debug, Serialize)]
pub struct Finding {
    mark: Severity,
    /// The agent, provider, file or folder it is about.
    subject: String,
    text: String,
    /// What to do; what is as it should be has none, and a known problem says it in its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Finding {
    /// Something is as it should be.
    pub fn ok(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { mark: Severity::Ok, subject: subject.into(), text: text.into(), help: None }
    }

    /// How grave it is.
    pub fn mark(&self) -> Severity {
        self.mark
    }

    /// A known problem of a version of an agent.
    pub fn known(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { mark: Severity::Known, ..Self::ok(subject, text) }
    }

    /// Something is worth knowing.
    pub fn note(subject: impl Into<String>, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { mark: Severity::Note, subject: subject.into(), text: text.into(), help: Some(help.into()) }
    }

    /// Something is wrong.
    pub fn problem(subject: impl Into<String>, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { mark: Severity::Problem, ..Self::note(subject, text, help) }
    }

    /// What a message says, with its own help as what to do.
    pub fn said(mark: Severity, subject: impl Into<String>, message: &Message, otherwise: &str) -> Self {
        let help = message.help.as_deref().unwrap_or(otherwise);
        Self { mark, ..Self::note(subject, message.text.as_str(), help) }
    }

    /// What an error says; `otherwise` is what to do where it does not.
    pub fn error(mark: Severity, subject: impl Into<String>, error: &Error, otherwise: &str) -> Self {
        Self::said(mark, subject, &crate::error::message(error), otherwise)
    }

    /// Adds an alternative remedy.
    #[must_use]
    pub fn or_else_do(mut self, what: &str) -> Self {
        if let Some(help) = self.help.as_mut().filter(|help| !help.contains(what)) {
            *help = format!("{help}, or {what}");
        }
        self
    }
}

/// Findings of one kind.
#[derive(Debug, Serialize)]
pub struct Group {
    title: String,
    findings: Vec<Finding>,
}

impl Group {
    /// A group with nothing in it.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), findings: Vec::new() }
    }

    /// Adds what was found.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl Extend<Finding> for Group {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        self.findings.extend(findings);
    }
}

/// Everything found.
#[derive(Debug, Default, Serialize)]
pub struct DoctorReport {
    groups: Vec<Group>,
}

impl DoctorReport {
    /// Adds a group, unless there is nothing in it.
    pub fn add(&mut self, group: Group) {
        if !group.findings.is_empty() {
            self.groups.push(group);
        }
    }

    fn count(&self, mark: Severity) -> usize {
        self.groups.iter().flat_map(|group| &group.findings).filter(|finding| finding.mark == mark).count()
    }

    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.count(Severity::Problem) == 0
    }

    /// Writes it for people, the marks in colour or plain, no wider than a terminal of this width.
    pub fn print(&self, out: &mut impl Write, colour: bool, terminal: Option<usize>) -> io::Result<()> {
        for Group { title, findings } in &self.groups {
            writeln!(SanitizingWriter::new(&mut *out), "{title}")?;
            let width = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or(0);
            for Finding { mark, subject, text, help } in findings {
                write!(out, "  {} ", shown(*mark, colour))?;
                // The marks' colours are the only sequences that a terminal gets.
                let mut out = SanitizingWriter::new(&mut *out);
                let line = format!("{subject:<width$}  {text}");
                let help = help.as_ref().map(|help| format!("help: {help}"));
                match terminal {
                    // Beside its subject a text that does not fit would be left with half a line.
                    Some(terminal) if INDENT + width_of(&escaped(&line)) > terminal => {
                        let below = [Some(text), help.as_ref()].into_iter().flatten();
                        write_below(&mut out, std::iter::once(subject).chain(below), Some(terminal))?;
                    }
                    _ => write_below(&mut out, std::iter::once(&line).chain(&help), terminal)?,
                }
            }
            writeln!(out)?;
        }
        match (self.count(Severity::Problem), self.count(Severity::Note)) {
            (0, 0) => writeln!(out, "Nothing is wrong."),
            (problems, notes) => writeln!(out, "Problems: {problems}; notes: {notes}."),
        }
    }
}

/// Writes texts one below the other behind the marks, the first of them in the line that has begun.
fn write_below<'a>(
    out: &mut impl Write,
    texts: impl Iterator<Item = &'a String>,
    terminal: Option<usize>,
) -> io::Result<()> {
    let lines = |text: &'a String| match terminal {
        Some(terminal) => paragraph(&escaped(text), terminal.saturating_sub(INDENT).max(1)),
        None => text.split('\n').map(str::to_owned).collect(),
    };
    for (index, line) in texts.flat_map(lines).enumerate() {
        writeln!(out, "{:indent$}{line}", "", indent = if index == 0 { 0 } else { INDENT })?;
    }
    Ok(())
}

fn shown(mark: Severity, colour: bool) -> String {
    let (word, code) = match mark {
        Severity::Ok => ("ok", 32),
        Severity::Known => ("known", 2),
        Severity::Note => ("note", 33),
        Severity::Problem => ("problem", 31),
    };
    if colour { format!("\x1b[{code}m{word:<7}\x1b[0m") } else { format!("{word:<7}") }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn what_to_do_is_found_wherever_an_error_says_it() {
        for error in [
            anyhow!(Message::new("cause", "do it")).context("outer"),
            anyhow!("cause").context(Message::new("outer", "do it")),
        ] {
            let finding = Finding::error(Severity::Problem, "x", &error, "nothing");
            assert_eq!((finding.text.as_str(), finding.help.as_deref()), ("outer: cause", Some("do it")));
        }
    }

    #[test]
    fn a_report_lines_up_and_counts() {
        let mut group = Group::new("Keys");
        group.extend([Finding::ok("a", "fine"), Finding::problem("long", "not set", "set it")]);
        let mut report = DoctorReport::default();
        report.add(group);
        report.add(Group::new("Empty"));
        let printed = |colour| {
            let mut out = Vec::new();
            report.print(&mut out, colour, None).expect("written");
            String::from_utf8(out).expect("text")
        };
        let plain = "Keys\n  ok      a     fine\n  problem long  not set\n          help: set it\n\n\
                     Problems: 1; notes: 0.\n";
        assert_eq!(printed(false), plain);
        assert!(printed(true).contains("\x1b[32mok     \x1b[0m a     fine"));
        assert!(!report.is_well());
    }

    #[test]
    fn on_a_terminal_lines_are_broken_between_words_and_never_wider() {
        let mut group = Group::new("Keys");
        group.extend([
            Finding::ok("a", "fine"),
            Finding::problem("long", "one two three four five six", "do that and then again this"),
        ]);
        let mut report = DoctorReport::default();
        report.add(group);
        let mut out = Vec::new();
        report.print(&mut out, false, Some(32)).expect("written");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "Keys\n  ok      a     fine\n  problem long\n          one two three four\n          five six\n          \
             help: do that and then\n          again this\n\nProblems: 1; notes: 0.\n"
        );
    }
}
