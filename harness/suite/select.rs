//! Which cases a command line means.

use super::discover::{Corpus, Found, Listing, shown};
use crate::model::CaseId;
use std::collections::BTreeSet;
use std::path::{Path, is_separator};

/// From where on a word is like an id.
const NEAR: f64 = 0.75;

/// The cases that a command line names.
#[derive(Debug, Default)]
pub struct Selection {
    /// Cases of the corpus: compared and stored.
    pub ours: Found,
    /// Files outside it: run and printed, nothing is stored.
    pub outside: Found,
}

/// Picks from the corpus by ids, folders of ids and paths; no words pick everything.
///
/// # Errors
/// A word that means nothing, with the nearest id.
pub fn select(corpus: &Corpus, words: &[String]) -> Result<Selection, String> {
    let listing = corpus.list();
    if words.is_empty() {
        return Ok(Selection { ours: listing.read(|_| true), outside: Found::default() });
    }
    let mut selection = Selection::default();
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for word in words {
        if word.is_empty() {
            return Err("an empty word names no case; leave it out to mean all of them".to_owned());
        }
        let meant = meant_ids(corpus, &listing, word);
        if !meant.is_empty() {
            ids.extend(meant);
        } else if Path::new(word).is_dir() {
            let outside = Corpus::Folder(Path::new(word).to_owned()).read();
            selection.outside.cases.extend(outside.cases);
            selection.outside.bad.extend(outside.bad);
        } else if Path::new(word).is_file() {
            let stem = Path::new(word).file_stem().unwrap_or_default().to_string_lossy();
            selection.outside.read_file(CaseId(stem.into_owned()), &shown(Path::new(word)));
        } else {
            return Err(unknown(&listing, word));
        }
    }
    selection.ours = listing.read(|id| ids.contains(id));
    Ok(selection)
}

/// The ids that a word means: an id, a folder of ids, or the path of either.
fn meant_ids(corpus: &Corpus, listing: &Listing, word: &str) -> Vec<String> {
    let slashed = |path: &str| path.replace(is_separator, "/");
    let mut name = slashed(word).trim_end_matches('/').to_owned();
    if let Corpus::Folder(folder) = corpus
        && let (Ok(path), Ok(folder)) = (Path::new(word).canonicalize(), folder.canonicalize())
    {
        match path.strip_prefix(folder) {
            Ok(below) => name = slashed(&below.to_string_lossy()),
            // An existing path elsewhere is never meant as an id.
            Err(_) if name.contains(['/', '.']) && path.is_file() => return Vec::new(),
            Err(_) => {}
        }
    }
    let name = name.trim_end_matches(".yaml").trim_end_matches(".yml");
    let below = format!("{name}/");
    let meant = |id: &&str| name.is_empty() || *id == name || id.starts_with(&below);
    listing.ids().filter(meant).map(str::to_owned).collect()
}

fn unknown(listing: &Listing, word: &str) -> String {
    let near = |id: &str| {
        let last = id.rsplit('/').next().unwrap_or(id);
        strsim::jaro_winkler(id, word).max(strsim::jaro_winkler(last, word))
    };
    let ids = listing.ids().map(|id| (near(id), id)).filter(|(near, _)| *near >= NEAR);
    let nearest = ids.max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = nearest.map_or(String::new(), |(_, id)| format!("; did you mean `{id}`?"));
    format!("no case, folder of cases or file `{word}`{hint} (`sockdiff list` lists the cases)")
}
