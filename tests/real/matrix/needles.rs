//! The key and what could be made of it: any long part, and its base64.

use std::path::{Path, PathBuf};

use memchr::memmem;

use super::KEY;

/// The longest part that may stand somewhere: Claude Code approves a key by its last twenty characters.
const HARMLESS: usize = 20;

/// Everything to look for.
fn needles() -> Vec<Vec<u8>> {
    let parts = KEY.as_bytes().windows(HARMLESS + 1).map(<[u8]>::to_vec);
    // Wherever it starts within a longer text, base64 knows three shapes of it.
    let encoded = (0..3).map(|lead| {
        let padded = [&[0; 3][..lead], KEY.as_bytes()].concat();
        let whole = padded.len() / 3 * 4;
        base64(&padded).as_bytes()[4..whole].to_vec()
    });
    parts.chain(encoded).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift & 63) as usize]))
    };
    bytes.chunks(3).flat_map(group).collect()
}

/// The first of them that is there.
pub fn found(hay: &[u8]) -> Option<String> {
    let hit = needles().into_iter().find(|needle| memmem::find(hay, needle).is_some())?;
    Some(String::from_utf8_lossy(&hit).into_owned())
}

/// Asserts that none is there.
#[track_caller]
pub fn absent(hay: &[u8], what: &str) {
    if let Some(hit) = found(hay) {
        let at = memmem::find(hay, hit.as_bytes()).unwrap();
        let around = &hay[at.saturating_sub(300)..(at + 100).min(hay.len())];
        panic!("{what}: {hit} in …{}…", String::from_utf8_lossy(around));
    }
}

/// Asserts that none is in a file below the folder, these aside. Packed files are unpacked first.
#[track_caller]
pub fn absent_from_files(root: &Path, but: &[&Path]) {
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && !but.contains(&&*path) {
                let bytes = std::fs::read(&path).unwrap_or_default();
                absent(&bytes, &path.display().to_string());
                if bytes.starts_with(&[0x1f, 0x8b]) {
                    let unpacked = std::process::Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
                    absent(&unpacked.stdout, &format!("{}, unpacked", path.display()));
                }
            }
        }
    }
}

#[test]
fn a_part_of_the_key_and_its_base64_are_found() {
    assert!(found(format!("x{}x", &KEY[3..24]).as_bytes()).is_some());
    assert!(found(format!("x{}x", &KEY[KEY.len() - HARMLESS..]).as_bytes()).is_none());
    for lead in ["", "a", "ab", "Bearer "] {
        assert!(found(base64(format!("{lead}{KEY}").as_bytes()).as_bytes()).is_some(), "{lead}");
    }
}
