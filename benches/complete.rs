//! What a TAB costs as bash runs it: the script's own function, with our binary and with a stub, taking turns.
//!
//! Run with `cargo bench --bench complete`. One stub ends at once; the other prints the very same reply, so that
//! what is left is our own work. Absolute times drift with the machine; differences within a table hardly do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, reason = "of the stage, a list's server and a home are used")]
mod stage;
mod support;

use agent_run::internals::MAX_ROWS;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use stage::Sandbox;
use stage::lists::Lists;
use support::{compile_c, long_list, median, static_build};

const ROUNDS: usize = 200;

/// Prints what the file beside it says, all at once.
const ECHO: &str = "#include <fcntl.h>\n#include <unistd.h>\nstatic char reply[1 << 23];\nint main(void) {\n  \
    int file = open(REPLY, O_RDONLY);\n  long length = read(file, reply, sizeof reply);\n  \
    return write(1, reply, length) != length;\n}\n";

/// Presses TAB in turns with each folder of `$1…` in front of PATH; prints a line of microseconds a round.
const TABS: &str = r#"
. "$SCRIPT"
COMP_WORDS=(agent-run launch mock --model "$TYPED") COMP_CWORD=4
COMP_LINE="agent-run launch mock --model $TYPED" COMP_POINT=${#COMP_LINE}
rest=$PATH
for ((round = 0; round < ROUNDS; round++)); do
  took=()
  for folder; do
    PATH=$folder:$rest
    hash -r
    from=$EPOCHREALTIME
    _agent_run agent-run "$TYPED" --model 2>/dev/null
    to=$EPOCHREALTIME
    took+=($((${to/./} - ${from/./})))
  done
  echo "${took[@]}" "${#COMPREPLY[@]}"
done
"#;

fn main() {
    let release = static_build();
    for count in [500, MAX_ROWS] {
        let lists = Lists::json(r#"{"data": [{"id": "only"}]}"#);
        let sandbox = Sandbox::new();
        sandbox.config(&format!(
            "providers:\n  mock:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{}/v1'}}\n",
            lists.address
        ));
        sandbox.agent_run(&["models", "list", "mock"]).exits(0);
        long_list(&sandbox.home(".cache/agent-run/models"), count);
        println!("\n{count} models: median µs of a TAB, and what it is above the stubs'");
        for typed in ["vendor-7/model-00", "vendor-7/", ""] {
            race(&sandbox, &release, typed);
        }
    }
}

fn race(sandbox: &Sandbox, release: &Path, typed: &str) {
    let line = ["agent-run", "launch", "mock", "--model", typed];
    let mut ask = sandbox.command("agent-run");
    let reply = stage::run(ask.args(line).env("AGENT_RUN_COMPLETE", "bash")).clean().stdout;
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root = root.path();
    fs::write(root.join("reply"), &reply).unwrap();
    let at = format!("-DREPLY=\"{}\"", root.join("reply").display());
    let programs = [
        ("stub", compile_c(root, "stub", "int main(void) { return 0; }\n", &["-static"])),
        ("echo", compile_c(root, "echo", ECHO, &["-static", &at])),
        ("default", env!("CARGO_BIN_EXE_agent-run").into()),
        ("static", release.to_owned()),
    ];
    let folder = |name: &str| root.join(format!("{name}.d"));
    for (name, program) in &programs {
        fs::create_dir(folder(name)).unwrap();
        symlink(program, folder(name).join("agent-run")).unwrap();
    }
    let script = root.join("agent-run.bash");
    fs::write(&script, sandbox.agent_run(&["completion", "bash"]).clean().stdout).unwrap();
    let mut bash = sandbox.command("bash");
    bash.args(["--norc", "-c", TABS, "bash"]).args(programs.iter().map(|(name, _)| folder(name)));
    bash.env("SCRIPT", script).env("TYPED", typed).env("ROUNDS", ROUNDS.to_string());
    let printed = stage::run(&mut bash).clean().stdout;
    let rounds: Vec<Vec<f64>> =
        printed.lines().map(|line| line.split(' ').map(|n| n.parse().unwrap()).collect()).collect();
    let offered = u32::try_from(reply.lines().count() - 1).unwrap();
    assert!(rounds.iter().all(|round| round.last() == Some(&offered.into())), "{typed}: {printed}");
    let of = |index: usize| median(rounds.iter().skip(5).map(|round| round[index]).collect());
    let (stub, echo) = (of(0), of(1));
    println!("  `{typed}`, {offered} offered: stub {stub:.0}, stub with the reply {echo:.0}");
    for (index, name) in [(2, "default"), (3, "static")] {
        let took = of(index);
        println!(
            "    {name:<8} {took:>7.0}   +{:.2} ms, {:.2}x   +{:.2} ms, {:.2}x",
            (took - stub) / 1e3,
            took / stub,
            (took - echo) / 1e3,
            took / echo
        );
    }
}
