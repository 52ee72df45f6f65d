# shellcheck shell=bash
# A Linux kernel under qemu, with a few programs in its memory and nothing else. To be sourced in
# the checkout's root.
#
# The guest has three serial lines: the kernel's console, what the program says, and the file that
# it leaves.

# modules_of TREE NAME…: the files of these modules and of all that they need, in the order in which
# they load. What the kernel has built in is no file.
modules_of() {
    local tree=$1 name
    local -A seen=()
    shift
    for name in "$@"; do
        module_of "$tree" "$name"
    done
}

module_of() {
    local file name
    # A file's name may have a dash where the module's has an underscore.
    [ -z "${seen[${2//-/_}]:-}" ] || return 0
    seen[${2//-/_}]=1
    file=$(find "$1" -path '*/modules/*' -name "${2//[-_]/[-_]}.ko*" -print -quit)
    [ -n "$file" ] || return 0
    for name in $(plain "$file" | tr '\0' '\n' | sed -n 's/^depends=//p' | tr ',' ' '); do
        module_of "$1" "$name"
    done
    echo "$file"
}

# plain FILE: a module as the guest takes it, not compressed.
plain() {
    case $1 in
        *.xz) xz --decompress --stdout "$1" ;;
        *.zst) zstd --quiet --decompress --stdout "$1" ;;
        *) cat "$1" ;;
    esac
}

# guest_files ARCHIVE TREE MODULES PROGRAM ARGUMENT…: the files of a guest whose kernel was unpacked
# below TREE, and the program that it runs.
guest_files() {
    local archive=$1 tree=$2 modules=$3 program=$4 root tool file number=100
    shift 4
    root=$(mktemp -d)
    # It becomes the guest's /, which processes enter that are nobody's.
    chmod 755 "$root"
    mkdir -p "$root"/{bin,dev,etc,lib/modules,proc,run,sys,tmp}
    install -m 755 ci/lib/guest-init "$root/init"
    # Most of it is what a debugger wants to know, and an emulated guest unpacks it slowly.
    strip -o "$root/bin/program" "$program" 2>/dev/null || cp "$program" "$root/bin/program"
    printf 'set -- %s\n' "${*@Q}" >"$root/arguments"
    # nft knows protocols by their names.
    printf '%s\n' 'icmp 1' 'tcp 6' 'udp 17' 'ipv6-icmp 58' >"$root/etc/protocols"
    for tool in busybox chrt nft; do
        tool=$(PATH=$PATH:/usr/sbin:/sbin type -P "$tool") || continue
        cp -L "$tool" "$root/bin/"
        # The libraries of a program that needs some, and what loads them.
        for file in $(ldd "$tool" 2>/dev/null | grep -o '/[^ ]*'); do
            mkdir -p "$root${file%/*}"
            cp -L "$file" "$root$file"
        done
    done
    # shellcheck disable=SC2086  # they are words
    for file in $(modules_of "$tree" $modules); do
        number=$((number + 1))
        plain "$file" >"$root/lib/modules/$number.ko"
    done
    (cd "$root" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null) | gzip -1 >"$archive"
    rm -r "$root"
}

# guest_machine ACCELERATOR KERNEL ARGUMENT…: a machine with this kernel, and no disk or network.
guest_machine() {
    local accelerator=$1 kernel=$2 cpus processor
    shift 2
    cpus=$(nproc)
    if [ "$accelerator" = kvm ]; then
        processor=(-cpu host -smp $((cpus < 4 ? cpus : 4)))
    else
        # The guest's clock counts its instructions, a nanosecond each, and so does not notice how
        # busy this machine is: otherwise a timer may expire between two calls. One CPU at a time.
        # Without cmpxchg16b, whose emulation leaves a trap flag to an interrupt that comes right
        # behind it (QEMU 7.2): once in a while a kernel dies of that in its allocator.
        processor=(-cpu 'max,-cx16' -smp 1 -icount shift=0)
    fi
    exec qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none -m 1024 \
        -accel "$accelerator" "${processor[@]}" -kernel "$kernel" "$@" </dev/null
}
export -f guest_machine

# guest_accelerator KERNEL: kvm or tcg. That /dev/kvm can be opened says little where this machine
# is a guest itself, so a kernel is tried: without any files it panics, and the machine ends.
guest_accelerator() {
    if [ -w /dev/kvm ] && timeout 10 bash -c 'guest_machine "$@"' - kvm "$1" \
        -append panic=-1 >/dev/null 2>&1; then
        echo kvm
    else
        echo tcg
    fi
}

# guest_boot ACCELERATOR KERNEL ARCHIVE FOLDER SECONDS: boots, prints what the program says, leaves
# its file as FOLDER/result.zip and the console's log as FOLDER/console, and has the program's exit
# status; 4 if there is none.
guest_boot() {
    local accelerator=$1 kernel=$2 archive=$3 folder=$4 seconds=$5 ended=0 status
    rm -f "$folder"/{console,said,result.zip}
    # A kernel that looks for a fault in its timer may find one where the machine is busy.
    timeout --kill-after=5 "$seconds" bash -c 'guest_machine "$@"' - "$accelerator" "$kernel" \
        -initrd "$archive" -append "console=ttyS0 panic=-1 no_timer_check ${GUEST_APPEND:-}" \
        -serial "file:$folder/console" -serial "file:$folder/said" \
        -serial "file:$folder/result.zip" >"$folder/qemu" 2>&1 || ended=$?
    cat "$folder/said" 2>/dev/null || true
    status=$(sed -n 's/^guest: exit \([0-9]*\) .*/\1/p' "$folder/console" 2>/dev/null)
    [ -z "$status" ] || return "$status"
    case $ended in
        124 | 137) echo "the guest hung: it was not done within $seconds s. Its console:" ;;
        0) echo "the guest died. Its console:" ;;
        *) echo "qemu ended with $ended. What it said, and the guest's console:" ;;
    esac >&2
    tail -n 40 "$folder/qemu" "$folder/console" >&2 || true
    return 4
}
