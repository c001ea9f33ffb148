//! From a file, or its text, to a config without a fault.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use super::problem::{Mark, Problem, Problems, Step};
use super::yaml::{self, Tree};
use super::{Config, check};
use crate::reading;

/// Bytes of a file beyond which it is no config.
const LARGEST: u64 = 16 << 20;

/// A config that was read, and what is known of its file.
pub struct Loaded {
    /// What the file says.
    pub config: Config,
    /// The file.
    pub path: PathBuf,
    warnings: Vec<Warning>,
    /// The keys that stand in a file which others can read, one warning each.
    literal_keys: Vec<Warning>,
    text: String,
}

/// A sentence, with a `help:` line, and the provider it is about.
struct Warning {
    provider: String,
    text: String,
}

impl Warning {
    fn new(finding: &check::Finding, path: &Path) -> Self {
        let provider = match finding.steps.get(1) {
            Some(Step::Key(name)) => name.clone(),
            _ => String::new(),
        };
        Self { provider, text: finding.sentence(path) }
    }
}

impl Loaded {
    /// What is no error but should be changed; each may end in a `help:` line. Of keys that others can read, the
    /// first: the help is the same for all.
    pub fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.iter().chain(self.literal_keys.first()).map(|warning| &warning.text)
    }

    /// Those about one provider: a launch says nothing of the others.
    pub fn warnings_about(&self, provider: &str) -> impl Iterator<Item = &String> {
        let all = self.warnings.iter().chain(&self.literal_keys);
        all.filter(move |warning| warning.provider == provider).map(|warning| &warning.text)
    }

    /// The line and column of a key, from 1: `["providers", "deepseek", "default_model"]`; an item of a list by its number.
    ///
    /// This parses the file again, so only who shows the place should ask.
    pub fn locate(&self, key: &[&str]) -> Option<(usize, usize)> {
        self.places().locate(key)
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
    pub fn locate(&self, key: &[&str]) -> Option<(usize, usize)> {
        let steps: Vec<Step> = key.iter().map(|&key| key.into()).collect();
        self.0.as_ref()?.locate(&steps).map(|mark| (mark.line, mark.column))
    }
}

/// Reads the file at `path`.
///
/// # Errors
/// When there is no such file, or it cannot be read, or [`Problems`] in it.
pub fn load(path: &Path) -> Result<Loaded> {
    let file = open(path)?;
    let text = file.text().map_err(|problem| Problems::new(path, vec![problem]))?;
    let mut loaded = parse(text.to_owned(), path)?;
    if file.others_read {
        let findings = check::literal_keys(&loaded.config, &for_its_owner(path));
        loaded.literal_keys = findings.iter().map(|finding| Warning::new(finding, path)).collect();
    }
    Ok(loaded)
}

/// The text of the file at `path`, to be changed; empty where there is none yet.
///
/// # Errors
/// When it cannot be read, or would be refused whatever it says.
pub fn text(path: &Path) -> Result<String> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(String::new());
    }
    if path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let help = "name a file, with `--config` or in AGENT_RUN_CONFIG";
        bail!("could not change the config: {}: it is not a regular file\nhelp: {help}", path.display());
    }
    let file = open(path)?;
    let text = file.text().map_err(|problem| Problems::new(path, vec![problem]))?;
    Ok(text.to_owned())
}

/// Reads `text` as the file at `path`, which is not touched.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: String, path: &Path) -> Result<Loaded, Problems> {
    let quick = yaml::quick(&text).filter(|config| check::findings(config).is_empty());
    let config = match quick {
        Some(config) => config,
        None => thorough(&text).map_err(|list| Problems::new(path, list))?,
    };
    let warnings = check::warnings(&config).iter().map(|finding| Warning::new(finding, path)).collect();
    Ok(Loaded { config, path: path.to_owned(), warnings, literal_keys: Vec::new(), text })
}

/// Reads `text` with a place for everything, and finds everything wrong with it.
pub(super) fn thorough(text: &str) -> Result<Config, Vec<Problem>> {
    let tree = Tree::parse(text).map_err(|problem| vec![problem])?;
    let (config, problems) = errors(&tree);
    config.filter(|_| problems.is_empty()).ok_or(problems)
}

/// What is left of the config in spite of all that is wrong with it.
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

fn placed(tree: &Tree, check::Finding { steps, message, help }: check::Finding) -> Problem {
    Problem { mark: tree.locate(&steps).unwrap_or(Mark::START), steps, message, help }
}

/// Everything there is to say of a file, in its order.
pub struct Report {
    /// How many providers it has, as far as it can be read.
    pub providers: usize,
    /// Why it is refused.
    pub errors: Vec<Problem>,
    /// What is no error but wants mending: the key is the subject of each message.
    pub warnings: Vec<Problem>,
}

/// Finds everything wrong with the file at `path`, and all that wants mending.
///
/// # Errors
/// When it cannot be read at all.
pub fn examine(path: &Path) -> Result<Report> {
    let file = open(path)?;
    let refused = |problem| Report { providers: 0, errors: vec![problem], warnings: Vec::new() };
    let tree = match file.text().and_then(Tree::parse) {
        Ok(tree) => tree,
        Err(problem) => return Ok(refused(problem)),
    };
    let (config, mut errors) = errors(&tree);
    let mut warnings: Vec<_> = config.iter().flat_map(check::warnings).collect();
    if file.others_read {
        warnings.extend(config.iter().flat_map(|config| check::literal_keys(config, &for_its_owner(path))));
    }
    let mut warnings: Vec<_> = warnings.into_iter().map(|warning| placed(&tree, warning)).collect();
    errors.sort_by_key(|problem| problem.mark);
    warnings.sort_by_key(|problem| problem.mark);
    Ok(Report { providers: config.map_or(0, |config| config.providers.len()), errors, warnings })
}

/// A file as it lies on the disk.
struct Opened {
    bytes: Vec<u8>,
    others_read: bool,
}

impl Opened {
    fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(&self.bytes).map_err(|error| {
            let sound = &self.bytes[..error.valid_up_to()];
            not_utf8(&String::from_utf8_lossy(sound))
        })
    }
}

fn open(path: &Path) -> Result<Opened> {
    let shown = path.display();
    let failed = |what: &str, help: &str| anyhow!("could not read the config: {shown}: {what}\nhelp: {help}");
    let io = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => {
            failed("no such file", "`agent-run config --bootstrap-config` writes an example there")
        }
        ErrorKind::PermissionDenied => {
            failed("permission denied", &format!("see who may read it: `ls -ld {}`", quoted(path)))
        }
        ErrorKind::IsADirectory => {
            failed("it is a folder", "name a file, with `--config` or in AGENT_RUN_CONFIG")
        }
        _ => failed(&error.to_string(), "see that the path leads to a file that you can read"),
    };
    let mut file = reading::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(io(ErrorKind::IsADirectory.into()));
    }
    if let Some((what, help)) = foreign(&metadata, path) {
        return Err(failed(what, &help));
    }
    let bytes = reading::stream(&mut file, &metadata, LARGEST + 1).map_err(io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(failed("it is larger than 16 MiB", "see that this is the right file"));
    }
    Ok(Opened { bytes, others_read: metadata.is_file() && metadata.mode() & 0o077 != 0 })
}

/// Why a file is not the user's word. Whoever can write it says what is run here, by `key_command` for one.
///
/// The file behind a link counts. Root may use anyone's, as containers mount a user's config; a pipe is made by
/// who passes it.
fn foreign(file: &Metadata, path: &Path) -> Option<(&'static str, String)> {
    let me = crate::user::me();
    if !file.is_file() {
        None
    } else if file.mode() & 0o002 != 0 {
        Some((
            "everyone may write it, and it says which commands are run",
            format!("chmod o-w {}", quoted(path)),
        ))
    } else if !me.is_root() && file.uid() != me.as_raw() && file.uid() != 0 && !is_unmapped_root(file) {
        let help = format!("use a copy of your own, or `chown` it: `ls -lL {}`", quoted(path));
        Some(("it belongs to another user, and it says which commands are run", help))
    } else {
        None
    }
}

/// Whether this is a user namespace that does not know root, and the file may be root's: all files of unknown owners
/// belong to one user there (`/proc/sys/kernel/overflowuid`). Nobody but its owner may be able to write it.
fn is_unmapped_root(file: &Metadata) -> bool {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let overflow = read("/proc/sys/kernel/overflowuid").trim().parse();
    // Each line: the first uid inside, the first outside, how many.
    let map = read("/proc/self/uid_map");
    let knows_root = map.lines().any(|line| line.split_whitespace().next() == Some("0"));
    overflow == Ok(file.uid()) && file.mode() & 0o022 == 0 && !map.is_empty() && !knows_root
}

fn for_its_owner(path: &Path) -> String {
    format!("chmod 600 {}", quoted(path))
}

fn not_utf8(sound: &str) -> Problem {
    let line = sound.rsplit('\n').next().unwrap_or_default();
    Problem {
        mark: Mark { line: sound.matches('\n').count() + 1, column: line.chars().count() + 1 },
        steps: Vec::new(),
        message: "the file is not UTF-8 from here on".to_owned(),
        help: "save it as UTF-8".to_owned(),
    }
}

/// The path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| format!("{text:?}"), std::borrow::Cow::into_owned)
}
