//! What changed from one column to the next: between releases of a platform, or between two results
//! of one release.

use super::matrix::{Matrix, Row, Status};

/// What the columns of a table are to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// Two results, or a record and a result, of one release.
    Twins,
    /// Releases of one platform.
    Releases,
    /// Anything else, also a single column.
    Platforms,
}

impl Matrix {
    /// What its columns are to each other.
    pub fn relation(&self) -> Relation {
        let Some(first) = self.platforms.first() else {
            return Relation::Platforms;
        };
        let one_platform = self.platforms.iter().all(|column| column.id == first.id);
        let one_release = self.platforms.iter().all(|column| column.release == first.release);
        match self.platforms.len() {
            0 | 1 => Relation::Platforms,
            2 if one_platform && one_release => Relation::Twins,
            _ if one_platform => Relation::Releases,
            _ => Relation::Platforms,
        }
    }
}

/// A change of one answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The index of the last column with the old answer.
    pub from: usize,
    /// The index of the first column with the new one.
    pub to: usize,
}

/// The changes along the columns. Columns without an answer are passed over, and so are those whose
/// calls fit several classes: they say nothing of where the change was.
pub fn steps(matrix: &Matrix, row: &Row) -> Vec<Step> {
    let mut last: Option<(usize, &str)> = None;
    let mut steps = Vec::new();
    for (at, column) in matrix.platforms.iter().enumerate() {
        let Some(cell) = row.cells.get(&column.key).filter(|cell| cell.status == Status::Answer)
        else {
            continue;
        };
        if !cell.also.is_empty() {
            continue;
        }
        if let Some((from, class)) = last
            && class != cell.class
        {
            steps.push(Step { from, to: at });
        }
        last = Some((at, &cell.class));
    }
    steps
}

/// What became of a case from the first of two columns to the second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// Only the second has an answer.
    Added,
    /// Both have, and they differ.
    Changed,
    /// Only the first has an answer.
    Deleted,
    /// Both have the same answer.
    Unchanged,
    /// Neither has an answer.
    Neither,
}

impl Change {
    /// Every one, in the order of a summary.
    pub const ALL: [Change; 5] =
        [Change::Added, Change::Changed, Change::Deleted, Change::Unchanged, Change::Neither];

    /// Of a case in a table of two columns.
    pub fn of(matrix: &Matrix, row: &Row) -> Change {
        let class = |at: usize| {
            let column = matrix.platforms.get(at)?;
            row.classes.get(&column.key)
        };
        match (class(0), class(1)) {
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Deleted,
            (None, None) => Change::Neither,
            (Some(a), Some(b)) if a == b => Change::Unchanged,
            (Some(_), Some(_)) => Change::Changed,
        }
    }

    /// Whether there is something to look at.
    pub fn is_difference(self) -> bool {
        matches!(self, Change::Added | Change::Changed | Change::Deleted)
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Change::Added => "added",
            Change::Changed => "changed",
            Change::Deleted => "deleted",
            Change::Unchanged => "unchanged",
            Change::Neither => "not answered",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::matrix;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["linux-6.18"], Relation::Platforms)]
    #[case(&["linux-6.18", "linux-6.18@new"], Relation::Twins)]
    #[case(&["linux-6.12", "linux-6.18"], Relation::Releases)]
    #[case(&["linux-6.12", "linux-6.18", "linux-6.18@new"], Relation::Releases)]
    #[case(&["linux-6.18", "gvisor-20240729"], Relation::Platforms)]
    fn relations(#[case] keys: &[&str], #[case] expected: Relation) {
        assert_eq!(matrix(keys, &[]).relation(), expected);
    }

    const KEYS: [&str; 4] = ["linux-5.10", "linux-6.1", "linux-6.12", "linux-6.18"];

    #[rstest]
    #[case::none(["a() = 0"; 4], &[])]
    #[case::one(["a() = 0", "a() = 0", "a() = 1", "a() = 1"], &[(1, 2)])]
    #[case::back(["a() = 0", "a() = 1", "a() = 0", "a() = 0"], &[(0, 1), (1, 2)])]
    #[case::hole(["a() = 0", "", "skip nft", "a() = 1"], &[(0, 3)])]
    #[case::cannot_tell(
        ["a() = 0/ a > b [S]", "calls a() = 0", "a() = 0/ a > b [R]", "a() = 0/ a > b [R]"],
        &[(0, 2)]
    )]
    fn changes(#[case] answers: [&str; 4], #[case] expected: &[(usize, usize)]) {
        let matrix = matrix(&KEYS, &[("rst/x", &answers)]);
        let steps = steps(&matrix, &matrix.cases[0]);
        let steps: Vec<(usize, usize)> = steps.iter().map(|step| (step.from, step.to)).collect();
        assert_eq!(steps, expected);
    }

    #[rstest]
    #[case("", "a() = 0", Change::Added)]
    #[case("a() = 1", "a() = 0", Change::Changed)]
    #[case("a() = 0", "skip nft", Change::Deleted)]
    #[case("a() = 0", "a() = 0", Change::Unchanged)]
    #[case("a() = 0/ a > b [S]", "calls a() = 0", Change::Unchanged)]
    #[case("stale", "skip nft", Change::Neither)]
    fn of_two(#[case] first: &str, #[case] second: &str, #[case] expected: Change) {
        let matrix = matrix(&["linux-6.18@a", "linux-6.18@b"], &[("rst/x", &[first, second])]);
        assert_eq!(Change::of(&matrix, &matrix.cases[0]), expected);
    }
}
