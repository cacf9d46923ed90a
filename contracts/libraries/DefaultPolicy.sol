// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBorders} from "../interfaces/IBorders.sol";
import {IPolicy} from "../interfaces/IPolicy.sol";
import {ITemplates} from "../interfaces/ITemplates.sol";
import {Codes} from "./Codes.sol";
import {Facts} from "./Facts.sol";

/// @title DefaultPolicy
/// @notice The law that a new ledger starts with, after the two source papers. docs/policy.md cites the requirement
/// behind each entry.
/// @dev Runs in the constructor alone, so it costs no code.
library DefaultPolicy {
    uint32 private constant SUBJECTS = Facts.FLOOR | Facts.CATEGORIES_NECESSARY;
    uint32 private constant BASE = SUBJECTS | Facts.OTHERS_FLOOR | Facts.MEMBER_SCOPE;
    uint32 private constant CONSENTED = BASE | Facts.CONSENT_FLOOR;
    uint32 private constant REVIEWED_PROJECT =
        Facts.PROJECT_FILED | Facts.PROJECT_ETHICS | Facts.BORDER_CLEARED;
    uint32 private constant FILED =
        REVIEWED_PROJECT | Facts.PROJECT_COMPLIANCE | Facts.PROJECT_TECHNIQUE | Facts.PROJECT_AGREEMENT;
    uint32 private constant CORE = Facts.GRANT_SEPARATE | Facts.EMERGENCY_IN_FORCE | Facts.ENCRYPTED;
    uint32 private constant TEN_YEARS = 3650 days;
    uint16 private constant ALL_KINDS = (1 << 6) - 1;
    uint16 private constant CORE_CATEGORIES =
        Codes.GENOMICS | Codes.HIV_STI | Codes.PSYCHIATRY | Codes.REPRODUCTIVE;

    function table() internal pure returns (IPolicy.Table memory law) {
        law.coreCategories = CORE_CATEGORIES;
        uint16 general = Codes.VITALS | Codes.IMMUNISATION | Codes.DEVICE;
        law.sensitiveCategories = ~(CORE_CATEGORIES | general);
        law.bannedPurposes = _banned();
        law.maxGrantSeconds = TEN_YEARS;
        law.emergencies = _exceptions();
        _setNecessary(law);
        _setLevels(law);
        _setCare(law);
        _setSecondaryUse(law);
        _setPublicHealth(law);
        _setSubjectRequest(law);
    }

    /// @dev R114: the committee's first template leaves everything open that the law does.
    function template(bytes32 notice) internal pure returns (ITemplates.Template memory) {
        return
            ITemplates.Template({
                purposes: ~_banned(),
                categories: type(uint16).max,
                recipientKinds: ALL_KINDS,
                maxSeconds: TEN_YEARS,
                withdrawn: false,
                notice: notice
            });
    }

    /// @dev R004.
    function thresholds() internal pure returns (IBorders.Thresholds memory) {
        return IBorders.Thresholds({persons: 1_000_000, sensitivePersons: 10_000});
    }

    /// @dev R051.
    function _banned() private pure returns (uint16) {
        return
            _bit(Codes.INSURANCE_RATING) |
            _bit(Codes.EMPLOYMENT) |
            _bit(Codes.MARKETING) |
            _bit(Codes.RESALE);
    }

    /// @dev R084 to R087: minimal, limited, reviewed, rare. R043: a recovery leaves time to object.
    function _exceptions() private pure returns (IPolicy.Emergencies memory) {
        return
            IPolicy.Emergencies({
                seconds_: 4 hours,
                categories: Codes.DIAGNOSIS |
                    Codes.MEDICATION |
                    Codes.LABORATORY |
                    Codes.IMAGING |
                    Codes.VITALS |
                    Codes.PROCEDURES |
                    Codes.IMMUNISATION |
                    Codes.DEMOGRAPHICS |
                    Codes.DEVICE,
                monthlyQuota: 20,
                reviewSeconds: 72 hours,
                maxDeclarationSeconds: 90 days,
                recoverySeconds: 7 days
            });
    }

    /// @dev R049, R078: the categories that a purpose may touch. Research and AI never need to know who it is.
    function _setNecessary(IPolicy.Table memory law) private pure {
        uint16 all = type(uint16).max;
        uint16 impersonal = all & ~(Codes.DEMOGRAPHICS | Codes.CLAIMS);
        uint16 billing = Codes.CLAIMS | Codes.DEMOGRAPHICS | Codes.DIAGNOSIS | Codes.PROCEDURES;
        uint16 surveillance = Codes.DIAGNOSIS | Codes.LABORATORY | Codes.VITALS | Codes.IMMUNISATION;
        law.necessary =
            _mask(Codes.PRIMARY_CARE, all) |
            _mask(Codes.EMERGENCY_CARE, all) |
            _mask(Codes.PAYMENT, billing) |
            _mask(Codes.OPERATIONS, all & ~CORE_CATEGORIES) |
            _mask(Codes.RESEARCH, impersonal) |
            _mask(Codes.DISEASE_RESEARCH, impersonal) |
            _mask(Codes.CLINICAL_TRIAL, impersonal) |
            _mask(Codes.AI_TRAINING, impersonal) |
            _mask(Codes.AI_VALIDATION, impersonal) |
            _mask(Codes.AI_INFERENCE, impersonal) |
            _mask(Codes.PUBLIC_HEALTH, surveillance) |
            _mask(Codes.PATIENT_REQUEST, all);
    }

    /// @dev R023, R095: secondary use never needs the name.
    function _setLevels(IPolicy.Table memory law) private pure {
        for (uint8 dataClass = 1; dataClass <= 3; ++dataClass) {
            for (uint8 purpose = Codes.RESEARCH; purpose <= Codes.AI_INFERENCE; ++purpose) {
                law.levels |= _level(dataClass, purpose, Codes.PSEUDONYMISED);
            }
        }
        law.levels |= _level(Codes.SENSITIVE, Codes.PUBLIC_HEALTH, Codes.PSEUDONYMISED);
        law.levels |= _level(Codes.NON_SENSITIVE, Codes.PUBLIC_HEALTH, Codes.PSEUDONYMISED);
    }

    /// @dev R032, R098: the custodian's own care has its own basis, so that nobody's doctor needs a consent; care
    /// elsewhere needs consent, separate for core privacy. R083: in an emergency of the patient's, an emergency opened
    /// for it, which never reaches core privacy. R002: what an authority compels is an operation (HL7 counts legal
    /// matters among them), which a regulator reviews first. Bills hold diagnoses: they are never of class 3.
    function _setCare(IPolicy.Table memory law) private pure {
        uint32 own = BASE | Facts.REQUESTER_IS_CUSTODIAN;
        for (uint8 dataClass = 1; dataClass <= 3; ++dataClass) {
            uint32 separate = dataClass == Codes.CORE_PRIVACY ? Facts.GRANT_SEPARATE : 0;
            _set(law, dataClass, Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, own);
            _set(law, dataClass, Codes.EMERGENCY_CARE, Codes.CUSTODIAN_CARE, own);
            _set(law, dataClass, Codes.PRIMARY_CARE, Codes.CONSENT, CONSENTED | separate);
            _set(law, dataClass, Codes.EMERGENCY_CARE, Codes.CONSENT, CONSENTED | separate);
            if (dataClass == Codes.CORE_PRIVACY) continue;
            _set(
                law,
                dataClass,
                Codes.EMERGENCY_CARE,
                Codes.INDIVIDUAL_EMERGENCY,
                BASE | Facts.EMERGENCY_FLOOR
            );
            _set(law, dataClass, Codes.OPERATIONS, Codes.CUSTODIAN_CARE, own);
            _set(law, dataClass, Codes.OPERATIONS, Codes.COMPELLED, BASE | Facts.HUMAN_REVIEWED);
        }
        _set(law, Codes.SENSITIVE, Codes.PAYMENT, Codes.CUSTODIAN_CARE, own);
        _set(law, Codes.SENSITIVE, Codes.PAYMENT, Codes.CONSENT, CONSENTED);
    }

    /// @dev R098: class 1 needs a separate grant and an emergency and encryption. R099: class 2 needs a grant, a filed
    /// project and a privacy technique; R111, R050: reviewed by two bodies, under an agreement. R100: other secondary
    /// use of class 3 needs a grant and a reviewed project. R003: none crosses the border uncleared. Whether a study is
    /// about the disease that a patient consented to, a human says.
    function _setSecondaryUse(IPolicy.Table memory law) private pure {
        for (uint8 purpose = Codes.RESEARCH; purpose <= Codes.AI_INFERENCE; ++purpose) {
            uint32 more = 0;
            if (purpose == Codes.AI_INFERENCE) more = Facts.MODEL_LICENSED;
            else if (purpose == Codes.DISEASE_RESEARCH) more = Facts.HUMAN_REVIEWED;
            _set(law, Codes.CORE_PRIVACY, purpose, Codes.CONSENT, CONSENTED | FILED | CORE | more);
            _set(law, Codes.SENSITIVE, purpose, Codes.CONSENT, CONSENTED | FILED | more);
            _set(law, Codes.NON_SENSITIVE, purpose, Codes.CONSENT, CONSENTED | REVIEWED_PROJECT | more);
        }
    }

    /// @dev R100: class 3 serves public health without a grant, from a declared source and verifiably de-identified.
    /// R083: a declared emergency opens class 2 and 3 to a filed project. Class 1 serves it in no way (R049).
    function _setPublicHealth(IPolicy.Table memory law) private pure {
        uint32 declared = BASE | Facts.EMERGENCY_IN_FORCE | Facts.PROJECT_FILED;
        _set(law, Codes.SENSITIVE, Codes.PUBLIC_HEALTH, Codes.CONSENT, CONSENTED | FILED);
        _set(law, Codes.NON_SENSITIVE, Codes.PUBLIC_HEALTH, Codes.CONSENT, CONSENTED | REVIEWED_PROJECT);
        _set(law, Codes.SENSITIVE, Codes.PUBLIC_HEALTH, Codes.PUBLIC_EMERGENCY, declared);
        _set(law, Codes.NON_SENSITIVE, Codes.PUBLIC_HEALTH, Codes.PUBLIC_EMERGENCY, declared);
        _set(
            law,
            Codes.NON_SENSITIVE,
            Codes.PUBLIC_HEALTH,
            Codes.LEGAL_DUTY,
            BASE | Facts.SOURCE_DECLARED | Facts.DEIDENTIFIED
        );
    }

    /// @dev R137: the subject's own request is always served, by the custodian or by whom the subject names.
    function _setSubjectRequest(IPolicy.Table memory law) private pure {
        for (uint8 dataClass = 1; dataClass <= 3; ++dataClass) {
            uint32 own = SUBJECTS | Facts.REQUESTER_IS_CUSTODIAN;
            _set(law, dataClass, Codes.PATIENT_REQUEST, Codes.SUBJECT_REQUEST, own);
            uint32 separate = dataClass == Codes.CORE_PRIVACY ? Facts.GRANT_SEPARATE : 0;
            _set(law, dataClass, Codes.PATIENT_REQUEST, Codes.CONSENT, CONSENTED | separate);
        }
    }

    function _set(
        IPolicy.Table memory law,
        uint8 dataClass,
        uint8 purpose,
        uint8 basis,
        uint32 required
    ) private pure {
        law.required[_index(dataClass, purpose)] |= uint256(required) << (32 * uint256(basis));
    }

    function _index(uint8 dataClass, uint8 purpose) private pure returns (uint256) {
        return (uint256(dataClass) - 1) * 16 + purpose;
    }

    function _level(uint8 dataClass, uint8 purpose, uint8 level) private pure returns (uint96) {
        return uint96(level) << uint96(2 * _index(dataClass, purpose));
    }

    function _bit(uint8 purpose) private pure returns (uint16) {
        return uint16(1 << purpose);
    }

    function _mask(uint8 purpose, uint16 categories) private pure returns (uint256) {
        return uint256(categories) << (16 * uint256(purpose));
    }
}
