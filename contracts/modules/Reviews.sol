// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecisions} from "../interfaces/IDecisions.sol";
import {IReviews} from "../interfaces/IReviews.sol";
import {Codes} from "../libraries/Codes.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {Terms} from "../libraries/Terms.sol";
import {Guards} from "./Guards.sol";

/// @title Reviews
/// @notice Requests that wait for a human.
abstract contract Reviews is IReviews, Guards {
    /* MEMBERS */

    /// @inheritdoc IReviews
    function reviewRequest(
        IDecisions.Request calldata request,
        uint32 memberId,
        uint40 seq,
        bool approved,
        bytes32 opinion
    ) external {
        Terms terms = request.terms;
        uint32 caller = _callerWith(
            terms.basis() == Codes.COMPELLED ? Codes.ROLE_REGULATOR : Codes.ROLE_ETHICS
        );
        bytes32 waiting = PassportHash.requestHash(request, memberId);
        require(_waiting[request.passportId][seq] == waiting, Reviews_NotWaiting(request.passportId, seq));
        require(
            caller != memberId && caller != terms.controller(),
            Reviews_NotIndependent(request.passportId, seq, caller)
        );
        require(
            request.commitment != 0 || terms.basis() != Codes.COMPELLED,
            Reviews_NoInstrument(request.passportId, seq)
        );
        delete _waiting[request.passportId][seq];
        uint32 approvedUntil = approved ? uint32(block.timestamp) + _limits.reviewSeconds : 0;
        _approvals[waiting] = approvedUntil; // an answer replaces the one before it
        emit RequestReviewed(request.passportId, seq, caller, approvedUntil, opinion);
    }
}
