//! Everything that is compared, as one table: `matrix.json`, and what all reports are made from.
//!
//! A *column* is one release of a platform, from its ledger or from a result file; a *row* is a
//! case. A *cell* says what the column's answer to the case is, or why there is none. Equal answers
//! are one *class*; its letter follows the order of the columns, so A is what the first column with
//! an answer does. Letters say same and different, never right or wrong.
//!
//! ```json
//! {"format": 1, "sockdiff": "0.1.0",
//!  "platforms": [{"key": "linux-6.18", "id": "linux", "release": "6.18", "kernel": "6.18.44",
//!                 "arch": "x86_64", "date": "2026-11-20", "capture": "raw sockets",
//!                 "wire": "tun", "isolation": "netns", "settings": {}, "fingerprint": "520c…",
//!                 "families": [4, 6], "source": "expected/ledger/linux-6.18.yaml", "asked": 132}],
//!  "cases": [{"id": "rst/connect-closed-port", "folder": "rst", "about": "…", "spec": ["…"],
//!             "covers": ["…"], "tags": [], "topology": "loopback", "hash": "…",
//!             "file": "cases/rst/connect-closed-port.yaml", "yaml": "…",
//!             "answers": [{"class": "A", "body": "…", "calls_only": false,
//!                          "platforms": ["linux-6.18"], "file": "expected/…/linux.snap"}],
//!             "cells": {"linux-6.18": {"status": "answer", "class": "A", "calls_only": false,
//!                                      "file": "expected/…/linux.snap"}},
//!             "classes": {"linux-6.18": "A"},
//!             "legend": ""}],
//!  "claims": [{"case": "…", "line": 9, "source": "…", "says": "…", "platforms": [],
//!              "expect": ["…"], "never": [], "verdicts": {"linux-6.18": "holds"},
//!              "evidence": {"linux-6.18": ["…"]}}]}
//! ```
//!
//! A cell's `status` is `answer`, `not recorded`, `stale` (the question has changed since) or
//! `skipped`; with the last one stands its `reason`. What decides the classes is in [`classes`].

pub mod classes;
mod lay;
pub mod legend;

pub use lay::{Found, Question, Record, lay};

use super::claims::Verdict;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The version of `matrix.json`.
pub const FORMAT: u32 = 1;

/// The fingerprint of no settings at all: FNV-1a of nothing.
const NOTHING_PINNED: &str = "cbf29ce484222325";

/// The table.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Matrix {
    /// [`FORMAT`]
    pub format: u32,
    /// The version of the program that made it.
    pub sockdiff: String,
    /// The columns, in their order.
    pub platforms: Vec<Column>,
    /// The rows, sorted by case.
    pub cases: Vec<Row>,
    /// Every claim of these cases.
    pub claims: Vec<ClaimRow>,
}

/// One release of a platform. What is not known is empty.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Column {
    /// What names it in this table: `linux-6.18`; with `@` and a file's name where two columns
    /// would be called alike.
    pub key: String,
    /// `linux`
    pub id: String,
    /// The release key, `6.18`.
    pub release: String,
    /// The whole release as the system tells it, `6.18.44`.
    pub kernel: String,
    /// `x86_64`
    pub arch: String,
    /// The day on which the record was last written.
    pub date: String,
    /// How packets were seen, `none` if they were not.
    pub capture: String,
    /// The device of the wire.
    pub wire: String,
    /// `netns` or `shared`.
    pub isolation: String,
    /// What was pinned, where a result file tells it.
    pub settings: BTreeMap<String, String>,
    /// The fingerprint of what was pinned.
    pub fingerprint: String,
    /// The address families that ran.
    pub families: Vec<u8>,
    /// The ledger or result file that it was made from.
    pub source: String,
    /// How many questions it has been asked.
    pub asked: usize,
}

impl Column {
    /// What was pinned, as a person reads it.
    pub fn pinned(&self) -> &str {
        match self.fingerprint.as_str() {
            NOTHING_PINNED => "none pinned",
            fingerprint => fingerprint,
        }
    }

    /// How a person reads it: `linux 6.18`, with the file's name where the key has it.
    pub fn label(&self) -> String {
        let short = format!("{} {}", self.id, self.release);
        match self.key.split_once('@') {
            Some((_, file)) => format!("{short} ({file})"),
            None => short,
        }
    }
}

/// The names of the columns whose keys `has` picks: `linux 5.10, 6.1, gvisor 20240729`.
pub fn names(columns: &[Column], has: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut previous = "";
    for column in columns.iter().filter(|column| has(&column.key)) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        let label = column.label();
        let short = label.strip_prefix(&column.id).filter(|_| previous == column.id);
        text.push_str(short.map_or(label.as_str(), str::trim_start));
        previous = &column.id;
    }
    text
}

/// One case.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Row {
    /// `rst/connect-closed-port`
    pub id: String,
    /// `rst`
    pub folder: String,
    /// The question, in words.
    pub about: String,
    /// References.
    pub spec: Vec<String>,
    /// Catalogue entries and article situations that it answers.
    pub covers: Vec<String>,
    /// Words to select cases by.
    pub tags: Vec<String>,
    /// `loopback` or `wire`.
    pub topology: String,
    /// The hash of the question.
    pub hash: String,
    /// The case's file, from the root of the checkout.
    pub file: String,
    /// Its text.
    pub yaml: String,
    /// The classes, each once.
    pub answers: Vec<Class>,
    /// What each column has, by its key.
    pub cells: BTreeMap<String, Cell>,
    /// The letters alone, for programs that want nothing else.
    pub classes: BTreeMap<String, String>,
    /// How the classes differ, in one line; empty if there are fewer than two.
    pub legend: String,
}

impl Row {
    /// Whether two columns answer differently.
    pub fn differs(&self) -> bool {
        self.answers.len() > 1
    }

    /// The class with this letter.
    pub fn class(&self, letter: &str) -> Option<&Class> {
        self.answers.iter().find(|class| class.class == letter)
    }
}

/// One distinct answer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Class {
    /// `A`
    pub class: String,
    /// The transcript; without packets if nobody who gives this answer has seen any.
    pub body: String,
    /// No column of this class has seen packets.
    pub calls_only: bool,
    /// The keys of the columns, in their order.
    pub platforms: Vec<String>,
    /// The expected file or result file that `body` is from.
    pub file: String,
}

/// What a column has for a case.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Cell {
    /// Whether there is an answer, and if not, why.
    pub status: Status,
    /// The letter of its class; empty without an answer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// Further classes whose calls are the same: without packets nobody can tell which it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Packets were not seen.
    pub calls_only: bool,
    /// Why there is no answer, where that is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The file that holds the answer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
}

/// Whether a column has an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub enum Status {
    /// It has.
    #[serde(rename = "answer")]
    Answer,
    /// It was never asked, or what came of it was no answer.
    #[default]
    #[serde(rename = "not recorded")]
    NotRecorded,
    /// It was asked another version of the question.
    #[serde(rename = "stale")]
    Stale,
    /// It could not be asked there.
    #[serde(rename = "skipped")]
    Skipped,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Status::Answer => "answer",
            Status::NotRecorded => "not recorded",
            Status::Stale => "stale",
            Status::Skipped => "skipped",
        })
    }
}

/// One claim, held against every column.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClaimRow {
    /// The case that quotes it.
    pub case: String,
    /// Its line in the case's file.
    pub line: u32,
    /// Who says it.
    pub source: String,
    /// What is said.
    pub says: String,
    /// For which platforms; empty: all.
    pub platforms: Vec<String>,
    /// Lines that must occur in this order.
    pub expect: Vec<String>,
    /// Lines that must not occur.
    pub never: Vec<String>,
    /// The verdict on each column, by its key.
    #[serde(serialize_with = "in_words")]
    pub verdicts: BTreeMap<String, Verdict>,
    /// The lines on which a verdict rests, for the columns that have one.
    pub evidence: BTreeMap<String, Vec<String>>,
}

fn in_words<S: Serializer>(
    verdicts: &BTreeMap<String, Verdict>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(verdicts.iter().map(|(key, verdict)| (key, verdict.to_string())))
}

/// Whether a text begins as `matrix.json` does.
pub fn is_json(text: &str) -> bool {
    text.starts_with("{\"format\":") && text.contains("\"sockdiff\":")
}

impl Matrix {
    /// The column with this key.
    pub fn column(&self, key: &str) -> Option<&Column> {
        self.platforms.iter().find(|column| column.key == key)
    }

    /// The rows on which columns differ.
    pub fn differing(&self) -> impl Iterator<Item = &Row> {
        self.cases.iter().filter(|row| row.differs())
    }
}
