# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.config.audience import ForWhom, Whom, check_network
from filterd.documents import DocumentModel, parse, validate
from filterd.errors import ConfigErrors, Problems
from filterd.policy.model import Audience


class _File(DocumentModel):
    whom: ForWhom


def _whom(text: str) -> Whom:
    return validate(parse(f"whom: {text}\n".encode(), "site.yaml"), _File).whom


@pytest.mark.parametrize(
    ("text", "audience"),
    [
        ("everybody", (Audience.EVERYBODY, "")),
        ("{}", (Audience.EVERYBODY, "")),
        ("{tier: primary}", (Audience.TIER, "primary")),
        ("{grade: 6}", (Audience.GRADE, "6")),
        ("{network: lab-a}", (Audience.NETWORK, "lab-a")),
        ("{client: 10.0.0.1}", (Audience.CLIENT, "10.0.0.1")),
    ],
)
def test_an_audience_is_everybody_or_one_of_a_kind(
    text: str, audience: tuple[Audience, str]
) -> None:
    assert _whom(text).audience == audience


@pytest.mark.parametrize(
    ("text", "says"),
    [("pupils", "'pupils' is not an audience"), ("{grade: 6, tier: primary}", "one audience")],
)
def test_anybody_else_is_nobody(text: str, says: str) -> None:
    with pytest.raises(ConfigErrors, match=says):
        _whom(text)


def test_a_network_must_be_one_of_the_sites() -> None:
    document = parse(b"scheduled:\n  - {for: {network: lab}}\n", "site.yaml")
    problems = Problems()
    where = ("scheduled", 0)
    assert check_network(document, where, Whom(network="lab"), ["lab"], problems)
    assert check_network(document, where, Whom(grade="6"), [], problems)
    problems.raise_if_any()
    assert not check_network(document, where, Whom(network="lab"), ["lab-a"], problems)
    told = "site.yaml:2:12: 'lab' is not a network of this site"
    with pytest.raises(ConfigErrors, match=told):
        problems.raise_if_any()
