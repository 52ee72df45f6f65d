//! `compare`: platforms, releases and results beside each other.

use super::support::{NOTHING, json, stdout};
use super::world::{BLIND, FIN, RST, SOCKET, World};
use rstest::rstest;
use snapbox::str;

#[test]
fn platforms_stand_beside_each_other() {
    let world = World::of_two_releases();
    world.answer("gvisor-20240729", "gvisor", &[("a/close", FIN)]);
    let skipped = "skipped:\n  b/other: \"no UDP there\"\n";
    world.ledger("gvisor-20240729", &["a/close"], skipped);
    world.answer("blind-1", "blind", &[("a/close", BLIND)]);
    let run = world.sockdiff("compare").assert().code(1).stderr_eq("");
    run.stdout_eq(str![[r#"
linux 6.12       6.12.7 x86_64, raw, recorded 2026-11-20, 2 asked
linux 6.18       6.18.7 x86_64, raw, recorded 2026-11-20, 2 asked
blind 1          1.7 x86_64, calls only, recorded 2026-11-20, 1 asked
gvisor 20240729  20240729.7 x86_64, raw, recorded 2026-11-20, 1 asked

         linux       blind  gvisor
         6.12  6.18  1      20240729
a/close  A     B     A?     A
a/same   A     A     -      -
b/other  -     -     -      /

? calls only, which fit several classes
- not recorded
/ skipped: could not be asked there

a/close
  client.close()
    A  client > server [F.] seq 1 ack 1
    B  client > server [R.] seq 1 ack 1
  A = linux 6.12, blind 1 (calls only: A or B), gvisor 20240729
  B = linux 6.18

3 cases: 1 same, 1 differ, 1 not comparable (fewer than two answers)

"#]]);
    let run = world.sockdiff("compare gvisor linux-6.12 --only-differences").assert().success();
    assert!(!stdout(&run).contains("a/"), "nothing differs: {}", stdout(&run));
}

#[test]
fn drift_names_the_case_and_the_releases() {
    let world = World::of_two_releases();
    world.ledger("linux-5.10", &["a/close"], "");
    let run = world.sockdiff("compare linux-5.10 linux-6.12 linux").assert().code(1);
    run.stdout_eq(str![[r#"
linux 5.10  x86_64, raw, recorded 2026-11-20, 1 asked
linux 6.12  6.12.7 x86_64, raw, recorded 2026-11-20, 2 asked
linux 6.18  6.18.7 x86_64, raw, recorded 2026-11-20, 2 asked

a/close  A A B
  changed between linux 6.12 and linux 6.18: A -> B
    --- linux 6.12
    +++ linux 6.18
      client.close() = 0
    -     client > server [F.] seq 1 ack 1
    +     client > server [R.] seq 1 ack 1

1 of 2 cases changed, 1 not comparable (fewer than two answers)

"#]]);
    world.sockdiff("compare linux-5.10 linux-6.12").assert().success();
    world.sockdiff("compare linux-6.12 linux --case a/same").assert().success();
}

#[test]
fn stale_answer_is_not_compared() {
    let world = World::of_two_releases();
    world.0.edit("cases/a/same.yaml", "tcp", "udp");
    let run = world.sockdiff("compare --only-differences").assert().code(1);
    assert!(stdout(&run).ends_with(", 2 not comparable (fewer than two answers)\n"));
    let matrix = json(&world.sockdiff("compare --json -").assert().code(1));
    assert_eq!(matrix["cases"][1]["cells"]["linux-6.18"]["status"], "stale");
    assert_eq!(matrix["cases"][1]["classes"], serde_json::json!({}));
}

#[test]
fn twins_tell_what_came_and_went() {
    let world = World::of_two_releases();
    world.results("old/results.json", &[("a/close", FIN), ("a/same", SOCKET)]);
    let new =
        [("a/close", RST), ("a/same", "skipped: no room"), ("b/other", "s.socket(udp) = fd s")];
    world.results("new.json", &new);
    let run = world.sockdiff("compare old new.json").assert().code(1).stderr_eq("");
    run.stdout_eq(str![[r#"
linux 6.18 (old)  6.18.7 x86_64, raw, from old, 2 asked
linux 6.18 (new)  6.18.7 x86_64, raw, from new.json, 2 asked

changed   a/close
    --- linux 6.18 (old)
    +++ linux 6.18 (new)
      client.close() = 0
    -     client > server [F.] seq 1 ack 1
    +     client > server [R.] seq 1 ack 1
deleted   a/same  (now: skipped, no room)
added     b/other  (before: not recorded)
1 added, 1 changed, 1 deleted, 0 unchanged

"#]]);
    // What is recorded, against a run: only what was run is compared.
    world.results("mine.json", &[("a/close", RST)]);
    let run = world.sockdiff("compare linux mine.json").assert().success();
    assert!(stdout(&run).ends_with("\n1 unchanged\n"), "{}", stdout(&run));
}

#[test]
fn folder_of_results_is_all_of_them() {
    let world = World::new();
    world.results("all/one.json", &[("a/close", FIN)]);
    world.results("all/two/results.json", &[("a/close", FIN)]);
    world.results("all/three.json", &[("a/close", RST)]);
    world.results("other/results.json", &[("a/close", FIN)]);
    std::fs::create_dir_all(world.0.path().join("x")).expect("a folder");
    let words = "compare all other/results.json x/../other.json --json -";
    world.results("other.json", &[("a/close", FIN)]);
    let matrix = json(&world.sockdiff(words).assert().code(1));
    let classes = &matrix["cases"][0]["classes"];
    let expected = serde_json::json!({
        "linux-6.18@one": "A", "linux-6.18@three": "B", "linux-6.18@two": "A",
        "linux-6.18@other": "A", "linux-6.18@other.2": "A"
    });
    assert_eq!(*classes, expected);
}

#[test]
fn json_has_its_shape() {
    let world = World::of_two_releases();
    world.sockdiff("compare --json out/matrix.json").assert().code(1);
    let text = world.0.read("out/matrix.json");
    let matrix: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(matrix["format"], 1);
    let keys: Vec<&str> = matrix["platforms"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|p| p["key"].as_str())
        .collect();
    assert_eq!(keys, ["linux-6.12", "linux-6.18"]);
    assert_eq!(matrix["platforms"][1]["kernel"], "6.18.7");
    let case = &matrix["cases"][0];
    assert_eq!(case["id"], "a/close");
    assert_eq!(case["classes"], serde_json::json!({"linux-6.12": "A", "linux-6.18": "B"}));
    assert_eq!(case["answers"][0]["body"], FIN);
    assert_eq!(case["answers"][0]["file"], "expected/a/close/linux-6.12.snap");
    assert_eq!(case["cells"]["linux-6.18"]["file"], "expected/a/close/linux.snap");
    assert_eq!(case["file"], "cases/a/close.yaml");
    let legend = "client.close(): A client > server [F.] seq 1 ack 1 | \
                  B client > server [R.] seq 1 ack 1";
    assert_eq!(case["legend"], legend);
    let claim = &matrix["claims"][0];
    let verdicts = serde_json::json!({"linux-6.12": "holds", "linux-6.18": "refuted"});
    assert_eq!(claim["verdicts"], verdicts);
    assert_eq!(claim["evidence"]["linux-6.18"][0], "(not found: client > server [F.])");
}

#[test]
fn reports_are_written_beside_the_text() {
    let world = World::of_two_releases();
    let before = world.0.files();
    let run = world.sockdiff("compare --html a.html --markdown b.md --json c.json").assert();
    assert!(stdout(&run.code(1)).contains("\na/close  A B\n"));
    assert_eq!(world.0.touched(&before), ["a.html", "b.md", "c.json"]);
    assert!(world.0.read("a.html").to_lowercase().starts_with("<!doctype html>"));
    assert!(world.0.read("b.md").contains("\n| a/close | **A** | **B** |\n"));
    let run = world.sockdiff("compare --markdown -").assert().code(1);
    // The tests' own reading turns backslashes.
    let printed = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    assert_eq!(printed.trim_end(), world.0.read("b.md").trim_end());
}

#[test]
fn workflow_gets_a_summary_and_annotations() {
    let world = World::of_two_releases();
    world.0.write("summary.md", "written before\n");
    let summary = world.0.path().join("summary.md");
    let command = world.sockdiff("compare --github").env("GITHUB_STEP_SUMMARY", &summary);
    let text = stdout(&command.assert().code(1));
    let warnings: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
    let [warning] = warnings.as_slice() else { panic!("one differing case in\n{text}") };
    let begin =
        "::warning file=cases/a/close.yaml,line=1,title=a/close differs::client.close(): A ";
    assert!(warning.starts_with(begin), "{warning}");
    let summary = world.0.read("summary.md");
    assert!(summary.starts_with("written before\n## sockdiff: linux 6.12, linux 6.18\n"));
    assert!(summary.contains("<details><summary><code>a/close</code>"), "{summary}");
}

#[rstest]
#[case::unknown("linux-6.21", "nothing is recorded for `linux-6.21`", "did you mean `linux-6.12`?")]
#[case::no_file(
    "nowhere.zip",
    "nothing is recorded for `nowhere.zip`",
    "recorded are linux-6.12, linux-6.18"
)]
#[case::twice("linux linux-6.18", "`linux-6.18` is named twice", "")]
#[case::file_twice("good.json ./good.json", "`./good.json` is named twice", "")]
#[case::empty_folder("empty", "empty: no result file in this folder", "sockdiff run --out")]
#[case::truncated("linux cut.json", "cut.json:1: the file is truncated", "")]
#[case::foreign("linux foreign.json", "foreign.json: no `format`", "sockdiff run --out")]
#[case::no_json("linux text.json", "text.json:1: expected value", "sockdiff run --out")]
#[case::no_archive("linux text.zip", "text.zip: ", "expected an archive")]
#[case::no_such_case("--case a/clos", "no case, folder", "did you mean `a/close`?")]
#[case::other_question(
    "good.json other.json",
    "other.json: not the same cases as in good.json",
    "a/close"
)]
#[case::than_ours("linux other.json", "other.json: not the same cases as in cases/", "a/close")]
#[case::github("--github", "--github: GITHUB_STEP_SUMMARY is not set", "")]
fn mistake_is_told_and_nothing_is_written(
    #[case] arguments: &str,
    #[case] begins: &str,
    #[case] says: &str,
) {
    let world = World::of_two_releases();
    world.results("good.json", &[("a/close", FIN)]);
    let good = world.0.read("good.json");
    world.0.write("cut.json", &good[..good.len() / 2]);
    world.0.write("foreign.json", "{\"hello\": []}");
    world.0.write("text.json", "hello");
    world.0.write("text.zip", "hello");
    let hash = &world.hashes()["a/close"];
    world.0.write("other.json", good.replace(hash, "00000000000000ff"));
    std::fs::create_dir(world.0.path().join("empty")).expect("a folder");
    let before = world.0.files();
    let reports = "--html a.html --markdown b.md --json c.json";
    let command = world.sockdiff(&format!("compare {arguments} {reports}"));
    let run = command.env_remove("GITHUB_STEP_SUMMARY").assert().code(2).stdout_eq("");
    let told = super::support::stderr(&run);
    assert!(told.starts_with(begins) && told.contains(says), "{told}");
    assert_eq!(world.0.touched(&before), NOTHING);
}

#[rstest]
#[case::result("--json good.json linux", "good.json: a result file, which --json would overwrite")]
#[case::input("good.json --json ./good.json", "./good.json: a result file")]
#[case::archive("linux --html good.zip", "good.zip: a result file, which --html would overwrite")]
#[case::anything("--markdown notes.md", "notes.md: no earlier report of --markdown")]
#[case::other_report("--html old.json", "old.json: no earlier report of --html")]
#[case::folder("--json cases", "cases: a folder, --json expects the name of a file to write")]
#[case::twice("--json x --html ./x", "./x: named by --json and by --html")]
fn nothing_but_an_earlier_report_is_overwritten(#[case] arguments: &str, #[case] begins: &str) {
    let world = World::of_two_releases();
    world.results("good.json", &[("a/close", FIN)]);
    let archive = sockdiff::snapshot::ResultFile::read(&world.0.path().join("good.json"));
    archive.expect("a result").write(&world.0.path().join("good.zip")).expect("an archive");
    world.0.write("notes.md", "by hand");
    world.sockdiff("compare --json old.json").assert().code(1);
    let before = world.0.files();
    let run = world.sockdiff(&format!("compare {arguments}")).assert().code(2).stdout_eq("");
    let told = super::support::stderr(&run);
    assert!(told.starts_with(begins), "{told}");
    assert_eq!(world.0.touched(&before), NOTHING);
}

#[test]
fn earlier_reports_are_written_anew() {
    let world = World::of_two_releases();
    world.0.write("c.json", "");
    let reports = "compare --html a.html --markdown b.md --json c.json";
    world.sockdiff(reports).assert().code(1);
    world.sockdiff(&format!("{reports} linux")).assert().code(0);
    assert_eq!(world.0.read("b.md").lines().next(), Some("## sockdiff: linux 6.18"));
}

#[test]
fn snapshot_in_conflict_stops_everything() {
    let world = World::of_two_releases();
    world.0.edit("expected/a/close/linux.snap", "client.close", "<<<<<<< HEAD\nclient.close");
    let before = world.0.files();
    for verb in ["compare --json out.json", "claims"] {
        let run = world.sockdiff(verb).assert().code(2).stdout_eq("");
        let told = super::support::stderr(&run);
        assert!(told.contains("a/close/linux.snap:9: a merge conflict"), "{told}");
    }
    assert_eq!(world.0.touched(&before), NOTHING);
}

#[test]
fn nothing_recorded_is_told() {
    let run = World::new().sockdiff("compare").assert().code(2).stdout_eq("");
    let told = super::support::stderr(&run);
    assert!(told.starts_with("nothing is recorded: there is no ledger in "), "{told}");
}

#[test]
fn hostile_text_takes_no_effect() {
    let world = World::of_two_releases();
    let evil = "about: \"\\e[31mred <script>x</script> \\u202e @mio | \\a\"\n";
    world.0.edit("cases/a/close.yaml", "about: RST or FIN?\n", evil);
    world.0.edit("cases/a/close.yaml", "says: a FIN is sent", "says: \"\\e]0;x\\a a FIN\"");
    world.0.edit("expected/a/close/linux.snap", "[R.]", "[R.] <script>");
    let bad = "about: x\n\"\\e[2J\\u202e\": 1\nsteps: [s.socket: tcp]\n";
    world.0.write("cases/b/bad.yaml", bad);
    let verbs = ["compare --case a", "compare --markdown - --case a", "claims --evidence a"];
    let runs = ["run a --update no", "run a --update no --ladder always"];
    let verbs = verbs.iter().chain(&runs).chain(&["show a/close", "list", "check", "run b"]);
    for verb in verbs {
        let run = world.sockdiff(verb).assert();
        let text = stdout(&run) + &super::support::stderr(&run);
        let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(harmful) && !text.is_empty(), "{verb}: {text:?}");
    }
    world.0.remove("cases/b/bad.yaml");
    let markdown = stdout(&world.sockdiff("compare --markdown -").assert());
    let outside = markdown.split("```").step_by(2).collect::<String>();
    assert!(!outside.contains("<script>") && !outside.contains("@mio"), "{markdown}");
    assert!(outside.contains("red &#60;script&#62;x&#60;/script&#62; "), "{markdown}");
}
