# SPDX-License-Identifier: Apache-2.0
"""Devices with MACs, IPv4 and IPv6 addresses, on real links, leave none of them on the disk.

Skipped where network namespaces cannot be made (they need root).
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.base.state_folder import StateFolder
from filterd.overrides.history.store import Store
from tests.support.daemon import confirm_the_time, noon
from tests.support.gateway import CLOSED, LAPTOP, OPEN, RELAY, Gateway, Site, ask, gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.namespaces import Namespace

pytestmark = pytest.mark.usefixtures("warm_children")

NETWORKS = f"""\
  three: {{cidrs: [192.168.6.0/24, 'fd00:6::/64', '2001:db8:6::/64'], grade: 3}}
  relay: {{macs: ['{RELAY}'], grade: staff}}
"""
"""Since one has MACs, those of all devices are known."""
SERVERS = {"192.168.6.1": "192.168.6.", "fd00:6::1": "fd00:6::", "2001:db8:6::1": "2001:db8:6::"}
"""Where the devices ask, and how their own addresses begin."""


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("gateway")) as made:
        yield made


def _mac(device: Namespace) -> str:
    """Return its address by ``ip``: /sys shows the interfaces of where it was mounted."""
    words = device.command("ip", "-j", "link", "show", "eth0")
    shown = subprocess.run(words, capture_output=True, check=True).stdout
    return str(json.loads(shown)[0]["address"])


def _forms(macs: list[str], addresses: list[str]) -> Iterator[bytes]:
    """Yield MACs and addresses as texts and as octets."""
    for mac in macs:
        yield bytes.fromhex(mac.replace(":", ""))
        for between in (":", "-", ""):
            text = mac.replace(":", between)
            yield from (text.encode(), text.upper().encode())
    for address in map(ip_address, addresses):
        yield from (str(address).encode(), address.exploded.encode())
        yield address.reverse_pointer.encode()
        yield ".".join(reversed(address.reverse_pointer.split("."))).encode()
        yield from (address.packed, address.packed[::-1])


def _found(folder: Path, forms: set[bytes]) -> list[tuple[str, bytes]]:
    """Return the files with any of these; the index of the lists is of the publisher."""
    found: list[tuple[str, bytes]] = []
    for one in [one for one in folder.rglob("*") if one.is_file() and one.name != "index.filterd"]:
        with contextlib.suppress(FileNotFoundError):  # a daemon has put it in its place
            content = one.read_bytes()
            found += [(one.name, form) for form in forms if form in content]
    return found


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize(
    "level",
    [
        "counts",
        "full",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("names", "blocked")),
    ],
)
def test_no_file_has_a_mac_or_an_address_at_any_level(
    around: Gateway, built: StateFolder, level: str
) -> None:
    in_files = "counts" if level == "full" else level
    more = f"time_zone: {noon()}\nworkers: 2\nlog: {{level: {in_files}}}\n"
    port = 5310 + len(level)
    state = StateFolder(around.folder / f"state-{port}")
    state.folder.mkdir()
    confirm_the_time(state)
    store = Store(state, SystemClock())
    store.start()
    if level == "full":
        full = {"level": "full", "ends_at": SystemClock().wall() + 3600}
        store.change("log-level", full, author="lan", reason="thử")
        store.change("log-confirm", {"id": 1}, author="minh", reason="đồng ý")
    devices = {around.pupil: "20", around.laptop: "30"}
    macs = [_mac(around.pupil), LAPTOP]
    addresses = [own + last for own in SERVERS.values() for last in devices.values()]
    with around.serving(built, Site(port, more=more, networks=NETWORKS)):
        for device in devices:
            for server in SERVERS:
                for name in (CLOSED, OPEN, ip_address(addresses[0]).reverse_pointer):
                    assert ask(device, server, name, port=port) is not None
        rows = control.ask(state.control_socket, "log search", limit=500)["rows"]
        control.ask(state.control_socket, "log totals")
        assert len({row["device"] for row in rows}) == {"blocked": 2, "full": 2}.get(level, 0)
        assert 0 not in {row["device"] for row in rows}
        forms = set(_forms(macs, addresses))
        assert _found(state.folder, forms) == []
    assert _found(state.folder, forms) == []


@pytest.mark.control
def test_control_octets_that_are_planted_are_found(tmp_path: Path) -> None:
    forms = set(_forms([LAPTOP], ["fd00:6::20", "192.168.6.20"]))
    for planted in forms:
        (tmp_path / "planted").write_bytes(b"x" + planted + b"y")
        assert ("planted", planted) in _found(tmp_path, forms)
