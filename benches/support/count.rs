//! What a run costs in figures that do not drift. Each is `None` where the tool for it is missing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::compile_c;

/// The figures of one run.
pub struct Counts {
    /// Instructions of the process itself, up to the `exec` that ends it as our program.
    pub instructions: Option<u64>,
    /// System calls, children included.
    pub calls: Option<u64>,
    /// The most memory that the process held before and after the `exec`, in kB.
    pub peak: Option<u64>,
}

/// Runs a command and says how much memory it held. A small program asks, since a child's figure begins with
/// that of the process that made it.
const PEAK: &str = "#include <stdio.h>\n#include <sys/resource.h>\n#include <sys/wait.h>\n#include <unistd.h>\n\
    int main(int count, char **words) {\n  int status;\n  struct rusage used;\n  pid_t child = fork();\n  \
    if (!child) { dup2(2, 1); execv(words[1], words + 1); _exit(127); }\n  wait4(child, &status, 0, &used);\n  \
    return printf(\"%ld\\n\", used.ru_maxrss) < 0 || count < 2;\n}\n";

/// The same command, started by another program.
fn through(program: &str, options: &[&str], command: &Command, started: &Path) -> Command {
    let mut other = Command::new(program);
    other.args(options).arg(started).args(command.get_args()).env_clear();
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    other.stdin(Stdio::null()).stderr(Stdio::null());
    other
}

fn started(command: &Command) -> &Path {
    Path::new(command.get_program())
}

/// As strace counts them.
pub fn system_calls(command: &Command) -> Option<u64> {
    let folder = tempfile::tempdir().ok()?;
    let log = folder.path().join("calls");
    let mut strace = through("strace", &["-f", "-qq", "-o", log.to_str()?], command, started(command));
    strace.stdout(Stdio::null()).status().ok()?;
    let log = std::fs::read(log).ok()?;
    let calls = log.split(|&byte| byte == b'\n').filter(|line| line.contains(&b'('));
    u64::try_from(calls.count()).ok()
}

/// The largest resident set.
pub fn peak_memory(command: &Command) -> Option<u64> {
    static HELPER: OnceLock<(tempfile::TempDir, std::path::PathBuf)> = OnceLock::new();
    let (_, helper) = HELPER.get_or_init(|| {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let helper = compile_c(folder.path(), "peak", PEAK, &["-static"]);
        (folder, helper)
    });
    let output = through(helper.to_str()?, &[], command, started(command)).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// As callgrind counts them; `counted` is the same program with symbols. Its processor lacks some newer
/// instructions, so that the count is a little above the real one.
pub fn instructions(command: &Command, counted: Option<&Path>) -> Option<u64> {
    let folder = tempfile::tempdir().ok()?;
    let out = format!("--callgrind-out-file={}/out.%p", folder.path().display());
    let options = ["-q", "--tool=callgrind", "--dump-before=execve", "--dump-before=execvp", out.as_str()];
    let mut valgrind = through("valgrind", &options, command, counted.unwrap_or(started(command)));
    let mut child = valgrind.stdout(Stdio::null()).spawn().ok()?;
    child.wait().ok()?;
    // The dump before the first of the two; of a program that becomes no other there is only the last one. A
    // child's are under its own number.
    let dump = |end: &str| std::fs::read_to_string(folder.path().join(format!("out.{}{end}", child.id())));
    let dump = dump(".1").or_else(|_| dump("")).ok()?;
    let total =
        dump.lines().rev().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
    total?.trim().parse().ok()
}
