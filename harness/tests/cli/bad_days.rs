//! The machine does not play along.

use super::support::{
    CLOSED_PORT, Folder, NOTHING, PROGRAM, is_root, met, namespaces, stderr, stdout, unprivileged,
    until,
};
use snapbox::str;
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[test]
fn read_only_answers_are_a_clear_error() {
    // In its user namespace the program may write to whatever belongs to its own user.
    if !namespaces() || !met("root, for a folder of another user", is_root()) {
        return;
    }
    let Some(command) = unprivileged(&format!("run {CLOSED_PORT} udp/emsgsize")) else {
        return;
    };
    let folder = Folder::of_suite();
    folder.remove(&format!("expected/{CLOSED_PORT}/linux.snap"));
    let before = folder.files();
    let run = command.current_dir(folder.path()).assert().code(4);
    assert_eq!(folder.touched(&before), NOTHING);
    assert_eq!(stderr(&run), "");
    run.stdout_eq(str![[r#"
error             rst/connect-closed-port  ([..]/linux.snap.new: cannot be written (Permission [..]
same              udp/emsgsize
1 same, 1 error ([..])

"#]]);
}

#[test]
fn unwritable_results_are_a_clear_error() {
    let folder = Folder::of_suite();
    folder.write("file", "");
    for option in ["--out file/result.json", "--junit file/junit.xml"] {
        let run = folder.sockdiff(&format!("run {CLOSED_PORT} --update no {option}"));
        let told = stderr(&run.assert().code(4));
        let is_clear = told.contains("file/") && told.contains(": cannot be written");
        assert!(is_clear, "{told}");
    }
}

const NEVER_ANSWERS: &str = "\
about: a stack that never answers
given: listen
deadline: 1s
steps:
  - client.getsockopt: SO_ERROR
  - server.accept
  - client.close
";

#[test]
fn silent_stack_meets_the_deadline() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_cases(&[("good.yaml", "about: x\nsteps: [s.socket: tcp]\n")]);
    folder.write("never.yaml", NEVER_ANSWERS);
    let run = folder.sockdiff("run never.yaml good").assert().success();
    run.stdout_eq(str![[r#"
skipped           good  (no answers recorded for linux yet)
client.getsockopt(SO_ERROR) = 0 0
server.accept() ...
... server.accept() still blocked
deadline 1s
1 skipped (no answers recorded for linux yet)

"#]]);
}

#[test]
fn conflict_markers_are_told_with_their_line() {
    if !namespaces() {
        return;
    }
    let folder = Folder::of_suite();
    let answer = format!("expected/{CLOSED_PORT}/linux.snap");
    let other = "<<<<<<< HEAD\nclient.poll() = 0\n=======\n";
    folder.edit(&answer, "client.poll", &format!("{other}client.poll"));
    let before = folder.files();
    let line = folder.read(&answer).lines().position(|line| line == "<<<<<<< HEAD");
    let place = format!("{answer}:{}: a merge conflict: ", line.expect("the marker") + 1);
    let run = folder.sockdiff(&format!("run {CLOSED_PORT} udp/emsgsize")).assert().code(4);
    let text = stdout(&run);
    assert!(text.contains(&place), "{text}");
    assert!(text.contains("same              udp/emsgsize\n"), "{text}");
    assert_eq!(folder.touched(&before), NOTHING);
}

#[test]
fn truncated_results_change_nothing() {
    let folder = Folder::of_suite();
    for (name, told) in [
        (
            "result.json",
            "cut-result.json:[..]: the file is truncated: expected a result file[..]\n",
        ),
        ("result.zip", "cut-result.zip: [..]: expected an archive with `results.json` in it\n"),
    ] {
        let run = format!("run {CLOSED_PORT} --update no --out {name}");
        folder.sockdiff(&run).assert().success();
        let whole = std::fs::read(folder.path().join(name)).expect("the result");
        folder.write(&format!("cut-{name}"), &whole[..whole.len() / 2]);
        let before = folder.files();
        let run = folder.sockdiff(&format!("record cut-{name}")).assert().code(2);
        run.stdout_eq("").stderr_eq(told);
        assert_eq!(folder.touched(&before), NOTHING);
    }
    let run = folder.sockdiff("record no-such-file.json").assert().code(4);
    assert!(stderr(&run).starts_with("no-such-file.json: cannot be read ("), "{}", stderr(&run));
}

/// Waits in a process of its own, with a call inside.
const WAITS: &str = "\
about: x
given: listen
processes: {worker: [server]}
deadline: 1min
steps:
  - server.accept: {blocks: true}
  - pause: 50s
";

#[test]
fn interrupt_leaves_no_child_and_no_half_file() {
    if !namespaces() || !met("/proc", Path::new("/proc/self/stat").exists()) {
        return;
    }
    let folder = Folder::of_cases(&[("waits.yaml", WAITS)]);
    let before = folder.files();
    let mut program = Command::new(PROGRAM)
        .args(["run", "--update", "always", "--out", "result.zip"])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let worker = until("the case has a process", || case_process(program.id()));
    let sent = Command::new("kill").args(["-INT", &program.id().to_string()]).status();
    assert!(sent.expect("kill").success());
    let code = until("the program ends", || ended(&mut program));
    assert_eq!(code, Some(130));
    until("the case's process ends", || (!is_alive(worker)).then_some(()));
    assert_eq!(folder.touched(&before), NOTHING);
}

fn ended(program: &mut Child) -> Option<Option<i32>> {
    program.try_wait().expect("a child").map(|status| status.code())
}

/// State and parent of a process, as /proc tells them.
fn stat(process: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// A child that runs another command line: the copies of itself with which the program tries out
/// what it can do, before it listens to signals, keep the one that they were born with.
fn case_process(program: u32) -> Option<u32> {
    // A process that has ended has an empty command line, or none; and one that execve() has only
    // begun to start, which is as far as spawn() waits.
    let command = |process| std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let ours = command(program);
    if ours.is_empty() {
        return None;
    }
    let processes = std::fs::read_dir("/proc").expect("/proc");
    let mut numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.find(|process| {
        let theirs = command(*process);
        !theirs.is_empty() && theirs != ours && stat(*process).is_some_and(|(_, of)| of == program)
    })
}

/// A process that has ended and waits for its parent to notice is not alive.
fn is_alive(process: u32) -> bool {
    stat(process).is_some_and(|(state, _)| state != 'Z')
}
