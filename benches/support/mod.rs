//! Runs commands side by side: interleaved, so that a busy moment hits them all, and compared by medians.
//!
//! Times drift with the machine. What does not drift stands beside them: instructions up to the `exec`, page
//! faults, system calls, and the most memory that was ever held.

#![allow(dead_code, reason = "each benchmark uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot set its stage has failed"
)]

pub mod count;
pub mod home;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;

use count::Counts;

/// One contestant: a name and how to start it.
pub struct Contestant {
    /// What the table calls it.
    pub name: String,
    /// The command of one run.
    pub command: Command,
    /// What is done before each run, and not measured.
    before: Box<dyn Fn()>,
    /// The same program with its symbols, for counting instructions.
    counted: Option<PathBuf>,
    /// Whether instructions can be counted: not those of a script, whose work is done by what it starts.
    is_program: bool,
    micros: Vec<f64>,
    faults: Vec<i64>,
}

impl Contestant {
    /// A contestant called `name`.
    pub fn new(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let before = Box::new(|| {});
        let (micros, faults) = (Vec::new(), Vec::new());
        Self { name: name.to_owned(), command, before, counted: None, is_program: true, micros, faults }
    }

    /// Does something before each run that is not measured.
    pub fn after(mut self, before: impl Fn() + 'static) -> Self {
        self.before = Box::new(before);
        self
    }

    /// Counts the instructions of another file: the same program, not stripped.
    pub fn counted_as(mut self, program: &Path) -> Self {
        self.counted = Some(program.to_owned());
        self
    }

    /// Counts no instructions: it is a script.
    pub fn uncounted(mut self) -> Self {
        self.is_program = false;
        self
    }

    fn run(&mut self) {
        (self.before)();
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

    /// The fastest run, in microseconds.
    pub fn fastest(&self) -> f64 {
        self.micros.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median_faults(&self) -> i64 {
        let mut sorted = self.faults.clone();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    }

    fn counts(&self) -> Counts {
        (self.before)();
        let calls = count::system_calls(&self.command);
        (self.before)();
        let peak = count::peak_memory(&self.command);
        (self.before)();
        let count = || count::instructions(&self.command, self.counted.as_deref());
        Counts { calls, peak, instructions: self.is_program.then(count).flatten() }
    }
}

/// Runs all contestants in turn, `rounds` times after a warm-up.
pub fn race(contestants: &mut [Contestant], rounds: usize) {
    for contestant in contestants.iter_mut() {
        (0..rounds.min(5)).for_each(|_| contestant.run());
        contestant.micros.clear();
        contestant.faults.clear();
    }
    for _ in 0..rounds {
        contestants.iter_mut().for_each(Contestant::run);
    }
}

/// Prints the table, times also as ratios to the contestant called `base`.
pub fn table(contestants: &[Contestant], base: &str) {
    let base = contestants.iter().find(|contestant| contestant.name == base).unwrap();
    println!("{:<44} median µs  ratio   fastest  ratio  k instr faults  calls  peak kB", "");
    for contestant in contestants {
        let (median, fastest) = (contestant.median(), contestant.fastest());
        let Counts { instructions, calls, peak } = contestant.counts();
        println!(
            "{:<44} {median:>9.0} {:>6.2} {fastest:>9.0} {:>6.2} {:>8} {:>6} {:>6} {:>8}",
            contestant.name,
            median / base.median(),
            fastest / base.fastest(),
            shown(instructions.map(|count| count / 1000)),
            contestant.median_faults(),
            shown(calls),
            shown(peak),
        );
    }
}

fn shown(count: Option<u64>) -> String {
    count.map_or_else(|| "?".to_owned(), |count| count.to_string())
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Makes the one model list in the cache one of `count` models.
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
///
/// It keeps its symbols, by which instructions are counted; [`stripped`] is what a release hands out.
pub fn static_build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Command::new(root.join(".ci/release"))
        .arg("build")
        .env("CARGO_PROFILE_RELEASE_STRIP", "none")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success());
    root.join(String::from_utf8(built.stdout).unwrap().trim())
}

/// A copy of a program without its symbols.
pub fn stripped(program: &Path, to: &Path) -> PathBuf {
    let done = Command::new("strip").arg("-o").args([to, program]).status();
    assert!(done.expect("strip").success());
    to.to_owned()
}

/// A copy of the default build. What a linker has just written lies in the page cache in other pieces than what was
/// copied, as anything installed was, and costs more page faults.
pub fn default_build(to: &Path) -> PathBuf {
    std::fs::copy(env!("CARGO_BIN_EXE_agent-run"), to).unwrap();
    to.to_owned()
}
