#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install filterd as a service with its own user: releases in /opt/filterd, the
# site in /etc/filterd, state in /var/lib/filterd. Run it again to upgrade: a new
# release replaces the active one only after it has accepted the site.
set -euo pipefail
umask 022 # the service's user must be able to read the installed files

usage() {
    if [[ $lang = vi ]]; then
        cat <<'USAGE'
Cách dùng: sudo deploy/install.sh [tùy chọn ...]

  --lang vi|en   ngôn ngữ của lệnh này và của site.yaml tạo mới
  --no-start     cài đặt nhưng không động vào dịch vụ đang chạy
  --rollback     quay lại bản phát hành trước
  --uninstall    gỡ dịch vụ và các bản phát hành; giữ cấu hình và dữ liệu
  --root DIR     cài vào dưới thư mục DIR, để làm ảnh thẻ nhớ; không khởi động gì
  --help         hiện hướng dẫn này
USAGE
    else
        cat <<'USAGE'
Usage: sudo deploy/install.sh [option ...]

  --lang vi|en   the language of this command, and of a new site.yaml
  --no-start     install, but leave the service as it is
  --rollback     put the release before this one back in service
  --uninstall    remove the service and its releases; the site and state stay
  --root DIR     install beneath DIR, for an image of a card; nothing is started
  --help         show this
USAGE
    fi
}

# The Vietnamese of every text below, by its English; %s stand for the same words in the same order.
declare -A vietnamese=(
    ["there are no manual pages"]="không có trang hướng dẫn (man)"
    ["unknown option '%s'"]="không có tùy chọn '%s'"
    ["--lang needs vi or en"]="--lang cần vi hoặc en"
    ["--root needs a folder"]="--root cần một thư mục"
    ["this needs root: sudo %s"]="cần quyền root: sudo %s"
    ["filterd runs on Linux"]="filterd chạy trên Linux"
    ["there is no python3; on Debian: apt install python3"]="máy chưa có python3; trên Debian: apt install python3"
    ["Python 3.11 or newer is needed, this is %s"]="cần Python 3.11 trở lên, máy đang có %s"
    ["please install: %s"]="hãy cài trước: %s"
    ["installing %s"]="đang cài %s"
    ["systemd-resolved has port 53; set DNSStubListener=no in /etc/systemd/resolved.conf, run 'systemctl restart systemd-resolved', and try again"]="systemd-resolved đang giữ cổng 53; đặt DNSStubListener=no trong /etc/systemd/resolved.conf, chạy 'systemctl restart systemd-resolved' rồi thử lại"
    ["dnsmasq has port 53; set 'port=0' in its configuration (it goes on with DHCP), restart it, and try again"]="dnsmasq đang giữ cổng 53; đặt 'port=0' trong cấu hình của nó (DHCP vẫn chạy), khởi động lại nó rồi thử lại"
    ["another server has port 53: %s"]="một máy chủ khác đang giữ cổng 53: %s"
    ["%s is there already; try again in a second"]="đã có %s; thử lại sau một giây"
    ["installing into %s"]="đang cài vào %s"
    ["the site was not accepted; the release in service stays"]="cấu hình của trường không được chấp nhận; bản đang chạy vẫn giữ nguyên"
    ["there is no running systemd here; nothing was started"]="ở đây không có systemd đang chạy; không khởi động gì"
    ["starting; the first time it compiles its lists"]="đang khởi động; lần đầu filterd phải biên dịch danh sách"
    ["it did not start: 'journalctl -u filterd' shows why, '%s --rollback' goes back"]="không khởi động được: xem lý do bằng 'journalctl -u filterd', quay lại bản trước bằng '%s --rollback'"
    ["the lists are not taken: 'journalctl -u filterd-feed'"]="chưa tải được danh sách: xem 'journalctl -u filterd-feed'"
    ["there are no metrics and alerts: 'journalctl -u filterd-monitor'"]="không có số đo và cảnh báo: xem 'journalctl -u filterd-monitor'"
    ["no connection is taken: 'journalctl -u %s'"]="chưa nhận kết nối: xem 'journalctl -u %s'"
    ["the dashboard: https://%s:8443; 'sudo filterd account add NAME --role admin --code' lets you in"]="trang quản trị: https://%s:8443; vào lần đầu bằng 'sudo filterd account add TÊN --role admin --code'"
    ["filterd answers; 'filterd status' shows its state"]="filterd đã trả lời; xem tình trạng bằng 'filterd status'"
    ["there is no release before this one"]="không có bản phát hành trước đó"
    ["in service: %s"]="đang chạy: %s"
    ["removed; %s and %s are left"]="đã gỡ; còn giữ %s và %s"
    ["next: 'sudo filterd setup' asks for the school, its networks and classes"]="tiếp theo: 'sudo filterd setup' hỏi về trường, các mạng và các lớp"
)

# Fill a text, in the language of the user, with the words after it.
told() {
    local text=$1
    [[ $lang != vi ]] || text=${vietnamese[$1]:-$1}
    # shellcheck disable=SC2059 -- the text is a format
    printf "filterd: $text\n" "${@:2}"
}
say() { told "$@"; }
fail() { told "$@" >&2; exit 1; }

case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in vi*) lang=vi ;; *) lang=en ;; esac
root='' start=yes task=install build='' unfinished='' site_language=vi
while (($#)); do
    case $1 in
        --no-start) start=no ;;
        --rollback | --uninstall) task=${1#--} ;;
        --lang)
            case ${2:-} in vi | en) lang=$2 site_language=$2 ;; *) fail '--lang needs vi or en' ;; esac
            shift
            ;;
        --root)
            [[ -n ${2:-} ]] || fail '--root needs a folder'
            root=$(realpath -m "$2") start=no
            shift
            ;;
        --help) usage; exit ;;
        *) fail "unknown option '%s'" "$1" ;;
    esac
    shift
done

clean_up() { rm -rf ${build:+"$build"} ${unfinished:+"$unfinished"}; }
trap clean_up EXIT

checkout=$(cd "$(dirname "$0")/.." && pwd)
cd / # or Python imports a filterd from the current folder instead of the installed one
home=$root/opt/filterd
units=$root/etc/systemd/system
services=(filterd filterd-feed filterd-monitor)
sockets=(filterd-web filterd-blockpage) # their services start with the first connection
python=${PYTHON:-python3}

has_systemd() { [[ -z $root && -d /run/systemd/system ]]; }

check_machine() {
    [[ $EUID -eq 0 ]] || fail "this needs root: sudo %s" "$0"
    [[ $(uname -s) = Linux ]] || fail "filterd runs on Linux"
    command -v "$python" >/dev/null || fail "there is no python3; on Debian: apt install python3"
    "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, this is %s" "$("$python" -V)"
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
    command -v apt-get >/dev/null || fail "please install: %s" "${missing[*]}"
    say "installing %s" "${missing[*]}"
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
        *) fail "another server has port 53: %s" "$taken" ;;
    esac
}

service_is_active() { has_systemd && systemctl is-active --quiet filterd; }

make_user() {
    [[ -z $root ]] || return 0
    getent passwd filterd >/dev/null ||
        useradd --system --user-group --no-create-home --home-dir /var/lib/filterd \
            --shell /usr/sbin/nologin filterd
    # The control socket admits these groups. Add no user to the group filterd: it may read
    # the log.
    for role in reader teacher principal inspector admin; do
        groupadd --system --force "filterd-$role"
    done
    # These ask the control socket, and can read no state: the monitor for the status, as a
    # reader; the dashboard with the token of a person; the page for pupils as filterd-page.
    groupadd --system --force filterd-page
    for user in monitor web blockpage; do
        getent passwd "filterd-$user" >/dev/null ||
            useradd --system --user-group --no-create-home --home-dir "/var/lib/filterd-$user" \
                --shell /usr/sbin/nologin "filterd-$user"
    done
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
    [[ ! -e $release ]] || fail "%s is there already; try again in a second" "$release"
    say "installing into %s" "$release"
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
    "$release/bin/python" -m filterd.web.page_templates
    # Scripts contain their interpreter's path, which in an image changes.
    [[ -z $root ]] || sed -i "1s|^#!$root|#!|" "$release"/bin/*
}

make_site() {
    local config=$root/etc/filterd
    install -d -m 0755 "$config"
    install -d -m 0711 "$config/secrets" # each file has one user of its own
    if [[ ! -e $config/site.yaml ]]; then
        "$release/bin/python" -m filterd.appliance.site_writer "$site_language" >"$build/site.yaml"
        install -m 0644 "$build/site.yaml" "$config/site.yaml"
    fi
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
    unfinished='' # before it is in service: an interrupted run must not remove it then
    point_to "releases/$(basename "$release")"
    for unit in "$checkout"/deploy/units/filterd*.{service,socket,path}; do
        [[ ! -e $unit ]] || install -D -m 0644 "$unit" "$units/$(basename "$unit")"
    done
    install -D -m 0644 "$checkout/deploy/package/sysctl.conf" "$root/etc/sysctl.d/60-filterd.conf"
    install -d -m 0755 "$root/usr/local/bin"
    ln -sfn /opt/filterd/current/bin/filterd "$root/usr/local/bin/filterd"
    help_people
    for old in "$home"/releases/*; do
        case releases/$(basename "$old") in
            "$(readlink "$home/current")" | "$before") ;;
            *) rm -rf "$old" ;;
        esac
    done
}

# The Tab key and `man filterd`, in folders where shells and man look by themselves.
words=(bash:bash-completion/completions/filterd zsh:zsh/site-functions/_filterd
    fish:fish/vendor_completions.d/filterd.fish)
share=$root/usr/local/share
help_people() {
    local one file
    for one in "${words[@]}"; do
        file=$share/${one#*:}
        install -d -m 0755 "$(dirname "$file")"
        "$release/bin/python" -m filterd completion "${one%%:*}" >"$file" || rm -f "$file"
    done
    "$release/bin/python" -m filterd man --out "$share/man" || say "there are no manual pages"
}

starting_with_the_machine() { (cd "$units" && grep -l '^\[Install\]' filterd{,-*}.{service,socket,path} 2>/dev/null || true); }

start_service() {
    has_systemd || { say "there is no running systemd here; nothing was started"; return 0; }
    systemctl daemon-reload
    sysctl --quiet --load /etc/sysctl.d/60-filterd.conf || true
    [[ $start = yes ]] || return 0
    # shellcheck disable=SC2046 -- names of units
    systemctl enable --quiet $(starting_with_the_machine)
    say "starting; the first time it compiles its lists"
    systemctl restart filterd ||
        fail "it did not start: 'journalctl -u filterd' shows why, '%s --rollback' goes back" "$0"
    systemctl restart filterd-feed || say "the lists are not taken: 'journalctl -u filterd-feed'"
    systemctl restart filterd-monitor || say "there are no metrics and alerts: 'journalctl -u filterd-monitor'"
    say "filterd answers; 'filterd status' shows its state"
    start_dashboard
}

start_dashboard() {
    local socket path
    systemctl start filterd-certificate || say "no connection is taken: 'journalctl -u %s'" filterd-certificate
    for socket in "${sockets[@]}"; do
        systemctl start "$socket.socket" || say "no connection is taken: 'journalctl -u %s'" "$socket.socket"
        systemctl try-restart "$socket.service" || true # one of the release before
    done
    systemctl start --no-block filterd-setup || true # it ends at once where the gateway is set up
    for path in "$units"/filterd-*.path; do
        [[ ! -e $path ]] || systemctl start "$(basename "$path")" || true
    done
    say "the dashboard: https://%s:8443; 'sudo filterd account add NAME --role admin --code' lets you in" \
        "$(hostname -I 2>/dev/null | cut -d ' ' -f 1)"
}

rollback() {
    [[ -L $home/previous ]] || fail "there is no release before this one"
    local now
    now=$(readlink "$home/current")
    point_to "$(readlink "$home/previous")"
    ln -sfn "$now" "$home/previous"
    say "in service: %s" "$(readlink "$home/current")"
    if has_systemd && [[ $start = yes ]]; then
        systemctl restart filterd filterd-feed
        systemctl restart filterd-monitor || true # the release before may have none
        systemctl try-restart "${sockets[@]/%/.service}" || true
    fi
}

uninstall() {
    if has_systemd; then
        # shellcheck disable=SC2046 -- names of units
        systemctl disable --now --quiet $(starting_with_the_machine) "${sockets[@]/%/.service}" 2>/dev/null || true
    fi
    rm -rf "$home" "$units"/filterd{,-*}.{service,socket,path} "$root/etc/sysctl.d/60-filterd.conf"
    rm -rf "$root/var/lib/filterd-monitor" # which alerts are active: nothing that a later install needs
    [[ ! -L $root/usr/local/bin/filterd ]] || rm -f "$root/usr/local/bin/filterd"
    rm -f "${words[@]/#*:/$share/}" "$share"/man/{,vi/}man1/filterd{,-*}.1
    if has_systemd; then systemctl daemon-reload; fi
    say "removed; %s and %s are left" "$root/etc/filterd" "$root/var/lib/filterd"
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
        say "next: 'sudo filterd setup' asks for the school, its networks and classes"
        ;;
esac
