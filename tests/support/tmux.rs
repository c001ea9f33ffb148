//! A terminal: tmux on a socket of its own, to see what a person sees.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{Sandbox, run};

/// A program in a terminal of 120 × 40.
pub struct Tmux {
    socket: String,
    server: Box<dyn Fn() -> Command>,
}

impl Tmux {
    /// True; the test fails when tmux is not there.
    #[track_caller]
    pub fn is_there() -> bool {
        super::real::tools(&["tmux"])
    }

    /// Starts a shell command in the sandbox's environment and working folder.
    #[track_caller]
    pub fn start(sandbox: &Sandbox, shell_command: &str) -> Self {
        let socket = sandbox.path("tmux").display().to_string();
        let vars: Vec<_> = sandbox
            .command("env")
            .get_envs()
            .map(|(k, v)| (k.to_owned(), v.map(ToOwned::to_owned)))
            .collect();
        let work = sandbox.path("work");
        let server = {
            let socket = socket.clone();
            move || {
                let mut command = Command::new("tmux");
                command
                    .env_clear()
                    .envs(vars.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
                command.current_dir(&work).args(["-S", &socket, "-f", "/dev/null"]);
                command
            }
        };
        let tmux = Self { socket, server: Box::new(server) };
        let keep = format!("{shell_command}; echo \"[exited $?]\"; sleep 600");
        run((tmux.server)().args(["new-session", "-d", "-x", "120", "-y", "40", &keep])).exits(0);
        tmux
    }

    /// Types text, as it is.
    pub fn text(&self, text: &str) {
        run((self.server)().args(["send-keys", "-l", text])).exits(0);
    }

    /// Presses a key by tmux's name for it: `Enter`, `Down`, `C-c`.
    pub fn key(&self, key: &str) {
        run((self.server)().args(["send-keys", key])).exits(0);
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        run((self.server)().args(["capture-pane", "-p"])).stdout
    }

    /// Waits until the screen shows the text, and returns the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as wanted, and returns it.
    #[track_caller]
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "never saw {what} on\n{screen}");
            std::thread::sleep(Duration::from_millis(150));
        }
    }
}

impl Drop for Tmux {
    /// Ends what runs in the terminal, and waits for it: an agent still writes while it goes, and would
    /// leave files in a sandbox that is being removed.
    fn drop(&mut self) {
        let tty = run((self.server)().args(["display-message", "-p", "#{pane_tty}"])).stdout;
        let inside = run(Command::new("ps").args(["-o", "pid=", "-t", tty.trim()])).stdout;
        let pids: Vec<_> = inside.split_whitespace().collect();
        _ = (self.server)().arg("kill-server").output();
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline
            && !run(Command::new("ps").args(["-o", "pid=", "-p", &pids.join(",")])).stdout.trim().is_empty()
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        _ = std::fs::remove_file(&self.socket);
    }
}
