//! From a file, or its text, to a config without a fault.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use shims::Message;

use super::file::{for_its_owner, open};
use super::problem::{Problem, Problems, SourcePos, Step, dotted};
use super::yaml::{Tree, normalised};
use super::{Config, check, is_blank};

/// A config that was read, and what is known of its file.
pub struct Loaded {
    /// What the file says.
    pub config: Config,
    /// The file.
    pub path: PathBuf,
    warnings: Vec<Warning>,
    /// The keys that are in a file which others can read, one warning each.
    literal_keys: Vec<Warning>,
    /// What is wrong with providers that `config` lacks for it.
    refused: Vec<Problem>,
    text: String,
}

/// A message, and the provider it is about.
struct Warning {
    provider: String,
    message: Message,
}

impl Warning {
    /// The sentence of a warning, whose subject is the key.
    fn new(finding: &Problem, path: &Path) -> Self {
        let provider = match finding.steps.get(1) {
            Some(Step::Key(name)) => name.clone(),
            _ => String::new(),
        };
        let text = format!("{}: {} {}", path.display(), dotted(&finding.steps), finding.message);
        Self { provider, message: Message::new(text, finding.help.clone()) }
    }
}

impl Loaded {
    fn new(config: Config, text: String, path: &Path) -> Self {
        let warnings = check::warnings(&config).iter().map(|finding| Warning::new(finding, path)).collect();
        let path = path.to_owned();
        Self { config, path, warnings, literal_keys: Vec::new(), refused: Vec::new(), text }
    }

    /// Whether the provider, if there is one of that name, could be read.
    pub fn check(&self, provider: &str) -> Result<(), Problems> {
        let about = |problem: &&Problem| problem.steps.get(1) == Some(&provider.into());
        let list: Vec<_> = self.refused.iter().filter(about).cloned().collect();
        if list.is_empty() { Ok(()) } else { Err(Problems::new(&self.path, list, &self.text)) }
    }

    /// What is no error but should be changed. Of keys that others can read, the
    /// first: the help is the same for all.
    pub fn warnings(&self) -> impl Iterator<Item = &Message> {
        self.warnings.iter().chain(self.literal_keys.first()).map(|warning| &warning.message)
    }

    /// Those about the providers that a command names, however often; all, where it names none.
    pub fn warnings_for(&self, named: &[&str]) -> Vec<&Message> {
        match named {
            [] => self.warnings().collect(),
            named => {
                let is_named = |warning: &&Warning| named.contains(&warning.provider.as_str());
                let keys = self.literal_keys.iter().filter(is_named).take(1);
                self.warnings.iter().filter(is_named).chain(keys).map(|warning| &warning.message).collect()
            }
        }
    }

    /// The line of a key, from 1: `["providers", "deepseek", "default_model"]`; an item of a list by its number.
    ///
    /// This parses the file again, so only who shows the place should ask.
    pub fn locate(&self, key: &[&str]) -> Option<usize> {
        self.places().locate(key)
    }

    /// The key files of all providers, by name: also of those in which something is wrong.
    pub fn key_files(&self) -> Vec<(String, PathBuf)> {
        // To read thousands of providers again takes longer than the rest of a launch. Only an escape can hide the name.
        if !self.text.to_ascii_lowercase().contains("file") && !self.text.contains('\\') {
            return Vec::new();
        }
        let Ok(tree) = Tree::parse(&self.text) else { return Vec::new() };
        let mut files = Vec::new();
        for (name, _) in tree.keys(&["providers".into()]) {
            let Some(entry) = tree.at(&["providers".into(), name.as_str().into()]) else { continue };
            let keys = entry.keys(&[]).into_iter().filter(|(key, _)| normalised(key) == "key_file");
            let named = keys.filter_map(|(key, _)| entry.at(&[key.as_str().into()])?.read().0);
            files.extend(named.map(|file| (name.clone(), file)));
        }
        files
    }

    /// Where everything stands, for who asks more than once.
    pub fn places(&self) -> Places {
        Places(Tree::parse(&self.text).ok())
    }
}

/// The places of a file's keys.
pub struct Places(Option<Tree>);

impl Places {
    /// As [`Loaded::locate`].
    pub fn locate(&self, key: &[&str]) -> Option<usize> {
        let steps: Vec<Step> = key.iter().map(|&key| key.into()).collect();
        self.0.as_ref()?.locate(&steps).map(|mark| mark.line)
    }
}

/// Reads the file at `path`.
pub fn load(path: &Path) -> Result<Loaded> {
    load_by(path, parse)
}

/// Reads the file at `path` for a launch on `provider`: of the providers that one alone is decoded, and what is wrong
/// with another is left to `config check`. Where there is none of that name, as [`load_sound`].
pub fn load_for(path: &Path, provider: &str) -> Result<Loaded> {
    load_by(path, |text, path| parse_for(text, path, provider))
}

/// Reads the file at `path`, without the providers in which something is wrong. A problem outside of its providers is
/// an error.
pub fn load_sound(path: &Path) -> Result<Loaded> {
    load_by(path, parse_sound)
}

fn load_by(path: &Path, parse: impl FnOnce(String, &Path) -> Result<Loaded, Problems>) -> Result<Loaded> {
    let file = open(path)?;
    let text = file.text().map_err(|problem| Problems::new(path, vec![problem], ""))?;
    let mut loaded = parse(text.to_owned(), path)?;
    if file.others_read {
        let findings = check::literal_keys(&loaded.config, &for_its_owner(path));
        loaded.literal_keys = findings.iter().map(|finding| Warning::new(finding, path)).collect();
    }
    Ok(loaded)
}

/// The text of the file at `path`, to be changed; empty where there is none yet. A file that is no YAML is refused.
pub fn text(path: &Path) -> Result<String> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(String::new());
    }
    if path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let help = "name a file, with `--config` or in AGENT_RUN_CONFIG";
        bail!(Message::new(
            format!("could not change the config: {}: it is not a regular file", path.display()),
            help
        ));
    }
    let file = open(path)?;
    let text = file.text().map_err(|problem| Problems::new(path, vec![problem], ""))?;
    if !is_blank(text) {
        Tree::parse(text).map_err(|problem| Problems::new(path, vec![problem], text))?;
    }
    Ok(text.to_owned())
}

/// Reads `text` as the file at `path`, which is not touched.
pub fn parse(text: String, path: &Path) -> Result<Loaded, Problems> {
    let config = parse_strict(&text).map_err(|list| Problems::new(path, list, &text))?;
    Ok(Loaded::new(config, text, path))
}

/// As `load_for`, of a text.
pub fn parse_for(text: String, path: &Path, provider: &str) -> Result<Loaded, Problems> {
    let refused = |list| Problems::new(path, list, &text);
    let (tree, others) = Tree::parse_for(&text, provider).map_err(|problem| refused(vec![problem]))?;
    if tree.locate(&["providers".into(), provider.into()]).is_none() {
        return parse_sound(text, path);
    }
    match errors(&tree) {
        (Some(config), problems) if problems.is_empty() => {
            Ok(Loaded::new(Config { others, ..config }, text, path))
        }
        (_, problems) => Err(refused(problems)),
    }
}

/// As [`load_sound`], of a text.
pub(super) fn parse_sound(text: String, path: &Path) -> Result<Loaded, Problems> {
    let refused = |list| Problems::new(path, list, &text);
    let tree = Tree::parse(&text).map_err(|problem| refused(vec![problem]))?;
    let (config, problems) = errors(&tree);
    let is_of_one = |problem: &Problem| problem.steps.len() > 1 && problem.steps[0] == "providers".into();
    match config {
        Some(mut config) if problems.iter().all(is_of_one) => {
            let is_refused = |name: &str| problems.iter().any(|it| it.steps[1] == name.into());
            config.providers.retain(|name, _| !is_refused(name));
            let all = tree.keys(&["providers".into()]).into_iter().map(|(name, _)| name);
            config.refused = all.filter(|name| is_refused(name)).collect();
            Ok(Loaded { refused: problems, ..Loaded::new(config, text, path) })
        }
        _ => Err(refused(problems)),
    }
}

/// Reads `text` with a place for everything, and finds everything wrong with it.
pub(super) fn parse_strict(text: &str) -> Result<Config, Vec<Problem>> {
    let tree = Tree::parse(text).map_err(|problem| vec![problem])?;
    let (config, problems) = errors(&tree);
    config.filter(|_| problems.is_empty()).ok_or(problems)
}

/// Parses as much of the config as possible and collects errors.
fn errors(tree: &Tree) -> (Option<Config>, Vec<Problem>) {
    let (config, mut problems) = tree.read::<Config>();
    for finding in config.iter().flat_map(check::findings) {
        // What is wrong with one key of a provider may be why another seems to miss something.
        let provider = &finding.steps[..2];
        if problems.iter().all(|problem| !problem.steps.starts_with(provider)) {
            problems.push(placed(tree, finding));
        }
    }
    (config, problems)
}

fn placed(tree: &Tree, finding: Problem) -> Problem {
    Problem { mark: tree.locate(&finding.steps).unwrap_or(SourcePos::START), ..finding }
}

/// Everything there is to say of a file, in its order.
pub struct LintReport {
    /// How many providers it has, as far as it can be read.
    pub providers: usize,
    /// Why it is refused.
    pub errors: Vec<Problem>,
    /// Warnings: the key is the subject of each message.
    pub warnings: Vec<Problem>,
    /// The file's text.
    pub text: String,
}

/// Finds everything wrong with the file at `path`, and all warnings. It is an error only if the file cannot be read at
/// all.
pub fn lint(path: &Path) -> Result<LintReport> {
    let file = open(path)?;
    let text = file.text().unwrap_or_default().to_owned();
    let refused =
        |problem, text| LintReport { providers: 0, errors: vec![problem], warnings: Vec::new(), text };
    let tree = match file.text().and_then(Tree::parse) {
        Ok(tree) => tree,
        Err(problem) => return Ok(refused(problem, text)),
    };
    let (config, mut errors) = errors(&tree);
    let mut warnings: Vec<_> = config.iter().flat_map(check::warnings).collect();
    warnings.extend(config.iter().flat_map(check::hints));
    if file.others_read {
        warnings.extend(config.iter().flat_map(|config| check::literal_keys(config, &for_its_owner(path))));
    }
    let mut warnings: Vec<_> = warnings.into_iter().map(|warning| placed(&tree, warning)).collect();
    errors.sort_by_key(|problem| problem.mark);
    warnings.sort_by_key(|problem| problem.mark);
    let providers = config.map_or(0, |config| config.providers.len());
    Ok(LintReport { providers, errors, warnings, text })
}
