//! What a launch costs beside a bare `exec`.
//!
//! A stub agent that exits at once is started through a C program that only calls `execve`, and through
//! our shim with a small config. Ratios are to the C program; a run asserts nothing.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use support::{Contestant, compile_c, race, static_build, table};

const ROUNDS: usize = 400;
const WRAPPER: &str = "#include <unistd.h>\nint main(int c, char **v, char **e) \
    { v[0] = STUB; execve(STUB, v, e); return 1; }\n";

fn provider(name: &str, key: &str) -> String {
    format!(
        "  {name}:\n    protocols: [anthropic, openai-responses]\n    base_urls:\n      \
         anthropic: https://api.example.com/anthropic\n      openai: https://api.example.com/v1\n    \
         default_model: example-model\n    {key}\n"
    )
}

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("bin")).unwrap();
    let stub = compile_c(root, "stub", "int main(void) { return 0; }\n", &["-static"]);
    for agent in ["claude", "codex"] {
        symlink(&stub, root.join("bin").join(agent)).unwrap();
    }
    let at = format!("-DSTUB=\"{}\"", stub.display());
    let wrapper = compile_c(root, "wrapper", WRAPPER, &[&at]);
    let home = root.join("home/.config/agent-run");
    fs::create_dir_all(&home).unwrap();
    fs::write(root.join("home/.claude.json"), "{\"hasCompletedOnboarding\": true}").unwrap();
    let env_key = provider("p", "key_env: BENCH_KEY");
    fs::write(home.join("config.yaml"), format!("providers:\n{env_key}")).unwrap();
    fs::write(
        root.join("command.yaml"),
        format!("providers:\n{}", provider("p", &format!("key_command: [{}]", stub_key(root)))),
    )
    .unwrap();
    for count in [30, 300, 3000] {
        let many: String = (0..count).map(|n| provider(&format!("p{n}"), "key_env: BENCH_KEY")).collect();
        fs::write(root.join(format!("many{count}.yaml")), format!("providers:\n{env_key}{many}")).unwrap();
    }

    let command = |program: &Path, config: Option<&str>| {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/bin:/bin", root.join("bin").display());
        command.env_clear().env("HOME", root.join("home")).env("PATH", path).env("BENCH_KEY", "sk-bench");
        if let Some(config) = config {
            command.env("AGENT_RUN_CONFIG", root.join(config));
        }
        command.current_dir(root);
        command
    };
    let shim = |build: &str, binary: &Path, name: &str| {
        let dir = root.join(build);
        fs::create_dir_all(&dir).unwrap();
        let link = dir.join(name);
        if !link.exists() {
            symlink(binary, &link).unwrap();
        }
        link
    };

    let default = Path::new(env!("CARGO_BIN_EXE_agent-run"));
    let static_build = static_build();
    let mut contestants = vec![
        Contestant::new("the stub agent alone", command(&stub, None)),
        Contestant::new("C program that calls execve", command(&wrapper, None)),
    ];
    for (build, binary) in [("default", default), ("static", &static_build)] {
        let mut add = |what: &str, agent: &str, config: Option<&str>| {
            let link = shim(build, binary, agent);
            contestants.push(Contestant::new(&format!("{build}: {what}"), command(&link, config)));
        };
        add("claude@p, key_env", "claude@p", None);
        add("codex@p, key_env", "codex@p", None);
        add("claude@p, key_command", "claude@p", Some("command.yaml"));
        add("claude@p, 30 more providers", "claude@p", Some("many30.yaml"));
        add("claude@p, 300 more providers", "claude@p", Some("many300.yaml"));
        add("claude@p, 3,000 more providers", "claude@p", Some("many3000.yaml"));
    }
    race(&mut contestants, ROUNDS);
    table(&contestants, "C program that calls execve");
}

/// A command that prints a key and does nothing else, so that its cost is that of one spawn.
fn stub_key(root: &Path) -> String {
    let print = "#include <unistd.h>\nint main(void) { return write(1, \"sk-bench\\n\", 9) != 9; }\n";
    compile_c(root, "key", print, &["-static"]).display().to_string()
}
