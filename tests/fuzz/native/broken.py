# SPDX-License-Identifier: Apache-2.0
"""One small fault for each driver of native code, which must find it."""

from __future__ import annotations

from typing import NamedTuple

from tests.fuzz.native.building import Replacement


class Broken(NamedTuple):
    """What a driver drives, and a text of one of its sources with what replaces it."""

    extension: str
    path: str
    before: str
    after: str

    @property
    def change(self) -> Replacement:
        """The fault."""
        return Replacement(self.path, self.before, self.after)


BROKEN = {
    # A name of 255 octets can begin one label more than there is room for.
    "lists_matcher": Broken(
        "filterd.lists._matcher",
        "filterd/lists/_matcher.pxd",
        "if name[at] > 63 or labels == MAX_LABELS:",
        "if name[at] > 63:",
    ),
    # The last group is followed by nothing, not by the first one.
    "lists_packing": Broken(
        "filterd.lists._matcher",
        "filterd/lists/_matcher.pyx",
        "if at == group_count:",
        "if at > group_count:",
    ),
    # A name may be longer than its record has room for.
    "lists_line_scan": Broken(
        "filterd.lists._matcher",
        "filterd/lists/_matcher.pyx",
        "if not 0 < name_octets <= MAX_TEXT:",
        "if name_octets <= 0:",
    ),
    # A member has room for its shape and for the label of its name only.
    "lists_families": Broken(
        "filterd.lists._matcher",
        "filterd/lists/_matcher.pyx",
        "cdef uint8_t member[MAX_LABEL + 1 + MAX_TEXT + 1]",
        "cdef uint8_t member[MAX_LABEL + 1 + MAX_LABEL + 1]",
    ),
    # What is packed has one octet more than there was room for.
    "resolve_cache_store": Broken(
        "filterd.resolve._cache",
        "filterd/resolve/_cache.pyx",
        "cdef size_t octets = 1 + 10 * NUMBER_OCTETS + PyBytes_GET_SIZE(<bytes?>sections[0])",
        "cdef size_t octets = 1 + PyBytes_GET_SIZE(<bytes?>sections[0])",
    ),
    # What a bucket holds is rounded to 24 bits.
    "fastpath_rate_limit": Broken(
        "filterd.fastpath._rate_limit",
        "filterd/fastpath/_rate_limit.pxd",
        "cdef double a_second, burst, level, at",
        "cdef float a_second, burst, level, at",
    ),
    # The class of a question is read one octet behind the message.
    "fastpath_core": Broken(
        "filterd.fastpath._core",
        "filterd/fastpath/_question.pxd",
        "if position + 4 > length:",
        "if position + 3 > length:",
    ),
    # A name has more labels than there is room to note where they begin.
    "fastpath_decision_cells": Broken(
        "filterd.fastpath._core",
        "filterd/fastpath/_core.pyx",
        "if asked.labels < 2 or asked.labels > MOST_LABELS:",
        "if asked.labels < 2:",
    ),
    # The kernel gets a larger size than the buffer has.
    "fastpath_datagrams": Broken(
        "filterd.fastpath._datagrams",
        "filterd/fastpath/_envelopes.pxd",
        "letter.octets, LARGEST_QUERY",
        "letter.octets, LARGEST_QUERY + 8",
    ),
    # A question ends some octets behind where it does.
    "fastpath_direct_forward": Broken(
        "filterd.fastpath._datagrams",
        "filterd/fastpath/_datagrams.pyx",
        "datagram.question_end = <uint32_t>asking.question.end",
        "datagram.question_end = <uint32_t>asking.question.end + 12",
    ),
    # A TTL that would end one octet behind the reply is found all the same.
    "fastpath_packet_cache": Broken(
        "filterd.fastpath._core",
        "filterd/fastpath/_core.pyx",
        "if position + 10 > length:",
        "if position + 9 > length:",
    ),
    # Longer chains are followed than there is room for.
    "upstream_extraction": Broken(
        "filterd.upstream._pool",
        "filterd/upstream/_extraction.pxi",
        "if chain.passed > longest_chain:",
        "if chain.passed > longest_chain + 9:",
    ),
    # A truncated answer is taken for a whole one.
    "upstream_singleflight": Broken(
        "filterd.upstream._pool",
        "filterd/upstream/_pool.pyx",
        "if header[FLAGS] & TC:",
        "if header[FLAGS + 2] & TC:",
    ),
    # More is read than the array on the stack holds.
    "upstream_socket_pool": Broken(
        "filterd.upstream._pool",
        "filterd/upstream/_pool.pyx",
        "c_recv(opened._fd, message, LARGEST_RESPONSE, 0)",
        "c_recv(opened._fd, message, LARGEST_RESPONSE + 8, 0)",
    ),
    # A question may end one octet behind its message.
    "wire_assembling": Broken(
        "filterd.wire._codec",
        "filterd/wire/_codec.pyx",
        "if end > PyBytes_GET_SIZE(message):",
        "if end > PyBytes_GET_SIZE(message) + 1:",
    ),
    # What stands one octet behind the message is taken for a part of it.
    "wire_codec": Broken(
        "filterd.wire._codec",
        "filterd/wire/_octets.pxd",
        "return <uint32_t>(offset + size) <= message.size",
        "return <uint32_t>(offset + size) <= message.size + 1",
    ),
    # RDATA may run past the end of its message.
    "wire_rebuilding": Broken(
        "filterd.wire._codec",
        "filterd/wire/_codec.pyx",
        "or kept.rdlength > response.octets.size - kept.rdata",
        "or kept.rdlength > response.octets.size",
    ),
}
"""By driver. A change of that line of the source is a change here, too."""
