//! Tables: the files and ledgers of Linux, fresh answers, and the changes that follow.
//!
//! A table is written in a small language: files as `6.12:B plain:A`, the releases in ledgers as
//! `6.12 6.18`, of which `6.10?` was asked another version of the question, fresh answers as
//! `6.19:C`. A small letter is an answer without packets: `b` is `B` without its packet line.

use super::super::testing::header;
use super::*;
use rstest::rstest;

fn text(letter: &str) -> String {
    let upper = letter.to_uppercase();
    match upper == letter {
        true => format!("call() = {upper}\n    a > b [{upper}]"),
        false => format!("call() = {upper}"),
    }
}

fn letter(body: &str) -> String {
    let upper = &body["call() = ".len()..][..1];
    match body.contains('>') {
        true => upper.to_owned(),
        false => upper.to_lowercase(),
    }
}

fn header_of(release: &str, letter: &str) -> Header {
    let blind = letter.to_lowercase() == letter;
    Header { capture: if blind { "none" } else { "raw sockets" }.to_owned(), ..header(release) }
}

fn version(text: &str) -> Release {
    Release::parse(text).expect("a release")
}

/// `6.12:B`, `plain:A`, `plain@6.18:A` with the release of its header.
fn file(word: &str) -> Answer {
    let (name, letter) = word.split_once(':').expect("a file");
    let (name, on) = name.split_once('@').unwrap_or((name, "6.18"));
    let name = match name {
        "plain" => SnapName::plain("linux"),
        upto => SnapName::older("linux", version(upto)),
    };
    Answer {
        path: name.to_string().into(),
        name,
        header: header_of(on, letter),
        body: text(letter),
    }
}

fn fresh(word: &str) -> Fresh {
    let (release, letter) = word.split_once(':').expect("an answer");
    Fresh {
        release: version(release),
        header: header_of(release, letter),
        body: text(letter) + "\n",
    }
}

fn short(name: &SnapName) -> String {
    name.upto.as_ref().map_or("plain".to_owned(), Release::to_string)
}

fn told(plan: &CasePlan) -> String {
    let change = |change: &Change| match change {
        Change::Rename { from, to } => format!("{}->{}", short(from), short(to)),
        Change::Write { name, body, .. } => format!("{}={}", short(name), letter(body)),
        Change::Delete { name } => format!("-{}", short(name)),
        Change::Withdraw { name } => format!("-{}?", short(name)),
        Change::Pending { name, body, .. } => format!("{}?{}", short(name), letter(body)),
    };
    let mut told: Vec<String> = plan.changes.iter().map(change).collect();
    told.extend(plan.entered.iter().map(|release| format!("!{release}")));
    told.extend(plan.kept.iter().map(|release| format!("kept {release}")));
    told.join(", ")
}

fn planned(files: &str, asked: &str, new: &str, accept: bool) -> CasePlan {
    let files: Vec<Answer> = files.split_whitespace().map(file).collect();
    let asked: Vec<(Release, bool)> = asked
        .split_whitespace()
        .map(|word| (version(word.trim_end_matches('?')), !word.ends_with('?')))
        .collect();
    let new: Vec<Fresh> = new.split_whitespace().map(fresh).collect();
    let known =
        Known { platform: "linux", files: &files.iter().collect::<Vec<_>>(), asked: &asked };
    plan(&known, &new, accept)
}

#[rstest]
#[case::first_record("", "", "6.18:A", "plain?A")]
#[case::first_record_of_three("", "", "6.1:B 6.12:A 6.18:A", "6.1?B, plain?A")]
#[case::same("plain:A", "6.18", "6.18:A", "!6.18")]
#[case::same_on_a_newer_one("plain:A", "6.18", "6.19:A", "!6.19")]
#[case::same_on_an_older_one("plain:A", "6.18", "6.1:A", "!6.1")]
#[case::changed_in_place("plain:A", "6.18", "6.18:C", "plain?C")]
#[case::changed_but_shared("plain:A", "6.12 6.18", "6.18:C", "plain->6.12, plain?C")]
#[case::newer_differs("plain:A", "6.18", "6.19:C", "plain->6.18, plain?C")]
#[case::newer_differs_two_files("6.12:B plain:A", "6.12 6.18", "6.19:C", "plain->6.18, plain?C")]
#[case::older_differs("plain:A", "6.18", "6.12:B", "6.12?B")]
#[case::one_in_between("plain:A", "6.10 6.18", "6.12:B", "6.10=A, 6.12?B")]
#[case::older_answer_lasts_longer("6.12:B plain:A", "6.12 6.18", "6.15:B", "6.12->6.15, !6.15")]
#[case::newer_answer_begins_earlier("6.12:B plain:A", "6.12 6.18", "6.15:A", "!6.15")]
#[case::back_to_the_old_answer("6.12:B plain:A", "6.12 6.18", "6.19:B", "plain->6.18, plain?B")]
#[case::stable_update("6.1:B plain:A", "6.1 6.18", "6.1.55:C", "6.1.55?C")]
#[case::pending_accepted("6.12:B plain:A", "6.18", "6.12:B", "!6.12")]
#[case::pending_refused("6.18:A", "6.18", "6.18:A", "6.18->plain, !6.18")]
#[case::equal_neighbours("6.12:A plain:A", "6.12 6.18", "", "-6.12")]
#[case::equal_neighbours_chain("6.1:B 6.5:B 6.12:A", "", "", "6.12->plain, -6.1")]
#[case::no_ledger_same_release("plain@6.18:A", "", "6.18:C", "plain?C")]
#[case::no_ledger_newer("plain@6.18:A", "", "6.19:C", "plain->6.18, plain?C")]
#[case::no_ledger_older("plain@6.18:A", "", "6.12:C", "6.12?C")]
#[case::question_changed("plain:A", "6.18?", "6.18:C", "plain?C")]
#[case::question_changed_for_another("plain:A", "6.12? 6.18?", "6.18:C", "plain?C")]
#[case::question_changed_older_asked("plain:A", "6.18?", "6.12:C", "6.12?C")]
#[case::question_changed_old_file("6.12:B plain:A", "6.12? 6.18?", "6.18:C", "plain?C")]
fn changes_follow(
    #[case] files: &str,
    #[case] asked: &str,
    #[case] new: &str,
    #[case] wanted: &str,
) {
    assert_eq!(told(&planned(files, asked, new, false)), wanted);
}

#[rstest]
#[case::first_record("", "", "6.18:A", "plain=A, !6.18")]
#[case::three_at_once("", "", "6.1:B 6.12:A 6.18:A", "6.1=B, plain=A, !6.1, !6.12, !6.18")]
#[case::newer_differs("plain:A", "6.18", "6.19:C", "plain->6.18, plain=C, !6.19")]
#[case::shift("6.12:B plain:A", "6.12 6.18", "6.12:A 6.18:B", "6.12=A, plain=B, !6.12, !6.18")]
fn accepted_at_once(
    #[case] files: &str,
    #[case] asked: &str,
    #[case] new: &str,
    #[case] wanted: &str,
) {
    assert_eq!(told(&planned(files, asked, new, true)), wanted);
}

#[rstest]
#[case::first_record("", "", "6.18:a", "plain?a")]
#[case::same_calls("plain:A", "6.18", "6.18:a", "!6.18")]
#[case::same_calls_elsewhere("plain:A", "6.18", "6.12:a", "!6.12")]
#[case::never_replaces("plain:A", "6.18", "6.18:b", "kept 6.18")]
#[case::where_there_is_none("plain:A", "6.18", "6.12:b", "6.12?b")]
#[case::same_calls_as_below("6.12:B plain:A", "6.12 6.18", "6.15:b", "6.12->6.15, !6.15")]
#[case::packets_replace_calls("plain:a", "6.18", "6.18:A", "plain?A")]
#[case::calls_confirm_calls("plain:a", "6.18", "6.18:a", "!6.18")]
#[case::calls_replace_calls("plain:a", "6.18", "6.18:b", "plain?b")]
fn calls_only(#[case] files: &str, #[case] asked: &str, #[case] new: &str, #[case] wanted: &str) {
    assert_eq!(told(&planned(files, asked, new, false)), wanted);
}

/// Whatever is recorded in whatever order, accepting it leaves every release with its answer and no
/// two neighbours with equal ones.
#[test]
fn every_release_finds_its_answer() {
    let releases = ["5.10", "6.1", "6.12", "6.18"];
    let letters = ["A", "B", "C"];
    for before in 0..81_usize {
        for after in 0..81_usize {
            let pick = |seed: usize, i: u32| letters[seed / 3_usize.pow(i) % 3];
            let answers = |seed: usize| -> Vec<Fresh> {
                (0..4)
                    .map(|i| (releases[i as usize], pick(seed, i)))
                    .map(|(release, letter)| fresh(&format!("{release}:{letter}")))
                    .collect()
            };
            let first = applied(&[], &plan_all(&[], &answers(before), &[]));
            let second = applied(&first, &plan_all(&first, &answers(after), &releases));
            holds(&first, &answers(before));
            holds(&second, &answers(after));
        }
    }
}

fn plan_all(files: &[Answer], new: &[Fresh], asked: &[&str]) -> CasePlan {
    let asked: Vec<_> = asked.iter().map(|release| (version(release), true)).collect();
    let known =
        Known { platform: "linux", files: &files.iter().collect::<Vec<_>>(), asked: &asked };
    plan(&known, new, true)
}

/// The files after the changes, which must be possible one after another.
fn applied(files: &[Answer], plan: &CasePlan) -> Vec<Answer> {
    let mut files = files.to_vec();
    for change in &plan.changes {
        match change {
            Change::Rename { from, to } => {
                files.retain(|file| file.name != *to);
                let renamed = files.iter_mut().find(|file| file.name == *from);
                renamed.expect("a file to rename").name = to.clone();
            }
            Change::Write { name, header, body } => {
                files.retain(|file| file.name != *name);
                files.push(Answer {
                    path: name.to_string().into(),
                    name: name.clone(),
                    header: header.clone(),
                    body: body.clone(),
                });
            }
            Change::Delete { name } => files.retain(|file| file.name != *name),
            Change::Pending { .. } | Change::Withdraw { .. } => panic!("everything is accepted"),
        }
    }
    files.sort_by_key(|file| (file.name.upto.is_none(), file.name.upto.clone()));
    files
}

fn holds(files: &[Answer], answers: &[Fresh]) {
    let known = Known { platform: "linux", files: &files.iter().collect::<Vec<_>>(), asked: &[] };
    for answer in answers {
        let file = known.file(&answer.release).expect("a file");
        assert_eq!(file.body, normal(&answer.body), "{}", answer.release);
    }
    assert!(files.windows(2).all(|pair| pair[0].body != pair[1].body));
    assert!(files.last().is_some_and(|file| file.name.upto.is_none()));
}
