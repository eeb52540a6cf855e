# SPDX-License-Identifier: Apache-2.0
"""A report as JSON."""

from __future__ import annotations

import json

from filterd.reports.json_report import write
from filterd.reports.report_composer import compose
from filterd.texts.i18n import Texts
from tests.support.report_sample import FACTS


def test_it_has_the_facts_by_their_keys_and_each_part_with_its_kind() -> None:
    plain = json.loads(write(compose(FACTS, {}, Texts("vi")), FACTS))
    assert plain["facts"] == FACTS.to_plain()
    parts = [part for section in plain["report"]["sections"] for part in section["parts"]]
    assert {"table", "blank"} <= {part["kind"] for part in parts}
