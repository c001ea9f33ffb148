//! Plans for machines that do not exist.

mod defaults;
mod documents;
mod families;
mod hidden_agents;
mod literals;
mod models;
mod onboarding;
mod own_settings;
mod paths;
mod picker;
mod plugins;
mod readers;
mod settings_override;
mod trust;
mod windows;

use std::path::Path;

use super::*;
use crate::{Dirs, Edit, Fact, Model, Note, Origin, Sourced, Tiers};

fn launch() -> Launch {
    let mut launch =
        Launch::sample("acme", Protocol::Anthropic, "https://api.acme.example/anthropic", "m-main");
    launch.model.value.context_window = Some(200_000);
    launch
}

/// A machine with these variables and files; `~` is its home, everything else is absent.
struct Machine(Inputs);

impl Machine {
    fn onboarded() -> Self {
        Self::bare().file("/home/u/.claude.json", r#"{"hasCompletedOnboarding": true}"#)
    }

    fn bare() -> Self {
        let dirs = Dirs { home: "/home/u".into(), cwd: "/work".into(), ..Dirs::default() };
        Self(Inputs { dirs, ..Inputs::default() })
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.0.env.insert(name.into(), value.into());
        self
    }

    fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.fact(path, Fact::File(text.as_ref().into()))
    }

    fn fact(mut self, path: &str, fact: Fact) -> Self {
        self.0.facts.insert(path.into(), fact);
        self.list(Path::new(path));
        self
    }

    /// Has a `.claude` folder, or that of administrators, list what is in it.
    fn list(&mut self, path: &Path) {
        let mut above = path.ancestors().zip(path.ancestors().skip(1));
        let is_listed =
            |folder: &Path| folder.ends_with(".claude") || folder == super::paths::policy_folder();
        let Some((inner, folder)) = above.find(|(_, folder)| is_listed(folder)) else { return };
        let name = inner.file_name().expect("a name").to_owned();
        let listed = self.0.facts.entry(folder.into()).or_insert(Fact::Dir(Vec::new()));
        if let Fact::Dir(entries) = listed {
            entries.push(crate::Entry { name, kind: crate::EntryKind::Dir });
        }
    }

    fn plan(self, launch: &Launch) -> Result<Plan> {
        let Self(mut inputs) = self;
        // Often enough for the longest chain of questions.
        for _ in 0..5 {
            for path in Claude.required_files(launch, &inputs) {
                inputs.facts.entry(path).or_insert(Fact::Absent);
            }
        }
        Plan::of(&Claude, launch, &inputs)
    }
}

fn plan(machine: Machine) -> Plan {
    machine.plan(&launch()).expect("a plan")
}

fn set(plan: &Plan, name: &str) -> Option<String> {
    plan.env.get(OsStr::new(name))?.as_ref().map(ToString::to_string)
}

fn is_unset(plan: &Plan, name: &str) -> bool {
    plan.env.get(OsStr::new(name)) == Some(&None)
}

fn warnings(plan: &Plan) -> Vec<&str> {
    plan.notes
        .iter()
        .filter_map(|note| match note {
            Note::Warning(text) => Some(text.render().leak() as &str),
            Note::Info(_) => None,
        })
        .collect()
}

/// What a launch says by `--settings` where nothing else is to be said; the tests of it are in `defaults`.
const DEFAULTS: &str = concat!(
    r#"{"env":{"ANTHROPIC_BETAS":"","ANTHROPIC_LOG":"","ANTHROPIC_CUSTOM_HEADERS":"","#,
    r#""CLAUDE_CODE_EXTRA_BODY":"","CLAUDE_CODE_SUBAGENT_MODEL_FORCE":"1"},"availableModels":["m-main"],"permissions":{"disableAutoMode":"disable"},"skipWebFetchPreflight":true,"#,
    r#""crossSessionInbound":"refuse"}"#
);

/// The arguments, without those defaults where they stand alone.
fn args(plan: &Plan) -> Vec<&str> {
    let mut args: Vec<_> = plan.args.iter().filter_map(|arg| arg.to_str()).collect();
    if let Some(at) = args.iter().position(|arg| *arg == DEFAULTS) {
        args.drain(at - 1..=at);
    }
    args
}

#[test]
fn a_plain_launch_sets_one_credential_and_every_tier_and_nothing_on_disk() {
    let plan = plan(Machine::onboarded().var("ANTHROPIC_API_KEY", "theirs"));
    for (name, value) in [
        ("ANTHROPIC_BASE_URL", "https://api.acme.example/anthropic"),
        ("ANTHROPIC_AUTH_TOKEN", "<key>"),
        ("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1"),
        ("ANTHROPIC_MODEL", "m-main"),
        ("ANTHROPIC_DEFAULT_FABLE_MODEL", "m-main"),
        ("ANTHROPIC_DEFAULT_OPUS_MODEL", "m-main"),
        ("ANTHROPIC_DEFAULT_SONNET_MODEL", "m-main"),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", "m-main"),
        ("CLAUDE_CODE_SUBAGENT_MODEL", "m-main"),
        ("CLAUDE_CODE_DISABLE_AGENT_VIEW", "1"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1"),
        ("ENABLE_CLAUDEAI_MCP_SERVERS", "false"),
    ] {
        assert_eq!(set(&plan, name).as_deref(), Some(value), "{name}");
    }
    assert!(is_unset(&plan, "ANTHROPIC_API_KEY"));
    assert!(plan.merges.is_empty() && plan.files.is_empty() && plan.dirs.is_empty(), "{plan:?}");
    assert!(args(&plan).is_empty() && plan.notes.is_empty(), "{plan:?}");
    assert_eq!(set(&plan, "CLAUDE_CODE_ATTRIBUTION_HEADER"), None, "not local");
}

#[test]
fn the_whole_family_is_unset() {
    let inherited = [
        "ANTHROPIC_UNIX_SOCKET",
        "ANTHROPIC_SOMETHING_NEW",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_SKIP_VERTEX_AUTH",
        "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_HOST_AUTH_ENV_VAR",
        "CLAUDE_CODE_REMOTE_SESSION_ID",
        "CLAUDECODE",
        "AI_AGENT",
    ];
    let machine = inherited.iter().fold(Machine::onboarded(), |machine, name| machine.var(name, "1"));
    let plan = plan(machine.var("CLAUDE_CODE_MINE", "1").var("CLAUDE_CONFIG_DIR", ""));
    for name in inherited {
        assert!(is_unset(&plan, name), "{name}");
    }
    assert!(!plan.env.contains_key(OsStr::new("CLAUDE_CODE_MINE")));
    assert!(is_unset(&plan, "CLAUDE_CONFIG_DIR"), "set but empty");
}

#[test]
fn a_keyless_provider_gets_a_placeholder() {
    let launch = Launch { keyed: false, anthropic_use_api_key: true, ..launch() };
    let plan = Machine::onboarded().plan(&launch).expect("a plan");
    assert_eq!(set(&plan, "ANTHROPIC_AUTH_TOKEN").as_deref(), Some("agent-run"));
    assert!(is_unset(&plan, "ANTHROPIC_API_KEY"));
}

#[test]
fn an_api_key_is_the_only_credential_and_approved() {
    let launch = Launch { anthropic_use_api_key: true, ..launch() };
    let plan = Machine::onboarded().plan(&launch).expect("a plan");
    assert_eq!(set(&plan, "ANTHROPIC_API_KEY").as_deref(), Some("<key>"));
    assert!(is_unset(&plan, "ANTHROPIC_AUTH_TOKEN"));
    let merge = &plan.merges[Path::new("/home/u/.claude.json")];
    assert_eq!(merge.edits, [Edit::AddKeyTail(&["customApiKeyResponses", "approved"], 20)]);
}

#[test]
fn base_urls_lose_what_claude_appends() {
    for (url, base) in [
        ("http://h:1", "http://h:1"),
        ("http://h:1/", "http://h:1"),
        ("http://h:1/v1", "http://h:1"),
        ("http://h:1/v1/", "http://h:1"),
        ("http://h:1/anthropic/", "http://h:1/anthropic"),
        ("http://h:1/v1/messages", "http://h:1"),
        ("http://h:1/anthropic/v1/messages/", "http://h:1/anthropic"),
    ] {
        assert_eq!(base_url(url), base, "{url}");
    }
}

#[test]
fn tiers_are_the_configs_and_inherit_frees_subagents() {
    let tiers = Tiers { opus: "o".into(), sonnet: "s".into(), haiku: "h".into(), subagent: "inherit".into() };
    let plan = Machine::onboarded().plan(&Launch { tiers, ..launch() }).expect("a plan");
    assert_eq!(set(&plan, "ANTHROPIC_DEFAULT_OPUS_MODEL").as_deref(), Some("o"));
    assert_eq!(set(&plan, "ANTHROPIC_DEFAULT_SONNET_MODEL").as_deref(), Some("s"));
    assert_eq!(set(&plan, "ANTHROPIC_DEFAULT_HAIKU_MODEL").as_deref(), Some("h"));
    assert!(is_unset(&plan, "CLAUDE_CODE_SUBAGENT_MODEL"));
}

#[test]
fn limits_are_set_when_known_and_sane() {
    let with = |window, output| {
        let model = Model { context_window: window, max_output_tokens: output, ..Model::named("m") };
        let model = Sourced::new(model, Origin::Default("a test".to_owned()));
        Machine::onboarded().plan(&Launch { model, ..launch() }).expect("a plan")
    };
    let known = with(Some(131_072), Some(16_384));
    assert_eq!(set(&known, "CLAUDE_CODE_MAX_CONTEXT_TOKENS").as_deref(), Some("131072"));
    assert_eq!(set(&known, "CLAUDE_CODE_AUTO_COMPACT_WINDOW").as_deref(), Some("131072"));
    assert_eq!(set(&known, "CLAUDE_CODE_MAX_OUTPUT_TOKENS").as_deref(), Some("16384"));
    let odd = with(Some(0), Some(0));
    assert_eq!(set(&odd, "CLAUDE_CODE_MAX_CONTEXT_TOKENS").as_deref(), Some("200000"), "nothing is known");
    assert!(is_unset(&odd, "CLAUDE_CODE_MAX_OUTPUT_TOKENS"));
    // No larger than what is assumed where nothing is known, and not so small that nothing is sent.
    let small = with(Some(4096), None);
    assert_eq!(set(&small, "CLAUDE_CODE_MAX_CONTEXT_TOKENS").as_deref(), Some("32000"));
    assert_eq!(set(&small, "CLAUDE_CODE_AUTO_COMPACT_WINDOW").as_deref(), Some("100000"));
    assert!(warnings(&small)[0].contains("m has a window of 4096 tokens, too small"), "{:?}", small.notes);
}

#[test]
fn headers_are_lines_and_local_servers_keep_their_cache() {
    let mut launch = launch();
    launch.base_url.value = "http://127.0.0.1:11434".to_owned();
    launch.headers.insert("X-A".to_owned(), Value::key());
    launch.headers.insert("X-B".to_owned(), "b".into());
    let plan = Machine::onboarded().plan(&launch).expect("a plan");
    assert_eq!(set(&plan, "ANTHROPIC_CUSTOM_HEADERS").as_deref(), Some("X-A: <key>\nX-B: b"));
    assert_eq!(set(&plan, "CLAUDE_CODE_ATTRIBUTION_HEADER").as_deref(), Some("0"));
}
