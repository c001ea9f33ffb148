//! The documentation's commands work: what the README says to type is typed here.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{AGENT_RUN, Sandbox, run};

pub fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The fenced blocks of one language, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_readmes_commands_work_with_the_readmes_config() {
    let sandbox = Sandbox::new();
    let yaml = blocks(&readme(), "yaml");
    sandbox.config(yaml.first().expect("a config in the README"));
    for agent in ["claude", "codex", "hermes", "crush"] {
        sandbox.fake_agent(agent);
    }
    // As the real one (0.171): the folder that somebody types this in need not be a repository.
    let codex = "#!/bin/sh\ncase \" $* \" in\n*\" --skip-git-repo-check \"*) ;;\n*\" exec \"*) echo 'Not inside a trusted \
        directory' >&2; exit 1 ;;\nesac\nenv\n";
    sandbox.script("codex", codex);
    let script = blocks(&readme(), "sh").join("\n");
    assert!(script.contains("agent-run launch deepseek claude"), "{script}");
    let ran = run(sandbox.command("sh").args(["-eux", "-c", &script])).exits(0);
    let launched = ran.stdout.lines().filter(|line| *line == "AGENT_RUN_DEPTH=1").count();
    let launches = script.lines().filter(|line| is_launch(line)).count();
    assert_eq!(launched, launches, "stdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
}

fn is_launch(line: &str) -> bool {
    let by_command = line.starts_with("agent-run launch") && !line.contains("--dry-run");
    by_command
        || line.split_whitespace().any(|word| word.starts_with("~/.local/bin/")) && !line.starts_with("ln ")
}

#[test]
fn the_readme_names_the_two_commands_of_a_newcomer() {
    let console = blocks(&readme(), "console").concat();
    assert_eq!(console, "$ cargo run --release -- demo\n$ cargo test\n");
}

/// What a page of proof refers to is there to be run.
#[test]
fn the_guarantees_name_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/guarantees.md")).unwrap();
    let named: Vec<_> = page.split('`').skip(1).step_by(2).filter(|word| is_path(word)).collect();
    assert!(named.len() > 8, "{named:?}");
    for path in named {
        assert!(root.join(path).exists(), "docs/guarantees.md names {path}");
    }
}

fn is_path(word: &str) -> bool {
    let is_below = |folder: &&str| word.starts_with(*folder);
    !word.contains(' ') && ["tests/", "benches/", "fuzz/", "src/", ".ci/"].iter().any(is_below)
}

/// Each agent's page lists the known problems that `doctor` prints, and no others.
#[test]
fn the_pages_name_the_known_problems() {
    for agent in shims::coding_agents() {
        let page = if agent.name() == "claude" { "claude-code" } else { agent.name() };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{page}.md"));
        let text = fs::read_to_string(&path).unwrap();
        let (_, section) =
            text.split_once("\n## Known problems\n").unwrap_or_else(|| panic!("{}", path.display()));
        let section = section.split("\n## ").next().unwrap();
        let items = section.split("\n- ").skip(1);
        let items: Vec<_> = items.map(|item| item.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let known = agent.info().known_problems;
        let known: Vec<_> = known.iter().map(|it| format!("{} ({}).", it.text, it.versions())).collect();
        assert!(!known.is_empty());
        assert_eq!(items, known, "{}", path.display());
    }
}

/// The recording is of today's agent, and of the README's config: `docs/record` makes another.
#[test]
fn the_picture_shows_claude_at_deepseek() {
    let picture = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/demo.svg")).unwrap();
    let shown: Vec<_> =
        picture.lines().filter_map(|line| line.strip_suffix("</text>")?.split_once('>')).collect();
    let shown = shown.iter().map(|(_, text)| *text).collect::<Vec<_>>().join("\n");
    let claude = shims::by_name("claude").unwrap();
    assert!(shown.starts_with("$ claude@deepseek\n"), "{shown}");
    assert!(shown.contains(&format!("{} v{}", claude.title(), claude.info().tested)), "{shown}");
    let config: serde_yaml::Value = serde_yaml::from_str(&blocks(&readme(), "yaml")[0]).unwrap();
    let model = config["providers"]["deepseek"]["default_model"].as_str().unwrap();
    assert!(shown.contains(&format!("  {model} ")), "{shown}");
    assert!(!shown.contains("/tmp/"), "{shown}");
}

/// A folder's files, by name.
pub fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| fs::read_to_string(entry.path()).unwrap();
    entries.map(|entry| (entry.file_name().into_string().unwrap(), read(entry))).collect()
}

/// Packages install the manual without running the binary, so it has a folder of its own. The tests in
/// `tests/it/manual` make that folder's pages.
#[test]
fn the_program_writes_the_manual_that_packages_install() {
    let sandbox = Sandbox::new();
    let made = sandbox.path("elsewhere/man");
    let ran = sandbox.agent_run(&["help", "--man", made.to_str().unwrap()]).clean();
    assert!(ran.stdout.contains(&format!("man -M {} agent-run", made.display())), "{}", ran.stdout);
    let kept = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("man"));
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["agent-run-config.5", "agent-run.1"]);
    let mut written = files(&made.join("man1"));
    written.extend(files(&made.join("man5")));
    assert_eq!(written, kept);
}

/// Where `man` looks by itself, when the folder of programs beside it is on PATH.
#[test]
fn the_manual_goes_where_man_looks() {
    let sandbox = Sandbox::new();
    let bin = sandbox.home(".local/bin");
    let sandbox = sandbox.also_on_path(&[bin]);
    let ran = sandbox.agent_run(&["help", "--man"]).clean();
    let page = sandbox.home(".local/share/man/man1/agent-run.1");
    assert!(page.is_file() && ran.stdout.contains(page.to_str().unwrap()), "{}", ran.stdout);
    let plain = "To read them:\n  man agent-run\n  man agent-run-config\n";
    assert!(ran.stdout.ends_with(plain), "{}", ran.stdout);
    // MANPATH replaces what `man` finds by itself, and adds to it where an entry is empty.
    let share = sandbox.home(".local/share/man");
    for (manpath, is_searched) in [
        ("/elsewhere".to_owned(), false),
        ("/elsewhere:".to_owned(), true),
        (format!("/elsewhere:{}", share.display()), true),
    ] {
        let ran = run(sandbox.command(AGENT_RUN).env("MANPATH", &manpath).args(["help", "--man"])).clean();
        assert_eq!(ran.stdout.ends_with(plain), is_searched, "{manpath}: {}", ran.stdout);
    }
}

#[test]
fn help_is_that_of_the_command() {
    let sandbox = Sandbox::new();
    for words in [&["launch"][..], &["models", "list"], &["help"], &[]] {
        let asked = sandbox.agent_run(&[words, &["--help"]].concat()).clean().stdout;
        assert_eq!(sandbox.agent_run(&[&["help"], words].concat()).clean().stdout, asked, "{words:?}");
        assert!(asked.contains("Usage: agent-run"), "{asked}");
    }
    sandbox.agent_run(&["help", "nothing-of-this-name"]).exits(2).complains(&["nothing-of-this-name"]);
}

/// The archive's folder as `.ci/release` fills it, with this build.
#[test]
fn the_archives_script_installs_all_that_is_in_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sandbox = Sandbox::new();
    let (archive, prefix) = (sandbox.path("archive"), sandbox.home("a prefix"));
    let shells = [("bash", "agent-run"), ("fish", "agent-run.fish"), ("zsh", "_agent-run")];
    for (shell, file) in shells {
        let script = sandbox.agent_run(&["completion", shell]).clean().stdout;
        sandbox.write(&archive.join("completions").join(file), script);
    }
    sandbox.agent_run(&["help", "--man", archive.join("man").to_str().unwrap()]).clean();
    fs::copy(AGENT_RUN, archive.join("agent-run")).unwrap();
    fs::copy(root.join(".ci/install"), archive.join("install")).unwrap();
    let release = fs::read_to_string(root.join(".ci/release")).unwrap();
    for part in [".ci/install", "man/man1/", "man/man5/", "completions/_agent-run"] {
        assert!(release.contains(part), "{part} is not in the archive");
    }

    for _ in 0..2 {
        let ran = run(sandbox.command(archive.join("install")).arg(&prefix)).clean();
        assert!(ran.stdout.contains("is not on PATH"), "{}", ran.stdout);
    }
    let version = run(sandbox.command(prefix.join("bin/agent-run")).arg("--version")).clean();
    assert!(version.stdout.starts_with("agent-run "), "{}", version.stdout);
    for (from, to) in [
        ("man/man1/agent-run.1", "share/man/man1/agent-run.1"),
        ("man/man5/agent-run-config.5", "share/man/man5/agent-run-config.5"),
        ("completions/agent-run", "share/bash-completion/completions/agent-run"),
        ("completions/agent-run.fish", "share/fish/vendor_completions.d/agent-run.fish"),
        ("completions/_agent-run", "share/zsh/site-functions/_agent-run"),
    ] {
        assert_eq!(fs::read(prefix.join(to)).unwrap(), fs::read(archive.join(from)).unwrap(), "{to}");
        let folder = prefix.join(to).parent().unwrap().to_owned();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "a file is left beside {to}");
    }
}

/// Every workflow takes actions by the hash of a tag, says what its token may, and runs scripts that are here.
#[test]
fn workflows_pin_their_actions_and_call_scripts_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = fs::read_dir(root.join(".github/workflows")).unwrap().flatten().collect();
    assert!(files.len() >= 2);
    for file in files {
        let text = fs::read_to_string(file.path()).unwrap();
        let name = file.file_name();
        assert!(
            text.contains("\npermissions:"),
            "{name:?}: the token may what the repository's default says"
        );
        for line in text.lines().map(|line| line.trim().trim_start_matches("- ")) {
            if let Some(action) = line.strip_prefix("uses: ") {
                let (_, pinned) = action.split_once('@').unwrap();
                let (hash, tag) = pinned.split_once(" # v").expect("a tag behind the hash");
                assert!(
                    hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{name:?}: {line}"
                );
                assert_eq!(tag.split('.').count(), 3, "{name:?}: {line}");
            }
            if let Some(command) = line.strip_prefix("run: ") {
                let script = command.split(' ').next().unwrap();
                let mode =
                    fs::metadata(root.join(script)).expect("a script of the repository").permissions().mode();
                assert!(script.starts_with(".ci/") && mode & 0o111 != 0, "{name:?}: {line}");
            }
        }
    }
}

/// Findings open one issue, and are added to it as long as it is open.
#[test]
fn findings_open_an_issue_once() {
    let sandbox = Sandbox::new().var("GITHUB_RUN_ID", "7");
    let sandbox = sandbox.var("GITHUB_SERVER_URL", "https://forge.example").var("GITHUB_REPOSITORY", "o/r");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = sandbox.path("repository/.ci/findings");
    sandbox.write(&script, fs::read(root.join(".ci/findings")).unwrap());
    let contract = sandbox.path("repository/.ci/contract");
    sandbox.write(
        &contract,
        "#!/bin/sh\nprintf 'claude: @someone ~~~~~~~~\\n~~~~~~~~\\n'\necho no codex >&2\nexit 1\n",
    );
    fs::set_permissions(&contract, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.script("gh", "#!/bin/sh\necho \"$@\" >>~/asked\n[ \"$2\" != list ] || cat ~/open\n[ \"$2\" = list ] || cat >~/body\n");
    let report = |open: &str, words: &str| {
        sandbox.write(&sandbox.home("open"), open);
        sandbox.write(&sandbox.home("asked"), "");
        run(sandbox.command("bash").arg(&script).arg("report")).clean();
        let asked = fs::read_to_string(sandbox.home("asked")).unwrap();
        assert!(asked.lines().nth(1).is_some_and(|line| line.starts_with(words)), "{asked}");
        fs::read_to_string(sandbox.home("body")).unwrap()
    };
    assert!(report("", "issue create --title The contract").contains("It ended before it had any"));
    run(sandbox.command("bash").arg(&script).args(["look", "claude"])).exits(1);
    let body = report("", "issue create --title The contract");
    assert!(body.starts_with("Seen in https://forge.example/o/r/actions/runs/7."), "{body}");
    assert!(
        body.contains("\n~~~~~~~~text\nclaude: @someone ~~~~~~~~\n ~~~~~~~~\nno codex\n\n~~~~~~~~\n"),
        "{body}"
    );
    report("12\n", "issue comment 12");
}
