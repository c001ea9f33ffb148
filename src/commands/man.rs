//! The manual, one page a command: the pages in `man/`, which packages install without running this.
//!
//! `clap_mangen` makes them of the same declarations as `--help`, in the test below and not in the program.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::fs::atomic::publish;

macro_rules! pages {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../man/", $name)))),*] };
}

/// Names and texts.
const PAGES: &[(&str, &str)] = pages![
    "agent-run-completion.1",
    "agent-run-config-check.1",
    "agent-run-config-path.1",
    "agent-run-config-schema.1",
    "agent-run-config-show.1",
    "agent-run-config.1",
    "agent-run-demo.1",
    "agent-run-doctor.1",
    "agent-run-env.1",
    "agent-run-import.1",
    "agent-run-key-remove.1",
    "agent-run-key-set.1",
    "agent-run-key-test.1",
    "agent-run-key.1",
    "agent-run-launch.1",
    "agent-run-models-cache-clear.1",
    "agent-run-models-cache-path.1",
    "agent-run-models-cache.1",
    "agent-run-models-diff.1",
    "agent-run-models-list.1",
    "agent-run-models-show.1",
    "agent-run-models.1",
    "agent-run-providers-add.1",
    "agent-run-providers-edit.1",
    "agent-run-providers-list.1",
    "agent-run-providers-presets.1",
    "agent-run-providers-remove.1",
    "agent-run-providers-show.1",
    "agent-run-providers-test.1",
    "agent-run-providers.1",
    "agent-run-shims-install.1",
    "agent-run-shims-list.1",
    "agent-run-shims-path.1",
    "agent-run-shims-remove.1",
    "agent-run-shims.1",
    "agent-run-why.1",
    "agent-run.1",
];

/// Writes the pages of all commands that `--help` names.
///
/// # Errors
/// When a page cannot be written.
pub fn run(dir: &Path) -> Result<ExitCode> {
    fs::create_dir_all(dir).with_context(|| format!("could not create {}", dir.display()))?;
    for (name, page) in PAGES {
        let path = dir.join(name);
        publish(&path, page.as_bytes()).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;

    use clap::CommandFactory;
    use clap_mangen::Man;
    use clap_mangen::roff::{Roff, roman};

    use super::*;
    use crate::cli::Cli;

    /// The pages of a command and of those below it, by file name.
    fn made(command: clap::Command, pages: &mut BTreeMap<String, String>) {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            made(below.clone(), pages);
        }
        let examples = command.get_after_help().map(ToString::to_string);
        let has_commands = command.has_subcommands();
        let man = Man::new(command).source(concat!("agent-run ", env!("CARGO_PKG_VERSION")));
        let page = page(&man, has_commands, examples.as_deref()).expect("written to memory");
        pages.insert(man.get_filename(), String::from_utf8(page).expect("text"));
    }

    /// `Man::render` would fill the examples' lines as one paragraph, under the heading EXTRA (seen in 0.3.3).
    fn page(man: &Man, has_commands: bool, examples: Option<&str>) -> io::Result<Vec<u8>> {
        let mut page = Vec::new();
        man.render_title(&mut page)?;
        man.render_name_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_options_section(&mut page)?;
        if has_commands {
            man.render_subcommands_section(&mut page)?;
        }
        if let Some((_, examples)) = examples.and_then(|text| text.split_once('\n')) {
            let mut roff = Roff::default();
            roff.control("SH", ["EXAMPLES"]).control("EX", []);
            for line in examples.lines() {
                roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
            }
            roff.control("EE", []).to_writer(&mut page)?;
        }
        Ok(page)
    }

    #[test]
    fn the_manual_says_what_help_says() {
        let mut root = Cli::command().disable_help_subcommand(true);
        root.build();
        let mut pages = BTreeMap::new();
        made(root, &mut pages);
        if std::env::var_os("UPDATE").is_some() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
            for page in fs::read_dir(&folder).expect("man/") {
                fs::remove_file(page.expect("a page").path()).expect("removed");
            }
            for (name, page) in &pages {
                fs::write(folder.join(name), page).expect("written");
            }
        }
        let names: Vec<_> = PAGES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, pages.keys().collect::<Vec<_>>(), "PAGES lists what is in man/");
        for (name, page) in PAGES {
            assert!(&pages[*name] == page, "man/{name} is not what --help says: UPDATE=1 rewrites it");
        }
        assert!(pages["agent-run-launch.1"].contains("\\-\\-dry\\-run"));
        assert!(!pages.contains_key("agent-run-mock-provider.1"));
    }
}
