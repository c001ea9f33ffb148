//! Every file of the corpus through its oracle, so that what was found once is looked for by `cargo test`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::oracles::{TARGETS, files};

/// More of them make every clone and every look at the repository slower, and reach little that these do not.
const MOST_SEEDS: usize = 20;

fn names(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into())
        .collect()
}

#[test]
fn every_target_has_its_program_and_its_corpus() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("fuzz_targets"), targets);
    let manifest = include_str!("../../../fuzz/Cargo.toml");
    for name in targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}

#[test]
fn the_whole_corpus_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut broken = Vec::new();
    for (name, target) in TARGETS {
        let (mut taken, mut refused) = (0, 0);
        for entry in fs::read_dir(corpus.join(name)).expect(name) {
            let path = entry.expect("an entry").path();
            let data = fs::read(&path).expect("a file");
            match std::panic::catch_unwind(|| target(&data)) {
                Ok(true) => taken += 1,
                Ok(false) => refused += 1,
                Err(_) => broken.push(path),
            }
        }
        assert!(taken > 2 && refused > 0, "{name}: {taken} inputs are taken and {refused} refused");
        assert!(taken + refused <= MOST_SEEDS, "{name} has {} seeds: fuzz/README.md", taken + refused);
    }
    assert!(broken.is_empty(), "each of these breaks a promise of its target: {broken:#?}");
}

#[test]
fn an_input_is_divided_into_files() {
    assert_eq!(files(b"a\n%%\nb\n%%\n"), [&b"a"[..], b"b", b""]);
    assert_eq!(files(b"%%\n"), [b"%%\n"]);
}
