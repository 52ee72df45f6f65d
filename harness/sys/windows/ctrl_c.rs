//! Ctrl-C and the closing of the console: clean up, then end.

use crate::sys::shared::folder;
use std::sync::{Mutex, PoisonError};
use windows_sys::Win32::Foundation::{FALSE, TRUE};
use windows_sys::Win32::System::Console::SetConsoleCtrlHandler;
use windows_sys::core::BOOL;

type Cleanup = Box<dyn FnOnce() + Send>;

static CLEANUP: Mutex<Option<Cleanup>> = Mutex::new(None);

/// 128 and SIGINT's number: what a shell elsewhere would report.
const INTERRUPTED: i32 = 130;

/// Runs `cleanup` when the user interrupts the program, then ends it.
pub fn on_interrupt(cleanup: impl FnOnce() + Send + 'static) {
    *CLEANUP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(cleanup));
    // SAFETY: the handler is a function of this type and stays.
    unsafe { SetConsoleCtrlHandler(Some(interrupted), TRUE) };
}

/// Runs on a thread that the system starts for it.
unsafe extern "system" fn interrupted(_event: u32) -> BOOL {
    let cleanup = CLEANUP.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(cleanup) = cleanup else { return FALSE };
    cleanup();
    folder::remove_all();
    std::process::exit(INTERRUPTED)
}
