// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEmergencies} from "../interfaces/IEmergencies.sol";
import {Guards} from "./Guards.sol";

/// @title EmergencyRight
/// @notice Whether a member may use emergencies: opening one and deciding under one ask the same question.
abstract contract EmergencyRight is Guards {
    /// @dev Whether the member has not lost its right, and its oldest unreviewed emergency is not overdue.
    function _reviewsCurrent(uint32 memberId) internal view returns (bool) {
        IEmergencies.Right storage right = _rights[memberId];
        if (right.lost) return false;
        if (right.reviewed == right.opened) return true;
        return block.timestamp <= _emergencies[_opened[memberId][right.reviewed]].reviewDue;
    }
}
