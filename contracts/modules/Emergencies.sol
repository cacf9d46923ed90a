// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEmergencies} from "../interfaces/IEmergencies.sol";
import {Codes} from "../libraries/Codes.sol";
import {EmergencyRight} from "./EmergencyRight.sol";

/// @title Emergencies
/// @notice Exceptions.
abstract contract Emergencies is IEmergencies, EmergencyRight {
    uint256 private constant _QUOTA_SECONDS = 30 days;

    /* MEMBERS */

    /// @inheritdoc IEmergencies
    function openEmergency(
        bytes32 passportId,
        uint8 reason,
        uint32 sealedUntil,
        bytes32 statement
    ) external returns (uint32 emergencyId) {
        uint32 caller = _callerWith(Codes.ROLE_EMERGENCY);
        _requireOpen(passportId, _knownPassport(passportId));
        uint32 time = uint32(block.timestamp);
        uint32 reviewDue = time + _limits.reviewSeconds;
        require(reason != 0 && statement != 0 && sealedUntil <= reviewDue, Emergencies_Incomplete());
        require(_reviewsCurrent(caller), Emergencies_RightLost(caller));
        emergencyId = ++_counts.emergencies;
        _countOpened(caller, emergencyId);
        Emergency storage emergency = _emergencies[emergencyId];
        uint32 until = time + _limits.seconds_;
        uint16 categories = _limits.categories;
        emergency.kind = EmergencyKind.INDIVIDUAL;
        emergency.memberId = caller;
        emergency.categories = categories;
        emergency.from = time;
        emergency.until = until;
        emergency.reviewDue = reviewDue;
        emergency.passportId = passportId;
        emit EmergencyOpened(
            emergencyId,
            passportId,
            caller,
            categories,
            until,
            reviewDue,
            reason,
            sealedUntil,
            statement
        );
    }

    /// @inheritdoc IEmergencies
    function reviewEmergency(uint32 emergencyId, bool justified, bytes32 opinion) external {
        uint32 caller = _callerWith(Codes.ROLE_ETHICS | Codes.ROLE_REGULATOR);
        Emergency storage emergency = _emergencies[emergencyId];
        require(emergency.kind == EmergencyKind.INDIVIDUAL, Emergencies_Unknown(emergencyId));
        require(emergency.finding == Finding.PENDING, Emergencies_AlreadySet(emergencyId));
        uint32 memberId = emergency.memberId;
        require(
            memberId != caller && _passports[emergency.passportId].custodian != caller,
            Emergencies_NotIndependent(emergencyId, caller)
        );
        Finding finding = justified ? Finding.JUSTIFIED : Finding.UNJUSTIFIED;
        emergency.finding = finding;
        Right storage right = _rights[memberId];
        // What the committee settled is not owed any more. Numbers rise, so it is what is older than the oldest owed.
        bool owed = right.reviewed < right.opened && emergencyId >= _opened[memberId][right.reviewed];
        bool rightLost = !justified || (owed && block.timestamp > emergency.reviewDue);
        if (rightLost) right.lost = true;
        // Reviews may come in any order; what is owed is owed in the order of opening. Bounded by the quota.
        while (
            right.reviewed < right.opened &&
            _emergencies[_opened[memberId][right.reviewed]].finding != Finding.PENDING
        ) ++right.reviewed;
        emit EmergencyReviewed(emergencyId, caller, finding, rightLost, opinion);
        if (!justified && block.timestamp < emergency.until) _end(emergencyId, emergency);
    }

    /* COMMITTEE */

    /// @inheritdoc IEmergencies
    function declareEmergency(
        Declaration calldata declaration,
        bytes32 document
    ) external onlyCommittee returns (uint32 emergencyId) {
        require(
            declaration.purposes != 0 &&
                declaration.categories != 0 &&
                declaration.maxRecords != 0 &&
                document != 0 &&
                declaration.from < declaration.until &&
                block.timestamp < declaration.until &&
                declaration.until - declaration.from <= _limits.maxDeclarationSeconds,
            Emergencies_Incomplete()
        );
        emergencyId = ++_counts.emergencies;
        Emergency storage emergency = _emergencies[emergencyId];
        emergency.kind = EmergencyKind.PUBLIC;
        emergency.purposes = declaration.purposes;
        emergency.categories = declaration.categories;
        emergency.from = declaration.from;
        emergency.until = declaration.until;
        emergency.maxRecords = declaration.maxRecords;
        emergency.jurisdiction = declaration.jurisdiction;
        emit EmergencyDeclared(emergencyId, declaration, document);
    }

    /// @inheritdoc IEmergencies
    function endEmergency(uint32 emergencyId) external onlyCommittee {
        Emergency storage emergency = _emergencies[emergencyId];
        require(emergency.kind == EmergencyKind.PUBLIC, Emergencies_Unknown(emergencyId));
        require(block.timestamp < emergency.until, Emergencies_AlreadySet(emergencyId));
        _end(emergencyId, emergency);
    }

    /// @inheritdoc IEmergencies
    function restoreEmergencyRight(uint32 memberId) external onlyCommittee {
        _knownMember(memberId);
        Right storage right = _rights[memberId];
        right.lost = false;
        right.reviewed = right.opened;
        emit EmergencyRightRestored(memberId);
    }

    /* VIEWS */

    /// @inheritdoc IEmergencies
    function emergencyOf(uint32 emergencyId) external view returns (Emergency memory) {
        return _emergencies[emergencyId];
    }

    /// @inheritdoc IEmergencies
    function emergencyCount() external view returns (uint32) {
        return _counts.emergencies;
    }

    /// @inheritdoc IEmergencies
    function emergencyRightOf(uint32 memberId) external view returns (Right memory) {
        return _rights[memberId];
    }

    /* INTERNALS */

    function _end(uint32 emergencyId, Emergency storage emergency) private {
        emergency.until = uint32(block.timestamp);
        emit EmergencyEnded(emergencyId, uint32(block.timestamp));
    }

    function _countOpened(uint32 memberId, uint32 emergencyId) private {
        Right storage right = _rights[memberId];
        if (block.timestamp >= right.windowStart + _QUOTA_SECONDS) {
            right.windowStart = uint32(block.timestamp);
            right.inWindow = 0;
        }
        require(right.inWindow < _limits.monthlyQuota, Emergencies_QuotaSpent(memberId));
        ++right.inWindow;
        _opened[memberId][right.opened] = emergencyId;
        ++right.opened;
    }
}
