use super::{KEY, Stage, last_words};
use crate::support::tree::{Tree, files_holding};
use crate::support::{real, run};

#[test]
fn case_01_a_first_launch_on_an_empty_home() {
    let Some(stage) = Stage::set() else { return };
    let ran = stage.run(&["chat", "-Q", "-q", "hello"]).exits(0);
    assert!(ran.stdout.ends_with("PONG-FROM-MOCK\n"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("agent-run:"), "{}", ran.stderr);
    let post = stage.was_asked_once();
    assert_eq!(post["stream"], true);
    assert_eq!(last_words(&post), "hello");
    assert_eq!(files_holding(&stage.sandbox.home(""), KEY), Vec::<std::path::PathBuf>::new());
    assert!(stage.sandbox.home(".hermes/state.db").exists(), "the session is the user's");
}

#[test]
fn case_02_hostile_settings_dotenvs_and_pools_change_nothing() {
    let Some(stage) = Stage::set() else { return };
    stage.hostile_home();
    let before = Tree::of(&stage.sandbox.home(".hermes"));
    let ran = stage.run(&["-z", "hi"]).exits(0);
    assert_eq!(ran.stdout, "PONG-FROM-MOCK\n");
    let post = stage.was_asked_once();
    assert_eq!(post["body"]["max_tokens"], 65_536, "neither 7 nor 1");
    before.is_unharmed(&stage.sandbox.home(".hermes"));
    assert!(stage.b.requests().iter().all(|request| !request.to_string().contains(KEY)));
}

/// It writes such a file again, and runs a `pip.py` of the project for a line of its prompt.
#[test]
fn a_dotenv_that_hermes_writes_again_and_a_projects_pip_are_left_alone() {
    let Some(stage) = Stage::set() else { return };
    let dotenv = stage.sandbox.home(".hermes/.env");
    let text = b"# caf\xe9\nTAVILY_API_KEY=abcEXA_API_KEY=def\nGREETING=hi".as_slice();
    stage.sandbox.write(&dotenv, text);
    stage.sandbox.write(&stage.sandbox.path("work/pip.py"), "open('ran', 'w')\n");
    for words in [&["-z", "hi"][..], &["chat", "-Q", "-q", "hi"]] {
        stage.run(words).exits(0);
    }
    assert_eq!(std::fs::read(&dotenv).unwrap(), text);
    assert!(!stage.sandbox.path("work/ran").exists(), "Hermes ran the project's pip.py");
    stage.run(&["doctor", "--fix"]).exits(125);
    // Plain Hermes does both.
    let url = stage.b.url("/v1");
    let settings = format!("model: {{default: m, provider: custom, base_url: '{url}', api_key: sk-plain}}\n");
    stage.sandbox.write(&stage.sandbox.home(".hermes/config.yaml"), settings);
    run(stage.sandbox.command("hermes").args(["chat", "-Q", "-q", "hi"]));
    assert_ne!(std::fs::read(&dotenv).unwrap(), text);
    assert!(stage.sandbox.path("work/ran").exists());
}

/// The curator's former table counts where `auxiliary.curator` has no model.
#[test]
fn the_curators_own_provider_is_not_asked() {
    let Some(stage) = Stage::set() else { return };
    let home = stage.sandbox.home(".hermes");
    let settings = format!(
        "curator: {{enabled: true, consolidate: true, min_idle_hours: 0, interval_hours: 0,\n  auxiliary: \
         {{provider: custom, model: other, base_url: '{}', api_key: sk-own}}}}\n",
        stage.b.url("/v1")
    );
    stage.sandbox.write(&home.join("config.yaml"), settings);
    let mut used = serde_json::Map::new();
    for name in ["one", "two", "three"] {
        let skill = format!("---\nname: {name}\ndescription: d\n---\nbody\n");
        stage.sandbox.write(&home.join(format!("skills/{name}/SKILL.md")), skill);
        let (made, last) = ("2026-11-01T00:00:00+00:00", "2026-11-20T00:00:00+00:00");
        let usage = serde_json::json!({"created_by": "agent", "use_count": 1, "created_at": made, "last_used_at": last});
        used.insert(name.to_owned(), usage);
    }
    stage.sandbox.write(&home.join("skills/.usage.json"), serde_json::Value::from(used).to_string());
    stage.run(&["curator", "run", "--sync"]).exits(0);
    assert!(stage.b.requests().is_empty(), "{:#?}", stage.b.requests());
    let posts = stage.a.posts();
    assert!(!posts.is_empty(), "the curator asked nobody");
    posts.iter().for_each(super::chosen);
}

#[test]
fn case_03_hostile_variables_change_nothing() {
    let Some(stage) = Stage::set() else { return };
    stage.hostile_home();
    for words in [&["-z", "hi"][..], &["chat", "-Q", "-q", "hi"]] {
        let mut command = stage.command(words);
        command.envs(stage.hostile_variables());
        run(&mut command).exits(0);
    }
    let posts = stage.a.posts();
    assert_eq!(posts.len(), 2, "{posts:#?}");
    posts.iter().for_each(super::chosen);
    assert!(stage.b.posts().is_empty(), "{:#?}", stage.b.posts());
    assert!(stage.b.requests().iter().all(|request| !request.to_string().contains(KEY)));
}

#[test]
fn case_09_an_error_of_the_provider_does_not_start_the_users_fallbacks() {
    let Some(stage) = Stage::scripted(r#"[{"path": "/chat/completions", "status": 401}]"#) else { return };
    stage.hostile_home();
    let elsewhere = stage.sandbox.home("elsewhere");
    let dotenv = stage.sandbox.home(".hermes/.env");
    stage.sandbox.write(&dotenv, format!("HERMES_MANAGED_DIR={}\n", elsewhere.display()));
    let ran = stage.run(&["chat", "-Q", "-q", "hi"]).exits(1);
    let ran = ran.complains(&["agent-run: warning: ", "/.hermes/.env sets HERMES_MANAGED_DIR"]);
    assert!(ran.stdout.contains("HTTP 401"), "{}", ran.stdout);
    assert!(!stage.a.posts().is_empty());
    assert!(stage.b.posts().is_empty(), "{:#?}", stage.b.posts());
}

#[test]
fn case_18_a_window_that_hermes_refuses_is_refused_before() {
    let Some(stage) = Stage::set() else { return };
    stage.serve("context_window: 32000");
    stage.run(&["-z", "hi"]).exits(125).complains(&["agent-run: ", "64000", "32000", "\nhelp: "]);
    assert!(stage.a.requests().is_empty());
    assert!(!stage.sandbox.home(".hermes").exists());
}

#[test]
fn case_19_an_output_limit_is_said() {
    let too_much = r#"[{"contains": "\"max_tokens\":65536", "status": 400}]"#;
    let Some(stage) = Stage::scripted(too_much) else { return };
    stage.serve("context_window: 128000, max_output_tokens: 8000");
    let ran = stage.run(&["-z", "hi"]).exits(0);
    assert_eq!(ran.stdout, "PONG-FROM-MOCK\n");
    assert_eq!(stage.was_asked_once()["body"]["max_tokens"], 8000);
}

#[test]
fn case_21_hermes_of_a_package_manager() {
    let Some(stage) = Stage::set() else { return };
    run(stage.command(&["chat", "-Q", "-q", "hi"]).env("HERMES_MANAGED", "homebrew")).exits(0);
    stage.was_asked_once();
}

#[test]
fn a_model_or_a_mode_of_hermes_own_words_stays_with_the_provider() {
    let Some(stage) = Stage::set() else { return };
    for words in [
        &["-z", "hi", "-m", "gpt-5.5"][..],
        &["chat", "-Q", "-q", "hi", "-m", "sonnet"],
        &["chat", "-Q", "-q", "hi", "--safe-mode"],
    ] {
        let mut command = stage.command(words);
        run(command.env("OPENROUTER_API_KEY", "sk-STALE")).exits(0);
    }
    let posts = stage.a.posts();
    let models: Vec<_> = posts.iter().map(|post| post["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["gpt-5.5", "sonnet", "mock-model"]);
    assert!(posts.iter().all(|post| post["headers"]["authorization"] == format!("Bearer {KEY}")));
}

#[test]
fn neither_another_hermes_nor_a_dashboard_takes_the_work() {
    let Some(stage) = Stage::set() else { return };
    let b = stage.b.url("");
    let ask = "import os, gateway.run as g\n\
        others = [os.environ.get(f'HERMES_{it}_URL') or None for it in ('TUI_GATEWAY', 'TUI_SIDECAR', 'XAI_BASE')]\n\
        print('asks', g.GatewayRunner._get_proxy_url(None), *others)";
    let python = real::python_of_hermes().display().to_string();
    let inherited = ["GATEWAY_PROXY_URL", "HERMES_TUI_GATEWAY_URL", "HERMES_TUI_SIDECAR_URL"];
    stage
        .sandbox
        .write(&stage.sandbox.home(".hermes/config.yaml"), format!("gateway: {{proxy_url: '{b}'}}\n"));
    let mut plain = stage.sandbox.command("env");
    let said = run(plain.arg(&python).args(["-c", ask])).exits(0).stdout;
    assert_eq!(said, format!("asks {b} None None None\n"));
    // In a launch Hermes' own Python says what it would do.
    stage.sandbox.script("hermes", &format!("#!/bin/sh\nexec {python} -c \"{ask}\"\n"));
    for dotenv in [String::new(), format!("GATEWAY_PROXY_URL={b}\nHERMES_XAI_BASE_URL={b}\n")] {
        stage.sandbox.write(&stage.sandbox.home(".hermes/.env"), dotenv);
        let mut launch = stage.command(&["gateway", "run"]);
        launch.envs(inherited.map(|name| (name, &b)));
        assert_eq!(run(&mut launch).exits(0).stdout, "asks None None None None\n");
    }
}

#[test]
fn a_chat_keeps_neither_an_earlier_provider_nor_that_of_a_launch() {
    let Some(stage) = Stage::set() else { return };
    let b = stage.b.url("/v1");
    // As the gateway does: a message comes, and perhaps `/model`.
    let chat = "import sys\n\
        from gateway.config import Platform, load_gateway_config as load\n\
        from gateway.session import SessionSource, SessionStore\n\
        store = SessionStore(load().sessions_dir, load())\n\
        source = SessionSource(platform=Platform.SIGNAL, chat_id='1', user_id='1', chat_type='dm')\n\
        key = store.get_or_create_session(source).session_key\n\
        if sys.argv[1:]: store.set_model_override(key, dict(zip(('model', 'provider', 'base_url'), sys.argv[1:])))\n\
        print(store.get_model_override(key))";
    let python = real::python_of_hermes().display().to_string();
    stage.sandbox.write(
        &stage.sandbox.home(".hermes/config.yaml"),
        "write_sessions_json: false\ngateway: {write_sessions_json: false}\n",
    );
    let plain = |words: &[&str]| {
        let mut command = stage.sandbox.command("env");
        run(command.arg(&python).args(["-c", chat]).args(words)).exits(0).stdout
    };
    assert!(plain(&["m", "custom:x", &b]).contains(&b));
    stage.sandbox.script("hermes", &format!("#!/bin/sh\nshift 2\nexec {python} -c \"{chat}\" \"$@\"\n"));
    let launch = |words: &[&str]| stage.run(&[&["gateway", "run"], words].concat());
    assert_eq!(launch(&[]).exits(0).stdout, "None\n");
    // Its own choice stays, and one of another provider goes.
    let a = stage.a.url("/v1");
    assert!(launch(&["n", "custom", &a]).exits(0).stdout.contains(&a));
    let kept = launch(&[]).exits(0).complains(&["/model chose in them", "(`n`)"]);
    assert!(kept.stdout.contains(&a));
    assert!(launch(&["n", "openrouter", &b]).exits(0).stdout.contains(&b));
    assert_eq!(launch(&[]).exits(0).stdout, "None\n");
    assert!(plain(&[]).contains("'custom:x'"), "plain Hermes has its own");
}
