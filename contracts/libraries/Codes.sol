// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Codes
/// @notice The numbering of purposes, bases, operations, outcomes, data classes and roles.
/// @dev `ledger/domain/vocabulary.py` repeats the numbering with the codes of HL7 and GA4GH; a test compares the two.
library Codes {
    // Purposes, 0 to 15: bit n of a set of purposes.
    uint8 internal constant PRIMARY_CARE = 0;
    uint8 internal constant EMERGENCY_CARE = 1;
    uint8 internal constant PAYMENT = 2;
    uint8 internal constant OPERATIONS = 3;
    uint8 internal constant RESEARCH = 4;
    uint8 internal constant DISEASE_RESEARCH = 5;
    uint8 internal constant CLINICAL_TRIAL = 6;
    uint8 internal constant AI_TRAINING = 7;
    uint8 internal constant AI_VALIDATION = 8;
    uint8 internal constant AI_INFERENCE = 9;
    uint8 internal constant PUBLIC_HEALTH = 10;
    uint8 internal constant PATIENT_REQUEST = 11;
    uint8 internal constant INSURANCE_RATING = 12;
    uint8 internal constant EMPLOYMENT = 13;
    uint8 internal constant MARKETING = 14;
    uint8 internal constant RESALE = 15;
    uint8 internal constant PURPOSES = 16;

    // Bases, 0 to 7.
    uint8 internal constant NO_BASIS = 0;
    uint8 internal constant CONSENT = 1;
    uint8 internal constant CUSTODIAN_CARE = 2;
    uint8 internal constant INDIVIDUAL_EMERGENCY = 3;
    uint8 internal constant PUBLIC_EMERGENCY = 4;
    uint8 internal constant LEGAL_DUTY = 5;
    uint8 internal constant COMPELLED = 6;
    uint8 internal constant SUBJECT_REQUEST = 7;
    uint8 internal constant BASES = 8;

    // Operations.
    uint8 internal constant READ = 0;
    uint8 internal constant TRANSFER = 1;
    uint8 internal constant INCLUDE = 2; // into a dataset
    uint8 internal constant OPERATIONS_COUNT = 3;

    // Categories, bit n of a set of categories.
    uint16 internal constant DIAGNOSIS = 1 << 0;
    uint16 internal constant MEDICATION = 1 << 1;
    uint16 internal constant LABORATORY = 1 << 2;
    uint16 internal constant IMAGING = 1 << 3;
    uint16 internal constant VITALS = 1 << 4;
    uint16 internal constant PROCEDURES = 1 << 5;
    uint16 internal constant IMMUNISATION = 1 << 6;
    uint16 internal constant NOTES = 1 << 7;
    uint16 internal constant DEMOGRAPHICS = 1 << 8;
    uint16 internal constant CLAIMS = 1 << 9;
    uint16 internal constant DEVICE = 1 << 10;
    uint16 internal constant GENOMICS = 1 << 11;
    uint16 internal constant HIV_STI = 1 << 12;
    uint16 internal constant PSYCHIATRY = 1 << 13;
    uint16 internal constant REPRODUCTIVE = 1 << 14;
    uint16 internal constant OTHER = uint16(1 << 15);

    // Data classes.
    uint8 internal constant CORE_PRIVACY = 1;
    uint8 internal constant SENSITIVE = 2;
    uint8 internal constant NON_SENSITIVE = 3;

    // Levels of de-identification.
    uint8 internal constant IDENTIFIED = 0;
    uint8 internal constant PSEUDONYMISED = 1;
    uint8 internal constant DEIDENTIFIED = 2;
    uint8 internal constant AGGREGATE = 3;
    uint8 internal constant LEVELS = 4;

    // Outcomes of a decision.
    uint8 internal constant PERMIT = 1;
    uint8 internal constant DENY = 2;
    uint8 internal constant REVIEW = 3;

    // Roles, bits of a set of roles.
    uint16 internal constant ROLE_COMMITTEE = 1 << 0; // may hold a seat
    uint16 internal constant ROLE_CUSTODIAN = 1 << 1; // keeps data
    uint16 internal constant ROLE_PROCESSOR = 1 << 2; // uses data
    uint16 internal constant ROLE_AUDITOR = 1 << 3;
    uint16 internal constant ROLE_ALLIANCE = 1 << 4; // admits and suspends units
    uint16 internal constant ROLE_REGULATOR = 1 << 5; // suspends, seals, licenses, clears, reviews what is compelled
    uint16 internal constant ROLE_ETHICS = 1 << 6; // approves projects, reviews requests and emergencies
    uint16 internal constant ROLE_COMPLIANCE = 1 << 7; // approves projects
    uint16 internal constant ROLE_VERIFIER = 1 << 8; // attests to encryption and de-identification
    uint16 internal constant ROLE_EMERGENCY = 1 << 9; // may open an emergency for one passport
    uint16 internal constant ROLES = (1 << 10) - 1;
    /// @dev Roles that only the committee gives.
    uint16 internal constant COMMITTEE_ROLES =
        ROLE_COMMITTEE | ROLE_ALLIANCE | ROLE_REGULATOR | ROLE_EMERGENCY;

    // Flags of a grant.
    uint8 internal constant FLAG_SEPARATE = 1 << 0;
    uint8 internal constant FLAG_NO_RELINK = 1 << 1;
    uint8 internal constant FLAG_NO_REIDENTIFY = 1 << 2;
    uint8 internal constant FLAG_ONWARD = 1 << 3;
    uint8 internal constant FLAGS = (1 << 4) - 1;
}
