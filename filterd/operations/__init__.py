# SPDX-License-Identifier: Apache-2.0
"""Tell what a school does, once for the commands, the API and the socket. Pure.

A face hands on what a person or program gave; here it becomes checked values and the fields of
a change, which ``overrides`` reads::

    words   --> cli --+
    JSON    --> web --+--> parameters --> exceptions --> control socket --> overrides.change_kinds
    a form  --> web --+

No Typer, no Starlette, no socket; workers do not load it.

``parameters``  a kind of value a module, with a way to read it for each face
``exceptions``  allow or block targets
"""
