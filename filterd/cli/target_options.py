# SPDX-License-Identifier: Apache-2.0
"""Parse names, grades, targets and audiences; the options for them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from filterd import field_checks
from filterd.cli.context import argument, option
from filterd.errors import ChangeError, ConfigError, NameTextError
from filterd.i18n import did_you_mean, quoted, say
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.policy.model import GRADES, TIERS, Audience
from filterd.policy.temporary_rules import TargetKind, written
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.policy.model import GradePolicy, Policy

_NAME_LIKE = say("write a name such as vnu.edu.vn")
_KINDS = (TargetKind.SERVICE, TargetKind.CATEGORY, TargetKind.ENTRY)

TargetsArgument = Annotated[
    list[str],
    argument(
        "TARGET",
        "A name such as www.youtube.com, service:youtube, category:games, or entry:NAME for a"
        " list entry that is a mistake.",
    ),
]
BlockedArgument = Annotated[
    list[str],
    argument("TARGET", "A name such as www.youtube.com, service:youtube or category:games."),
]
ReasonOption = Annotated[str, option("--reason", "Reason, for the history.", "TEXT")]


class Target(NamedTuple):
    """The target of an exception."""

    kind: TargetKind
    target: str

    @classmethod
    def read(cls, text: str, *, opens: bool = True) -> Target:
        """Read a target as the operator wrote it.

        Args:
            text: the target.
            opens: whether the exception opens it; else it closes it.

        Raises:
            ConfigError: it is neither a name nor of a known kind, or it is a
                public suffix that is not written as one.
        """
        before, colon, after = text.partition(":")
        if not colon or "://" in text or "[" in text or text.count(":") > 1:
            return cls(TargetKind.NAME, target_name_from(text, opens=opens))
        if before not in {*_KINDS, TargetKind.NAME}:
            hint = did_you_mean(before, [str(kind) for kind in _KINDS])
            raise ConfigError(say("'{before}:' is not a kind of target", before=before), hint=hint)
        kind = TargetKind(before)
        if kind is TargetKind.NAME:
            return cls(kind, target_name_from(after, opens=opens))
        return cls(kind, name_from(after) if kind is TargetKind.ENTRY else after.strip())

    def __str__(self) -> str:
        return written(self.kind, self.target)


class ChangeAudience(NamedTuple):
    """The audience of an exception, as a change takes it."""

    audience: Audience = Audience.EVERYBODY
    whom: str = ""

    @property
    def payload(self) -> dict[str, Any]:
        """The same as plain data."""
        return {"audience": str(self.audience), "whom": self.whom}


def whom(
    grade: Annotated[
        str | None, option("--grade", "For this grade: 1-12, staff, ...", "GRADE")
    ] = None,
    class_: Annotated[str | None, option("--class", "For this class: 6A, ...", "CLASS")] = None,
    tier: Annotated[str | None, option("--tier", "For this tier: primary, ...", "TIER")] = None,
    room: Annotated[
        str | None, option("--room", "For the grade that is in this room now.", "ID")
    ] = None,
    client: Annotated[
        str | None, option("--client", "For the device at this address.", "IP")
    ] = None,
    network: Annotated[str | None, option("--network", "For this network.", "ID")] = None,
) -> ChangeAudience:
    """Return the audience that the options name; everybody where there is none."""
    if grade is not None and class_ is None and looks_like_a_class(grade):
        grade, class_ = None, grade
    given = [
        (f"--{name}", audience, value)
        for name, audience, value in (
            ("grade", Audience.GRADE, grade),
            ("class", Audience.CLASS, class_),
            ("tier", Audience.TIER, tier),
            ("room", Audience.NETWORK, room),
            ("client", Audience.CLIENT, client),
            ("network", Audience.NETWORK, network),
        )
        if value is not None
    ]
    if len(given) > 1:
        both = say("{first} and {second} exclude each other", first=given[0][0], second=given[1][0])
        raise ConfigError(both, hint=say("make one exception for each"))
    for name, audience, value in given:
        return ChangeAudience(audience, _checked(name, audience, value))
    return ChangeAudience()


def qname_from(text: str) -> bytes:
    """Return the wire name that a person wrote, in letters of any language.

    Raises:
        ConfigError: it is not a name, or an address or a URL: the DNS takes these for
            names, and an operator who pastes one does not mean that.
    """
    _refuse_what_is_never_looked_up(text)
    try:
        return names.from_text(text) if text.isascii() else name_from_key(key_from_text(text))
    except HostnameError as error:
        raise ConfigError(error.sentence, hint=_NAME_LIKE) from error
    except NameTextError as error:
        raise ConfigError(
            say("{text} is not a name: {reason}", text=repr(text), reason=quoted(error.reason)),
            hint=_NAME_LIKE,
        ) from error


def _refuse_what_is_never_looked_up(text: str) -> None:
    # RFC 2317 has slashes in the names of reverse zones.
    if "/" in text and not text.removesuffix(".").endswith(".in-addr.arpa"):
        host = text.partition("://")[2] or text
        hint = say("name its host: {host}", host=repr(host.partition("/")[0]))
        raise ConfigError(say("{text} is a URL", text=repr(text)), hint=hint)
    if _is_address(text):
        raise ConfigError(
            say("{text} is an address; DNS filtering works on names", text=repr(text)),
            hint=_NAME_LIKE,
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def grade_from(text: str) -> str:
    """Return the grade that a person wrote.

    Raises:
        ConfigError: there is no such grade.
    """
    if text not in GRADES:
        raise ConfigError(
            say("{text} is not a grade", text=repr(text)),
            hint=say("one of {known}", known=", ".join(GRADES)),
        )
    return text


def looks_like_a_class(text: str) -> bool:
    """Return whether what stands for a grade is a class: ``6A``, ``9/3``."""
    return text[:1].isdecimal() and not text.isdecimal()


def class_from(text: str) -> str:
    """Return the class that a person wrote; whether the site has it is checked elsewhere.

    Raises:
        ConfigError: no class is written so.
    """
    try:
        return field_checks.class_id(text)
    except ChangeError as error:
        raise ConfigError(error.reason, hint=error.hint) from error


def seat(
    grade: Annotated[
        str | None, option("--grade", "The grade: 1-12, preschool, staff, guest, ...", "GRADE")
    ] = None,
    class_: Annotated[str | None, option("--class", "The class: 6A, ...", "CLASS")] = None,
) -> str | None:
    """Return the grade or class that the options name; None where neither is given.

    Raises:
        ConfigError: both are given, or no grade or class is written so.
    """
    if class_ is not None and grade is not None:
        raise ConfigError(
            say("{first} and {second} exclude each other", first="--grade", second="--class"),
            hint=say("give only one of them"),
        )
    if class_ is None and (grade is None or not looks_like_a_class(grade)):
        return None if grade is None else grade_from(grade)
    return class_from(class_ or grade or "")


def tier_from(text: str) -> str:
    """Return a tier as the operator wrote it.

    Raises:
        ConfigError: there is no such tier.
    """
    if text not in TIERS:
        raise ConfigError(
            say("{value} is not a tier", value=repr(text)), hint=did_you_mean(text, TIERS)
        )
    return text


def needed(wanted: str | None) -> str:
    """Return the grade or class of ``seat``.

    Raises:
        ConfigError: neither is given.
    """
    if wanted is None:
        raise ConfigError(say("--grade or --class is missing"), hint=say("such as --class 6A"))
    return wanted


def policy_for(policy: Policy, wanted: str) -> GradePolicy:
    """Return the policy of a grade or class.

    Raises:
        ConfigError: the site does not have it.
    """
    if wanted not in policy.grades:
        hint = did_you_mean(wanted, [one.id for one in policy.classes])
        raise ConfigError(say("'{wanted}' is not a class of this site", wanted=wanted), hint=hint)
    return policy.grades[wanted]


def target_name_from(text: str, *, opens: bool = True) -> str:
    """Return the name of an exception, as ``name_from`` does.

    A name covers everything beneath it, and a public suffix sites of many owners: to open
    one, or to close one of a registry, it must be written ``*.edu.vn``.

    Raises:
        ConfigError: it is none, or a suffix that is not written so.
    """
    bare = text.removeprefix("*.")
    if bare != text and has_strangers_beneath(qname_from(bare)):
        return name_from(bare)
    name = name_from(text)
    if has_strangers_beneath(qname_from(name), companies=opens):
        raise ConfigError(
            say("anyone can register names under '{name}': all of them would open", name=name)
            if opens
            else say(
                "anyone can register names under '{name}': all of them would close", name=name
            ),
            hint=say("write one of these names, or '*.{name}' if all of them are meant", name=name),
        )
    return name


def name_from(text: str) -> str:
    """Return a name as text: A-labels in lower case, without a dot at the end.

    Raises:
        ConfigError: it is none.
    """
    if text.startswith("*."):
        hint = say("write '{name}': a name includes everything beneath it", name=text[2:])
        raise ConfigError(say("a name needs no '*.'"), hint=hint)
    qname = qname_from(text)
    if qname == names.ROOT:
        raise ConfigError(say("the root is above every name"), hint=say("name one domain or host"))
    return names.to_text(qname)


def _checked(option: str, audience: Audience, value: str) -> str:
    if audience is Audience.GRADE:
        return grade_from(value)
    if audience is Audience.CLASS:
        return class_from(value)
    if audience is Audience.TIER:
        return tier_from(value)
    if audience is Audience.CLIENT:
        try:
            return str(ip_address(value))
        except ValueError as error:
            hint = say("such as 10.0.6.21")
            raise ConfigError(
                say("{option} {value} is not an address", option=option, value=repr(value)),
                hint=hint,
            ) from error
    return value
