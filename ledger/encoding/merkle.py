"""
Merkle trees of the records in a transfer: what `contracts/libraries/MerkleTree.sol` computes, a second time.

Pure. The shape is that of RFC 6962, section 2.1, over keccak256: a leaf is hashed after a byte 0x00, a node after 0x01,
and a tree of n leaves parts at the largest power of two below n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from eth_utils.crypto import keccak

from ledger.domain.records import TransferItem


def leaf(passport_id: bytes, seq: int, content: bytes) -> bytes:
    """
    Return the leaf of one record.

    Args:
        passport_id: 32 bytes.
        seq: The decision that permitted it, below 2^40.
        content: 32 bytes: the commitment to what was sent of it.

    Returns:
        32 bytes: keccak256 over 0x00 and the three as the ABI encodes them.

    Source:
        docs/spec.md, "Transfers".
    """
    return keccak(b"\x00" + passport_id + seq.to_bytes(32, "big") + content)


def leaf_of(item: TransferItem) -> bytes:
    """Return the leaf of a loaded record."""
    return leaf(item.passport_id, item.seq, item.content)


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash over two trees."""
    return keccak(b"\x01" + left + right)


def root(leaves: Iterable[bytes]) -> bytes:
    """
    Return the root of a tree.

    Args:
        leaves: At least one, in the order of the tree.

    Raises:
        ValueError: There is no leaf.
    """
    level = list(leaves)
    if not level:
        raise ValueError("a tree without leaves has no root")
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """
    Return the hashes beside the way from a leaf to the root, from below.

    Args:
        leaves: All of the tree's, in order.
        index: Which one, from 0.

    Raises:
        IndexError: There is no such leaf.
    """
    return paths(leaves, [index])[0]


def paths(leaves: Sequence[bytes], indices: Iterable[int]) -> list[tuple[bytes, ...]]:
    """
    Return the path of each of some leaves, as `path` does; the tree is hashed once.

    Raises:
        IndexError: There is no such leaf.
    """
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        levels.append(_above(levels[-1]))
    return [tuple(_beside(levels, index)) for index in indices]


def verify(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """
    Tell whether a leaf is the one of this index in the tree of *size* leaves with this root.

    Source:
        RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    last, found = size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            found = node(beside, found)
            # The last node of a level that is alone goes up until it has a neighbour.
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            found = node(found, beside)
        index >>= 1
        last >>= 1
    return last == 0 and found == root


def _beside(levels: list[list[bytes]], index: int) -> Iterator[bytes]:
    if not 0 <= index < len(levels[0]):
        raise IndexError(f"a tree of {len(levels[0])} leaves has none at {index}")
    for level in levels[:-1]:
        neighbour = index ^ 1
        if neighbour < len(level):
            yield level[neighbour]
        index >>= 1


def _above(level: list[bytes]) -> list[bytes]:
    """Hash neighbours; the last one of an odd number goes up as it is. This is the shape of RFC 6962."""
    pairs = [node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return pairs + level[len(level) - len(level) % 2 :]
