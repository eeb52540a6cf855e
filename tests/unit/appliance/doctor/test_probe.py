# SPDX-License-Identifier: Apache-2.0
"""What is not known of a gateway is a reason, not an empty answer."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.doctor.probe import ProbeOutcome, UnseenError, found, unseen
from filterd.texts.i18n import from_plain, say
from filterd.upstream import resolv_conf
from tests.support.examined import examined

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_known_is_returned(tmp_path: Path) -> None:
    site = examined(tmp_path)
    assert site.is_serving
    assert (site.policy, site.status, site.network) == (
        site.policy_or_why,
        site.status_or_why,
        site.network_or_why,
    )


def test_without_a_site_the_resolvers_of_the_machine_are_its_upstreams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolvers = tmp_path / "resolv.conf"
    resolvers.write_text("nameserver 192.0.2.9\n", encoding="ascii")
    servers = partial(resolv_conf.servers, resolv_conf=resolvers)
    monkeypatch.setattr("filterd.appliance.doctor.probe.resolv_conf.servers", servers)
    site = examined(tmp_path, policy_or_why=say("no site"))
    assert [upstream.address for upstream in site.upstreams] == ["192.0.2.9"]
    assert [upstream.address for upstream in examined(tmp_path).upstreams] == ["192.0.2.53"]


@pytest.mark.parametrize("part", ["policy", "status", "network"])
def test_what_is_not_known_is_the_reason_why(tmp_path: Path, part: str) -> None:
    unknown: dict[str, Any] = {f"{part}_or_why": say("the disk is gone")}
    site = examined(tmp_path, **unknown)
    with pytest.raises(UnseenError, match="the disk is gone"):
        getattr(site, part)


def test_a_fault_has_a_remedy() -> None:
    one = found(say("{n} faults", n=2), say("mend them"))
    assert one.outcome is ProbeOutcome.FOUND
    assert one.remedy == "mend them"


def test_plain_data_is_json_with_texts_that_can_be_translated() -> None:
    one = found(say("{n} faults", n=2), say("mend them"))
    plain = json.loads(json.dumps(one.to_plain()))
    assert (plain["outcome"], plain["text"], plain["remedy"]) == ("found", "2 faults", "mend them")
    assert from_plain(plain["sentence"]).template == "{n} faults"
    assert unseen(say("x")).to_plain()["remedy_sentence"] is None
