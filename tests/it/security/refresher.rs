use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{TWO, sandbox};
use crate::support::Sandbox;
use crate::support::lists::{Lists, respond};
use crate::support::tmux::Tmux;

/// A process of this sandbox: of /proc/PID/stat parent, group, session and terminal; and what it has open. That
/// of a process that keeps out of core files only root may read, so it is shown beside what anyone can see.
#[derive(Debug)]
struct Process {
    pid: u32,
    parent: u32,
    group: u32,
    session: u32,
    terminal: u32,
    open: Option<BTreeMap<u32, String>>,
}

/// The refreshers of this sandbox, known by its path among their words.
fn refreshers(sandbox: &Sandbox) -> Vec<Process> {
    let home = sandbox.home("").display().to_string();
    let is_ours = |pid: u32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        words.contains("--in-session") && words.contains(&home)
    };
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| is_ours(pid)).filter_map(process).collect()
}

fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> =
        stat.rsplit_once(") ")?.1.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok().map(|open| {
        let open = open.flatten().filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            Some((number, fs::read_link(entry.path()).ok()?.display().to_string()))
        });
        open.collect()
    });
    Some(Process { pid, parent: fields[1], group: fields[2], session: fields[3], terminal: fields[4], open })
}

#[track_caller]
fn eventually<T>(what: &str, find: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{what} never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One that answers slowly, behind a list that is old by the config.
fn slow() -> (Lists, Sandbox) {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "");
    sandbox.agent_run(&["models", "list", "mock", "--refresh"]).clean();
    let text = fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    sandbox.config(&format!("models_ttl: 1s\n{text}"));
    std::thread::sleep(Duration::from_millis(1_100));
    lists.now(|_, stream| {
        std::thread::sleep(Duration::from_secs(4));
        respond(stream, "200 OK", &[], br#"{"data": [{"id": "m-new"}]}"#);
    });
    (lists, sandbox)
}

fn is_refreshed(sandbox: &Sandbox) -> Option<()> {
    let lists = fs::read_dir(sandbox.home(".cache/agent-run/models")).ok()?.flatten();
    let texts = lists.filter_map(|file| fs::read_to_string(file.path()).ok());
    texts.into_iter().any(|text| text.contains("m-new")).then_some(())
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn the_refresher_has_no_terminal_and_outlives_it_and_is_nobodys_child() {
    let (_lists, sandbox) = slow();
    sandbox.script(
        "codex",
        "#!/bin/sh\necho $$ >~/agent\nps -o pid=,args= --ppid $$ >~/children\nexec sleep 60\n",
    );
    // Descriptors of whoever launches: two locks of a script's, on a file open to be written and on one open to be
    // read, and the terminal. A lock is let go when the last process that has the descriptor ends or closes it.
    let command = "exec 7>~/lock 8<~/.config/agent-run/config.yaml 9>&1; flock -n 7 && flock -n 8 && \
                   agent-run launch mock codex";
    let locks = [sandbox.home("lock"), sandbox.home(".config/agent-run/config.yaml")];
    let is_locked = |path: &PathBuf| fs::File::open(path).unwrap().try_lock_shared().is_err();
    let terminal = Tmux::start(&sandbox, &format!("sh -c '{command}'"));
    let agent = eventually("the agent", || {
        fs::read_to_string(sandbox.home("agent")).ok()?.trim().parse::<u32>().ok().and_then(process)
    });
    assert_ne!(agent.terminal, 0, "the agent has the terminal: {agent:?}");
    let has = agent.open.as_ref().expect("the agent is as any other program");
    assert!(has.contains_key(&7), "and what it was started with: {agent:?}");
    assert!(locks.iter().all(is_locked), "else nothing is shown below");
    let found = eventually("a refresher", || refreshers(&sandbox).pop());
    let all = refreshers(&sandbox);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(found.terminal, 0, "no terminal: {found:?}");
    assert!(found.session != agent.session && found.group != agent.group, "{found:?} {agent:?}");
    assert!(found.parent != agent.pid, "{found:?} {agent:?}");
    let children = fs::read_to_string(sandbox.home("children")).unwrap();
    assert!(!children.contains("agent-run"), "{children}");
    let tty = &has[&0];
    assert!(tty.starts_with("/dev/pts/"), "{tty}");
    for (number, what) in found.open.iter().flatten() {
        assert_ne!(what, tty, "descriptor {number}");
        let is_own = what.starts_with("socket:") || what.starts_with("anon_inode:");
        let is_standard = match number {
            0 => what.starts_with("pipe:") || what == "/dev/null",
            1 => what.contains("/.cache/agent-run/models/"),
            2 => what == "/dev/null",
            _ => is_own,
        };
        assert!(is_standard, "descriptor {number} is {what}: {:?}", found.open);
    }
    drop(terminal);
    assert!(process(agent.pid).is_none(), "the agent went with its terminal");
    assert!(!locks.iter().any(is_locked), "the refresher holds nothing of whoever launched");
    assert!(process(found.pid).is_some(), "the refresher goes on");
    eventually("the new list", || is_refreshed(&sandbox));
    eventually("the refresher's end", || refreshers(&sandbox).is_empty().then_some(()));
}

#[test]
fn the_refresher_of_a_tab_holds_nothing_of_the_shells_open() {
    let (_lists, sandbox) = slow();
    // A pipe that a reader waits on to its end: a refresher that held it would hold the reader.
    let script =
        "exec 7>&1; AGENT_RUN_COMPLETE=bash agent-run agent-run launch mock --model '' >/dev/null; echo done";
    let ran = sandbox.run("sh", &["-c", script]).exits(0);
    assert_eq!(ran.stdout, "done\n");
    // Had it the pipe, the run above would have waited for its end. Whoever starts a program goes on a moment before
    // the kernel shows the program's words.
    let running = eventually("a refresher that still runs", || refreshers(&sandbox).pop());
    assert!(running.open.as_ref().is_none_or(|open| !open.contains_key(&7)), "{running:?}");
    eventually("the new list", || is_refreshed(&sandbox));
    eventually("the refresher's end", || refreshers(&sandbox).is_empty().then_some(()));
}
