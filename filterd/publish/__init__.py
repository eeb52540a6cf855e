# SPDX-License-Identifier: Apache-2.0
"""Floor 6: build, sign and publish the feed, at the central authority.

The outcome is a folder of static files, ready for any web server:

``metadata/``  ``timestamp.json``, and every other role as ``N.role.json``
``targets/``   the files, their SHA-256 before the name: a name's content never changes

``keys``             private keys: made, read, kept from the eyes of others
``signing``          what is signed of a file and by a role
``parcels``          what a delegated role has signed on another machine, carried here
``signed_orders``    orders of the law, for a parcel
``program_packages`` packages of the program, for a parcel
``repository``       the signed metadata, changed so that a reader always finds a whole
``publication``      what a publication's folder holds, read and not changed
``verification``     a publication verified as a new appliance does it
``version_build``    a version's folder of the catalogue and the texts of sources
``review``           families of look-alikes that wait for a person, and the decisions
``mistake_inbox``    files in which schools report mistakes of lists, one of each gateway
``mistake_queue``    the reported names, the decisions on them, and the published answers
``version_diff``     what changes from one version to another, and for whom
``version_rows``     rows of all these, for people
``target_files``     a version's targets: each file packed, and as differences
``release``          the built version becomes the published one
``hold_release``     what schools hold, released with the offline keys

Texts of sources are fetched by ``filterd.feed.sources``, and a version's content is made by
``filterd.feed.version_content``, as a school that follows public lists does it too.
"""
