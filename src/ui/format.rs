//! Numbers, lengths of time and paths as people read them.

use std::borrow::Cow;
use std::time::Duration;

/// A number of tokens for people: `1M`, `200k`, `32768` as `33k`.
pub fn tokens(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..999_500 => format!("{}k", (count + 500) / 1_000),
        _ => format!("{}.{}M", (count + 50_000) / 1_000_000, (count + 50_000) / 100_000 % 10)
            .replace(".0M", "M"),
    }
}

/// A number of things: `1 model`, `2 models`.
pub fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A price in US dollars for a million tokens, for people; 0 is a price, and unknown is not.
pub fn price(price: Option<f64>) -> String {
    match price {
        None => String::new(),
        Some(0.0) => "free".to_owned(),
        // No vendor's: written out, it would fill the line with zeros.
        Some(price) if price >= 1e6 => format!("{price:e}"),
        Some(price) if price >= 0.001 => {
            let text = format!("{price:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Some(price) => price.to_string(),
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

/// Text with `~` for the home, wherever a word begins with it, be it in quotes.
pub fn shortened<'a>(text: &'a str, home: &str) -> Cow<'a, str> {
    // The words of a command are written to the config as they are, and no shell reads them.
    if home.len() < 2 || !text.contains(home) || text.contains("key_command: [") {
        return Cow::Borrowed(text);
    }
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(home) {
        let (before, from) = rest.split_at(at);
        let after = &from[home.len()..];
        short.push_str(before);
        let begins = |text: &str| {
            let last = text.chars().next_back();
            last.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '`' | '[' | '>'))
        };
        let ends = after.chars().next().is_none_or(|c| c == '/' || c.is_whitespace() || ",;:)`]".contains(c));
        rest = after;
        // A shell reads `~` as the home outside of quotes only.
        if let (Some(outside), Some(inside)) = (short.strip_suffix('\''), after.strip_prefix('/'))
            && begins(outside)
        {
            short.pop();
            // What is below the home may need no quotes.
            rest = match inside.split_once('\'') {
                Some((below, behind)) if !below.is_empty() && shims::quote(below.as_ref()) == below => {
                    short.push_str("~/");
                    short.push_str(below);
                    behind
                }
                _ => {
                    short.push_str("~/'");
                    inside
                }
            };
        } else {
            short.push_str(if begins(&short) && ends { "~" } else { home });
        }
    }
    short.push_str(rest);
    Cow::Owned(short)
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
        let prices = [None, Some(0.0), Some(3.0), Some(0.27), Some(0.1 + 0.2), Some(0.000_5), Some(1e300)];
        assert_eq!(prices.map(price), ["", "free", "3", "0.27", "0.3", "0.0005", "1e300"]);
        assert_eq!(age(Duration::from_secs(59)), "59 s");
        assert_eq!(age(Duration::from_hours(12)), "12 h");
        assert_eq!(age(Duration::from_hours(49)), "2 d");
    }

    #[test]
    fn the_words_of_a_command_are_shown_as_they_are_written() {
        for (text, shown) in [
            ("stored in /home/u/k", "stored in ~/k"),
            ("key_command: [cat, /home/u/k]", "key_command: [cat, /home/u/k]"),
        ] {
            assert_eq!(shortened(text, "/home/u"), shown);
        }
        for (text, shown) in [
            ("a  '/a b/.cache/x y'  (new)", "a  ~/'.cache/x y'  (new)"),
            ("a  '/a b/.cache/x'  (new)", "a  ~/.cache/x  (new)"),
            ("'/a b/", "~/'"),
        ] {
            assert_eq!(shortened(text, "/a b"), shown);
        }
    }
}
