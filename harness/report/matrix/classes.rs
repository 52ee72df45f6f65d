//! Which answers are one class.
//!
//! 1. Answers with packets are one class if they are equal to the letter.
//! 2. An answer without packets can only be compared by its calls. It joins a class of answers with
//!    packets if its calls are those of that class. If they are those of several, it joins the one
//!    whose first column is leftmost, and the cell names the others (`also`): nobody can tell which
//!    of them it is, so it is evidence for none.
//! 3. Answers without packets that join none of these are one class among themselves if their calls
//!    are equal, marked as calls only.
//! 4. Letters follow the leftmost column of each class.
//!
//! So an answer without packets never makes two answers with packets equal or different, and the
//! letters depend on nothing but the answers and the order of the columns.

use super::lay::Record;
use crate::render::calls_only;

/// Answers that are alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The indices of their columns, ascending.
    pub members: Vec<usize>,
    /// The member whose transcript stands for the class: the first that has packets, or the first.
    pub shown: usize,
    /// No member has packets.
    pub calls_only: bool,
}

/// The classes in the order of their letters, and for each column the further classes it may be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grouping {
    /// The classes.
    pub groups: Vec<Group>,
    /// For each column, indices into `groups`; empty nearly always.
    pub also: Vec<Vec<usize>>,
}

/// Groups the answers of the columns; none where a column has no answer.
pub fn group(records: &[Option<&Record>]) -> Grouping {
    let indexed = || records.iter().enumerate().filter_map(|(at, record)| Some((at, (*record)?)));
    let mut groups: Vec<Group> = Vec::new();
    for (at, record) in indexed().filter(|(_, record)| record.captured) {
        let body = |group: &Group| records[group.shown].map(|record| &record.body);
        match groups.iter_mut().find(|group| body(group) == Some(&record.body)) {
            Some(group) => group.members.push(at),
            None => groups.push(Group { members: vec![at], shown: at, calls_only: false }),
        }
    }
    let mut several: Vec<(usize, Vec<usize>)> = Vec::new();
    if indexed().any(|(_, record)| !record.captured) {
        join_by_calls(records, &mut groups, &mut several);
    }
    lettered(groups, &several, records.len())
}

/// Adds the answers without packets. `several` gets the columns that fit more than one class, with
/// the first members of the others.
fn join_by_calls(
    records: &[Option<&Record>],
    groups: &mut Vec<Group>,
    several: &mut Vec<(usize, Vec<usize>)>,
) {
    let calls = |record: &Record| calls_only(&record.body).trim_end().to_owned();
    let of_shown = |group: &Group| records[group.shown].map(calls).unwrap_or_default();
    let mut known: Vec<String> = groups.iter().map(of_shown).collect();
    let with_packets = groups.len();
    for (at, record) in records.iter().enumerate() {
        let Some(record) = record.filter(|record| !record.captured) else {
            continue;
        };
        let own = calls(record);
        let fits = (0..known.len()).filter(|group| known[*group] == own).collect::<Vec<_>>();
        match fits.split_first() {
            Some((first, others)) => {
                groups[*first].members.push(at);
                if !others.is_empty() {
                    several.push((at, others.iter().map(|other| groups[*other].shown).collect()));
                }
            }
            None => {
                groups.push(Group { members: vec![at], shown: at, calls_only: true });
                known.push(own);
            }
        }
    }
    debug_assert!(groups[with_packets..].iter().all(|group| group.calls_only));
}

fn lettered(mut groups: Vec<Group>, several: &[(usize, Vec<usize>)], columns: usize) -> Grouping {
    groups.iter_mut().for_each(|group| group.members.sort_unstable());
    groups.sort_by_key(|group| group.members[0]);
    let mut also = vec![Vec::new(); columns];
    for (at, shown) in several {
        let index = |shown: &usize| groups.iter().position(|group| group.shown == *shown);
        also[*at] = shown.iter().filter_map(index).collect();
        also[*at].sort_unstable();
    }
    Grouping { groups, also }
}

/// `A` to `Z`, then `AA`.
pub fn letter(index: usize) -> String {
    let last = char::from(b'A' + (index % 26) as u8);
    match index / 26 {
        0 => last.to_string(),
        before => format!("{}{last}", letter(before - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn record(text: &str) -> Option<Record> {
        let (captured, body) = match text.strip_prefix("calls ") {
            Some(body) => (false, body),
            None => (true, text),
        };
        let body = body.replace('/', "\n    ");
        (!text.is_empty()).then(|| Record { body, captured, file: String::new() })
    }

    /// One letter a column, `-` without an answer, with the other classes that it may be.
    fn letters(columns: &[&str]) -> String {
        let records: Vec<Option<Record>> = columns.iter().map(|text| record(text)).collect();
        let records: Vec<Option<&Record>> = records.iter().map(Option::as_ref).collect();
        let grouping = group(&records);
        let of = |at: usize| {
            let own = grouping.groups.iter().position(|group| group.members.contains(&at));
            let also = grouping.also[at].iter().map(|index| letter(*index));
            own.map_or("-".to_owned(), letter) + &also.collect::<String>().to_lowercase()
        };
        (0..columns.len()).map(of).collect::<Vec<_>>().join(" ")
    }

    const RST: &str = "a.close() = 0/b > a [R.]";
    const FIN: &str = "a.close() = 0/b > a [F.]";
    const EIO: &str = "a.close() = -1 EIO/b > a [F.]";

    #[rstest]
    #[case::equal(&[RST, RST], "A A")]
    #[case::order_of_columns(&[FIN, RST, FIN], "A B A")]
    #[case::first_has_none(&["", RST, FIN], "- A B")]
    #[case::nobody(&["", ""], "- -")]
    #[case::calls_fit_one(&[RST, EIO, "calls a.close() = 0"], "A B A")]
    #[case::calls_fit_two(&[RST, FIN, "calls a.close() = 0"], "A B Ab")]
    #[case::calls_first(&["calls a.close() = 0", FIN, RST], "Ab A B")]
    #[case::calls_first_of_the_second(&["calls a.close() = -1 EIO", RST, EIO], "A B A")]
    #[case::calls_alone(&[RST, "calls a.close() = 7", "calls a.close() = 7"], "A B B")]
    #[case::calls_differ(&["calls a.close() = 7", "calls a.close() = 8"], "A B")]
    #[case::calls_do_not_join_others(&[RST, "calls a.close() = 0", FIN], "A Ab B")]
    fn classes(#[case] columns: &[&str], #[case] expected: &str) {
        assert_eq!(letters(columns), expected);
    }

    #[rstest]
    #[case(0, "A")]
    #[case(25, "Z")]
    #[case(26, "AA")]
    #[case(27, "AB")]
    fn letters_go_on(#[case] index: usize, #[case] expected: &str) {
        assert_eq!(letter(index), expected);
    }
}
