# SPDX-License-Identifier: Apache-2.0
"""Each test that is skipped says what it needs; one that needs it and does not say so is found."""

from __future__ import annotations

import ctypes
import importlib
import os
import pwd
import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from deploy.checkout.target_needs import PACKAGES
from tests.fuzz.native import building
from tests.support import needs
from tests.support.commands import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CONFTEST = """
import sys, pytest
from tests.support import needs
globals().update(needs.FIXTURES)

@pytest.fixture
def needs_ipv6():
    needs.lack("IPv6", "a machine that has it")

def pytest_collection_modifyitems(items):
    needs.use_marked(items)
    sys.stdout.write("".join(f"found {line}\\n" for line in needs.find_undeclared(items)))
"""
MADE_UP = """
import os, socket, subprocess
import pytest
from tests.support import needs

@pytest.fixture
def given(tmp_path):
    os.chown(tmp_path, 1, 1)

class Helper:
    def start(self):
        subprocess.run(["nft", "list", "ruleset"])

def test_by_itself(): os.mknod("/x")
def test_by_a_fixture(given): pass
def test_by_a_script(): subprocess.run("ip link; unshare -m true", shell=True)
def test_inside():
    def nested(): return socket.socket(socket.AF_INET6)
    nested()
@pytest.mark.usefixtures("needs_root")
def test_declared(given): subprocess.run(["mount", "x"])
@pytest.mark.parametrize("at", ["1", pytest.param("2", marks=needs.IPV6)])
def test_declared_by_a_parameter(at): assert at != "2" or socket.AF_INET6 < 0
def test_of_other_words(): assert "amount", "nft-like"
"""
ALWAYS = {"apt", "bash", "coreutils", "dpkg", "mount", "systemd", "util-linux"}
"""Packages of each Debian."""
APART = {"qemu-system-x86", "qemu-utils"}
"""Packages of tests that are run apart."""
_DUMPABLE = 4
_NOBODY = 65534


@cache
def _sources() -> dict[str, str]:
    """Return the text of each other file of the tests, by its path in their folder."""
    folder = ROOT / "tests"
    files = (one for one in folder.rglob("*.py") if one.name != "test_needs.py")
    return {str(file.relative_to(folder)): file.read_text("utf-8") for file in files}


def _run(folder: Path, *options: str) -> list[str]:
    """Return the lines of pytest about made-up tests."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_made_up.py").write_text(MADE_UP)
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={folder}"]
    done = subprocess.run(
        [*words, "-c", "/dev/null", "-q", *options, str(folder)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


def test_a_test_that_calls_what_it_does_not_say_it_needs_is_found(tmp_path: Path) -> None:
    found = [
        re.sub(r"\(.*\) ", "", line).removeprefix("found test_made_up.py::")
        for line in _run(tmp_path, "--collect-only")
        if line.startswith("found ")
    ]
    assert found == [
        "test_by_itself calls mknod without needs_root",
        "test_by_a_fixture calls chown without needs_root",
        "test_by_a_script calls unshare without needs_namespaces",
        "test_inside calls AF_INET6 without needs_ipv6",
    ]


def test_a_parameter_alone_is_skipped_for_what_it_needs(tmp_path: Path) -> None:
    shown = _run(tmp_path, "-rs", "-k", "by_a_parameter")
    assert shown[-1].startswith("1 passed, 1 skipped")
    assert any("needs IPv6: a machine that has it" in line for line in shown)


def _undeclared_by(text: str) -> set[str]:
    """Return the needs of what is called ``called`` in the text of a module of tests."""
    module = {"__name__": "tests.made_up"}
    exec(compile(text, "made_up", "exec"), module)
    return set(needs.uses(module["called"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\ndef f(): os.setuid(1)\ndef called(): f()", {"needs_root"}),
        ("import os\nclass C:\n def f(self): os.setns(1)\ndef called(): C()", {"needs_namespaces"}),
        ("W = ('nsenter', '-t', '1')\ndef called(): run(W)", {"needs_namespaces"}),
        ("W = {'a': 'exec chroot x'}\ndef called(): run(W)", {"needs_root"}),
        ("def called(): return 'amount', 'mountain', 'nft-like'", set()),
        ("def called():\n 'unshare is not called'", set()),
    ],
)
def test_a_need_is_found_in_helpers_classes_and_lists_of_words(
    text: str, expected: set[str]
) -> None:
    assert _undeclared_by(text) == expected


@pytest.mark.parametrize("name", needs.NEEDS)
def test_each_reason_begins_alike_and_has_a_remedy(name: str) -> None:
    assert re.fullmatch(r"needs [^:]+: \S.+", needs.NEEDS[name].reason)
    assert name in needs.FIXTURES


def test_no_test_is_skipped_in_another_way() -> None:
    ad_hoc = re.compile(r"pytest\.skip\(|skipif|importorskip|mark\.skip\b")
    found = {name for name, text in _sources().items() if ad_hoc.search(text)}
    assert found == {"support/needs.py"}


def _commands() -> set[str]:
    """Return the commands that tests ask for."""
    calls = re.compile(r"(?<![\w.])(?:needs\.)?commands?\(((?:\s*\"[\w.-]+\",?)+)\s*\)")
    return {
        name
        for text in _sources().values()
        for call in calls.findall(text)
        for name in re.findall(r'"(.+?)"', call)
    }


def test_each_command_that_is_asked_for_has_a_package() -> None:
    assert {"openssl", "mkfs.ext4"} < _commands()
    assert _commands() <= set(PACKAGES)


def test_the_packages_of_all_commands_are_installed_where_nothing_may_be_skipped() -> None:
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    installed = {line.split()[2] for line in run.splitlines() if line.startswith("need ")}
    assert {PACKAGES[name] for name in _commands()} - installed <= ALWAYS | APART


def test_a_command_that_is_not_there_is_a_reason_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(needs, "find", lambda _: None)
    with pytest.raises(pytest.skip.Exception, match=r"^needs dig: sudo apt install bind9-dnsutils"):
        needs.command("dig")


def test_all_native_modules_are_asked_for() -> None:
    assert set(needs._NATIVE) == set(building.native_modules())


@pytest.mark.parametrize("name", needs.HANDLES_BOTH)
def test_what_is_excused_exists(name: str) -> None:
    module, *path = re.split(r"\.(?=[A-Z]\w+\.|[a-z_]\w*$)", name)
    found: object = importlib.import_module(f"tests.{module}")
    for part in path:
        found = getattr(found, part)
    assert callable(found)


def test_a_user_may_be_root_of_namespaces_without_being_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not needs.may_enter_own():
        needs.lack("namespaces of users", "sudo sysctl user.max_user_namespaces=1000")
    pid = os.fork()
    if pid == 0:
        shown = False
        try:
            if needs.is_root():
                os.setgroups([])
                os.setresgid(_NOBODY, _NOBODY, _NOBODY)
                os.setresuid(_NOBODY, _NOBODY, _NOBODY)
                ctypes.CDLL(None).prctl(_DUMPABLE, 1)  # as a program has that a user starts
            monkeypatch.setattr(needs, "_maps", lambda *_: False)  # without numbers of users
            shown = needs.enter_own() and needs.has_namespaces() and not needs.is_root()
        finally:
            os._exit(0 if shown else 1)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize(
    ("table", "mapped"),
    [
        ("{user}:100000:65536\n", "7 0 1000 1 1 100000 65535"),
        ("else:1:65536\n{uid}:200000:70000\n", "7 0 1000 1 1 200000 65535"),
        ("{user}:100000:1000\n", ""),
        ("", ""),
    ],
)
def test_a_user_has_the_numbers_of_users_that_the_table_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, mapped: str
) -> None:
    program, user = tmp_path / "newuidmap", pwd.getpwuid(os.getuid()).pw_name
    program.write_text('#!/bin/sh\necho "$*" >"$0.words"\n')
    program.chmod(0o755)
    (tmp_path / "subuid").write_text(table.format(user=user, uid=os.getuid()))
    monkeypatch.setattr(needs, "find", lambda _: str(program))
    done = needs._maps("newuidmap", str(tmp_path / "subuid"), 7, os.getuid(), 1000)
    words = tmp_path / "newuidmap.words"
    assert (done, words.read_text().strip() if words.exists() else "") == (bool(mapped), mapped)
