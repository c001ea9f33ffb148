//! Rows for people, no wider than their terminal; and for programs, separated by tabs and exact.

use std::fmt::Write as _;
use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Table, Width};
use console::measure_text_width;

use super::sanitize::escaped;
use super::screen::{Ink, Screen};

/// The space between two columns.
const GAP: usize = 2;

/// How far a column is shortened when all that may be left out is left out.
const SHORTEST: usize = 4;

/// One column.
pub struct Column {
    title: &'static str,
    is_number: bool,
    /// Where space is short, the column with the highest rank is left out first; one with 0 never is.
    rank: u8,
    is_whole: bool,
}

impl Column {
    /// As this one, whose values are copied and so not shortened: one that is too wide has a line of its own, above
    /// the rest of its row. Only the first column can be so.
    pub const fn whole(self) -> Self {
        Self { is_whole: true, ..self }
    }

    /// As this one, and left out where space is short: the highest rank first.
    pub const fn left_out(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// A column of text, which may go on in the line below between two words.
pub const fn text(title: &'static str) -> Column {
    Column { title, is_number: false, rank: 0, is_whole: false }
}

/// A column of numbers.
pub const fn number(title: &'static str) -> Column {
    Column { title, is_number: true, rank: 0, is_whole: false }
}

/// Rows as a table for people, with a sentence on what was left out. What is in the rows is made safe to print.
pub fn aligned(columns: &[Column], rows: &[Vec<String>], screen: Screen) -> String {
    let width = screen.width.unwrap_or(usize::MAX);
    let titles = columns.iter().map(|column| column.title.to_owned()).collect();
    // What is escaped is wider than it was; and a tab has no width.
    let clean = |cell: &String| screen.tilde(&escaped(cell)).replace('\t', " ");
    let rows = rows.iter().map(|row| row.iter().map(clean).collect());
    let mut lines: Vec<Vec<String>> = std::iter::once(titles).chain(rows).collect();
    let layout = Layout::of(columns, &lines, width);
    let is_shortened = layout.shorten(columns, &mut lines, width);
    let mut text = String::new();
    for (at, line) in layout.lines(columns, &mut lines).iter().enumerate() {
        let line = line.trim_end();
        _ = writeln!(text, "{}", if at == 0 { screen.paint(Ink::Heading, line) } else { line.into() });
    }
    let left_out: Vec<_> = layout.left_out.iter().map(|&index| columns[index].title).collect();
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        notes.push(format!("Not shown at this width: {}.", left_out.join(", ")));
    }
    if is_shortened {
        notes.push("Values with … are shortened.".to_owned());
    }
    if !notes.is_empty() {
        notes.push("Use a wider terminal or --json to see everything.".to_owned());
        _ = writeln!(text, "\n{}", screen.line(&notes.join(" "), 0));
    }
    text
}

/// Writes rows for programs: one line each, a tab between two values, no titles.
pub fn separated(out: &mut impl Write, rows: &[Vec<String>]) -> io::Result<()> {
    rows.iter().try_for_each(|row| writeln!(out, "{}", row.join("\t")))
}

/// The width in columns of a terminal, of which a Chinese character takes two.
fn width_of(text: &str) -> usize {
    text.lines().map(measure_text_width).max().unwrap_or_default()
}

/// A word that is too wide, without its middle: the ends of an id say most.
fn shortened(word: &str, width: usize) -> String {
    if measure_text_width(word) <= width {
        return word.to_owned();
    }
    let space = width.saturating_sub(1);
    let fitting = |chars: &mut dyn Iterator<Item = char>, most: usize| -> Vec<char> {
        let mut used = 0;
        chars
            .take_while(|c| {
                used += measure_text_width(c.encode_utf8(&mut [0; 4]));
                used <= most
            })
            .collect()
    };
    let head = fitting(&mut word.chars(), space - space / 2);
    let tail = fitting(&mut word.chars().rev(), space / 2);
    head.into_iter().chain(['…']).chain(tail.into_iter().rev()).collect()
}

/// Which columns are shown, and how wide.
struct Layout {
    /// Their indices and widths.
    shown: Vec<(usize, usize)>,
    left_out: Vec<usize>,
}

impl Layout {
    fn of(columns: &[Column], lines: &[Vec<String>], width: usize) -> Self {
        let widest = |index: usize, of: &dyn Fn(&str) -> usize| {
            lines.iter().map(|line| of(&line[index])).max().unwrap_or_default()
        };
        let natural: Vec<usize> = (0..columns.len()).map(|index| widest(index, &width_of)).collect();
        let word = |text: &str| text.split_whitespace().map(measure_text_width).max().unwrap_or_default();
        let needed = |index: usize| match &columns[index] {
            column if column.is_number => natural[index],
            // A few that are wider than all others must not take the place of the other columns.
            column if column.is_whole => usual(lines, index).min(width / 2).max(width_of(column.title)),
            // Rather than in more than two lines it is left out.
            column if column.rank > 0 => widest(index, &in_two_lines),
            _ => widest(index, &word),
        };
        let mut shown: Vec<_> = (0..columns.len()).map(|index| (index, needed(index))).collect();
        let mut left_out = Vec::new();
        while total(&shown) > width {
            let next = (0..shown.len()).max_by_key(|&at| columns[shown[at].0].rank).unwrap_or_default();
            if columns[shown[next].0].rank == 0 {
                break;
            }
            left_out.push(shown.remove(next).0);
        }
        left_out.sort_unstable();
        // What must be shown is shortened where it is widest.
        while total(&shown) > width {
            let widest = shown.iter_mut().filter(|(index, _)| !columns[*index].is_number);
            match widest.max_by_key(|(_, width)| *width) {
                Some((_, widest)) if *widest > SHORTEST => *widest -= 1,
                _ => break,
            }
        }
        // What is left goes to those that would take more than one line, the one that lacks least first.
        let mut spare = width.saturating_sub(total(&shown));
        let mut short: Vec<_> = shown.iter_mut().filter(|(index, width)| *width < natural[*index]).collect();
        short.sort_by_key(|(index, width)| natural[*index] - *width);
        for (index, width) in short {
            let more = spare.min(natural[*index] - *width);
            (*width, spare) = (*width + more, spare - more);
        }
        Self { shown, left_out }
    }

    /// Shortens the words that are wider than their column, or than the terminal; says whether there were any.
    fn shorten(&self, columns: &[Column], lines: &mut [Vec<String>], terminal: usize) -> bool {
        let mut is_shortened = false;
        for line in lines {
            for &(index, width) in &self.shown {
                let width = if columns[index].is_whole { terminal } else { width };
                if line[index].split_whitespace().any(|word| measure_text_width(word) > width) {
                    let words = line[index].split(' ').map(|word| shortened(word, width));
                    line[index] = words.collect::<Vec<_>>().join(" ");
                    is_shortened = true;
                }
            }
        }
        is_shortened
    }

    /// The table's lines. What must stay whole and is wider than its column stands above its row.
    fn lines(&self, columns: &[Column], lines: &mut [Vec<String>]) -> Vec<String> {
        let first = self.shown.first().filter(|(at, _)| columns[*at].is_whole).copied();
        let mut text: Vec<String> = Vec::new();
        let mut print = |rows: &[Vec<String>], above: Option<String>| {
            if !rows.is_empty() {
                text.extend(self.table(columns, rows).trim_fmt().lines().map(str::to_owned));
            }
            text.extend(above);
        };
        let mut from = 0;
        for at in 0..lines.len() {
            if let Some((index, width)) = first
                && width_of(&lines[at][index]) > width
            {
                let whole = std::mem::take(&mut lines[at][index]);
                print(&lines[from..at], Some(whole));
                let is_empty = self.shown.iter().all(|(index, _)| lines[at][*index].is_empty());
                from = at + usize::from(is_empty);
            }
        }
        print(&lines[from..], None);
        text
    }

    fn table(&self, columns: &[Column], lines: &[Vec<String>]) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.add_rows(
            lines.iter().map(|line| self.shown.iter().map(|(index, _)| &line[*index]).collect::<Vec<_>>()),
        );
        for (at, &(index, width)) in self.shown.iter().enumerate() {
            constrain(&mut table, at, width, if at + 1 < self.shown.len() { GAP } else { 0 });
            if let Some(column) = table.column_mut(at).filter(|_| columns[index].is_number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// How wide a text is at least in two lines.
fn in_two_lines(text: &str) -> usize {
    let spaces = text.match_indices(' ').map(|(at, _)| at);
    let halves = spaces.map(|at| width_of(&text[..at]).max(width_of(text[at..].trim_start())));
    halves.min().unwrap_or_else(|| width_of(text))
}

/// How wide four of five values of a column are at most.
fn usual(lines: &[Vec<String>], index: usize) -> usize {
    let mut widths: Vec<_> = lines.iter().skip(1).map(|line| width_of(&line[index])).collect();
    widths.sort_unstable();
    widths.get(widths.len().saturating_sub(1) * 4 / 5).copied().unwrap_or_default()
}

fn total(shown: &[(usize, usize)]) -> usize {
    shown.iter().map(|(_, width)| width).sum::<usize>() + GAP * shown.len().saturating_sub(1)
}

/// Makes a column exactly so wide; comfy-table (8.0) counts its padding in.
fn constrain(table: &mut Table, at: usize, width: usize, gap: usize) {
    let fixed = |width: usize| u16::try_from(width).unwrap_or(u16::MAX);
    if let Some(column) = table.column_mut(at) {
        column.set_padding((0, fixed(gap)));
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(fixed(width.max(1) + gap))));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(columns: &[Column], rows: &[&[&str]], width: usize) -> String {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect();
        aligned(columns, &rows, Screen::wide(width, ""))
    }

    #[test]
    fn columns_line_up_without_trailing_space() {
        let columns = [text("id"), number("tokens"), text("tools")];
        assert_eq!(
            printed(&columns, &[&["long id", "7", ""]], 80),
            "id       tokens  tools\nlong id       7\n"
        );
        assert_eq!(printed(&columns, &[], 80), "id  tokens  tools\n");
    }

    #[test]
    fn a_wide_character_takes_two_columns_and_what_drives_a_terminal_is_made_visible_before_it_is_measured() {
        let columns = [text("id"), number("n")];
        assert_eq!(
            printed(&columns, &[&["模型", "1"], &["\u{1b}", "20"], &["a\tb", "3"]], 80),
            "id       n\n模型     1\n\\u001b  20\na b      3\n"
        );
    }

    #[test]
    fn where_space_is_short_lines_are_broken_then_columns_left_out_then_words_shortened() {
        let columns = [text("id"), text("words").left_out(1), number("count").left_out(2)];
        let row: &[&[&str]] = &[&["an-id", "one two three", "1000"]];
        assert_eq!(printed(&columns, row, 27), "id     words          count\nan-id  one two three   1000\n");
        assert_eq!(
            printed(&columns, row, 24),
            "id     words       count\nan-id  one two      1000\n       three\n"
        );
        // Three lines would be too many.
        let narrow = printed(&columns, &[&["a-wide-id", "one two three four five six", "1"]], 22);
        assert!(narrow.starts_with("id\na-wide-id\n\nNot shown"), "{narrow}");
        let left_out = printed(&columns, row, 16);
        assert!(
            left_out.starts_with("id     words\nan-id  one two\n       three\n\nNot shown at"),
            "{left_out}"
        );
        assert!(left_out.replace('\n', " ").contains("width: count. Use a wider"), "{left_out}");
        let shortened = printed(&columns, row, 4);
        assert!(shortened.starts_with("id\nan…d\n\n"), "{shortened}");
        assert!(shortened.replace('\n', " ").contains("with … are"), "{shortened}");
    }

    #[test]
    fn one_wide_id_stands_above_its_row_and_leaves_the_columns_where_they_are() {
        let columns = [text("id").whole(), number("context").left_out(1), text("flags")];
        let rows: &[&[&str]] = &[
            &["a", "1", "x"],
            &["an-id-that-is-much-too-wide", "2", ""],
            &["b", "3", "y"],
            &["other-wide-words-here", "", ""],
            &["c", "4", ""],
            &["d", "5", ""],
            &["e", "6", ""],
            &["f", "7", ""],
            &["g", "8", ""],
        ];
        assert_eq!(
            printed(&columns, rows, 30),
            "id              context  flags\na                     1  x\nan-id-that-is-much-too-wide\n                      2\n\
             b                     3  y\nother-wide-words-here\nc                     4\nd                     5\n\
             e                     6\nf                     7\ng                     8\n"
        );
        assert_eq!(printed(&columns, &[&["a-single-id-as-wide-as-that", "1", "x"]], 31).lines().count(), 3);
        assert_eq!(shortened("an-id-of-2026", 8), "an-i…026");
        assert_eq!(shortened("模型模型", 5), "模…型");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_no_word_is_broken(
            rows in proptest::collection::vec(proptest::collection::vec("([a-z模é]{0,9} ?){0,4}", 4), 0..5),
            width in 30_usize..60,
        ) {
            let columns = [text("a"), text("b").left_out(1), number("c").left_out(2), text("d").left_out(3)];
            let out = aligned(&columns, &rows, Screen::wide(width, ""));
            let is_broken = |word: &str| {
                !rows.iter().flatten().flat_map(|cell| cell.split_whitespace()).any(|whole| whole == word)
            };
            let (table, _) = out.split_once("\n\n").unwrap_or((&out, ""));
            for line in out.lines() {
                prop_assert!(measure_text_width(line) <= width, "{line}");
            }
            for word in table.lines().skip(1).flat_map(str::split_whitespace) {
                prop_assert!(word.contains('…') || !is_broken(word), "{word} in\n{out}");
            }
        }
    }
}
