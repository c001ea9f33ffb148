//! What the tests stand on: a sandbox with its own home, fake and real agents, a mock provider, a terminal.
//!
//! Nothing here reads or writes outside the sandbox, and everything started in it ends with the test.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set its stage has failed")]

pub mod claude;
pub mod lists;
pub mod mock_provider;
#[cfg(target_os = "linux")]
pub mod net;
pub mod real;
pub mod tmux;
pub mod tree;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub use mock_provider::MockProvider;

/// The binary under test.
pub const AGENT_RUN: &str = env!("CARGO_BIN_EXE_agent-run");

/// A machine of one's own: home, folders, PATH and an environment that holds nothing else.
pub struct Sandbox {
    root: tempfile::TempDir,
    vars: Vec<(String, String)>,
}

/// The system's folders of programs, without the agents that somebody has installed there: where one is, links to
/// all the others take the folder's place.
pub fn system_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let is_agent = |name: &OsStr| shims::AGENTS.iter().any(|agent| name == agent.name());
        let folders = ["/usr/local/bin", "/usr/bin", "/bin"].map(|folder| {
            let has = |agent: &&dyn shims::Agent| Path::new(folder).join(agent.name()).exists();
            if !shims::AGENTS.iter().any(|agent| has(&&**agent)) {
                return folder.to_owned();
            }
            let links = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join("without-agents")
                .join(folder.trim_start_matches('/').replace('/', "-"));
            fs::create_dir_all(&links).unwrap();
            // Test programs that run at once make the same ones.
            for entry in fs::read_dir(folder).unwrap().flatten().filter(|entry| !is_agent(&entry.file_name()))
            {
                _ = symlink(entry.path(), links.join(entry.file_name()));
            }
            links.display().to_string()
        });
        folders.join(":")
    })
}

impl Sandbox {
    /// An empty home.
    ///
    /// It lies below the target folder and not below the system's temporary one: Codex refuses to put its
    /// helpers under TMPDIR (seen in 0.169).
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("s").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let sandbox = Self { root, vars: Vec::new() };
        for dir in ["home", "bin", "tmp", "work"] {
            fs::create_dir(sandbox.path(dir)).unwrap();
        }
        symlink(AGENT_RUN, sandbox.path("bin/agent-run")).unwrap();
        let path = format!("{}:{}", sandbox.path("bin").display(), system_path());
        sandbox.var("PATH", path).var("TERM", "xterm-256color").var("LANG", "C.UTF-8")
    }

    /// Sets a variable for everything that is started here.
    pub fn var(mut self, name: &str, value: impl Into<String>) -> Self {
        self.vars.retain(|(had, _)| had != name);
        self.vars.push((name.to_owned(), value.into()));
        self
    }

    /// Puts folders in front of PATH, behind the sandbox's own `bin`.
    pub fn also_on_path(self, dirs: &[PathBuf]) -> Self {
        let dirs: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
        let bin = self.path("bin").display().to_string();
        self.var("PATH", format!("{bin}:{}:{}", dirs.join(":"), system_path()))
    }

    /// A path in the sandbox.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    /// A path in the home.
    pub fn home(&self, below: &str) -> PathBuf {
        self.root.path().join("home").join(below)
    }

    /// Writes a file and the folders above it.
    #[allow(clippy::unused_self, reason = "files are written in a sandbox, and the call should say so")]
    pub fn write(&self, path: &Path, text: impl AsRef<[u8]>) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Makes a folder one that git takes for a work tree.
    pub fn repository(&self, folder: &Path) {
        self.write(&folder.join(".git/HEAD"), "ref: refs/heads/main\n");
        for name in [".git/objects", ".git/refs"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
    }

    /// Writes the config file, private as it should be.
    pub fn config(&self, yaml: &str) -> PathBuf {
        let path = self.home(".config/agent-run/config.yaml");
        self.write(&path, yaml);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Writes the secret that a first launch would make, so that the names made from it are always the same.
    pub fn known_secret(&self) {
        let path = self.home(".local/state/agent-run/secret");
        self.write(&path, "000102030405060708090a0b0c0d0e0f\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for folder in [".local/state/agent-run", ".local/state", ".local"] {
            fs::set_permissions(self.home(folder), fs::Permissions::from_mode(0o700)).unwrap();
        }
    }

    /// Puts an executable on PATH.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path("bin").join(name);
        self.write(&path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Puts a fake agent on PATH that prints its arguments, one a line as `arg:…`, and its environment.
    pub fn fake_agent(&self, name: &str) -> PathBuf {
        self.script(name, "#!/bin/sh\nfor a in \"$@\"; do printf 'arg:%s\\n' \"$a\"; done\nenv\n")
    }

    /// Puts a shim on PATH: a link to the binary under test.
    pub fn shim(&self, name: &str) -> PathBuf {
        let path = self.path("bin").join(name);
        symlink(AGENT_RUN, &path).unwrap();
        path
    }

    /// A command in the sandbox: cleared environment, working folder `work`, no stdin.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let program = Path::new(program.as_ref());
        // A bare name means the sandbox's own `bin`, where the shims are.
        let in_bin = self.path("bin").join(program);
        let mut command = Command::new(if in_bin.exists() { &in_bin } else { program });
        command.env_clear().current_dir(self.path("work")).stdin(Stdio::null());
        command.env("HOME", self.home("")).env("TMPDIR", self.path("tmp"));
        command.envs(self.vars.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `agent-run` with these words.
    #[track_caller]
    pub fn agent_run(&self, words: &[&str]) -> Ran {
        run(self.command("agent-run").args(words))
    }

    /// Runs a program of the sandbox with these words.
    #[track_caller]
    pub fn run(&self, program: &str, words: &[&str]) -> Ran {
        run(self.command(program).args(words))
    }

    /// The text with the sandbox's own paths as `[HOME]` and `[ROOT]`, for comparing with data files.
    pub fn redacted(&self, text: &str) -> String {
        let root = self.root.path().display().to_string();
        text.replace(&format!("{root}/home"), "[HOME]").replace(&root, "[ROOT]")
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; 128 + signal if a signal ended it, as a shell says.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

impl Ran {
    /// Asserts the exit code, and shows everything if it differs.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts success with nothing on stderr.
    #[track_caller]
    pub fn clean(self) -> Self {
        let ran = self.exits(0);
        assert_eq!(ran.stderr, "", "stdout:\n{}", ran.stdout);
        ran
    }

    /// Asserts that stderr holds these texts.
    #[track_caller]
    pub fn complains(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "no `{text}` in stderr:\n{}", self.stderr);
        }
        self
    }

    /// The arguments that a fake agent got.
    pub fn args(&self) -> Vec<&str> {
        self.stdout.lines().filter_map(|line| line.strip_prefix("arg:")).collect()
    }

    /// The same without the settings that a launch of Claude Code puts in front.
    pub fn own_args(&self) -> Vec<&str> {
        match self.args().as_slice() {
            ["--settings", settings, rest @ ..] if settings.contains("disableAutoMode") => rest.to_vec(),
            all => all.to_vec(),
        }
    }

    /// A variable that a fake agent saw.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Ran {
    use std::os::unix::process::ExitStatusExt;
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let code = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default());
    Ran {
        code,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
