# SPDX-License-Identifier: Apache-2.0
"""The names that programs ask for: those that tunnel through DNS, and those that do not.

After the programs' own sources: how they split and encode what they carry. The numbers are made
here, and the domains are nobody's.
"""

from __future__ import annotations

import subprocess
from base64 import b32encode, b64encode
from typing import TYPE_CHECKING
from uuid import UUID

from filterd.wire import name as names
from tests.support.needs import command
from tests.support.shared_data import shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    Asked = Iterator[bytes]

_LONGEST = 57
"""Octets of a label, as iodine cuts them."""


def _labels(text: str) -> str:
    return ".".join(text[at : at + _LONGEST] for at in range(0, len(text), _LONGEST))


def _b32(octets: bytes) -> str:
    return b32encode(octets).decode().rstrip("=").lower()


def iodine_up(domain: str, rng: Random) -> Asked:
    """Yield an upload: names as long as they go, base32, behind a header of five characters."""
    while True:
        head = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz012345", k=5))
        room = 240 - len(domain)
        octets = rng.randbytes((room - room // _LONGEST - 8) * 5 // 8)
        yield names.from_text(f"{_labels(head + _b32(octets))}.{domain}")


def iodine_down(domain: str, rng: Random) -> Asked:
    """Yield a download: pings of four octets, each of which fetches a part of the answer."""
    while True:
        yield names.from_text(f"p{_b32(rng.randbytes(4))}.{domain}")


def dnscat2(domain: str, rng: Random) -> Asked:
    """Yield a session: hexadecimal labels, a header of nine octets, encrypted."""
    while True:
        text = rng.randbytes(rng.choice((17, 17, 60, 110))).hex()
        yield names.from_text(f"{_labels(text)}.{domain}")


def dns2tcp(domain: str, rng: Random) -> Asked:
    """Yield a session: base64 behind a header of seven octets, and ``=``."""
    while True:
        text = b64encode(rng.randbytes(rng.choice((7, 7, 40, 130)))).decode().replace("=", "-")
        yield names.from_text(f"{_labels(text.replace('+', '_').replace('/', '-'))}.{domain}")


TUNNELS: dict[str, Callable[[str, Random], Asked]] = {
    "iodine up": iodine_up,
    "iodine down": iodine_down,
    "dnscat2": dnscat2,
    "dns2tcp": dns2tcp,
}


def _antivirus(rng: Random) -> Asked:
    while True:
        digest = _b32(rng.randbytes(16))
        where = rng.choice(("avqs.mcafee.com", "avts.mcafee.com"))
        yield names.from_text(f"0.0.0.0.1.0.0.4e.{digest}.{where}")
        yield names.from_text(f"{rng.randbytes(20).hex()}.h.00.s.sophosxl.net")
        yield names.from_text(f"{_b32(rng.randbytes(20))}.{_b32(rng.randbytes(12))}.c.e5.sk")


def _mail_lists(rng: Random) -> Asked:
    while True:
        octets = rng.randbytes(4)
        for zone in ("zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org"):
            yield names.from_text(".".join(map(str, octets)) + f".{zone}")


def _reverse(rng: Random) -> Asked:
    while True:
        yield names.from_text(".".join(map(str, rng.randbytes(4))) + ".in-addr.arpa")
        yield names.from_text(".".join(rng.randbytes(16).hex()) + ".ip6.arpa")


def _videos(rng: Random) -> Asked:
    while True:
        site = _b32(rng.randbytes(5))
        yield names.from_text(f"rr{rng.randrange(1, 20)}---sn-{site}.googlevideo.com")


FLOODS: dict[str, Callable[[Random], Asked]] = {
    "antivirus": _antivirus,
    "mail lists": _mail_lists,
    "reverse": _reverse,
    "videos": _videos,
}
"""What one address may ask for as fast as a tunnel: a mail server, a router with all behind it."""


def _content(rng: Random) -> Asked:
    """Yield hosts of content networks: one each page, of many customers."""
    while True:
        yield names.from_text(f"e{rng.randrange(20_000)}.dscb.akamaiedge.example")
        yield names.from_text(f"d{_b32(rng.randbytes(8))}.cloudfront.net")
        yield names.from_text(f"scontent-{_b32(rng.randbytes(4))}.xx.fbcdn.example")


def _telemetry(rng: Random) -> Asked:
    while True:
        yield names.from_text(f"{UUID(bytes=rng.randbytes(16))}.telemetry.example.com")


def _updates(rng: Random) -> Asked:
    while True:
        yield names.from_text(f"{rng.randbytes(4).hex()}.au.download.example.net")


ORDINARY: dict[str, Callable[[Random], Asked]] = {
    "content": _content,
    "telemetry": _telemetry,
    "updates": _updates,
}
"""What a device asks for some times a minute."""


def popular() -> list[str]:
    """Return some 50,000 popular names; skip the test where they or ``zstd`` are absent."""
    path = shared("domains/tranco-like-50k.dev.csv.zst")
    words = [command("zstd"), "-dcq", str(path)]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return [line.rpartition(",")[2] for line in text.split()]
