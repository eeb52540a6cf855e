# SPDX-License-Identifier: Apache-2.0
"""Assemble the serving processes: supervisor, manager and workers.

Libraries for parsing and printing (typer, rich, YAML, pydantic) must not stay in the
memory of processes that run for months on a small board. So this module imports none of
them, ``filterd.cli.entry`` comes here without them, and a ``serve`` that needed Typer
*becomes* ``python -m filterd.daemon.main``. Modules imported here before the fork are
shared by all processes.

Errors of ``serve`` and lines of the journal are in the language that the site has when it
starts, or in that of ``--lang``.

```
supervisor ── owns the sockets, replaces the others
  ├─ manager    the control socket, reloads, status
  └─ worker …   answers lookups, and feeds systemd's watchdog
```
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import resource
import signal
import sys
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import uvloop

from filterd.base import bounded_child, journal, native, privileges
from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, FilterdError, StoreError
from filterd.base.journal import is_out_of_memory
from filterd.base.privileges import as_owner_of, keep_none, make_folder_for_owner, own_rights
from filterd.base.process_memory import TOO_LITTLE, limit_free_memory
from filterd.base.service_manager import READY, STOPPING, notify
from filterd.base.state_folder import StateFolder
from filterd.config.compile_run import forked
from filterd.daemon.manager import site_loader
from filterd.daemon.manager.site_loader import Unwritten
from filterd.daemon.manager.site_policy import compile_policy_or_keep
from filterd.daemon.process import (
    Heart,
    Setting,
    prefer_the_loop,
    stop_event,
    yield_to_workers,
)
from filterd.daemon.sealed_sites import SealedSites, seal
from filterd.daemon.serving import watchdog
from filterd.daemon.serving.listening_sockets import (
    Listening,
    ListeningTls,
    by_tls,
    listen_again_on,
    listen_by_tls,
    listen_on,
)
from filterd.daemon.serving.supervisor import TICKS_OF_THE_MANAGER, Child, Supervisor
from filterd.daemon.serving.worker import Worker
from filterd.daemon.shared_page import PolicyClock, SharedOverrides, SharedPage, recall_overrides
from filterd.daemon.time import known_time
from filterd.daemon.verified_indexes import VerifiedIndexes
from filterd.daemon.worker_channel import channel_pair
from filterd.feed.appliance_files import TimeFloor
from filterd.lists.public_suffix import read_suffixes
from filterd.policy.model import Tls
from filterd.texts.i18n import Texts, quoted, refused, say

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from filterd.base.clock import Clock
    from filterd.policy.model import ListenAddress, Policy
    from filterd.resolve.site import Site
    from filterd.texts.i18n import Language

_MOST_DESCRIPTORS = 16_384
_PORTS_TO_TRY, _LAST_PORT = 20, 65535
_LOOK = say("look after the disk of this machine")
_DASHBOARD = "filterd.appliance.trial_dashboard"
_logger = logging.getLogger("filterd")


def main(config: str, state: str, language: str, try_it: str) -> None:
    """Serve until a signal to stop.

    Args:
        config: the folder of ``site.yaml``.
        state: the folder of compiled policy and lists.
        language: of messages and of the journal, ``vi`` or ``en``.
        try_it: ``yes`` to print commands that show what different classes get, and to serve
            the dashboard, too.
    """
    limit_free_memory()
    spoken: Language = "vi" if language == "vi" else "en"
    journal.begin(spoken)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_before_serving)
    # `filterd serve` blocked them, so that none could arrive before this.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGHUP}
    )  # a blocked one waits although it is ignored
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # the parent may ignore it
    try:
        _serve(Path(config), StateFolder(Path(state)), spoken, try_it=try_it == "yes")
    except (FilterdError, OSError, MemoryError) as error:
        known = error if isinstance(error, FilterdError) else _start_failed(error)
        for line in known.translated(spoken).splitlines():
            _say(f"filterd: {line}")
        sys.exit(known.exit_code)


def _start_failed(error: OSError | MemoryError) -> FilterdError:
    """Return the error of a start that this machine refuses, as a person reads it."""
    if is_out_of_memory(error):
        return StoreError(TOO_LITTLE)
    return StoreError(say("it cannot begin: {why}; {remedy}", why=quoted(str(error)), remedy=_LOOK))


def _stop_before_serving(*_: object) -> NoReturn:
    """End the start, and with it the child that compiles: nothing is active yet."""
    sys.exit(0)


def _serve(config: Path, state: StateFolder, language: Language, *, try_it: bool) -> None:
    """Prepare the shared state, then run all processes until a signal to stop.

    A daemon of root drops its rights for good once it listens.
    """
    with as_owner_of(state.folder), site_loader.held(state):
        clock, page = SystemClock(), SharedPage()
        started, ran_until = clock.monotonic(), known_time.read(state).at
        # This process has one thread, here and when it forks what it keeps.
        site_loader.restore_files(state)
        overrides, unwritten = SharedOverrides(), Unwritten()
        known_time.begin(state, clock, page, (TimeFloor(state.feed).read(),))
        indexes = VerifiedIndexes()
        with indexes.kept():
            site = _first_site(config, state, clock, page, overrides, unwritten, indexes)
        sites, mark = SealedSites(site.policy.workers), indexes.mark_of(site.index)
        sites.add(seal(page.site_epoch, site.timed.policy, site.index, mark))
        built_at = site.unset_clock.floor
        known_time.begin(state, clock, page, (TimeFloor(state.feed).read(), built_at))
        policy, has_upstreams = site.policy, bool(site.route.servers)
        _load_what_workers_need(site)
        del site
        _allow_many_sockets()
        texts = Texts(language)
        with own_rights():
            make_folder_for_owner(state.control_socket.parent)
            listening, policy = _listen(texts, policy, try_it=try_it)
            tls = listen_by_tls(by_tls(policy))
        kept = (page, overrides, sites, unwritten)
        of_start = started, policy.listen, policy.workers
        setting = Setting(config, state, clock, *kept, *of_start, ran_until=ran_until)
        keep_none()
        with contextlib.suppress(OSError):  # without it only tunnels go unnoticed
            read_suffixes()
        children = _children(setting, listening, tls)
        page.objection_until = inf
        ready = partial(_ready, page, texts, policy, has_upstreams=has_upstreams, try_it=try_it)
        if try_it:
            ready = partial(_ready_with_dashboard, ready, state, language)
        Supervisor(children, page, clock, sites).run(ready, partial(notify, STOPPING))


def _first_site(
    config: Path,
    state: StateFolder,
    clock: Clock,
    page: SharedPage,
    overrides: SharedOverrides,
    unwritten: Unwritten,
    indexes: VerifiedIndexes,
) -> Site:
    """Return the site to begin with, and share the changes that hold in it.

    It is loaded here once: a site that cannot be served is an error now, and not a process that
    dies again and again; and all processes take it from memory.
    """
    time = PolicyClock(clock, page)
    compile_policy_or_keep(
        config, state, now=time.least(), indexes=indexes, start=forked, unwritten=unwritten
    )
    recall_overrides(state, clock, overrides)
    held = overrides.get()
    known_time.begin_changes(state, page, 0 if held is None else held.overrides.number)
    return site_loader.load_site(
        config,
        state,
        indexes=indexes,
        unwritten=unwritten,
        now=time.wall(),
        certain=time.certain,
    )


def _load_what_workers_need(site: Site) -> None:
    """Load before the fork what workers would load from the disk at the first use."""
    ZoneInfo(site.policy.time_zone)  # it is remembered
    if by_tls(site.policy):
        importlib.import_module("filterd.daemon.serving.tls_transport")
    if any(server.tls != Tls.NO for route in site.routes for server in route.servers):
        from filterd.upstream import tls_trust  # noqa: PLC0415 -- with ssl it takes megabytes

        importlib.import_module("filterd.upstream.tls")
        tls_trust.read_authorities()


def _listen(texts: Texts, policy: Policy, *, try_it: bool) -> tuple[list[Listening], Policy]:
    """Bind the addresses of a policy; return the policy with the ports that were free.

    A trial takes the next port that is free, for no device of a school depends on it.

    Raises:
        ConfigError: an address cannot be bound.
    """
    try:
        return listen_again_on(policy.listen), policy
    except ConfigError as error:
        most = _LAST_PORT - max(one.port for one in policy.listen)
        for further in range(1, min(_PORTS_TO_TRY, most + 1)) if try_it else ():
            moved = tuple(replace(one, port=one.port + further) for one in policy.listen)
            with contextlib.suppress(ConfigError):
                listening = listen_on(moved)
                port = moved[0].port
                _say(texts("{reason}; taking port {port}", reason=error.reason, port=port))
                return listening, replace(policy, listen=moved)
        raise


def _ready(
    page: SharedPage, texts: Texts, policy: Policy, *, has_upstreams: bool, try_it: bool
) -> None:
    """Print, after the forks, that filterd serves.

    So no other process loads the catalogue of texts. Only now systemd's watchdog counts.
    """
    notify(READY)
    page.objection_until = 0.0
    for line in _greeting(texts, policy, has_upstreams=has_upstreams, try_it=try_it):
        _say(line)


def _ready_with_dashboard(
    ready: Callable[[], None], state: StateFolder, language: Language
) -> None:
    """Start the dashboard beside a daemon that is being tried out.

    It is a process of its own, which ends with this one (prctl(2), PR_SET_PDEATHSIG); without
    its libraries or a free port it only prints why. The signals that this process blocks reach it;
    Ctrl-C as soon as it can end without a traceback.
    """
    ready()
    words = bounded_child.command(_DASHBOARD, str(state.folder), language)
    try:
        os.posix_spawn(words[0], words, os.environ, setsigmask=(signal.SIGINT,))
    except OSError as error:
        _logger.warning("the dashboard cannot be started: %s", refused(error))


def _allow_many_sockets() -> None:
    """Raise the soft limit of file descriptors to the hard limit.

    A thousand queries may be open.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, _MOST_DESCRIPTORS), hard))


def _children(setting: Setting, listening: Sequence[Listening], tls: ListeningTls) -> list[Child]:
    channels = [channel_pair() for _ in range(setting.workers)]
    ends = [manager_end for manager_end, _ in channels]
    manager = Child(
        "manager",
        0,
        _process(partial(_manage, setting, ends)),
        hears_hangup=True,
        patience_ticks=TICKS_OF_THE_MANAGER,
        ended_sooner=privileges.THE_MANAGER,
    )
    return [
        manager,
        *(
            Child(
                f"worker {n}",
                n,
                _process(partial(_work, setting, listening, tls, end, n)),
                ended_sooner=privileges.A_WORKER,
            )
            for n, (_, end) in enumerate(channels, 1)
        ),
    ]


def _process(life: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Return the main function of a forked child.

    It runs an event loop, and writes one line for an error.
    """

    async def attended() -> None:
        journal.attend(asyncio.get_running_loop())
        await life()

    def run() -> None:
        try:
            uvloop.run(attended())
        except FilterdError as error:
            for line in str(error).splitlines():
                _logger.error("%s", line)
            sys.exit(1)
        except OSError as error:
            if is_out_of_memory(error):
                raise  # the journal has a line for it
            _logger.error("a process of filterd cannot go on: %s; %s", quoted(str(error)), _LOOK)
            sys.exit(1)

    return run


async def _work(
    setting: Setting,
    listening: Sequence[Listening],
    tls: ListeningTls,
    end: socket.socket,
    number: int,
) -> None:
    """Run a worker."""
    prefer_the_loop()
    setting.sites.be_worker(number)
    setting.overrides.be_reader()
    stop = stop_event()
    worker = Worker(setting, listening, end, tls._replace(is_first=number == 1))
    heart = Heart(setting.page, number)
    heart.start()
    await worker.start()
    heart.note_ready()
    watch = watchdog.of_a_worker(lambda: worker.site, setting)
    watching = asyncio.get_running_loop().create_task(watch.run())
    await stop.wait()
    watching.cancel()
    heart.stop()
    await worker.stop()


async def _manage(setting: Setting, ends: Sequence[socket.socket]) -> None:
    """Run the manager."""
    yield_to_workers()  # first: its imports take long, and no lookup should wait for them
    from filterd.daemon.manager_main import manage  # noqa: PLC0415 -- for this process only

    await manage(setting, ends)


def _greeting(texts: Texts, policy: Policy, *, has_upstreams: bool, try_it: bool) -> Iterator[str]:
    """Yield the addresses and what is missing, so that no log must be searched."""
    shown = ", ".join(
        texts("{address} port {port}", address=one.address, port=one.port) for one in policy.listen
    )
    yield texts("filterd listens on {listen}", listen=shown)
    if native.missing():
        yield texts(
            "warning: the native extension is missing and lookups are much slower; install"
            " gcc and python3-dev, then run `make setup`"
        )
    if not has_upstreams:
        yield texts(
            "warning: no upstream is known: blocked names are answered, all other names get"
            " SERVFAIL"
        )
    if try_it:
        yield texts("Try in another terminal:")
        for line in _examples(policy):
            yield f"  {line}"


def _examples(policy: Policy) -> list[str]:
    """Return lookups for several grades of the sample site (``policies/site.yaml``)."""
    listen = _loopback(policy)
    server = f"@{listen.address} -p {listen.port}"
    asked = [
        ("127.0.1.1", "www.tiktok.com", "grade 1"),
        ("127.0.11.1", "www.tiktok.com", "grade 11"),
        ("127.0.100.1", "www.tiktok.com", "staff"),
        ("127.0.100.1", "www.pornhub.com", "staff, locked for everybody"),
    ]
    width = max(len(f"{source} {name}") for source, name, _ in asked)
    return [
        f"dig -b {source} {server} {name}{' ' * (width - len(source) - len(name))} # {whom}"
        for source, name, whom in asked
    ]


def _loopback(policy: Policy) -> ListenAddress:
    return next((one for one in policy.listen if one.address == "127.0.0.1"), policy.listen[0])


def _say(line: str) -> None:
    """Print a line; a standard error that is closed or full ends and delays nothing."""
    journal.put(f"{line}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
