//! What `doctor --probe` tries of a version: an agent that holds everything, and one that breaks each promise.

use std::fs;

use crate::support::tree::Tree;
use crate::support::{Ran, Sandbox};

use super::CONFIG;
use super::until;
use crate::support::tmux::Tmux;

/// An agent with the manners of Claude Code; what is put in place of `WAYS` breaks them.
const AGENT: &str = r#"#!/bin/sh
if [ "$1" = --version ]; then echo 'VERSION (Claude Code)'; exit; fi
for word; do :; done
word=$(printf %.20s "$word")
model=$ANTHROPIC_MODEL
key=$ANTHROPIC_AUTH_TOKEN
sub=$model
summary='create a detailed summary'
window='/ 65.5k '
beta=none
post() { curl -s "$1" -H "authorization: Bearer $key" -H "anthropic-beta: $beta" -d "{\"model\": \"$2\", \"messages\": [{\"role\": \"user\", \"content\": \"$3\"}]}"; }
ask() { post "$ANTHROPIC_BASE_URL/v1/messages" "$1" "$2"; }
elsewhere() { grep -rhoE 'http://[^" ]*/(provider|deep-server)' .claude | head -n 1 | sed 's:/[^/]*$::'; }
send() { curl -s -o /dev/null "$(elsewhere)$1" -H "x-wanted: $2"; }
WAYS
case $word in
/context) echo "**Tokens:** 1k $window(2%)" ;;
*) ask "$model" "$word" ;;
esac
case $word in
'try the project') ask "$model" tool-42-ran ;;
'try a sub-agent') ask "$sub" 'a task for the pinned agent'; ask "$sub" 'a question of the hook' ;;
'run a workflow') ask "$sub" 'a task of the workflow' ;;
'fill the window'*) ask "$model" "$summary" ;;
esac
"#;

fn sandbox(version: &str, ways: &str) -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-mock-key");
    sandbox.config(CONFIG);
    sandbox.script("claude", &AGENT.replace("VERSION", version).replace("WAYS", ways));
    sandbox
}

fn probe(sandbox: &Sandbox, code: i32) -> Ran {
    let ran = sandbox.agent_run(&["doctor", "--probe", "claude@mock"]).exits(code);
    assert_eq!(ran.stderr, "");
    assert!(!ran.stdout.contains("sk-"), "{}", ran.stdout);
    ran
}

/// The lines below the title of the trials.
fn trials(ran: &Ran) -> Vec<&str> {
    let lines = ran.stdout.lines().skip_while(|line| !line.starts_with("Tests of Claude Code"));
    lines.skip(1).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn an_agent_that_holds_everything_is_well_and_nothing_is_left() {
    let sandbox = sandbox("2.1.332", "setsid sleep 4321.5 >/dev/null 2>&1 &");
    probe(&sandbox, 0);
    let before = [sandbox.home(""), sandbox.path("work"), sandbox.path("tmp")].map(|path| Tree::of(&path));
    let ran = probe(&sandbox, 0);
    let trials = trials(&ran);
    assert!(trials.len() > 15 && trials.iter().all(|line| line.starts_with("  ok ")), "{}", ran.stdout);
    let after = [sandbox.home(""), sandbox.path("work"), sandbox.path("tmp")].map(|path| Tree::of(&path));
    for (before, after) in before.iter().zip(&after) {
        before.is_same_as(after, "a probe leaves nothing");
    }
    let runs = |process: &fs::DirEntry| {
        fs::read(process.path().join("cmdline")).is_ok_and(|line| line == b"sleep\x004321.5\0")
    };
    let is_gone = || !fs::read_dir("/proc").into_iter().flatten().flatten().any(|process| runs(&process));
    until(is_gone, "the end of what the agent left running");
}

/// Each way to break a promise, and what is said of it.
const BROKEN: [(&str, &str); 20] = [
    ("project", "a project's files do not take the prompt. Result: its server got a request"),
    ("project", "a project's settings cannot choose the model. Result: it requested planted-model"),
    ("helper", "`apiKeyHelper` of a project does not run. Result: it ran"),
    ("hook", "an HTTP hook of a project does not get the key. Result: it got the key"),
    ("hook", "an HTTP hook in your own settings does not get the key. Result: it got the key"),
    ("hook", "an HTTP hook of a plugin does not get the key. Result: it got the key"),
    ("server", "an MCP server in your own settings does not get the key. Result: it got the key"),
    ("server", "an MCP server of a project does not get the key. Result: it got the key"),
    ("server", "an MCP server of a plugin does not get the key. Result: it got the key"),
    ("server", "that a launch does not read does not get the key. Result: it got the key"),
    ("hook", "that a launch does not read does not get the key. Result: it got the key"),
    (
        "sub-agent",
        "whose file names another model requests the launch's. Result: it requested claude-opus-4-8",
    ),
    (
        "hook",
        "a hook that names another model requests the launch's or none. Result: it requested \
         claude-opus-4-8",
    ),
    ("workflow", "names another model requests the launch's. Result: it requested claude-opus-4-8"),
    ("alias", "with its window. Result: it requested a window of a million tokens"),
    ("window", "is the one in the config. Result: it says `**Tokens:** 1k / 1m (2%)`"),
    ("compaction", "fills the window is compacted. Result: it continued with the whole conversation"),
    ("at once", "changes nothing. Result: a provider got the other's key"),
    ("project", "only the provider gets the key. Result: the key was sent to /unheard-of elsewhere"),
    ("server", "the provider gets no other key than its own. Result: another key was sent"),
];

const WAYS: &str = r#"
sub=claude-opus-4-8 summary='go on' window='/ 1m '
case $word in
'try the project')
  model=planted-model; touch ~/helper
  for path in /provider /project-hook /own-hook /plugin-hook /own-server /project-server /plugin-server /unheard-of; do
    send $path "$key"
  done ;;
'try the agent')
  for path in /deep-server /deep-hook; do send $path "$key"; done
  curl -s "$ANTHROPIC_BASE_URL/v1/messages" -H 'x-api-key: sk-planted-0123456789' -d '{}' ;;
'try the alias')
  beta=context-1m-2025-08-07
  echo "$key" >"$HOME/$model.new"
  mv "$HOME/$model.new" "$HOME/$model"
  for _ in 1 2 3 4 5 6 7 8 9; do [ -e "$HOME/trial-model" ] || sleep 1; done
  key=$(cat "$HOME/trial-model") ;;
esac
"#;

#[test]
fn every_broken_promise_of_a_version_is_named() {
    let sandbox = sandbox("2.1.332", WAYS);
    let ran = probe(&sandbox, 1);
    let trials = trials(&ran);
    for (subject, text) in BROKEN {
        let is_said =
            |line: &&&str| line.starts_with(&format!("  problem {subject} ")) && line.contains(text);
        assert!(trials.iter().any(|line| is_said(&line)), "no `{subject}` {text} in:\n{}", ran.stdout);
    }
    assert!(
        ran.stdout.contains("help: until agent-run supports this version, use 2.1.332: `npm install"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_known_of_an_old_version_is_said_and_is_no_finding() {
    let ways = "if [ \"$word\" = 'try the agent' ]; then send /deep-server \"$key\"; fi";
    let ran = probe(&sandbox("2.1.197", ways), 0);
    let known = "only since 2.1.257: an MCP server in an agent's file that a launch does not read";
    assert!(
        trials(&ran).iter().any(|line| line.starts_with("  known   server ") && line.contains(known)),
        "{}",
        ran.stdout
    );
    let ran = probe(&sandbox("2.1.257", ways), 1);
    assert!(trials(&ran)[0].starts_with("  problem server"), "{}", ran.stdout);
}

/// What did not happen is no promise held.
#[test]
fn an_agent_that_asks_nothing_holds_nothing() {
    let ran = probe(&sandbox("2.1.332", "case $word in try*) exit 3 ;; esac"), 0);
    let trials = trials(&ran);
    let unseen = "could not test that a project's settings cannot choose the model: the agent exited \
                  (exit status: 3) without a request";
    assert!(trials.iter().any(|line| line.starts_with("  note ") && line.contains(unseen)), "{}", ran.stdout);
    assert!(!trials.iter().any(|line| line.starts_with("  ok      project")), "{}", ran.stdout);
}

/// Without a name, each launch that has a shim is probed; without any shim, one on the first provider.
#[test]
fn what_has_a_shim_is_probed_where_nothing_is_named() {
    let sandbox = sandbox("2.1.332", "");
    let titles = |words: &[&str]| {
        let ran = sandbox.agent_run(words).exits(0);
        let titles = ran.stdout.lines().filter_map(|line| line.strip_prefix("Probe of ").map(str::to_owned));
        titles.collect::<Vec<_>>()
    };
    assert_eq!(titles(&["doctor", "--probe"]), ["claude@mock"]);
    sandbox.shim("claude@asked");
    assert_eq!(titles(&["doctor", "--probe"]), ["claude@asked"]);
    sandbox.shim("claude@mock");
    assert_eq!(titles(&["doctor", "--probe", "claude"]), ["claude@asked", "claude@mock"]);
    assert_eq!(titles(&["doctor", "--probe", "mock"]), ["claude@mock"]);
}

/// A line for each launch and trial while they run, gone behind them; without sequences where nobody wants any.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_terminal_shows_how_far_a_probe_is() {
    for plain in ["", "NO_COLOR=1 ", "TERM=dumb "] {
        let sandbox = sandbox("2.1.332", "until [ -e GO ]; do sleep 0.05; done");
        let go = sandbox.path("go");
        let script = fs::read_to_string(sandbox.path("bin/claude")).unwrap();
        sandbox.script("claude", &script.replace("GO", go.to_str().unwrap()));
        let tmux = Tmux::start(&sandbox, &format!("env {plain}agent-run doctor --probe claude@mock"));
        let waits = if plain.is_empty() {
            tmux.wait_for("Claude Code: compaction: waiting");
            "Claude Code: project, tool, helper, hook, server: running"
        } else {
            "trying Claude Code, which takes up to a minute"
        };
        let screen = tmux.wait_for(waits);
        assert_eq!(screen.contains("claude@mock: running"), plain.is_empty(), "{screen}");
        fs::write(go, "").unwrap();
        let screen = tmux.wait_for("[exited 0]");
        assert!(!screen.contains(": running") && !screen.contains(": waiting"), "{screen}");
    }
}

#[test]
fn what_hooks_have_written_is_looked_at() {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-mock-key");
    sandbox.config(CONFIG);
    // Asks once, and does what its files say: the hooks of its home, and the unreviewed one of the project.
    let codex = r#"#!/bin/sh
if [ "$1" = --version ]; then echo 'codex-cli 0.171.0'; exit; fi
for word; do :; done
url=$(echo "$*" | grep -o 'base_url *= *"[^"]*' | head -n 1 | sed 's/.*"//')
key=$(env | sed -n 's/^AGENT_RUN_CODEX_API_KEY_[0-9a-f]*=//p')
curl -s "$url/responses" -H "authorization: Bearer $key" -d "{\"model\": \"trial-model\", \"input\": [{\"role\": \"user\", \"content\": \"$word\"}]}"
case $word in
'try the hooks') env >~/own-hook; OPENAI_API_KEY=$BESIDE_KEY TRIAL_KEY=$key env >~/plugin-hook ;;
'try the project') env >~/project-hook ;;
esac
"#;
    sandbox.script("codex", codex);
    let before = sandbox.home(".cache").exists();
    let ran = sandbox.agent_run(&["doctor", "--probe=version", "codex"]).exits(1);
    assert!(!before && !sandbox.home(".cache").exists(), "what was missing is missing again");
    for part in [
        "  ok      hook        a hook of your own settings sees no key but the launch's",
        "problem hook        failed: a hook of a plugin sees no key but the launch's. Result: your own variable",
        "problem hook        failed: a hook of a project that nobody reviewed does not run. Result: it ran",
        "  ok      hook        `notify` of a project does not run",
        "could not test that `notify` of your own settings sees no key but the launch's: it did not run",
    ] {
        assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
    }
}
