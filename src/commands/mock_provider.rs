//! `agent-run mock-provider`: the embedded provider as a process of its own, for tests.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd::getppid;

use crate::mock_provider::{Log, MockProvider, Script};

/// How often it looks for its parent: no one should wait long for the port, and looking costs nothing.
const LOOK: Duration = Duration::from_millis(100);

/// Runs a mock provider until the parent process ends.
///
/// The address is the first line of standard output; by then the mock provider is listening. The second is for a config.
pub fn run(listen: SocketAddr, log: &Path, script: Option<&str>) -> Result<ExitCode> {
    let parent = getppid();
    let script = script.map(Script::read).transpose()?.unwrap_or_default();
    let mock_provider = MockProvider::listen(listen, script, Log::file(log)?)?;
    let (addr, mut stdout) = (mock_provider.addr(), io::stdout().lock());
    // In one write, since a reader may leave after the first line.
    let lines =
        format!("listening {addr}\nbase_urls: {{anthropic: http://{addr}, openai: http://{addr}/v1}}\n");
    stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()).context("could not print")?;
    // An orphan is given another parent, on Linux and macOS alike.
    while getppid() == parent {
        thread::sleep(LOOK);
    }
    Ok(ExitCode::SUCCESS)
}
