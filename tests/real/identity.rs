//! One launch, one identity: every agent, four at once, with other models, protocols and config files that have a
//! provider of one name, and a config that is edited between two launches. No request, key or model crosses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::{MockProvider, Sandbox, real, run};

/// How many rounds: 12 show what happens once in a while; CI has time for fewer.
const ROUNDS: &str = "AGENT_RUN_TEST_ROUNDS";

/// Each agent with the words that ask for one answer; the prompt comes last.
const AGENTS: [(&str, &[&str]); 4] =
    [("claude", &["-p"]), ("codex", &["exec"]), ("hermes", &["chat", "-Q", "-q"]), ("crush", &["run", "-q"])];

/// One of the launches at once.
struct Choice {
    /// The config file.
    config: &'static str,
    /// What the launch is given.
    words: &'static [&'static str],
    /// What must be asked for.
    model: &'static str,
    /// Whose server and key it is: 0 or 1.
    server: usize,
}

/// The two states of the config file that is edited.
const EDITED: [Choice; 2] = [
    Choice { config: "edited.yaml", words: &[], model: "m-before", server: 0 },
    Choice { config: "edited.yaml", words: &[], model: "m-after", server: 1 },
];

const CHOICES: [Choice; 3] = [
    Choice { config: "one.yaml", words: &["--model", "m-small"], model: "m-small", server: 0 },
    Choice { config: "one.yaml", words: &["--protocol"], model: "m-main", server: 0 },
    Choice { config: "two.yaml", words: &["--model", "m-small"], model: "m-small", server: 1 },
];

const KEYS: [&str; 2] = ["sk-first-0123456789-ABCDEFGHIJ", "sk-second-0123456789-KLMNOPQRST"];

/// What a launch must have asked, by the word in its prompt.
struct Expected {
    agent: &'static str,
    word: String,
    model: &'static str,
    server: usize,
    /// Of the wire, where the launch was sent.
    protocol: Option<&'static str>,
}

struct Stage {
    sandbox: Sandbox,
    servers: [MockProvider; 2],
    expected: Vec<Expected>,
}

impl Stage {
    #[track_caller]
    fn set() -> Self {
        let sandbox = Sandbox::new()
            .also_on_path(&real::folders())
            .var("HERMES_DISABLE_LAZY_INSTALLS", "1")
            .var("TIRITH_ENABLED", "false")
            .var("CRUSH_DISABLE_METRICS", "1");
        let servers = ["first", "second"].map(|name| MockProvider::start(&sandbox, name));
        run(sandbox.command("git").args(["init", "-q"])).clean();
        let stage = Self { sandbox, servers, expected: Vec::new() };
        stage.write("one.yaml", 0, "m-main");
        stage.write("two.yaml", 1, "m-main");
        stage
    }

    /// Writes a config file whose provider `p` is this server.
    fn write(&self, name: &str, server: usize, model: &str) {
        let (url, key) = (self.servers[server].url(""), KEYS[server]);
        let models: Vec<_> = ["m-main", "m-small", "m-before", "m-after"]
            .iter()
            .map(|model| format!("{{id: {model}, context_window: 200000}}"))
            .collect();
        let path = self.sandbox.path(name);
        self.sandbox.write(
            &path,
            format!(
                "providers:\n  p: {{protocols: [anthropic, openai-responses, openai-chat-completions], base_urls: \
                 {{anthropic: '{url}', openai: '{url}/v1'}}, key: '{key}', default_model: {model}, models: [{}], \
                 model_api_filters: []}}\n",
                models.join(", ")
            ),
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Starts a launch whose prompt holds a word of its own.
    fn start(
        &mut self,
        agent: (&'static str, &'static [&'static str]),
        choice: &Choice,
        word: String,
    ) -> Child {
        let (name, asks) = agent;
        let protocols = shims::by_name(name).expect("an agent").info().protocols;
        let protocol = protocols.last().filter(|_| choice.words == ["--protocol"]).map(|last| last.name());
        let mut command = self.sandbox.command("timeout");
        command.args(["-k", "5", "240", "agent-run", "launch", "p"]).args(choice.words).args(protocol);
        command.args([name, "--"]).args(asks).arg(format!("say hello to {word} and everyone"));
        command.env("AGENT_RUN_CONFIG", self.sandbox.path(choice.config));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (model, server) = (choice.model, choice.server);
        self.expected.push(Expected { agent: name, word, model, server, protocol });
        command.spawn().unwrap()
    }

    /// Asserts that each request went where its launch was sent, with that server's key.
    #[track_caller]
    fn judge(&self) {
        for (server, mock_provider) in self.servers.iter().enumerate() {
            let posts = mock_provider.posts();
            for post in &posts {
                let (text, headers) = (post["body"].to_string(), post["headers"].to_string());
                assert!(headers.contains(KEYS[server]), "another key: {}", brief(post));
                assert!(!post.to_string().contains(KEYS[1 - server]), "a key crossed: {}", brief(post));
                let asked = self.expected.iter().find(|expected| text.contains(&expected.word));
                let Some(asked) = asked else { panic!("of no launch: {}\n{text}", brief(post)) };
                let (agent, word) = (asked.agent, &asked.word);
                assert_eq!(asked.server, server, "{agent} {word}: the request crossed: {}", brief(post));
                assert_eq!(post["model"], asked.model, "{agent} {word}: {}", brief(post));
                if let Some(protocol) = asked.protocol {
                    assert_eq!(post["protocol"], protocol, "{agent} {word}: {}", brief(post));
                }
            }
            for asked in self.expected.iter().filter(|asked| asked.server == server) {
                let is_of = |post: &&Json| post["body"].to_string().contains(&asked.word);
                assert!(
                    posts.iter().any(|post| is_of(&post)),
                    "{} {} was not heard",
                    asked.agent,
                    asked.word
                );
            }
        }
    }
}

fn brief(post: &Json) -> Json {
    serde_json::json!([post["path"], post["model"], post["headers"]])
}

/// Waits until the launcher has become the agent, and so has read its config.
#[track_caller]
fn wait_for_agent(child: &Child) {
    let start = Instant::now();
    loop {
        // `timeout` is the child, and the launcher is its child.
        let below =
            Command::new("ps").args(["-o", "comm=", "--ppid", &child.id().to_string()]).output().unwrap();
        let name = String::from_utf8_lossy(&below.stdout).trim().to_owned();
        if start.elapsed() > Duration::from_millis(50) && name != "agent-run" && name != "timeout" {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{name} is still the launcher");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Crush 0.90.1 sometimes ends with 0 and prints nothing while others run on the same database. Whether its request went
/// where it should is judged all the same.
#[track_caller]
fn answers(child: Child, word: &str, may_be_silent: bool) {
    let output = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success()
            && (out.contains("PONG-FROM-MOCK") || may_be_silent && out.is_empty() && err.is_empty()),
        "{word}: {}\n{out}\n{err}",
        output.status
    );
}

/// The whole of it: `AGENT_RUN_TEST_ROUNDS=12`.
#[test]
fn launches_at_once_ask_what_each_chose() {
    let rounds = std::env::var(ROUNDS).map_or(1, |rounds| rounds.parse().expect("a number"));
    let agents: Vec<_> = AGENTS.into_iter().filter(|(name, _)| real::is_enabled(name)).collect();
    for (agent, _) in &agents {
        _ = real::sandbox(agent).expect("installed");
    }
    let mut stage = Stage::set();
    // Crush's own first start makes its database, and fails when several do so at once, as it does without a launcher.
    for agent in agents.iter().filter(|(name, _)| *name == "crush") {
        answers(stage.start(*agent, &CHOICES[0], "word-first-end".to_owned()), "first", false);
    }
    for round in 0..rounds {
        stage.write("edited.yaml", EDITED[0].server, EDITED[0].model);
        let mut children = Vec::new();
        for (index, agent) in agents.iter().enumerate() {
            let word = |launch: &str| format!("word{round}x{index}{launch}end");
            children.push((stage.start(*agent, &EDITED[0], word("before")), word("before")));
            for (at, choice) in CHOICES.iter().enumerate() {
                let word = word(["small", "wire", "two"][at]);
                children.push((stage.start(*agent, choice, word.clone()), word));
            }
        }
        for (child, _) in &children {
            wait_for_agent(child);
        }
        stage.write("edited.yaml", EDITED[1].server, EDITED[1].model);
        // While the others go on.
        for (index, agent) in agents.iter().enumerate() {
            let word = format!("word{round}x{index}afterend");
            children.push((stage.start(*agent, &EDITED[1], word.clone()), word));
        }
        for (child, word) in children {
            let is_crush = |asked: &Expected| asked.word == word && asked.agent == "crush";
            answers(child, &word, stage.expected.iter().any(is_crush));
        }
        stage.judge();
    }
    for folder in ["home", "work"] {
        for key in KEYS {
            let holding = crate::support::tree::files_holding(&stage.sandbox.path(folder), key);
            assert_eq!(holding, Vec::<std::path::PathBuf>::new(), "a key is in a file");
        }
    }
    assert!(
        Path::new(&stage.sandbox.home(".local/state/agent-run/secret")).is_file(),
        "the secret of the machine"
    );
}
