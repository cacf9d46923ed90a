"""The medical AI data passport: consent, access and provenance on a ledger."""

import sys

_limit = sys.getrecursionlimit()
# eth-account's curve library raises the recursion limit to 100,000 when it is imported. With that limit a deeply nested
# JSON body overflows the C stack and kills the process instead of raising RecursionError.
import py_ecc  # noqa: E402, F401

sys.setrecursionlimit(_limit)
