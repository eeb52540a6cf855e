# SPDX-License-Identifier: Apache-2.0
"""A school whose pupils ask why: a class of grade 6, one of grade 1, an office; and its manager."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ChangeError
from filterd.base.state_folder import StateFolder
from filterd.overrides.rights.permissions import Classroom
from filterd.policy.model import Category, Network
from filterd.policy.temporary_rules import Overrides
from filterd.resolve.explain import client_of, explain
from filterd.resolve.site import Site
from filterd.texts.i18n import say
from filterd.wire import RRType
from tests.support.changes import check_permission
from tests.support.policies import CATEGORIES, a_policy, an_index
from tests.support.week import SEVEN, with_classes

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.overrides.rights.roles import Author
    from filterd.policy.model import Policy

PUPIL, CHILD, OFFICE, STRANGER = "10.0.6.1", "10.0.1.1", "10.0.100.1", "10.9.9.9"
SOCIAL, PORN, MALWARE, HARM, ORDER = (
    f"{one}.example" for one in ("social", "porn", "malware", "harm", "order")
)
LISTS = {
    "social": (
        "social-media",
        "domains",
        True,
        [SOCIAL, "more.example", "third.example", "fourth.example"],
    ),
    "porn": ("porn", "domains", True, [PORN]),
    "malware": ("malware", "domains", True, [MALWARE]),
    "harm": ("self-harm", "domains", True, [HARM, f"both.{PORN}"]),
    "order:court": ("law-ordered", "domains", True, [ORDER]),
}
CLOSED: dict[str, Any] = {
    "reason": "age",
    "category": {"vi": "Mạng xã hội", "en": "Social media"},
    "min_age": 16,
    "until": None,
    "now": SEVEN,
    "tier": "lower-secondary",
    "seat": "6A",
    "is_known": True,
    "level": "counts",
    "keep_days": 30,
    "may_ask": True,
}
"""What the page is given on a name that a pupil of 6A is too young for."""
_HARM = Category("self-harm", "self-harm", "self-harm", 18, confidential=True)


def a_pupils_policy(**changes: Any) -> Policy:
    """Return the policy: class 6A, whose teacher is lan, is at home in the first network."""
    networks = [
        Network("room-6a", "6A", ("10.0.6.0/24",)),
        Network("room-1", "1", ("10.0.1.0/24",)),
        Network("office", "staff", ("10.0.100.0/24",)),
    ]
    policy = with_classes(
        a_policy(
            networks=networks,
            categories=CATEGORIES | {_HARM.id: _HARM},
            allow_from=("10.0.0.0/8",),
        )
    )
    return replace(policy, contact="Phòng tư vấn", **changes)


def a_pupils_site(folder: Path, **changes: Any) -> Site:
    """Return the site with its lists."""
    return Site.of(a_pupils_policy(**changes), an_index(folder, LISTS), (), now=SEVEN)


def explained(site: Site, name: bytes, address: str) -> dict[str, Any] | None:
    """Return what a worker explains."""
    client = client_of(site, None, address)
    return None if client is None else explain(site, client, name, RRType.A, SEVEN).to_plain()


@dataclass
class PupilsManager:
    """Stands for the manager: a real policy and lists, and changes that are only checked."""

    site: Site
    made: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def changes(self) -> PupilsManager:
        """What makes changes."""
        return self

    def clock(self) -> dict[str, Any]:
        """Return the time."""
        return {"policy_time": SEVEN}

    def classroom(self, site: Site) -> Classroom:
        """Return what rights depend on."""
        return Classroom(
            site.timed.policy, Overrides(), SEVEN, SEVEN + 10 * 3600, lambda _: "room-6a"
        )

    async def check(self, *, qname: str, address: str, **_: Any) -> dict[str, Any] | None:
        """Explain, as a worker does."""
        return explained(self.site, bytes.fromhex(qname), address)

    async def change(self, request: dict[str, Any], author: Author) -> dict[str, Any]:
        """Check a change and the rights to it, and note it."""
        asked = dict(request)
        kind, reason = asked.pop("kind"), asked.pop("reason")
        if not reason.strip():
            raise ChangeError(say("a reason is missing"))
        check_permission(author, kind, asked, self.classroom(self.site))
        self.made.append(request)
        return {"number": 1}

    async def note(self, _: str, about: dict[str, str], author: Author, reason: str) -> None:
        """Note a refusal."""
        self.refused.append((about["name"], about["seat"], author.name, reason))


def a_setting(folder: Path, now: float = SEVEN) -> Any:
    """Return the folder and the clock of a daemon."""
    return SimpleNamespace(state=StateFolder(folder), time=SimpleNamespace(least=lambda: now))
