//! What an agent of a probe or a demo leaves running, wherever it has put itself: it has the environment of a launch
//! that is over.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// How long they may take to end.
const GRACE: Duration = Duration::from_secs(1);

/// How long is waited for those that were ended by force.
const LONGEST: Duration = Duration::from_secs(3);

/// How many runs there are at once.
static RUNS: AtomicUsize = AtomicUsize::new(0);

/// A run; with the last one ends what all of them have left.
pub struct Adopted(());

impl Drop for Adopted {
    fn drop(&mut self) {
        if RUNS.fetch_sub(1, Ordering::AcqRel) == 1 {
            end();
        }
    }
}

/// Makes this process the parent of what its children leave behind, where the system can.
pub fn adopt() -> Adopted {
    RUNS.fetch_add(1, Ordering::AcqRel);
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_child_subreaper(true) {
        log::debug!("what the agent leaves running may stay: {}", error.desc());
    }
    Adopted(())
}

/// Ends all children of this process. No other than those of a run may be there.
fn end() {
    let start = Instant::now();
    loop {
        let left = children();
        if left.is_empty() || start.elapsed() > LONGEST {
            return;
        }
        let signal = if start.elapsed() < GRACE { Signal::SIGTERM } else { Signal::SIGKILL };
        for child in left {
            _ = kill(child, signal);
            _ = waitpid(child, Some(WaitPidFlag::WNOHANG));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The children of all threads; none where the system does not list them.
fn children() -> Vec<Pid> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<_> =
        lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    pids.iter().filter_map(|pid| pid.parse().ok().map(Pid::from_raw)).collect()
}
