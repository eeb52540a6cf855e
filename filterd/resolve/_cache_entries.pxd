# SPDX-License-Identifier: Apache-2.0
"""Entries in cells: found by question, ordered by use, and by the step in which they expire.

An entry is one cell that tells of it, ``Head``, and a chain of cells with its name
and its resolution. Heads are linked by the numbers of their cells: those of one
bucket, the ring of all by use, in which the cell ``NONE`` stands where it begins and
ends, and a ring for each step of expiry. Buckets come one at a time, each with an
entry (linear hashing), so no question waits for a table to be rebuilt.

Memory safety. Cells are taken only after room was made for all that are needed. A
head is reached by numbers that other heads, buckets and steps hold, all of which
forget it before its cell is given back. Names are compared octet by octet.
"""

from libc.math cimport ceil, floor
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from filterd.resolve._cache_cells cimport (
    CELL_OCTETS,
    CHAINED_OCTETS,
    NONE,
    Cells,
    area_octets,
    cell_at,
    cells_for,
    chain_begins,
    give_cell,
    give_chain,
    link_of,
    map_again,
    map_octets,
    mapped_for,
    take_cell,
    unmap,
    write_chained,
    zero,
)

cdef enum:
    LEAST_BUCKETS = 16
    CELLS_A_BUCKET = 4
    STEPS = 8192  # of 16 s are longer than any resolution holds; see ``expire_at``
    STEPS_OCTETS = 32768
    WORTH_GIVING_BACK = 1024  # cells
    ASKED_DO = 1
    ASKED_CD = 2
    ASKED = 3
    REFRESHED = 4

cdef struct Head:
    uint32_t next_in_bucket
    uint32_t hashed
    uint32_t newer
    uint32_t older
    uint32_t before  # in the ring of those that expire in one step, or of those that have
    uint32_t behind
    double stored_at
    uint32_t ttl_s
    float stale_s
    uint32_t hits
    uint32_t serial  # of the put that made it
    uint32_t first  # of the chain, which holds so many octets
    uint32_t octets
    uint16_t qtype
    uint16_t route
    uint16_t slot
    uint8_t name_octets
    uint8_t flags

cdef struct Asked:  # what an entry is looked for by; the name is borrowed
    const uint8_t* name
    uint32_t hashed
    uint16_t qtype
    uint16_t route
    uint8_t name_octets
    uint8_t flags

cdef struct Entries:
    Cells cells
    uint32_t count
    uint32_t serial
    uint32_t* buckets
    uint32_t most_buckets
    uint32_t bucket_count  # at least ``bucket_mask`` + 1 and less than twice that
    uint32_t bucket_mask
    uint32_t over  # the first of those whose step is over
    uint32_t* steps  # the first of those that expire in a step, by its number
    int64_t step  # no earlier one is among them
    double step_s


cdef inline Head* head_at(const Entries* held, uint32_t number) noexcept nogil:
    return <Head*>cell_at(&held.cells, number)


cdef inline double expires_at(const Head* head) noexcept nogil:
    return head.stored_at + head.ttl_s


cdef inline size_t buckets_octets(uint32_t buckets) noexcept nogil:
    return mapped_for(<size_t>buckets * sizeof(uint32_t))


cdef inline bint map_entries(Entries* held, uint32_t most) noexcept nogil:
    """Map room for so many cells, and for the buckets they need; False where there is no memory.

    No more than so many are taken, and those are the first ones.
    """
    cdef uint32_t buckets = max(<uint32_t>LEAST_BUCKETS, most // CELLS_A_BUCKET)
    cdef void* mapped
    if held.steps == NULL:
        held.steps = <uint32_t*>map_octets(STEPS_OCTETS)
        held.cells.octets = <uint8_t*>map_octets(area_octets(0))
        held.buckets = <uint32_t*>map_octets(buckets_octets(LEAST_BUCKETS))
        held.most_buckets = held.bucket_count = LEAST_BUCKETS
        held.bucket_mask = LEAST_BUCKETS - 1
        held.cells.top = 1
    if held.steps == NULL or held.cells.octets == NULL or held.buckets == NULL:
        return False
    while held.bucket_count > buckets:
        merge_bucket(held)
    mapped = map_again(
        held.buckets, buckets_octets(held.most_buckets), buckets_octets(buckets)
    )
    if mapped == NULL:
        return False
    held.buckets, held.most_buckets = <uint32_t*>mapped, buckets
    mapped = map_again(held.cells.octets, area_octets(held.cells.most), area_octets(most))
    if mapped == NULL:
        return False
    held.cells.octets, held.cells.most = <uint8_t*>mapped, most
    return True


cdef inline void unmap_entries(Entries* held) noexcept nogil:
    unmap(held.steps, STEPS_OCTETS)
    unmap(held.buckets, buckets_octets(held.most_buckets))
    unmap(held.cells.octets, area_octets(held.cells.most))


cdef inline void clear(Entries* held) noexcept nogil:
    """Forget all entries and give their memory back."""
    zero(held.cells.octets, area_octets(held.cells.most))
    zero(held.buckets, buckets_octets(held.most_buckets))
    zero(held.steps, STEPS_OCTETS)
    held.cells.top, held.cells.free, held.cells.taken = 1, NONE, 0
    held.bucket_count, held.bucket_mask = LEAST_BUCKETS, LEAST_BUCKETS - 1
    held.count, held.over = 0, NONE


# Buckets.


cdef inline uint32_t bucket_of(const Entries* held, uint32_t hashed) noexcept nogil:
    cdef uint32_t bucket = hashed & (2 * held.bucket_mask + 1)
    return bucket if bucket < held.bucket_count else hashed & held.bucket_mask


cdef inline uint32_t find(const Entries* held, const Asked* asked) noexcept nogil:
    """Return the number of what is held of a question, NONE if nothing is."""
    cdef uint32_t number = held.buckets[bucket_of(held, asked.hashed)]
    cdef const Head* head
    while number != NONE:
        head = head_at(held, number)
        if (
            head.hashed == asked.hashed
            and head.name_octets == asked.name_octets
            and head.qtype == asked.qtype
            and head.route == asked.route
            and head.flags & ASKED == asked.flags
            and chain_begins(&held.cells, head.first, asked.name, asked.name_octets)
        ):
            return number
        number = head.next_in_bucket
    return NONE


cdef inline uint32_t find_hashed(const Entries* held, uint32_t hashed) noexcept nogil:
    """Return the number of the entry under a hash whose question is not at hand."""
    cdef uint32_t number = held.buckets[bucket_of(held, hashed)]
    while number != NONE and head_at(held, number).hashed != hashed:
        number = head_at(held, number).next_in_bucket
    return number


cdef inline uint32_t* link_to(const Entries* held, uint32_t number, uint32_t hashed) noexcept nogil:
    """Return where a head's number stands among those of its bucket."""
    cdef uint32_t* link = held.buckets + bucket_of(held, hashed)
    while link[0] != number:
        link = &head_at(held, link[0]).next_in_bucket
    return link


cdef inline void split_bucket(Entries* held) noexcept nogil:
    """Add a bucket, and move into it what is its of the one that stood for it."""
    cdef uint32_t added = held.bucket_count
    cdef uint32_t* link = held.buckets + (added & held.bucket_mask)
    cdef uint32_t* moved = held.buckets + added
    cdef uint32_t number
    cdef Head* head
    held.bucket_count += 1
    while link[0] != NONE:
        number = link[0]
        head = head_at(held, number)
        if bucket_of(held, head.hashed) == added:
            link[0], head.next_in_bucket, moved[0] = head.next_in_bucket, moved[0], number
        else:
            link = &head.next_in_bucket
    if held.bucket_count == 2 * (held.bucket_mask + 1):
        held.bucket_mask = 2 * held.bucket_mask + 1


cdef inline void merge_bucket(Entries* held) noexcept nogil:
    """Take the last bucket away."""
    cdef uint32_t last = held.bucket_count - 1
    cdef uint32_t* link
    if last == held.bucket_mask:
        held.bucket_mask >>= 1
    link = held.buckets + (last & held.bucket_mask)
    while link[0] != NONE:
        link = &head_at(held, link[0]).next_in_bucket
    link[0] = held.buckets[last]
    held.buckets[last] = NONE
    held.bucket_count = last


# By use.


cdef inline void use(Entries* held, uint32_t number) noexcept nogil:
    """Put an entry at the recent end."""
    cdef Head* head = head_at(held, number)
    cdef Head* end = head_at(held, NONE)
    head.newer, head.older = NONE, end.older
    head_at(held, head.older).newer = number
    end.older = number


cdef inline void unuse(Entries* held, uint32_t number) noexcept nogil:
    cdef Head* head = head_at(held, number)
    head_at(held, head.newer).older = head.older
    head_at(held, head.older).newer = head.newer


cdef inline void use_again(Entries* held, uint32_t number) noexcept nogil:
    if head_at(held, number).newer != NONE:
        unuse(held, number)
        use(held, number)


# By step of expiry.


cdef inline void expire_at(Entries* held, uint32_t number, double at) noexcept nogil:
    """Put an entry into the step in which it expires, in front.

    What holds for longer than there are steps is taken for expired at the last one.
    """
    cdef Head* head = head_at(held, number)
    cdef Head* first
    cdef double step = ceil(at / held.step_s)
    step = max(<double>held.step, min(step, <double>(held.step + STEPS - 1)))
    head.slot = <uint16_t>(<int64_t>step & (STEPS - 1))
    head.before = head.behind = number
    if held.steps[head.slot] != NONE:
        first = head_at(held, held.steps[head.slot])
        head.behind, head.before = held.steps[head.slot], first.before
        head_at(held, head.before).behind = number
        first.before = number
    held.steps[head.slot] = number


cdef inline void unexpire(Entries* held, uint32_t number) noexcept nogil:
    cdef Head* head = head_at(held, number)
    cdef uint32_t behind = NONE if head.behind == number else head.behind
    head_at(held, head.before).behind = head.behind
    head_at(held, head.behind).before = head.before
    if held.steps[head.slot] == number:
        held.steps[head.slot] = behind
    elif held.over == number:
        held.over = behind


cdef inline void advance(Entries* held, double now) noexcept nogil:
    """Put what is in steps that are over behind what was in earlier ones."""
    cdef uint32_t first, last
    cdef uint32_t* step
    cdef int _
    for _ in range(STEPS):
        if held.step * held.step_s > now:
            return
        step = held.steps + (held.step & (STEPS - 1))
        held.step += 1
        first = step[0]
        if first == NONE:
            continue
        step[0] = NONE
        if held.over == NONE:
            held.over = first
            continue
        last = head_at(held, first).before
        head_at(held, first).before = head_at(held, held.over).before
        head_at(held, head_at(held, held.over).before).behind = first
        head_at(held, held.over).before = last
        head_at(held, last).behind = held.over
    # The machine slept for longer than there are steps; none of them has anything left.
    held.step = max(held.step, <int64_t>floor(now / held.step_s) + 1)


# What comes and goes.


cdef inline void remove(Entries* held, uint32_t number) noexcept nogil:
    cdef Head* head = head_at(held, number)
    link_to(held, number, head.hashed)[0] = head.next_in_bucket
    unuse(held, number)
    unexpire(held, number)
    give_chain(&held.cells, head.first)
    give_cell(&held.cells, number)
    held.count -= 1
    if held.count == 0:
        if held.cells.top > WORTH_GIVING_BACK:
            clear(held)
        held.cells.top, held.cells.free = 1, NONE


cdef inline void make_room(Entries* held, uint32_t room, double now) noexcept nogil:
    """Let go what has expired, then what was used longest ago, until so many cells are taken."""
    advance(held, now)
    while held.cells.taken > room:
        remove(held, held.over if held.over != NONE else head_at(held, NONE).newer)


cdef inline void add(
    Entries* held,
    const Asked* asked,
    const uint8_t* octets,
    size_t length,
    uint32_t ttl_s,
    float stale_s,
    double now,
) noexcept nogil:
    """Make an entry of what is not held, unless it is larger than all the room."""
    cdef uint32_t needed = 1 + cells_for(asked.name_octets + length)
    cdef uint32_t number, filled = CHAINED_OCTETS
    cdef uint32_t* link
    cdef Head* head
    if needed > held.cells.most:
        return
    make_room(held, held.cells.most - needed, now)
    number = take_cell(&held.cells)
    head = head_at(held, number)
    held.serial += 1
    head.hashed, head.qtype, head.route = asked.hashed, asked.qtype, asked.route
    head.name_octets, head.flags, head.hits = asked.name_octets, asked.flags, 0
    head.stored_at, head.ttl_s, head.stale_s = now, ttl_s, stale_s
    head.serial, head.octets = held.serial, <uint32_t>(asked.name_octets + length)
    link = write_chained(&held.cells, &head.first, &filled, asked.name, asked.name_octets)
    write_chained(&held.cells, link, &filled, octets, length)
    link = held.buckets + bucket_of(held, asked.hashed)
    head.next_in_bucket, link[0] = link[0], number
    use(held, number)
    expire_at(held, number, expires_at(head))
    held.count += 1
    if held.count > held.bucket_count and held.bucket_count < held.most_buckets:
        split_bucket(held)


# Into less room.


cdef inline uint32_t moved_cell(Entries* held, uint32_t number) noexcept nogil:
    """Copy a cell to where one is free, and forget it."""
    cdef uint32_t moved = take_cell(&held.cells)
    held.cells.taken -= 1
    memcpy(cell_at(&held.cells, moved), cell_at(&held.cells, number), CELL_OCTETS)
    return moved


cdef inline uint32_t moved_head(Entries* held, uint32_t number) noexcept nogil:
    """Move a head, and let all that are linked to it know."""
    cdef uint32_t moved = moved_cell(held, number)
    cdef Head* head = head_at(held, moved)
    link_to(held, number, head.hashed)[0] = moved
    head_at(held, head.newer).older = head_at(held, head.older).newer = moved
    if head.behind == number:
        head.before = head.behind = moved
    head_at(held, head.before).behind = head_at(held, head.behind).before = moved
    if held.steps[head.slot] == number:
        held.steps[head.slot] = moved
    elif held.over == number:
        held.over = moved
    return moved


cdef inline void gather(Entries* held, uint32_t most) noexcept nogil:
    """Move everything into the first cells, of which no more than those are taken."""
    cdef uint32_t number, given = held.cells.free
    cdef uint32_t* link
    if held.cells.top <= most + 1:
        return
    held.cells.free = NONE
    while given != NONE:
        number, given = given, link_of(&held.cells, given)
        if number <= most:
            give_cell(&held.cells, number)
            held.cells.taken += 1  # it was not
    number = head_at(held, NONE).older
    while number != NONE:
        if number > most:
            number = moved_head(held, number)
        link = &head_at(held, number).first
        while link[0] != NONE:
            if link[0] > most:
                link[0] = moved_cell(held, link[0])
            link = <uint32_t*>cell_at(&held.cells, link[0])
        number = head_at(held, number).older
    held.cells.top = most + 1
