// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../interfaces/IConsents.sol";
import {Verdict} from "./Verdict.sol";

/// @title PassportHash
/// @notice Struct hashes (EIP-712), commitments and the fold of decisions, as docs/spec.md defines them.
library PassportHash {
    /// @dev Grant(bytes32 grantId,bytes32 passportId,uint32 recipient,uint16 purposes,uint16 categories,
    /// uint40 useFrom,uint40 useTo,uint24 maxUses,uint8 flags,bytes32 terms,bytes32 supersedes,uint40 deadline)
    bytes32 internal constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 grantId,bytes32 passportId,uint32 recipient,uint16 purposes,uint16 categories,uint40 useFrom,uint40 useTo,uint24 maxUses,uint8 flags,bytes32 terms,bytes32 supersedes,uint40 deadline)"
    );
    /// @dev Revocation(bytes32 passportId,bytes32 grantId)
    bytes32 internal constant REVOCATION_TYPEHASH = keccak256(
        "Revocation(bytes32 passportId,bytes32 grantId)"
    );
    /// @dev Suite 1: keccak256, RFC 8785.
    bytes32 internal constant COMMITMENT_TYPEHASH = keccak256(
        "Commitment(uint8 suite,string domain,bytes32 salt,bytes record)"
    );
    uint8 internal constant SUITE = 1;

    function grantHash(IConsents.Grant memory grant) internal pure returns (bytes32) {
        // Every member is static, so the ABI encoding of the struct is the encodeData of EIP-712.
        return keccak256(bytes.concat(GRANT_TYPEHASH, abi.encode(grant)));
    }

    function revocationHash(bytes32 passportId, bytes32 grantId) internal pure returns (bytes32) {
        return keccak256(abi.encode(REVOCATION_TYPEHASH, passportId, grantId));
    }

    /// @param domain What kind of record is committed to, for example "content".
    /// @param salt 32 random bytes.
    /// @param record Canonical JSON (RFC 8785), UTF-8.
    function commitment(
        string memory domain,
        bytes32 salt,
        bytes memory record
    ) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(COMMITMENT_TYPEHASH, SUITE, keccak256(bytes(domain)), salt, keccak256(record))
            );
    }

    function foldDecision(
        bytes32 head,
        bytes32 passportId,
        bytes32 grantId,
        uint32 memberId,
        Verdict verdict,
        bytes32 given
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(head, passportId, grantId, memberId, verdict, given));
    }
}
