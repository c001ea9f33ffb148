//! A page in roff, and what pages are made of.

use std::fmt::Write;

use clap_mangen::roff::{Inline, Roff, bold, roman};

/// Text with parts in backquotes, which are set in bold.
pub fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) }).collect()
}

pub fn heading(roff: &mut Roff, page: &str, section: &str, name: &str, title: &str) {
    let version = concat!("agent-run ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [page, section, "", version, title]);
    // Commands and keys are not broken, and no line is filled up with blanks.
    roff.control("nh", []).control("ad", ["l"]);
    roff.control("SH", ["NAME"]).text([roman(name)]);
}

pub fn section(roff: &mut Roff, title: &str) {
    roff.control("SH", [title]);
}

/// Paragraphs; the first needs no break before it.
pub fn paragraphs(roff: &mut Roff, texts: &[&str]) {
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text(inlines(text));
    }
}

pub fn item(roff: &mut Roff, term: Vec<Inline>, text: &str) {
    roff.control("TP", []).text(term).text(inlines(text));
}

/// Columns beside the indents of a page and of a line that goes on, on a terminal of 80.
pub const WIDTH: usize = 71;

/// Lines as they are. Where one is too wide, all come closer to their explanations, or the command goes on below.
pub fn literal(roff: &mut Roff, lines: &[&str]) {
    let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let gap = " ".repeat(widest.saturating_sub(WIDTH));
    roff.control("EX", []);
    for line in lines {
        let line = match line.find("   ").filter(|_| !line.starts_with(' ')) {
            Some(at) if !gap.is_empty() => format!("{}{}", &line[..at], line[at..].replacen(&gap, "", 1)),
            _ => (*line).to_owned(),
        };
        // Between two words, and never within quotes.
        let is_outside = |at: usize| line[..at].matches('\'').count().is_multiple_of(2);
        let blanks = line.char_indices().take(WIDTH - 2);
        let blanks = blanks.filter(|&(at, letter)| letter == ' ' && is_outside(at));
        match blanks.last().filter(|_| line.chars().count() > WIDTH) {
            Some((at, _)) => {
                let (first, rest) = line.split_at(at);
                roff.text([roman(format!("{first} \\"))]).text([roman(format!("  {rest}"))]);
            }
            None => _ = roff.text([roman(line)]),
        }
    }
    roff.control("EE", []);
}

pub fn see_also(roff: &mut Roff, pages: &str) {
    section(roff, "SEE ALSO");
    roff.text([roman(pages)]);
}

/// The page's text, in lines of at most 80 bytes where nothing literal is longer.
pub fn source(roff: &Roff) -> String {
    let mut page = String::new();
    for line in roff.render().lines() {
        let mut rest = line;
        while rest.len() > 80 && !rest.starts_with('.') {
            // A dot or an apostrophe at the start of a line would be a request.
            let is_break =
                |at: &usize| rest[at + 1..].starts_with(|c: char| c != '.' && c != '\'' && c != ' ');
            let Some(at) =
                rest.match_indices(' ').map(|(at, _)| at).filter(is_break).take_while(|at| *at <= 80).last()
            else {
                break;
            };
            _ = writeln!(page, "{}", &rest[..at]);
            rest = &rest[at + 1..];
        }
        _ = writeln!(page, "{rest}");
    }
    // An empty date, which `Roff` leaves out (1.1.1); the same sources make the same page.
    page.replacen("  \"agent-run ", " \"\" \"agent-run ", 1)
}
