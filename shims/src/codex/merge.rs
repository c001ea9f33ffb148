//! Keeps what Codex wrote into its config between two generations of it.
//!
//! Codex writes answers and choices into the runtime home's `config.toml`: trusted folders, reviewed
//! hooks, added MCP servers. Two versions that were generated, the last and the next, tell which of them
//! are Codex's own.

use std::collections::BTreeMap;

use toml::{Table, Value as Toml};

/// Tables whose entries stand or fall whole: half an MCP server stops Codex.
const CONTAINERS: [&[&str]; 8] = [
    &["agents"],
    &["hooks", "state"],
    &["marketplaces"],
    &["mcp_servers"],
    &["model_providers"],
    &["permissions"],
    &["plugins"],
    &["projects"],
];

type Units<'a> = BTreeMap<Vec<&'a str>, &'a Toml>;

/// Merges what Codex left (`current`) into what is generated now (`new`), knowing what was generated
/// before (`base`): a unit that was generated differently now, or that is `owned`, is as generated; any
/// other is as Codex left it, be it gone.
pub fn merge(base: &Table, current: &Table, new: &Table, owned: impl Fn(&[&str]) -> bool) -> Table {
    let (base, current, new) = (units(base), units(current), units(new));
    let mut merged = Table::new();
    for path in current.keys().chain(new.keys().filter(|path| !current.contains_key(*path))) {
        let generated = new.get(path);
        let kept = generated == base.get(path) && !owned(path);
        if let Some(value) = if kept { current.get(path) } else { generated } {
            insert(&mut merged, path, (*value).clone());
        }
    }
    merged
}

fn units(table: &Table) -> Units<'_> {
    let mut units = Units::new();
    collect(table, &mut Vec::new(), &mut units);
    units
}

fn collect<'a>(table: &'a Table, path: &mut Vec<&'a str>, units: &mut Units<'a>) {
    let whole = CONTAINERS.contains(&path.as_slice());
    for (key, value) in table {
        path.push(key);
        match value {
            Toml::Table(inner) if !whole && !inner.is_empty() => collect(inner, path, units),
            _ => _ = units.insert(path.clone(), value),
        }
        path.pop();
    }
}

/// The table under a key. A plain value in its place gives way.
fn table_in<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Table> {
    let inner = table.entry(key).or_insert_with(|| Table::new().into());
    if !inner.is_table() {
        *inner = Table::new().into();
    }
    inner.as_table_mut()
}

/// Puts what a file says over what those below it say, as Codex does: tables add up, anything else replaces.
pub fn put_over(table: &mut Table, upper: &Table) {
    for (key, value) in upper {
        match (table.get_mut(key), value) {
            (Some(Toml::Table(below)), Toml::Table(upper)) => put_over(below, upper),
            _ => _ = table.insert(key.clone(), value.clone()),
        }
    }
}

/// The table that holds what a path names, and its key there.
pub fn place_in<'a, 'p>(table: &'a mut Table, path: &[&'p str]) -> Option<(&'a mut Table, &'p str)> {
    let (key, parents) = path.split_last()?;
    Some((parents.iter().try_fold(table, |table, part| table_in(table, part))?, key))
}

/// Puts a unit in its place.
fn insert(table: &mut Table, path: &[&str], value: Toml) {
    let Some((table, key)) = place_in(table, path) else { return };
    // An empty table is a unit too, or it would be gone; it says nothing against one that is not.
    let stays = table.get(key).is_some_and(Toml::is_table);
    if !(stays && value.as_table().is_some_and(Table::is_empty)) {
        table.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().expect("TOML")
    }

    fn merged(base: &str, current: &str, new: &str) -> Table {
        merge(&table(base), &table(current), &table(new), |path| path.first() == Some(&"model"))
    }

    #[test]
    fn what_codex_added_stays_and_what_changed_comes() {
        let base = "model='m'\na=1\nb=1\n[tui]\nx=1\n";
        let current = "model='picked'\na=2\nb=1\n[tui]\nx=1\ny=2\n[projects.'/p']\ntrust_level='trusted'\n";
        let new = "model='m'\na=1\nb=3\nc=4\n[tui]\nx=1\n";
        let expected = "model='m'\na=2\nb=3\nc=4\n[tui]\nx=1\ny=2\n[projects.'/p']\ntrust_level='trusted'\n";
        assert_eq!(merged(base, current, new), table(expected));
    }

    #[test]
    fn deletions_count_on_either_side() {
        assert_eq!(merged("a=1\nb=1\nc=1", "b=1\nc=2", "a=1\nc=1"), table("c=2"));
    }

    #[test]
    fn the_new_generation_wins_when_both_changed() {
        assert_eq!(merged("a=1", "a=2", "a=3"), table("a=3"));
        assert_eq!(merged("a=1", "", "a=3"), table("a=3"));
        assert_eq!(merged("", "a=2", "a=3"), table("a=3"));
    }

    #[test]
    fn a_unit_is_never_torn() {
        let foo = "[mcp_servers.foo]\ncommand='x'\nargs=['1']\n";
        let other = "[mcp_servers.foo]\nurl='http://h'\n";
        assert_eq!(merged(foo, other, foo), table(other), "changed by Codex");
        assert_eq!(merged(foo, foo, other), table(other), "changed by the user");
        assert_eq!(merged(foo, "", foo), Table::new(), "removed, with the table around it");
    }

    #[test]
    fn of_a_table_and_a_value_in_one_place_the_new_one_stands() {
        assert_eq!(merged("tui=1", "tui=1\n", "[tui]\nx=1"), table("[tui]\nx=1"));
        assert_eq!(merged("", "tui=1\n", "[tui]\nx=1"), table("[tui]\nx=1"));
        assert_eq!(merged("", "[tui]\nx=1", "tui=1"), table("tui=1"));
    }

    #[test]
    fn an_empty_table_stays_and_takes_nothing_away() {
        assert_eq!(merged("[t]", "[t]", "[t]"), table("[t]"));
        assert_eq!(merged("", "[t]\nx=1", "[t]"), table("[t]\nx=1"));
        assert_eq!(merged("[t]\nx=1", "[t]", "[t]\nx=1"), table("[t]"), "emptied by Codex");
        assert_eq!(merged("", "[t]", "[t]\nx=1"), table("[t]\nx=1"));
    }

    #[test]
    fn merging_again_changes_nothing() {
        let base = "a=1\nb=1\n[mcp_servers.x]\nurl='u'\n[projects.'/p']\nt=1\n";
        let current = "a=2\n[mcp_servers.y]\nurl='v'\n[hooks.state.'/h:0']\ntrusted_hash='1'\n";
        let new = "a=1\nb=2\nz=[1,{q=2}]\n[mcp_servers.x]\nurl='u'\n";
        let once = merge(&table(base), &table(current), &table(new), |_| false);
        assert_eq!(merge(&table(new), &once, &table(new), |_| false), once);
    }
}
