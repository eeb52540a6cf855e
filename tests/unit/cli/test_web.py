# SPDX-License-Identifier: Apache-2.0
"""``filterd web`` makes a certificate where there is none, and becomes the process that serves."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from unittest import mock

from filterd.cli.entry import Plain, read_plain
from filterd.web.web_main import names_of
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_it_becomes_the_process_that_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    assert key.stat().st_mode & 0o777 == 0o600


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    done = call("web", "--state", tmp_path, "--listen", "somewhere", "--lang", "en")
    assert done.code == 2
    assert "--listen 'somewhere' is no address with a port" in done.err


def test_its_plain_form_is_read_without_the_command_line(tmp_path: Path) -> None:
    words = ["web", "--config=/c", "--state", str(tmp_path), "--listen", "[::]:8443", "--lang=vi"]
    plain = read_plain(words)
    assert isinstance(plain, Plain)
    assert (plain.command, plain.listen, plain.state) == ("web", "[::]:8443", tmp_path)
    assert read_plain(["serve", "--listen", "[::]:8443"]) is None
