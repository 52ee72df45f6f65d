//! What the output looks like to a terminal, and to everything else.

use super::support::{CLOSED_PORT, Folder, PROGRAM, ROOT, met, sockdiff, stderr, stdout};
use rstest::rstest;
use snapbox::cmd::{Command, OutputAssert};

const ESCAPE: char = '\x1b';

#[rstest]
#[case(&format!("run {CLOSED_PORT} --ladder always --update no"))]
#[case("run no/such-case")]
#[case("list rst")]
#[case(&format!("show {CLOSED_PORT}"))]
#[case("doctor")]
#[case("check")]
#[case("--help")]
fn pipe_gets_no_escape_codes(#[case] arguments: &str) {
    let run = sockdiff(arguments).assert();
    let (out, err) = (stdout(&run), stderr(&run));
    assert!(!out.is_empty() || !err.is_empty());
    assert!(!out.contains(ESCAPE) && !err.contains(ESCAPE), "{out:?} {err:?}");
}

/// The program on a terminal, by the tool that records one.
fn on_terminal(folder: &Folder, arguments: &str, no_color: bool) -> Option<OutputAssert> {
    let probe = std::process::Command::new("script").arg("--version").output();
    let is_here = probe.is_ok_and(|output| output.stdout.starts_with(b"script from util-linux"));
    if !met("script of util-linux", is_here) {
        return None;
    }
    let command = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{PROGRAM} {arguments}"))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .env_remove("CI")
        .env_remove("NO_COLOR")
        .current_dir(folder.path());
    let command = if no_color { command.env("NO_COLOR", "1") } else { command };
    Some(command.assert())
}

#[test]
fn terminal_gets_colours_unless_no_color_is_set() {
    let folder = Folder::of_suite();
    folder.edit(&format!("expected/{CLOSED_PORT}/linux.snap"), "POLLOUT|POLLHUP", "POLLHUP");
    let arguments = format!("run {CLOSED_PORT} --update no");
    let Some(coloured) = on_terminal(&folder, &arguments, false) else {
        return;
    };
    assert!(stdout(&coloured).contains(ESCAPE));
    let Some(plain) = on_terminal(&folder, &arguments, true) else {
        return;
    };
    let text = stdout(&plain);
    assert!(text.contains(CLOSED_PORT), "{text}");
    assert!(!text.contains(ESCAPE), "{text:?}");
    // Without escape codes a line of progress could not be taken away again.
    assert!(!text.replace("\r\n", "\n").contains('\r'), "{text:?}");
}

#[test]
fn terminal_gets_same_folded_by_folder() {
    let folder = Folder::of_suite();
    let Some(run) = on_terminal(&folder, "run connect --update no", true) else {
        return;
    };
    let text = stdout(&run);
    assert!(!text.contains(&format!("same              {CLOSED_PORT}")), "{text}");
    let last = text.lines().last().expect("a summary");
    assert!(last.contains(" same") || last.contains(" calls only"), "{text}");
}

#[test]
fn reader_that_goes_away_is_no_error() {
    let mut child = std::process::Command::new(PROGRAM)
        .args(["show", CLOSED_PORT])
        .current_dir(ROOT)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success() && told.is_empty(), "{told}");
}
