//! What Codex, and homes without a provider, cannot be given at first because it cannot be read.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::codex_sessions::{ID, copy, packed, rollout, sandbox, state};
use crate::support::{Ran, Sandbox, run};

fn launch_without_root(sandbox: &Sandbox, words: &[&str]) -> Ran {
    run_without_root(sandbox, "codex@p", words)
}

fn run_without_root(sandbox: &Sandbox, program: &str, words: &[&str]) -> Ran {
    if !nix::unistd::geteuid().is_root() {
        return sandbox.run(program, words);
    }
    // Else root reads everything.
    let mut command = sandbox.command("setpriv");
    command.args(["--bounding-set=-dac_override,-dac_read_search", program]).args(words);
    run(&mut command)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What an old home holds and nobody can read is named once, stops no launch, and is copied as soon as it can be read.
#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "root needs setpriv, --features as-root")]
fn what_cannot_be_read_of_an_old_home_is_named_once_and_tried_again() {
    let sandbox = sandbox();
    let old = state(&sandbox).join("codex/p");
    let (file, folder) = (old.join(rollout(".jsonl")), old.join("sessions/2026/11/26"));
    sandbox.write(&file, "{\"model_provider\":\"agent-run\"}\n");
    sandbox.write(&old.join("sessions/2026/11/25/rollout-x.jsonl"), "{}\n");
    sandbox.write(&folder.join("rollout-y.jsonl"), "{}\n");
    let cache = sandbox.home(".cache/agent-run/codex/p");
    sandbox.write(&cache.join(".agent-run.json"), "{}\n");
    sandbox.write(&cache.join("session_index.jsonl"), "{\"id\":\"x\",\"thread_name\":\"named\"}\n");
    for (path, mode) in [(&file, 0), (&folder, 0), (&cache, 0)] {
        chmod(path, mode);
    }
    let first = launch_without_root(&sandbox, &[]).exits(0);
    let texts = [&*file.to_string_lossy(), &*folder.to_string_lossy(), &*cache.to_string_lossy()];
    let first = first.complains(&texts);
    assert_eq!(first.stderr.matches("could not be read").count(), 1, "{}", first.stderr);
    let shared = state(&sandbox).join("codex-shared");
    assert!(shared.join("sessions/2026/11/25/rollout-x.jsonl").exists(), "the rest is there");
    launch_without_root(&sandbox, &[]).clean();
    let doctor = sandbox.agent_run(&["doctor"]).stdout;
    let line = doctor.lines().find(|line| line.contains("could not be read")).expect("a line");
    assert!(line.contains("of earlier versions for Codex") && line.contains(texts[0]), "{doctor}");

    for (path, mode) in [(&file, 0o600), (&folder, 0o700), (&cache, 0o700)] {
        chmod(path, mode);
    }
    let ran = launch_without_root(&sandbox, &[]).exits(0);
    ran.complains(&["copied files that could not be read before", texts[0]]);
    assert!(fs::read_to_string(copy(&sandbox)).unwrap().contains("agent-run-"), "with the launch's id");
    assert!(shared.join("sessions/2026/11/26/rollout-y.jsonl").exists());
    let names = fs::read_to_string(shared.join("home/session_index.jsonl")).unwrap();
    assert!(names.contains("\"named\""));
    launch_without_root(&sandbox, &[]).clean();
    // And once only.
    fs::remove_file(copy(&sandbox)).unwrap();
    launch_without_root(&sandbox, &[]).clean();
    assert!(!copy(&sandbox).exists());
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "root needs setpriv, --features as-root")]
fn a_folder_of_sessions_that_cannot_be_listed_is_named() {
    for below in ["sessions", "sessions/2026/11", "sessions/2026/11/27"] {
        let sandbox = sandbox();
        let plain = sandbox.home(".codex").join(rollout(".jsonl"));
        sandbox.write(&plain, "{\"model_provider\":\"openai\"}\n");
        let folder = sandbox.home(".codex").join(below);
        chmod(&folder, 0);
        let ran = launch_without_root(&sandbox, &["resume", ID]).exits(0);
        chmod(&folder, 0o700);
        let named = format!("{} could not be read", folder.display());
        let ran = ran.complains(&[&named, "help:"]);
        assert_eq!(ran.stderr.matches("could not be read").count(), 1, "{}", ran.stderr);
        launch_without_root(&sandbox, &["resume", ID]).clean();
        assert!(copy(&sandbox).exists(), "{below}");
    }
}

/// A home of the tool before this one, which called its provider by its name and kept its settings there.
#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "root needs setpriv, --features as-root")]
fn a_home_of_the_old_tool_or_its_settings_that_cannot_be_read_are_taken_over_later() {
    let servers = |sandbox: &Sandbox| {
        let config = fs::read_to_string(state(sandbox).join("codex-shared/home/config.toml")).unwrap();
        config.contains("[mcp_servers.mine]") && config.contains("[projects.\"/work/x\"]")
    };
    for hidden in ["", "config.toml"] {
        let sandbox = sandbox();
        let old = sandbox.home(".cache/agent-run/codex/p");
        let config = "[mcp_servers.mine]\ncommand = 'true'\n[projects.'/work/x']\ntrust_level = 'trusted'\n";
        sandbox.write(&old.join("config.toml"), config);
        sandbox.write(&old.join("history.jsonl"), "{}\n");
        sandbox.write(&old.join(rollout(".jsonl")), "{\"model_provider\":\"p\"}\n");
        let hidden = if hidden.is_empty() { old.clone() } else { old.join(hidden) };
        let is_folder = hidden == old;
        chmod(&hidden, 0);
        let first = launch_without_root(&sandbox, &[]).exits(0);
        let first = first.complains(&[&hidden.to_string_lossy(), "help:"]);
        assert_eq!(first.stderr.matches(&*hidden.to_string_lossy()).count(), 1, "{}", first.stderr);
        assert_eq!(copy(&sandbox).exists(), !is_folder, "the rest is copied");
        assert!(!servers(&sandbox));
        launch_without_root(&sandbox, &[]).clean();
        chmod(&hidden, if is_folder { 0o700 } else { 0o600 });
        let again = launch_without_root(&sandbox, &[]).exits(0);
        if is_folder {
            again.complains(&["were copied to"]);
        } else {
            again.clean();
        }
        assert!(servers(&sandbox), "{}", hidden.display());
        let copied = fs::read_to_string(copy(&sandbox)).unwrap();
        assert!(copied.contains("\"agent-run-"), "with the launch's id: {copied}");
        // And once only.
        fs::remove_file(copy(&sandbox)).unwrap();
        launch_without_root(&sandbox, &[]).clean();
        assert!(!copy(&sandbox).exists() && servers(&sandbox));
    }
}

/// Homes without a provider, of the tool before this one. `whole`: nothing of the home can be read at first.
#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "root needs setpriv, --features as-root")]
fn what_cannot_be_read_of_a_home_without_a_provider_is_copied_later_with_its_links() {
    let bare = |agent: &str| format!("providers: {{}}\nisolated_homes: {{{agent}: {{work: {{}}}}}}\n");
    let isolated = "providers: {work: {protocols: [openai-chat-completions], base_urls: {openai: 'http://127.0.0.1:9/v1'}, \
                    default_model: m, isolated: true}}\n";
    for (agent, whole, config) in [
        ("codex", true, bare("codex")),
        ("codex", false, bare("codex")),
        ("hermes", true, bare("hermes")),
        ("hermes", false, bare("hermes")),
        ("hermes", true, isolated.to_owned()),
    ] {
        let sandbox = Sandbox::new();
        sandbox.config(&config);
        sandbox.fake_agent(agent);
        let name = format!("{agent}@work");
        sandbox.shim(&name);
        let launch = || run_without_root(&sandbox, &name, &[]);
        let old = sandbox.home(".cache/agent-run").join(agent).join("work");
        let hidden = if whole { old.clone() } else { old.join("skills") };
        sandbox.write(&old.join("notes"), "mine");
        sandbox.write(&old.join("auth.lock"), "1");
        sandbox.write(&old.join("state_5.sqlite"), "1");
        sandbox.write(&old.join("skills/one"), "1");
        symlink("/elsewhere", old.join("skills/link")).unwrap();
        chmod(&hidden, 0);
        let first = launch().exits(0);
        first.complains(&[&hidden.to_string_lossy(), "could not be read", "help:"]);
        let home = state(&sandbox).join(agent).join(if agent == "codex" { "work/home" } else { "work" });
        // As the agent does.
        sandbox.write(&home.join("skills/new"), "1");
        launch().clean();
        chmod(&hidden, 0o700);
        launch().exits(0).complains(&["copied files that could not be read before"]);
        assert_eq!(fs::read_to_string(home.join("notes")).unwrap(), "mine");
        assert_eq!(fs::read_link(home.join("skills/link")).unwrap(), Path::new("/elsewhere"));
        assert!(home.join("skills/one").exists() && home.join("skills/new").exists());
        let left = if agent == "codex" { "state_5.sqlite" } else { "auth.lock" };
        assert!(!home.join(left).exists(), "{agent}");
        launch().clean();
    }
}

/// Else each launch would unpack it up to the damage.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs zstd, --features system-tools")]
fn a_damaged_session_of_an_old_home_is_read_again_when_it_has_changed() {
    let sandbox = sandbox();
    let old = state(&sandbox).join("codex/p").join(rollout(".jsonl.zst"));
    let whole = packed("{\"model_provider\":\"agent-run\"}\n");
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    sandbox.write(&old, &damaged);
    sandbox.run("codex@p", &[]).exits(0).complains(&[&rollout(".jsonl.zst")]);
    // Whole, with the length and the time of the damaged one: it would be copied if it were read.
    let modified = fs::metadata(&old).unwrap().modified().unwrap();
    let write = |bytes: &[u8]| {
        fs::write(&old, bytes).unwrap();
        fs::File::options().write(true).open(&old).unwrap().set_modified(modified).unwrap();
    };
    write(&whole);
    sandbox.run("codex@p", &[]).clean();
    assert!(!copy(&sandbox).exists());
    fs::write(&old, &whole).unwrap();
    sandbox.run("codex@p", &[]).exits(0).complains(&["copied files that could not be read before"]);
    assert!(copy(&sandbox).exists());
}
