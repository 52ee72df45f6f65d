//! Which cases a command line means.

use super::discover::{Corpus, Found, Listing, shown};
use crate::model::limits::FILE_BYTES_MAX;
use crate::model::{Case, CaseId};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf, is_separator};

/// From where on a word is like an id.
const NEAR: f64 = 0.75;

/// The cases that a command line names.
#[derive(Debug, Default)]
pub struct Selection {
    /// Cases of the corpus: compared and stored.
    pub ours: Found,
    /// Files outside it: run and printed, nothing is stored.
    pub outside: Found,
    /// What came on standard input, where that is one of them.
    input: Option<Vec<u8>>,
}

/// The word that means standard input.
const INPUT: &str = "-";
/// What standard input is called where others have the path of a file.
const INPUT_SHOWN: &str = "<stdin>";

/// Picks from the corpus by ids, folders of ids and paths; no words pick everything.
///
/// # Errors
/// A word that means nothing, with the nearest id.
pub fn select(corpus: &Corpus, words: &[String]) -> Result<Selection, String> {
    let listing = corpus.list();
    if words.is_empty() {
        return Ok(Selection { ours: listing.read(|_| true), ..Selection::default() });
    }
    let mut selection = Selection::default();
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for word in words {
        if word.is_empty() {
            return Err("an empty word names no case; leave it out to mean all of them".to_owned());
        }
        if word == INPUT {
            selection.read_input()?;
            continue;
        }
        let meant = meant_ids(corpus, &listing, word);
        if !meant.is_empty() {
            ids.extend(meant);
        } else if Path::new(word).is_dir() {
            let outside = Corpus::Folder(Path::new(word).to_owned()).read_any();
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
    selection.name_outside();
    Ok(selection)
}

impl Selection {
    /// The text of a case outside the corpus.
    pub fn text_outside(&self, case: &Case) -> String {
        match &self.input {
            Some(input) if case.path == Path::new(INPUT_SHOWN) => {
                String::from_utf8_lossy(input).into_owned()
            }
            _ => std::fs::read_to_string(&case.path).unwrap_or_default(),
        }
    }

    /// Reads standard input as a case, up to one byte more than a case may have.
    fn read_input(&mut self) -> Result<(), String> {
        if self.input.is_some() {
            return Err(format!("`{INPUT}` stands here twice, standard input is read once"));
        }
        let mut input = Vec::new();
        let most = FILE_BYTES_MAX as u64 + 1;
        let read = std::io::stdin().lock().take(most).read_to_end(&mut input);
        read.map_err(|error| format!("{INPUT_SHOWN}: cannot be read: {error}"))?;
        self.outside.add(CaseId("stdin".to_owned()), Path::new(INPUT_SHOWN), &input);
        self.input = Some(input);
        Ok(())
    }

    /// Gives the cases outside the corpus ids of the form that result files have, and no two of
    /// them one: their files may be called anything, and an id becomes the name of a file.
    fn name_outside(&mut self) {
        let mut taken: BTreeSet<String> =
            self.ours.cases.iter().map(|case| case.id.0.clone()).collect();
        // Of thousands that are called alike, none is counted up from the first.
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for case in &mut self.outside.cases {
            let plain = plain_id(&case.id.0);
            let mut id = plain.clone();
            while !taken.insert(id.clone()) {
                let count = counts.entry(plain.clone()).or_insert(1);
                *count += 1;
                id = format!("{plain}-{count}");
            }
            case.id = CaseId(id);
        }
    }
}

/// `My Case` as `my-case`: words of letters and digits in ASCII, with hyphens between them.
fn plain_id(name: &str) -> String {
    let part = |part: &str| {
        let part = part.to_ascii_lowercase();
        let words = part.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        if words.is_empty() { "case".to_owned() } else { words.join("-") }
    };
    name.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The ids that a word means: an id, a folder of ids, or the path of either.
fn meant_ids(corpus: &Corpus, listing: &Listing, word: &str) -> Vec<String> {
    let slashed = |path: &str| path.replace(is_separator, "/");
    let mut name = slashed(word).trim_end_matches('/').to_owned();
    let below = match corpus {
        Corpus::Folder(folder) => below(Path::new(word), folder),
        Corpus::Embedded(_) => None,
    };
    match below {
        Some(below) => name = slashed(&below.to_string_lossy()),
        // An existing file elsewhere is never meant as an id.
        None if name.contains(['/', '.']) && Path::new(word).is_file() => return Vec::new(),
        None => {}
    }
    let name = name.trim_end_matches(".yaml").trim_end_matches(".yml");
    let below = format!("{name}/");
    let meant = |id: &&str| name.is_empty() || *id == name || id.starts_with(&below);
    listing.ids().filter(meant).map(str::to_owned).collect()
}

/// The path from `folder` to `path`, if both exist and the one is below the other.
fn below(path: &Path, folder: &Path) -> Option<PathBuf> {
    let (path, folder) = (path.canonicalize().ok()?, folder.canonicalize().ok()?);
    path.strip_prefix(folder).ok().map(Path::to_owned)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_case;
    use rstest::rstest;

    #[rstest]
    #[case::corpus("mine/close-unread-data", "mine/close-unread-data")]
    #[case::digit_first("01-paws-by-state", "01-paws-by-state")]
    #[case::capital("Foo", "foo")]
    #[case::underscore("foo_bar", "foo-bar")]
    #[case::blank("My  Case (2)", "my-case-2")]
    #[case::escape("a\u{1b}[31m", "a-31m")]
    #[case::up("../.", "case/case")]
    #[case::separator("a\\b", "a-b")]
    #[case::nothing_left("\u{202e}", "case")]
    fn any_name_becomes_an_id(#[case] name: &str, #[case] id: &str) {
        assert_eq!(plain_id(name), id);
    }

    #[test]
    fn no_two_cases_have_one_id() {
        let case = |id: &str| {
            let text = "about: x\nsteps: [s.socket: tcp]\n".as_bytes();
            parse_case(CaseId(id.to_owned()), Path::new("x.yaml"), text).unwrap()
        };
        let mut selection = Selection::default();
        selection.ours.cases = vec![case("a")];
        selection.outside.cases = ["A", "a", "b", "a_2", "a-3"].map(case).to_vec();
        selection.name_outside();
        let ids: Vec<&str> = selection.outside.cases.iter().map(|c| c.id.0.as_str()).collect();
        assert_eq!(ids, ["a-2", "a-3", "b", "a-2-2", "a-3-2"]);
    }
}
