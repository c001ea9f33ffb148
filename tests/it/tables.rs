//! Lists on a terminal of 80 columns: nothing is wider, no word is broken, and what is left out is named; and the lines
//! that show how far the loading of lists is.

use crate::support::lists::Lists;
use crate::support::tmux::Tmux;
use crate::support::{AGENT_RUN, Sandbox, run};

const LONG: &str = "a-provider-of-a-long-name";

const CONFIG: &str = "providers:
  a-provider-of-a-long-name:
    protocols: [anthropic, openai-chat-completions, openai-responses]
    base_urls: {anthropic: 'http://127.0.0.1:9/anthropic', openai: 'http://127.0.0.1:9/v1'}
    key_env: A_KEY_OF_A_LONG_NAME
    default_model: vendor/a-model-of-a-long-name
    disable_model_loading_from_api: true
    models:
    - {id: vendor/a-model-of-a-long-name, context_window: 128000, max_output_tokens: 8000, input_cost_per_million: 0.27}
    - {id: vendor/模型-模型, context_window: 64000}
  short:
    protocols: [openai-chat-completions]
    base_urls: {openai: 'http://127.0.0.1:9/v1'}
    disable_model_loading_from_api: true
    models: [m]
";

/// The rows of a command's output at 80 columns, without the space that ends them.
fn lines(sandbox: &Sandbox, words: &str) -> Vec<String> {
    let tmux = Tmux::start(sandbox, &format!("stty cols 80; agent-run {words}"));
    let screen = tmux.wait_for("[exited ");
    screen
        .lines()
        .map(|line| line.trim_end().to_owned())
        .take_while(|line| !line.starts_with("[exited"))
        .collect()
}

/// The columns that a terminal needs for a line; a Chinese character takes two.
fn width(line: &str) -> usize {
    line.chars().map(|c| if c > '\u{2e80}' { 2 } else { 1 }).sum()
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn every_list_fits_80_columns_and_says_what_it_leaves_out() {
    assert!(Tmux::is_there());
    let sandbox = Sandbox::new();
    sandbox.config(CONFIG);
    // By a path in the home, which is as long on every machine: `~`.
    let program = sandbox.home(".local/bin/agent-run");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(AGENT_RUN, &program).unwrap();
    run(sandbox.command(&program).args(["shims", "install"])).exits(0);
    for (words, whole, left_out) in [
        ("models list --all", "vendor/a-model-of-a-long-name\n", ""),
        ("models show short m", "unknown    name, context_window, ", ""),
        ("providers list", "A_KEY_OF_A_LONG_NAME", "models"),
        ("providers presets deepseek", "DEEPSEEK_API_KEY", ""),
        ("shims list", "claude@a-provider-of-a-long-name\n", ""),
        ("shims list", "all point to ~/.local/bin/agent-run", ""),
        ("doctor", "A_KEY_OF_A_LONG_NAME (key_env) is not set", ""),
        ("doctor -v", "Problems: ", ""),
    ] {
        let lines = lines(&sandbox, words);
        let screen = lines.join("\n");
        for line in &lines {
            assert!(width(line) <= 80, "{words}: {line}\n{screen}");
        }
        assert!(screen.contains(whole), "{words}\n{screen}");
        match screen.split_once("Not shown at this width: ") {
            Some((_, names)) => {
                assert!(!left_out.is_empty(), "{words}\n{screen}");
                assert!(names.replace('\n', " ").contains(left_out), "{words}\n{screen}");
                assert!(
                    names.replace('\n', " ").contains("Use a wider terminal or --json to see everything."),
                    "{words}"
                );
            }
            None => assert!(left_out.is_empty(), "{words}\n{screen}"),
        }
    }
}

/// What is typed of each command, `P` being the long name; `=` before it runs it with an editor that does nothing.
const TYPED: [(&str, &[&str]); 31] = [
    (
        "launch",
        &[
            "P clade",
            "--model nothing P claude",
            "--protocol nothing P claude",
            "short codex",
            "--dry-run P claude",
            "--dry-run P crush",
            "nobody claude </dev/null",
        ],
    ),
    ("demo", &["nothing", "shell"]),
    ("env", &["nobody", "P --model nothing 2>&1 >/dev/null", "short --format json"]),
    ("providers list", &[""]),
    ("providers show", &["P", "short", "nobody"]),
    ("providers presets", &["", "deepseek", "coding", "nothing"]),
    ("providers add", &["nobody </dev/null", "P", "openrouter --dry-run", "deepseek </dev/null"]),
    ("providers remove", &["nobody", "P </dev/null"]),
    ("providers edit", &["nobody", "=P"]),
    ("providers test", &["P", "nobody"]),
    ("key set", &["P </dev/null", "nobody"]),
    ("key test", &["P", "short"]),
    ("key remove", &["P", "nobody"]),
    ("shims install", &["--dry-run", "", "nobody", "claude@nobody", "codex@short", "--agent x"]),
    ("shims list", &["", "--dir /nowhere"]),
    ("shims remove", &["", "x", "--all --dry-run"]),
    ("shims path", &[""]),
    ("import", &["", "claude", "env", "codex /nowhere", "nothing"]),
    ("config edit", &["="]),
    ("config path", &[""]),
    ("config check", &["", "/nowhere/config.yaml"]),
    ("config show", &["", "P", "nobody"]),
    ("config schema", &[">/dev/null", "x"]),
    ("completion", &["bash >/dev/null", "tcsh", ""]),
    ("models list", &["", "P", "nobody", "P --search nothing", "P --protocol nothing"]),
    ("models show", &["P vendor/a-model-of-a-long-name", "P nothing", "P"]),
    ("models diff", &["P", "nobody"]),
    ("models cache path", &[""]),
    ("models cache clear", &["", "P"]),
    ("why", &["crush@P", "P", "claude@nobody", "P claude --model nothing"]),
    ("doctor", &["", "-v", "P", "nobody", "--probe nobody", "--nothing"]),
];

/// Every command that a page of help names, with those below it; and which of them are groups.
fn commands(sandbox: &Sandbox, above: &str) -> Vec<(String, bool)> {
    let words: Vec<_> = above.split_whitespace().chain(["--help"]).collect();
    let help = sandbox.agent_run(&words).clean().stdout;
    let sections = ["Launch:", "Set up:", "Inspect:", "Commands:"];
    let mut is_list = false;
    let mut found = Vec::new();
    for line in help.lines() {
        is_list = if line.starts_with("  ") { is_list } else { sections.contains(&line) };
        if let Some(name) = line.split_whitespace().next().filter(|_| is_list && line.starts_with("  ")) {
            let name = format!("{above} {name}").trim().to_owned();
            let below = commands(sandbox, &name);
            found.push((name, !below.is_empty()));
            found.extend(below);
        }
    }
    found
}

/// Whether a line is left whole: a word, a command to copy, or a line of YAML or JSON.
fn is_whole(line: &str) -> bool {
    let text = line.trim().trim_start_matches("ok ").trim();
    let is_quoted = text.starts_with('`') && text.trim_end_matches([',', ';']).ends_with('`');
    let is_command = ["agent-run ", "export ", "pass show "].iter().any(|command| text.starts_with(command));
    let key = text.trim_start_matches("# ").split(' ').next().unwrap_or_default();
    let is_data = key.ends_with(':') && key != "help:";
    !text.contains(' ') || (line.starts_with("  ") && (is_command || is_data)) || is_quoted
}

/// Help, errors, warnings and pages of every command at four widths: only a word, or a command to copy, may be wider, and a terminal called
/// `dumb` gets no escape code. A command without a line in [`TYPED`] fails.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs script: --features system-tools")]
fn no_text_is_wider_than_the_terminal() {
    const END: &str = "=== ";
    let sandbox = Sandbox::new().var("A_KEY_OF_A_LONG_NAME", "sk-a-key-of-some-length-0123");
    sandbox.config(CONFIG);
    for agent in ["claude", "codex", "hermes", "crush"] {
        sandbox.fake_agent(agent);
    }
    let settings = r#"{"env": {"ANTHROPIC_BASE_URL": "https://provider.example/anthropic", "ANTHROPIC_MODEL": "m",
        "ANTHROPIC_AUTH_TOKEN": "sk-a-key-of-some-length-4567"}}"#;
    sandbox.write(&sandbox.home(".claude/settings.json"), settings);
    let mut lines = Vec::new();
    for (command, is_group) in [(String::new(), true)].into_iter().chain(commands(&sandbox, "")) {
        lines.push(format!("agent-run {command} --help"));
        // Its own examples are in the test of the manual.
        if is_group || command == "help" {
            continue;
        }
        let typed = TYPED.iter().find(|(of, _)| *of == command);
        let (_, typed) = typed.unwrap_or_else(|| panic!("{command} has no line in TYPED"));
        lines.extend(typed.iter().map(|words| {
            let words = words.split(' ').map(|word| if word == "P" { LONG } else { word });
            let words = words.collect::<Vec<_>>().join(" ");
            match words.strip_prefix('=') {
                Some(words) => format!("EDITOR=true agent-run {command} {}", words.replace('P', LONG)),
                None => format!("agent-run {command} {words}"),
            }
        }));
    }
    lines.extend(
        ["nothing", "help --man ~/a-manual", "help launch", "help nothing"]
            .map(|words| format!("agent-run {words}")),
    );
    assert!(lines.len() > 120, "{lines:?}");
    let mut wide = Vec::new();
    for columns in [40, 60, 80, 120] {
        let script: Vec<_> = lines.iter().map(|line| format!("echo '{END}{line}'\n{line}\n")).collect();
        let file = sandbox.path(&format!("typed-{columns}"));
        sandbox.write(&file, format!("stty cols {columns} rows 50\nexport TERM=dumb\n{}", script.concat()));
        let typed = format!("sh {}", file.display());
        let shown =
            run(sandbox.command("script").args(["-qec", &typed, "/dev/null"])).stdout.replace('\r', "");
        assert!(!shown.contains('\x1b'), "{shown}");
        let mut parts = 0;
        for part in shown.split(END).skip(1) {
            let (typed, said) = part.split_once('\n').unwrap();
            let is_silent = typed.contains("EDITOR") || typed.contains(">/dev/null");
            assert!(is_silent || !said.trim().is_empty(), "{typed} prints nothing");
            let is_wide = |line: &&str| width(line) > columns && !is_whole(line);
            wide.extend(said.lines().filter(is_wide).map(|line| format!("{typed} at {columns}: {line}")));
            parts += 1;
        }
        assert_eq!(parts, lines.len(), "{shown}");
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
    let colours = format!("TERM=xterm agent-run launch {LONG} clade");
    let shown = run(sandbox.command("script").args(["-qec", &colours, "/dev/null"])).stdout;
    assert!(shown.contains("\x1b["), "colours, where they are wanted");
}

/// A list that is longer than the terminal goes through the pager, and one that fits does not.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs script: --features system-tools")]
fn a_long_list_is_paged() {
    let sandbox = Sandbox::new();
    sandbox.config(CONFIG);
    let shown = |rows: usize, words: &str| {
        let line = format!("stty cols 80 rows {rows}; TERM=xterm PAGER='sed s/^/paged:/' agent-run {words}");
        run(sandbox.command("script").args(["-qec", &line, "/dev/null"])).exits(0).stdout
    };
    for words in ["providers presets", "models list --all"] {
        assert!(shown(4, words).contains("paged:"), "{words}");
        assert!(!shown(400, words).contains("paged:"), "{words}");
    }
}

/// A plan is copied and compared, so its values stay whole; only its comments are broken, into comments.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs script: --features system-tools")]
fn a_plan_stays_whole_on_a_terminal() {
    let sandbox = Sandbox::new().var("A_KEY_OF_A_LONG_NAME", "sk-a-key-of-some-length-0123");
    sandbox.config(CONFIG);
    sandbox.fake_agent("claude");
    let values = |page: &str| -> Vec<String> {
        page.lines().filter(|line| !line.starts_with("# ")).map(str::to_owned).collect()
    };
    let dry_run = ["launch", "--dry-run", "-v", LONG, "claude"];
    let piped = values(&sandbox.agent_run(&dry_run).exits(0).stdout);
    let why = format!("why -v claude@{LONG}");
    for words in [dry_run.join(" "), why] {
        let line = format!("stty cols 80; TERM=dumb agent-run {words}");
        let ran = run(sandbox.command("script").args(["-qec", &line, "/dev/null"])).exits(0);
        let shown = ran.stdout.replace('\r', "");
        let plan = &shown[shown.find("\nunset ").unwrap()..];
        assert_eq!(values(plan.trim_start()), piped, "{words}");
        assert!(piped.iter().any(|line| line.len() > 80), "{piped:?}");
        for line in shown.lines().filter(|line| line.starts_with("# ")) {
            assert!(width(line) <= 80 || !line[2..].contains(' '), "{line}");
        }
    }
}

#[test]
fn a_pipe_gets_every_column_whatever_their_width() {
    let sandbox = Sandbox::new();
    sandbox.config(CONFIG);
    let piped = sandbox.agent_run(&["models", "list", "--all"]).clean().stdout;
    assert_eq!(
        piped,
        "vendor/a-model-of-a-long-name\t128000\t8000\t0.27\t\t\t\tconfig\t\ta-provider-of-a-long-name\n\
         vendor/模型-模型\t64000\t\t\t\t\t\tconfig\t\ta-provider-of-a-long-name\n\
         m\t\t\t\t\t\t\tconfig\t\tshort\n"
    );
    let piped = sandbox.agent_run(&["providers", "list"]).clean().stdout;
    assert_eq!(
        piped,
        "a-provider-of-a-long-name\tanthropic,openai-chat-completions,openai-responses\tclaude,codex,hermes,crush\t\
         vendor/a-model-of-a-long-name\t2\tkey_env A_KEY_OF_A_LONG_NAME (not set)\n\
         short\topenai-chat-completions\thermes,crush\t\t1\tnone\n"
    );
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs util-linux' script: --features system-tools")]
fn progress_is_for_a_terminal_that_can_move_its_cursor() {
    let lists = Lists::json(r#"{"data": [{"id": "m"}]}"#);
    let sandbox = Sandbox::new();
    sandbox.config(&format!(
        "providers:\n  p: {{protocols: [openai-responses], base_urls: {{openai: 'http://{}/v1'}}}}\n",
        lists.address
    ));
    let on = |term: &str, words: &str| {
        let mut command = sandbox.command("script");
        run(command.env("TERM", term).args(["-qefc", words, "/dev/null"])).exits(0).stdout
    };
    let list = "agent-run models list p --refresh";
    assert!(on("xterm", list).contains("p: loading"));
    assert!(!on("dumb", list).contains("loading"));
    assert!(!on("xterm", &format!("NO_COLOR=1 {list}")).contains('\u{1b}'));
    assert!(!on("dumb", list).contains('\u{1b}'));
    assert!(!on("xterm", &format!("{list} 2>/dev/null")).contains("loading"));
    assert_eq!(sandbox.agent_run(&["models", "list", "p", "--refresh"]).exits(0).stderr, "");
    // Whatever else waits for a list.
    for words in ["models show p m", "models diff p --refresh", "launch p --model m --dry-run codex"] {
        sandbox.fake_agent("codex");
        sandbox.agent_run(&["models", "cache", "clear"]).exits(0);
        assert!(on("xterm", &format!("agent-run {words}")).contains("p: loading"), "{words}");
        sandbox.agent_run(&["models", "cache", "clear"]).exits(0);
        assert_eq!(sandbox.agent_run(&words.split(' ').collect::<Vec<_>>()).exits(0).stderr, "", "{words}");
    }
}
