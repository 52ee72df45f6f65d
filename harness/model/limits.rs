//! Every bound of the case language in one place: a case beyond one of them is a bad case.

use std::time::Duration;

/// Steps in one case.
pub const STEPS_MAX: usize = 64;
/// Runs that one case may expand to: matrix rows times families.
pub const RUNS_MAX: usize = 4096;
/// Variables of one matrix.
pub const VARIABLES_MAX: usize = 16;
/// Processes of one case.
pub const PROCESSES_MAX: usize = 16;
/// Bytes of one YAML file.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Bytes of one payload that a step may ask for.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Buffers that one call may have: more than any system takes (IOV_MAX).
pub const BUFFERS_MAX: u32 = 4096;
/// Descriptors in one message: more than Linux passes (SCM_MAX_FD, 253).
pub const PASSED_MAX: usize = 512;
/// Bytes of one packet's payload: what an IP packet has room for behind the longest headers.
pub const PACKET_BYTES_MAX: usize = 65_535 - 60 - 60;
/// Bytes of a segment's options: what the longest data offset leaves behind the fixed header.
pub const TCP_OPTIONS_BYTES_MAX: usize = 40;
/// A fragment's offset counts units of so many bytes (RFC 791 §3.1, RFC 8200 §4.5).
pub const FRAGMENT_UNIT_BYTES: u16 = 8;
/// Fragments that a case lists for one packet.
pub const FRAGMENTS_MAX: usize = 64;
/// The last of the peers `peer`, `peer2`, …
pub const PEERS_MAX: u32 = 16;
/// The smallest MTU that a case may give a link: the longest TCP header fits (IP takes less, 68
/// bytes, RFC 791 §3.2), and under IPv6 what it asks of every link (RFC 8200 §5).
pub const LINK_MTU_MIN: u16 = 128;
/// The same under IPv6.
pub const LINK_MTU_MIN_V6: u16 = 1280;
/// Nodes (scalars, lists and maps) of one YAML file after its aliases are followed.
pub const NODES_MAX: usize = 50_000;
/// Lists and maps inside each other.
pub const DEPTH_MAX: usize = 24;
/// Opening brackets of one YAML file: reading it takes the square of how many are open at once.
pub const OPENINGS_MAX: usize = 10_000;
/// Bytes that the rows of one matrix may take together once `$how` is replaced.
pub const ROWS_BYTES_MAX: usize = 1 << 27;
/// Bytes of an AF_UNIX name, so that it fits `sun_path` everywhere.
pub const UNIX_NAME_BYTES_MAX: usize = 90;
/// The lowest descriptor number that a case may name: below it are the harness's own.
pub const FD_MIN: i64 = 900;
/// The largest value of an option that a case names by number: none that makes a buffer larger
/// than the language allows, or is the name of a device.
pub const OPTION_VALUE_MAX: i64 = 65_535;
/// Options below this number may lead a socket to another device (IP_UNICAST_IF, SO_BINDTOIFINDEX,
/// IP_BOUND_IF), so by number they are set in a namespace only; those above are at most the
/// socket's own affair.
pub const OPTION_ANYWHERE_MIN: i32 = 1024;
/// How often `times: until-error` repeats a call that does not fail.
pub const UNTIL_ERROR_MAX: u32 = 10_000;
/// The largest `times: N`.
pub const TIMES_MAX: u32 = 10_000;
/// How long a call without `blocks: true` may stay inside before the case goes on without it.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// How long a whole run of a case may take unless it says more.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How much longer a run may take where each of its calls is followed by a wait for quiet.
pub const QUIET_MAX: Duration = Duration::from_secs(150);
/// The longest pause, silence, timeout, patience or deadline that a case may ask for.
pub const WAIT_MAX: Duration = Duration::from_secs(3600);

/// The highest limit of descriptors that a case may set; no system has less to begin with.
pub const DESCRIPTORS_MAX: u32 = 256;
