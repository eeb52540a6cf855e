# SPDX-License-Identifier: Apache-2.0
"""Makers are read from the system's table, where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.clients.mac_makers import makers_of

if TYPE_CHECKING:
    from pathlib import Path

CARD, OTHER, PHONE = "00:00:5e:00:53:01", "00:11:22:00:00:01", "02:00:5e:00:00:01"
TABLE = b"""\
OUI/MA-L\tOrganization
company_id\tOrganization
00-00-5E   (hex)\t\tICANN, \x1b[31mIANA\xff Department
00005E     (base 16)\t\tanother line
02-00-5E   (hex)\t\tnever: devices make such MACs
"""


def test_the_maker_of_a_card_is_told_in_plain_letters(tmp_path: Path) -> None:
    table = tmp_path / "oui.txt"
    table.write_bytes(TABLE + b"x" * 100_000 + b"\n00-11-22   (hex)\t\t" + b"a" * 1_000)
    found = makers_of([CARD, OTHER, PHONE], table)
    assert found[CARD] == "ICANN, [31mIANA\N{REPLACEMENT CHARACTER} Department"
    assert len(found[OTHER]) < 200
    assert PHONE not in found


def test_without_a_table_no_maker_is_known(tmp_path: Path) -> None:
    assert makers_of([CARD], tmp_path / "oui.txt") == {}
    assert makers_of([CARD], tmp_path) == {}
    assert makers_of([PHONE], tmp_path / "oui.txt") == {}
