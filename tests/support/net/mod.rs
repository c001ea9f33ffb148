//! A network that is all sink: every address is this machine, and every attempt is heard and counted.
//!
//! A test that wants it runs a second time, alone, in a copy of the test binary within new user, network,
//! mount and process namespaces. There the loopback device is the only one, every route ends on it, names
//! resolve to addresses that lead to it, and [`Sink`] listens where the web, proxies and local gateways
//! are. What runs in there reaches nothing else, and ends with it.

mod authority;
mod dns;
mod sink;
mod wire;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Sandbox, real, run};
#[allow(unused_imports, reason = "each test binary uses its part")]
pub use sink::{FAR, Seen, Sink, Way};
#[allow(unused_imports, reason = "each test binary uses its part")]
pub use wire::SEALED;

/// Set in the copy of a test that runs in the namespaces.
const INSIDE: &str = "AGENT_RUN_TEST_NETNS";

/// What the namespaces are made with.
const TOOLS: [&str; 4] = ["unshare", "ip", "mount", "timeout"];

/// Runs the calling test in the namespaces: true in the copy, which goes on, and false in the original,
/// whose work is done when this returns.
///
/// The test fails on a machine without the tools, or that gives its users no namespaces.
#[track_caller]
pub fn is_inside() -> bool {
    is_inside_for(900)
}

/// The same, for a test that may take this many seconds.
#[track_caller]
#[allow(clippy::print_stdout, reason = "what the copy says is what the test says")]
pub fn is_inside_for(seconds: u32) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        route_everything_here();
        return true;
    }
    real::tools(&TOOLS);
    needed();
    let name = std::thread::current().name().expect("a test's thread is named after it").to_owned();
    // The processes end with the first of them, whatever they put into the background. `timeout` ends that
    // one when an agent hangs.
    let mut copy = Command::new("timeout");
    copy.args(["-k", "5", &seconds.to_string(), "unshare", "-rnmpf", "--kill-child"]);
    copy.arg(std::env::current_exe().unwrap()).args(["--exact", &name, "--nocapture"]);
    copy.env(INSIDE, "1").stdin(Stdio::null());
    let mut ran = run(&mut copy);
    // The counters also move when a connection to somebody who listens is given up halfway, as happens on a busy
    // machine. Whatever turns a launch elsewhere does so each time.
    if ran.code != 0 && ran.stderr.contains(UNHEARD) {
        ran = run(&mut copy);
    }
    print!("{}", ran.stdout);
    assert!(ran.code == 0 && ran.stdout.contains("1 passed"), "{}\n{}", ran.stdout, ran.stderr);
    false
}

/// Fails a test that needs namespaces where none can be had: a machine may forbid them.
#[track_caller]
pub fn needed() {
    real::tools(&["unshare"]);
    let unshared = Command::new("unshare").args(["-rnmpf", "true"]).output();
    if !unshared.is_ok_and(|ran| ran.status.success()) {
        real::missing("namespaces", "allow `unshare -rnmpf`, or leave out the feature system-tools");
    }
}

fn route_everything_here() {
    for words in ["link set lo up", "route add local default dev lo", "-6 route add local default dev lo"] {
        run(Command::new("ip").args(words.split(' '))).exits(0);
    }
    // Processes of these namespaces alone. A container may forbid it, and then all are seen.
    _ = Command::new("mount").args(["-t", "proc", "proc", "/proc"]).stderr(Stdio::null()).status();
}

/// Puts a file of agent-run in place of one of the machine's, for these namespaces.
pub fn bind(ours: &Path, theirs: &str) {
    run(Command::new("mount").arg("--bind").arg(ours).arg(theirs)).exits(0);
}

/// Puts a copy of `/etc` with these files in its place, for these namespaces.
pub fn etc(sandbox: &Sandbox, files: &[(&str, String)]) {
    let copy = sandbox.path("etc");
    // What only another user may read is left out.
    _ = Command::new("cp").args(["-r", "/etc"]).arg(&copy).stderr(Stdio::null()).status();
    for (name, text) in files {
        sandbox.write(&copy.join(name), text);
    }
    bind(&copy, "/etc");
}

/// What a test says that fails for [`unheard`] alone.
pub const UNHEARD: &str = "knocked where nobody listens";

/// How often something in here knocked where nobody listens: refused connections, and lost datagrams.
pub fn unheard() -> u64 {
    let counters = fs::read_to_string("/proc/net/snmp").unwrap();
    let counter = |protocol: &str, name: &str| -> u64 {
        let mut lines = counters.lines().filter_map(|line| line.strip_prefix(protocol));
        let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
        let at = names.split_whitespace().position(|had| had == name).unwrap();
        values.split_whitespace().nth(at).unwrap().parse().unwrap()
    };
    counter("Tcp:", "AttemptFails") + counter("Udp:", "NoPorts")
}
