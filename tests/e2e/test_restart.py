# SPDX-License-Identifier: Apache-2.0
"""While the service restarts, questions wait in its sockets, which systemd keeps."""

from __future__ import annotations

import json
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.daemon import SOURCES, WITHIN_S, copy_lists, free_port, is_free, write_site
from tests.support.descriptor_store import DescriptorStore
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")

BLOCKED = a_query("www.tiktok.com")
NXDOMAIN = 3
QUESTIONS = 150


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DescriptorStore]:
    with DescriptorStore(tmp_path) as kept:
        yield kept


@pytest.fixture
def state(tmp_path: Path, built: StateFolder) -> Path:
    return copy_lists(built, tmp_path / "state").folder


def device(port: int) -> socket.socket:
    """Return the socket of a pupil's device."""
    opened = socket.socket(type=socket.SOCK_DGRAM)
    opened.bind((SOURCES["3"], 0))
    opened.connect(("127.0.0.1", port))
    opened.settimeout(WITHIN_S)
    return opened


def ask(asking: socket.socket, number: int) -> None:
    """Send a question with this ID."""
    asking.send(number.to_bytes(2) + BLOCKED[2:])


@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGTERM, 2),
        *(
            pytest.param(*one, marks=pytest.mark.long)
            for one in ((signal.SIGTERM, 1), (signal.SIGKILL, 1), (signal.SIGKILL, 2))
        ),
    ],
)
def test_what_is_asked_meanwhile_is_answered_after_the_start(
    tmp_path: Path, state: Path, store: DescriptorStore, number: signal.Signals, workers: int
) -> None:
    port, rate = free_port(), "rate_limit: {queries_a_second: 10000, burst: 10000}\n"
    config = write_site(tmp_path / "site", port=port, more=rate)
    with store.serving(config, state) as served:
        served.end(number)
    with device(port) as asking, socket.create_connection(("127.0.0.1", port)) as connection:
        for one in range(QUESTIONS):
            ask(asking, one)
        connection.sendall(len(BLOCKED).to_bytes(2) + BLOCKED)
        write_site(tmp_path / "site", port=port, more=f"{rate}workers: {workers}\n")
        with store.serving(config, state):
            answers = [asking.recv(4096) for _ in range(QUESTIONS)]
            connection.settimeout(WITHIN_S)
            answers.append(connection.recv(4096)[2:])
    assert {int.from_bytes(answer[:2]) for answer in answers[:QUESTIONS]} == set(range(QUESTIONS))
    assert {answer[3] & 15 for answer in answers} == {NXDOMAIN}


def test_control_without_the_store_they_are_lost(
    tmp_path: Path, state: Path, store: DescriptorStore
) -> None:
    port = free_port()
    config = write_site(tmp_path / "site", port=port)
    with store.serving(config, state) as served:
        served.end()
    store.forget("")
    with device(port) as asking:
        ask(asking, 1)
        with pytest.raises(ConnectionRefusedError):
            asking.recv(4096)


@pytest.mark.long
def test_an_address_that_the_site_names_no_more_is_given_up(
    tmp_path: Path, state: Path, store: DescriptorStore
) -> None:
    before, after = free_port(), free_port()
    with store.serving(write_site(tmp_path / "site", port=before), state) as served:
        served.end()
    with store.serving(write_site(tmp_path / "site", port=after), state), device(after) as asking:
        assert is_free(before)
        ask(asking, 1)
        assert asking.recv(4096)[3] & 15 == NXDOMAIN


@pytest.mark.long
def test_a_site_that_cannot_be_served_leaves_the_sockets_to_the_next_start(
    tmp_path: Path, state: Path, store: DescriptorStore
) -> None:
    port = free_port()
    config = write_site(tmp_path / "site", port=port)
    with store.serving(config, state) as served:
        served.end()
    with device(port) as asking:
        ask(asking, 7)
        taken = socket.create_server(("127.0.0.1", 0))
        more = f"listen: ['127.0.0.1:{port}', '127.0.0.1:{taken.getsockname()[1]}']\n"
        text = (config / "site.yaml").read_text(encoding="utf-8")
        first = "".join(line for line in text.splitlines(True) if not line.startswith("listen"))
        (config / "site.yaml").write_text(first + more, encoding="utf-8")
        with taken, pytest.raises(AssertionError, match="has it"), store.serving(config, state):
            pass
        (config / "site.yaml").write_text(text, encoding="utf-8")
        with store.serving(config, state):
            assert asking.recv(4096)[:2] == (7).to_bytes(2)


@pytest.mark.long
def test_after_an_update_the_policy_in_force_serves_and_is_then_compiled_anew(
    tmp_path: Path, state: Path, store: DescriptorStore
) -> None:
    port = free_port()
    config = write_site(tmp_path / "site", port=port)
    with store.serving(config, state) as served:
        served.end()
    record = state / "policy.filterd.origin"
    origin = json.loads(record.read_bytes().splitlines()[2])
    origin["program"] = {"/opt/filterd/releases/0/main.py": [1, 1]}
    record.write_text(json.dumps(origin))
    with store.serving(config, state) as served, device(port) as asking:
        ask(asking, 1)
        assert asking.recv(4096)[3] & 15 == NXDOMAIN
        served.wait_for("reloaded: policy")
