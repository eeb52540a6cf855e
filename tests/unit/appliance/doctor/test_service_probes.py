# SPDX-License-Identifier: Apache-2.0
"""Faults that the daemon and the feed report."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.doctor import service_probes
from filterd.appliance.doctor.service_probes import (
    lists,
    one_address,
    release,
    sinkholes,
    site,
    tls,
)
from filterd.base.errors import ConfigError, ConfigErrors, to_plain
from filterd.blockpage.pupil_markup import HEADERS
from filterd.clients.interfaces import Links, Prefix
from filterd.clients.neighbours import Neighbour
from filterd.daemon.serving.tls_certificate import CHAIN, KEY, context_of
from filterd.http.http_service import Reply, serve
from filterd.policy.model import BlockResponse, Network, Policy
from filterd.texts.i18n import say
from filterd.texts.i18n import to_plain as plain_sentence
from tests.support.daemon import free_port
from tests.support.examined import CLEAN, FOUND, NETWORK, UNSEEN, examined, look, outcomes
from tests.support.policies import a_policy
from tests.support.serving import make_certificate

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.http.http_service import HttpRequest

FEED: dict[str, Any] = {
    "address": "",
    "sources": 3,
    "trusted": False,
    "served": "7",
    "held": "",
    "judgement": None,
    "expires_at": None,
    "problem": "",
    "sentence": plain_sentence(say("")),
    "freshness": "fresh",
}
"""Of a school that follows public lists, as they should be."""


def _met(*_: Any, **__: Any) -> Any:
    return {"expectations": 3, "unmet": []}


def test_a_site_in_order_is_clean(tmp_path: Path) -> None:
    assert outcomes(site, examined(tmp_path, ask_daemon=_met)) == [CLEAN]


def test_a_site_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    missing = say("site.yaml: cannot be read")
    assert outcomes(site, examined(tmp_path, policy_or_why=missing)) == [FOUND]


def test_without_a_daemon_the_files_are_checked_all_the_same(tmp_path: Path) -> None:
    stopped = examined(tmp_path, status_or_why=say("filterd is not running"), is_running=False)
    assert outcomes(site, stopped) == [CLEAN]


@pytest.mark.parametrize(
    "status",
    [
        {"doubts": [to_plain(ConfigError(say("tiktok is open"), path="expectations/x.yaml"))]},
        {"changes": {"problems": [plain_sentence(say("the store is damaged"))]}},
        {"log": {"problem": "full", "sentence": plain_sentence(say("the disk is full"))}},
    ],
)
def test_what_the_daemon_reports_is_found(tmp_path: Path, status: dict[str, Any]) -> None:
    assert outcomes(site, examined(tmp_path, ask_daemon=_met, status=status)) == [FOUND]


def test_an_expectation_that_is_not_met_is_found(tmp_path: Path) -> None:
    unmet = {"unmet": [{"sentence": plain_sentence(say("porn is open"))}]}
    (found,) = look(site, examined(tmp_path, ask_daemon=lambda *_, **__: unmet))
    assert found.text == "porn is open"


def test_wrong_files_are_found_one_by_one(tmp_path: Path) -> None:
    def wrong(*_: Any, **__: Any) -> Any:
        raise ConfigErrors([ConfigError(say("no school")), ConfigError(say("no networks"))])

    assert [one.text for one in look(site, examined(tmp_path, ask_daemon=wrong))] == [
        "no school",
        "no networks",
    ]


def _tls(port: int, problem: str = "") -> dict[str, Any]:
    listen = [{"address": "0.0.0.0", "port": port}]
    return {"tls": {"listen": listen, "problem": problem, "connections": 2}}


def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def test_a_handshake_that_is_made_is_clean(tmp_path: Path) -> None:
    context = context_of(*(make_certificate(tmp_path) / name for name in (CHAIN, KEY)))

    async def whole() -> list[str]:
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context
        )
        port = server.sockets[0].getsockname()[1]
        findings = await tls(examined(tmp_path, status=_tls(port)))
        server.close()
        return [str(finding.text) for finding in findings]

    assert asyncio.run(whole()) == ["2 connections are open"]


def test_no_handshake_and_a_problem_of_tls_are_found(tmp_path: Path) -> None:
    assert outcomes(tls, examined(tmp_path, status=_tls(free_port()))) == [FOUND]
    problem = plain_sentence(say("the key cannot be read"))
    (one,) = look(tls, examined(tmp_path, status=_tls(1, problem)))
    assert (one.outcome, str(one.text)) == (FOUND, "the key cannot be read")


def test_a_site_without_tls_is_clean(tmp_path: Path) -> None:
    assert outcomes(tls, examined(tmp_path, status={"tls": None})) == [CLEAN]


def test_fresh_lists_are_clean(tmp_path: Path) -> None:
    assert outcomes(lists, examined(tmp_path, feed=FEED)) == [CLEAN]


@pytest.mark.parametrize(
    "changed",
    [
        {"freshness": "old"},
        {"freshness": "unknown"},
        {"held": "7"},
        {"sentence": plain_sentence(say("the server is away")), "problem": "the server is away"},
    ],
)
def test_lists_that_are_old_or_wait_are_found(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert outcomes(lists, examined(tmp_path, feed={**FEED, **changed})) == [FOUND]


def test_starter_lists_alone_are_found(tmp_path: Path) -> None:
    feed = {**FEED, "sources": 0, "served": 0}
    status = {"names": 1_484, "protection": {"starter": ["gambling", "porn"]}}
    (found,) = look(lists, examined(tmp_path, feed=feed, status=status))
    assert (found.outcome, found.text.values["items"]) == (FOUND, "gambling, porn")


def test_twelve_of_fourteen_followed_lists_that_never_came_are_found(tmp_path: Path) -> None:
    names = [f"list-{number}" for number in range(14)]
    feed = {**FEED, "sources": 14, "followed": names, "missing": names[:12]}
    status = {"protection": {"followed": names, "missing": names[:12]}}
    (found,) = look(lists, examined(tmp_path, feed=feed, status=status))
    assert found.outcome is FOUND
    assert "12 of 14 followed lists" in str(found.text)


def test_a_feed_that_cannot_be_read_is_unseen(tmp_path: Path) -> None:
    assert outcomes(lists, examined(tmp_path)) == [UNSEEN]


def _neighbours(*devices: int) -> Any:
    lan = Prefix(ip_network("192.168.6.0/24"), "lan0")
    around = tuple(
        Neighbour(ip_address(f"192.168.6.{device}"), "lan0", f"02:00:5e:00:00:{device:02x}", True)
        for device in devices
    )
    away = Neighbour(ip_address("198.51.100.1"), "wan0", "02:00:5e:00:00:ff", True)
    return NETWORK._replace(neighbours=(*around, away), links=Links(frozenset(), (lan,)))


@pytest.mark.parametrize(
    ("devices", "n", "outcome"),
    [((2, 3), 900, CLEAN), ((2,), 900, FOUND), ((2,), 9, UNSEEN), ((), 900, UNSEEN)],
)
def test_lookups_of_one_device_alone_are_found(
    tmp_path: Path, devices: tuple[int, ...], n: int, outcome: str
) -> None:
    status = {"answers": {"upstream": n}}
    given = examined(tmp_path, status=status, network_or_why=_neighbours(*devices))
    assert outcomes(one_address, given) == [outcome]


@pytest.mark.parametrize(("serving", "outcome"), [("1.1.0", CLEAN), ("1.0.0", FOUND)])
def test_a_release_that_was_taken_back_differs_from_the_package(
    tmp_path: Path, serving: str, outcome: object
) -> None:
    for folder in ("usr/lib/filterd/release", "opt/filterd/releases/1.1.0"):
        metadata = "lib/python3.13/site-packages/filterd-1.1.0.dist-info"
        (tmp_path / folder / metadata).mkdir(parents=True)
    (tmp_path / "opt/filterd/releases/1.0.0").mkdir()
    (tmp_path / "opt/filterd/current").symlink_to(f"releases/{serving}")
    assert outcomes(release, examined(tmp_path, root=tmp_path)) == [outcome]


def test_a_checkout_has_no_release(tmp_path: Path) -> None:
    assert outcomes(release, examined(tmp_path, root=tmp_path)) == [UNSEEN]


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
        monkeypatch.setattr(service_probes, port, free_port())

    async def whole() -> list[str]:
        servers = [
            await serve(("127.0.0.1", getattr(service_probes, port)), _page) for port in served
        ]
        findings = await sinkholes(examined(folder, policy_or_why=policy))
        for server in servers:
            server.close()
        return [str(finding.text) for finding in findings]

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
