//! The manual, one page a command, made of the same declarations as `--help`.
//!
//! The pages in `man/` are what this writes; packages install those, since the binary may not run where it is
//! built.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::Cli;
use crate::fs::atomic::publish;

/// Writes the pages of all commands that `--help` tells of.
///
/// # Errors
/// When a page cannot be written.
pub fn run(dir: &Path) -> Result<ExitCode> {
    fs::create_dir_all(dir).with_context(|| format!("could not create {}", dir.display()))?;
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    write_pages(root, dir)?;
    Ok(ExitCode::SUCCESS)
}

fn write_pages(command: clap::Command, dir: &Path) -> Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_pages(below.clone(), dir)?;
    }
    let examples = command.get_after_help().map(ToString::to_string);
    let has_commands = command.has_subcommands();
    let man = Man::new(command).source(concat!("agent-run ", env!("CARGO_PKG_VERSION")));
    let path = dir.join(man.get_filename());
    let page = page(&man, has_commands, examples.as_deref());
    let could_not = || format!("could not write {}", path.display());
    page.and_then(|page| publish(&path, &page)).with_context(could_not)
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
