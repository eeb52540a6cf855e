# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from filterd.resolve.home_names import leads_home
from filterd.wire import name as names


def a_site(*, may_know: bool = True) -> Any:
    zone = names.from_text("lan.school.edu.vn")

    def name_over(target: bytes) -> bytes | None:
        return zone if names.is_at_or_beneath(target, zone) else None

    return SimpleNamespace(
        may_know=lambda _: may_know,
        zones=SimpleNamespace(name_over=name_over),
        policy=SimpleNamespace(lease_zone=None),
        existing=frozenset(),
    )


@pytest.mark.parametrize(
    ("qname", "target", "leads"),
    [
        ("www.school.edu.vn", "web.lan.school.edu.vn", False),
        ("www.other.edu.vn", "web.lan.school.edu.vn", True),
        ("www.example.com", "web.lan.school.edu.vn", True),
        ("www.example.com", "localhost", True),
        ("www.example.com", "cdn.example.net", False),
    ],
)
def test_an_alias_of_another_domain_leads_home(qname: str, target: str, leads: bool) -> None:
    asked = names.from_text(qname), names.from_text(target)
    assert leads_home(a_site(), *asked) is leads
    assert not leads_home(a_site(may_know=False), *asked)
