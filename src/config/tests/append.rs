//! Where a new provider goes, and that nothing else moves.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::config::{DEMO, append, change_config, parse};

const BLOCK: &str = "# From here.\nnew:\n  protocols: [anthropic]\n  base_urls:\n    anthropic: https://h\n";
const IN_TWO: &str =
    "  # From here.\n  new:\n    protocols: [anthropic]\n    base_urls:\n      anthropic: https://h\n";
const OLD: &str = "{protocols: [openai-responses], base_urls: {openai: https://host}}";

#[track_caller]
fn added(text: &str) -> String {
    append(text, "new", BLOCK).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn it_goes_behind_the_last_provider_and_its_own_comments() {
    for (head, tail) in [
        (format!("providers:\n  a: {OLD}\n"), "models_ttl: 1h\n"),
        (format!("models_ttl: 1h\nproviders: # mine\n  a: {OLD}\n"), ""),
        (format!("providers:\n  a: {OLD}\n    # own\n  # own\n"), "\n# other\nmodels_ttl: 1h\n"),
        (format!("providers:\n  a: {OLD}\n#  own: 1\n#  own: 2\n"), "\n# other\n"),
        (format!("providers:\n  a: {OLD}\n"), "# other's\nmodels_ttl: 1h\n"),
        (format!("providers:\n  a: {OLD}\n"), "...\n"),
        (
            format!(
                "providers:\n  a: {OLD}\n  b:\n    protocols: [anthropic]\n    base_urls: {{anthropic: http://h}}\n    extra_env:\n      A: |\n        x\n        # x\n"
            ),
            "shims: {}\n",
        ),
    ] {
        assert_eq!(added(&format!("{head}{tail}")), format!("{head}{IN_TWO}{tail}"));
    }
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let old = format!("models_ttl: 1h\nproviders:\n  a: {OLD}\n");
    assert_eq!(added(&crlf(&old)), crlf(&format!("{old}{IN_TWO}")), "the ends that all its lines have");
    let last = format!("providers:\n  a: {OLD}");
    assert_eq!(added(&last), format!("{last}\n{IN_TWO}"), "a last line without its end");
}

#[test]
fn it_takes_the_indentation_and_the_blank_lines_of_its_neighbours() {
    let four = format!("providers:\n    a: {OLD}\n");
    assert_eq!(added(&four), format!("{four}    {}", IN_TWO.trim_start().replace("\n  ", "\n    ")));
    let apart = format!("providers:\n  a: {OLD}\n\n  b: {OLD}\n");
    assert_eq!(added(&apart), format!("{apart}\n{IN_TWO}"));
}

#[test]
fn a_file_without_providers_gets_them() {
    assert_eq!(added(""), format!("providers:\n{IN_TWO}"));
    assert_eq!(added("# mine\n"), format!("# mine\n\nproviders:\n{IN_TWO}"));
    assert_eq!(added("models_ttl: 1h"), format!("models_ttl: 1h\n\nproviders:\n{IN_TWO}"));
    assert_eq!(added("providers:\nmodels_ttl: 1h\n"), format!("providers:\n{IN_TWO}models_ttl: 1h\n"));
    assert_eq!(added("providers: {} # {}\n"), format!("providers: # {{}}\n{IN_TWO}"));
    assert_eq!(added("providers: {} # none\n"), format!("providers: # none\n{IN_TWO}"));
}

#[test]
fn the_example_keeps_every_line_and_order() {
    let after = added(DEMO);
    let (head, tail) = after.split_once(&format!("\n{IN_TWO}")).expect("the block");
    assert_eq!(format!("{head}{tail}"), DEMO);
    assert!(head.ends_with("default_model: qwen3-coder\n"), "{head}");
    let loaded = parse(after, "c.yaml".as_ref()).expect("sound");
    assert_eq!(loaded.config.providers.keys().next_back().map(String::as_str), Some("new"));
}

#[test]
fn what_cannot_be_done_without_a_change_elsewhere_is_refused() {
    for (text, part) in [
        (format!("providers: {{a: {OLD}}}\n"), "not written one per line"),
        (format!("providers: {{\n  a: {OLD}\n}}\n"), "not written one per line"),
        (format!("{{providers: {{a: {OLD}}}}}\n"), "not written one per line"),
        (format!("x: &x\n  a: {OLD}\nproviders: *x\n"), "not written one per line"),
        ("providers: [a]\n".to_owned(), "not written one per line"),
        ("[a]\n".to_owned(), "not written one per line"),
        (format!("providers:\n  new: {OLD}\n"), "already has a provider `new`"),
        ("providers: [\n".to_owned(), "could not read the config: line 2"),
    ] {
        let error = crate::error::render(&append(&text, "new", BLOCK).expect_err(&text));
        assert!(error.contains(part) && error.contains("\nhelp: "), "{error}");
    }
}

#[test]
fn a_block_that_is_not_that_provider_is_refused() {
    for (block, part) in [
        ("other:\n  protocols: [anthropic]\n", "could not add `new`"),
        ("new:\n  protocols: [anthropic]\nmore: {}\n", "could not add `new`"),
        ("new:\n  protocols: [anthropic]\n", "could not add providers.new: the key `base_urls` is missing"),
        ("new:\n  protocol: []\n", "could not add providers.new.protocol: unknown key"),
    ] {
        let error = crate::error::render(&append("providers: {}\n", "new", block).expect_err(block));
        assert!(error.contains(part) && error.contains("\nhelp: "), "{error}");
    }
}

#[test]
fn writing_keeps_mode_and_links() {
    let root = tempfile::tempdir().expect("a folder");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let (file, link) = (root.path().join("deep/config.yaml"), root.path().join("link.yaml"));
    change_config(&file, "", |_| Ok("one".to_owned())).expect("written");
    assert_eq!([mode(&file), mode(file.parent().expect("a folder"))], [0o600, 0o700]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
    symlink("deep/config.yaml", &link).expect("linked");
    change_config(&link, "", |_| Ok("two".to_owned())).expect("written");
    assert!(link.is_symlink());
    assert_eq!((fs::read_to_string(&file).expect("there").as_str(), mode(&file)), ("two", 0o640));
    assert_eq!(fs::read_dir(root.path().join("deep")).expect("a folder").count(), 1, "no left-over");

    let lost = root.path().join("lost.yaml");
    symlink("nowhere/c.yaml", &lost).expect("linked");
    let error = change_config(&lost, "", |_| Ok("x".to_owned())).expect_err("a broken link");
    assert!(crate::error::render(&error).contains("\nhelp: "), "{error}");
}
