//! What the words of `compare` mean: platforms, releases, result files and folders of them.

use super::{Source, TableError};
use crate::report::matrix::Column;
use crate::snapshot::{Ledger, ResultFile, SnapshotError, Store};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// From where on two words are alike: `linus` and `linux` are, `freebsd` and `wine` are not.
const NEAR: f64 = 0.75;

/// The columns that these words name; no words name every recorded release.
///
/// `linux` is its newest recorded release, `linux-6.12` that release; anything else is a result
/// file, or a folder with one or several. A platform wins over a file of its name: write `./linux`
/// for the file.
///
/// # Errors
/// A word means nothing (with the nearest name), something is named twice, or a file is wrong.
pub fn columns(store: &Store, words: &[String]) -> Result<Vec<Source>, TableError> {
    if words.is_empty() {
        if store.ledgers().is_empty() {
            let place = store.expected().path("ledger").display().to_string();
            let what = format!("nothing is recorded: there is no ledger in {place}");
            return Err(TableError::Usage(what));
        }
        return Ok(in_order(store).into_iter().cloned().map(Source::Ledger).collect());
    }
    let mut sources: Vec<Source> = Vec::new();
    for word in words {
        for source in meant(store, word)? {
            if sources.iter().any(|other| same(other, &source)) {
                let what = format!("`{}` is named twice: a comparison with itself", source.name());
                return Err(TableError::Usage(what));
            }
            sources.push(source);
        }
    }
    Ok(sources)
}

/// The ledgers: the platform with the most answers first, its releases from old to new.
fn in_order(store: &Store) -> Vec<&Ledger> {
    let mut most: BTreeMap<&str, usize> = BTreeMap::new();
    for ledger in store.ledgers() {
        let most = most.entry(&ledger.platform).or_default();
        *most = (*most).max(ledger.cases.len());
    }
    let mut ledgers: Vec<&Ledger> = store.ledgers().iter().collect();
    let rank = |ledger: &Ledger| std::cmp::Reverse(most.get(ledger.platform.as_str()).copied());
    ledgers.sort_by(|a, b| {
        (rank(a), &a.platform, &a.release).cmp(&(rank(b), &b.platform, &b.release))
    });
    ledgers
}

fn meant(store: &Store, word: &str) -> Result<Vec<Source>, TableError> {
    let ledgers = store.ledgers();
    // They are in order, so the last one is the newest.
    let newest = ledgers.iter().rfind(|ledger| ledger.platform == word);
    let exact = ledgers.iter().find(|ledger| ledger.platform().to_string() == word);
    if let Some(ledger) = newest.or(exact) {
        return Ok(vec![Source::Ledger(ledger.clone())]);
    }
    let path = Path::new(word);
    if path.is_dir() {
        return in_folder(path);
    }
    if path.exists() {
        return Ok(vec![results(path.to_owned())?]);
    }
    Err(TableError::Usage(unknown(store, word)))
}

fn results(path: PathBuf) -> Result<Source, SnapshotError> {
    let file = ResultFile::read(&path)?;
    Ok(Source::Results(path, file))
}

/// The result file of a folder, or all that are in it: what a job of several machines collects.
fn in_folder(folder: &Path) -> Result<Vec<Source>, TableError> {
    let own = |folder: &Path| folder.join("results.json").is_file();
    if own(folder) {
        return Ok(vec![results(folder.to_owned())?]);
    }
    let unreadable = |error| TableError::Usage(format!("{}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let file = path.extension().is_some_and(|ending| ending == "json" || ending == "zip");
        if own(&path) || file && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        let what = "no result file in this folder: expected what `sockdiff run --out` writes";
        return Err(TableError::Usage(format!("{}: {what}", folder.display())));
    }
    Ok(paths.into_iter().map(results).collect::<Result<_, _>>()?)
}

/// What is said of a word that means nothing, with the nearest name, or all if none is near.
pub fn unknown(store: &Store, word: &str) -> String {
    let exact = || store.ledgers().iter().map(|ledger| ledger.platform().to_string());
    let ids = store.ledgers().iter().map(|ledger| ledger.platform.clone());
    let near = |name: &String| strsim::jaro_winkler(name, word);
    let names = exact().chain(ids).map(|name| (near(&name), name));
    let nearest = names.filter(|(near, _)| *near >= NEAR).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match nearest {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None if store.ledgers().is_empty() => String::new(),
        None => format!("; recorded are {}", exact().collect::<Vec<_>>().join(", ")),
    };
    format!("nothing is recorded for `{word}`, and there is no such result file{hint}")
}

impl Source {
    fn name(&self) -> String {
        match self {
            Source::Ledger(ledger) => ledger.platform().to_string(),
            Source::Results(path, _) => path.display().to_string(),
        }
    }
}

fn same(a: &Source, b: &Source) -> bool {
    match (a, b) {
        (Source::Ledger(a), Source::Ledger(b)) => a.platform() == b.platform(),
        (Source::Results(a, _), Source::Results(b, _)) => {
            let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
            real(a) == real(b)
        }
        _ => false,
    }
}

/// What a result file is called in a report: nobody else has its folders. A `results.json` is
/// called after its folder.
pub(super) fn short(path: &Path) -> String {
    let real = path.canonicalize();
    let path = real.as_deref().unwrap_or(path);
    let is_usual = path.file_name().is_some_and(|name| name == "results.json");
    let named = if is_usual { path.parent().unwrap_or(path) } else { path };
    named.file_name().unwrap_or(named.as_os_str()).to_string_lossy().into_owned()
}

/// Gives columns of one release names of their own, by the files that they are from:
/// `linux-6.18@old`. What is recorded keeps the plain name.
pub(super) fn tell_apart(columns: &mut [Column], sources: &[Source]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    columns.iter().for_each(|column| *counts.entry(column.key.clone()).or_default() += 1);
    let mut taken: Vec<String> = Vec::new();
    for (column, source) in columns.iter_mut().zip(sources) {
        if counts[&column.key] > 1
            && let Source::Results(path, _) = source
        {
            let name = short(path);
            let stem = [".json", ".zip"].iter().find_map(|ending| name.strip_suffix(ending));
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            let stem = stem.unwrap_or(&name).replace(|c| !plain(c), "-");
            column.key = format!("{}@{stem}", column.key);
        }
        let (key, mut number) = (column.key.clone(), 1);
        while taken.contains(&column.key) {
            number += 1;
            column.key = format!("{key}.{number}");
        }
        taken.push(column.key.clone());
    }
}
