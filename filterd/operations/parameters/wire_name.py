# SPDX-License-Identifier: Apache-2.0
"""Read a name that people and programs write, and the socket has in wire form.

There it is ``qname``, canonical and in hexadecimal; a type of record is ``qtype`` there.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ConfigError
from filterd.operations.parameters.scalar import Parameter, Text, Whole
from filterd.overrides.target_text import qname_from
from filterd.texts.i18n import say
from filterd.wire import RRType, type_from_text
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.operations.parameters.scalar import Schema

_NAME = Text(300, least=1)
_TYPE = Text(16, about="The type of record; A if left out")


class WireName:
    """A name in canonical wire form, as hexadecimal text."""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        return Text(510).schema

    def read(self, value: Any) -> bytes:
        """Return a checked name; see ``Parameter``."""
        try:
            found = bytes.fromhex(value)
            if found == names.from_labels(names.labels(found)):
                return found
        except (TypeError, ValueError, IndexError):
            pass
        raise ConfigError(say("a name in wire form, as hexadecimal text"))


class NameField:
    """The field of a name."""

    required = ("name", "qname")
    named: Mapping[str, Parameter] = MappingProxyType({"name": _NAME})
    sent: Mapping[str, Parameter] = MappingProxyType({"qname": WireName()})

    def take(self, given: dict[str, Any]) -> bytes:
        """Take a name out of checked values, of a program or of the socket."""
        if "name" in given:
            return qname_from(given.pop("name"))
        qname: bytes = given.pop("qname")
        return qname

    def arguments(self, value: bytes) -> dict[str, Any]:
        """Return what the socket has of a name."""
        return {"qname": value.hex()}


class AskedRecord(NamedTuple):
    """A name in wire form, and a type of record."""

    qname: bytes
    qtype: int = RRType.A


class RecordField:
    """The fields of a name and a type of record."""

    required = NameField.required
    named: Mapping[str, Parameter] = MappingProxyType({"name": _NAME, "type": _TYPE})
    sent: Mapping[str, Parameter] = MappingProxyType(
        {"qname": WireName(), "qtype": Whole(0, 65_535)}
    )

    def take(self, given: dict[str, Any]) -> AskedRecord:
        """Take them out of checked values, of a program or of the socket.

        Raises:
            ConfigError: there is no such name; NameTextError: no such type.
        """
        qname, words = NameField().take(given), given.pop("type", "A")
        if "qtype" in given:
            return AskedRecord(qname, given.pop("qtype"))
        return AskedRecord(qname, type_from_text(words.upper()))

    def arguments(self, value: AskedRecord) -> dict[str, Any]:
        """Return what the socket has of them."""
        return {"qname": value.qname.hex(), "qtype": int(value.qtype)}
