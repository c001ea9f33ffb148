//! What a launch costs beside a bare `exec`.
//!
//! A stub agent that exits at once is started through a C program that only calls `execve`, and through our
//! shims: the default build and the static one, with few providers and many, with every kind of key, with
//! every agent in a home that has been lived in. Ratios are to the C program; a run asserts nothing.
//!
//! `AGENT_RUN_BASELINE=PATH cargo bench --bench launch` runs another build, such as that of the commit before, in
//! turn with these, and prints each of its rows as the ratio to it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../tests/support/mod.rs"]
#[allow(unused_imports, reason = "of the stage, a list's server is used")]
mod stage;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use stage::lists::Lists;
use support::home::Machine;
use support::{Contestant, compile_c, default_build, race, static_build, stripped, table};

const ROUNDS: usize = 150;
const WRAPPER: &str = "C program that calls execve";

/// The builds, each with the file whose instructions are counted.
type Builds = Vec<(&'static str, PathBuf, PathBuf)>;

/// The build that `AGENT_RUN_BASELINE` names.
const BASELINE: &str = "baseline";

fn main() {
    let machine = Machine::new(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let symbols = static_build();
    let release = stripped(&symbols, &machine.path("agent-run-static"));
    let default = default_build(&machine.path("agent-run-default"));
    let mut builds = vec![("default", default.clone(), default), ("static", release, symbols)];
    if let Some(path) = std::env::var_os("AGENT_RUN_BASELINE").map(PathBuf::from) {
        // Copied as the others are: where a file lies in the page cache makes a difference.
        let baseline = stripped(&path, &machine.path("agent-run-baseline"));
        builds.push((BASELINE, baseline.clone(), baseline));
    }
    let lists = Lists::json(r#"{"data": [{"id": "example-model", "context_length": 200000}]}"#);
    write_configs(&machine, &lists.address);
    println!("binary size in kB");
    for (build, program, _) in &builds {
        println!("  {build:<8} {:>6}", fs::metadata(program).unwrap().len() / 1000);
    }
    ways(&machine, &builds);
    growth(&machine, &builds);
    machine.live_in();
    agents(&machine, &builds);
}

fn provider(name: &str, key: &str, list: &str) -> String {
    format!(
        "  {name}:\n    protocols: [anthropic, openai-responses, openai-chat-completions]\n    base_urls:\n      \
         anthropic: https://api.example.com/anthropic\n      openai: https://api.example.com/v1\n    \
         models_url: http://{list}/models\n    default_model: example-model\n    {key}\n"
    )
}

/// The configs; the model list of each is on disk and young, as that of a provider in use is.
fn write_configs(machine: &Machine, list: &str) {
    let print = "#include <unistd.h>\nint main(void) { return write(1, \"sk-bench\\n\", 9) != 9; }\n";
    let prints = compile_c(&machine.path(""), "key", print, &["-static"]);
    let file = machine.write("key.txt", "sk-bench-1234567890\n");
    let env = "key_env: BENCH_KEY".to_owned();
    let write = |name: &str, key: &str, others: usize| {
        let others: String = (1..others).map(|n| provider(&format!("p{n}"), &env, list)).collect();
        let config = machine.write(name, &format!("providers:\n{}{others}", provider("p", key, list)));
        let mut load = machine.command(env!("CARGO_BIN_EXE_agent-run"));
        load.env("AGENT_RUN_CONFIG", config).args(["models", "list", "p"]);
        stage::run(&mut load).clean();
    };
    write("env-1.yaml", &env, 1);
    write("env-30.yaml", &env, 30);
    write("env-300.yaml", &env, 300);
    write("env-3000.yaml", &env, 3000);
    write("file.yaml", &format!("key_file: {}", file.display()), 1);
    write("command.yaml", &format!("key_command: [{}]", prints.display()), 1);
}

fn launched(machine: &Machine, build: &(&str, PathBuf, PathBuf), agent: &str, config: &str) -> Contestant {
    let (name, program, counted) = build;
    let shim = format!("{agent}@p");
    let with_config = |mut command: Command| {
        command.env("AGENT_RUN_CONFIG", machine.path(&format!("{config}.yaml")));
        command
    };
    let command = with_config(machine.command(machine.shim(name, program, &shim)));
    let counted = machine.shim(&format!("{name}-counted"), counted, &shim);
    Contestant::new(&format!("{name}: {agent}, {config}"), command).counted_as(&counted)
}

fn floor(machine: &Machine) -> Vec<Contestant> {
    vec![
        Contestant::new("the stub agent alone", machine.command(machine.path("stub"))),
        Contestant::new(WRAPPER, machine.command(machine.path("wrapper"))),
    ]
}

fn finish(title: &str, mut contestants: Vec<Contestant>, rounds: usize) -> Vec<Contestant> {
    race(&mut contestants, rounds);
    println!("\n{title}");
    table(&contestants, WRAPPER);
    beside_baseline(&contestants);
    contestants
}

/// Each row of the static build as the ratio to the same row of the baseline.
fn beside_baseline(contestants: &[Contestant]) {
    for ours in contestants.iter().filter(|contestant| contestant.name.starts_with("static: ")) {
        let name = ours.name.replacen("static", BASELINE, 1);
        if let Some(theirs) = contestants.iter().find(|contestant| contestant.name == name) {
            println!("{:.3} of the baseline  {}", ours.median() / theirs.median(), ours.name);
        }
    }
}

/// Where the key comes from.
fn ways(machine: &Machine, builds: &Builds) {
    let mut contestants = floor(machine);
    for build in builds {
        let configs = ["env-1", "file", "command"];
        contestants.extend(configs.map(|config| launched(machine, build, "claude", config)));
    }
    finish("one provider, by where its key is", contestants, ROUNDS);
}

/// How many providers the config has.
fn growth(machine: &Machine, builds: &Builds) {
    let mut contestants = floor(machine);
    for build in builds {
        let configs = ["env-1", "env-30", "env-300", "env-3000"];
        contestants.extend(configs.map(|config| launched(machine, build, "claude", config)));
    }
    let ran = finish("by the number of providers", contestants, ROUNDS / 3);
    for (build, _, _) in builds {
        let of = |count: u32| {
            let name = format!("{build}: claude, env-{count}");
            ran.iter().find(|contestant| contestant.name == name).unwrap().fastest()
        };
        let step = |from: u32, to: u32| (of(to) - of(from)) / f64::from(to - from);
        println!(
            "{build}: µs for each more, fastest runs: {:.1} from 1 to 30, {:.1} to 300, {:.1} to 3,000",
            step(1, 30),
            step(30, 300),
            step(300, 3000)
        );
    }
}

/// Every agent in a home that has been lived in: on its first launch, and on those after it.
fn agents(machine: &Machine, builds: &Builds) {
    let mut contestants = floor(machine);
    // A home each: one build would look into what the other left, as after an update.
    let homes: Vec<_> = builds.iter().map(|(name, ..)| machine.copy_of_home(name)).collect();
    let at_home = |build: usize, agent: &str| {
        let mut contestant = launched(machine, &builds[build], agent, "env-1");
        contestant.command.env("HOME", &homes[build]);
        contestant
    };
    for agent in ["claude", "codex", "hermes", "crush"] {
        contestants.extend((0..builds.len()).map(|build| at_home(build, agent)));
        for (build, home) in homes.iter().enumerate().skip(1) {
            let mut first = at_home(build, agent);
            first.name += ", first launch";
            let ours = [".cache/agent-run", ".local/state/agent-run"];
            let ours = ours.map(|folder| home.join(folder).join(agent));
            contestants.push(first.after(move || ours.iter().for_each(|home| _ = fs::remove_dir_all(home))));
        }
    }
    finish("every agent in a home that has been lived in", contestants, ROUNDS);
}
