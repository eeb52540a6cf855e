# SPDX-License-Identifier: Apache-2.0
"""Short forms for the results of a list parser."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from filterd.lists.formats import FORMATS, Cancelled, Entry, Problem
from filterd.lists.hostname import HostnameError, key_from_text
from filterd.lists.rules import Claim, Effect, Scope
from tests.support.needs import command

if TYPE_CHECKING:
    from pathlib import Path

EXACT = Claim(Scope.EXACT)
SUBTREE = Claim(Scope.SUBTREE)
SUBDOMAINS = Claim(Scope.SUBDOMAINS)


def exception(scope: Scope, *, specific: bool = False, important: bool = False) -> Claim:
    """Return the claim of an exception."""
    return Claim(scope, Effect.EXCEPT, specific=specific, important=important)


def said(list_format: str, *lines: str) -> list[tuple[str, Claim]]:
    """Return the names and claims of the entries; no line may be a problem."""
    parsed = list(FORMATS[list_format](lines))
    assert not [item for item in parsed if isinstance(item, Problem)]
    return [(item.name, item.claim) for item in parsed if isinstance(item, Entry)]


def cancelled(list_format: str, *lines: str) -> list[tuple[str, Claim]]:
    """Return the names and claims that the lines cancel."""
    parsed = FORMATS[list_format](lines)
    return [(item.name, item.claim) for item in parsed if isinstance(item, Cancelled)]


def refused(list_format: str, *lines: str) -> list[str]:
    """Return the reasons of the problems, those of the names' text included; no entry may stay."""
    reasons = []
    for item in FORMATS[list_format](lines):
        if isinstance(item, Problem):
            reasons.append(item.reason.value)
        elif isinstance(item, Entry):
            with pytest.raises(HostnameError) as caught:
                key_from_text(item.name)
            reasons.append(caught.value.reason.value)
    return reasons


def claims_of(list_format: str, lines: list[str]) -> set[tuple[bytes, Claim]]:
    """Return the keys and claims of all entries whose name is a host name."""
    found = set()
    for item in FORMATS[list_format](lines):
        if isinstance(item, Entry):
            try:
                found.add((key_from_text(item.name), item.claim))
            except HostnameError:
                continue
    return found


def lines_of(path: Path) -> list[str]:
    """Return the lines of a list as the compiler would read them; ``.zst`` is unpacked."""
    content = path.read_bytes()
    if path.suffix == ".zst":
        content = subprocess.run(
            [command("zstd"), "-dc", path], capture_output=True, check=True
        ).stdout
    return content.decode("utf-8-sig", "surrogateescape").splitlines()
