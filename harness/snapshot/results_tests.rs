//! Result files are written, read back, and refused.

use super::super::testing::{Folder, results};
use super::*;
use rstest::rstest;

#[rstest]
#[case("out", "out/results.json")]
#[case("out.json", "out.json")]
#[case("out.zip", "out.zip")]
fn what_is_written_is_read(#[case] path: &str, #[case] file: &str) {
    let folder = Folder::new();
    let mut results = results("6.18", &[("rst/closed", "a() = 0\n")]);
    results.results[0].settled = false;
    results.results[0].made_again = 2;
    let written = results.write(&folder.path().join(path)).expect("writable");
    assert_eq!(written, folder.path().join(file));
    let read = ResultFile::read(&folder.path().join(path)).expect("good");
    assert_eq!(read, results);
}

/// A good file's text in which one piece is replaced.
fn spoiled(good: &str, broken: &str) -> String {
    let results = results("6.18", &[("rst/closed", "a() = 0"), ("rst/other", "b() = 0")]);
    let text = serde_json::to_string(&results).expect("serializable");
    assert!(text.contains(good), "{text}");
    text.replacen(good, broken, 1)
}

#[rstest]
#[case::truncated("\"results\":[{", "", None)]
#[case::format("\"format\":1", "\"format\":2", Some("format 2: this sockdiff reads format 1"))]
#[case::foreign("\"format\":1,", "", Some("no `format`: expected a result file"))]
#[case::platform("\"id\":\"linux\"", "\"id\":\"../x\"", Some("platform \"../x\""))]
#[case::release("\"6.18\"", "\"6.x\"", Some("release \"6.x\""))]
#[case::families("[4,6]", "[5]", Some("families [5]"))]
#[case::twice("rst/other", "rst/closed", Some("two results for \"rst/closed\""))]
#[case::above("rst/other", "../../etc/x", Some("result \"../../etc/x\""))]
#[case::control("rst/other", "rst/o\\u0007", Some("result \"rst/o\\u{7}\""))]
#[case::escape("b() = 0", "\\u001b[31m", Some("control characters in the transcript"))]
#[case::conflict("b() = 0", "<<<<<<< HEAD", Some("a merge conflict in the transcript"))]
#[case::empty("b() = 0", " ", Some("an answer without a transcript"))]
#[case::hash("\"case_hash\":\"0", "\"case_hash\":\"", Some("16 hexadecimal digits"))]
#[case::status("\"differs\"", "\"great\"", Some("unknown variant `great`"))]
#[case::arch("x86_64", "a\\nb", Some("expected one line of text"))]
fn broken_file(#[case] good: &str, #[case] broken: &str, #[case] message: Option<&str>) {
    let folder = Folder::new();
    let mut text = spoiled(good, broken);
    if message.is_none() {
        text.truncate(text.len() / 2);
    }
    folder.write("r.json", text);
    let error = ResultFile::read(&folder.path().join("r.json")).expect_err("broken");
    let error = error.to_string();
    assert!(error.contains("r.json"), "{error}");
    assert!(error.contains(message.unwrap_or("truncated")), "{error}");
}

#[test]
fn archive_without_results() {
    let folder = Folder::new();
    folder.write("r.zip", "no archive");
    let error = ResultFile::read(&folder.path().join("r.zip")).expect_err("broken");
    assert!(error.to_string().contains("expected an archive"), "{error}");
}

#[test]
fn missing_file_is_named() {
    let error = ResultFile::read(Path::new("nowhere.json")).expect_err("missing");
    assert!(error.to_string().starts_with("nowhere.json: cannot be read"), "{error}");
}
