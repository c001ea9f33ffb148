//! `agent-run env`: the variables with which programs that know no providers find this one.
//!
//! They are those of `launch PROVIDER shell`. What goes to a terminal ends up in scrollbacks, so a key is
//! referred to where it is kept, and printed only on request.

mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use shims::inputs::matches;
use shims::{Agent, Launch, Message, Origin, Part, Sourced, Value};

use crate::cli::env::{EnvArgs, EnvFormat};
use crate::config::{KeySource, Provider};
use crate::context::Context;
use crate::env::Environment;
use crate::launch::{self, LaunchRequest, Network};
use crate::ui::output;
use crate::{key, ui};

/// A piece of a value, as a shell can be given it.
#[derive(Clone, Debug, Eq, PartialEq)]
enum ValuePart {
    /// Itself.
    Text(String),
    /// What a variable of the reader's holds.
    Variable(String),
    /// What a command prints.
    Output(Vec<String>),
    /// A key that is kept where no shell could look.
    Unavailable,
}

/// A variable and its value, piece by piece.
type Assignment = (String, Vec<ValuePart>);

/// Prints the variables.
pub fn run(words: &EnvArgs, option: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    let mut context = Context::for_launch(option, &words.provider, env)?;
    let mut request = request(words)?;
    if !context.loaded.config.providers.contains_key(&words.provider)
        && let Some((agent, provider)) = shims::split_shim_name(&words.provider)
        && shims::by_name(agent).is_some()
    {
        provider.clone_into(&mut request.provider);
        context = Context::for_launch(option, provider, env)?;
    }
    let mut notes = Vec::new();
    let resolved = launch::resolve_only(&request, &context, Network::NoKeyCommands, &mut notes);
    notes.iter().for_each(ui::log::note);
    let (launch, provider) =
        resolved?.into_launch().context("an isolated home without a provider has no variables")?;
    let home = &context.dirs.home;
    let secrets = Secrets {
        key: if words.with_key { key::of(&request.provider, provider, env, home)? } else { None },
        reference: provider.key_source().map_or(ValuePart::Unavailable, |source| reference(source, home)),
        env: words.with_key.then_some(env),
    };
    let entries = variables(&launch).into_iter().map(|(name, value)| Ok((name, secrets.pieces(&value)?)));
    let mut entries = entries.collect::<Result<Vec<Assignment>>>()?;
    let left_out = write::drop_unrepresentable(&mut entries, words.format);
    if !left_out.is_empty() {
        ui::log::warn(Message::new(
            format!("omitted {}, because {}", left_out.join(" and "), why(provider)),
            "use --with-key to print the key itself",
        ));
    }
    let text = write::text(entries, &removed(&launch, request.agent, &context), words.format);
    if words.format == EnvFormat::Json || std::io::stdout().is_terminal() {
        return output::write(|out| out.write_all(text.as_bytes()));
    }
    // A shell evaluates it: every byte counts.
    output::exact(|out| out.write_all(text.as_bytes()))
}

fn request(words: &EnvArgs) -> Result<LaunchRequest> {
    let shell = shims::by_name("shell").context("no agent `shell`")?;
    let model = words.model.clone().map(|model| Sourced::new(model, Origin::Option("--model")));
    Ok(LaunchRequest { model, ..LaunchRequest::new(shell, &words.provider) })
}

/// The shell's set, then the user's last word.
fn variables(launch: &Launch) -> BTreeMap<String, Value> {
    let mut all: BTreeMap<_, _> =
        shims::variables(launch).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    all.extend(launch.extra_env.clone());
    all
}

/// Where a shell finds the key.
fn reference(source: KeySource<'_>, home: &Path) -> ValuePart {
    match source {
        KeySource::Literal(_) => ValuePart::Unavailable,
        KeySource::Env(name) => ValuePart::Variable(name.to_owned()),
        KeySource::File(path) => {
            let path = key::expand_home(path, home);
            path.to_str()
                .map_or(ValuePart::Unavailable, |path| ValuePart::Output(vec!["cat".into(), path.into()]))
        }
        KeySource::Command(argv) => {
            let mut argv = argv.to_vec();
            let program = key::expand_home(Path::new(&argv[0]), home);
            argv[0] = program.to_string_lossy().into_owned();
            ValuePart::Output(argv)
        }
    }
}

fn why(provider: &Provider) -> &'static str {
    match provider.key_source() {
        Some(KeySource::Literal(_)) => "the key itself is in the config",
        _ => "this format cannot refer to the key's source",
    }
}

/// The variables that `launch PROVIDER shell` removes, as far as they are set here, and the other credential of
/// Anthropic's pair in any case. The variables of providers' keys stay: the shell goes on to launch others.
fn removed(launch: &Launch, agent: &dyn Agent, context: &Context<'_>) -> Vec<String> {
    let set = variables(launch);
    let config = &context.loaded.config;
    let keys = config.providers.values().filter_map(|provider| provider.key_env.as_ref());
    let keys: Vec<_> = keys.chain(&config.others.key_variables).collect();
    let is_removed = |name: &&str| {
        !set.contains_key(*name)
            && !keys.iter().any(|key| key == name)
            && agent.info().managed_env_vars.iter().any(|pattern| matches(pattern, name))
    };
    let pair = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"];
    let pair = pair.into_iter().filter(|_| pair.iter().any(|name| set.contains_key(*name)));
    let here = context.env.all().keys().filter_map(|name| name.to_str());
    let names: BTreeSet<&str> = pair.chain(here).filter(is_removed).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// What stands for what is secret.
struct Secrets<'a> {
    key: Option<String>,
    reference: ValuePart,
    /// Where variables are looked up, if their values may be shown.
    env: Option<&'a Environment>,
}

impl Secrets<'_> {
    fn pieces(&self, value: &Value) -> Result<Vec<ValuePart>> {
        value.parts().iter().map(|part| self.piece(part)).collect()
    }

    fn piece(&self, part: &Part) -> Result<ValuePart> {
        Ok(match (part, &self.key, self.env) {
            (Part::Text(text), ..) => ValuePart::Text(text.to_string_lossy().into_owned()),
            (Part::Key, Some(key), _) => ValuePart::Text(key.clone()),
            (Part::Key, None, _) => self.reference.clone(),
            (Part::Env(name), _, Some(env)) => {
                let value = env.all().get(std::ffi::OsStr::new(name)).and_then(|value| value.to_str());
                ValuePart::Text(value.with_context(|| format!("{name} is not UTF-8"))?.to_owned())
            }
            (Part::Env(name), _, None) => ValuePart::Variable(name.clone()),
        })
    }
}
