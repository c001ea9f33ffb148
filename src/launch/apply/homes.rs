//! Which runtime homes are in use, and the removal of those that nobody used for a month.
//!
//! A home whose name holds what a launch chose is made for each choice, so that they would pile up. In each lies a
//! file that a launch locks, shared, and hands to the agent: whatever the agent starts holds the lock too, and the
//! system gives it up when the last of them ends. A home whose lock somebody holds is never removed. What is the
//! user's lies in the state folder; the cache holds what can be made again, and links.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use shims::{Agent, Plan};

use crate::fs::{Folders, files, io_error, lock, waiting};

const IN_USE: &str = ".agent-run.in-use";

/// After this long without a launch a home goes.
const UNUSED: Duration = Duration::from_secs(30 * DAY.as_secs());

/// What a home is called while it is removed. One whose removal was cut short is left: nothing of it is used again.
const GONE: &str = ".removed-";

/// Files that launches write into homes.
const MADE: [&str; 10] = [
    IN_USE,
    ".agent-run.json",
    ".skills_prompt_snapshot.json",
    ".update_check",
    "agent-run-models.json",
    "agent-run-settings.json",
    "config.toml",
    "config.yaml",
    "crush.json",
    "crushrc",
];

/// A file that launches write into this folder of a home. Elsewhere it may hold keys that the user gave to the agent.
const DOTENV: (&str, &str) = ("managed", ".env");

/// A folder of Hermes whose entries are each a home of the user's, be there only settings in it.
const PROFILES: &str = "profiles";

/// What agents' caches, logs and locks end in.
const MADE_ENDS: [&str; 4] = [".lock", ".log", "_cache.json", "_cache.yaml"];

/// Folders of an agent's own that hold caches and logs alone.
const CACHES: [&str; 3] = ["cache", "logs", "runtime"];

/// How deep launches make folders in a home.
const DEEPEST: usize = 6;

/// How often a launch tries to mark a home that another is just removing, five milliseconds apart.
const TRIES: usize = 200;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The locks on the homes of one launch.
#[derive(Default)]
pub struct InUse(Vec<File>);

impl InUse {
    /// Has the agent inherit the locks. To be called right before it is started, so that no other process does.
    pub fn hand_over(&self) {
        for file in &self.0 {
            // Without it the home only counts as used by this launch.
            _ = fcntl(file, FcntlArg::F_SETFD(FdFlag::empty()));
        }
    }
}

/// The lock on a runtime home.
pub type HomeLock = File;

/// Takes the exclusive lock on the runtime homes of one agent and provider, or of one agent where all providers
/// share a home; none for an agent that needs no home. Where the file system has no locks, goes on without.
///
/// std opens files close-on-exec, so becoming the agent releases the lock, as does any end of this
/// process. It lies beside the homes, not in them, because a home's path may depend on what is read
/// under the lock.
pub fn lock(agent: &dyn Agent, provider: &str, folders: &mut Folders<'_>) -> Result<Option<HomeLock>> {
    if !agent.info().has_runtime_home {
        return Ok(None);
    }
    let folder = folders.dirs().cache.join(agent.name());
    folders.private(&folder)?;
    // A provider of that name is served by the same lock, which does no harm.
    let whose = if agent.info().shares_home { "all" } else { provider };
    let path = folder.join(format!(".{whose}.lock"));
    let file = lock::open(&path)?;
    waiting::lock(&file, &path).map_err(|error| match error.kind() {
        ErrorKind::TimedOut => anyhow!(error),
        _ => io_error("lock", &path)(error),
    })?;
    Ok(Some(file))
}

/// Marks the plan's homes in the cache as used from now on, and removes old ones beside a new one.
///
/// It must come before the home is filled, since until then another launch may remove it. A home that cannot be
/// marked is used all the same.
pub fn hold(plan: &Plan, agent: &dyn Agent, folders: &mut Folders<'_>) -> InUse {
    let above = folders.dirs().cache.join(agent.name());
    let mut homes: Vec<PathBuf> = Vec::new();
    for path in plan.dirs.iter().chain(plan.files.keys()) {
        let name = path.strip_prefix(&above).ok().and_then(|below| below.components().next());
        let home = name.map(|name| above.join(name));
        if let Some(home) =
            home.filter(|home| !homes.contains(home) && (home != path || plan.dirs.contains(home)))
        {
            homes.push(home);
        }
    }
    let mut held = InUse::default();
    let mut is_new = false;
    for home in &homes {
        is_new |= fs::symlink_metadata(home).is_err();
        held.0.extend(mark(home, folders));
    }
    if is_new {
        remove_unused(&above, &homes, SystemTime::now());
    }
    held
}

fn mark(home: &Path, folders: &mut Folders<'_>) -> Option<File> {
    let path = home.join(IN_USE);
    folders.private(home).ok()?;
    // Again where the home is being removed, or was between opening and locking.
    for attempt in 0..TRIES {
        if attempt > 0
            && let Err(error) = fs::DirBuilder::new().mode(0o700).create(home)
            && error.kind() != ErrorKind::AlreadyExists
        {
            return None;
        }
        let file = lock::open(&path).ok()?;
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            Err(TryLockError::Error(_)) => return None,
        }
        let stands = fs::symlink_metadata(&path).ok().map(|there| (there.dev(), there.ino()));
        let ours = file.metadata().ok()?;
        if stands == Some((ours.dev(), ours.ino())) {
            let now = SystemTime::now();
            let used = ours.modified();
            // To the day is enough, and most launches write nothing.
            if !used.is_ok_and(|used| now.duration_since(used).is_ok_and(|age| age < DAY)) {
                _ = file.set_modified(now);
            }
            return Some(file);
        }
        folders.forget(home);
    }
    None
}

fn remove_unused(above: &Path, used: &[PathBuf], now: SystemTime) {
    let Ok(entries) = fs::read_dir(above) else { return };
    for entry in entries.flatten() {
        let home = entry.path();
        // Links are none of agent-run's, and names with a dot are locks.
        let is_home = entry.file_type().is_ok_and(|kind| kind.is_dir())
            && !entry.file_name().as_encoded_bytes().starts_with(b".");
        if is_home && !used.contains(&home) {
            remove(&home, now);
        }
    }
}

/// Removes a home that a launch of this version marked, that nobody uses, and in which nothing would be lost. One of
/// an older version has no mark, and may hold the only copy of what is the user's.
fn remove(home: &Path, now: SystemTime) {
    let path = home.join(IN_USE);
    if !fs::symlink_metadata(&path).is_ok_and(|there| there.is_file()) {
        return;
    }
    let Ok(file) = lock::open(&path) else { return };
    let is_free = file.try_lock().is_ok();
    let used = file.metadata().and_then(|there| there.modified());
    let is_old = used.is_ok_and(|used| now.duration_since(used).is_ok_and(|age| age > UNUSED));
    if !is_free || !is_old || !can_be_made_again(home, 0) {
        return;
    }
    // Renamed first: a launch that waits for this lock then finds that its home is gone, and makes another.
    let gone = home.with_file_name(format!("{GONE}{}", file_name(home)));
    let removed = fs::rename(home, &gone).and_then(|()| fs::remove_dir_all(&gone));
    if let Err(error) = removed {
        log::debug!("could not remove {}: {error}", home.display());
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a file is a copy of a dotenv file that a launch wrote, and still holds what it wrote.
pub fn is_unchanged_copy(path: &Path) -> bool {
    file_name(path).starts_with(shims::COPY)
        && files::read(path).is_ok_and(|bytes| shims::is_unchanged_copy(path, &bytes))
}

/// Whether everything below a folder is a link, a file that launches write, or an agent's cache or log. A file of
/// any other name may be the user's: an agent of a later version may keep something new there.
fn can_be_made_again(folder: &Path, depth: usize) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.into_iter().all(|entry| {
        let Ok((entry, kind)) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind))) else {
            return false;
        };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_symlink() {
            true
        } else if kind.is_dir() && name == PROFILES {
            fs::read_dir(entry.path()).is_ok_and(|mut entries| entries.next().is_none())
        } else if kind.is_dir() {
            CACHES.contains(&&*name) || (depth < DEEPEST && can_be_made_again(&entry.path(), depth + 1))
        } else {
            MADE.contains(&&*name)
                || (&*file_name(folder), &*name) == DOTENV
                || is_unchanged_copy(&entry.path())
                || MADE_ENDS.iter().any(|end| name.ends_with(end))
        }
    })
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::fs::made_up_dirs;
    use crate::fs::private_dir;

    fn later(days: u64) -> SystemTime {
        SystemTime::now() + Duration::from_secs(days * 24 * 60 * 60)
    }

    #[test]
    fn only_homes_that_nobody_uses_and_used_for_a_month_go() {
        for agent in shims::coding_agents() {
            let (root, dirs) = made_up_dirs();
            let above = dirs.cache.join(agent.name());
            let plan = |home: &str| {
                let mut plan = Plan::default();
                plan.write(above.join(home).join("config/crush.json"), "{}");
                plan.dirs.insert(above.join(home));
                plan
            };
            let old_layout = above.join("p");
            private_dir::private_dir(&old_layout, &dirs).expect("created");
            fs::write(above.join(".p.lock"), "").expect("written");
            std::os::unix::fs::symlink(root.path(), above.join("link")).expect("linked");
            let held = hold(&plan("p-00000000000000aa"), agent, &mut Folders::of(&dirs));
            assert_eq!(held.0.len(), 1);
            drop(hold(&plan("p-00000000000000bb"), agent, &mut Folders::of(&dirs)));

            let names = || {
                let entries = fs::read_dir(&above).expect("a folder").flatten();
                let mut names: Vec<_> =
                    entries.map(|it| it.file_name().into_string().expect("UTF-8")).collect();
                names.sort();
                names
            };
            let all = [".p.lock", "link", "p", "p-00000000000000aa", "p-00000000000000bb"];
            remove_unused(&above, &[], later(29));
            assert_eq!(names(), all);
            remove_unused(&above, &[above.join("p-00000000000000bb")], later(31));
            assert_eq!(names(), all, "one of an older version may hold what is the user's");
            let home = above.join("p-00000000000000bb");
            fs::create_dir_all(home.join("managed")).expect("created");
            fs::create_dir_all(home.join("profiles")).expect("created");
            fs::write(home.join("managed/.env"), "the launch's").expect("written");
            let copy = format!("managed/{}", shims::copy_name(b"A=1", ".env"));
            fs::write(home.join(&copy), "A=1").expect("written");
            for kept in ["state.db", ".env", "managed/copy-000000000000.env", "profiles/pp"] {
                let kept = home.join(kept);
                if kept.ends_with("pp") {
                    fs::create_dir(&kept).expect("created");
                    fs::write(kept.join("config.yaml"), "the user's").expect("written");
                } else {
                    fs::write(&kept, "the user's").expect("written");
                }
                remove_unused(&above, &[], later(31));
                assert_eq!(names(), all, "one is in use, and one holds {}", kept.display());
                if kept.is_dir() { fs::remove_dir_all(kept) } else { fs::remove_file(kept) }
                    .expect("removed");
            }
            remove_unused(&above, &[], later(31));
            assert_eq!(names(), [".p.lock", "link", "p", "p-00000000000000aa"]);
            drop(held);
            // A process that another test is just starting may hold the lock until its exec.
            let deadline = std::time::Instant::now() + Duration::from_secs(60);
            while names().len() > 3 && std::time::Instant::now() < deadline {
                remove_unused(&above, &[], later(31));
            }
            assert_eq!(names(), [".p.lock", "link", "p"]);
            assert!(root.path().join("cache").is_dir(), "a link is not followed");
        }
    }

    #[test]
    fn what_the_agent_starts_holds_the_lock_too() {
        let (_root, dirs) = made_up_dirs();
        let agent = shims::by_name("hermes").expect("an agent");
        let home = dirs.cache.join("hermes/p-00000000000000aa");
        let mut plan = Plan::default();
        plan.dirs.insert(home.clone());
        let held = hold(&plan, agent, &mut Folders::of(&dirs));
        held.hand_over();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("started");
        drop(held);
        remove(&home, later(31));
        let stands = home.is_dir();
        child.kill().expect("ended");
        child.wait().expect("ended");
        assert!(stands);
        remove(&home, later(31));
        assert!(!home.is_dir());
    }
}
