# SPDX-License-Identifier: Apache-2.0
"""Translate between the answers of a set-up and the keys of ``site.yaml``.

``answers_in`` returns the answers that a site has already, ``change`` the keys that differ
once others are given. What no answer changes is not in the change, in whatever form the
school wrote it; nothing is taken out but the seat of a network and the way lists come, where
another answer replaces them.

``moved_change`` changes what a site has of its old machine: interfaces and own addresses. ``filterd
setup --restore`` asks for each of them (the question ``here``). Networks by their ranges, MACs of
devices, classes and rules are of the school and stay.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from filterd.appliance.setup import school_answers as read
from filterd.appliance.setup.interview import MOVED, Interview
from filterd.appliance.setup.questions import AS_IT_IS, FEED, RECOMMENDED
from filterd.appliance.setup.school_answers import LEFT_OUT, ROOM
from filterd.appliance.setup.site_writer import UNNAMED
from filterd.base.addresses import is_address, parse_listen
from filterd.base.errors import ConfigError
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from filterd.appliance.setup.interview import Answers, Machine

Plain = dict[str, Any]

_TLS = "tls:"
_IDS = {
    "vi": {"class": "lop", "grade": "khoi", "staff": "giao-vien", "guest": "khach", "lan": "lan"},
    "en": {"class": "class", "grade": "grade", "staff": "staff", "guest": "guest", "lan": "lan"},
}
_DEVICES = {"vi": "thiet-bi-giao-vien", "en": "staff-devices"}


def answers_in(site: Plain) -> Answers:
    """Return the answers that the plain data of a ``site.yaml`` has; it is valid."""
    school, answers = site.get("school", {}), {"language": str(site.get("language", "vi"))}
    if (name := school.get("name")) != UNNAMED:
        answers["school"] = str(name or "")
    answers |= {"code": str(school.get("code", ""))} if school.get("code") else {}
    classes = [
        read.NamedClass(str(name), str(one["grade"])) for name, one in _of(site, "classes").items()
    ]
    answers |= {"classes": ", ".join(map(str, classes))} if classes else {}
    seats = {}
    for network_id, network in _of(site, "networks").items():
        for cidr in network.get("cidrs") or ():
            seats[str(cidr)] = _seat(network_id, network)
        if _is_of_staff_devices(network):
            answers["staff"] = ", ".join(read.macs_of(", ".join(network["macs"])))
    answers |= {"networks": ", ".join(seats)} if seats else {}
    answers |= {f"seat {cidr}": seat for cidr, seat in seats.items()}
    if site.get("upstreams"):
        answers["upstreams"] = _upstreams_answer(site["upstreams"])
    if site.get("feed"):
        answers |= {"lists": FEED, "feed": site["feed"]}
    elif site.get("follow"):
        answers["lists"] = RECOMMENDED
    return {key: value for key, value in answers.items() if value}


def change(site: Plain, interview: Interview) -> Plain:
    """Return the keys of ``site.yaml`` that the answers change, nested.

    None takes a key out.

    Args:
        site: the plain data of the file; empty for none.
        interview: all questions are answered.
    """
    before = answers_in(site) if site else {}
    known = Interview(interview.machine, {}, dict(before))
    youngest = interview.youngest
    return _difference(_wanted(known, site, youngest), _wanted(interview, site, youngest), site)


def _wanted(interview: Interview, site: Plain, youngest: str) -> Plain:
    """Return the keys for these answers, as far as there are answers.

    ``youngest`` is the grade of rooms.
    """
    get = interview.get
    language = get("language") if get("language") in _IDS else "vi"
    wanted: Plain = {}
    if get("school"):
        wanted["school"] = {"name": get("school"), "code": get("code") or None}
    wanted |= {"language": get("language")} if get("language") else {}
    if classes := interview.classes:
        wanted["classes"] = {name: {"grade": _grade(one)} for name, one in classes.items()}
    wanted["networks"] = _networks(interview, site, language, youngest)
    if get("leases"):
        wanted["leases"] = {"files": [{"file": get("leases"), "format": "dnsmasq"}]}
    if get("upstreams") not in ("", AS_IT_IS):
        wanted["upstreams"] = [_upstream(one) for one in read.upstreams_of(get("upstreams"))]
    wanted |= _lists(get("lists"), get("feed"))
    return wanted


def _lists(lists: str, feed: str) -> Plain:
    if lists == FEED:
        return {"feed": feed, "follow": None}
    return {"feed": None, "follow": ["recommended"] if lists == RECOMMENDED else None}


def _networks(interview: Interview, site: Plain, language: str, youngest: str) -> Plain:
    """Return the networks; one that the site has keeps its id and its ranges.

    Raises:
        ConfigError: two ranges of one network of the site are to differ.
    """
    written, networks = _of(site, "networks"), dict[str, Plain]()
    ids = {str(cidr): name for name, one in written.items() for cidr in one.get("cidrs") or ()}
    taken = set(written)
    for cidr, seat in interview.seats.items():
        if seat == LEFT_OUT:
            continue
        name = ids.get(cidr) or _new_id(_id(seat, interview, language), taken)
        taken.add(name)
        keys = _seat_keys(seat, interview, youngest)
        if networks.setdefault(name, keys) != keys:
            raise ConfigError(
                say("{range} is a part of the network '{name}'", range=cidr, name=name),
                hint=say("divide that network in site.yaml, or answer the same for both"),
            )
        if cidr not in ids:
            networks[name] = {"cidrs": [cidr, *interview.machine.beside(cidr)], **keys}
    if macs := read.macs_of(interview.get("staff")):
        found = (name for name, one in written.items() if _is_of_staff_devices(one))
        name = next(found, "") or _new_id(_DEVICES[language], taken)
        networks[name] = {"macs": list(macs), "grade": "staff"}
    elif "staff" in interview.answers and not any(
        one.get("grade") == "staff" for one in written.values()
    ):
        # `devices assign` needs a place; a room would be one that teachers may change.
        networks[_new_id(_DEVICES[language], taken)] = {"macs": [], "grade": "staff"}
    return networks


def _is_of_staff_devices(network: Plain) -> bool:
    return "macs" in network and not network.get("cidrs") and network.get("grade") == "staff"


def _seat_keys(seat: str, interview: Interview, youngest: str) -> Plain:
    """Return the keys that say whose network it is.

    A key that must not stand has None.
    """
    if seat.startswith(ROOM):
        return {"class": None, "room": True, "grade": _grade(youngest)}
    if seat in interview.classes:
        return {"class": seat, "room": None, "grade": None}
    return {"class": None, "room": None, "grade": _grade(seat)}


def _id(seat: str, interview: Interview, language: str) -> str:
    if seat.startswith(ROOM):
        return seat.removeprefix(ROOM)
    ids = _IDS[language]
    if interview.is_one_seat:
        return ids["lan"]
    if seat in interview.classes:
        return f"{ids['class']}-{read.slug(seat)}"
    return ids.get(seat) or (f"{ids['grade']}-{seat}" if seat.isdigit() else seat)


def _new_id(wish: str, taken: set[str]) -> str:
    names = (wish if number == 1 else f"{wish}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _seat(network_id: str, network: Plain) -> str:
    if network.get("class") is not None:
        return str(network["class"])
    if network.get("room") is True or network.get("timetable"):
        return ROOM + network_id
    return str(network.get("grade", ""))


def _difference(before: Plain, after: Plain, site: Plain) -> Plain:
    """Return what is otherwise in ``after``, and does not stand in the site like that."""
    found = {}
    for key, value in after.items():
        if key in before and before[key] == value:
            continue
        held = site.get(key)
        if isinstance(value, dict):
            inner = before.get(key)
            beneath = _difference(
                inner if isinstance(inner, dict) else {},
                value,
                held if isinstance(held, dict) else {},
            )
            if beneath:
                found[key] = beneath
        elif (value is not None or key in site) and (held != value or key not in site):
            found[key] = value
    return found


def _grade(grade: str) -> int | str:
    return int(grade) if grade.isdigit() else grade


def _upstream(answer: str) -> Any:
    if answer.startswith(_TLS):
        return {"server": answer.removeprefix(_TLS), "tls": "strict"}
    return answer


def _upstreams_answer(entries: list[Any]) -> str:
    """Return the answer for upstreams; ``AS_IT_IS`` for what no answer can express."""
    try:
        words = [
            _TLS + entry["server"] if isinstance(entry, dict) else str(entry)
            for entry in entries
            if not isinstance(entry, dict) or entry == _upstream(_TLS + str(entry["server"]))
        ]
        return (
            ", ".join(read.upstreams_of(", ".join(words)))
            if len(words) == len(entries)
            else AS_IT_IS
        )
    except ConfigError:
        return AS_IT_IS


def _of(site: Mapping[str, Any], key: str) -> Plain:
    found = site.get(key)
    return found if isinstance(found, dict) else {}


def strange_names(site: Plain, machine: Machine) -> tuple[str, ...]:
    """Return interfaces and addresses of a site that the machine does not have."""
    known = {*machine.outward, *(link.interface for link in machine.links)}
    own = {link.address for link in machine.links}
    names = [name for name in _interfaces(site) if name not in known]
    for written in _listed(site, "listen"):
        address = _address(written)
        if address and address not in own and not _is_everywhere(address):
            names.append(address)
    return tuple(dict.fromkeys(names))


def moved_defaults(site: Plain, machine: Machine) -> Answers:
    """Return the answers of a set-up that begins with the site of another machine."""
    names = strange_names(site, machine)
    likeliest = {f"here {name}": next(iter(choices_for(name, machine)), name) for name in names}
    return {MOVED: " ".join(names), **likeliest}


def choices_for(name: str, machine: Machine) -> tuple[str, ...]:
    """Return what may stand here for a name, the likeliest first."""
    if not is_address(name):
        return tuple(dict.fromkeys(link.interface for link in machine.links))
    beside = [link for link in machine.links if ip_address(name) in ip_network(link.cidr)]
    return tuple(dict.fromkeys(one.address for one in (*beside, *machine.links)))


def moved_change(site: Plain, here: Mapping[str, str]) -> Plain:
    """Return the keys of ``site.yaml`` in which an old machine's names are replaced.

    Args:
        site: the plain data.
        here: the new name by the old one.
    """
    found: Plain = {}

    def renamed(key: str, holder: Plain, rename: Callable[[Any], Any]) -> Plain:
        old = _listed(holder, key)
        new = list(map(rename, old))
        return {key: new} if new != old else {}

    def endpoint(written: Any) -> Any:
        address = _address(written)
        return str(written).replace(address, here[address]) if address in here else written

    found |= renamed("listen", site, endpoint)
    found |= renamed("lan_interfaces", site, lambda one: here.get(one, one))
    networks = {
        name: changed
        for name, network in _network_items(site)
        if (changed := renamed("interfaces", network, lambda one: here.get(one, one)))
    }
    return found | ({"networks": networks} if networks else {})


def _interfaces(site: Plain) -> Iterator[str]:
    yield from map(str, _listed(site, "lan_interfaces"))
    for _, network in _network_items(site):
        yield from map(str, _listed(network, "interfaces"))


def _network_items(site: Plain) -> Iterator[tuple[str, Plain]]:
    networks = site.get("networks")
    for name, network in networks.items() if isinstance(networks, dict) else ():
        if isinstance(network, dict):
            yield name, network


def _listed(holder: Plain, key: str) -> list[Any]:
    found = holder.get(key)
    return found if isinstance(found, list) else []


def _address(written: Any) -> str:
    """Return the address of ``ADDRESS`` or ``ADDRESS:PORT``; empty for something else."""
    text = str(written)
    if is_address(text):
        return text
    try:
        return parse_listen(text, text)[0]
    except ConfigError:
        return ""


def _is_everywhere(address: str) -> bool:
    found = ip_address(address)
    return found.is_unspecified or found.is_loopback
