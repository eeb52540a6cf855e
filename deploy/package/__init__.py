# SPDX-License-Identifier: Apache-2.0
"""Build Debian packages, wheels and an apt repository, by the standard library alone.

``make deb`` and ``make release`` run it in the environment of the tests; it calls Debian's tools
and those of that environment (Cython, setuptools, pip), never the target's processor.
One step a module, in this order:

- ``target``: a Debian release and an architecture;
- ``target_python``: its Python with headers, unpacked from Debian's packages;
- ``native_modules``: the extensions of filterd, compiled for it;
- ``wheels``: the wheels of filterd and of what it needs;
- ``environment``: both unpacked as a virtual environment, with bytecode;
- ``debian_package``: the environment, units, users, manual pages and maintainer scripts;
- ``apt_repository``, ``bill_of_materials``: what ``make release`` adds.

Finished steps are kept in ``build/package``; each folder there is complete before it gets its name.
The files beside the modules (``postinst``, ``sysusers.conf``, ...) go into the package.
"""
