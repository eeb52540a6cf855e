# SPDX-License-Identifier: Apache-2.0
"""Stories of questions that the relay answers or leaves to the chain, by theme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import dns.edns
import dns.message
import dns.rcode
import dns.rrset

from filterd.base.errors import (
    UpstreamOverloadError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from filterd.clients.neighbours import Neighbour
from filterd.policy.model import DelegatedZone, LocalZone, Network, UpstreamServer, ZoneRecord
from tests.support.policies import a_pin, a_protection, allow, block, wire
from tests.support.relaying import School
from tests.support.serving import GRADE_1, GRADE_11, NETWORKS, STAFF

Story = Callable[[School], list[bytes]]

NSID, OWN_SUBNET = (dns.edns.GenericOption(dns.edns.OptionType.make(n), b"") for n in (3, 8))


def asked(name: str, qtype: str = "A", source: str = GRADE_1, **options: Any) -> Story:
    """Return the story of one question: upstream, repetition, cache, repetition."""

    def story(school: School) -> list[bytes]:
        replies = [school.ask(name, qtype, source, **options) for _ in range(2)]
        school.stop_repeating()
        return [*replies, *(school.ask(name, qtype, source, **options) for _ in range(2))]

    return story


PLAIN = {
    "an address": asked("www.example.com"),
    "no data": asked("www.example.com", "AAAA"),
    "no such name": asked("nobody.example.com"),
    "an alias": asked("open.example.com"),
    "a service binding": asked("bound.example.com", "HTTPS"),
    "no such type": asked("www.example.com", "HTTPS"),
    "no lifetime": asked("never.example.com"),
    "listed and open": asked("social.example", source=GRADE_11),
    "listed and open by two names": asked("a.banner.social.example", source=GRADE_11),
    "an alias for what is listed and open": asked("alias.example.com", source=GRADE_11),
    "without EDNS": asked("www.example.com", edns=False),
    "too large for the client": asked("large.example.com", "TXT", udp_size=512),
    "too large without EDNS": asked("large.example.com", "TXT", edns=False),
    "too large for the upstream's datagram": asked("huge.example.com", "TXT", udp_size=4096),
    "letters of any case": asked("www.example.com", cased=True),
    "signatures wanted": asked("www.example.com", do=True),
    "no validation wanted": asked("www.example.com", cd=True),
    "authenticity wanted": asked("www.example.com", ad=True),
    "an option that changes nothing": asked("www.example.com", options=[NSID]),
}


OVERRULED: dict[str, tuple[Story, dict[str, Any]]] = {
    "a pin": (asked("open.example.com"), {"pins": [a_pin("cdn.example.net")]}),
    "a protection": (asked("open.example.com"), {"protections": [a_protection("example.net")]}),
    "a block": (asked("open.example.com"), {"rules": [block("cdn.example.net")]}),
    "a block above": (asked("open.example.com"), {"rules": [block("example.net")]}),
    "an allow": (asked("alias.example.com"), {"rules": [allow("social.example")]}),
    "a local zone": (
        asked("open.example.com"),
        {"local_zones": [LocalZone(wire("cdn.example.net"), ())]},
    ),
    "a rule for the name itself": (
        asked("www.example.com"),
        {"rules": [allow("www.example.com")]},
    ),
    "a local name": (
        asked("printer.school.lan"),
        {
            "local_zones": [
                LocalZone(
                    wire("school.lan"), (ZoneRecord(wire("printer.school.lan"), 1, 60, bytes(4)),)
                )
            ]
        },
    ),
}


def saying(name: str, rcode: str = "NOERROR", ede: int | None = None) -> Story:
    """Return the story of an upstream that fails, or gives reasons."""

    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(dns.rcode.from_text(rcode))
        if ede is not None:
            reason = dns.edns.EDEOption(dns.edns.EDECode.make(ede))
            response.use_edns(0, 0, 1232, options=[reason])
        if rcode == "NOERROR":
            response.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "A", "198.18.0.7"))
        return response

    def story(school: School) -> list[bytes]:
        school.upstream.respond = respond
        return asked(name)(school)

    return story


def failing(error: type[Exception]) -> Story:
    """Return the story of questions that do not get to an upstream."""

    def story(school: School) -> list[bytes]:
        school.serving.forwarder.ask = lambda *_: error("for a test")  # type: ignore[assignment]
        return asked("www.example.com")(school)

    return story


NOT_PLAIN: dict[str, tuple[Story, dict[str, Any]]] = {
    "an alias for what is locked": (asked("hidden.example.com"), {}),
    "an alias for what is closed": (asked("alias.example.com"), {}),
    "a private address": (asked("private.example.com"), {}),
    "a private address beside another": (asked("mixed.example.com"), {}),
    "a key that nobody may have": (asked("keys.example.com", "HTTPS"), {"strip_ech": True}),
    "a key": (asked("keys.example.com", "HTTPS"), {}),
    "a reason": (saying("reason.example.com", ede=4), {}),
    "a failure": (saying("failed.example.com", "SERVFAIL"), {}),
    "a failure for a reason": (saying("bogus.example.com", "SERVFAIL", 6), {}),
    "a refusal": (saying("refused.example.com", "REFUSED"), {}),
    "no answer in time": (failing(UpstreamTimeoutError), {}),
    "too many questions": (failing(UpstreamOverloadError), {}),
    "no way there": (failing(UpstreamUnreachableError), {}),
    "type ANY": (asked("www.example.com", "ANY"), {}),
    "no recursion wanted": (asked("www.example.com", rd=False), {}),
    "an option of its own": (asked("www.example.com", options=[OWN_SUBNET]), {}),
    "special use": (asked("a.onion"), {}),
    "a single label": (asked("example"), {}),
}


def refusing_to_answer(school: School) -> list[bytes]:
    """An upstream that is no use from now on."""

    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(dns.rcode.SERVFAIL)
        return response

    school.upstream.respond = respond
    return []


def together(*questions: tuple[str, str, str], then: Story | None = None) -> Story:
    """Return the story of questions that wait for one exchange, in which something may happen."""

    def story(school: School) -> list[bytes]:
        stubs = school.held(*questions)
        more = then(school) if then else []
        school.upstream.released.set()
        return [*more, *(stub.receive() for stub in stubs)]

    return story


SHARED = {
    "a name of one grade's": together(
        ("alias.example.com", "A", GRADE_1), ("alias.example.com", "A", GRADE_11)
    ),
    "the other one first": together(
        ("alias.example.com", "A", GRADE_11), ("alias.example.com", "A", GRADE_1)
    ),
    "an open name": together(("open.example.com", "A", GRADE_1), ("open.example.com", "A", STAFF)),
    "a failure": together(
        ("failed.example.com", "A", GRADE_1),
        ("failed.example.com", "A", GRADE_11),
        then=refusing_to_answer,
    ),
    "what is not for anybody": together(
        ("mixed.example.com", "A", GRADE_1), ("mixed.example.com", "A", GRADE_11)
    ),
}


def changed(**policy: Any) -> Story:
    """Return the story of a site that comes into force."""

    def story(school: School) -> list[bytes]:
        school.change(**policy)
        return []

    return story


def changed_and_used(**policy: Any) -> Story:
    """Return the same, and others make what was found out before look as if it held."""

    def story(school: School) -> list[bytes]:
        school.change(**policy)
        return [school.ask("porn.example"), school.ask("porn.example")]

    return story


def clock_set_back(school: School) -> list[bytes]:
    school.serving.run(lambda: school.serving.clock.set_wall(-100))
    return []


def surroundings_changed(school: School) -> list[bytes]:
    def change() -> None:
        school.serving.sites.current.surroundings.version += 1

    school.serving.run(change)
    return []


PUPIL_S, TEACHER_S = "02:00:00:00:00:01", "02:00:00:00:00:02"
LAPTOPS = (*NETWORKS, Network("laptops", "11", macs=(TEACHER_S,)))


def seen(school: School, mac: str) -> None:
    """Let the device that has the address of a pupil of grade 1 be seen."""
    device = Neighbour(ip_address(GRADE_1), "lo", mac, True)
    surroundings = school.serving.sites.current.surroundings
    school.serving.run(lambda: surroundings.take_neighbours((device,)))


def another_device(*questions: tuple[str, str, str], then: Callable[[School], None]) -> Story:
    """Return the story of a laptop whose address is another's when its answers come."""

    def story(school: School) -> list[bytes]:
        school.know_devices(networks=LAPTOPS)
        seen(school, TEACHER_S)
        school.greet(GRADE_1)
        stubs = school.held(*questions)
        then(school)
        school.upstream.released.set()
        return [stub.receive() for stub in stubs]

    return story


def delegated(school: School) -> list[bytes]:
    server = UpstreamServer(school.upstream.address, school.upstream.port)
    school.change(delegated_zones=[DelegatedZone(wire("example.com"), (server,))])
    return []


SWAPPED = tuple(
    replace(one, grade={"1": "11", "11": "1"}.get(one.grade, one.grade)) for one in NETWORKS
)
WWW, OPEN = ("www.example.com", "A", GRADE_1), ("open.example.com", "A", GRADE_1)
ALIAS = ("alias.example.com", "A", GRADE_1), ("alias.example.com", "A", GRADE_11)

MEANWHILE = {
    "blocked": together(WWW, then=changed(rules=[block("www.example.com")])),
    "blocked, and asked of": together(WWW, then=changed_and_used(rules=[block("www.example.com")])),
    "its alias blocked": together(OPEN, then=changed(rules=[block("cdn.example.net")])),
    "its alias allowed": together(ALIAS[0], then=changed(rules=[allow("social.example")])),
    "a younger class": together(*ALIAS, then=changed(networks=SWAPPED)),
    "nothing that matters": together(WWW, then=changed()),
    "delegated": together(WWW, then=delegated),
    "the clock set back": together(WWW, then=clock_set_back),
    "other devices": together(WWW, then=surroundings_changed),
    "who has the address": another_device(ALIAS[0], then=lambda one: seen(one, PUPIL_S)),
    "nobody is seen any more": another_device(ALIAS[0], then=lambda one: one.advance(61)),
}


def in_line(school: School) -> list[bytes]:
    """A question is taken in, and a site that blocks the name comes before its turn."""
    serving, site = school.serving, school.site(rules=[block("www.example.com")])
    stubs = []

    def turn() -> None:  # in one go, so that the loop cannot come between
        stubs.append(school.send("www.example.com"))
        serving.udp[0].datagrams.receive(serving.clock.monotonic())
        serving.sites.current = site
        serving.udp[0]._answer_next(1)

    school.upstream.released.clear()
    serving.run(turn)
    replies = [school.ask("porn.example", source=GRADE_11) for _ in range(2)]
    school.upstream.released.set()
    return [*replies, stubs[0].receive()]


def expired(school: School) -> list[bytes]:
    replies = [school.ask("www.example.com")]
    school.advance(301)
    return [*replies, school.ask("www.example.com"), school.ask("www.example.com")]


def refreshed(school: School) -> list[bytes]:
    replies = [school.ask("www.example.com") for _ in range(5)]
    school.advance(275)
    replies.append(school.ask("www.example.com"))
    school.upstream.wait_until_asked(2)
    school.serving.eventually(lambda: not len(school.serving.background))
    return [*replies, school.ask("www.example.com")]


def failed_again(school: School) -> list[bytes]:
    replies = saying("failed.example.com", "SERVFAIL")(school)
    school.advance(10)
    school.upstream.respond = None
    return [*replies, school.ask("failed.example.com"), school.ask("failed.example.com")]


def given_up(school: School) -> list[bytes]:
    """No client waits any more when the answer comes; the first one is for another."""
    (stub,) = school.held(WWW)

    def give_up() -> None:
        for one in list(school.serving.stepper._waiting):
            one.cancel()

    school.serving.run(give_up)
    school.serving.eventually(lambda: not len(school.serving.stepper))
    school.upstream.released.set()
    school.serving.eventually(lambda: not school.serving.forwarder.in_flight)
    school.send("social.example", source=GRADE_1)
    return [stub.receive()]
