//! What older versions kept for each provider apart, brought into the one home of all.
//!
//! Until 0.1.0 each provider had a runtime home in the cache and its sessions in the state folder, recorded under
//! the id `agent-run`. Codex goes on with no session of another id, so that the copies name the present one. The
//! originals stay. Codex fills its database from the sessions' files when it finds none (seen in 0.171).

use std::path::{Path, PathBuf};

use toml::Table;

use super::home::{Home, owns};
use super::settings::{self, FORMER_ID};
use crate::{Carry, EntryKind, Inputs, Launch, Plan, Sessions};

/// Says that all was brought over.
const DONE: &str = "carried";

/// A provider's folders of older versions.
struct Former {
    state: PathBuf,
    runtime: PathBuf,
}

fn done(home: &Home) -> PathBuf {
    home.state.join(DONE)
}

fn is_done(home: &Home, inputs: &Inputs) -> bool {
    // The marker of the home is read by every launch, the file beside it only by the first ones of each home.
    home.is_carried(inputs)
        || inputs.fact(&done(home)).is_some_and(|_| inputs.file(&done(home)).is_ok_and(|file| file.is_some()))
}

/// Every provider's, or its own provider's for a launch that keeps its sessions apart.
fn former(launch: &Launch, home: &Home, inputs: &Inputs) -> Vec<Former> {
    let (state, cache) = (inputs.dirs.state.join("codex"), inputs.dirs.cache.join("codex"));
    let at = |name: &Path| Former { state: state.join(name), runtime: cache.join(name) };
    if home.isolated || launch.sessions == Sessions::Own {
        return vec![at(Path::new(&launch.provider))];
    }
    let mut names: Vec<PathBuf> = Vec::new();
    for folder in [&state, &cache] {
        let folders = inputs.entries(folder).iter().filter(|entry| entry.kind == EntryKind::Dir);
        for name in folders.map(|entry| PathBuf::from(&entry.name)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.iter().map(|name| at(name)).collect()
}

/// What [`plan`] and [`settings_of`] must be told.
pub fn reads(launch: &Launch, home: &Home, inputs: &Inputs) -> Vec<PathBuf> {
    if home.is_carried(inputs) {
        return Vec::new();
    }
    let mut paths = vec![done(home)];
    // Known to be missing, and not just unread yet.
    if inputs.fact(&done(home)).is_none() || is_done(home, inputs) {
        return paths;
    }
    paths.extend([inputs.dirs.state.join("codex"), inputs.dirs.cache.join("codex")]);
    for former in former(launch, home, inputs) {
        paths.extend([former.state.join("base.toml"), former.state.join("last.toml")]);
        paths.extend([former.runtime, former.state]);
    }
    paths
}

/// What was generated for each provider last, and what Codex made of it.
pub fn settings_of(launch: &Launch, home: &Home, inputs: &Inputs) -> Vec<(Table, Table)> {
    if is_done(home, inputs) {
        return Vec::new();
    }
    let table = |path: &Path| inputs.text(path).ok().flatten()?.parse().ok();
    let both = |former: &Former| {
        Some((table(&former.state.join("base.toml"))?, table(&former.state.join("last.toml"))?))
    };
    let former = former(launch, home, inputs);
    former.iter().filter(|former| !is_another(former, home, inputs)).filter_map(both).collect()
}

/// Whether it was an isolated provider's, which shares nothing: then its home linked nothing of the user's,
/// although there was something.
fn is_another(former: &Former, home: &Home, inputs: &Inputs) -> bool {
    if home.isolated {
        return false;
    }
    let here = inputs.entries(&former.runtime);
    let linked = |kind: &EntryKind| matches!(kind, EntryKind::Link(to) if to.parent() == Some(&home.real));
    let any = inputs.entries(&home.real).iter().any(|entry| !entry.name.to_str().is_some_and(owns));
    any && !here.is_empty() && !here.iter().any(|entry| linked(&entry.kind))
}

/// Plans the copies.
pub fn plan(launch: &Launch, home: &Home, inputs: &Inputs, plan: &mut Plan) {
    if is_done(home, inputs) {
        return;
    }
    let id = settings::id(inputs);
    let replace: Vec<(String, String)> = ["model_provider", "model_provider_id"]
        .map(|key| (format!("\"{key}\":\"{FORMER_ID}\""), format!("\"{key}\":\"{id}\"")))
        .into();
    for former in former(launch, home, inputs).iter().filter(|former| !is_another(former, home, inputs)) {
        let has = |folder: &Path, name: &str| {
            let stands = inputs.entries(folder).iter().find(|entry| entry.name == name);
            stands.is_some_and(|entry| !matches!(entry.kind, EntryKind::Link(_)))
        };
        for name in ["sessions", "archived_sessions"] {
            // The very first versions kept them in the cache.
            for from in [&former.state, &former.runtime].into_iter().filter(|folder| has(folder, name)) {
                plan.carry.push(Carry {
                    from: from.join(name),
                    to: home.state.join(name),
                    replace: replace.clone(),
                    ..Carry::default()
                });
            }
        }
        for name in ["history.jsonl", "session_index.jsonl", "rules", "skills", "memories"] {
            let to = home.runtime.join(name);
            // A link leads into the user's own home, which is not ours to fill.
            if has(&former.runtime, name) && !plan.links.contains_key(&to) {
                plan.carry.push(Carry { from: former.runtime.join(name), to, ..Carry::default() });
            }
        }
    }
    plan.write(
        done(home),
        "Sessions and answers of older versions were copied from codex/ beside this folder.\n",
    );
}
