# SPDX-License-Identifier: Apache-2.0
"""A real daemon notices a tunnel in seconds, names nobody, and leaves ordinary names alone."""

from __future__ import annotations

import json
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import pytest

from filterd.wire import name as names
from tests.support.commands import call
from tests.support.daemon import asked, copy_lists, free_port, serving, write_site
from tests.support.tunnelling import TUNNELS
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")

DOMAIN = "t.tunnel-of-a-pupil.com.vn"
QUESTIONS = 1_800
"""Three seconds of a tunnel at full speed. They come to two workers."""


def _nxdomain(query: dns.message.Message) -> dns.message.Message:
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply


def status_after(names_asked: Iterable[bytes], tmp_path: Path, built: StateFolder) -> Any:
    """Return the status of a daemon that was asked for these names by one device."""
    with FakeUpstream(respond=_nxdomain) as upstream:
        port = free_port()
        config = write_site(
            tmp_path / "site", port=port, upstream=upstream.port, more="workers: 2\n"
        )
        with serving(config, copy_lists(built, tmp_path / "state").folder) as daemon:
            for number, name in enumerate(names_asked):
                asked(port, a_query(names.to_text(name), message_id=number))
            assert len(upstream.asked) >= QUESTIONS * 9 // 10
            return json.loads(call("status", "--json", *daemon.options).out)


def alerts(status: Any) -> set[str]:
    return {one["id"] for one in status["alerts"]}


@pytest.mark.parametrize("program", ["dnscat2", "iodine up"])
def test_a_tunnel_is_an_alert_that_names_nobody(
    tmp_path: Path, built: StateFolder, program: str
) -> None:
    tunnel = islice(TUNNELS[program](DOMAIN, Random(1)), QUESTIONS)
    status = status_after(tunnel, tmp_path, built)
    (alert,) = (one for one in status["alerts"] if one["id"] == "tunnel")
    assert "a device asks for very many long names of one domain" in alert["text"]
    assert status["tunnels"]["names"] >= 250
    assert "tunnel-of-a-pupil" not in json.dumps(status)


def test_control_as_many_names_of_as_many_domains_are_no_alert(
    tmp_path: Path, built: StateFolder
) -> None:
    rng = Random(2)
    ordinary = (
        names.from_text(f"{rng.randbytes(20).hex()}.site-{number}.com.vn")
        for number in range(QUESTIONS)
    )
    status = status_after(ordinary, tmp_path, built)
    assert "tunnel" not in alerts(status)
    assert status["tunnels"] == {"at": None, "names": 0}
