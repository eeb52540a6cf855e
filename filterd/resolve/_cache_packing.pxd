# SPDX-License-Identifier: Apache-2.0
"""Resolutions as octets: numbers of one to five octets, and what is octets already.

Memory safety. ``most_octets`` says how much room packing takes at most, and what is
packed is taken apart again by the very same steps. Nothing else writes what
``unpacked`` reads: lengths in it need no second look.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_Check, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_alloc)(type kind, Py_ssize_t count)

cdef enum:
    NUMBER_OCTETS = 5
    AUTHENTIC = 1
    PRIVATE = 2
    ECH = 4
    HAS_TARGETS = 8
    HAS_EDES = 16


cdef inline uint8_t* put_number(uint8_t* to, uint32_t number) noexcept nogil:
    while number >= 0x80:
        to[0] = <uint8_t>(number | 0x80)
        to += 1
        number >>= 7
    to[0] = <uint8_t>number
    return to + 1


cdef inline uint32_t get_number(const uint8_t** at) noexcept nogil:
    cdef uint32_t number = at[0][0] & 0x7F
    cdef int shift = 7
    while at[0][0] & 0x80:
        at[0] += 1
        number |= <uint32_t>(at[0][0] & 0x7F) << shift
        shift += 7
    at[0] += 1
    return number


cdef inline uint8_t* put_octets(uint8_t* to, bytes octets) noexcept:
    cdef size_t length = PyBytes_GET_SIZE(octets)
    to = put_number(to, <uint32_t>length)
    memcpy(to, PyBytes_AS_STRING(octets), length)
    return to + length


cdef inline bytes get_octets(const uint8_t** at):
    cdef uint32_t length = get_number(at)
    cdef const uint8_t* octets = at[0]
    at[0] += length
    return PyBytes_FromStringAndSize(<const char*>octets, length)


cdef inline tuple tuple_of(object values, Py_ssize_t count):
    """Return a tuple, named or not, that is known to have so many values."""
    if not PyTuple_Check(values) or PyTuple_GET_SIZE(values) < count:
        raise TypeError("what is packed is made of tuples")
    return <tuple>values


cdef inline uint8_t* put_numbers(uint8_t* to, object values) except NULL:
    cdef tuple numbers = tuple_of(values, 0)
    to = put_number(to, <uint32_t>len(numbers))
    for number in numbers:
        to = put_number(to, number)
    return to


cdef inline tuple get_numbers(const uint8_t** at):
    cdef uint32_t index, count = get_number(at)
    cdef tuple numbers = PyTuple_New(count)
    for index in range(count):
        put_item(numbers, index, get_number(at))
    return numbers


cdef inline int put_item(tuple values, Py_ssize_t index, object value) except -1:
    """Put something into a tuple that is new."""
    Py_INCREF(value)
    PyTuple_SET_ITEM(values, index, value)
    return 0


cdef inline list told_of(object edes):
    """Return what extended errors say, codes and texts as octets; None where there are none."""
    if not edes:
        return None
    return [(ede.code, ede.text.encode("utf-8", "surrogatepass")) for ede in edes]


cdef inline size_t most_octets(tuple resolution, list told) except 0:
    """Return how many octets a resolution takes at most."""
    cdef tuple sections = tuple_of(resolution[1], 7)
    cdef size_t octets = 1 + 10 * NUMBER_OCTETS + PyBytes_GET_SIZE(<bytes?>sections[0])
    octets += NUMBER_OCTETS * PyTuple_GET_SIZE(tuple_of(sections[4], 0))
    octets += NUMBER_OCTETS * PyTuple_GET_SIZE(tuple_of(sections[5], 0))
    for name in tuple_of(resolution[2], 0):
        octets += NUMBER_OCTETS + PyBytes_GET_SIZE(<bytes?>name)
    if told is not None:
        for _, text in told:
            octets += 2 * NUMBER_OCTETS + PyBytes_GET_SIZE(<bytes?>text)
    return octets


cdef inline uint8_t* packed(uint8_t* to, tuple resolution, list told) except NULL:
    """Write a resolution but for its lifetime; return where it ends.

    ``most_octets`` has looked at all parts that are octets.
    """
    cdef tuple sections = tuple_of(resolution[1], 7), targets = tuple_of(resolution[2], 0)
    cdef uint8_t* flags = to
    flags[0] = 0
    to = put_number(to + 1, resolution[0])
    to = put_number(to, sections[1])
    to = put_number(to, sections[2])
    to = put_number(to, sections[3])
    to = put_number(to, sections[6])
    to = put_numbers(to, sections[4])
    to = put_numbers(to, sections[5])
    to = put_octets(to, <bytes>sections[0])
    if targets:
        flags[0] |= HAS_TARGETS
        to = put_number(to, <uint32_t>len(targets))
        for name in targets:
            to = put_octets(to, <bytes>name)
    if told is not None:
        flags[0] |= HAS_EDES
        to = put_number(to, <uint32_t>len(told))
        for code, text in told:
            to = put_number(to, code)
            to = put_octets(to, <bytes>text)
    if resolution[5]:
        flags[0] |= AUTHENTIC
    if resolution[6]:
        flags[0] |= PRIVATE
    if resolution[7]:
        flags[0] |= ECH
    return to


cdef inline tuple empty_of(type cls, Py_ssize_t count):
    """Return a named tuple whose values are put into it at once."""
    return <tuple>(<PyTypeObject*>cls).tp_alloc(cls, count)


cdef inline tuple unpacked(const uint8_t* at, long ttl_s, type kind, type kind_of_sections, ede):
    """Make a resolution again of what ``packed`` wrote."""
    cdef uint32_t flags = at[0], index, count, code
    cdef tuple sections = empty_of(kind_of_sections, 7), resolution = empty_of(kind, 8)
    cdef tuple targets = (), edes = ()
    at += 1
    put_item(resolution, 0, get_number(&at))
    put_item(sections, 1, get_number(&at))
    put_item(sections, 2, get_number(&at))
    put_item(sections, 3, get_number(&at))
    put_item(sections, 6, get_number(&at))
    put_item(sections, 4, get_numbers(&at))
    put_item(sections, 5, get_numbers(&at))
    put_item(sections, 0, get_octets(&at))
    if flags & HAS_TARGETS:
        count = get_number(&at)
        targets = PyTuple_New(count)
        for index in range(count):
            put_item(targets, index, get_octets(&at))
    if flags & HAS_EDES:
        edes = PyTuple_New(get_number(&at))
        for index in range(<uint32_t>len(edes)):
            code = get_number(&at)
            put_item(edes, index, ede(code, get_octets(&at).decode("utf-8", "surrogatepass")))
    put_item(resolution, 1, sections)
    put_item(resolution, 2, targets)
    put_item(resolution, 3, ttl_s)
    put_item(resolution, 4, edes)
    put_item(resolution, 5, flags & AUTHENTIC != 0)
    put_item(resolution, 6, flags & PRIVATE != 0)
    put_item(resolution, 7, flags & ECH != 0)
    return resolution
