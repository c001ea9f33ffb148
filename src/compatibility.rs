//! Which versions of each agent were run, when, and what passed: what `.ci/contract` wrote down, as the program has it
//! built in. `doctor` prints it, and `docs/compatibility.md` is made of it by the test below.

use std::fmt;

/// Lines of agent, version, date, check, result and text, with tabs between them. A `#` starts a comment.
const WRITTEN_DOWN: &str = include_str!("compatibility.tsv");

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CheckResult {
    Passed,
    Failed,
    NotRun,
}

impl CheckResult {
    fn parse(text: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::NotRun].into_iter().find(|result| result.to_string() == text)
    }
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotRun => "not run",
        })
    }
}

/// Every check, in the order of `.ci/contract`.
const CHECKS: [&str; 6] = ["inventory", "adapter", "places", "acceptance", "routing", "variables"];

/// One check of one version.
#[derive(Clone, Debug)]
pub struct TriedCheck {
    /// One of [`CHECKS`].
    pub name: &'static str,
    pub result: CheckResult,
    /// How many tests or names there were, or what failed.
    pub text: &'static str,
}

/// A version that was run.
#[derive(Clone, Debug)]
pub struct TriedVersion {
    pub version: &'static str,
    /// The date, as `2026-11-27`.
    pub date: &'static str,
    pub checks: Vec<TriedCheck>,
}

impl TriedVersion {
    /// What failed.
    pub fn failed(&self) -> impl Iterator<Item = &TriedCheck> {
        self.checks.iter().filter(|check| check.result == CheckResult::Failed)
    }

    /// Whether every check was run, and nothing failed.
    pub fn passed(&self) -> bool {
        let held =
            |name| self.checks.iter().any(|check| check.name == name && check.result == CheckResult::Passed);
        CHECKS.into_iter().all(held)
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
        let (Some(of), Some(version), Some(date), Some(name), Some(result)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let Some(result) = CheckResult::parse(result).filter(|_| of == agent) else { continue };
        let check = TriedCheck { name, result, text: parts.next().unwrap_or_default() };
        match versions.iter_mut().find(|known| known.version == version) {
            Some(known) => known.checks.push(check),
            None => versions.push(TriedVersion { version, date, checks: vec![check] }),
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::path::Path;

    use super::*;

    /// `docs/compatibility.md`, of the table and of what the adapters say.
    fn page() -> String {
        let mut page = String::from(
            "# Tested versions\n\nThis page lists which versions of each agent were tested with agent-run, and with \
             which results. `agent-run doctor`\nprints the same for the versions on your machine, and `agent-run doctor \
             --probe` tests them there. `.ci/contract\n--record` and the test in `src/compatibility.rs` write this page: \
             do not edit it.\n\nA check that is not in an agent's table was not run.\n\n| check | what it tests |\n|---|---|\n| inventory | every name in the agent that could \
             carry a key, a route, a model, a header or a background session is reviewed in `shims/judged/` |\n| adapter | \
             the plans of launches |\n| places | every file that the agent opens is reviewed |\n| acceptance | real \
             launches of the agent: prompts, sessions, settings, servers, completion and `doctor --probe` |\n| routing | settings that could redirect the agent |\n| variables | the agent's own \
             variables, set to URLs, to `1` and to keys |\n",
        );
        for agent in shims::coding_agents() {
            let (name, known) = (agent.name(), agent.info());
            _ = write!(
                page,
                "\n## {}\n\nOldest supported: {}. Version in the tests: {}.\n\n",
                agent.title(),
                known.minimum,
                known.tested
            );
            let tried = versions(name);
            if !tried.is_empty() {
                page.push_str("| version | date | check | result | |\n|---|---|---|---|---|\n");
            }
            for TriedVersion { version, date, checks } in tried {
                for TriedCheck { name, result, text } in checks {
                    _ = writeln!(
                        page,
                        "| {version} | {date} | {name} | {result} | {} |",
                        text.replace('|', "\\|")
                    );
                }
            }
            page.push_str("\nKnown problems:\n\n");
            for problem in agent.info().known_problems {
                _ = writeln!(page, "- {} ({})", problem.text, problem.versions());
            }
        }
        page
    }

    #[test]
    fn the_page_on_compatibility_is_made_of_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, page()).expect("written");
        }
        // Packages are built without `docs/`.
        if path.exists() {
            let written = std::fs::read_to_string(&path).expect("text");
            assert!(
                written == page(),
                "docs/compatibility.md is not what the table says: UPDATE=1 rewrites it"
            );
        }
    }

    #[test]
    fn every_line_of_the_table_is_understood() {
        for line in WRITTEN_DOWN.lines().filter(|line| !line.starts_with('#')) {
            let parts: Vec<_> = line.split('\t').collect();
            let [agent, version, date, check, result, _] = parts[..] else { panic!("not six parts: {line}") };
            assert!(shims::by_name(agent).is_some(), "{line}");
            assert!(version.split('.').all(|part| part.parse::<u64>().is_ok()), "{line}");
            assert_eq!(date.len(), 10, "{line}");
            assert!(CHECKS.contains(&check) && CheckResult::parse(result).is_some(), "{line}");
            assert!(versions(agent).iter().any(|tried| {
                tried.version == version && tried.checks.iter().any(|tried| tried.name == check)
            }));
        }
    }

    #[test]
    fn checks_are_read_by_agent_and_version() {
        const TEXT: &str = "# c\na\t1.2\t2026-01-02\trouting\tpassed\t9 tests\nb\t1.2\t2026-01-02\trouting\tfailed\tx\n\
                            a\t1.10\t2026-01-03\trouting\tfailed\ty\na\t1.10\t2026-01-03\tplaces\tnot run\t\n";
        let read = read(TEXT, "a");
        assert_eq!(read.iter().map(|tried| tried.version).collect::<Vec<_>>(), ["1.2", "1.10"]);
        assert!(!read[0].passed(), "one check is not all");
        let mut all = read[1].clone();
        all.checks = CHECKS.map(|name| TriedCheck { name, result: CheckResult::Passed, text: "" }).into();
        assert!(all.passed());
        assert_eq!(read[1].failed().map(|check| check.text).collect::<Vec<_>>(), ["y"]);
    }
}
