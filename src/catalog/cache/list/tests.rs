use super::*;
use crate::catalog::cache::format::Completeness;

fn encoded(entries: &[RankedRecord]) -> Vec<u8> {
    let head = Header {
        provider: "p".to_owned(),
        identity: "0123456789abcdef".to_owned(),
        source: "https://a.b/models".to_owned(),
        fetched_at: 7,
        ..Header::default()
    };
    head.encode(entries).unwrap()
}

/// `z…` is dropped by the filters; the provider lists its models backwards.
fn entries(count: usize) -> Vec<RankedRecord> {
    let id = |n: usize| format!("{}/m-{n:05}", ["a", "bb", "ccc", "z"][n % 4]);
    let entry = |n: usize| RankedRecord {
        record: ModelRecord {
            context_window: Some(n as u64),
            source: Some("https://a.b/models".to_owned()),
            ..ModelRecord::named(id(n))
        },
        rank: (n % 4 != 3).then_some(count - n),
    };
    (0..count).rev().map(entry).collect()
}

fn stored(count: usize) -> (Vec<RankedRecord>, CachedList) {
    let entries = entries(count);
    let stored = CachedList::in_memory(encoded(&entries)).unwrap();
    (entries, stored)
}

#[test]
fn what_was_written_is_read_back() {
    for count in [0, 1, 2, 3, 100] {
        let (entries, stored) = stored(count);
        assert_eq!(stored.entries().unwrap(), entries);
        assert_eq!(stored.head.extent, Completeness::Complete);
        let best = entries.iter().filter(|entry| entry.rank.is_some()).min_by_key(|entry| entry.rank);
        assert_eq!(stored.kept().unwrap().first(), best.map(|entry| &entry.record));
    }
}

#[test]
fn every_model_is_found_and_no_other() {
    for count in [0, 1, 2, 3, 7, 500] {
        let (entries, stored) = stored(count);
        for entry in &entries {
            let kept = entry.rank.map(|_| entry.record.clone());
            assert_eq!(stored.find(&entry.record.id).unwrap(), kept);
            assert!(stored.holds(&entry.record.id).unwrap());
        }
        for absent in ["", "a", "a/m-99999", "bb/m-00000", "zzz", "\u{10ffff}"] {
            assert_eq!(stored.find(absent).unwrap(), None);
            assert!(!stored.holds(absent).unwrap());
        }
    }
}

#[test]
fn the_best_are_the_first_of_those_that_are_kept() {
    for count in [0, 1, 3, 7, 500] {
        let (_, stored) = stored(count);
        let kept = stored.kept().unwrap();
        for many in [0, 1, 5, 40] {
            assert_eq!(stored.best(many).unwrap(), kept[..many.min(kept.len())], "{many} of {count}");
        }
        assert_eq!(stored.best(usize::MAX).unwrap().len(), kept.len().min(BEST));
    }
}

/// A list of a version that did not write where they are.
#[test]
fn the_best_of_an_old_list_are_found_if_it_is_short() {
    for (count, found) in [(9, 7), (100, 40), (5000, 0)] {
        let (_, new) = stored(count);
        let kept = new.kept().unwrap();
        let text = String::from_utf8(encoded(&entries(count))).unwrap();
        let (start, rest) = text.split_once(",\"best\":[").unwrap();
        let old = format!("{start}{}", rest.split_once(']').unwrap().1);
        let old = CachedList::in_memory(old.into_bytes()).unwrap();
        assert!(old.head.best.is_empty());
        assert_eq!(old.best(40).unwrap(), kept[..found], "{count}");
        assert_eq!(old.kept().unwrap(), kept);
    }
}

#[test]
fn a_prefix_gives_its_models_sorted() {
    let (entries, stored) = stored(500);
    for prefix in ["", "a", "a/m-000", "bb/m-00001", "ccc/", "d", "z/"] {
        let kept = entries.iter().filter(|entry| entry.rank.is_some());
        let mut expected: Vec<_> =
            kept.map(|entry| &entry.record.id).filter(|id| id.starts_with(prefix)).collect();
        expected.sort();
        assert_eq!(stored.in_parts(prefix, 500).unwrap().iter().collect::<Vec<_>>(), expected, "{prefix}");
        assert_eq!(stored.in_parts(prefix, expected.len()).unwrap().len(), expected.len(), "{prefix}");
    }
}

#[test]
fn many_models_come_in_parts() {
    let (_, stored) = stored(500);
    assert_eq!(stored.in_parts("", 100).unwrap(), ["a/", "bb/", "ccc/"], "`z/` is dropped by the filters");
    assert_eq!(stored.in_parts("b", 100).unwrap(), ["bb/"]);
    assert_eq!(stored.in_parts("a/m-00", 100).unwrap().len(), 125, "there is no `/` to stop at");
    assert_eq!(stored.in_parts("z", 0).unwrap(), [""; 0]);
}

#[test]
fn what_is_not_whole_or_not_ours_is_refused() {
    let whole = encoded(&entries(50));
    for length in 0..whole.len() {
        assert!(CachedList::in_memory(whole[..length].to_vec()).is_err(), "{length}");
    }
    let mut longer = whole.clone();
    longer.push(b'\n');
    assert!(CachedList::in_memory(longer).is_err());
    let other = String::from_utf8(whole).unwrap().replacen("\"version\":1", "\"version\":2", 1);
    assert!(CachedList::in_memory(other.into_bytes()).is_err());
    assert!(CachedList::in_memory(vec![0; 100_000]).is_err());
}

#[test]
fn a_length_beyond_all_bounds_is_refused() {
    let empty = String::from_utf8(encoded(&[])).unwrap();
    let endless = empty.replacen("\"bytes\":0", &format!("\"bytes\":{}", u64::MAX), 1);
    assert!(CachedList::in_memory(endless.into_bytes()).is_err());
}

#[test]
fn a_list_that_is_not_sorted_is_an_error_and_no_endless_search() {
    let ids =
        ["a/1", "a/2", "b", "bb"].map(|id| RankedRecord { record: ModelRecord::named(id), rank: Some(0) });
    let sorted = String::from_utf8(encoded(&ids)).unwrap();
    let mut lines: Vec<_> = sorted.lines().collect();
    let second = lines.remove(2);
    lines.push(second);
    let stored = CachedList::in_memory((lines.join("\n") + "\n").into_bytes()).unwrap();
    assert!(stored.in_parts("", 1).is_err());
}

#[test]
fn garbage_in_the_middle_is_an_error_and_no_crash() {
    let whole = encoded(&entries(50));
    for at in (0..whole.len()).step_by(7) {
        let mut broken = whole.clone();
        broken[at] = b'\xff';
        if let Ok(stored) = CachedList::in_memory(broken) {
            _ = (stored.entries(), stored.find("ccc/m-00014"), stored.in_parts("a", 1), stored.best(40));
        }
    }
}

/// A list that is torn, or lies, is refused or gives something; it never panics, and never reads for ever.
#[test]
fn a_list_cut_anywhere_is_refused_and_one_changed_anywhere_is_survived() {
    let entries = entries(9);
    let good = encoded(&entries);
    for length in 0..good.len() {
        assert!(CachedList::in_memory(good[..length].to_vec()).is_err(), "cut at {length}");
    }
    let mut read = 0;
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            let Ok(stored) = CachedList::in_memory(bytes) else { continue };
            read += 1;
            // An error or an answer, and never more of it than there is in the file.
            let most = good.len() / 2;
            assert!(stored.entries().map_or(0, |all| all.len()) < most, "{at} {bit}");
            assert!(stored.in_parts("", 99).map_or(0, |all| all.len()) < most, "{at} {bit}");
            assert!(stored.best(40).map_or(0, |all| all.len()) < most, "{at} {bit}");
            for entry in &entries {
                _ = stored.find(&entry.record.id);
            }
        }
    }
    assert!(read > 1000, "{read}");
    let text = String::from_utf8(good).unwrap();
    let (_, rest) = text.split_once("\"bytes\":").unwrap();
    let bytes = rest.split_once('}').unwrap().0;
    for lie in [u64::MAX, u64::MAX - 100, 1 << 63, 0] {
        let text = text.replacen(&format!("\"bytes\":{bytes}"), &format!("\"bytes\":{lie}"), 1);
        assert!(CachedList::in_memory(text.into_bytes()).is_err(), "{lie}");
    }
}
