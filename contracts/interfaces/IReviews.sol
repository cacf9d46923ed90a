// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecisions} from "./IDecisions.sol";

/// @title IReviews
/// @notice Requests that wait for a human, and the human's answers.
interface IReviews {
    /// @notice A human answered a request that waited for it. Approved, the same request holds until `approvedUntil`.
    event RequestReviewed(
        bytes32 indexed passportId,
        uint40 indexed seq,
        uint32 indexed reviewer,
        uint32 approvedUntil,
        bytes32 opinion
    );

    /// @notice Thrown when no request with these words waits for a review under this number.
    error Reviews_NotWaiting(bytes32 passportId, uint40 seq);
    /// @notice Thrown when a reviewer had a part in the request.
    error Reviews_NotIndependent(bytes32 passportId, uint40 seq, uint32 memberId);
    /// @notice Thrown when a compelled request does not commit to the instrument that compels it.
    error Reviews_NoInstrument(bytes32 passportId, uint40 seq);

    /// @notice Answer a request that waits for a human. If approved, the same request of the same member, made again in
    /// time, is answered with `HUMAN_REVIEWED` among the facts that hold.
    /// @dev Only an active member with the role ETHICS, or REGULATOR if the request is compelled, that is neither the
    /// requester nor its controller. Reverts with Members_MissingRole, Reviews_NotWaiting, Reviews_NotIndependent
    /// or Reviews_NoInstrument.
    /// @param request The request, word for word.
    /// @param memberId Who made it.
    /// @param seq Its number within the passport.
    /// @param approved The answer.
    /// @param opinion Commitment to the opinion.
    function reviewRequest(
        IDecisions.Request calldata request,
        uint32 memberId,
        uint40 seq,
        bool approved,
        bytes32 opinion
    ) external;
}
