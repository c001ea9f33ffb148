//! The variables that Codex and its SDKs listen to: families, not names, because each version brings more.

pub use crate::judged::codex::{VARIABLE_REMOVED as FAMILY, VARIABLE_SPARED as SPARED};

/// Whether a dotenv file that sets the variable takes the launch with it: Codex reads it from there too.
/// Names that begin with `CODEX_` it takes from no such file (seen in 0.171).
pub fn stops_codex(name: &str) -> bool {
    const STARTS: [&str; 4] =
        ["OPENAI_IDENTITY_", "OPENAI_FEDERATION_", "OPENAI_SPIFFE_", "OPENAI_WORKLOAD_"];
    STARTS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spared_is_a_member_of_the_family_and_names_no_provider() {
        for &(name, reason) in SPARED {
            assert!(FAMILY.iter().any(|pattern| crate::inputs::matches(pattern, name)), "{name}");
            assert!(!reason.is_empty());
            assert!(
                !["BASE_URL", "API_KEY", "MODEL", "HOME"].iter().any(|part| name.contains(part)),
                "{name}"
            );
        }
    }
}
