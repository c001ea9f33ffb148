use super::*;
use crate::catalog::FailureKind;
use crate::catalog::record::ModelKind;
use crate::config::Provider;
use crate::fs::made_up_dirs;
use std::os::unix::fs::MetadataExt;

fn provider(more: &str) -> Provider {
    let base = "protocols: [anthropic]\nbase_urls: {anthropic: 'http://127.0.0.1:9'}";
    crate::catalog::provider(&format!("{base}\n{more}"))
}

fn fetched(ids: &[&str]) -> Fetched {
    Fetched { records: ids.iter().map(|id| ModelRecord::named(*id)).collect(), ..Fetched::default() }
}

fn ids(stored: &CachedList) -> Vec<String> {
    stored.kept().unwrap().into_iter().map(|record| record.id).collect()
}

#[test]
fn a_list_is_kept_privately_and_found_again() {
    let (_root, dirs) = made_up_dirs();
    let (cache, provider) = (Cache::new(&dirs), provider(""));
    let source = Source::new("p", &provider);
    assert!(cache.open(&source).is_none());
    let mut list = fetched(&["b", "a", "embed"]);
    list.records[2].kind = ModelKind::NonChat;
    cache.store(&source, list).unwrap();
    assert_eq!(ids(&cache.open(&source).unwrap()), ["b", "a"]);
    let path = cache.path(&source, "list");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(cache.folder()).unwrap().mode() & 0o777, 0o700);
    fs::write(&path, "garbage").unwrap();
    assert!(cache.open(&source).is_none());
    cache.store(&source, fetched(&["c"])).unwrap();
    assert_eq!(ids(&cache.open(&source).unwrap()), ["c"]);
}

#[test]
fn other_filters_take_effect_without_another_fetch() {
    let (_root, dirs) = made_up_dirs();
    let cache = Cache::new(&dirs);
    let few = provider("model_api_filters: [{filter: '^a'}]");
    cache.store(&Source::new("p", &few), fetched(&["b1", "a2", "a10"])).unwrap();
    let all = provider("");
    for _ in 0..2 {
        assert_eq!(ids(&cache.open(&Source::new("p", &few)).unwrap()), ["a10", "a2"]);
        assert_eq!(ids(&cache.open(&Source::new("p", &all)).unwrap()), ["b1", "a2", "a10"]);
    }
}

#[test]
fn only_a_list_that_differs_moves_the_one_before() {
    let (_root, dirs) = made_up_dirs();
    let (cache, provider) = (Cache::new(&dirs), provider(""));
    let source = Source::new("p", &provider);
    for list in [fetched(&["a"]), fetched(&["a", "b"]), fetched(&["b", "a"])] {
        cache.store(&source, list).unwrap();
    }
    assert_eq!(ids(&cache.open_previous(&source).unwrap()), ["a"]);
    let mut dearer = fetched(&["a", "b"]);
    dearer.records[0].input_cost_per_million = Some(1.0);
    cache.store(&source, dearer).unwrap();
    assert_eq!(ids(&cache.open_previous(&source).unwrap()), ["b", "a"]);
}

#[test]
fn a_failure_is_minded_for_a_while_and_forgotten_with_success() {
    let (_root, dirs) = made_up_dirs();
    let (cache, provider) = (Cache::new(&dirs), provider(""));
    let source = Source::new("p", &provider);
    cache.remember_failure(&source, &Failure::new(FailureKind::Lasting, "down"), Duration::from_secs(60));
    assert_eq!(cache.failure(&source).unwrap().message.text, "down");
    cache.store(&source, fetched(&["a"])).unwrap();
    assert!(cache.failure(&source).is_none());
    cache.remember_failure(
        &source,
        &Failure::new(FailureKind::Lasting, "from the future"),
        Duration::from_secs(360_000),
    );
    assert!(cache.failure(&source).is_none());
}

#[test]
fn one_at_a_time_refreshes() {
    let (_root, dirs) = made_up_dirs();
    let (cache, provider) = (Cache::new(&dirs), provider(""));
    let source = Source::new("p", &provider);
    let lock = cache.lock(&source).unwrap().unwrap();
    assert!(cache.lock(&source).unwrap().is_none());
    drop(lock);
    assert!(cache.lock(&source).unwrap().is_some());
}

#[test]
fn clearing_one_provider_leaves_the_others() {
    let (_root, dirs) = made_up_dirs();
    let (cache, provider) = (Cache::new(&dirs), provider(""));
    for name in ["p", "p-q", "../p"] {
        cache.store(&Source::new(name, &provider), fetched(&["a"])).unwrap();
    }
    assert_eq!(cache.clear(Some("p")).unwrap().len(), 1);
    assert_eq!(cache.clear(None).unwrap().len(), 2);
    assert_eq!(cache.clear(None).unwrap().len(), 0);
}
