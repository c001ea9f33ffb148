//! The one reader of the environment: every variable and folder that `agent-run` itself listens to.
//!
//! What it finds is passed on as values; no other module asks the system for a variable. It reads the
//! environment once and changes nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::{AccessFlags, access};
use shims::{Dirs, Message};

/// The variable by which a shell's script asks for a completion.
pub const COMPLETE: &str = "AGENT_RUN_COMPLETE";

/// The config below a folder for configs.
pub const CONFIG: &str = "agent-run/config.yaml";

/// Launchers within launchers beyond this are taken for a loop.
const DEEPEST: u32 = 8;

/// The inherited environment. It holds secrets, so it has no `Debug`.
pub struct Environment {
    vars: BTreeMap<OsString, OsString>,
    is_own: bool,
}

impl Environment {
    /// Reads the environment of this process.
    pub fn read() -> Self {
        Self { vars: std::env::vars_os().collect(), is_own: true }
    }

    /// An environment made up for a child that must see nothing of this one.
    pub fn made_of(vars: BTreeMap<OsString, OsString>) -> Self {
        Self { vars, is_own: false }
    }

    /// Whether it is that of this process, so that a child has it by itself: handing it on variable by
    /// variable would cost a fourteenth of a launch.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// The variable `name`; one that is set but empty counts as unset.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Everything inherited, for the plan.
    pub fn all(&self) -> &BTreeMap<OsString, OsString> {
        &self.vars
    }

    /// `AGENT_RUN_OPTS`: the launcher's options behind a shim.
    pub fn shim_opts(&self) -> Result<&str> {
        let name = shims::opts::VARIABLE;
        let Some(opts) = self.var(name) else { return Ok("") };
        opts.to_str().with_context(|| {
            Message::new(format!("{name} is not UTF-8"), format!("unset {name} or set it again"))
        })
    }

    /// How many launchers and key commands this runs within.
    pub fn depth(&self) -> u32 {
        let depth =
            self.var(shims::planner::DEPTH).and_then(OsStr::to_str).and_then(|text| text.parse().ok());
        depth.unwrap_or(0)
    }

    /// Refuses to go on when launchers start launchers without end.
    pub fn check_depth(&self) -> Result<()> {
        if self.depth() >= DEEPEST {
            bail!(Message::new(
                format!("started {DEEPEST} times inside itself, which looks like a loop"),
                format!(
                    "check for a program on PATH with an agent's name that runs agent-run, and for a \
                     key_command whose shell startup files run agent-run; if the nesting is intended: \
                     unset {}",
                    shims::planner::DEPTH
                )
            ));
        }
        Ok(())
    }

    /// The folders searched for agents.
    pub fn path(&self) -> Vec<PathBuf> {
        let default = OsStr::new("/usr/local/bin:/usr/bin:/bin");
        std::env::split_paths(self.var("PATH").unwrap_or(default)).collect()
    }

    /// The programs of that name on `PATH`, in its order, this one among them.
    pub fn programs<'a>(&self, name: &'a str) -> impl Iterator<Item = PathBuf> + use<'a> {
        self.path().into_iter().map(move |dir| dir.join(name)).filter(|path| is_program(path))
    }

    /// Whether a terminal is to be given colours: not with `NO_COLOR`, not when it is `dumb`.
    pub fn wants_colour(&self) -> bool {
        self.var("NO_COLOR").is_none() && self.var("TERM").is_some_and(|term| term != "dumb")
    }

    /// The inherited environment with some variables set, others (`None`) gone.
    #[must_use]
    pub fn changed<'a>(&self, changes: impl IntoIterator<Item = (&'a str, Option<OsString>)>) -> Self {
        let mut vars = self.vars.clone();
        for (name, value) in changes {
            match value {
                Some(value) => _ = vars.insert(name.into(), value),
                None => _ = vars.remove(OsStr::new(name)),
            }
        }
        Self::made_of(vars)
    }

    /// Whether completion must leave stale model lists alone:
    /// `AGENT_RUN_DISABLE_MODEL_COMPLETION_REFRESH` is `1`, `true`, `yes` or `on`.
    pub fn completion_refresh_is_off(&self) -> bool {
        let word = self.var("AGENT_RUN_DISABLE_MODEL_COMPLETION_REFRESH").and_then(OsStr::to_str);
        word.is_some_and(|word| ["1", "true", "yes", "on"].iter().any(|yes| word.eq_ignore_ascii_case(yes)))
    }

    /// The user's editor, `$VISUAL` before `$EDITOR`, as typed: it may hold arguments.
    pub fn editor(&self) -> Option<OsString> {
        self.var("VISUAL").or_else(|| self.var("EDITOR")).map(OsStr::to_owned)
    }

    /// The config file: the option, `AGENT_RUN_CONFIG`, or the user's config folder, on macOS too. Where the user has
    /// none there, the first that lies in a folder of `XDG_CONFIG_DIRS`, by default `/etc/xdg`: an administrator's.
    ///
    /// One that cannot be looked at counts as there: its user means it, and whoever reads it says what is wrong.
    pub fn config_file(&self, option: Option<&Path>) -> Result<PathBuf> {
        let own = self.own_config_file(option)?;
        let is_missing =
            |error: std::io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        let is_there = |path: &PathBuf| !path.symlink_metadata().is_err_and(is_missing);
        if option.is_some() || self.var("AGENT_RUN_CONFIG").is_some() || is_there(&own) {
            return Ok(own);
        }
        Ok(self.shared_configs().find(is_there).unwrap_or(own))
    }

    /// Whether `option` names another config than shims read, which get no option.
    pub fn shims_read_another(&self, option: Option<&Path>) -> bool {
        let Some((named, read)) = option.zip(self.config_file(None).ok()) else { return option.is_some() };
        named != read && named.canonicalize().ok().is_none_or(|named| read.canonicalize().ok() != Some(named))
    }

    /// The config file to change: the user's own. An administrator's file that is read instead is refused: a file of
    /// the user's would hide it.
    pub fn config_to_change(&self, option: Option<&Path>) -> Result<PathBuf> {
        let (read, own) = (self.config_file(option)?, self.own_config_file(option)?);
        if read != own {
            bail!(Message::new(
                format!("the config belongs to the administrator and was not changed: {}", read.display()),
                format!("copy it to {}, which then takes precedence", own.display())
            ));
        }
        Ok(own)
    }

    /// As [`Environment::config_file`], but never an administrator's.
    pub fn own_config_file(&self, option: Option<&Path>) -> Result<PathBuf> {
        match option.map(Path::as_os_str).or_else(|| self.var("AGENT_RUN_CONFIG")) {
            Some(path) => Ok(path.into()),
            None => Ok(self.base_dir("XDG_CONFIG_HOME", ".config")?.join(CONFIG)),
        }
    }

    fn shared_configs(&self) -> impl Iterator<Item = PathBuf> {
        let folders = self.var("XDG_CONFIG_DIRS").unwrap_or(OsStr::new("/etc/xdg"));
        std::env::split_paths(folders).filter(|folder| folder.is_absolute()).map(|folder| folder.join(CONFIG))
    }

    /// The folders of a launch.
    pub fn dirs_of_launch(&self) -> Result<Dirs> {
        let gone = || Message::new("could not find the working folder", "cd to a folder that exists");
        self.dirs_in(std::env::current_dir().with_context(gone)?)
    }

    /// The folders of any other command. A working folder that is gone holds nothing, under whatever name.
    pub fn dirs(&self) -> Result<Dirs> {
        self.dirs_in(std::env::current_dir().unwrap_or_else(|_| "/proc/self/cwd".into()))
    }

    fn dirs_in(&self, cwd: PathBuf) -> Result<Dirs> {
        Ok(Dirs {
            home: self.home()?,
            cwd,
            config: self.base_dir("XDG_CONFIG_HOME", ".config")?,
            data: self.base_dir("XDG_DATA_HOME", ".local/share")?,
            cache: self.base_dir("XDG_CACHE_HOME", ".cache")?.join("agent-run"),
            state: self.base_dir("XDG_STATE_HOME", ".local/state")?.join("agent-run"),
        })
    }

    /// The folder for the user's own commands: `$XDG_BIN_HOME`, else `~/.local/bin`.
    pub fn bin_dir(&self) -> Result<PathBuf> {
        self.base_dir("XDG_BIN_HOME", ".local/bin")
    }

    /// The folders of shared data, the user's own first.
    pub fn data_dirs(&self) -> Result<Vec<PathBuf>> {
        let shared = self.var("XDG_DATA_DIRS").unwrap_or(OsStr::new("/usr/local/share:/usr/share"));
        let own = self.base_dir("XDG_DATA_HOME", ".local/share")?;
        Ok(std::iter::once(own).chain(std::env::split_paths(shared)).collect())
    }

    /// The user's login shell by name: `bash`, `zsh`, `fish`.
    pub fn shell(&self) -> Option<&str> {
        Path::new(self.var("SHELL")?).file_name()?.to_str()
    }

    /// `COMPLETE`: the shell that asks for a completion.
    pub fn completing(&self) -> Option<&str> {
        self.var(COMPLETE)?.to_str()
    }

    /// Whether the user wants a log of what is usually silent.
    pub fn wants_log(&self) -> bool {
        self.var("RUST_LOG").is_some()
    }

    /// A base folder of the XDG specification 0.8, which wants relative values ignored.
    fn base_dir(&self, variable: &str, default: &str) -> Result<PathBuf> {
        match self.var(variable).map(Path::new).filter(|path| path.is_absolute()) {
            Some(path) => Ok(path.to_owned()),
            None => Ok(self.home()?.join(default)),
        }
    }

    /// The home folder: `HOME`, which every launch has and which costs nothing, else what the system's list of users
    /// says. Config, cache and state do not come from `dirs` as well: on macOS they would be in `~/Library`.
    fn home(&self) -> Result<PathBuf> {
        self.var("HOME")
            .map(PathBuf::from)
            .or_else(dirs::home_dir)
            .filter(|home| home.is_absolute())
            .context(Message::new("could not find the home folder", "set HOME to an absolute path"))
    }
}

/// Whether it is a file that can be run.
pub fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}
