//! The reply in the form that the shell's script reads: what follows, then a line for each candidate.

use std::collections::HashSet;

use super::Candidate;
use crate::cli::Shell;
use crate::ui::sanitize::is_unsafe_to_print;

/// More candidates than that are not read; then those with a `/` are offered up to the next one.
pub const MAX_CANDIDATES: usize = 100;

/// What the shell is answered.
#[derive(Debug, Eq, PartialEq)]
pub enum Reply {
    /// Whole words.
    Values(Vec<Candidate>),
    /// Some of them only beginnings, to go on from.
    Partial(Vec<Candidate>),
    /// Whole words that do not begin with what was typed, but have it somewhere.
    Inside(Vec<Candidate>),
    /// The shell's own completion of file names.
    Files,
    /// The completion of another program, whose name is the word of this number.
    Command(usize),
}

impl Reply {
    /// Those of `candidates` that begin with what was typed.
    pub fn candidates(candidates: Vec<Candidate>, typed: &str) -> Self {
        let candidates = offered(candidates, typed);
        let in_parts = candidates.iter().any(|candidate| candidate.value.ends_with('/'));
        if in_parts { Self::Partial(candidates) } else { Self::Values(candidates) }
    }

    /// Those that have what was typed somewhere, behind the `option` before it, as in `--model=`.
    ///
    /// Readline puts the common beginning of several in the place of what was typed: where that does not hold it, it would
    /// be gone. And it replaces only what stands behind the last of its word breaks.
    pub fn inside(mut candidates: Vec<Candidate>, option: &str, typed: &str, shell: Shell) -> Self {
        let is_one = candidates.len() == 1;
        let holds = || common(&candidates).to_lowercase().contains(&typed.to_lowercase());
        if shell == Shell::Bash && (typed.contains([':', '@', '=']) || !(is_one || holds())) {
            candidates.clear();
        }
        for candidate in &mut candidates {
            candidate.value.insert_str(0, option);
        }
        Self::Inside(candidates)
    }

    /// The reply's text.
    pub fn text(&self, shell: Shell) -> String {
        let (kind, candidates) = match self {
            Self::Values(candidates) => ("values", candidates),
            Self::Partial(candidates) => ("parts", candidates),
            Self::Inside(candidates) => ("inside", candidates),
            Self::Files => return "files\n".to_owned(),
            Self::Command(index) => return format!("command {index}\n"),
        };
        let mut text = format!("{kind}\n");
        for Candidate { value, about, .. } in
            candidates.iter().filter(|candidate| is_printable(&candidate.value))
        {
            match shell {
                Shell::Bash => text.push_str(&escaped(value, |c| !is_plain(c))),
                Shell::Zsh => {
                    text.push_str(&escaped(value, |c| matches!(c, ':' | '\\')));
                    if !about.is_empty() {
                        text.push(':');
                        text.push_str(&one_line(about));
                    }
                }
                Shell::Fish => {
                    text.push_str(value);
                    text.push('\t');
                    text.push_str(&one_line(about));
                }
            }
            text.push('\n');
        }
        text
    }
}

/// What all of them begin with.
fn common(candidates: &[Candidate]) -> &str {
    let Some((first, rest)) = candidates.split_first() else { return "" };
    let mut end = first.value.len();
    for other in rest {
        let alike = first.value.char_indices().zip(other.value.chars()).find(|((_, a), b)| a != b);
        end = end.min(alike.map_or(first.value.len().min(other.value.len()), |((at, _), _)| at));
    }
    &first.value[..end]
}

/// Those of `candidates` that begin with what was typed; of too many, only what comes up to the next `/`.
pub fn offered(mut candidates: Vec<Candidate>, typed: &str) -> Vec<Candidate> {
    candidates.retain(|candidate| candidate.value.starts_with(typed));
    if candidates.len() <= MAX_CANDIDATES {
        return candidates;
    }
    let mut seen = HashSet::new();
    let mut parts = Vec::new();
    for mut candidate in candidates {
        let rest = candidate.value[typed.len()..].find('/').filter(|_| !candidate.is_default);
        if let Some(slash) = rest.filter(|slash| typed.len() + slash + 1 < candidate.value.len()) {
            candidate.value.truncate(typed.len() + slash + 1);
            candidate.about.clear();
        }
        if !seen.contains(&candidate.value) {
            seen.insert(candidate.value.clone());
            parts.push(candidate);
        }
    }
    parts
}

/// With a backslash before each of `special`. Bash takes a candidate as it would stand on the line, and a model's
/// id comes from the provider: unescaped, it could smuggle in a command.
fn escaped(value: &str, special: impl Fn(char) -> bool) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if special(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_./:@+=,%".contains(c)
}

/// A line break would be a second candidate, and an escape sequence drives the terminal.
fn is_printable(value: &str) -> bool {
    !value.contains(is_unsafe_to_print)
}

fn one_line(about: &str) -> String {
    about.chars().map(|c| if is_unsafe_to_print(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(values: impl IntoIterator<Item = String>) -> Vec<Candidate> {
        values
            .into_iter()
            .map(|value| Candidate { value, about: "about: it".to_owned(), is_default: false })
            .collect()
    }

    fn names(reply: &Reply) -> Vec<&str> {
        let (Reply::Values(found) | Reply::Partial(found)) = reply else { panic!("{reply:?}") };
        found.iter().map(|candidate| candidate.value.as_str()).collect()
    }

    #[test]
    fn a_long_list_is_offered_up_to_the_next_slash() {
        let ids = || {
            let mut ids = candidates((0..300).map(|n| format!("{}/m/{n}", ["a", "bb", "c"][n % 3])));
            ids[0].is_default = true;
            ids
        };
        let reply = Reply::candidates(ids(), "");
        assert!(matches!(reply, Reply::Partial(_)));
        assert_eq!(names(&reply), ["a/m/0", "bb/", "c/", "a/"]);
        assert_eq!(names(&Reply::candidates(ids(), "b")).len(), 100, "few enough to read");
        let more = || candidates((0..300).map(|n| format!("x/{}/{n}", n % 2)));
        assert_eq!(names(&Reply::candidates(more(), "x/")), ["x/0/", "x/1/"]);
        assert_eq!(names(&Reply::candidates(candidates((0..200).map(|n| n.to_string())), "")).len(), 200);
    }

    #[test]
    fn what_holds_the_typed_text_elsewhere_is_offered_where_the_shell_keeps_that_text() {
        let text = |ids: &[&str], typed: &str, shell| {
            let ids = candidates(ids.iter().map(|&id| id.to_owned()));
            Reply::inside(ids, "--model=", typed, shell).text(shell).replace(":about\\: it", "")
        };
        assert_eq!(text(&["x/v4-pro"], "V4", Shell::Bash), "inside\n--model=x/v4-pro\n");
        assert_eq!(
            text(&["x/v4-a", "x/v4-b"], "v4", Shell::Bash),
            "inside\n--model=x/v4-a\n--model=x/v4-b\n"
        );
        assert_eq!(
            text(&["x/v4", "y/v4"], "v4", Shell::Bash),
            "inside\n",
            "readline would eat what was typed"
        );
        assert_eq!(text(&["x/a:v4"], "a:v4", Shell::Bash), "inside\n", "behind a word break");
        assert!(text(&["x/v4", "y/v4"], "v4", Shell::Zsh).contains("--model=y/v4"));
        assert!(text(&["x/v4", "y/v4"], "v4", Shell::Fish).contains("--model=y/v4"));
    }

    #[test]
    fn each_shell_gets_its_own_form() {
        let reply = Reply::candidates(candidates(["a:b c".to_owned(), "other".to_owned()]), "a");
        assert_eq!(reply.text(Shell::Bash), "values\na:b\\ c\n");
        assert_eq!(reply.text(Shell::Zsh), "values\na\\:b c:about: it\n");
        assert_eq!(reply.text(Shell::Fish), "values\na:b c\tabout: it\n");
        assert_eq!(Reply::Command(3).text(Shell::Zsh), "command 3\n");
    }

    #[test]
    fn an_id_smuggles_no_command_onto_the_line() {
        let ids =
            ["x;rm${IFS}-r", "$(id)", "`id`", "a\nb", "a\u{1b}[31m", "~/x", "#x", "!!"].map(str::to_owned);
        let text = Reply::candidates(candidates(ids), "").text(Shell::Bash);
        let expected =
            ["values", r"x\;rm\$\{IFS\}-r", r"\$\(id\)", r"\`id\`", r"\~/x", r"\#x", r"\!\!"].join("\n");
        assert_eq!(text, expected + "\n");
    }
}
