//! A machine as users have it: an environment of some length, and homes of agents with things in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::compile_c;

/// A C program that only calls `execve`.
const WRAPPER: &str = "#include <unistd.h>\nint main(int c, char **v, char **e) \
    { v[0] = STUB; execve(STUB, v, e); return c < 0; }\n";

/// Variables that say nothing to us and are there all the same.
const USUAL: &str = "SHELL PWD OLDPWD LOGNAME USER HOSTNAME EDITOR PAGER TERM COLORTERM TERM_PROGRAM \
    DISPLAY WAYLAND_DISPLAY XDG_SESSION_TYPE XDG_SESSION_ID XDG_DATA_DIRS DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK \
    SSH_CONNECTION SSH_CLIENT SSH_TTY GPG_TTY LS_COLORS LESSOPEN LESSCLOSE SHLVL TMUX TMUX_PANE MAIL INVOCATION_ID \
    CARGO_HOME GOPATH NVM_DIR NVM_BIN PYENV_ROOT VIRTUAL_ENV JAVA_HOME _";

/// A folder with a home, a stub for every agent, and a wrapper around it.
pub struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    /// Makes one below `folder`. Its stubs end at once.
    pub fn new(folder: &Path) -> Self {
        let machine = Self { root: tempfile::tempdir_in(folder).unwrap() };
        fs::create_dir_all(machine.path("bin")).unwrap();
        fs::create_dir_all(machine.path("home/.config/agent-run")).unwrap();
        let stub = compile_c(&machine.path(""), "stub", "int main(void) { return 0; }\n", &["-static"]);
        for agent in ["claude", "codex", "hermes", "crush"] {
            fs::copy(&stub, machine.path("bin").join(agent)).unwrap();
        }
        let at = format!("-DSTUB=\"{}\"", stub.display());
        compile_c(&machine.path(""), "wrapper", WRAPPER, &[&at]);
        machine.write("home/.claude.json", "{\"hasCompletedOnboarding\": true}");
        machine
    }

    /// A path of it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    /// Writes a file, private, and the folders above it.
    pub fn write(&self, below: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A command in it, with the usual environment.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().current_dir(self.root.path());
        command.envs(USUAL.split_whitespace().map(|name| (name, "/some/usual/value/of/it")));
        // Node ends by a segmentation fault in a locale that is none.
        command.envs([("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")]);
        command.env("HOME", self.path("home")).env("BENCH_KEY", "sk-bench-1234567890");
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display()));
        command
    }

    /// A link to `program` under the name of a shim, in a folder of the build's own.
    pub fn shim(&self, build: &str, program: &Path, name: &str) -> PathBuf {
        let folder = self.path(build);
        fs::create_dir_all(&folder).unwrap();
        let link = folder.join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(program, &link).unwrap();
        }
        link
    }

    /// A copy of the home for one build.
    pub fn copy_of_home(&self, build: &str) -> PathBuf {
        let copy = self.path(&format!("home-{build}"));
        let copied = Command::new("cp").arg("-a").args([&self.path("home"), &copy]).status();
        assert!(copied.is_ok_and(|status| status.success()), "cp -a");
        copy
    }

    /// Fills the homes of Claude Code, Codex, Hermes Agent and Crush as months of use do.
    pub fn live_in(&self) {
        let dotfolders = ["home/.claude", "home/.codex", "home/.hermes", "home/.config/crush"];
        for folder in dotfolders {
            for n in 0..50 {
                self.write(
                    &format!("{folder}/skills/skill-{n}/SKILL.md"),
                    "---\nname: a skill\n---\nDo it well.\n",
                );
                self.write(&format!("{folder}/prompts/prompt-{n}.md"), "Do it well.\n");
                self.write(&format!("{folder}/sessions/2026/11/session-{n}.jsonl"), "{}\n");
            }
            for name in ["AGENTS.md", "history.jsonl", "auth.json", "state.db", "version.json", "notes.md"] {
                self.write(&format!("{folder}/{name}"), "{}\n");
            }
        }
        let servers =
            (0..10).map(|n| format!("\n[mcp_servers.s{n}]\ncommand = \"npx\"\nargs = [\"server-{n}\"]\n"));
        let projects = (0..50).map(|n| format!("\n[projects.\"/work/p{n}\"]\ntrust_level = \"trusted\"\n"));
        self.write(
            "home/.codex/config.toml",
            &("model = \"x\"\n".to_owned() + &servers.chain(projects).collect::<String>()),
        );
        let servers = (0..10).map(|n| format!("  s{n}:\n    command: npx\n    args: [server-{n}]\n"));
        let settings = "model:\n  default: x\n  provider: openrouter\nmcp_servers:\n".to_owned();
        self.write("home/.hermes/config.yaml", &(settings + &servers.collect::<String>()));
        self.write(
            "home/.config/crush/crush.json",
            "{\"options\": {\"tui\": {\"compact_mode\": true}}, \"mcp\": {}}\n",
        );
        let allowed = (0..50).map(|n| format!("\"Bash(command-{n}:*)\"")).collect::<Vec<_>>().join(", ");
        self.write(
            "home/.claude/settings.json",
            &format!("{{\"permissions\": {{\"allow\": [{allowed}]}}}}\n"),
        );
        let project = |n| {
            format!("\"/work/p{n}\": {{\"allowedTools\": [], \"history\": [{{\"display\": \"hello\"}}]}}")
        };
        let projects = (0..200).map(project).collect::<Vec<_>>().join(", ");
        let state = format!("{{\"hasCompletedOnboarding\": true, \"projects\": {{{projects}}}}}\n");
        self.write("home/.claude.json", &state);
    }
}
