//! The page of platforms that do not exist.
//!
//! They are this repository's own records with some lines changed, and exist in memory and below
//! the build folder only, where `ci/page-test` looks at the pages in a browser.

#[path = "page/invented.rs"]
mod invented;

use invented::{EVERY_CASE, Shape, invented};
use rstest::rstest;
use sockdiff::report::html::page;
use sockdiff::report::matrix::{Matrix, Status};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a browser is asked to show at once, at most: 5 MiB.
const BYTES_MAX: usize = 5 << 20;
/// For all of it, by an unoptimized build on a busy machine; it takes a tenth of that.
const MAKING_MAX: Duration = Duration::from_secs(20);

/// Leaves a page where `ci/page-test` finds it.
fn keep(name: &str, html: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).expect("the build folder is writable");
    std::fs::write(folder.join(name), html).expect("the build folder is writable");
}

/// Every cell, transcript and claim of the table stands in the page, and once.
fn tells(html: &str, matrix: &Matrix) {
    let cells = matrix.cases.iter().flat_map(|row| row.cells.values());
    let answered = cells.filter(|cell| cell.status == Status::Answer).count();
    let answers: usize = matrix.cases.iter().map(|row| row.answers.len()).sum();
    for (mark, count) in [
        ("<tr data-case=", matrix.cases.len() + matrix.claims.len()),
        ("<section class=\"case\"", matrix.cases.len()),
        ("<td class=\"k", answered),
        ("<pre tabindex=\"0\" role=\"group\" aria-label=\"Transcript", answers),
    ] {
        assert_eq!(html.matches(mark).count(), count, "{mark}");
    }
}

#[rstest]
#[case::few_platforms("few.html", EVERY_CASE, 5, false)]
#[case::one_platform("one.html", EVERY_CASE, 1, false)]
#[case::nothing_is_recorded("none.html", 3, 0, false)]
#[case::hostile_text("hostile.html", 12, 3, true)]
fn invented_page(
    #[case] name: &str,
    #[case] cases: usize,
    #[case] platforms: usize,
    #[case] hostile: bool,
) {
    let matrix = invented(Shape { cases, platforms, hostile });
    let html = page(&matrix).expect("a page");
    keep(name, &html);
    tells(&html, &matrix);
    assert_eq!(html.matches("<script>").count(), 2, "the page's own");
}

#[test]
fn many_cases_on_many_platforms() {
    let matrix = invented(Shape { cases: 600, platforms: 10, hostile: false });
    let begun = Instant::now();
    let html = page(&matrix).expect("a page");
    let took = begun.elapsed();
    keep("many.html", &html);
    tells(&html, &matrix);
    println!("{} bytes in {took:?}", html.len());
    assert!(html.len() < BYTES_MAX, "{} bytes", html.len());
    assert!(took < MAKING_MAX, "{took:?}");
}
