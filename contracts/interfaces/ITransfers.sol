// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ITransfers
/// @notice Custody moving between two members, recorded by both sides.
interface ITransfers {
    /// @notice Where a transfer stands.
    enum TransferStatus {
        NONE,
        SHIPPED,
        RECEIVED, // both sides committed to the same content
        DISPUTED // the two commitments differ
    }

    /// @notice A transfer as stored.
    struct Transfer {
        // slot 0
        uint32 sender;
        uint32 recipient;
        uint40 seq; // decision that permitted it
        uint40 shippedAt;
        uint40 receivedAt;
        TransferStatus status;
        // slot 1
        bytes32 passportId;
        // slot 2
        bytes32 content; // commitment of the sender
    }

    /// @notice The sender shipped.
    event TransferShipped(
        bytes32 indexed transferId,
        bytes32 indexed passportId,
        uint32 indexed recipient,
        uint32 sender,
        uint40 seq,
        bytes32 content
    );
    /// @notice The recipient stated what it received; `matched` says whether it is what was shipped.
    event TransferReceived(
        bytes32 indexed transferId,
        bytes32 indexed passportId,
        uint32 indexed recipient,
        bytes32 content,
        bool matched
    );

    /// @notice Thrown when the id is zero or taken.
    error Transfers_Exists(bytes32 transferId);
    /// @notice Thrown when no transfer has this id.
    error Transfers_Unknown(bytes32 transferId);
    /// @notice Thrown when no unused permit that still stands has this number.
    error Transfers_NotPermitted(bytes32 passportId, uint40 seq);
    /// @notice Thrown when the caller is not the recipient.
    error Transfers_NotRecipient(bytes32 transferId, uint32 memberId);
    /// @notice Thrown when the recipient answered before.
    error Transfers_AlreadyReceived(bytes32 transferId);
    /// @notice Thrown when the content commitment is zero.
    error Transfers_NoContent(bytes32 transferId);

    /// @notice Record that the caller shipped data under a permit to transfer. A permit is good for one transfer within
    /// an hour, and only while its recipient is active and controlled as it was, and the grant or the emergency it rested
    /// on is in force.
    /// @dev Only the passport's active custodian. Reverts with Members_NotMember, Members_NotActive,
    /// Passports_Unknown, Passports_NotCustodian, Passports_WrongStatus or one
    /// of the errors above.
    /// @param transferId 32 random bytes.
    /// @param passportId The passport.
    /// @param seq The decision that permitted the transfer; its requester is the recipient.
    /// @param content Commitment to what was shipped.
    function ship(bytes32 transferId, bytes32 passportId, uint40 seq, bytes32 content) external;

    /// @notice Record what the caller received. A difference does not revert: it is on record as a dispute.
    /// @dev Only the active recipient, once.
    /// @param transferId The transfer.
    /// @param content Commitment to what was received.
    function receiveTransfer(bytes32 transferId, bytes32 content) external;

    /// @notice A transfer as stored; all zero for an unknown id.
    /// @param transferId The transfer.
    function transferOf(bytes32 transferId) external view returns (Transfer memory);

    /// @notice The member that a permit allows to receive data; 0 if there is no unused permit that still stands.
    /// @param passportId The passport.
    /// @param seq The decision's number within the passport.
    function transferPermit(bytes32 passportId, uint40 seq) external view returns (uint32 recipient);
}
