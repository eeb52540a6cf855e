# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a school that is being served; a ``conftest.py`` imports them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.fastpath import datagrams
from filterd.upstream import exchange, tls
from tests.support import needs
from tests.support.daemon import build_lists, write_site
from tests.support.policies import an_index
from tests.support.serving import LISTS, WITHIN_S, Serving, a_site
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder
    from filterd.lists.index import Index

WITHOUT_FAST_PATH = {
    "filterd.daemon.serving.answer_path.NATIVE": False,
    "tests.support.serving.NATIVE": False,
    "filterd.fastpath.udp_listener.Datagrams": datagrams.Datagrams,
}
"""What serves where nothing native was built, by where it is looked up."""


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return an_index(tmp_path_factory.mktemp("lists"), LISTS)


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as running:
        running.add(
            "www.example.com. 300 IN A 198.18.0.1",
            "www.example.com. 300 IN AAAA 2001:2::1",
            "social.example. 300 IN A 198.18.0.2",
        )
        yield running


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for upstreams as long as stubs do, and ask each once only.

    For tests that count questions or need an answer: the upstream runs in this process, and may
    be slow on a busy machine.
    """
    for module, limit in (
        (exchange, "SECOND_TRY_S"),
        (exchange, "DEADLINE_S"),
        (tls, "CONNECTED_WITHIN_S"),
    ):
        monkeypatch.setattr(module, limit, WITHIN_S)


@pytest.fixture
def serving(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream])) as running:
        yield running


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    """The lists of the school that ``write_site`` writes, to be copied before they are served."""
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


BY_THE_FAST_PATH = pytest.param("native", marks=needs.NATIVE)


@pytest.fixture(params=[BY_THE_FAST_PATH, "no fast path"])
def served_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Serve by the native listener with its fast path, or by a plain one and the chain."""
    if request.param == "no fast path":
        for name, plain in WITHOUT_FAST_PATH.items():
            monkeypatch.setattr(name, plain)
    return str(request.param)
