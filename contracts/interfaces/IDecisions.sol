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
    /// @notice The custodian handed over the keys of a permitted request: the completion receipt.
    event ReleaseRecorded(
        bytes32 indexed passportId,
        uint40 indexed seq,
        uint32 indexed custodian,
        bytes32 commitment
    );
    /// @notice A human answered a request that waited for it. Approved, the same request holds until `approvedUntil`.
    event RequestReviewed(
        bytes32 indexed passportId,
        uint40 indexed seq,
        uint32 indexed reviewer,
        uint32 approvedUntil,
        bytes32 opinion
    );

    /// @notice Thrown when there is no batch, or one without a target.
    error Decisions_Empty();
    /// @notice Thrown when the terms of a batch name a purpose, basis, operation, level, emergency or controller that does not
    /// exist, no category, days that are none, or sets undefined bits.
    error Decisions_Malformed(uint256 index, Terms terms);
    /// @notice Thrown when the passport has no such decision.
    error Decisions_Unknown(bytes32 passportId, uint40 seq);
    /// @notice Thrown when the release was recorded before.
    error Decisions_AlreadyReleased(bytes32 passportId, uint40 seq);
    /// @notice Thrown when no request with these words waits for a review under this number.
    error Decisions_NotWaiting(bytes32 passportId, uint40 seq);
    /// @notice Thrown when a reviewer had a part in the request.
    error Decisions_NotIndependent(bytes32 passportId, uint40 seq, uint32 memberId);

    /// @notice Thrown when a compelled request does not commit to the instrument that compels it.
    error Decisions_NoInstrument(bytes32 passportId, uint40 seq);

    /// @notice Ask for access. Each request is answered and recorded, also when the answer is no.
    /// @dev Never reverts for a reason of policy. Reverts with Members_NotMember, Passports_Unknown,
    /// Decisions_Empty or Decisions_Malformed.
    /// @param batches One or more batches of requests of the caller.
    /// @return verdicts The answers, in the order of the targets, batch after batch.
    function decide(Batch[] calldata batches) external returns (Verdict[] memory verdicts);

    /// @notice Answer a request that waits for a human. If approved, the same request of the same member, made again in
    /// time, is answered with `HUMAN_REVIEWED` among the facts that hold.
    /// @dev Only an active member with the role ETHICS, or REGULATOR if the request is compelled, that is neither the
    /// requester nor its controller. Reverts with Members_MissingRole, Decisions_NotWaiting, Decisions_NotIndependent
    /// or Decisions_NoInstrument.
    /// @param request The request, word for word.
    /// @param memberId Who made it.
    /// @param seq Its number within the passport.
    /// @param approved The answer.
    /// @param opinion Commitment to the opinion.
    function reviewRequest(
        Request calldata request,
        uint32 memberId,
        uint40 seq,
        bool approved,
        bytes32 opinion
    ) external;

    /// @notice Record that the keys of a decision were handed over.
    /// @dev Only the passport's custodian. Reverts with Passports_NotCustodian, Decisions_Unknown or
    /// Decisions_AlreadyReleased. Warning: that the decision was a permit is not checked here; a release without a
    /// permit is on record and the replay names it.
    /// @param passportId The passport.
    /// @param seq The decision's number within the passport.
    /// @param commitment Commitment to what was handed over.
    function recordRelease(bytes32 passportId, uint40 seq, bytes32 commitment) external;

    /// @notice The running fold of all decisions: `head = keccak256(abi.encode(head, passportId, grantId, memberId,
    /// terms, verdict, commitment))`, from zero.
    function head() external view returns (bytes32);
}
