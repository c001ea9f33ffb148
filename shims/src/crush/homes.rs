//! Where the files of a launch are: the user's own, which are only read, and ours.
//!
//! What a launch chose is in two folders that carry its identity, so that no other launch writes there; what lasts
//! is in the state folder.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::flags::Flags;
use super::history::History;
use super::project::Project;
use super::settings::Theirs;
use crate::inputs::{matches, without_dots};
use crate::print::quote;
use crate::{Entry, EntryKind, Fact, Inputs, Launch, Plan, Value, short_hash_of_all};

/// Names the folder of the settings.
pub const CONFIG: &str = "CRUSH_GLOBAL_CONFIG";
/// Names the folder of the choices made in Crush.
pub const DATA: &str = "CRUSH_GLOBAL_DATA";
/// Before a variable's name: what it was outside of the launch.
pub const ORIGINAL: &str = "AGENT_RUN_ORIG_";

/// What launches write into the folder of the settings, and Crush beside it; a `*` stands for any text. A file like
/// `crushrc.work` is the user's.
const GENERATED: [&str; 4] = [".agent-run*", "crush.json", "crush.json.lock", "crushrc"];

/// Where everything of one launch is.
pub struct CrushHomes<'a> {
    /// What the user's words say.
    pub flags: Flags,
    /// The folder that Crush starts in.
    pub start: PathBuf,
    /// The project around it.
    pub project: Project,
    /// The user's own settings; for a launch that shares nothing, those of its own folder in the state.
    pub theirs: Theirs,
    /// Where a launch that shares nothing had its settings before that.
    former: Option<PathBuf>,
    /// The folder of the launch's own settings.
    pub config: PathBuf,
    /// Crush's choices, logins and list of projects: written by Crush, never by us.
    pub global: PathBuf,
    /// The folder that Crush is given for its sessions. What it holds is the launch's own, but for links.
    pub session: PathBuf,
    /// Where the sessions of this project are.
    pub history: History<'a>,
}

/// What the user's words say, and the folder that Crush starts in. A link in `--cwd` is not followed, so that sessions
/// begun behind one are kept apart.
pub fn start(launch: &Launch, inputs: &Inputs) -> (Flags, PathBuf) {
    let flags = Flags::read(launch.words());
    let start = without_dots(&inputs.dirs.cwd.join(flags.cwd.as_deref().unwrap_or_default()));
    (flags, start)
}

impl<'a> CrushHomes<'a> {
    /// The folders of a launch, as far as its project is known yet.
    pub fn of(launch: &'a Launch, inputs: &Inputs) -> Self {
        let (flags, start) = start(launch, inputs);
        let project = Project::at(&start, launch, inputs);
        let state = inputs.dirs.state.join("crush");
        let isolated = launch.isolated.then(|| state.join("isolated").join(&launch.provider));
        let global = isolated.as_ref().unwrap_or(&state).join("global");
        let identity = format!("{}-{}", launch.provider, launch.identity());
        let runtime = inputs.dirs.cache.join("crush").join(identity);
        // A launch that goes on with a session knows fewer models, and one that is given another session folder has
        // the provider in its settings: each has a file of its own.
        let resumed = if flags.resumes { "-resumed" } else { "" };
        let config = if flags.data_dir { "config-with-provider" } else { "config" };
        let own = |name, default: &Path| {
            let folder = own_value(name, inputs).map_or_else(|| default.join("crush"), PathBuf::from);
            inputs.dirs.cwd.join(folder)
        };
        let theirs = match &isolated {
            Some(own) => Theirs { config: own.join("config"), data: None },
            None => {
                Theirs { config: own(CONFIG, &inputs.dirs.config), data: Some(own(DATA, &inputs.dirs.data)) }
            }
        };
        // By what the user's own settings say, and where they are, the files of two launches differ too.
        let own = [Some(&theirs.config), theirs.data.as_ref()].into_iter().flatten();
        let usual = [inputs.dirs.home.join(".config/crush"), inputs.dirs.home.join(".local/share/crush")];
        let is_usual = theirs.data.is_none() || own.clone().eq(&usual);
        let config =
            if is_usual { config.to_owned() } else { format!("{config}-{:016x}", hash(own.clone())) };
        // As they do by the files of the project that were looked at: a `.env` in the working folder counts, wherever
        // `--cwd` leads.
        let looked_at = project.folders(&start).chain([&*inputs.dirs.cwd]).chain(own.map(PathBuf::as_path));
        // Another config may state other limits of the model, which are settings here.
        let model = &launch.model.value;
        let limits = OsString::from(format!("{:?} {:?}", model.context_window, model.max_output_tokens));
        let said = launch.secret_variables().map(OsString::from).chain([limits]);
        let place = hash(looked_at.map(OsString::from).chain(said));
        Self {
            config: runtime.join(config),
            session: runtime.join(format!("{place:016x}{resumed}")),
            history: History::of(launch, &state, project.key()),
            theirs,
            former: isolated.map(|_| launch.folder(&inputs.dirs.cache, "crush").join("config")),
            flags,
            start,
            project,
            global,
        }
    }

    /// What must be read for [`CrushHomes::prepare`] of the folder that a launch that shares nothing had before.
    pub fn former_reads(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let Some(former) = &self.former else { return Vec::new() };
        let there = self.former_holds_more(inputs).then(|| self.theirs.config.clone());
        [former.clone()].into_iter().chain(there).collect()
    }

    /// Whether there is something in it that no launch made.
    fn former_holds_more(&self, inputs: &Inputs) -> bool {
        let entries = self.former.iter().flat_map(|former| inputs.entries(former));
        let is_users = |entry: &Entry| {
            let is_made =
                entry.name.to_str().is_some_and(|name| GENERATED.iter().any(|it| matches(it, name)));
            !matches!(entry.kind, EntryKind::Link(_)) && !is_made
        };
        entries.into_iter().any(is_users)
    }

    /// The settings in shell of the runtime home.
    pub fn script(&self) -> PathBuf {
        self.config.join("crushrc")
    }

    /// What Crush must be given by variables. A `.env` in the working folder sets what is not set, and takes
    /// an empty variable for a set one (godotenv 1.5), so that it can change none of these.
    pub fn variables(&self) -> Vec<(String, Value)> {
        let mut variables = vec![
            (CONFIG.to_owned(), self.config.as_os_str().into()),
            (DATA.to_owned(), self.global.as_os_str().into()),
            // A server would load its settings in its own environment, with other providers' keys.
            ("CRUSH_CLIENT_SERVER".to_owned(), "0".into()),
            ("CRUSH_DISABLE_DEFAULT_PROVIDERS".to_owned(), "1".into()),
            ("CRUSH_DISABLE_PROVIDER_AUTO_UPDATE".to_owned(), "1".into()),
        ];
        if self.former.is_some() {
            variables.push(("CRUSH_SKILLS_DIR".to_owned(), self.theirs.config.join("skills").into()));
        }
        variables
    }

    /// Plans the folders, and what of the user's own settings is not JSON.
    ///
    /// Of all files beside `crush.json` Crush finds only these by its config folder; commands and skills are
    /// found by `HOME` and `XDG_CONFIG_HOME`, which stay as they are.
    pub fn prepare(&self, inputs: &Inputs, plan: &mut Plan) {
        plan.dirs.extend([self.config.clone(), self.global.clone()]);
        let above = self.config.parent().unwrap_or(&self.config);
        let (rules, shared_rules) = (self.config.join("CRUSH.md"), above.join("AGENTS.md"));
        let above_theirs = self.theirs.config.parent().unwrap_or(&self.theirs.config);
        plan.link(rules, self.theirs.config.join("CRUSH.md"));
        plan.link(shared_rules, above_theirs.join("AGENTS.md"));
        if let Some(former) = &self.former {
            if self.former_holds_more(inputs) {
                plan.take_over_home(former.clone(), self.theirs.config.clone(), &GENERATED, inputs);
            }
            plan.dirs.insert(self.theirs.config.clone());
        }
        if self.theirs.has_script(inputs) {
            plan.write(self.script(), wrapper(&self.theirs));
        } else if matches!(inputs.fact(&self.script()), Some(Fact::File(_))) {
            // Crush skips an empty one.
            plan.write(self.script(), "");
        }
    }
}

/// A number for several texts and paths.
fn hash<T: AsRef<OsStr>>(texts: impl Iterator<Item = T>) -> u64 {
    short_hash_of_all(texts.map(|text| text.as_ref().as_bytes().to_owned()))
}

/// The user's own value of a variable that a launch replaces: within a launch, what it was outside.
pub fn own_value<'a>(name: &str, inputs: &'a Inputs) -> Option<&'a OsStr> {
    let value = inputs.var(name)?;
    let parts: Vec<_> = Path::new(value).iter().collect();
    let is_ours = parts.windows(2).any(|pair| pair == ["agent-run", "crush"]);
    if is_ours { inputs.var(&format!("{ORIGINAL}{name}")) } else { Some(value) }
}

/// Runs the user's settings in shell from where they are, without the lines that add providers or choose
/// models: in Crush's shell (mvdan.cc/sh 3.13) a function goes before the command of its name.
fn wrapper(theirs: &Theirs) -> String {
    let (folder, script) = (quote(theirs.config.as_os_str()), quote(theirs.script().as_os_str()));
    format!("provider() {{ :; }}\nmodel() {{ :; }}\ncd {folder} || exit 1\nsource {script}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_that_look_at_other_files_have_other_folders() {
        let sample = super::super::tests::launch(&[]);
        let mut inputs = Inputs::default();
        (inputs.dirs.cwd, inputs.dirs.home) = ("/h/p/sub".into(), "/h".into());
        for root in ["/h/p", "/h/p/sub"] {
            inputs.facts.insert(Path::new(root).join(".git"), Fact::File(Vec::new()));
        }
        let folders = |launch: &Launch, env: &[(&str, &str)]| {
            let env = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
            let inputs = Inputs { env, ..inputs.clone() };
            let homes = CrushHomes::of(launch, &inputs);
            (homes.session, homes.config)
        };
        let plain = folders(&sample, &[]);
        assert_eq!(folders(&sample, &[("LANG", "C"), ("PWD", "/h/p/sub")]), plain);
        for env in [("GIT_DIR", "/h/p/.git"), ("GIT_WORK_TREE", "/h/p"), (CONFIG, "/o"), (DATA, "/o")] {
            let other = folders(&sample, &[env]);
            assert_ne!(other.0, plain.0, "{env:?}");
            assert_eq!(other.1 == plain.1, env.0.starts_with("GIT_"), "{env:?}");
        }
        let keyed = Launch { key_variables: ["MY_KEY".into()].into(), ..sample.clone() };
        assert_ne!(folders(&keyed, &[]).0, plain.0, "what is turned off depends on it");
        let mut small = sample.clone();
        small.model.value.max_output_tokens = Some(1000);
        assert_ne!(folders(&small, &[]).0, plain.0, "another config states another limit");
    }

    #[test]
    fn a_file_of_the_users_whose_name_begins_like_a_generated_one_is_taken_over() {
        let launch = Launch { isolated: true, ..super::super::tests::launch(&[]) };
        let planned = |names: &[&str]| {
            let mut inputs = Inputs::default();
            let homes = CrushHomes::of(&launch, &inputs);
            let (former, theirs) = (homes.former.clone().expect("one"), homes.theirs.config.clone());
            let entry = |name: &&str| Entry { name: name.into(), kind: EntryKind::File };
            inputs.facts.insert(former, Fact::Dir(names.iter().map(entry).collect()));
            inputs.facts.insert(theirs, Fact::Absent);
            inputs.facts.insert(homes.theirs.script(), Fact::Absent);
            inputs.facts.insert(homes.script(), Fact::Absent);
            let mut plan = Plan::default();
            CrushHomes::of(&launch, &inputs).prepare(&inputs, &mut plan);
            plan.carry.pop()
        };
        let made = ["crush.json", "crush.json.lock", "crushrc", ".agent-run.json", ".agent-run-crushrc-new"];
        assert_eq!(planned(&made), None);
        for users in ["crushrc.work", "crush.json.mine", "CRUSH.md"] {
            let carry = planned(&[&made[..], &[users]].concat()).expect(users);
            assert!(!carry.leaves(users.as_ref()) && made.iter().all(|name| carry.leaves(name.as_ref())));
        }
    }
}
