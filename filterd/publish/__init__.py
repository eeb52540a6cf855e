# SPDX-License-Identifier: Apache-2.0
"""The central authority's side of the feed: build a version, sign it, publish it.

What comes out is a folder of static files, ready for any web server:

``metadata/``  ``timestamp.json``, and every other role as ``N.role.json``
``targets/``   the files, their SHA-256 before the name: a name's content never changes

``keys``             private keys: made, read, kept from the eyes of others
``signing``          what is signed of a file and by a role
``repository``       the signed metadata, changed so that a reader always finds a whole
``verification``     all of a publication, looked at as a new appliance does
``sources``          the texts of the lists that others publish, fetched within limits
``version_build``    a version's folder out of the catalogue and those texts
``target_files``     its targets: each file packed, and as the difference to what it was
``list_merge``       all lists of a category, made few, small and steady
``hold_release``     what schools hold, released with the offline keys
``top_names``        names that everybody visits, which no list of danger means
"""
