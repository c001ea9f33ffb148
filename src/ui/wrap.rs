//! Lines of text for a terminal: broken between words, and with the options that a command to be typed needs.

use std::borrow::Cow;

use console::measure_text_width;

/// Text is made no narrower than that.
pub const NARROWEST: usize = 20;

/// The commands in a text, between backquotes or in lines or comments of their own, with the `option` as well.
pub fn with_option<'a>(text: &'a str, option: Option<&String>) -> Cow<'a, str> {
    const PROGRAM: &str = "agent-run ";
    let Some(option) = option.filter(|_| text.contains(PROGRAM)) else { return Cow::Borrowed(text) };
    let lines =
        text.split('\n').map(|line| match line.trim_start_matches([' ', '#']).strip_prefix(PROGRAM) {
            // Otherwise it is said of the program, as its version is.
            Some(rest)
                if line.starts_with([' ', '#'])
                    && rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '-') =>
            {
                let indent = line.len() - rest.len() - PROGRAM.len();
                format!("{}{PROGRAM}{option} {rest}", &line[..indent])
            }
            _ => ["`", "| "].iter().fold(line.to_owned(), |line, before| {
                line.replace(&format!("{before}{PROGRAM}"), &format!("{before}{PROGRAM}{option} "))
            }),
        });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// A page of help, which is made for the usual width. On a narrower terminal what is said of a command or an option
/// goes on below it, and a command to be copied stays whole.
pub fn help(page: &str, width: usize) -> String {
    let mut lines: Vec<Cow<'_, str>> = Vec::new();
    for line in page.split('\n') {
        let is_text = |line: &str| !line.starts_with(' ') && !line.is_empty() && !line.ends_with(':');
        match lines.last_mut().filter(|last| is_text(last) && is_text(line)) {
            Some(last) => last.to_mut().extend([" ", line]),
            None => lines.push(line.into()),
        }
    }
    let lines = lines.iter().map(|line| {
        let line = line.as_ref();
        let indent = line.len() - line.trim_start().len();
        let (name, said) = line[indent..].split_once("  ").unwrap_or((&line[indent..], ""));
        let (name, said) = (&line[..indent + name.len()], said.trim_start());
        let column = measure_text_width(line) - measure_text_width(said);
        match said {
            _ if measure_text_width(line) <= width => line.to_owned(),
            "" if indent == 2 => line.to_owned(),
            "" => wrap(line, width, indent).join("\n"),
            _ if column + NARROWEST <= width => wrap(line, width, column).join("\n"),
            _ => {
                let hang = if name.contains("--") && !name.contains("agent-run ") { 10 } else { indent + 4 };
                let said = wrap(&format!("{:hang$}{said}", ""), width, hang).join("\n");
                format!("{name}\n{said}")
            }
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Text in which comments are broken into lines of at most `width` columns, each after `change`.
pub fn comments<'a>(text: &'a str, width: usize, change: impl Fn(&'a str) -> Cow<'a, str>) -> String {
    let shown = text.split('\n').map(|line| match line.trim_start().strip_prefix("# ") {
        // A line of YAML or a command behind a `#` is copied as well.
        Some(comment) if !comment.starts_with("key_") && !comment.starts_with("  agent-run ") => {
            let indent = " ".repeat(line.len() - comment.len() - 2) + "# ";
            let lines = wrap(&change(comment), width.saturating_sub(indent.len()).max(NARROWEST), 0);
            lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
        }
        _ => line.to_owned(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// The lines of a text, none wider than `width` unless it is one word; `hang` spaces before all but the first. What
/// stands between two backquotes is one word.
pub fn wrap(text: &str, width: usize, hang: usize) -> Vec<String> {
    let body = text.trim_start_matches(' ');
    let mut lines = Vec::new();
    let mut line = " ".repeat(text.len() - body.len());
    let mut is_empty = true;
    let mut gap = 0;
    for unit in units(body) {
        if unit.is_empty() {
            gap += 1;
            continue;
        }
        let space = if is_empty { 0 } else { gap };
        if !is_empty && measure_text_width(&line) + space + measure_text_width(unit) > width {
            // A word that is too wide for what is left begins further to the left, unless no line holds it.
            let hang = width.checked_sub(measure_text_width(unit)).map_or(hang, |left| hang.min(left));
            lines.push(std::mem::replace(&mut line, " ".repeat(hang)));
        } else {
            line.extend(std::iter::repeat_n(' ', space));
        }
        line.push_str(unit);
        (is_empty, gap) = (false, 1);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// The words of a text; what stands between two backquotes is one, and so is a path in quotes.
fn units(text: &str) -> Vec<&str> {
    let mut units = Vec::new();
    let mut at = 0;
    while at <= text.len() {
        let rest = &text[at..];
        let mut end = rest.find(' ').unwrap_or(rest.len());
        let is_open = |text: &str, quote| !text.matches(quote).count().is_multiple_of(2);
        // Elsewhere in a word `'` is an apostrophe.
        let is_path = rest.starts_with("'/") || rest.starts_with("~/'");
        for quote in [Some('`'), is_path.then_some('\'')].into_iter().flatten() {
            if is_open(&rest[..end], quote)
                && let Some(close) = rest[end..].find(quote)
            {
                let close = end + close;
                let whole = rest[close..].find(' ').map_or(rest.len(), |space| close + space);
                if !is_open(&rest[..whole], quote) {
                    end = whole;
                }
            }
        }
        units.push(&rest[..end]);
        at += end + 1;
    }
    units
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_have_the_option_that_this_one_was_given() {
        let option = "--config 'a b'".to_owned();
        for (text, shown) in [
            (
                "run `agent-run why p`, `agent-run doctor`",
                "run `agent-run --config 'a b' why p`, `agent-run --config 'a b' doctor`",
            ),
            ("Next:\n  agent-run why p", "Next:\n  agent-run --config 'a b' why p"),
            ("# Next:\n#   agent-run why p", "# Next:\n#   agent-run --config 'a b' why p"),
            ("`cat k | agent-run key set p`", "`cat k | agent-run --config 'a b' key set p`"),
            ("agent-run found no `agent-runner`", "agent-run found no `agent-runner`"),
            ("  agent-run 0.1.0  /bin", "  agent-run 0.1.0  /bin"),
        ] {
            assert_eq!(with_option(text, Some(&option)), shown);
            assert_eq!(with_option(text, None), text);
        }
    }

    #[test]
    fn on_a_narrow_terminal_help_goes_on_below_what_it_is_about() {
        let page = "One line and\nanother\n\nUsage: agent-run why [OPTIONS] WHAT\n\n  -v, --verbose  Also print the plan\n      --with[=<PART>]  one two\n  \
                    agent-run why --with-a-model   explain it\n  agent-run why p codex --model m";
        let shown = "One line and another\n\nUsage: agent-run why\n[OPTIONS] WHAT\n\n  -v, --verbose\n          Also print\n          the plan\n      \
                     --with[=<PART>]\n          one two\n  agent-run why --with-a-model\n      explain it\n  \
                     agent-run why p codex --model m";
        assert_eq!(help(page, 22), shown);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_no_word_is_lost_or_cut(
            text in "([a-z模é`]{1,9} {1,3}){0,12}", width in 20_usize..60, hang in 0_usize..4
        ) {
            let lines = wrap(&text, width, hang);
            for line in &lines {
                let is_one_word = units(line.trim()).len() == 1;
                prop_assert!(is_one_word || measure_text_width(line) <= width, "{line:?}");
            }
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&lines.join("\n")), words(&text));
        }
    }
}
