# SPDX-License-Identifier: Apache-2.0
"""The commands that become a process that serves."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from filterd.cli.entry import Plain, read_plain
from filterd.web.web_main import names_of
from tests.support.commands import ROOT, call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("option", "try_it"), [((), "no"), (("--try",), "yes")])
def test_it_becomes_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], try_it: str
) -> None:
    became: list[tuple[str, list[str], dict[str, str]]] = []
    masks: list[set[signal.Signals]] = []
    monkeypatch.setattr(os, "execv", lambda *call: became.append((*call, dict(os.environ))))
    monkeypatch.setattr(signal, "pthread_sigmask", lambda _, mask: masks.append(mask))
    with mock.patch.dict(os.environ), mock.patch.object(sys, "path", [*sys.path]):
        call("serve", *option, "--lang", "vi", "--config", tmp_path, "--state", tmp_path / "state")
    ((program, words, environment),) = became
    assert program == sys.executable
    assert words[1:3] == ["-m", "filterd.daemon.main"]
    assert words[3:] == [str(tmp_path), str(tmp_path / "state"), "vi", try_it]
    assert (environment["PYTHONPATH"], environment["PYTHONSAFEPATH"]) == (str(ROOT), "1")
    assert masks == [{signal.SIGTERM, signal.SIGINT, signal.SIGHUP}]


def test_it_becomes_the_web_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, words: became.append(words))
    with mock.patch.object(sys, "path", [*sys.path]):
        for _ in range(2):  # the second time it finds the certificate
            done = call("web", "--state", tmp_path, "--listen", "[::1]:8444", "--lang", "en")
            assert done.code == 0, done.err
    chain, key = tmp_path / "web" / "certificate.pem", tmp_path / "web" / "key.pem"
    words = ["filterd.web.web_main", str(tmp_path), "[::1]:8444", str(chain), str(key), "en", "no"]
    assert [one[2:] for one in became] == [words, words]
    assert names_of(chain) == {"filterd", "localhost"}
    assert key.stat().st_mode & 0o777 == 0o640


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    done = call("web", "--state", tmp_path, "--listen", "somewhere", "--lang", "en")
    assert done.code == 2
    assert "--listen 'somewhere' is not an address with a port" in done.err


def test_its_plain_form_is_read_without_the_command_line(tmp_path: Path) -> None:
    words = ["web", "--config=/c", "--state", str(tmp_path), "--listen", "[::]:8443", "--lang=vi"]
    plain = read_plain(words)
    assert isinstance(plain, Plain)
    assert (plain.command, plain.listen, plain.state) == ("web", "[::]:8443", tmp_path)
    assert read_plain(["serve", "--listen", "[::]:8443"]) is None


def test_it_serves_on_loopback_only() -> None:
    done = call("monitor", "--listen", "0.0.0.0:9153", "--lang", "en")
    assert (done.code, done.out) == (2, "")
    assert "--listen '0.0.0.0:9153' is not a loopback address with a port" in done.err
