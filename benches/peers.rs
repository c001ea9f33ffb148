//! What a launch costs beside that of other launchers and switchers, in the same run.
//!
//! `benches/peers` installs them first. Each is given one provider in its own settings, in a home of its own, and
//! then raced at what it has to start Claude Code on that provider; one that only rewrites settings, at that and
//! the start that the user then types. The agent is a stub that ends at once. A run asserts nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, reason = "of the stage, a run and a list's server are used")]
mod stage;
mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stage::lists::Lists;
use support::home::Machine;
use support::{Contestant, default_build, race, static_build, stripped, table};

const ROUNDS: usize = 12;
const WRAPPER: &str = "C program that calls execve";
const URL: &str = "https://api.example.com/anthropic";
const MODEL: &str = "example-model";
const KEY: &str = "sk-bench-1234567890";

/// A program that several words start, in a machine of its own.
struct Peer {
    machine: Machine,
    program: PathBuf,
    name: String,
}

/// Tells a peer of the provider; `None` when it would not have it, or does not start here.
type SetUp = fn(&Peer) -> Option<Contestant>;

fn main() {
    // Some of them put a file system of their own over the system's temporary folder.
    let root = tempfile::tempdir_in("/var/tmp").unwrap();
    let root = root.path();
    let machine = Machine::new(root);
    let mut contestants = vec![
        Contestant::new("the stub agent alone", machine.command(machine.path("stub"))),
        Contestant::new(WRAPPER, machine.command(machine.path("wrapper"))),
    ];
    contestants.extend(ours(&machine));
    let peers: [(&str, &str, SetUp); 5] = [
        ("cc-switch", "cc-switch/bin/cc-switch", cc_switch),
        ("agent-box-cli", "agent-box-cli/bin/agent-box", agent_box),
        ("claude-provider-switcher", "claude-provider-switcher/bin/claude-provider-switcher", run_a_profile),
        ("claude-provider-switcher", "claude-provider-switcher/bin/claude-provider-switcher", use_a_profile),
        ("ccs", "ccs/node_modules/.bin/ccs", ccs),
    ];
    let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers");
    let mut machines = Vec::new();
    for (name, program, set_up) in peers {
        let version = std::fs::read_to_string(installed.join(format!("{name}.version")));
        let Ok(version) = version else {
            println!("{name} is not installed, see benches/peers");
            continue;
        };
        let name = format!("{name} {}", version.trim());
        let peer = Peer { machine: Machine::new(root), program: installed.join(program), name };
        match set_up(&peer) {
            Some(contestant) => contestants.push(contestant),
            None => println!("{} could not be set up here, and is left out", peer.name),
        }
        machines.push(peer);
    }
    race(&mut contestants, ROUNDS);
    println!("\nto start Claude Code on a provider");
    table(&contestants, WRAPPER);
    let least = |name: &str| contestants.iter().find(|c| c.name.contains(name)).map(Contestant::fastest);
    let ours = least("agent-run, static").unwrap();
    println!("\nfastest runs, as multiples of agent-run's static build");
    for contestant in &contestants {
        println!("  {:<64} {:>7.2}", contestant.name, contestant.fastest() / ours);
    }
    println!("\nwhere the key then is in the home, with the file's mode");
    machines.iter().for_each(Peer::tell_of_the_key);
}

fn ours(machine: &Machine) -> Vec<Contestant> {
    let lists = Lists::json(r#"{"data": [{"id": "example-model", "context_length": 200000}]}"#);
    let config = format!(
        "providers:\n  p:\n    protocols: [anthropic]\n    base_urls: {{anthropic: '{URL}'}}\n    \
         models_url: http://{}/models\n    default_model: {MODEL}\n    key_env: BENCH_KEY\n",
        lists.address
    );
    machine.write("home/.config/agent-run/config.yaml", &config);
    let default = default_build(&machine.path("agent-run-default"));
    stage::run(machine.command(&default).args(["models", "list", "p"])).clean();
    let symbols = static_build();
    let release = stripped(&symbols, &machine.path("agent-run-static"));
    [("default", &default, &default), ("static", &release, &symbols)]
        .map(|(build, program, counted)| {
            let command = machine.command(machine.shim(build, program, "claude@p"));
            let counted = machine.shim(&format!("{build}-counted"), counted, "claude@p");
            Contestant::new(&format!("agent-run, {build}: claude@p"), command).counted_as(&counted)
        })
        .into()
}

impl Peer {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.machine.command(&self.program);
        // Our own key is no part of what they are given.
        command.args(words).env_remove("BENCH_KEY");
        command
    }

    fn ran(&self, words: &[&str], stdin: &str) -> bool {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else { return false };
        _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait().unwrap().success()
    }

    fn contestant(&self, words: &[&str], what: &str) -> Option<Contestant> {
        let contestant = Contestant::new(&format!("{}: {what}", self.name), self.command(words));
        self.ran(words, "").then_some(contestant)
    }

    fn tell_of_the_key(&self) {
        let mut find = Command::new("grep");
        let found = find.args(["-rlF", KEY]).arg(self.machine.path("home")).output().unwrap().stdout;
        for path in String::from_utf8_lossy(&found).lines() {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let below = Path::new(path).strip_prefix(self.machine.path("home")).unwrap();
            println!("  {}: ~/{} ({mode:o})", self.name, below.display());
        }
    }
}

fn cc_switch(peer: &Peer) -> Option<Contestant> {
    let added = peer.ran(&["add", "p", "-t", KEY, "-u", URL, "-m", MODEL], "");
    added.then(|| peer.contestant(&["use", "p"], "use p")).flatten()
}

/// A profile is a copy of Claude Code's folder, mounted over the real one; the provider is in its settings.
fn agent_box(peer: &Peer) -> Option<Contestant> {
    let created = peer.ran(&["exec", "create p --type claude"], "");
    let settings = "home/.agent-box/profiles/p/dot-claude/settings.json";
    let env = format!(
        "{{\"env\": {{\"ANTHROPIC_BASE_URL\": \"{URL}\", \"ANTHROPIC_AUTH_TOKEN\": \"{KEY}\", \
         \"ANTHROPIC_MODEL\": \"{MODEL}\"}}}}"
    );
    created.then(|| peer.machine.write(settings, &env));
    created.then(|| peer.contestant(&["exec", "launch p"], "launch p, in bwrap")).flatten()
}

fn profile(peer: &Peer) -> bool {
    let words = ["profile", "add", "p", "--type", "api", "--base-url", URL, "--model", MODEL];
    peer.ran(&[&words[..], &["--auth-kind", "auth_token", "--key-stdin"]].concat(), &format!("{KEY}\n"))
}

fn run_a_profile(peer: &Peer) -> Option<Contestant> {
    profile(peer).then(|| peer.contestant(&["run", "p"], "run p")).flatten()
}

/// It rewrites the user's settings; the agent is then started by hand.
fn use_a_profile(peer: &Peer) -> Option<Contestant> {
    if !profile(peer) || !peer.ran(&["use", "p"], "") {
        return None;
    }
    let mut command = peer.machine.command("/bin/sh");
    command.env_remove("BENCH_KEY").arg("-c").arg("\"$0\" use p && exec claude").arg(&peer.program);
    Some(Contestant::new(&format!("{}: use p, then claude", peer.name), command).uncounted())
}

fn ccs(peer: &Peer) -> Option<Contestant> {
    let words = ["api", "create", "p", "--base-url", URL, "--api-key", KEY, "--model", MODEL, "--yes"];
    peer.ran(&words, "").then(|| peer.contestant(&["p"], "p")).flatten().map(Contestant::uncounted)
}
