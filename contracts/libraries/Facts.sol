// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Facts
/// @notice The numbering of facts. An entry of the policy table is a set of these bits; so is what holds for a request.
/// @dev The one place where facts are numbered. `ledger/domain/vocabulary.py` repeats the numbering and a test
/// compares the two. The *principal* of a request is the member in whose right it is made: the requester, or the
/// controller that has entrusted the requester with the purpose, or nobody if the controller named has not.
library Facts {
    /// @dev The memberships of the requester and of the controller it names are in force: active and before their end.
    uint32 internal constant MEMBER_ACTIVE = 1 << 0;
    /// @dev The purpose lies in the licence scope of the requester and of the controller it names.
    uint32 internal constant MEMBER_SCOPE = 1 << 1;
    /// @dev The passport is open: neither sealed nor destroyed.
    uint32 internal constant PASSPORT_OPEN = 1 << 2;
    /// @dev The passport may serve the purpose and the purpose is not banned.
    uint32 internal constant PURPOSE_ALLOWED = 1 << 3;
    /// @dev Every category asked for is necessary for the purpose.
    uint32 internal constant CATEGORIES_NECESSARY = 1 << 4;
    /// @dev A project of the principal's covers purpose, categories, class and time.
    uint32 internal constant PROJECT_FILED = 1 << 5;
    /// @dev An ethics body approved the project.
    uint32 internal constant PROJECT_ETHICS = 1 << 6;
    /// @dev The project declares a privacy-enhancing technique.
    uint32 internal constant PROJECT_TECHNIQUE = 1 << 7;
    /// @dev The project names an agreement with stated limits.
    uint32 internal constant PROJECT_AGREEMENT = 1 << 8;
    /// @dev The grant exists for this passport, was not ended and is within its use period.
    uint32 internal constant GRANT_LIVE = 1 << 9;
    /// @dev The grant names the principal, which is controlled as it was when the holder signed; or its kind of member.
    uint32 internal constant GRANT_RECIPIENT = 1 << 10;
    /// @dev The grant names the purpose.
    uint32 internal constant GRANT_PURPOSE = 1 << 11;
    /// @dev The grant names every category asked for.
    uint32 internal constant GRANT_CATEGORIES = 1 << 12;
    /// @dev The grant is separate: one purpose, under a signature of the subject's or a representative's own, neither
    /// of a custodian that assists nor filed from paper.
    uint32 internal constant GRANT_SEPARATE = 1 << 13;
    /// @dev The grant has uses left.
    uint32 internal constant GRANT_QUOTA = 1 << 14;
    /// @dev The emergency that the request names is in force and covers it.
    uint32 internal constant EMERGENCY_IN_FORCE = 1 << 15;
    /// @dev Protection by encryption is attested by a verifier other than the custodian.
    uint32 internal constant ENCRYPTED = 1 << 16;
    /// @dev De-identification was verified by a member that is neither custodian nor requester.
    uint32 internal constant DEIDENTIFIED = 1 << 17;
    /// @dev The custodian has declared the source of the data.
    uint32 internal constant SOURCE_DECLARED = 1 << 18;
    /// @dev The dataset to include the data into is the principal's and open, wants no more than what is asked for and the
    /// grant, if relied on, covers, and has room under it. Holds for every other operation. Required of every inclusion.
    uint32 internal constant DATASET_FITS = 1 << 19;
    /// @dev A regulator has licensed the model that the project deploys.
    uint32 internal constant MODEL_LICENSED = 1 << 20;
    /// @dev The privacy budget is not spent. Holds for every record: a record has none.
    uint32 internal constant BUDGET_LEFT = 1 << 21;
    /// @dev Requester and custodian are in one jurisdiction, or a regulator has cleared the project for the border.
    uint32 internal constant BORDER_CLEARED = 1 << 22;
    /// @dev The principal is the passport's custodian.
    uint32 internal constant REQUESTER_IS_CUSTODIAN = 1 << 23;
    /// @dev The requester has not lost its right to emergencies and owes no overdue review.
    uint32 internal constant REVIEWS_CURRENT = 1 << 24;
    /// @dev A reviewer approved this very request.
    uint32 internal constant HUMAN_REVIEWED = 1 << 25;
    /// @dev The requester is below its daily cap for the purpose, if it has one.
    uint32 internal constant WITHIN_CAP = 1 << 26;
    /// @dev The data asked for was authored within the days that the grant names.
    uint32 internal constant GRANT_PERIOD = 1 << 27;
    /// @dev A compliance body, another member than the ethics body, approved the project.
    uint32 internal constant PROJECT_COMPLIANCE = 1 << 28;
    /// @dev The data is asked for at the level of de-identification that the law demands, and a grant relied on.
    uint32 internal constant LEVEL_SUFFICIENT = 1 << 29;
    /// @dev The data is not locked to an emergency, or the request is made under that emergency while it lasts.
    uint32 internal constant UNLOCKED = 1 << 30;
    /// @dev The law has an entry for this data class, purpose and basis. Required of every request.
    uint32 internal constant LAWFUL = uint32(1 << 31);

    /// @dev What every entry requires, whatever the committee writes.
    uint32 internal constant FLOOR = MEMBER_ACTIVE | PASSPORT_OPEN | PURPOSE_ALLOWED | LEVEL_SUFFICIENT;
    /// @dev What every entry requires besides, unless the subject itself asks.
    uint32 internal constant OTHERS_FLOOR = UNLOCKED | WITHIN_CAP;
    /// @dev What every entry under the basis of consent requires besides.
    uint32 internal constant CONSENT_FLOOR =
        GRANT_LIVE | GRANT_RECIPIENT | GRANT_PURPOSE | GRANT_CATEGORIES | GRANT_QUOTA | GRANT_PERIOD;
    /// @dev What every entry under an emergency requires besides.
    uint32 internal constant EMERGENCY_FLOOR = EMERGENCY_IN_FORCE | REVIEWS_CURRENT;

    /// @dev Facts that are established only where the law requires them: each asks another register.
    uint32 internal constant ASKED_ON_DEMAND =
        EMERGENCY_IN_FORCE |
            ENCRYPTED |
            DEIDENTIFIED |
            SOURCE_DECLARED |
            MODEL_LICENSED |
            BORDER_CLEARED |
            REVIEWS_CURRENT |
            HUMAN_REVIEWED;
}
