//! Makes the adapters' tables of the judged lists, so that judging a new name is the change.
//!
//! For each agent a file of constants: `VARIABLE_REMOVED` holds the names of all rows `variable | … | removed`, in the
//! order of the list, `VARIABLE_REMOVED_BACKGROUND` those of that kind among them, and `VARIABLE_SPARED` those that
//! are spared, with their reasons, as all tables of [`SHOWN`]. A launch parses nothing.
#![expect(
    clippy::disallowed_methods,
    reason = "what must be pure is the planning, not how its tables are made"
)]
#![allow(clippy::print_stdout, reason = "this is how a build script speaks")]

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::path::Path;
use std::{env, fs};

#[path = "judged/read.rs"]
mod read;

/// The tables whose reasons the program needs too, most to show them.
const SHOWN: [&str; 6] = [
    "VARIABLE_SPARED",
    "MANAGED_NAMED",
    "REQUIREMENT_NAMED",
    "SYSTEM_NAMED",
    "PROJECT_OVERRULED",
    "PROJECT_NAMED",
];

/// The tables of places: the start of the names that are in one, which are those without a `*` after it, and what a
/// launch does about them. What is read is in a project's folder, wherever in it the agent starts, in a plugin's, or of
/// administrators; texts are in any folder.
const PLACES: [(&str, &str, &str); 5] = [
    ("READ", "{project}/sub/", "read"),
    ("READ_OF_PLUGINS", "{plugin}/", "read"),
    ("READ_OF_SYSTEM", "/etc/", "read"),
    ("TEXT", "**/", "text"),
    ("TEXT_ABOVE", "**/", "text-above"),
];

const AGENTS: [&str; 4] = ["claude", "codex", "crush", "hermes"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = env::var("OUT_DIR")?;
    for agent in AGENTS {
        let list = format!("judged/{agent}.txt");
        let text = fs::read_to_string(&list).map_err(|error| format!("shims/{list}: {error}"))?;
        let rows = read::read(&text).map_err(|error| format!("shims/{list}: {error}"))?;
        let mut tables: BTreeMap<String, Vec<&read::Judgement>> = BTreeMap::new();
        for row in rows.iter().filter(|row| !["flag", "place", "problem", "tried"].contains(&&*row.what)) {
            // A setting in a table has its own: `delegation.model`. What is pinned is named whole.
            let table = row.name.split_once('.').filter(|_| row.action == "replaced").map(|(table, _)| table);
            let within = table.map(|table| format!("_in_{table}")).unwrap_or_default();
            let name = format!("{}_{}{within}", row.what, row.action).to_uppercase();
            if row.kind == "background" {
                tables.entry(format!("{name}_BACKGROUND")).or_default().push(row);
            }
            tables.entry(name).or_default().push(row);
        }
        let mut code = String::new();
        let mut constant = |name: &str, kind: &str, rows: &dyn Debug| {
            writeln!(code, "pub const {name}: &[{kind}] = &{rows:?};")
        };
        for (table, folder, action) in PLACES {
            let places = rows.iter().filter(|row| row.what == "place" && row.action == action);
            let names = places.filter_map(|row| row.name.strip_prefix(folder));
            let names: Vec<_> = names.filter(|name| !name.contains('*')).collect();
            constant(&format!("PLACE_{table}"), "&str", &names)?;
        }
        for (table, rows) in tables {
            let name = |row: &&read::Judgement| match row.name.split_once('.') {
                Some((_, within)) if table.contains("_IN_") => within.to_owned(),
                _ => row.name.clone(),
            };
            if SHOWN.contains(&&*table) {
                let rows: Vec<_> = rows.iter().map(|row| (&row.name, &row.reason)).collect();
                constant(&table, "(&str, &str)", &rows)?;
            } else {
                constant(&table, "&str", &rows.iter().map(name).collect::<Vec<_>>())?;
            }
        }
        writeln!(code, "pub const PROBLEMS: &[crate::KnownProblem] = &[")?;
        for row in rows.iter().filter(|row| row.what == "problem") {
            let mut versions = row.since.split(' ');
            let (since, gone) = (versions.next().unwrap_or_default(), versions.next());
            let text = &row.reason;
            writeln!(code, "crate::KnownProblem {{ since: {since:?}, gone: {gone:?}, text: {text:?} }},")?;
        }
        writeln!(code, "];")?;
        fs::write(Path::new(&out).join(format!("{agent}.rs")), code)?;
    }
    println!("cargo::rerun-if-changed=judged");
    Ok(())
}
