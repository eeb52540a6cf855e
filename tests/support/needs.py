# SPDX-License-Identifier: Apache-2.0
"""What a test needs of its machine, said once: a right, a kernel's part, a build, a command.

A test names the fixture ``needs_root``, ``needs_namespaces``, ``needs_ipv6`` or ``needs_native``,
and asks ``command(...)`` for a program. Where that is missing it is skipped, with a reason that
begins with "needs" and a remedy; ``tests.support.closing`` counts them. ``find_undeclared``, which
runs at each collection, refuses a test that calls such a thing and does not say so.

Where an ordinary user may make namespaces, ``tests.support.together`` runs what names
``needs_namespaces`` in one (``enter_own``).
"""

from __future__ import annotations

import ctypes
import inspect
import os
import re
import shutil
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PACKAGES = {
    "chromium": "chromium", "dig": "bind9-dnsutils", "dnsmasq": "dnsmasq-base", "fish": "fish",
    "gcc": "gcc", "git": "git", "ip": "iproute2", "lintian": "lintian",
    "losetup": "mount", "mandoc": "mandoc", "mkfs.ext4": "e2fsprogs", "mmdebstrap": "mmdebstrap",
    "nft": "nftables", "nginx": "nginx-light", "nsd": "nsd", "nsd-checkconf": "nsd",
    "openssl": "openssl", "pdftoppm": "poppler-utils", "pdftotext": "poppler-utils",
    "promtool": "prometheus", "qemu-aarch64": "qemu-user", "qemu-system-x86_64": "qemu-system-x86",
    "runuser": "util-linux", "setpriv": "util-linux", "sfdisk": "fdisk",
    "soffice": "libreoffice-writer-nogui", "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container", "systemd-sysusers": "systemd", "unbound": "unbound",
    "zsh": "zsh", "zstd": "zstd", "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "apt-ftparchive": "apt-utils", "gpg": "gnupg", "setfacl": "acl", "cloud-init": "cloud-init",
    "unshare": "util-linux", "nsenter": "util-linux", "mount": "mount",
    "systemd-tmpfiles": "systemd", "dpkg-deb": "dpkg",
}  # fmt: skip
"""The package of Debian that has a command."""

_CAPABILITIES = {"CHOWN": 0, "SETUID": 7, "NET_ADMIN": 12, "SYS_ADMIN": 21}
_ALL_USERS = ["0", "0", "4294967295"]
_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Need:
    """A part of a machine, and what in a test's code uses it."""

    what: str
    remedy: str
    is_there: Callable[[], bool]
    names: frozenset[str] = frozenset()
    """Of functions and constants."""
    words: frozenset[str] = frozenset()
    """Of commands, in a list of words or a script."""

    @property
    def reason(self) -> str:
        """Why a test is skipped."""
        return f"needs {self.what}: {self.remedy}"


def _has_capabilities(*names: str) -> bool:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return all(effective & (1 << _CAPABILITIES[name]) for name in names)


def is_root() -> bool:
    """Return whether this process may give files away, and become any user."""
    users = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    return users == _ALL_USERS and _has_capabilities("CHOWN", "SETUID", "SYS_ADMIN")


def has_namespaces() -> bool:
    """Return whether this process may make namespaces, and their devices and mounts."""
    return os.geteuid() == 0 and _has_capabilities("NET_ADMIN", "SYS_ADMIN")


def has_ipv6() -> bool:
    """Return whether there is a loopback address of IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


def has_native() -> bool:
    """Return whether all native modules are built, and may be used."""
    import filterd.lists.index  # noqa: PLC0415 -- only where it is asked
    from filterd import native  # noqa: PLC0415
    from filterd.fastpath.core_filler import NATIVE  # noqa: PLC0415

    assert filterd.lists.index
    return NATIVE and not native.missing()


_UNPRIVILEGED = "sudo make test"
NEEDS = {
    "needs_root": Need(
        "root",
        _UNPRIVILEGED,
        is_root,
        frozenset(
            {"chown", "fchown", "lchown", "mknod", "setgid", "setgroups", "setresuid", "setuid"}
            | {"seteuid", "setegid", "SO_RCVBUFFORCE", "SO_SNDBUFFORCE"}
        ),
        frozenset({"chroot", "losetup", "runuser", "setpriv", "systemd-nspawn"}),
    ),
    "needs_namespaces": Need(
        "namespaces",
        f"{_UNPRIVILEGED}, or a kernel that lets users make them",
        has_namespaces,
        frozenset({"setns", "unshare", "SOCK_RAW", "AF_PACKET"}),
        frozenset({"ip netns", "mount", "nft", "nsenter", "unshare"}),
    ),
    "needs_ipv6": Need(
        "IPv6", "sudo sysctl net.ipv6.conf.lo.disable_ipv6=0", has_ipv6, frozenset({"AF_INET6"})
    ),
    "needs_native": Need(
        "native modules", "sudo apt install gcc python3-dev; make setup", has_native
    ),
}
"""Each by the name of its fixture."""

IMPLIED = {"needs_root": {"needs_namespaces"}}
"""Who is root may make namespaces."""


def command(name: str) -> str:
    """Return the path of a command; skip the test without it."""
    path = shutil.which(name, path=_PATH)
    if path is None:
        pytest.skip(f"needs {name}: sudo apt install {PACKAGES[name]}")
    return path


def commands(*names: str) -> None:
    """Skip the test unless all these commands are installed."""
    for name in names:
        command(name)


@pytest.fixture(scope="session")
def needs_root() -> None:
    """Skip unless this is root."""
    _require("needs_root")


@pytest.fixture(scope="session")
def needs_namespaces() -> None:
    """Skip unless namespaces can be made."""
    _require("needs_namespaces")


@pytest.fixture(scope="session")
def needs_ipv6() -> None:
    """Skip unless there is IPv6."""
    _require("needs_ipv6")


@pytest.fixture(scope="session")
def needs_native() -> None:
    """Skip unless the native modules are built."""
    _require("needs_native")


def _require(name: str) -> None:
    need = NEEDS[name]
    if not need.is_there():
        pytest.skip(need.reason)


def enter_own() -> bool:
    """Enter namespaces of this process's own, as root of them; return whether that is allowed.

    Users, mounts and network are its own. It has one thread.
    """
    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)  # os.unshare is there from Python 3.12 on
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWNET) != 0:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    if not has_namespaces():
        return False
    if ip := shutil.which("ip", path=_PATH):
        os.spawnv(os.P_WAIT, ip, ["ip", "link", "set", "lo", "up"])
        mount = shutil.which("mount", path=_PATH) or "mount"
        os.spawnv(os.P_WAIT, mount, ["mount", "-t", "tmpfs", "tmpfs", "/run"])
    return True


def may_enter_own() -> bool:
    """Return whether a process of this user may enter namespaces of its own."""
    pid = os.fork()
    if pid == 0:
        entered = False
        try:
            entered = enter_own()
        finally:
            os._exit(0 if entered else 1)
    return os.waitpid(pid, 0)[1] == 0


HANDLES_BOTH = {
    "tests.support.namespaces.Namespace.socket": "it takes the family of the address",
    "tests.support.serving.UdpStub.__init__": "it takes the family of the address",
    "tests.support.warm._split": "it knows the word, and runs nothing",
    "tests.unit.fastpath.test_datagrams.Listening.client": "it takes the family of the address",
}
"""Functions whose use of such a thing is none, or works for every user; and why."""


def find_undeclared(items: Iterable[pytest.Item]) -> list[str]:
    """Return a line for each test that calls what it does not say it needs."""
    lines = dict[str, None]()
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        names = set(item.fixturenames)
        for name in set(names):
            names |= IMPLIED.get(name, set())
        fixtures = item._fixtureinfo.name2fixturedefs.values()
        used = dict(uses(item.function))
        for definitions in fixtures:
            for definition in definitions:
                used |= uses(definition.func)
        lines |= {
            f"{item.nodeid.partition('[')[0]} calls {what} ({where}) without {need}": None
            for need, (what, where) in used.items()
            if need not in names
        }
    return list(lines)


@cache
def uses(called: object) -> dict[str, tuple[str, str]]:
    """Return the needs of a function or class of the tests, and of all that it calls.

    Each has the name or word that shows it, and the function that has it.
    """
    found = dict[str, tuple[str, str]]()
    left, seen = [_plain(called)], set[object]()
    while left:
        part = left.pop()
        if part not in seen:
            seen.add(part)
            shown, called_by = _parts(part)
            found |= {need: what for need, what in shown.items() if need not in found}
            left += called_by
    return found


@cache
def _parts(part: object) -> tuple[dict[str, tuple[str, str]], list[object]]:
    """Return what a function or class needs by itself, and what it calls."""
    shown = dict[str, tuple[str, str]]()
    if isinstance(part, FunctionType):
        where = f"{part.__module__}.{part.__qualname__}"
        if where not in HANDLES_BOTH:
            shown = {need: (what, where) for need, what in _shown(part)}
        called: Iterable[object] = _called_by(part)
    elif isinstance(part, type):
        called = (*vars(part).values(), *part.__bases__)
    else:
        return {}, []
    return shown, [one for one in map(_plain, called) if _is_of_tests(one)]


def _is_of_tests(part: object) -> bool:
    return isinstance(part, FunctionType | type) and part.__module__.startswith("tests")


def _plain(called: object) -> object:
    """Return the function behind decorators and descriptors."""
    if isinstance(called, staticmethod | classmethod):
        called = called.__func__
    if isinstance(called, property):
        called = called.fget
    called = getattr(called, "func", called)  # functools.cached_property, partial
    return inspect.unwrap(called) if callable(called) else called


def _codes(function: FunctionType) -> list[CodeType]:
    """Return the code of a function and of those in it."""
    codes = [function.__code__]
    for code in codes:
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
    return codes


def _called_by(function: FunctionType) -> Iterator[object]:
    """Yield what its names mean in its module, and in modules of the tests that it names."""
    for code in _codes(function):
        for name in code.co_names:
            meant = function.__globals__.get(name)
            if isinstance(meant, ModuleType) and meant.__name__.startswith("tests"):
                yield from filter(None, (getattr(meant, other, None) for other in code.co_names))
            elif meant is not None:
                yield meant


def _shown(function: FunctionType) -> Iterator[tuple[str, str]]:
    """Yield the needs that its own names and words show."""
    texts = list[str]()
    names = set[str]()
    for code in _codes(function):
        names |= set(code.co_names)
        texts += [one for one in _texts(code.co_consts) if one != function.__doc__]
    for name in names:
        texts += _texts(function.__globals__.get(name))
    words = {word for text in texts for word in _words(text)}
    for need, what in NEEDS.items():
        for found in sorted((what.names & names) | (what.words & words)):
            yield need, found


def _texts(value: Any) -> list[str]:
    """Return the texts of a constant."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    return [one for part in value for one in _texts(part)] if isinstance(value, tuple) else []


@cache
def _words(text: str) -> frozenset[str]:
    every = {word for need in NEEDS.values() for word in need.words}
    pattern = rf"(?:^|[\s;&|(])({'|'.join(map(re.escape, sorted(every)))})(?=\s|$)"
    return frozenset(re.findall(pattern, text))
