// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../interfaces/IConsents.sol";
import {IDecisions} from "../interfaces/IDecisions.sol";
import {ILineage} from "../interfaces/ILineage.sol";

/// @title PassportHash
/// @notice Struct hashes (EIP-712) and commitments, as docs/spec.md defines them.
library PassportHash {
    bytes32 internal constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 grantId,bytes32 passportId,uint32 recipient,uint16 recipientKinds,uint16 purposes,uint16 categories,uint32 useFrom,uint32 useTo,uint16 dataFrom,uint16 dataTo,uint16 maxUses,uint8 level,uint8 flags,uint32 template,bytes32 terms,bytes32 supersedes,uint32 deadline)"
    );
    bytes32 internal constant REVOCATION_TYPEHASH = keccak256(
        "Revocation(bytes32 passportId,bytes32 grantId)"
    );
    bytes32 internal constant REFUSAL_TYPEHASH = keccak256("Refusal(bytes32 passportId,bytes32 grantId)");
    bytes32 internal constant CONFIRMATION_TYPEHASH = keccak256(
        "Confirmation(bytes32 passportId,bytes32 grantId,uint16 control)"
    );
    bytes32 internal constant REPUDIATION_TYPEHASH = keccak256(
        "Repudiation(bytes32 passportId,bytes32 grantId)"
    );
    bytes32 internal constant ROTATION_TYPEHASH = keccak256(
        "Rotation(bytes32 passportId,bytes holder,uint8 custody,uint16 epoch)"
    );
    bytes32 internal constant GUARDIANS_TYPEHASH = keccak256(
        "Guardians(bytes32 passportId,bytes32 guardians,uint16 epoch,uint32 nonce)"
    );
    bytes32 internal constant RECOVERY_TYPEHASH = keccak256(
        "Recovery(bytes32 passportId,bytes holder,uint16 epoch,uint32 nonce)"
    );
    bytes32 internal constant OBJECTION_TYPEHASH = keccak256(
        "Objection(bytes32 passportId,uint32 readyAt,uint16 epoch)"
    );
    bytes32 internal constant DELEGATION_TYPEHASH = keccak256(
        "Delegation(bytes32 passportId,bytes delegate,uint32 validTo,uint16 epoch,uint32 nonce)"
    );
    bytes32 internal constant STEP_TYPEHASH = keccak256(
        "Step(uint8 kind,uint32 datasetId,uint32 projectId,uint16 purposes,uint64 epsilon,bytes32[] inputs,bytes32[] outputs,bytes32 tool,bytes32 parameters)"
    );
    bytes32 internal constant PART_TYPEHASH = keccak256(
        "Part(uint32 recorder,uint32 memberId,bytes32 contribution,Step step)Step(uint8 kind,uint32 datasetId,uint32 projectId,uint16 purposes,uint64 epsilon,bytes32[] inputs,bytes32[] outputs,bytes32 tool,bytes32 parameters)"
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

    function refusalHash(bytes32 passportId, bytes32 grantId) internal pure returns (bytes32) {
        return keccak256(abi.encode(REFUSAL_TYPEHASH, passportId, grantId));
    }

    function confirmationHash(
        bytes32 passportId,
        bytes32 grantId,
        uint16 control
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONFIRMATION_TYPEHASH, passportId, grantId, control));
    }

    function repudiationHash(bytes32 passportId, bytes32 grantId) internal pure returns (bytes32) {
        return keccak256(abi.encode(REPUDIATION_TYPEHASH, passportId, grantId));
    }

    function rotationHash(
        bytes32 passportId,
        bytes memory holder,
        uint8 custody,
        uint16 epoch
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(ROTATION_TYPEHASH, passportId, keccak256(holder), custody, epoch));
    }

    function guardiansHash(
        bytes32 passportId,
        bytes32 guardians,
        uint16 epoch,
        uint32 nonce
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(GUARDIANS_TYPEHASH, passportId, guardians, epoch, nonce));
    }

    function recoveryHash(
        bytes32 passportId,
        bytes memory holder,
        uint16 epoch,
        uint32 nonce
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECOVERY_TYPEHASH, passportId, keccak256(holder), epoch, nonce));
    }

    function objectionHash(bytes32 passportId, uint32 readyAt, uint16 epoch) internal pure returns (bytes32) {
        return keccak256(abi.encode(OBJECTION_TYPEHASH, passportId, readyAt, epoch));
    }

    function delegationHash(
        bytes32 passportId,
        bytes memory delegate,
        uint32 validTo,
        uint16 epoch,
        uint32 nonce
    ) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(DELEGATION_TYPEHASH, passportId, keccak256(delegate), validTo, epoch, nonce)
            );
    }

    function stepHash(ILineage.Step memory step) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    STEP_TYPEHASH,
                    step.kind,
                    step.datasetId,
                    step.projectId,
                    step.purposes,
                    step.epsilon,
                    keccak256(abi.encodePacked(step.inputs)),
                    keccak256(abi.encodePacked(step.outputs)),
                    step.tool,
                    step.parameters
                )
            );
    }

    /// @param recorder Member that will record the step: nobody else can use the signature.
    /// @param memberId Member that takes part, and signs.
    /// @param contribution Commitment to what it contributes.
    /// @param step `stepHash` of the step.
    function partHash(
        uint32 recorder,
        uint32 memberId,
        bytes32 contribution,
        bytes32 step
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(PART_TYPEHASH, recorder, memberId, contribution, step));
    }

    /// @dev Whoever vouches for something from outside names nobody else's version or passport by that.
    /// @param memberId Member that vouches for it.
    /// @param content Commitment to the content.
    function externalId(uint32 memberId, bytes32 content) internal pure returns (bytes32) {
        return keccak256(abi.encode(memberId, content));
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

    /// @dev A request of a member, word for word.
    function requestHash(IDecisions.Request memory request, uint32 memberId) internal pure returns (bytes32) {
        return keccak256(abi.encode(request, memberId));
    }
}
