//! Cases outside the suite: files of any name.

use super::support::{Folder, NOTHING, json, stderr, stdout};
use rstest::rstest;

/// A case that runs everywhere.
const CASE: &str = "about: x\nsteps: [s.socket: tcp]\n";
/// What comes of it.
const TRANSCRIPT: &str = "s.socket(tcp) = fd s\n";

#[rstest]
#[case("foo_bar.yaml", "foo-bar")]
#[case("Foo.yaml", "foo")]
#[case("My Case.yaml", "my-case")]
#[case("01-x.yaml", "01-x")]
#[case("no-ending", "no-ending")]
#[case("udp.yaml", "udp")] // which is a folder of the suite as well
fn file_may_have_any_name(#[case] file: &str, #[case] id: &str) {
    let folder = Folder::new();
    folder.write(file, CASE);
    let before = folder.files();
    let run = folder.sockdiff("run").arg(file).assert().success();
    assert_eq!((stdout(&run).as_str(), stderr(&run).as_str()), (TRANSCRIPT, ""));
    let told = json(&folder.sockdiff("run --json").arg(file).assert().success());
    assert_eq!(told["results"][0]["id"], id);
    let text = stdout(&folder.sockdiff("show").arg(file).assert().success());
    assert!(text.starts_with(&format!("{id}  {file}\n\nx\n\n    about: x\n")), "{text}");
    assert!(text.ends_with("\nnot part of the suite, nothing is recorded\n"), "{text}");
    assert_eq!(folder.touched(&before), NOTHING);
}

#[test]
fn case_on_standard_input_is_read_once() {
    let folder = Folder::new();
    let before = folder.files();
    let given = |arguments: &str, text: &str| folder.sockdiff(arguments).stdin(text).assert();
    for run in ["run -", "-"] {
        let run = given(run, CASE).success();
        assert_eq!((stdout(&run).as_str(), stderr(&run).as_str()), (TRANSCRIPT, ""));
    }
    assert_eq!(json(&given("run --json -", CASE).success())["results"][0]["id"], "stdin");
    let text = stdout(&given("show -", CASE).success());
    assert!(text.starts_with("stdin  <stdin>\n\nx\n\n    about: x\n    steps: "), "{text}");
    let bad = given("run -", "about: x\n").code(2);
    assert_eq!(stderr(&bad), "<stdin>:1:1: `steps` is missing\n");
    let large = given("run -", &"#".repeat(2 << 20)).code(2);
    assert!(stderr(&large).starts_with("<stdin>:1:1: larger than 1 MiB"), "{}", stderr(&large));
    let twice = given("run - -", CASE).code(2);
    assert_eq!(stderr(&twice), "`-` stands here twice, standard input is read once\n");
    assert_eq!(folder.touched(&before), NOTHING);
}

#[test]
fn files_of_one_name_are_two_cases_in_one_result() {
    let folder = Folder::new();
    folder.write("a/x.yaml", CASE);
    folder.write("b/X.yaml", CASE);
    folder.sockdiff("run a b/X.yaml --out r.json").assert().success();
    let told: serde_json::Value = serde_json::from_str(&folder.read("r.json")).expect("JSON");
    let results = told["results"].as_array().expect("a list").iter();
    assert_eq!(results.map(|result| &result["id"]).collect::<Vec<_>>(), ["x", "x-2"]);
    // What is written is a result file like any other.
    folder.write("s.json", folder.read("r.json"));
    folder.sockdiff("compare r.json s.json").assert().success();
}

#[test]
fn name_of_a_file_does_nothing_to_a_terminal() {
    // Windows and some others have no such names.
    let name = "a\u{1b}[31mb\u{7}.yaml";
    let folder = Folder::new();
    if std::fs::write(folder.path().join(name), CASE).is_err() {
        return;
    }
    folder.write("bad/a\u{1b}[31mb.yaml", "about: x\n");
    let run = folder.sockdiff("run --json --pcap . --junit j.xml bad").arg(name).assert().code(2);
    let told = stderr(&run) + &stdout(&run) + &folder.read("j.xml");
    let show = folder.sockdiff("show").arg(name).assert().success();
    let told = told + &stdout(&show) + &stderr(&show);
    assert!(told.contains("a-31mb") && !told.contains(['\u{1b}', '\u{7}']), "{told:?}");
}

#[test]
fn answer_of_the_suite_is_not_that_of_a_file_outside() {
    let folder = Folder::of_cases(&[("mine.yaml", CASE)]);
    folder.sockdiff("run mine --update always").assert().success();
    let recorded = |case| {
        let show = folder.sockdiff("show").arg(case).assert().success();
        stdout(&show).contains("(recorded on ")
    };
    folder.write("mine.yaml", "about: another\nsteps: [s.socket: udp]\n");
    assert_eq!(["mine", "mine.yaml"].map(recorded), [true, false]);
}
