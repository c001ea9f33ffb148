//! Runs one command again and again, with one system call of it made to fail each time.
//!
//! After each failure: every path holds what it held before or what a whole run leaves there, and never a
//! part; then a plain run does what it would have done at first, and leaves nothing else behind.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::tree::Tree;
use crate::support::{Ran, Sandbox, run};

/// The calls that change the disk, and the last one of a launch. `openat` counts where it creates.
const CALLS: &str = "openat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,\
                     rmdir,chmod,fchmod,fchmodat,chown,fchown,fchownat,ftruncate,write,writev,pwrite64,fsync,\
                     fdatasync,flock,execve";

/// A command whose steps are made to fail.
pub struct Victim<'a> {
    pub sandbox: &'a Sandbox,
    pub words: Vec<&'a str>,
    /// The exit code of a failure that is reported.
    pub failure: i32,
    /// The exit codes of a plain run after one that was ended: some work is found done. Without any there is none.
    pub again: &'a [i32],
    /// Whether that run says what the first would have said.
    pub says_the_same: bool,
    /// What cannot be compared byte for byte, such as times.
    pub differs: fn(&Path) -> bool,
    /// What it reads from stdin, as the name of a file in the sandbox.
    pub stdin: Option<&'a str>,
}

/// One system call of a run: its name, its place among those of its name, and what it writes to.
pub struct Step {
    name: String,
    nth: usize,
    is_output: bool,
}

/// A run that nothing disturbed.
struct Whole {
    before: Tree,
    after: Tree,
    ran: Ran,
    steps: Vec<Step>,
}

impl<'a> Victim<'a> {
    /// A launch, which exits with 125 when it fails and can always be done again.
    pub fn launch(sandbox: &'a Sandbox, words: &[&'a str]) -> Self {
        let words = [&["launch", "mock"], words].concat();
        Self {
            sandbox,
            words,
            failure: 125,
            again: &[0],
            says_the_same: true,
            differs: |_| false,
            stdin: None,
        }
    }

    /// Any other command.
    pub fn command(sandbox: &'a Sandbox, words: &[&'a str], again: &'a [i32]) -> Self {
        let words = words.to_vec();
        Self { sandbox, words, failure: 1, again, says_the_same: true, differs: |_| false, stdin: None }
    }

    /// Ends the run before each of its steps; says how many those were.
    #[track_caller]
    pub fn is_killed_at_every_step(&self) -> usize {
        let whole = self.whole();
        for step in &whole.steps {
            whole.before.restore(&self.root());
            let ran = self.injected(step, "signal=KILL");
            let what = format!("killed before {} {}", step.name, step.nth);
            assert_eq!(ran.code, 128 + 9, "{what}: {}", ran.stderr);
            self.is_old_or_new(&whole, &what, true);
            self.goes_on(&whole, &what);
        }
        assert!(!whole.steps.is_empty());
        whole.before.restore(&self.root());
        whole.steps.len()
    }

    /// Ends the run before each of its steps, and then has a plain run fail because a folder is in the way at `blocked`.
    #[track_caller]
    pub fn is_killed_and_then_fails(&self, blocked: &Path, is_sound: impl Fn(&str)) {
        let whole = self.whole();
        for step in &whole.steps {
            whole.before.restore(&self.root());
            self.injected(step, "signal=KILL");
            _ = fs::remove_file(blocked);
            fs::create_dir(blocked).unwrap();
            let what = format!("killed before {} {}, then failed", step.name, step.nth);
            let ran = run(&mut self.command_line());
            assert_eq!(ran.code, self.failure, "{what}: {}", ran.stderr);
            fs::remove_dir(blocked).unwrap();
            self.is_old_or_new(&whole, &what, true);
            is_sound(&what);
        }
        assert!(!whole.steps.is_empty());
        whole.before.restore(&self.root());
    }

    /// Fails each of its steps, with these errors in turn; says how many those were.
    #[track_caller]
    pub fn fails_at_every_step(&self, errors: &[&str]) -> usize {
        let whole = self.whole();
        let steps: Vec<_> =
            whole.steps.iter().filter(|step| step.name != "execve" && !step.is_output).collect();
        for (step, errno) in steps.iter().zip(errors.iter().cycle()) {
            whole.before.restore(&self.root());
            let ran = self.injected(step, &format!("error={errno}"));
            let what = format!("{errno} at {} {}", step.name, step.nth);
            if ran.code != whole.ran.code {
                assert_eq!(ran.code, self.failure, "{what}: {}", ran.stderr);
                let reported = ran.stderr.lines().filter(|line| line.starts_with("agent-run: ")).count();
                assert!(reported >= 1 && ran.stderr.contains("\nhelp: "), "{what}:\n{}", ran.stderr);
            }
            // What is left when a file cannot be removed goes with the next run.
            self.is_old_or_new(&whole, &what, step.name.starts_with("unlink") || step.name == "rmdir");
            self.goes_on(&whole, &what);
        }
        whole.before.restore(&self.root());
        steps.len()
    }

    fn root(&self) -> PathBuf {
        self.sandbox.path("")
    }

    fn command_line(&self) -> Command {
        let mut command = self.sandbox.command("agent-run");
        command.args(&self.words);
        self.with_stdin(command)
    }

    fn with_stdin(&self, mut command: Command) -> Command {
        if let Some(name) = self.stdin {
            command.stdin(File::open(self.sandbox.path(name)).unwrap());
        }
        command
    }

    fn whole(&self) -> Whole {
        let before = Tree::of(&self.root());
        let ran = run(&mut self.command_line()).exits(0);
        let after = Tree::of(&self.root());
        before.restore(&self.root());
        let log = self.sandbox.path("trace");
        run(&mut self.traced(&log, &[])).exits(0);
        let steps = steps(&fs::read_to_string(log).unwrap());
        Whole { before, after, ran, steps }
    }

    fn injected(&self, step: &Step, what: &str) -> Ran {
        let inject = format!("inject={}:{what}:when={}", step.name, step.nth);
        run(&mut self.traced(Path::new("/dev/null"), &["-e", &inject]))
    }

    fn traced(&self, log: &Path, options: &[&str]) -> Command {
        let line = self.command_line();
        let mut command = self.sandbox.command("strace");
        // A launch is one process and one thread up to its end.
        command.args((self.failure != 125).then_some("-f"));
        command.args(["-qq", "-e", "signal=none", "-e"]).arg(format!("trace={CALLS}"));
        command.arg("-o").arg(log).args(options).arg(line.get_program()).args(line.get_args());
        self.with_stdin(command)
    }

    /// Every path holds what it held before or what a whole run leaves there.
    #[track_caller]
    fn is_old_or_new(&self, whole: &Whole, what: &str, may_leave: bool) {
        let now = Tree::of(&self.root());
        for (path, found) in now.entries().filter(|(path, _)| !(self.differs)(path)) {
            let is_whole = Some(found) == whole.before.at(path) || Some(found) == whole.after.at(path);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_left = may_leave && (name.starts_with(".agent-run-") || name == ".claude.json.lock");
            let text = String::from_utf8_lossy(found.1);
            assert!(is_whole || is_left, "{what}: {} is {:o} {text}", path.display(), found.0);
        }
        for (path, _) in whole.before.entries() {
            let is_there = now.at(path).is_some() || whole.after.at(path).is_none();
            assert!(is_there, "{what}: {} is gone", path.display());
        }
    }

    /// A plain run does what it would have done at first.
    #[track_caller]
    fn goes_on(&self, whole: &Whole, what: &str) {
        if self.again.is_empty() {
            return;
        }
        // The lock of a program that was ended is nobody's after ten seconds. We do not wait for that.
        if let Ok(lock) = File::open(self.sandbox.home(".claude.json.lock")) {
            lock.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        }
        let ran = run(&mut self.command_line());
        assert!(self.again.contains(&ran.code), "after {what}: {} {}", ran.code, ran.stderr);
        if ran.code == 0 && self.says_the_same {
            assert_eq!((&ran.stdout, &ran.stderr), (&whole.ran.stdout, &whole.ran.stderr), "after {what}");
        }
        // Claude Code takes over one that nothing of agent-run has to look at any more: `tests/real` sees it do so.
        _ = fs::remove_dir(self.sandbox.home(".claude.json.lock"));
        let now = Tree::of(&self.root());
        if whole.before.entries().chain(now.entries()).all(|(path, _)| !(self.differs)(path)) {
            now.is_same_as(&whole.after, &format!("after {what}"));
        } else {
            let names = |tree: &Tree| tree.entries().map(|(path, _)| path.to_owned()).collect::<Vec<_>>();
            assert_eq!(names(&now), names(&whole.after), "after {what}");
        }
    }
}

/// The steps in a trace, up to and with the call that makes the process the agent. `strace` counts calls by
/// thread, and so does this.
fn steps(trace: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut seen = BTreeMap::new();
    for line in trace.lines().skip(1) {
        let Some((call, rest)) = line.split_once('(') else { continue };
        let nth: usize = *seen.entry(call.to_owned()).and_modify(|nth| *nth += 1).or_insert(1);
        let name = call.split_whitespace().last().unwrap_or_default().to_owned();
        let is_known = steps.iter().any(|step| step.name == name && step.nth == nth);
        if !is_known && (name != "openat" || rest.contains("O_CREAT")) {
            let is_output = rest.starts_with("1,") || rest.starts_with("2,");
            steps.push(Step { name: name.clone(), nth, is_output });
        }
        if name == "execve" {
            break;
        }
    }
    steps
}
