# SPDX-License-Identifier: Apache-2.0
"""The single values of a site's files: text in, checked and in one form out.

Each is an annotated type for pydantic, so that a mistake is found where it
stands. Addresses and CIDRs come out as the ``ipaddress`` module writes them,
names as wire names, so that equal things compare equal. An audience is everybody, a tier, a
grade, a class, a network, or a client.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime  # noqa: TC003 -- pydantic reads annotations at run time
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from filterd.base.addresses import may_be_public
from filterd.base.errors import ChangeError, NameTextError
from filterd.documents import DocumentModel, OrElse, did_you_mean, refusal
from filterd.lists.formats import FORMATS
from filterd.lists.hostname import HostnameError, a_label, key_from_text, uts46_mapped
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.policy import field_checks
from filterd.policy.model import GRADES, TIERS, Audience
from filterd.texts.i18n import Sentence, quoted, say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import PydanticCustomError

    from filterd.base.errors import ConfigError, Problems
    from filterd.config.site_schema import SiteFile
    from filterd.documents import Document, Where

SYSTEM = "system"
"""The upstream that stands for the servers of resolv.conf."""


_LONGEST_NAME = 1024
"""Characters beyond which no text becomes a name of 255 octets; it bounds the work for IDNA."""


_FEED = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", re.ASCII | re.IGNORECASE)

_LIST = re.compile(r"https://[^\s/?#@\\]+/[^\s#]{1,1000}", re.ASCII)
_ENDPOINT = re.compile(
    r"\[(?P<v6>[^\]]+)\](?::(?P<port6>[0-9]{1,5}))?|(?P<v4>[^:]+):(?P<port4>[0-9]{1,5})"
)

_TEXT_SCHEMA = WithJsonSchema({"type": "string"})


class Endpoint(NamedTuple):
    """An address and a port."""

    address: str
    port: int


class When(NamedTuple):
    """A time as written, which is the school's if it has no offset.

    ``whole_day``: it is only a date.
    """

    time: datetime
    whole_day: bool


def wire_name(text: str) -> bytes:
    """Return the wire name of a text with U-labels or A-labels, in any letter case.

    Raises:
        NameTextError: it is no domain name.
    """
    if text.isascii():
        return names.from_text(text)
    if len(text) > _LONGEST_NAME:
        raise NameTextError(say("it has {count} characters", count=len(text)), _LONGEST_NAME)
    try:
        labels = [
            part if part.isascii() else a_label(part) for part in uts46_mapped(text).split(".")
        ]
    except UnicodeError as error:
        raise NameTextError(str(error)) from error
    return names.from_text(".".join(labels))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise refusal(say("text expected, not {value}", value=repr(value)), say("put it in quotes"))
    return value


def name_from(value: Any) -> bytes:
    """Return the wire name of a text; pydantic calls it.

    Raises:
        PydanticCustomError: it is none.
    """
    text = _text(value)
    if "/" in text:
        raise refusal(
            say("'{text}' is the address of a page", text=text),
            say("write only the name of the host"),
        )
    if text.startswith("*."):
        hint = say("write '{name}': a name includes everything beneath it", name=text[2:])
        raise refusal(say("a name needs no '*.'"), hint)
    try:
        name = wire_name(text)
    except NameTextError as error:
        raise refusal(
            say("'{text}' is not a domain name: {reason}", text=text, reason=quoted(error.reason))
        ) from error
    if name == names.ROOT:
        raise refusal(say("the root is above every name"), say("name one domain or host"))
    return name


def name_to_open_from(value: Any) -> bytes:
    """Return the wire name of a text; one of a suffix is written ``*.edu.vn``."""
    return _name_of_exception(value, opens=True)


def name_to_close_from(value: Any) -> bytes:
    """Return the wire name of a text.

    The name of a registry's suffix is written ``*.com.vn``.
    """
    return _name_of_exception(value, opens=False)


def _name_of_exception(value: Any, *, opens: bool) -> bytes:
    text = _text(value)
    bare = text.removeprefix("*.")
    if bare != text and has_strangers_beneath(name_from(bare)):
        return name_from(bare)
    name = name_from(text)
    if has_strangers_beneath(name, companies=opens):
        raise refusal(
            say("anyone can register names under '{name}': all of them would open", name=text)
            if opens
            else say(
                "anyone can register names under '{name}': all of them would close", name=text
            ),
            say("write one of these names, or '*.{name}' if all of them are meant", name=text),
        )
    return name


def _by(check: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return a check of ``filterd.policy.field_checks`` as pydantic calls it."""

    def checked(value: Any) -> str:
        try:
            return check(value)
        except ChangeError as error:
            raise refusal(error.reason, error.hint) from None

    return checked


_address = _by(partial(field_checks.address, with_scope=True))


def _ipv4(text: str) -> str:
    if not isinstance(ip_address(_address(text)), IPv4Address):
        raise refusal(
            say("'{text}' is an IPv6 address", text=text), say("an IPv4 address is expected here")
        )
    return _address(text)


def _ipv6(text: str) -> str:
    if not isinstance(ip_address(_address(text)), IPv6Address):
        raise refusal(
            say("'{text}' is an IPv4 address", text=text), say("an IPv6 address is expected here")
        )
    return _address(text)


def _cidr(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise refusal(
            say("'{text}' is not a network", text=text), say("such as 192.168.10.0/24")
        ) from None
    if "/" in text and str(ip_address(text.partition("/")[0])) != str(network.network_address):
        raise refusal(
            say("'{text}' has bits beyond its prefix", text=text),
            say("did you mean '{network}'?", network=network),
        )
    return str(network)


def endpoint(value: Any, *, usual_port: int = 53) -> Endpoint:
    """Return the address and port of a text; pydantic calls it.

    Raises:
        PydanticCustomError: it is none.
    """
    text = _text(value)
    found = _ENDPOINT.fullmatch(text)
    if found is None:
        return Endpoint(_address(text), usual_port)
    port = int(found["port6"] or found["port4"] or usual_port)
    if not 0 < port < 1 << 16:
        raise refusal(say("{port} is not a port", port=port), say("1 to 65535"))
    return Endpoint(_address(found["v6"] or found["v4"]), port)


def is_endpoint_with_port(text: str) -> bool:
    """Return whether an endpoint's text has a port."""
    found = _ENDPOINT.fullmatch(text)
    return found is not None and (found["port6"] or found["port4"]) is not None


def _when(value: Any) -> When:
    text = _text(value)
    time = field_checks.written_time(text)
    if time is None:
        raise _no_time(text)
    return When(time, field_checks.is_date(text))


def _no_time(text: str) -> PydanticCustomError:
    return refusal(
        say("'{text}' is not a time", text=text), say("such as 2026-09-05 or 2026-09-05T07:00")
    )


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # not there; no path; a folder of zones
        hint = say("such as Asia/Ho_Chi_Minh") if available_timezones() else say("install tzdata")
        raise refusal(say("'{text}' is not a time zone", text=text), hint) from None
    return text


def _number_as_text(value: Any) -> Any:
    """A grade is a word that may look like a number: ``6`` and ``"6"`` are the same."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[bytes, PlainValidator(name_from), _TEXT_SCHEMA]
NameToOpen = Annotated[bytes, PlainValidator(name_to_open_from), _TEXT_SCHEMA]
NameToClose = Annotated[bytes, PlainValidator(name_to_close_from), _TEXT_SCHEMA]
Address = Annotated[str, AfterValidator(_address)]
IPv4Text = Annotated[str, AfterValidator(_ipv4)]
IPv6Text = Annotated[str, AfterValidator(_ipv6)]
Cidr = Annotated[str, AfterValidator(_cidr)]
Mac = Annotated[str, AfterValidator(_by(field_checks.mac))]
ListenEndpoint = Annotated[Endpoint, PlainValidator(endpoint), _TEXT_SCHEMA]
TlsEndpoint = Annotated[Endpoint, PlainValidator(partial(endpoint, usual_port=853)), _TEXT_SCHEMA]
Time = Annotated[When, PlainValidator(_when), _TEXT_SCHEMA]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Grade = Annotated[
    str,
    AfterValidator(_by(field_checks.grade)),
    BeforeValidator(_number_as_text),
    WithJsonSchema({"enum": [*GRADES, *range(1, 13)]}),
]
ClassId = Annotated[
    str,
    AfterValidator(_by(field_checks.class_id)),
    BeforeValidator(_number_as_text),
    WithJsonSchema({"type": ["string", "integer"]}),
]
"""The id of a class; that it is one of the site's is checked by ``check_classes``."""
UserName = Annotated[str, AfterValidator(_by(field_checks.user))]
Tier = Annotated[str, AfterValidator(_by(field_checks.tier)), WithJsonSchema({"enum": list(TIERS)})]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63)]


def _feed(value: Any) -> str:
    text = _text(value)
    if not is_feed_address(text):
        raise refusal(
            say("'{address}' is not an address of a feed", address=text),
            say("write https://HOST/PATH, without a name or password"),
        )
    return text


def is_feed_address(text: str) -> bool:
    """Return whether a text is an http or https address without name and password."""
    return _FEED.fullmatch(text) is not None


def list_address_fault(text: str) -> tuple[Sentence, Sentence] | None:
    """Return why a text is no https address of a public list, and a hint.

    None if the text is one.
    """
    no_address = (
        say("'{address}' is not an address of a list", address=text),
        say("write https://HOST/PATH, without a name or password"),
    )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # odd brackets, or a port beyond 65535
        return no_address
    if not host or port == 0 or _LIST.fullmatch(text) is None:
        return no_address
    if not may_be_public(host):
        reason = say("'{host}' is not a host of the public Internet", host=host)
        return reason, say("lists of the school itself: `lists` in site.yaml")
    try:
        ip_address(host)
    except ValueError:
        with suppress(HostnameError):
            key_from_text(host)
            return None
        return no_address
    return None


def _list_address(value: Any) -> str:
    text = _text(value)
    if fault := list_address_fault(text):
        raise refusal(*fault)
    return text


def _list_format(value: Any) -> str:
    if value not in FORMATS:
        raise refusal(
            say("'{value}' is not a format", value=value), did_you_mean(str(value), FORMATS)
        )
    return str(value)


ListFormat = Annotated[str, PlainValidator(_list_format), WithJsonSchema({"enum": sorted(FORMATS)})]
ListAddress = Annotated[
    str, PlainValidator(_list_address), WithJsonSchema({"type": "string", "format": "uri"})
]
"""Where a public list is: the connection is its only proof, so it is https."""
FeedAddress = Annotated[
    str, PlainValidator(_feed), WithJsonSchema({"type": "string", "format": "uri"})
]
"""Where a feed is: trust does not rest on it, so http will do."""


class Whom(DocumentModel):
    """The clients of an entry; without any key, everybody."""

    tier: Tier | None = Field(None, description="Everybody of this tier.")
    grade: Grade | None = Field(None, description="Everybody of this grade.")
    class_: ClassId | None = Field(None, alias="class", description="Everybody of this class.")
    network: Identifier | None = Field(None, description="Everybody in this network.")
    client: Address | None = Field(None, description="The device with this address.")

    @model_validator(mode="after")
    def _is_one(self) -> Whom:
        if len(self.model_dump(exclude_none=True)) > 1:
            raise refusal(say("an exception has one audience"), say("write one entry for each"))
        return self

    @property
    def audience(self) -> tuple[Audience, str]:
        """The kind of audience, and which one of the kind."""
        for key, value in self.model_dump(exclude_none=True, by_alias=True).items():
            return Audience(key), value
        return Audience.EVERYBODY, ""


def _everybody_is_no_key(value: Any) -> Any:
    if value == "everybody":
        return {}
    if isinstance(value, str):
        raise refusal(
            say("'{value}' is not an audience", value=value),
            say("everybody, or {grade: 6}, {network: library}, ..."),
        )
    return value


ForWhom = Annotated[
    Whom, BeforeValidator(_everybody_is_no_key), OrElse(Whom, {"const": "everybody"})
]


def check_audience(
    document: Document, where: Where, whom: Whom, site: SiteFile, problems: Problems
) -> bool:
    """Return whether the network or class of an audience is one of the site's.

    If it is not, note the error.

    Args:
        document: the file.
        where: the path to the entry whose key ``for`` names the audience.
        whom: the audience.
        site: the content of the file.
        problems: collects the error.
    """
    if whom.network is not None and whom.network not in site.networks:
        reason = say("'{network}' is not a network of this site", network=whom.network)
        hint = did_you_mean(whom.network, site.networks)
        problems.add(document.error(reason, (*where, "for", "network"), hint=hint))
        return False
    if whom.class_ is not None and whom.class_ not in site.classes:
        problems.add(no_class(document, (*where, "for", "class"), whom.class_, site))
        return False
    return True


def no_class(document: Document, where: Where, wanted: str, site: SiteFile) -> ConfigError:
    """Return the error of a class that the site does not have."""
    hint = did_you_mean(wanted, site.classes) or say("name it under classes, with its grade")
    return document.error(
        say("'{wanted}' is not a class of this site", wanted=wanted), where, hint=hint
    )
