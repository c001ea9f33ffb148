//! Variables by prefix and suffix.

use std::ffi::OsStr;

use super::super::family::{FAMILY, SPARED, is_family};
use super::{Machine, is_unset, launch, plan};
use crate::inputs::matches;
use crate::judged::claude::{VARIABLE_CARRIED, VARIABLE_OWN};

/// The names that 2.1.332's own schema puts into its groups for credentials, routing, models and requests.
const NAMES: &str = include_str!("names.txt");

#[test]
fn every_name_that_could_move_a_launch_is_in_a_family_or_judged() {
    for name in NAMES.lines() {
        let spared = SPARED.iter().map(|(pattern, _)| pattern);
        let judged = spared.chain(VARIABLE_OWN).chain(VARIABLE_CARRIED).any(|pattern| matches(pattern, name));
        assert!(is_family(name) || judged, "{name} is in no family and nobody has judged it");
    }
    assert!(NAMES.lines().filter(|name| is_family(name)).count() > 150);
}

#[test]
fn every_spared_name_is_in_a_family_and_has_a_reason() {
    for (pattern, reason) in SPARED {
        let sample = pattern.replace('*', "LEGACY_MODEL_REMAP");
        assert!(FAMILY.iter().any(|family| matches(family, &sample)), "{pattern} spares nothing");
        assert!(!is_family(&sample) && !reason.is_empty(), "{pattern}");
    }
}

#[test]
fn a_launch_takes_families_out_of_the_environment_and_leaves_what_is_spared() {
    let gone = [
        "BUN_CONFIG_VERBOSE_FETCH",
        "BUN_OPTIONS",
        "CLAUDE_BG_CLAIM_AUTH",
        "CLAUDE_BRIDGE_BASE_URL",
        "CLAUDE_CODE_WORKFLOW_SUBAGENT_MODEL",
        "CLAUDE_CODE_SUBAGENT_MODEL_FORCE_NEW",
        "CLAUDE_CODE_GB_BASE_URL",
        "CLAUDE_CODE_HFI_BEARER_TOKEN",
        "CLAUDE_CODE_WEBSOCKET_AUTH_FILE_DESCRIPTOR",
        "CLAUDE_CODE_RUNNER_MODEL_SOCKET",
        "CLAUDE_CODE_MESSAGING_SOCKET_NEW",
        "CLAUDE_CODE_CHILD_NOTES_DIR",
        "CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS",
        "CLAUDE_CODE_EXTRA_METADATA",
        "CLAUDE_CODE_CONTAINER_ID",
        "CLAUDE_CODE_CLIENT_DATA_URL",
        "CLAUDE_PID",
        "CLAUDE_PROJECT_DIR",
        "CLAUDE_AGENT_SDK_VERSION",
        "SELF_HOSTED_RUNNER_AGENT_PROXY_URL",
        "CLAUDE_CODE_MOCK_REMOTE_SETTINGS",
        "CLAUDE_REMOTE_TOOLS_BRIDGE_URL",
        "SESSION_INGRESS_URL",
        "VOICE_STREAM_BASE_URL",
        "CLAUDE_CODE_USE_NEW_CLOUD",
        "CLAUDE_LOCAL_OAUTH_API_BASE",
        "AGENT_PROXY_URL",
        "ANTHROPIC_NEW_IN_2027",
        "CCR_UPSTREAM_PROXY_ENABLED",
    ];
    let stays = [
        "BUN_INSTALL",
        "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP",
        "CLAUDE_CODE_NO_MODEL_FALLBACK",
        "CLAUDE_CODE_SESSION_NAME",
        "CLAUDE_CODE_SHELL",
        "CLAUDE_CODE_MAX_RETRIES",
        "EDITOR",
    ];
    let machine =
        gone.iter().chain(&stays).fold(Machine::onboarded(), |machine, name| machine.var(name, "1"));
    let plan = plan(machine);
    for name in gone {
        assert!(is_unset(&plan, name), "{name}");
    }
    for name in stays {
        assert!(!plan.env.contains_key(OsStr::new(name)), "{name}");
    }
}

#[test]
fn the_same_families_guard_the_env_of_settings() {
    let names =
        ["BUN_CONFIG_VERBOSE_FETCH", "CLAUDE_CODE_WORKFLOW_SUBAGENT_MODEL", "CLAUDE_CODE_GB_BASE_URL"];
    for name in names {
        let settings = format!(r#"{{"env": {{"{name}": "x"}}}}"#);
        let plan = Machine::onboarded()
            .file(super::settings_override::LOCAL, settings)
            .plan(&launch())
            .expect("a plan");
        let held = serde_json::json!({"env": {name: ""}});
        assert_eq!(super::settings_override::guard(&plan), Some(held), "{name}");
    }
}
