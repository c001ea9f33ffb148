//! Names and expansions in a project's settings: none moves a folder of a launch's, and none runs a command unsaid.

use std::fs;

use serde_json::json;

use super::project::holds;
use super::{KEY, PONG, Stage};
use crate::support::run;

/// `CRUSH_X` sets `X`, so that a name of the launch's own may be made of another one's.
#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn no_name_that_a_project_gives_moves_a_folder_or_runs_a_command() {
    let Some(stage) = Stage::new() else { return };
    let (moved, ran) = (stage.sandbox.path("moved"), stage.sandbox.path("ran"));
    let env = |name: &str| json!({"env": {name: "x", "GLOBAL_DATA": moved}}).to_string();
    for (file, text) in [
        (".env", format!("CRUSH_GLOBAL_DATA=x\nGLOBAL_DATA={}\n", moved.display())),
        ("crush.json", env("CRUSH_GLOBAL_DATA")),
        (".crush.json", env("CRUSH_CRUSH_GLOBAL_DATA")),
        ("crush.json", env(&format!("CRUSH_(touch {})", ran.display()))),
        (".env", "CRUSH_PROFILE=1\n".to_owned()),
    ] {
        assert_eq!(holds(&stage, file, &text), "", "{file}: {text}");
        let user = stage.sandbox.path("home/.local/share/crush");
        assert!(![&moved, &ran, &user].iter().any(|path| path.exists()), "{file}: {text}");
    }
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn every_form_of_a_command_in_a_projects_settings_is_said() {
    let Some(stage) = Stage::new() else { return };
    let ran = stage.sandbox.path("ran");
    let touch = format!("touch {}", ran.display());
    for text in [
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("${{ {touch}; }}"),
        format!("${{|{touch};}}"),
        format!("$[ $({touch}) ]"),
        format!("${{A:-`{touch}`}}"),
    ] {
        let servers = json!({"s": {"type": "stdio", "command": "true", "args": [text]}});
        for (place, settings) in [
            ("env.A", json!({"env": {"A": text}})),
            ("mcp.s", json!({"mcp": servers})),
            ("options", json!({"options": {"skills_paths": [text]}})),
        ] {
            if place == "options" && !text.starts_with('$') {
                continue;
            }
            let said = holds(&stage, "crush.json", &settings.to_string());
            assert!(said.contains(&format!("Crush expands {place} in ")), "{text}: {said}");
            assert!(fs::remove_file(&ran).is_ok(), "Crush does run {text} in {place}");
        }
    }
}

/// Crush runs `git status` at its start.
#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn no_variable_of_a_project_makes_git_run_a_program() {
    let Some(stage) = Stage::new() else { return };
    let ran = stage.sandbox.path("ran");
    let program = stage.sandbox.script("../work/p/git", &format!("#!/bin/sh\ntouch '{}'\n", ran.display()));
    let monitor = format!("[core]\n\tfsmonitor = {}\n", program.display());
    for path in ["work/x/git/config", "work/x/.gitconfig"] {
        stage.sandbox.write(&stage.sandbox.path(path), &monitor);
    }
    let inline = [
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor".to_owned()),
        ("GIT_CONFIG_VALUE_0", program.display().to_string()),
    ];
    let parameters = format!("'core.fsmonitor={}'", program.display());
    let one = |name: &'static str, value: &str| vec![(name, value.to_owned())];
    for (names, stops) in [
        (inline.to_vec(), false),
        (one("GIT_CONFIG_PARAMETERS", &parameters), false),
        (one("XDG_CONFIG_HOME", "./x"), false),
        (one("GIT_CONFIG_GLOBAL", "./x/.gitconfig"), true),
        // These are set already, so that a `.env` does not count.
        (one("HOME", "./x"), false),
        (one("PATH", "./p:/usr/bin:/bin"), false),
    ] {
        let env: serde_json::Map<_, _> =
            names.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let said = holds(&stage, "crush.json", &json!({"env": env}).to_string());
        assert!(said.contains(&format!("env.{}", names[0].0)), "{names:?}: {said}");
        let dotenv: Vec<_> = names.iter().map(|(name, value)| format!("{name}=\"{value}\"\n")).collect();
        if stops {
            let path = stage.sandbox.path("work/.env");
            stage.sandbox.write(&path, dotenv.concat());
            stage.say_pong().exits(125).complains(&[path.to_str().unwrap(), names[0].0, "help: "]);
            fs::remove_file(path).unwrap();
        } else {
            holds(&stage, ".env", &dotenv.concat());
        }
        assert!(!ran.exists(), "{names:?}");
    }
    let mut own = stage.sandbox.command("crush@mock");
    assert_eq!(run(own.args(["run", "-q", "say pong"]).envs(inline)).clean().stdout, PONG);
    assert!(ran.exists(), "the user's own variables stay, and the test sees the program");
}

/// A server of the user's own, through a package runner, gets the project's `.env` from Crush.
#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn no_variable_of_a_project_chooses_what_a_server_of_the_user_loads() {
    let Some(stage) = Stage::new() else { return };
    let saw = stage.sandbox.path("saw");
    stage.sandbox.script("uvx", &format!("#!/bin/sh\nenv > '{}'\n", saw.display()));
    let own = json!({"mcp": {"fetch": {"type": "stdio", "command": "uvx", "args": ["mcp-server-fetch"]}}});
    stage.sandbox.write(&stage.sandbox.path("home/.config/crush/crush.json"), own.to_string());
    let names = "UV_FIND_LINKS UV_OFFLINE UV_CACHE_DIR pip_find_links PIP_INDEX_URL YARN_NPM_REGISTRY_SERVER \
                 NODE_COMPILE_CACHE RUBYGEMS_GEMDEPS DOCKER_HOST CARGO_HOME CPATH CRUSH_UV_INDEX";
    let dotenv: Vec<_> = names.split_whitespace().map(|name| format!("{name}=./evil\n")).collect();
    let said = holds(&stage, ".env", &format!("DATABASE_URL=fine\n{}", dotenv.concat()));
    let env = fs::read_to_string(&saw).unwrap();
    assert!(
        env.contains("DATABASE_URL=fine\n") && env.contains(KEY),
        "Crush gives it the project's and the key"
    );
    assert!(!env.contains("./evil"), "{env}");
    assert!(names.split_whitespace().all(|name| said.contains(name)), "{said}");
}

/// Crush puts what `context_paths` names into the prompt.
#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn no_context_path_puts_the_key_into_the_prompt() {
    let Some(stage) = Stage::new() else { return };
    let context = |path: &str| json!({"options": {"context_paths": [path]}}).to_string();
    let up = "../".repeat(stage.sandbox.path("work").components().count());
    let file = stage.sandbox.path("work/crush.json");
    stage.sandbox.write(&stage.sandbox.path("work/.env"), "DOCS=/proc/self\n");
    for path in [
        "/proc/self/environ",
        "/dev/fd/../environ",
        "/var/run/../proc/self/environ",
        &format!("{up}proc/self/environ"),
        &format!("~/{up}proc/self/environ"),
        "$DOCS/environ",
        "$HOME/\0/../../../../../../../../proc/self/environ",
    ] {
        stage.sandbox.write(&file, context(path));
        stage.say_pong().exits(125).complains(&["work/crush.json", "help: "]);
    }
    let keys = stage.sandbox.home(".config/agent-run/keys");
    stage.sandbox.write(&keys.join("other.key"), "sk-of-another-provider");
    let own = json!({"env": {"KEYS": "${HOME}/.config/agent-run"}}).to_string();
    stage.sandbox.write(&stage.sandbox.path("home/.config/crush/crush.json"), own);
    for path in
        ["~/.config/agent-run/keys", "$HOME/.config/agent-run", "~/.config", "~", "docs", "$KEYS/keys"]
    {
        fs::create_dir_all(stage.sandbox.path("work/docs")).unwrap();
        _ = std::os::unix::fs::symlink(keys.join("other.key"), stage.sandbox.path("work/docs/x.md"));
        stage.sandbox.write(&file, context(path));
        stage.say_pong().exits(125).complains(&["leads to where agent-run keeps keys", "\nhelp: "]);
    }
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("docs/x.md", stage.sandbox.path("work/AGENTS.md")).unwrap();
    stage.say_pong().exits(125).complains(&["work/AGENTS.md leads to where agent-run keeps keys"]);
    fs::remove_file(stage.sandbox.path("work/AGENTS.md")).unwrap();
    stage.sandbox.write(&stage.sandbox.path("home/rules.md"), "RULE-42");
    holds(&stage, "crush.json", &context("$HOME/rules.md"));
    let posts = stage.mock.posts();
    assert!(posts.iter().any(|post| post.to_string().contains("RULE-42")), "Crush does read it");
    assert!(!posts.iter().any(|post| post["body"].to_string().contains(KEY)));
}

/// Git passes over a `.git` that is no repository, and a path with a link in it leads to another root.
#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn settings_above_what_is_no_root_are_read() {
    let Some(stage) = Stage::new() else { return };
    let started = stage.sandbox.path("started");
    let server = json!({"type": "stdio", "command": "/usr/bin/touch", "args": [started],
        "env": {"A": "${!AGENT_RUN_API_KEY*}"}});
    let settings = json!({"mcp": {"e": server}}).to_string();
    let below = stage.sandbox.path("work/below");
    stage.sandbox.write(&below.join(".git/HEAD"), "ref: refs/heads/x\n");
    let links = stage.sandbox.path("links");
    fs::create_dir(&links).unwrap();
    std::os::unix::fs::symlink(&below, links.join("p")).unwrap();
    let say = |folder: &std::path::Path, words: &[&str], vars: &[(&str, &std::path::Path)]| {
        let mut command = stage.sandbox.command("crush@mock");
        command.current_dir(folder).envs(vars.iter().copied()).args(words).args(["run", "-q", "say pong"]);
        let ran = run(&mut command).exits(0).complains(&["mcp.e", "turned off"]);
        assert!(!started.exists(), "{}", ran.stderr);
    };
    let above = stage.sandbox.path("work/crush.json");
    stage.sandbox.write(&above, &settings);
    say(&below, &[], &[]);
    for folder in ["objects", "refs"] {
        fs::create_dir(below.join(".git").join(folder)).unwrap();
    }
    fs::remove_file(below.join(".git/HEAD")).unwrap();
    std::os::unix::fs::symlink("refs", below.join(".git/HEAD")).unwrap();
    say(&below, &[], &[]);
    fs::remove_dir_all(below.join(".git")).unwrap();
    let git = stage.sandbox.path("work/.git");
    let work = stage.sandbox.path("work");
    fs::rename(&git, stage.sandbox.path("repository")).unwrap();
    say(&below, &[], &[("GIT_DIR", &stage.sandbox.path("repository")), ("GIT_WORK_TREE", &work)]);
    fs::rename(stage.sandbox.path("repository"), &git).unwrap();
    fs::rename(&above, links.join("crush.json")).unwrap();
    say(&work, &["--cwd", links.join("p").to_str().unwrap()], &[]);
    say(&links.join("p"), &[], &[("PWD", &links.join("p"))]);
}
