//! Where cases and answers are: the checkout around here, folders named on the command line, or
//! what is embedded in the program.

use super::args::Places;
use crate::model::Case;
use crate::snapshot::Expected;
use crate::suite::Corpus;
use std::path::{Path, PathBuf};

/// What was embedded when the program was built.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// Cases and answers.
pub struct Workspace {
    /// The cases.
    pub corpus: Corpus,
    /// The recorded answers.
    pub expected: Expected,
}

impl Workspace {
    /// Looks upwards from the current folder for a checkout.
    pub fn find(places: &Places) -> Workspace {
        let checkout = checkout();
        let beside = |name: &str| checkout.as_deref().map(|root| root.join(name));
        let cases = places.cases.clone().or_else(|| beside("cases"));
        let near_cases = || {
            // `--cases .` has a folder above it only once it is spelled out.
            let cases = places.cases.as_deref()?;
            let cases = cases.canonicalize().unwrap_or_else(|_| absolute(cases.to_owned()));
            cases.parent().map(|above| above.join("expected"))
        };
        let expected = places.expected.clone().or_else(near_cases).or_else(|| beside("expected"));
        let corpus = cases.map_or(Corpus::Embedded(embedded::CASES), Corpus::Folder);
        let expected = match expected {
            Some(folder) => Expected::Folder(absolute(folder)),
            None => Expected::Embedded(embedded::EXPECTED),
        };
        Workspace { corpus, expected }
    }
}

impl Workspace {
    /// The text of a case's file.
    pub fn text(&self, case: &Case) -> Option<String> {
        let file = format!("{}.yaml", case.id);
        let embedded = match &self.corpus {
            Corpus::Folder(_) => None,
            Corpus::Embedded(files) => files.iter().find(|(path, _)| *path == file),
        };
        match embedded {
            Some((_, text)) => Some((*text).to_owned()),
            None => std::fs::read_to_string(&case.path).ok(),
        }
    }
}

/// The nearest folder upwards that holds the schema of the cases.
fn checkout() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let holds = |folder: &&Path| folder.join("cases/case.schema.json").is_file();
    here.ancestors().find(holds).map(Path::to_owned)
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
