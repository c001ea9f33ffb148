//! Key commands that misbehave.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{CONFIG, KEY, sandbox};
use crate::support::tmux::Tmux;
use crate::support::{Ran, Sandbox, run};

/// A sandbox whose key comes from this script, which finds a place for its process id in `$PIDS`.
fn with_command(script: &str) -> Sandbox {
    let sandbox = sandbox();
    let path =
        sandbox.script("give-key", &format!("#!/bin/sh\nulimit -c 0\necho $$ >>\"$PIDS\"\n{script}\n"));
    sandbox.config(&CONFIG.replace("key_env: MOCK_KEY", &format!("key_command: [{}]", path.display())));
    let pids = sandbox.path("pids").display().to_string();
    sandbox.var("PIDS", pids)
}

/// A launch, which is ended with exit code 124 if it hangs.
#[track_caller]
fn launch(sandbox: &Sandbox) -> Ran {
    run(sandbox.command("timeout").args(["--kill-after=1", "60", "agent-run", "launch", "mock", "claude"]))
}

/// Waits until no process that the scripts named is there.
#[track_caller]
fn nobody_stays(sandbox: &Sandbox) {
    let pids = fs::read_to_string(sandbox.path("pids")).unwrap();
    let start = Instant::now();
    for pid in pids.lines() {
        let status = format!("/proc/{pid}/status");
        while fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ")) {
            assert!(start.elapsed() < Duration::from_secs(20), "{pid} still runs");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert!(!pids.is_empty());
}

#[test]
fn a_flood_is_cut_off_and_its_source_ended_even_if_it_does_not_mind_that_nobody_reads() {
    for script in ["exec yes", "trap '' PIPE\nwhile :; do echo flood; done 2>/dev/null"] {
        let sandbox = with_command(script);
        let launched = "ulimit -v 500000; exec timeout --kill-after=1 60 agent-run launch mock claude";
        let ran = run(sandbox.command("sh").args(["-c", launched])).exits(125);
        assert!(!ran.complains(&["more than 64 KiB", "\nhelp: "]).stderr.contains("flood\n"));
        nobody_stays(&sandbox);
    }
}

#[test]
fn a_command_that_leaves_a_child_with_the_pipe_does_not_hold_the_launch_nor_feed_it() {
    for child in ["sleep 100", "while sleep 0.05; do echo more; done"] {
        let script = format!("({child}) 2>/dev/null & echo $! >>\"$PIDS\"\necho {KEY}");
        let sandbox = with_command(&script);
        sandbox.script("claude", "#!/bin/sh\nps -o comm= --ppid $$ | grep -v -e '^ps$' -e '^grep$'\nenv\n");
        let ran = launch(&sandbox);
        // The child is the command's own affair. It ends with the test.
        let pids = fs::read_to_string(sandbox.path("pids")).unwrap();
        pids.lines().for_each(|pid| _ = run(sandbox.command("sh").args(["-c", &format!("kill {pid}")])));
        // What a child goes on printing spoils the key, which is more than one line then.
        let ran = ran.exits(if child.starts_with("sleep") { 0 } else { 125 });
        assert!(!ran.stdout.starts_with("sleep"), "the agent has a child that it never started");
    }
}

#[test]
fn a_command_that_dies_says_by_which_signal() {
    for (number, name) in [
        (1, "HUP"),
        (2, "INT"),
        (3, "QUIT"),
        (4, "ILL"),
        (6, "ABRT"),
        (8, "FPE"),
        (9, "KILL"),
        (10, "USR1"),
        (11, "SEGV"),
        (12, "USR2"),
        (13, "PIPE"),
        (14, "ALRM"),
        (15, "TERM"),
    ] {
        let sandbox = with_command(&format!("echo {KEY}\nkill -{name} $$\nsleep 5"));
        let ran = launch(&sandbox).exits(125);
        let ran = ran.complains(&[&format!("was terminated by signal {number} (SIG{name})"), "\nhelp: "]);
        assert!(!ran.stderr.contains(KEY), "{}", ran.stderr);
        nobody_stays(&sandbox);
    }
}

#[test]
fn nothing_binary_and_many_lines_are_no_keys() {
    for (script, part) in [
        (":", "it is empty"),
        ("echo", "it is empty"),
        ("exec >&-", "it is empty"),
        ("printf 'sk-1\\000\\377'", "a control character at byte 4"),
        ("head -c 4096 /dev/urandom | tr -d '\\n' | sed 's/^/\\xff/'", "outside ASCII at byte 0"),
        ("cat \"$0\" \"$0\"", "a control character at byte 9"),
    ] {
        let ran = launch(&with_command(script)).exits(125);
        ran.complains(&["give-key", part, "\nhelp: "]);
    }
}

#[test]
fn a_parent_that_ignores_the_end_of_children_is_said_and_nothing_hangs() {
    let sandbox = with_command(&format!("echo {KEY}"));
    let ignoring = ["--ignore-signal=CHLD", "timeout", "60", "agent-run", "launch", "mock", "claude"];
    let ran = run(sandbox.command("env").args(ignoring));
    // `timeout` itself may set the signal right again: then all is well.
    assert!(ran.code == 0 || ran.stderr.contains("help: run agent-run where SIGCHLD"), "{}", ran.stderr);
    let ran =
        run(sandbox.command("env").args(["--ignore-signal=CHLD", "agent-run", "launch", "mock", "claude"]));
    ran.exits(125).complains(&["lost key_command", "\nhelp: run agent-run where SIGCHLD is not ignored"]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_command_that_hangs_is_waited_for_and_ctrl_c_ends_both() {
    let sandbox = with_command("echo asking >&2\nexec sleep 300");
    let tmux = Tmux::start(&sandbox, "trap : INT; agent-run launch mock claude");
    tmux.wait_for("asking");
    tmux.key("C-c");
    tmux.wait_for("[exited 130]");
    nobody_stays(&sandbox);
}

fn set_key(sandbox: &Sandbox) -> Ran {
    let set = format!("printf %s {KEY} | agent-run key set mock");
    run(sandbox.command("sh").args(["-c", &set]))
}

/// A key file that no config names yet still has its temporary name, by which it is known.
#[test]
fn a_key_file_that_a_killed_command_left_is_named_and_used_up() {
    let sandbox = sandbox();
    let (alone, _) = CONFIG.split_once("  other:\n").unwrap();
    sandbox.config(&alone.replace(" &mock", ""));
    let keys = sandbox.home(".config/agent-run/keys");
    let left = keys.join(".agent-run-mock.key-new");
    sandbox.write(&left, "sk-left-0123456789abcdef\n");
    fs::hard_link(&left, keys.join("mock.key")).unwrap();
    let doctor = sandbox.agent_run(&["doctor"]).stdout;
    let named = format!("an interrupted command left a key in {}", left.display());
    assert!(doctor.contains(&named) && !doctor.contains("sk-left"), "{doctor}");
    // One that still runs is not interrupted.
    let lock = fs::File::open(&left).unwrap();
    lock.lock().unwrap();
    let running = sandbox.agent_run(&["doctor"]).stdout;
    assert!(!running.contains("interrupted"), "{running}");
    drop(lock);
    set_key(&sandbox).clean();
    assert!(!left.exists() && !keys.join("mock-2.key").exists());
    assert_eq!(fs::read_to_string(keys.join("mock.key")).unwrap(), format!("{KEY}\n"));
    let doctor = sandbox.agent_run(&["doctor"]).stdout;
    assert!(!doctor.contains("interrupted"), "{doctor}");
}

/// A command that was killed after it had changed the config, and a next one that cannot change it.
#[test]
fn a_key_that_the_config_names_stays_where_the_next_one_cannot_be_set() {
    let sandbox = sandbox();
    let (alone, _) = CONFIG.split_once("  other:\n").unwrap();
    sandbox.config(&alone.replace(" &mock", ""));
    set_key(&sandbox).clean();
    let folder = sandbox.home(".config/agent-run");
    let (file, left) = (folder.join("keys/mock.key"), folder.join("keys/.agent-run-mock.key-new"));
    sandbox.write(&file, "sk-old-0123456789abcdef\n");
    fs::hard_link(&file, left).unwrap();
    let config = fs::read_to_string(folder.join("config.yaml")).unwrap();
    assert!(config.contains("keys/mock.key"), "{config}");
    fs::create_dir(folder.join(".agent-run-config.yaml-new")).unwrap();
    set_key(&sandbox).exits(1).complains(&["config.yaml", "\nhelp: "]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "sk-old-0123456789abcdef\n");
    assert_eq!(fs::read_to_string(folder.join("config.yaml")).unwrap(), config);
}

/// Another config of the same folder may have a provider of the same name.
#[test]
fn a_key_that_another_command_stores_at_the_same_time_is_not_replaced() {
    let sandbox = sandbox();
    let (alone, _) = CONFIG.split_once("  other:\n").unwrap();
    sandbox.config(&alone.replace(" &mock", ""));
    let keys = sandbox.home(".config/agent-run/keys");
    let (file, fresh) = (keys.join("mock.key"), keys.join(".agent-run-mock.key-new"));
    let (theirs, own) = ("sk-other-0123456789abcdef\n", format!("{KEY}\n"));
    // The other one has not begun to write.
    sandbox.write(&fresh, "");
    let lock = fs::File::open(&fresh).unwrap();
    lock.lock().unwrap();
    let mut waiting = sandbox.command("sh");
    let set = format!("printf %s {KEY} | agent-run key set mock");
    let mut child = waiting.args(["-c", &set]).stderr(Stdio::piped()).spawn().unwrap();
    // It says after a second that it waits.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("waiting up to ") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it does not wait for the lock: {said}");
    }
    sandbox.write(&file, theirs);
    fs::remove_file(&fresh).unwrap();
    drop(lock);
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("another command stored a key in") && said.contains("\nhelp: "), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), theirs);
    // The other one has written, and is about to change its config.
    fs::hard_link(&file, &fresh).unwrap();
    let lock = fs::File::open(&fresh).unwrap();
    lock.lock().unwrap();
    set_key(&sandbox).clean();
    assert_eq!(fs::read_to_string(&file).unwrap(), theirs);
    assert_eq!(fs::read_to_string(keys.join("mock-2.key")).unwrap(), own);
}
