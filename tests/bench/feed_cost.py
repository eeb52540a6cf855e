# SPDX-License-Identifier: Apache-2.0
"""The cost of one appliance to the feed's server: a light check, a night's run.

Metadata is really signed, for a feed of the size of a country's: the shipped files, and
one list for each category that changes every night, with differences from the last
seven. The overhead of HTTP is from nginx's log of the real code
(``tests/e2e/test_feed_crowd -s``), the overhead of TLS from a real handshake.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filterd.base.paths import shipped
from filterd.feed.version_files import KEPT_DELTAS, PublishedDelta, PublishedFile, digits
from filterd.lists.catalogs.catalog import load_catalog
from filterd.publish.signing import NewTarget
from tests.support.publisher import NOW, Publisher
from tests.support.tls import Authority

ANSWER_OCTETS, REQUEST_OCTETS, UNCHANGED_OCTETS = 277, 175, 232
"""Of an HTTP header, as logged by nginx with the example of ``deploy/``; 232 are a 304."""
NOT_THERE_OCTETS = 320
"""Of the answer that there is no newer root."""
CONNECTION_OCTETS = 7 * 40
"""Segments of a TCP connection that carry nothing: three to begin, four to end."""
SEGMENT_OCTETS, HEADERS_OCTETS = 1_448, 52
"""What one segment carries, and its headers of IPv4 and TCP with time stamps."""
RUN_REQUESTS = 4
"""Root, timestamp, snapshot, targets; and one for each file that changed."""

_ORDER_OCTETS = 2_000
"""Of each: what the role ``orders`` signed, the register, and the order's own list."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Octets on the wire, both ways, with TCP's and IP's own; without TLS.

    Attributes:
        unchanged, changed: of a light check.
        idle_run, run: of a night without and with a new version.
        targets_json: the part of ``run`` that names all targets.
        run_requests: requests of ``run``.
        urgent_run, urgent_requests: the same of a version with one new order.
        tls: what a handshake adds to each connection.
    """

    unchanged: int
    changed: int
    idle_run: int
    run: int
    targets_json: int
    run_requests: int
    urgent_run: int
    urgent_requests: int
    tls: int


def measured(delta_octets: int) -> Cost:
    """Return what it costs where a night's differences are so long, all together."""
    with tempfile.TemporaryDirectory() as folder:
        publisher = Publisher(Path(folder, "public"))
        changing = _publish(publisher)
        read = publisher.timestamp.signed, publisher.snapshot.signed
        snapshot = read[0].snapshot_meta.version
        targets = read[1].meta["targets.json"].version
        names = ("timestamp.json", f"{snapshot}.snapshot.json", f"{targets}.targets.json")
        octets = [(publisher.metadata / name).stat().st_size for name in names]
        tls = handshake_octets(Authority(Path(folder)))
    no_root = _exchange(NOT_THERE_OCTETS)
    idle = no_root + _exchange(ANSWER_OCTETS + octets[0])
    files = sum(_exchange(ANSWER_OCTETS + delta_octets // changing) for _ in range(changing))
    metadata = sum(_exchange(ANSWER_OCTETS + octet) for octet in octets[1:])
    orders = 3 * _exchange(ANSWER_OCTETS + _ORDER_OCTETS)
    return Cost(
        unchanged=CONNECTION_OCTETS + _exchange(UNCHANGED_OCTETS),
        changed=CONNECTION_OCTETS + _exchange(ANSWER_OCTETS + octets[0]),
        idle_run=CONNECTION_OCTETS + idle,
        run=CONNECTION_OCTETS + idle + metadata + files,
        targets_json=octets[2],
        run_requests=RUN_REQUESTS + changing,
        urgent_run=CONNECTION_OCTETS + idle + metadata + orders,
        urgent_requests=RUN_REQUESTS + 3,
        tls=tls,
    )


def _exchange(answer_octets: int) -> int:
    """Return the octets of one request and its answer; every other segment is acknowledged."""
    segments = -(-answer_octets // SEGMENT_OCTETS)
    headers = (1 + segments + -(-segments // 2)) * HEADERS_OCTETS
    return REQUEST_OCTETS + answer_octets + headers


def _publish(publisher: Publisher) -> int:
    """Publish what names as many targets as a country's feed; return how many lists change."""
    folder = shipped("blocklists")
    fixed = [str(path.relative_to(folder)) for path in folder.rglob("*.[ty]*") if path.is_file()]
    categories = sorted({source.category for source in load_catalog(folder).sources})
    lists = [f"lists/feed-{category}.txt" for category in categories]
    rng, targets = random.Random(1), []
    for path in fixed + lists:
        file = PublishedFile(path, rng.randrange(10**6, 10**7), _digest(rng), 1)
        targets.append(NewTarget(file.target, rng.randbytes(99), file.custom))
        for _ in range(KEPT_DELTAS if path in lists else 0):
            delta = PublishedDelta(path, digits(_digest(rng)), digits(file.sha256), 1)
            targets.append(NewTarget(delta.target, rng.randbytes(99), delta.custom))
    publisher.repository.publish(targets, publisher.signers, now=NOW, urgent=True)
    return len(lists)


def _digest(rng: random.Random) -> str:
    return hashlib.sha256(rng.randbytes(8)).hexdigest()


def handshake_octets(authority: Authority) -> int:
    """Return the octets of a TLS 1.3 handshake, both ways, with a certificate and its issuer."""
    certificate = authority.issue()
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with certificate.chain.open("ab") as chain:
        chain.write(authority.certificate.read_bytes())
    server_context.load_cert_chain(certificate.chain, certificate.key)
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client_context.wrap_bio(to_client, to_server, server_hostname="feed.example"),
        server_context.wrap_bio(to_server, to_client, server_side=True),
    ]
    total = 0
    for _ in range(4):
        for side, sends in zip(sides, (to_server, to_client), strict=True):
            waiting = sends.pending
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            total += sends.pending - waiting
    return total
