# SPDX-License-Identifier: Apache-2.0
"""Test a release before it serves: with the site and the lists of this machine.

The release runs this itself, beside the one in service and without a network: its native
modules load, it accepts the site, and a daemon of its own, on a loopback port and in a trial
folder beside the state's files, answers a local name and blocks a listed name of each category.
Nothing of the state changes, except that the check of the lists is recorded: the start of the
release then takes less time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd import control
from filterd.appliance.doctor.probe import ExaminedSite, ProbeOutcome
from filterd.appliance.doctor.resolver_probes import answers
from filterd.appliance.local_network import LocalNetwork
from filterd.base import bounded_child, native
from filterd.base.clock import SystemClock
from filterd.base.errors import StoreError
from filterd.base.paths import writing
from filterd.base.privileges import of_a_child
from filterd.base.service_manager import READY
from filterd.base.socket_path import short_path
from filterd.base.state_folder import StateFolder
from filterd.clients.interfaces import Links
from filterd.config.compile_run import compile_in_child
from filterd.daemon.handlers.self_tests import SelfTestOutcome, SelfTests, open_to
from filterd.lists.index import Index
from filterd.lists.index_files import blocklists_in_force, checked_digests, note_checked
from filterd.overrides.history import snapshot
from filterd.policy import policy_file
from filterd.policy.model import ListenAddress
from filterd.resolve.site import NOTHING_SET, Site
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.policy.model import Policy

START_WITHIN_S = 120.0
_ASK_WITHIN_S = 5.0
_LOOPBACK = "127.0.0.1"
_MOST_COPIED_OCTETS = 64 << 20
_LAST_LINES = 3


class SelfTestResult(NamedTuple):
    """How many categories have a listed name that was blocked."""

    categories: int


def run(config: Path, state: StateFolder) -> SelfTestResult:
    """Test the release that runs this.

    Args:
        config: the folder of ``site.yaml``.
        state: what the release in service keeps, which may run.

    Raises:
        FilterdError: why this release must not serve.
    """
    check_native_modules()
    with _trial_folder(state) as trial:
        policy = _trial_policy(config, state, trial)
        with _served(trial):
            result = asyncio.run(_asked(trial, policy))
        for digest in checked_digests(trial.checked_indexes):
            with contextlib.suppress(StoreError):  # then it is checked once more
                note_checked(state.checked_indexes, digest)
        return result


def check_native_modules() -> None:
    """Import every native module that the release ships.

    Raises:
        StoreError: one cannot be loaded; its words name the missing symbol or library.
    """
    package = Path(native.__file__).parents[1]
    for path in sorted(package.rglob("*.so")):
        inside = path.relative_to(package.parent)
        name = ".".join((*inside.parts[:-1], path.name.partition(".")[0]))
        try:
            import_module(name)
        except (ImportError, TypeError, ValueError) as error:
            why = quoted(str(error)[:200])
            raise StoreError(
                say("{module} cannot be loaded on this machine: {why}", module=name, why=why)
            ) from error


@contextlib.contextmanager
def _trial_folder(state: StateFolder) -> Iterator[StateFolder]:
    """Make a state folder of the lists in force and copies of other files.

    It lies in that of the state, on the same disk, so that the lists take no room.
    """
    folder = state.self_test
    trial = StateFolder(folder)
    shutil.rmtree(folder, ignore_errors=True)  # of a test that was killed
    copied = (state.clock, state.safe_search, state.checked_indexes)
    try:
        with writing(folder):
            folder.mkdir(mode=0o700)
            for path in (*copied, *state.overrides_copies, *state.accounts_copies):
                if path.is_file() and path.stat().st_size <= _MOST_COPIED_OCTETS:
                    shutil.copyfile(path, folder / path.name)
            if state.index.exists():
                _link(state.index, trial.index)
            for feed in (state.feed, state.folder / "beside"):
                if (feed / "versions").is_dir():  # only read
                    (folder / feed.name).mkdir()
                    (folder / feed.name / "versions").symlink_to(feed / "versions")
        yield trial
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link(source: Path, target: Path) -> None:
    """Give the lists a second name.

    They are replaced by renaming, and never changed in place.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _trial_policy(config: Path, state: StateFolder, trial: StateFolder) -> Policy:
    """Compile the site for the trial: the same rules, on one loopback port.

    Raises:
        FilterdError: this release does not accept the site.
    """
    compile_in_child(config, trial.policy, blocklists=blocklists_in_force(state).folder)
    policy = policy_file.load(trial.policy)
    listen = (ListenAddress(_LOOPBACK, _free_port()),)
    policy = replace(policy, listen=listen, workers=1)
    policy_file.save(trial.policy, policy)
    return policy


def _free_port() -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind((_LOOPBACK, 0))
        return int(udp.getsockname()[1])


@contextlib.contextmanager
def _served(trial: StateFolder) -> Iterator[None]:
    """Run a daemon for the trial folder, from its start to its end.

    Its site is an empty folder: the policy that is there stays in force.

    Raises:
        StoreError: it does not start.
    """
    site, address, log = (trial.folder / name for name in ("site", "notify", "log"))
    site.mkdir()
    words = (str(site), str(trial.folder), "en", "no")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, log.open("wb") as errors:
        with short_path(address) as short:
            notified.bind(short)
        with bounded_child.started(
            bounded_child.bounded_command("filterd.daemon.main", *words),
            env=bounded_child.environment(NOTIFY_SOCKET=str(address)),
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            **of_a_child(),
        ) as daemon:
            try:
                _await_start(daemon, notified, log)
                yield
            finally:
                daemon.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    daemon.wait(_ASK_WITHIN_S)
                daemon.kill()


def _await_start(daemon: subprocess.Popen[bytes], notified: socket.socket, log: Path) -> None:
    notified.settimeout(1.0)
    for _ in range(int(START_WITHIN_S)):
        with contextlib.suppress(TimeoutError):
            if READY.encode() in notified.recv(4096).splitlines():
                return
        if daemon.poll() is not None:
            break
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    last = "; ".join(lines[-_LAST_LINES:])[:400]
    raise StoreError(say("its daemon does not start: {why}", why=quoted(last)))


async def _asked(trial: StateFolder, policy: Policy) -> SelfTestResult:
    """Ask the daemon of the trial as a device does.

    What must be blocked is worked out here, and not by that daemon.

    Raises:
        FilterdError: an answer is missing, or a listed name is open.
    """
    ask = partial(control.ask, trial.control_socket, silence_s=_ASK_WITHIN_S)
    status = await asyncio.to_thread(ask, "status")
    site = ExaminedSite(trial.folder, policy, status, LocalNetwork((), (), (), (), Links()), ask)
    for finding in await answers(site):
        if finding.outcome is not ProbeOutcome.CLEAN:
            raise StoreError(finding.text)
    clock, set_by_commands = SystemClock(), snapshot.newest(trial.overrides_copies)
    overrides = NOTHING_SET if set_by_commands is None else set_by_commands.overrides
    expected = Site.of(policy, Index.open(trial.index), (), None, overrides, clock.wall())
    run = await SelfTests(lambda: expected.at(clock.wall()), policy.listen, clock).run()
    for row in run.rows:
        if row.outcome is SelfTestOutcome.FAILED:
            raise StoreError(open_to(row.category, [row.tier]))
    return SelfTestResult(
        len({row.category for row in run.rows if row.outcome is SelfTestOutcome.PASSED})
    )
