# SPDX-License-Identifier: Apache-2.0
"""Reading the DHCP servers' files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from filterd.clients import lease_files
from filterd.clients.lease_files import LeaseFiles
from filterd.policy.model import LeaseFile, LeaseFormat
from tests.unit.clients.test_lease_formats import HEADER4, WRITTEN_BY_DNSMASQ, WRITTEN_BY_KEA

if TYPE_CHECKING:
    from pathlib import Path


def _dnsmasq(path: Path) -> LeaseFile:
    return LeaseFile(str(path), LeaseFormat.DNSMASQ)


def _kea(path: Path) -> LeaseFile:
    return LeaseFile(str(path), LeaseFormat.KEA)


def _hosts(*files: LeaseFile) -> set[str]:
    return {lease.host for lease in LeaseFiles(files).read() if lease.host}


def test_files_of_several_servers_are_read(tmp_path: Path) -> None:
    one, other = tmp_path / "dnsmasq.leases", tmp_path / "kea.csv"
    one.write_bytes(WRITTEN_BY_DNSMASQ.replace(b"may-tinh-1", b"pc"))
    other.write_bytes(WRITTEN_BY_KEA)
    assert _hosts(_dnsmasq(one), _kea(other)) == {"pc", "may", "may-tinh-1"}


def test_what_kea_has_put_aside_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "kea.csv"
    (tmp_path / "kea.csv.2").write_bytes(WRITTEN_BY_KEA)
    path.write_bytes(HEADER4)
    assert _hosts(_kea(path)) == {"may", "may-tinh-1"}


def test_a_file_that_is_not_there_yet_has_no_leases(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert _hosts(_dnsmasq(tmp_path / "none"), _kea(tmp_path / "none")) == set()
    assert not caplog.records


@pytest.mark.parametrize("kind", ["folder", "pipe", "large"])
def test_a_file_that_cannot_be_read_is_one_warning(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_files, "_LARGEST_FILE", 100)
    path, good = tmp_path / "leases", tmp_path / "good"
    good.write_bytes(b"0 02:00:5e:10:00:01 10.0.0.1 good *\n")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(WRITTEN_BY_DNSMASQ)
    files = LeaseFiles((_dnsmasq(path), _dnsmasq(good)))
    for _ in range(3):
        assert [lease.host for lease in files.read()] == ["good"]
    (warning,) = caplog.records
    assert str(path) in warning.getMessage()


def test_the_mark_of_files_changes_with_them(tmp_path: Path) -> None:
    path = tmp_path / "kea.csv"
    files = LeaseFiles((_kea(path), _dnsmasq(tmp_path / "dnsmasq.leases")))
    marks = [files.mark(), files.mark()]
    path.write_bytes(HEADER4)
    marks.append(files.mark())
    path.rename(tmp_path / "kea.csv.1")
    path.write_bytes(HEADER4)
    marks.append(files.mark())
    (tmp_path / "kea.csv.1").rename(tmp_path / "kea.csv.completed")
    marks.append(files.mark())
    assert marks[0] == marks[1]
    assert len(set(marks)) == 4
