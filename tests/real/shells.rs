use std::fs;

use crate::support::lists::Lists;
use crate::support::tmux::Tmux;
use crate::support::{Sandbox, real, run};

const CONFIG: &str = "\
providers:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}
    default_model: m2
    models: [{id: m1}, {id: m2}, {id: 'vendor/m3:free'}]
  chatty:
    protocols: [openai-chat-completions]
    base_urls: {openai: 'http://127.0.0.1:9/v1'}
";

/// A shell as its user has set it up, before agent-run comes: what starts it, its rc file, and what completes
/// `codex`, which knows `resume`.
struct Shell {
    name: &'static str,
    /// The program, where it is not of that name.
    program: &'static str,
    rc: (&'static str, &'static str),
    codex: (&'static str, &'static str),
}

const BASH: Shell = Shell {
    name: "bash",
    program: "bash",
    rc: (".bashrc", ". /usr/share/bash-completion/bash_completion\nPS1='ready> '\n"),
    codex: (
        ".local/share/bash-completion/completions/codex",
        "_codex() {\n  [[ $1 == codex && ${COMP_WORDS[0]} == codex && $COMP_CWORD == 1 && $3 == codex ]] || return\n  \
         COMPREPLY=($(compgen -W 'resume review' -- \"$2\"))\n}\ncomplete -F _codex codex\n",
    ),
};

/// Without bash-completion, by the line that the README has for an rc file.
const BASH_ALONE: Shell =
    Shell { rc: (".bashrc", "PS1='ready> '\neval \"$(agent-run completion bash)\"\n"), ..BASH };

/// That of macOS, which bash-completion does not support.
const BASH_3: Shell = Shell { program: "bash-3.2", ..BASH_ALONE };

const ZSH: Shell = Shell {
    name: "zsh",
    program: "zsh",
    rc: (
        ".zshrc",
        "fpath=(~/.local/share/zsh/site-functions $fpath)\nautoload -U compinit\ncompinit -u\nPS1='ready> '\n",
    ),
    codex: (
        ".local/share/zsh/site-functions/_codex",
        "#compdef codex\n_codex() { [[ $service == codex && $words[1] == codex ]] && compadd resume review }\n_codex \"$@\"\n",
    ),
};

const FISH: Shell = Shell {
    name: "fish",
    program: "fish",
    rc: (
        ".config/fish/config.fish",
        "set -g fish_greeting\nset -g fish_autosuggestion_enabled 0\nfunction fish_prompt; echo 'ready> '; end\n",
    ),
    codex: (
        ".config/fish/completions/codex.fish",
        "function __codex; test (commandline -opc)[1] = codex; and printf 'resume\\nreview\\n'; end\n\
         complete -c codex -f -a '(__codex)'\n",
    ),
};

/// A home with the shell, fake agents, and the shims installed; the folder of links is on PATH.
fn home(shell: &Shell) -> Option<Sandbox> {
    let program = real::program(shell.program)?;
    let sandbox = real::shell(shell.name)?;
    let bin = sandbox.home(".local/bin");
    let sandbox = sandbox.also_on_path(&[bin]);
    sandbox.config(CONFIG);
    for agent in ["claude", "codex"] {
        sandbox.script(agent, "#!/bin/sh\ntouch \"$HOME/launched\"\n");
    }
    sandbox.write(&sandbox.home(shell.rc.0), shell.rc.1);
    sandbox.write(&sandbox.path("work/my-file"), "");
    // The terminal starts it by this name, whatever the machine's is.
    std::os::unix::fs::symlink(program, sandbox.path("bin").join(format!("this-{}", shell.name))).unwrap();
    sandbox.agent_run(&["shims", "install"]).exits(0);
    Some(sandbox)
}

/// Types, presses TAB, and waits until the line is as expected.
#[track_caller]
fn tab(terminal: &Tmux, typed: &str, expected: &str) {
    terminal.text(typed);
    terminal.key("Tab");
    let line = format!("ready> {expected}");
    terminal.wait_until(&line, |screen| screen.lines().any(|shown| shown.trim_end() == line));
    terminal.key("C-u");
    terminal.key("C-l");
    terminal.wait_until("an empty line", |screen| screen.trim_end() == "ready>");
}

#[track_caller]
fn a_user_presses_tab(shell: &Shell) {
    let Some(sandbox) = home(shell) else { return };
    sandbox.write(&sandbox.home(shell.codex.0), shell.codex.1);
    let terminal = Tmux::start(&sandbox, &format!("this-{}", shell.name));
    terminal.wait_for("ready>");
    for (typed, expected) in [
        ("agent-run la", "agent-run launch"),
        ("agent-run launch mo", "agent-run launch mock"),
        ("agent-run launch chatty h", "agent-run launch chatty hermes"),
        ("agent-run launch mock --model v", "agent-run launch mock --model vendor/m3:free"),
        ("agent-run launch mock --model vendor/m3:f", "agent-run launch mock --model vendor/m3:free"),
        ("agent-run launch mock --model dor", "agent-run launch mock --model vendor/m3:free"),
        ("agent-run launch mock --model=dor", "agent-run launch mock --model=vendor/m3:free"),
        ("agent-run launch codex@m", "agent-run launch codex@mock"),
        ("agent-run launch mock --model=vendor/m3:f", "agent-run launch mock --model=vendor/m3:free"),
        ("agent-run shims remove codex@m", "agent-run shims remove codex@mock"),
        ("agent-run --config my-f", "agent-run --config my-file"),
        ("agent-run launch mock codex resu", "agent-run launch mock codex resume"),
        ("agent-run launch codex@mock resu", "agent-run launch codex@mock resume"),
        ("codex@mock resu", "codex@mock resume"),
        ("claude@mock my-f", "claude@mock my-file"),
    ] {
        tab(&terminal, typed, expected);
    }
    terminal.text("agent-run launch ");
    terminal.key("Tab");
    terminal.key("Tab");
    terminal.wait_until("both providers", |screen| screen.contains("chatty") && screen.contains("mock"));
    assert!(!sandbox.home("launched").exists(), "a TAB launched an agent");
    drop(terminal);

    sandbox.agent_run(&["shims", "remove", "--all"]).clean();
    let ours = [
        "bash-completion/completions/agent-run",
        "zsh/site-functions/_agent-run",
        "fish/vendor_completions.d",
    ];
    for path in ours {
        assert!(!sandbox.home(".local/share").join(path).exists(), "{path} is left behind");
    }
}

#[test]
fn a_user_of_bash_presses_tab() {
    a_user_presses_tab(&BASH);
}

#[test]
fn a_user_of_bash_without_bash_completion_presses_tab() {
    a_user_presses_tab(&BASH_ALONE);
}

#[test]
#[cfg_attr(not(feature = "old-bash"), ignore = "needs a bash 3.2 named bash-3.2: --features old-bash")]
fn a_user_of_bash_3_2_presses_tab() {
    a_user_presses_tab(&BASH_3);
}

#[test]
fn a_user_of_zsh_presses_tab() {
    a_user_presses_tab(&ZSH);
}

#[test]
fn a_user_of_fish_presses_tab() {
    a_user_presses_tab(&FISH);
}

/// What a provider could call a model, to have a shell do something with it.
const SMUGGLERS: [&str; 20] = [
    "$(touch${IFS}pwned)",
    "`touch${IFS}pwned`",
    ";touch${IFS}pwned;",
    "|touch${IFS}pwned",
    "&touch${IFS}pwned&",
    ">pwned",
    "<(touch${IFS}pwned)",
    "'touch'pwned'",
    "\"$(touch pwned)\"",
    "\\$(touch${IFS}pwned)",
    "${HOME}",
    "!!:0",
    "*?[a-z]",
    "{a,b}~root",
    "#comment",
    "a:b:c",
    "a=b=c",
    "%s%n%d",
    "^x^y^",
    "@(a|b)",
];

/// A TAB puts the id on the line as one word, and the line then says that id and does nothing else.
#[track_caller]
fn no_id_says_more_than_its_name(shell: &Shell) {
    let Some(sandbox) = home(shell) else { return };
    let id = |index: usize| format!("z{index}-{}-end{index}", SMUGGLERS[index].replace(' ', ""));
    let rows: Vec<_> =
        (0..SMUGGLERS.len()).map(|index| serde_json::json!({ "id": id(index), "name": id(index) })).collect();
    let lists = Lists::json(&serde_json::json!({ "data": rows }).to_string());
    let base = format!("base_urls: {{openai: 'http://{}/v1'}}", lists.address);
    sandbox.config(&format!("providers:\n  evil:\n    protocols: [openai-responses]\n    {base}\n"));
    sandbox.agent_run(&["models", "list", "evil", "--refresh"]).clean();
    let terminal = Tmux::start(&sandbox, &format!("this-{}", shell.name));
    terminal.wait_for("ready>");
    for index in 0..SMUGGLERS.len() {
        terminal.text(&format!("agent-run models show evil z{index}-"));
        terminal.key("Tab");
        terminal.wait_until("the whole id", |screen| screen.contains(&format!("end{index}")));
        terminal.text(&format!(" --json >$HOME/shown{index}"));
        terminal.key("Enter");
        let shown = sandbox.home(&format!("shown{index}"));
        let read = || serde_json::from_str::<serde_json::Value>(&fs::read_to_string(&shown).ok()?).ok();
        terminal.wait_until(&id(index), |_| read().is_some_and(|model| model["id"] == id(index)));
        terminal.key("C-l");
    }
    drop(terminal);
    let left: Vec<_> =
        fs::read_dir(sandbox.path("work")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["my-file"]);
}

#[test]
fn no_model_says_more_than_its_name_to_bash() {
    no_id_says_more_than_its_name(&BASH);
}

#[test]
#[cfg_attr(not(feature = "old-bash"), ignore = "needs a bash 3.2 named bash-3.2: --features old-bash")]
fn no_model_says_more_than_its_name_to_bash_3_2() {
    no_id_says_more_than_its_name(&BASH_3);
}

#[test]
fn no_model_says_more_than_its_name_to_zsh() {
    no_id_says_more_than_its_name(&ZSH);
}

#[test]
fn no_model_says_more_than_its_name_to_fish() {
    no_id_says_more_than_its_name(&FISH);
}

/// The completion that the real Codex prints works behind a shim, in every shell.
#[test]
fn codex_itself_completes_behind_its_shim() {
    for shell in [BASH, ZSH, FISH] {
        let Some(codex) = real::sandbox("codex") else { return };
        let script = codex.run("codex", &["completion", shell.name]).exits(0).stdout;
        let Some(sandbox) = home(&shell) else { return };
        sandbox.write(&sandbox.home(shell.codex.0), script);
        let terminal = Tmux::start(&sandbox, &format!("this-{}", shell.name));
        terminal.wait_for("ready>");
        let shown = |command: &str| {
            terminal.text(&format!("{command} resu"));
            terminal.key("Tab");
            // Some shells put the word on the line, some list it first.
            let screen = terminal.wait_for("resume");
            terminal.key("C-u");
            terminal.key("C-l");
            terminal.wait_until("an empty line", |screen| screen.trim_end() == "ready>");
            screen.replace(command, "codex")
        };
        assert_eq!(shown("codex@mock"), shown("codex"), "{}", shell.name);
    }
}

/// Without the files, by the script in an rc file.
#[test]
fn the_printed_script_is_enough_for_agent_run_itself() {
    for (shell, line) in [
        (BASH, "PS1='ready> '\neval \"$(agent-run completion bash)\"\n"),
        (ZSH, "PS1='ready> '\nautoload -U compinit\ncompinit -u\neval \"$(agent-run completion zsh)\"\n"),
        (FISH, "agent-run completion fish | source\n"),
    ] {
        let Some(sandbox) = home(&shell) else { return };
        sandbox.agent_run(&["shims", "remove", "--all"]).clean();
        let rc = if shell.name == "fish" { format!("{}{line}", shell.rc.1) } else { line.to_owned() };
        sandbox.write(&sandbox.home(shell.rc.0), rc);
        let terminal = Tmux::start(&sandbox, &format!("this-{}", shell.name));
        terminal.wait_for("ready>");
        tab(&terminal, "agent-run launch mo", "agent-run launch mock");
    }
}

#[test]
fn the_scripts_pass_their_shells_own_checks() {
    for (shell, check) in [
        ("bash", &["shellcheck", "--shell=bash"] as &[&str]),
        ("bash", &["bash", "-n"]),
        ("zsh", &["zsh", "-n"]),
        ("fish", &["fish", "-n"]),
    ] {
        let Some(sandbox) = real::shell(shell) else { return };
        real::tools(&[check[0]]);
        let script = sandbox.path("script");
        fs::write(&script, sandbox.agent_run(&["completion", shell]).clean().stdout).unwrap();
        run(sandbox.command(check[0]).args(&check[1..]).arg(&script)).clean();
    }
}
