# SPDX-License-Identifier: Apache-2.0
"""Floor 0: DNS messages as bytes; octets from the network are parsed here alone.

Verbs: **parse** and **read** go from wire to values, **compose**, **rebuild** and
**assemble** from values to wire. Bytes go in; bytes or frozen values come out.
Nothing here does I/O or knows a clock, and nothing but ``WireError`` is raised
for malformed bytes. Its catcher knows which side sent them and how to react.

::

    registry   numbers and mnemonics
    name       a name as a value              cursor   bounded reader, step budget,
    header ─ section ─ edns                            names inside a message
        └───────┬───────┘
    parsed_query   response ─ rdata            parsing whole messages
    compose ─ reply   rebuild                 composing whole messages
    codec: _codec (native) or _codec_py       what the serving process uses of them

Invariants:

- A name is keyed in canonical wire form only: lower-case and uncompressed.
- Reading never passes the end of the message, nor the end of a record's RDATA.
- A pointer aims strictly backwards, so that expanding a name ends.
- A message's work is bounded by counting steps, records and options, not time.
- OPT never travels: it is read, and composed anew for each client.

=========  =======================================================================
RFC        status
=========  =======================================================================
1035       messages, names, compression, TCP framing; master files are not read
1995       an IXFR question parses, so that it can be refused
2181 §8-9  TTLs with the top bit set mean 0; truncation drops whole RRsets
2308       negative answers carry a SOA
3225       DO is echoed
3597       unknown types are carried; no names in them are looked for
4343       names compare without regard to case; the client's case is restored
6840 §5.8  AD only in replies to queries with DO or AD
6891       EDNS version 0; OPT once, in the additional section, owned by the root
7766       framing only
8020       NXDOMAIN and NODATA are distinct replies
8482 §4.2  ANY is answered with HINFO
8914       extended errors, parsed and composed
8945       TSIG is recognised where it may stand, never checked
9267       each of its anti-patterns is refused and has its test
9460       SVCB and HTTPS: where they lead; the key for ECH can be taken out
9619       one question
=========  =======================================================================
"""

from filterd.wire.codec import (
    ParsedResponse,
    assemble,
    assemble_for,
    parse_query,
    parse_response,
    read_back,
    rebuild,
    rebuild_behind_alias,
)
from filterd.wire.compose import compose_query, compose_reply, encode_record
from filterd.wire.edns import Ede, EdeCode, Edns, edes_of
from filterd.wire.header import Deframer, Header, frame, peek_header
from filterd.wire.parsed_query import ParsedQuery
from filterd.wire.rdata import (
    KEY_ECH,
    SvcbParts,
    address_of,
    covered_type,
    signer_of,
    soa_minimum,
    svcb_parts,
    target_of,
    without_param,
)
from filterd.wire.rebuild import RebuiltSections
from filterd.wire.registry import EdnsOption, Rcode, RRClass, RRType, type_from_text, type_to_text
from filterd.wire.reply import (
    badvers,
    failed,
    fit,
    formerr,
    nodata,
    notimp,
    nxdomain,
    refused,
    servfail,
    sinkhole,
    size_limit,
)
from filterd.wire.section import (
    ADDITIONAL,
    ANSWER,
    AUTHORITY,
    Question,
    Record,
    best_effort_question,
)

__all__ = [
    "ADDITIONAL",
    "ANSWER",
    "AUTHORITY",
    "KEY_ECH",
    "Deframer",
    "Ede",
    "EdeCode",
    "Edns",
    "EdnsOption",
    "Header",
    "ParsedQuery",
    "ParsedResponse",
    "Question",
    "RRClass",
    "RRType",
    "Rcode",
    "RebuiltSections",
    "Record",
    "SvcbParts",
    "address_of",
    "assemble",
    "assemble_for",
    "badvers",
    "best_effort_question",
    "compose_query",
    "compose_reply",
    "covered_type",
    "edes_of",
    "encode_record",
    "failed",
    "fit",
    "formerr",
    "frame",
    "nodata",
    "notimp",
    "nxdomain",
    "parse_query",
    "parse_response",
    "peek_header",
    "read_back",
    "rebuild",
    "rebuild_behind_alias",
    "refused",
    "servfail",
    "signer_of",
    "sinkhole",
    "size_limit",
    "soa_minimum",
    "svcb_parts",
    "target_of",
    "type_from_text",
    "type_to_text",
    "without_param",
]
