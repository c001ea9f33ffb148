//! Whole plans for machines that do not exist.

use super::*;
use crate::{Dirs, Entry, EntryKind, Fact, Model, Note, Value};

pub fn inputs() -> Inputs {
    let dirs = Dirs {
        home: "/home/u".into(),
        cwd: "/work".into(),
        config: "/home/u/.config".into(),
        data: "/home/u/.local/share".into(),
        cache: "/cache".into(),
        state: "/state".into(),
    };
    Inputs { dirs, ..Inputs::default() }
}

pub fn launch(args: &[&str]) -> Launch {
    let sample = Launch::sample("local", Protocol::OpenaiChatCompletions, "http://127.0.0.1:1/v1", "m");
    Launch { models: vec![Model::named("m")], args: args.iter().map(Into::into).collect(), ..sample }
}

/// Answers every question the adapter asks, until it asks nothing new; what is not given is missing.
pub fn settled(launch: &Launch, mut inputs: Inputs) -> Inputs {
    loop {
        let new: Vec<_> = Hermes.required_files(launch, &inputs);
        let new: Vec<_> = new.into_iter().filter(|path| inputs.fact(path).is_none()).collect();
        if new.is_empty() {
            return inputs;
        }
        inputs.facts.extend(new.into_iter().map(|path| (path, Fact::Absent)));
    }
}

pub fn plan(launch: &Launch, inputs: Inputs) -> Plan {
    Plan::of(&Hermes, launch, &settled(launch, inputs)).expect("plans")
}

pub fn home(plan: &Plan) -> PathBuf {
    let home = plan.env.get(std::ffi::OsStr::new("HERMES_HOME")).expect("set").clone();
    home.and_then(|home| home.plain()).expect("plain").into()
}

pub fn file(plan: &Plan, name: &str) -> String {
    let file = plan.files.get(&home(plan).join(name)).expect(name);
    String::from_utf8(file.clone()).expect("UTF-8")
}

#[test]
fn a_first_launch_makes_the_users_home_and_links_to_it() {
    let plan = plan(&launch(&["-z", "hi"]), inputs());
    let home = home(&plan);
    assert!(
        home.starts_with("/cache/hermes") && home.ends_with("local-")
            || home.to_str().expect("UTF-8").starts_with("/cache/hermes/local-")
    );
    assert!(plan.user_dirs.contains(Path::new("/home/u/.hermes")));
    assert!(plan.user_dirs.contains(Path::new("/home/u/.hermes/sessions")));
    let link =
        |name: &str| plan.links.get(&home.join(name)).and_then(Option::as_ref).map(|link| &link.target);
    assert_eq!(link("state.db"), Some(&PathBuf::from("/home/u/.hermes/state.db")));
    assert_eq!(link("auth.json"), None);
    assert_eq!(plan.args, ["-z", "hi"]);
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
    assert!(file(&plan, ".agent-run.json").contains(r#""real_home":"/home/u/.hermes""#));
    assert!(!plan.lines(true).contains("sk-"));
}

#[test]
fn entries_of_the_users_home_are_linked_but_for_logins() {
    let mut inputs = inputs();
    let entry = |name: &str| Entry { name: name.into(), kind: EntryKind::File };
    let entries = ["honcho.json", "auth.json", "active_profile", "state.db-wal", "config.yaml"];
    inputs.facts.insert("/home/u/.hermes".into(), Fact::Dir(entries.map(entry).into()));
    inputs.facts.insert(
        "/home/u/.hermes/config.yaml".into(),
        Fact::File(b"display: {skin: x, tui_auto_resume_recent: true}\n".to_vec()),
    );
    let plan = plan(&launch(&[]), inputs);
    let home = home(&plan);
    assert!(plan.links.contains_key(&home.join("honcho.json")));
    for own in &entries[1..] {
        assert!(!plan.links.contains_key(&home.join(own)), "{own}");
    }
    assert!(!plan.user_dirs.contains(Path::new("/home/u/.hermes")), "it is there");
    assert!(file(&plan, "config.yaml").contains("display: {skin: x, tui_auto_resume_recent: false}\n"));
}

#[test]
fn every_route_has_a_home_of_its_own() {
    let at = |launch: &Launch| home(&plan(launch, inputs()));
    let first = launch(&["-z", "hi"]);
    let mut elsewhere = first.clone();
    elsewhere.base_url.value = "http://127.0.0.1:2/v1".into();
    let mut other_model = first.clone();
    other_model.model.value = Model::named("other");
    let mut longer_list = first.clone();
    longer_list.models.push(Model::named("new"));
    assert_eq!(at(&first), at(&launch(&["chat"])));
    assert_eq!(at(&first), at(&longer_list), "a new model in the list moves nothing");
    assert_ne!(at(&first), at(&elsewhere));
    assert_ne!(at(&first), at(&other_model));
    assert_ne!(at(&first), at(&launch(&["-m", "other"])));
    assert_ne!(at(&first), at(&launch(&["cron", "tick"])));
}

#[test]
fn a_keyless_provider_gets_a_placeholder() {
    let plan = plan(&Launch { keyed: false, ..launch(&[]) }, inputs());
    let key = &plan.env[std::ffi::OsStr::new("AUXILIARY_AGENT_RUN_LOCAL_xxxxxxxx_API_KEY")];
    assert_eq!(*key, Some(Value::from("agent-run")));
}

#[test]
fn pins_hold_above_every_dotenv() {
    let mut launch = launch(&[]);
    launch.extra_env.insert("HERMES_MAX_TOKENS".into(), "9".into());
    launch.extra_env.insert("AUXILIARY_VISION_API_KEY".into(), "secret".into());
    let mut inputs = inputs();
    inputs.env.insert("no_proxy".into(), "host.example".into());
    let plan = plan(&launch, inputs);
    let pins = file(&plan, "managed/.env");
    let home = home(&plan);
    for line in [
        format!("HERMES_HOME='{}'\n", home.display()),
        format!("HERMES_MANAGED_DIR='{}/managed'\n", home.display()),
        "no_proxy='host.example,127.0.0.1,localhost,::1'\n".to_owned(),
        "HERMES_INFERENCE_MODEL=''\n".to_owned(),
        "HERMES_MAX_TOKENS='9'\n".to_owned(),
    ] {
        assert!(pins.contains(&line), "{line} in {pins}");
    }
    assert!(!pins.contains("AUXILIARY_VISION_API_KEY"), "a secret of the config stays out of the file");
    assert!(!pins.contains("secret"));
}

#[test]
fn a_dotenv_that_would_move_the_pins_is_left_out_and_named() {
    let with = |text: &[u8]| {
        let mut inputs = inputs();
        inputs.facts.insert("/home/u/.hermes/.env".into(), Fact::File(text.to_vec()));
        let plan = plan(&launch(&[]), inputs);
        let linked = plan.links.contains_key(&home(&plan).join(".env"));
        assert_eq!(linked, plan.notes.is_empty(), "{:?}", plan.notes);
        linked
    };
    assert!(with(b"A=1\n# HERMES_MANAGED_DIR=/x\nHERMES_HOME=/x\n"));
    assert!(!with(b"A=1\n export HERMES_MANAGED_DIR = /x\n"));
    assert!(!with(b"\xff\xfeH\0E\0R\0M\0E\0S\0_\0M\0A\0N\0A\0G\0E\0D\0_\0D\0I\0R\0=\0"));
}

#[test]
fn an_administrators_settings_are_linked_and_a_variables_are_stripped() {
    let settings = b"model: {default: theirs}\napprovals: {mode: manual}\n".to_vec();
    let with = |dir: &str| {
        let mut inputs = inputs();
        inputs.facts.insert(dir.into(), Fact::Dir(Vec::new()));
        inputs.facts.insert(Path::new(dir).join("config.yaml"), Fact::File(settings.clone()));
        inputs.facts.insert(Path::new(dir).join(".env"), Fact::File(b"HERMES_MODEL=theirs".to_vec()));
        inputs
    };
    let linked = plan(&launch(&[]), with("/etc/hermes"));
    let ours = home(&linked).join("managed/config.yaml");
    assert_eq!(linked.links[&ours].as_ref().expect("a link").target, Path::new("/etc/hermes/config.yaml"));
    assert!(
        matches!(&linked.notes[..], [Note::Warning(text)] if text.render().contains("`model`")),
        "{:?}",
        linked.notes
    );
    let pins = file(&linked, "managed/.env");
    assert!(pins.contains("\n# ' \"\n"), "a quote left open there ends before the pins: {pins}");
    assert!(pins.starts_with("HERMES_MODEL=theirs\n") && pins.contains("\nHERMES_MODEL=''\n"), "{pins}");

    let mut inputs = with("/it");
    inputs.env.insert("HERMES_MANAGED_DIR".into(), "/it".into());
    let stripped = plan(&launch(&[]), inputs);
    assert_eq!(file(&stripped, "managed/config.yaml"), "approvals: {mode: manual}\n");
    assert!(stripped.notes.is_empty());
}

#[test]
fn a_bare_home_is_the_base_of_the_isolated_provider_of_that_name() {
    let mut inputs = inputs();
    inputs.env.insert("HERMES_MANAGED_DIR".into(), "/cache/hermes/x-1/managed".into());
    let bare = Plan::of_providerless_home(&Hermes, "local", &["setup".into()], &inputs).expect("plans");
    assert_eq!(home(&bare), Path::new("/state/hermes/local"));
    assert_eq!(bare.env[std::ffi::OsStr::new("HERMES_MANAGED_DIR")], None);
    assert_eq!(bare.args, ["setup"]);
    let isolated = plan(&Launch { isolated: true, ..launch(&[]) }, self::inputs());
    let link = isolated.links[&home(&isolated).join("state.db")].as_ref().expect("a link");
    assert_eq!(link.target, Path::new("/state/hermes/local/state.db"));
    assert!(!isolated.lines(true).contains("/home/u/.hermes/"), "nothing shared");
}

#[test]
fn a_proxy_with_a_password_is_pinned_without_the_password() {
    let mut launch = launch(&[]);
    launch.proxy = crate::Proxy::Url("http://user:hunter2@proxy.example".into());
    let mut inputs = inputs();
    let dotenv = b"http_proxy=http://evil\nAUXILIARY_VIDEO_MODEL=m\nHERMES_XAI_BASE_URL=x\n".to_vec();
    inputs.facts.insert("/home/u/.hermes/.env".into(), Fact::File(dotenv));
    let plan = plan(&launch, inputs);
    let pins = file(&plan, "managed/.env");
    let variable = "AUXILIARY_AGENT_RUN_LOCAL_PROXY_xxxxxxxx_API_KEY";
    for name in crate::proxy::PROXY_VARIABLES {
        assert!(pins.contains(&format!("{name}='${{{variable}}}'\n")), "{name} in {pins}");
    }
    assert!(!pins.contains("hunter2"), "{pins}");
    let set = plan.env[std::ffi::OsStr::new(variable)].as_ref().expect("set");
    assert_eq!(*set, Value::from("http://user:hunter2@proxy.example"));
    for name in ["AUXILIARY_VIDEO_MODEL", "HERMES_XAI_BASE_URL"] {
        assert!(pins.contains(&format!("{name}=''\n")), "{name} in {pins}");
    }
}

#[test]
fn launches_that_choose_differently_share_no_home() {
    let at = |launch: &Launch| home(&plan(launch, inputs()));
    let first = launch(&[]);
    let mut others = vec![first.clone(); 6];
    others[0].protocol.value = Protocol::Anthropic;
    others[1].headers.insert("X-A".into(), "1".into());
    others[2].proxy = crate::Proxy::None;
    others[3].tiers.haiku = "small".into();
    others[4].keyed = false;
    others[5].extra_env.insert("HTTP_PROXY".into(), "http://127.0.0.1:9".into());
    for other in &others {
        assert_ne!(at(&first), at(other));
    }
    // A running gateway reads the pins again too.
    let mut direct = inputs();
    direct.env.insert("NO_PROXY".into(), "x.invalid".into());
    assert_ne!(at(&first), home(&plan(&first, direct)));
    let mut unpinned = first.clone();
    unpinned.extra_env.insert("EDITOR".into(), "vi".into());
    assert_eq!(at(&first), at(&unpinned));
}

#[test]
fn the_users_own_settings_keep_the_key_variable() {
    let with = |name: &str, text: &str| {
        let launch = Launch { key_variables: ["MY_KEY".into()].into(), ..launch(&[]) };
        let mut inputs = inputs();
        inputs.facts.insert(Path::new("/home/u/.hermes").join(name), Fact::File(text.into()));
        let plan = plan(&launch, inputs);
        !plan.env.contains_key(std::ffi::OsStr::new("MY_KEY"))
    };
    assert!(with("config.yaml", "mcp_servers: {a: {headers: {Authorization: 'Bearer ${MY_KEY}'}}}\n"));
    assert!(with(".env", "OTHER=${MY_KEY}\n") && with(".env", "OTHER='${MY_KEY:-x}'\n"));
    assert!(!with("config.yaml", "mcp_servers: {a: {env: {X: '${MY_KEY_2}'}}}\n"));
    assert!(!with("config.yaml", "model: {api_key: '${MY_KEY}'}\n"), "that one is replaced");
}

#[test]
fn a_dotenv_that_would_keep_the_pins_out_is_left_out() {
    for name in [".env", ".op.env"] {
        let mut inputs = inputs();
        let path = Path::new("/home/u/.hermes").join(name);
        inputs.facts.insert(path, Fact::File(b"PYTHON_DOTENV_DISABLED=1\n".to_vec()));
        let plan = plan(&launch(&[]), inputs);
        assert!(!plan.links.contains_key(&home(&plan).join(name)), "{name}");
        assert!(
            matches!(&plan.notes[..], [Note::Warning(text)] if text.render().contains(name)),
            "{:?}",
            plan.notes
        );
    }
}

#[test]
fn a_path_in_a_comment_adds_no_line() {
    let mut inputs = inputs();
    inputs.env.insert("HERMES_HOME".into(), "/h\u{2028}model: {base_url: x}\n".into());
    let plan = plan(&launch(&[]), inputs);
    let settings = file(&plan, "config.yaml");
    let model = super::yaml::Mapping::parse(&settings).expect("parses");
    assert_eq!(settings.matches("base_url: x").count(), 1, "{settings}");
    assert!(model.get("model").is_some());
    assert!(
        settings.lines().next().is_some_and(|line| line.starts_with('#') && line.contains("base_url: x"))
    );
    assert!(!settings.contains('\u{2028}'));
}

#[test]
fn a_home_that_is_not_utf_8_is_refused_by_name() {
    use std::os::unix::ffi::OsStrExt as _;
    let odd = std::ffi::OsStr::from_bytes(b"/h\xff");
    let refused = |inputs: Inputs| {
        let launch = launch(&[]);
        let error = Plan::of(&Hermes, &launch, &settled(&launch, inputs)).expect_err("refused");
        let said = crate::Message::of(&error).render();
        assert!(said.contains("not UTF-8\nhelp: set "), "{said}");
        said
    };
    let mut of_user = inputs();
    of_user.dirs.home = odd.into();
    assert!(refused(of_user).starts_with("HERMES_HOME cannot be "));
    for name in ["HERMES_HOME", "HERMES_MANAGED_DIR"] {
        let mut named = inputs();
        named.env.insert(name.into(), odd.into());
        assert!(refused(named).starts_with(&format!("{name} cannot be ")));
    }
}

#[test]
fn profiles_that_an_earlier_launch_made_are_named() {
    let of_launch = launch(&[]);
    let folder = |name: &str| Fact::Dir(vec![Entry { name: name.into(), kind: EntryKind::Dir }]);
    let home = home(&plan(&of_launch, inputs()));
    let mut inputs = inputs();
    inputs.facts.insert(home.clone(), folder("profiles"));
    assert!(plan(&of_launch, inputs.clone()).notes.is_empty(), "an empty folder");
    inputs.facts.insert(home.join("profiles"), folder("pp"));
    let plan = plan(&of_launch, inputs);
    let [Note::Warning(text)] = &plan.notes[..] else { panic!("{:?}", plan.notes) };
    let said = text.render();
    let made = home.join("profiles");
    let help = "to keep them: mkdir -p /home/u/.hermes/profiles && mv -n";
    assert!(
        said.contains(&format!("\nhelp: {help} {}/* /home/u/.hermes/profiles", made.display())),
        "{said}"
    );
}

#[test]
fn a_refused_command_names_plain_hermes_for_the_same_home() {
    let refused = |launch: &Launch| {
        let mut inputs = inputs();
        inputs.facts.insert("/home/u/.hermes/profiles/work".into(), Fact::Dir(Vec::new()));
        let error = Plan::of(&Hermes, launch, &settled(launch, inputs)).expect_err("refused");
        crate::Message::of(&error).help.expect("a help")
    };
    let launch = launch(&["-p", "work", "profile", "create", "pp"]);
    assert_eq!(refused(&launch), "run plain `hermes -p work profile`, without agent-run");
    let isolated = Launch { isolated: true, args: vec!["auth".into(), "add".into()], ..launch };
    assert!(refused(&isolated).contains("`HERMES_HOME=/state/hermes/local hermes auth`"));
}
