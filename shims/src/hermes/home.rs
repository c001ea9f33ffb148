//! Which home is the user's, which one is the launch's, and what of the first the second links to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};

use super::argv::{HermesArgs, is_profile_name};
use super::entries::{FILES, FOLDERS, MARKER, owns};
use super::managed_config::utf8;
use super::routing::OURS;
use super::variables;
use super::yaml::Mapping;
use crate::mirror::Mirror;
use crate::{Fact, Inputs, Launch, Message, Plan};

/// The administrator's settings (`_DEFAULT_MANAGED_DIR`, Hermes 0.19).
const ADMINISTRATORS: &str = "/etc/hermes";

const MANAGED_DIR: &str = "HERMES_MANAGED_DIR";

/// A folder of settings that stand above the user's.
#[derive(Debug)]
pub struct Policy {
    /// The folder.
    pub dir: PathBuf,
    /// Whether it is the one that only an administrator can write, rather than one a variable named.
    pub administrators: bool,
}

/// The homes of one launch.
#[derive(Debug)]
pub struct HermesHomes {
    /// The home to mirror: the user's, or the folder of an isolated provider.
    pub base: PathBuf,
    /// Settings above the user's, if there are any.
    pub policy: Option<Policy>,
    /// The home that holds the profiles.
    pub root: PathBuf,
    profile: Option<String>,
    /// What a launcher within this launch takes for the inherited `HERMES_HOME`.
    users: PathBuf,
    /// The same for `HERMES_MANAGED_DIR`.
    managed: Option<PathBuf>,
    /// Why the file that names the profile in use could not be read.
    unread: Option<String>,
    /// What must be read to know them, and the files in them that a plan depends on.
    pub reads: Vec<PathBuf>,
}

impl HermesHomes {
    /// Finds the homes as far as they are known; what was not read yet counts as missing.
    pub fn find(launch: &Launch, words: &HermesArgs, inputs: &Inputs) -> Self {
        let dirs = &inputs.dirs;
        let native = dirs.home.join(".hermes");
        let mut reads = Vec::new();
        let (inherited, managed) = inherited(inputs, &mut reads);
        let users = inherited.unwrap_or_else(|| native.clone());
        let home = if launch.isolated { launch.folder(&dirs.state, "hermes") } else { users.clone() };
        let root = root(&home, &native);
        let sticky = root.join("active_profile");
        let mut unread = None;
        let (base, profile) = match (words.profile(), is_profile(&home)) {
            (Some("default"), _) => (root.clone(), None),
            (Some(name), _) => (root.join("profiles").join(name), Some(name.to_owned())),
            (None, true) => (home, None),
            (None, false) => match in_use(&sticky, inputs) {
                Err(error) => {
                    unread = Some(error);
                    (home, None)
                }
                Ok(None | Some("" | "default")) => (home, None),
                Ok(Some(name)) => (root.join("profiles").join(name), Some(name.to_owned())),
            },
        };
        let policy = managed.clone().into_iter().chain([ADMINISTRATORS.into()]).find_map(|dir| {
            reads.extend([dir.clone(), dir.join("config.yaml"), dir.join(".env")]);
            let administrators = dir == Path::new(ADMINISTRATORS);
            inputs.is_folder(&dir).then_some(Policy { dir, administrators })
        });
        reads.extend([sticky, base.clone(), base.join("config.yaml")]);
        reads.extend(DOTENVS.map(|name| base.join(name)));
        let users = if launch.isolated { users } else { base.clone() };
        Self { base, policy, root, profile, users, managed, unread, reads }
    }

    /// Refuses homes that Hermes would refuse or replace.
    pub fn check(&self, inputs: &Inputs) -> Result<()> {
        if let Some(error) = &self.unread {
            bail!(Message::new(error, "it names your active profile; fix it, or name a profile with `-p`"));
        }
        for path in DOTENVS.map(|name| self.base.join(name)) {
            if let Some(why) = inputs.unreadable(&path) {
                bail!(Message::new(
                    format!("could not read {}: {why}", path.display()),
                    "it could set any variable; make it readable or move it out of the way"
                ));
            }
        }
        if let Some(name) = &self.profile {
            if !is_profile_name(name) {
                bail!(Message::new(
                    format!("`{name}` is not a profile name"),
                    "`hermes profile list` lists your profiles"
                ));
            }
            if !inputs.is_folder(&self.base) {
                bail!(Message::new(
                    format!("could not find the Hermes profile `{name}`: {}", self.base.display()),
                    format!(
                        "`hermes profile list` lists your profiles, `hermes profile create {name}` creates it"
                    )
                ));
            }
        }
        let native = inputs.dirs.home.join(".hermes");
        if inputs.dirs.cache.starts_with(&native) {
            bail!(Message::new(
                format!(
                    "the launch's home would be in {}, where Hermes replaces it with the active profile: {}",
                    native.display(),
                    inputs.dirs.cache.display()
                ),
                "set XDG_CACHE_HOME to another folder"
            ));
        }
        Ok(())
    }

    /// The links of a runtime home.
    pub fn mirror(&self, runtime: &Path, inputs: &Inputs, plan: &mut Plan) {
        let missing = FOLDERS.iter().filter(|name| inputs.entry(&self.base, name).is_none());
        plan.user_dirs.extend(missing.map(|name| self.base.join(name)));
        if !inputs.is_folder(&self.base) {
            plan.user_dirs.insert(self.base.clone());
        }
        let left_out: Vec<&str> =
            DOTENVS.into_iter().filter(|name| self.undoes(name, inputs, plan)).collect();
        let mut copied = Vec::new();
        for name in DOTENVS.into_iter().filter(|name| !left_out.contains(name)) {
            let Some((why, copy)) = self.copy_of(name, runtime, inputs) else { continue };
            let own = self.base.join(name);
            plan.warn(Message::new(
                format!(
                    "{}: {why}, so Hermes would rewrite it. This launch uses a copy, {}, and Hermes saves changes there",
                    own.display(),
                    copy.display()
                ),
                "correct this in the file, and the next launch uses the file itself",
            ));
            plan.link(runtime.join(name), &copy);
            // What Hermes has saved in it stays, as long as the user's file is the same.
            let is_there = matches!(inputs.fact(&copy), Some(Fact::File(_)));
            if let Some(Fact::File(bytes)) = inputs.fact(&own).filter(|_| !is_there) {
                plan.copy(own, copy.clone(), bytes);
            }
            copied.push((name, copy));
        }
        for copy in self.copies(runtime, inputs) {
            if copied.iter().any(|(_, used)| *used == copy) {
                continue;
            }
            match inputs.fact(&copy) {
                Some(Fact::File(bytes)) if variables::is_unchanged_copy(&copy, bytes) => {
                    plan.old_copies.insert(copy);
                }
                Some(Fact::File(_)) => plan.warn(Message::new(
                    format!("Hermes saved variables in {}, which no launch uses any more", copy.display()),
                    format!(
                        "move those that you need to your own file in {}, and remove the copy",
                        self.base.display()
                    ),
                )),
                _ => {}
            }
        }
        let always: Vec<_> = FOLDERS.iter().chain(FILES).copied().collect();
        let owns = |name: &str| {
            owns(name) || left_out.contains(&name) || copied.iter().any(|(copied, _)| *copied == name)
        };
        let mirror =
            Mirror { real: &self.base, runtime, owns: &owns, always: &always, quiet: &[], yielding: &[] };
        mirror.plan(inputs, plan);
    }

    /// The copies of dotenv files that this runtime home has or is given.
    pub fn copies(&self, runtime: &Path, inputs: &Inputs) -> BTreeSet<PathBuf> {
        let new = DOTENVS.iter().filter_map(|name| self.copy_of(name, runtime, inputs));
        let managed = managed(runtime);
        let names = inputs.entries(&managed).iter().filter_map(|entry| entry.name.to_str());
        let present = names.filter(|name| name.starts_with(variables::COPY)).map(|name| managed.join(name));
        new.map(|(_, copy)| copy).chain(present).collect()
    }

    /// Why Hermes would write a dotenv file again, and where the copy is that it gets instead: one for each content.
    fn copy_of(&self, name: &str, runtime: &Path, inputs: &Inputs) -> Option<(&'static str, PathBuf)> {
        let Some(Fact::File(bytes)) = inputs.fact(&self.base.join(name)) else { return None };
        let why = variables::would_be_rewritten(bytes)?;
        Some((why, managed(runtime).join(variables::copy_name(bytes, name))))
    }

    /// Whether a dotenv file would undo the launch or cannot be known; then it is left out, and the user is warned.
    fn undoes(&self, name: &str, inputs: &Inputs, plan: &mut Plan) -> bool {
        let path = self.base.join(name);
        let (why, help) = match inputs.fact(&path) {
            Some(Fact::Stream) => {
                ("is not a regular file and could set anything".to_owned(), "replace it with a regular file")
            }
            Some(Fact::File(bytes)) => {
                let words = variables::words(bytes);
                // Hermes finds a variable also where another text stands right before it.
                let names = |start: &str| words.iter().any(|word| word.contains(start));
                let Some((name, consequence)) = UNDOING.into_iter().find(|(name, _)| names(name)) else {
                    return false;
                };
                (format!("sets {name}, so Hermes would {consequence}"), "remove that line")
            }
            _ => return false,
        };
        plan.warn(Message::new(
            format!("{} {why}; it was ignored", path.display()),
            format!("{help} to use it again"),
        ));
        true
    }

    /// Whether settings may have Hermes start in a work tree of its own, as `worktree: true` does (0.19.0).
    pub fn may_ask_for_work_tree(&self, inputs: &Inputs) -> bool {
        let folders = self.policy.iter().map(|policy| &policy.dir).chain([&self.base]);
        let mut texts = folders.filter_map(|folder| inputs.readable(&folder.join("config.yaml")));
        // A name may be written with escapes.
        texts.any(|text| text.contains("worktree") || text.contains('\\'))
    }

    /// The dotenv files of the user and of a policy, as far as they are there.
    pub fn dotenvs<'a>(&self, inputs: &'a Inputs) -> impl Iterator<Item = (PathBuf, &'a [u8])> {
        let policys = self.policy.iter().map(|policy| policy.dir.join(".env"));
        let all = DOTENVS.map(|name| self.base.join(name)).into_iter().chain(policys);
        all.filter_map(|path| match inputs.fact(&path) {
            Some(Fact::File(bytes)) => Some((path, bytes.as_slice())),
            _ => None,
        })
    }

    /// Whether Hermes may start its TUI without a word for it; `settings` are those that it is given, and `above` those of
    /// a policy.
    pub fn prefers_tui(&self, settings: &Mapping, above: &Mapping, launch: &Launch, inputs: &Inputs) -> bool {
        let named = |bytes: &[u8]| variables::words(bytes).iter().any(|word| word.ends_with("HERMES_TUI"));
        // Hermes fills in `${NAME}`, so that may be anything.
        let asks = |settings: &Mapping| {
            let interface = settings.json()["display"]["interface"].as_str()?.to_lowercase();
            Some(interface.contains("tui") || interface.contains("${"))
        };
        inputs.var("HERMES_TUI").is_some_and(|value| value == "1")
            || launch.extra_env.contains_key("HERMES_TUI")
            || self.dotenvs(inputs).any(|(_, bytes)| named(bytes))
            || asks(above).or_else(|| asks(settings)).unwrap_or_default()
    }

    /// The file of the user's own that names the variable as `${NAME}`; `settings` are those that Hermes is given.
    pub fn names_variable(&self, name: &str, settings: &Mapping, inputs: &Inputs) -> Option<PathBuf> {
        let reference = format!("${{{name}");
        let names = |text: &str| {
            let ends = text
                .match_indices(&reference)
                .filter_map(|(at, found)| text[at + found.len()..].chars().next());
            ends.into_iter().any(|end| end == '}' || end == ':')
        };
        if settings.values().any(|value| value.any_text(&names)) {
            return Some(self.base.join("config.yaml"));
        }
        let mut dotenvs = self.dotenvs(inputs).filter(|(path, _)| path.starts_with(&self.base));
        dotenvs.find(|(_, bytes)| names(&String::from_utf8_lossy(bytes))).map(|(path, _)| path)
    }

    /// The file that tells a launcher within the launch where the user's own things are.
    pub fn mark(&self, runtime: &Path, plan: &mut Plan) -> Result<()> {
        let text = |name, path: &PathBuf| utf8(name, path.as_os_str()).map(str::to_owned);
        let users = text("HERMES_HOME", &self.users)?;
        let managed = self.managed.as_ref().map(|dir| text(MANAGED_DIR, dir)).transpose()?;
        let marker = json!({ "real_home": users, "managed_dir": managed });
        plan.write(runtime.join(MARKER), format!("{marker}\n"));
        Ok(())
    }
}

/// The folder of a runtime home in which Hermes finds what stands above its other settings.
pub fn managed(runtime: &Path) -> PathBuf {
    runtime.join("managed")
}

/// The home and the managed folder that the environment names: those of the user, not those of a launch
/// we run in.
fn inherited(inputs: &Inputs, reads: &mut Vec<PathBuf>) -> (Option<PathBuf>, Option<PathBuf>) {
    let ours = inputs.dirs.cache.join("hermes");
    let mut named = |variable: &str, key: &str, holder: fn(&Path) -> &Path| {
        let path = inputs.dirs.cwd.join(inputs.var(variable)?);
        let marker = holder(&path).join(MARKER);
        reads.push(marker.clone());
        let text = inputs.readable(&marker);
        match text.and_then(|text| serde_json::from_str::<Json>(text).ok()) {
            Some(marker) => marker[key].as_str().map(PathBuf::from),
            // The cache was emptied while the outer launch runs.
            None if path.starts_with(&ours) => None,
            None => Some(path),
        }
    };
    let home = named("HERMES_HOME", "real_home", |home| home);
    let managed = named(MANAGED_DIR, "managed_dir", |dir| dir.parent().unwrap_or(dir));
    (home, managed)
}

/// The dotenv files of a home, which Hermes 0.19 loads in this order.
const DOTENVS: [&str; 2] = [".env", ".op.env"];

/// Variables that a `.env` must not set, and what would come of it: it is loaded over the environment, and
/// before the pins. The second are those of [`super::routing`], which no pin may hold.
const UNDOING: [(&str, &str); 3] = [
    (MANAGED_DIR, "leave this launch"),
    (OURS, "send another key to the provider"),
    (variables::NO_DOTENV, "skip the settings of this launch"),
];

/// The profile in use, as Hermes finds it when no word names one.
fn in_use<'a>(path: &Path, inputs: &'a Inputs) -> Result<Option<&'a str>, String> {
    match inputs.fact(path) {
        // Not asked for yet.
        None => Ok(None),
        Some(Fact::File(bytes)) if bytes.is_empty() => Ok(None),
        Some(_) => inputs.text(path).map(|text| text.map(str::trim)).map_err(|error| format!("{error:#}")),
    }
}

fn is_profile(home: &Path) -> bool {
    home.parent().and_then(Path::file_name).is_some_and(|name| name == "profiles")
}

/// The folder whose `profiles` are meant (`get_default_hermes_root`, Hermes 0.19).
fn root(home: &Path, native: &Path) -> PathBuf {
    if home.starts_with(native) {
        return native.to_owned();
    }
    let above = home.ancestors().nth(2).filter(|_| is_profile(home));
    above.unwrap_or(home).to_owned()
}

#[cfg(test)]
mod tests;
