//! The pages in `man/` are what the declarations make. `UPDATE=1 cargo test --lib man` writes them.

use std::path::Path;

use clap::CommandFactory;

use super::page::WIDTH;
use super::program::program;
use super::schema::config;
use super::{PAGES, prose};
use crate::cli::Cli;

fn made() -> [(&'static str, String); 2] {
    [("agent-run.1", program()), ("agent-run-config.5", config())]
}

#[test]
fn the_manual_says_what_help_and_schema_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let is_update = std::env::var_os("UPDATE").is_some();
    for ((name, page), (_, kept_name, kept)) in made().iter().zip(PAGES) {
        assert_eq!(*name, kept_name);
        if is_update {
            std::fs::write(folder.join(name), page).expect("written");
        } else {
            assert!(
                page == kept,
                "man/{name} is not what is declared: `UPDATE=1 cargo test --lib man` rewrites it"
            );
        }
    }
}

#[test]
fn the_manual_is_whole() {
    let [(_, program), (_, config)] = made();
    for part in ["\\-\\-dry\\-run", "SH \"EXIT STATUS\"", "SH ENVIRONMENT", "SH FILES", "AGENT_RUN_OPTS"] {
        assert!(program.contains(part), "{part}");
    }
    assert!(!program.contains("mock\\-provider"), "a hidden command");
    let mut root = Cli::command();
    root.build();
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        assert!(
            program.contains(&format!(".SS \"agent-run {}", command.get_name())),
            "{}",
            command.get_name()
        );
    }
    let example = prose::CONFIG_EXAMPLE.lines().last().expect("a line");
    assert!(config.contains(example));
}

/// Pages are indented by seven columns, and what is literal is not broken.
#[test]
fn the_manual_fits_80_columns() {
    for (name, page) in made() {
        let mut is_literal = false;
        for line in page.lines() {
            is_literal = (is_literal || line == ".EX") && line != ".EE";
            let width = line.replace("\\-", "-").replace("\\&", "").chars().count();
            assert!(!is_literal || width <= WIDTH, "{name}: {line}");
        }
    }
}

#[test]
fn the_example_of_the_manual_loads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, prose::CONFIG_EXAMPLE).expect("written");
    let loaded = crate::config::load(&path).expect("a sound config");
    assert_eq!(loaded.config.providers.len(), 2);
}

/// `src/env.rs` is the one reader of the environment.
#[test]
fn the_manual_names_the_variables_that_are_read() {
    let page = program();
    let source = include_str!("../env.rs");
    let quoted = source.split('"').skip(1).step_by(2);
    let is_variable =
        |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let mut seen = 0;
    for name in quoted.filter(is_variable).chain(["AGENT_RUN_OPTS", "AGENT_RUN_DEPTH"]) {
        assert!(page.contains(name), "{name}");
        seen += 1;
    }
    assert!(seen > 12, "{seen}");
}
