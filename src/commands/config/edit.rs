//! `agent-run config`: opens the config in an editor until what it saved is sound or the user leaves it so.
//! Writes the example first if asked to.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, IsTerminal, Write, stdin, stdout};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, anyhow, bail};
use nix::unistd::{AccessFlags, access};
use shims::{Message, quote};

use crate::config::{self, DEMO, lint};
use crate::fs::atomic::create;
use crate::ui::{log, output, prompt};

use super::check;

/// Tried in this order when the user names no editor; the first two are Debian's way to ask for one.
const EDITORS: [&str; 5] = ["sensible-editor", "editor", "nano", "vim", "vi"];

/// Opens the config at `path` in `editor`, or says where it is when nobody sits at a terminal.
///
/// `editor` is what `$VISUAL` or `$EDITOR` says, with arguments as a shell splits them. With `bootstrap`
/// a file that is not there yet is written first; one that is stays as it is. The cursor begins in `line`, in an editor
/// that is known to take one.
pub fn run(path: &Path, bootstrap: bool, editor: Option<&OsStr>, line: Option<usize>) -> Result<ExitCode> {
    let written = bootstrap && write_example(path)?;
    if bootstrap && !written {
        log::warn(Message::new(
            format!("there is a config already, and it was not changed: {}", path.display()),
            "`agent-run config edit` opens it; to start from the example, move it away first",
        ));
    }
    if matches!(path.try_exists(), Ok(false)) {
        bail!(config::none_there(path));
    }
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return output::write(|out| writeln!(out, "{}", path.display()));
    }
    if written {
        output::people(|out| writeln!(out, "wrote {}", path.display()))?;
    }
    if let Some(why) = unwritable(path) {
        log::warn(why);
        if !prompt::agrees("Open it anyway?")? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    loop {
        edit(path, editor, line)?;
        let found = lint(path)?;
        if found.errors.is_empty() && found.warnings.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        output::people(|out| out.write_all(check::text(&found, path).as_bytes()))?;
        if found.errors.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        if !prompt::agrees_later("Open it again?") {
            bail!(Message::new("the config has errors", "`agent-run config check` prints them again"));
        }
    }
}

/// Why an editor could not save the file, if it could not. As root nearly everything can be written.
fn unwritable(path: &Path) -> Option<Message> {
    let error = access(path, AccessFlags::W_OK).err()?;
    let leads = std::fs::canonicalize(path).ok().filter(|file| file != path);
    let leads = leads.map(|file| format!(", which points to {}", file.display())).unwrap_or_default();
    Some(Message::new(
        format!("{}{leads} cannot be saved: {}", path.display(), error.desc()),
        format!(
            "change the source it is generated from, such as home-manager; or check `ls -l {}`",
            quote(path.as_os_str())
        ),
    ))
}

/// Writes the example to `path` unless something is there already; says whether it did.
///
/// The file appears whole or not at all, readable by its owner alone, as do folders made for it.
fn write_example(path: &Path) -> Result<bool> {
    let failed = config::could_not_write("the example", path);
    config::make_folder(path).map_err(failed)?;
    create(path, DEMO.as_bytes()).map_err(failed)
}

fn edit(path: &Path, editor: Option<&OsStr>, line: Option<usize>) -> Result<()> {
    let Some(editor) = editor.filter(|editor| !editor.is_empty()) else {
        for program in EDITORS {
            match Command::new(program).args(file_at(program.as_ref(), path, line)).status() {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                status => return ended(program, status),
            }
        }
        let shown = path.display();
        let help = "set EDITOR, or open the file yourself";
        bail!(Message::new(format!("no editor found to open {shown}"), help));
    };
    let words = split(editor)?;
    let (program, arguments) = words.split_first().context("no editor is set")?;
    let file = file_at(program, path, line);
    ended(&program.to_string_lossy(), Command::new(program).args(arguments).args(file).status())
}

/// The words that open the file, at the line if the editor is known to take one.
fn file_at(editor: &OsStr, path: &Path, line: Option<usize>) -> Vec<OsString> {
    let name = Path::new(editor).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let Some(line) = line else { return vec![path.into()] };
    let at = || [path.as_os_str(), line.to_string().as_ref()].join(OsStr::new(":"));
    match name {
        "sensible-editor" | "editor" | "nano" | "vim" | "vi" | "nvim" | "gvim" | "emacs" | "emacsclient"
        | "micro" | "kak" | "joe" | "ne" => vec![format!("+{line}").into(), path.into()],
        "code" | "codium" | "cursor" | "code-insiders" => vec!["--goto".into(), at()],
        "hx" => vec![at()],
        _ => vec![path.into()],
    }
}

/// The editor's words. A name that is not UTF-8 is taken whole, since it cannot be split as a shell does.
fn split(editor: &OsStr) -> Result<Vec<OsString>> {
    let Some(text) = editor.to_str() else { return Ok(vec![editor.to_owned()]) };
    let words = shlex::split(text).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| {
        anyhow!(Message::new(
            format!("the editor's command has an unclosed quotation mark: {text}"),
            "fix VISUAL or EDITOR"
        ))
    })?;
    Ok(words.into_iter().map(OsString::from).collect())
}

fn ended(program: &str, status: std::io::Result<std::process::ExitStatus>) -> Result<()> {
    let help = "set VISUAL or EDITOR to another one";
    let status = status.map_err(|error| {
        anyhow!(Message::new(format!("could not run the editor: {program}: {error}"), help))
    })?;
    if !status.success() {
        bail!(Message::new(format!("the editor failed: {program}: {status}"), help));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn the_example_is_written_for_its_owner_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("config/agent-run/config.yaml");
        assert!(write_example(&path).expect("written"));
        assert_eq!(fs::read_to_string(&path).expect("read"), DEMO);
        let folder = path.parent().expect("a folder");
        assert_eq!([mode(&path), mode(folder), mode(&root.path().join("config"))], [0o600, 0o700, 0o700]);
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_there_is_never_written_over() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("config.yaml");
        fs::write(&path, "mine").expect("written");
        assert!(!write_example(&path).expect("left alone"));
        assert_eq!(fs::read_to_string(&path).expect("read"), "mine");

        let link = root.path().join("link.yaml");
        symlink("nowhere", &link).expect("a link");
        assert!(!write_example(&link).expect("left alone"));
        assert!(!root.path().join("nowhere").exists());
        assert!(
            run(&link, true, None, None)
                .is_err_and(|error| crate::error::render(&error).starts_with("there is no config"))
        );
    }

    #[test]
    fn a_missing_file_is_an_error_with_the_way_to_make_one() {
        let root = tempfile::tempdir().expect("a folder");
        let error = crate::error::render(
            &run(&root.path().join("none"), false, None, None).expect_err("nothing is there"),
        );
        assert!(error.contains("help: `agent-run providers add`"), "{error}");
        assert_eq!(fs::read_dir(root.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let root = tempfile::tempdir().expect("a folder");
        fs::write(root.path().join("file"), "").expect("written");
        let error = write_example(&root.path().join("file/config.yaml")).expect_err("a file is in the way");
        assert!(crate::error::render(&error).contains("\nhelp: "), "{error}");
    }

    #[test]
    fn the_editor_gets_its_arguments_and_the_file() {
        let root = tempfile::tempdir().expect("a folder");
        let (path, log) = (root.path().join("the config"), root.path().join("log"));
        let editor = format!("sh -c 'printf \"%s|\" \"$@\" >{}' sh --wait", log.display());
        edit(&path, Some(editor.as_ref()), Some(3)).expect("it ran");
        assert_eq!(fs::read_to_string(log).expect("a log"), format!("--wait|{}|", path.display()));
    }

    #[test]
    fn an_editor_that_cannot_run_or_fails_is_said() {
        let said = |editor: &str| {
            let error =
                crate::error::render(&edit(Path::new("x"), Some(editor.as_ref()), None).expect_err(editor));
            assert!(error.contains("\nhelp: "), "{error}");
            error
        };
        assert!(said("/nowhere/editor -w").starts_with("could not run the editor: /nowhere/editor: "));
        assert!(said("sh -c 'exit 3'").starts_with("the editor failed: sh: exit status: 3"));
        assert!(said("vim 'x").starts_with("the editor's command has an unclosed quotation mark"));
        assert!(said(" ").starts_with("the editor's command"));
    }
}
