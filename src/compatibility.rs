//! Which versions of each agent were run, when, and what held: what `.ci/contract` wrote down, as the program has it
//! built in. `doctor` prints it, and `docs/compatibility.md` is made of it by the test below.

use std::fmt;

/// Lines of agent, version, day, check, result and text, with tabs between them. A `#` starts a comment.
const WRITTEN_DOWN: &str = include_str!("compatibility.tsv");

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CheckResult {
    Holds,
    Fails,
    NotRun,
}

impl CheckResult {
    fn parse(text: &str) -> Option<Self> {
        [Self::Holds, Self::Fails, Self::NotRun].into_iter().find(|result| result.to_string() == text)
    }
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotRun => "not run",
        })
    }
}

/// One check of one version.
#[derive(Clone, Debug)]
pub struct TriedCheck {
    /// `inventory`, `adapter`, `acceptance`, `places`, `routing` or `variables`.
    pub name: &'static str,
    pub result: CheckResult,
    /// How many tests or names there were, or what failed.
    pub text: &'static str,
}

/// A version that was run.
#[derive(Clone, Debug)]
pub struct TriedVersion {
    pub version: &'static str,
    /// The day, as `2026-11-27`.
    pub day: &'static str,
    pub checks: Vec<TriedCheck>,
}

impl TriedVersion {
    /// What failed.
    pub fn failed(&self) -> impl Iterator<Item = &TriedCheck> {
        self.checks.iter().filter(|check| check.result == CheckResult::Fails)
    }

    /// Whether every check was run, and nothing failed.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.result == CheckResult::Holds)
    }
}

/// The versions of an agent that were run, in the order of the file: oldest first.
pub fn versions(agent: &str) -> Vec<TriedVersion> {
    read(WRITTEN_DOWN, agent)
}

fn read(text: &'static str, agent: &str) -> Vec<TriedVersion> {
    let mut versions: Vec<TriedVersion> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('\t');
        let (Some(of), Some(version), Some(day), Some(name), Some(result)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let Some(result) = CheckResult::parse(result).filter(|_| of == agent) else { continue };
        let check = TriedCheck { name, result, text: parts.next().unwrap_or_default() };
        match versions.iter_mut().find(|known| known.version == version) {
            Some(known) => known.checks.push(check),
            None => versions.push(TriedVersion { version, day, checks: vec![check] }),
        }
    }
    versions
}
