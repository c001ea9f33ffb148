//! A project's own settings: what of them a launch turns off, and what it can only tell.
//!
//! Crush reads `crush.json`, `.crush.json`, `crushrc` and `.crushrc` of every folder from the one it starts in up to
//! the work tree's root, and runs the last two, and `$(…)` in the first two, without asking (seen in 0.90.1). The
//! session file is read after them, so that providers and models of a project never count.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use serde_json::{Value as Json, json};

use super::JsonObject;
use super::case_fold;
use super::project::Project;
use super::settings::REPLACED;
use super::variables::{self, ORGANIZATION, dotenv_names, dotenv_path, exported};
use super::{expansion, homes};
use crate::json::{self, Dialect};
use crate::judged::crush::PLACE_READ;
use crate::{Fact, Inputs, Launch, Message, Plan};

const HELP: &str = "fix the file or move it out of the way";

const PROGRAMS: &str =
    "With such a variable, the provider's key may go to another host, or to other code that programs run";

/// What a project's files say, as far as a launch must know.
#[derive(Default)]
pub struct ProjectFiles {
    /// The variables that they set.
    pub variables: BTreeSet<String>,
    /// Those of a `.env` by which a program that Crush starts would run another, and that nobody else sets.
    pub emptied: Vec<String>,
    /// What the session file turns off: `mcp`, `lsp` and `env` by name.
    pub overrides: JsonObject,
    /// The files that hold settings, with them.
    pub settings: Vec<(PathBuf, JsonObject)>,
    warnings: Vec<Message>,
    infos: Vec<String>,
}

/// Everything that Crush reads of a project that starts at `start`.
pub fn paths(start: &Path, project: &Project) -> Vec<PathBuf> {
    project.folders(start).flat_map(|folder| PLACE_READ.iter().map(|name| folder.join(name))).collect()
}

impl ProjectFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// When one is there that Crush might read and we cannot.
    pub fn read(start: &Path, project: &Project, launch: &Launch, inputs: &Inputs) -> Result<Self> {
        let mut files = Self::default();
        let mut known = Vec::new();
        for path in paths(start, project) {
            let (name, fact) = (path.file_name().map(ToOwned::to_owned), inputs.fact(&path));
            // One folder may have two names.
            if known.contains(&(name.clone(), fact)) {
                continue;
            }
            known.push((name, fact));
            let is_script = path.extension().is_none_or(|kind| kind != "json");
            match fact {
                None | Some(Fact::Absent | Fact::Dir(_)) => {}
                Some(Fact::File(bytes)) if bytes.is_empty() => {}
                // Crush would wait for what may never come.
                Some(Fact::Stream) => {
                    inputs.file(&path).map_err(|error| Message::helped(&error, HELP))?;
                }
                Some(_) if is_script => files.script(&path),
                Some(_) => files.settings(path, launch, inputs)?,
            }
        }
        files.dotenv(launch, inputs)?;
        Ok(files)
    }

    fn dotenv(&mut self, launch: &Launch, inputs: &Inputs) -> Result<()> {
        let shown = dotenv_path(inputs);
        if inputs.is_unreadable(&shown) {
            // Crush may read what a launch does not: it has no limit for the size.
            inputs.file(&shown).map_err(|error| Message::helped(&error, HELP))?;
        }
        for name in dotenv_names(inputs) {
            self.sets(&name);
            if variables::runs_programs(&name) && !variables::is_set(&name, launch, inputs) {
                if variables::needs_value(&name) {
                    bail!(Message::new(
                        format!("{} sets {name}. {PROGRAMS}", shown.display()),
                        format!("remove the line, or set {name} in your own environment"),
                    ));
                }
                self.emptied.push(name);
            }
        }
        // Nobody has seen what a pipe names.
        if matches!(inputs.fact(&shown), Some(Fact::File(_))) {
            self.hold("set to an empty value", &self.emptied.clone(), &shown);
        }
        Ok(())
    }

    fn hold(&mut self, what: &str, names: &[String], path: &Path) {
        if !names.is_empty() {
            self.warnings.push(Message::new(
                format!("{what} in this launch: {} in {}. {PROGRAMS}", names.join(", "), path.display()),
                "set it in your own environment if you need it",
            ));
        }
    }

    /// Tells what a launch turned off and what it cannot.
    pub fn tell(self, plan: &mut Plan) {
        self.warnings.into_iter().for_each(|text| plan.warn(text));
        self.infos.into_iter().for_each(|text| plan.info(text));
    }

    /// Crush exports each `CRUSH_X` as `X` too.
    fn sets(&mut self, name: &str) {
        self.variables.extend(exported(name).map(str::to_owned));
    }

    /// Of two spellings of one field the later one counts, so that the last of each is ours too.
    fn turn_off(&mut self, field: &str, name: &str) {
        let disabled = case_fold::spellings("disabled").map(|key| (key, Json::Bool(true)));
        let off = if field == "env" { json!("") } else { disabled.collect::<JsonObject>().into() };
        for field in case_fold::spellings(field) {
            self.overrides.entry(field).or_insert_with(|| json!({}))[name] = off.clone();
        }
    }

    fn script(&mut self, path: &Path) {
        // It may set any variable.
        for name in ORGANIZATION {
            self.sets(name);
        }
        let shown = path.display();
        self.warnings.push(Message::new(
            format!("Crush runs {shown} without asking, and the script can read the provider's key"),
            "read the file before you continue",
        ));
    }

    fn settings(&mut self, path: PathBuf, launch: &Launch, inputs: &Inputs) -> Result<()> {
        let bytes = inputs.file(&path).map_err(|error| Message::helped(&error, HELP))?;
        let json = json::parse(bytes.unwrap_or_default(), Dialect::Go).map_err(|fault| {
            anyhow!(Message::new(format!("could not read {}:{fault}", path.display()), HELP))
        })?;
        // Crush refuses anything else.
        let Json::Object(object) = json else { return Ok(()) };
        let is_key = |text: &str| launch.secret_variables().any(|name| text.contains(name));
        let asks = |text: &str| expansion::asks_for_key(text, is_key);
        // Without a session file nothing is turned off, and providers count.
        let is_last = !homes::start(launch, inputs).0.data_dir;
        let (mut off, mut held, mut expanded) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in &object {
            let is = |field: &str| case_fold::is(key, field);
            if is_last && REPLACED.iter().any(|field| is(field)) {
                continue;
            }
            let Some(field) = ["env", "mcp", "lsp"].into_iter().find(|field| is(field)) else {
                // A pattern, not a command.
                let skipped = is("hooks").then_some("matcher");
                if expansion::any_text(value, skipped, &expansion::may_run) {
                    expanded.push(key.clone());
                }
                continue;
            };
            for (name, entry) in value.as_object().into_iter().flatten() {
                if field == "env" {
                    self.sets(name);
                    if is_last && variables::runs_programs(name) {
                        held.push(format!("{key}.{name}"));
                        continue;
                    }
                }
                if is_last && expansion::any_text(entry, None, &asks) {
                    self.turn_off(field, name);
                    off.push(format!("{key}.{name}"));
                } else if expansion::any_text(entry, None, &|text| expansion::may_run(text) || asks(text)) {
                    expanded.push(format!("{key}.{name}"));
                }
            }
        }
        self.hold("without effect", &held, &path);
        let shown = path.display();
        if !off.is_empty() {
            let off = off.join(", ");
            self.warnings.push(Message::new(
                format!("turned off for this launch: {off} in {shown}, because it uses the provider's key"),
                "check whether you trust this project",
            ));
        }
        if !expanded.is_empty() {
            let text = format!(
                "Crush expands {} in {shown} as a shell does, without asking, and commands there can read the \
                 provider's key",
                expanded.join(", ")
            );
            self.warnings.push(Message::new(text, "read the file before you continue"));
        }
        if expansion::starts_programs(&object) {
            self.infos.push(format!("programs that {shown} names can read the provider's key"));
        }
        self.settings.push((path, object));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::project::repository;
    use super::super::variables::UNSEEN;
    use super::*;
    use crate::{Protocol, Template};

    fn read(files: &[(&str, &str)]) -> Result<ProjectFiles> {
        let mut inputs = Inputs::default();
        inputs.dirs.cwd = "/p/a".into();
        inputs.facts.insert("/p/.git".into(), repository());
        for (path, text) in files.iter().chain(&[("/p/.git/HEAD", "ref: refs/heads/x")]) {
            inputs.facts.insert(path.into(), Fact::File((*text).into()));
        }
        let launch = Launch {
            key_variables: ["MY_KEY".into()].into(),
            extra_env: [("TEAM_KEY", "${env:MY_KEY}"), ("PATH", "/x:${env:PATH}")]
                .map(|(name, text)| (name.to_owned(), Template::parse(text).expect(text)))
                .map(|(name, template)| (name, template.fill(|_| String::new())))
                .into(),
            ..Launch::sample("p", Protocol::OpenaiChatCompletions, "https://p.example", "m")
        };
        let start = Path::new("/p/a");
        ProjectFiles::read(start, &Project::at(start, &launch, &inputs), &launch, &inputs)
    }

    #[test]
    fn entries_that_ask_for_the_key_are_turned_off_in_every_spelling() {
        for (text, off) in [
            (
                r#"{"MCP": {"e": {"url": "u", "headers": {"A": "$AGENT_RUN_API_KEY"}}, "ok": {"url": "$HOME"}}}"#,
                "mcp",
            ),
            (r#"{"mcp": {"e": {"env": {"A": "${MY_KEY:-x}"}}}}"#, "mcp"),
            (r#"{"mcp": {"e": {"url": "u", "headers": {"A": "$TEAM_KEY"}}}}"#, "mcp"),
            (r#"{"mcp": {"e": {"args": ["${MY_KEY}"]}, "ok": {"env": {"GOPATH": "$PATH"}}}}"#, "mcp"),
            (r#"{"l\u017fp": {}, "lsp": {"e": {"env": {"A": "\u0024\u007b!AGENT*}"}}}}"#, "lsp"),
            (r#"{"eNv": {"e": "${!N}"}}"#, "env"),
            (r#"{"mcp": {"e": {"headers": {"A": "$\u0000{!N}"}}}}"#, "mcp"),
            (
                "{\"mcp\": {\"e\": {\"command\": \"sh\", \"args\": [\"\\ud800 AGENT_RUN_X\"], \"n\": [[[]]]}}}",
                "mcp",
            ),
        ] {
            let files = read(&[("/p/crush.json", text)]).expect(text);
            let named: Vec<_> = files.overrides[off].as_object().expect("names").keys().collect();
            assert_eq!(named, ["e"], "{text}");
            assert!(matches!(&files.warnings[..], [one] if one.text.contains("/p/crush.json")), "{text}");
        }
    }

    #[test]
    fn what_is_turned_off_is_so_in_the_spelling_that_go_reads_last() {
        let text = r#"{"l\u017fp": {"e": {"di\u017fabled": false, "env": {"A": "$AGENT_RUN_API_KEY"}}}}"#;
        let files = read(&[("/p/crush.json", text)]).expect("read");
        let off = json!({ "e": { "disabled": true, "di\u{17f}abled": true } });
        assert_eq!(Json::from(files.overrides), json!({ "lsp": off, "l\u{17f}p": off }));
    }

    #[test]
    fn every_folder_up_to_the_root_of_the_work_tree_counts() {
        let harmless = r#"{"options": {"debug": true}}"#;
        let files = read(&[
            ("/p/a/.crush.json", harmless),
            ("/p/crush.json", harmless),
            ("/crush.json", "not JSON"),
            ("/p/a/.env", "CRUSH_OPENAI_ORG_ID=x"),
        ])
        .expect("read");
        let paths: Vec<_> = files.settings.iter().map(|(path, _)| path.to_str().expect("UTF-8")).collect();
        assert_eq!(paths, ["/p/a/.crush.json", "/p/crush.json"]);
        assert!(files.warnings.is_empty() && files.variables.contains("OPENAI_ORG_ID"));
    }

    #[test]
    fn a_dotenv_is_read_as_crush_reads_it_and_counts_against_the_project_when_it_cannot_be() {
        for text in ["OPENAI_ORG_ID: x", "X=\"1\" OPENAI_ORG_ID=x", "export\tOPENAI_ORG_ID=x"] {
            let files = read(&[("/p/a/.env", text)]).expect(text);
            assert!(files.variables.contains("OPENAI_ORG_ID"), "{text:?}");
        }
        let mut inputs = Inputs::default();
        for (fact, names) in [
            (Fact::Absent, &[][..]),
            (Fact::Dir(Vec::new()), &[]),
            (Fact::Stream, &UNSEEN),
            (Fact::Unreadable(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into()), &UNSEEN),
        ] {
            inputs.facts.insert(dotenv_path(&inputs), fact.clone());
            assert_eq!(dotenv_names(&inputs), names, "{fact:?}");
        }
    }

    #[test]
    fn what_crush_runs_unasked_is_said_once_a_file() {
        let files = read(&[
            ("/p/.crushrc", "true"),
            ("/p/a/crushrc", ""),
            ("/p/crush.json", r#"{"lsp": {"a": {"env": {"X": "$(id)"}}, "b": {"command": "`id`"}}}"#),
        ])
        .expect("read");
        assert_eq!(files.warnings.len(), 2, "{:?}", files.warnings);
        assert!(files.warnings.iter().all(|text| text.help.is_some() && text.text.contains("/p/")));
    }

    #[test]
    fn every_place_with_an_expansion_that_may_run_commands_is_named() {
        for (text, place) in [
            (r#"{"mcp": {"s": {"headers": {"X-A": "a${ id; }"}}}}"#, "mcp.s"),
            (r#"{"mcp": {"s": {"args": ["${|id;}"]}}}"#, "mcp.s"),
            (r#"{"env": {"A": "\u0024{\tid; }"}}"#, "env.A"),
            (r#"{"LSP": {"l": {"command": "${A:-${ id; }}"}}}"#, "LSP.l"),
            (r#"{"hooks": {"PreToolUse": [{"matcher": "^a$|b", "command": "${ id; }"}]}}"#, "hooks"),
            (r#"{"options": {"skills_paths": ["$(id)"]}}"#, "options"),
        ] {
            let files = read(&[("/p/crush.json", text)]).expect(text);
            let said = format!("Crush expands {place} in /p/crush.json");
            assert!(matches!(&files.warnings[..], [one] if one.text.starts_with(&said)), "{text}");
        }
        for text in [
            r#"{"$schema": "s", "hooks": {"PreToolUse": [{"matcher": "^a$|b", "command": "./x"}]}}"#,
            r#"{"mcp": {"s": {"headers": {"A": "Bearer ${TOKEN:-none}", "B": "$HOME/x"}}}}"#,
            r#"{"providers": {"p": {"api_key": "$(id)"}}}"#,
        ] {
            let files = read(&[("/p/crush.json", text)]).expect(text);
            assert!(files.warnings.is_empty(), "{text}: {:?}", files.warnings);
        }
    }

    #[test]
    fn what_cannot_be_read_stops_the_launch_with_its_path() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(2000), "]".repeat(2000));
        for text in [deep.as_str(), "{,}"] {
            let error = Message::of(&read(&[("/p/crush.json", text)]).err().expect("refused")).render();
            assert!(
                error.starts_with("could not read /p/crush.json:1:") && error.contains("\nhelp: "),
                "{error}"
            );
        }
    }
}
