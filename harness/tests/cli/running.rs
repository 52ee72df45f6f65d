//! `run`: what it takes, what it writes, and how it ends.

use super::support::{CLOSED_PORT, Folder, NOTHING, json, namespaces, sockdiff, stderr, stdout};
use rstest::rstest;
use snapbox::{Data, str};

/// It binds first, because Windows listens on no other socket.
const OUTSIDE: &str = "about: of my own\nsteps:\n  - s.socket: tcp\n  - s.bind: loopback\n  \
                       - s.listen: 1\n  - s.close\n";

#[rstest]
#[case::id(CLOSED_PORT)]
#[case::path("cases/rst/connect-closed-port.yaml")]
fn one_case_is_named_by_id_or_path(#[case] which: &str) {
    if !namespaces() {
        return;
    }
    for verb in ["run ", ""] {
        let run = sockdiff(&format!("{verb}{which} --update no")).assert().success();
        assert_eq!(stderr(&run), "");
        run.stdout_eq(str![[r#"
same              rst/connect-closed-port
1 same

"#]]);
    }
}

#[rstest]
#[case("udp")]
#[case("udp/")]
#[case("cases/udp")]
fn folder_of_cases_is_named_by_id_or_path(#[case] which: &str) {
    if !namespaces() {
        return;
    }
    let text = stdout(&sockdiff(&format!("run {which} --update no")).assert().success());
    let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("same   ")).collect();
    assert!(ids.len() > 3 && ids.iter().all(|id| id.trim().starts_with("udp/")), "{text}");
    assert!(text.ends_with(&format!("\n{} same\n", ids.len())), "{text}");
}

#[test]
fn tags_and_topologies_select() {
    let all = json(&sockdiff("list --json").assert().success());
    let all = all.as_array().expect("a list");
    let tagged = |row: &&serde_json::Value| {
        let tags = row["tags"].as_array().expect("a list");
        tags.iter().any(|tag| tag == "threads")
    };
    let expected: Vec<_> = all.iter().filter(tagged).map(|row| &row["id"]).collect();
    assert!(!expected.is_empty() && expected.len() < all.len());
    let run = sockdiff("run --tag threads --update no --json").assert();
    let ran = json(&run);
    let ran = ran["results"].as_array().expect("a list").iter();
    assert_eq!(ran.map(|result| &result["id"]).collect::<Vec<_>>(), expected);

    let run = sockdiff("run unix --tag no-such-tag").assert().code(2);
    let told = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(told.contains("no case that is meant has the tag `no-such-tag`; there is "), "{told}");
    let run = sockdiff("run unix --topology wire").assert().success();
    run.stdout_eq("no case was selected\n");
}

#[test]
fn file_outside_prints_its_transcript_and_stores_nothing() {
    let folder = Folder::of_suite();
    folder.write("mine.yaml", OUTSIDE);
    let before = folder.files();
    let run = folder.sockdiff("run mine.yaml --update always").assert().success();
    assert_eq!(stderr(&run), "");
    run.stdout_eq(str![[r#"
s.socket(tcp) = fd s
s.bind(loopback) = 0
s.listen(1) = 0
s.close() = 0

"#]]);
    folder.write("more/other.yaml", OUTSIDE);
    let run = folder.sockdiff("run mine.yaml more").assert().success();
    let text = stdout(&run);
    assert!(text.starts_with("# mine.yaml\ns.socket(tcp) = fd s\n"), "{text}");
    assert!(text.contains("\n# more/other.yaml\ns.socket(tcp) = fd s\n"), "{text}");
    std::fs::remove_dir_all(folder.path().join("more")).expect("it is there");
    assert_eq!(folder.touched(&before), NOTHING);
}

#[test]
fn files_outside_run_side_by_side_and_are_told_in_their_order() {
    let folder = Folder::of_suite();
    folder
        .write("mine/a.yaml", OUTSIDE.replace("  - s.close\n", "  - pause: 200ms\n  - s.close\n"));
    folder.write("mine/b.yaml", OUTSIDE);
    folder.write("mine/c.yaml", OUTSIDE.replace("  - s.close\n", "  - s.close\n  - s.close\n"));
    let run = folder.sockdiff("run mine --jobs 2").assert().success();
    let told = stdout(&run);
    let titles = told.lines().filter(|line| line.starts_with("# "));
    assert_eq!(titles.collect::<Vec<_>>(), ["# mine/a.yaml", "# mine/b.yaml", "# mine/c.yaml"]);
    assert!(told.ends_with("s.close() = 0\ns.close() = -1 EBADF\n"), "{told}");
}

#[test]
fn json_has_its_shape() {
    let run = sockdiff("run rst/close-unread-data --update no --json").assert();
    let told = json(&run);
    assert_eq!(told["format"], 1);
    for key in ["id", "release", "arch", "capture", "wire"] {
        assert!(told["platform"][key].is_string(), "{key}");
    }
    let [result] = told["results"].as_array().expect("a list").as_slice() else {
        panic!("one result")
    };
    assert_eq!(result["id"], "rst/close-unread-data");
    assert!(result["status"].is_string() && result["reason"].is_string());
    assert!(result["duration_ms"].is_u64());
    assert_eq!(result["case_hash"].as_str().expect("text").len(), 16);
    assert!(result["transcript"].as_str().expect("text").starts_with("== sizes=[256,128]\n"));
    let events = result["events"].as_array().expect("a list");
    let call = &events.iter().find(|event| event["call"]["errno"].is_string()).expect("a failure");
    assert!(call["step"].is_u64() && call["line"].is_u64(), "{call}");
    for key in ["subject", "verb", "args", "result", "errno", "errno_raw", "signal"] {
        assert!(call["call"].get(key).is_some(), "{key} is missing in {call}");
    }
    assert!(call["call"]["errno_raw"].is_i64(), "{call}");
    if !namespaces() {
        return;
    }
    let acks = |event: &&serde_json::Value| event["packet"]["flags"] == ".";
    let packet = events.iter().find(acks).expect("a packet");
    for key in ["from", "to", "proto", "flags", "seq", "ack", "len", "win", "hex"] {
        assert!(packet["packet"].get(key).is_some(), "{key} is missing in {packet}");
    }
}

#[test]
fn json_of_a_file_outside_is_json_alone() {
    let folder = Folder::new();
    folder.write("mine.yaml", OUTSIDE);
    let told = json(&folder.sockdiff("run mine.yaml --json").assert().success());
    let result = &told["results"][0];
    assert_eq!(result["id"], "mine");
    let transcript = "s.socket(tcp) = fd s\ns.bind(loopback) = 0\ns.listen(1) = 0\ns.close() = 0\n";
    assert_eq!(result["transcript"], transcript);
}

#[rstest]
#[case("result.json")]
#[case("result.zip")]
#[case("folder")]
fn result_file_is_read_back_by_record(#[case] out: &str) {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    let answer = format!("expected/{CLOSED_PORT}/linux.snap");
    let recorded = folder.read(&answer);
    let run = format!("run {CLOSED_PORT} udp/emsgsize --out {out} --update no");
    folder.sockdiff(&run).assert().success();

    folder.remove(&answer);
    let record = format!("record {out}");
    folder.sockdiff(&record).assert().success().stderr_eq("").stdout_eq(str![[r#"
pending   rst/connect-closed-port/linux.snap.new
[..] answers in the ledger, 1 pending; for the ledger: cargo insta review, then this command again

"#]]);
    assert!(folder.exists(&format!("{answer}.new")) && !folder.exists(&answer));

    folder.sockdiff(&format!("{record} --accept")).assert().success().stderr_eq("");
    assert_eq!(body(&folder.read(&answer)), body(&recorded));
    assert!(!folder.exists(&format!("{answer}.new")));
    folder.sockdiff(&format!("run {CLOSED_PORT}")).assert().success();
}

/// An answer without the machine that gave it.
fn body(answer: &str) -> &str {
    answer.split_once("\n---\n").expect("a body below the header").1
}

#[test]
fn junit_counts_and_tells() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    let answer = format!("expected/{CLOSED_PORT}/linux.snap");
    folder.edit(&answer, "POLLOUT|POLLHUP", "POLLHUP");
    let run = format!("run {CLOSED_PORT} udp/emsgsize --junit junit.xml --update no");
    folder.sockdiff(&run).assert().code(1);
    let report = Data::text(folder.read("junit.xml"));
    snapbox::assert_data_eq!(
        report,
        str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="sockdiff" tests="2" failures="1" skipped="0">
  <testcase classname="rst" name="rst/connect-closed-port" [..]><failure message="differs ">[..]
...
- client.poll() = POLLHUP
+ client.poll() = POLLOUT|POLLHUP
...
</failure></testcase>
  <testcase classname="udp" name="udp/emsgsize" time="[..]"/>
</testsuite>

"#]]
    );
}

#[test]
fn ladder_is_drawn_of_what_is_not_as_recorded() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    let drawn = |arguments: &str| {
        let run = format!("run {CLOSED_PORT} --update no {arguments}");
        stdout(&folder.sockdiff(&run).assert()).contains("│── [S] seq 0 ──")
    };
    assert!(!drawn("") && drawn("--ladder always"));
    let answer = format!("expected/{CLOSED_PORT}/linux.snap");
    folder.edit(&answer, "POLLOUT|POLLHUP", "POLLHUP");
    assert!(drawn("") && drawn("--ladder fail") && !drawn("--ladder never"));
}

#[test]
fn jitter_tells_its_seed_and_changes_no_answer() {
    if !namespaces() {
        return;
    }
    let run = format!("run {CLOSED_PORT} --repeat 4 --jitter 3 --update no");
    let first = sockdiff(&run).assert().success();
    let told = stderr(&first);
    let seed = told.trim().strip_prefix("jitter with --seed ").expect("the seed");
    assert!(seed.parse::<u64>().is_ok(), "{told}");
    let again = sockdiff(&format!("{run} --seed {seed}")).assert().success();
    assert_eq!((stderr(&again), stdout(&again)), (told, stdout(&first)));
}

/// What it answers depends on how long the random times are.
const BY_CHANCE: &str = "about: x\ngiven: established\nsteps:\n  \
    - conn.recv: {len: 1, blocks: true, timed: true}\n  - client.send: 1\n";

#[test]
fn case_that_differs_from_itself_is_flaky() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_cases(&[("chance.yaml", BY_CHANCE)]);
    folder.write("outside.yaml", BY_CHANCE);
    let before = folder.files();
    let run = "run --repeat 8 --jitter 500 --seed 1";
    let text = stdout(&folder.sockdiff(run).assert().code(1));
    let head = "flaky             chance  (";
    let reason = " of 8 runs differ from the most frequent answer)\n";
    assert!(text.starts_with(head) && text.contains(reason), "{text}");
    assert!(text.contains("\n    cases/chance.yaml:5\n"), "{text}");
    assert!(text.ends_with("\n1 flaky, each asked 8 times\n"), "{text}");
    assert_eq!(folder.touched(&before), NOTHING);
    let text = stdout(&folder.sockdiff(&format!("{run} outside.yaml")).assert().code(1));
    let (whole, diff) = text.split_once("\n--- ").expect("a diff below the answer");
    assert!(whole.contains("\n... conn.recv(1) = "), "{text}");
    assert_eq!(text.matches(" of 8 runs:\n").count(), 1, "one answer is whole: {text}");
    let first = whole.lines().next().expect("a line").trim_end_matches(':');
    assert!(diff.starts_with(first) && diff.contains("\n+++ "), "{text}");
    for sign in ["-", "+"] {
        assert!(diff.contains(&format!("\n{sign} ... conn.recv(1) = ")), "{text}");
    }
}

#[rstest]
#[case::as_recorded(CLOSED_PORT, 0)]
#[case::differs("rst/close-unread-data", 1)]
#[case::both("rst/close-unread-data udp", 1)]
#[case::unknown("rst/no-such-case", 125)]
#[case::new("rst/linger0-close", 125)]
#[case::differs_and_new("rst", 125)]
#[case::bad("bad", 125)]
#[case::nothing("rst --tag no-such-tag", 125)]
fn bisect_understands_the_exit_code(#[case] which: &str, #[case] code: i32) {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    folder.edit("expected/rst/close-unread-data/linux.snap", "recv(128) = 128", "recv(128) = 129");
    folder.remove("expected/rst/linger0-close/linux.snap");
    folder.write("cases/bad/broken.yaml", "about: x\n");
    let before = folder.files();
    folder.sockdiff(&format!("run --bisect {which}")).assert().code(code);
    assert_eq!(folder.touched(&before), NOTHING);
}

#[test]
fn require_all_refuses_what_was_not_asked() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    folder.sockdiff(&format!("run {CLOSED_PORT} --require-all")).assert().success();
    // The question has changed since it was answered.
    folder.edit("cases/udp/emsgsize.yaml", "claims:\n", "deadline: 9s\nclaims:\n");
    let run = folder.sockdiff("run udp/emsgsize --require-all").assert().code(3);
    run.stdout_eq(str![[r#"
same              udp/emsgsize  (stale: the question has changed)
1 same

"#]]);
}

#[test]
fn settings_of_the_host_store_nothing() {
    let folder = Folder::of_suite();
    let answer = format!("expected/{CLOSED_PORT}/linux.snap");
    folder.edit(&answer, "POLLOUT|POLLHUP", "POLLHUP");
    folder.remove("expected/udp/emsgsize/linux.snap");
    let before = folder.files();
    let arguments = format!("run {CLOSED_PORT} udp/emsgsize --settings host --update always");
    let run = folder.sockdiff(&arguments).assert();
    assert_eq!(folder.touched(&before), NOTHING);
    if namespaces() {
        assert!(stdout(&run).contains("\n1 differs, 1 new\n"), "{}", stdout(&run));
    }
}

#[test]
fn platform_without_records_is_skipped_and_keeps_its_answers() {
    let folder = Folder::of_suite();
    let run = folder.sockdiff(&format!("run {CLOSED_PORT} --platform plan9-4")).assert().success();
    run.stdout_eq(str![[r#"
skipped           rst/connect-closed-port  (no answers recorded for plan9 yet)
1 skipped (no answers recorded for plan9 yet)

"#]]);
    assert!(folder.exists(&format!("expected/{CLOSED_PORT}/plan9.snap.new")));
    let required = format!("run {CLOSED_PORT} --platform plan9-4 --require-all --update no");
    folder.sockdiff(&required).assert().code(3);
}
