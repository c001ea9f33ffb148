//! Text for people: on a terminal no line is wider than it, the home is `~`, and some words have a colour. Everywhere
//! else, as in a pipe, the text stays as it is.
//!
//! A word is never cut, nor a command between two backquotes: one that is wider than the terminal has a line of its
//! own, which the terminal itself goes on with below, so that it is copied whole.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use console::{Term, measure_text_width};

use super::format::shortened;
use super::sanitize::escaped;
use super::wrap::{self, NARROWEST, with_option, wrap};
use crate::env::Environment;

/// The width of a terminal that does not say its own, as a serial console does not.
const DEFAULT_WIDTH: usize = 80;

/// What this process shows on a terminal: decided once, from the environment.
struct Wishes {
    home: String,
    colour: bool,
}

static WISHES: OnceLock<Wishes> = OnceLock::new();

/// The option with which this command was given a config, as a shell takes it.
static CONFIG: OnceLock<String> = OnceLock::new();

/// Learns from the environment what the home is and whether colours are wanted. Until then nothing is changed.
pub fn init(env: &Environment) {
    let home = env.var("HOME").and_then(std::ffi::OsStr::to_str).unwrap_or_default();
    let home = home.trim_end_matches('/').to_owned();
    _ = WISHES.set(Wishes { home, colour: env.wants_colour() });
}

/// Learns which config was given by `--config`: a command that is shown to be typed has it too.
pub fn use_config(option: Option<&Path>) {
    if let Some(path) = option {
        _ = CONFIG.set(format!("--config {}", escaped(&shims::quote(path.as_os_str()))));
    }
}

/// One of the two streams that people read.
#[derive(Clone, Copy)]
pub struct Screen {
    /// How wide the terminal is, if it is one.
    pub width: Option<usize>,
    /// Whether it is to be given colours.
    colour: bool,
    home: &'static str,
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ink {
    /// A title, or the names of columns.
    Heading,
    /// What went wrong.
    Error,
    /// What may be wrong.
    Warning,
    /// What is as it should be.
    Good,
    /// What matters less.
    Faint,
}

impl Ink {
    fn code(self) -> u8 {
        match self {
            Self::Heading => 1,
            Self::Error => 31,
            Self::Warning => 33,
            Self::Good => 32,
            Self::Faint => 2,
        }
    }
}

impl Screen {
    /// Standard output.
    pub fn stdout() -> Self {
        Self::of(&Term::stdout())
    }

    /// Standard error.
    pub fn stderr() -> Self {
        Self::of(&Term::stderr())
    }

    /// One that changes nothing, as a pipe is.
    pub const fn plain() -> Self {
        Self { width: None, colour: false, home: "" }
    }

    /// One of this width, without colours.
    #[cfg(test)]
    pub const fn wide(width: usize, home: &'static str) -> Self {
        Self { width: Some(width), colour: false, home }
    }

    fn of(term: &Term) -> Self {
        if !term.is_term() {
            return Self::plain();
        }
        let width = term.size_checked().map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns));
        let wishes = WISHES.get();
        Self {
            width: Some(width.max(NARROWEST)),
            colour: wishes.is_some_and(|wishes| wishes.colour),
            home: wishes.map_or("", |wishes| wishes.home.as_str()),
        }
    }

    /// Whether a person sees it.
    pub const fn is_terminal(self) -> bool {
        self.width.is_some()
    }

    /// Whether it is given colours.
    pub const fn has_colour(self) -> bool {
        self.colour
    }

    /// `text` in a colour, where colours are wanted. What is in `text` must be safe to print.
    pub fn paint(self, ink: Ink, text: &str) -> Cow<'_, str> {
        if self.colour && !text.is_empty() {
            Cow::Owned(format!("\x1b[{}m{text}\x1b[0m", ink.code()))
        } else {
            Cow::Borrowed(text)
        }
    }

    /// `text` with `~` for the home, wherever a word begins with it, before the quote of one that begins with a quote.
    /// Further within quotes and behind `=` it stays, where a shell would not read `~` as the home.
    pub fn tilde(self, text: &str) -> Cow<'_, str> {
        if self.width.is_none() { Cow::Borrowed(text) } else { shortened(text, self.home) }
    }

    /// One line as it is shown: with the home as `~`, broken between words, and `hang` spaces before what goes on in
    /// the lines below. No line break at its end.
    pub fn line(self, text: &str, hang: usize) -> String {
        let text = with_option(text, CONFIG.get());
        let Some(width) = self.width else { return text.into_owned() };
        let text = self.tilde(&text);
        if measure_text_width(&text) <= width || !text.trim().contains(' ') {
            return text.into_owned();
        }
        // Beside a long indentation there would be a column of single words.
        let hang = if hang + NARROWEST > width { 0 } else { hang };
        let shown = wrap(&text, width, hang).join("\n");
        // Behind a question the answer is typed.
        if text.ends_with(' ') { shown + " " } else { shown }
    }

    /// Text of several lines as it is shown; what goes on below a line is indented more. Indented lines below a colon are
    /// commands to be copied, and are left whole but for comments, as are numbered lines of a file with the mark below.
    pub fn text(self, text: &str) -> String {
        if self.width.is_none() {
            return with_option(text, CONFIG.get()).into_owned();
        }
        let mut shown = String::with_capacity(text.len());
        let mut are_commands = false;
        for line in text.split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            let indent = line.len() - line.trim_start().len();
            are_commands = if indent == 0 { line.ends_with(':') } else { are_commands };
            let hang = if indent == 0 { 0 } else { indent + 2 };
            let of_file = line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
            let is_command = indent > 0 && (are_commands || of_file.starts_with("| "));
            let line = if is_command { self.comments(&self.command(line)) } else { self.line(line, hang) };
            _ = write!(shown, "{line}{end}");
        }
        shown
    }

    /// A line to be copied, which stays whole.
    pub fn command(self, line: &str) -> String {
        self.tilde(&with_option(line, CONFIG.get())).into_owned()
    }

    /// A page of help, see [`wrap::help`].
    pub fn help(self, page: &str) -> String {
        match self.width.filter(|width| *width < DEFAULT_WIDTH) {
            Some(width) => wrap::help(page, width),
            None => page.to_owned(),
        }
    }

    /// Text in which only the comments are broken into lines, which are comments too.
    pub fn comments(self, text: &str) -> String {
        self.width.map_or_else(
            || text.to_owned(),
            |width| wrap::comments(text, width, |comment| self.tilde(comment)),
        )
    }

    /// A message with its help, under a prefix that has a colour. Lines of it that begin with a space are commands to
    /// be copied, and are left whole.
    pub fn message(self, ink: Ink, prefix: &str, text: &str) -> String {
        let text = format!("{prefix}{text}");
        if self.width.is_none() {
            return with_option(&text, CONFIG.get()).into_owned();
        }
        let mut lines = text
            .split('\n')
            .map(|line| if line.starts_with(' ') { self.command(line) } else { self.line(line, 2) });
        let first = lines.next().unwrap_or_default();
        let painted = match first.strip_prefix(prefix.trim_end()) {
            Some(rest) => format!("{}{rest}", self.paint(ink, prefix.trim_end())),
            None => first,
        };
        lines.fold(painted, |mut shown, line| {
            match line.strip_prefix("help:") {
                Some(rest) => _ = write!(shown, "\n{}{rest}", self.paint(Ink::Heading, "help:")),
                None => _ = write!(shown, "\n{line}"),
            }
            shown
        })
    }
}

/// Text whose commands have the option that names this program's config, where it was given.
pub fn with_config(text: &str) -> Cow<'_, str> {
    with_option(text, CONFIG.get())
}

/// Text with `~` for the home, as on a terminal, for a file that people read.
pub fn tilde(text: &str) -> Cow<'_, str> {
    shortened(text, WISHES.get().map_or("", |wishes| wishes.home.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_is_a_tilde_where_a_shell_reads_it_so() {
        let screen = Screen::wide(80, "/home/u");
        for (text, shown) in [
            ("/home/u", "~"),
            ("in /home/u/.config/x:3 (/home/u/a, `rm /home/u/b`)", "in ~/.config/x:3 (~/a, `rm ~/b`)"),
            ("rm '/home/u/a b' --to=/home/u/c", "rm ~/'a b' --to=/home/u/c"),
            ("`ls '/home/u/a b'` it's/home/u/c '/home/u'", "`ls ~/'a b'` it's/home/u/c '/home/u'"),
            ("/home/user/x /mnt/home/u/x", "/home/user/x /mnt/home/u/x"),
            ("/home/u/home/u", "~/home/u"),
        ] {
            assert_eq!(screen.tilde(text), shown);
            assert_eq!(Screen::plain().tilde(text), text);
        }
        assert_eq!(Screen::wide(80, "").tilde("/a"), "/a");
    }

    #[test]
    fn lines_are_broken_between_words_and_commands_stay_in_one() {
        let screen = Screen::wide(24, "");
        let shown = "  one two three four\n    five\nend\n";
        assert_eq!(screen.text("  one two three four five\nend\n"), shown);
        assert_eq!(
            screen.line("do try `agent-run doctor x` now", 2),
            "do try\n  `agent-run doctor x`\n  now"
        );
        assert_eq!(screen.line("run: `serve MODEL --parser P`", 2), "run:\n`serve MODEL --parser P`");
        let wide = "run\n  `serve MODEL --with-parser P`,\n  or do";
        assert_eq!(screen.line("run `serve MODEL --with-parser P`, or do", 2), wide);
        assert_eq!(
            screen.line("see ~/'a folder of mine/x', not it's", 0),
            "see\n~/'a folder of mine/x',\nnot it's"
        );
        let next = "next:\n  serve MODEL --with-parser P\nno\n  1 |   proxy: … and more\n";
        assert_eq!(screen.text(next), next);
        assert_eq!(
            screen.line("see /a/word/wider/than/the/terminal it", 0),
            "see\n/a/word/wider/than/the/terminal\nit"
        );
        assert_eq!(screen.line("a   b", 0), "a   b");
        assert_eq!(Screen::plain().text(&"x ".repeat(99)), "x ".repeat(99));
    }

    #[test]
    fn comments_are_broken_into_comments_and_the_rest_is_left() {
        let text = "  # one two three four five\n  key: a b c d e f g h i j k l m\n# end\n";
        let shown = "  # one two three four\n  # five\n  key: a b c d e f g h i j k l m\n# end\n";
        assert_eq!(Screen::wide(24, "").comments(text), shown);
        assert_eq!(Screen::plain().comments(text), text);
    }

    #[test]
    fn a_message_keeps_the_commands_below_its_help_whole() {
        let screen = Screen::wide(30, "");
        assert_eq!(
            screen.message(Ink::Error, "agent-run: ", "x is not on PATH\nhelp: add this line to ~/.profile:\n  export PATH=/a/b:\"$PATH\" and more words"),
            "agent-run: x is not on PATH\nhelp: add this line to\n  ~/.profile:\n  export PATH=/a/b:\"$PATH\" and more words"
        );
        let painted = Screen { colour: true, ..screen };
        assert_eq!(
            painted.message(Ink::Error, "agent-run: ", "no\nhelp: do"),
            "\x1b[31magent-run:\x1b[0m no\n\x1b[1mhelp:\x1b[0m do"
        );
    }
}
