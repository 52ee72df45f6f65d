# shellcheck shell=sh
# What ci/linux, ci/macos, ci/freebsd and ci/windows share. Sourced; plain sh, for FreeBSD has no
# other.

# suite [ARGUMENT…]: builds, asks this machine every question, then tests the harness. The answers
# are in target/results/$RESULT.zip whatever becomes of the comparison: `sockdiff record` takes
# that file on any machine. ARGUMENTs are for `sockdiff run`.
suite() {
    mkdir -p target/results
    cargo build
    failed=0
    cargo run -- run --update new --out "target/results/${RESULT:-result}.zip" "$@" || failed=$?
    cargo test || failed=$?
    return "$failed"
}

# as_root: from now on cargo runs what it builds by sudo, where packets are for root alone.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        return
    fi
    if sudo -n true 2>/dev/null; then
        host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
        export "CARGO_TARGET_${host}_RUNNER=sudo -E"
    else
        echo 'no root, no packets: only calls will be compared (sudo -v first)' >&2
    fi
}
