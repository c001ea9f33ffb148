//! `providers add`: a copy of a preset in the user's config. At a terminal it asks for the key, tests it and starts an
//! agent; a launch on a provider that is known and not in the config does the same.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use shims::{Message, quote};

use super::ask_key::{KeyAnswer, look_at};
use super::dialogue::Draft;
use super::presets::{ask_meant, ask_preset};
use super::test::TestOutcome;
use super::{agents, managers, unknown};
use crate::cli::providers::ProvidersAddArgs;
use crate::env::Environment;
use crate::key::place::KeyPlace;
use crate::launch::{LaunchRequest, program, request, resolve, snapshot};
use crate::presets;
use crate::suggest::join_or;
use crate::ui::log::say;
use crate::ui::{Screen, escaped, output, prompt};
use crate::{cli, commands, config, suggest, ui};

/// Adds a provider to the config at `path`: at a terminal after a dialogue, elsewhere with `--yes`.
pub fn run(
    words: &ProvidersAddArgs,
    option: Option<&Path>,
    path: &Path,
    env: &Environment,
) -> Result<ExitCode> {
    let can_ask = prompt::is_possible(env) && !words.yes && !words.dry_run;
    let clash = |name: &str| {
        config::clash(name).or_else(|| cli::is_command(name).then_some("is the name of a command"))
    };
    let preset = match &words.preset {
        Some(name) if can_ask && words.server.is_none() && clash(name).is_none() => {
            ask_meant(name)?.unwrap_or_else(|| name.clone())
        }
        Some(name) => name.clone(),
        None if can_ask => ask_preset(env)?,
        None => bail!(Message::new(
            "no provider is named",
            "`agent-run providers presets` lists the known ones; add one with `agent-run providers add NAME`"
        )),
    };
    let name = words.name.as_deref().unwrap_or(&preset);
    if preset.contains(':') {
        let help = "name the provider too: `agent-run providers add NAME --server ADDRESS`";
        bail!(Message::new("an address is not the name of a provider", help));
    }
    if let Some(clash) = clash(name) {
        let near = presets::near(name)?;
        let help = match near.first().filter(|_| words.name.is_none() && !presets::is_known(name)) {
            Some(first) => {
                format!("did you mean {}? `agent-run providers add {first}` adds {first}", join_or(&near))
            }
            None => format!("give it another with --name, such as `--name my-{preset}`"),
        };
        bail!(Message::new(
            format!("`{name}` {clash}, and a provider of that name would be mistaken for it"),
            help
        ));
    }
    if let Some((fault, like)) = config::new_name_fault(name) {
        let prefix = if words.name.is_some() { "--name " } else { "" };
        let name = shims::quote(name.as_ref());
        let is_good = !like.is_empty() && clash(&like).is_none();
        let like = if is_good { format!("; for example `{prefix}{like}`") } else { String::new() };
        bail!(Message::new(format!("{prefix}{name}: {fault}"), format!("{}{like}", config::NAME_HELP)));
    }
    let before = config::text(path)?;
    if !config::is_blank(&before) {
        // No launch could use an entry beside an error outside of the providers.
        config::load_sound(path)?;
    }
    let said = said(words)?;
    said.iter().try_for_each(|place| look_at(place, can_ask, env))?;
    let mut key = said.map(KeyAnswer::There);
    let server = words.server.as_deref();
    let (preset, server) = if presets::is_known(&preset) {
        (presets::by_name(&preset)?, server.map(address).transpose()?)
    } else {
        config::append(&before, name, &unknown::example(name))?;
        let unknown = match server {
            // A dry run runs no key command, and sends no key.
            Some(url) if !can_ask => {
                unknown::from_server(name, url, key.as_ref().filter(|_| !words.dry_run), env)?
            }
            None if !can_ask => presets::by_name(&preset)?,
            url => unknown::ask(name, url, &mut key, path, env)?,
        };
        (unknown, None)
    };
    let mut draft = Draft::new(&preset, name, path, env)?;
    (draft.key, draft.server, draft.model) = (key, server, words.model.clone());
    // What can be refused is refused before anything is asked.
    config::append(&before, name, &draft.entry())?;
    if !words.dry_run {
        config::check_writable(path, &draft.entry())?;
    }
    if can_ask {
        return at_a_terminal(&mut draft, option);
    }
    if let Some(TestOutcome::Failed(failure)) = draft.find_model(false)? {
        ui::log::warn(failure.of_new().message);
    }
    let entry = draft.entry();
    let after = config::append(&before, name, &entry)?;
    let loaded = config::parse(after, path)?;
    output::whole(&Screen::stdout().comments(&escaped(&presets::indented(&entry))))?;
    if words.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if !words.yes {
        let help = "use --yes to add it without confirmation";
        bail!(Message::new("nothing was added: no terminal to ask for confirmation", help));
    }
    draft.write()?;
    loaded.warnings_for(&[name]).into_iter().for_each(ui::log::warn);
    let text = format!("added {name} to {}\n", path.display()) + &next_steps(&draft);
    output::people(|out| out.write_all(text.as_bytes()))
}

/// Fills the entry by asking, adds it, and starts an agent if that is wanted.
fn at_a_terminal(draft: &mut Draft<'_>, option: Option<&Path>) -> Result<ExitCode> {
    let (fits, dirs) = (agents(&draft.preset.provider), draft.env.dirs()?);
    let agent = fits.iter().map(|(agent, _)| *agent);
    let agent = agent.clone().find(|agent| program::locate(*agent, &dirs, draft.env).is_ok());
    let is_said = matches!(draft.key, Some(KeyAnswer::There(_)));
    let is_silent = draft.preset.blanks().is_empty()
        && (is_said || (draft.key.is_none() && draft.preset.key_variable().is_none()));
    let first = agent.or_else(|| fits.first().map(|(agent, _)| *agent));
    say(&heading(draft));
    let outcome = draft.fill(first)?;
    // Who typed a key has said yes by it.
    if is_silent {
        say(&presets::indented(&draft.entry()));
        if !prompt::agrees(&format!("Add this to {}?", draft.path.display()))? {
            bail!(prompt::STOPPED);
        }
    }
    add(draft, &outcome)?;
    if let (TestOutcome::Works, Some(agent)) = (outcome, agent)
        // Without an answer it is added all the same.
        && prompt::agrees_later(&format!("Start {} on {} now?", agent.title(), draft.name))
    {
        let mut request = LaunchRequest::new(agent, draft.name);
        request.config = option.map(Path::to_owned);
        return commands::launch::run(&request, draft.env);
    }
    say(&next_steps(draft));
    Ok(ExitCode::SUCCESS)
}

/// Adds the provider, and says so.
fn add(draft: &Draft<'_>, outcome: &TestOutcome) -> Result<()> {
    draft.write()?;
    say(&format!("Added {} to {}.\n", draft.name, draft.path.display()));
    if let TestOutcome::NotTested(why) = outcome {
        say(&format!("The provider was not tested: {why}.\n"));
    }
    Ok(())
}

/// What a person should know of the preset before giving a key.
fn heading(draft: &Draft<'_>) -> String {
    let preset = draft.preset;
    let note = if preset.note.is_empty() { String::new() } else { format!(" {}", preset.note) };
    format!("{}: {}.{note}\n", draft.name, preset.title)
}

/// Offers to add the provider of a launch that failed for want of it; says whether it is there now.
///
/// Nothing is asked where the launch could not go on: without a terminal or the agent's program; nor where the name was
/// probably mistyped.
pub fn offer(request: &LaunchRequest, env: &Environment) -> Result<bool> {
    let name = request.provider.as_str();
    let is_known = presets::is_known(name);
    if !prompt::is_possible(env) || config::new_name_fault(name).is_some() || config::clash(name).is_some() {
        return Ok(false);
    }
    let known = presets::all()?;
    // The error of the launch says what is near.
    if !is_known && suggest::typo(name, known.iter().map(|preset| preset.name.as_str())).is_some() {
        return Ok(false);
    }
    let Ok(path) = env.config_to_change(request.config.as_deref()) else { return Ok(false) };
    let before = config::text(&path)?;
    if !config::is_blank(&before) {
        // In a file with errors, the provider may be missing because of one.
        let loaded = config::load(&path)?;
        let homes = resolve::home_names(request.agent.name(), &loaded.config);
        let configured = || loaded.config.providers.keys().map(String::as_str);
        // A name that is like one of the config was mistyped.
        let is_mistyped = !is_known && suggest::closest(name, configured()).is_some();
        let is_there = loaded.config.providers.contains_key(name) || loaded.check(name).is_err();
        if is_there || is_mistyped || homes.contains(name) {
            return Ok(false);
        }
    }
    let dirs = env.dirs()?;
    program::locate_for(request.agent, &request.args, &snapshot::without_files(&dirs, env), env)?;
    let question = format!("Add {name} and start {}?", request.agent.title());
    let mut key = None;
    let preset = if is_known {
        presets::by_name(name)?
    } else {
        say(&format!("{name} is neither in your config nor a known provider.\n"));
        if !prompt::agrees(&question)? {
            return Ok(false);
        }
        unknown::ask(name, None, &mut key, &path, env)?
    };
    if request.protocol.is_none() && !request.force.protocol {
        resolve::negotiate(request.agent, name, &preset.provider)?;
    }
    config::append(&before, name, &preset.entry(name, None, None))?;
    let mut draft = Draft::new(&preset, name, &path, env)?;
    draft.key = key;
    config::check_writable(&path, &draft.entry())?;
    if is_known {
        say(&format!("{name} is a known provider, but it is not in your config.\n"));
    }
    say(&heading(&draft));
    if is_known && !prompt::agrees(&question)? {
        return Ok(false);
    }
    let outcome = draft.fill(Some(request.agent))?;
    add(&draft, &outcome)?;
    Ok(true)
}

/// Greets whoever types the program's name alone and has no config: `None` where there is one, or nobody to ask.
pub fn greet(env: &Environment) -> Option<Result<ExitCode>> {
    let path = env.config_file(None).ok()?;
    if !prompt::is_possible(env) || path.symlink_metadata().is_ok() {
        return None;
    }
    say("\
agent-run starts Claude Code, Codex, Hermes or Crush on the provider you choose.
You have no config yet: name your first provider to add it.
`agent-run demo` works without a key. `agent-run --help` lists all commands.

");
    let words = ProvidersAddArgs::default();
    Some(run(&words, None, &path, env))
}

/// Scheme, host and port of the URL of a server.
pub fn address(url: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host = rest.trim_end_matches('/');
    // Without a scheme a single word may be anything.
    let is_address = url.contains(':') && !host.is_empty();
    if !["http", "https"].contains(&scheme) || !is_address || host.contains(['/', '?', '#', '@', ' ', '"']) {
        let help = "write host and port alone: 127.0.0.1:8081, or https://server:8081";
        bail!(Message::new(format!("this is not the address of a server: {url}"), help));
    }
    Ok(format!("{scheme}://{host}"))
}

/// The place of the key that the words name.
fn said(words: &ProvidersAddArgs) -> Result<Option<KeyPlace>> {
    let command = |text: &String| {
        let name = words.preset.as_deref().unwrap_or("NAME");
        let help = format!("write the command in quotes: `--key-command 'pass show {name}'`");
        KeyPlace::command(text, Message::new(format!("--key-command is not a command: {text}"), help))
    };
    let named = words.key_env.clone().map(KeyPlace::Env);
    let named = named.or_else(|| words.key_file.clone().map(KeyPlace::File));
    words.key_command.as_ref().map(command).transpose().map(|said| said.or(named))
}

/// What to type next.
fn next_steps(draft: &Draft<'_>) -> String {
    let Draft { preset, name, env, .. } = draft;
    let mut steps = Vec::new();
    let is_open = |blank: &String| !draft.filled.iter().any(|(filled, _)| filled == blank);
    let blanks: Vec<_> = preset.blanks().into_iter().filter(is_open).collect();
    if !blanks.is_empty() {
        steps.push(format!("agent-run config    # fill in {}", blanks.join(" and ")));
    }
    let place = draft.key.as_ref().map(|key| key.place(&draft.home));
    let variable = match &place {
        Some(KeyPlace::Env(name)) => Some(name.as_str()),
        None => preset.key_variable(),
        _ => None,
    };
    steps.extend(variable.filter(|name| env.var(name).is_none()).map(|name| format!("export {name}=…")));
    if let (Some(KeyAnswer::There(_)), Some(KeyPlace::Command(argv))) = (&draft.key, &place) {
        let ways = managers::found(name, env);
        steps.extend(ways.into_iter().find(|way| way.argv == *argv).map(|way| way.store));
    }
    let word = quote(name.as_ref());
    steps.push(format!("agent-run providers test {word}"));
    let has_default = draft.provider().is_ok_and(|provider| provider.default_model.is_some());
    if !has_default {
        steps.push(format!("agent-run models list {word}    # no default_model is set: choose one"));
    }
    let model = if has_default { None } else { Some("MODEL") };
    let first = agents(&preset.provider).into_iter().next();
    steps.extend(first.map(|(agent, _)| request::line(name, model, agent)));
    steps.iter().fold("next:\n".to_owned(), |text, step| text + "  " + step + "\n")
}
