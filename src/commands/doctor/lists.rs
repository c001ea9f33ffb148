//! The model lists on disk: how old, and why there is none. Nobody is asked.

use shims::Dirs;

use super::report::{Finding, Group, Severity};
use crate::catalog::{Catalog, is_about_key, local};
use crate::config::{Config, Provider};
use crate::env::Environment;
use crate::key;
use crate::ui::format::{age, count};

/// Looks at the lists of these providers.
pub fn look<'a>(
    providers: impl Iterator<Item = (&'a String, &'a Provider)>,
    config: &Config,
    dirs: &Dirs,
    env: &Environment,
) -> Group {
    let catalog = Catalog::open(dirs, env, config.models_ttl);
    let mut group = Group::new("Model lists");
    for (name, provider) in providers.filter(|(_, provider)| provider.loads_models()) {
        let known = catalog.known(name, provider);
        let again = format!("run `agent-run models list {name} --refresh`");
        let default = provider.default_model.as_deref();
        if let Some(missing) = default.and_then(|model| local::missing(model, provider, &known)) {
            group.add(Finding::said(Severity::Problem, name, &missing, &again));
            continue;
        }
        group.add(match (known.age.filter(|_| known.list().is_some()), catalog.failure(name, provider)) {
            (_, Some(failure)) if is_about_key(&failure) => {
                Finding::problem(name, failure.text, key::setting(name))
            }
            (_, Some(failure)) => Finding::said(Severity::Note, name, &failure, &again).or_else_do(&again),
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
        });
    }
    group
}
