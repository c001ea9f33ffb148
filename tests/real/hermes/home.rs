use std::fs;

use super::{KEY, Stage, chosen, turns};
use crate::support::run;
use crate::support::tree::Tree;

#[test]
fn case_05_and_06_sessions_go_on_across_launches_and_without_the_cache() {
    let Some(stage) = Stage::set() else { return };
    let b = stage.b.url("/v1");
    let own = format!(
        "model: {{default: b-model, provider: custom, base_url: '{b}', api_key: sk-mine, context_length: 99000}}\n"
    );
    stage.sandbox.write(&stage.sandbox.home(".hermes/config.yaml"), own);
    let native = run(stage.sandbox.command("hermes").args(["chat", "-Q", "-q", "first"])).exits(0);
    let id = native.stderr.lines().find_map(|line| line.strip_prefix("session_id: ")).expect("a session id");
    assert_eq!(stage.b.posts().len(), 1);

    stage.run(&["chat", "-Q", "--resume", id, "-q", "second"]).exits(0);
    stage.run(&["chat", "-Q", "-c", "-q", "third"]).exits(0);
    let listed = run(stage.sandbox.command("hermes").args(["sessions", "list"])).exits(0).stdout;
    assert!(listed.contains(id), "{listed}");

    fs::remove_dir_all(stage.sandbox.home(".cache/agent-run")).unwrap();
    stage.run(&["chat", "-Q", "-c", "-q", "fourth"]).exits(0);
    let posts = stage.a.posts();
    posts.iter().for_each(chosen);
    assert_eq!(posts.iter().map(turns).collect::<Vec<_>>(), [3, 5, 7]);
    assert_eq!(stage.b.posts().len(), 1);
}

#[test]
fn case_07_a_profile_is_the_home_that_is_mirrored() {
    let Some(stage) = Stage::set() else { return };
    let profile = stage.sandbox.home(".hermes/profiles/coder");
    stage.sandbox.write(&profile.join("config.yaml"), "display: {skin: default}\n");
    stage.sandbox.write(&stage.sandbox.home(".hermes/active_profile"), "other\n");
    stage.run(&["-p", "coder", "-z", "hi"]).exits(0);
    stage.was_asked_once();
    assert!(profile.join("state.db").exists());
    assert!(!stage.sandbox.home(".hermes/state.db").exists());

    let ran = stage.run(&["-p", "nope", "-z", "hi"]).exits(125);
    ran.complains(&["`nope`", "\nhelp: "]);
    stage.run(&["-z", "hi"]).exits(125).complains(&["`other`"]);
    stage.was_asked_once();

    fs::write(stage.sandbox.home(".hermes/active_profile"), "coder\n").unwrap();
    stage.run(&["-z", "hi"]).exits(0);
    assert_eq!(stage.a.posts().len(), 2);
    assert!(!stage.sandbox.home(".hermes/state.db").exists());
}

#[test]
fn case_13_six_first_launches_at_once_each_with_its_own_key() {
    let Some(stage) = Stage::set() else { return };
    let children: Vec<_> = (1..=6)
        .map(|n| {
            let prompt = format!("par{n}");
            let mut command = stage.command(&["-z", &prompt]);
            command.env("LOCAL_KEY", format!("key-{n}"));
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "PONG-FROM-MOCK\n", "{output:?}");
    }
    let posts = stage.a.posts();
    let mut seen: Vec<_> = posts
        .iter()
        .map(|post| {
            format!("{} {}", post["headers"]["authorization"].as_str().unwrap(), super::last_words(post))
        })
        .collect();
    seen.sort();
    let wanted: Vec<_> = (1..=6).map(|n| format!("Bearer key-{n} \"par{n}\"")).collect();
    assert_eq!(seen, wanted);

    let state = stage.sandbox.home(".hermes/state.db").display().to_string();
    let ask = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
        print(db.execute('pragma integrity_check').fetchone()[0], db.execute('select count(*) from sessions').fetchone()[0])";
    let said = run(stage.sandbox.command("python").args(["-c", ask, &state])).exits(0).stdout;
    assert_eq!(said, "ok 6\n");
}

/// One session at two providers at once.
#[test]
fn one_session_resumed_at_two_providers_at_once_is_whole() {
    let Some(mut stage) = Stage::set() else { return };
    stage.sandbox = stage.sandbox.var("OTHER_KEY", "sk-OTHER");
    let first = stage.run(&["chat", "-Q", "-q", "first"]).exits(0);
    let id = first.stderr.lines().find_map(|line| line.strip_prefix("session_id: ")).expect("a session id");
    for round in 0..2 {
        let children = ["local", "other"].map(|provider| {
            let mut command = stage.sandbox.command("agent-run");
            let prompt = format!("{provider} in round {round}");
            command.args(["launch", provider, "hermes", "--", "chat", "-Q", "--resume", id, "-q", &prompt]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        });
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(String::from_utf8_lossy(&output.stdout).contains("PONG-FROM-MOCK"), "{output:?}");
        }
    }
    let posts = stage.b.posts();
    assert!(posts.len() == 2 && posts.iter().all(|post| post["model"] == "b-model"), "{posts:#?}");
    assert_eq!(posts[0]["headers"]["authorization"], "Bearer sk-OTHER");
    stage.a.posts().iter().for_each(chosen);

    let state = stage.sandbox.home(".hermes/state.db").display().to_string();
    let ask = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
        print(db.execute('pragma integrity_check').fetchone()[0]); \
        [print(row[0]) for row in db.execute(\"select content from messages where role = 'user' order by id\")]";
    let said = run(stage.sandbox.command("python").args(["-c", ask, &state])).exits(0).stdout;
    let mut lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.remove(0), "ok");
    lines.sort_unstable();
    lines.dedup();
    let wanted = ["first", "local in round 0", "local in round 1", "other in round 0", "other in round 1"];
    assert_eq!(lines, wanted, "{said}");
}

/// What a provider with `isolated: true` has is its own, and lasts.
#[test]
fn an_isolated_provider_shares_nothing_and_keeps_its_sessions() {
    let Some(stage) = Stage::set() else { return };
    let skill = |name: &str| format!("---\nname: {name}\ndescription: Does {name}.\n---\nx\n");
    stage.sandbox.write(&stage.sandbox.home(".hermes/skills/users-own/SKILL.md"), skill("users-own"));
    stage.sandbox.write(&stage.sandbox.home(".hermes/SOUL.md"), "RULE-OF-THE-USER\n");
    stage.run(&["chat", "-Q", "-q", "shared"]).exits(0);
    let users = Tree::of(&stage.sandbox.home(".hermes"));
    let known = "default_model: mock-model, models: [{id: mock-model, context_window: 128000}], \
                 headers: {X-Plain: blue, X-Secret: '${env:SECRET}'}";
    stage.provider(&format!("isolated: true, {known}"));
    let own = stage.sandbox.home(".local/state/agent-run/hermes/local");
    stage.sandbox.write(&own.join("skills/apart/SKILL.md"), skill("apart"));
    stage.sandbox.write(&own.join("SOUL.md"), "RULE-APART\n");
    let first = stage.run(&["chat", "-Q", "-q", "first"]).exits(0);
    let id = first.stderr.lines().find_map(|line| line.strip_prefix("session_id: ")).expect("a session id");
    fs::remove_dir_all(stage.sandbox.home(".cache/agent-run")).unwrap();
    stage.run(&["chat", "-Q", "--resume", id, "-q", "second"]).exits(0);
    let posts = stage.a.posts();
    posts.iter().for_each(chosen);
    let said: Vec<_> = posts.iter().map(|post| post["body"].to_string()).collect();
    assert!(
        said[0].contains("RULE-OF-THE-USER") && said[0].contains("users-own"),
        "what is there to be shared"
    );
    for said in &said[1..] {
        assert!(said.contains("RULE-APART") && said.contains("apart"), "{said}");
        assert!(!said.contains("RULE-OF-THE-USER") && !said.contains("users-own"), "{said}");
    }
    assert_eq!(posts.iter().map(turns).collect::<Vec<_>>(), [1, 1, 3]);
    let listed = stage.run(&["sessions", "list"]).exits(0).stdout;
    assert!(listed.contains(id) && !listed.contains("shared"), "{listed}");
    assert_eq!(Tree::of(&stage.sandbox.home(".hermes")), users, "the user's own home was left alone");
}

/// A home that the tool before this one made: one of `isolated_homes` moves whole, one of a provider is named once.
#[test]
fn homes_of_the_old_tool_are_taken_over_or_named() {
    let Some(stage) = Stage::set() else { return };
    let url = stage.a.url("/v1");
    let made = |name: &str| {
        let home = stage.sandbox.home(".cache/agent-run/hermes").join(name);
        let settings = format!(
            "model: {{default: mock-model, provider: custom, base_url: '{url}', context_length: 128000}}\n"
        );
        stage.sandbox.write(&home.join("config.yaml"), settings);
        let mut command = stage.sandbox.command("hermes");
        command.env("HERMES_HOME", &home).env("OPENAI_API_KEY", KEY);
        let ran = run(command.args(["chat", "-Q", "-q", &format!("said in {name}")])).exits(0);
        let id =
            ran.stderr.lines().find_map(|line| line.strip_prefix("session_id: ")).expect("an id").to_owned();
        (home, id)
    };
    let ((work, kept), (local, named)) = (made("work"), made("local"));
    let config = fs::read_to_string(stage.sandbox.home(".config/agent-run/config.yaml")).unwrap();
    stage.sandbox.config(&format!("{config}isolated_homes: {{hermes: {{work: {{}}}}}}\n"));
    let before = Tree::of(&work);
    let list = ["launch", "work", "hermes", "--", "sessions", "list"];
    let first =
        stage.sandbox.agent_run(&list).exits(0).complains(&["was copied to", "the original was not changed"]);
    assert!(first.stdout.contains(&kept), "{}", first.stdout);
    assert_eq!(Tree::of(&work), before);
    assert!(stage.sandbox.agent_run(&list).clean().stdout.contains(&kept));

    let first = stage.run(&["sessions", "list"]).exits(0);
    let line =
        first.stderr.lines().find_map(|line| line.split_once("HERMES_HOME=")).expect("a line that helps").1;
    let shown = run(stage.sandbox.command("sh").args(["-c", &format!("HERMES_HOME={line}")])).exits(0).stdout;
    assert!(shown.contains(&named), "{shown}");
    stage.run(&["sessions", "list"]).clean();
    assert!(local.join("state.db").exists());
}

/// Every command that Hermes lists is refused, or stands here because it reads, or writes to what is linked, in its own
/// folder or for this launch only.
#[test]
fn each_command_of_hermes_is_refused_or_known_to_act_on_the_users_home() {
    const ALLOWED: &str = "bundles chat checkpoints completion computer-use config cron curator debug doctor dump \
        fallback gateway hooks insights journey kanban learning logs lsp memory memory-graph moa pairing postinstall \
        project prompt-size proxy security send sessions skills slack status version";
    let Some(stage) = Stage::set() else { return };
    let help = run(stage.sandbox.command("hermes").arg("--help")).exits(0).stdout;
    let listed = help.split_once('{').and_then(|(_, rest)| rest.split_once('}')).expect("the commands").0;
    let is_allowed = |command: &&str| {
        let words = ["launch", "local", "--dry-run", "hermes", command.trim()];
        stage.sandbox.agent_run(&words).code == 0
    };
    let mut allowed: Vec<_> = listed.split(',').filter(is_allowed).map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ALLOWED.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn what_would_be_lost_or_written_through_a_link_is_refused() {
    let Some(stage) = Stage::set() else { return };
    stage.sandbox.write(&stage.sandbox.home(".hermes/.env"), "OPENROUTER_API_KEY=sk-own\n");
    stage.run(&["-z", "hi"]).exits(0);
    let before = Tree::of(&stage.sandbox.home(""));
    for words in [
        &["auth", "remove", "openrouter", "1"][..],
        &["auth", "add", "openrouter", "--type", "api-key", "--api-key", "sk-typed"],
        &["config", "set", "OPENROUTER_API_KEY", "sk-typed"],
        &["backup", "-o", "b.zip"],
        &["profile", "create", "pp"],
    ] {
        let ran = stage.run(words).exits(125);
        let ran = ran.complains(&["would ", &format!("\nhelp: run plain `hermes {}`", words[0])]);
        assert!(!ran.stderr.contains("sk-typed"), "{}", ran.stderr);
    }
    assert_eq!(Tree::of(&stage.sandbox.home("")), before);
    for words in [&["auth", "list"][..], &["config", "env-path"], &["mcp", "list"], &["memory", "status"]] {
        stage.run(words).exits(0);
    }
    let own = fs::read_to_string(stage.sandbox.home(".hermes/.env")).unwrap();
    assert_eq!(own, "OPENROUTER_API_KEY=sk-own\n");
}
