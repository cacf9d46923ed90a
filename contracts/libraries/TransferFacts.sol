// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title TransferFacts
/// @notice The numbering of the rules for transfers of many records. All of them are required.
/// @dev `ledger/domain/vocabulary.py` repeats the numbering and a test compares the two.
library TransferFacts {
    /// @dev The sender's membership is in force.
    uint32 internal constant SENDER_ACTIVE = 1 << 0;
    /// @dev The recipient's membership is in force.
    uint32 internal constant RECIPIENT_ACTIVE = 1 << 1;
    /// @dev The agreement is signed by both, and has neither run out nor been ended.
    uint32 internal constant AGREEMENT_IN_FORCE = 1 << 2;
    /// @dev Purposes and categories are within the agreement, and no purpose is banned.
    uint32 internal constant WITHIN_LIMITS = 1 << 3;
    /// @dev The sender keeps the records itself; or it received them by the parent, whose agreement lets it pass them on,
    /// for no more purposes and of no more categories.
    uint32 internal constant ONWARD_ALLOWED = 1 << 4;
    /// @dev Sender, recipient, route and storage are in one country; or a clearance of the recipient's project is in force
    /// for the sender, and the recipient may receive data from abroad.
    uint32 internal constant BORDER_CLEARED = 1 << 5;
    uint32 internal constant ALL = (1 << 6) - 1;
}
