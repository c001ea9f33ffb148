//! What came of it: a line for each link, in words or as JSON.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde::{Serialize, Serializer};
use shims::Message;

use crate::env::{Environment, is_program};
use crate::launch::program;
use crate::shim_links;
use crate::ui::table::{self, text};
use crate::ui::{self, Screen, escaped, output};

/// What was done about a link, or what it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was made.
    Created,
    /// It stands as it should.
    AlreadyThere,
    /// It was ours and led elsewhere.
    Repointed,
    /// Something that is not ours stands there, and stays.
    Foreign,
    /// It was taken away.
    Removed,
    /// There was nothing to take away.
    Missing,
}

impl Outcome {
    /// Whether the link is there now.
    fn stands(self) -> bool {
        matches!(self, Self::Created | Self::AlreadyThere | Self::Repointed)
    }

    /// What is printed: what was done, or in a dry run what would be.
    fn word(self, dry_run: bool) -> &'static str {
        match self {
            Self::Created if dry_run => "create",
            Self::Repointed if dry_run => "re-point",
            Self::Removed if dry_run => "remove",
            Self::Created => "created",
            Self::AlreadyThere => "already there",
            Self::Repointed => "re-pointed",
            Self::Foreign => "left unchanged",
            Self::Removed => "removed",
            Self::Missing => "not there",
        }
    }
}

/// One link.
#[derive(Debug, Serialize)]
pub struct ShimLine {
    /// Its file name.
    pub name: String,
    /// What was done.
    pub outcome: Outcome,
    /// What it points to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether that is gone.
    pub dangling: bool,
    /// The command of the same name that is found before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadowed_by: Option<String>,
    /// The command of the same name that it is found before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hides: Option<String>,
    /// Why it cannot work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl ShimLine {
    /// A line about which nothing but the outcome is known.
    pub fn new(name: String, outcome: Outcome, target: Option<&Path>) -> Self {
        let target = target.map(shown);
        let (dangling, shadowed_by, hides, problem) = (false, None, None, None);
        Self { name, outcome, target, dangling, shadowed_by, hides, problem }
    }

    /// What is wrong with it.
    fn troubles(&self) -> Vec<String> {
        let dangling = self.dangling.then(|| "broken link".to_owned());
        let foreign =
            (self.outcome == Outcome::Foreign).then(|| "not created by agent-run, left unchanged".to_owned());
        let shadowed = self.shadowed_by.as_ref().map(|path| format!("shadowed by {path}"));
        let hides = self.hides.as_ref().map(|path| format!("hides {path}"));
        [foreign, dangling, self.problem.clone(), shadowed, hides].into_iter().flatten().collect()
    }
}

/// A path as text in any case: `serde` itself refuses one that is not UTF-8.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn lossy<S: Serializer>(path: &Path, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&shown(path))
}

/// All that came of a command.
#[derive(Debug, Serialize)]
pub struct ShimsReport {
    #[serde(serialize_with = "lossy")]
    dir: PathBuf,
    on_path: bool,
    dry_run: bool,
    shims: Vec<ShimLine>,
}

impl ShimsReport {
    /// A report on `dir` with nothing in it.
    pub fn new(dir: &Path, dry_run: bool) -> Self {
        Self { dir: dir.to_owned(), on_path: false, dry_run, shims: Vec::new() }
    }

    /// Adds a link.
    pub fn add(&mut self, line: ShimLine) {
        self.shims.push(line);
    }

    /// The names of the links that stand now.
    pub fn standing(&self) -> Vec<String> {
        self.named(Outcome::stands)
    }

    fn named(&self, is_wanted: fn(Outcome) -> bool) -> Vec<String> {
        let lines = self.shims.iter().filter(|line| is_wanted(line.outcome));
        lines.map(|line| line.name.clone()).collect()
    }

    /// Finds out whether the folder is on PATH, and which commands of the same names are there too.
    ///
    /// A link's name on PATH that leads to ourselves as well is as good as the link.
    pub fn look_at_path(&mut self, env: &Environment) {
        let path = env.path();
        let here = path.iter().position(|dir| is_same(dir, &self.dir));
        self.on_path = here.is_some();
        let Some(here) = here else { return };
        let (ourselves, folder) = (program::own_file_id(), self.dir.clone());
        let find = |dirs: &[PathBuf], name: &str| {
            let candidates = dirs.iter().filter(|dir| !is_same(dir, &folder)).map(|dir| dir.join(name));
            let mut programs = candidates.filter(|file| is_program(file));
            programs.find(|file| program::file_id(file) != ourselves).as_deref().map(shown)
        };
        for line in &mut self.shims {
            if line.outcome.stands() {
                line.shadowed_by = find(&path[..here], &line.name);
                line.hides = find(&path[here + 1..], &line.name);
            }
        }
    }

    /// Warns of what is not ours; says whether there is any.
    pub fn warn_of_foreign(&self) -> bool {
        let foreign = self.named(|outcome| outcome == Outcome::Foreign);
        for name in &foreign {
            ui::log::warn(format!(
                "{} was not created by agent-run and was not changed",
                self.dir.join(name).display()
            ));
        }
        !foreign.is_empty()
    }

    /// Warns of what keeps the links from being found.
    pub fn warn_of_path(&self, env: &Environment) {
        for line in &self.shims {
            for (what, other) in [("is shadowed by", &line.shadowed_by), ("hides", &line.hides)] {
                if let Some(other) = other {
                    ui::log::warn(format!("{} {what} {other}", line.name));
                }
            }
        }
        if !self.on_path {
            let help = shim_links::path_help(&self.dir, env);
            ui::log::warn(Message::new(format!("{} is not on PATH", self.dir.display()), help));
        }
    }

    /// Prints what was done.
    pub fn print(&self, json: bool) -> Result<ExitCode> {
        if json {
            return output::json(self);
        }
        output::people(|out| {
            for line in &self.shims {
                writeln!(out, "{:<14} {}", line.outcome.word(self.dry_run), line.name)?;
            }
            let dry = if self.dry_run { "; nothing was changed" } else { "" };
            let none = if self.shims.is_empty() { "no shims " } else { "" };
            writeln!(out, "{none}in {}{dry}", self.dir.display())
        })
    }

    /// Prints the links with their targets and what is wrong with them.
    pub fn print_list(&self, json: bool) -> Result<ExitCode> {
        if json {
            return output::json(self);
        }
        let none = if self.shims.is_empty() { "no shims " } else { "" };
        let path = if self.on_path { "" } else { ", which is not on PATH" };
        let folder = format!("{none}in {}{path}", self.dir.display());
        let screen = Screen::stdout();
        if screen.is_terminal() {
            return output::whole(&self.table(&folder, screen));
        }
        output::write(|out| {
            let width = self.shims.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
            for line in &self.shims {
                let target = line.target.as_deref().unwrap_or_default();
                let troubles = line.troubles();
                let troubles =
                    if troubles.is_empty() { String::new() } else { format!("  ({})", troubles.join("; ")) };
                writeln!(out, "{:<width$} -> {target}{troubles}", line.name)?;
            }
            writeln!(out, "{folder}")
        })
    }

    /// The links for a terminal. Where all of them point to one file, as they mostly do, it is named once.
    fn table(&self, folder: &str, screen: Screen) -> String {
        let shown = |line: &ShimLine| line.target.clone().unwrap_or_default();
        let common =
            self.shims.first().map(shown).filter(|it| self.shims.iter().all(|line| shown(line) == *it));
        let row = |line: &ShimLine| vec![line.name.clone(), line.troubles().join("; "), shown(line)];
        let rows: Vec<_> = self.shims.iter().map(row).collect();
        let mut columns = vec![text("shim")];
        let has_troubles = rows.iter().any(|row| !row[1].is_empty());
        let keep = [true, has_troubles, common.is_none()];
        columns.extend(has_troubles.then(|| text("problem")));
        columns.extend(common.is_none().then(|| text("points to").left_out(1)));
        let kept = |row: Vec<String>| {
            row.into_iter().zip(keep).filter_map(|(it, kept)| kept.then_some(it)).collect()
        };
        let rows: Vec<_> = rows.into_iter().map(kept).collect();
        let table = if rows.is_empty() { String::new() } else { table::aligned(&columns, &rows, screen) };
        let end = match (common, rows.len()) {
            (Some(target), 1) => format!("{folder}; it points to {target}"),
            (Some(target), _) => format!("{folder}; all point to {target}"),
            (None, _) => folder.to_owned(),
        };
        format!("{table}{}\n", screen.line(&escaped(&end), 0))
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    a == b || program::file_id(a).is_some_and(|found| Some(found) == program::file_id(b))
}
