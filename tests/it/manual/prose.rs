//! What the manual says beside the commands' help and the config's schema. Text in backquotes is set in bold.

/// The forms of a call.
pub const SYNOPSIS: [&str; 3] = [
    "`agent-run` [`--config` FILE] COMMAND [ARGUMENTS]",
    "`agent-run launch` [OPTIONS] PROVIDER AGENT [ARGUMENTS]",
    "AGENT`@`PROVIDER [ARGUMENTS]",
];

pub const DESCRIPTION: [&str; 7] = [
    "`agent-run` starts a coding agent on the provider that you name, for this one launch. The agents are `claude` \
     (Claude Code), `codex` (Codex), `hermes` (Hermes Agent) and `crush` (Crush). PROVIDER is a name from your config \
     file, see agent-run-config(5).",
    "It prepares the environment and the files that the agent needs, then replaces itself with the agent. No daemon \
     stays behind. If the model list is old, a separate process refreshes it and ends within 15 seconds. Your agents' \
     settings, sessions and logins are not rewritten.",
    "Arguments after the agent's name go to the agent unchanged. A single `--` directly after the name is removed.",
    "A shim is a symbolic link to `agent-run` named AGENT@PROVIDER, such as `codex@ollama`, and `agent-run shims \
     install` creates it. `codex@ollama resume` is the same as `agent-run launch ollama codex resume`. All arguments of \
     a shim belong to the agent, `--help` too; the options of `agent-run launch` come from the variable \
     `AGENT_RUN_OPTS`.",
    "`agent-run launch` PROVIDER `shell` [PROGRAM ARGUMENTS] starts any other program with the provider's variables, and \
     your shell if no program is named.",
    "`agent-run` COMMAND `--help` prints the help of one command.",
    "On a terminal, text is broken between words, and `~` is your home folder. A path, a command to copy or a value in \
     the plan of `--dry-run -v` and `why -v` is never broken, and can be wider than the terminal. In a pipe, \
     lists have all columns and nothing is shortened.",
];

/// Codes, and when each is returned.
pub const EXIT_STATUS: [(&str, &str); 8] = [
    ("0", "Success."),
    ("1", "The command failed; or `doctor`, `config check` or `providers test` found an error."),
    ("2", "The arguments of a command other than `launch` could not be parsed."),
    ("125", "A launch was refused or failed before the agent ran, also because of its arguments."),
    ("126", "The agent was found, but could not be run."),
    ("127", "The agent is not installed. The message says how to install it."),
    ("128+N", "Signal N ended `demo` or `doctor`, which then ended the agents they had started."),
    ("other", "The exit status of the agent, which has replaced `agent-run`."),
];

/// Variables that are read, or set for the agent.
pub const ENVIRONMENT: [(&str, &str); 19] = [
    ("AGENT_RUN_CONFIG", "The config file. The option `--config` takes precedence."),
    (
        "AGENT_RUN_OPTS",
        "Options of `agent-run launch` for a shim, split into words as a shell does: `--model m --force model`.",
    ),
    (
        "AGENT_RUN_DEPTH",
        "Number of nested launches, set by agent-run for the agent and for key commands. At 8, every command is \
         refused, to end a loop.",
    ),
    ("AGENT_RUN_COMPLETE", "Set by the completion scripts to the name of the shell."),
    (
        "AGENT_RUN_DISABLE_MODEL_COMPLETION_REFRESH",
        "`1`, `true`, `yes` or `on`: completion does not refresh an old model list in the background.",
    ),
    ("HOME", "Your home folder. If it is not set, the system's user database is used."),
    ("PATH", "Where agents are looked for. `agent-run` and its shims are skipped."),
    (
        "SHELL",
        "The program of `agent-run launch` PROVIDER `shell`, and the shell for which help texts are written.",
    ),
    ("VISUAL, EDITOR", "The editor of `agent-run config`; `VISUAL` takes precedence."),
    ("PAGER", "The pager of `agent-run models list` and `agent-run providers presets`, by default `less`."),
    ("NO_COLOR, TERM", "No colors are printed if `NO_COLOR` is set or `TERM` is `dumb`."),
    (
        "RUST_LOG",
        "What is logged to standard error: `warn` (the default), `info`, `debug`, `off`. The log never holds a key.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR, NODE_EXTRA_CA_CERTS",
        "The certificates that are trusted when model lists are loaded and providers are tested.",
    ),
    (
        "CLAUDE_CONFIG_DIR, CODEX_HOME, HERMES_HOME",
        "Where your own settings of these agents are, if not in their usual folders.",
    ),
    ("XDG_CONFIG_HOME, XDG_CONFIG_DIRS", "Where the config file is looked for, see FILES."),
    (
        "XDG_CACHE_HOME, XDG_STATE_HOME",
        "Where model lists, the agents' generated files and kept sessions are stored.",
    ),
    ("XDG_BIN_HOME", "Where `shims install` creates shims, unless the config has `shims.dir`."),
    (
        "XDG_DATA_HOME, XDG_DATA_DIRS",
        "Where completion scripts and the manual are written to and looked for.",
    ),
    (
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
        "The proxy for model lists and, unless the provider's `proxy` says otherwise, for the agent. A server on this \
         machine is always reached directly.",
    ),
];

pub const FILES: [(&str, &str); 11] = [
    (
        "~/.config/agent-run/config.yaml",
        "Your config file (in `$XDG_CONFIG_HOME` if that is set), on macOS too.",
    ),
    (
        "/etc/xdg/agent-run/config.yaml",
        "An administrator's config file (in a folder of `$XDG_CONFIG_DIRS`), read if you have none. No command changes \
         it.",
    ),
    (
        "~/.config/agent-run/keys/PROVIDER.key",
        "A key that you pasted, readable only by you (in the folder of the config file).",
    ),
    ("~/.cache/agent-run/models/", "Cached model lists."),
    (
        "~/.cache/agent-run/AGENT/",
        "Generated files of the agents. Before you delete them, end the agents, and move what Hermes saved there \
         (profiles, logins, variables) and the sessions of the earlier launcher.",
    ),
    (
        "~/.local/state/agent-run/",
        "The home of Codex, sessions of Codex and Crush, lists of the chats of Hermes' gateway, homes of isolated \
         providers, and the secret for generated names.",
    ),
    ("~/.local/bin/AGENT@PROVIDER", "Shims (in `shims.dir` of the config, or in `$XDG_BIN_HOME`)."),
    (
        "~/.local/share/bash-completion/completions/",
        "Completion of bash, written by `agent-run shims install`.",
    ),
    ("~/.local/share/fish/vendor_completions.d/", "Completion of fish, likewise."),
    ("~/.local/share/zsh/site-functions/_agent-run", "Completion of zsh, likewise."),
    ("~/.local/share/man/", "The manual, if `agent-run help --man` wrote it."),
];

/// Of the page of the config.
pub const CONFIG_DESCRIPTION: [&str; 5] = [
    "The config file of agent-run(1) is written in YAML and holds your providers, by the names you launch them by.",
    "The first of these files is read: the one that `--config` names; the one that `AGENT_RUN_CONFIG` names; \
     `agent-run/config.yaml` in `$XDG_CONFIG_HOME`, by default `~/.config`; `agent-run/config.yaml` in a folder of \
     `$XDG_CONFIG_DIRS`, by default `/etc/xdg`.",
    "A file that every user can write to, or that belongs to someone other than you or root, is refused, because it \
     sets the commands to run. An unknown key is an error. `agent-run config check` reports every error and warning, \
     `agent-run config show` prints the values in force, and `agent-run config schema` prints a JSON Schema for \
     editors.",
    "The key of a provider comes from one of `key_env`, `key_file`, `key_command` and `key`. A local server needs none.",
    "In `extra_env` and `headers`, `${env:NAME}` is replaced by a variable of your environment, and `${context:FIELD}` \
     by a value of the launch: `provider`, `protocol`, `model`, `key`, `agent` or `base_url`. `$${` is a literal `${`.",
];

/// Shown on the page of the config, which a test loads.
pub const CONFIG_EXAMPLE: &str = "\
providers:
  deepseek:
    protocols: [anthropic, openai-responses]
    base_urls:
      anthropic: https://api.deepseek.com/anthropic
      openai: https://api.deepseek.com
    key_env: DEEPSEEK_API_KEY
    default_model: deepseek-v4-pro
    tiers:
      haiku: deepseek-flash
  ollama:
    protocols: [anthropic, openai-chat-completions]
    base_urls:
      anthropic: http://localhost:11434
      openai: http://localhost:11434/v1
    default_model: qwen3-coder
    models:
      - id: qwen3-coder
        context_window: 65536
models_ttl: 12h
";
