# SPDX-License-Identifier: Apache-2.0
"""A school that is being served; a ``conftest.py`` imports what its tests need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.fastpath import _core_py, _datagrams_py, _direct_forward_py
from filterd.fastpath.core_filler import NATIVE
from tests.support.daemon import build_lists, write_site
from tests.support.policies import an_index
from tests.support.serving import LISTS, Serving, a_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from filterd.state_folder import StateFolder

PURE = {
    "filterd.fastpath.core_filler.Core": _core_py.Core,
    "filterd.fastpath.udp_listener.Datagrams": _datagrams_py.Datagrams,
    "tests.support.serving.Relay": _direct_forward_py.Relay,
}
"""The pure twins of the fast path and the relay, by where those that serve are looked up."""


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


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    """The lists of the school that ``write_site`` writes, to be copied by who serves them."""
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


@pytest.fixture(params=["native", "pure"])
def twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Serve by one of the twins of the fast path and the relay."""
    if request.param == "pure":
        for name, pure in PURE.items():
            monkeypatch.setattr(name, pure)
    elif not NATIVE:
        pytest.skip("it is not built")
    return str(request.param)
