// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice The law as a table, and the law that a new ledger starts with.
contract PolicyTest is LedgerTest {
    /* THE DEFAULT LAW */

    function test_WhenDeployed_FirstVersionIsInForce() external view {
        vm.assertEq(1, ledger.policyVersion(), "version");
        vm.assertEq(3650 days, ledger.policy().maxGrantSeconds, "longest grant");
    }

    function test_WhenPurposeIsBanned_NoEntryJustifiesIt() external view {
        IPolicy.Table memory law = ledger.policy();
        vm.assertEq(BANNED, law.bannedPurposes, "banned purposes");
        for (uint8 purpose = Codes.INSURANCE_RATING; purpose <= Codes.RESALE; ++purpose) {
            for (uint8 dataClass = 1; dataClass <= 3; ++dataClass) {
                vm.assertEq(0, law.required[_index(dataClass, purpose)], "whole word of a banned purpose");
            }
        }
    }

    function test_WhenDeployed_ClassesFollowThePapers() external view {
        IPolicy.Table memory law = ledger.policy();
        vm.assertEq(
            Codes.GENOMICS | Codes.HIV_STI | Codes.PSYCHIATRY | Codes.REPRODUCTIVE,
            law.coreCategories,
            "class 1"
        );
        vm.assertEq(0, law.coreCategories & law.sensitiveCategories, "no category in two classes");
        vm.assertEq(
            Codes.VITALS | Codes.IMMUNISATION | Codes.DEVICE,
            uint16(~(law.coreCategories | law.sensitiveCategories)),
            "class 3"
        );
    }

    function test_WhenDeployed_EntriesFollowThePapers() external view {
        uint32 floor = Facts.FLOOR | Facts.OTHERS_FLOOR | Facts.MEMBER_SCOPE | Facts.CATEGORIES_NECESSARY;
        uint32 consented = floor | Facts.CONSENT_FLOOR;
        uint32 reviewed = Facts.PROJECT_FILED | Facts.PROJECT_ETHICS | Facts.BORDER_CLEARED;
        uint32 filed =
            reviewed | Facts.PROJECT_COMPLIANCE | Facts.PROJECT_TECHNIQUE | Facts.PROJECT_AGREEMENT;
        uint32 core = Facts.GRANT_SEPARATE | Facts.EMERGENCY_IN_FORCE | Facts.ENCRYPTED;
        _assertEntry(Codes.CORE_PRIVACY, Codes.AI_TRAINING, Codes.CONSENT, consented | filed | core);
        _assertEntry(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT, consented | filed);
        _assertEntry(Codes.NON_SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT, consented | reviewed);
        _assertEntry(
            Codes.SENSITIVE,
            Codes.AI_INFERENCE,
            Codes.CONSENT,
            consented | filed | Facts.MODEL_LICENSED
        );
        _assertEntry(
            Codes.NON_SENSITIVE,
            Codes.DISEASE_RESEARCH,
            Codes.CONSENT,
            consented | reviewed | Facts.HUMAN_REVIEWED
        );
        _assertEntry(
            Codes.NON_SENSITIVE,
            Codes.PUBLIC_HEALTH,
            Codes.LEGAL_DUTY,
            floor | Facts.SOURCE_DECLARED | Facts.DEIDENTIFIED
        );
        _assertEntry(
            Codes.SENSITIVE,
            Codes.PUBLIC_HEALTH,
            Codes.PUBLIC_EMERGENCY,
            floor | Facts.EMERGENCY_IN_FORCE | Facts.PROJECT_FILED
        );
        _assertEntry(
            Codes.CORE_PRIVACY,
            Codes.PRIMARY_CARE,
            Codes.CUSTODIAN_CARE,
            floor | Facts.REQUESTER_IS_CUSTODIAN
        );
        _assertEntry(
            Codes.SENSITIVE,
            Codes.EMERGENCY_CARE,
            Codes.INDIVIDUAL_EMERGENCY,
            floor | Facts.EMERGENCY_FLOOR
        );
        _assertEntry(Codes.CORE_PRIVACY, Codes.EMERGENCY_CARE, Codes.INDIVIDUAL_EMERGENCY, 0);
        _assertEntry(Codes.CORE_PRIVACY, Codes.PUBLIC_HEALTH, Codes.CONSENT, 0);
        _assertEntry(Codes.NON_SENSITIVE, Codes.PUBLIC_HEALTH, Codes.CONSENT, consented | reviewed);
        _assertEntry(Codes.NON_SENSITIVE, Codes.PAYMENT, Codes.CONSENT, 0);
        _assertEntry(Codes.NON_SENSITIVE, Codes.PAYMENT, Codes.CUSTODIAN_CARE, 0);
        _assertEntry(Codes.SENSITIVE, Codes.OPERATIONS, Codes.COMPELLED, floor | Facts.HUMAN_REVIEWED);
        _assertEntry(
            Codes.SENSITIVE,
            Codes.PATIENT_REQUEST,
            Codes.SUBJECT_REQUEST,
            Facts.FLOOR | Facts.CATEGORIES_NECESSARY | Facts.REQUESTER_IS_CUSTODIAN
        );
        _assertEntry(Codes.CORE_PRIVACY, Codes.PRIMARY_CARE, Codes.CONSENT, consented | Facts.GRANT_SEPARATE);
        _assertEntry(Codes.CORE_PRIVACY, Codes.OPERATIONS, Codes.CUSTODIAN_CARE, 0);
        _assertEntry(Codes.CORE_PRIVACY, Codes.OPERATIONS, Codes.COMPELLED, 0);
        _assertEntry(Codes.CORE_PRIVACY, Codes.PUBLIC_HEALTH, Codes.PUBLIC_EMERGENCY, 0);
        _assertEntry(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.NO_BASIS, 0);
        _assertEntry(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.LEGAL_DUTY, 0);
    }

    function test_WhenDeployed_SecondaryUseIsPseudonymisedAtLeast() external view {
        uint96 levels = ledger.policy().levels;
        for (uint8 purpose = 0; purpose < Codes.PURPOSES; ++purpose) {
            for (uint8 dataClass = 1; dataClass <= 3; ++dataClass) {
                uint8 expected = Codes.IDENTIFIED;
                if (purpose >= Codes.RESEARCH && purpose <= Codes.AI_INFERENCE)
                    expected = Codes.PSEUDONYMISED;
                if (purpose == Codes.PUBLIC_HEALTH && dataClass != Codes.CORE_PRIVACY)
                    expected = Codes.PSEUDONYMISED;
                vm.assertEq(expected, (levels >> (2 * _index(dataClass, purpose))) & 3, "level");
            }
        }
    }

    function test_WhenDeployed_ExceptionsAreLimited() external view {
        IPolicy.Emergencies memory limits = ledger.policy().emergencies;
        vm.assertEq(4 hours, limits.seconds_, "seconds");
        vm.assertEq(20, limits.monthlyQuota, "quota");
        vm.assertEq(72 hours, limits.reviewSeconds, "review");
        vm.assertEq(90 days, limits.maxDeclarationSeconds, "longest declaration");
        vm.assertEq(7 days, limits.recoverySeconds, "recovery");
        vm.assertEq(0, limits.categories & ledger.policy().coreCategories, "no core privacy");
    }

    function test_WhenPurposeIsSecondaryUse_NoBasisButConsentOrThePublicInterest() external view {
        IPolicy.Table memory law = ledger.policy();
        for (uint8 purpose = Codes.RESEARCH; purpose <= Codes.AI_INFERENCE; ++purpose) {
            for (uint8 dataClass = 1; dataClass <= 3; ++dataClass) {
                uint256 others =
                    law.required[_index(dataClass, purpose)] & ~(uint256(type(uint32).max) << 32);
                vm.assertEq(0, others, "bases other than consent");
            }
        }
    }

    /* A NEW LAW */

    function test_WhenSet_VersionRisesAndTableIsStored() external onlyChanges(POLICY) {
        IPolicy.Table memory law = ledger.policy();
        law.required[0] = uint256(_floor(Codes.PUBLIC_EMERGENCY)) << 128;
        law.required[_index(Codes.SENSITIVE, Codes.AI_TRAINING)] = 0;
        law.necessary = ~law.necessary;
        law.coreCategories = 1;
        law.sensitiveCategories = 2;
        law.bannedPurposes = 0x8001;
        law.maxGrantSeconds = 1;
        law.levels = ~law.levels;
        law.emergencies = IPolicy.Emergencies(1, 2, 3, 4, 5, 6);
        vm.expectEmit(address(ledger));
        emit IPolicy.PolicySet(2, law);
        _set(law);
        vm.assertEq(2, ledger.policyVersion(), "version");
        vm.assertEq(abi.encode(law), abi.encode(ledger.policy()), "table");
    }

    function test_WhenSetWithoutChange_VersionRises() external {
        IPolicy.Table memory law = ledger.policy();
        _set(law);
        vm.assertEq(2, ledger.policyVersion(), "version");
        vm.assertEq(abi.encode(law), abi.encode(ledger.policy()), "table");
    }

    function test_RevertWhen_ClassesOverlap() external {
        IPolicy.Table memory law = ledger.policy();
        law.sensitiveCategories |= Codes.GENOMICS | Codes.PSYCHIATRY;
        _expectRevert(IPolicy.Policy_ClassesOverlap.selector, Codes.GENOMICS | Codes.PSYCHIATRY);
        _set(law);
    }

    function test_RevertWhen_ALimitIsZero() external {
        for (uint256 index = 0; index < 5; ++index) {
            IPolicy.Table memory law = ledger.policy();
            if (index == 0) law.maxGrantSeconds = 0;
            if (index == 1) law.emergencies.seconds_ = 0;
            if (index == 2) law.emergencies.reviewSeconds = 0;
            if (index == 3) law.emergencies.maxDeclarationSeconds = 0;
            if (index == 4) law.emergencies.recoverySeconds = 0;
            _expectRevert(IPolicy.Policy_LimitOutOfBounds.selector);
            _set(law);
        }
    }

    /// @dev Longer ones would overflow the time of a block, and with it every emergency, review and recovery.
    function test_WhenALimitIsTenYears_ItIsTheLongest() external {
        for (uint256 index = 0; index < 4; ++index) {
            IPolicy.Table memory law = ledger.policy();
            _setLimit(law.emergencies, index, 3650 days);
            _set(law);
            _setLimit(law.emergencies, index, 3650 days + 1);
            _expectRevert(IPolicy.Policy_LimitOutOfBounds.selector);
            _set(law);
        }
    }

    function test_WhenQuotaOrCategoriesOfEmergenciesAreNone_TheyAreSet() external {
        IPolicy.Table memory law = ledger.policy();
        law.emergencies.monthlyQuota = 0;
        law.emergencies.categories = 0;
        _set(law);
        vm.assertEq(abi.encode(law), abi.encode(ledger.policy()), "table");
    }

    function test_RevertWhen_EntryLacksOneFactOfItsFloor() external {
        for (uint8 basis = 0; basis < 8; ++basis) {
            uint32 floor = _floor(basis);
            for (uint32 fact = 1; fact != 0; fact <<= 1) {
                if (floor & fact == 0) continue;
                _setEntry(47, basis, ~fact, floor, true);
            }
            _setEntry(47, basis, floor, floor, false);
        }
    }

    function testFuzz_SetPolicy(uint256 index, uint8 basis, uint32 required) external {
        index %= 48;
        basis %= 8;
        uint32 floor = _floor(basis);
        _setEntry(index, basis, required, floor, required != 0 && required & floor != floor);
        _setEntry(index, basis, required | floor, floor, false);
    }

    /* HELPERS */

    function _floor(uint8 basis) private pure returns (uint32) {
        uint32 floor =
            Facts.MEMBER_ACTIVE | Facts.PASSPORT_OPEN | Facts.PURPOSE_ALLOWED | Facts.LEVEL_SUFFICIENT;
        if (basis == Codes.SUBJECT_REQUEST) return floor;
        floor |= Facts.UNLOCKED | Facts.WITHIN_CAP;
        if (basis == Codes.CONSENT) {
            return
                floor |
                Facts.GRANT_LIVE |
                Facts.GRANT_RECIPIENT |
                Facts.GRANT_PURPOSE |
                Facts.GRANT_CATEGORIES |
                Facts.GRANT_QUOTA |
                Facts.GRANT_PERIOD;
        }
        if (basis == Codes.CUSTODIAN_CARE) return floor | Facts.REQUESTER_IS_CUSTODIAN;
        if (basis == Codes.INDIVIDUAL_EMERGENCY)
            return floor | Facts.EMERGENCY_IN_FORCE | Facts.REVIEWS_CURRENT;
        if (basis == Codes.PUBLIC_EMERGENCY) return floor | Facts.EMERGENCY_IN_FORCE;
        return basis == Codes.COMPELLED ? floor | Facts.HUMAN_REVIEWED : floor;
    }

    /// @dev Set one entry of the law and leave the rest.
    function _setEntry(uint256 index, uint8 basis, uint32 required, uint32 floor, bool below) private {
        IPolicy.Table memory law = ledger.policy();
        uint256 shift = 32 * uint256(basis);
        law.required[index] =
            (law.required[index] & ~(uint256(type(uint32).max) << shift)) | (uint256(required) << shift);
        if (below) {
            vm.expectRevert(
                abi.encodeWithSelector(IPolicy.Policy_BelowFloor.selector, index, basis, required, floor)
            );
        }
        _set(law);
        if (!below) vm.assertEq(law.required[index], ledger.policy().required[index], "word of the table");
    }

    function _setLimit(IPolicy.Emergencies memory limits, uint256 index, uint32 length) private pure {
        if (index == 0) limits.seconds_ = length;
        if (index == 1) limits.reviewSeconds = length;
        if (index == 2) limits.maxDeclarationSeconds = length;
        if (index == 3) limits.recoverySeconds = length;
    }

    function _set(IPolicy.Table memory law) private {
        _asCommittee();
        ledger.setPolicy(law);
    }

    function _index(uint8 dataClass, uint8 purpose) private pure returns (uint256) {
        return (uint256(dataClass) - 1) * 16 + purpose;
    }

    function _assertEntry(uint8 dataClass, uint8 purpose, uint8 basis, uint32 expected) private view {
        uint256 word = ledger.policy().required[_index(dataClass, purpose)];
        vm.assertEq(expected, uint32(word >> (32 * uint256(basis))), "required facts");
    }
}
