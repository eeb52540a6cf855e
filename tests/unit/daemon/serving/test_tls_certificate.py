# SPDX-License-Identifier: Apache-2.0
"""The certificate of DNS over TLS: renewed, missing, ended, of another key."""

from __future__ import annotations

import logging
import shutil
import ssl
from typing import TYPE_CHECKING

import pytest

from filterd.daemon.serving.tls_certificate import CHAIN, KEY, TlsCertificate, context_of
from tests.support.clock import FakeClock
from tests.support.serving import make_certificate

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_certificate(tmp_path / "box")


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_it_is_taken_and_kept(folder: Path) -> None:
    certificate = TlsCertificate(folder, FakeClock())
    certificate.look()
    taken = certificate.context
    assert taken is not None
    certificate.look()
    assert certificate.context is taken
    assert certificate.problem == ""


def test_nothing_older_than_tls_1_2_is_spoken(folder: Path) -> None:
    context = context_of(folder / CHAIN, folder / KEY)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_renewed_one_is_taken(folder: Path) -> None:
    certificate = TlsCertificate(folder, FakeClock())
    certificate.look()
    before = certificate.context
    make_certificate(folder)
    certificate.look()
    assert certificate.context is not before
    assert certificate.problem == ""


def test_while_there_is_none_the_status_says_so_and_the_journal_is_silent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = TlsCertificate(tmp_path, FakeClock())
    for _ in range(3):  # from the first look on
        certificate.look()
        assert certificate.problem == "there is no certificate; run: sudo filterd cert make"
    assert certificate.context is None
    assert logged(caplog) == []


def test_a_key_of_another_certificate_is_one_line_and_the_one_before_serves(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = TlsCertificate(folder, FakeClock())
    certificate.look()
    before = certificate.context
    shutil.copy(make_certificate(tmp_path / "other") / KEY, folder / KEY)
    for _ in range(4):
        certificate.look()
    assert certificate.context is before
    reason = "the key is not that of the certificate; run: sudo filterd cert install CERT KEY"
    assert certificate.problem == reason
    assert logged(caplog) == [f"DNS over TLS: {reason}"]


def test_a_pair_that_is_being_replaced_is_no_problem(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_certificate(tmp_path / "other")
    certificate = TlsCertificate(folder, FakeClock())
    certificate.look()
    shutil.copy(other / KEY, folder / KEY)
    certificate.look()
    shutil.copy(other / CHAIN, folder / CHAIN)
    certificate.look()
    assert certificate.problem == ""
    assert logged(caplog) == []


@pytest.mark.parametrize("content", [b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nx\n"])
def test_what_is_no_certificate_is_one_line(
    folder: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / CHAIN).write_bytes(content)
    certificate = TlsCertificate(folder, FakeClock())
    for _ in range(3):
        certificate.look()
    assert certificate.context is None
    assert len(logged(caplog)) == 1
    assert "sudo filterd cert make" in certificate.problem


def test_a_key_that_cannot_be_read_is_one_line(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / KEY).unlink()
    (folder / KEY).mkdir()
    certificate = TlsCertificate(folder, FakeClock())
    for _ in range(3):
        certificate.look()
    assert len(logged(caplog)) == 1
    assert "cannot be read" in certificate.problem


def test_one_that_has_ended_is_served_and_said_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    certificate = TlsCertificate(folder, clock)
    certificate.look()
    clock.advance(826 * DAY_S)
    for _ in range(3):
        certificate.look()
    assert certificate.context is not None
    assert "has ended" in certificate.problem
    assert len(logged(caplog)) == 1


def test_of_several_workers_one_writes_into_the_journal(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / CHAIN).write_bytes(b"")
    certificate = TlsCertificate(folder, FakeClock(), is_logged=False)
    for _ in range(3):
        certificate.look()
    assert certificate.problem
    assert logged(caplog) == []
