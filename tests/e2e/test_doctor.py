# SPDX-License-Identifier: Apache-2.0
"""``filterd doctor`` in a school: nothing is found where all is well, and each planted fault is.

What it finds of the machine (disk, memory, clock) is that of the machine of the tests; its
probes have faults planted in tests/unit/appliance.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from filterd.appliance.doctor.bypass_probes import DOH_NAMES
from filterd.appliance.doctor.examination import PROBES, WITHIN_S
from filterd.appliance.doctor.service_probes import LEAST_ANSWERS
from filterd.appliance.stub_query import SIGNED
from filterd.base.clock import SystemClock
from filterd.base.state_folder import StateFolder
from tests.support.commands import ROOT, environment
from tests.support.gateway import ask
from tests.support.link_servers import advertising, dhcp, dnsmasq
from tests.support.needs import command
from tests.support.school_lab import LINKS, SchoolLab, school_lab
from tests.support.unprivileged import give, open_folder, reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.namespaces import Namespace

pytestmark = pytest.mark.long

OF_THE_MACHINE = {"clock", "disk", "writes", "memory", "kernel-limits"}
CLOCK = SystemClock()


class Run(NamedTuple):
    """One run of the command: its exit code, its findings, and when they came (seconds)."""

    code: int
    findings: list[dict[str, Any]]
    lasted_s: float

    def probes(self, outcome: str) -> set[str]:
        """Return the probes with this outcome, but those of the machine."""
        return {
            finding["probe"] for finding in self.findings if finding["outcome"] == outcome
        } - OF_THE_MACHINE

    def text(self, probe: str) -> str:
        """Return what was found by a probe."""
        return " ".join(finding["text"] for finding in self.findings if finding["probe"] == probe)


def _doctor(lab: SchoolLab, *before: str) -> Run:
    begun = CLOCK.monotonic()
    done = subprocess.run(
        [*before, *lab.command("doctor", "--json")],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return Run(done.returncode, json.loads(done.stdout), CLOCK.monotonic() - begun)


@pytest.fixture(scope="module")
def lab() -> Iterator[SchoolLab]:
    with open_folder() as folder, school_lab(folder) as made:
        yield made


@pytest.fixture(scope="module")
def clean(lab: SchoolLab) -> Run:
    with lab.serving(), lab.handing_out():
        return _doctor(lab)


@pytest.fixture(scope="module")
def faulty(lab: SchoolLab, clean: Run) -> Run:
    """Return a run with all faults of the network and the site at once."""
    assert clean
    six, server = lab.clients["six"], f"{LINKS['six']}.1"
    rogue = (
        *dhcp(f"{LINKS['six']}.20", server, f"{LINKS['six']}.200"),
        *advertising("2001:db8::53"),
    )
    lab.invented = "198.18.0.99"
    lab.portal(302)
    lab.firewall("")
    expected = lab.folder / "site" / "expectations"
    try:
        with (
            lab.serving(),
            lab.handing_out("8.8.8.8"),
            dnsmasq(six, lab.folder, "eth0", *rogue),
            _asking_for_a_login(lab.clients["office"]),
        ):
            for _ in range(LEAST_ANSWERS + 20):
                ask(six, server, SIGNED)
            planted = ("--grade", "6", "--for", "2h", "--reason", "planted")
            allow = lab.command("allow", DOH_NAMES[0], *planted)
            subprocess.run(allow, cwd=ROOT, env=environment(), check=True, capture_output=True)
            expected.mkdir()
            planted_file = "- www.colour.example is blocked for guest\n"
            (expected / "planted.yaml").write_text(planted_file, encoding="utf-8")
            return _doctor(lab)
    finally:
        shutil.rmtree(expected, ignore_errors=True)
        lab.invented = ""
        lab.portal(204)
        lab.firewall()


@pytest.fixture(scope="module")
def dead(lab: SchoolLab, faulty: Run) -> Run:
    """Return a run without filterd, whose port another process holds, and without Internet."""
    assert faulty

    def holding() -> socket.socket:
        opened = socket.socket(type=socket.SOCK_DGRAM)
        opened.bind(("0.0.0.0", 53))
        return opened

    lab.gateway.ip("route delete default")
    give(lab.folder / "state")
    before = _files(lab)
    with lab.gateway.run(holding), reach() as words:
        run = _doctor(lab, *words)
    assert _files(lab) == before, "it changes nothing else"
    return run


def _files(lab: SchoolLab) -> list[tuple[str, int, int]]:
    """Return the files of the lab but what root saw of the links, with owner and time of change."""
    links = StateFolder(lab.folder / "state").link_rules
    kept = (one for one in sorted(lab.folder.rglob("*")) if one not in (links, links.parent))
    found = [(str(one), one.lstat()) for one in kept]
    return [(path, seen.st_uid, seen.st_mtime_ns) for path, seen in found]


@contextlib.contextmanager
def _asking_for_a_login(switch: Namespace) -> Iterator[None]:
    """Answer as the port of a switch with 802.1X, on a client's end of the link."""

    def opened() -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x888E))
        made.bind(("eth0", 0x888E))
        made.settimeout(30)
        return made

    def answer() -> None:
        with contextlib.suppress(OSError):  # no command has come
            _, sender = port.recvfrom(100)
            port.sendto(bytes((2, 0, 0, 5, 1, 7, 0, 5, 1)), sender)

    with switch.run(opened) as port:
        answering = threading.Thread(target=answer)
        answering.start()
        yield
        answering.join()


@pytest.mark.usefixtures("needs_namespaces")
def test_in_a_school_in_order_nothing_is_found(clean: Run, lab: SchoolLab) -> None:
    assert clean.probes("found") == set()
    seen = {one.id for one in PROBES} - OF_THE_MACHINE - {"one-address", "release"}
    assert clean.probes("clean") == seen - (set() if lab.has_firewall else {"other-resolvers"})


ON_ONE_LINK = """
table inet school {
  chain pre {
    type nat hook prerouting priority dstnat
    iifname "lan0" meta l4proto { tcp, udp } th dport 53 redirect to :53
  }
  chain through {
    type filter hook forward priority 0
    iifname "lan0" tcp dport 853 reject
  }
}"""


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize("on_all", [False, True])
def test_a_firewall_on_one_link_is_partly_protected_in_every_face(
    lab: SchoolLab, clean: Run, on_all: bool
) -> None:
    """With rules for all links, which is the control, each of them is content."""
    assert clean
    command("nft")
    faces = {"links": ("doctor", "--links"), "alerts": ("alerts", "list"), "status": ("status",)}
    printed: dict[str, Any] = {}
    try:
        if not on_all:
            lab.firewall(ON_ONE_LINK)
        with lab.serving():
            for face, words in faces.items():
                done = subprocess.run(
                    lab.command(*words, "--json"),
                    cwd=ROOT,
                    env=environment(),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.stderr == ""
                printed[face] = json.loads(done.stdout)
    finally:
        lab.firewall()
    level, passage = ("protected", "closed") if on_all else ("partly", "open")
    protection = printed["status"]["protection"]
    assert protection["level"] == level
    assert protection["links"] == {"lan0": "closed", "lan1": passage, "lan2": passage}
    is_alerted = "partly-protected" in {one["id"] for one in printed["alerts"]}
    assert is_alerted is not on_all
    assert [one["outcome"] for one in printed["links"]] == ["clean" if on_all else "found"]


@pytest.mark.usefixtures("needs_namespaces")
def test_the_canaries_are_asked_for_by_tier(clean: Run) -> None:
    assert "is blocked for each tier" in clean.text("canaries")


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.parametrize(
    ("probe", "words"),
    [
        ("dhcp", ("several DHCP servers", "8.8.8.8")),
        ("ipv6-dns", ("2001:db8::53",)),
        ("upstreams", ("names that do not exist",)),
        ("captive-portal", ("login page",)),
        ("port-login", ("802.1X",)),
        ("one-address", ("only device",)),
        ("doh", (DOH_NAMES[0],)),
        ("site", ("colour",)),
    ],
)
def test_each_planted_fault_is_found(faulty: Run, probe: str, words: Sequence[str]) -> None:
    assert faulty.code == 1
    assert probe in faulty.probes("found")
    assert [word for word in words if word not in faulty.text(probe)] == []


@pytest.mark.usefixtures("needs_namespaces")
def test_a_gateway_without_rules_is_found(faulty: Run) -> None:
    command("nft")
    assert "(53/udp, 53/tcp, 853/tcp)" in faulty.text("other-resolvers")


@pytest.mark.usefixtures("needs_namespaces")
def test_what_is_in_order_stays_clean_beside_the_faults(faulty: Run) -> None:
    assert {"port", "answers", "canaries", "placement"} <= faulty.probes("clean")


@pytest.mark.usefixtures("needs_root")
def test_without_filterd_each_fault_is_found(dead: Run) -> None:
    assert dead.code == 1
    assert {"answers", "port", "placement"} <= dead.probes("found")
    assert "port 53 of 0.0.0.0 (UDP) is held by" in dead.text("port")


@pytest.mark.usefixtures("needs_root")
def test_without_filterd_what_it_would_report_is_unseen(dead: Run) -> None:
    assert {"canaries", "lists", "doh"} <= dead.probes("unseen")
    assert dead.text("lists") == "filterd is not running"


@pytest.mark.usefixtures("needs_root")
def test_each_finding_of_a_fault_has_a_remedy(faulty: Run, dead: Run) -> None:
    faults = [one for run in (faulty, dead) for one in run.findings if one["outcome"] == "found"]
    assert all(fault["remedy"] for fault in faults)


@pytest.mark.usefixtures("needs_root")
def test_all_is_known_in_time(clean: Run, faulty: Run, dead: Run) -> None:
    """With the start of Python, which is a second at most."""
    assert max(run.lasted_s for run in (clean, faulty, dead)) < WITHIN_S + 1


@pytest.mark.usefixtures("needs_namespaces")
def test_the_first_findings_are_there_while_the_others_are_awaited(lab: SchoolLab) -> None:
    with reach() as before:
        words = [*before, *lab.command("doctor")]
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        with process, process.stdout as printed:
            assert printed.readline()
            first_at = CLOCK.monotonic()
            printed.read()
        # A search for servers of DHCP takes 5 s; what is printed at the end comes all at once.
        assert CLOCK.monotonic() - first_at > 1.0
