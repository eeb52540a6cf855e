# SPDX-License-Identifier: Apache-2.0
"""The key ``firewall`` of ``site.yaml``: what is closed to whom."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from filterd.documents import DocumentModel, did_you_mean, refusal
from filterd.policy.firewall_settings import PUPILS_WAYS, ClosedWay, FirewallSettings
from filterd.texts.i18n import say

_WAYS = tuple(way.value for way in ClosedWay)


def _way(value: Any) -> ClosedWay:
    text = str(value)[:40]
    if text not in _WAYS:
        raise refusal(
            say("'{text}' is not a way that the firewall closes", text=text),
            did_you_mean(text, _WAYS),
        )
    return ClosedWay(text)


def _each_once(ways: tuple[ClosedWay, ...]) -> tuple[ClosedWay, ...]:
    return tuple(dict.fromkeys(ways))


_Way = Annotated[
    ClosedWay, BeforeValidator(_way), WithJsonSchema({"type": "string", "enum": list(_WAYS)})
]
_Ways = Annotated[tuple[_Way, ...], AfterValidator(_each_once)]


class FirewallEntry(DocumentModel):
    """What the firewall closes to each group."""

    pupils: _Ways = Field(PUPILS_WAYS, description="The ways that are closed to pupils.")
    guests: _Ways = Field(PUPILS_WAYS, description="Those that are closed to guests.")
    staff: _Ways = Field((ClosedWay.DNS,), description="Those that are closed to staff.")


def compile_firewall(entry: FirewallEntry) -> FirewallSettings:
    """Return the settings of the firewall."""
    return FirewallSettings(entry.pupils, entry.guests, entry.staff)
