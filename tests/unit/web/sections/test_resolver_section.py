# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.errors import ConfigError
from filterd.web.sections.resolver_section import SCHOOL, UPSTREAMS, ZONES

A, B = {"name": "a.home.arpa", "records": ["@ A 10.0.0.1"]}, {"name": "b.home.arpa"}


def test_the_records_of_one_zone_change_and_the_others_stay() -> None:
    (edit,) = ZONES.edits(
        {"local_zones": [A, B]}, {"item": "b.home.arpa", "records": ["x A 1.2.3.4"]}
    )
    assert edit["value"] == [A, B | {"records": ["x A 1.2.3.4"]}]
    (edit,) = ZONES.edits({"local_zones": [A]}, {"item": "c.home.arpa"})
    assert edit["value"] == [A, {"name": "c.home.arpa", "records": []}]
    (edit,) = ZONES.edits({"local_zones": [A]}, {"item": "a.home.arpa", "remove": True})
    assert edit["value"] is None


def test_an_upstream_by_tls_is_a_line() -> None:
    (edit,) = UPSTREAMS.edits(
        {}, {"servers": ["system", "1.1.1.1 tls=strict name=one.one trusted"]}
    )
    tls = {"server": "1.1.1.1", "tls": "strict", "name": "one.one", "trusted": True}
    assert edit["value"] == ["system", tls]
    with pytest.raises(ConfigError):
        UPSTREAMS.edits({}, {"servers": ["1.1.1.1 tsl=strict"]})


def test_the_code_of_the_school_can_go() -> None:
    edits = SCHOOL.edits({}, {"name": "A", "language": "vi"})
    assert {"path": ["school", "code"], "value": None} in edits
