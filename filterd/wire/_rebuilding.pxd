# SPDX-License-Identifier: Apache-2.0
"""How other native modules copy records of a response."""

from libc.stdint cimport uint32_t

from filterd.wire._codec cimport Kept, ParsedResponse

cdef object rebuilt(ParsedResponse response, const Kept* kept, uint32_t count)
