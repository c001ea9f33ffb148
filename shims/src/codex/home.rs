//! The folders of a launch: the user's home, the runtime home that mirrors it, and what must last.
//!
//! One runtime home serves all providers: trust, approvals, history and sessions are the user's, not a provider's.
//! It lies in the state folder, because Codex writes all of that into it. An isolated provider has a home apart.
//! A launch that the user's `.env` would undo gets a folder beside it, all links but for that file.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::dotenv;
use super::settings::FORMER_ID;
use crate::judged::codex::ENTRY_OWN;
use crate::mirror::Mirror;
use crate::{Inputs, Launch, Link, Message, Plan, Sessions, short_hash};

/// Names the user's own home inside a runtime home, for a launch from within a session: Codex shows
/// `CODEX_HOME` to the commands it runs.
pub const MARKER: &str = ".agent-run.json";

/// Keys of the marker, each with names of providers.
const UNREAD_HOMES: &str = "unread_homes";
const UNREAD_SETTINGS: &str = "unread_settings";

/// Key of the marker: the provider's id.
const ID: &str = "provider_id";

/// Folders that all homes beside one database share. A lock keeps two sessions from writing one thread.
const SHARED: [&str; 3] = ["sessions", "archived_sessions", "thread-writer-locks"];

/// Whether an entry of this name is never a link to the user's.
pub fn owns(name: &str) -> bool {
    ENTRY_OWN.contains(&name)
        || name.starts_with(".tmp")
        || name.starts_with("session_index.jsonl")
        || name.contains(".sqlite")
}

/// The providers of whose homes, made by older versions, something could not be read. The next launches try again.
#[derive(Debug, Default)]
pub struct UnreadableFile {
    /// Where the whole home is hidden.
    pub homes: Vec<String>,
    /// Where the settings are.
    pub settings: Vec<String>,
}

impl UnreadableFile {
    /// Those of which the whole home is hidden, or else the settings.
    pub fn names(&mut self, is_whole: bool) -> &mut Vec<String> {
        if is_whole { &mut self.homes } else { &mut self.settings }
    }

    /// Whether all was read.
    pub fn is_empty(&self) -> bool {
        self.homes.is_empty() && self.settings.is_empty()
    }
}

/// The folders of one launch.
pub struct CodexHome {
    /// The user's own home. It is only read.
    pub real: PathBuf,
    /// The runtime home, where everything is kept.
    pub runtime: PathBuf,
    /// The folder beside it that lacks the user's `.env`.
    pub without_dotenv: PathBuf,
    /// The name that the user's `.env` sets against the launch, if it does.
    pub dotenv_conflict: Option<String>,
    /// Sessions and databases.
    pub state: PathBuf,
    /// Whether nothing is taken from the user's home.
    pub isolated: bool,
}

impl CodexHome {
    /// The folders, as far as `inputs` tells yet: inside a runtime home the user's own is known once its
    /// marker was read.
    pub fn of(launch: &Launch, inputs: &Inputs) -> Self {
        let real = real(inputs);
        let kept = match launch.sessions {
            Sessions::Shared => shared(inputs),
            // The user's settings are linked as anywhere; what Codex writes stays the provider's.
            Sessions::Own => launch.folder(&inputs.dirs.state, "codex").join("own"),
        };
        let (state, name) = if launch.isolated {
            (launch.folder(&inputs.dirs.state, "codex").join("isolated"), "home".to_owned())
        } else if real == inputs.dirs.home.join(".codex") {
            (kept, "home".to_owned())
        } else {
            // Two homes of the user's differ in settings, so that one file cannot serve both.
            (kept, format!("home-{:08x}", short_hash(real.as_os_str().as_encoded_bytes()) >> 32))
        };
        Self {
            dotenv_conflict: if launch.isolated { None } else { dotenv::conflict(launch, &real, inputs) },
            without_dotenv: state.join(format!("{name}-without-env")),
            runtime: state.join(name),
            real,
            state,
            isolated: launch.isolated,
        }
    }

    /// The settings of the runtime home, which are made of the user's own.
    pub fn settings(&self) -> PathBuf {
        self.runtime.join("config.toml")
    }

    /// The user's own settings, if any of them are taken.
    pub fn own_settings(&self) -> Option<PathBuf> {
        (!self.isolated).then(|| self.real.join("config.toml"))
    }

    /// `CODEX_HOME` of the launch.
    pub fn codex_home(&self) -> &Path {
        if self.dotenv_conflict.is_some() { &self.without_dotenv } else { &self.runtime }
    }

    /// What [`CodexHome::plan`] must know.
    pub fn reads(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let mut paths = vec![inherited(inputs).join(MARKER), self.runtime.join(MARKER)];
        paths.extend(self.mirror().reads());
        if inputs.fact(&self.runtime.join(MARKER)).is_some() && noted_id(&self.runtime, inputs).is_none() {
            paths.push(self.state.join("home").join(MARKER));
        }
        if self.isolated {
            paths.retain(|path| *path != self.real);
        } else if inputs.entry(&self.real, ".env").is_some() {
            paths.push(self.real.join(".env"));
        }
        if self.dotenv_conflict.is_some() {
            paths.extend(dotenv::reads(&self.runtime, &self.without_dotenv));
        }
        paths
    }

    /// The provider's id inside Codex, the same for every provider, so that each can go on with any session.
    ///
    /// It is made from the machine's secret, and noted beside the sessions that name it: with another secret they would
    /// be lost, since Codex goes on with none of another id (0.158, 0.171).
    pub fn id(&self, inputs: &Inputs) -> String {
        let noted = [&self.runtime, &self.state.join("home")].into_iter().find_map(|it| noted_id(it, inputs));
        noted.unwrap_or_else(|| inputs.secret_id(FORMER_ID))
    }

    /// Where Codex keeps its databases.
    pub fn sqlite(&self) -> PathBuf {
        self.state.join("sqlite")
    }

    /// Plans folders and links. `unread` is what of older versions is still to be brought over.
    pub fn plan(&self, unread: &UnreadableFile, inputs: &Inputs, plan: &mut Plan) {
        plan.dirs.extend([self.runtime.clone(), self.sqlite()]);
        self.mirror().plan(inputs, plan);
        if let Some(former) = marked(&self.runtime, inputs).filter(|former| *former != self.real) {
            let nothing = Mirror { real: &former, owns: &|_| true, ..self.mirror() };
            nothing.plan(inputs, plan);
        }
        self.leave_out_hidden_dotenv(inputs, plan);
        if let Some(name) = &self.dotenv_conflict {
            dotenv::plan(&self.runtime, &self.without_dotenv, inputs, plan);
            let file = self.real.join(".env");
            let file = file.display();
            plan.warn(Message::new(
                format!("{file} sets {name}, which conflicts with this launch; the file was ignored"),
                format!("remove {name} from it"),
            ));
        }
        for name in SHARED {
            let target = self.state.join(name);
            plan.dirs.insert(target.clone());
            for home in [self.runtime.as_path(), self.codex_home()] {
                let link = Link { target: target.clone(), replaces_folder: true };
                plan.links.insert(home.join(name), Some(link));
            }
        }
        if let Some(real) = self.real.to_str() {
            let mut marker = json!({ "real_home": real, "carried": true, ID: self.id(inputs) });
            for (key, names) in [(UNREAD_HOMES, &unread.homes), (UNREAD_SETTINGS, &unread.settings)] {
                if !names.is_empty() {
                    marker[key] = json!(names);
                }
            }
            for home in [self.runtime.as_path(), self.codex_home()] {
                plan.write(home.join(MARKER), format!("{marker}\n"));
            }
        }
    }

    /// Whether what older versions kept was brought into this home already.
    pub fn is_carried(&self, inputs: &Inputs) -> bool {
        marker(&self.runtime, inputs).is_some_and(|marker| marker["carried"] == true)
    }

    /// What could not be read when the rest was brought over.
    pub fn unread(&self, inputs: &Inputs) -> UnreadableFile {
        let marker = marker(&self.runtime, inputs).unwrap_or_default();
        let names = |key: &str| -> Vec<String> {
            let names = marker[key].as_array().into_iter().flatten();
            names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
        };
        UnreadableFile { homes: names(UNREAD_HOMES), settings: names(UNREAD_SETTINGS) }
    }

    fn mirror(&self) -> Mirror<'_> {
        Mirror {
            real: &self.real,
            runtime: &self.runtime,
            owns: if self.isolated { &|_| true } else { &owns },
            always: &[],
            quiet: &["history.jsonl", "version.json", "mention_usage.json"],
            yielding: &[("plugins", &[]), ("rules", &[]), ("skills", &[".system"])],
        }
    }

    fn leave_out_hidden_dotenv(&self, inputs: &Inputs, plan: &mut Plan) {
        if self.isolated || !dotenv::is_hidden(&self.real, inputs) {
            return;
        }
        let file = self.real.join(".env");
        let file = file.display();
        plan.warn(Message::new(
            format!("{file} is not a regular file and could set anything; it was ignored"),
            "replace it with a regular file to use it again",
        ));
        let link = self.runtime.join(".env");
        plan.links.remove(&link);
        if inputs.entry(&self.runtime, ".env").is_some() {
            plan.links.insert(link, None);
        }
    }
}

/// No agent has this name, so that no provider's folder is in the way.
fn shared(inputs: &Inputs) -> PathBuf {
    inputs.dirs.state.join("codex-shared")
}

fn inherited(inputs: &Inputs) -> PathBuf {
    match inputs.var("CODEX_HOME") {
        Some(home) => inputs.dirs.cwd.join(home),
        None => inputs.dirs.home.join(".codex"),
    }
}

fn real(inputs: &Inputs) -> PathBuf {
    let inherited = inherited(inputs);
    match marked(&inherited, inputs) {
        Some(real) => real,
        // A runtime home whose marker is gone is still not the user's own.
        None if [&inputs.dirs.cache, &shared(inputs)].into_iter().any(|ours| inherited.starts_with(ours)) => {
            inputs.dirs.home.join(".codex")
        }
        None => inherited,
    }
}

fn marker(home: &Path, inputs: &Inputs) -> Option<Json> {
    let path = home.join(MARKER);
    // Before it was read there is no need for an error that nobody sees.
    inputs.fact(&path)?;
    serde_json::from_str(inputs.readable(&path)?).ok()
}

/// The id that a home was made with, if it is one of agent-run's.
fn noted_id(home: &Path, inputs: &Inputs) -> Option<String> {
    let id = marker(home, inputs)?[ID].as_str()?.to_owned();
    let digits = id.strip_prefix(FORMER_ID)?.strip_prefix('-')?;
    (digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

fn marked(home: &Path, inputs: &Inputs) -> Option<PathBuf> {
    Some(marker(home, inputs)?.get("real_home")?.as_str()?.into())
}
