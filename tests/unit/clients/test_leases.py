# SPDX-License-Identifier: Apache-2.0
"""Common properties of lease files: hostile text, and limits."""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.clients import leases
from filterd.clients.leases import (
    Lease,
    LeaseFiles,
    LeaseNames,
    device_of_duid,
    host_label,
    kea_parts,
    latest,
    lines_of,
    name_leases,
    parse_address,
    parse_dnsmasq,
    parse_kea,
    parse_mac,
)
from filterd.policy.model import LeaseFile, LeaseFormat

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("may-tinh-1", "may-tinh-1"),
        ("May-Tinh", "may-tinh"),
        ("pc.school.lan", "pc"),
        ("7", "7"),
        ("x" * 63, "x" * 63),
        # what no device may be called
        ("x" * 64, ""),
        ("", ""),
        ("*", ""),
        ("-a", ""),
        ("a-", ""),
        ("a_b", ""),
        ("a b", ""),
        ("a\x00b", ""),
        ("a\n", ""),
        ("*.evil", ""),
        ("<script>", ""),
        ("máy", ""),
        ("\u0661", ""),
        # nor may it be looked for by these
        ("wpad", ""),
        ("WPAD.school.lan", ""),
        ("isatap", ""),
        ("localhost", ""),
        ("wpad2", "wpad2"),
    ],
)
def test_a_device_gets_only_a_name_that_is_safe(said: str, label: str) -> None:
    assert host_label(said) == label


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("02:00:5E:10:00:01", "02:00:5e:10:00:01"),
        ("00:00:00:00:00:00", None),
        ("06-02:00:5e:10:00:01", None),
        ("02:00:5e:10:00", None),
        ("02:00:5e:10:00:01:02", None),
        ("", None),
    ],
)
def test_only_an_ethernet_address_is_a_mac(text: str, mac: str | None) -> None:
    assert parse_mac(text) == mac


@pytest.mark.parametrize(
    ("text", "is_usable"),
    [
        ("192.168.6.20", True),
        ("fd00:6:0:0:0:0:0:20", True),
        ("fe80::1", False),
        ("fd00::1%eth0", False),
        ("224.0.0.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.6", False),
        ("9" * 5000, False),
        ("", False),
    ],
)
def test_a_lease_is_for_an_address_that_a_device_can_have(text: str, is_usable: bool) -> None:
    assert (parse_address(text) is not None) is is_usable


@pytest.mark.parametrize(
    ("duid", "device"),
    [
        # with a MAC in it: it is the device that has the IPv4 lease
        ("00:01:00:01:2e:8f:a1:05:02:00:5e:10:00:01", "02:00:5e:10:00:01"),
        ("00:03:00:01:02:00:5E:10:00:01", "02:00:5e:10:00:01"),
        # of other kinds
        ("00:02:00:00:ab:11:01:02", "00:02:00:00:ab:11:01:02"),
        ("00:03:00:01:02:00", "00:03:00:01:02:00"),
        ("", None),
        ("*", None),
        ("00:" * 200 + "00", None),
        ("zz", None),
    ],
)
def test_a_duid_distinguishes_devices(duid: str, device: str | None) -> None:
    assert device_of_duid(duid) == device


def test_a_line_without_its_end_is_not_read() -> None:
    assert list(lines_of(b"one\r\ntwo\nthr")) == ["one", "two"]


def test_a_line_beyond_all_measure_is_passed_over() -> None:
    assert list(lines_of(b"one\n" + b"x" * 100_000 + b"\ntwo\n")) == ["one", "two"]


def test_octets_that_are_not_text_do_no_harm() -> None:
    assert len(list(lines_of(bytes(range(256)) + b"\n"))) == 2


def test_the_last_lease_of_an_address_counts_and_their_number_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "MOST_LEASES", 2)
    made = [Lease(ip_address(f"10.0.0.{n % 3}"), None, "d", f"h{n}", None) for n in range(6)]
    assert [lease.host for lease in latest(made)] == ["h3", "h4"]


NOW = 1_000.0
PRINTER, TABLET = "02:00:5e:10:00:01", "02:00:5e:10:00:02"


def _lease(address: str, host: str, device: str = PRINTER, ends: float | None = 5_000) -> Lease:
    return Lease(ip_address(address), device, device, host, ends)


def _named(*leases: Lease, before: LeaseNames | None = None, now: float = NOW) -> LeaseNames:
    return name_leases(leases, before or LeaseNames(), now)


def _texts(names: LeaseNames, host: str) -> list[str]:
    return [str(ip_address(packed)) for packed in names.addresses.get(host, ())]


def test_a_device_has_its_name_in_both_families() -> None:
    names = _named(_lease("10.0.0.1", "printer"), _lease("fd00::1", "printer"))
    assert _texts(names, "printer") == ["10.0.0.1", "fd00::1"]
    assert names.holders[ip_address("10.0.0.1").packed] == ("printer", PRINTER)


def test_a_device_keeps_its_name() -> None:
    before = _named(_lease("10.0.0.1", "printer", ends=9_000))
    newcomer = _lease("10.0.0.2", "printer", TABLET, ends=2_000)
    names = _named(newcomer, _lease("10.0.0.1", "printer", ends=9_000), before=before)
    assert _texts(names, "printer") == ["10.0.0.1"]
    assert ip_address("10.0.0.2").packed not in names.holders


def test_control_without_what_was_before_the_newcomer_would_get_it() -> None:
    newcomer = _lease("10.0.0.2", "printer", TABLET, ends=2_000)
    names = _named(newcomer, _lease("10.0.0.1", "printer", ends=9_000))
    assert _texts(names, "printer") == ["10.0.0.2"]


def test_a_device_keeps_its_name_where_the_server_gave_it_away() -> None:
    """dnsmasq writes ``*`` to the lease of a device whose name another one claims."""
    before = _named(_lease("10.0.0.1", "printer"))
    robbed, robber = _lease("10.0.0.1", ""), _lease("10.0.0.2", "printer", TABLET)
    for _ in range(3):
        before = _named(robber, robbed, before=before)
        assert _texts(before, "printer") == ["10.0.0.1"]


def test_a_name_is_free_when_the_lease_has_ended() -> None:
    before = _named(_lease("10.0.0.1", "printer", ends=1_500))
    leases = (_lease("10.0.0.1", "printer", ends=1_500), _lease("10.0.0.2", "printer", TABLET))
    assert _texts(_named(*leases, before=before, now=1_499), "printer") == ["10.0.0.1"]
    assert _texts(_named(*leases, before=before, now=1_500), "printer") == ["10.0.0.2"]


def test_another_device_does_not_inherit_the_name_with_the_address() -> None:
    before = _named(_lease("10.0.0.1", "printer"))
    assert not _named(_lease("10.0.0.1", "", TABLET), before=before).addresses


def test_a_device_may_change_its_name() -> None:
    before = _named(_lease("10.0.0.1", "printer"))
    names = _named(_lease("10.0.0.1", "scanner"), before=before)
    assert list(names.addresses) == ["scanner"]


def test_a_lease_that_never_ends_was_given_by_the_administrator() -> None:
    own, other = _lease("10.0.0.9", "printer", ends=None), _lease("10.0.0.2", "printer", TABLET)
    assert _texts(_named(other, own), "printer") == ["10.0.0.9"]


def test_a_duid_that_anybody_can_forge_does_not_beat_a_mac() -> None:
    forged = _lease("fd00::2", "printer", "00:02:00:00:ab:11", ends=1_001)
    assert _texts(_named(forged, _lease("10.0.0.1", "printer")), "printer") == ["10.0.0.1"]


def test_a_name_has_a_bounded_number_of_addresses() -> None:
    names = _named(*(_lease(f"10.0.{n}.1", "printer") for n in range(200)))
    assert len(names.addresses["printer"]) == len(names.holders) == 16


def test_addresses_with_a_name_are_found_by_how_they_begin() -> None:
    names = _named(_lease("10.1.2.3", "a"), _lease("fd00::1", "b", TABLET))
    assert names.is_any_in("0a01", 4)
    assert names.is_any_in("fd0", 16)
    assert not names.is_any_in("0a02", 4)
    assert not names.is_any_in("0a01", 16)
    assert not LeaseNames().is_any_in("", 4)


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
    monkeypatch.setattr(leases, "_LARGEST_FILE", 100)
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


WRITTEN_BY_DNSMASQ = b"""\
1795548464 02:00:5e:10:00:06 192.168.6.20 * *
0 02:00:5e:10:00:09 192.168.6.23 * *
1795548464 02:00:5e:10:00:04 192.168.6.59 may-tinh-1 *
1795548464 02:00:5e:10:00:03 192.168.6.58 May *
1795548464 02:00:5e:10:00:02 192.168.6.57 wpad 01:02:00:5e:10:00:02
duid 00:01:00:01:2e:8f:a1:05:02:00:5e:10:00:ff
1795548464 6123 fd00:6::20 may-tinh-1 00:03:00:01:02:00:5e:10:00:04
1795548464 T6124 fd00:6::21 * 00:02:00:00:ab:11:01:02
"""


def _file_lease(address: str, mac: str | None, device: str, host: str, ends: float | None) -> Lease:
    return Lease(ip_address(address), mac, device, host, ends)


def test_what_dnsmasq_writes_is_read() -> None:
    ends, mac = 1795548464.0, "02:00:5e:10:00:0"
    assert parse_dnsmasq(WRITTEN_BY_DNSMASQ) == (
        _file_lease("192.168.6.20", f"{mac}6", f"{mac}6", "", ends),
        _file_lease("192.168.6.23", f"{mac}9", f"{mac}9", "", None),
        _file_lease("192.168.6.59", f"{mac}4", f"{mac}4", "may-tinh-1", ends),
        _file_lease("192.168.6.58", f"{mac}3", f"{mac}3", "may", ends),
        _file_lease("192.168.6.57", f"{mac}2", f"{mac}2", "", ends),
        _file_lease("fd00:6::20", None, f"{mac}4", "may-tinh-1", ends),
        _file_lease("fd00:6::21", None, "00:02:00:00:ab:11:01:02", "", ends),
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "vendorclass 192.168.6.20 MSFT 5.0 x",
        "-1 02:00:5e:10:00:06 192.168.6.20 a *",
        "9999999999999 02:00:5e:10:00:06 192.168.6.20 a *",
        "1 02:00:5e:10:00:06 192.168.6.20 a",
        "1 06-02:00:5e:10:00:06 192.168.6.20 a *",
        "1 02:00:5e:10:00:06 not-an-address a *",
        "1 02:00:5e:10:00:06 127.0.0.1 a *",
        "1 77 fd00::1 a *",
    ],
)
def test_a_line_that_makes_no_sense_is_passed_over(line: str) -> None:
    good = "1 02:00:5e:10:00:01 192.168.6.9 good *"
    assert [lease.host for lease in parse_dnsmasq(f"{line}\n{good}\n".encode())] == ["good"]


@given(st.binary() | st.text("0123456789:abcdef* .\n-duT").map(str.encode))
def test_nothing_in_a_file_of_dnsmasq_is_an_error(content: bytes) -> None:
    assert all(isinstance(one, Lease) for one in parse_dnsmasq(content))


HEADER4 = (
    b"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,"
    b"hostname,state,user_context,pool_id\n"
)
WRITTEN_BY_KEA = HEADER4 + (
    b"192.168.6.20,02:00:5e:10:00:01,,3600,1795548490,1,0,0,may-tinh-1.school.lan,0,,0\n"
    b"192.168.6.22,02:00:5e:10:00:03,01:02:00:5e:10:00:03,3600,1795548490,1,0,0,may.tinh.2,0,,0\n"
    b"192.168.6.25,02:00:5e:10:00:09,,3600,1795548490,1,0,0,,0,,0\n"
)
HEADER6 = (
    b"address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,"
    b"fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"
)
_ROW4 = "192.168.6.20,02:00:5e:10:00:01,,{lifetime},{expire},1,0,0,{host},{state},,0\n"


def _row(host: str, *, lifetime: int = 3600, expire: int = 2_000, state: int = 0) -> bytes:
    return _ROW4.format(host=host, lifetime=lifetime, expire=expire, state=state).encode()


def _hosts_lease_formats(*contents: bytes) -> list[str]:
    return [lease.host for lease in parse_kea(contents)]


def test_what_kea_writes_is_read() -> None:
    one, two, three = parse_kea([WRITTEN_BY_KEA])
    assert (one.address, one.mac) == (ip_address("192.168.6.20"), "02:00:5e:10:00:01")
    assert (one.device, one.expires_at) == (one.mac, 1795548490.0)
    assert [one.host, two.host, three.host] == ["may-tinh-1", "may", ""]


def test_leases_of_both_families_have_the_device_in_common() -> None:
    row = (
        b"fd12:0:0:30:0:0:0:80,00:03:00:01:02:00:5e:10:00:01,3600,2000,1,3600,0,7,128,"
        b"0,0,may-tinh-1,02:00:5e:10:00:01,0,,1,2,0\n"
    )
    prefix = row.replace(b",3600,0,7,128", b",3600,2,7,56").replace(b"30:0:0:0:80", b"40::")
    (lease,) = parse_kea([HEADER6 + row + prefix])
    assert lease.address == ip_address("fd12:0:0:30::80")
    assert (lease.mac, lease.device) == ("02:00:5e:10:00:01", "02:00:5e:10:00:01")


def test_the_last_line_of_an_address_counts() -> None:
    assert _hosts_lease_formats(HEADER4 + _row("first") + _row("second")) == ["second"]


def test_a_lease_that_is_given_back_is_gone() -> None:
    for state in (1, 2, 3):
        assert _hosts_lease_formats(HEADER4 + _row("a") + _row("a", state=state)) == []
    assert _hosts_lease_formats(HEADER4 + _row("a") + _row("a", lifetime=0)) == []
    assert _hosts_lease_formats(HEADER4 + _row("a", state=2) + _row("b")) == ["b"]


def test_a_lease_may_be_for_ever() -> None:
    (lease,) = parse_kea([HEADER4 + _row("a", lifetime=0xFFFFFFFF)])
    assert lease.expires_at is None


def test_later_journals_go_on_from_the_ones_before() -> None:
    assert _hosts_lease_formats(HEADER4 + _row("old"), HEADER4) == ["old"]
    assert _hosts_lease_formats(HEADER4 + _row("old"), HEADER4 + _row("old", state=2)) == []


def test_columns_are_found_by_name() -> None:
    assert _hosts_lease_formats(
        b"hostname,expire,valid_lifetime,hwaddr,address\na,1,1,02:00:5e:10:00:01,10.0.0.1\n"
    )
    assert not _hosts_lease_formats(
        b"hostname,expire,hwaddr,address\na,1,02:00:5e:10:00:01,10.0.0.1\n"
    )
    assert not _hosts_lease_formats(b"expire,valid_lifetime,hostname,hwaddr,address\na\n")


def test_the_parts_of_a_journal_are_read_in_their_order(tmp_path: Path) -> None:
    path = str(tmp_path / "kea-leases4.csv")
    assert kea_parts(path) == (f"{path}.2", f"{path}.1", path)
    (tmp_path / "kea-leases4.csv.completed").touch()
    assert kea_parts(path) == (f"{path}.completed", path)


@given(st.lists(st.binary() | st.text("0123456789:abcdef,.\n").map(str.encode)))
def test_nothing_in_a_journal_of_kea_is_an_error(rows: list[bytes]) -> None:
    for header in (HEADER4, HEADER6, b""):
        assert all(isinstance(one, Lease) for one in parse_kea([header + row for row in rows]))
