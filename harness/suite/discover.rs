//! Finds the cases: below a folder, or among those embedded in the program.

use crate::model::limits::FILE_BYTES_MAX;
use crate::model::{Case, CaseId, Name, Topology};
use crate::parse::parse_case;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};

/// Files for which it is worth while to start one more thread: they take a millisecond or two.
const FILES_PER_READER: usize = 16;

/// Where cases come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Corpus {
    /// The YAML files below this folder.
    Folder(PathBuf),
    /// Pairs of path and text.
    Embedded(&'static [(&'static str, &'static str)]),
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Cases that can be understood, by id.
    pub cases: Vec<Case>,
    /// Files that cannot.
    pub bad: Vec<Bad>,
}

/// A file that is no case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bad {
    /// The id that it would have.
    pub id: String,
    /// `file:line:column: what is wrong`.
    pub message: String,
}

impl Corpus {
    /// Reads every case. Never fails: what cannot be read is among the bad.
    pub fn read(&self) -> Found {
        self.list().read(|_| true)
    }

    /// Finds every file that would be a case, and reads none.
    pub fn list(&self) -> Listing {
        let mut listing = self.files();
        listing.refuse_names();
        listing.refuse_twins();
        listing
    }

    /// Reads every file, whatever it is called: as no corpus, of whose answers nothing is stored.
    pub fn read_any(&self) -> Found {
        self.files().read(|_| true)
    }

    fn files(&self) -> Listing {
        let mut listing = Listing::default();
        match self {
            Corpus::Embedded(files) => {
                for (path, text) in *files {
                    let shown = Path::new("cases").join(path);
                    listing.add(Path::new(path), shown, Some(text.as_bytes()));
                }
            }
            Corpus::Folder(folder) => {
                let mut files = Vec::new();
                if let Err(message) = collect(folder, &mut files) {
                    listing.bad.push(Bad { id: folder.display().to_string(), message });
                }
                files.sort();
                let here = std::env::current_dir().unwrap_or_default();
                for file in files {
                    let below = file.strip_prefix(folder).unwrap_or(&file);
                    listing.add(below, from(&here, &file), None);
                }
            }
        }
        listing.files.sort_by(|a, b| a.id.cmp(&b.id));
        listing
    }
}

/// The files of a corpus, by the ids that they have as cases.
#[derive(Debug, Default)]
pub struct Listing {
    files: Vec<Listed>,
    /// A folder that cannot be read, files that have one id, and files without one.
    bad: Vec<Bad>,
}

/// One file.
#[derive(Debug)]
struct Listed {
    id: CaseId,
    /// As a person would write it from here.
    path: PathBuf,
    /// What stands in it, where that is known already.
    embedded: Option<&'static [u8]>,
}

impl Listing {
    /// The ids of all files, also of those that are no cases.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let bad = self.bad.iter().map(|bad| bad.id.as_str());
        self.files.iter().map(|file| file.id.0.as_str()).chain(bad)
    }

    /// Reads the files whose ids are wanted, several at a time: the suite is read on every run.
    pub fn read(self, wanted: impl Fn(&str) -> bool) -> Found {
        let files: Vec<Listed> = self.files.into_iter().filter(|f| wanted(&f.id.0)).collect();
        let cpus = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let readers = cpus.min(files.len() / FILES_PER_READER).max(1);
        let share = files.len().div_ceil(readers).max(1);
        let mut found = Found::default();
        std::thread::scope(|scope| {
            let mut shares = files.chunks(share);
            let own = shares.next().unwrap_or_default();
            let begin = |part| {
                let thread = std::thread::Builder::new();
                thread.spawn_scoped(scope, move || Found::of(part)).map_err(|_| part)
            };
            let others: Vec<_> = shares.map(begin).collect();
            found = Found::of(own);
            for other in others {
                let other = match other {
                    Ok(reader) => reader.join().unwrap_or_else(|panic| resume_unwind(panic)),
                    // The system has no thread left to give.
                    Err(part) => Found::of(part),
                };
                found.cases.extend(other.cases);
                found.bad.extend(other.bad);
            }
        });
        found.bad.extend(self.bad.into_iter().filter(|bad| wanted(&bad.id)));
        found
    }

    fn add(&mut self, below: &Path, path: PathBuf, embedded: Option<&'static [u8]>) {
        self.files.extend(id_of(below).map(|id| Listed { id, path, embedded }));
    }

    /// An id becomes a folder of answers, and a word of the command line.
    fn refuse_names(&mut self) {
        let named = |file: &Listed| file.id.0.split('/').all(Name::is_valid);
        let (good, nameless) = std::mem::take(&mut self.files).into_iter().partition(named);
        self.files = good;
        let nameless: Vec<Listed> = nameless;
        self.bad.extend(nameless.into_iter().map(|file| Bad {
            message: format!(
                "{}: no name for a case, expected folders and a file of small letters, digits and \
                 hyphens, each beginning with a letter: rst/close-unread-data.yaml",
                file.path.display()
            ),
            id: file.id.0,
        }));
    }

    /// Two files with one id (`a.yaml`, `a.yml`) are both refused.
    fn refuse_twins(&mut self) {
        for twins in self.files.chunk_by(|a, b| a.id == b.id).filter(|twins| twins.len() > 1) {
            let (id, first) = (&twins[0].id, twins[0].path.display());
            self.bad.extend(twins[1..].iter().map(|other| Bad {
                id: id.0.clone(),
                message: format!(
                    "{}:1:1: {first} has the id {id} too, expected one file a case: rename one",
                    other.path.display()
                ),
            }));
        }
        let bad: BTreeSet<&str> = self.bad.iter().map(|bad| bad.id.as_str()).collect();
        self.files.retain(|file| !bad.contains(file.id.0.as_str()));
    }
}

impl Found {
    fn of(files: &[Listed]) -> Found {
        let mut found = Found::default();
        for file in files {
            match file.embedded {
                Some(text) => found.add(file.id.clone(), &file.path, text),
                None => found.read_file(file.id.clone(), &file.path),
            }
        }
        found
    }

    /// Reads one file as the case `id`.
    pub fn read_file(&mut self, id: CaseId, file: &Path) {
        let too_large = std::fs::metadata(file).is_ok_and(|m| m.len() > FILE_BYTES_MAX as u64);
        if too_large {
            return self.refuse_large(id, file);
        }
        match std::fs::read(file) {
            Ok(bytes) => self.add(id, file, &bytes),
            Err(error) => {
                let message = format!("{}: cannot be read: {error}", file.display());
                self.bad.push(Bad { id: id.0, message });
            }
        }
    }

    fn refuse_large(&mut self, id: CaseId, file: &Path) {
        let most = FILE_BYTES_MAX >> 20;
        let message = format!("{}:1:1: larger than {most} MiB, which no case is", file.display());
        self.bad.push(Bad { id: id.0, message });
    }

    /// Reads the text of a file as the case `id`. Of one that is too large it may be a part.
    pub(super) fn add(&mut self, id: CaseId, path: &Path, bytes: &[u8]) {
        if bytes.len() > FILE_BYTES_MAX {
            return self.refuse_large(id, path);
        }
        match parse_case(id.clone(), path, bytes) {
            Ok(case) => self.cases.push(case),
            Err(error) => self.bad.push(Bad { id: id.0, message: error.to_string() }),
        }
    }

    /// Keeps the cases with one of these tags and of this topology.
    ///
    /// # Errors
    /// None of the cases has such a tag.
    pub fn keep(&mut self, tags: &[String], topology: Option<Topology>) -> Result<(), String> {
        let known: BTreeSet<&str> =
            self.cases.iter().flat_map(|case| &case.tags).map(String::as_str).collect();
        if let Some(tag) = tags.iter().find(|tag| !known.contains(tag.as_str())) {
            let known: Vec<&str> = known.into_iter().collect();
            let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(format!("no case that is meant has the tag `{tag}`; there is {there}"));
        }
        self.cases.retain(|case| {
            let tagged = tags.is_empty() || case.tags.iter().any(|tag| tags.contains(tag));
            tagged && topology.is_none_or(|topology| case.topology == topology)
        });
        Ok(())
    }
}

/// The path as a person would write it from here.
pub(super) fn shown(file: &Path) -> PathBuf {
    from(&std::env::current_dir().unwrap_or_default(), file)
}

fn from(here: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(here).unwrap_or(file).to_owned()
}

/// The id of a file below the folder of cases; none for what is no YAML file.
fn id_of(below: &Path) -> Option<CaseId> {
    let extension = below.extension()?.to_str()?;
    if extension != "yaml" && extension != "yml" {
        return None;
    }
    let stem = below.with_extension("");
    let parts: Vec<String> =
        stem.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    Some(CaseId(parts.join("/")))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error| format!("{}: cannot be read: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // Links are not followed: a link to a folder above would never end.
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GOOD: &str = "about: x\nsteps: [s.socket: tcp]\n";

    #[test]
    fn many_files_are_read_in_their_order() {
        // Leaked, as what is embedded lives for ever too.
        let file = |n: usize| (&*format!("b/c{n:03}.yaml").leak(), GOOD);
        let mut files: Vec<(&str, &str)> = (0..200).rev().map(file).collect();
        files.extend([("a/bad.yaml", "about: x\n"), ("a/README.md", ""), ("a/good.yml", GOOD)]);
        let corpus = Corpus::Embedded(files.leak());
        let all = corpus.read();
        let ids: Vec<&str> = all.cases.iter().map(|case| case.id.0.as_str()).collect();
        assert_eq!((ids.len(), ids[0], ids[1], ids[200]), (201, "a/good", "b/c000", "b/c199"));
        assert!(ids.is_sorted());
        assert_eq!(all.bad.len(), 1);
        let some = corpus.list().read(|id| id.ends_with('7'));
        assert_eq!(some.cases.len(), 20);
        assert_eq!(some.bad, [], "what is not wanted is not read");
    }

    #[rstest]
    #[case("01-paws-by-state.yaml")]
    #[case("Foo.yaml")]
    #[case("foo_bar.yaml")]
    #[case("My Case/a.yaml")]
    fn corpus_alone_has_a_rule_for_names(#[case] path: &'static str) {
        let corpus = Corpus::Embedded(vec![(path, GOOD)].leak());
        let (found, any) = (corpus.read(), corpus.read_any());
        let told = "no name for a case, expected folders and a file of small letters, digits and \
                    hyphens, each beginning with a letter: rst/close-unread-data.yaml";
        assert!(found.cases.is_empty() && found.bad[0].message.ends_with(told), "{found:?}");
        assert_eq!((any.cases.len(), any.bad), (1, vec![]));
    }
}
