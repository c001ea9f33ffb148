//! The secret of this machine, from which names are made that no project can guess.
//!
//! It lies in the state folder, mode 0600, made by the first launch that needs it. It guards names, not data:
//! whoever can read it can read the user's other files too.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use shims::{Dirs, MachineSecret, Message, Note};

use crate::fs::atomic::create;
use crate::fs::{files, private_dir};

const NAME: &str = "secret";

/// Bytes of the file: 32 hex digits and a line break.
const LENGTH: usize = 33;

/// The secret, if it was made already. A file that is there and is no secret of this program is an error.
pub fn read(dirs: &Dirs) -> Result<Option<MachineSecret>> {
    read_at(&dirs.state.join(NAME))
}

/// The secret, made if there is none yet. Of two first launches at once, both get the same.
///
/// Where the state folder is there and cannot be written, one that holds for this launch alone, with a warning: agents whose
/// sessions name the provider will not find it again.
pub fn obtain(dirs: &Dirs, notes: &mut Vec<Note>) -> Result<MachineSecret> {
    let path = dirs.state.join(NAME);
    match read_at(&path) {
        Ok(Some(secret)) => return Ok(secret),
        Ok(None) => {}
        // Another user's folder is named as such.
        Err(error) => return private_dir::private_dir(&dirs.state, dirs).and(Err(error)),
    }
    let bytes =
        random().context(Message::new("could not read /dev/urandom", "mount /dev in this container"))?;
    // Nothing else of a launch could be kept either.
    private_dir::private_dir(&dirs.state, dirs)?;
    // Synced, as an empty file after a loss of power would stop every launch.
    let digits = format!("{:032x}\n", u128::from_be_bytes(bytes));
    match create(&path, digits.as_bytes()) {
        Ok(true) => Ok(MachineSecret::new(bytes)),
        Ok(false) => {
            read_at(&path)?.with_context(|| Message::new(format!("{} vanished", path.display()), "try again"))
        }
        Err(error) => {
            let Message { text, help } = crate::error::message(&error.into());
            let text = format!(
                "could not create {}: {text}; sessions of this launch may not find their provider again",
                path.display()
            );
            notes.push(Note::Warning(Message { text, help }));
            Ok(MachineSecret::new(bytes))
        }
    }
}

fn read_at(path: &Path) -> Result<Option<MachineSecret>> {
    let mut bytes = [0; LENGTH];
    let text = files::open(path).map(|(mut file, there)| {
        // One that is longer or shorter is none.
        let is_whole = there.len() == LENGTH as u64 && file.read_exact(&mut bytes).is_ok();
        if is_whole { std::str::from_utf8(&bytes).unwrap_or_default() } else { "" }
    });
    let text = match text {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => bail!(unusable(path, &error.to_string())),
    };
    let digits = text.strip_suffix('\n').filter(|digits| digits.len() == LENGTH - 1 && digits.is_ascii());
    let number = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
    match number {
        Some(number) => Ok(Some(MachineSecret::new(number.to_be_bytes()))),
        None => bail!(unusable(path, "it does not contain 32 hex digits")),
    }
}

fn unusable(path: &Path, why: &str) -> Message {
    Message::new(
        format!("could not read the secret {}: {why}", path.display()),
        "remove it; the next launch makes a new one, Codex goes on with its sessions, and those of Crush may ask \
         for their provider again",
    )
}

/// 16 bytes that nobody can guess.
pub fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::fs::made_up_dirs;

    #[test]
    fn first_launches_at_once_get_one_secret_and_later_ones_the_same() {
        let (_root, dirs) = made_up_dirs();
        assert!(read(&dirs).expect("readable").is_none());
        let secrets: Vec<_> = std::thread::scope(|scope| {
            let launches: Vec<_> =
                (0..16).map(|_| scope.spawn(|| obtain(&dirs, &mut Vec::new()).expect("made"))).collect();
            launches.into_iter().map(|launch| launch.join().expect("no panic")).collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
        assert!(read(&dirs).expect("readable") == Some(secrets[0]));
        let mode = fs::metadata(dirs.state.join(NAME)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&dirs.state).expect("a folder").count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_state_folder_that_cannot_be_made_is_one_error() {
        let (_root, dirs) = made_up_dirs();
        fs::create_dir_all(dirs.state.parent().expect("a folder above")).expect("made");
        fs::write(&dirs.state, "").expect("written");
        let mut notes = Vec::new();
        let error = crate::error::render(&obtain(&dirs, &mut notes).err().expect("refused"));
        assert!(error.contains(&dirs.state.display().to_string()) && error.contains("help: "), "{error}");
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_left() {
        let (root, dirs) = made_up_dirs();
        private_dir::private_dir(&dirs.state, &dirs).expect("created");
        let path = dirs.state.join(NAME);
        for text in ["", "00", "zz000000000000000000000000000000\n", "00000000000000000000000000000000"] {
            fs::write(&path, text).expect("written");
            let error = crate::error::render(&obtain(&dirs, &mut Vec::new()).err().expect(text));
            assert!(error.contains("help: remove it"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
        }
        fs::remove_file(&path).expect("removed");
        symlink(root.path().join("elsewhere"), &path).expect("linked");
        assert!(obtain(&dirs, &mut Vec::new()).is_err(), "a link is not followed");
    }
}
