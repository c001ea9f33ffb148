//! A machine of a few files, on which agents are planned for as `agent-run` itself does.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Result;
use shims::{
    Agent, Dirs, Entry, EntryKind, Fact, Inputs, Launch, Message, Model, Origin, Plan, Protocol, Proxy,
    Sessions, Sourced, Tiers, ToolSet, Value,
};

use super::{PLANTED_KEY, holds};

/// Everything there is.
#[derive(Clone, Default)]
pub struct Machine {
    /// Files by path, with their bytes.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// The inherited environment.
    pub env: BTreeMap<OsString, OsString>,
}

impl Machine {
    /// A machine with these files; an empty text stands for no file.
    pub fn of(files: &[(&str, Option<&&[u8]>)]) -> Self {
        let there = files.iter().filter_map(|(path, bytes)| Some((path.into(), bytes.as_ref()?.to_vec())));
        Self { files: there.collect(), ..Self::default() }
    }

    /// The folders of a launch here.
    pub fn dirs() -> Dirs {
        Dirs {
            home: "/h".into(),
            cwd: "/w".into(),
            config: "/h/.config".into(),
            data: "/h/.local/share".into(),
            cache: "/h/.cache/agent-run".into(),
            state: "/h/.local/state/agent-run".into(),
        }
    }

    /// Plans as a launch does: the adapter is given what it asks for until it asks for nothing new.
    pub fn plan(&self, agent: &str, launch: &Launch) -> Result<Plan> {
        let agent = shims::by_name(agent).expect("an agent");
        let plan = Plan::of(agent, launch, &self.inputs_for(agent, launch))?;
        self.touches_only_its_own(&plan);
        Ok(plan)
    }

    fn inputs_for(&self, agent: &dyn Agent, launch: &Launch) -> Inputs {
        let mut inputs = Inputs { dirs: Self::dirs(), env: self.env.clone(), ..Inputs::default() };
        loop {
            let wanted = agent.required_files(launch, &inputs);
            let new: Vec<_> = wanted.into_iter().filter(|path| inputs.fact(path).is_none()).collect();
            if new.is_empty() {
                return inputs;
            }
            for path in new {
                let fact = self.fact(&path);
                inputs.facts.insert(path, fact);
            }
        }
    }

    fn fact(&self, path: &Path) -> Fact {
        if let Some(bytes) = self.files.get(path) {
            return Fact::File(bytes.clone());
        }
        let mut entries: BTreeMap<&OsStr, EntryKind> = BTreeMap::new();
        for below in self.files.keys().filter_map(|file| file.strip_prefix(path).ok()) {
            let mut parts = below.iter();
            let Some(name) = parts.next() else { continue };
            let kind = if parts.next().is_some() { EntryKind::Dir } else { EntryKind::File };
            entries.insert(name, kind);
        }
        if entries.is_empty() {
            return Fact::Absent;
        }
        let entry = |(name, kind): (&OsStr, EntryKind)| Entry { name: name.to_owned(), kind };
        Fact::Dir(entries.into_iter().map(entry).collect())
    }

    /// The machine as it is after the plan was carried out.
    pub fn after(&self, plan: &Plan) -> Self {
        let mut after = self.clone();
        after.files.extend(plan.files.iter().map(|(path, file)| (path.clone(), file.clone())));
        after
    }

    /// Nothing of the user's is touched, and what may be a token is in no file and on no command line.
    fn touches_only_its_own(&self, plan: &Plan) {
        let Dirs { home, cache, state, .. } = Self::dirs();
        let ours = |path: &Path| path.starts_with(&cache) || path.starts_with(&state);
        let touched = plan.dirs.iter().chain(plan.files.keys()).chain(plan.links.keys());
        for path in touched {
            assert!(ours(path), "{} is not ours", path.display());
        }
        assert!(plan.user_dirs.iter().all(|dir| dir.starts_with(&home)), "{:?}", plan.user_dirs);
        for path in plan.merges.keys() {
            // Or that of an isolated provider.
            assert!(*path == home.join(".claude.json") || ours(path), "{}", path.display());
        }
        if self.files.values().any(|bytes| holds(bytes, PLANTED_KEY)) {
            return;
        }
        for (path, file) in &plan.files {
            assert!(!holds(file, PLANTED_KEY), "a header's value is in {}", path.display());
        }
        for word in &plan.args {
            assert!(
                !holds(word.as_encoded_bytes(), PLANTED_KEY),
                "a header's value is in {}",
                word.display()
            );
        }
    }
}

/// The text of a file that the plan writes.
pub fn written<'a>(plan: &'a Plan, path: &Path) -> &'a str {
    let file = plan.files.get(path).unwrap_or_else(|| panic!("{} is not written", path.display()));
    std::str::from_utf8(file).expect("what we write is UTF-8")
}

/// What an error of a launch must be: what is wrong with which file, and what to do about it.
pub fn is_helpful(error: &anyhow::Error, path: &str) {
    let text = Message::of(error).render();
    assert!(text.contains(path), "no place: {text}");
    assert!(text.contains("\nhelp: "), "no help: {text}");
}

/// A launch of the model `m` on the provider `p`, which takes a key and a header that may be a token.
pub fn launch(protocol: Protocol, base_url: &str) -> Launch {
    let said = || Origin::Default("fuzzing".to_owned());
    let tier = || "m".to_owned();
    Launch {
        provider: "p".to_owned(),
        protocol: Sourced::new(protocol, said()),
        base_url: Sourced::new(base_url.to_owned(), said()),
        base_urls: BTreeMap::from([(protocol.family(), base_url.to_owned())]),
        model: Sourced::new(Model::named("m"), said()),
        models: vec![Model::named("m"), Model::named("n")],
        tiers: Tiers { opus: tier(), sonnet: tier(), haiku: tier(), subagent: tier() },
        long_context: std::collections::BTreeSet::new(),
        keyed: true,
        anthropic_use_api_key: false,
        headers: BTreeMap::from([("X-Token".to_owned(), Value::from(PLANTED_KEY))]),
        extra_env: BTreeMap::new(),
        key_variables: ["P_KEY".to_owned()].into(),
        keep_env: BTreeSet::new(),
        foreign_keys: std::iter::once("Q_KEY".to_owned()).collect(),
        proxy: Proxy::Inherit,
        isolated: false,
        sessions: Sessions::Shared,
        others: std::collections::BTreeMap::new(),
        codex_tools: ToolSet::Full,
        standing_args: Vec::new(),
        args: Vec::new(),
    }
}
