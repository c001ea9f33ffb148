//! `providers add`: a copy of a preset in the user's config.

use shims::Message;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use shims::{quote, quoted};

use super::{agents, managers};
use crate::cli::providers::ProvidersAddArgs;
use crate::env::Environment;
use crate::presets::{self, KeyPlace, Preset};
use crate::ui::output;
use crate::{config, ui};

/// Shows what would be added to the config at `path`, asks, and adds it.
///
/// # Errors
/// When there is no such preset, the config cannot take it as it is written, or nobody can be asked.
pub fn run(words: &ProvidersAddArgs, path: &Path, env: &Environment) -> Result<ExitCode> {
    let preset = presets::by_name(&words.preset)?;
    let name = words.name.as_deref().unwrap_or(&preset.name);
    let before = config::text(path)?;
    // What can be refused is refused before anything is asked.
    config::append(&before, name, &preset.entry(name, None, None))?;
    let (is_terminal, asked) = (stdin().is_terminal() && stdout().is_terminal(), said(words)?);
    if !words.dry_run {
        config::check_writable(path, &preset.entry(name, asked.as_ref(), words.model.as_deref()))?;
    }
    let can_ask = is_terminal && !words.yes && !words.dry_run;
    let key = match (asked, preset.key_variable()) {
        (None, Some(variable)) if can_ask => ask_for_place(variable, name, env)?,
        (asked, _) => asked,
    };
    let entry = preset.entry(name, key.as_ref(), words.model.as_deref());
    let after = config::append(&before, name, &entry)?;
    let loaded = config::parse(after, path)?;
    output::write(|out| out.write_all(presets::indented(&entry).as_bytes()))?;
    if words.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if !words.yes {
        if !is_terminal {
            bail!(Message::new(
                "nothing was added, since nobody could be asked",
                "--yes adds it without asking"
            ));
        }
        if !agreed(&format!("\nAdd this to {}? [Y/n] ", path.display()))? {
            bail!("nothing was added");
        }
    }
    config::change_config(path, &entry, |now| config::append(now, name, &entry))?;
    loaded.warnings_about(name).for_each(ui::log::warn);
    let text = next_steps(name, &preset, key.as_ref(), path, env);
    output::write(|out| out.write_all(text.as_bytes()))
}

/// The place of the key that the words name.
fn said(words: &ProvidersAddArgs) -> Result<Option<KeyPlace>> {
    let command = |text: &String| {
        let argv = shlex::split(text).filter(|argv| !argv.is_empty());
        let argv = argv.with_context(|| {
            Message::new(
                format!("--key-command is no command: {text}"),
                "write it as one word: 'pass show deepseek'",
            )
        });
        argv.map(KeyPlace::Command)
    };
    let named = words.key_env.clone().map(KeyPlace::Env);
    let named = named.or_else(|| words.key_file.clone().map(KeyPlace::File));
    words.key_command.as_ref().map(command).transpose().map(|said| said.or(named))
}

/// Lets the user choose between the preset's variable and the password managers that are here.
fn ask_for_place(variable: &str, name: &str, env: &Environment) -> Result<Option<KeyPlace>> {
    let mut ways = managers::found(name, env);
    if ways.is_empty() {
        return Ok(None);
    }
    let state = if env.var(variable).is_some() { "set here" } else { "not set here" };
    let mut text = format!("Where is the key?\n  1  in the variable {variable}, {state}\n");
    for (index, way) in ways.iter().enumerate() {
        _ = writeln!(text, "  {}  `{}`", index + 2, quoted(&way.argv));
    }
    let answer = ask(&format!("{text}[1] "))?;
    match answer.parse::<usize>() {
        _ if answer.is_empty() => Ok(None),
        Ok(1) => Ok(None),
        Ok(chosen) if chosen - 1 <= ways.len() && chosen > 1 => {
            Ok(Some(KeyPlace::Command(ways.swap_remove(chosen - 2).argv)))
        }
        _ => bail!(Message::new(
            format!("`{answer}` is none of these"),
            "answer with a number, or use --key-command"
        )),
    }
}

fn agreed(question: &str) -> Result<bool> {
    Ok(matches!(ask(question)?.to_lowercase().as_str(), "" | "y" | "yes"))
}

fn ask(question: &str) -> Result<String> {
    output::write(|out| out.write_all(question.as_bytes()))?;
    let mut answer = String::new();
    let read = stdin().read_line(&mut answer).context("could not read the answer")?;
    // The end of input is no consent.
    if read == 0 {
        bail!("nothing was added");
    }
    Ok(answer.trim().to_owned())
}

fn next_steps(name: &str, preset: &Preset, key: Option<&KeyPlace>, path: &Path, env: &Environment) -> String {
    let mut steps = Vec::new();
    let blanks = preset.blanks();
    if !blanks.is_empty() {
        steps.push(format!("agent-run config    # put yours in place of {}", blanks.join(" and ")));
    }
    let variable = match key {
        Some(KeyPlace::Env(name)) => Some(name.as_str()),
        None => preset.key_variable(),
        _ => None,
    };
    steps.extend(variable.filter(|name| env.var(name).is_none()).map(|name| format!("export {name}=…")));
    if let Some(KeyPlace::Command(argv)) = key {
        let ways = managers::found(name, env);
        steps.extend(ways.into_iter().find(|way| way.argv == *argv).map(|way| way.store));
    }
    let word = quote(name.as_ref());
    steps.push(format!("agent-run providers test {word}"));
    steps.extend(
        agents(&preset.provider).first().map(|(a, _)| format!("agent-run launch {word} {}", a.name())),
    );
    let path = path.display();
    steps.iter().fold(format!("added {name} to {path}\nnext:\n"), |text, step| text + "  " + step + "\n")
}
