# SPDX-License-Identifier: Apache-2.0
"""Define the questions of a set-up, as data.

A terminal asks them now, a page may do so later.

``QUESTIONS`` is the whole dialogue in its order. A question has an id, a text, choices or
none, a default from what was found on the machine or stands in the site, a condition on the
answers before it, and a check. ``pending`` returns what is to be asked next.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from filterd.appliance.setup import school_answers as read
from filterd.appliance.setup.interview import (
    BY_DEVICE,
    NONE,
    ONE_TIER,
    RANGES,
    Interview,
    PendingQuestion,
    SchoolLink,
    SetupChoice,
    SetupQuestion,
)
from filterd.base.errors import ConfigError
from filterd.config.scalars import is_feed_address
from filterd.policy.field_checks import is_school_code
from filterd.texts.i18n import Sentence, did_you_mean, say, say_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

BESIDE, GATEWAY, IN_LINE = "A", "B", "C"
RECOMMENDED, FEED, LATER = "recommended", "feed", "later"
AS_IT_IS = "as-it-is"
"""The upstreams of a site that have ports or names, which no answer has."""
CAN, CANNOT = "can", "cannot"
DHCP_OFF, BY_HAND, SECOND_CARD = "dhcp-off", "by-hand", "second-card"


def pending(interview: Interview) -> PendingQuestion | None:
    """Return what is to be asked next, None where all is answered."""
    for one in _asked(interview):
        if one.key not in interview.answers:
            return one
    return None


def fill(interview: Interview, given: Mapping[str, str]) -> None:
    """Answer every question from a file of answers, else by its default.

    Raises:
        ConfigError: an answer is wrong or missing, or answers no question.
    """
    ids = [one.id for one in QUESTIONS]
    for key in given:
        if key.partition(" ")[0] not in ids:
            raise ConfigError(
                say("'{key}' is not a question", key=key), hint=did_you_mean(key, ids)
            )
    while (one := pending(interview)) is not None:
        try:
            one.accept(given.get(one.key, ""))
        except ConfigError as error:
            raise ConfigError(
                say("{key}: {reason}", key=one.key, reason=error.reason), hint=error.hint
            ) from None


def take_up(interview: Interview, kept: Mapping[str, str]) -> None:
    """Answer as in an interrupted set-up, until an answer is no longer right."""
    with contextlib.suppress(ConfigError):
        while (one := pending(interview)) is not None and one.key in kept:
            one.accept(kept[one.key] or NONE)


def _asked(interview: Interview) -> Iterator[PendingQuestion]:
    """Yield the questions whose conditions hold, as far as the answers go."""
    for question in QUESTIONS:
        if question.asked(interview):
            items = ("",) if question.items is None else question.items(interview)
            yield from (PendingQuestion(question, item, interview) for item in items)


def _joined(check: Callable[[str], Collection[object]]) -> Callable[[str, Interview], str]:
    return lambda text, _: ", ".join(map(str, check(text)))


def _filled(text: str, _: Interview) -> str:
    if not any(letter.isalpha() for letter in text):
        raise ConfigError(
            say("a name has letters"), hint=say("such as: Nguyen Du lower secondary school")
        )
    return text


def _code(text: str, _: Interview) -> str:
    if text and not is_school_code(text):
        raise ConfigError(say("this is not the code of a school"), hint=say("such as: 79000123"))
    return text


def _networks(text: str, _: Interview) -> str:
    if not (found := read.networks_of(text)):
        raise ConfigError(say("at least one is needed"), hint=say("such as: 192.168.6.0/24"))
    return ", ".join(found)


def _here(text: str, _: Interview) -> str:
    if len(text.split()) != 1:
        raise ConfigError(say("one name or address"), hint=say("such as: eth0, 192.168.6.2"))
    return text


def _classes(text: str, interview: Interview) -> str:
    if text.startswith("@"):
        from pathlib import Path  # noqa: PLC0415 -- for this answer only

        assert interview.machine.read_table is not None
        text = read.classes_in(interview.machine.read_table(Path(text[1:]).expanduser()))
    return ", ".join(map(str, read.classes_of(text)))


def _ranges(text: str, interview: Interview) -> str:
    lan, found = read.networks_of(interview.get("networks")), read.networks_of(text)
    if wrong := [one for one in found if one in lan]:
        raise ConfigError(
            say("{range} is the whole LAN", range=wrong[0]),
            hint=say("such as: 192.168.1.32/27, 192.168.1.64/27"),
        )
    return ", ".join(found)


def _feed(text: str, _: Interview) -> str:
    if not is_feed_address(text):
        raise ConfigError(
            say("'{address}' is not an address of a feed", address=text),
            hint=say("write https://HOST/PATH, without a name or password"),
        )
    return text


def _root(text: str, _: Interview) -> str:
    digits = "".join(text.lower().replace(":", " ").split())
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise ConfigError(
            say("a fingerprint has 64 digits, 0 to 9 and a to f"),
            hint=say("the publisher reads it out in groups of four"),
        )
    return digits


def _silent(text: str, interview: Interview) -> str:
    """Check by another probe that the router's DHCP is off, unless that is put off."""
    if text != LATER and (still := interview.machine.probe_dhcp()):
        raise ConfigError(
            say("{server} still hands out addresses and DNS", server=still[0]),
            hint=say("switch its DHCP off, wait a minute, press Enter again; or 2 for later"),
        )
    return text


def _upstreams(text: str, interview: Interview) -> str:
    if text == AS_IT_IS and interview.before.get("upstreams") == AS_IT_IS:
        return text
    return ", ".join(read.upstreams_of(text))


def _users(text: str, interview: Interview) -> str:
    return ", ".join(read.users_of(text, interview.machine.users))


def _found_networks(interview: Interview) -> str | None:
    return ", ".join(network.cidr for network in interview.machine.networks) or None


def _of_link(link: SchoolLink) -> Sentence:
    return say("{interface}, this box is {box}", interface=link.interface, box=link.address)


def _placement(interview: Interview) -> str:
    machine = interview.machine
    inward = {link.interface for link in machine.links} - set(machine.outward)
    return IN_LINE if inward and machine.outward else BESIDE


def _working(interview: Interview) -> str:
    works = [upstream.answer for upstream in interview.machine.upstreams if upstream.works]
    return works[0] if works else "system"


def _is_flat(interview: Interview) -> bool:
    """Whether one network has devices of several grades, or of pupils and staff."""
    named = read.networks_of(interview.get("networks"))
    ipv4 = [one for one in named if "." in one]
    return len(ipv4 or named) == 1  # in site.yaml the IPv6 prefixes of its link are beside it


def _to_be_seated(interview: Interview) -> tuple[str, ...]:
    return () if interview.is_one_seat else interview.networks


def _staff_have_no_network(interview: Interview) -> bool:
    return interview.get("flat") != ONE_TIER and "staff" not in interview.seats.values()


def _other_dhcp(interview: Interview) -> bool:
    return interview.get("placement") == BESIDE


def _choices(*choices: tuple[str, Sentence]) -> Callable[[Interview], tuple[SetupChoice, ...]]:
    made = tuple(SetupChoice(*choice) for choice in choices)
    return lambda _: made


def _default(answer: str) -> Callable[[Interview], str]:
    return lambda _: answer


QUESTIONS: tuple[SetupQuestion, ...] = (
    SetupQuestion(
        "language",
        say("Language of filterd"),
        default=_default("vi"),
        choices=_choices(("vi", say_in("name", "Vietnamese")), ("en", say_in("name", "English"))),
    ),
    SetupQuestion("school", say("Name of the school"), check=_filled),
    SetupQuestion(
        "code",
        say("Code of the school (Enter: none)"),
        help=say("The ministry's code, which survives a renaming. Reports have it."),
        check=_code,
        default=_default(""),
    ),
    SetupQuestion(
        "placement",
        say("Where does this box stand?"),
        default=_placement,
        choices=_choices(
            (
                BESIDE,
                say(
                    "beside the router, which hands it out as DNS. Nothing is rewired. A device"
                    " that sets another DNS by hand is not filtered."
                ),
            ),
            (
                GATEWAY,
                say(
                    "DHCP, DNS and gateway on one network card. No DNS field of a router is"
                    " needed. A device that sets the router as its gateway by hand is not"
                    " filtered."
                ),
            ),
            (
                IN_LINE,
                say(
                    "in line, with two network cards: all traffic passes through it, so other"
                    " DNS can be refused. While the box is off, there is no Internet."
                ),
            ),
        ),
    ),
    SetupQuestion(
        "here",
        say("What is {item} of the old box on this one?"),
        check=_here,
        items=lambda so_far: so_far.moved_names,
    ),
    SetupQuestion(
        "networks",
        say("Networks of the school"),
        help=say("Found on this machine; write others if some are missing."),
        check=_networks,
        default=_found_networks,
        choices=lambda so_far: tuple(
            SetupChoice(network.cidr, _of_link(network)) for network in so_far.machine.networks
        ),
        is_open=True,
    ),
    SetupQuestion(
        "classes",
        say("Classes (Enter: none, only grades)"),
        help=say("Such as: 6A 6B 7A-7D. Or from a file: @classes.xlsx"),
        check=_classes,
        default=_default(""),
        is_open=True,
    ),
    SetupQuestion(
        "flat",
        say("All devices are in one network, which does not separate pupils from teachers"),
        asked=_is_flat,
        default=_default(BY_DEVICE),
        choices=_choices(
            (
                BY_DEVICE,
                say(
                    "everybody as the youngest class, but teachers by device. Cost: each"
                    " teacher's device is named once, by its MAC."
                ),
            ),
            (
                ONE_TIER,
                say(
                    "everybody as the youngest class, teachers too. Cost: older pupils and"
                    " teachers cannot open what the youngest may not."
                ),
            ),
            (
                RANGES,
                say(
                    "a DHCP range for each group. Cost: the DHCP server must know the MAC of"
                    " every device that gets an address of such a range."
                ),
            ),
        ),
    ),
    SetupQuestion(
        "ranges",
        say("Address ranges of the groups"),
        help=say("As the DHCP server has them, such as: 192.168.1.32/27, 192.168.1.64/27"),
        check=_ranges,
        default=_default(""),
        asked=lambda so_far: so_far.get("flat") == RANGES,
        is_open=True,
    ),
    SetupQuestion(
        "seat",
        say("Who is in {item}?"),
        help=say(
            "A class (6A), a grade (6), gv for staff, pm for a computer room (pm lab-a names"
            " it), guest, - to leave it out."
        ),
        check=lambda text, so_far: read.seat_of(text, so_far.classes),
        items=_to_be_seated,
    ),
    SetupQuestion(
        "staff",
        say("Devices of teachers, by number or MAC (Enter: none yet)"),
        help=say(
            "Teachers have no network of their own. A teacher's device that is not named gets"
            " what the pupils of its network get. Later: filterd devices assign, or run filterd"
            " setup again. Several: separate them by commas."
        ),
        check=_joined(read.macs_of),
        choices=lambda so_far: so_far.machine.devices,
        default=_default(""),
        asked=_staff_have_no_network,
        is_open=True,
    ),
    SetupQuestion(
        "leases",
        say("File of leases of the DHCP server on this box (Enter: none)"),
        help=say("With it devices have names and are known at once (dnsmasq)."),
        default=lambda so_far: so_far.machine.lease_file,
        asked=lambda so_far: so_far.get("placement") != BESIDE,
    ),
    SetupQuestion(
        "upstreams",
        say("Resolvers to ask for what passes"),
        help=say("Several: separate them by commas. By TLS: tls:ADDRESS"),
        check=_upstreams,
        default=_working,
        choices=lambda so_far: tuple(
            SetupChoice(upstream.answer, upstream.about) for upstream in so_far.machine.upstreams
        ),
        is_open=True,
    ),
    SetupQuestion(
        "lists",
        say("What is to be blocked?"),
        default=_default(RECOMMENDED),
        choices=_choices(
            (RECOMMENDED, say("public lists, a million names, renewed every night")),
            (FEED, say("the signed feed of a publisher, such as the province")),
            (LATER, say("for now only the 2,300 names that ship")),
        ),
    ),
    SetupQuestion(
        "feed",
        say("Address of the feed"),
        check=_feed,
        asked=lambda so_far: so_far.get("lists") == FEED,
    ),
    SetupQuestion(
        "root",
        say("Fingerprint of the publisher's root"),
        help=say("Ask for it by telephone: all trust begins here."),
        check=_root,
        default=lambda so_far: "" if so_far.before.get("feed") == so_far.get("feed") else None,
        asked=lambda so_far: so_far.get("lists") == FEED,
    ),
    SetupQuestion(
        "admins",
        say("Users of this machine who administer filterd"),
        check=_users,
        default=lambda so_far: so_far.machine.user,
        asked=lambda so_far: bool(so_far.machine.users),
        is_open=True,
    ),
    SetupQuestion(
        "teachers",
        say("Users of this machine who teach (Enter: none)"),
        help=say("They may open and close things for a lesson."),
        check=_users,
        default=_default(""),
        asked=lambda so_far: bool(so_far.machine.users),
        is_open=True,
    ),
    SetupQuestion(
        "router",
        say("Can the router's DHCP hand out this box as the only DNS?"),
        help=say("Look for DHCP, LAN or DNS server in the pages of the router."),
        default=_default(CAN),
        choices=_choices(
            (CAN, say("yes, the sheet at the end has what to enter")),
            (CANNOT, say("no: it has no field for DNS, or the provider has locked it")),
        ),
        asked=_other_dhcp,
    ),
    SetupQuestion(
        "plan-b",
        say("Without that field there are three ways, the best one first"),
        default=_default(DHCP_OFF),
        choices=_choices(
            (DHCP_OFF, say("switch the router's DHCP off; this box hands out addresses")),
            (BY_HAND, say("set DNS by hand on the computers of the computer room, no others")),
            (SECOND_CARD, say("a second network card (USB) in this box: placement C")),
        ),
        asked=lambda so_far: so_far.get("router") == CANNOT,
    ),
    SetupQuestion(
        "dhcp-off",
        say("Switch the router's DHCP off now, then press Enter"),
        help=say("filterd then checks that it no longer answers."),
        check=_silent,
        default=_default("done"),
        choices=_choices(
            ("done", say("it is off")), (LATER, say("later; the sheet at the end has it"))
        ),
        asked=lambda so_far: so_far.get("plan-b") == DHCP_OFF,
    ),
    SetupQuestion(
        "ipv6",
        say("The router announces another DNS by IPv6, which devices ask first"),
        default=_default("router"),
        choices=_choices(
            ("router", say("I switch DNS by IPv6 off in the router")),
            ("no-ipv6", say("I switch IPv6 off in the router")),
            ("ra-guard", say("I block router advertisements in the switch (RA guard)")),
            ("placement-c", say("I put the box in line: placement C")),
            (LATER, say("later; until then such devices are not filtered")),
        ),
        asked=lambda so_far: bool(so_far.machine.advertised),
    ),
)
