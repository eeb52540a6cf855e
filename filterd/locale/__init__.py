# SPDX-License-Identifier: Apache-2.0
"""The catalogues of translations: ``vi.po`` and ``vi.mo``.

Translators edit ``vi.po``; ``compile_catalogues`` makes ``vi.mo`` of it.
"""
