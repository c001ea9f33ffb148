//! Lists on a terminal of 80 columns: nothing is wider, no word is broken, and what is left out is named; and the lines
//! that show how far the loading of lists is.

use crate::support::lists::Lists;
use crate::support::tmux::Tmux;
use crate::support::{AGENT_RUN, Sandbox, run};

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
        ("models show short m", "cached_input_cost_per_million  unknown", ""),
        ("providers list", "A_KEY_OF_A_LONG_NAME", "models"),
        ("providers presets deepseek", "DEEPSEEK_API_KEY", ""),
        ("shims list", "claude@a-provider-of-a-long-name\n", ""),
        ("shims list", "all point to ~/.local/bin/agent-run", ""),
        ("doctor", "A_KEY_OF_A_LONG_NAME is not set", ""),
        ("doctor -v", "Problems: ", ""),
    ] {
        let lines = lines(&sandbox, words);
        let screen = lines.join("\n");
        for line in &lines {
            assert!(width(line) <= 80, "{words}: {line}\n{screen}");
        }
        assert!(screen.contains(whole), "{words}\n{screen}");
        match screen.split_once("Left out at this width: ") {
            Some((_, names)) => {
                assert!(!left_out.is_empty(), "{words}\n{screen}");
                assert!(names.replace('\n', " ").contains(left_out), "{words}\n{screen}");
                assert!(
                    names.replace('\n', " ").contains("A wider terminal or --json shows all."),
                    "{words}"
                );
            }
            None => assert!(left_out.is_empty(), "{words}\n{screen}"),
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
