//! The pages in `man/` are made of the declarations that `--help` prints, of the config's schema, and of what is in
//! `prose.rs`. `UPDATE=1 cargo test --test it manual` writes them.

mod page;
mod program;
mod prose;
mod schema;

use std::path::Path;

use agent_run::internals::{self, command_line};

use page::WIDTH;
use program::program;
use schema::config;

fn made() -> [(&'static str, String); 2] {
    [("agent-run.1", program()), ("agent-run-config.5", config())]
}

#[test]
fn the_manual_says_what_help_and_schema_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let is_update = std::env::var_os("UPDATE").is_some();
    for (name, page) in made() {
        let path = folder.join(name);
        if is_update {
            std::fs::write(path, page).expect("written");
        } else {
            assert!(
                page == std::fs::read_to_string(path).expect("a page"),
                "man/{name} is not what is declared: `UPDATE=1 cargo test --test it manual` rewrites it"
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
    let root = command_line();
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
    let loaded =
        internals::parse(prose::CONFIG_EXAMPLE.to_owned(), Path::new("config.yaml")).expect("a sound config");
    assert_eq!(loaded.config.providers.len(), 2);
}

/// `src/env.rs` is the one reader of the environment.
#[test]
fn the_manual_names_the_variables_that_are_read() {
    let page = program();
    let source = include_str!("../../../src/env.rs");
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
