//! The runtime home's `config.toml`, and the two records beside the state that it is merged by.
//!
//! `base.toml` is what was generated last; `last.toml` is what was then written, and stands in for a
//! `config.toml` that went away with the cache. The first line of `base.toml` tells what it was generated
//! from, so that a launch like the last one parses nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use toml::Table;

use super::config::{self, REPLACED};
use super::home::Home;
use super::merge::merge;
use super::settings::Setting;
use crate::{Inputs, Plan};

const HEADING: &str = "# Made by agent-run, anew on each launch; what Codex writes here is kept.\n\n";

/// What [`plan`] must be told.
pub fn reads(home: &Home) -> Vec<PathBuf> {
    let files = Files::of(home);
    let mut paths = vec![files.config, files.base, files.last];
    if !home.isolated {
        paths.push(files.own);
    }
    paths
}

struct Files {
    own: PathBuf,
    config: PathBuf,
    base: PathBuf,
    last: PathBuf,
}

impl Files {
    fn of(home: &Home) -> Self {
        Self {
            own: home.real.join("config.toml"),
            config: home.runtime.join("config.toml"),
            base: home.state.join("base.toml"),
            last: home.state.join("last.toml"),
        }
    }
}

/// Plans the runtime home's config.
///
/// # Errors
/// When the user's own config is not TOML.
pub fn plan(home: &Home, settings: &[Setting], inputs: &Inputs, plan: &mut Plan) -> Result<()> {
    let files = Files::of(home);
    let own = if home.isolated { None } else { user_text(&files.own, inputs)? };
    // What cannot be read of ours counts as gone.
    let ours = |path| inputs.text(path).ok().flatten();
    let (base, last) = (ours(&files.base), ours(&files.last));
    let current = ours(&files.config).or(last);
    let stamp = stamp(home, settings, own);
    if let Some(current) = current.filter(|_| current == last)
        && base.and_then(|base| base.lines().next()) == Some(&*stamp)
    {
        plan.write(files.config, current);
        return Ok(());
    }

    let mut new = config::parse(own.unwrap_or_default(), &files.own)?;
    let warnings = config::adapt(&mut new, &files.own);
    for setting in settings {
        setting.write(&mut new);
    }
    config::carry_hook_trust(&mut new, &home.real, &home.runtime);
    let merged = match (base.and_then(read_back), current.and_then(read_back)) {
        (Some(base), Some(current)) => &merge(&base, &current, &new, |path| is_owned(path, settings)),
        _ => &new,
    };
    let merged = format!("{HEADING}{}", toml::to_string(merged)?);
    let new = toml::to_string(&new)?;
    // Without a stamp the next launch reads the user's file again, and warns again.
    let stamp = if warnings.is_empty() { stamp } else { "#".to_owned() };
    plan.write(files.base, format!("{stamp}\n{new}"));
    plan.write(files.last, merged.as_str());
    plan.write(files.config, merged);
    for warning in warnings {
        plan.warn(warning);
    }
    Ok(())
}

fn user_text<'a>(path: &Path, inputs: &'a Inputs) -> Result<Option<&'a str>> {
    inputs.text(path).map_err(|error| anyhow!("{error:#}\nhelp: Codex itself cannot read it either; mend it"))
}

/// A file of ours that cannot be read back counts as gone.
fn read_back(text: &str) -> Option<Table> {
    text.parse().ok()
}

/// A line that is the same as long as the config would be generated the same. The hash may change with
/// the compiler; that costs one launch the parsing.
fn stamp(home: &Home, settings: &[Setting], own: Option<&str>) -> String {
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_PKG_VERSION"), own, &home.real, &home.runtime).hash(&mut hasher);
    for setting in settings {
        (&setting.path, setting.value.to_string()).hash(&mut hasher);
    }
    format!("# {:016x}", hasher.finish())
}

/// Whether a unit is always as generated: what the launch imposes, and what its model makes wrong. The
/// interface's `/model` offers another provider's models and stores the pick.
fn is_owned(path: &[&str], settings: &[Setting]) -> bool {
    REPLACED.contains(&path[0])
        || path[0] == "model_reasoning_effort"
        || settings.iter().any(|setting| setting.covers(path))
}
