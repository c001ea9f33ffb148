//! What the doctor found, in groups, and how it is printed.

use std::fmt::Write as _;

use anyhow::{Error, Result};
use console::measure_text_width;
use serde::Serialize;
use shims::Message;

use crate::probe::Interrupted;
use crate::ui::{Ink, Screen, escaped};

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
    pub mark: Severity,
    /// The agent, provider, file or folder it is about.
    subject: String,
    text: String,
    /// What to do; what is as it should be has none, and a known problem says it in its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// What stands for it in a line that names all that is as it should be, where that is not its subject.
    #[serde(skip)]
    brief: Option<String>,
}

impl Finding {
    /// Something is as it should be.
    pub fn ok(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { mark: Severity::Ok, subject: subject.into(), text: text.into(), help: None, brief: None }
    }

    /// A known problem of a version of an agent.
    pub fn known(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { mark: Severity::Known, ..Self::ok(subject, text) }
    }

    /// Something is worth knowing.
    pub fn note(subject: impl Into<String>, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { mark: Severity::Note, help: Some(help.into()), ..Self::ok(subject, text) }
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

    /// As this one, and called so where all that is as it should be has one line.
    #[must_use]
    pub fn briefly(self, brief: impl Into<String>) -> Self {
        Self { brief: Some(brief.into()), ..self }
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
    /// Whether all of it is printed even where it is as it should be: it was asked for.
    #[serde(skip)]
    is_asked: bool,
}

impl Group {
    /// A group with nothing in it.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), findings: Vec::new(), is_asked: false }
    }

    /// Adds what was found.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds why an agent could not be tried.
    ///
    /// # Errors
    /// [`Interrupted`], which ends the whole command.
    pub fn add_failure(&mut self, agent: &str, error: Error) -> Result<()> {
        if error.is::<Interrupted>() {
            return Err(error);
        }
        self.add(Finding::error(Severity::Problem, agent, &error, "run it again with RUST_LOG=debug"));
        Ok(())
    }

    fn with(&self, mark: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.mark == mark)
    }

    /// As this one, and always printed as a whole.
    pub fn asked(self) -> Self {
        Self { is_asked: true, ..self }
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

    fn with(&self, mark: Severity) -> impl Iterator<Item = &Finding> {
        self.groups.iter().flat_map(move |group| group.with(mark))
    }

    /// Those that no option asked for.
    fn unasked(&self, mark: Severity) -> impl Iterator<Item = &Finding> {
        self.groups.iter().filter(|group| !group.is_asked).flat_map(move |group| group.with(mark))
    }

    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.with(Severity::Problem).next().is_none()
    }

    /// The report for people: what is wrong and what is worth knowing, then in a line for each group what is as it
    /// should be.
    pub fn brief(&self, screen: Screen) -> String {
        let mut text = String::new();
        let wrong: Vec<_> = self.unasked(Severity::Problem).chain(self.unasked(Severity::Note)).collect();
        if !wrong.is_empty() {
            print(&mut text, &wrong, screen);
            text.push('\n');
        }
        let listed = self.groups.iter().filter(|group| !group.is_asked);
        let listed = listed.filter(|group| group.with(Severity::Ok).next().is_some());
        let width = listed.clone().map(|group| group.title.chars().count()).max().unwrap_or(0);
        for group in listed {
            let mut names: Vec<_> = (group.with(Severity::Ok))
                .map(|finding| finding.brief.as_deref().unwrap_or(&finding.subject))
                .collect();
            names.retain(|name| !name.is_empty());
            names.dedup();
            if !names.is_empty() {
                let line = format!("{:<width$}  {}", group.title, names.join(", "));
                _ = writeln!(
                    text,
                    "  {} {}",
                    shown(Severity::Ok, screen),
                    below(&line, INDENT + width + 2, screen)
                );
            }
        }
        for Group { title, findings, .. } in self.groups.iter().filter(|group| group.is_asked) {
            _ = writeln!(text, "\n{}", screen.paint(Ink::Heading, &escaped(title)));
            print(&mut text, &findings.iter().collect::<Vec<_>>(), screen);
        }
        let mut known: Vec<(&str, usize)> = Vec::new();
        for finding in self.unasked(Severity::Known) {
            match known.last_mut() {
                Some((subject, count)) if *subject == finding.subject => *count += 1,
                _ => known.push((&finding.subject, 1)),
            }
        }
        if !known.is_empty() {
            let known: Vec<_> = known.iter().map(|(subject, count)| format!("{subject} {count}")).collect();
            let line = format!("Known problems of these versions: {}; `-v` lists them.", known.join(", "));
            _ = write!(text, "\n{}", screen.line(&escaped(&line), 0));
        }
        text + "\n" + &self.sum(screen)
    }

    /// Everything, in its groups.
    pub fn full(&self, screen: Screen) -> String {
        let mut text = String::new();
        for Group { title, findings, .. } in &self.groups {
            _ = writeln!(text, "{}", screen.paint(Ink::Heading, &escaped(title)));
            print(&mut text, &findings.iter().collect::<Vec<_>>(), screen);
            text.push('\n');
        }
        text + &self.sum(screen)
    }

    fn sum(&self, screen: Screen) -> String {
        let (problems, notes) = (self.with(Severity::Problem).count(), self.with(Severity::Note).count());
        match (problems, notes) {
            (0, 0) => format!("{}\n", screen.paint(Ink::Good, "Nothing is wrong.")),
            (problems, notes) => format!("Problems: {problems}; notes: {notes}.\n"),
        }
    }
}

/// Prints findings one below the other, behind their marks.
fn print(text: &mut String, findings: &[&Finding], screen: Screen) {
    let width = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or(0);
    for Finding { mark, subject, text: said, help, .. } in findings {
        let line = format!("{subject:<width$}  {said}");
        let help = help.as_ref().map(|help| format!("help: {help}"));
        _ = write!(text, "  {} ", shown(*mark, screen));
        let is_wide = |terminal| INDENT + measure_text_width(&screen.tilde(&escaped(&line))) > terminal;
        // Beside its subject a text that does not fit would be left with half a line.
        let lines = match screen.width {
            Some(terminal) if is_wide(terminal) => [Some(subject.clone()), Some(said.clone()), help],
            _ => [Some(line), help, None],
        };
        for (at, line) in lines.iter().flatten().flat_map(|line| line.split('\n')).enumerate() {
            let indent = if at == 0 { 0 } else { INDENT };
            let is_command = line.starts_with(' ');
            let line = if is_command { screen.command(&escaped(line)) } else { below(line, INDENT, screen) };
            _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
}

/// Text that begins behind a mark, or below what does.
fn below(line: &str, hang: usize, screen: Screen) -> String {
    let indented = screen.line(&format!("{:INDENT$}{}", "", escaped(line)), hang);
    indented.trim_start_matches(' ').to_owned()
}

fn shown(mark: Severity, screen: Screen) -> String {
    let (word, ink) = match mark {
        Severity::Ok => ("ok", Ink::Good),
        Severity::Known => ("known", Ink::Faint),
        Severity::Note => ("note", Ink::Warning),
        Severity::Problem => ("problem", Ink::Error),
    };
    screen.paint(ink, &format!("{word:<7}")).into_owned()
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

    fn report() -> DoctorReport {
        let mut keys = Group::new("Keys");
        keys.extend([
            Finding::ok("a", "fine"),
            Finding::ok("b", "/home/u/b").briefly("b 1.0"),
            Finding::problem("long", "not set", "set it"),
        ]);
        let mut agents = Group::new("Agents");
        agents.extend([Finding::note("c", "old", "update it"), Finding::known("c", "crashes")]);
        let mut report = DoctorReport::default();
        report.add(keys);
        report.add(Group::new("Empty"));
        report.add(agents);
        report
    }

    #[test]
    fn a_report_says_first_what_is_wrong() {
        let report = report();
        assert_eq!(
            report.brief(Screen::plain()),
            "  problem long  not set\n          help: set it\n  note    c     old\n          help: update it\n\n  \
             ok      Keys  a, b 1.0\n\nKnown problems of these versions: c 1; `-v` lists them.\n\
             Problems: 1; notes: 1.\n"
        );
        assert!(!report.is_well());
        assert_eq!(DoctorReport::default().brief(Screen::plain()), "\nNothing is wrong.\n");
    }

    #[test]
    fn in_full_a_report_lines_up_in_its_groups() {
        assert_eq!(
            report().full(Screen::wide(80, "/home/u")),
            "Keys\n  ok      a     fine\n  ok      b     ~/b\n  problem long  not set\n          help: set it\n\n\
             Agents\n  note    c  old\n          help: update it\n  known   c  crashes\n\nProblems: 1; notes: 1.\n"
        );
    }

    #[test]
    fn on_a_terminal_lines_are_broken_between_words_and_never_wider() {
        let mut group = Group::new("Keys");
        group.extend([
            Finding::ok("a", "fine"),
            Finding::problem(
                "long",
                "one two three four five six",
                "do that and then again this:\n  a line to be copied whole",
            ),
        ]);
        let mut report = DoctorReport::default();
        report.add(group);
        assert_eq!(
            report.full(Screen::wide(32, "")),
            "Keys\n  ok      a     fine\n  problem long\n          one two three four\n          five six\n          \
             help: do that and then\n          again this:\n            a line to be copied whole\n\nProblems: 1; notes: 0.\n"
        );
    }
}
