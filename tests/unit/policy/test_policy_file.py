# SPDX-License-Identifier: Apache-2.0
"""The compiled policy survives its file, and a damaged file never passes for a policy."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.base import state_file
from filterd.base.errors import StoreError
from filterd.lists import rules
from filterd.policy import model, policy_file
from filterd.policy.model import Audience, LocalRule, Network, Policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# JSON has no NaN, and a policy no use for one.
times = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def of_fields(kind: type) -> dict[str, st.SearchStrategy[Any]]:
    """Return a strategy for each field.

    The model imports some words for type checkers only, so hypothesis gets them here, and it
    is told of frozen classes, whose methods say nothing of their fields before the first call.
    """
    words = vars(rules) | vars(model)
    hints = get_type_hints(kind, None, words)
    for inner in {one for hint in hints.values() for one in _classes_in(hint)}:
        st.register_type_strategy(inner, st.builds(inner, **of_fields(inner)))
    return {field.name: st.from_type(hints[field.name]) for field in fields(kind)}


def _classes_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from _classes_in(inner)


local_rules = st.builds(LocalRule, **of_fields(LocalRule) | {"starts_at": times, "ends_at": times})
networks = st.builds(Network, **of_fields(Network))
expectations = st.builds(model.Expectation, **of_fields(model.Expectation) | {"at": times})
policies = st.builds(
    Policy,
    **of_fields(Policy)
    | {
        "rules": st.lists(local_rules, max_size=3).map(tuple),
        "networks": st.lists(networks, max_size=3).map(tuple),
        "expectations": st.lists(expectations, max_size=3).map(tuple),
    },
)


def _empty() -> Policy:
    return Policy(
        school="Trường mẫu",
        time_zone="Asia/Ho_Chi_Minh",
        language="vi",
        listen=(),
        allow_from=(),
        upstreams=(),
        local_zones=(),
        delegated_zones=(),
        categories={},
        grades={},
        unknown_grade="preschool",
        networks=(),
        rules=(),
        pins=(),
        protections=(),
    )


def _rule(number: int) -> LocalRule:
    name = b"\x06name%02x\x07example\0" % (number % 256)
    return LocalRule(f"rule-{number}", name, True, Audience.EVERYBODY, "", "bài học", "cô Lan")


# A policy has some twenty parts with parts of their own: now and then it is too large to draw.
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(policies)
def test_every_policy_comes_back_equal(policy: Policy) -> None:
    assert policy_file.parse(policy_file.dump(policy), "policy") == policy


def test_equal_policies_have_equal_octets_and_digests() -> None:
    assert policy_file.dump(_empty()) == policy_file.dump(_empty())
    assert policy_file.digest(_empty()) == policy_file.digest(_empty())
    assert policy_file.digest(_empty()) != policy_file.digest(replace(_empty(), school="khác"))


def test_a_saved_policy_loads(tmp_path: Path) -> None:
    policy_file.save(tmp_path / "policy", _empty())
    assert policy_file.load(tmp_path / "policy") == _empty()


def test_a_missing_file_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        policy_file.load(tmp_path / "policy")


def test_a_flip_of_any_bit_is_noticed() -> None:
    content = bytearray(policy_file.dump(_empty()))
    for position in range(len(content) - 1):
        content[position] ^= 0x04
        with pytest.raises(StoreError):
            policy_file.parse(bytes(content), "policy")
        content[position] ^= 0x04


def test_a_file_cut_anywhere_is_noticed() -> None:
    content = policy_file.dump(_empty())
    for length in range(len(content) - 1):
        with pytest.raises(StoreError):
            policy_file.parse(content[:length], "policy")


def test_another_version_is_distinguished_from_damage() -> None:
    content = policy_file.dump(_empty()).replace(
        policy_file._MAGIC + policy_file._VERSION, b"filterd policy 0", 1
    )
    with pytest.raises(StoreError, match="another version"):
        policy_file.parse(content, "policy")


def test_a_sound_file_of_other_fields_is_refused() -> None:
    body = b'{"school":"x"}'
    content = b"%s%s\n%s\n%s\n" % (
        policy_file._MAGIC,
        policy_file._VERSION,
        state_file.checksum(body),
        body,
    )
    with pytest.raises(StoreError, match="another filterd"):
        policy_file.parse(content, "policy")
