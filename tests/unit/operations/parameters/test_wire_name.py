# SPDX-License-Identifier: Apache-2.0
"""A name is written by people and programs, and sent in wire form."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError, NameTextError
from filterd.operations.parameters.wire_name import AskedRecord, NameField, RecordField, WireName


def test_a_name_is_written_or_in_wire_form() -> None:
    field, qname = NameField(), b"\x01a\x02vn\0"
    assert field.take({"name": "A.vn"}) == field.take({"qname": qname}) == qname
    assert field.arguments(qname) == {"qname": qname.hex()}


def test_without_a_type_it_is_a() -> None:
    field = RecordField()
    assert field.take({"name": "a"}) == AskedRecord(b"\x01a\0", 1)
    assert field.take({"qname": b"\x01a\0", "qtype": 28}) == AskedRecord(b"\x01a\0", 28)
    assert field.take({"qname": b"\x01a\0", "qtype": 0}).qtype == 0
    assert field.take({"name": "a", "type": "mx"}).qtype == 15
    with pytest.raises(NameTextError):
        field.take({"name": "a", "type": "x"})


@pytest.mark.parametrize("value", [5, "zz", "", "01", "0161", "016100ff", "40" + "61" * 64])
def test_what_is_no_name_in_wire_form_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="wire form"):
        WireName().read(value)
