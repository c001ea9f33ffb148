//! The model lists on disk: how old, and why there is none. Of servers on this machine it says which do not run. Only that
//! of a provider that was named is asked, for the window.

use shims::Dirs;

use super::report::{Finding, Group, Severity};
use crate::catalog::local::{ServedWindow, Server, WindowVerdict};
use crate::catalog::{Catalog, Failure, FailureKind, ModelIndex, local};
use crate::config::{Config, KeySource, Provider};
use crate::env::Environment;
use crate::key;
use crate::ui::format::{age, count};

/// Looks at the lists of these providers. Of those that are `keyless` the key is missing, which was said.
pub fn look<'a>(
    providers: impl Iterator<Item = (&'a String, &'a Provider)>,
    config: &Config,
    is_named: bool,
    keyless: &[&str],
    dirs: &Dirs,
    env: &Environment,
) -> Group {
    let catalog = Catalog::open(dirs, env, config.models_ttl);
    let mut group = Group::new("Model lists");
    for (name, provider) in providers {
        let known = catalog.known(name, provider);
        let again = format!("run `agent-run models list {name} --refresh`");
        if provider.loads_models() {
            let missing =
                provider.default_model.as_deref().and_then(|it| local::missing(it, provider, &known));
            if let Some(missing) = missing {
                group.add(Finding::said(Severity::Problem, name, &missing, &again));
                continue;
            }
            if let Some(message) = Server::not_running(name, provider) {
                group.add(Finding::said(Severity::Note, name, &message, &again));
                continue;
            }
            let failure = catalog.failure(name, provider).filter(|_| !keyless.contains(&name.as_str()));
            group.add(list(name, &known, failure, &again));
        }
        if !is_named {
            continue;
        }
        match window(name, provider, &known, dirs, env).map(|window| window.verdict(name)) {
            Some(WindowVerdict::Other(message)) => {
                group.add(Finding::said(Severity::Note, name, &message, &again));
            }
            Some(WindowVerdict::Wrong(message)) => {
                group.add(Finding::said(Severity::Problem, name, &message, &again));
            }
            Some(WindowVerdict::Right) | None => {}
        }
    }
    group
}

fn list(name: &str, known: &ModelIndex<'_>, failure: Option<Failure>, again: &str) -> Finding {
    match (known.age.filter(|_| known.list().is_some()), failure) {
        (_, Some(failure)) => {
            let is_refused = failure.kind == FailureKind::KeyRefused;
            let mark = if is_refused { Severity::Problem } else { Severity::Note };
            let found = Finding::said(mark, name, &failure.message, again);
            // Asking again would change nothing.
            if is_refused || failure.is_no_list() { found } else { found.or_else_do(again) }
        }
        (Some(old), None) => {
            let models = known.records().len();
            let brief = format!("{name} ({models})");
            Finding::ok(name, format!("{}, {} old", count(models, "model"), age(old))).briefly(brief)
        }
        (None, None) => {
            let brief = format!("{name} (not loaded yet)");
            Finding::ok(name, format!("not loaded yet; `agent-run models list {name}` loads it"))
                .briefly(brief)
        }
    }
}

/// The window of the default model, which the server is asked for even where no list is loaded.
fn window(
    name: &str,
    provider: &Provider,
    known: &ModelIndex<'_>,
    dirs: &Dirs,
    env: &Environment,
) -> Option<ServedWindow> {
    let model = provider.default_model.as_deref()?;
    // A key command is not run a second time.
    let key = match provider.key_source() {
        Some(KeySource::Command(_)) => None,
        _ => key::of(name, provider, env, &dirs.home).unwrap_or_default(),
    };
    ServedWindow::ask(name, provider, model, known, key.as_deref(), env)
}
