# SPDX-License-Identifier: GPL-2.0-or-later
# Sets up a Debian machine for this project; sourced by pipeline/start and tests/run.
#
# What is already there is left alone. Nothing is configured system-wide: where podman needs another
# runtime or ulimits here, that is said in a containers.conf of our own.
set -euo pipefail

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs the given Debian packages that are missing.
host_packages() {
    local missing=() package
    for package; do
        dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing: ${missing[*]}"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Installs Rust where it is older than Cargo.toml asks for. Debian 12's own is; its security suite
# carries a newer one for building browsers.
host_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2) || true
    if [ "$(printf '%s\n' "$wanted" "${found:-0}" | sort -V | head -n1)" != "$wanted" ]; then
        host_packages cargo-web rustc-web
    fi
}

# Whether this user can read a kernel that a guest could boot.
host_has_kernel() {
    local kernel
    for kernel in /boot/vmlinuz-*; do
        if [ -r "$kernel" ]; then return 0; fi
    done
    return 1
}

# podman as it needs to be here: runc where control groups are not version 2 alone, which crun
# refuses, and no higher ulimits than this machine grants.
host_mark='# Written by pipeline/bootstrap.sh of vgpu-pipeline; without this line it is left as it is.'
host_mark_before='# Written by pipeline/host of vgpu-pipeline; without this line it is left as it is.'
host_podman() {
    local config=${XDG_CONFIG_HOME:-$HOME/.config}/vgpu-pipeline/containers.conf runtime='' ulimits=''
    [ -z "${CONTAINERS_CONF:-}" ] || return 0
    [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || runtime='runtime = "runc"'
    if [ "$(ulimit -Hn)" != unlimited ] && [ "$(ulimit -Hn)" -lt 1048576 ]; then
        ulimits='default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]'
    fi
    [ -n "$runtime$ulimits" ] || return 0
    export CONTAINERS_CONF=$config
    # What somebody wrote there is theirs.
    if [ -e "$config" ]; then
        case $(head -n 1 "$config") in
        "$host_mark" | "$host_mark_before") ;;
        *) return 0 ;;
        esac
    fi
    mkdir -p "$(dirname "$config")"
    printf '%s\n[engine]\n%s\n\n[containers]\n%s\n' "$host_mark" "$runtime" "$ulimits" > "$config"
    echo "podman needs it here: export CONTAINERS_CONF=$config"
}

# What building and running a pipeline takes.
host_packages_to_run=(ca-certificates gcc libc6-dev mount podman runc mmdebstrap createrepo-c)
[ "$(id -u)" = 0 ] || host_packages_to_run+=(uidmap slirp4netns)
# What the guest that `verify` boots is made of, on the machines that can run its programs. A machine with a
# kernel of its own gets no other one: that might become the one that it boots.
host_packages_for_guest=()
if [ "$(dpkg --print-architecture)" = amd64 ]; then
    host_packages_for_guest=(busybox-static qemu-system-data seabios)
    host_has_kernel || host_packages_for_guest+=(linux-image-cloud-amd64)
fi
