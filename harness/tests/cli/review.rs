//! A case that is not as recorded, from its story to its acceptance.

use super::support::{Folder, namespaces, stderr, stdout};
use rstest::rstest;

const CASE: &str = "rst/close-unread-data";
const ANSWER: &str = "expected/rst/close-unread-data/linux.snap";
const PENDING: &str = "expected/rst/close-unread-data/linux.snap.new";

/// The suite with one line of one answer changed, the true answer recorded for an old release,
/// in a folder that is no checkout.
fn changed() -> Folder {
    let folder = Folder::of_suite();
    std::fs::rename(folder.path().join("cases"), folder.path().join("questions")).expect("moved");
    let truth = folder.read(ANSWER);
    folder.write("expected/rst/close-unread-data/linux-2.6.snap", truth);
    folder.edit(ANSWER, "client.recv(256) = -1 ECONNRESET", "client.recv(256) = -1 EPIPE");
    folder
}

fn run(folder: &Folder, more: &str) -> snapbox::cmd::Command {
    folder.sockdiff(&format!("run {CASE} --cases questions --expected expected {more}"))
}

/// The line of the step that is answered otherwise.
fn line_of_step() -> usize {
    let case = include_str!("../../../cases/rst/close-unread-data.yaml");
    let step = case.lines().position(|line| line.trim() == "- client.recv: 256");
    step.expect("the step") + 1
}

#[test]
fn story_tells_where_what_who_and_how_to_accept() {
    if !namespaces() {
        return;
    }
    let folder = changed();
    let ended = run(&folder, "").assert().code(1);
    assert_eq!(stderr(&ended), "");
    let text = stdout(&ended);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("differs           {CASE}"));
    let place = format!("    questions/{CASE}.yaml:{}: close() while", line_of_step());
    assert!(lines[1].starts_with(&place), "{text}");
    for (sign, word) in [("    --- linux ", ", recorded"), ("    +++ linux ", ", happened")] {
        let is = |line: &&str| line.starts_with(sign) && line.ends_with(word);
        assert!(lines.iter().any(is), "{text}");
    }
    let changes =
        lines.iter().filter(|line| line.starts_with("    -") || line.starts_with("    +"));
    let changes: Vec<&&str> = changes.skip(2).collect();
    let expected =
        [&"    - client.recv(256) = -1 EPIPE", &"    + client.recv(256) = -1 ECONNRESET"];
    assert_eq!(changes, expected, "{text}");
    for told in [
        "      == sizes=[256,128]\n",
        "      conn.close() = 0\n",
        "    the same answer is recorded for: linux-2.6\n",
        &format!("    stored as {PENDING}; to accept: cargo insta review, or sockdiff run {CASE}"),
    ] {
        assert!(text.contains(told), "{told} is missing in\n{text}");
    }
    assert_eq!(lines.last(), Some(&"1 differs"));
    assert!(folder.read(PENDING).contains("client.recv(256) = -1 ECONNRESET"));
}

#[test]
fn accepted_answer_is_the_record() {
    if !namespaces() {
        return;
    }
    let folder = changed();
    run(&folder, "").assert().code(1);
    let ended = run(&folder, "--update always").assert().code(1);
    let text = stdout(&ended);
    assert!(text.contains(&format!("    accepted as {ANSWER}\n")), "{text}");
    run(&folder, "").assert().success().stdout_eq(format!("same              {CASE}\n1 same\n"));
    assert!(!folder.exists(PENDING), "nothing is left to review");
}

#[rstest]
#[case::new("--update new", "", Some(PENDING))]
#[case::always("--update always", "true", Some(ANSWER))]
#[case::no("--update no", "", None)]
#[case::by_default("", "", Some(PENDING))]
#[case::in_ci("", "true", None)]
#[case::told_in_ci("--update new", "true", Some(PENDING))]
fn update_says_what_is_written(
    #[case] update: &str,
    #[case] ci: &str,
    #[case] written: Option<&str>,
) {
    if !namespaces() {
        return;
    }
    let folder = changed();
    let before = folder.files();
    let ended = run(&folder, update).env("CI", ci).assert().code(1);
    let written = Vec::from_iter(written);
    assert_eq!(folder.touched(&before), written);
    let text = stdout(&ended);
    let nothing = text.contains("nothing was stored; to accept: sockdiff run");
    assert_eq!(nothing, written.is_empty(), "{text}");
}

#[test]
fn case_without_a_record_is_new_and_shows_its_answer() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    folder.remove(ANSWER);
    let ended = folder.sockdiff(&format!("run {CASE}")).assert().code(1);
    let text = stdout(&ended);
    assert!(text.starts_with(&format!("new               {CASE}\n")), "{text}");
    assert!(text.contains(&format!("    cases/{CASE}.yaml: nothing is recorded for linux\n")));
    assert!(text.contains("    +client.recv(256) = -1 ECONNRESET\n"), "{text}");
    assert!(text.ends_with("\n1 new\n"), "{text}");
    assert!(folder.exists(PENDING));
}
