# SPDX-License-Identifier: Apache-2.0
"""Set up a checkout: the virtual environment, native modules, messages, pages and bytecode.

``make`` calls ``python3 deploy/checkout LAYER --for TARGET`` before a target's own commands. It
runs on the standard library alone, and costs a tenth of a second where all is in place:

- ``facts``: the Python, the compiler and the folders of this machine;
- ``target_needs``: what each target of the Makefile needs of the machine, as a table;
- ``project``: what the checkout asks for: its version, packages and pins;
- ``set_up_record``: what was made of what, and so which steps are due;
- ``set_up_plan``: what is due on this machine, and what it takes;
- ``preflight``: what the machine lacks for it, in sentences;
- ``package_index``: whether what must be fetched can be reached;
- ``set_up``: the command: judge, say what is missing, hold the lock, end whole or not at all;
- ``set_up_steps``: the steps, side by side where they do not wait for each other;
- ``environment_folder``: the environment is built beside and takes its name when it is whole;
- ``editable_install``: the checkout itself in an environment: path, command, metadata;
- ``pip_run``: pip, its progress and its failures in one sentence;
- ``native_code``: Cython and the C compiler, with a cache; ``deploy.package`` uses it too;
- ``tree_products``: what is made in the tree itself: messages, pages, bytecode;
- ``children``: child processes, all of which end with the set-up;
- ``progress``: one line a step.

Layers: ``run`` has what filterd runs with, ``test`` adds what tests and developers need.
"""
