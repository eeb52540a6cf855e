# SPDX-License-Identifier: Apache-2.0
"""Mnemonics and numbers, compared with another library's reading of the registry."""

from __future__ import annotations

import dns.edns
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest

from filterd.base.errors import NameTextError
from filterd.wire.registry import (
    EdnsOption,
    Rcode,
    RRClass,
    RRType,
    type_from_text,
    type_to_text,
)


@pytest.mark.parametrize("rtype", RRType)
def test_type_numbers_are_those_of_another_library(rtype: RRType) -> None:
    assert dns.rdatatype.from_text(f"TYPE{rtype.value}") == rtype.value
    other = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(int(rtype)))
    assert other.replace("-", "_") in (rtype.name, f"TYPE{rtype.value}")


@pytest.mark.parametrize("rcode", Rcode)
def test_rcodes_are_those_of_another_library(rcode: Rcode) -> None:
    assert dns.rcode.to_text(dns.rcode.Rcode.make(int(rcode)), tsig=False) == rcode.name


@pytest.mark.parametrize("rclass", RRClass)
def test_classes_are_those_of_another_library(rclass: RRClass) -> None:
    assert dns.rdataclass.to_text(dns.rdataclass.RdataClass.make(int(rclass))) == rclass.name


def test_edns_options_are_those_of_another_library() -> None:
    assert int(EdnsOption.EDE) == int(dns.edns.OptionType.EDE)
    assert int(EdnsOption.CLIENT_SUBNET) == int(dns.edns.OptionType.ECS)
    assert int(EdnsOption.COOKIE) == int(dns.edns.OptionType.COOKIE)


@pytest.mark.parametrize(
    ("text", "number"),
    [("AAAA", 28), ("https", 65), ("TYPE65", 65), ("type65280", 65280), ("28", 28), (" a ", 1)],
)
def test_types_are_read_in_every_form(text: str, number: int) -> None:
    assert type_from_text(text) == number


@pytest.mark.parametrize("text", ["", "AAAAA", "TYPE", "TYPE65536", "-1", "65536", "TYPE²", "1.0"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(NameTextError):
        type_from_text(text)


def test_types_without_a_mnemonic_are_written_as_numbers() -> None:
    assert (type_to_text(28), type_to_text(65280)) == ("AAAA", "TYPE65280")


def test_every_number_is_read_from_what_is_written() -> None:
    assert all(type_from_text(type_to_text(number)) == number for number in range(0x10000))
