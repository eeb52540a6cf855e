# SPDX-License-Identifier: Apache-2.0
"""Check site, tiers and catalogue, and merge them into one policy.

They are checked against each other. Pure: files were read before (``site_reader``), and are
written after (``build_record``). Each check notes its problem and goes on, so that one run
shows them all.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from filterd.base.errors import Problems
from filterd.config.expectation_files import compile_expectations
from filterd.config.firewall_schema import compile_firewall
from filterd.config.grades import (
    check_classes,
    check_timetables,
    class_policies,
    closed_parts,
    compile_classes,
    compile_grades,
    compile_holidays,
    compile_lessons,
    compile_networks,
    grades_of,
    guarded_openings,
    holes,
    strictest,
)
from filterd.config.local_rules import (
    Things,
    compile_exceptions,
    compile_kept_closed,
    compile_services,
    own_service_lists,
    past_exceptions,
)
from filterd.config.local_zones import (
    check_lease_zone,
    check_zones,
    compile_delegated_zones,
    compile_local_zones,
)
from filterd.config.reporting_schema import (
    check_report,
    compile_alerts,
    compile_log,
    compile_report,
)
from filterd.config.schedules import (
    compile_scheduled,
    compile_schedules,
    past_windows,
    unused_schedules,
)
from filterd.config.site_schema import LeasesEntry
from filterd.documents import did_you_mean
from filterd.lists.catalogs.catalog import RECOMMENDED, fillable_categories, shipped_sources
from filterd.lists.formats import FORMATS
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.public_suffix import top_level_names
from filterd.lists.rules import ListSource, Pin
from filterd.policy.model import (
    STAFF,
    Category,
    LeaseFile,
    ListenAddress,
    Policy,
    RateLimit,
    Tls,
    UpstreamServer,
)
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from filterd.base.errors import ConfigError
    from filterd.config.site_reader import SiteSources
    from filterd.config.site_schema import SiteFile, UpstreamEntry
    from filterd.documents import Document
    from filterd.lists.catalogs.catalog import Catalog
    from filterd.policy.model import (
        Expectation,
        GradePolicy,
        Holiday,
        Lesson,
        LocalRule,
        LocalZone,
        Schedule,
        Scheduled,
    )


def compile_policy(sources: SiteSources, catalog: Catalog) -> Policy:
    """Return the policy of a site.

    Raises:
        ConfigErrors: all places where the files contradict each other or the catalogue.
    """
    problems = Problems()
    site, parts = sources.file, _parts(sources, catalog, problems)
    grades, leases = parts.grades, site.leases or LeasesEntry.model_construct(files=())
    policy = Policy(
        school=site.school.name,
        time_zone=site.time_zone,
        language=site.language,
        listen=tuple(ListenAddress(*endpoint) for endpoint in site.listen),
        listen_tls=None
        if site.listen_tls is None
        else tuple(ListenAddress(*endpoint) for endpoint in site.listen_tls),
        allow_from=site.allow_from,
        upstreams=tuple(_upstream(site, entry) for entry in site.upstreams),
        local_zones=parts.local_zones,
        delegated_zones=compile_delegated_zones(site),
        categories=dict(parts.things.categories),
        grades=grades,
        unknown_grade=site.unknown or strictest(grades, _grades_of_networks(site)),
        networks=compile_networks(site, grades),
        rules=parts.rules,
        pins=(*catalog.pins, *_feed_pins(site)),
        protections=catalog.protections,
        top_level=top_level_names(),
        workers=site.workers,
        rate_limit=RateLimit(site.rate_limit.queries_a_second, site.rate_limit.burst),
        log=compile_log(site.log),
        cache_octets=site.cache_size_mb * 1024 * 1024,
        lan_interfaces=site.lan_interfaces,
        leases=tuple(LeaseFile(file.file, file.format) for file in leases.files),
        lease_zone=leases.zone,
        private_answers=site.allow_private_answers,
        rewrites=catalog.rewrites,
        expectations=parts.expectations,
        feed=site.feed or "",
        classes=compile_classes(site),
        alerts=compile_alerts(site),
        report=compile_report(site, sources.files.folder.absolute()),
        contact=site.school.contact,
        firewall=compile_firewall(site.firewall),
        services=dict(parts.things.services),
        kept_closed=parts.things.kept_closed,
        lessons=parts.lessons,
        holidays=parts.holidays,
        schedules=parts.schedules,
        scheduled=parts.scheduled,
    )
    problems.raise_if_any()
    return policy


class _CheckedParts(NamedTuple):
    """Fields of ``Policy`` that are checked against others while they are compiled."""

    things: Things
    grades: dict[str, GradePolicy]
    local_zones: tuple[LocalZone, ...]
    rules: tuple[LocalRule, ...]
    expectations: tuple[Expectation, ...]
    lessons: tuple[Lesson, ...]
    holidays: tuple[Holiday, ...]
    schedules: tuple[Schedule, ...]
    scheduled: tuple[Scheduled, ...]


def _parts(sources: SiteSources, catalog: Catalog, problems: Problems) -> _CheckedParts:
    """Check all entries, and compile those that others are checked against."""
    document, site = sources.document, sources.file
    categories = _categories(catalog)
    _check_networks(document, site, problems)
    _check_upstreams(document, site, problems)
    _check_lists(sources, catalog, problems)
    _check_follow(document, site, problems)
    check_zones(document, site, problems)
    check_lease_zone(document, site, catalog.pins, problems)
    services = compile_services(document, site, catalog, categories, problems)
    kept_closed = compile_kept_closed(document, site, categories, services, problems)
    things = Things(categories, services, kept_closed)
    check_classes(document, site, problems)
    grades = compile_grades(sources, things, problems)
    grades |= class_policies(grades, site)
    check_timetables(document, site, problems)
    check_report(document, site, problems)
    holidays = compile_holidays(site, catalog.holidays)
    schedules = compile_schedules(document, site, holidays, problems)
    lists = {one.id: one.category for one in catalog.lists}
    lists |= {one.id: one.category for one in site.lists}
    return _CheckedParts(
        things,
        grades,
        compile_local_zones(document, site, problems),
        compile_exceptions(document, site, problems),
        compile_expectations(sources, problems),
        compile_lessons(document, site, problems),
        holidays,
        schedules,
        compile_scheduled(document, site, schedules, holidays, things, lists, problems),
    )


def _grades_of_networks(site: SiteFile) -> set[str]:
    return set[str]().union(*map(grades_of, site.networks.values()))


def warnings(sources: SiteSources, policy: Policy, now: float) -> tuple[ConfigError, ...]:
    """Return warnings about valid entries that may be mistakes, in the order of lines.

    Args:
        sources: its files.
        policy: compiled from them.
        now: the Unix time by which something is past.
    """
    document, site = sources.document, sources.file
    today = datetime.fromtimestamp(now, ZoneInfo(site.time_zone)).date()
    found = [
        *holes(document, site),
        *unused_schedules(document, site),
        *past_windows(document, site, today),
        *past_exceptions(document, site, now),
        *guarded_openings(sources, policy),
        *closed_parts(sources, policy),
        *_staff_ranges_on_pupils_links(document, policy),
        *sources.undeclared,
    ]
    return tuple(sorted(found, key=lambda one: (one.line, one.column)))


def own_lists(sources: SiteSources, catalog: Catalog) -> tuple[ListSource, ...]:
    """Return the school's own lists, and its services, with absolute paths.

    The lists are treated as a third party's: what a school downloads is no more
    careful than what the publisher does, so protections hold against it.

    Raises:
        ConfigErrors: a list's file, category, format or id is wrong, or a service's.
    """
    problems = Problems()
    _check_lists(sources, catalog, problems)
    compile_services(sources.document, sources.file, catalog, _categories(catalog), problems)
    problems.raise_if_any()
    lists = (
        ListSource(
            id=entry.id,
            category=entry.category,
            format=entry.format,
            path=str(sources.files.folder.absolute() / entry.file),
            title=entry.file,
            subtrees=entry.subtrees,
        )
        for entry in sources.file.lists
    )
    return (*lists, *own_service_lists(sources))


def _categories(catalog: Catalog) -> dict[str, Category]:
    return {
        category.id: Category(
            id=category.id,
            name_vi=category.name_vi,
            name_en=category.name_en,
            min_age=category.min_age,
            locked=category.locked,
            ordered=category.ordered,
            security=category.security,
            sinkhole=category.sinkhole,
            confidential=category.confidential,
            guarded=category.guarded,
            rating=category.rating or "",
            legal_basis=category.legal_basis,
            part_of=category.part_of,
        )
        for category in catalog.categories
    }


def _upstream(site: SiteFile, entry: UpstreamEntry) -> UpstreamServer:
    return UpstreamServer(
        entry.server.address,
        entry.server.port,
        tls=Tls(entry.tls or Tls.NO),
        tls_name=entry.name or (entry.server.address if entry.tls else ""),
        trusted=entry.trusted,
        randomise_case=site.randomise_case,
    )


def _feed_pins(site: SiteFile) -> tuple[Pin, ...]:
    """Return a pin of the feed's host: a version that blocked it would be the last."""
    try:
        host = urlsplit(site.feed or "").hostname or ""
        return (Pin(name_from_key(key_from_text(host)), reason="feed"),)
    except (HostnameError, ValueError):
        return ()  # no feed, or one by its address


def _check_networks(document: Document, site: SiteFile, problems: Problems) -> None:
    """Note an address, interface or MAC of two networks.

    Ranges within ranges are fine.
    """
    seen: dict[str, str] = {}
    for network_id, network in site.networks.items():
        for key in ("cidrs", "interfaces", "macs"):
            for position, value in enumerate(getattr(network, key)):
                if value in seen:
                    reason = say(
                        "'{value}' already belongs to the network '{network}'",
                        value=value,
                        network=seen[value],
                    )
                    where = ("networks", network_id, key, position)
                    problems.add(
                        document.error(reason, where, hint=say("a client can have only one grade"))
                    )
                seen.setdefault(value, network_id)
        _check_ranges(document, network_id, network.cidrs, problems)


def _check_ranges(
    document: Document, network_id: str, cidrs: tuple[str, ...], problems: Problems
) -> None:
    """Note ranges of link-local IPv6 addresses, which are the same on every link."""
    for position, cidr in enumerate(cidrs):
        network = ip_network(cidr)
        if isinstance(network, IPv6Network) and network.is_link_local:
            reason = say("'{cidr}' is on every link: it cannot distinguish clients", cidr=cidr)
            where = ("networks", network_id, "cidrs", position)
            hint = say("name interfaces or macs for devices with link-local addresses")
            problems.add(document.error(reason, where, hint=hint))


_LINKS = {4: 24, 6: 64}
"""The longest prefix of a link, usually, by IP version: ranges within one share it."""


def _staff_ranges_on_pupils_links(document: Document, policy: Policy) -> Iterator[ConfigError]:
    """Yield the ranges of the staff on what is, by its addresses, a link of pupils.

    A pupil who takes such an address is of the staff. Only a link of its own, or a MAC that the
    kernel sees, distinguishes devices.
    """
    grades = policy.grades
    by_staff = [one for one in policy.networks if grades[one.grade].tier == STAFF]
    of_pupils = [
        (one.id, ip_network(cidr))
        for one in policy.networks
        if grades[one.grade].tier != STAFF
        for cidr in one.cidrs
    ]
    for network in by_staff:
        for position, cidr in enumerate(network.cidrs):
            if (near := _on_its_link(ip_network(cidr), of_pupils)) is not None:
                reason = say(
                    "'{cidr}' of the staff is on a link with '{network}': a pupil may take such an"
                    " address",
                    cidr=cidr,
                    network=near,
                )
                hint = say("give the staff a VLAN of its own, or name its devices by macs")
                where = ("networks", network.id, "cidrs", position)
                yield document.error(reason, where, hint=hint)


def _on_its_link(
    own: IPv4Network | IPv6Network, others: Iterable[tuple[str, IPv4Network | IPv6Network]]
) -> str | None:
    """Return the id of the first network with a range on the link of ``own``."""
    usual = _LINKS[own.version]
    link = own.supernet(new_prefix=usual) if own.prefixlen > usual else own
    near = (id_ for id_, one in others if one.version == own.version and one.overlaps(link))
    return next(near, None)


def _check_upstreams(document: Document, site: SiteFile, problems: Problems) -> None:
    beside = (one._replace(port=853) for one in site.listen if one.port == 53)
    own = {*site.listen, *(beside if site.listen_tls is None else site.listen_tls)}
    for position, upstream in enumerate(site.upstreams):
        server = upstream.server
        if server in own:
            reason = say(
                "filterd would ask itself at {address} port {port}",
                address=server.address,
                port=server.port,
            )
            hint = say("name another resolver, or system")
            problems.add(document.error(reason, ("upstreams", position), hint=hint))


def _check_lists(sources: SiteSources, catalog: Catalog, problems: Problems) -> None:
    categories = {category.id for category in catalog.categories}
    taken = {source.id for source in catalog.lists}
    for position, entry in enumerate(sources.file.lists):
        found = {
            "category": _unless_known(say("category"), entry.category, categories),
            "format": _unless_known(say("format"), entry.format, FORMATS),
            "file": _unless_beneath(sources.files.folder, entry.file),
            "id": (say("another list already has this id"), say("choose another"))
            if entry.id in taken
            else None,
        }
        taken.add(entry.id)
        for key, problem in found.items():
            if problem:
                reason, hint = problem
                where = ("lists", position, key)
                problems.add(
                    sources.document.error(
                        say("{key}: {reason}", key=key, reason=reason), where, hint=hint
                    )
                )


def _check_follow(document: Document, site: SiteFile, problems: Problems) -> None:
    """Note unknown public lists, and those that fill what they may not.

    A list that the catalogue does not have is unknown.
    """
    known = (RECOMMENDED, *(source.id for source in shipped_sources())) if site.follow else ()
    for position, entry in enumerate(site.follow):
        if entry.url is None:
            found = _unless_known(say("list of the catalogue"), entry.id or "", known)
        elif entry.id in known:
            found = say("another list already has this id"), say("choose another")
        else:
            kind, word = say("category for public lists"), entry.category or ""
            found = _unless_known(kind, word, fillable_categories())
        if found:
            problems.add(document.error(found[0], ("follow", position), hint=found[1]))


def _unless_known(
    kind: Sentence, word: str, known: Iterable[str]
) -> tuple[Sentence, Sentence] | None:
    known = sorted(known)
    if word in known:
        return None
    return say("'{word}' is not a {kind}", word=word, kind=kind), did_you_mean(word, known)


def _unless_beneath(folder: Path, file: str) -> tuple[Sentence, Sentence] | None:
    """Return the error of a list's file: it must exist beneath the site's folder.

    The daemon may read more than the editor of the site may; a list must not show the
    content of other files.
    """
    try:
        path = (folder / file).resolve()
        is_file = path.is_file()
    except (OSError, RuntimeError):  # too long a name, links in a circle (Python before 3.13)
        return say("'{file}' is not a valid file name", file=file), say("check the name")
    if not path.is_relative_to(folder.resolve()):
        outside = say("'{file}' is outside the folder of site.yaml", file=file)
        return outside, say("put the list beside site.yaml")
    if is_file:
        return None
    return say("there is no file '{file}'", file=file), say("check the name")
