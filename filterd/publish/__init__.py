# SPDX-License-Identifier: Apache-2.0
"""Floor 6: build, sign and publish the feed, at the central authority.

The result is a folder of static files, ready for any web server:

``metadata/``  ``timestamp.json``, and every other role as ``N.role.json``
``targets/``   the files, their SHA-256 before the name: a name's content never changes

``keys``             private keys: make and read them, with safe permissions
``signing``          the signed form of a file and of a role
``repository``       the signed metadata, changed so that a reader always finds a whole
``verification``     check a whole publication as a new appliance does
``sources``          fetch the texts of third-party lists, within limits
``version_build``    build a version's folder from the catalogue and those texts
``target_files``     pack its targets: each file whole, and as a difference
``list_merge``       merge all lists of a category into few, small and stable ones
``hold_release``     release with the offline keys what schools hold
``top_names``        popular names, which lists of danger name only by mistake
"""
