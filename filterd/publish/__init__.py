# SPDX-License-Identifier: Apache-2.0
"""Floor 6: build, sign and publish the feed, at the central authority.

The outcome is a folder of static files, ready for any web server:

``metadata/``  ``timestamp.json``, and every other role as ``N.role.json``
``targets/``   the files, their SHA-256 before the name: a name's content never changes

``keys``             private keys: made, and read, of files that their owner alone may read
``signing``          a version's targets, each file packed and as differences; roles signed
``parcels``          what a delegated role has signed on another machine, carried here
``signed_orders``    orders of the law, for a parcel
``program_packages`` packages of the program, for a parcel
``repository``       the signed metadata, changed so that each reader finds one whole version
``root_changes``     keys exchanged and holds released, by the root keys
``publication_folder`` the files of both, read and written
``publication``      what a publication's folder holds; all of it verified as an appliance does
``version_build``    a version's folder of the catalogue and the texts of sources
``evidence``         what the names of own lists stand on, and when a person looks again
``mistake_inbox``    files in which schools report mistakes of lists, one of each gateway
``review``           look-alikes and reported mistakes that wait for a decision, and the decisions
``version_diff``     what changes from one version to another, and for which grades
``version_rows``     rows of all these, for people
``release``          publishes the version that was built
``hold_release``     what schools hold, released with the offline keys

Texts of sources are fetched by ``filterd.feed.followed.sources``, and a version's content is made
by ``filterd.feed.followed.version_content``, as a school that follows public lists does it too.
"""
