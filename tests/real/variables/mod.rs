//! Every variable that an agent's own program knows, as a foreign URL, as `1` and as a stray key, inherited and from
//! files: no request, key or model moves, the key is not on stderr, and the launch answers.
//!
//! Nothing here knows what a variable means, so that a name of the next version is tried before anybody read of it.
//! CI tries a part, the names that sound of routing first, and of these the ones that no list has; `.ci/variables` tries all. What a name may do is judged in
//! `shims/judged/`.

mod machine;
pub mod names;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use shims::inputs::matches;

use crate::support::{net, real};
use machine::{Format, Machine, Place, Probe, Subject, Value};

/// Set to `all` to try every name.
const HOW_MUCH: &str = "AGENT_RUN_TEST_VARIABLES";

/// Names of one place in a launch.
const BATCH: usize = 16;

const PLACES: [Place; 3] = [Place::Inherited, Place::User, Place::Project];
const VALUES: [Value; 3] = [Value::Url, Value::One, Value::Stray];

/// What the list of an agent leaves out of this: the user's own word, or the launcher's refusal, which stops or changes
/// the launch and takes nothing elsewhere.
struct Judged(Vec<String>);

impl Judged {
    #[track_caller]
    fn new(agent: &str) -> Self {
        let rows = crate::judged::of(agent).into_iter().filter(|row| row.what == "tried");
        Self(rows.map(|row| row.name).collect())
    }

    fn is_left_out(&self, name: &str, place: Place) -> bool {
        self.0.iter().any(|rule| match rule.split_once(':') {
            Some((only, pattern)) => {
                only.eq_ignore_ascii_case(&format!("{place:?}")) && matches(pattern, name)
            }
            None => matches(rule, name),
        })
    }
}

/// The batches of all names: in each launch, other names in each place.
fn batches(names: &[String], places: &[Place], judged: &Judged) -> Vec<Vec<Probe>> {
    let mut batches = Vec::new();
    for turn in 0..VALUES.len() {
        for start in (0..names.len()).step_by(BATCH) {
            let mut batch = Vec::new();
            for (index, place) in places.iter().enumerate() {
                let start = (start + index * (names.len() / 3 / BATCH * BATCH)) % names.len();
                let value = VALUES[(turn + index) % VALUES.len()];
                let some = names[start..].iter().take(BATCH).filter(|name| !judged.is_left_out(name, *place));
                batch.extend(some.map(|name| Probe { name: name.clone(), place: *place, value }));
            }
            batches.push(batch);
        }
    }
    batches
}

/// The least sets of probes that are at fault.
fn guilty(machine: &mut Machine, probes: &[Probe], fault: &str, found: &mut Vec<String>) {
    if let [probe] = probes {
        found.push(format!("{probe}: {fault}"));
        return;
    }
    let (left, right) = probes.split_at(probes.len() / 2);
    let faults = [left, right].map(|half| machine.fault(half));
    if faults.iter().all(Option::is_none) {
        let names: Vec<_> = probes.iter().map(ToString::to_string).collect();
        // What fails only now and then, on a busy machine, does not fail twice.
        if let Some(fault) = machine.fault(probes) {
            found.push(format!("{}: together: {fault}", names.join(" ")));
        }
        return;
    }
    for (half, fault) in [left, right].into_iter().zip(faults) {
        if let Some(fault) = fault {
            guilty(machine, half, &fault, found);
        }
    }
}

/// Whether a name sounds of routing, keys or models.
fn sounds_of_routing(name: &str) -> bool {
    const PARTS: [&str; 12] = [
        "URL",
        "TOKEN",
        "KEY",
        "MODEL",
        "PROXY",
        "ENDPOINT",
        "HOST",
        "AUTH",
        "SOCKET",
        "DESCRIPTOR",
        "HEADER",
        "BODY",
    ];
    PARTS.iter().any(|part| name.contains(part))
}

#[track_caller]
fn nothing_moves(subject: &'static Subject, sample: usize) {
    let is_all = std::env::var(HOW_MUCH).is_ok_and(|value| value == "all");
    if real::sandbox(subject.agent).is_none() || !net::is_inside_for(if is_all { 7200 } else { 900 }) {
        return;
    }
    let judged = Judged::new(subject.agent);
    let mut names = names::of(subject.agent);
    let rows: Vec<_> =
        crate::judged::of(subject.agent).into_iter().filter(|row| row.what == "variable").collect();
    let is_known = |name: &str| rows.iter().any(|row| matches(&row.name, name));
    names.sort_by_key(|name| (!sounds_of_routing(name), is_known(name)));
    let total = names.len();
    let has = |place: &Place| match place {
        Place::Inherited => true,
        Place::User => subject.user.is_some(),
        Place::Project => subject.project.is_some(),
    };
    let places: Vec<_> = PLACES.into_iter().filter(has).collect();
    if !is_all {
        names.truncate(sample * BATCH / VALUES.len());
    }
    let mut machine = Machine::set(subject);
    assert_eq!(machine.fault(&[]), None, "without any variable");
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("variables-{}.log", subject.agent));
    let (mut found, mut text) = (Vec::new(), format!("{} of {total} names\n", names.len()));
    for batch in batches(&names, &places, &judged) {
        if let Some(fault) = machine.fault(&batch) {
            let before = found.len();
            guilty(&mut machine, &batch, &fault, &mut found);
            found[before..].iter().for_each(|fault| _ = writeln!(text, "{fault}"));
        }
        fs::write(&log, format!("{text}{} launches\n", machine.launches())).unwrap();
    }
    assert!(
        found.is_empty(),
        "{}: variables that move something, or stop a launch. Cleanse or guard them, or judge them in \
         shims/judged/{}.txt:\n{}",
        subject.agent,
        subject.agent,
        found.join("\n")
    );
}

static CLAUDE: Subject = Subject {
    agent: "claude",
    protocol: "anthropic",
    words: &["-p", "hi"],
    user: Some((".claude/settings.json", Format::Json)),
    project: Some((".claude/settings.json", Format::Json)),
};

static CODEX: Subject = Subject {
    agent: "codex",
    protocol: "openai-responses",
    words: &["exec", "hi"],
    user: Some((".codex/.env", Format::Dotenv)),
    project: None,
};

static HERMES: Subject = Subject {
    agent: "hermes",
    protocol: "openai-chat-completions",
    words: &["-z", "hi"],
    user: Some((".hermes/.env", Format::Dotenv)),
    project: None,
};

static CRUSH: Subject = Subject {
    agent: "crush",
    protocol: "openai-chat-completions",
    words: &["run", "-q", "hi"],
    user: Some((".config/crush/crush.json", Format::Json)),
    project: Some((".env", Format::Dotenv)),
};

#[test]
fn no_variable_that_claude_knows_moves_anything() {
    nothing_moves(&CLAUDE, 30);
}

#[test]
fn no_variable_that_codex_knows_moves_anything() {
    nothing_moves(&CODEX, 12);
}

#[test]
fn no_variable_that_hermes_knows_moves_anything() {
    nothing_moves(&HERMES, 9);
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn no_variable_that_crush_knows_moves_anything() {
    nothing_moves(&CRUSH, 12);
}
