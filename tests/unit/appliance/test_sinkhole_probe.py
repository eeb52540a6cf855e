# SPDX-License-Identifier: Apache-2.0
"""The addresses of sinkholes: a page by http, and by https a refusal at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from filterd.appliance import sinkhole_probe
from filterd.appliance.sinkhole_probe import sinkholes
from filterd.blockpage.pupil_markup import HEADERS
from filterd.http_service import Reply, serve
from filterd.policy.model import BlockResponse, Network, Policy
from tests.support.daemon import free_port
from tests.support.examined import examined
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.http_service import HttpRequest

NETWORKS = (Network("six", "6", ("10.0.6.0/24",)),)


def _policy(ipv4: str = "127.0.0.1") -> Policy:
    policy = a_policy(networks=NETWORKS, response=BlockResponse.SINKHOLE)
    six = replace(policy.grades["6"], sinkhole_ipv4=ipv4)
    return replace(policy, grades=policy.grades | {"6": six})


async def _page(_: HttpRequest) -> Reply:
    return Reply(HTTPStatus.OK, headers=HEADERS)


def _found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, policy: Policy, *served: str
) -> list[str]:
    """Return what is found where the page and, by mistake, HTTPS are served."""
    for port in ("HTTP_PORT", "HTTPS_PORT"):
        monkeypatch.setattr(sinkhole_probe, port, free_port())

    async def whole() -> list[str]:
        servers = [
            await serve(("127.0.0.1", getattr(sinkhole_probe, port)), _page) for port in served
        ]
        findings = await sinkholes(examined(folder, policy_or_why=policy))
        for one in servers:
            one.close()
        return [str(one.text) for one in findings]

    return asyncio.run(whole())


def test_a_page_and_a_refusal_are_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _found(tmp_path, monkeypatch, _policy(), "HTTP_PORT") == [
        "sinkholes lead to the page for pupils: 127.0.0.1"
    ]


def test_no_page_and_a_listener_for_https_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _found(tmp_path, monkeypatch, _policy(), "HTTPS_PORT")
    assert found == [
        "a sinkhole leads to 127.0.0.1, and no page for pupils is there",
        "port 443 of 127.0.0.1 answers: browsers warn of a certificate",
    ]


@pytest.mark.parametrize("policy", [_policy("0.0.0.0"), a_policy(networks=NETWORKS)])
def test_a_site_without_such_an_address_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: Policy
) -> None:
    assert _found(tmp_path, monkeypatch, policy) == ["no class has a sinkhole with an address"]
