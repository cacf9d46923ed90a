"""
Words of the contract read by its ABI, where strings hold whatever bytes somebody wrote into them.

The contract does not ask whether a name is UTF-8, and nobody can take a name back off the chain. What is none is read
as U+FFFD, everywhere in the same way: whoever refused it could be stopped for ever by one member's name.
"""

from __future__ import annotations

from typing import Final

from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_abi.encoding import TextStringEncoder
from eth_abi.registry import ABIRegistry, BaseEquals, registry

#: How bytes that are no UTF-8 are read, as `bytes.decode` names it.
UNREADABLE: Final = "replace"


class _Text(StringDecoder):
    def __init__(self) -> None:
        super().__init__(handle_string_errors=UNREADABLE)  # type: ignore[no-untyped-call]


def _forgiving() -> ABIRegistry:
    known: ABIRegistry = registry.copy()  # type: ignore[no-untyped-call]
    known.unregister("string")
    known.register(BaseEquals("string"), TextStringEncoder, _Text, label="string")  # type: ignore[no-untyped-call]
    return known


decode: Final = ABICodec(_forgiving()).decode
