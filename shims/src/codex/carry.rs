//! What older versions kept for each provider apart, brought into the one home of all.
//!
//! Until 0.1.0 each provider had a runtime home in the cache and its sessions in the state folder, recorded under
//! the id `agent-run`. The tool before that had one home for each provider in the cache, with everything in it. Codex
//! goes on with no session of another id, so that the copies name the present one. The originals stay. Codex fills
//! its lists from the sessions' files when it finds no database (seen in 0.171).

use std::path::PathBuf;

use toml::Table;

use super::former::{self, Former, has};
use super::home::{CodexHome, UnreadableFile};
use crate::{Carry, Inputs, KeyText, Launch, Message, Plan};

/// Says that all was brought over.
const DONE: &str = "carried";

/// What a home keeps that says nothing of any session.
const QUIET: [&str; 2] = ["mention_usage.json", "version.json"];

/// The databases that nothing else holds the content of, by how their names begin (0.171).
const DATABASES: [&str; 3] = ["goals_", "memories_", "queue_"];

/// What Codex makes again, and would hold paths of the place it was made in; a `*` stands for any text.
pub const REBUILT: [&str; 5] = [".tmp*", "packages", "state_*.sqlite*", "thread-writer-locks", "tmp"];

fn done(home: &CodexHome) -> PathBuf {
    home.state.join(DONE)
}

fn is_done(home: &CodexHome, inputs: &Inputs) -> bool {
    // The marker of the home is read by every launch, the file beside it only by the first ones of each home.
    home.is_carried(inputs)
        || inputs.fact(&done(home)).is_some_and(|_| inputs.file(&done(home)).is_ok_and(|file| file.is_some()))
}

/// What [`plan`] and [`settings_of`] must know.
pub fn reads(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if !home.is_carried(inputs) {
        paths.push(done(home));
        // Known to be missing, and not just unread yet.
        if inputs.fact(&done(home)).is_none() || is_done(home, inputs) {
            return paths;
        }
    } else if home.unread(inputs).is_empty() {
        return paths;
    }
    paths.extend([inputs.dirs.state.join("codex"), inputs.dirs.cache.join("codex")]);
    paths.extend(candidates(launch, home, inputs).iter().flat_map(|former| former.reads(inputs)));
    paths
}

/// All homes at first, and then those of which something could not be read.
fn candidates(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<Former> {
    let mut all = former::all(launch, home, inputs);
    if is_done(home, inputs) {
        let noted = home.unread(inputs);
        let is_noted = |name: &str| holds(&noted.homes, name) || holds(&noted.settings, name);
        all.retain(|former| former.name().is_some_and(is_noted));
    }
    all
}

fn holds(names: &[String], name: &str) -> bool {
    names.iter().any(|it| it == name)
}

/// Those whose content is brought over.
fn taken(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<Former> {
    let mut all = candidates(launch, home, inputs);
    all.retain(|former| !former.is_apart(home, inputs));
    all
}

/// What was generated for each provider last, and what Codex made of it.
pub fn settings_of(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<(Table, Table)> {
    taken(launch, home, inputs).iter().filter_map(|former| former.settings(inputs)).collect()
}

/// What is hidden of a home: its provider, whether the whole home is, and where.
fn hidden_of<'a>(former: &'a Former, inputs: &Inputs) -> Option<(&'a str, bool, PathBuf)> {
    let name = former.name().unwrap_or_default();
    if !former.is_hidden(inputs) {
        return Some((name, false, former.hidden_settings(inputs)?));
    }
    let all = inputs.dirs.cache.join("codex");
    let hidden = [&all, &former.runtime].into_iter().find(|it| inputs.is_unreadable(it));
    Some((name, true, hidden.cloned().unwrap_or_else(|| former.runtime.join("config.toml"))))
}

/// What the launches that follow have to try again.
pub fn unread(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> UnreadableFile {
    let mut unread = UnreadableFile::default();
    let taken = taken(launch, home, inputs);
    for (name, is_whole, _) in taken.iter().filter_map(|former| hidden_of(former, inputs)) {
        unread.names(is_whole).extend((!name.is_empty()).then(|| name.to_owned()));
    }
    unread
}

/// Names, once, what [`unread`] holds.
fn warn_of_unread(taken: &[Former], home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    let mut noted = home.unread(inputs);
    let mut places: Vec<PathBuf> = Vec::new();
    for (name, is_whole, place) in taken.iter().filter_map(|former| hidden_of(former, inputs)) {
        if !holds(noted.names(is_whole), name) && !places.contains(&place) {
            places.push(place);
        }
    }
    if places.is_empty() {
        return;
    }
    let line = |place: &PathBuf| match inputs.unreadable(place) {
        Some(why) => format!("\n  {}: {why}", place.display()),
        None => format!("\n  {}", place.display()),
    };
    let places: String = places.iter().map(line).collect();
    plan.warn(Message::new(
        format!("these files of earlier versions cannot be read and were not copied:{places}"),
        "check their permissions; later launches try again",
    ));
}

/// Plans the copies.
pub fn plan(launch: &Launch, home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    let mut taken = taken(launch, home, inputs);
    warn_of_unread(&taken, home, inputs, plan);
    let is_again = is_done(home, inputs);
    if is_again {
        // Of the others all but the settings is there.
        let noted = home.unread(inputs).homes;
        taken.retain(|it| !it.is_hidden(inputs) && it.name().is_some_and(|name| holds(&noted, name)));
        if taken.is_empty() {
            return;
        }
    }
    for former in &taken {
        carry_sessions(former, is_again, home, inputs, plan);
        carry_kept(former, home, inputs, plan);
        if !is_again {
            adopt_databases(former, home, inputs, plan);
        }
    }
    warn_of_copies(launch, home, &taken, inputs, plan);
    plan.write(
        done(home),
        "Sessions and answers of older versions were copied from codex/ beside this folder.\n",
    );
}

fn carry_sessions(former: &Former, is_again: bool, home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    let was: Vec<String> = former.ids(inputs).into_iter().map(str::to_owned).collect();
    let values = with_id(&was, &home.id(inputs));
    for name in ["sessions", "archived_sessions"] {
        // The very first versions kept them in the cache, as the old tool did.
        for from in [&former.state, &former.runtime] {
            let is_waited_for = if *from == former.state { is_again } else { former.is_hidden(inputs) };
            if !is_waited_for && (has(from, name, inputs) || inputs.is_unreadable(from)) {
                let (from, to) = (from.join(name), home.state.join(name));
                plan.carry.push(Carry { values: values.clone(), ..Carry::new(from, to) });
            }
        }
    }
}

/// Copies what Codex and its user keep in a home.
fn carry_kept(former: &Former, home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    for name in former.kept(inputs).filter(|_| !former.is_hidden(inputs)) {
        let (from, to) = (former.runtime.join(name), home.runtime.join(name));
        // Of what Codex keeps whole, that of one home does.
        let is_there = plan.links.contains_key(&to) || plan.carry.iter().any(|carry| carry.to == to);
        if QUIET.contains(&name) && is_there {
            continue;
        }
        // A link leads into the user's own home, which is not ours to fill.
        if plan.links.contains_key(&to) {
            let shown = from.display();
            plan.warn(Message::new(
                format!("{shown} of an older version was not copied, because you now have one of your own"),
                format!("copy what you need from it to {}", home.real.join(name).display()),
            ));
        } else {
            plan.carry.push(Carry::new(from, to));
        }
    }
}

/// Of each database whichever home's was changed last goes on.
fn adopt_databases(former: &Former, home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    for database in former.databases(inputs) {
        let name = database.file_name().unwrap_or_default();
        if DATABASES.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            plan.adopt.entry(home.sqlite().join(name)).or_default().push(database);
        }
    }
}

/// Says once what was brought over and what was not.
fn warn_of_copies(launch: &Launch, home: &CodexHome, taken: &[Former], inputs: &Inputs, plan: &mut Plan) {
    let list = |formers: &[&Former]| -> String {
        let folder = |former: &&Former| {
            let places = [&former.state, &former.runtime];
            let place = places.into_iter().find(|place| has(place, "sessions", inputs));
            format!("\n  {}", place.unwrap_or(&former.state).display())
        };
        formers.iter().map(folder).collect()
    };
    let with: Vec<&Former> = taken.iter().filter(|former| former.holds_sessions(inputs)).collect();
    if !with.is_empty() {
        let text = format!(
            "sessions, history and approvals of earlier versions were copied to {}; goals and memories \
             come from the provider used last",
            home.state.display()
        );
        plan.warn(Message::new(
            text,
            format!("nothing to do; the originals were not changed:{}", list(&with)),
        ));
    }
    let all = candidates(launch, home, inputs);
    let apart: Vec<&Former> =
        all.iter().filter(|it| it.is_apart(home, inputs) && it.holds_sessions(inputs)).collect();
    if !apart.is_empty() {
        let text = "these sessions of earlier versions were not copied: they belong to isolated homes of \
                    providers that your config does not name";
        let help =
            format!("add a provider of that name with `isolated: true` to use them again:{}", list(&apart));
        plan.warn(Message::new(text, help));
    }
}

/// The keys by which a session names its provider (0.158, 0.171), from one of these ids, or from any.
pub fn with_id(was: &[String], id: &str) -> Vec<KeyText> {
    let key = |key: &str| KeyText { key: key.to_owned(), was: was.to_vec(), text: id.to_owned() };
    ["model_provider", "model_provider_id"].map(key).into()
}
