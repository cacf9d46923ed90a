// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Facts
/// @notice The numbering of facts. An entry of the policy table is a set of these bits; so is what holds for a request.
/// @dev The one place where facts are numbered. `ledger/domain/vocabulary.py` repeats the numbering and a test
/// compares the two. A fact that no module of this version can establish never holds: it is named here because
/// entries of the default table require it.
library Facts {
    /// @dev The requester's membership is in force: active and before its end.
    uint32 internal constant MEMBER_ACTIVE = 1 << 0;
    /// @dev The purpose lies in the requester's licence scope.
    uint32 internal constant MEMBER_SCOPE = 1 << 1;
    /// @dev The passport is open: neither sealed nor destroyed.
    uint32 internal constant PASSPORT_OPEN = 1 << 2;
    /// @dev The passport may serve the purpose and the purpose is not banned.
    uint32 internal constant PURPOSE_ALLOWED = 1 << 3;
    /// @dev Every category asked for is necessary for the purpose.
    uint32 internal constant CATEGORIES_NECESSARY = 1 << 4;
    /// @dev The requester's own project covers purpose, categories, class and time.
    uint32 internal constant PROJECT_FILED = 1 << 5;
    /// @dev An ethics body approved the project.
    uint32 internal constant PROJECT_ETHICS = 1 << 6;
    /// @dev The project declares a privacy-enhancing technique.
    uint32 internal constant PROJECT_TECHNIQUE = 1 << 7;
    /// @dev The project names an agreement with stated limits.
    uint32 internal constant PROJECT_AGREEMENT = 1 << 8;
    /// @dev The grant exists for this passport, was not ended and is within its use period.
    uint32 internal constant GRANT_LIVE = 1 << 9;
    /// @dev The grant names the requester.
    uint32 internal constant GRANT_RECIPIENT = 1 << 10;
    /// @dev The grant names the purpose.
    uint32 internal constant GRANT_PURPOSE = 1 << 11;
    /// @dev The grant names every category asked for.
    uint32 internal constant GRANT_CATEGORIES = 1 << 12;
    /// @dev The grant is separate: one purpose, under a signature of the subject's own, not of a custodian that assists.
    uint32 internal constant GRANT_SEPARATE = 1 << 13;
    /// @dev The grant has uses left.
    uint32 internal constant GRANT_QUOTA = 1 << 14;
    /// @dev An emergency is in force for the passport.
    uint32 internal constant EMERGENCY_IN_FORCE = 1 << 15;
    /// @dev Protection by encryption is attested.
    uint32 internal constant ENCRYPTED = 1 << 16;
    /// @dev De-identification was verified by an independent member.
    uint32 internal constant DEIDENTIFIED = 1 << 17;
    /// @dev The source of the data is declared.
    uint32 internal constant SOURCE_DECLARED = 1 << 18;
    /// @dev No withdrawal waits for an answer in the dataset.
    uint32 internal constant DATASET_CURRENT = 1 << 19;
    /// @dev The model holds a licence.
    uint32 internal constant MODEL_LICENSED = 1 << 20;
    /// @dev The privacy budget is not spent.
    uint32 internal constant BUDGET_LEFT = 1 << 21;
    /// @dev A clearance covers the transfer across the border.
    uint32 internal constant BORDER_CLEARED = 1 << 22;
    /// @dev The requester is the passport's custodian.
    uint32 internal constant REQUESTER_IS_CUSTODIAN = 1 << 23;
    /// @dev The requester owes no overdue review.
    uint32 internal constant REVIEWS_CURRENT = 1 << 24;
    /// @dev A human reviewed the request.
    uint32 internal constant HUMAN_REVIEWED = 1 << 25;
    /// @dev The law has an entry for this data class, purpose and basis. Required of every request.
    uint32 internal constant LAWFUL = uint32(1 << 31);

    /// @dev What every entry requires, whatever the committee writes.
    uint32 internal constant FLOOR = MEMBER_ACTIVE | PASSPORT_OPEN | PURPOSE_ALLOWED;
    /// @dev What every entry under the basis of consent requires besides `FLOOR`.
    uint32 internal constant CONSENT_FLOOR =
        GRANT_LIVE | GRANT_RECIPIENT | GRANT_PURPOSE | GRANT_CATEGORIES | GRANT_QUOTA;
}
