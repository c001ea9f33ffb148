//! What a program opens, from `strace`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ran, Sandbox, run};

/// Calls that open a file, or ask whether there is one.
const CALLS: &str = "open,openat,openat2,stat,lstat,statx,newfstatat,access,faccessat,faccessat2,execve";

/// What was asked for before and after the launcher became the agent.
#[derive(Debug, Default)]
pub struct Trace {
    /// By the launcher.
    pub launcher: BTreeSet<PathBuf>,
    /// By the agent and all that it started.
    pub agent: BTreeSet<PathBuf>,
}

/// One call of one process.
struct Call<'a> {
    at: f64,
    name: &'a str,
    path: PathBuf,
    failed: bool,
    flags: &'a str,
}

/// Runs a launch under `strace`.
#[track_caller]
pub fn traced(sandbox: &Sandbox, launch: &Command) -> (Trace, Ran) {
    let folder = sandbox.path("trace");
    _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let mut strace = sandbox.command("timeout");
    strace.args([
        "-k",
        "5",
        "240",
        "strace",
        "-ff",
        "--seccomp-bpf",
        "-qq",
        "-y",
        "-ttt",
        "-s",
        "4096",
        "-e",
    ]);
    strace.arg(format!("trace={CALLS}")).arg("-o").arg(folder.join("t"));
    strace.arg(launch.get_program()).args(launch.get_args());
    strace.envs(launch.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let cwd = launch.get_current_dir().expect("a working folder").to_owned();
    let ran = run(strace.current_dir(&cwd));
    (read(&folder, &cwd), ran)
}

/// A file of calls for each process; the launcher's is the one that starts with it.
#[track_caller]
fn read(folder: &Path, cwd: &Path) -> Trace {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let files: Vec<_> = files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    let mut calls: Vec<Vec<Call<'_>>> =
        files.iter().map(|text| text.lines().filter_map(|line| call(line, cwd)).collect()).collect();
    calls.sort_by(|a, b| a.first().map(|call| call.at).partial_cmp(&b.first().map(|call| call.at)).unwrap());
    let starts = |calls: &[Call<'_>]| {
        let execs = calls.iter().filter(|call| call.name == "execve" && !call.failed);
        execs.map(|call| call.at).collect::<Vec<_>>()
    };
    let first = calls.iter().find(|calls| !calls.is_empty()).expect("a trace");
    // The launcher, then the agent; whatever the agent becomes later is the agent too.
    let became = *starts(first).get(1).expect("the launcher became the agent");
    let mut trace = Trace::default();
    for call in calls.iter().flatten().filter(|call| call.is_of_interest()) {
        let asked = if call.at < became { &mut trace.launcher } else { &mut trace.agent };
        asked.insert(resolved(&call.path));
        if call.at < became {
            asked.insert(call.path.clone());
        }
    }
    trace
}

impl Call<'_> {
    /// A file that is opened to be read, or that was looked for. A folder that is listed says nothing; the files in
    /// it do. What is made to be written is the agent's own.
    fn is_of_interest(&self) -> bool {
        if self.name == "execve" || self.flags.contains("O_CREAT") || self.flags.contains("O_WRONLY") {
            return false;
        }
        self.failed || self.path.is_file()
    }
}

/// `1700000000.000001 openat(AT_FDCWD</work>, "a", O_RDONLY) = 3</work/a>`.
fn call<'a>(line: &'a str, cwd: &Path) -> Option<Call<'a>> {
    let (at, rest) = line.split_once(' ')?;
    let (name, rest) = rest.split_once('(')?;
    let (before, rest) = rest.split_once('"')?;
    let (path, flags) = rest.split_once('"')?;
    let base = before.split_once('<').and_then(|(_, base)| base.rsplit_once('>'));
    let base = base.map_or(cwd, |(base, _)| Path::new(base));
    // An empty path means the descriptor itself, which was counted when it was opened.
    let path = if path.is_empty() { return None } else { base.join(path) };
    let failed = flags.rsplit_once(" = ").is_some_and(|(_, result)| result.starts_with('-'));
    Some(Call { at: at.parse().ok()?, name, path: normal(&path), failed, flags })
}

/// Without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => _ = normal.pop(),
            std::path::Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// Where links lead; of what is not there, the folder above.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(above), Some(name)) => resolved(above).join(name),
        _ => path.to_owned(),
    }
}
