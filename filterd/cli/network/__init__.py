# SPDX-License-Identifier: Apache-2.0
"""The commands for what this machine does as a gateway.

``firewall`` closes the ways past filterd.
"""
