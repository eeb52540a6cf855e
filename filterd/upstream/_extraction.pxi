# SPDX-License-Identifier: Apache-2.0
# Extraction from ordinary responses of what may be kept, as ``resolution`` does. A part of
# ``_pool.pyx``, which includes it.
#
# An ordinary response has no DNSSEC records that are wanted, no DNAME and no service binding
# among its answers. That is decided first; the others, and those of a zone's own servers, are
# left to ``resolution``. Names are expanded
# and RDATA is read through the codec's bounded reader.

cdef enum:
    A = 1
    CNAME = 5
    SOA = 6
    AAAA = 28
    DNAME = 39
    RRSIG = 46
    NSEC = 47
    NSEC3 = 50
    SVCB = 64
    HTTPS = 65
    CLASS_IN = 1
    ANSWER = 0
    AUTHORITY = 1
    SOA_NUMBERS_OCTETS = 20
    IPV4_OCTETS = 4
    IPV6_OCTETS = 16
    MOST_NAMES = 16
    NEAR_RECORDS = 256  # of a response by UDP: what is kept of it is noted on the stack
    MOST_CARRIERS = 8

cdef uint32_t longest_chain = plainly.LONGEST_CHAIN
cdef uint32_t longest_ttl_s = plainly.LONGEST_TTL_S
cdef uint32_t longest_negative_ttl_s = plainly.LONGEST_NEGATIVE_TTL_S
cdef type Resolution = plainly.Resolution
cdef bytes ipv4_ranges = b"".join(map(b"".join, zip(*addresses.RANGES_OF[4], strict=True)))
cdef bytes ipv6_ranges = b"".join(map(b"".join, zip(*addresses.RANGES_OF[16], strict=True)))

assert longest_chain < MOST_NAMES
assert len(addresses.CARRIERS) <= MOST_CARRIERS


cdef struct Carrier:
    # ``private_ranges.Carrier``, but for the rest of the prefix, which is zero.
    uint8_t prefix[IPV6_OCTETS]
    uint32_t prefix_octets
    uint32_t at
    uint8_t flipped

cdef struct Chain:
    # The aliases from the qname on, then what was asked for at their end: there is room for
    # every record, and for one alias more of each name. ``names`` are those that were passed,
    # the last one is there; copies, because what is expanded may move.
    uint32_t aliases
    uint32_t count
    const RecordAt** records
    uint32_t passed
    uint32_t lengths[MOST_NAMES]
    uint8_t names[MOST_NAMES][MAX_NAME_OCTETS]


cdef Carrier[MOST_CARRIERS] carriers
cdef int carrier_count = 0


cdef object _take_carriers():
    """Copy the ranges and carriers of ``private_ranges``."""
    global carrier_count
    cdef bytes prefix
    cdef Carrier* carrier
    for one in addresses.CARRIERS:
        carrier = &carriers[carrier_count]
        prefix, carrier.at, carrier.flipped = one
        assert len(prefix) <= IPV6_OCTETS and carrier.at <= IPV6_OCTETS - IPV4_OCTETS
        carrier.prefix_octets = <uint32_t>len(prefix)
        memcpy(carrier.prefix, PyBytes_AS_STRING(prefix), len(prefix))
        carrier_count += 1


_take_carriers()


def resolution_of(response, question not None):
    """Extract what may be kept; see ``filterd.upstream.resolution.resolution_of``."""
    cdef bytes qname
    cdef uint16_t qtype
    qname, qtype, do, _, route = question
    if (
        route.whole
        or not isinstance(response, ParsedResponse)
        or not is_name(qname)
        or not is_ordinary(response, qtype, do)
    ):
        return plainly.resolution_of(response, question)
    try:
        return extracted(response, qname, qtype)
    except WireError as error:
        raise UpstreamMalformedError(f"the upstream's answer does not parse: {error}") from error


cdef bint is_name(bytes qname) noexcept:
    """Return whether octets are one uncompressed name, on which the rest relies."""
    cdef Octets octets = octets_of(qname)
    cdef Place place
    cdef uint32_t end
    return skip_name(&octets, 0, False, &end, &place) and end == octets.size


cdef bint is_ordinary(ParsedResponse response, uint32_t qtype, bint do) noexcept:
    """Return whether a response is ordinary, by the types of its records."""
    cdef uint32_t number
    cdef RecordAt* record
    for number in range(response.count):
        record = response.places + number
        if do and record.rtype in (RRSIG, NSEC, NSEC3):
            return False
        if record.section != ANSWER:
            if not do:
                break
        elif record.rtype == DNAME or (record.rtype == qtype and qtype in (SVCB, HTTPS)):
            return False
    return True


cdef object extracted(ParsedResponse response, bytes qname, uint32_t qtype):
    cdef const RecordAt* near_records[NEAR_RECORDS + MOST_NAMES]
    cdef Kept near_kept[NEAR_RECORDS + MOST_NAMES]
    cdef size_t most = response.count + MOST_NAMES
    cdef void* apart
    if response.count <= NEAR_RECORDS:
        return extracted_in(response, qname, qtype, near_records, near_kept)
    apart = PyMem_Malloc(most * (sizeof(Kept) + sizeof(RecordAt*)))
    if apart == NULL:
        raise MemoryError
    try:
        return extracted_in(
            response, qname, qtype, <const RecordAt**>(<Kept*>apart + most), <Kept*>apart
        )
    finally:
        PyMem_Free(apart)


cdef object extracted_in(
    ParsedResponse response,
    bytes qname,
    uint32_t qtype,
    const RecordAt** records,
    Kept* kept,
):
    """Extract with arrays that have room for all records and MOST_NAMES more."""
    cdef Chain chain
    cdef Place place
    cdef uint32_t number, negative_ttl_s = 0
    cdef const RecordAt* soa = NULL
    cdef bint answered, known
    chain.passed = chain.aliases = chain.count = 0
    chain.records = records
    pass_by(&chain, <const uint8_t*>PyBytes_AS_STRING(qname), <uint32_t>PyBytes_GET_SIZE(qname))
    if not follow_aliases(response, qtype, &chain, &place):
        raise wrong(&place)
    answered = chain.count > chain.aliases
    for number in range(chain.count):
        keep(chain.records[number], chain.records[number].ttl, kept + number)
    number = chain.count
    if not answered:
        soa = soa_above(response, &chain)
    if soa != NULL:
        if not read_minimum(response, soa, &negative_ttl_s, &place):
            raise wrong(&place)
        keep(soa, min(soa.ttl, negative_ttl_s, longest_negative_ttl_s), kept + number)
        number += 1
    sections = rebuilt(response, kept, number)
    known = answered or soa != NULL
    targets = targets_of(response, &chain)
    edes = edes_of(response.edns) if response.has_edns and response.opt.rdlength else ()
    return named(
        Resolution,
        (
            rcode_of(response),
            sections,
            targets,
            lifetime(rcode_of(response), kept, number) if known else 0,
            edes,
            False,
            leads_home(response, qtype, &chain),
            False,
            False,
        ),
    )


cdef inline void keep(const RecordAt* record, uint32_t ttl_s, Kept* kept) noexcept nogil:
    """Note a record to copy, with this TTL."""
    kept.start, kept.rdata, kept.rdlength = (
        record.start,
        record.fixed + FIXED_OCTETS,
        record.rdlength,
    )
    kept.rtype, kept.rclass, kept.section = record.rtype, record.rclass, record.section
    kept.ttl, kept.changed = ttl_s, NULL


cdef void pass_by(Chain* chain, const uint8_t* name, uint32_t length) noexcept nogil:
    """Note a name, for which there is room, as the one at which the chain stands."""
    memcpy(chain.names[chain.passed], name, length)
    chain.lengths[chain.passed] = length
    chain.passed += 1


cdef int follow_aliases(
    ParsedResponse response, uint32_t qtype, Chain* chain, Place* place
) noexcept:
    """Follow CNAMEs from the qname; note them, and what was asked for at their end."""
    cdef uint32_t number
    cdef RecordAt* alias
    cdef const uint8_t* text
    cdef Name name
    while True:
        alias = NULL if qtype == CNAME else first_alias(response, chain)
        if alias == NULL:
            note_wanted(response, qtype, chain)
            return 1
        chain.records[chain.count] = alias
        chain.count += 1
        chain.aliases += 1
        if not read_target(response, alias, &name, place):
            return 0
        text = response.names.texts + name.at
        for number in range(chain.passed):
            if chain.lengths[number] == name.length and same_name(
                chain.names[number], text, name.length
            ):
                return stop(place, OTHER, alias.start)
        if chain.passed > longest_chain:
            return stop(place, OTHER, alias.start)
        pass_by(chain, text, name.length)


cdef bint is_owned(ParsedResponse response, const RecordAt* record, Chain* chain) noexcept nogil:
    """Return whether a record of class IN is owned by the name at which the chain stands."""
    cdef uint32_t last = chain.passed - 1
    return (
        record.rclass == CLASS_IN
        and record.owner.length == chain.lengths[last]
        and same_name(
            response.names.texts + record.owner.at, chain.names[last], record.owner.length
        )
    )


cdef RecordAt* first_alias(ParsedResponse response, Chain* chain) noexcept nogil:
    """Return the first CNAME of the name at which the chain stands, NULL if it has none."""
    cdef uint32_t number
    cdef RecordAt* record
    for number in range(response.count):
        record = response.places + number
        if record.section != ANSWER:
            break
        if record.rtype == CNAME and is_owned(response, record, chain):
            return record
    return NULL


cdef void note_wanted(ParsedResponse response, uint32_t qtype, Chain* chain) noexcept nogil:
    """Note the answers of the type that was asked for, of the name at which the chain stands."""
    cdef uint32_t number
    cdef const RecordAt* record
    for number in range(response.count):
        record = response.places + number
        if record.section != ANSWER:
            break
        if record.rtype == qtype and is_owned(response, record, chain):
            chain.records[chain.count] = record
            chain.count += 1


cdef int read_target(
    ParsedResponse response, const RecordAt* record, Name* name, Place* place
) noexcept:
    """Read where an alias leads; see ``rdata.target_of``."""
    cdef uint32_t rdata = record.fixed + FIXED_OCTETS, end
    if not expand_name(&response.names, &response.octets, rdata, name, &end, place):
        return 0
    if end != rdata + record.rdlength:
        return stop(place, COUNT, end)
    return 1


cdef object targets_of(ParsedResponse response, Chain* chain):
    """Return the names that the records of the chain lead to."""
    cdef list targets = []
    cdef uint32_t number
    cdef Place place
    cdef Name name
    for number in range(chain.count):
        if chain.records[number].rtype == CNAME:
            if not read_target(response, chain.records[number], &name, &place):
                raise wrong(&place)
            targets.append(lowered(response.names.texts + name.at, name.length))
    return tuple(targets)


cdef const RecordAt* soa_above(ParsedResponse response, Chain* chain) noexcept nogil:
    """Return the first SOA if it is one by which the last name's absence is kept, or NULL."""
    cdef uint32_t number, at = 0, last = chain.passed - 1
    cdef const RecordAt* record
    for number in range(response.count):
        record = response.places + number
        if record.section != AUTHORITY or record.rtype != SOA:
            continue
        while chain.lengths[last] - at > record.owner.length:
            at += <uint32_t>chain.names[last][at] + 1
        if chain.lengths[last] - at == record.owner.length and same_name(
            response.names.texts + record.owner.at, chain.names[last] + at, record.owner.length
        ):
            return record
        return NULL
    return NULL


cdef int read_minimum(
    ParsedResponse response, const RecordAt* soa, uint32_t* minimum_s, Place* place
) noexcept:
    """Read the MINIMUM of a SOA record; see ``rdata.soa_minimum``."""
    cdef uint32_t position = soa.fixed + FIXED_OCTETS, behind
    cdef uint32_t end = position + soa.rdlength
    cdef Name name
    for _ in range(2):
        if not expand_name(&response.names, &response.octets, position, &name, &behind, place):
            return 0
        if behind > end:
            return stop(place, TRUNCATED, position)
        position = behind
    if position + SOA_NUMBERS_OCTETS > end:
        return stop(place, TRUNCATED, position)
    position += SOA_NUMBERS_OCTETS
    if position != end:
        return stop(place, COUNT, position)
    minimum_s[0] = four_octets(response.octets.start + position - 4)
    if minimum_s[0] >> 31:
        minimum_s[0] = 0
    return 1


cdef uint32_t lifetime(int rcode, const Kept* kept, uint32_t count) noexcept nogil:
    """Return the lifetime of an answer that is no failure."""
    cdef uint32_t least_s = longest_ttl_s, number
    if rcode not in (NOERROR, NXDOMAIN):
        return 0
    for number in range(count):
        least_s = min(least_s, kept[number].ttl)
    return least_s


cdef object leads_home(ParsedResponse response, uint32_t qtype, Chain* chain):
    """Return whether an address record of the answer is private."""
    cdef uint32_t octets = IPV4_OCTETS if qtype == A else IPV6_OCTETS, number
    cdef const RecordAt* record
    cdef Place place
    if qtype != A and qtype != AAAA:
        return False
    for number in range(chain.aliases, chain.count):
        record = chain.records[number]
        if record.rdlength != octets:
            stop(&place, OTHER, record.fixed + FIXED_OCTETS)
            raise wrong(&place)
        if is_private(response.octets.start + record.fixed + FIXED_OCTETS, octets):
            return True
    return False


cdef bint is_private(const uint8_t* address, uint32_t octets) noexcept:
    """Return what ``private_ranges.is_private`` returns, for 4 or 16 octets."""
    cdef bint is_carrier = False
    cdef uint8_t carried[IPV4_OCTETS]
    cdef const Carrier* carrier
    cdef int number, at
    if octets == IPV4_OCTETS:
        return is_within(ipv4_ranges, address, octets)
    for number in range(carrier_count):
        carrier = &carriers[number]
        if memcmp(carrier.prefix, address, carrier.prefix_octets) != 0:
            continue
        is_carrier = True
        for at in range(IPV4_OCTETS):
            carried[at] = address[carrier.at + at] ^ carrier.flipped
        if is_within(ipv4_ranges, carried, IPV4_OCTETS):
            return True
    return not is_carrier and is_within(ipv6_ranges, address, octets)


cdef bint is_within(bytes ranges, const uint8_t* address, uint32_t octets) noexcept:
    """Return whether an address is in one of the ranges, each its first and its last."""
    cdef const char* first = PyBytes_AS_STRING(ranges)
    cdef const char* end = first + PyBytes_GET_SIZE(ranges)
    while first < end:
        if memcmp(first, address, octets) <= 0 and memcmp(address, first + octets, octets) <= 0:
            return True
        first += 2 * octets
    return False
