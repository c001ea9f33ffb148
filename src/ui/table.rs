//! Rows for people, no wider than their terminal; and for programs, separated by tabs and exact.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Table, Width};
use console::{Term, measure_text_width, truncate_str};

use super::sanitize::escaped;

/// The width of a terminal that does not say its own, as a serial console does not.
const DEFAULT_WIDTH: usize = 80;

/// The space between two columns.
const GAP: usize = 2;

/// Sentences are made no narrower than that.
const NARROWEST: usize = 20;

/// How far a column is shortened when all that may be left out is left out.
const SHORTEST: usize = 4;

/// One column.
pub struct Column {
    title: &'static str,
    is_number: bool,
    /// Where space is short, the column with the highest rank is left out first; one with 0 never is.
    rank: u8,
}

impl Column {
    /// As this one, and left out where space is short: the highest rank first.
    pub const fn left_out(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// A column of text, which may go on in the line below between two words.
pub const fn text(title: &'static str) -> Column {
    Column { title, is_number: false, rank: 0 }
}

/// A column of numbers.
pub const fn number(title: &'static str) -> Column {
    Column { title, is_number: true, rank: 0 }
}

/// The width of the terminal that standard output is, if it is one.
pub fn terminal_width() -> Option<usize> {
    let stdout = Term::stdout();
    let width = || stdout.size_checked().map_or(DEFAULT_WIDTH, |(_, columns)| usize::from(columns));
    stdout.is_term().then(width)
}

/// Writes rows as a table for people, none of its lines wider than `width`, with a sentence on what was left out.
pub fn aligned(
    out: &mut impl Write,
    columns: &[Column],
    rows: &[Vec<String>],
    width: usize,
) -> io::Result<()> {
    let titles = columns.iter().map(|column| column.title.to_owned()).collect();
    // What is escaped is wider than it was; and a tab has no width.
    let clean = |cell: &String| escaped(cell).replace('\t', " ");
    let rows = rows.iter().map(|row| row.iter().map(clean).collect());
    let mut lines: Vec<Vec<String>> = std::iter::once(titles).chain(rows).collect();
    let layout = Layout::of(columns, &lines, width);
    let is_shortened = layout.shorten(&mut lines);
    for line in layout.table(columns, &lines).trim_fmt().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    let left_out: Vec<_> = layout.left_out.iter().map(|&index| columns[index].title).collect();
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        notes.push(format!("Left out at this width: {}.", left_out.join(", ")));
    }
    if is_shortened {
        notes.push("What ends in … is shortened.".to_owned());
    }
    if !notes.is_empty() {
        notes.push("A wider terminal or --json shows all.".to_owned());
        writeln!(out)?;
        paragraph(&notes.join(" "), width.max(NARROWEST))
            .iter()
            .try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
}

/// Writes rows for programs: one line each, a tab between two values, no titles.
pub fn separated(out: &mut impl Write, rows: &[Vec<String>]) -> io::Result<()> {
    rows.iter().try_for_each(|row| writeln!(out, "{}", row.join("\t")))
}

/// The lines of a text that is broken between words; within one only where it is wider than `width` by itself.
pub fn paragraph(text: &str, width: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(NOTHING).add_row([text]);
    constrain(&mut table, 0, width, 0);
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The width in columns of a terminal, of which a Chinese character takes two.
pub fn width_of(text: &str) -> usize {
    text.lines().map(measure_text_width).max().unwrap_or_default()
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
        let needed = |index: usize| {
            if columns[index].is_number { natural[index] } else { widest(index, &word) }
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

    /// Shortens the words that are wider than their column; says whether there were any.
    fn shorten(&self, lines: &mut [Vec<String>]) -> bool {
        let mut is_shortened = false;
        for line in lines {
            for &(index, width) in &self.shown {
                if line[index].split_whitespace().any(|word| measure_text_width(word) > width) {
                    let words = line[index].split(' ').map(|word| truncate_str(word, width, "…"));
                    line[index] = words.collect::<Vec<_>>().join(" ");
                    is_shortened = true;
                }
            }
        }
        is_shortened
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
        let mut out = Vec::new();
        aligned(&mut out, columns, &rows, width).expect("written");
        String::from_utf8(out).expect("text")
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
        let left_out = printed(&columns, row, 16);
        assert!(
            left_out.starts_with("id     words\nan-id  one two\n       three\n\nLeft out at this"),
            "{left_out}"
        );
        assert!(left_out.replace('\n', " ").contains("width: count. A wider"), "{left_out}");
        let shortened = printed(&columns, row, 4);
        assert!(shortened.starts_with("id\nan-…\n\n"), "{shortened}");
        assert!(shortened.replace('\n', " ").contains("ends in …"), "{shortened}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_no_word_is_broken(
            rows in proptest::collection::vec(proptest::collection::vec("([a-z模é]{0,9} ?){0,4}", 4), 0..5),
            width in 30_usize..60,
        ) {
            let columns = [text("a"), text("b").left_out(1), number("c").left_out(2), text("d").left_out(3)];
            let mut out = Vec::new();
            aligned(&mut out, &columns, &rows, width).expect("written");
            let out = String::from_utf8(out).expect("text");
            let is_broken = |word: &str| {
                !rows.iter().flatten().flat_map(|cell| cell.split_whitespace()).any(|whole| whole == word)
            };
            let (table, _) = out.split_once("\n\n").unwrap_or((&out, ""));
            for line in out.lines() {
                prop_assert!(measure_text_width(line) <= width, "{line}");
            }
            for word in table.lines().skip(1).flat_map(str::split_whitespace) {
                prop_assert!(word.ends_with('…') || !is_broken(word), "{word} in\n{out}");
            }
        }
    }
}
