//! The conductor against a scripted stack.

use super::log::RunLog;
use super::{AnyCpu, Conditions, execute};
use crate::model::call::SendForm;
use crate::model::option::{Level, OptionRef};
use crate::model::transcript::Fate;
use crate::model::{Action, Answer, CaseId, Family, OptionValue};
use crate::parse::parse_case;
use crate::sys::fake::{Fake, Scripted, World};
use crate::sys::{AddressPlace, Beside, Buffer, Flags, Request, Trouble};
use crate::wire::{Captured, CapturedBytes};
use rstest::rstest;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn run(
    steps: &str,
    script: impl FnMut(&Request, &mut World) -> Scripted + Send + 'static,
) -> RunLog {
    attempt(steps, script).unwrap()
}

fn attempt(
    steps: &str,
    script: impl FnMut(&Request, &mut World) -> Scripted + Send + 'static,
) -> Result<RunLog, Trouble> {
    let text = format!("about: a test\n{steps}");
    let case = parse_case(CaseId("t/t".to_owned()), Path::new("t.yaml"), text.as_bytes());
    let case = case.unwrap();
    let fake = Fake::new(script);
    execute(&case, 0, Family::V4, &fake, &Conditions::default(), &mut AnyCpu)
}

/// The fates of all calls in short: `client.socket=Fd(3)`.
fn story(log: &RunLog) -> Vec<String> {
    let mut story = Vec::new();
    for step in &log.steps {
        let heads = step.calls.iter().map(|call| ("", call));
        let ends = step.completed.iter().map(|call| ("...", call));
        for (dots, call) in heads.chain(ends) {
            let fate = match &call.fate {
                Fate::Returned(outcome) | Fate::Completed(outcome) => {
                    format!("{:?}", outcome.answer)
                }
                Fate::NotIssued(why) => format!("not issued: {why}"),
                other => format!("{other:?}"),
            };
            story.push(format!("{dots}{}.{} {fate}", call.subject, call.spec.call.verb()));
        }
    }
    story
}

fn plain(_: &Request, _: &mut World) -> Scripted {
    Scripted::Plain
}

#[test]
fn established_makes_three_sockets_before_recording() {
    let log = run("given: established\nsteps:\n  - conn.close\n", plain);
    assert_eq!(log.given.len(), 6);
    assert_eq!(story(&log), ["conn.close Value(0)"]);
}

#[test]
fn thread_that_neither_sleeps_nor_returns_is_told_of() {
    let steps = "steps:\n  - client.socket: tcp\n  - client.recv: {len: 1, blocks: true}\n";
    let script = |never_sleeps: bool| {
        move |request: &Request, world: &mut World| {
            world.never_sleeps = never_sleeps;
            let is_recv = matches!(request, Request::Recv { .. });
            if is_recv { Scripted::Blocks } else { Scripted::Plain }
        }
    };
    assert!(run(steps, script(false)).settled);
    assert!(!run(steps, script(true)).settled);
}

#[test]
fn blocked_accept_is_passed_over_and_told_when_it_returns() {
    let steps = "given: listen\nsteps:\n  - server.accept: {name: conn, blocks: true}\n  \
                 - client.connect: server\n  - conn.recv: 10\n";
    let log = run(steps, |request, world| match request {
        Request::Accept { .. } => Scripted::Blocks,
        Request::Connect { .. } => {
            let fd = world.descriptor();
            world.wake(3, Answer::Fd(fd));
            Scripted::Plain
        }
        _ => Scripted::Plain,
    });
    let expected = [
        "server.accept Pending",
        "client.connect Value(0)",
        "...server.accept Fd(5)",
        "conn.recv Value(0)",
    ];
    assert_eq!(story(&log), expected);
    assert!(log.blocked.is_empty());
}

#[test]
fn unmarked_call_is_passed_over_after_patience_with_the_same_story() {
    let steps = "given: listen\nsteps:\n  - server.accept: {name: conn, for: 20ms}\n  \
                 - conn.recv: 10\n";
    let log = run(steps, |request, _| match request {
        Request::Accept { .. } => Scripted::Blocks,
        _ => Scripted::Plain,
    });
    assert_eq!(story(&log), ["server.accept Pending", "conn.recv not issued: no conn"]);
    assert_eq!(log.blocked.len(), 1);
    assert_eq!(log.blocked[0].fate, Fate::StillBlocked);
}

#[test]
fn second_pending_call_of_one_name_is_the_second() {
    let steps = "given: listen\nsteps:\n  - server.accept: {name: a, blocks: true}\n  \
                 - server.accept: {name: b, blocks: true}\n";
    let log = run(steps, |request, _| match request {
        Request::Accept { .. } => Scripted::Blocks,
        _ => Scripted::Plain,
    });
    let numbers: Vec<u32> = log.blocked.iter().map(|call| call.nth_pending).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn closed_name_keeps_its_number_until_another_socket_has_it() {
    let steps = "steps:\n  - a.socket: tcp\n  - a.close\n  - a.recv: 1\n  - b.socket: tcp\n  \
                 - a.recv: 1\n";
    let mut made = 0;
    let log = run(steps, move |request, _| match request {
        Request::Socket { .. } => {
            made += 1;
            Scripted::Returns(Answer::Fd(7))
        }
        Request::Recv { fd: 7, .. } if made == 1 => Scripted::Fails("EBADF"),
        _ => Scripted::Plain,
    });
    let story = story(&log);
    assert_eq!(story[2], "a.recv Error(EBADF)");
    assert_eq!(story[4], "a.recv not issued: descriptor reused");
}

#[test]
fn what_comes_in_a_message_carries_the_name_of_what_was_sent() {
    let steps = "given: listen\nsteps:\n  - a.socket: unix-dgram\n  \
                 - a.sendmsg: {len: 1, fds: [server]}\n  \
                 - a.recvmsg: {len: 1, fds: [got, more]}\n  - got.close\n  - more.close\n";
    let log = run(steps, |request, _| match request {
        Request::Send { fds, .. } => Scripted::Returns(Answer::Value(fds[0])),
        Request::Recv { beside: Beside { fds: Some(2), .. }, .. } => {
            Scripted::Returns(Answer::Received {
                len: 1,
                from: None,
                data: vec![0],
                flags: vec![],
                control: vec![],
                fds: vec![3],
            })
        }
        _ => Scripted::Plain,
    });
    let story = story(&log);
    assert_eq!(story[1], "a.sendmsg Value(3)");
    assert_eq!(story[3..], ["got.close Value(0)", "more.close not issued: no more"]);
    let holder = &log.steps[2].holders[0];
    assert_eq!((holder.name.as_str(), holder.address.inet().is_some()), ("got", true));
    assert_eq!(holder.accepted_by.as_ref().map(|name| name.as_str()), Some("server"));
}

#[test]
fn a_descriptor_number_needs_no_socket() {
    let steps = "given: listen\nsteps:\n  - x.connect: {addr: loopback, port: server, fd: 999}\n  \
                 - x.close: {fd: 999}\n";
    let log = run(steps, |request, _| match request {
        Request::Connect { fd: 999, to } if to.address.is_some() => Scripted::Fails("EBADF"),
        _ => Scripted::Plain,
    });
    assert_eq!(story(&log), ["x.connect Error(EBADF)", "x.close Value(0)"]);
}

#[test]
fn nothing_is_issued_in_a_process_that_has_ended() {
    let steps = "given: listen\nprocesses: {worker: [conn, late]}\nsteps:\n  \
                 - server.accept: conn\n  - worker.wait\n  - worker.exit\n  - conn.send: 1\n  \
                 - server.accept: late\n  - late.socket: tcp\n  - worker.kill: SIGKILL\n  \
                 - worker.wait\n";
    let log = run(steps, plain);
    let expected = [
        "server.accept Fd(5)",
        "conn.send not issued: worker has ended",
        "server.accept not issued: worker has ended",
        "late.socket not issued: worker has ended",
    ];
    assert_eq!(story(&log), expected);
    let notes: Vec<&str> = log.steps.iter().filter_map(|step| step.note.as_deref()).collect();
    let expected = [
        "worker.wait() = still running",
        "worker.exit()",
        "worker.kill(SIGKILL) not issued: worker has ended",
        "worker.wait() = exited 0",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn stopped_process_is_still_there_when_it_goes_on() {
    let steps = "given: established\nprocesses: {worker: [conn]}\nsteps:\n  \
                 - worker.kill: SIGSTOP\n  - conn.recv: {len: 1, blocks: true}\n  \
                 - worker.kill: SIGCONT\n  - conn.close\n  - worker.kill: SIGKILL\n  \
                 - conn.close\n";
    let log = run(steps, |request, _| match request {
        Request::Recv { .. } => Scripted::Blocks,
        _ => Scripted::Plain,
    });
    let expected =
        ["conn.recv Pending", "conn.close Value(0)", "conn.close not issued: worker has ended"];
    assert_eq!(story(&log), expected);
}

#[test]
fn until_error_stops_at_the_first_error() {
    let steps = "given: established\nsteps:\n  - client.send: {len: 1, times: until-error}\n";
    let mut sent = 0;
    let log = run(steps, move |request, _| match request {
        Request::Send { .. } if sent == 3 => Scripted::Fails("EAGAIN"),
        Request::Send { .. } => {
            sent += 1;
            Scripted::Returns(Answer::Value(1))
        }
        _ => Scripted::Plain,
    });
    assert_eq!(log.steps[0].calls.len(), 4);
}

#[test]
fn until_error_stops_when_the_process_dies_of_it() {
    let steps = "given: established\nprocesses: {worker: [client]}\nsteps:\n  \
                 - client.send: {len: 1, times: until-error}\n";
    let log = run(steps, |request, _| match request {
        Request::Send { .. } => Scripted::Returns(Answer::Died("killed by SIGPIPE".to_owned())),
        _ => Scripted::Plain,
    });
    assert_eq!(log.steps[0].calls.len(), 1);
}

#[test]
fn deadline_ends_the_run_with_what_it_has() {
    let steps = "given: listen\ndeadline: 500ms\nsteps:\n  - server.accept: conn\n  \
                 - server.close\n";
    let log = run(steps, |request, _| match request {
        Request::Accept { .. } => Scripted::Blocks,
        _ => Scripted::Plain,
    });
    assert_eq!(log.deadline, Some(Duration::from_millis(500)));
    assert_eq!(log.steps.len(), 1);
}

#[test]
fn no_call_is_begun_after_the_deadline() {
    let text = b"about: a test\nsteps:\n  - a.socket: tcp\n";
    let case = parse_case(CaseId("t/t".to_owned()), Path::new("t.yaml"), text);
    let mut case = case.unwrap();
    case.deadline = Duration::ZERO;
    let (fake, conditions) = (Fake::new(plain), Conditions::default());
    let log = execute(&case, 0, Family::V4, &fake, &conditions, &mut AnyCpu).unwrap();
    assert_eq!(log.deadline, Some(case.deadline));
    assert!(log.steps.is_empty());
}

#[test]
fn waiting_for_quiet_does_not_count_towards_the_deadline() {
    let text = b"about: a test\ndeadline: 1s\nsteps:\n  - a.socket: tcp\n  \
                 - a.listen: {backlog: 1, times: 4}\n  - a.close\n";
    let case = parse_case(CaseId("t/t".to_owned()), Path::new("t.yaml"), text).unwrap();
    let fake = Fake::new(plain).settles_in(Duration::from_millis(300));
    let conditions = Conditions::default();
    let log = execute(&case, 0, Family::V4, &fake, &conditions, &mut AnyCpu).unwrap();
    assert_eq!((log.deadline, log.steps.len()), (None, 3));
}

#[test]
fn given_that_fails_is_the_harness_trouble_and_no_answer() {
    let case = parse_case(
        CaseId("t/t".to_owned()),
        Path::new("t.yaml"),
        b"about: a test\ngiven: established\nsteps:\n  - conn.close\n",
    );
    let fake = Fake::new(|request, _| match request {
        Request::Connect { .. } => Scripted::Fails("ECONNREFUSED"),
        _ => Scripted::Plain,
    });
    let case = case.unwrap();
    assert!(matches!(&case.rows[0].steps[0].action, Action::Calls { .. }));
    let log = execute(&case, 0, Family::V4, &fake, &Conditions::default(), &mut AnyCpu);
    let error = log.unwrap_err().to_string();
    assert!(error.contains("given: client.connect"), "{error}");
}

#[test]
fn a_signal_ends_the_call_that_is_inside() {
    let steps = "given: established\nsteps:\n  - signal: client\n  \
                 - client.recv: {len: 1, blocks: true}\n  \
                 - signal: {to: client, flags: SA_RESTART}\n  - signal: client\n  \
                 - signal: client\n";
    let log = run(steps, |request, _| match request {
        Request::Recv { .. } => Scripted::Blocks,
        _ => Scripted::Plain,
    });
    let notes: Vec<&str> = log.steps.iter().filter_map(|step| step.note.as_deref()).collect();
    let expected = [
        "signal client not issued: no call of client is inside",
        "signal client SA_RESTART",
        "signal client",
        "signal client not issued: no call of client is inside",
    ];
    assert_eq!(notes, expected);
    let completed: Vec<usize> = log.steps.iter().map(|step| step.completed.len()).collect();
    assert_eq!(completed, [0, 0, 0, 1, 0]);
    assert_eq!(story(&log)[1..], ["...client.recv Error(EINTR)"]);
}

/// The call returned at once, and the run went on only after this time.
fn put_aside(time: Duration, world: &mut World, packet_after: Duration) -> Scripted {
    let at = crate::sys::clock::now() + packet_after;
    world.packets.push(Captured { at, bytes: CapturedBytes::Ip(Vec::new()) });
    std::thread::sleep(time);
    Scripted::Plain
}

#[rstest]
#[case::packet_of_the_call(0, true)]
#[case::packet_of_a_timer(200, false)]
fn packet_that_came_while_the_run_was_put_aside(#[case] after_ms: u64, #[case] kept: bool) {
    let log = attempt("given: established\nsteps:\n  - client.send: 1\n", move |request, world| {
        let [time, after] = [300, after_ms].map(Duration::from_millis);
        match request {
            Request::Send { .. } => put_aside(time, world, after),
            _ => Scripted::Plain,
        }
    });
    let told = log.map(drop).map_err(|error| error.to_string());
    assert_eq!(told.is_ok(), kept, "{told:?}");
    assert!(told.is_ok() || told.is_err_and(|what| what.contains("the run did not get its CPU")));
}

/// On the wire a packet is stamped when it is read.
#[rstest]
#[case::its_time_is_told("{for: 400ms, timed: true}", false)]
#[case::it_is_not("400ms", true)]
fn packet_that_is_read_late(#[case] silence: &str, #[case] kept: bool) {
    let steps = format!("topology: wire\nsteps:\n  - client.socket: tcp\n  - silence: {silence}\n");
    let log = attempt(&steps, |_, world| {
        world.puts_aside = Duration::from_millis(300);
        Scripted::Plain
    });
    assert_eq!(
        log.map(drop).map_err(|error| matches!(error, Trouble::Starved(_))),
        match kept {
            true => Ok(()),
            false => Err(true),
        }
    );
}

/// A call that waits in an earlier step ends while the run is put aside.
#[rstest]
#[case::its_time_is_told(", timed: true", false)]
#[case::it_is_not("", true)]
fn call_that_returns_while_the_run_is_put_aside(#[case] timed: &str, #[case] kept: bool) {
    let steps = format!(
        "given: established\nsteps:\n  - client.recv: {{len: 1, blocks: true{timed}}}\n  \
         - pause: 400ms\n"
    );
    let log = attempt(&steps, |request, world| match request {
        Request::Recv { .. } => {
            world.puts_aside = Duration::from_millis(300);
            Scripted::Blocks
        }
        _ => Scripted::Plain,
    });
    let told = log.map(|log| log.steps[1].completed.len());
    assert_eq!(
        told.map_err(|error| matches!(error, Trouble::Starved(_))),
        if kept { Ok(1) } else { Err(true) }
    );
}

#[test]
fn a_full_table_is_an_answer_only_where_the_case_has_limited_it() {
    let full = |request: &Request, _: &mut World| match request {
        Request::Accept { .. } => Scripted::Fails("EMFILE"),
        _ => Scripted::Plain,
    };
    let accept = "given: listen\nprocesses: {worker: [server, conn]}\nsteps:\n";
    let limited =
        format!("{accept}  - worker.setrlimit: {{RLIMIT_NOFILE: 1}}\n  - server.accept: conn\n");
    let log = run(&limited, full);
    assert_eq!(log.steps[0].note.as_deref(), Some("worker.setrlimit(RLIMIT_NOFILE, 1)"));
    assert_eq!(story(&log), ["server.accept Error(EMFILE)"]);
    let text = format!("about: a test\n{accept}  - server.accept: conn\n");
    let case = parse_case(CaseId("t/t".to_owned()), Path::new("t.yaml"), text.as_bytes());
    let (case, fake, conditions) = (case.unwrap(), Fake::new(full), Conditions::default());
    let log = execute(&case, 0, Family::V4, &fake, &conditions, &mut AnyCpu);
    assert!(log.unwrap_err().to_string().contains("ulimit -n"));
}

#[test]
fn a_process_without_capabilities_goes_on() {
    let steps = "processes: {worker: [a]}\nsteps:\n  - a.socket: tcp\n  \
                 - worker.drop: capabilities\n  - a.listen: 1\n";
    let log = run(steps, plain);
    assert_eq!(log.steps[1].note.as_deref(), Some("worker.drop(capabilities)"));
    assert_eq!(story(&log), ["a.socket Fd(3)", "a.listen Value(0)"]);
}

#[test]
fn what_has_no_name_reaches_the_stack_as_a_number() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&seen);
    let steps = "given: established\nsteps:\n  \
                 - client.setsockopt: {level: SOL_SOCKET, option: 7777, value: 1}\n  \
                 - client.sendmsg: {len: 2, iov: 3, flags: [MSG_OOB, 128]}\n  \
                 - client.getsockname: {addrlen: -1, show: addrlen}\n";
    run(steps, move |request, _| {
        asked.lock().unwrap().push(request.clone());
        Scripted::Plain
    });
    let mut seen = seen.lock().unwrap();
    // What the run leaves open is closed at its end.
    seen.retain(|request| !matches!(request, Request::Close { .. }));
    let Some([set, sent, name]) = seen.last_chunk() else { panic!("{seen:?}") };
    let Request::Setsockopt { fd, .. } = *set else { panic!("{set:?}") };
    let option = OptionRef::Number { level: Level::Socket, option: 7777 };
    assert_eq!(*set, Request::Setsockopt { fd, option, value: OptionValue::Int(1), bad: false });
    let flags = Flags { names: vec!["MSG_OOB".to_owned()], bits: 128 };
    let (form, data) = (SendForm::Sendmsg, Buffer::Bytes(vec![0, 1]));
    assert_eq!(*sent, Request::Send { fd, form, data, iov: Some(3), flags, to: None, fds: vec![] });
    let place = AddressPlace { len: Some(-1), len_told: true, ..AddressPlace::default() };
    assert_eq!(*name, Request::Getsockname { fd, place });
}
