//! The judged lists: what an agent opens, and what the adapter makes of it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::trace::Trace;

/// What is known of a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// The launcher looks at it too.
    Read,
    /// What it says is overruled, whatever it says.
    Overruled,
    /// Nothing in it takes a request, a key or a model elsewhere.
    Harmless,
}

/// The places of a list. The first pattern that fits counts.
pub struct Judged {
    name: &'static str,
    rules: Vec<(String, Verdict)>,
}

/// Whether the launcher asked for the path, or for a folder above it that is not there, which tells as much.
fn is_looked_for(path: &Path, launcher: &BTreeSet<PathBuf>) -> bool {
    let missing = path.ancestors().skip(1).take_while(|folder| !folder.exists());
    std::iter::once(path).chain(missing).any(|asked| launcher.contains(asked))
}

impl Judged {
    #[track_caller]
    pub fn new(name: &'static str) -> Self {
        let places = crate::judged::of(name).into_iter().filter(|row| row.what == "place");
        let rules = places.map(|row| {
            let verdict = match &*row.action {
                "read" => Verdict::Read,
                "overruled" => Verdict::Overruled,
                "harmless" | "text" | "text-above" => Verdict::Harmless,
                other => panic!("{name}: verdict `{other}`"),
            };
            (row.name, verdict)
        });
        Self { name, rules: rules.collect() }
    }

    fn verdict(&self, place: &str) -> Option<Verdict> {
        self.rules.iter().find(|(pattern, _)| fits(pattern, place)).map(|(_, verdict)| *verdict)
    }

    /// What is wrong with a launch: places that nobody judged, and places that the launcher should have looked at.
    pub fn faults(&self, case: &str, trace: &Trace, named: &dyn Fn(&Path) -> Option<String>) -> String {
        let mut faults = BTreeSet::new();
        for path in &trace.agent {
            let Some(place) = named(path) else { continue };
            match self.verdict(&place) {
                None => _ = faults.insert(format!("unjudged  {place}")),
                Some(Verdict::Read) if !is_looked_for(path, &trace.launcher) => {
                    faults.insert(format!("not read  {place}"));
                }
                Some(_) => {}
            }
        }
        let mut text = String::new();
        for fault in faults {
            _ = writeln!(text, "{}: {case}: {fault}", self.name);
        }
        text
    }
}

/// Whether a place fits: `*` stands for any text without `/`, `**` for any text.
fn fits(pattern: &str, place: &str) -> bool {
    let Some(star) = pattern.find('*') else { return pattern == place };
    let Some(rest) = place.strip_prefix(&pattern[..star]) else { return false };
    let (pattern, deep) = match pattern[star..].strip_prefix("**") {
        Some(pattern) => (pattern, true),
        None => (&pattern[star + 1..], false),
    };
    let end = if deep { rest.len() } else { rest.find('/').unwrap_or(rest.len()) };
    (0..=end).filter(|at| rest.is_char_boundary(*at)).any(|at| fits(pattern, &rest[at..]))
}

#[test]
fn patterns_fit_as_they_say() {
    for (pattern, place, expected) in [
        ("{home}/.claude/*.json", "{home}/.claude/a.json", true),
        ("{home}/.claude/*.json", "{home}/.claude/a/b.json", false),
        ("{home}/**.json", "{home}/.claude/a/b.json", true),
        ("{home}/**/x", "{home}/x", false),
        ("{home}", "{home}/x", false),
    ] {
        assert_eq!(fits(pattern, place), expected, "{pattern} {place}");
    }
}
