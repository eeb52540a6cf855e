# SPDX-License-Identifier: Apache-2.0
"""Names of confidential categories are known by any entry that covers them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import IndexFormatError
from filterd.lists.rules import Pin
from filterd.policy.confidential_names import HELP, ConfidentialNames
from filterd.texts.i18n import say
from tests.support.policies import CATEGORIES, a_category, a_policy, an_index, wire

if TYPE_CHECKING:
    from pathlib import Path

LISTS = {
    "harm": ("self-harm", "domains", True, ["harm.example", "both.example"]),
    "hosts": ("child-abuse", "hosts", False, ["0.0.0.0 exact.example"]),
    "except": ("self-harm", "adblock", False, ["||wide.example^", "@@||help.wide.example^"]),
    "games": ("games", "domains", False, ["both.example", "play.example"]),
}


@pytest.fixture
def found(tmp_path: Path) -> ConfidentialNames:
    pins = [
        Pin(wire("line.example"), subtree=True, reason=HELP),
        Pin(wire("only.example"), reason=HELP),
        Pin(wire("time.example")),
    ]
    categories = CATEGORIES | {"self-harm": a_category("self-harm", 18)}
    return ConfidentialNames(a_policy(categories=categories, pins=pins), an_index(tmp_path, LISTS))


@pytest.mark.parametrize(
    ("name", "is_confidential"),
    [
        ("harm.example", True),
        ("www.harm.example", True),
        ("both.example", True),
        ("exact.example", True),
        ("www.exact.example", False),
        ("wide.example", True),
        ("play.example", False),
        ("unlisted.example", False),
        ("www.line.example", True),
        ("line.example", True),
        ("only.example", True),
        ("www.only.example", False),
        ("help.wide.example", True),
        ("time.example", False),
    ],
)
def test_any_entry_of_such_a_category_counts(
    name: str, is_confidential: bool, found: ConfidentialNames
) -> None:
    assert (wire(name) in found) is is_confidential
    assert (wire(name) in found) is is_confidential, "from memory too"


def test_the_two_are_confidential_whatever_the_policy_sets(
    found: ConfidentialNames,
) -> None:
    assert found.categories == {"self-harm", "child-abuse"}


def test_a_name_is_hidden_by_its_category_too_and_where_the_lists_cannot_be_read(
    found: ConfidentialNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found.hides(wire("harm.example"))
    assert found.hides(wire("alias.example"), "self-harm")
    assert not found.hides(wire("play.example"), "games")

    def refuse(_: bytes) -> None:
        raise IndexFormatError(say("damaged"))

    monkeypatch.setattr(found, "_index", SimpleNamespace(lookup=refuse))
    assert found.hides(wire("play.example"), "games")


def test_without_such_a_list_the_index_is_not_asked(tmp_path: Path) -> None:
    index = an_index(tmp_path, {"games": LISTS["games"]})
    found = ConfidentialNames(a_policy(), index)
    index.close()
    assert wire("play.example") not in found
