# SPDX-License-Identifier: Apache-2.0
"""The package: installed, upgraded, downgraded, broken off, removed and purged in real roots.

After whatever happens ``current`` is a complete release that answers, and site and state stay.
"""

from __future__ import annotations

import os
import random
import re
from typing import TYPE_CHECKING

import pytest

from filterd.version import __version__
from tests.support.booted import booted
from tests.support.chroot import chroot
from tests.support.commands import ROOT
from tests.support.gateway import eventually
from tests.support.mmdebstrap import SUITES
from tests.support.namespaces import namespaces
from tests.support.packages import NEXT, package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.chroot import Chroot
    from tests.support.commands import Outcome

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root")]

DEFECTIVE = "9.2.0"
KILLS = int(os.environ.get("FILTERD_PACKAGE_KILLS", "1"))
"""How many random moments an upgrade is killed at; it lasts about so many seconds."""
UPGRADE_S = 8.0
SITE, STATE, HOME = "etc/filterd/site.yaml", "var/lib/filterd", "opt/filterd"
UNITS = {one.name for one in (ROOT / "deploy/units").iterdir() if one.suffix != ".md"}
_PURGE = "filterd filterd/purge-data boolean true"


class Gateway:
    """A root with the package or without, and what must hold there."""

    def __init__(self, root: Chroot, suite: str) -> None:
        self.root, self.suite, self.path = root, suite, root.path

    def give(self, version: str | None = None, changed: dict[str, str] | None = None) -> str:
        """Copy a package into the root; return its path there."""
        name = f"filterd-{version or __version__}.deb"
        made = package(self.suite, version=version, changed=changed)
        (self.path / "var" / name).write_bytes(made.read_bytes())
        return f"/var/{name}"

    def install(self, deb: str) -> Outcome:
        return self.root.run("dpkg", "--install", deb)

    def installed(self, deb: str) -> None:
        done = self.install(deb)
        assert done.code == 0, done.out + done.err

    @property
    def serves(self) -> str:
        return self._release("current")

    @property
    def before(self) -> str:
        return self._release("previous")

    def _release(self, link: str) -> str:
        return (self.path / HOME / link).readlink().name

    @property
    def units(self) -> set[str]:
        there = (self.path / "usr/lib/systemd/system").glob("filterd*")
        return {one.name for one in there}

    def answers(self) -> bool:
        """Whether the release in service is complete: it decides about a name."""
        program = ("/opt/filterd/current/bin/filterd", "check", "pornhub.com", "--lang", "en")
        done = self.root.run(*program)
        return done.code == 1 and "BLOCKED" in done.out


@pytest.fixture(params=SUITES)
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    with chroot(request.param, tmp_path / "root") as root:
        yield Gateway(root, request.param)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Gateway]:
    with chroot("trixie", tmp_path / "root") as root:
        yield Gateway(root, "trixie")


@pytest.fixture
def trixie(tmp_path: Path) -> Iterator[Gateway]:
    with chroot("trixie", tmp_path / "root", package("trixie")) as root:
        yield Gateway(root, "trixie")


def test_it_comes_and_goes_and_site_and_state_stay(gateway: Gateway) -> None:
    now, after = gateway.give(), gateway.give(NEXT)
    gateway.installed(now)
    assert (gateway.serves, gateway.units, gateway.answers()) == (__version__, UNITS, True)
    site, kept = gateway.path / SITE, gateway.path / STATE / "overrides.filterd"
    site.write_text(site.read_text("utf-8") + "# of the school\n", encoding="utf-8")
    kept.write_bytes(b"state")
    wanted = {one.name for one in (gateway.path / "etc/systemd/system").glob("*.wants/filterd*")}
    assert {"filterd.service", "filterd-feed.service", "filterd-web.socket"} <= wanted

    gateway.installed(after)
    assert (gateway.serves, gateway.before) == (NEXT, __version__)
    assert gateway.answers()
    gateway.installed(now)  # down by one
    assert (gateway.serves, gateway.before) == (__version__, NEXT)
    gateway.installed(now)  # the same again
    assert (gateway.serves, gateway.before) == (__version__, NEXT)
    assert gateway.root.run("filterd", "release", "rollback").code == 0
    assert (gateway.serves, gateway.answers()) == (NEXT, True)
    assert gateway.root.run("dpkg", "--verify", "filterd").out == ""

    stamps = gateway.path / "var/lib/systemd/timers"
    stamps.mkdir(parents=True, exist_ok=True)
    timers = {one for one in UNITS if one.endswith(".timer")}
    for timer in (*timers, "apt-daily.timer"):  # as systemd, which does not run here, leaves them
        (stamps / f"stamp-{timer}").touch()

    removed = gateway.root.run("dpkg", "--remove", "filterd")
    assert removed.code == 0, removed.err
    assert not (gateway.path / HOME).exists()
    assert gateway.units == set()
    assert not (gateway.path / "usr/lib/filterd").exists()
    gateway.installed(now)
    assert gateway.root.run("dpkg", "--purge", "filterd").code == 0  # asks, and keeps
    assert site.read_text("utf-8").endswith("# of the school\n")
    assert kept.read_bytes() == b"state"
    assert {one.name for one in stamps.iterdir()} == {"stamp-apt-daily.timer"}
    assert not list((gateway.path / "etc/systemd/system").glob("*.wants/filterd*"))

    gateway.installed(now)
    choose = f"echo '{_PURGE}' | debconf-set-selections; dpkg --purge filterd"
    assert gateway.root.run("sh", "-c", choose).code == 0
    assert not site.parent.exists()
    assert not kept.parent.exists()


def test_the_package_of_another_debian_is_refused_in_a_sentence(gateway: Gateway) -> None:
    other = next(one for one in SUITES if one != gateway.suite)
    deb = Gateway(gateway.root, other).give()
    done = gateway.install(deb)
    assert done.code != 0
    (sentence,) = [line for line in done.err.splitlines() if line.startswith("filterd:")]
    assert re.match(r"filterd: this package is for Python 3\.\d+, this machine has ", sentence)
    assert not (gateway.path / "usr/lib/filterd").exists()


def _refused(gateway: Gateway, done: Outcome, reason: str) -> None:
    """Check that an upgrade was refused for a reason, and the release before serves."""
    assert done.code != 0
    (sentence,) = [line for line in done.err.splitlines() if line.startswith("filterd:")]
    assert reason in sentence
    assert "Traceback" not in done.err
    assert (gateway.serves, gateway.answers()) == (__version__, True)
    assert [one.name for one in (gateway.path / HOME / "releases").iterdir()] == [__version__]


def test_a_site_that_the_new_release_refuses_keeps_the_one_before(trixie: Gateway) -> None:
    site = trixie.path / SITE
    good = site.read_text("utf-8")
    site.write_text(good + "nonsense: 1\n", encoding="utf-8")
    done = trixie.install(trixie.give(NEXT))
    site.write_text(good, encoding="utf-8")  # `check` reads it, where no daemon runs
    _refused(trixie, done, "không có khóa 'nonsense'")
    assert trixie.root.run("dpkg", "--configure", "-a").code == 0
    assert (trixie.serves, trixie.before) == (NEXT, __version__)


def test_a_release_whose_daemon_does_not_start_keeps_the_one_before(trixie: Gateway) -> None:
    path, unit = "filterd/daemon/main.py", "deploy/units/filterd.service"
    text = (ROOT / path).read_text("utf-8")
    start = "\nif __name__ =="  # a process whose module this is comes no further before its end
    assert text.count(start) == 1
    text = text.replace(start, "\nraise SystemExit('a defect')\n" + start)
    changed = {path: text, unit: "[Service]\nExecStart=/bin/false\n"}
    _refused(trixie, trixie.install(trixie.give(DEFECTIVE, changed)), "a defect")
    placed = (trixie.path / "usr/lib/systemd/system/filterd.service").read_text("utf-8")
    assert "/bin/false" not in placed, "the units are those of the release in service"
    trixie.installed(trixie.give(NEXT))
    assert trixie.serves == NEXT


def test_a_disk_that_is_full_keeps_the_one_before(bare: Gateway) -> None:
    """``/opt`` is another disk here, so files are copied: the second release does not fit."""
    (bare.path / "opt").mkdir(exist_ok=True)
    bare.root.mount("-t", "tmpfs", "-o", "size=150m", "tmpfs", "/opt")
    bare.installed(bare.give())
    _refused(bare, bare.install(bare.give(NEXT)), "No space left")


_SITE_PACKAGES = "usr/lib/filterd/release/lib/python3.13/site-packages"
_STEPS = {
    "unpacked in part": f"{_SITE_PACKAGES}/filterd-{NEXT}.dist-info",
    "half adopted": f"{HOME}/releases/.{NEXT}.unfinished",
    "adopted": f"{HOME}/releases/{NEXT}",
    "in the self-test": f"{STATE}/self-test",
    "a daemon of its own": f"{STATE}/self-test/control.sock",
    "the way back": f"{HOME}/previous",
}
"""What is there from a step on; most of it goes again."""


def _reached(root: Path, step: str, version: str = NEXT) -> Callable[[float], bool]:
    """Return what finds a step or a later one: a slow machine may look too late for some."""
    steps = [*_STEPS][[*_STEPS].index(step) :]
    paths = [root / _STEPS[one].replace(NEXT, version) for one in steps]
    return lambda _: any(map(os.path.lexists, paths))


def _after_a_kill(trixie: Gateway, after: str) -> None:
    """Check that the machine is sound after a kill, and that the upgrade can be completed."""
    assert trixie.serves in (__version__, NEXT)
    assert trixie.answers()
    trixie.root.run("dpkg", "--configure", "-a")
    assert trixie.answers()
    trixie.installed(after)
    assert (trixie.serves, trixie.before, trixie.answers()) == (NEXT, __version__, True)
    assert trixie.units == UNITS
    assert not list((trixie.path / HOME / "releases").glob(".*"))
    assert not (trixie.path / STATE / "self-test").exists()


@pytest.mark.parametrize("step", _STEPS)
def test_an_upgrade_may_be_killed_at_any_step(trixie: Gateway, step: str) -> None:
    after = trixie.give(NEXT)
    assert trixie.root.run_until(_reached(trixie.path, step), "dpkg", "--install", after)
    _after_a_kill(trixie, after)


@pytest.mark.parametrize("number", range(KILLS))
def test_an_upgrade_may_be_killed_at_random_moments(trixie: Gateway, number: int) -> None:
    after = trixie.give(NEXT)
    moment = random.Random(number).uniform(0, UPGRADE_S)
    trixie.root.run_until(moment.__lt__, "dpkg", "--install", after)
    _after_a_kill(trixie, after)


@pytest.mark.parametrize("step", ["half adopted", "in the self-test"])
def test_a_first_installation_may_be_killed_and_is_then_completed(bare: Gateway, step: str) -> None:
    now = bare.give()
    reached = _reached(bare.path, step, __version__)
    assert bare.root.run_until(reached, "dpkg", "--install", now)
    assert bare.root.run("dpkg", "--configure", "-a").code == 0
    assert (bare.serves, bare.answers()) == (__version__, True)


_OTHER = """\
import signal, socket
server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
signal.pause()
"""


def test_what_is_in_its_way_is_named_and_no_fault(tmp_path: Path) -> None:
    with namespaces("box") as (network,), booted("trixie", tmp_path / "box", network.name) as box:
        box.give(package("trixie"), "/root/filterd.deb")
        box.run("systemd-run", "--unit=other", "python3", "-c", _OTHER)
        done = box.run("dpkg", "--install", "/root/filterd.deb", within_s=300)
        assert "filterd: một máy chủ khác đang giữ cổng 53" in done.err, "the site is Vietnamese"
        box.run("systemctl", "stop", "other")
        eventually(lambda: box.is_active("filterd.service"))

        asked = ("systemctl", "show", "--value", "-pMainPID", "filterd")
        pid = box.run(*asked).out
        box.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
        box.run("chmod", "+x", "/usr/sbin/policy-rc.d")
        box.give(package("trixie", version=NEXT), "/root/next.deb")
        box.run("dpkg", "--install", "/root/next.deb", within_s=300)
        assert box.run(*asked).out == pid, "the administrator restarts services"
        assert box.run("readlink", "/opt/filterd/current").out == f"releases/{NEXT}\n"
