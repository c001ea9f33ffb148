//! The project's card, by name: what it promises in a few lines is what is tried here, in the same words.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{AGENT_RUN, Sandbox, run};

const CONFIG: &str = "\
providers:
  ollama:
    protocols: [openai-responses, openai-chat-completions]
    base_urls: {openai: 'http://127.0.0.1:9/v1'}
    default_model: m1
    model_api_filters: []
";
const SHIMS: [&str; 3] = ["codex@ollama", "crush@ollama", "hermes@ollama"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A home with one provider, and a fake Codex, Hermes and Crush.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("SHELL", "/bin/bash");
    let bin = sandbox.home(".local/bin");
    let sandbox = sandbox.also_on_path(&[bin]);
    sandbox.config(CONFIG);
    for agent in ["codex", "crush", "hermes"] {
        sandbox.fake_agent(agent);
    }
    sandbox
}

/// Codex got just these words, behind the choice that the launch makes on its command line.
fn is_routed_with(args: &[&str], words: &[&str]) {
    assert!(args.ends_with(words), "{args:?}");
    let (ours, _) = args.split_at(args.len() - words.len());
    assert!(ours.iter().any(|word| word.starts_with("model_provider=")), "{args:?}");
}

#[test]
fn codex_at_ollama_resume_last() {
    let sandbox = sandbox();
    sandbox.shim("codex@ollama");
    let ran = sandbox.run("codex@ollama", &["resume", "--last"]).clean();
    is_routed_with(&ran.args(), &["resume", "--last"]);
}

#[test]
fn agent_run_launch_provider_agent() {
    let sandbox = sandbox();
    for agent in ["codex", "crush", "hermes"] {
        let ran = sandbox.agent_run(&["launch", "ollama", agent, "--flag", "word"]).clean();
        assert!(ran.args().ends_with(&["--flag", "word"]), "{agent}: {:?}", ran.args());
        assert_eq!(ran.env("AGENT_RUN_DEPTH"), Some("1"), "{agent}");
    }
}

#[test]
fn agent_run_shims_install() {
    let sandbox = sandbox();
    // Else it says what bash lacks.
    sandbox.write(&sandbox.home(".bashrc"), "eval \"$(agent-run completion bash)\"\n");
    sandbox.agent_run(&["shims", "install"]).clean();
    for shim in SHIMS {
        let by_path = format!("{shim} resume --last");
        let ran = sandbox.run("sh", &["-c", &by_path]).clean();
        assert!(ran.args().ends_with(&["resume", "--last"]), "{shim}: {:?}", ran.args());
        // bash-completion and fish look for a file of the command's name.
        for file in
            [format!("bash-completion/completions/{shim}"), format!("fish/vendor_completions.d/{shim}.fish")]
        {
            let file = sandbox.home(".local/share").join(file);
            assert!(file.exists(), "{}", file.display());
        }
    }
}

/// The lines of nix/shims.nix that make the symlinks, with a package and its names filled in. `nix/check` runs them in
/// a build; here they run without Nix.
fn nix_makes(package: &Path, out: &Path) {
    let file = read("nix/shims.nix");
    let (_, script) = file.split_once("postBuild = ''\n").expect("the step that makes the symlinks");
    let (script, _) = script.split_once("\n      '';").expect("its end");
    let script = script
        .replace("${agent-run}", &package.display().to_string())
        .replace("${lib.escapeShellArgs (names selection)}", &SHIMS.join(" "));
    assert!(!script.contains("${"), "{script}");
    let mut bash = std::process::Command::new("bash");
    run(bash.args(["-euo", "pipefail", "-c", &script]).env("out", out)).clean();
}

#[test]
fn nix_makes_shims_and_their_completions() {
    let sandbox = sandbox();
    let (package, out) = (sandbox.path("package"), sandbox.path("out"));
    let files = ["bash-completion/completions/agent-run.bash", "fish/vendor_completions.d/agent-run.fish"];
    for (file, shell) in files.iter().zip(["bash", "fish"]) {
        let script = sandbox.agent_run(&["completion", shell]).clean().stdout;
        sandbox.write(&package.join("share").join(file), script);
        fs::create_dir_all(out.join("share").join(file).parent().unwrap()).unwrap();
    }
    for folder in [&package, &out] {
        fs::create_dir_all(folder.join("bin")).unwrap();
    }
    symlink(AGENT_RUN, package.join("bin/agent-run")).unwrap();
    nix_makes(&package, &out);

    let ran = run(sandbox.command(out.join("bin/codex@ollama")).args(["resume", "--last"])).clean();
    is_routed_with(&ran.args(), &["resume", "--last"]);
    for shim in SHIMS {
        let script = out.join("share/bash-completion/completions").join(shim);
        let ask = format!(". '{}' && complete -p '{shim}'", script.display());
        let ran = sandbox.run("bash", &["-c", &ask]).clean();
        assert!(ran.stdout.contains(" -F ") && ran.stdout.contains(shim), "{}", ran.stdout);
        let fish =
            fs::read_to_string(out.join(format!("share/fish/vendor_completions.d/{shim}.fish"))).unwrap();
        assert_eq!(fish, sandbox.agent_run(&["completion", "fish"]).clean().stdout);
    }
    // A completion for zsh is one file for a pattern of names.
    let zsh = sandbox.agent_run(&["completion", "zsh"]).clean().stdout;
    assert!(zsh.starts_with("#compdef agent-run ") && zsh.lines().next().unwrap().contains('@'), "{zsh}");
}

/// The twelve packages that the card names, each a dependency of the program or of its agents: none by way of another.
#[test]
fn the_packages_are_in_use() {
    let (program, agents) = (("Cargo.toml", "src"), ("shims/Cargo.toml", "shims/src"));
    for (name, (manifest, folder)) in [
        ("anyhow", program),
        ("argh", agents),
        ("clap", program),
        ("clap_complete", program),
        ("dirs", program),
        ("nix", program),
        ("serde", program),
        ("serde_json", program),
        ("serde_yaml", program),
        ("tempfile", program),
        ("toml", agents),
        ("ureq", program),
    ] {
        let manifest: toml::Table = read(manifest).parse().unwrap();
        assert!(manifest["dependencies"].as_table().unwrap().contains_key(name), "{name}");
        let used = format!("{name}::");
        let is_used = sources(&root().join(folder)).iter().any(|text| text.contains(&used));
        assert!(is_used, "nothing in {folder} uses {name}");
    }
}

fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            texts.extend(sources(&entry.path()));
        } else {
            texts.push(fs::read_to_string(entry.path()).unwrap());
        }
    }
    texts
}

/// What a visitor sees first. Something new here is a decision, and no accident.
const TOP_LEVEL: [&str; 29] = [
    ".ci",
    ".envrc",
    ".gitignore",
    "AGENTS.md",
    "CHANGELOG.md",
    "CLAUDE.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "NOTICE",
    "README.md",
    "benches",
    "build.rs",
    "clippy.toml",
    "config.demo.yaml",
    "default.nix",
    "deny.toml",
    "docs",
    "flake.lock",
    "flake.nix",
    "fuzz",
    "man",
    "nix",
    "rustfmt.toml",
    "shell.nix",
    "src",
    "tests",
];

#[test]
fn the_top_level_holds_what_it_should() {
    let git = std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    // In a copy without its history all that git would ignore is left out by name.
    let listed: BTreeSet<String> = match git {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let text = String::from_utf8(output.stdout).unwrap();
            text.split('\0').filter_map(|path| path.split('/').next()).map(str::to_owned).collect()
        }
        _ => {
            let entries = fs::read_dir(root()).unwrap().flatten();
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
        }
    };
    let ignored = ["", ".git", "target", ".direnv", "result", "home", "built"];
    let listed: BTreeSet<_> =
        listed.iter().map(String::as_str).filter(|name| !ignored.contains(name)).collect();
    let mut expected: BTreeSet<_> = TOP_LEVEL.into();
    expected.extend(["shims", ".github"]);
    assert_eq!(listed, expected);
}
