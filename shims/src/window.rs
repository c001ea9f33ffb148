//! Windows: what is assumed where nobody states one, and how a larger one is asked for.

use crate::proxy::is_loopback;
use crate::{Launch, Message, quote};

/// What is assumed of a model whose window nobody states.
const REMOTE_WINDOW: u64 = 200_000;
const LOCAL_WINDOW: u64 = 65_536;

/// The window below which a coding agent cannot work: its own prompt and what it reserves for the answer fill it. Claude
/// Code may answer "Prompt is too long" to anything and send nothing: 24,000 is too few, 32,000 works (2.1.197).
pub const SMALLEST: u64 = 32_000;

/// The suffix by which a model is asked for with a window of 1,000,000 tokens. Only Claude Code knows it; no provider
/// has it in an id.
pub const LONG_CONTEXT: &str = "[1m]";

/// A model's id, and whether it was named with that suffix, in capitals or not, as Claude Code takes it.
pub fn split_long_context(named: &str) -> (&str, bool) {
    let at = named.len().saturating_sub(LONG_CONTEXT.len());
    match (named.get(..at), named.get(at..)) {
        (Some(id), Some(end)) if !id.is_empty() && end.eq_ignore_ascii_case(LONG_CONTEXT) => (id, true),
        _ => (named, false),
    }
}

impl Launch {
    /// The window that an agent is given where neither the config nor the model list says one. Local servers mostly
    /// serve less than a model could take.
    pub fn assumed_window(&self) -> u64 {
        if is_loopback(&self.base_url.value) { LOCAL_WINDOW } else { REMOTE_WINDOW }
    }

    /// That it is an assumption, and how to state the window.
    pub fn assumption(&self) -> Message {
        Message::new(
            format!(
                "the context window of {} is unknown; {} tokens are assumed",
                self.model.value.id,
                self.assumed_window()
            ),
            format!(
                "set `context_window` in `providers.{}.models` with `agent-run providers edit {}`",
                self.provider,
                quote(self.provider.as_ref())
            ),
        )
    }

    /// That the model's window is too small for an agent, and what to type.
    pub fn small_window(&self) -> Option<Message> {
        let model = &self.model.value;
        let window = model.context_window.filter(|&window| window > 0 && window < SMALLEST)?;
        Some(Message::new(
            format!(
                "{} has a window of {window} tokens, too small for a coding agent: about {SMALLEST} are \
                 needed, and longer requests fail or are cut",
                model.id
            ),
            self.wider_window(),
        ))
    }

    /// What to type where the model's window is too small.
    pub fn wider_window(&self) -> String {
        let name = &self.provider;
        if is_loopback(&self.base_url.value) {
            let name = crate::quote(name.as_ref());
            format!(
                "serve it with a larger window, then run `agent-run providers test {name} --update`; or choose \
                 another model with `--model`"
            )
        } else {
            format!(
                "choose another model with `--model`, or correct `context_window` in `providers.{name}.models`"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_for_a_long_context_is_no_part_of_an_id() {
        assert_eq!(split_long_context("x[1m]"), ("x", true));
        assert_eq!(split_long_context("x[1M]"), ("x", true));
        for plain in ["x", "[1m]", "", "x[1m]y", "ü"] {
            assert_eq!(split_long_context(plain), (plain, false));
        }
    }
}
