# SPDX-License-Identifier: Apache-2.0
"""One judgement of the protection, which every face shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.appliance.doctor import bypass_probes, service_probes
from filterd.appliance.doctor.firewall_rules import Passage, Way
from filterd.base.paths import shipped
from filterd.base.protection_level import (
    FILLED_CATEGORIES,
    SHIPPED_LISTS,
    ProtectionLevel,
    ShortfallKind,
    judge,
)
from filterd.lists.catalogs.catalog import load_catalog, shipped_sources
from filterd.lists.rules import MERGED_PREFIX
from filterd.monitor.alert_rules import active
from filterd.monitor.metrics import exposition
from filterd.monitor.status_details import STATUS as STATUS_DETAILS
from filterd.reports.inspection_composer import compose_inspection
from filterd.reports.inspection_facts import PrintedRecord, facts_of, plain_of
from filterd.reports.report_document import Paragraph
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.examined import FOUND, examined, outcomes
from tests.support.fake_daemon import STATUS
from tests.support.inspected import FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Facts = dict[str, Any]

WHOLE: Facts = {"followed": [], "missing": [], "never": False, "starter": [], "links": {}}
FEED: Facts = {"address": "", "sources": 2, "served": "web-1", "freshness": "fresh", "problem": ""}
FEED |= {"trusted": True, "judgement": None, "held": None, "beside": None, "sentence": ""}
FEED |= {"verified_at": 0.0, "expires_at": None}
WORDING = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))


@pytest.mark.parametrize(
    ("short", "kind", "words"),
    [
        (
            {"followed": list("abcdefghijklmn"), "missing": list("abcdefghijkl")},
            "lists",
            "12 of 14 followed lists have never come",
        ),
        ({"never": True}, "lists", "no lists have ever come from the feed"),
        ({"starter": ["porn"]}, "starter", "1 category stands on its starter list"),
        (
            {"links": {"lan0": "closed", "lan1": "open", "lan2": "open", "lan3": "open"}},
            "links",
            "pupils can reach other resolvers on 3 of 4 links",
        ),
    ],
)
def test_each_shortfall_makes_it_partly_protected_and_says_how_far(
    short: Facts, kind: str, words: str
) -> None:
    judged = judge(WHOLE | short)
    assert judged.level is ProtectionLevel.PARTLY
    (found,) = judged.shortfalls
    assert (found.kind, judged.is_whole) == (ShortfallKind(kind), False)
    assert words in str(found.sentence)
    assert str(judged.sentence).startswith(f"Partly protected: {found.sentence}")


def test_a_gateway_that_lacks_nothing_is_protected() -> None:
    links = {"lan0": "closed", "lan1": "unsure"}
    judged = judge(WHOLE | {"followed": ["urlhaus"], "links": links})
    assert (judged.level, str(judged.sentence)) == (ProtectionLevel.PROTECTED, "Protected")


def test_a_sentence_has_numbers_only_and_no_name_of_a_list_category_or_link() -> None:
    judged = judge({"missing": ["urlhaus"], "starter": ["porn"], "links": {"lan7": "open"}})
    assert len(judged.shortfalls) == 3
    assert not any(one in str(judged.sentence) for one in ("urlhaus", "porn", "lan7"))


def test_what_a_starter_list_is_too_little_for_is_what_recommended_lists_fill() -> None:
    names = Counter[str]()
    for one in shipped_sources():
        names[one.category] += one.recommended and (one.names or MORE_THAN_A_STARTER)
    filled = {category for category, n in names.items() if n >= MORE_THAN_A_STARTER}
    assert filled | SMALL == FILLED_CATEGORIES
    catalog = load_catalog(shipped("blocklists"))
    assert all(one.id.startswith(SHIPPED_LISTS) for one in catalog.lists)
    merged = [MERGED_PREFIX + one.id for one in shipped_sources()]
    assert not any(one.startswith(SHIPPED_LISTS) for one in merged)


MORE_THAN_A_STARTER = 500
"""A starter list has up to 240 names; recommended lists of fewer than that add little to it."""
SMALL = {"unsafe-search"}
"""A category of few names, all of which the recommended list has."""


NAMES = st.sampled_from(("urlhaus", "oisd-nsfw", "hostsvn-adult", "hagezi-tif", "ut1-drogue"))
STATES = st.fixed_dictionaries(
    {
        "followed": st.lists(NAMES, unique=True),
        "missing": st.lists(NAMES, unique=True, max_size=2),
        "never": st.booleans(),
        "starter": st.lists(st.sampled_from(sorted(FILLED_CATEGORIES)), unique=True, max_size=2),
        "links": st.dictionaries(
            st.sampled_from(("lan0", "lan1", "lan2", "lan3")),
            st.sampled_from(("open", "closed", "unsure")),
        ),
    }
)
"""Of lists and links of a gateway; no more than the facts say goes together."""


def _status(facts: Facts) -> Facts:
    return STATUS | {
        "feed": FEED,
        "protection": facts,
        "upstreams": [],
        "clock": {"standing": "known", "shows": 0.0},
    }


def _alerts(facts: Facts) -> bool:
    return all(one.id != "partly-protected" for one in active(_status(facts), 0.0))


def _metrics(facts: Facts) -> bool:
    return b"\nfilterd_protected 1.0\n" in exposition(_status(facts))


def _status_page(facts: Facts) -> bool:
    (column,) = (one for one in STATUS_DETAILS.columns if str(one.heading) == "Protection")
    ((text, style),) = column.cells(_status(facts), WORDING)
    assert (text == "Protected") is (style == "")
    return text == "Protected"


def _doctor(facts: Facts, folder: Path) -> bool:
    site = examined(folder, status={"protection": facts}, feed=FEED)

    def ways(_: object) -> Mapping[str, Mapping[Passage, list[Way]]]:
        way = Way(4, "udp", 53)
        found: dict[str, Mapping[Passage, list[Way]]] = {}
        for name, passage in facts["links"].items():
            found[name] = defaultdict(list, {Passage(passage): [way]})
        return found

    with (
        patch.object(bypass_probes, "forwards", lambda *_: True),
        patch.object(bypass_probes, "open_ways", ways),
    ):
        found = outcomes(bypass_probes.other_resolvers, site)
    return FOUND not in (*found, *outcomes(service_probes.lists, site))


def _inspection(facts: Facts) -> bool:
    partly = tuple(one.sentence for one in judge(facts).shortfalls)
    read = facts_of(plain_of(replace(FACTS, partly=partly)))
    record = PrintedRecord({"code": "1", "name": "x"}, "ab", None, read, "cd")
    document = compose_inspection(record, Texts("en"))
    parts = [part for section in document.sections for part in section.parts]
    return not any(
        isinstance(one, Paragraph) and one.text.startswith("Partly protected") for one in parts
    )


@settings(max_examples=60, deadline=None)
@given(STATES)
def test_no_face_is_content_where_another_is_not(
    tmp_path_factory: pytest.TempPathFactory, facts: Facts
) -> None:
    folder = tmp_path_factory.mktemp("site")
    content = {
        "alerts": _alerts(facts),
        "metrics": _metrics(facts),
        "status": _status_page(facts),
        "doctor": _doctor(facts, folder),
        "inspection": _inspection(facts),
    }
    assert set(content.values()) == {judge(facts).is_whole}, content


@pytest.mark.control
def test_control_a_face_that_judges_by_the_age_of_the_lists_alone_is_content() -> None:
    facts = WHOLE | {"followed": ["a", "b"], "missing": ["a"], "links": {"lan0": "open"}}
    assert FEED["freshness"] == "fresh"
    assert not _alerts(facts)
    assert [one.id for one in active(_status(WHOLE), 0.0)] == []
