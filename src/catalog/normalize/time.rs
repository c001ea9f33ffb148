//! Times in lists: seconds, milliseconds, RFC 3339, bare dates.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::value::at;

/// Larger numbers are milliseconds (Poe): as seconds they would lie after the year 5000.
const LARGEST_SECONDS: i64 = 100_000_000_000;

/// When the model came out, in seconds since 1970; the epoch itself means unknown.
pub fn created(row: &Value) -> Option<i64> {
    ["created", "created_at"].iter().find_map(|path| seconds(at(row, path)?))
}

/// The day on which the model goes, as `YYYY-MM-DD`.
pub fn retires_at(row: &Value) -> Option<String> {
    const PATHS: [&str; 7] = [
        "shutdown_date",
        "retires_at",
        "expiration_date",
        "deprecation",
        "deprecation.inference",
        "deprecation_date",
        "model_info.deprecation_date",
    ];
    day(PATHS.iter().find_map(|path| seconds(at(row, path)?))?)
}

/// The UTC day of `seconds` since 1970, as `YYYY-MM-DD`.
pub fn day(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|time| time.strftime("%F").to_string())
}

fn seconds(value: &Value) -> Option<i64> {
    let seconds = match value {
        Value::Number(number) => {
            let number = number.as_i64().or_else(|| format!("{:.0}", number.as_f64()?).parse().ok())?;
            if number > LARGEST_SECONDS { number / 1000 } else { number }
        }
        Value::String(text) => stamp(text.trim())?,
        _ => return None,
    };
    (1..=LARGEST_SECONDS).contains(&seconds).then_some(seconds)
}

/// RFC 3339, or a date with or without a time, which is then taken for UTC.
fn stamp(text: &str) -> Option<i64> {
    let utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| utc().map(|zoned| zoned.timestamp())).map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_write_a_time_is_one_number() {
        for value in [
            json!(1_795_000_000),
            json!(1_795_000_000_000_i64),
            json!("2026-11-18T11:06:40Z"),
            json!("2026-11-18T11:06:40.123456Z"),
            json!("2026-11-18T13:06:40+02:00"),
            json!("2026-11-18 09:06:40-0200"),
        ] {
            assert_eq!(seconds(&value), Some(1_795_000_000), "{value}");
        }
    }

    #[test]
    fn what_is_no_time_stays_unknown() {
        for value in [
            json!(0),
            json!(-5),
            json!("1970-01-01T00:00:00Z"),
            json!("yesterday"),
            json!(""),
            json!("2026-13-01"),
            json!("2026-01-01T99:00:00Z"),
            json!(true),
            json!(1e300),
            json!([]),
        ] {
            assert_eq!(seconds(&value), None, "{value}");
        }
    }

    #[test]
    fn the_end_of_a_model_is_a_day() {
        assert_eq!(retires_at(&json!({"shutdown_date": "2026-12-11"})).as_deref(), Some("2026-12-11"));
        assert_eq!(
            retires_at(&json!({"deprecation": "2027-01-31T12:00:00Z"})).as_deref(),
            Some("2027-01-31")
        );
        assert_eq!(
            retires_at(&json!({"deprecation": {"inference": 1_795_000_000}})).as_deref(),
            Some("2026-11-18")
        );
        assert_eq!(retires_at(&json!({"shutdown_date": null})), None);
    }
}
