# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.config.audience import ForWhom, Whom, check_audience
from filterd.config.site_schema import SiteFile
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
        ("{class: 6A}", (Audience.CLASS, "6A")),
        ("{class: 9/3}", (Audience.CLASS, "9/3")),
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


@pytest.mark.parametrize("kind", ["network", "class"])
def test_a_network_or_class_must_be_one_of_the_sites(kind: str) -> None:
    document = parse(f"scheduled:\n  - {{for: {{{kind}: lab}}}}\n".encode(), "site.yaml")
    entry = {"grade": "6", "cidrs": ["10.0.0.0/24"]} if kind == "network" else {"grade": "6"}
    plural = {"network": "networks", "class": "classes"}[kind]

    def site(known: str) -> SiteFile:
        return SiteFile.model_validate({"school": {"name": "A"}, plural: {known: entry}})

    problems = Problems()
    where = ("scheduled", 0)
    whom = Whom.model_validate({kind: "lab"})
    assert check_audience(document, where, whom, site("lab"), problems)
    assert check_audience(document, where, Whom(grade="6"), site("lab"), problems)
    problems.raise_if_any()
    assert not check_audience(document, where, whom, site("lab-a"), problems)
    told = f"site.yaml:2:12: 'lab' is not a {kind} of this site"
    with pytest.raises(ConfigErrors, match=told):
        problems.raise_if_any()
