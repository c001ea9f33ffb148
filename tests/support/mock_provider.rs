//! The mock provider: the binary's own loopback provider, on a port of its own, with a log per test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::Sandbox;

/// A running mock provider.
pub struct MockProvider {
    child: Child,
    log: PathBuf,
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl MockProvider {
    /// Starts one that answers `PONG-FROM-MOCK`.
    pub fn start(sandbox: &Sandbox, name: &str) -> Self {
        Self::scripted(sandbox, name, "[]")
    }

    /// Starts one at this address.
    pub fn listening(sandbox: &Sandbox, name: &str, address: &str) -> Self {
        Self::run(sandbox, name, address, "[]")
    }

    /// Starts one with a script at this address.
    pub fn scripted_at(sandbox: &Sandbox, name: &str, address: &str, script: &str) -> Self {
        Self::run(sandbox, name, address, script)
    }

    /// Starts one with a script: a JSON array of rules.
    pub fn scripted(sandbox: &Sandbox, name: &str, script: &str) -> Self {
        Self::run(sandbox, name, "127.0.0.1:0", script)
    }

    fn run(sandbox: &Sandbox, name: &str, listen: &str, script: &str) -> Self {
        let log = sandbox.path(&format!("{name}.log"));
        let mut command = sandbox.command("agent-run");
        command.args(["mock-provider", "--listen", listen, "--script", script, "--log"]).arg(&log);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening ").expect("the mock provider's first line").to_owned();
        Self { child, log, address }
    }

    /// `http://127.0.0.1:PORT` and whatever comes after.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Json> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// The requests that carry a prompt.
    pub fn posts(&self) -> Vec<Json> {
        let mut requests = self.requests();
        requests.retain(|request| {
            let path = request["path"].as_str().unwrap_or_default();
            request["method"] == "POST" && !path.contains("count_tokens") && !request["protocol"].is_null()
        });
        requests
    }

    /// The requests that carry a prompt, once there are at least `count`.
    #[track_caller]
    pub fn wait_for_posts(&self, count: usize) -> Vec<Json> {
        let start = Instant::now();
        loop {
            let posts = self.posts();
            if posts.len() >= count {
                return posts;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{} of {count} posts", posts.len());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl MockProvider {
    /// Ends it; from then on nobody answers at its address.
    pub fn stop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Drop for MockProvider {
    fn drop(&mut self) {
        self.stop();
    }
}
