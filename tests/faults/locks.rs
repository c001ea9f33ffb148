use std::fs;

use crate::support::{Sandbox, run};

/// As on a folder that is shared over a network without a lock daemon.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn where_the_file_system_has_no_locks_a_launch_goes_on() {
    for error in ["ENOLCK", "EOPNOTSUPP"] {
        for agent in ["claude", "codex", "hermes", "crush"] {
            let sandbox = Sandbox::new();
            sandbox.config(
                "providers:\n  p:\n    protocols: [anthropic, openai-responses, openai-chat-completions]\n    \
                 base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}\n    \
                 default_model: m\n    model_api_filters: []\n    key: sk-1\n",
            );
            sandbox.fake_agent(agent);
            let mut strace = sandbox.command("strace");
            strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e"]);
            strace.arg(format!("inject=flock:error={error}")).args(["agent-run", "launch", "p", agent]);
            run(&mut strace).exits(0);
            let mut left = Vec::new();
            for folder in [sandbox.home(""), sandbox.home(".cache/agent-run").join(agent)] {
                let entries = fs::read_dir(folder).into_iter().flatten().flatten();
                left.extend(
                    entries
                        .map(|entry| entry.file_name())
                        .filter(|name| name.to_string_lossy().starts_with(".agent-run-")),
                );
            }
            assert!(left.is_empty(), "{agent}: {left:?}");
        }
    }
}
