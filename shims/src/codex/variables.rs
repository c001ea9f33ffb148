//! The variables that Codex and its SDKs listen to: families, not names, because each version brings more.

/// All that could choose a provider, a key, an account or a folder.
///
/// `OPENAI_IDENTITY_TOKEN_FILE`, `OPENAI_FEDERATION_RULE_ID`, `OPENAI_SPIFFE_*` and
/// `OPENAI_WORKLOAD_IDENTITY_CONTEXT` end every launch of 0.171 with exit code 1.
pub const FAMILY: [&str; 6] =
    ["AGENT_RUN_CODEX_*", "AGENT_RUN_NO_PROVIDER", "AZURE_OPENAI_*", "CHATGPT_*", "CODEX_*", "OPENAI_*"];

/// Variables of the family that are inherited all the same, each with the reason.
pub const SPARED: [(&str, &str); 9] = [
    ("CODEX_CA_CERTIFICATE", "the user's company's certificate, without which no provider is reached"),
    ("CODEX_EXEC_SERVER_URL", "the user's word on where tools run; no request of the model's goes there"),
    (
        "CODEX_GITHUB_PERSONAL_ACCESS_TOKEN",
        "a key for GitHub's MCP server, which the user's own config names",
    ),
    ("CODEX_NON_INTERACTIVE", "whether the installer asks"),
    ("CODEX_TUI_DISABLE_KEYBOARD_ENHANCEMENT", "a switch of the terminal interface"),
    ("CODEX_TUI_RECORD_SESSION", "a switch of the terminal interface"),
    ("CODEX_TUI_SESSION_LOG_PATH", "where the terminal interface keeps its log"),
    ("CODEX_APPLY_PATCH_PRESERVE_LINE_ENDINGS", "a switch of one tool"),
    ("CODEX_APP_SERVER_LOG_FORMAT", "how a log is written"),
];

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
        for (name, reason) in SPARED {
            assert!(FAMILY.iter().any(|pattern| crate::inputs::matches(pattern, name)), "{name}");
            assert!(!reason.is_empty());
            assert!(
                !["BASE_URL", "API_KEY", "MODEL", "HOME"].iter().any(|part| name.contains(part)),
                "{name}"
            );
        }
    }
}
