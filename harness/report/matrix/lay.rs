//! Lays records side by side: columns and what they have in, the table out.

use super::super::claims::{Verdict, concerns, judged};
use super::classes::{group, letter};
use super::legend::legend;
use super::{Cell, ClaimRow, Class, Column, FORMAT, Matrix, Row, Status};
use crate::model::{Case, Claim, Platform, Release};
use std::collections::BTreeMap;

/// A case as it stands in the table, without what the columns have for it.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Its row, without answers.
    pub row: Row,
    /// What somebody says happens.
    pub claims: Vec<Claim>,
}

impl Question {
    /// The question of a case, and its text.
    pub fn of(case: &Case, yaml: String) -> Question {
        let row = Row {
            id: case.id.0.clone(),
            folder: case.id.folder().to_owned(),
            about: case.about.trim().to_owned(),
            spec: case.spec.clone(),
            covers: case.covers.clone(),
            tags: case.tags.clone(),
            topology: case.topology.to_string(),
            hash: case.hash.clone(),
            file: format!("cases/{}.yaml", case.id),
            yaml,
            ..Row::default()
        };
        Question { row, claims: case.claims.clone() }
    }
}

/// An answer of one column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The transcript, without blank ends.
    pub body: String,
    /// Packets were seen.
    pub captured: bool,
    /// The file that it is from.
    pub file: String,
}

/// What a column has for a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// An answer to the question as it stands.
    Answer(Record),
    /// Nothing, for a reason that may be known (else it is empty).
    NotRecorded(String),
    /// An answer to another version of the question.
    Stale,
    /// It could not be asked there, for this reason.
    Skipped(String),
}

/// Makes the table. Each question comes with what the columns have for it, in their order.
pub fn lay(platforms: Vec<Column>, asked: Vec<(Question, Vec<Found>)>) -> Matrix {
    let (mut cases, mut claims) = (Vec::new(), Vec::new());
    let releases: Vec<Platform> = platforms.iter().map(Column::platform).collect();
    for (question, found) in asked {
        for claim in &question.claims {
            claims.push(claim_row(&question.row.id, claim, &platforms, &releases, &found));
        }
        cases.push(row(question.row, &platforms, found));
    }
    let sockdiff = env!("CARGO_PKG_VERSION").to_owned();
    Matrix { format: FORMAT, sockdiff, platforms, cases, claims }
}

impl Column {
    /// The platform and release, as claims name them.
    pub fn platform(&self) -> Platform {
        let release = Release::parse(&self.release).unwrap_or(Release(Vec::new()));
        Platform { id: self.id.clone(), release }
    }
}

fn row(question: Row, columns: &[Column], found: Vec<Found>) -> Row {
    let records: Vec<Option<&Record>> = found.iter().map(Found::record).collect();
    let grouping = group(&records);
    let mut row = question;
    for (index, group) in grouping.groups.iter().enumerate() {
        let shown = records[group.shown];
        row.answers.push(Class {
            class: letter(index),
            body: shown.map_or(String::new(), |record| record.body.clone()),
            calls_only: group.calls_only,
            platforms: group.members.iter().map(|at| columns[*at].key.clone()).collect(),
            file: shown.map_or(String::new(), |record| record.file.clone()),
        });
        let letters = group.members.iter().map(|at| (columns[*at].key.clone(), letter(index)));
        row.classes.extend(letters);
    }
    for ((column, found), also) in columns.iter().zip(found).zip(grouping.also) {
        let class = row.classes.get(&column.key).cloned().unwrap_or_default();
        let also = also.into_iter().map(letter).collect();
        row.cells.insert(column.key.clone(), found.cell(class, also));
    }
    row.legend = legend(&row.answers);
    row
}

impl Found {
    fn record(&self) -> Option<&Record> {
        match self {
            Found::Answer(record) => Some(record),
            _ => None,
        }
    }

    fn cell(self, class: String, also: Vec<String>) -> Cell {
        match self {
            Found::Answer(record) => Cell {
                status: Status::Answer,
                class,
                also,
                calls_only: !record.captured,
                file: record.file,
                ..Cell::default()
            },
            Found::NotRecorded(reason) => Cell { reason, ..Cell::default() },
            Found::Stale => Cell { status: Status::Stale, ..Cell::default() },
            Found::Skipped(reason) => Cell { status: Status::Skipped, reason, ..Cell::default() },
        }
    }
}

fn claim_row(
    case: &str,
    claim: &Claim,
    columns: &[Column],
    releases: &[Platform],
    found: &[Found],
) -> ClaimRow {
    let (mut verdicts, mut evidence) = (BTreeMap::new(), BTreeMap::new());
    for ((column, release), found) in columns.iter().zip(releases).zip(found) {
        let record = found.record().filter(|_| concerns(claim, release));
        let (verdict, lines) = match record {
            Some(record) => judged(claim, &record.body, record.captured),
            None => (Verdict::NotRecorded, Vec::new()),
        };
        verdicts.insert(column.key.clone(), verdict);
        if !lines.is_empty() {
            evidence.insert(column.key.clone(), lines);
        }
    }
    ClaimRow {
        case: case.to_owned(),
        line: claim.line,
        source: claim.source.clone(),
        says: claim.says.clone(),
        platforms: claim.platforms.clone(),
        expect: claim.expect.clone(),
        never: claim.never.clone(),
        verdicts,
        evidence,
    }
}
