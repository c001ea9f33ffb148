//! Prices: many units, one answer in US dollars for a million tokens.
//!
//! Decimal texts are shifted as text, so that `"0.0000017"` for a token is 1.7 for a million and not
//! 1.6999999999999997.

use serde_json::Value;

use super::value::at;

/// Input, output and cached input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prices {
    pub input: Option<f64>,
    pub output: Option<f64>,
    pub cached_input: Option<f64>,
}

/// What a number at some place means.
#[derive(Clone, Copy)]
enum Unit {
    /// Ten-thousandths of a dollar for a million tokens, as whole numbers (xAI, Novita).
    TenThousandths,
    /// Dollars for one token.
    PerToken,
    /// Dollars for a million tokens.
    PerMillion,
    /// A text is dollars for one token (`OpenRouter`), a number dollars for a million (Together, Chutes).
    ByType,
}
use Unit::{ByType, PerMillion, PerToken, TenThousandths};

const INPUT: &[(&str, Unit)] = &[
    ("prompt_text_token_price", TenThousandths),
    ("input_token_price_per_m", TenThousandths),
    ("input_price", PerToken),
    ("model_info.input_cost_per_token", PerToken),
    ("input_cost_per_token", PerToken),
    ("model_spec.pricing.input.usd", PerMillion),
    ("pricing.prompt", ByType),
    ("pricing.input", ByType),
];
const OUTPUT: &[(&str, Unit)] = &[
    ("completion_text_token_price", TenThousandths),
    ("output_token_price_per_m", TenThousandths),
    ("output_price", PerToken),
    ("model_info.output_cost_per_token", PerToken),
    ("output_cost_per_token", PerToken),
    ("model_spec.pricing.output.usd", PerMillion),
    ("pricing.completion", ByType),
    ("pricing.output", ByType),
];
const CACHED_INPUT: &[(&str, Unit)] = &[
    ("cached_prompt_text_token_price", TenThousandths),
    ("cached_price", PerToken),
    ("model_info.cache_read_input_token_cost", PerToken),
    ("cache_read_input_token_cost", PerToken),
    ("model_spec.pricing.cache_input.usd", PerMillion),
    ("pricing.input_cache_read", ByType),
    ("pricing.input_cache_reads", ByType),
    ("pricing.cache_read", ByType),
    ("pricing.cached_input", ByType),
];

impl Prices {
    /// What `row` states; `live` is the first working provider behind it, for a router's list.
    pub fn of(row: &Value, live: Option<&Value>) -> Self {
        let price = |paths| first(row, paths).or_else(|| first(live?, paths));
        Self { input: price(INPUT), output: price(OUTPUT), cached_input: price(CACHED_INPUT) }
    }

    /// Whether input and output are stated as free.
    pub fn are_zero(self) -> bool {
        self.input == Some(0.0) && self.output.is_none_or(|output| output == 0.0)
    }
}

/// The first place that holds a price settles it, even when it says "variable" (`-1`).
fn first(row: &Value, paths: &[(&str, Unit)]) -> Option<f64> {
    let (value, unit) = paths.iter().find_map(|(path, unit)| Some((at(row, path)?, *unit)))?;
    dollars(value, unit)
}

fn dollars(value: &Value, unit: Unit) -> Option<f64> {
    let (number, is_text) = match value {
        Value::Number(number) => (number.as_f64()?, false),
        Value::String(text) => (text.trim().trim_start_matches('$').trim().parse().ok()?, true),
        _ => return None,
    };
    let exponent = match unit {
        TenThousandths => -4,
        PerToken => 6,
        ByType if is_text => 6,
        PerMillion | ByType => 0,
    };
    let shifted: f64 = format!("{number}e{exponent}").parse().ok()?;
    // `-0` is a zero that would print with a sign.
    (shifted.is_finite() && shifted >= 0.0).then_some(shifted.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_unit_becomes_dollars_for_a_million() {
        for (row, input, output) in [
            (json!({"pricing": {"prompt": "0.0000017", "completion": "8.5e-6"}}), 1.7, 8.5),
            (json!({"pricing": {"prompt": "$0.00000055", "completion": "$0.00000219"}}), 0.55, 2.19),
            (json!({"pricing": {"input": 0.15, "output": 0.6}}), 0.15, 0.6),
            (json!({"pricing": {"prompt": 0.15, "completion": "0.0000006"}}), 0.15, 0.6),
            (json!({"prompt_text_token_price": 20_000, "completion_text_token_price": 150_000}), 2.0, 15.0),
            (json!({"input_token_price_per_m": 2700, "output_token_price_per_m": 11_000}), 0.27, 1.1),
            (json!({"input_price": 3e-7, "output_price": 0.000_001_2}), 0.3, 1.2),
            (json!({"model_info": {"input_cost_per_token": 2e-6, "output_cost_per_token": 1e-5}}), 2.0, 10.0),
            (json!({"model_spec": {"pricing": {"input": {"usd": 0.7}, "output": {"usd": 2.8}}}}), 0.7, 2.8),
        ] {
            let prices = Prices::of(&row, None);
            assert_eq!((prices.input, prices.output), (Some(input), Some(output)), "{row}");
        }
    }

    #[test]
    fn what_is_no_price_stays_unknown() {
        for prompt in [
            json!("-1"),
            json!(-1),
            json!(""),
            json!("abc"),
            json!("NaN"),
            json!("inf"),
            json!(true),
            json!({}),
        ] {
            assert_eq!(Prices::of(&json!({"pricing": {"prompt": prompt}}), None), Prices::default());
        }
        assert_eq!(Prices::of(&json!({"pricing": null}), None), Prices::default());
    }

    #[test]
    fn a_router_is_priced_by_its_live_provider() {
        let live = json!({"pricing": {"input": 0.2, "output": 0.8}});
        assert_eq!(Prices::of(&json!({}), Some(&live)).output, Some(0.8));
    }
}
