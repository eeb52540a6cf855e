# SPDX-License-Identifier: Apache-2.0
"""Take public lists, from which a version is made here.

::

    sources --> text_judgement --> version_content --> followed_arrival --> guard
    (HTTPS)     (a child)          (a child)           fresh_arrival, all day

``sources``          texts of public lists, fetched within limits; the last good one stays
``source_limits``    what a night of them costs, and servers that asked for a pause
``host_reach``       whether any of their servers can be reached, before each is asked
``text_judgement``   a text that has come, unpacked, read and judged in a child with bounds
``packed_text``      a text that comes as gzip, zip or tar.gz, unpacked within bounds
``version_content``  a version made of a catalogue and of texts of sources, and written
``followed_arrival`` the version that the texts of a night make, its content made in a child
``fresh_arrival``    what sources that change all day have got since the night, every four hours
``fresh_names``      the names that are new, as a small list beside those of the night
``night_memory``     how much memory a child may take, and how many names that is
"""
