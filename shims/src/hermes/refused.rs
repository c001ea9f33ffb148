//! The commands of Hermes that a launch refuses: what they do would be lost with the launch's home, or would reach the
//! user's own through its links unseen.

use std::path::Path;

use anyhow::{Result, bail};

use super::argv::HermesArgs;
use super::settings::{AUTO_RESUME, CHATS_LIST};
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
    // Its options take words, which may come first.
    let registers = |said: &str| command == "dashboard" && rest.iter().any(|word| word == said);
    let part = || {
        PARTS.iter().find(|(name, writes, _)| {
            name == command && writes.iter().any(|said| said.is_empty() || is(said) || registers(said))
        })
    };
    let (_, _, why) = whole.or_else(part)?;
    Some(Message::new(
        format!("`hermes {command}` {why}"),
        format!("run plain `{typed} {command}`, without agent-run"),
    ))
}

impl HermesArgs {
    /// Refuses the gateway where nobody knows which provider `/model` left a chat with: Hermes would send the key there.
    pub fn check_chats(&self, typed: &str, lifted: &[&str]) -> Result<()> {
        if self.runs_gateway() && lifted.contains(&CHATS_LIST) {
            bail!(Message::new(
                format!(
                    "the administrator sets `{CHATS_LIST}`, so a chat that /model gave to another provider would send this launch's key there"
                ),
                format!(
                    "ask the administrator to remove it, or run plain `{typed} gateway`, without agent-run"
                )
            ));
        }
        Ok(())
    }

    /// Refuses what may open a session of another launch or of plain Hermes by the URL that it was recorded with: Hermes
    /// sends the key of its settings there (0.19). `prefers_tui` where something else than the words may ask for the TUI, and
    /// `lifted` is what an administrator sets against the launch.
    pub fn check_sessions(&self, typed: &str, prefers_tui: bool, lifted: &[&str]) -> Result<()> {
        let asks = |options: &[&str]| self.has_any(options) || self.has_any(&["-h", "--help"]);
        let serves = match self.command() {
            Some("acp") => !asks(&["--check", "--setup-browser", "--version"]),
            Some("dashboard" | "serve") => !asks(&["--status", "--stop"]),
            Some("desktop" | "gui") => !asks(&["--build-only"]),
            _ => false,
        };
        if let Some(command) = self.command().filter(|_| serves) {
            bail!(Message::new(
                format!(
                    "`hermes {command}` opens a session by the URL it was recorded with, and would send this launch's key there"
                ),
                format!(
                    "set `isolated: true` for the provider, or run plain `{typed} {command}`, without agent-run"
                )
            ));
        }
        // A name may be several words, which look like a command.
        let resumes = self.may_say("resume", Some('r')) || self.may_say("continue", Some('c'));
        let browses = self.starts_with(["sessions", "browse"]);
        let opens_last = self.chats() && lifted.contains(&AUTO_RESUME);
        let is_tui = self.may_say("tui", None) || (prefers_tui && !self.is_oneshot());
        if is_tui && (resumes || browses || opens_last) && !asks(&["--cli"]) {
            bail!(Message::new(
                "Hermes' TUI opens a session by the URL it was recorded with, and would send this launch's key there",
                "use `--cli`, or set `isolated: true` for the provider"
            ));
        }
        Ok(())
    }
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
    use super::super::tests::{inputs, launch, settled};
    use super::*;
    use crate::Launch;

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
            "dashboard 80 register",
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

    #[test]
    fn what_may_open_a_session_by_its_recorded_url_is_refused() {
        for args in [
            &["acp"][..],
            &["serve", "--port", "0"],
            &["dashboard"],
            &["gui"],
            &["--mod", "x", "serve"],
            &["--provider", "custom", "--usage", "x", "acp"],
            &["-wm", "x", "acp"],
            &["-wms", "serve", "dashboard"],
            &["-c", "my", "session", "acp"],
            &["-c", "my", "project", "acp"],
            &["-c", "- m", "acp"],
            &["-c", "-v q", "acp"],
            &["chat", "--tui", "-c", "-xh y"],
            &["-r", "my", "session", "-t", "web", "acp"],
            &["--", "serve"],
            &["--tui", "-c"],
            &["chat", "--tui", "-r", "x"],
            &["--tui", "-rabc"],
            &["--tu", "--resum", "abc"],
            &["--tui", "--cont"],
            &["--tui", "-c", "my", "session"],
        ] {
            let error =
                HermesArgs::of(&launch(args)).check_sessions("hermes", false, &[]).expect_err("refused");
            assert!(Message::of(&error).render().contains("\nhelp: "), "{args:?}");
        }
        let by_settings =
            [&["-c"][..], &["sessions", "browse"], &["--resume", "my", "project"], &["-z", "", "-c"]];
        for args in by_settings {
            assert!(HermesArgs::of(&launch(args)).check_sessions("hermes", true, &[]).is_err(), "{args:?}");
        }
        assert!(HermesArgs::of(&launch(&["-z", "hi", "-c"])).check_sessions("hermes", true, &[]).is_ok());
        for args in [
            &["acp", "--check"][..],
            &["serve", "--stop"],
            &["serve", "--help"],
            &["--tui"],
            &["-c"],
            &["-c", "acp"],
            &["--mod", "acp"],
            &["-sw", "--he", "acp"],
            &["chat", "-q", "acp"],
        ] {
            assert!(HermesArgs::of(&launch(args)).check_sessions("hermes", false, &[]).is_ok(), "{args:?}");
        }
        assert!(HermesArgs::of(&launch(&["--cl", "-c"])).check_sessions("hermes", true, &[]).is_ok());
        assert!(HermesArgs::of(&launch(&["sessions", "list"])).check_sessions("hermes", true, &[]).is_ok());
    }

    #[test]
    fn sessions_are_opened_by_their_recorded_url_in_an_isolated_home_alone() {
        let planned = |launch: &Launch, name: &str, text: &str| {
            let mut inputs = inputs();
            inputs
                .facts
                .insert(std::path::Path::new("/home/u/.hermes").join(name), crate::Fact::File(text.into()));
            crate::Plan::of(&super::super::Hermes, launch, &settled(launch, inputs))
        };
        let acp = |isolated| planned(&Launch { isolated, ..launch(&["acp"]) }, ".env", "").is_ok();
        assert!(acp(true) && !acp(false));
        for (name, text) in [
            (".env", "HERMES_TUI=1\n"),
            ("config.yaml", "display: {interface: TUI}\n"),
            ("config.yaml", "display: {interface: '${MY_UI}'}\n"),
        ] {
            assert!(planned(&launch(&["--continue"]), name, text).is_err(), "{name}");
            assert!(planned(&launch(&["--cli", "--continue"]), name, text).is_ok(), "{name}");
        }
    }
}
