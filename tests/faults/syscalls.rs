//! No waiting: what a launch that has been made before asks of the system. Counts do not depend on how busy the
//! machine is; `benches/` has the times.

use std::fs;

use crate::support::lists::Lists;
use crate::support::{Sandbox, run};

/// The beginnings of the names of calls that ask somebody, start something or write.
const UNWANTED: [&str; 8] = ["socket", "connect", "clone", "fork", "vfork", "mkdir", "rename", "unlink"];

/// What the system was asked for from our own start to the agent's, a call a line.
fn asked(sandbox: &Sandbox, shim: &str) -> Vec<String> {
    let log = sandbox.path("calls");
    let mut strace = sandbox.command("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&log).arg(sandbox.path("bin").join(shim));
    run(&mut strace).clean();
    let log = fs::read_to_string(log).unwrap();
    // The process's number comes first, padded.
    let calls = log.lines().filter_map(|line| Some(line.trim_start().split_once(' ')?.1.trim_start()));
    let is_agent = |call: &&str| call.starts_with("execve(") && !call.contains(shim);
    let agent = calls.clone().position(|call| is_agent(&call)).expect("the agent was started");
    calls.take(agent).map(str::to_owned).collect()
}

fn sandbox(lists: &Lists) -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted");
    sandbox.config(&format!(
        "providers:\n  mock:\n    protocols: [anthropic, openai-responses, openai-chat-completions]\n    \
         base_urls: {{anthropic: 'http://{0}', openai: 'http://{0}/v1'}}\n    key_env: MOCK_KEY\n    \
         default_model: m\n",
        lists.address
    ));
    sandbox.agent_run(&["models", "list", "mock"]).clean();
    sandbox
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_warm_launch_asks_nobody_starts_nothing_and_writes_nothing() {
    let lists = Lists::json(r#"{"data": [{"id": "m"}]}"#);
    // Seen, seven folders deep: 187, 207, 249 and 206, of which some 55 are the start of any Rust program. In a checkout of
    // this project, `CLAUDE.md` is a link, and some 40 say that it leads to no key. Of each folder above, up to nine calls
    // look whether an agent's files are in it, and whether it is a link.
    for (agent, most) in [("claude", 192), ("codex", 215), ("hermes", 252), ("crush", 210)] {
        let sandbox = sandbox(&lists);
        let most = most + 9 * sandbox.path("work").components().count().saturating_sub(7);
        sandbox.fake_agent(agent);
        let shim = format!("{agent}@mock");
        sandbox.shim(&shim);
        sandbox.run(&shim, &[]).exits(0);
        let calls = asked(&sandbox, &shim);
        let all = calls.join("\n");
        assert!(calls.len() <= most, "{agent}: {} calls\n{all}", calls.len());
        let is_unwanted = |call: &&String| {
            let name = call.split('(').next().unwrap_or_default();
            UNWANTED.iter().any(|unwanted| name.starts_with(unwanted)) || call.contains("O_TRUNC")
        };
        assert_eq!(calls.iter().find(is_unwanted), None, "{agent}\n{all}");
    }
}
