//! The static release for Linux, as `.ci/release` builds it: it needs no library, and still finds hosts by name,
//! certificates and the user's home.
//!
//! Each test runs in namespaces of its own ([`net`]): a network with nothing but loopback, and an `/etc` that holds
//! what the test puts there.

/// Names: hosts, domain name servers, and `nsswitch.conf`.
mod names;

/// Certificates.
mod tls;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::support::mock_provider::MockProvider;
use crate::support::real::missing;
use crate::support::{Ran, Sandbox, net, run};

/// The release: the one that the variable names, else the one that was built here.
fn release() -> Option<PathBuf> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let built = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("static").join(target);
    let named = std::env::var_os("AGENT_RUN_RELEASE").map(PathBuf::from);
    let path = named.unwrap_or_else(|| built.join("release/agent-run"));
    if path.exists() { Some(path) } else { missing("the release", ".ci/release builds it") }
}

/// A machine with the release on it, and an `/etc` of its own.
struct Machine {
    sandbox: Sandbox,
}

impl Machine {
    /// Starts the test again in namespaces of its own, and gives its machine to that one: `None` for the one
    /// outside, which is done then.
    #[track_caller]
    fn inside() -> Option<Self> {
        let release = release()?;
        if !net::is_inside() {
            return None;
        }
        let sandbox = Sandbox::new();
        let etc = sandbox.path("etc");
        let files = [
            ("hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.0.1 only-in-hosts\n"),
            // As Debian has it: all lines of a name count.
            ("host.conf", "multi on\n"),
            ("nsswitch.conf", "passwd: files\nhosts: files dns\n"),
            ("resolv.conf", "nameserver 127.0.0.1\nsearch corp.example\noptions timeout:1 attempts:1\n"),
        ];
        for (file, text) in files {
            sandbox.write(&etc.join(file), text);
        }
        net::bind(&etc, "/etc");
        let program = sandbox.path("bin/agent-run");
        fs::remove_file(&program).unwrap();
        symlink(release, program).unwrap();
        Some(Self { sandbox })
    }

    /// Writes a file below `/etc`.
    fn etc(&self, file: &str, text: &str) {
        self.sandbox.write(&self.sandbox.path("etc").join(file), text);
    }

    /// Makes the provider `mock` one at this URL.
    fn provider(&self, url: &str) {
        self.sandbox.config(&format!(
            "providers:\n  mock:\n    protocols: [anthropic, openai-responses]\n    default_model: mock-model\n    \
             base_urls: {{anthropic: '{url}', openai: '{url}/v1'}}\n    key: sk-planted-key\n"
        ));
    }

    /// Asks the provider at this URL for its models.
    #[track_caller]
    fn list(&self, url: &str) -> Ran {
        self.provider(url);
        self.sandbox.agent_run(&["models", "list", "mock", "--refresh"])
    }
}

fn port(mock_provider: &MockProvider) -> &str {
    mock_provider.address.rsplit(':').next().unwrap()
}

#[test]
#[cfg_attr(not(feature = "static-release"), ignore = "needs .ci/release: --features static-release")]
fn it_is_one_static_file() {
    let Some(release) = release() else { return };
    let file = fs::read(release).unwrap();
    assert_eq!(&file[..6], b"\x7fELF\x02\x01", "a 64-bit file of this kind of machine");
    let number = |at: usize, bytes: usize| {
        file[at..at + bytes].iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte))
    };
    let (start, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    let kinds: Vec<_> = (0..count).map(|index| number(start + index * size, 4)).collect();
    let (load, dynamic, interpreter) = (1, 2, 3);
    assert!(kinds.contains(&load) && !kinds.contains(&dynamic) && !kinds.contains(&interpreter), "{kinds:?}");
}

#[test]
#[cfg_attr(not(feature = "static-release"), ignore = "needs .ci/release: --features static-release")]
fn it_launches_and_becomes_the_agent() {
    let Some(machine) = Machine::inside() else { return };
    let sandbox = &machine.sandbox;
    let mock_provider = MockProvider::start(sandbox, "mock-provider");
    machine.provider(&format!("http://localhost:{}", port(&mock_provider)));
    for agent in ["claude", "codex"] {
        sandbox.fake_agent(agent);
        let ran = sandbox.agent_run(&["launch", "mock", agent, "hello"]).clean();
        assert_eq!(ran.args().last(), Some(&"hello"), "{}", ran.stdout);
        assert_eq!(ran.env("AGENT_RUN_DEPTH"), Some("1"));
    }
    // The words that start a refresher are its own program's, too.
    sandbox.agent_run(&["models", "list", "mock"]).exits(0);
}

#[test]
#[cfg_attr(not(feature = "static-release"), ignore = "needs .ci/release: --features static-release")]
fn it_knows_the_home_of_a_user_who_does_not_say() {
    let Some(machine) = Machine::inside() else { return };
    machine.etc("passwd", "root:x:0:0:root:/home/of-root:/bin/sh\n");
    for switch in ["files", "files systemd", "sss files"] {
        machine.etc("nsswitch.conf", &format!("passwd: {switch}\n"));
        let ran =
            run(machine.sandbox.command("agent-run").env_remove("HOME").args(["config", "path"])).clean();
        assert_eq!(ran.stdout, "/home/of-root/.config/agent-run/config.yaml\n", "{switch}");
    }
}
