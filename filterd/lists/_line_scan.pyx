# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Skimming in C: the same lines as ``_line_scan_py`` takes, which explains why those.

Lists come from the network: nothing is written before a line was seen to be short
enough for the one buffer there is, and that stays bounded whatever a line says.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp, memcpy

from filterd.lists.hostname import MAX_TEXT as _MAX_TEXT

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    void* PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef enum:
    MAX_NAME = 253
    MAX_LABEL = 63
    TAIL_OCTETS = 9

assert MAX_NAME == _MAX_TEXT

cdef enum Kind:
    OTHER
    LETTER
    DIGIT
    DOT

cdef uint8_t _KINDS[256]


cdef void _fill_kinds() noexcept:
    cdef int octet
    for octet in range(256):
        if c"a" <= octet <= c"z" or octet == c"_" or octet == c"-":
            _KINDS[octet] = LETTER
        elif c"0" <= octet <= c"9":
            _KINDS[octet] = DIGIT
        else:
            _KINDS[octet] = DOT if octet == c"." else OTHER

_fill_kinds()


cdef struct Shape:
    # Octets that Python owns; the texts outlive the batch.
    const uint8_t* before
    Py_ssize_t before_octets
    const uint8_t* after
    Py_ssize_t after_octets


def skim(list lines not None, shape, uint32_t first, uint32_t claim, special, list records not None):
    """Take the plain names out of a batch of lines; see ``filterd.lists._line_scan_py.skim``."""
    cdef bytes before = shape.before.encode("ascii"), after = shape.after.encode("ascii")
    cdef Shape how = Shape(before, len(before), after, len(after))
    # A key is as long as its name and the NUL of the last label; its record has the tail, too.
    cdef uint8_t record[MAX_NAME + 1 + TAIL_OCTETS]
    cdef Py_ssize_t position, octets, parent
    cdef str line
    alone, above = special
    for position in range(len(lines)):
        line = lines[position]
        if not PyUnicode_IS_COMPACT_ASCII(line):
            continue
        octets = _key(
            <const uint8_t*> PyUnicode_DATA(line), PyUnicode_GET_LENGTH(line), &how, record, &parent
        )
        if octets == 0:
            continue
        if PyBytes_FromStringAndSize(<char*> record, octets) in alone:
            continue
        if PyBytes_FromStringAndSize(<char*> record, parent) in above:
            continue
        record[octets] = 0
        _put(record + octets + 1, claim)
        _put(record + octets + 5, first + <uint32_t> position)
        records.append(PyBytes_FromStringAndSize(<char*> record, octets + TAIL_OCTETS))
        lines[position] = ""


cdef Py_ssize_t _key(
    const uint8_t* line, Py_ssize_t octets, Shape* how, uint8_t* key, Py_ssize_t* parent
) noexcept:
    """Write the key of the name in a line; return its octets, 0 for a line that is not plain."""
    cdef Py_ssize_t at, name_octets = octets - how.before_octets - how.after_octets
    cdef Py_ssize_t label = 0, written = 0, kind
    if not 0 < name_octets <= MAX_NAME:
        return 0
    if memcmp(line, how.before, how.before_octets):
        return 0
    cdef const uint8_t* name = line + how.before_octets
    if memcmp(name + name_octets, how.after, how.after_octets):
        return 0
    if _KINDS[name[name_octets - 1]] != LETTER:
        return 0
    # From the right to the left, as keys have the labels; -1 ends the first one.
    at = name_octets - 1
    while at >= -1:
        kind = DOT if at < 0 else _KINDS[name[at]]
        if kind == DOT:
            if not 0 < label <= MAX_LABEL:
                return 0
            parent[0] = written
            memcpy(key + written, name + at + 1, label)
            written += label
            key[written] = 0
            written += 1
            label = 0
        elif kind == OTHER:
            return 0
        else:
            if name[at] == c"x" and at + 4 <= name_octets and not memcmp(name + at, b"xn--", 4):
                return 0
            label += 1
        at -= 1
    return written if parent[0] else 0


cdef inline void _put(uint8_t* to, uint32_t number) noexcept:
    to[0] = number >> 24
    to[1] = number >> 16 & 0xFF
    to[2] = number >> 8 & 0xFF
    to[3] = number & 0xFF
