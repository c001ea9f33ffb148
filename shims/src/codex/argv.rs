//! What the user's words name, and where the launch's own words go among them.
//!
//! An older Codex forgets every `-c` before a command when one comes after it (seen in 0.158, 0.160), and a table that
//! is said later replaces what was said of its keys before (0.158, 0.171). So the launch's words are said again where
//! one of the user's would undo them: what holds against a project above the user's, the rest below. None of the user's
//! is changed or moved.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use toml::{Table, Value as Toml};

use super::merge::{place_in, put_over};
use super::settings::{Hold, Setting};
use crate::judged::codex::{COMMAND_KEYLESS, OPTION_VALUED};

/// The commands that run a program of the user's choice, which may have a `-c` of its own.
const RUNNING_OTHERS: [&str; 2] = ["mcp", "sandbox"];

/// The commands that ask a model or start servers. Behind others, a `-c` may be a word of a program that they run.
const ASKING: [&str; 8] = ["app-server", "debug", "e", "exec", "fork", "mcp-server", "resume", "review"];

/// What follows a command that starts servers in the background and starts none (0.171). Any other word, also one of a
/// later version, is taken for a start: `restart`, `update` and a first `remote-control` do, in 0.158 also `agents`.
const STARTS_NONE: [&str; 4] = ["help", "pair", "stop", "version"];

/// An option's short and long name.
type Names = [&'static str; 2];

const CONFIG: Names = ["-c", "--config"];
const FOLDER: Names = ["-C", "--cd"];
const MODEL: Names = ["-m", "--model"];
const PROFILE: Names = ["-p", "--profile"];

/// The value of the option `names` that begins with `word`, however it is written.
fn value<'a>(names: Names, word: &'a OsStr, next: Option<&'a OsStr>) -> Option<&'a OsStr> {
    if names.iter().any(|name| word == *name) {
        return next;
    }
    let [short, long] = names.map(|name| word.as_bytes().strip_prefix(name.as_bytes()));
    let attached = match long {
        Some(rest) => rest.strip_prefix(b"=")?,
        None => short.map(|rest| rest.strip_prefix(b"=").unwrap_or(rest))?,
    };
    Some(OsStr::from_bytes(attached))
}

fn values<'a>(names: Names, words: impl IntoIterator<Item = &'a OsStr>) -> Vec<OsString> {
    let mut words = words.into_iter().peekable();
    let mut values = Vec::new();
    while let Some(word) = words.next() {
        values.extend(value(names, word, words.peek().copied()).map(OsStr::to_owned));
    }
    values
}

/// The folders that `-C` and `--cd` name. A word that only looks so counts too: a folder too many is looked into and no
/// more.
pub fn folders<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Vec<OsString> {
    values(FOLDER, words)
}

/// The profiles that `-p` and `--profile` name, counted as generously.
pub fn profiles<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Vec<OsString> {
    values(PROFILE, words)
}

/// The model that the user's own words choose: `-m` goes before `-c` (0.171).
pub fn model<'a>(words: impl Iterator<Item = &'a OsStr>) -> Option<String> {
    let words: Vec<_> = words.take_while(|word| *word != "--").collect();
    let named = values(MODEL, words.iter().copied()).pop().and_then(|word| word.into_string().ok());
    named.or_else(|| Some(said(words.into_iter()).get("model")?.as_str()?.to_owned()))
}

/// A setting as `-c` says it. What is not TOML is a text, as Codex takes it.
fn read(option: &OsStr) -> Option<(&str, Toml)> {
    let (key, text) = option.to_str()?.split_once('=')?;
    let value = format!("it = {text}").parse::<Table>().ok().and_then(|mut read| read.remove("it"));
    Some((key.trim(), value.unwrap_or_else(|| text.into())))
}

/// What the user's own `-c` say together.
pub fn said<'a>(words: impl Iterator<Item = &'a OsStr>) -> Table {
    let mut all = Table::new();
    for option in values(CONFIG, words.take_while(|word| *word != "--")) {
        let Some((key, value)) = read(&option) else { continue };
        let path: Vec<_> = key.split('.').collect();
        if let Some((table, last)) = place_in(&mut all, &path) {
            table.insert(last.to_owned(), value);
        }
    }
    all
}

/// Whether Codex is to work in a new checkout of the project, whose files nobody can look at yet.
pub fn makes_worktree<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> bool {
    words.into_iter().any(|word| word == "--worktree" || word.as_bytes().starts_with(b"--worktree="))
}

/// Whether the command asks no model. Behind an option that nobody knows, a word may be its value and not a command.
pub fn asks_nobody<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> bool {
    let mut words = words.into_iter().map(|word| word.to_str().unwrap_or_default());
    while let Some(word) = words.next() {
        if !OPTION_VALUED.contains(&word) {
            return COMMAND_KEYLESS.contains(&word);
        }
        words.next();
    }
    false
}

/// The command among the words that would leave a server behind which keeps the environment of the launch.
pub fn starts_server<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Option<String> {
    let mut words = words.into_iter().map(|word| word.to_str().unwrap_or_default());
    let mut commands = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "--" => break,
            "-h" | "--help" => return None,
            "--no-daemon" if matches!(commands.first(), Some(&"agents" | &"remote-control")) => return None,
            _ if OPTION_VALUED.contains(&word) => _ = words.next(),
            _ if word.starts_with('-') => {}
            _ => commands.push(word),
        }
    }
    let (command, rest) = match commands.split_first()? {
        // Values of its own options, such as `--listen`, may come before.
        (&"app-server", rest) => {
            let at = rest.iter().position(|word| *word == "daemon")?;
            ("app-server daemon", rest.get(at + 1)?)
        }
        (&"remote-control", rest) => ("remote-control", rest.first().unwrap_or(&"start")),
        (&"agents", _) => return Some("codex agents".to_owned()),
        _ => return None,
    };
    (!STARTS_NONE.contains(rest)).then(|| format!("codex {command} {rest}"))
}

/// The words of `settings` and then the user's, so that only what the user says of a setting itself outdoes it.
pub fn combined(settings: &[Setting], words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> =
        settings.iter().filter_map(Setting::words).flatten().map(Into::into).collect();
    // Every `-c` so far, and whether a command came after the last of them.
    let mut said = args.clone();
    let mut is_behind = false;
    let mut is_first = true;
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if let Some(option) = value(CONFIG, &word, words.peek().map(OsString::as_os_str)) {
            let again = replaced(option, settings);
            let is_apart = CONFIG.iter().any(|name| word == *name);
            let mut more = vec![word];
            more.extend(words.next_if(|_| is_apart));
            more.extend(again);
            if std::mem::take(&mut is_behind) {
                args.extend(said.iter().cloned());
            }
            said.extend(more.iter().cloned());
            args.extend(more);
            continue;
        }
        let text = word.to_str().unwrap_or_default();
        let (is_option, is_command) = (text.starts_with('-'), ASKING.contains(&text));
        let has_value = OPTION_VALUED.contains(&text);
        let is_last = text == "--" || is_first && RUNNING_OTHERS.contains(&text);
        is_first &= is_option;
        is_behind |= is_command;
        args.push(word);
        if has_value {
            args.extend(words.next());
        }
        if is_last {
            break;
        }
    }
    args.extend(words);
    args
}

/// The words of those `settings` that the user's `KEY=…` would take away: without a word of them, or at all.
fn replaced(option: &OsStr, settings: &[Setting]) -> Vec<OsString> {
    let Some((key, said)) = read(option) else { return Vec::new() };
    let again = |setting: &Setting| {
        let part = key.strip_prefix(&*setting.path).and_then(|part| part.strip_prefix('.'));
        let (path, mine, theirs) = if let Some(part) = part {
            let mine = part.split('.').try_fold(&setting.value, |at, part| at.get(part))?;
            (key, mine, Some(&said))
        } else {
            let rest = setting.path.strip_prefix(key)?;
            let rest = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
            let theirs = rest.split_terminator('.').try_fold(&said, |at, part| at.get(part));
            (&*setting.path, &setting.value, theirs)
        };
        let is_last = setting.hold == Hold::Last;
        let value = match (mine, theirs) {
            (Toml::Table(mine), Some(Toml::Table(theirs))) => {
                let (below, above) = if is_last { (theirs, mine) } else { (mine, theirs) };
                let mut both = below.clone();
                put_over(&mut both, above);
                both.into()
            }
            (_, theirs) if is_last || theirs.is_none() && said.is_table() => mine.clone(),
            _ => return None,
        };
        Setting { path: path.to_owned(), value, hold: setting.hold }.words()
    };
    settings.iter().filter_map(again).flatten().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_folder_is_found() {
        for words in ["-C /x", "exec --cd /x hi", "exec --cd=/x", "-C/x resume", "-C=/x", "-m m -C /x"] {
            assert_eq!(folders(words.split_whitespace().map(OsStr::new)), ["/x"], "{words}");
        }
        for words in ["", "-c a=1", "--cdx /x", "hello", "-C"] {
            assert!(folders(words.split_whitespace().map(OsStr::new)).is_empty(), "{words}");
        }
    }

    #[test]
    fn a_command_that_asks_no_model_is_known_where_it_is_surely_one() {
        for (words, expected) in [
            ("update", true),
            ("-c a=1 -C /x login --with-api-key", true),
            ("", false),
            ("exec update", false),
            ("--of-a-later-version update", false),
            ("-m update", false),
            ("-- update", false),
            ("of-a-later-version", false),
        ] {
            assert_eq!(asks_nobody(words.split_whitespace().map(OsStr::new)), expected, "{words}");
        }
    }

    #[test]
    fn every_spelling_of_the_model_is_found() {
        let attached = ["exec -cmodel=x", "-mx -c model=y", "exec --model=x hi"];
        for words in ["-m x", "-c model=\"x\"", "-c model=y -c model='x'"].into_iter().chain(attached) {
            assert_eq!(model(words.split_whitespace().map(OsStr::new)).as_deref(), Some("x"), "{words}");
        }
        for words in ["", "exec hi", "-c models=x", "exec -- -m x", "-m"] {
            assert_eq!(model(words.split_whitespace().map(OsStr::new)), None, "{words}");
        }
    }

    #[test]
    fn what_starts_a_server_is_found_behind_any_option() {
        for (words, command) in [
            ("app-server daemon start", "app-server daemon start"),
            ("-c a=1 -m x app-server -c b=2 daemon --enable y restart", "app-server daemon restart"),
            ("app-server --listen unix:// daemon bootstrap", "app-server daemon bootstrap"),
            ("--no-daemon app-server daemon update", "app-server daemon update"),
            ("app-server daemon enable-remote-control", "app-server daemon enable-remote-control"),
            ("app-server daemon of-a-later-version", "app-server daemon of-a-later-version"),
            ("remote-control", "remote-control start"),
            ("--strict-config remote-control --json start", "remote-control start"),
            ("-m x agents --enable goals -C /x", "agents"),
        ] {
            let found = starts_server(words.split_whitespace().map(OsStr::new));
            assert_eq!(found, Some(format!("codex {command}")), "{words}");
        }
        for words in [
            "",
            "app-server",
            "app-server --listen ws://127.0.0.1:1",
            "app-server proxy",
            "app-server daemon",
            "app-server daemon stop",
            "app-server daemon version",
            "app-server daemon start --help",
            "remote-control stop",
            "remote-control --no-daemon",
            "agents --no-daemon",
            "exec app-server daemon start",
            "-m app-server daemon start",
            "-- app-server daemon start",
        ] {
            assert_eq!(starts_server(words.split_whitespace().map(OsStr::new)), None, "{words}");
        }
    }

    fn said(words: &str) -> String {
        let setting = |path: &str, value: Toml, hold| Setting { path: path.to_owned(), value, hold };
        let off: Table = "off.on = 0".parse().expect("TOML");
        let settings = [
            setting("m", 1.into(), Hold::Word),
            setting("memories.model", 2.into(), Hold::Word),
            setting("servers", off.into(), Hold::Last),
        ];
        let args = combined(&settings, words.split_whitespace().map(OsString::from));
        let args: Vec<_> = args.iter().map(|it| it.to_str().expect("UTF-8").replace(' ', "")).collect();
        let ours = "-c m=1 -c memories.model=2 -c servers={off={on=0}}";
        args.join(" ").replace(ours, "OURS")
    }

    #[test]
    fn a_word_behind_a_command_comes_with_all_before_it() {
        for (words, expected) in [
            ("", "OURS"),
            ("exec -c a=1 hi", "OURS exec OURS -c a=1 hi"),
            ("e --config=a=1 hi -c b=2", "OURS e OURS --config=a=1 hi -c b=2"),
            ("-c a=1 exec hi", "OURS -c a=1 exec hi"),
            ("-ca=1 exec -c b=2", "OURS -ca=1 exec OURS -ca=1 -c b=2"),
            ("exec resume --last --config a=1", "OURS exec resume --last OURS --config a=1"),
            (
                "exec -c a=1 resume --last -c=b=2 x",
                "OURS exec OURS -c a=1 resume --last OURS -c a=1 -c=b=2 x",
            ),
            ("-m exec hi -c a=1", "OURS -m exec hi -c a=1"),
            ("-m x exec -c a=1", "OURS -m x exec OURS -c a=1"),
            ("exec -- -c a=1", "OURS exec -- -c a=1"),
            ("sandbox exec -c a=1", "OURS sandbox exec -c a=1"),
            ("mcp add x exec -c memories={}", "OURS mcp add x exec -c memories={}"),
            ("debug -c a=1 x", "OURS debug OURS -c a=1 x"),
            ("exec -c", "OURS exec -c"),
        ] {
            assert_eq!(said(words), expected, "{words}");
        }
    }

    #[test]
    fn a_table_takes_nothing_away_that_it_does_not_name() {
        for (words, expected) in [
            ("-c memories={a=1}", "OURS -c memories={a=1} -c memories.model=2"),
            ("-c memories={model=3}", "OURS -c memories={model=3}"),
            ("-c memories.a=1", "OURS -c memories.a=1"),
            ("-c memories=x", "OURS -c memories=x"),
            ("-c memories={", "OURS -c memories={"),
            ("-c mem={}", "OURS -c mem={}"),
            ("-c servers={x={}}", "OURS -c servers={x={}} -c servers={off={on=0},x={}}"),
            ("-c servers={off={on=1,a=2}}", "OURS -c servers={off={on=1,a=2}} -c servers={off={a=2,on=0}}"),
            ("-c servers.off={a=1}", "OURS -c servers.off={a=1} -c servers.off={a=1,on=0}"),
            ("-c servers.off.on=1 -c a=1", "OURS -c servers.off.on=1 -c servers.off.on=0 -c a=1"),
            ("-c servers.off=x", "OURS -c servers.off=x -c servers.off={on=0}"),
            ("-c servers.off.a=1", "OURS -c servers.off.a=1"),
            ("-c servers.on={a=1}", "OURS -c servers.on={a=1}"),
            (
                "-c memories={} -c memories.model=4",
                "OURS -c memories={} -c memories.model=2 -c memories.model=4",
            ),
        ] {
            assert_eq!(said(words), expected, "{words}");
        }
    }
}
