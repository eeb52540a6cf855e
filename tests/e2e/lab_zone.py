# SPDX-License-Identifier: Apache-2.0
"""A zone of about a thousand records of all types, with difficult answers.

Beside a plain host for every RDATA there are: several types at a name, TTLs from 0 to
the largest, upper-case owner names, names of 255 octets and of octets that are no
letters, wildcards, chains of CNAMEs that end well, end nowhere, leave the zone or
loop, a DNAME, RRsets that do not fit a datagram, and empty non-terminals.
"""

from __future__ import annotations

import contextlib
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import dns.name
import dns.rdata
import dns.rdatatype
import dns.rdtypes.nsbase
import dns.zone
import dns.zonetypes
from dns.rdtypes.ANY.RP import RP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


_KEY = "AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1kxkmvHjcZc8nokfzj31GajIQKY+5CptLr3buXA10h"
_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_SHA384 = "00" * 47 + "01"

TEXTS: dict[str, tuple[str, ...]] = {
    "A": ("198.18.0.1", "198.18.113.77"),
    "AAAA": ("2001:2::1", "2001:2:1:2:3:4:5:6"),
    "AFSDB": ("1 afs.host", "65535 ."),
    "AMTRELAY": ("10 0 1 198.18.113.15", "10 1 2 2001:2::15", "128 1 3 amt.host", "0 0 0 ."),
    "APL": ("1:192.168.32.0/21 !1:192.168.38.0/28", "1:224.0.0.0/4 2:FF00:0:0:0:0:0:0:0/8"),
    "AVC": ('"app-name:WOLFGANG|app-class:OAM"',),
    "BRID": (_KEY,),
    "CAA": ('0 issue "ca.example.net"', '128 tbs "Unknown"', '0 iodef "mailto:a@example.com"'),
    "CDNSKEY": (f"257 3 8 {_KEY}", "0 3 0 AA=="),
    "CDS": (f"60485 5 2 {_SHA256}", "0 0 0 00"),
    "CERT": (f"6 0 0 {_KEY}", f"PGP 65535 RSASHA256 {_KEY}"),
    "CSYNC": ("66 3 A NS AAAA", "0 0 TYPE65280"),
    "DHCID": ("AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",),
    "DNSKEY": (f"256 3 8 {_KEY}",),
    "DLV": (f"20326 8 2 {_SHA256}",),
    "DSYNC": ("CDS NOTIFY 5359 cds-scanner.host",),
    "DS": (f"20326 8 2 {_SHA256}", f"1 13 4 {_SHA384}"),
    "EUI48": ("00-00-5e-00-53-2a",),
    "EUI64": ("00-00-5e-ef-10-00-00-2a",),
    "GPOS": ("-32.6882 116.8652 10.0",),
    "HHIT": (_KEY,),
    "HINFO": ('"Generic PC clone" "NetBSD-1.4"', '"" ""'),
    "HIP": (f"2 200100107B1A74DF365639CC39F1D578 {_KEY} rvs.host", f"2 20010010 {_KEY}"),
    "HTTPS": (
        "0 svc.host",
        "1 . alpn=h2,h3 ipv4hint=198.18.0.1 ipv6hint=2001:2::1",
        "16 svc.host mandatory=alpn,port alpn=h2 no-default-alpn port=8443 key667=hello",
    ),
    "IPSECKEY": ("10 1 2 198.18.0.38 AQNRU3mG", "10 0 2 . AQNRU3mG", "10 3 2 gw.host AQNRU3mG"),
    "ISDN": ('"150862028003217" "004"', '"150862028003217"'),
    "KEY": (f"512 255 1 {_KEY}",),
    "KX": ("10 kx.host",),
    "L32": ("10 10.1.2.0",),
    "L64": ("10 2001:0db8:1140:1000",),
    "LOC": ("60 9 0.000 N 24 39 0.000 E 10.00m 20.00m 2000.00m 20.00m",),
    "LP": ("10 l64.host",),
    "MB": ("madname.host",),
    "MD": ("md.host",),
    "MF": ("mf.host",),
    "MG": ("mgmname.host",),
    "MINFO": ("rmailbx.host emailbx.host",),
    "MR": ("newname.host",),
    "MX": ("10 mail.host", "20 mail2.host", "0 ."),
    "NAPTR": (
        '100 10 "U" "E2U+sip" "!^.*$!sip:customer-service@example.com!" .',
        '0 0 "s" "http+I2L+I2C+I2R" "" _http._tcp.host',
    ),
    "NID": ("10 0014:4fff:ff20:ee64",),
    "NINFO": ('"zone" "status"',),
    "NSAP-PTR": ("nsap.host",),
    "NSEC3PARAM": ("1 0 12 aabbccdd",),
    "NSAP": ("0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00",),
    "OPENPGPKEY": (_KEY,),
    "PTR": ("printer.host", "Another.Host"),
    "PX": ("65535 foo.host bar.host",),
    "RESINFO": ('"qnamemin" "exterr=15,16,17"',),
    "RP": ("mbox-dname.host txt-dname.host", ". ."),
    "RT": ("0 intermediate-host.host",),
    "SIG": (f"TXT 8 2 3600 20370101000000 20200101000000 4711 signer.host {_KEY}",),
    "SMIMEA": (f"3 1 1 {_SHA256}",),
    "SPF": ('"v=spf1 -all"', '"v=spf1" " mx -all"'),
    "SRV": ("0 0 389 dc1.host", "65535 65535 65535 old-slow-box.host", "0 0 0 ."),
    "SSHFP": ("1 1 aa549bfe898489c02d1715d97d79c57ba2fa76ab", f"4 2 {_SHA256}"),
    "SVCB": ("0 svc.host", "1 . alpn=dot port=853 key7=/dns-query{?dns}", "3 svc.host"),
    "TLSA": (f"3 1 1 {_SHA256}", f"0 0 2 {'ab' * 64}"),
    "TXT": ('"plain"', '"two" "strings"', r'"odd \000\255\"\\"', '""', f'"{"x" * 255}"'),
    "URI": ('10 1 "ftp://ftp1.example.com/public"',),
    "WALLET": ('"ETH" "0x4711"',),
    "WKS": ("198.18.0.1 6 25 80",),
    "X25": ('"311061700956"',),
    "ZONEMD": (f"2018031900 1 1 {_SHA384}",),
    "TYPE259": (r"\# 12 00000000 01 02 0000000000 ff",),  # DOA
    "TYPE100": (r"\# 3 756964",),  # UINFO
    "TYPE31": (r"\# 6 0104076e696d",),  # EID
    "TYPE34": (r"\# 4 00010203",),  # ATMA
    "TYPE62347": (r"\# 0", r"\# 5 0405060708"),
    "TYPE65280": (r"\# 1 00", r"\# 6 c00cc00cc00c"),  # what looks like pointers is none
    "TYPE65534": (r"\# 300 " + "c0" * 300,),
}
"""By type; a name without a final dot is beneath the zone."""


class _OldMailName(dns.rdtypes.nsbase.NSBase):
    """One name, compressed perhaps (RFC 1035 §3.3)."""


class _OldMailInfo(RP):
    """Two names, compressed perhaps (RFC 1035 §3.3.7)."""


def teach_old_types() -> None:
    """Make dnspython read the names in RFC 1035's experimental mail types. May be called twice."""
    for text in ("MB", "MD", "MF", "MG", "MR", "MINFO"):
        base: Any = _OldMailInfo if text == "MINFO" else _OldMailName
        module = cast("ModuleType", SimpleNamespace(**{text: type(text, (base,), {})}))
        with contextlib.suppress(dns.rdata.RdatatypeExists):
            dns.rdata.register_type(module, dns.rdatatype.from_text(text), text)


TTLS = (0, 1, 2, 30, 300, 600, 601, 3600, 86_400, 604_800, 2_147_483_647)
_HOSTS = 120
_LONGEST_CHAIN = 10  # one more than Unbound follows would be its own failure and not ours
_MOST_OCTETS = 255


def lab_zone(origin: str, seed: int = 1) -> dns.zone.Zone:
    """Return the zone; another seed gives other TTLs."""
    teach_old_types()
    rng = random.Random(seed)
    apex = dns.name.from_text(origin)
    zone = dns.zone.Zone(apex, relativize=False)
    with zone.writer() as txn:
        for owner, ttl, rtype, text in _records(rng, apex):
            name = dns.name.from_text(owner, apex) if isinstance(owner, str) else owner
            rdata = dns.rdata.from_text("IN", rtype, text, apex, relativize=False)
            txn.add(name, ttl, rdata)
    return zone


def _records(
    rng: random.Random, apex: dns.name.Name
) -> Iterator[tuple[str | dns.name.Name, int, str, str]]:
    yield "@", 3600, "SOA", "ns root 1 7200 900 1209600 300"
    yield "@", 3600, "NS", "ns"
    yield "@", 3600, "NS", "Ns2"
    yield "@", 60, "MX", "10 host0"
    yield from _every_rdata(rng)
    for owner in ("ns", "Ns2", "cache-host.deep.ENT"):
        yield owner, 3600, "A", "198.18.0.53"
    for number in range(_HOSTS):
        ttl = rng.choice(TTLS)
        yield f"host{number}", ttl, "A", f"198.18.51.{number % 254 + 1}"
        yield f"host{number}", rng.choice(TTLS), "AAAA", f"2001:2::{number:x}"
    for odd in _odd_names(apex):
        yield odd, 300, "A", "198.18.0.9"
        yield odd, 300, "TXT", '"odd"'
    yield from _aliases()
    yield from _wildcards()
    yield from _big_rrsets()


def _every_rdata(rng: random.Random) -> Iterator[tuple[str, int, str, str]]:
    for rtype, texts in TEXTS.items():
        for number, text in enumerate(texts):
            yield f"{rtype}-{number}", rng.choice(TTLS), rtype, text
            yield f"{rtype.lower()}", 300, rtype, text
        if (
            rtype != "DS"
        ):  # Unbound asks a DS of the parent's side, which a name of all types is not
            yield "all-types", 300, rtype, texts[0]


def _odd_names(apex: dns.name.Name) -> Iterator[dns.name.Name]:
    """Yield names of odd octets, and names as long as names can be."""
    labels = (
        b"a.b",
        b"\0",
        b"\xff\xfe",
        b" ",
        b"*x",
        b"a*",
        b'"',
        b"(;@$)",
        b"\\",
        b"_x._y",
        b"\n",
    )
    for label in (*labels, b"A" * 63, b"-", b"0", b"xn--tr-yia.vn", bytes(range(60))):
        yield dns.name.Name((label, *apex.labels))
    room = _MOST_OCTETS - len(apex.to_wire() or b"")
    for filling in (b"long", b"LONG", b"\xc3\xa0x"):
        octets = (filling * 64)[: room - 3 * 64 - 1]
        yield dns.name.Name((octets, *[(filling * 16)[:63]] * 3, *apex.labels))
    yield dns.name.Name((*[b"x"] * (room // 2), *apex.labels))


def _aliases() -> Iterator[tuple[str, int, str, str]]:
    for number in range(1, _LONGEST_CHAIN + 1):
        target = "host1" if number == 1 else f"Chain{number - 1}"
        yield f"chain{number}", 300 + number, "CNAME", target
    yield "to-nowhere", 300, "CNAME", "no-such-host"
    yield "to-no-address", 300, "CNAME", "txt"
    yield "to-outside", 300, "CNAME", "outside.example."
    yield "to-other-zone", 300, "CNAME", "host2.other.example."
    yield "to-wildcard", 300, "CNAME", "any.wild"
    yield "to-big", 300, "CNAME", "big-txt"
    yield "moved", 300, "DNAME", "all.moved-to"
    yield "here.all.moved-to", 300, "A", "198.18.0.66"
    yield "here.all.moved-to", 300, "TXT", '"moved"'


def _wildcards() -> Iterator[tuple[str, int, str, str]]:
    yield "*.wild", 300, "A", "198.18.0.7"
    yield "*.wild", 60, "TXT", '"wild"'
    yield "*.wild", 60, "MX", "10 host1"
    yield "not.wild", 60, "TXT", '"no wildcard"'
    yield "*.alias", 300, "CNAME", "host3"


def _big_rrsets() -> Iterator[tuple[str, int, str, str]]:
    for number in range(40):
        yield "big-a", 300, "A", f"198.18.113.{number + 1}"
    for number in range(90):
        yield "bigger-a", 300, "A", f"198.18.51.{number + 1}"
        yield "big-srv", 300, "SRV", f"1 {number} 80 host{number % 3}"
    for number in range(120):
        yield "biggest-aaaa", 300, "AAAA", f"2001:2::{number + 1:x}"
    for number in range(12):
        yield "big-txt", 300, "TXT", f'"{number}{"x" * 200}"'
    for number in range(160):
        yield "huge-txt", 300, "TXT", f'"{number}{"y" * 240}"'
    for number in range(30):
        yield "big-mx", 300, "MX", f"{number} Mail{number}.host"
