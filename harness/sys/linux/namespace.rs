//! User and network namespaces: which way they can be had, and why not.

use super::threads;
use crate::model::capability::Lack;
use crate::sys::unix::errno;
use socket2::{Domain, Protocol, Socket, Type};
use std::fs;
use std::io::{Read, Write};

/// How a thread of this process gets a network namespace of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// This process may make one.
    Direct,
    /// After it has entered a user namespace of its own.
    InUserNamespace,
}

/// Finds the way by trying it in a child: the user id does not tell (a container's root may not,
/// most ordinary users may).
///
/// # Errors
/// Neither way works.
pub fn find_way() -> Result<Way, Lack> {
    for (stage, way) in [(0, Way::Direct), (1, Way::InUserNamespace)] {
        let attempt = || match way {
            Way::Direct => enter_network(),
            Way::InUserNamespace => enter_user().and_then(|()| enter_network()),
        };
        match try_in_child(attempt) {
            Ok(()) => return Ok(way),
            Err(refusal) if stage == 1 => return Err(explain(refusal)),
            Err(_) => {}
        }
    }
    unreachable!("the last stage returns")
}

/// A step that was refused, and its errno.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// An index into [`STEPS`].
    step: u8,
    errno: i32,
}

/// What is tried, in words.
const STEPS: [&str; 5] = [
    "a child process to try in",
    "a user namespace",
    "the user namespace's maps",
    "a network namespace",
    "raw sockets in a network namespace",
];

fn refused(step: u8) -> Refusal {
    Refusal { step, errno: errno::last() }
}

/// Enters a user namespace in which this user is root. Possible only with a single thread.
///
/// # Errors
/// The step that was refused.
pub fn enter_user() -> Result<(), Refusal> {
    // SAFETY: these calls only read the ids of the process.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    // SAFETY: there is no pointer.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
        return Err(refused(1));
    }
    // Without `deny` an unprivileged process may not map its group. Kernels before 3.19 lack it.
    let _ = fs::write("/proc/self/setgroups", "deny");
    let map = |file, id| fs::write(file, format!("0 {id} 1")).map_err(|_| refused(2));
    map("/proc/self/uid_map", uid)?;
    map("/proc/self/gid_map", gid)?;
    give_up_files();
    Ok(())
}

/// Gives up the powers over files that come with a user namespace of one's own: a folder that its
/// owner has made read-only stays so. What the network needs is kept.
fn give_up_files() {
    // <linux/capability.h>: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER.
    const FILE_CAPABILITIES: [u32; 3] = [1, 2, 3];
    const VERSION_3: u32 = 0x2008_0522;
    const UNUSED: libc::c_ulong = 0;
    let mut header = [VERSION_3, 0];
    // Two halves of effective, permitted and inheritable.
    let mut sets = [0u32; 6];
    // SAFETY: header and sets have the layout of the third version, may be written, and outlive the
    // calls; the other call takes numbers only, each as wide as prctl(2) reads it.
    unsafe {
        for capability in FILE_CAPABILITIES {
            let capability = libc::c_ulong::from(capability);
            libc::prctl(libc::PR_CAPBSET_DROP, capability, UNUSED, UNUSED, UNUSED);
        }
        if libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) == 0 {
            for set in &mut sets[..3] {
                *set &= !FILE_CAPABILITIES.iter().fold(0, |bits, bit| bits | 1 << bit);
            }
            libc::syscall(libc::SYS_capset, header.as_mut_ptr(), sets.as_ptr());
        }
    }
}

/// Moves the calling thread into a new network namespace, and tries a raw socket there.
fn enter_network() -> Result<(), Refusal> {
    unshare_network().map_err(|_| refused(3))?;
    match Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)) {
        Ok(_) => Ok(()),
        Err(_) => Err(refused(4)),
    }
}

/// Moves the calling thread into a new network namespace.
///
/// # Errors
/// The system's error.
pub fn unshare_network() -> std::io::Result<()> {
    // SAFETY: there is no pointer.
    match unsafe { libc::unshare(libc::CLONE_NEWNET) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Looks at something in a new network namespace, in a thread that ends with it. Its descriptors
/// are the thread's own, so that what closes slowly keeps nobody waiting.
///
/// # Errors
/// No namespace can be had, or what was looked at is lacking.
pub fn in_fresh<T: Send>(look: impl FnOnce() -> Result<T, Lack> + Send) -> Result<T, Lack> {
    let enter = || {
        // Without descriptors of its own it closes what it opened with the process.
        let _ = threads::own_descriptors(None);
        unshare_network().map_err(|error| Lack::new(format!("a network namespace: {error}")))?;
        look()
    };
    std::thread::scope(|scope| {
        let looking = std::thread::Builder::new().name("namespace".to_owned());
        let looking = looking.spawn_scoped(scope, enter);
        let looking = looking.map_err(|error| Lack::new(format!("a thread: {error}")))?;
        let panicked = |_| Err(Lack::new("looking at a namespace panicked"));
        looking.join().unwrap_or_else(panicked)
    })
}

/// Makes the attempt in a forked child, which leaves no trace of it in this process.
fn try_in_child(attempt: impl FnOnce() -> Result<(), Refusal>) -> Result<(), Refusal> {
    let (mut answer, mut told) = std::io::pipe().map_err(|_| refused(0))?;
    // SAFETY: called first thing in `main`, with a single thread, so that the child may run any
    // code; it ends with _exit and so runs no destructor twice.
    let child = unsafe { libc::fork() };
    match child {
        -1 => return Err(refused(0)),
        0 => {
            let refusal = attempt().err().unwrap_or(Refusal { step: 0, errno: 0 });
            let mut line = vec![refusal.step];
            line.extend(refusal.errno.to_ne_bytes());
            let _ = told.write_all(&line);
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(0) }
        }
        _ => drop(told),
    }
    let mut line = [0; 5];
    let heard = answer.read_exact(&mut line);
    // SAFETY: the child is ours; its status is of no interest.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    heard.map_err(|_| refused(0))?;
    let [step, errno @ ..] = line;
    match i32::from_ne_bytes(errno) {
        0 => Ok(()),
        errno => Err(Refusal { step, errno }),
    }
}

/// The reason in words, and the one command that helps.
pub fn explain(refusal: Refusal) -> Lack {
    let what = STEPS[usize::from(refusal.step)];
    let errno = errno::name(refusal.errno);
    let lack = |why: &str| Lack::new(format!("{what}: {errno} ({why})"));
    let setting = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned());
    let is = |path: &str, value: &str| setting(path).is_ok_and(|found| found == value);
    if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        return lack("AppArmor restricts user namespaces")
            .remedy("sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
    }
    if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return lack("user namespaces are for root only")
            .remedy("sudo sysctl -w kernel.unprivileged_userns_clone=1");
    }
    for kind in ["user", "net"] {
        if is(&format!("/proc/sys/user/max_{kind}_namespaces"), "0") {
            return lack(&format!("no {kind} namespaces are allowed"))
                .remedy(format!("sudo sysctl -w user.max_{kind}_namespaces=10000"));
        }
    }
    match refusal.errno {
        libc::EINVAL if refusal.step == 1 => lack("another thread runs, or the kernel has none"),
        libc::EPERM if seccomp_filters() => lack("the container's seccomp filter refuses them")
            .remedy("docker run --security-opt seccomp=unconfined"),
        _ => lack("refused"),
    }
}

fn seccomp_filters() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Seccomp:") && line.ends_with('2'))
}
