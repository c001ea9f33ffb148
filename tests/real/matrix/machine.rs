//! The machine of a case: a home, the chosen provider, the sink, what is planted, and what is asked of it all.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::{HIJACK, KEY, STRAY, needles};
use crate::support::net::{self, Seen, Sink, Way};
use crate::support::tree::{Tree, files_holding};
use crate::support::{MockProvider, Ran, Sandbox, real, run};

/// An agent as the matrix knows it.
pub struct Subject {
    /// Its name.
    pub agent: &'static str,
    /// What it speaks.
    pub protocol: &'static str,
    /// The words that ask for one answer.
    pub words: &'static [&'static str],
    /// Variables that every launch has.
    pub vars: &'static [(&'static str, &'static str)],
    /// Files of the user's, below the home, that the agent itself goes on writing.
    pub its_own: &'static [&'static str],
}

/// One machine.
pub struct Machine {
    pub sandbox: Sandbox,
    pub sink: Sink,
    pub chosen: MockProvider,
    subject: &'static Subject,
    provider: &'static str,
    vars: Vec<(String, String)>,
    planted: Vec<(PathBuf, Vec<u8>)>,
    models: Vec<&'static str>,
    before: Option<Tree>,
    answers: usize,
    refusals: usize,
    allowed: Vec<&'static str>,
}

impl Machine {
    /// An empty home with three providers: `m`, the chosen one, on loopback; `far`, the same behind a name;
    /// and one that is not chosen, with a key of its own.
    #[track_caller]
    pub fn set(subject: &'static Subject) -> Self {
        Self::scripted(subject, "[]")
    }

    #[track_caller]
    fn scripted(subject: &'static Subject, script: &str) -> Self {
        let sandbox = real::sandbox(subject.agent).expect("looked for before");
        let sandbox = sandbox.var("CHOSEN_KEY", KEY).var("UNCHOSEN_KEY", STRAY);
        let sandbox = subject.vars.iter().fold(sandbox, |sandbox, (name, value)| sandbox.var(name, *value));
        let sink = Sink::open(&sandbox);
        let chosen = MockProvider::scripted(&sandbox, "chosen", script);
        sink.lead_far_to(&chosen.address);
        run(sandbox.command("git").args(["init", "-q"])).clean();
        let machine = Self {
            sandbox,
            sink,
            chosen,
            subject,
            provider: "m",
            vars: Vec::new(),
            planted: Vec::new(),
            models: vec!["m-main"],
            before: None,
            answers: 0,
            refusals: 0,
            allowed: shims::by_name(subject.agent).expect("an agent").info().own_hosts.to_vec(),
        };
        machine.configure("key_env: CHOSEN_KEY");
        machine
    }

    /// Writes the config, with this source of the chosen provider's key.
    pub fn configure(&self, key: &str) {
        let provider = |name: &str, url: &str, key: &str, more: &str| {
            format!(
                "  {name}: {{protocols: [{}], base_urls: {{anthropic: '{url}', openai: '{url}/v1'}}, {key}, \
                 default_model: m-main, models: [{{id: m-main, context_window: 128000}}], \
                 model_api_filters: []{more}}}\n",
                self.subject.protocol
            )
        };
        self.sandbox.config(&format!(
            "providers:\n{}{}{}",
            provider("m", &self.chosen.url(""), key, ""),
            provider("far", net::FAR, key, ", proxy: none"),
            provider("unchosen", HIJACK, "key_env: UNCHOSEN_KEY", ""),
        ));
    }

    /// Goes on with the provider that is not on loopback, and is to be reached without a proxy.
    pub fn far(&mut self) {
        self.provider = "far";
        self.allowed.push("chosen.example");
    }

    /// Sets the script of the chosen provider; before the first launch.
    pub fn script(&mut self, script: &str) {
        self.chosen = MockProvider::scripted(&self.sandbox, "scripted", script);
        self.sink.clear();
        self.configure("key_env: CHOSEN_KEY");
    }

    /// Sets an inherited variable.
    pub fn var(&mut self, name: &str, value: impl Into<String>) {
        self.vars.push((name.to_owned(), value.into()));
    }

    /// Sets these variables.
    pub fn vars(&mut self, vars: impl IntoIterator<Item = (String, String)>) {
        self.vars.extend(vars);
    }

    /// Writes a file below the home.
    pub fn home(&mut self, name: &str, text: impl AsRef<[u8]>) {
        self.plant(self.sandbox.home(name), text);
    }

    /// Writes a file of the project.
    pub fn project(&mut self, name: &str, text: impl AsRef<[u8]>) {
        self.plant(self.sandbox.path("work").join(name), text);
    }

    fn plant(&mut self, path: PathBuf, text: impl AsRef<[u8]>) {
        self.sandbox.write(&path, &text);
        self.planted.push((path, text.as_ref().to_vec()));
    }

    /// What the agent asks for by itself may be asked of the user's proxy; the provider never is.
    pub fn allows_the_proxy(&mut self) {
        self.allowed.push("proxy.example");
    }

    /// This host may be asked for, as the user said so.
    pub fn allows(&mut self, host: &'static str) {
        self.allowed.push(host);
    }

    /// All that a host was sent.
    pub fn received(&self, host: &str) -> String {
        self.sink.seen().iter().filter(|seen| seen.host == host).map(|seen| seen.sent.as_str()).collect()
    }

    /// What these agents, which are launched besides, ask for by themselves.
    pub fn allows_the_hosts_of(&mut self, agents: &[&str]) {
        for agent in agents {
            self.allowed.extend(shims::by_name(agent).expect("an agent").info().own_hosts);
        }
    }

    /// A PATH with all the agents there are.
    pub fn path_of_all_agents(&self) -> String {
        let mut path = vec![shown(&self.sandbox.path("bin"))];
        path.extend(real::folders().iter().map(|folder| shown(folder)));
        path.push(crate::support::system_path().to_owned());
        path.join(":")
    }

    /// Adds a provider that is not the chosen one, with the protocols of all agents and a stray key.
    pub fn add_provider(&self, name: &str, url: &str) {
        let config = self.sandbox.home(".config/agent-run/config.yaml");
        let mut text = std::fs::read_to_string(config).unwrap();
        // The last one of the name counts, as the one before is gone with its machine.
        text.truncate(text.find(&format!("  {name}: ")).unwrap_or(text.len()));
        self.sandbox.config(&format!(
            "{text}  {name}: {{protocols: [anthropic, openai-responses, openai-chat-completions], base_urls: \
             {{anthropic: '{url}', openai: '{url}/v1'}}, key_env: OUTER_KEY, default_model: m-outer, models: \
             [{{id: m-outer, context_window: 128000}}], model_api_filters: []}}\n"
        ));
    }

    /// A launch with these words of the agent's.
    pub fn launch(&mut self, words: &[&str]) -> Ran {
        self.before.get_or_insert_with(|| Tree::of(&self.sandbox.path("")));
        run(&mut self.command(words))
    }

    /// The command of a launch, which ends with the case even if it hangs.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.sandbox.command("timeout");
        command.args(["-k", "5", "240", "agent-run", "launch", self.provider, self.subject.agent, "--"]);
        command.args(words).envs(self.vars.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Launches, and asserts that the chosen provider's answer came.
    #[track_caller]
    pub fn asks(&mut self, words: &[&str]) -> Ran {
        let heard = self.chosen.posts().len();
        let mut ran = self.launch(words);
        // On a busy machine Crush may print nothing although it was answered (seen in 0.90.1).
        if self.subject.agent == "crush" && ran.code == 0 && ran.stdout == "\n" {
            ran = self.launch(words);
        }
        assert!(
            ran.code == 0 && ran.stdout.contains("PONG-FROM-MOCK"),
            "{words:?}: no answer\n{ran:?}\n{:#?}\n{:#?}",
            self.sink.seen(),
            self.chosen.requests().iter().map(brief).collect::<Vec<_>>()
        );
        assert!(self.chosen.posts().len() > heard, "{words:?}: an answer that the provider never gave");
        self.answers += 1;
        ran
    }

    /// Launches, and asserts that it was refused before the agent ran, saying so.
    #[track_caller]
    pub fn is_refused(&mut self, words: &[&str], said: &[&str]) {
        let heard = self.chosen.requests().len();
        let ran = self.launch(words).exits(125);
        ran.complains(said).complains(&["\nhelp: "]);
        assert_eq!(self.chosen.requests().len(), heard, "the agent ran");
        self.refusals += 1;
    }

    /// Counts a launch that was not to be answered: another mode than a prompt.
    pub fn counts(&mut self) {
        self.refusals += 1;
    }

    /// How many launches there were.
    pub fn launches(&self) -> usize {
        self.answers + self.refusals
    }

    /// Asserts that the chosen provider alone saw requests, with its key and a model of its own; that
    /// nobody else was asked for but whom the agent asks for at any start; that no stray key reached
    /// anyone; that the key is in no file; and that the user's files are as they were.
    #[track_caller]
    pub fn judge(&mut self) {
        let posts = self.chosen.posts();
        assert!(posts.len() >= self.answers, "{} prompts for {} answers", posts.len(), self.answers);
        for post in &posts {
            let model = post["model"].as_str().unwrap_or_default();
            assert!(self.models.contains(&model), "model {model}: {:#}", brief(post));
            assert_eq!(post["headers"]["authorization"], format!("Bearer {KEY}"), "{:#}", brief(post));
        }
        for request in self.chosen.requests() {
            let headers = &request["headers"];
            let bearer = headers["authorization"].as_str().unwrap_or_default();
            assert!(bearer.is_empty() || bearer == format!("Bearer {KEY}"), "{:#}", brief(&request));
            assert!(headers["x-api-key"].is_null() || headers["x-api-key"] == KEY, "{:#}", brief(&request));
            assert!(!request.to_string().contains(STRAY), "a stray key: {:#}", brief(&request));
            assert!(!request.to_string().contains("x-planted"), "a stray header: {:#}", brief(&request));
        }
        let seen = self.sink.seen();
        let allowed = &self.allowed;
        for attempt in &seen {
            assert!(allowed.contains(&&*attempt.host), "{attempt:?}, of all\n{seen:#?}");
            // Looking the proxy up is what it may be named for, and no request to it itself.
            assert!(attempt.host != "proxy.example" || attempt.way == Way::Name, "{attempt:?}");
            let held = needles::found(attempt.sent.as_bytes());
            assert!(held.is_none() && !attempt.sent.contains(STRAY), "a key: {attempt:?}");
        }
        assert_eq!(net::unheard(), 0, "{}, besides\n{seen:#?}", net::UNHEARD);
        self.files_are_sound();
        self.tell(&seen);
    }

    #[track_caller]
    fn files_are_sound(&self) {
        for (path, text) in &self.planted {
            if self.subject.its_own.iter().any(|own| path.ends_with(own)) {
                continue;
            }
            let is = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(String::from_utf8_lossy(&is), String::from_utf8_lossy(text), "{}", path.display());
        }
        for place in ["home", "tmp", "work"] {
            let holding = files_holding(&self.sandbox.path(place), KEY);
            assert_eq!(holding, Vec::<PathBuf>::new(), "the key is in a file");
        }
    }

    /// One line for a table: agent, case, launches, requests of the provider, of others, and who they are.
    #[allow(clippy::print_stdout, reason = "shown with --nocapture")]
    fn tell(&self, seen: &[Seen]) {
        let mut names: Vec<_> = seen.iter().filter(|seen| seen.host != "chosen.example").collect();
        let requests =
            names.iter().filter(|seen| matches!(seen.way, Way::Http | Way::Https | Way::Proxy)).count();
        let tls = names.iter().filter(|seen| seen.way == Way::Tls).count();
        names.sort_by(|a, b| a.host.cmp(&b.host));
        names.dedup_by(|a, b| a.host == b.host);
        let names: Vec<_> = names.iter().map(|seen| seen.host.as_str()).collect();
        let case = std::thread::current().name().unwrap_or_default().to_owned();
        println!(
            "matrix\t{}\t{case}\t{}+{}\t{}\t{}\t{requests}\t{tls}\t{}",
            self.subject.agent,
            self.answers,
            self.refusals,
            self.chosen.posts().len(),
            self.chosen.requests().len(),
            names.join(" ")
        );
    }
}

/// A request without its body, which is long.
fn brief(request: &Json) -> Json {
    serde_json::json!([
        request["method"],
        request["path"],
        request["status"],
        request["model"],
        request["headers"]
    ])
}

/// A path as text.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
