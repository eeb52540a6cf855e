#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install filterd as a service with its own user: releases in /opt/filterd, the
# site in /etc/filterd, state in /var/lib/filterd. Run it again to upgrade: a new
# release replaces the active one only after it has accepted the site.
set -euo pipefail
umask 022 # the service's user must be able to read the installed files

usage() {
    cat <<'USAGE'
Usage: sudo deploy/install.sh [option ...]

  --no-start     install, but leave the service as it is
  --rollback     put the release before this one back in service
  --uninstall    remove the service and its releases; the site and state stay
  --root DIR     install beneath DIR, for an image of a card; nothing is started
  --help         show this
USAGE
}

say() { printf 'filterd: %s\n' "$*"; }
fail() { printf 'filterd: %s\n' "$*" >&2; exit 1; }

root='' start=yes task=install build='' unfinished=''
while (($#)); do
    case $1 in
        --no-start) start=no ;;
        --rollback | --uninstall) task=${1#--} ;;
        --root) root=$(realpath -m "${2:?--root needs a folder}"); start=no; shift ;;
        --help) usage; exit ;;
        *) usage >&2; fail "unknown option '$1'" ;;
    esac
    shift
done

clean_up() { rm -rf ${build:+"$build"} ${unfinished:+"$unfinished"}; }
trap clean_up EXIT

checkout=$(cd "$(dirname "$0")/.." && pwd)
cd / # or Python imports a filterd from the current folder instead of the installed one
home=$root/opt/filterd
units=$root/etc/systemd/system
services=(filterd filterd-feed)
python=${PYTHON:-python3}

has_systemd() { [[ -z $root && -d /run/systemd/system ]]; }

check_machine() {
    [[ $EUID -eq 0 ]] || fail "this needs root: sudo $0"
    [[ $(uname -s) = Linux ]] || fail "filterd runs on Linux"
    command -v "$python" >/dev/null || fail "there is no python3; on Debian: apt install python3"
    "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, this is $("$python" -V)"
}

install_packages() {
    local missing=()
    "$python" -m venv --help >/dev/null 2>&1 && "$python" -c 'import ensurepip' 2>/dev/null ||
        missing+=(python3-venv)
    command -v gcc >/dev/null || missing+=(gcc)
    command -v ip >/dev/null || missing+=(iproute2)
    "$python" -c 'import os, sysconfig as s; raise SystemExit(not os.path.exists(s.get_path("include") + "/Python.h"))' ||
        missing+=(python3-dev)
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || fail "please install: ${missing[*]}"
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
}

check_port() {
    [[ $start = yes ]] && ! service_is_active || return 0
    local taken
    taken=$(ss -Hlunp 'sport = :53' 2>/dev/null | grep -v filterd | head -1 || true)
    [[ -z $taken ]] && return 0
    case $taken in
        *systemd-resolve*) fail "systemd-resolved has port 53; set DNSStubListener=no in /etc/systemd/resolved.conf, run 'systemctl restart systemd-resolved', and try again" ;;
        *dnsmasq*) fail "dnsmasq has port 53; set 'port=0' in its configuration (it goes on with DHCP), restart it, and try again" ;;
        *) fail "another server has port 53: $taken" ;;
    esac
}

service_is_active() { has_systemd && systemctl is-active --quiet filterd; }

make_user() {
    [[ -z $root ]] || return 0
    getent passwd filterd >/dev/null ||
        useradd --system --user-group --no-create-home --home-dir /var/lib/filterd \
            --shell /usr/sbin/nologin filterd
    # The control socket admits these two groups. Add no user to the group filterd:
    # it may read the log.
    groupadd --system --force filterd-admin
    groupadd --system --force filterd-teacher
    install -d -o filterd -g filterd -m 0750 /var/lib/filterd
}

# Build a copy, so that the checkout stays clean.
copy_source() {
    build=$(mktemp -d)
    cp -r "$checkout"/{filterd,blocklists,policies,pyproject.toml,README.md,LICENSE} "$build"
    find "$build" \( -name '*.so' -o -name '*.c' -o -name __pycache__ \) -prune -exec rm -rf {} +
}

make_release() {
    release=$home/releases/$(date +%Y%m%d-%H%M%S)
    [[ ! -e $release ]] || fail "$release is there already; try again in a second"
    say "installing into $release"
    unfinished=$release
    mkdir -p "$home/releases"
    "$python" -m venv "$release"
    local from=()
    [[ -d $checkout/wheels ]] && from=(--no-index --find-links "$checkout/wheels")
    local pip=("$release/bin/python" -m pip install --quiet --disable-pip-version-check
        --constraint "$checkout/constraints.txt" "${from[@]}")
    "${pip[@]}" setuptools cython wheel babel
    "${pip[@]}" --no-build-isolation "$build"
    "${pip[0]}" -m pip uninstall --quiet --yes --disable-pip-version-check \
        cython wheel babel
    # Scripts contain their interpreter's path, which in an image changes.
    [[ -z $root ]] || sed -i "1s|^#!$root|#!|" "$release"/bin/*
}

make_site() {
    local config=$root/etc/filterd
    install -d -m 0755 "$config"
    [[ -e $config/site.yaml ]] || install -m 0644 "$checkout/deploy/site.yaml" "$config/site.yaml"
    "$release/bin/python" -m filterd policy validate --config "$config" ||
        fail "the site was not accepted; the release in service stays"
}

# Rename a new link over the old one, so that there is always one.
point_to() {
    ln -s "$1" "$home/.current.$$"
    mv -T "$home/.current.$$" "$home/current"
}

put_in_service() {
    local before=''
    [[ -L $home/current ]] && before=$(readlink "$home/current")
    [[ -z $before ]] || { rm -f "$home/previous"; ln -s "$before" "$home/previous"; }
    point_to "releases/$(basename "$release")"
    unfinished=''
    for service in "${services[@]}"; do
        install -D -m 0644 "$checkout/deploy/$service.service" "$units/$service.service"
    done
    install -D -m 0644 "$checkout/deploy/sysctl.conf" "$root/etc/sysctl.d/60-filterd.conf"
    install -d -m 0755 "$root/usr/local/bin"
    ln -sfn /opt/filterd/current/bin/filterd "$root/usr/local/bin/filterd"
    for old in "$home"/releases/*; do
        case releases/$(basename "$old") in
            "$(readlink "$home/current")" | "$before") ;;
            *) rm -rf "$old" ;;
        esac
    done
}

start_service() {
    has_systemd || { say "there is no running systemd here; nothing was started"; return 0; }
    systemctl daemon-reload
    sysctl --quiet --load /etc/sysctl.d/60-filterd.conf || true
    [[ $start = yes ]] || return 0
    systemctl enable --quiet "${services[@]}"
    say "starting; the first time it compiles its lists"
    systemctl restart filterd ||
        fail "it did not start: 'journalctl -u filterd' tells why, '$0 --rollback' goes back"
    systemctl restart filterd-feed || say "the lists are not taken: 'journalctl -u filterd-feed'"
    say "filterd answers; 'filterd status' shows its state"
}

rollback() {
    [[ -L $home/previous ]] || fail "there is no release before this one"
    local now
    now=$(readlink "$home/current")
    point_to "$(readlink "$home/previous")"
    ln -sfn "$now" "$home/previous"
    say "in service: $(readlink "$home/current")"
    if has_systemd && [[ $start = yes ]]; then systemctl restart "${services[@]}"; fi
}

uninstall() {
    if has_systemd; then systemctl disable --now --quiet "${services[@]}" 2>/dev/null || true; fi
    rm -rf "$home" "$units"/filterd{,-feed}.service "$root/etc/sysctl.d/60-filterd.conf"
    [[ ! -L $root/usr/local/bin/filterd ]] || rm -f "$root/usr/local/bin/filterd"
    if has_systemd; then systemctl daemon-reload; fi
    say "removed; $root/etc/filterd and $root/var/lib/filterd are left"
}

check_machine
case $task in
    rollback) rollback ;;
    uninstall) uninstall ;;
    install)
        install_packages
        check_port
        make_user
        copy_source
        make_release
        make_site
        put_in_service
        start_service
        say "next: edit /etc/filterd/site.yaml, then 'filterd policy validate' and 'filterd reload'"
        ;;
esac
