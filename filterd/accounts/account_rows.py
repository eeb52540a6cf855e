# SPDX-License-Identifier: Apache-2.0
"""List accounts, API tokens and enrolled devices as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.texts import words
from filterd.texts.i18n import UNSAID, say, say_n, translated
from filterd.texts.rows import Column, Listing, Row, Wording, when

if TYPE_CHECKING:
    from collections.abc import Sequence


def _roles(roles: Sequence[str], by: Wording) -> str:
    return ", ".join(by.texts.word(words.ROLE, role) for role in roles)


def _role(role: str, by: Wording) -> str:
    return by.texts.word(words.ROLE, role)


def _sign_in(account: Row, by: Wording) -> str:
    """Return how a person signs in, and how often that has failed."""
    ways = [say("password")] if account["password"] else []
    ways += [say("authenticator")] if account["totp"] else []
    sentences = ways or [say("no password yet")]
    if account["disabled"]:
        sentences = [say("disabled")]
    if n := account["failed"]:
        sentences.append(say_n("{n} failure", "{n} failures", n))
    return ", ".join(translated(sentence, by.texts.language) for sentence in sentences)


def _sign_in_style(account: Row) -> str:
    return "yellow" if account["disabled"] or account["failed"] else ""


def _day(used_on: str | None, _: Wording) -> str:
    """Return an ISO day as people in Vietnam read it; empty where there is none."""
    return "/".join(reversed((used_on or "").split("-")))


def _networks(addresses: Sequence[str], by: Wording) -> str:
    return ", ".join(addresses) or by.texts("staff networks")


ACCOUNTS = Listing(
    UNSAID,
    say("There is no account; filterd account add makes one."),
    (
        Column(say("Account"), "account"),
        Column(say("Roles"), "roles", _roles),
        Column(say("Sign-in"), worded=_sign_in, style=_sign_in_style),
        Column(say("Sessions"), "sessions", is_number=True),
        Column(say("Devices"), "devices", is_number=True),
        Column(say("Tokens"), "tokens", is_number=True),
    ),
)
"""Of the answer to ``account list``."""
TOKENS = Listing(
    UNSAID,
    say("There is no API token."),
    (
        Column(say("ID"), "id"),
        Column(say("For"), "name"),
        Column(say("Account"), "account"),
        Column(say("Role"), "role", _role),
        Column(say("Scope"), "scope"),
        Column(say("From networks"), "addresses", _networks),
        Column(say("Until"), "ends_at", when),
        Column(say("Last used"), "used_on", _day),
    ),
)
"""Of the answer to ``account token-list``."""
ENROLLED = Listing(
    UNSAID,
    say("No device is enrolled."),
    (
        Column(say("ID"), "id"),
        Column(say("Device"), "name"),
        Column(say("Account"), "account"),
        Column(say("State"), "state", words.ENROLMENT, style={"waiting": "yellow"}),
        Column(say("Until"), "ends_at", when),
        Column(say("Last used"), "used_on", _day),
    ),
)
"""Of the answer to ``account device-list``."""
