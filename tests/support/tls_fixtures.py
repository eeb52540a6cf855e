# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a server that speaks DNS over TLS; a ``conftest.py`` imports them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.needs import command
from tests.support.tls import Authority, TlsDoor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.upstream import FakeUpstream


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    command("openssl")
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def door(
    authority: Authority, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TlsDoor]:
    """A server whose certificate is in order, on a machine that trusts its authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with TlsDoor(upstream, authority.issue()) as running:
        yield running
