# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""What other native modules may know of a datagram that waits."""

from libc.stdint cimport uint32_t

from filterd.fastpath._envelopes cimport Way


cdef class Datagram:
    """A message and where it came from; see ``_datagrams.pyx``."""

    cdef readonly bytes message
    cdef readonly uint32_t interface
    cdef readonly uint32_t epoch
    cdef readonly int client_class
    cdef readonly int opening
    cdef readonly double received_at
    cdef Way way
