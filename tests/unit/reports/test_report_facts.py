# SPDX-License-Identifier: Apache-2.0
"""Facts on their way between processes."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from filterd.reports import report_facts
from filterd.reports.report_composer import compose
from filterd.reports.report_formats import FORMATS
from filterd.texts.i18n import Texts
from tests.support.report_sample import FACTS, INSIDE, PARENTS


def test_facts_are_the_same_behind_a_process_border() -> None:
    for facts in (FACTS, INSIDE, PARENTS):
        assert report_facts.from_plain(json.loads(json.dumps(facts.to_plain()))) == facts


HOSTILE = "a\x00\x0b\x1b[31m\x85\ud800\uffffb"
NAMED = ("kind", "audience", "first", "last", "time_zone")
"""Facts of which no text is printed as it is."""


def _hostile(value: Any, key: str = "") -> Any:
    match value:
        case str() if key not in NAMED:
            return value + HOSTILE
        case dict():
            return {name: _hostile(one, name) for name, one in value.items()}
        case list():
            return [_hostile(one) for one in value]
    return value


@pytest.mark.parametrize("format_", FORMATS)
def test_control_characters_in_any_fact_break_no_format(format_: str) -> None:
    facts = report_facts.from_plain(_hostile(FACTS.to_plain()))
    assert facts.school.name.endswith("a\ufffd\ufffd\ufffd[31m\ufffd\ufffd\ufffdb")
    document = compose(facts, {}, Texts("vi"))
    writer = import_module(f"filterd.reports.{FORMATS[format_].module}")
    assert writer.write(document, facts)


@pytest.mark.parametrize("lie", ["", "2026-13-01", "x\x00", "../../etc/passwd"])
@pytest.mark.parametrize("key", ["first", "last", "time_zone"])
def test_days_and_a_zone_that_are_none_are_refused_at_once(key: str, lie: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        report_facts.from_plain(FACTS.to_plain() | {key: lie})
