// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title MerkleTree
/// @notice A tree of hashes to which leaves are only ever added, of the shape of RFC 6962, over keccak256.
/// @dev `ledger/encoding/merkle.py` is its twin. Of a tree with n leaves only its frontier is kept: for each bit of n that is
/// set the root of a whole subtree of 2^bit leaves, the largest of which is leftmost. A leaf and a node begin with another
/// byte, so that neither passes for the other.
library MerkleTree {
    /// @dev The leaf of one record.
    function leaf(bytes32 passportId, uint40 seq, bytes32 content) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x00), passportId, uint256(seq), content));
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @dev Add a leaf to a frontier of `size` leaves.
    /// @return level The only entry of the frontier that changed.
    function append(
        bytes32[32] memory frontier,
        uint256 size,
        bytes32 hash
    ) internal pure returns (uint256 level) {
        while ((size >> level) & 1 != 0) {
            hash = node(frontier[level], hash);
            ++level;
        }
        frontier[level] = hash;
    }

    /// @dev The root of a tree of `size` leaves, of which there is at least one.
    function root(bytes32[32] memory frontier, uint256 size) internal pure returns (bytes32 hash) {
        uint256 level;
        while ((size >> level) & 1 == 0) ++level;
        hash = frontier[level];
        for (++level; size >> level != 0; ++level) {
            if ((size >> level) & 1 != 0) hash = node(frontier[level], hash);
        }
    }

    /// @dev Whether a leaf is the one of this index, from 0, in the tree of `size` leaves with this root: the path holds
    /// the hashes beside its way to the root, from below. RFC 9162, section 2.1.3.2.
    function verify(
        bytes32 hash,
        uint256 index,
        uint256 size,
        bytes32[] calldata path,
        bytes32 expected
    ) internal pure returns (bool) {
        if (index >= size) return false;
        uint256 last = size - 1;
        for (uint256 step = 0; step < path.length; ++step) {
            if (last == 0) return false;
            if (index & 1 != 0 || index == last) {
                hash = node(path[step], hash);
                // The last leaf of a level that is alone goes up until it has a neighbour.
                while (index & 1 == 0 && index != 0) {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node(hash, path[step]);
            }
            index >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == expected;
    }
}
