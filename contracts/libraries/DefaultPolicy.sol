// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicy} from "../interfaces/IPolicy.sol";
import {Codes} from "./Codes.sol";
import {Facts} from "./Facts.sol";

/// @title DefaultPolicy
/// @notice The law that a new ledger starts with, after the two source papers. docs/policy.md cites the requirement
/// behind each entry.
/// @dev Runs in the constructor alone, so it costs no code.
library DefaultPolicy {
    uint32 private constant BASE = Facts.FLOOR | Facts.MEMBER_SCOPE | Facts.CATEGORIES_NECESSARY;
    uint32 private constant CONSENTED = BASE | Facts.CONSENT_FLOOR;
    uint32 private constant FILED = Facts.PROJECT_FILED | Facts.PROJECT_TECHNIQUE;
    uint32 private constant CORE = Facts.GRANT_SEPARATE | Facts.EMERGENCY_IN_FORCE | Facts.ENCRYPTED;
    uint40 private constant TEN_YEARS = 3650 days;

    function table() internal pure returns (IPolicy.Table memory law) {
        law.coreCategories = Codes.GENOMICS | Codes.HIV_STI | Codes.PSYCHIATRY | Codes.REPRODUCTIVE;
        uint16 general = Codes.VITALS | Codes.IMMUNISATION | Codes.DEVICE;
        law.sensitiveCategories = ~(law.coreCategories | general);
        law.bannedPurposes =
            _bit(Codes.INSURANCE_RATING) |
            _bit(Codes.EMPLOYMENT) |
            _bit(Codes.MARKETING) |
            _bit(Codes.RESALE);
        law.maxGrantSeconds = TEN_YEARS;
        _setNecessary(law);
        _setCare(law);
        _setSecondaryUse(law);
        _setPatientRequest(law);
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
            _mask(Codes.OPERATIONS, all & ~law.coreCategories) |
            _mask(Codes.RESEARCH, impersonal) |
            _mask(Codes.DISEASE_RESEARCH, impersonal) |
            _mask(Codes.CLINICAL_TRIAL, impersonal) |
            _mask(Codes.AI_TRAINING, impersonal) |
            _mask(Codes.AI_VALIDATION, impersonal) |
            _mask(Codes.AI_INFERENCE, impersonal) |
            _mask(Codes.PUBLIC_HEALTH, surveillance) |
            _mask(Codes.PATIENT_REQUEST, all);
    }

    /// @dev R032, R098: the custodian's own care has its own basis, so that nobody's doctor is locked out; care
    /// elsewhere needs consent, separate for core privacy.
    function _setCare(IPolicy.Table memory law) private pure {
        uint32 own = BASE | Facts.REQUESTER_IS_CUSTODIAN;
        for (uint8 dataClass = 1; dataClass <= 3; ++dataClass) {
            uint32 separate = dataClass == Codes.CORE_PRIVACY ? Facts.GRANT_SEPARATE : 0;
            _set(law, dataClass, Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, own);
            _set(law, dataClass, Codes.EMERGENCY_CARE, Codes.CUSTODIAN_CARE, own);
            _set(law, dataClass, Codes.PRIMARY_CARE, Codes.CONSENT, CONSENTED | separate);
            _set(law, dataClass, Codes.EMERGENCY_CARE, Codes.CONSENT, CONSENTED | separate);
            _set(
                law,
                dataClass,
                Codes.EMERGENCY_CARE,
                Codes.INDIVIDUAL_EMERGENCY,
                BASE | Facts.EMERGENCY_IN_FORCE | Facts.REVIEWS_CURRENT
            );
            if (dataClass != Codes.CORE_PRIVACY) {
                _set(law, dataClass, Codes.PAYMENT, Codes.CUSTODIAN_CARE, own);
                _set(law, dataClass, Codes.PAYMENT, Codes.CONSENT, CONSENTED);
                _set(law, dataClass, Codes.OPERATIONS, Codes.CUSTODIAN_CARE, own);
            }
        }
    }

    /// @dev R098: class 1 needs a separate grant and an emergency and encryption. R099: class 2 needs a grant, a filed
    /// project and a privacy technique. R100: class 3 serves public health without a grant, from a declared source
    /// and verifiably de-identified; other secondary use of it needs a grant and a filed project.
    function _setSecondaryUse(IPolicy.Table memory law) private pure {
        for (uint8 purpose = Codes.RESEARCH; purpose <= Codes.AI_INFERENCE; ++purpose) {
            uint32 licence = purpose == Codes.AI_INFERENCE ? Facts.MODEL_LICENSED : 0;
            _set(law, Codes.CORE_PRIVACY, purpose, Codes.CONSENT, CONSENTED | FILED | CORE | licence);
            _set(law, Codes.SENSITIVE, purpose, Codes.CONSENT, CONSENTED | FILED | licence);
            _set(law, Codes.NON_SENSITIVE, purpose, Codes.CONSENT, CONSENTED | Facts.PROJECT_FILED | licence);
        }
        uint32 declared = BASE | Facts.EMERGENCY_IN_FORCE | Facts.PROJECT_FILED;
        _set(law, Codes.CORE_PRIVACY, Codes.PUBLIC_HEALTH, Codes.CONSENT, CONSENTED | FILED | CORE);
        _set(law, Codes.SENSITIVE, Codes.PUBLIC_HEALTH, Codes.CONSENT, CONSENTED | FILED);
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
    function _setPatientRequest(IPolicy.Table memory law) private pure {
        for (uint8 dataClass = 1; dataClass <= 3; ++dataClass) {
            _set(
                law,
                dataClass,
                Codes.PATIENT_REQUEST,
                Codes.CUSTODIAN_CARE,
                BASE | Facts.REQUESTER_IS_CUSTODIAN
            );
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
        law.required[(uint256(dataClass) - 1) * 16 + purpose] |= uint256(required) << (32 * uint256(basis));
    }

    function _bit(uint8 purpose) private pure returns (uint16) {
        return uint16(1 << purpose);
    }

    function _mask(uint8 purpose, uint16 categories) private pure returns (uint256) {
        return uint256(categories) << (16 * uint256(purpose));
    }
}
