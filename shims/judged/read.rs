//! The judged lists, one an agent: what of its own names and places we know, and what a launch does about each.
//!
//! Read by `shims/build.rs`, which makes the adapters' tables of them, and by the tests that look for names and places
//! that nobody judged.

/// One judgement: `what | name | kind | action | since | reason`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Judgement {
    /// `variable`, `setting`, `command`, `flag`, `place`, or `tried` for what the fuzz of variables leaves out; a key of a
    /// `project`'s settings, of an administrator's (`managed`, `requirement`, `system`), or of a side `task`;
    /// an `entry` of the agent's home, an `option` of its command line, a name that a `dotenv` may not set, or a
    /// `problem` of some versions.
    pub what: String,
    /// A name, or a pattern in which `*` stands for any text. A line of a `project` may have several.
    pub name: String,
    /// What it does: see [`KINDS`].
    pub kind: String,
    /// What a launch does about it: see [`ACTIONS`].
    pub action: String,
    /// The oldest version that it was seen in; of a problem that is gone, the first version without it too.
    pub since: String,
    pub reason: String,
}

/// What a name can do. All but `other` matter: a new name of such a kind is a finding.
pub const KINDS: [&str; 6] = ["authenticates", "routes", "model", "request", "background", "other"];

/// What a launch does about a name, by what it is.
const ACTIONS: [(&str, &[&str]); 15] = [
    // `pinned`: set by each launch, so that no file of the agent's can, now or later. `held`: Claude Code takes it from
    // the environment alone in a launch. `own`: the user's own, left as it is.
    ("variable", &["removed", "pinned", "spared", "held", "carried", "own"]),
    // `replaced`: taken out of the user's own, or overruled. `pinned`: a word says the launch's. `named`: a warning
    // says it. `sent`: it names a file whose text becomes a part of a request, which is looked at.
    ("setting", &["replaced", "pinned", "named", "sent", "own"]),
    // `keyless`: asks no model, and gets no key.
    ("command", &["refused", "keyless", "own"]),
    ("managed", &["named"]),
    ("requirement", &["named"]),
    ("system", &["named"]),
    // `supposed`: overruled for the ending of the name alone, and `plain` is what that must not hold.
    ("project", &["overruled", "supposed", "plain", "named", "pinned", "refused", "own"]),
    ("task", &["own"]),
    ("entry", &["own", "kept", "made", "folder", "file"]),
    ("option", &["valued"]),
    ("dotenv", &["stops"]),
    ("problem", &["open", "gone"]),
    ("flag", &["replaced", "refused", "own"]),
    // `text`: for the model, of the folder where the agent starts; `text-above`: also of those above it.
    ("place", &["read", "overruled", "text", "text-above", "harmless"]),
    ("tried", &["own", "refused"]),
];

/// Reads a list.
///
/// # Errors
/// Names the line that is no judgement.
pub fn read(text: &str) -> Result<Vec<Judgement>, String> {
    let mut list: Vec<Judgement> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why: &str| format!("line {}: {why}: {line}", at + 1);
        let mut parts = line.splitn(6, '|').map(|part| part.trim().to_owned());
        let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or_else(|| wrong("not six parts"));
        let row = Judgement {
            what: part()?,
            name: part()?,
            kind: part()?,
            action: part()?,
            since: part()?,
            reason: part()?,
        };
        let actions = ACTIONS.iter().find(|(what, _)| *what == row.what).map(|(_, actions)| *actions);
        if !actions.ok_or_else(|| wrong("nothing to judge"))?.contains(&row.action.as_str()) {
            return Err(wrong("no such action"));
        }
        if !KINDS.contains(&row.kind.as_str()) {
            return Err(wrong("no such kind"));
        }
        if row.action.starts_with("text") && !row.name.starts_with("**/") {
            return Err(wrong("a text is looked for in any folder, `**/…`"));
        }
        // Those that a project may not set are many, so that a line may have several.
        let names = row.name.split(if row.what == "project" { ' ' } else { '|' });
        for name in names.filter(|name| !name.is_empty()).map(str::to_owned) {
            let row = Judgement { name, ..row.clone() };
            let is_known = |known: &Judgement| {
                (&known.what, &known.name, &known.action) == (&row.what, &row.name, &row.action)
            };
            if list.iter().any(is_known) {
                return Err(wrong("judged twice"));
            }
            list.push(row);
        }
    }
    Ok(list)
}
