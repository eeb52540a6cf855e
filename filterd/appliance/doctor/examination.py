# SPDX-License-Identifier: Apache-2.0
"""Examine a gateway: all probes at once.

The findings are in the order in which they come.

No probe changes anything. One that takes too long or fails is not silent: its finding is then
that it could not look, and why.

The daemon starts ``python -m filterd.appliance.doctor.examination`` with one JSON object on its
input, the folders ``config`` and ``state``, and gets the findings, as ``filterd doctor --json``
prints them.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from filterd.appliance.doctor import (
    bypass_probes,
    link_probes,
    machine_probes,
    resolver_probes,
    service_probes,
)
from filterd.appliance.doctor.examined_site import gather
from filterd.appliance.doctor.probe import ExaminedSite, ProbeFinding, ProbeOutcome, unseen
from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError
from filterd.base.privileges import as_owner_of
from filterd.base.protection_line import ProtectionSubject
from filterd.base.state_folder import StateFolder
from filterd.texts.i18n import Sentence, refused, say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

WITHIN_S = 20.0
_LAST_S = 1.0
"""Of the time, for what comes behind the slowest probe."""


Look = Callable[[ExaminedSite], Iterable[ProbeFinding] | Awaitable[Iterable[ProbeFinding]]]


class SiteProbe(NamedTuple):
    """A probe: its id, what it is about, the function that looks, and subjects.

    ``look`` returns findings; a plain function may block, and runs in a thread of its own. Where it
    finds no fault and ``protection_level`` judges one of the ``subjects`` to be short, that is the
    finding: so the examination is never content where the status is not. Of those ``seen_anew``
    the status has an earlier look only: it counts where ``look`` could not see everything.
    """

    id: str
    about: Sentence
    look: Look
    subjects: tuple[ProtectionSubject, ...] = ()
    seen_anew: tuple[ProtectionSubject, ...] = ()


PROBES = (
    SiteProbe("port", say("Port of DNS"), resolver_probes.port),
    SiteProbe(
        "answers", say("Answers of filterd"), resolver_probes.answers, (ProtectionSubject.ANSWERS,)
    ),
    SiteProbe("tls", say("DNS over TLS"), service_probes.tls),
    SiteProbe(
        "upstreams", say("Upstreams"), resolver_probes.upstreams, (ProtectionSubject.UPSTREAMS,)
    ),
    SiteProbe(
        "canaries",
        say("A listed name of each category"),
        resolver_probes.canaries,
        (ProtectionSubject.TEST,),
    ),
    SiteProbe("sinkhole", say("Sinkholes"), service_probes.sinkholes),
    SiteProbe(
        "site",
        say("Site and expectations"),
        service_probes.site,
        (ProtectionSubject.EXPECTATIONS, ProtectionSubject.STATE),
    ),
    SiteProbe("lists", say("Lists and feed"), service_probes.lists, service_probes.LISTS),
    SiteProbe(
        "release", say("Release of filterd"), service_probes.release, (ProtectionSubject.PROGRAM,)
    ),
    SiteProbe("one-address", say("Lookups by device"), service_probes.one_address),
    SiteProbe("clock", say("Clock"), machine_probes.clock, (ProtectionSubject.CLOCK,)),
    SiteProbe("disk", say("Disk"), machine_probes.disk, (ProtectionSubject.DISK,)),
    SiteProbe("writes", say("Octets written"), machine_probes.writes),
    SiteProbe("memory", say("Memory"), machine_probes.memory),
    SiteProbe("kernel-limits", say("Kernel limits"), machine_probes.kernel_limits),
    SiteProbe("placement", say("Placement"), link_probes.placement),
    SiteProbe("dhcp", say("DHCP servers"), link_probes.dhcp),
    SiteProbe("staff-ranges", say("Addresses of the staff"), link_probes.staff_ranges),
    SiteProbe("ipv6-dns", say("DNS by IPv6"), link_probes.ipv6_dns),
    SiteProbe("captive-portal", say("Captive portal"), bypass_probes.captive_portal),
    SiteProbe("port-login", say("Login at the switch (802.1X)"), link_probes.port_login),
    SiteProbe(
        "other-resolvers",
        say("Ways past filterd"),
        bypass_probes.other_resolvers,
        (ProtectionSubject.BYPASS,),
        (ProtectionSubject.LINKS,),
    ),
    SiteProbe("doh", say("Names of DNS over HTTPS"), bypass_probes.doh_names),
    SiteProbe(
        "records",
        say("Pauses, history and backup"),
        service_probes.records,
        service_probes.RECORDS,
    ),
)
"""All probes, in the order of their subjects; a new one is a line here."""

HEALTH = tuple(probe for probe in PROBES if probe.id in {"answers", "canaries"})
"""What a container's health check asks: does it answer, and does it filter?"""

LINKS = tuple(probe for probe in PROBES if probe.id == "other-resolvers")
"""What a timer asks as root: only root can read the firewall."""

ABOUT = {probe.id: probe.about for probe in PROBES}


async def examine(
    site: ExaminedSite, probes: Sequence[SiteProbe] = PROBES, within_s: float = WITHIN_S
) -> AsyncGenerator[ProbeFinding]:
    """Yield the findings of all probes as they come; each has at least one.

    Args:
        site: what they look at.
        probes: which.
        within_s: after that the rest is given as unseen.
    """
    running = [
        asyncio.ensure_future(_findings(probe, site, within_s - _LAST_S)) for probe in probes
    ]
    try:
        for done in asyncio.as_completed(running):
            for finding in await done:
                yield finding
    finally:
        for task in running:
            task.cancel()


async def _findings(probe: SiteProbe, site: ExaminedSite, within_s: float) -> list[ProbeFinding]:
    try:
        async with asyncio.timeout(within_s):
            if inspect.iscoroutinefunction(probe.look):
                looked = await probe.look(site)
            else:
                looked = await _in_thread(probe.look, site)
        found = list(looked)
    except TimeoutError:
        found = [unseen(say("there was no result within {n} s", n=round(within_s)))]
    except PermissionError:
        found = [unseen(say("only root may look"), say("run it again with sudo"))]
    except FilterdError as error:
        found = [unseen(error.sentence)]
    except OSError as error:
        found = [unseen(refused(error))]
    except Exception as error:  # noqa: BLE001 -- a defect of one probe must not end the others
        found = [unseen(say("the probe failed: {why}", why=repr(error)[:200]))]
    outcomes = {one.outcome for one in found}
    if ProbeOutcome.FOUND not in outcomes:
        unseen_anew = probe.seen_anew if ProbeOutcome.UNSEEN in outcomes else ()
        found = _judged((*unseen_anew, *probe.subjects), site) or found
    return [one._replace(probe=probe.id) for one in found]


def _judged(subjects: Iterable[ProtectionSubject], site: ExaminedSite) -> list[ProbeFinding]:
    """Return what the judgement of the protection says of some subjects."""
    if not site.is_serving:
        return []
    judged = service_probes.judged_protection(site.status)
    return [service_probes.short_of(one) for one in judged.of(*subjects).short]


async def _in_thread(look: Callable[[ExaminedSite], Any], site: ExaminedSite) -> Any:
    """Call in a thread that nothing waits for at the end.

    A failing disk may never answer.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Any] = loop.create_future()

    def settle(findings: Any, error: Exception | None) -> None:
        if result.done():  # it was too late
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(findings)

    def run() -> None:
        findings, failure = None, None
        try:
            findings = list(look(site))
        except Exception as error:  # noqa: BLE001 -- raised where it is awaited
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: it was much too late
            loop.call_soon_threadsafe(settle, findings, failure)

    threading.Thread(target=run, daemon=True).start()
    return await result


def _answer(request: dict[str, Any], output: IO[bytes]) -> None:
    logging.disable()  # what fails is a finding
    state = StateFolder(Path(request["state"]))
    with as_owner_of(state.folder):
        site = gather(Path(request["config"]), state, SystemClock())

    async def examined() -> list[dict[str, Any]]:
        return [one.to_plain() async for one in examine(site)]

    output.write(json.dumps(asyncio.run(examined())).encode())


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_answer))
