// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Terms} from "../libraries/Terms.sol";
import {Verdict} from "../libraries/Verdict.sol";

/// @title IDecisions
/// @notice Requests for access, each answered and recorded: permitted if and only if no required fact is missing.
interface IDecisions {
    /// @notice One thing that a batch of requests is about.
    struct Target {
        bytes32 passportId;
        bytes32 grantId; // grant relied on, or 0
    }

    /// @notice Requests that ask the same of several passports: one statement, one set of terms.
    struct Batch {
        Terms terms;
        bytes32 commitment; // commitment to the requester's own statement: who, on what system, why
        Target[] targets;
    }

    /// @notice One request, word for word.
    struct Request {
        bytes32 passportId;
        bytes32 grantId; // grant relied on, or 0
        bytes32 commitment; // commitment to the requester's own statement: who, on what system, why
        Terms terms;
    }

    /// @notice A request was answered. `(passportId, seq)` names the decision.
    event DecisionRecorded(
        bytes32 indexed passportId,
        bytes32 indexed grantId,
        uint32 indexed memberId,
        Terms terms,
        Verdict verdict,
        bytes32 commitment
    );

    /// @notice Thrown when there is no batch, or one without a target.
    error Decisions_Empty();
    /// @notice Thrown when the terms of a batch name a purpose, basis, operation, level, emergency or controller that does not
    /// exist, no category, days that are none, or sets undefined bits.
    error Decisions_Malformed(uint256 index, Terms terms);

    /// @notice Ask for access. Each request is answered and recorded, also when the answer is no.
    /// @dev Never reverts for a reason of policy. Reverts with Members_NotMember, Passports_Unknown,
    /// Decisions_Empty or Decisions_Malformed.
    /// @param batches One or more batches of requests of the caller.
    /// @return verdicts The answers, in the order of the targets, batch after batch.
    function decide(Batch[] calldata batches) external returns (Verdict[] memory verdicts);

    /// @notice The running fold of all decisions: `head = keccak256(abi.encode(head, passportId, grantId, memberId,
    /// terms, verdict, commitment))`, from zero.
    function head() external view returns (bytes32);
}
