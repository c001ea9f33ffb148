//! Runs commands side by side: interleaved, so that a busy moment hits them all, and compared by medians.

#![allow(dead_code, reason = "each benchmark uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot set its stage has failed"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;

/// One contestant: a name and how to start it.
pub struct Contestant {
    /// What the table calls it.
    pub name: String,
    /// The command of one run.
    pub command: Command,
    micros: Vec<f64>,
    faults: Vec<i64>,
}

impl Contestant {
    /// A contestant called `name`.
    pub fn new(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self { name: name.to_owned(), command, micros: Vec::new(), faults: Vec::new() }
    }

    fn run(&mut self) {
        let faults = || getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().minor_page_faults();
        let (before, start) = (faults(), Instant::now());
        let status = self.command.status().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        self.micros.push(start.elapsed().as_secs_f64() * 1e6);
        self.faults.push(faults() - before);
        assert!(status.success(), "{} failed", self.name);
    }

    /// The median of a run, in microseconds.
    pub fn median(&self) -> f64 {
        median(self.micros.clone())
    }

    fn median_faults(&self) -> i64 {
        let mut sorted = self.faults.clone();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    }

    /// System calls of one run, children included, where strace is there to count them.
    fn system_calls(&self) -> Option<usize> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/stdout"]).arg(self.command.get_program());
        strace.args(self.command.get_args()).env_clear();
        strace.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = strace.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        Some(output.stdout.split(|&byte| byte == b'\n').filter(|line| line.contains(&b'(')).count())
    }
}

/// Runs all contestants in turn, `rounds` times after a warm-up.
pub fn race(contestants: &mut [Contestant], rounds: usize) {
    for contestant in contestants.iter_mut() {
        (0..5).for_each(|_| contestant.run());
        contestant.micros.clear();
        contestant.faults.clear();
    }
    for _ in 0..rounds {
        contestants.iter_mut().for_each(Contestant::run);
    }
}

/// Prints the table, each median also as a ratio to the contestant called `base`.
pub fn table(contestants: &[Contestant], base: &str) {
    let floor = contestants.iter().find(|contestant| contestant.name == base).unwrap().median();
    println!("{:<44} {:>9} {:>7} {:>7} {:>9}", "", "median µs", "ratio", "faults", "syscalls");
    for contestant in contestants {
        let calls = contestant.system_calls().map_or_else(|| "?".to_owned(), |calls| calls.to_string());
        println!(
            "{:<44} {:>9.0} {:>7.2} {:>7} {calls:>9}",
            contestant.name,
            contestant.median(),
            contestant.median() / floor,
            contestant.median_faults(),
        );
    }
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Makes the one model list in the cache one of `count` models; a list that is asked for is cut at 5,000.
pub fn long_list(cache: &Path, count: usize) {
    let mut files = std::fs::read_dir(cache).unwrap().map(|file| file.unwrap().path());
    let path = files.find(|path| path.extension().is_some_and(|kind| kind == "list")).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut head: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let mut lines: Vec<String> = (0..count)
        .map(|n| {
            let record = json!({"name": format!("Model {n}"), "context_window": 131_072, "tools": true,
                "input_cost_per_million": 0.15, "output_cost_per_million": 0.6, "created": 1_754_408_224});
            format!("vendor-{}/model-{:05}\t{n}\t{n}\t{record}\n", n % 20, n / 20)
        })
        .collect();
    lines.sort();
    let body = lines.concat();
    head["bytes"] = body.len().into();
    std::fs::write(&path, format!("{head}\n{body}")).unwrap();
}

/// Compiles a C program.
pub fn compile_c(folder: &Path, name: &str, source: &str, options: &[&str]) -> PathBuf {
    let (from, to) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&from, source).unwrap();
    let compiled = Command::new("cc").args(["-O2", "-o"]).args([&to, &from]).args(options).status();
    assert!(compiled.expect("a C compiler").success());
    to
}

/// Builds the static release binary, the way a Linux release is built, in a target folder of its own.
pub fn static_build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built =
        Command::new(root.join(".ci/release")).arg("build").stderr(Stdio::inherit()).output().unwrap();
    assert!(built.status.success());
    root.join(String::from_utf8(built.stdout).unwrap().trim())
}
