# SPDX-License-Identifier: Apache-2.0
"""A school that is being served; a ``conftest.py`` imports what its tests need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.policies import an_index
from tests.support.serving import LISTS, Serving, a_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return an_index(tmp_path_factory.mktemp("lists"), LISTS)


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as running:
        running.add(
            "www.example.com. 300 IN A 192.0.2.1",
            "www.example.com. 300 IN AAAA 2001:db8::1",
            "social.example. 300 IN A 192.0.2.2",
        )
        yield running


@pytest.fixture
def serving(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream])) as running:
        yield running
