//! The pages can be read in order, and what they, the messages and the help texts say to type exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::docs::{files, readme};
use crate::support::{Sandbox, run};

/// The text of every page for people.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = files(&root.join("docs"))
        .into_iter()
        .filter(|(name, _)| Path::new(name).extension().is_some_and(|it| it == "md"));
    let mut pages: Vec<_> = docs.map(|(name, text)| (format!("docs/{name}"), text)).collect();
    for name in ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"] {
        pages.push((name.to_owned(), fs::read_to_string(root.join(name)).unwrap()));
    }
    pages
}

/// A page can be reached from the README, begins with a title and a sentence, and links to what exists.
#[test]
fn the_pages_can_be_read_in_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = readme();
    for (name, text) in pages() {
        let folder = root.join(&name).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            assert!(link.contains("://") || folder.join(file).exists(), "{name} links to {link}");
        }
        let mut paragraphs = text.split("\n\n");
        assert!(paragraphs.next().unwrap().starts_with("# "), "{name} has no title");
        let first = paragraphs.next().unwrap();
        assert!(first.contains('.') && !first.starts_with(['#', '-', '|']), "{name} begins with {first}");
        if name.starts_with("docs/") {
            assert!(readme.contains(&format!("]({name})")), "the README does not link to {name}");
        }
    }
}

/// What a text says to type: `agent-run` behind one of these, up to the end of the command.
fn typed<'a>(text: &'a str, behind: &[&str]) -> Vec<&'a str> {
    let ends = ['`', ')', '>', '\n', '&', ';', '#', '"'];
    let is_typed = |at: usize| behind.iter().any(|before| text[..at].ends_with(before));
    let found = text.match_indices("agent-run ").filter(|(at, _)| is_typed(*at));
    found.map(|(at, start)| text[at + start.len()..].split(ends).next().unwrap()).collect()
}

/// Why a command line is none: no such command, or the command has no such option.
fn is_wrong(line: &str, help: &mut impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut words =
        line.split(" | ").next().unwrap().split("   ").next().unwrap().split_whitespace().peekable();
    let mut path = String::new();
    while let Some(word) = words.peek() {
        let word = word.split(['|', '{', '[', '\\']).next().unwrap().trim_end_matches(['.', ',', ':']);
        let is_name = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let below = format!("{path} {word}");
        if word.starts_with('-') || !is_name {
            break;
        }
        if help(&below).is_none() {
            let is_group = help(&path).is_some_and(|page| page.contains("<COMMAND>") || path.is_empty());
            if is_group {
                return Some(format!("no command{below}"));
            }
            break;
        }
        (path, _) = (below, words.next());
    }
    let page = help(&path)?;
    let is_agent = |word: &str| shims::by_name(word).is_some() || word == "AGENT";
    let options = words.take_while(|word| !path.contains("launch") || !is_agent(word));
    let mut options = options.filter(|word| word.starts_with("--"));
    options.find_map(|option| {
        let name: String = option.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        let is_there = page.contains(&name) || ["--config", "--", "--version"].contains(&name.as_str());
        (!is_there).then(|| format!("{path} has no {name}"))
    })
}

/// Pages, messages and the examples of help name commands and options that exist.
#[test]
fn what_is_to_be_typed_exists() {
    let sandbox = Sandbox::new();
    let mut pages_of_help: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut help = |path: &str| {
        let ask = || {
            let ran =
                sandbox.agent_run(&["help"].into_iter().chain(path.split_whitespace()).collect::<Vec<_>>());
            (ran.code == 0).then_some(ran.stdout)
        };
        pages_of_help.entry(path.trim().to_owned()).or_insert_with(ask).clone()
    };
    let mut texts = pages();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("shims/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|it| it == "rs") {
                texts.push((entry.display().to_string(), fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, text) in &texts {
        let behind: &[&str] =
            if name.contains("/src/cli") { &["`", "$(", "\n  "] } else { &["`", "$(", "$ "] };
        for line in typed(text, behind) {
            count += 1;
            wrong.extend(is_wrong(line, &mut help).map(|why| format!("{name}: agent-run {line}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 200, "{count}");
}

/// What is to be typed next has the `--config` that a command was given.
#[test]
fn a_command_to_type_has_the_config_that_this_one_was_given() {
    let sandbox = Sandbox::new();
    let config = "providers: {chat: {protocols: [openai-chat-completions], base_urls: {openai: 'http://127.0.0.1:9'}}}";
    sandbox.write(&sandbox.home("other.yaml"), config);
    let given = |words: &[&str]| {
        let mut command = sandbox.command("agent-run");
        run(command.current_dir(sandbox.home("")).args([&["--config", "other.yaml"], words].concat()))
    };
    let typed = "`agent-run --config other.yaml launch chat hermes`";
    sandbox.fake_agent("hermes");
    assert!(given(&["--help"]).exits(0).stdout.contains(&format!("Next: {typed} (")));
    given(&["launch", "chat"])
        .exits(125)
        .complains(&["for example `agent-run --config other.yaml launch chat"]);
    let bare = given(&[]).exits(2).stderr;
    assert!(bare.contains("agent-run COMMAND") && bare.contains(typed), "{bare}");
    let missing = sandbox.agent_run(&["--config", "/nowhere/x.yaml"]).exits(1).stderr;
    assert!(
        missing.starts_with("agent-run: there is no config") && missing.contains("/nowhere/x.yaml"),
        "{missing}"
    );
    assert!(
        missing.ends_with("help: `agent-run --config /nowhere/x.yaml providers add` creates it\n"),
        "{missing}"
    );
    let problem = given(&["key", "test", "chat"]).exits(1).stderr;
    assert!(problem.contains("`agent-run --config other.yaml "), "{problem}");
}

/// Shims get no `--config`, so that those on PATH are none of another config.
#[test]
fn another_config_leaves_the_shims_alone_that_read_the_usual_one() {
    let sandbox = Sandbox::new();
    let provider = "{protocols: [anthropic], base_urls: {anthropic: 'http://127.0.0.1:9'}, default_model: m}";
    sandbox.config(&format!("providers: {{both: {provider}, usual: {provider}}}"));
    sandbox.fake_agent("claude");
    let installed = sandbox.agent_run(&["shims", "install", "--agent", "claude"]).exits(0);
    let other = sandbox.home("other.yaml");
    sandbox.write(&other, format!("providers:\n  both: {provider}\n  work: {provider}\n"));
    let other = other.to_str().unwrap();
    let given = |words: &[&str]| sandbox.agent_run(&[&["--config", other], words].concat());
    given(&["shims", "install"]).exits(1).complains(&[
        "a shim cannot be given --config, and reads the config ",
        "/.config/agent-run/config.yaml",
        &format!("\n  export AGENT_RUN_CONFIG={other}"),
    ]);
    let line = format!("agent-run --config {other} launch work claude --resume ID  (");
    assert!(given(&["why", "claude@work"]).clean().stdout.contains(&line));
    let said = given(&["doctor"]).stdout;
    assert!(!said.contains("@usual"), "{said}");
    assert_eq!(given(&["shims", "list"]).stdout, sandbox.agent_run(&["shims", "list"]).clean().stdout);
    let said = given(&["providers", "remove", "both", "--yes"]).exits(0).stdout;
    // The folder of this checkout may be called after them.
    assert!(!said.contains(" shims") && !said.contains("@both"), "{said}");
    let again = sandbox.agent_run(&["shims", "install", "--agent", "claude"]).exits(0);
    assert_eq!(again.stdout.matches("already there").count(), 2, "{}\n{}", installed.stdout, again.stdout);
    // By its own path the usual config is no other.
    let usual = sandbox.home(".config/agent-run/./config.yaml");
    sandbox.agent_run(&["--config", usual.to_str().unwrap(), "shims", "install"]).exits(0);
}

/// A launch fails where nothing decides the model, so that what is to be typed names one.
#[test]
fn a_launch_to_type_names_a_model_where_none_is_the_default() {
    let sandbox = Sandbox::new();
    sandbox.fake_agent("claude");
    let config = "providers: {p: {protocols: [anthropic], base_urls: {anthropic: 'http://127.0.0.1:9'}, models: [{id: a}, {id: b}]}}";
    sandbox.config(config);
    let typed = "`agent-run launch p --model a claude`";
    let help = sandbox.agent_run(&["--help"]).clean().stdout;
    assert!(help.contains(&format!("Next: {typed} (")), "{help}");
    let show = sandbox.agent_run(&["providers", "show", "p"]).clean().stdout;
    assert!(show.contains(typed) && show.contains("no default_model is set"), "{show}");
    sandbox.agent_run(&["launch", "p", "--model", "a", "claude"]).clean();
    sandbox.config(&config.replace("models: [", "default_model: b, models: ["));
    let show = sandbox.agent_run(&["providers", "show", "p"]).clean().stdout;
    assert!(show.contains("`agent-run launch p claude`"), "{show}");
}
