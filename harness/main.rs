//! The program: prepares the process, then hands over to [`sockdiff::cli`].

fn main() -> std::process::ExitCode {
    // Namespaces can be entered only while there is a single thread, so this comes first.
    let prepared = sockdiff::sys::prepare();
    sockdiff::cli::main(prepared)
}
