//! The commands of Hermes that a launch refuses: what they do would be lost with the launch's home, or would reach the
//! user's own through its links unseen.

use std::path::Path;

use crate::Message;
use crate::print::quote;

const BACKUP: &str = "would save the home of this launch, without your sessions, memories and skills";
const CONVERT: &str = "would back up and convert the home of this launch, not your own";
const ELSEWHERE: &str = "would write to the home of this launch, where other launches do not look";
const LOGINS: &str = "would change the logins of this launch alone, and could change your own `.env`";
const PROFILES: &str = "would act on the profiles of this launch, where `-p` does not look";
const REMOVE: &str = "would remove Hermes and the home of this launch, but not your own";
const SETTINGS: &str =
    "would change settings that the next launch replaces, and could change your own `.env`";

/// Commands (Hermes 0.19), what of them only reads or changes what is the user's in any case, and why the rest is
/// refused. `""` is the command without a word.
const COMMANDS: [(&str, &[&str], &str); 25] = [
    ("auth", &["list", "status"], LOGINS),
    ("backup", &[], BACKUP),
    ("bundles", &["", "list", "reload", "show"], ELSEWHERE),
    ("claw", &[], SETTINGS),
    ("config", &["", "check", "env-path", "get", "path", "show"], SETTINGS),
    // A prompt for most of these commands.
    ("console", &[], SETTINGS),
    ("fallback", &["", "list", "ls"], SETTINGS),
    ("import", &[], ELSEWHERE),
    ("login", &[], LOGINS),
    ("logout", &[], LOGINS),
    ("mcp", &["catalog", "list", "login", "ls", "reauth", "serve", "test"], SETTINGS),
    // The memories themselves are linked.
    ("memory", &["", "reset", "status"], SETTINGS),
    ("migrate", &[], SETTINGS),
    ("moa", &["", "list", "ls"], SETTINGS),
    ("model", &[], SETTINGS),
    ("pets", &["doctor", "list", "show"], ELSEWHERE),
    ("plugins", &["list", "ls", "update"], SETTINGS),
    ("portal", &["info", "open", "status", "tools"], LOGINS),
    ("profile", &[], PROFILES),
    ("secrets", &["bitwarden status", "bw status", "onepassword status", "op status"], SETTINGS),
    ("setup", &[], SETTINGS),
    ("tools", &["--summary", "list", "post-setup"], SETTINGS),
    ("uninstall", &[], REMOVE),
    ("update", &["--check"], CONVERT),
    ("webhook", &["list", "ls", "test"], ELSEWHERE),
];

/// Of other commands, the words that are refused; `""` is any.
const PARTS: [(&str, &[&str], &str); 7] = [
    ("acp", &["--setup"], SETTINGS),
    ("dashboard", &["register"], SETTINGS),
    ("doctor", &["--fix"], SETTINGS),
    ("gateway", &["enroll", "setup"], SETTINGS),
    ("skills", &["config", "opt-in", "opt-out"], SETTINGS),
    ("whatsapp", &[""], SETTINGS),
    ("whatsapp-cloud", &[""], SETTINGS),
];

/// What a launch says to these words instead of running them. `typed` are the words that name the user's own home for
/// plain Hermes.
pub fn refusal(words: &[String], options: &[String], typed: &str) -> Option<Message> {
    let (command, rest) = words.split_first()?;
    // Hermes takes the beginning of an option for it.
    let has = |option: &str| {
        options.iter().any(|seen| seen == option || seen.len() > 2 && option.starts_with(&**seen))
    };
    if has("-h") || has("--help") {
        return None;
    }
    let is = |said: &&str| match *said {
        "" => rest.is_empty(),
        option if option.starts_with('-') => rest.is_empty() && has(option),
        said => said.split(' ').eq(rest.iter().take(said.split(' ').count())),
    };
    let whole = COMMANDS.iter().find(|(name, reads, _)| name == command && !reads.iter().any(is));
    let part = || {
        PARTS.iter().find(|(name, writes, _)| {
            name == command && writes.iter().any(|said| said.is_empty() || is(said))
        })
    };
    let (_, _, why) = whole.or_else(part)?;
    Some(Message::new(
        format!("`hermes {command}` {why}"),
        format!("run plain `{typed} {command}`, without agent-run"),
    ))
}

/// What to type for plain Hermes to act on the home that this launch mirrors.
pub fn plain(profile: Option<&str>, isolated: Option<&Path>) -> String {
    match (isolated, profile) {
        (Some(home), _) => format!("HERMES_HOME={} hermes", quote(home.as_os_str())),
        (None, Some(profile)) => format!("hermes -p {profile}"),
        (None, None) => "hermes".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> Option<String> {
        let (options, words): (Vec<_>, Vec<_>) =
            line.split(' ').map(str::to_owned).partition(|word| word.starts_with('-'));
        refusal(&words, &options, "hermes").map(|message| message.render())
    }

    #[test]
    fn what_would_be_lost_or_reach_the_users_home_is_refused() {
        for line in [
            "acp --setup",
            "auth add openrouter",
            "auth remove openrouter 1",
            "backup -o",
            "config set OPENROUTER_API_KEY x",
            "config set path show",
            "doctor --fi",
            "doctor --fix",
            "gateway setup",
            "import b.zip",
            "mcp",
            "mcp add x",
            "profile create pp",
            "profile list",
            "secrets bitwarden setup",
            "secrets bw",
            "setup --non-interactive",
            "tools",
            "update",
            "whatsapp",
        ] {
            let said = refused(line).expect(line);
            let command = line.split(' ').next().unwrap_or_default();
            assert!(said.starts_with(&format!("`hermes {command}` would ")), "{said}");
            assert!(
                said.ends_with(&format!("\nhelp: run plain `hermes {command}`, without agent-run")),
                "{said}"
            );
        }
        for line in [
            "auth list",
            "chat -q setup",
            "config",
            "config get path",
            "cron list",
            "doctor",
            "gateway run",
            "mcp ls",
            "memory reset -y",
            "secrets op status",
            "sessions export out",
            "setup --help",
            "skills install x",
            "tools --summary",
            "update --check",
        ] {
            assert_eq!(refused(line), None, "{line}");
        }
    }

    #[test]
    fn what_to_type_names_the_home_that_is_meant() {
        assert_eq!(plain(None, None), "hermes");
        assert_eq!(plain(Some("work"), None), "hermes -p work");
        assert_eq!(plain(Some("work"), Some(Path::new("/s/h x"))), "HERMES_HOME='/s/h x' hermes");
    }
}
