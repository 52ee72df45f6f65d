//! Which files a platform's answers to one case need, and what has to change for that.
//!
//! Pure: files, ledgers and results in, changes out. Every release whose answer is known is put in
//! order; neighbours with equal answers share one file, called after the highest release among
//! them; the newest answer has the plain name. That is the smallest set of files in which every
//! release finds its answer.

use super::compare::{alike, calls_only};
use super::filename::SnapName;
use super::header::{Header, normal};
use super::store::Answer;
use crate::model::Release;

/// What is known about one platform's answers to one case.
pub(super) struct Known<'a> {
    /// `linux`
    pub platform: &'a str,
    /// Its files, the oldest first.
    pub files: &'a [&'a Answer],
    /// The releases whose ledgers hold the case, and whether they were asked the present question.
    pub asked: &'a [(Release, bool)],
}

/// What a release has answered now.
#[derive(Clone, Debug)]
pub(super) struct Fresh {
    /// The release.
    pub release: Release,
    /// Where the answer comes from.
    pub header: Header,
    /// The transcript.
    pub body: String,
}

/// One change to the files of a platform and case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A file takes another name: its answer now ends at another release.
    Rename {
        /// The name it has.
        from: SnapName,
        /// The name it gets.
        to: SnapName,
    },
    /// An answer that has been accepted is written into this file.
    Write {
        /// The file.
        name: SnapName,
        /// Where the answer comes from.
        header: Header,
        /// The answer.
        body: String,
    },
    /// No release needs this file.
    Delete {
        /// The file.
        name: SnapName,
    },
    /// An answer that waits for review under this name.
    Pending {
        /// The file that it is to become.
        name: SnapName,
        /// Where the answer comes from.
        header: Header,
        /// The answer.
        body: String,
    },
    /// What waits for review under this name is no longer what that release answers.
    Withdraw {
        /// The file that it was to become.
        name: SnapName,
    },
}

/// What follows from fresh answers.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct CasePlan {
    /// The changes, in an order in which they can be made.
    pub changes: Vec<Change>,
    /// The releases whose answers are in accepted files: the ledger may say so.
    pub entered: Vec<Release>,
    /// The releases whose calls-only answers differ from a record that has packets.
    pub kept: Vec<Release>,
}

/// The answer of one release, or of one that nobody knows (`None`: newer than all).
struct Entry<'a> {
    release: Option<Release>,
    header: &'a Header,
    body: String,
    accepted: bool,
}

/// Plans the changes. With `accept`, what would be pending is written.
pub(super) fn plan(known: &Known<'_>, fresh: &[Fresh], accept: bool) -> CasePlan {
    let mut entries = recorded(known, fresh);
    let mut kept = Vec::new();
    for new in fresh {
        let own = entries.iter().position(|e| e.release.as_ref() == Some(&new.release));
        let own = own.map(|own| entries.swap_remove(own));
        let entry = match known.alike(new) {
            Some(file) => Entry::of(Some(new.release.clone()), file),
            None => match own {
                Some(own) if own.hides(new) => {
                    kept.push(new.release.clone());
                    own
                }
                _ => Entry::new(new, &entries),
            },
        };
        entries.push(entry);
    }
    entries.sort_by_key(|entry| (entry.release.is_none(), entry.release.clone()));
    let targets = targets(known.platform, &entries);
    let entered = |release: &&Release| {
        let holds = |t: &&Target<'_>| t.releases.contains(&Some(release));
        let target = targets.iter().find(holds);
        !kept.contains(release) && (accept || target.is_some_and(|target| target.accepted))
    };
    let entered = fresh.iter().map(|new| &new.release).filter(entered);
    CasePlan {
        entered: entered.cloned().collect(),
        changes: changes(known.files, &targets, accept),
        kept,
    }
}

impl Known<'_> {
    /// The file that a release uses.
    fn file(&self, release: &Release) -> Option<&Answer> {
        let fits = |file: &&&Answer| file.name.upto.as_ref().is_none_or(|upto| upto >= release);
        self.files.iter().find(fits).copied()
    }

    /// The file that a release uses, if it holds this answer. A file without packets does not hold
    /// an answer that has them.
    fn alike(&self, new: &Fresh) -> Option<&Answer> {
        let captured = new.header.captured();
        self.file(&new.release)
            .filter(|file| file.header.captured() || !captured)
            .filter(|file| alike(file, &new.body, captured))
    }

    /// The release that the plain file speaks for although no ledger vouches for it under the
    /// present question. `Some(None)`: nobody knows which; `None`: it need not be kept.
    fn owner(&self, plain: &Answer, fresh: &[Fresh]) -> Option<Option<Release>> {
        let bound = self.files.iter().filter_map(|file| file.name.upto.as_ref()).max();
        let above = |release: &Release| bound.is_none_or(|bound| release > bound);
        let stale = self.asked.iter().map(|(release, _)| release);
        if let Some(stale) = stale.filter(|release| above(release)).max() {
            // It answers a question that has changed: a new answer takes its place.
            let replaced = fresh.iter().any(|new| new.release >= *stale);
            return (!replaced).then(|| Some(stale.clone()));
        }
        let count = fresh.first().map_or(usize::MAX, |new| new.release.0.len());
        Some(plain.recorded_on(count).filter(above))
    }
}

impl<'a> Entry<'a> {
    fn of(release: Option<Release>, file: &'a Answer) -> Entry<'a> {
        Entry { release, header: &file.header, body: file.body.clone(), accepted: true }
    }

    /// An answer that nobody has reviewed. Without packets it is that of the release before it, if
    /// the calls are equal.
    fn new(new: &'a Fresh, others: &[Entry<'a>]) -> Entry<'a> {
        let release = Some(new.release.clone());
        let older = others.iter().filter(|e| e.release.is_some() && e.release < release);
        let before = older.max_by_key(|entry| entry.release.clone());
        if let Some(before) = before.filter(|before| before.hides(new))
            && calls_only(&before.body) == calls_only(&new.body)
        {
            return Entry {
                release,
                header: before.header,
                body: before.body.clone(),
                accepted: before.accepted,
            };
        }
        Entry { release, header: &new.header, body: normal(&new.body), accepted: false }
    }

    /// A record that has packets is not replaced by an answer without.
    fn hides(&self, new: &Fresh) -> bool {
        self.header.captured() && !new.header.captured()
    }
}

/// The answers that are known before the fresh ones.
fn recorded<'a>(known: &'a Known<'a>, fresh: &[Fresh]) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut plain_is_used = false;
    for (release, _) in known.asked.iter().filter(|(_, present)| *present) {
        if let Some(file) = known.file(release) {
            plain_is_used |= file.name.upto.is_none();
            entries.push(Entry::of(Some(release.clone()), file));
        }
    }
    for file in known.files {
        let release = match &file.name.upto {
            Some(upto) if entries.iter().any(|e| e.release.as_ref() == Some(upto)) => continue,
            Some(upto) => Some(upto.clone()),
            None if plain_is_used => continue,
            None => match known.owner(file, fresh) {
                Some(owner) => owner,
                None => continue,
            },
        };
        entries.push(Entry::of(release, file));
    }
    entries
}

/// A file as it should be.
struct Target<'a> {
    name: SnapName,
    header: &'a Header,
    body: &'a str,
    accepted: bool,
    releases: Vec<Option<&'a Release>>,
}

fn targets<'a>(platform: &str, entries: &'a [Entry<'a>]) -> Vec<Target<'a>> {
    let runs: Vec<_> = entries.chunk_by(|a, b| a.body == b.body).collect();
    let newest = runs.len().saturating_sub(1);
    let target = |(i, run): (usize, &&'a [Entry<'a>])| {
        let last = run.last()?;
        let name = match &last.release {
            Some(upto) if i < newest => SnapName::older(platform, upto.clone()),
            _ => SnapName::plain(platform),
        };
        let accepted = run.iter().rev().find(|entry| entry.accepted);
        Some(Target {
            name,
            header: accepted.unwrap_or(last).header,
            body: &last.body,
            accepted: accepted.is_some(),
            releases: run.iter().map(|entry| entry.release.as_ref()).collect(),
        })
    };
    runs.iter().enumerate().filter_map(target).collect()
}

/// The way from the files as they are to the files as they should be.
fn changes(files: &[&Answer], targets: &[Target<'_>], accept: bool) -> Vec<Change> {
    let stays = |file: &Answer| {
        let same = |t: &Target<'_>| t.accepted && t.name == file.name && t.body == file.body;
        targets.iter().any(same)
    };
    let mut spare: Vec<&Answer> = files.iter().copied().filter(|file| !stays(file)).collect();
    let (mut renames, mut writes, mut pending) = (Vec::new(), Vec::new(), Vec::new());
    for target in targets {
        let name = target.name.clone();
        let header = target.header.clone();
        let body = target.body.to_owned();
        if !target.accepted && accept {
            writes.push(Change::Write { name, header, body });
        } else if !target.accepted {
            pending.push(Change::Pending { name, header, body });
        } else if files.iter().any(|file| file.name == name && file.body == body) {
            // It is there already.
        } else if let Some(at) = spare.iter().position(|file| file.body == body) {
            renames.push((spare.remove(at).name.clone(), name));
        } else {
            writes.push(Change::Write { name, header, body });
        }
    }
    spare.retain(|file| targets.iter().all(|target| target.name != file.name));
    let deletes = spare.iter().map(|file| Change::Delete { name: file.name.clone() });
    let mut changes = in_order(renames);
    changes.extend(writes.into_iter().chain(deletes).chain(pending));
    changes
}

/// A file is renamed only when its new name is free. There are no circles: renaming keeps the order
/// of the releases.
fn in_order(mut renames: Vec<(SnapName, SnapName)>) -> Vec<Change> {
    let mut ordered = Vec::new();
    while !renames.is_empty() {
        let free = |(_, to): &(SnapName, SnapName)| renames.iter().all(|(from, _)| from != to);
        let next = renames.iter().position(free).unwrap_or(0);
        let (from, to) = renames.remove(next);
        ordered.push(Change::Rename { from, to });
    }
    ordered
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
