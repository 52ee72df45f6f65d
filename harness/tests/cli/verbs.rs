//! The verbs that run nothing: list, show, check, doctor, schema.

use super::support::{CLOSED_PORT, Folder, NOTHING, ROOT, json, sockdiff, stderr, stdout};
use rstest::rstest;
use serde_json::Value;
use snapbox::str;
use std::path::Path;

#[test]
fn list_tells_every_case_and_whether_it_runs() {
    let folder = Folder::of_cases(&[
        ("a/one.yaml", "about: x\nsteps: [s.socket: tcp]\n"),
        ("b.yaml", "about: x\nneeds: [quantum]\nsteps: [s.socket: tcp]\n"),
        ("c.yaml", "about: x\ntopology: wire\nsteps: [s.socket: tcp]\n"),
    ]);
    let run = folder.sockdiff("list").assert().code(2);
    let text = stdout(&run);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "a/one  loopback  runs");
    assert!(lines[1].starts_with("c      wire      "), "{text}");
    run.stderr_eq(str![[r#"
cases/b.yaml:2:9: needs[0]: unknown capability `quantum`[..]

"#]]);
}

#[test]
fn list_json_has_its_shape() {
    let run = sockdiff("list rst --json").assert().success();
    let listed = json(&run);
    let rows = listed.as_array().expect("a list");
    assert!(rows.len() > 10, "{} rows", rows.len());
    for row in rows {
        let keys: Vec<&String> = row.as_object().expect("a map").keys().collect();
        assert_eq!(keys, ["covers", "id", "reason", "status", "tags", "topology"]);
        assert!(row["id"].as_str().expect("text").starts_with("rst/"));
        assert!(["loopback", "wire"].contains(&row["topology"].as_str().expect("text")));
        assert!(row["tags"].is_array() && row["covers"].is_array(), "{row}");
        let skipped = row["status"] == "skipped";
        assert!(skipped || row["status"] == "runs", "{row}");
        assert_eq!(row["reason"].is_string(), skipped, "{row}");
    }
}

#[test]
fn show_tells_question_file_and_answer() {
    let run = sockdiff(&format!("show {CLOSED_PORT}")).assert().success();
    let text = stdout(&run);
    let file = std::fs::read_to_string(Path::new(ROOT).join(format!("cases/{CLOSED_PORT}.yaml")));
    for line in file.expect("the case").lines() {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("(recorded on linux "), "{text}");
    assert!(text.contains("│<── [R.] seq 0 ack 1 win 0 ──│"), "{text}");

    let plain = sockdiff(&format!("show {CLOSED_PORT} --no-ladder")).assert().success();
    let packet = "\n    closed-port > client [R.] seq 0 ack 1 win 0\n";
    assert!(stdout(&plain).contains(packet));
    assert!(!stdout(&plain).contains('│'));
}

#[test]
fn show_prints_equal_answers_once() {
    let folder = Folder::of_suite();
    let answers = format!("expected/{CLOSED_PORT}");
    let linux = folder.read(&format!("{answers}/linux.snap"));
    let other = |on: &str| linux.replacen("recorded on: linux", &format!("recorded on: {on}"), 1);
    folder.write(&format!("{answers}/freebsd.snap"), other("freebsd"));
    let odd = other("macos").replace("POLLOUT|POLLHUP", "POLLHUP");
    folder.write(&format!("{answers}/macos.snap"), odd);
    let run = folder.sockdiff(&format!("show {CLOSED_PORT} --no-ladder")).assert().success();
    let text = stdout(&run);
    let heads: Vec<&str> = text.lines().filter(|line| line.contains("(recorded on")).collect();
    let [both, macos] = heads.as_slice() else { panic!("two answers in\n{text}") };
    assert!(both.starts_with("freebsd ") && both.contains("; linux "), "{both}");
    assert!(macos.starts_with("macos "), "{macos}");
    assert_eq!(text.matches("client.poll() = POLLOUT|POLLHUP\n").count(), 1, "{text}");
}

#[test]
fn show_and_run_of_a_case_that_is_not_there_name_the_nearest() {
    for verb in ["show", "run", "list"] {
        let run = sockdiff(&format!("{verb} rst/conect-closed-port")).assert().code(2);
        run.stdout_eq("").stderr_eq(str![[r#"
no case, [..] `rst/conect-closed-port`; did you mean `rst/connect-closed-port`? [..]

"#]]);
    }
}

#[test]
fn show_of_a_file_outside_shows_that_file() {
    let folder = Folder::new();
    folder.write("mine.yml", "about: mine alone\nsteps: [s.socket: udp]\n");
    let mine = folder.path().join("mine.yml");
    let run = sockdiff(&format!("show {}", mine.display())).assert().success();
    assert!(stdout(&run).contains("\n    steps: [s.socket: udp]\n"));
}

#[test]
fn check_of_this_repository_finds_no_fault() {
    let run = sockdiff("check").assert().success();
    run.stdout_eq(str![[r#"
...
[..] cases, 0 faults, [..]

"#]])
        .stderr_eq("");
    let run = sockdiff("check --json").assert().success();
    for found in json(&run).as_array().expect("a list") {
        assert!(found["what"].is_string(), "{found}");
        assert_eq!(found["fault"], Value::Bool(false), "{found}");
    }
}

#[test]
fn check_finds_what_is_wrong() {
    let folder = Folder::of_suite();
    folder.write("cases/case.schema.json", "{}\n");
    folder.write("cases/rst/broken.yaml", "about: x\n");
    let orphan = folder.read(&format!("expected/{CLOSED_PORT}/linux.snap"));
    folder.write("expected/rst/nobody-asked/linux.snap", orphan);
    let conflict = format!("expected/{CLOSED_PORT}/linux.snap");
    folder.edit(&conflict, "\n---\n", "\n---\n<<<<<<< HEAD\n");
    let before = folder.files();
    let run = folder.sockdiff("check").assert().code(2);
    let told = stderr(&run);
    for (what, why) in [
        ("cases/rst/broken.yaml:1:1: ", "`steps` is missing"),
        ("cases/case.schema.json: ", "run `cargo run -- schema > "),
        ("expected/rst/nobody-asked", "no case"),
        ("connect-closed-port/linux.snap:9: ", "a merge conflict"),
    ] {
        let says = |line: &str| line.contains(what) && line.contains(why);
        assert!(told.lines().any(says), "{what} … {why} is missing in\n{told}");
    }
    let count = json(&folder.sockdiff("check --json").assert().code(2));
    let faults = count.as_array().expect("a list").iter().filter(|one| one["fault"] == true);
    assert_eq!(faults.count(), told.lines().count());
    assert_eq!(folder.touched(&before), NOTHING);
}

#[test]
fn doctor_tells_what_is_there_and_how_to_get_the_rest() {
    let run = sockdiff("doctor").assert().success();
    let text = stdout(&run);
    assert!(!text.is_empty());
    let findings = json(&sockdiff("doctor --json").assert().success());
    let findings = findings.as_array().expect("a list");
    assert!(!findings.is_empty());
    for one in findings {
        let what = one["what"].as_str().expect("text");
        assert!(text.contains(what), "{what} is missing in\n{text}");
        assert!(one["good"].is_boolean() && one["found"].is_string(), "{one}");
        let remedy = one["remedy"].as_str().unwrap_or_default();
        assert!(text.contains(remedy), "{remedy} is missing in\n{text}");
    }
}

#[test]
fn schema_is_the_one_beside_the_cases() {
    let run = sockdiff("schema").assert().success();
    let schema = std::fs::read_to_string(Path::new(ROOT).join("cases/case.schema.json"));
    run.stdout_eq(snapbox::Data::text(schema.expect("the schema")).raw());
}

#[test]
fn check_wants_a_folder_of_answers() {
    let run = sockdiff("check --expected no-such-folder").assert().code(2);
    let told = stderr(&run);
    assert!(told.ends_with("no-such-folder: no such folder, expected the answers\n"), "{told}");
    assert!(stdout(&run).ends_with(" cases, 1 fault, 0 notes\n"), "{}", stdout(&run));
}

#[test]
fn cases_and_answers_are_in_the_program() {
    let folder = Folder::new();
    let inside = folder.sockdiff("list --json").assert().success();
    assert_eq!(json(&inside), json(&sockdiff("list --json").assert().success()));
    let show = format!("show {CLOSED_PORT}");
    let (inside, here) = (folder.sockdiff(&show).assert(), sockdiff(&show).assert());
    assert_eq!(stdout(&inside), stdout(&here));
    let run = folder.sockdiff(&format!("run {CLOSED_PORT} --out r.json --update always"));
    let _as_on_any_machine = run.assert();
    let run = folder.sockdiff("record r.json").assert().code(2);
    let told = stderr(&run);
    assert!(told.ends_with("cannot change: name a folder with --expected\n"), "{told}");
    assert_eq!(folder.files().keys().collect::<Vec<_>>(), ["r.json"]);
}

#[test]
fn answers_lie_beside_the_cases() {
    let folder = Folder::of_suite();
    let above = format!("show {CLOSED_PORT} --cases");
    let cases = folder.path().join("cases");
    let inside = sockdiff(&format!("{above} .")).current_dir(&cases).assert().success();
    assert!(stdout(&inside).contains("(recorded on linux "), "{}", stdout(&inside));
    let elsewhere = sockdiff(&format!("{above} {}", cases.display())).assert().success();
    assert!(stdout(&elsewhere).contains("(recorded on linux "));
    std::fs::remove_dir_all(folder.path().join("expected")).expect("it is there");
    let none = sockdiff(&format!("{above} {}", cases.display())).assert().success();
    assert!(stdout(&none).ends_with("\nnothing is recorded for this case yet\n"));
}

#[rstest]
#[case("")]
#[case("run")]
#[case("list")]
#[case("show")]
#[case("record")]
#[case("check")]
#[case("doctor")]
fn help_fits_a_page(#[case] verb: &str) {
    for flag in ["-h", "--help"] {
        let run = sockdiff(&format!("{verb} {flag}")).assert().success();
        let text = stdout(&run);
        assert!(text.contains("Usage: sockdiff"), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[rstest]
#[case("run --update sometimes", "[possible values: new, always, no]")]
#[case("run --repeat 0", "0 is not in 1..=1000000")]
#[case("run --jitter often", "expected a number of milliseconds up to 60000: 60")]
#[case("run --jitter 100000000000", "expected a number of milliseconds up to 60000: 60")]
#[case("run --platform plan9", "expected a platform and its release: gvisor-20240729")]
#[case("run --platform ../../x-1", "expected a platform and its release: gvisor-20240729")]
#[case("run --isolaton shared", "a similar argument exists: '--isolation'")]
#[case("record", "<RESULT>...")]
fn bad_usage_says_what_is_expected(#[case] arguments: &str, #[case] expected: &str) {
    let run = sockdiff(arguments).assert().code(2).stdout_eq("");
    let told = stderr(&run);
    assert!(told.contains(expected), "{told}");
}

#[test]
fn claims_are_held_against_what_is_recorded() {
    let run = sockdiff("claims --json rst/close-unread-data").assert().success();
    let all = json(&run);
    let all = all.as_array().expect("a list of claims");
    let of = |source: &str| {
        all.iter().find(|claim| claim["source"] == source).expect("a claim of that source")
    };
    let rfc = of("RFC 1122 §4.2.2.13");
    assert_eq!(rfc["case"], "rst/close-unread-data");
    assert_eq!(rfc["verdicts"]["linux-6.18"], "holds");
    let windows = all.iter().find(|claim| claim["platforms"][0] == "windows");
    assert_eq!(windows.expect("one about Windows")["verdicts"]["linux-6.18"], "not recorded");
}

#[test]
fn refuted_claims_are_found_by_their_verdict() {
    let run = sockdiff("claims --verdict refuted sockopt/rcvbuf-sndbuf").assert().success();
    let text = stdout(&run);
    assert!(text.contains("      refuted  linux ") && text.contains(" 6.18,"), "{text}");
    assert!(text.contains("socket(7)"), "{text}");
    assert!(text.ends_with("1 statement: 1 refuted wherever recorded\n"), "{text}");
}
