# shellcheck shell=bash
# Packages of any Debian suite, without touching this machine's apt: what it knows of the suites
# lies below target/debian. To be sourced in the checkout's root.

debian=$PWD/target/debian
debian_keys=/usr/share/keyrings/debian-archive-keyring.gpg

# debian_sources: the mirrors to try: $DEBIAN_MIRROR, else the one of a Debian's own apt, and
# $DEBIAN_ARCHIVE, which keeps the suites that mirrors have given up.
debian_sources() {
    local own=${DEBIAN_MIRROR:-}
    if [ -z "$own" ] && grep -qs '^ID=debian$' /etc/os-release; then
        # Either file may be missing, and having found nothing is told where the suite is asked for.
        own=$(grep -hsoE '^(deb |URIs:).*https?://[^ ]+/debian/?( |$)' \
            /etc/apt/sources.list /etc/apt/sources.list.d/* |
            grep -oE 'https?://[^ ]+' | head -n 1) || true
    fi
    printf '%s\n' "$own" "${DEBIAN_ARCHIVE:-}" | sed '/^$/d'
}

# apt_of SUITE COMMAND…: apt-get or apt-cache, with a state of its own for each suite.
apt_of() {
    local root=$debian/$1 tool=$2
    shift 2
    "$tool" -q -o Dir::State="$root/state" -o Dir::State::status="$root/status" \
        -o Dir::Cache="$root/cache" -o Dir::Etc::sourcelist="$root/sources.list" \
        -o Dir::Etc::sourceparts="$root/none" -o Acquire::Languages=none \
        -o APT::Architecture=amd64 -o APT::Architectures=amd64 \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 "$@"
}

# debian_update SUITE: learns what packages the suite has, from the first mirror that has it.
debian_update() {
    local root=$debian/$1 mirror
    if [ ! -e "$debian_keys" ]; then
        echo "no $debian_keys to verify packages by: apt install debian-archive-keyring" >&2
        return 1
    fi
    mkdir -p "$root"/{state/lists/partial,cache/archives/partial,none,packages}
    : >"$root/status"
    : >"$root/log"
    for mirror in $(debian_sources); do
        echo "deb [signed-by=$debian_keys] $mirror $1 main" >"$root/sources.list"
        if apt_of "$1" apt-get -o APT::Update::Error-Mode=any update >"$root/log" 2>&1; then
            return
        fi
    done
    tail -n 5 "$root/log" >&2
    echo "no mirror has the suite $1: name one, DEBIAN_MIRROR=http://…/debian, or for a suite that" \
        "mirrors have given up DEBIAN_ARCHIVE" >&2
    return 1
}

# debian_unpack SUITE FOLDER PACKAGE…: downloads packages, verified, and unpacks them. What has been
# downloaded before is not downloaded again.
debian_unpack() {
    local suite=$1 folder=$2 package file
    shift 2
    mkdir -p "$folder"
    for package in "$@"; do
        file=$(apt_of "$suite" apt-get download --print-uris "$package" | awk '{ print $2 }')
        (cd "$debian/$suite/packages" && apt_of "$suite" apt-get download "$package" >&2)
        dpkg-deb --extract "$debian/$suite/packages/$file" "$folder"
    done
}
