# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import inspect
import json
import re

import pytest

from filterd.base import errors
from filterd.base.errors import (
    ConfigError,
    ConfigErrors,
    FeedError,
    FilterdError,
    Problems,
    StoreError,
    TruncatedMessageError,
    from_plain,
    to_plain,
)
from filterd.texts.i18n import say

CLASSES: list[type[FilterdError]] = [
    one
    for _, one in inspect.getmembers(errors, inspect.isclass)
    if one.__module__ == errors.__name__ and issubclass(one, FilterdError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_the_one_root_and_a_docstring(kind: type[Exception]) -> None:
    assert issubclass(kind, FilterdError)
    assert kind.__doc__


ALIKE = {"ConfigErrors": "config", "TellableError": "error"}
"""Several of a kind, and a class that is never raised itself."""


def test_every_error_has_a_code_of_its_own() -> None:
    codes = {kind.__name__: kind.code for kind in CLASSES if kind.__name__ not in ALIKE}
    assert len(set(codes.values())) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes.values())
    assert {kind.__name__: kind.code for kind in CLASSES if kind.__name__ in ALIKE} == ALIKE


def test_codes_are_what_scripts_know() -> None:
    known = ("config", "change", "store", "in-use", "control", "feed-held", "feed-signature")
    assert set(known) <= {kind.code for kind in CLASSES}


def test_a_code_crosses_a_process_border() -> None:
    plain = json.loads(json.dumps(to_plain(errors.InUseError(say("busy")))))
    assert plain["code"] == from_plain(plain).code == "in-use"
    assert from_plain({"error": "x", "errors": []}).code == "control"


@pytest.mark.parametrize("code", [None, 5, "", "A B", "x" * 100, ["config"], "a\n"])
def test_what_is_no_code_is_not_taken_for_one(code: object) -> None:
    assert from_plain({"error": "x", "errors": [], "code": code}).code == "control"


FEED = [kind for kind in CLASSES if issubclass(kind, FeedError)]
ENVELOPE = [kind for kind in CLASSES if issubclass(kind, errors.EnvelopeError)]


@pytest.mark.parametrize("kind", sorted({*CLASSES} - {*FEED, *ENVELOPE}, key=str))
def test_every_error_but_those_of_feeds_and_signed_files_ends_a_command_with_2(
    kind: type[FilterdError],
) -> None:
    assert kind.exit_code == 2


def test_every_reason_of_the_feed_ends_a_command_with_a_code_of_its_own() -> None:
    assert {kind.__name__: kind.exit_code for kind in FEED} == {
        "FeedError": 20,
        "FetchError": 30,
        "MissingFileError": 31,
        "ForeignContentError": 32,
        "CutShortError": 33,
        "TooLargeError": 34,
        "TooSlowError": 35,
        "RedirectError": 36,
        "TrustError": 40,
        "SignatureError": 41,
        "RollbackError": 42,
        "ExpiredError": 43,
        "DigestError": 44,
        "MetadataFormatError": 45,
        "NoTrustError": 46,
        "GuardError": 50,
        "RefusedVersionError": 50,
    }


def test_every_reason_to_refuse_a_signed_file_ends_a_command_with_a_code_of_its_own() -> None:
    assert {kind.__name__: kind.exit_code for kind in ENVELOPE} == {
        "EnvelopeError": 60,
        "EnvelopeFormatError": 61,
        "EnvelopeSignatureError": 62,
    }


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "wrong"),
        ({"path": "a.yaml"}, "a.yaml: wrong"),
        ({"path": "a.yaml", "line": 3}, "a.yaml:3: wrong"),
        ({"path": "a.yaml", "line": 3, "column": 7}, "a.yaml:3:7: wrong"),
    ],
)
def test_a_configuration_error_names_its_place_as_far_as_it_is_known(
    place: dict[str, object], text: str
) -> None:
    assert str(ConfigError(say("wrong"), **place)) == text  # type: ignore[arg-type]  # a table of cases


def test_a_hint_stands_behind_the_reason() -> None:
    assert str(ConfigError(say("wrong"), path="a", hint=say("mend it"))) == "a: wrong (mend it)"


def test_several_errors_print_a_line_each() -> None:
    both = ConfigErrors([ConfigError(say("one"), path="a"), ConfigError(say("two"), path="b")])
    assert str(both) == "a: one\nb: two"
    assert [error.reason for error in both.errors] == ["one", "two"]


def test_a_wire_error_names_the_octet() -> None:
    error = TruncatedMessageError("a label runs past the end", 17)
    assert str(error) == "a label runs past the end at octet 17"
    assert (error.reason, error.offset) == ("a label runs past the end", 17)


@pytest.mark.parametrize(
    "error",
    [
        StoreError(say("the disk is full")),
        ConfigError(say("bad key"), path="site.yaml", line=3, column=5, hint=say("mend it")),
        ConfigErrors([ConfigError(say("one"), path="a"), ConfigError(say("two"), line=2)]),
    ],
)
def test_an_error_can_be_sent_to_another_process(error: FilterdError) -> None:
    plain = from_plain(json.loads(json.dumps(to_plain(error))))
    assert str(plain) == str(error)
    assert plain.translated("vi") == error.translated("vi")


def test_a_message_of_another_process_is_read_in_vietnamese() -> None:
    error = ConfigError(say("unknown key '{key}'", key="nam"), path="site.yaml", line=3)
    plain = from_plain(json.loads(json.dumps(to_plain(error))))
    assert plain.translated("vi") == "site.yaml:3: không có khóa 'nam'"
    assert error.translated("en") == str(error)


def test_a_message_of_an_older_process_is_plain_text() -> None:
    place = {"path": "site.yaml", "line": 3, "column": 0}
    parts = [{"reason": "bad key", **place, "hint": ""}]
    assert str(from_plain({"error": "x", "errors": parts})) == "site.yaml:3: bad key"
    assert str(from_plain({"error": "the disk is full", "errors": []})) == "the disk is full"


def test_nothing_wrong_is_no_error() -> None:
    Problems().raise_if_any()


def test_all_problems_come_in_the_order_of_files_and_lines() -> None:
    problems = Problems()
    problems.add(ConfigError(say("third"), path="b", line=1))
    problems.add(
        ConfigErrors(
            [ConfigError(say("second"), path="a", line=9), ConfigError(say("first"), path="a")]
        )
    )
    with pytest.raises(ConfigErrors) as caught:
        problems.raise_if_any()
    assert [error.reason for error in caught.value.errors] == ["first", "second", "third"]


def test_a_noted_error_ends_its_block_only() -> None:
    problems = Problems()
    with problems.noting():
        raise ConfigError(say("noted"))
    with pytest.raises(ConfigErrors, match="noted"):
        problems.raise_if_any()


def test_a_bug_is_not_noted() -> None:
    with pytest.raises(AssertionError), Problems().noting():
        raise AssertionError
