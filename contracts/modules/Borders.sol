// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBorders} from "../interfaces/IBorders.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {IProjects} from "../interfaces/IProjects.sol";
import {Calendar} from "../libraries/Calendar.sol";
import {Codes} from "../libraries/Codes.sol";
import {BorderChecks} from "./BorderChecks.sol";

/// @title Borders
/// @notice Clearances, who may receive data from abroad, and the count of persons whose data left.
abstract contract Borders is IBorders, BorderChecks {
    uint8 private constant _COUNTED = 1;
    uint8 private constant _COUNTED_SENSITIVE = 2;

    /* MEMBERS */

    /// @inheritdoc IBorders
    function setBorderAccess(uint32 memberId, uint32 validTo) external {
        uint32 caller = _callerWith(Codes.ROLE_REGULATOR);
        _knownMember(memberId);
        require(memberId != caller, Borders_NotQualified(caller));
        _borderAccess[memberId] = validTo;
        emit BorderAccessSet(memberId, caller, validTo);
    }

    /// @inheritdoc IBorders
    function clear(Clearance calldata clearance, bytes32 filing) external returns (uint32 clearanceId) {
        uint32 caller = _callerWith(
            clearance.path == Path.CERTIFICATION ? Codes.ROLE_VERIFIER : Codes.ROLE_REGULATOR
        );
        uint32 importer = _projects[clearance.projectId].memberId;
        require(importer != 0, IProjects.Projects_Unknown(clearance.projectId));
        IMembers.Member storage exporter = _knownMember(clearance.exporter);
        require(
            caller != importer &&
                caller != clearance.exporter &&
                _members[caller].jurisdiction == exporter.jurisdiction,
            Borders_NotQualified(caller)
        );
        bool hasContract = clearance.agreement != 0;
        require(
            clearance.path != Path.NONE &&
                importer != clearance.exporter &&
                clearance.validFrom < clearance.validTo &&
                block.timestamp < clearance.validTo &&
                clearance.maxPersons != 0 &&
                filing != 0 &&
                hasContract == (clearance.path == Path.CONTRACT) &&
                (!hasContract || _isBetween(clearance.agreement, clearance.exporter, importer)),
            Borders_Incomplete()
        );
        if (clearance.path == Path.CERTIFICATION) {
            uint32 standing = _clearanceFor[clearance.projectId][clearance.exporter];
            require(!_isRegulators(_clearances[standing]), Borders_Standing(standing));
        }
        clearanceId = ++_counts.clearances;
        Clearance memory given = clearance;
        given.issuer = caller;
        given.persons = 0;
        _clearances[clearanceId] = given;
        _clearanceFor[clearance.projectId][clearance.exporter] = clearanceId;
        emit ClearanceIssued(clearanceId, clearance.projectId, clearance.exporter, given, filing);
    }

    /// @inheritdoc IBorders
    function withdrawClearance(uint32 clearanceId, bytes32 reasons) external {
        uint32 caller = _activeCallerId();
        Clearance storage clearance = _clearances[clearanceId];
        require(clearance.path != Path.NONE, Borders_Unknown(clearanceId));
        IMembers.Member storage member = _members[caller];
        require(
            clearance.issuer == caller ||
                (member.roles & Codes.ROLE_REGULATOR != 0 &&
                    member.jurisdiction == _members[clearance.exporter].jurisdiction),
            Borders_NotQualified(caller)
        );
        require(block.timestamp < clearance.validTo, Borders_Over(clearanceId));
        clearance.validTo = uint32(block.timestamp);
        emit ClearanceWithdrawn(clearanceId, caller, reasons);
    }

    /* COMMITTEE */

    /// @inheritdoc IBorders
    function setThresholds(Thresholds calldata limits) external onlyCommittee {
        require(limits.persons != 0 && limits.sensitivePersons != 0, Borders_Incomplete());
        _thresholds = limits;
        emit ThresholdsSet(limits);
    }

    /* THE LEDGER */

    /// @inheritdoc IBorders
    function countCrossing(Crossing calldata crossing) external onlyCommittee {
        _countCrossing(crossing);
    }

    /* VIEWS */

    /// @inheritdoc IBorders
    function mayCross(Crossing calldata crossing) external view returns (bool) {
        return _mayCross(crossing);
    }

    /// @inheritdoc IBorders
    function borderAccessOf(uint32 memberId) external view returns (uint32 validTo) {
        return _borderAccess[memberId];
    }

    /// @inheritdoc IBorders
    function clearanceOf(uint32 clearanceId) external view returns (Clearance memory) {
        return _clearances[clearanceId];
    }

    /// @inheritdoc IBorders
    function clearanceFor(uint32 projectId, uint32 exporter) external view returns (uint32 clearanceId) {
        return _clearanceFor[projectId][exporter];
    }

    /// @inheritdoc IBorders
    function clearanceCount() external view returns (uint32) {
        return _counts.clearances;
    }

    /// @inheritdoc IBorders
    function thresholds() external view returns (Thresholds memory) {
        return _thresholds;
    }

    /// @inheritdoc IBorders
    function exportsOf(uint32 exporter, uint256 year) external view returns (Exports memory) {
        return _exports[exporter][year];
    }

    /* INTERNALS */

    /// @dev Count one person's data crossing: under the clearance, and in the exporter's year. Twice is once.
    function _countCrossing(Crossing memory crossing) internal {
        uint32 clearanceId = _clearanceFor[crossing.projectId][crossing.exporter];
        bytes32 person = _personOf(crossing.passportId);
        if (!_crossed[clearanceId][person]) {
            _crossed[clearanceId][person] = true;
            ++_clearances[clearanceId].persons;
        }
        uint256 year = Calendar.yearOf(block.timestamp);
        Exports storage exports = _exports[crossing.exporter][year];
        uint8 counted = _counted[crossing.exporter][year][person];
        uint8 now_ = counted | _COUNTED | (crossing.sensitive ? _COUNTED_SENSITIVE : 0);
        if (now_ == counted) return;
        if (counted & _COUNTED == 0) ++exports.persons;
        if ((now_ & ~counted) & _COUNTED_SENSITIVE != 0) ++exports.sensitivePersons;
        _counted[crossing.exporter][year][person] = now_;
    }

    /// @dev Whether one person's data may cross: cleared, with room for one more person, and below the thresholds.
    function _mayCross(Crossing memory crossing) internal view returns (bool) {
        uint32 clearanceId = _clearanceFor[crossing.projectId][crossing.exporter];
        Clearance memory clearance = _clearances[clearanceId];
        if (!_isCleared(clearance, crossing.importer)) return false;
        bytes32 person = _personOf(crossing.passportId);
        if (clearance.persons >= clearance.maxPersons && !_crossed[clearanceId][person]) return false;
        if (clearance.path == Path.ASSESSMENT) return true;
        uint256 year = Calendar.yearOf(block.timestamp);
        Exports memory exports = _exports[crossing.exporter][year];
        uint8 counted = _counted[crossing.exporter][year][person];
        Thresholds memory limits = _thresholds;
        if (counted & _COUNTED == 0 && exports.persons >= limits.persons) return false;
        return
            !crossing.sensitive ||
            counted & _COUNTED_SENSITIVE != 0 ||
            exports.sensitivePersons < limits.sensitivePersons;
    }

    /// @dev A person as an exporter knows it: who holds its passports there. A key that took another's place counts as
    /// another person: never too few.
    function _personOf(bytes32 passportId) private view returns (bytes32) {
        IPassports.Passport storage passport = _passports[passportId];
        // Where the exporter has the key, it says nothing of who is whom: each passport is a person.
        return passport.custody == IPassports.Custody.SELF ? keccak256(passport.holder) : passportId;
    }

    /// @dev Whether a regulator gave it, and it is not over: a certification does not take its place.
    function _isRegulators(Clearance memory clearance) private view returns (bool) {
        return
            block.timestamp < clearance.validTo &&
            (clearance.path == Path.ASSESSMENT ||
                (clearance.path == Path.CONTRACT && _isInForce(_agreements[clearance.agreement])));
    }
}
