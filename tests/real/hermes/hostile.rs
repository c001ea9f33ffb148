//! Settings, lists, dotenvs and names that nobody would write by accident.

use std::fs;

use super::{KEY, Stage, chosen};
use crate::support::tree::files_holding;
use crate::support::{real, run};

#[test]
fn an_id_of_a_list_that_names_a_secret_fetches_none() {
    let Some(stage) = Stage::set() else { return };
    let list = "models: [{id: good}, {id: '${OPENROUTER_API_KEY}'}]";
    stage.provider(&format!("default_model: good, {list}"));
    stage.sandbox.write(&stage.sandbox.home(".hermes/.env"), "OPENROUTER_API_KEY=sk-STALE\n");
    stage.run(&["-z", "hi"]).exits(0);
    stage.run(&["-z", "hi", "-m", "${OPENROUTER_API_KEY}"]).exits(125).complains(&["\nhelp: "]);
    stage.provider("models: [{id: '${OPENROUTER_API_KEY}'}]");
    stage.run(&["-z", "hi"]).exits(125).complains(&["cannot be passed to Hermes", "\nhelp: "]);
    let asked = stage.a.requests();
    assert!(asked.iter().all(|request| !request.to_string().contains("sk-STALE")), "{asked:#?}");
    assert_eq!(stage.a.posts().len(), 1);
}

#[test]
fn every_special_character_of_an_id_and_a_header_arrives_as_it_is() {
    let Some(stage) = Stage::set() else { return };
    let id = r#"a'b"c\d#e: f{g}%h&i*j!k|l>m@n`o$p$(q)$r~s=t,u[v]w?x;y<z\u0041${"#;
    let value = r#"'"\#: {}%&*!|>@`$(id)$HOME ${X} ~=,[]?;<\n"#;
    let yaml = |text: &str| format!("'{}'", text.replace('\'', "''"));
    stage.provider(&format!(
        "default_model: {id}, models: [{{id: {id}, context_window: 128000}}], headers: {{X-Odd: {value}}}",
        id = yaml(id.trim_end_matches("${")),
        value = yaml(&value.replace("${", "$${")),
    ));
    stage.run(&["-z", "hi"]).exits(0);
    let posts = stage.a.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0]["model"], id.trim_end_matches("${"));
    assert_eq!(posts[0]["headers"]["x-odd"], value);
    assert_eq!(posts[0]["headers"]["authorization"], format!("Bearer {KEY}"));
}

#[test]
fn settings_as_only_pyyaml_reads_them_are_taken_and_hold() {
    let Some(stage) = Stage::set() else { return };
    let deep = format!("deep: {}1{}\n", "[".repeat(400), "]".repeat(400));
    let settings = format!(
        "agent:\t{{max_turns: !!int \"7\"}}\ndisplay:\t# x\u{85}  skin: !<tag:yaml.org,2002:str> default\nlist: [\n1,\n2\n]\n\
         quoted: \"x\"#y\n1: a\n'1': b\nwhen: 2001-02-03 04:05:06 +1\nmarked: !!set {{a, b}}\n\
         base: &base {{p: 1, q: 2}}\nmine:\n  <<: *base\n  <<: {{q: 3, r: 4}}\n# a\u{2028}more: 1\n\
         # a\u{2029}less: 2\nnest: {{1: a, '1': b, true: c, 'true': d}}\n{deep}"
    );
    stage.sandbox.write(&stage.sandbox.home(".hermes/config.yaml"), &settings);
    stage.run(&["chat", "-Q", "-q", "hi"]).exits(0);
    stage.was_asked_once();
    let homes = fs::read_dir(stage.sandbox.home(".cache/agent-run/hermes")).unwrap();
    let home = homes.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    let load = "import sys, yaml\n\
        for loader in (yaml.CSafeLoader, yaml.SafeLoader):\n \
         a, b = (yaml.load(open(path, encoding='utf-8'), loader) for path in sys.argv[1:])\n \
         assert b['agent'].pop('environment_probe') is False\n \
         assert b['display'].pop('tui_auto_resume_recent') is False\n \
         assert all(b[key] == value for key, value in a.items()), b\n\
        print('same')";
    // The plain loader refuses the tab in the user's own file, so both are read by the one that Hermes uses.
    let load = load
        .replace("for loader in (yaml.CSafeLoader, yaml.SafeLoader):", "for loader in (yaml.CSafeLoader,):");
    let own = stage.sandbox.home(".hermes/config.yaml").display().to_string();
    let ours = home.join("config.yaml").display().to_string();
    let said = run(stage.sandbox.command("python").args(["-c", &load, &own, &ours])).exits(0).stdout;
    assert_eq!(said, "same\n");
    assert!(
        !home.join("logs/errors.log").exists()
            || files_holding(&home.join("logs"), "Failed to parse").is_empty()
    );
}

#[test]
fn a_proxy_with_a_password_holds_against_the_users_dotenv() {
    let Some(stage) = Stage::set() else { return };
    let (a, b) = (stage.a.url(""), stage.b.url(""));
    let proxy = a.replace("http://", "http://user:hunter2@");
    stage.sandbox.config(&format!(
        "providers:\n  local: {{protocols: [openai-chat-completions], base_urls: {{openai: 'http://host.invalid/v1'}},\n    \
         key_env: LOCAL_KEY, proxy: '{proxy}', default_model: mock-model, model_api_filters: [],\n    \
         models: [{{id: mock-model}}]}}\n"
    ));
    let dotenv = ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let dotenv = dotenv.map(|name| format!("{name}={b}\n")).concat();
    stage.sandbox.write(&stage.sandbox.home(".hermes/.env"), dotenv);
    stage.run(&["-z", "hi"]);
    assert_eq!(stage.b.requests(), Vec::<serde_json::Value>::new());
    let asked = stage.a.requests();
    assert!(asked.iter().any(|request| request.to_string().contains("host.invalid")), "{asked:#?}");
    assert_eq!(files_holding(&stage.sandbox.home(".cache"), "hunter2"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn what_would_keep_the_pins_out_is_left_out() {
    let Some(stage) = Stage::set() else { return };
    stage.hostile_home();
    for name in [".env", ".op.env"] {
        let path = stage.sandbox.home(".hermes").join(name);
        let before = fs::read_to_string(&path).unwrap_or_default();
        stage.sandbox.write(&path, format!("{before}'PYTHON_DOTENV_DISABLED' = 1\n"));
        let ran = stage.run(&["-z", "hi"]).exits(0);
        ran.complains(&["agent-run: warning: ", "sets PYTHON_DOTENV_DISABLED"]);
        stage.sandbox.write(&path, before);
    }
    let posts = stage.a.posts();
    assert_eq!(posts.len(), 2, "{posts:#?}");
    posts.iter().for_each(chosen);
    assert!(stage.b.posts().is_empty(), "{:#?}", stage.b.posts());
}

#[test]
fn a_key_that_hermes_would_not_send_is_refused() {
    let Some(stage) = Stage::set() else { return };
    let mut command = stage.command(&["-z", "hi"]);
    run(command.env("LOCAL_KEY", "abc")).exits(125).complains(&["fewer than four characters", "\nhelp: "]);
    assert!(stage.a.requests().is_empty());
}

/// Prints the lines by which Hermes' own parser opens a session by its recorded URL: the command `acp` after every option
/// in every spelling, and what words give that are put together at random.
const OPENING: &str = r#"
import argparse, contextlib, io, itertools, json, os, random, string, sys
import hermes_cli.main as hermes
made, read = [], argparse.ArgumentParser.parse_args
def take(parser, *rest):
    made.append(parser)
    raise SystemExit(1)
argparse.ArgumentParser.parse_args = take
sys.argv = ["hermes", "acp"]
with contextlib.suppress(SystemExit):
    hermes.main()
options = {option for action in made[0]._actions for option in action.option_strings}
long = {option[:end] for option in options if option[1] == "-" for end in range(3, len(option) + 1)}
letters = [option[1] for option in options if option[1] != "-"]
short = {"-" + "".join(pair) for pair in itertools.product(letters, [""] + letters)}
lines = [["-c", "my", "name", "acp"], ["-r", "my", "name", "acp"], ["-c", "-5", "acp"], ["-c", "- m", "acp"]]
lines += [["-c", f"-{letter} q", "acp"] for letter in string.ascii_letters]
lines += [["-c", "my", word, "acp"] for word in sorted(hermes._BUILTIN_SUBCOMMANDS | {"honcho"})]
for option in sorted(long | short):
    lines += [[option, "acp"], [option, "web", "acp"], [option + "=web", "acp"], [option + "web", "acp"]]
words = """-c -r -m -z -s -t -q -w -v -Q --tui --cli --safe-mode --resume --continue --model --mod --tu --cl --ones --que
    --us chat serve acp dashboard gui x hi my project kanban migrate sessions browse -mx -wm -cfoo -rfoo -sw -wz
    --model=x --resume=x --continue=x -- --toolsets --yolo --stop --status --tui=1 --max-turns 1""".split()
some = random.Random(1)
lines += [some.choices(words + ["", "-x q", "- q", "-c x"], k=some.randint(2, 6)) for _ in range(20000)]
def opens(args):
    said = lambda *names: any(getattr(args, name, None) for name in names)
    chats = args.command in (None, "chat")
    browses = args.command == "sessions" and said("sessions_action") and args.sessions_action == "browse"
    resumes = browses or chats and said("resume", "continue_last")
    return not said("oneshot", "version") and (
        args.command == "acp" and not said("check", "setup_browser", "acp_version", "setup")
        or args.command in ("serve", "dashboard") and not said("status", "stop")
        or args.command in ("gui", "desktop") and not said("build_only")
        or said("tui") and not said("cli") and resumes)
silent = open(os.devnull, "w")
for line in lines:
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(silent), contextlib.redirect_stdout(silent):
        if opens(read(made[0], hermes._coalesce_session_name_args(line))):
            print(json.dumps(line), file=sys.__stdout__)
"#;

#[test]
fn whatever_opens_a_session_by_its_recorded_url_for_hermes_is_refused() {
    let Some(stage) = Stage::set() else { return };
    let python = real::python_of_hermes();
    let mut python = stage.sandbox.command(python.to_str().unwrap());
    let found = run(python.args(["-c", OPENING]).env("HERMES_HOME", stage.sandbox.home(".hermes"))).exits(0);
    let lines: Vec<Vec<String>> =
        found.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 500, "{found:?}");
    for line in lines {
        let mut command = stage.sandbox.command("agent-run");
        let ran = run(command.args(["launch", "--dry-run", "local", "hermes", "--"]).args(&line));
        assert!(ran.code == 125 && ran.stderr.contains("recorded with"), "{line:?}: {ran:?}");
    }
}
