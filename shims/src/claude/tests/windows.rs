//! The model's window, known or not, and the switch that keeps Claude Code from adding a larger one.

use super::settings_override::{LOCAL, USER, guard};
use super::{Machine, is_unset, launch, set};
use crate::{Launch, Note, Plan, Tiers};

const NO_MILLION: &str = "CLAUDE_CODE_DISABLE_1M_CONTEXT";
const WINDOW: &str = "CLAUDE_CODE_MAX_CONTEXT_TOKENS";
const COMPACTION: &str = "CLAUDE_CODE_AUTO_COMPACT_WINDOW";

fn of(id: &str, window: Option<u64>) -> Launch {
    let mut launch = launch();
    launch.model.value.id = id.to_owned();
    launch.model.value.context_window = window;
    let tier = || id.to_owned();
    launch.tiers = Tiers { opus: tier(), sonnet: tier(), haiku: tier(), subagent: tier() };
    launch
}

fn at(launch: &Launch, settings: &str) -> Plan {
    Machine::onboarded().file(USER, settings).plan(launch).expect("a plan")
}

fn assumed(plan: &Plan) -> bool {
    plan.notes.iter().any(|note| matches!(note, Note::Info(text) if text.render().contains("are assumed")))
}

/// The table of issue row C6: window × id × the model of the user's settings.
#[test]
fn the_larger_window_is_off_where_it_is_needed_and_does_no_harm() {
    let windows = [Some(65_536), Some(200_000), Some(262_144), Some(1_000_000), None];
    let settings =
        [r#"{"model": "opus"}"#, r#"{"model": "sonnet"}"#, "{}", r#"{"model": "claude-opus-4-1"}"#];
    for window in windows {
        for (id, is_known) in [
            ("m-main", false),
            ("deepseek-flash", false),
            ("claude-opus-4-8", true),
            ("anthropic/claude-sonnet-5", true),
            ("Claude-Haiku-4-5", true),
        ] {
            for (at_settings, settings) in settings.iter().enumerate() {
                let is_rewritten = matches!(at_settings, 0 | 3);
                // One of unknown window counts with 200,000.
                let is_small = window.unwrap_or(200_000) <= 200_000;
                let expected = (!is_known && (is_small || is_rewritten)).then(|| "1".to_owned());
                let plan = at(&of(id, window), settings);
                assert_eq!(set(&plan, NO_MILLION), expected, "{id} {window:?} {settings}");
                let mut long = of(id, window);
                long.long_context.insert(id.to_owned());
                assert_eq!(set(&at(&long, settings), NO_MILLION), None, "{id}[1m] {window:?} {settings}");
            }
        }
    }
}

#[test]
fn a_tier_or_a_word_that_names_a_model_of_its_own_keeps_the_larger_window() {
    let mut tier = of("m-main", Some(200_000));
    tier.tiers.sonnet = "claude-sonnet-5".to_owned();
    assert_eq!(set(&at(&tier, "{}"), NO_MILLION), None);
    for words in [&["--model", "claude-opus-4-8"][..], &["--model=sonnet[1m]"]] {
        let mut word = of("m-main", Some(200_000));
        word.args = words.iter().map(Into::into).collect();
        assert_eq!(set(&at(&word, "{}"), NO_MILLION), None, "{words:?}");
    }
    let project = Machine::onboarded().file(LOCAL, r#"{"model": "opus"}"#);
    let plan = project.plan(&of("m-main", Some(262_144))).expect("a plan");
    assert_eq!(set(&plan, NO_MILLION), None, "only the user's own file is rewritten");
}

#[test]
fn a_window_that_nobody_knows_is_assumed_and_said_to_be() {
    let remote = at(&of("m-main", None), "{}");
    assert_eq!(set(&remote, WINDOW).as_deref(), Some("200000"));
    assert_eq!(set(&remote, COMPACTION).as_deref(), Some("200000"));
    assert!(assumed(&remote));
    let mut local = of("m-main", None);
    local.base_url.value = "http://127.0.0.1:8080".to_owned();
    let local = at(&local, "{}");
    assert_eq!(set(&local, WINDOW).as_deref(), Some("65536"));
    assert_eq!(set(&local, COMPACTION).as_deref(), Some("100000"));
    let known = at(&of("m-main", Some(131_072)), "{}");
    assert!(!assumed(&known));
    // Of its own models Claude Code knows the window.
    let its_own = at(&of("claude-opus-4-8", None), "{}");
    assert!(is_unset(&its_own, WINDOW) && is_unset(&its_own, COMPACTION) && !assumed(&its_own));
}

#[test]
fn what_the_user_says_of_a_window_that_nobody_knows_stays() {
    let env = r#"{"env": {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": "150000"}}"#;
    let compaction = at(&of("m-main", None), env);
    assert_eq!(set(&compaction, COMPACTION).as_deref(), Some("150000"));
    assert!(guard(&compaction).is_none_or(|guard| guard["env"].is_null()), "{:?}", compaction.args);
    for own in [
        r#"{"autoCompactWindow": 150000}"#,
        r#"{"modelSettings": {"m-main": {"autoCompactWindow": 150000}}}"#,
    ] {
        assert!(is_unset(&at(&of("m-main", None), own), COMPACTION), "{own}");
        assert_eq!(
            set(&at(&of("m-main", Some(131_072)), own), COMPACTION).as_deref(),
            Some("131072"),
            "{own}"
        );
    }
    let window = at(&of("m-main", None), r#"{"env": {"CLAUDE_CODE_MAX_CONTEXT_TOKENS": 262144}}"#);
    assert_eq!(set(&window, WINDOW).as_deref(), Some("262144"));
    assert_eq!(set(&window, COMPACTION).as_deref(), Some("262144"));
    assert_eq!(set(&window, NO_MILLION), None, "it is larger than 200,000");
    assert!(!assumed(&window));
    let inherited = Machine::onboarded().var(COMPACTION, "150000").plan(&of("m-main", None)).expect("a plan");
    assert_eq!(set(&inherited, COMPACTION).as_deref(), Some("200000"), "it may be about another model");
    let project = Machine::onboarded().file(LOCAL, env).plan(&of("m-main", None)).expect("a plan");
    assert_eq!(set(&project, COMPACTION).as_deref(), Some("200000"), "a project does not choose it");
}

#[test]
fn a_long_context_is_asked_for_by_the_suffix() {
    let mut long = of("m-main", None);
    long.long_context.insert("m-main".to_owned());
    let plan = at(&long, "{}");
    for name in ["ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_OPUS_MODEL", "CLAUDE_CODE_SUBAGENT_MODEL"] {
        assert_eq!(set(&plan, name).as_deref(), Some("m-main[1m]"), "{name}");
    }
    assert_eq!(set(&plan, COMPACTION).as_deref(), Some("1000000"));
    assert!(is_unset(&plan, WINDOW) && !assumed(&plan));
    long.model.value.context_window = Some(262_144);
    let stated = at(&long, "{}");
    assert_eq!(set(&stated, COMPACTION).as_deref(), Some("262144"), "what is served is less");
    assert_eq!(set(&stated, WINDOW).as_deref(), Some("262144"));
    assert_eq!(set(&stated, "ANTHROPIC_MODEL").as_deref(), Some("m-main[1m]"));
    let mut claudes = of("claude-sonnet-4-6", Some(200_000));
    claudes.long_context.insert("claude-sonnet-4-6".to_owned());
    let claudes = at(&claudes, "{}");
    assert_eq!(set(&claudes, COMPACTION).as_deref(), Some("1000000"), "the list does not know of the wish");
    assert!(is_unset(&claudes, WINDOW));
    for plan in [plan, stated, claudes] {
        assert_eq!(set(&plan, NO_MILLION), None);
    }
}
