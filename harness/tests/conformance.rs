//! The cases under `cargo test` and cargo-nextest: the same suite as `cargo run`.
//!
//! Without libtest's harness, because namespaces must be entered before the first thread starts.

use libtest_mimic::Arguments;
use sockdiff::snapshot::{Expected, Store, Update};
use sockdiff::suite::trials::{self, Bench};
use sockdiff::suite::{Corpus, Judge, Session, Slots};
use sockdiff::sys::{self, LocalOptions};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let prepared = sys::prepare();
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = Corpus::Folder(root.join("cases")).list();
    // cargo-nextest starts a process for every case: it need not read all the others.
    let found = match &arguments.filter {
        Some(name) if arguments.exact => cases.read(|id| id == name),
        _ => cases.read(|_| true),
    };
    let stack = match sys::local(&prepared, &LocalOptions::default()) {
        Ok(stack) => stack,
        Err(lack) => {
            println!("no case can run here: {lack}");
            return ExitCode::FAILURE;
        }
    };
    let store = match Store::open(Expected::Folder(root.join("expected"))) {
        Ok(store) => store,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    // Trials live as long as the process.
    let stack = &**Box::leak(Box::new(stack));
    let store: &Store = Box::leak(Box::new(store));
    let cpus = sys::cpus();
    let session = Session {
        stack,
        slots: Slots::new(&cpus, cpus.len(), stack.runs_at_once()),
        conditions: sockdiff::run::Conditions::default(),
        repeat: 1,
        keep_logs: false,
    };
    let judge =
        Judge { store, machine: stack.machine(), update: Update::default_here(), colour: false };
    trials::run(arguments, found, Arc::new(Bench { session, judge }))
}
