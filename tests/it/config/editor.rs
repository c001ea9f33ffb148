use super::SOUND;
use crate::support::Sandbox;
use crate::support::tmux::Tmux;

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn an_editor_that_leaves_an_error_is_offered_again() {
    let sandbox = Sandbox::new();
    let path = sandbox.config(SOUND);
    // The first time it breaks the file, the second time it corrects it.
    let script = format!(
        "#!/bin/sh\nif grep -q colour \"$1\"; then cp {sound} \"$1\"; else echo 'colour: blue' >>\"$1\"; fi\n",
        sound = sandbox.path("sound").display()
    );
    sandbox.write(&sandbox.path("sound"), SOUND);
    let editor = sandbox.script("editor", &script).display().to_string();
    let sandbox = sandbox.var("EDITOR", editor);

    let tmux = Tmux::start(&sandbox, "agent-run config");
    let screen = tmux.wait_for("Open it again? [Y/n]");
    assert!(screen.contains("error: colour: unknown key"), "{screen}");
    tmux.text("y");
    tmux.key("Enter");
    tmux.wait_for("[exited 0]");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), SOUND);
    drop(tmux);

    let tmux = Tmux::start(&sandbox, "agent-run config");
    tmux.wait_for("Open it again? [Y/n]");
    tmux.text("n");
    tmux.key("Enter");
    let screen = tmux.wait_for("[exited 1]");
    assert!(screen.contains("help: `agent-run config check`"), "{screen}");
}

/// As one that Nix made, which lies where nobody writes.
#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "needs tmux, and root needs setpriv: --features as-root")]
fn a_config_that_cannot_be_written_is_said_to_be_so_before_the_editor_opens() {
    let sandbox = Sandbox::new();
    let path = sandbox.config(SOUND);
    let editor = sandbox.script("editor", "#!/bin/sh\necho opened\n").display().to_string();
    let sandbox = sandbox.var("EDITOR", editor);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    let root = if nix::unistd::geteuid().is_root() { "setpriv --bounding-set=-dac_override " } else { "" };
    for (answer, opens) in [("n", false), ("y", true)] {
        let tmux = Tmux::start(&sandbox, &format!("{root}agent-run config"));
        let screen = tmux.wait_for("Open it anyway? [Y/n]");
        assert!(screen.contains("cannot be saved") && !screen.contains("opened"), "{screen}");
        tmux.text(answer);
        tmux.key("Enter");
        let screen = tmux.wait_for("[exited 0]");
        assert_eq!(screen.contains("opened"), opens, "{screen}");
    }
}
