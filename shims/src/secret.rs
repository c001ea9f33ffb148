//! Names that nobody outside this machine can guess.
//!
//! A project's files can name any variable and any provider id that they can guess. So the variable that carries
//! the key, and the provider's id inside an agent, end in digits that come from a secret of this machine.

use crate::short_hash;

/// What is made from a secret that was made on this machine and never leaves it: each [`Suffix`], since a plan asks for
/// them many times.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct MachineSecret(Option<[u64; 2]>);

/// What a suffix is for. Suffixes differ by use, so that one that can be seen, such as an id in a session file,
/// tells nothing about another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suffix {
    /// For variables that carry a key or a header.
    Variable,
    /// For the id of a provider inside an agent.
    ProviderId,
}

impl MachineSecret {
    /// The secret itself.
    pub fn new(bytes: [u8; 16]) -> Self {
        let purposes: [&[u8]; 2] = [b"variable", b"provider id"];
        Self(Some(purposes.map(|purpose| short_hash([&bytes, purpose].concat()) >> 32)))
    }

    /// Eight hex digits, always the same on one machine. Before the secret is made, as in a dry run on a new
    /// machine, a placeholder of that length.
    pub fn suffix(self, purpose: Suffix) -> String {
        self.0.map_or_else(|| "xxxxxxxx".to_owned(), |all| format!("{:08x}", all[purpose as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_stable_and_differ_by_use_and_machine() {
        let here = MachineSecret::new([1; 16]);
        assert_eq!(here.suffix(Suffix::Variable), here.suffix(Suffix::Variable));
        assert_ne!(here.suffix(Suffix::Variable), here.suffix(Suffix::ProviderId));
        assert_ne!(here.suffix(Suffix::Variable), MachineSecret::new([2; 16]).suffix(Suffix::Variable));
        let is_hex = |suffix: &str| suffix.len() == 8 && suffix.chars().all(|c| c.is_ascii_hexdigit());
        assert!(is_hex(&here.suffix(Suffix::ProviderId)));
        assert_eq!(MachineSecret::default().suffix(Suffix::Variable), "xxxxxxxx");
    }
}
