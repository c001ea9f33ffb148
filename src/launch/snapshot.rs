//! What an agent's adapter may know of this machine: the files it declares, read and handed over as [`Inputs`].

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use shims::{Agent, Dirs, Entry, EntryKind, FILE_END, Fact, Inputs, Launch, MachineSecret, project_texts};

use crate::env::Environment;
use crate::fs::{files, nonblocking};
use crate::launch::private::Private;
use crate::machine_secret;

/// Everything the agent's adapter asks of this machine for this launch, added to what [`without_files`] gives.
///
/// What it declares may depend on what was read, so it is asked until it asks for nothing new.
pub fn collect(agent: &dyn Agent, launch: &Launch, private: &Private<'_>, without_files: Inputs) -> Inputs {
    let mut inputs = without_files;
    if agent.info().has_runtime_home && inputs.secret == MachineSecret::default() {
        // A launch made it before. Here nothing is launched, and a plan shows a placeholder.
        inputs.secret = machine_secret::read(&inputs.dirs).ok().flatten().unwrap_or_default();
    }
    if let Some(path) = agent.generated_file(launch, &inputs) {
        let end = files::end(&path, FILE_END).map_or(Fact::Absent, Fact::File);
        inputs.facts.insert(path, end);
    }
    while read_new(&agent.required_files(launch, &inputs), &mut inputs) {}
    let starts = agent.start_folders(launch, &inputs);
    find_real(&starts, &mut inputs);
    // Only settings that a project has may be the user's own by another name.
    let is_projects = |path: &Path| {
        !path.ends_with(".git")
            && path.parent().is_some_and(|it| starts.iter().any(|start| start.starts_with(it)))
    };
    if inputs.facts.iter().any(|(path, fact)| matches!(fact, Fact::Dir(_)) && is_projects(path)) {
        let own = agent.info().home_variables.iter().filter_map(|name| inputs.var(name));
        let own: Vec<_> = own.map(|folder| inputs.dirs.cwd.join(folder)).collect();
        find_real(&own, &mut inputs);
    }
    // By now it is known which of their folders are not there.
    let mut texts = project_texts::find(agent, launch, &inputs);
    while read_new(&texts.places, &mut inputs) {
        texts = project_texts::find(agent, launch, &inputs);
    }
    for path in &texts.links {
        if inputs.fact(path).is_none() && is_stream(&nonblocking::start(path, 1)) {
            inputs.facts.insert(path.clone(), Fact::Stream);
        }
    }
    // By now the git repository is known too, by which Hermes starts elsewhere.
    let starts = agent.start_folders(launch, &inputs);
    let is_private =
        |path: &&PathBuf| !inputs.is_absent(path) && private.is_at(path, texts.is_named(path), &starts);
    inputs.private = texts.places.iter().chain(&texts.links).filter(is_private).cloned().collect();
    inputs
}

/// Reads what is not known yet of what is wanted; says whether there was any.
pub fn read_new(wanted: &[PathBuf], inputs: &mut Inputs) -> bool {
    let mut is_any = false;
    for path in wanted {
        if inputs.fact(path).is_none() {
            read(path.clone(), inputs);
            is_any = true;
        }
    }
    is_any
}

/// Everything that the adapter asks of this machine for a home without a provider.
pub fn of_providerless_home(agent: &dyn Agent, name: &str, without_files: Inputs) -> Inputs {
    let mut inputs = without_files;
    for path in agent.providerless_home_files(name, &inputs) {
        read(path, &mut inputs);
    }
    inputs
}

/// Adds what is at `path`. In a folder that is not there, nothing is looked for.
fn read(path: PathBuf, inputs: &mut Inputs) {
    let is_nowhere = path.parent().is_some_and(|folder| inputs.is_absent(folder));
    let fact = if is_nowhere { Fact::Absent } else { look(&path) };
    inputs.facts.insert(path, fact);
}

/// Adds what the folders and those above them are. The working folder comes from the system, without links in it.
fn find_real(folders: &[PathBuf], inputs: &mut Inputs) {
    for folder in folders {
        let unknown = folder.ancestors().take_while(|folder| !inputs.dirs.cwd.starts_with(folder));
        let real = unknown.filter_map(|folder| Some((folder.to_owned(), folder.canonicalize().ok()?)));
        inputs.real.extend(real.take_while(|(folder, real)| folder != real));
    }
}

/// The folders and the environment, with nothing read.
pub fn without_files(dirs: &Dirs, env: &Environment) -> Inputs {
    Inputs { dirs: dirs.clone(), env: env.all().clone(), ..Inputs::default() }
}

/// Whether that is what came of reading a pipe, a device or a socket.
fn is_stream(read: &std::io::Result<Vec<u8>>) -> bool {
    let is_socket = |error: &std::io::Error| error.raw_os_error() == Some(Errno::ENXIO as i32);
    read.as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidInput || is_socket(error))
}

fn look(path: &Path) -> Fact {
    match nonblocking::file(path) {
        read if is_stream(&read) => Fact::Stream,
        Ok(bytes) => Fact::File(bytes),
        Err(error) if error.kind() == ErrorKind::IsADirectory => list(path),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Fact::Absent,
        Err(error) => Fact::Unreadable(error.into()),
    }
}

fn list(path: &Path) -> Fact {
    let read = || -> std::io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_symlink() => EntryKind::Link(fs::read_link(entry.path())?),
                kind if kind.is_dir() => EntryKind::Dir,
                _ => EntryKind::File,
            };
            entries.push(Entry { name: entry.file_name(), kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    };
    read().map_or_else(|error| Fact::Unreadable(error.into()), Fact::Dir)
}
