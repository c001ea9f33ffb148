//! A session of a plain `codex`, gone on with at a provider: a copy in the history of all providers.
//!
//! Codex goes on with no session of another provider's id, and a plain `codex` stops at one with the id of a launch. So
//! a session that the user names by its id, and that lies in the user's own home alone, is copied once, with that id
//! in it. Codex finds a session by its file's name, whatever its database knows (0.158, 0.171). The original stays as
//! it is, and what is said later in one of the two is not in the other.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::carry;
use super::home::CodexHome;
use crate::judged::codex::OPTION_VALUED;
use crate::{Carry, Entry, EntryKind, Inputs, Launch, Message, Plan};

/// The commands that take an id.
const COMMANDS: [&str; 2] = ["resume", "fork"];

/// Those among whose words an id and the name of a command above may be, and which go on with nothing (0.171).
const OTHERS: [&str; 9] =
    ["app-server", "cloud", "completion", "debug", "features", "login", "mcp", "plugin", "sandbox"];

/// Whether Codex goes on with no session that is named beside this word: it prints something and ends, or takes the
/// newest.
fn is_for_nothing(word: &str) -> bool {
    ["--help", "--last", "--version", "-V", "-h"].contains(&word)
}

/// What the user asks to go on with, where it may be a session: ids are UUIDs of version 7, which hold the time.
struct Wanted {
    id: String,
    /// The folders below `sessions` in which it may lie. They are named by the day where the user was then.
    days: [PathBuf; 3],
}

fn wanted(launch: &Launch) -> Option<Wanted> {
    let words = || launch.args.iter().map(|word| word.to_str().unwrap_or_default());
    let mut is_value = false;
    let command = words().take_while(|word| *word != "--").position(|word| {
        let is_known = !is_value && (COMMANDS.contains(&word) || OTHERS.contains(&word));
        is_value = !is_value && OPTION_VALUED.contains(&word);
        is_known
    })?;
    let more = || words().skip(command + 1);
    let options = more().take_while(|word| *word != "--");
    if OTHERS.contains(&words().nth(command)?) || words().take(command).chain(options).any(is_for_nothing) {
        return None;
    }
    let id = more().find_map(id_of)?;
    let digits: String = id.chars().filter(|c| *c != '-').take(12).collect();
    let day = i64::from_str_radix(&digits, 16).ok()? / 86_400_000;
    Some(Wanted { id, days: [day - 1, day, day + 1].map(folder_of) })
}

/// The id that a word says, as files are named by it. Codex takes it in capitals too, without its dashes, in braces,
/// and as a URN (0.171).
fn id_of(word: &str) -> Option<String> {
    let has_dashes = |text: &str| {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| (byte == b'-') == [8, 13, 18, 23].contains(&at))
    };
    let inner = word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let digits = match inner.or_else(|| word.strip_prefix("urn:uuid:")).unwrap_or(word) {
        text if has_dashes(text) => text.replace('-', ""),
        text if text == word => text.to_owned(),
        _ => return None,
    };
    if digits.len() != 32
        || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        || digits.as_bytes()[12] != b'7'
    {
        return None;
    }
    let digits = digits.to_ascii_lowercase();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    Some(parts.join("-"))
}

/// `YYYY/MM/DD` of a day since 1970.
fn folder_of(day: i64) -> PathBuf {
    // Days since the first of March of the year 0, in whole cycles of 400 years.
    let day = day + 719_468;
    let (cycle, rest) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (rest - rest / 1460 + rest / 36_524 - rest / 146_096) / 365;
    let of_year = rest - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = cycle * 400 + year + i64::from(month <= 2);
    PathBuf::from(format!("{year:04}/{month:02}/{of_month:02}"))
}

/// What [`plan`] must know: nothing, where no session is named.
pub fn reads(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<PathBuf> {
    let Some(wanted) = wanted(launch).filter(|_| !home.isolated) else { return Vec::new() };
    let both = [home.state.join("sessions"), home.real.join("sessions")];
    let days = both.iter().flat_map(|sessions| wanted.days.iter().map(|day| sessions.join(day)));
    // What keeps one from being listed may be a folder above it.
    let hidden = wanted.days.iter().map(|day| both[1].join(day)).filter(|day| inputs.is_unreadable(day));
    let above = hidden.flat_map(|day| above(&day, home));
    days.chain(above).chain([archived(home)]).collect()
}

/// The folders from that of the user's sessions to `day`.
fn above(day: &Path, home: &CodexHome) -> Vec<PathBuf> {
    let mut above: Vec<_> = day.ancestors().take_while(|it| **it != home.real).map(Path::to_owned).collect();
    above.reverse();
    above
}

/// Names the folder that keeps the session from being found.
fn warn_of_hidden(days: &[PathBuf], home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    let sessions = home.real.join("sessions");
    let day = days.iter().map(|day| sessions.join(day)).find(|day| inputs.is_unreadable(day));
    let places = day.into_iter().flat_map(|day| above(&day, home));
    let mut hidden = places.filter_map(|place| Some((inputs.unreadable(&place)?, place)));
    if let Some((why, place)) = hidden.next() {
        plan.warn(Message::new(
            format!("{} could not be read: {why}; its sessions cannot be continued", place.display()),
            "make the folder readable, and try again",
        ));
    }
}

/// Where Codex puts copies that the user has archived.
fn archived(home: &CodexHome) -> PathBuf {
    home.state.join("archived_sessions")
}

/// Plans the copy.
pub fn plan(launch: &Launch, home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    let Some(wanted) = wanted(launch).filter(|_| !home.isolated) else { return };
    let find = |sessions: &Path| -> Option<(PathBuf, OsString)> {
        wanted.days.iter().find_map(|day| {
            let is_it = |entry: &&Entry| entry.kind != EntryKind::Dir && names(&entry.name, &wanted.id);
            let entry = inputs.entries(&sessions.join(day)).iter().find(is_it)?;
            Some((day.clone(), entry.name.clone()))
        })
    };
    let (ours, theirs) = (home.state.join("sessions"), home.real.join("sessions"));
    let is_archived = inputs.entries(&archived(home)).iter().any(|entry| names(&entry.name, &wanted.id));
    if is_archived {
        return;
    }
    let present = find(&ours);
    let Some((day, name)) = find(&theirs) else {
        if present.is_none() {
            warn_of_hidden(&wanted.days, home, inputs, plan);
        }
        return;
    };
    let from = theirs.join(&day).join(&name);
    // A packed one is unpacked, since only so it can be given the id.
    let to = ours.join(&day).join(&name);
    let to = if to.extension().is_some_and(|end| end == "zst") { to.with_extension("") } else { to };
    // What is there already stays, unless it is empty, which only the copying sees.
    if present.is_some_and(|(day, name)| ours.join(day).join(name) != to) {
        return;
    }
    let id = home.id(inputs);
    plan.info(format!(
        "{} is a session of plain Codex: a copy is continued, and the original is not changed",
        from.display()
    ));
    plan.carry.push(Carry { from, to, values: carry::with_id(&[], &id), ..Carry::default() });
}

/// Whether a file is that of the session, packed or not: `rollout-<time>-<id>.jsonl`.
fn names(file: &OsStr, id: &str) -> bool {
    file.to_str().is_some_and(|name| {
        let rest = name.strip_prefix("rollout-").and_then(|rest| rest.split_once(id));
        rest.is_some_and(|(_, end)| [".jsonl", ".jsonl.zst"].contains(&end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_folder() {
        for (day, folder) in [
            (0, "1970/01/01"),
            (-1, "1969/12/31"),
            (11_016, "2000/02/29"),
            (11_017, "2000/03/01"),
            (19_782, "2024/02/29"),
            (20_453, "2025/12/31"),
            (20_454, "2026/01/01"),
            (47_541, "2100/03/01"),
        ] {
            assert_eq!(folder_of(day), Path::new(folder), "{day}");
        }
    }

    #[test]
    fn only_a_session_that_is_named_by_its_id_is_wanted() {
        let wanted = |words: &str| {
            let args = words.split_whitespace().map(OsString::from).collect();
            let sample = Launch::sample("p", crate::Protocol::OpenaiResponses, "https://p.example", "m");
            wanted(&Launch { args, ..sample }).map(|it| it.days[1].clone())
        };
        let id = "01a21c5c-34d3-79f1-b788-fff06e0f8a10";
        for words in [
            format!("resume {id}"),
            format!("exec resume {id} go on"),
            format!("exec resume --json {id}"),
            format!("-p work fork {id}"),
            format!("exec resume -- {id}"),
            format!("exec resume {}", id.to_uppercase()),
            format!("resume {{{id}}}"),
            format!("resume urn:uuid:{id}"),
            format!("fork {}", id.replace('-', "")),
            format!("-C sandbox exec resume {id}"),
            format!("--profile cloud resume {id}"),
            format!("-m debug resume {id}"),
        ] {
            assert_eq!(wanted(&words), Some("2026/11/27".into()), "{words}");
        }
        let long = format!("resume {{{}}}", id.replace('-', ""));
        for words in ["", "resume", "resume --last", "resume my-session", &format!("exec {id}"), &long] {
            assert_eq!(wanted(words), None, "{words}");
        }
        for words in ["-C resume", "-- resume", "-m x debug resume"] {
            assert_eq!(wanted(&format!("{words} {id}")), None, "{words}");
        }
        assert_eq!(wanted("resume 01a21c5c-34d3-49f1-b788-fff06e0f8a10"), None, "it holds no time");
    }
}
