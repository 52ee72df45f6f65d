//! The page, made from what is recorded and from platforms that do not exist.
//!
//! The invented ones are this repository's own records with some lines changed. They exist in
//! memory and below the build folder, where `ci/page-test` looks at the pages in a browser.

#[path = "page/invented.rs"]
mod invented;

use invented::{Shape, invented};
use sockdiff::report::html::page;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a browser is asked to show at once, at most.
const BYTES_MAX: usize = 5_000_000;
/// For all of it, by an unoptimized build on a busy machine; it takes a tenth of that.
const MAKING_MAX: Duration = Duration::from_secs(20);

/// Leaves a page where `ci/page-test` finds it.
fn keep(name: &str, html: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).expect("the build folder is writable");
    std::fs::write(folder.join(name), html).expect("the build folder is writable");
}

#[test]
fn few_platforms() {
    let html = page(&invented(Shape { cases: 132, platforms: 5, hostile: false })).expect("a page");
    keep("few.html", &html);
}

#[test]
fn one_platform() {
    let html = page(&invented(Shape { cases: 132, platforms: 1, hostile: false })).expect("a page");
    keep("one.html", &html);
}

#[test]
fn nobody_has_recorded_anything() {
    let html = page(&invented(Shape { cases: 3, platforms: 0, hostile: false })).expect("a page");
    keep("none.html", &html);
}

#[test]
fn many_cases_on_many_platforms() {
    let matrix = invented(Shape { cases: 600, platforms: 10, hostile: false });
    let begun = Instant::now();
    let html = page(&matrix).expect("a page");
    let took = begun.elapsed();
    keep("many.html", &html);
    println!("{} bytes in {took:?}", html.len());
    assert!(html.len() < BYTES_MAX, "{} bytes", html.len());
    assert!(took < MAKING_MAX, "{took:?}");
}

#[test]
fn hostile_text() {
    let html = page(&invented(Shape { cases: 12, platforms: 3, hostile: true })).expect("a page");
    keep("hostile.html", &html);
}
