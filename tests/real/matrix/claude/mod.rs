//! Claude Code: settings on four levels, policies, leftovers of switchers, and what runs in the background.

mod around;
mod settings;

use super::{Subject, cases};

pub const CLAUDE: Subject = Subject {
    agent: "claude",
    protocol: "anthropic",
    words: &["-p", "say hello to everyone"],
    vars: &[],
    its_own: &[".claude.json", ".config.json"],
};

cases! { CLAUDE,
    user_settings project_settings local_settings settings_of_every_level_at_once
    the_env_of_the_state_file the_state_file_of_old_versions settings_of_another_config_folder
    a_helper_for_keys a_fallback_model an_unbeatable_socket background_agents_allowed
    dotenvs inherited_variables the_clouds_variables telemetrys_variables
    leftovers_of_cc_switch leftovers_of_claude_code_router leftovers_of_ccs
    proxies_in_capitals proxies_in_small_letters proxies_before_a_far_provider proxies_in_settings
    a_managed_policy a_folder_of_policies a_policy_with_a_helper a_policy_with_headers a_policy_from_afar
    a_policy_that_denies_the_model a_policy_of_other_providers
    a_key_of_the_console_login headers_beside_a_key_of_the_console_login an_mcp_server_that_wants_the_key
    a_hostile_project commands_and_skills_with_models
    exporters_of_telemetry hooks_and_a_status_line a_hook_that_wants_the_key
    a_nested_session background_modes a_saved_login
}

/// What settings could say to route elsewhere, as far as `env` goes.
fn env(proxies: bool) -> serde_json::Value {
    let more = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"];
    let vars = super::hostile::hostile("claude", VARIABLES);
    let vars = vars.into_iter().filter(|(name, _)| !UNBEATABLE.contains(&&**name));
    let proxies = more.iter().filter(|_| proxies).map(|name| ((*name).to_owned(), super::PROXY.to_owned()));
    vars.chain(proxies).map(|(name, value)| (name, value.into())).collect::<serde_json::Map<_, _>>().into()
}

/// Refused by name; a case of its own has it.
const UNBEATABLE: &[&str] = &["ANTHROPIC_UNIX_SOCKET"];

/// Beyond the family: what 2.1.197 has in its text, and what the clouds' SDKs listen to.
const VARIABLES: &[&str] = &[
    "AGENT_PROXY_AUTH_TOKEN",
    "AGENT_PROXY_URL",
    "ANTHROPIC_AWS_BASE_URL",
    "ANTHROPIC_BEDROCK_BASE_URL",
    "ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
    "ANTHROPIC_CUSTOM_MODEL_OPTION",
    "ANTHROPIC_FOUNDRY_API_KEY",
    "ANTHROPIC_FOUNDRY_BASE_URL",
    "ANTHROPIC_VERTEX_BASE_URL",
    "CCR_AGENT_PROXY_ENABLED",
    "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY",
    "CLAUDE_CODE_GB_BASE_URL",
    "CLAUDE_CODE_HOST_AUTH_ENV_VAR",
    "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
    "CLAUDE_CODE_SKIP_VERTEX_AUTH",
    "FALLBACK_FOR_ALL_PRIMARY_MODELS",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "SESSION_INGRESS_URL",
    "VOICE_STREAM_BASE_URL",
];

/// Settings in which everything leads elsewhere.
fn hostile_settings() -> String {
    serde_json::json!({
        "env": env(true), "model": "m-other", "apiKeyHelper": format!("echo {}", super::STRAY),
        "availableModels": ["m-other"], "agent": "pinned", "advisorModel": "m-other",
        "forceLoginMethod": "console", "awsAuthRefresh": "false", "gcpAuthRefresh": "false",
        "modelOverrides": {"m-main": "m-other"},
    })
    .to_string()
}

/// An agent of the user's with a model of its own.
const PINNED: &str = "---\nname: pinned\ndescription: d\nmodel: m-other\n---\nyou\n";

mod plant {
    pub use super::around::*;
    pub use super::settings::*;
}
