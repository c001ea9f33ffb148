//! Texts and roles that Codex would send or print.

use super::*;

#[test]
fn a_setting_that_has_codex_send_what_is_no_file_is_refused() {
    let own = "/h/.codex/config.toml";
    let project = "/w/.codex/config.toml";
    let fallback = "project_doc_fallback_filenames = ['x.md']";
    for (place, text, args, sent) in [
        (project, "model_instructions_file = '/proc/self/environ'", "", "/proc/self/environ"),
        (project, "experimental_compact_prompt_file = './q/../x'", "", "/w/.codex/x"),
        (project, "model_instructions_file = 'fd/../x'", "", "/w/.codex/fd/../x"),
        (project, "model_instructions_file = '~//p/./x'", "", "/h/p/x"),
        (project, "model_instructions_file = '~root/x'", "", "/w/.codex/~root/x"),
        (project, "[agents.r]\nconfig_file = 'x'", "", "/w/.codex/x"),
        (project, r#"project_doc_fallback_filenames = ["\u00a0x.md\t"]"#, "", "/w/x.md"),
        (project, fallback, "", "/w/x.md"),
        (project, fallback, "exec --cd sub hi", "/w/sub/x.md"),
        ("/w/.codex/agents/r.toml", "model_instructions_file = 'x'", "", "/w/.codex/agents/x"),
        (own, fallback, "", "/w/x.md"),
        (own, "model_instructions_file = '~/x'", "", "/h/x"),
        (own, "model_instructions_file = '../x'", "", "/s/codex-shared/x"),
        (own, "[agents.r]\nconfig_file = '~/x'", "", "/h/x"),
        (own, "project_root_markers = ['.hg']", "", "/AGENTS.md"),
        (own, "project_root_markers = ['.hg']", "", "/.codex/agents"),
        ("/h/.codex/w.config.toml", "model_instructions_file = 'x'", "-p w", "/h/.codex/x"),
        (CONFIG, fallback, "", "/w/x.md"),
        ("/etc/codex/config.toml", fallback, "", "/w/x.md"),
        (own, "", "-c model_instructions_file=x", "/w/x"),
        (own, "", "exec -C /else -c model_instructions_file=x hi", "/else/x"),
        (own, "", "-c model_instructions_file=/dev/fd/63", "/dev/fd/63"),
        (own, "", "-c agents.r.config_file=x", "/w/x"),
    ] {
        let launch = Launch { args: args.split_whitespace().map(Into::into).collect(), ..launch() };
        let mut machine = machine(&[("/w/.codex/agents", ""), (place, text)]);
        machine.facts.insert(sent.into(), Fact::File(b"text".to_vec()));
        assert!(plan(&launch, &machine).is_ok(), "{text} {args}");
        machine.facts.insert(sent.into(), Fact::Stream);
        let refused = plan(&launch, &machine).map(|_| ()).expect_err(text);
        let message = Message::of(&refused).render();
        let by = if text.is_empty() { "your own -c" } else { place };
        assert!(message.starts_with(sent) && message.contains(&format!(" in {by}\n")), "{message}");
    }
    let names = "project_doc_fallback_filenames = ['../x', './x', '/x', ' ', '..', 'x/']";
    let mut elsewhere = machine(&[(project, names)]);
    for path in ["/x", "/w/x", "/w/ "] {
        elsewhere.facts.insert(path.into(), Fact::Stream);
    }
    assert!(plan(&launch(), &elsewhere).is_ok(), "Codex takes none of these names");
}

#[test]
fn a_role_that_is_no_file_is_refused_at_any_depth_and_behind_links() {
    let folder = |name: &str, kind| Fact::Dir(vec![Entry { name: name.into(), kind }]);
    let link = || EntryKind::Link("/elsewhere".into());
    for (root, kind) in [("/w", EntryKind::Dir), ("/w", link()), ("/h", EntryKind::Dir)] {
        let agents = format!("{root}/.codex/agents");
        let mut machine = machine(&[(&agents, "")]);
        for (path, fact) in [
            ("", folder("more.toml", kind)),
            ("/more.toml", folder("deep", EntryKind::Dir)),
            ("/more.toml/deep", folder("r.toml", link())),
            ("/more.toml/deep/r.toml", Fact::Stream),
        ] {
            machine.facts.insert(format!("{agents}{path}").into(), fact);
        }
        let refused = plan(&launch(), &machine).map(|_| ()).expect_err(root);
        let message = Message::of(&refused).render();
        assert!(message.starts_with(&format!("{agents}/more.toml/deep/r.toml is not a")), "{message}");
    }
}

#[test]
fn a_text_in_the_providers_own_home_is_its_users() {
    let home = "/s/codex/p/isolated/home";
    let settings = format!("{home}/config.toml");
    let launch = Launch { isolated: true, ..launch() };
    for (text, named) in [("ins.md", false), ("../../x", true), ("~/x", true)] {
        let machine = machine(&[(&settings, &format!("model_instructions_file = '{text}'"))]);
        let texts = Codex.named_texts(&launch, &machine);
        assert_eq!(!texts.is_empty(), named, "{text}");
    }
}
