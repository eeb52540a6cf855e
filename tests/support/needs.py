# SPDX-License-Identifier: Apache-2.0
"""What a test needs of its machine, said once: a right, a kernel's part, a build, a command.

A test names a fixture, as ``needs_root`` or ``needs_ipv6`` (``NEEDS`` has them all), and asks
``command(...)`` for a program. Where that is missing it is skipped, with a reason that begins with
"needs" and a remedy; ``tests.support.closing`` counts them. No test is skipped in another way.
``find_undeclared``, which runs at each collection, refuses a test that calls such a thing and does
not say so.

Where an ordinary user may make namespaces, ``tests.support.together`` runs there (``enter_own``)
what the user may not do elsewhere, and what needs IPv6 on a machine that has switched it off.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import inspect
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from deploy.checkout.target_needs import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CAPABILITIES = {"CHOWN": 0, "SETUID": 7, "NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "SYS_ADMIN": 21}
_NATIVE = (
    *("filterd.wire._codec", "filterd.lists._matcher", "filterd.resolve._cache"),
    *("filterd.upstream._pool", "filterd.fastpath._rate_limit", "filterd.fastpath._core"),
    "filterd.fastpath._datagrams",
)
_ENOUGH_USERS = 65_536
_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
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
    """Return whether this process may give files away, and become any user.

    In namespaces of a user that has been given numbers of users of its own (subuid(5)) it may.
    """
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    users = sum(int(line.split()[2]) for line in lines)
    return users >= _ENOUGH_USERS and _has_capabilities("CHOWN", "SETUID", "SYS_ADMIN")


def has_namespaces() -> bool:
    """Return whether this process may make namespaces, and their devices and mounts."""
    return os.geteuid() == 0 and _has_capabilities("NET_ADMIN", "SYS_ADMIN")


def has_low_ports() -> bool:
    """Return whether this process may listen on ports below 1024."""
    first = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="ascii")
    return _has_capabilities("NET_BIND_SERVICE") or int(first) <= 1


def has_loop_devices() -> bool:
    """Return whether this process may mount a disk image."""
    losetup = find("losetup")
    words = [str(losetup), "--find"]
    return bool(losetup) and not subprocess.run(words, capture_output=True, check=False).returncode


def has_fuse() -> bool:
    """Return whether this process may mount file systems that another process serves."""
    return os.access("/dev/fuse", os.R_OK | os.W_OK) and _has_capabilities("SYS_ADMIN")


def has_memory_groups() -> bool:
    """Return whether this process may limit memory by control groups of version 1."""
    return os.access("/sys/fs/cgroup/memory", os.W_OK) and is_root()


def has_huge_pages() -> bool:
    """Return whether mappings that want no huge pages can be told from others."""
    return Path("/sys/kernel/mm/transparent_hugepage").exists()


def has_malloc_info() -> bool:
    """Return whether the C library is the one whose heaps are tuned."""
    return hasattr(ctypes.CDLL(None), "malloc_info")


def has_ipv6() -> bool:
    """Return whether there is a loopback address of IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


def has_ipv6_in_kernel() -> bool:
    """Return whether the kernel has IPv6; a namespace of its own has it then, too."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def has_native() -> bool:
    """Return whether all native modules are built, and may be used."""
    from filterd.base.native import live_only  # noqa: PLC0415 -- only where it is asked

    return all(live_only(name) is not None for name in _NATIVE)


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
        frozenset({"chroot", "runuser", "setpriv", "systemd-nspawn"}),
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
    "needs_ipv6_in_kernel": Need(
        "IPv6 in the kernel", "start it without ipv6.disable=1", has_ipv6_in_kernel
    ),
    "needs_native": Need(
        "native modules", "sudo apt install gcc python3-dev; make setup", has_native
    ),
    "needs_low_ports": Need("ports below 1024", _UNPRIVILEGED, has_low_ports),
    "needs_loop_devices": Need(
        "loop devices",
        f"{_UNPRIVILEGED}, on a machine that has /dev/loop-control",
        has_loop_devices,
        frozenset({"folder_of_images", "image_of"}),
    ),
    "needs_fuse": Need(
        "FUSE",
        f"{_UNPRIVILEGED}, on a machine that has /dev/fuse",
        has_fuse,
        frozenset({"bad_pages", "dead_folder"}),
    ),
    "needs_memory_groups": Need(
        "control groups of memory, version 1",
        f"{_UNPRIVILEGED}, on a kernel that has them",
        has_memory_groups,
        frozenset({"memory_board"}),
    ),
    "needs_huge_pages": Need(
        "huge pages",
        "a kernel with CONFIG_TRANSPARENT_HUGEPAGE",
        has_huge_pages,
        frozenset({"mapped_octets"}),
    ),
    "needs_glibc": Need("glibc", "a system with that C library", has_malloc_info),
}
"""Each by the name of its fixture."""

MARK = "needs"
ROOT = pytest.mark.needs("needs_root")
IPV6 = pytest.mark.needs("needs_ipv6")
NATIVE = pytest.mark.needs("needs_native")
"""Marks of parameters, which cannot use a fixture: ``pytest.param("::1", marks=needs.IPV6)``."""

IMPLIED = {"needs_root": {"needs_namespaces"}}
"""Who is root may make namespaces."""
IN_OWN_NAMESPACES = (
    "needs_root",
    "needs_namespaces",
    "needs_low_ports",
    "needs_fuse",
    "needs_ipv6",
)
"""What a user has who is root of namespaces of their own; their loopback device has IPv6."""


def gained_in_own() -> frozenset[str]:
    """Return what namespaces of its own would give to a process, which has it not here."""
    if has_namespaces():
        return frozenset()
    return frozenset(name for name in IN_OWN_NAMESPACES if not NEEDS[name].is_there())


def lack(what: str, remedy: str) -> NoReturn:
    """Skip the test, which needs ``what``."""
    pytest.skip(f"needs {what}: {remedy}")


def find(name: str) -> str | None:
    """Return the path of a command, or None; those of administrators are found as well."""
    return shutil.which(name, path=_PATH)


def command(name: str) -> str:
    """Return the path of a command; skip the test without it."""
    return find(name) or lack(name, f"sudo apt install {PACKAGES[name]}")


def commands(*names: str) -> None:
    """Skip the test unless all these commands are installed."""
    for name in names:
        command(name)


def require(name: str) -> None:
    """Skip the test unless the need of this fixture is there."""
    need = NEEDS[name]
    if not need.is_there():
        lack(need.what, need.remedy)


def _fixture_of(name: str) -> Callable[..., None]:
    @pytest.fixture(scope="session")
    def needed() -> None:
        require(name)

    return needed


FIXTURES = {name: _fixture_of(name) for name in NEEDS}
"""Of ``tests.conftest``; each skips the test unless its need is there."""


def enter_own() -> bool:
    """Enter namespaces of this process's own, as root of them; return whether that is allowed.

    Users, mounts and network are its own. It has one thread. Where the user has numbers of users
    (subuid(5)) and ``newuidmap``, root may become these; else there is no user but root.
    """
    uid, gid = os.getuid(), os.getgid()
    # pytest names its folder after the user: that of the machine's root may be there already.
    os.environ.setdefault("LOGNAME", f"user-{uid}")
    libc = ctypes.CDLL(None, use_errno=True)  # os.unshare is there from Python 3.12 on
    with _mapping(os.getpid(), uid, gid) as map_users:
        if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWNET) != 0:
            return False
        mapped = map_users()
    if not mapped:
        own = (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1"))
        for name, text in own:
            Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    if not has_namespaces():
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        fcntl.ioctl(opened, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, None)  # `ip netns` writes there
    return True


@contextlib.contextmanager
def _mapping(pid: int, uid: int, gid: int) -> Iterator[Callable[[], bool]]:
    """Yield what gives a process its users; only one outside of its namespaces may do that."""
    kinds = (("newuidmap", "/etc/subuid", uid), ("newgidmap", "/etc/subgid", gid))
    reading, writing = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(writing)
        mapped = bool(os.read(reading, 1)) and all(
            _maps(program, table, pid, uid, own) for program, table, own in kinds
        )
        os._exit(0 if mapped else 1)
    os.close(reading)

    def map_users() -> bool:
        os.write(writing, b"x")
        return os.waitpid(helper, 0)[1] == 0

    try:
        yield map_users
    finally:
        os.close(writing)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(helper, 0)


def _maps(program: str, table: str, pid: int, uid: int, own: int) -> bool:
    """Map root to a user, and the numbers from 1 on to those that the table gives the user."""
    path = find(program)
    try:
        owners = {str(uid), pwd.getpwuid(uid).pw_name}
        lines = Path(table).read_text(encoding="utf-8").splitlines()
    except (OSError, KeyError):
        return False
    given = [line.split(":")[1:] for line in lines if line.partition(":")[0] in owners]
    enough = [first for first, count in given if int(count) >= _ENOUGH_USERS - 1]
    if path is None or not enough:
        return False
    numbers = f"{pid} 0 {own} 1 1 {enough[0]} {_ENOUGH_USERS - 1}"
    return (
        subprocess.run([path, *numbers.split()], capture_output=True, check=False).returncode == 0
    )


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


def use_marked(items: Iterable[pytest.Item]) -> None:
    """Let tests use the fixtures that the marks of their parameters name, before all others."""
    for item in items:
        marked = [name for mark in item.iter_markers(MARK) for name in mark.args]
        if marked and isinstance(item, pytest.Function):
            item.fixturenames = [*marked, *item.fixturenames]


HANDLES_BOTH = {
    "support.namespaces.Namespace.socket": "it takes the family of the address",
    "support.no_ipv6.NoIpv6.__init__": "it opens none",
    "support.serving.UdpStub.__init__": "it takes the family of the address",
    "support.warm._split": "it knows the word, and runs nothing",
    "test_needs._run": "what it makes up is only collected",
    "test_needs.test_a_test_that_calls_what_it_does_not_say_it_needs_is_found": "it reads the word",
    "test_needs.test_a_user_may_be_root_of_namespaces_without_being_root": (
        "an ordinary user is already what root becomes"
    ),
    "test_together.test_namespaces_are_entered_where_a_user_may": "root drops its rights",
    "unit.fastpath.test_datagrams.Listening.client": "it takes the family of the address",
    "unit.fastpath.test_pktinfo.test_an_ipv6_multicast_address_is_many": "it packs addresses",
    "unit.fastpath.test_pktinfo.test_an_answer_to_a_link_local_address_leaves_by_its_interface": (
        "it packs addresses"
    ),
}
"""Functions of the tests whose use of such a thing is none, or works for every user; and why."""


def find_undeclared(items: Iterable[pytest.Item]) -> list[str]:
    """Return a line for each test that calls what it does not say it needs.

    A test with parameters may need it for some of them only.
    """
    items = list(items)
    declared = defaultdict[int, set[str]](set)
    for item in items:
        if isinstance(item, pytest.Function):
            for name in item.fixturenames:
                declared[definition(item)] |= {name, *IMPLIED.get(name, ())}
    return [
        f"{item.nodeid.partition('[')[0]} calls {what} ({where}) without {need}"
        for item in one_of_each(items)
        for need, (what, where) in _uses_of(item).items()
        if need not in declared[definition(item)]
    ]


def definition(item: pytest.Function) -> int:
    """Return the number of the function of a test, which is the same for all its parameters."""
    return id(item._fixtureinfo)


def one_of_each(items: Iterable[pytest.Item]) -> Iterable[pytest.Function]:
    """Return a test of each function."""
    functions = (item for item in items if isinstance(item, pytest.Function))
    return {definition(function): function for function in functions}.values()


def _uses_of(item: pytest.Function) -> dict[str, tuple[str, str]]:
    """Return the needs of a test and its fixtures."""
    found = dict(uses(item.function))
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        for definition in definitions:
            found |= uses(definition.func)
    return found


def reaches(item: pytest.Function, functions: frozenset[str]) -> bool:
    """Return whether a test, or a fixture of it, calls one of these functions of ``support``."""
    definitions = (one for of in item._fixtureinfo.name2fixturedefs.values() for one in of)
    called = [item.function, *(definition.func for definition in definitions)]
    return any(not functions.isdisjoint(_reached(one)) for one in called)


@cache
def _reached(called: object) -> frozenset[str]:
    """Return the functions that a function of the tests calls, by their full names."""
    left, seen = [_plain(called)], dict[object, str]()
    while left:
        part = left.pop()
        if part not in seen:
            seen[part] = f"{getattr(part, '__module__', '')}.{getattr(part, '__qualname__', '')}"
            left += _parts(part)[1]
    return frozenset(seen.values())


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
        where = f"{part.__module__}.{part.__qualname__}".removeprefix("tests.")
        if where not in HANDLES_BOTH:
            shown = {need: (what, where) for need, what in _shown(part)}
        called: Iterable[object] = _called_by(part)
    elif isinstance(part, type):
        called = (*vars(part).values(), *part.__bases__)
    else:
        return {}, []
    return shown, [one for one in map(_plain, called) if _is_of_tests(one)]


def _is_of_tests(part: object) -> bool:
    """Return whether it is one of the tests' own; this module only asks what is there."""
    if not isinstance(part, FunctionType | type):
        return False
    return part.__module__.startswith("tests") and part.__module__ != __name__


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
        codes += [const for const in code.co_consts if isinstance(const, CodeType)]
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
    """Return the texts of a constant: words of commands, and scripts."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):  # one word alone in a table runs nothing
        value = tuple(one for one in value.values() if not isinstance(one, str) or " " in one)
    return [one for part in value for one in _texts(part)] if isinstance(value, tuple) else []


@cache
def _words(text: str) -> frozenset[str]:
    every = {word for need in NEEDS.values() for word in need.words}
    pattern = rf"(?:^|[\s;&|(])({'|'.join(map(re.escape, sorted(every)))})(?=\s|$)"
    return frozenset(re.findall(pattern, text))
