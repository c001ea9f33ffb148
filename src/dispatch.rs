//! Shim mode and command-line mode, and the exit codes of each.

use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use shims::opts::ParsedOpts;
use shims::{Message, Origin};

use crate::cli::{self, Cli, Command};
use crate::env::Environment;
use crate::launch::LaunchRequest;
use crate::launch::lookup::{agent, coding_agent, is_swapped};
use crate::launch::program::ProgramError;
use crate::probe::{self, Interrupted};
use crate::ui::output;
use crate::{commands, config, ui};

/// A launch that failed before the agent ran.
const NOT_LAUNCHED: u8 = 125;
/// The agent is there and cannot be run.
const NOT_RUNNABLE: u8 = 126;
/// The agent is not there.
const NOT_FOUND: u8 = 127;

/// The file name in `argv[0]`, if it is a shim's: something on both sides of an `@`.
pub fn shim_name(called: &OsStr) -> Option<String> {
    let name = Path::new(called).file_name()?.to_str()?;
    shims::split_shim_name(name).map(|_| name.to_owned())
}

/// Shim mode.
pub fn shim(name: &str, args: Vec<OsString>, env: &Environment) -> ExitCode {
    launch_exit_code(shim_launch(name, args, env))
}

fn shim_launch(name: &str, args: Vec<OsString>, env: &Environment) -> Result<ExitCode> {
    let (typed, provider) = shims::split_shim_name(name).context("not a shim's name")?;
    let agent = agent(typed.as_ref())?;
    match shims::opts::parse(env.shim_opts()?)? {
        ParsedOpts::Help(text) => output::write(|out| out.write_all((text + "\n").as_bytes())),
        ParsedOpts::Options(opts) => {
            commands::launch::run(&LaunchRequest::from_shim(agent, provider, *opts, args), env)
        }
    }
}

/// Command-line mode.
///
/// `called` is the name we were called by, which links are pointed to.
pub fn command_line(called: &OsStr, env: &Environment) -> ExitCode {
    if let Some(error) = started_as_agent(called).or_else(probe::become_unblocked) {
        return launch_exit_code(Err(error));
    }
    if let Some(word) = former_command() {
        // Claude Code runs them where the earlier launcher wrote them into its settings, one at every render of its
        // status line: they must be fast, and warn only a person who sees it.
        if std::io::stderr().is_terminal() {
            let text = format!("`{word}` was a command of the earlier launcher, and does nothing");
            ui::log::warn(Message::new(text, "remove it from your Claude Code settings"));
        }
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().len() <= 1
        && let Some(greeted) = commands::providers::greet(env)
    {
        return exit_code(greeted);
    }
    let words = cli::words::of_this_process();
    if let Some(path) = cli::words::bare_config(&words).filter(|path| path.symlink_metadata().is_err())
        && let Err(error) = config::load(path)
    {
        ui::screen::use_config(Some(path));
        return exit_code(Err(error));
    }
    let next = |config: Option<&Path>| {
        ui::screen::use_config(config);
        Some(ui::Screen::stderr().line(&ui::escaped(&commands::help::next(config, env)?), 2))
    };
    let cli = Cli::read(next).unwrap_or_else(|error| print_and_exit(&error, env));
    ui::screen::use_config(cli.config.as_deref());
    let is_launch = matches!(cli.command, Command::Launch(_));
    let result = run(cli, called, env);
    if is_launch { launch_exit_code(result) } else { exit_code(result) }
}

fn run(Cli { command, config }: Cli, called: &OsStr, env: &Environment) -> Result<ExitCode> {
    // A launch checks it itself, for shims too.
    if !matches!(command, Command::Launch(_)) {
        env.check_depth()?;
    }
    let option = config.as_deref();
    match command {
        Command::Launch(launch) => commands::launch::run(&request(launch, config)?, env),
        Command::Models(models) => commands::models::run(models, option, env),
        Command::Demo(demo) => {
            let agent = demo.agent.as_deref().map(|name| coding_agent(name.as_ref())).transpose()?;
            commands::demo::run(agent, option, env)
        }
        Command::Providers(words) => commands::providers::run(words, option, env),
        Command::Key(words) => commands::key::run(words, option, env),
        Command::Env(words) => commands::env::run(&words, option, env),
        Command::Doctor(doctor) => commands::doctor::run(&doctor, option, env),
        Command::Why(why) => commands::why::run(why, option, env),
        Command::Shims(shims) => commands::shims::run(&shims, option, called, env),
        Command::Completion(completion) => {
            output::write(|out| out.write_all(crate::completion::script(completion.shell).as_bytes()))
        }
        Command::Config(config) => {
            // The example is the user's, whatever an administrator has put elsewhere.
            let path = match (config.bootstrap_config, &config.command) {
                (true, _) => env.own_config_file(option),
                (false, None | Some(cli::config::ConfigCommand::Edit)) => env.config_to_change(option),
                (false, Some(_)) => env.config_file(option),
            };
            commands::config::run(&config, &path?, env)
        }
        Command::Import(import) => {
            let path = if import.write { env.config_to_change(option) } else { env.config_file(option) };
            commands::import::run(&import, &path?, env)
        }
        Command::Version => output::write(|out| writeln!(out, "agent-run {}", env!("CARGO_PKG_VERSION"))),
        Command::Help(help) => match &help.man {
            Some(dir) => commands::help::write_manual(dir.as_deref(), env),
            None => {
                commands::help::page(&help).map_or(Ok(ExitCode::SUCCESS), |page| print_and_exit(&page, env))
            }
        },
        Command::MockProvider(mock_provider) => commands::mock_provider::run(
            mock_provider.listen,
            &mock_provider.log,
            mock_provider.script.as_deref(),
        ),
    }
}

/// The error for a start under an agent's own name, as by a link or a copy, or by a link whose name is no text. A launch
/// passes over those of its own file; it can still start those of another build of this program, which end here instead
/// of in a loop.
fn started_as_agent(called: &OsStr) -> Option<anyhow::Error> {
    let name = Path::new(called).file_name()?;
    let shown = name.to_string_lossy();
    let Some(name) = name.to_str() else {
        let help = "remove the link; a provider's name is text in UTF-8";
        return shims::split_shim_name(&shown)
            .map(|_| anyhow!(Message::new(format!("the link's name `{shown}` is not UTF-8"), help)));
    };
    let agent = shims::coding_agents().find(|agent| agent.name() == name)?;
    let title = agent.title();
    Some(anyhow!(Message::new(
        format!("this is agent-run, started as `{name}`, the name of {title}"),
        format!("find it with `type -a {name}`, and remove or rename it; a shim is named `{name}@PROVIDER`")
    )))
}

/// Prints what clap says, be it an error, a page of help or the version, and ends the process.
fn print_and_exit(error: &clap::Error, env: &Environment) -> ! {
    let words = cli::words::of_this_process();
    ui::screen::use_config(cli::words::config(&words));
    let code = if error.use_stderr() && is_launch(&words) { NOT_LAUNCHED.into() } else { error.exit_code() };
    // Its providers are named as examples.
    let config = || {
        let path = env.config_file(cli::words::config(&words)).ok()?;
        Some(config::load_sound(&path).ok()?.config)
    };
    if let Some(message) = cli::usage::message(error, &words, config) {
        ui::log::error(&anyhow!(message));
    } else {
        let is_error = error.use_stderr();
        let screen = if is_error { ui::Screen::stderr() } else { ui::Screen::stdout() };
        let page = error.render();
        let page = if screen.has_colour() { page.ansi().to_string() } else { page.to_string() };
        let mut stream: Box<dyn Write> =
            if is_error { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
        // That it could not be printed cannot be printed either.
        _ = stream.write_all(screen.help(&page).as_bytes()).and_then(|()| stream.flush());
    }
    std::process::exit(code);
}

/// Whether the words are those of a launch, whose own exit code must not be taken for the agent's.
fn is_launch(words: &[OsString]) -> bool {
    cli::words::command(words).is_some_and(|at| words[at] == "launch")
}

/// A command of the earlier launcher that is run by others' settings and has nothing to do here.
fn former_command() -> Option<&'static str> {
    let word = std::env::args_os().nth(1)?;
    ["statusline", "claude-code-hook"].into_iter().find(|former| word == *former)
}

fn request(launch: cli::LaunchArgs, config: Option<std::path::PathBuf>) -> Result<LaunchRequest> {
    let mut words = launch.words.into_iter();
    let (mut provider, mut first) = (launch.provider, words.next().unwrap_or_default());
    if let Some(word) = first.to_str().filter(|word| is_swapped(&provider, word)) {
        let word = word.to_owned();
        first = std::mem::replace(&mut provider, word).into();
    }
    let agent = agent(&first)?;
    // One `--` right after the agent is for us; any later one is the agent's.
    let mut words = words.peekable();
    words.next_if(|word| word == "--");
    Ok(LaunchRequest::of(agent, &provider, launch.opts, config, words.collect(), Origin::Option))
}

/// The exit code of a launch that did not become the agent, and the error that says why.
fn launch_exit_code(result: Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        ui::log::error(&error);
        ExitCode::from(match error.downcast_ref() {
            Some(ProgramError { is_there: false, .. }) => NOT_FOUND,
            Some(ProgramError { is_there: true, .. }) => NOT_RUNNABLE,
            None => NOT_LAUNCHED,
        })
    })
}

/// The exit code of any other command, and its error.
fn exit_code(result: Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        ui::log::error(&error);
        match error.downcast_ref::<Interrupted>() {
            Some(interrupted) => ExitCode::from(interrupted.exit_code()),
            None => ExitCode::FAILURE,
        }
    })
}
