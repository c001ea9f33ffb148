//! Rows for people, aligned and short; and for programs, separated by tabs and exact.

use std::io::{self, Write};
use std::time::Duration;

/// One column.
pub struct Column {
    /// What stands above it, for people.
    pub title: &'static str,
    /// Whether it holds numbers.
    pub right: bool,
}

/// A column of text.
pub const fn text(title: &'static str) -> Column {
    Column { title, right: false }
}

/// A column of numbers.
pub const fn number(title: &'static str) -> Column {
    Column { title, right: true }
}

/// Writes rows as a table for people.
pub fn aligned(out: &mut impl Write, columns: &[Column], rows: &[Vec<String>]) -> io::Result<()> {
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    let length = |text: &String| text.chars().count();
    let all = || std::iter::once(&titles).chain(rows);
    let widths: Vec<usize> = (0..columns.len())
        .map(|index| all().map(|row| length(&row[index])).max().unwrap_or_default())
        .collect();
    for row in all() {
        let mut line = String::new();
        for ((cell, column), width) in row.iter().zip(columns).zip(&widths) {
            let space = " ".repeat(width - length(cell));
            let (left, right) =
                if column.right { (space.as_str(), cell.as_str()) } else { (cell.as_str(), space.as_str()) };
            line.extend([left, right, "  "]);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Writes rows for programs: one line each, cells between tabs, no titles.
pub fn separated(out: &mut impl Write, rows: &[Vec<String>]) -> io::Result<()> {
    rows.iter().try_for_each(|row| writeln!(out, "{}", row.join("\t")))
}

/// A number of tokens for people: `1M`, `200k`, `32768` as `33k`.
pub fn tokens(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..999_500 => format!("{}k", (count + 500) / 1_000),
        _ => format!("{}.{}M", (count + 50_000) / 1_000_000, (count + 50_000) / 100_000 % 10)
            .replace(".0M", "M"),
    }
}

/// A length of time for people.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_round_numbers() {
        for (count, text) in [
            (448, "448"),
            (32_768, "33k"),
            (131_072, "131k"),
            (999_499, "999k"),
            (999_500, "1M"),
            (1_000_000, "1M"),
            (1_048_576, "1M"),
            (1_050_000, "1.1M"),
            (2_000_000, "2M"),
        ] {
            assert_eq!(tokens(count), text);
        }
        assert_eq!(age(Duration::from_secs(59)), "59 s");
        assert_eq!(age(Duration::from_hours(12)), "12 h");
        assert_eq!(age(Duration::from_hours(49)), "2 d");
    }

    #[test]
    fn columns_line_up_without_trailing_space() {
        let rows = [vec!["long id".to_owned(), "7".to_owned(), String::new()]];
        let mut out = Vec::new();
        aligned(&mut out, &[text("id"), number("tokens"), text("tools")], &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "id       tokens  tools\nlong id       7\n");
    }
}
