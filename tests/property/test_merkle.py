"""Merkle trees: root, path and proof against the words of RFC 6962."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.encoding import merkle

LEAVES = st.integers(1, 200).flatmap(
    lambda size: st.integers(0, 2**64).map(
        lambda seed: [keccak(seed.to_bytes(9, "big") + place.to_bytes(2, "big")) for place in range(size)]
    )
)


def tree_hash(leaves: list[bytes]) -> bytes:
    """Return MTH(D[n]) as section 2.1 defines it, by recursion."""
    if len(leaves) == 1:
        return leaves[0]
    k = half(len(leaves))
    return keccak(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:]))


def audit_path(place: int, leaves: list[bytes]) -> list[bytes]:
    """Return PATH(m, D[n]) as section 2.1.1 defines it, by recursion."""
    if len(leaves) == 1:
        return []
    k = half(len(leaves))
    if place < k:
        return [*audit_path(place, leaves[:k]), tree_hash(leaves[k:])]
    return [*audit_path(place - k, leaves[k:]), tree_hash(leaves[:k])]


def half(size: int) -> int:
    """Return the largest power of two below *size*."""
    return 1 << (size - 1).bit_length() - 1


@given(LEAVES)
def test_root_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    assert merkle.root(leaves) == tree_hash(leaves)


@given(LEAVES, st.data())
def test_every_path_proves_its_leaf_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, len(leaves) - 1))
    path, root = merkle.path(leaves, place), merkle.root(leaves)

    assert list(path) == audit_path(place, leaves)
    for index, leaf in enumerate(leaves):
        proven = merkle.verify(leaf, index=place, size=len(leaves), path=path, root=root)
        assert proven is (index == place)
    if other != place:
        assert not merkle.verify(leaves[place], index=other, size=len(leaves), path=path, root=root)


@given(LEAVES, st.data())
def test_a_changed_path_proves_nothing(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    path, root = list(merkle.path(leaves, place)), merkle.root(leaves)
    words = {"index": place, "size": len(leaves), "root": root}

    assert not merkle.verify(leaves[place], path=[*path, root], **words)
    assert not merkle.verify(leaves[place], path=path, **words | {"root": bytes(32)})
    assert not merkle.verify(leaves[place], path=path, **words | {"index": len(leaves)})
    assert not merkle.verify(leaves[place], path=path, **words | {"index": -1})
    if path:
        step = data.draw(st.integers(0, len(path) - 1))
        changed = [keccak(item) if at == step else item for at, item in enumerate(path)]
        assert not merkle.verify(leaves[place], path=changed, **words)
        assert not merkle.verify(leaves[place], path=path[:-1], **words)


def test_a_leaf_is_not_a_node() -> None:
    """Neither passes for the other, whatever it says."""
    passport, content = b"\x01" * 32, b"\x02" * 32

    assert merkle.leaf(passport, 5, content) == keccak(b"\x00" + passport + (5).to_bytes(32, "big") + content)
    assert merkle.node(passport, content) == keccak(b"\x01" + passport + content)


def test_nothing_has_no_root_and_no_path() -> None:
    with pytest.raises(ValueError, match="without leaves"):
        merkle.root([])
    with pytest.raises(IndexError, match="none at 1"):
        merkle.path([bytes(32)], 1)
