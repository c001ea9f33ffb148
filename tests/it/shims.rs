use std::os::unix::fs::symlink;
use std::{fs, path::PathBuf};

use serde_json::Value as Json;

use crate::support::tree::Tree;
use crate::support::{AGENT_RUN, Sandbox, run};

const CONFIG: &str = "\
providers:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}
    default_model: m1
  chatty:
    protocols: [openai-chat-completions]
    base_urls: {openai: 'http://127.0.0.1:9/v1'}
    default_model: c1
  me@work:
    protocols: [openai-responses]
    base_urls: {openai: 'http://127.0.0.1:9/v1'}
    default_model: w1
isolated_homes:
  codex: {private: {}}
";

const ALL: [&str; 7] = [
    "claude@mock",
    "codex@me@work",
    "codex@mock",
    "codex@private",
    "crush@chatty",
    "crush@mock",
    "hermes@chatty",
];

/// A home with a config, whose folder of links is on PATH.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("SHELL", "/bin/bash");
    let bin = sandbox.home(".local/bin");
    let sandbox = sandbox.also_on_path(&[bin]);
    sandbox.config(CONFIG);
    sandbox.write(&sandbox.home(".bashrc"), "eval \"$(agent-run completion bash)\"\n");
    sandbox
}

/// The names in the folder of links, sorted.
fn links(sandbox: &Sandbox) -> Vec<String> {
    let Ok(entries) = fs::read_dir(sandbox.home(".local/bin")) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn json(sandbox: &Sandbox, words: &[&str]) -> Json {
    serde_json::from_str(&sandbox.agent_run(&[words, &["--json"]].concat()).exits(0).stdout).unwrap()
}

/// The names with this outcome, in the report's order.
fn with(report: &Json, outcome: &str) -> Vec<String> {
    let lines = report["shims"].as_array().unwrap().iter().filter(|line| line["outcome"] == outcome);
    lines.map(|line| line["name"].as_str().unwrap().to_owned()).collect()
}

const LESS: &str = "; to create no shims for these, use `agent-run shims install --found-only`";
#[test]
fn every_pair_that_fits_gets_a_link_and_a_second_time_changes_nothing() {
    let sandbox = sandbox();
    sandbox.agent_run(&["shims", "install"]).clean();
    assert_eq!(links(&sandbox), ALL);
    for name in ALL {
        let target = fs::read_link(sandbox.home(".local/bin").join(name)).unwrap();
        assert_eq!(target, sandbox.path("bin/agent-run"), "the name we were called by");
    }
    let before = Tree::of(&sandbox.home(""));
    let report = json(&sandbox, &["shims", "install"]);
    assert_eq!(with(&report, "already-there").len(), ALL.len());
    assert_eq!(Tree::of(&sandbox.home("")), before);

    sandbox.fake_agent("codex");
    let launched = run(sandbox.command(sandbox.home(".local/bin/codex@me@work")).args(["resume", "--last"]));
    assert!(launched.exits(0).args().ends_with(&["resume", "--last"]));
}

#[test]
fn a_choice_of_pairs() {
    let sandbox = sandbox();
    // This machine may have agents in the system's folders.
    let path = format!("{}:{}", sandbox.path("bin").display(), sandbox.home(".local/bin").display());
    let sandbox = sandbox.var("PATH", path);
    let install = |words: &[&str]| {
        let report = json(&sandbox, &[&["shims", "install", "--dry-run"], words].concat());
        assert_eq!(links(&sandbox), Vec::<String>::new(), "a dry run changes nothing");
        with(&report, "created")
    };
    assert_eq!(install(&["codex@mock", "codex@private"]), ["codex@mock", "codex@private"]);
    assert_eq!(install(&["--agent", "claude", "--agent", "hermes"]), ["claude@mock", "hermes@chatty"]);
    assert_eq!(install(&["--provider", "chatty", "--agent", "crush"]), ["crush@chatty"]);
    sandbox.fake_agent("claude");
    assert_eq!(install(&["--found-only"]), ["claude@mock"]);
    let missing = |words: &[&str]| {
        let ran = sandbox.agent_run(&[&["shims", "install", "--dry-run"], words].concat()).exits(0);
        ran.stdout.lines().filter(|line| line.starts_with("not on PATH: ")).collect::<String>()
    };
    assert_eq!(missing(&[]), format!("not on PATH: codex, hermes, crush{LESS}"));
    assert_eq!(missing(&["codex@mock", "claude@mock", "shell@mock"]), "not on PATH: codex");
    assert_eq!(missing(&["--found-only"]), "");
    let none = sandbox.agent_run(&["shims", "install", "--found-only", "--agent", "crush"]).exits(1);
    none.complains(&["no agent found on PATH", "help: "]);
}

#[test]
fn a_pair_that_cannot_work_is_refused_as_a_launch_refuses_it() {
    let sandbox = sandbox();
    sandbox.fake_agent("claude");
    for (name, provider) in [("claude@chatty", "chatty"), ("claude@nowhere", "nowhere")] {
        let launch = sandbox.agent_run(&["launch", provider, "claude"]).exits(125);
        let install = sandbox.agent_run(&["shims", "install", "codex@mock", name]).exits(1);
        assert_eq!(install.stderr, launch.stderr);
    }
    let by_options = sandbox.agent_run(&["shims", "install", "--agent", "claude", "--provider", "chatty"]);
    by_options.exits(1).complains(&["Claude Code speaks anthropic, and provider `chatty`"]);
    assert_eq!(links(&sandbox), Vec::<String>::new(), "nothing is done by halves");
    let typo = sandbox.agent_run(&["shims", "install", "cluade@mock"]).exits(1);
    typo.complains(&["no agent `cluade`", "did you mean claude?"]);
    for name in ["mock", "../claude@mock", "@mock"] {
        let refused = sandbox.agent_run(&["shims", "install", name]).exits(1);
        refused.complains(&["is not a shim name", "help: "]);
    }
    sandbox.agent_run(&["shims", "install", "claude@mock", "--agent", "claude"]).exits(2);
    sandbox.agent_run(&["shims", "remove"]).exits(2);
}

#[test]
fn what_is_not_ours_is_never_touched() {
    let sandbox = sandbox();
    let bin = sandbox.home(".local/bin");
    sandbox.write(&bin.join("claude@mock"), "mine");
    symlink("/bin/sh", bin.join("codex@mock")).unwrap();
    symlink("/nowhere/else", bin.join("crush@mock")).unwrap();
    fs::create_dir(bin.join("hermes@chatty")).unwrap();
    symlink(AGENT_RUN, bin.join("vim@mock")).unwrap();
    let before = Tree::of(&bin);
    let report = json(&sandbox, &["shims", "install"]);
    assert_eq!(with(&report, "foreign"), ["claude@mock", "codex@mock", "hermes@chatty", "crush@mock"]);
    assert_eq!(with(&report, "created"), ["codex@me@work", "codex@private", "crush@chatty"]);
    before.is_unharmed(&bin);
    let named = sandbox.agent_run(&["shims", "install", "codex@mock"]).exits(1);
    named.complains(&["codex@mock was not created by agent-run and was not changed"]);
    sandbox
        .agent_run(&["shims", "remove", "claude@mock"])
        .exits(1)
        .complains(&["was not created by agent-run"]);
    sandbox.agent_run(&["shims", "remove", "--all"]).clean();
    before.is_unharmed(&bin);
    assert_eq!(links(&sandbox), ["claude@mock", "codex@mock", "crush@mock", "hermes@chatty", "vim@mock"]);
}

#[test]
fn links_follow_the_config_and_the_program() {
    let sandbox = sandbox();
    sandbox.agent_run(&["shims", "install"]).clean();
    let bin = sandbox.home(".local/bin");
    fs::remove_file(bin.join("codex@mock")).unwrap();
    symlink("/nix/store/0-old/bin/agent-run", bin.join("codex@mock")).unwrap();
    symlink(AGENT_RUN, bin.join("codex@gone")).unwrap();
    let list = json(&sandbox, &["shims", "list"]);
    let line =
        |name: &str| list["shims"].as_array().unwrap().iter().find(|line| line["name"] == name).unwrap();
    assert_eq!(line("codex@mock")["dangling"], true);
    assert_eq!(line("codex@gone")["problem"], "no provider `gone` in the config");
    assert_eq!(
        (&line("claude@mock")["dangling"], &line("claude@mock")["problem"]),
        (&Json::Bool(false), &Json::Null)
    );

    let kept = json(&sandbox, &["shims", "install", "--no-prune"]);
    assert_eq!(with(&kept, "repointed"), ["codex@mock"]);
    assert!(bin.join("codex@gone").exists());
    let report = json(&sandbox, &["shims", "install"]);
    assert_eq!(with(&report, "removed"), ["codex@gone"]);
    assert_eq!(links(&sandbox), ALL);

    sandbox.config(&CONFIG.replace("chatty", "talky"));
    let report = json(&sandbox, &["shims", "install", "claude@mock"]);
    assert_eq!(with(&report, "removed"), ["crush@chatty", "hermes@chatty"]);
}

#[test]
fn what_a_package_put_on_path_is_listed_too_and_by_its_path() {
    let sandbox = sandbox();
    sandbox.agent_run(&["shims", "install", "codex@mock"]).clean();
    let profile = sandbox.path("profile/bin");
    fs::create_dir_all(&profile).unwrap();
    symlink(AGENT_RUN, profile.join("claude@mock")).unwrap();
    symlink("/bin/sh", profile.join("crush@mock")).unwrap();
    let bin = sandbox.home(".local/bin");
    let sandbox = sandbox.also_on_path(&[bin, profile.clone()]);
    let list = json(&sandbox, &["shims", "list"]);
    let there = profile.join("claude@mock").display().to_string();
    assert_eq!(with(&list, "already-there"), ["codex@mock", &there]);
    let of_folder = json(&sandbox, &["shims", "list", "--dir", sandbox.home(".local/bin").to_str().unwrap()]);
    assert_eq!(with(&of_folder, "already-there"), ["codex@mock"]);
}

#[test]
fn removed_means_nothing_is_left_even_without_the_config() {
    let sandbox = sandbox();
    sandbox.write(&sandbox.home(".local/bin/mine"), "");
    let before = Tree::of(&sandbox.home(""));
    sandbox.agent_run(&["shims", "install"]).clean();
    sandbox.agent_run(&["shims", "remove", "codex@mock", "codex@mock"]).clean();
    assert!(!sandbox.home(".local/share/bash-completion/completions/codex@mock").exists());
    // The user may have taken one away by hand.
    fs::remove_file(sandbox.home(".local/bin/claude@mock")).unwrap();
    fs::rename(sandbox.home(".config"), sandbox.path("config")).unwrap();
    sandbox.agent_run(&["shims", "list"]).clean();
    sandbox.agent_run(&["shims", "remove", "--all"]).clean();
    fs::rename(sandbox.path("config"), sandbox.home(".config")).unwrap();
    fs::remove_dir(sandbox.home(".local/share")).unwrap();
    assert_eq!(Tree::of(&sandbox.home("")), before);
}

#[test]
fn the_folder_is_the_options_the_configs_or_the_users() {
    let sandbox = sandbox().var("XDG_BIN_HOME", "/xdg");
    let path = |words: &[&str]| sandbox.agent_run(&[&["shims", "path"], words].concat()).clean().stdout;
    assert_eq!(path(&[]), "/xdg\n");
    sandbox.config(&format!("{CONFIG}shims: {{dir: ~/links}}\n"));
    assert_eq!(path(&[]), format!("{}\n", sandbox.home("links").display()));
    assert_eq!(path(&["--dir", "here"]), format!("{}\n", sandbox.path("work/here").display()));
    let sandbox = self::sandbox();
    assert_eq!(
        sandbox.agent_run(&["shims", "path"]).clean().stdout,
        format!("{}\n", sandbox.home(".local/bin").display())
    );
}

#[test]
fn what_keeps_a_link_from_being_found_is_said() {
    let sandbox = sandbox();
    let (first, last): (PathBuf, PathBuf) = (sandbox.path("bin"), sandbox.path("last"));
    sandbox.fake_agent("claude@mock");
    for other in [last.join("codex@mock"), last.join("claude@mock")] {
        sandbox.write(&other, "");
        fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let sandbox = sandbox.var("SHELL", "/usr/bin/fish");
    let path = format!("{}:{}:{}", first.display(), sandbox.home(".local/bin").display(), last.display());
    let sandbox = sandbox.var("PATH", path);
    let ran = sandbox.agent_run(&["shims", "install"]).exits(0);
    let shadowed = format!("claude@mock is shadowed by {}", first.join("claude@mock").display());
    let hides = format!("codex@mock hides {}", last.join("codex@mock").display());
    ran.complains(&[&shadowed, &hides]);
    let list = sandbox.agent_run(&["shims", "list"]).clean().stdout;
    assert!(list.contains("shadowed by") && list.contains("hides"), "{list}");

    let elsewhere = sandbox.agent_run(&["shims", "install", "--dir", "links"]).exits(0);
    let dir = sandbox.path("work/links");
    let line = format!("fish_add_path {}", dir.display());
    elsewhere.complains(&["is not on PATH", "config.fish", &line]);
}

#[test]
fn a_target_that_will_not_last_is_said() {
    let sandbox = sandbox();
    let ran = run(sandbox.command(AGENT_RUN).args(["shims", "install", "codex@mock"])).exits(0);
    ran.complains(&["a build folder of cargo", "help: "]);
}

#[test]
fn completion_files_that_cannot_be_written_are_no_failure() {
    let sandbox = sandbox();
    sandbox.write(&sandbox.home(".local/share"), "a file where a folder should be");
    let ran = sandbox.agent_run(&["shims", "install", "codex@mock"]).exits(0);
    ran.complains(&["warning: could not write", ".local/share"]);
    assert_eq!(links(&sandbox), ["codex@mock"]);
}

/// A shim completes what its agent completes, so that it matters which the shell finds.
#[test]
fn install_says_which_completions_of_the_agents_there_are() {
    let sandbox = sandbox();
    let data = sandbox.path("data");
    let sandbox = sandbox.var("XDG_DATA_DIRS", data.to_str().unwrap());
    for agent in ["claude", "codex", "hermes"] {
        sandbox.fake_agent(agent);
    }
    sandbox.write(&sandbox.home(".local/share/bash-completion/completions/codex"), "");
    sandbox.write(&data.join("zsh/site-functions/_hermes"), "");
    let lines = |shell: &str| {
        let ran = run(sandbox.command("agent-run").args(["shims", "install"]).env("SHELL", shell)).exits(0);
        let less = format!("not on PATH: crush{LESS}\n");
        ran.stdout.split_once("/.local/bin\n").unwrap().1.replace(&less, "")
    };
    let home = sandbox.home(".local").parent().unwrap().display().to_string();
    let bash = format!(
        "\
claude@… completes file names: Claude Code offers no completion
codex@… completes with {home}/.local/share/bash-completion/completions/codex
hermes@… completes file names: bash has no completion for hermes. To add it:
  hermes completion bash >{home}/.local/share/bash-completion/completions/hermes
",
    );
    let scripts = [
        "bash-completion/completions/agent-run",
        "fish/vendor_completions.d/agent-run.fish",
        "zsh/site-functions/_agent-run",
    ];
    let wrote = scripts.map(|script| format!("wrote {home}/.local/share/{script}\n")).concat();
    assert_eq!(lines("/bin/dash"), wrote);
    assert_eq!(lines("/bin/bash"), bash);
    assert!(lines("/bin/zsh").contains("hermes@… completes with "), "{}", lines("/bin/zsh"));
    assert!(lines("/bin/fish").contains(".local/share/fish/vendor_completions.d/codex.fish"));
    assert_eq!(lines("/bin/dash"), "");
    let is_wide = |line: &str| line.replace(&home, "~").chars().count() > 80;
    assert_eq!(bash.lines().find(|line| is_wide(line)), None);
}

#[test]
fn the_lines_that_the_startup_files_of_zsh_lack_are_printed() {
    let sandbox = sandbox().var("SHELL", "/bin/zsh");
    let install = || sandbox.agent_run(&["shims", "install"]);
    // As long as they are missing, whoever wrote the files.
    for _ in 0..2 {
        install().exits(0).complains(&["zsh loads completions only from", "fpath=("]);
    }
    let line = format!("fpath=({} $fpath)", sandbox.home(".local/share/zsh/site-functions").display());
    let doctor = |zshrc: &str| {
        sandbox.write(&sandbox.home(".zshrc"), zshrc);
        sandbox.agent_run(&["doctor"]).stdout
    };
    let both = format!(
        "add these lines to ~/.zshrc:\n            {line}\n            autoload -Uz compinit && compinit\n"
    );
    let others = "# ~/.local/share/zsh/site-functions\nfpath+=$(brew --prefix)/share/zsh/site-functions\n";
    assert!(doctor(others).contains(&both));
    let one = format!("add this line to ~/.zshrc, before compinit runs:\n            {line}\n");
    assert!(doctor("autoload -U compinit; compinit\n").contains(&one));
    for there in [
        "fpath+=~/.local/share/zsh/site-functions\n",
        "fpath=(\n  $XDG_DATA_HOME/zsh/site-functions\n  $fpath\n)\n",
        "eval \"$(agent-run completion zsh)\"\n",
    ] {
        let said = doctor(there);
        assert!(said.contains("completion for zsh") && !said.contains("to ~/.zshrc"), "{said}");
    }
    let sandbox = sandbox.var("ZDOTDIR", "/none");
    assert!(sandbox.agent_run(&["doctor"]).stdout.contains("to /none/.zshrc:\n"));
}
