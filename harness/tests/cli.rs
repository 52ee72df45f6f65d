//! The whole program from outside, as a user meets it: arguments in, text, files and exit codes
//! out. Whatever a test changes is a copy in a folder of its own.

#[path = "cli/bad_days.rs"]
mod bad_days;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/claims.rs"]
mod claims;
#[path = "cli/compare.rs"]
mod compare;
#[path = "cli/isolation.rs"]
mod isolation;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/outside.rs"]
mod outside;
#[path = "cli/pcap.rs"]
mod pcap;
#[path = "cli/review.rs"]
mod review;
#[path = "cli/running.rs"]
mod running;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/verbs.rs"]
mod verbs;
#[path = "cli/wire.rs"]
mod wire;
#[path = "cli/world.rs"]
mod world;
