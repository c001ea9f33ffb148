//! The variables that say which certificates are trusted.
//!
//! Once the provider is managed by the host, Claude Code 2.1.332 takes them from the environment alone: a company's
//! authority in the user's own settings is lost, and every request fails. 2.1.197 takes some from a project's
//! settings too, and sent the key to a server that nobody vouches for.

use super::found::FoundSettings;
use super::source::as_text;
use crate::judged::claude::VARIABLE_CARRIED as CARRIED;
use crate::{Message, Plan};

/// It is a secret, and a plan prints what it sets.
const PASSPHRASE: &str = "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE";

/// Whether the variable is the user's to set and no project's: what is trusted, and which config a launch within this one
/// reads.
pub fn is_users_own(name: &str) -> bool {
    CARRIED.contains(&name)
        || [PASSPHRASE, "AGENT_RUN_CONFIG", "NODE_TLS_REJECT_UNAUTHORIZED"].contains(&name)
}

/// Whether a user's own settings have it carried into the environment.
pub fn is_carried(name: &str) -> bool {
    CARRIED.contains(&name)
}

/// Puts what the user's own settings trust into the environment of the launch.
pub fn carry(found: &FoundSettings<'_>, plan: &mut Plan) {
    for source in found.users() {
        for (name, value) in source.env() {
            let text = as_text(value);
            if text.is_empty() || found.launch.extra_env.contains_key(name) {
                continue;
            }
            if is_carried(name) {
                plan.set(name, text.as_ref());
                plan.info(format!("{name} comes from env.{name} in {}", source.path.display()));
            } else if name == PASSPHRASE {
                let path = source.path.display();
                plan.warn(Message::new(
                    format!("{path} sets env.{name}, which Claude Code ignores in this launch"),
                    format!("set {name} in the environment instead"),
                ));
            }
        }
    }
}
