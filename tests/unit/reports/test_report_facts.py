# SPDX-License-Identifier: Apache-2.0
"""Facts on their way between processes."""

from __future__ import annotations

import json

from filterd.reports import report_facts
from tests.support.report_sample import FACTS, INSIDE, PARENTS


def test_facts_are_the_same_behind_a_process_border() -> None:
    for facts in (FACTS, INSIDE, PARENTS):
        assert report_facts.from_plain(json.loads(json.dumps(facts.to_plain()))) == facts
