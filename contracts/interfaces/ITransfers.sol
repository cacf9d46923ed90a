// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ITransfers
/// @notice Custody moving between two members, recorded by both sides. A transfer is of one record, shipped at once under
/// its permit; or of many, declared first under an agreement, loaded permit by permit, and shipped together.
interface ITransfers {
    /// @notice Where a transfer stands.
    enum TransferStatus {
        NONE,
        SHIPPED,
        RECEIVED, // both sides committed to the same content
        DISPUTED, // the two commitments differ, or it was stopped before it was answered
        DECLARED, // of many records; it crosses a border, a regulator has to inspect it
        CLEARED, // of many records; it may be loaded and shipped
        REFUSED, // what was declared breaks a rule
        HALTED, // stopped for the time being
        TERMINATED, // stopped for good
        CLOSED // the recipient destroyed or returned what it received
    }

    /// @notice What is declared of a transfer of many records.
    struct Consignment {
        uint32 agreementId; // names the recipient and the limits
        uint32 projectId; // the recipient's project that is cleared for the border, or 0
        uint32 count; // how many records
        uint16 purposes;
        uint16 categories;
        bytes32 parent; // transfer by which the sender received them, or 0 if it keeps them itself
        uint16[] route; // countries that they pass, ISO 3166-1 numeric
        uint16[] places; // countries in which they will be stored
    }

    /// @notice One record that is loaded.
    struct Item {
        bytes32 passportId;
        uint40 seq; // decision that permits the recipient to receive it
        bytes32 content; // commitment to what is sent of it
    }

    /// @notice Where a record stands in the transfer by which its sender received it.
    struct Provenance {
        uint40 seq; // decision that permitted the sender to receive it
        bytes32 content; // commitment to what the sender received of it
        uint32 index; // number of its leaf, from 0
        bytes32[] path; // hashes beside the way from the leaf to the root, from below
    }

    /// @notice A transfer as stored.
    struct Transfer {
        // slot 0
        uint32 sender;
        uint32 recipient;
        uint40 seq; // of one record: decision that permitted it
        uint40 shippedAt;
        uint40 receivedAt;
        TransferStatus status;
        uint32 agreementId; // of many
        uint32 projectId; // of many
        // slot 1
        bytes32 passportId; // of one record; 0: of many
        // slot 2
        bytes32 content; // commitment of the sender; of many the Merkle root of the items, once shipped
        // slot 3
        uint32 count; // of many, as the next three
        uint32 loaded;
        uint16 purposes;
        uint16 categories;
        uint32 reportDue; // until when the recipient must report again, from its shipping on; 0 if it does not cross a border
        uint32 haltedBy; // of many
        TransferStatus haltedFrom; // of many
        bool crosses; // a border; of one record: the sides are in two jurisdictions
        // slot 4, of many
        bytes32 parent;
    }

    /// @notice The sender shipped one record.
    event TransferShipped(
        bytes32 indexed transferId,
        bytes32 indexed passportId,
        uint32 indexed recipient,
        uint32 sender,
        uint40 seq,
        bytes32 content
    );
    /// @notice The recipient stated what it received; `matched` says whether it is what was shipped. `passportId` is 0 if it
    /// was many records.
    event TransferReceived(
        bytes32 indexed transferId,
        bytes32 indexed passportId,
        uint32 indexed recipient,
        bytes32 content,
        bool matched
    );
    /// @notice A transfer of many records was declared. `missing`: the rules that it broke, as in `TransferFacts`; empty if
    /// it stands.
    event TransferDeclared(
        bytes32 indexed transferId,
        uint32 indexed sender,
        uint32 indexed recipient,
        uint32 missing,
        bool crosses,
        Consignment consignment,
        bytes32 description
    );
    /// @notice A regulator inspected a transfer that crosses a border: released, it may be loaded; else it is over.
    event TransferInspected(
        bytes32 indexed transferId,
        uint32 indexed regulator,
        bool released,
        bytes32 report
    );
    /// @notice One record was loaded: the leaf of this number.
    event TransferLoaded(
        bytes32 indexed transferId,
        bytes32 indexed passportId,
        uint32 indexed index,
        uint40 seq,
        bytes32 content
    );
    /// @notice The sender shipped all that it had loaded.
    event TransferDispatched(bytes32 indexed transferId, bytes32 root, uint32 count);
    /// @notice A transfer was stopped for the time being.
    event TransferHalted(bytes32 indexed transferId, uint32 indexed memberId, bytes32 reasons);
    /// @notice A halted transfer goes on.
    event TransferResumed(bytes32 indexed transferId, uint32 indexed memberId);
    /// @notice A transfer was stopped for good.
    event TransferTerminated(bytes32 indexed transferId, uint32 indexed memberId, bytes32 reasons);
    /// @notice The recipient of data from abroad reported on it.
    event TransferReported(
        bytes32 indexed transferId,
        uint32 indexed memberId,
        uint32 nextDue,
        bytes32 report
    );
    /// @notice The recipient destroyed or returned what it received.
    event TransferClosed(bytes32 indexed transferId, uint32 indexed memberId, bytes32 evidence);

    /// @notice Thrown when the id is zero or taken.
    error Transfers_Exists(bytes32 transferId);
    /// @notice Thrown when no transfer has this id.
    error Transfers_Unknown(bytes32 transferId);
    /// @notice Thrown when no unused permit that still stands, and that is within what was declared, has this number.
    error Transfers_NotPermitted(bytes32 passportId, uint40 seq);
    /// @notice Thrown when the caller is not the recipient.
    error Transfers_NotRecipient(bytes32 transferId, uint32 memberId);
    /// @notice Thrown when the caller may not do this to this transfer.
    error Transfers_NotQualified(bytes32 transferId, uint32 memberId);
    /// @notice Thrown when the recipient answered before.
    error Transfers_AlreadyReceived(bytes32 transferId);
    /// @notice Thrown when the content commitment is zero.
    error Transfers_NoContent(bytes32 transferId);
    /// @notice Thrown when a declaration has no records, purposes, categories, places or description, names no agreement
    /// that exists, or more than 32 countries; or when records that are passed on come without saying where they are from.
    error Transfers_Incomplete();
    /// @notice Thrown when the transfer does not stand where this can be done.
    error Transfers_WrongStatus(bytes32 transferId, TransferStatus status);
    /// @notice Thrown when what a transfer rests on has lapsed: agreement, clearance, or a membership.
    error Transfers_Lapsed(bytes32 transferId);
    /// @notice Thrown when more would be loaded than was declared, or less shipped.
    error Transfers_WrongCount(bytes32 transferId, uint32 loaded, uint32 count);
    /// @notice Thrown when the sender did not receive this record by the parent of the transfer. `passportId` is 0 if a
    /// transfer with a parent is loaded as one without, or the other way round.
    error Transfers_NotInParent(bytes32 transferId, bytes32 passportId);
    /// @notice Thrown when no report is overdue.
    error Transfers_NothingOverdue(bytes32 transferId);

    /// @notice Record that the caller shipped data under a permit to transfer. A permit is good for one transfer within
    /// an hour, and only while its recipient is active and controlled as it was, and the grant or the emergency it rested
    /// on is in force. On data from abroad the recipient owes reports.
    /// @dev Only the passport's active custodian. Reverts with Members_NotMember, Members_NotActive,
    /// Passports_Unknown, Passports_NotCustodian, Passports_WrongStatus or one
    /// of the errors above.
    /// @param transferId 32 random bytes.
    /// @param passportId The passport.
    /// @param seq The decision that permitted the transfer; its requester is the recipient.
    /// @param content Commitment to what was shipped.
    function ship(bytes32 transferId, bytes32 passportId, uint40 seq, bytes32 content) external;

    /// @notice Record what the caller received. A difference does not revert: it is on record as a dispute.
    /// @dev Only the active recipient, once, of anything that was shipped, though it was stopped or closed since. What was
    /// stopped is disputed even if it is what was shipped; what was closed stays so. Of many records the content is their
    /// Merkle root. Reverts with
    /// Transfers_Unknown, Transfers_NotRecipient, Transfers_AlreadyReceived, Transfers_WrongStatus or
    /// Transfers_NoContent.
    /// @param transferId The transfer.
    /// @param content Commitment to what was received.
    function receiveTransfer(bytes32 transferId, bytes32 content) external;

    /// @notice Declare a transfer of many records under an agreement. What breaks a rule is recorded too, and refused.
    /// @dev Never reverts for a reason of policy. Only a member that is the provider of the agreement, whatever its status.
    /// Reverts with Members_NotMember, Agreements_NotParty, Transfers_Exists, Transfers_Incomplete or Transfers_Unknown
    /// (the parent).
    /// @param transferId 32 random bytes.
    /// @param consignment What is declared.
    /// @param description Commitment to the description.
    /// @return missing The rules that it broke, as in `TransferFacts`; 0 if it stands.
    function declareTransfer(
        bytes32 transferId,
        Consignment calldata consignment,
        bytes32 description
    ) external returns (uint32 missing);

    /// @notice Release a transfer that crosses a border after an inspection, or refuse it.
    /// @dev Only an active member with the role REGULATOR, of the sender's jurisdiction and no side. What has lapsed can
    /// only be refused. Reverts with Members_MissingRole, Transfers_Unknown, Transfers_NotQualified, Transfers_WrongStatus
    /// or Transfers_Lapsed.
    /// @param transferId The transfer.
    /// @param released Whether it may go on; else it is terminated.
    /// @param report Commitment to the report.
    function inspectTransfer(bytes32 transferId, bool released, bytes32 report) external;

    /// @notice Load records that the caller keeps: each uses up the permit of its recipient. If the transfer crosses a border
    /// each person counts as in `IBorders`, once, whatever the decision counted.
    /// @dev Only the active sender of a cleared transfer without a parent. Reverts with Transfers_Unknown,
    /// Transfers_NotQualified, Transfers_WrongStatus, Transfers_Lapsed, Transfers_WrongCount, Transfers_NotPermitted,
    /// Transfers_NoContent, Passports_NotCustodian or Passports_WrongStatus; if it crosses a border and the person may not,
    /// with Borders_NotCleared.
    /// @param transferId The transfer.
    /// @param items The records.
    function loadTransfer(bytes32 transferId, Item[] calldata items) external;

    /// @notice Load records that the caller received by the parent of the transfer.
    /// @dev Only the active sender of a cleared transfer with a parent that it received. Reverts as `loadTransfer`, and with
    /// Transfers_NotInParent or Transfers_Incomplete.
    /// @param transferId The transfer.
    /// @param items The records.
    /// @param provenances Where each of them stands in the parent.
    function loadOnward(
        bytes32 transferId,
        Item[] calldata items,
        Provenance[] calldata provenances
    ) external;

    /// @notice Ship what was loaded: all that was declared.
    /// @dev Only the active sender. Reverts with Transfers_Unknown, Transfers_NotQualified, Transfers_WrongStatus,
    /// Transfers_Lapsed or Transfers_WrongCount.
    /// @param transferId The transfer.
    function shipTransfer(bytes32 transferId) external;

    /// @notice Stop a transfer of many records for the time being.
    /// @dev Only its sender, or an active member with the role REGULATOR of the sender's jurisdiction and no side, before it
    /// is received. Such a regulator can halt what the sender halted, too, and the sender no more resumes it. Reverts with Transfers_Unknown, Transfers_NotQualified or Transfers_WrongStatus.
    /// @param transferId The transfer.
    /// @param reasons Commitment to the reasons.
    function haltTransfer(bytes32 transferId, bytes32 reasons) external;

    /// @notice Let a halted transfer go on from where it stood.
    /// @dev Only an active member: who halted it, or one with the role REGULATOR of the sender's jurisdiction and no side.
    /// Reverts with Members_NotMember, Members_NotActive, Transfers_Unknown, Transfers_NotQualified, Transfers_WrongStatus or Transfers_Lapsed.
    /// @param transferId The transfer.
    function resumeTransfer(bytes32 transferId) external;

    /// @notice Stop a transfer of many records for good, before it is received.
    /// @dev Only one of its sides, an active member with the role REGULATOR of the sender's jurisdiction and no side, or any
    /// member once what it rests on has lapsed. Reverts with Transfers_Unknown, Transfers_NotQualified or Transfers_WrongStatus.
    /// @param transferId The transfer.
    /// @param reasons Commitment to the reasons.
    function terminateTransfer(bytes32 transferId, bytes32 reasons) external;

    /// @notice Report on data from abroad that was shipped to the caller; the next report is due 90 days later.
    /// @dev Only the recipient, of what was shipped and is not closed, received or not. Reverts with Transfers_Unknown, Transfers_NotRecipient, Transfers_WrongStatus or
    /// Transfers_NoContent.
    /// @param transferId The transfer.
    /// @param report Commitment to the report.
    function reportTransfer(bytes32 transferId, bytes32 report) external;

    /// @notice Take a recipient whose report is overdue off the list of those that may receive data from abroad.
    /// @dev Only a member. Emits `IBorders.BorderAccessSet` in its name. Reverts with Transfers_Unknown or Transfers_NothingOverdue.
    /// @param transferId The transfer.
    function endBorderAccess(bytes32 transferId) external;

    /// @notice State that the caller destroyed or returned what was shipped to it.
    /// @dev Only the recipient, of what was shipped and is not closed, received or not. Reverts with Transfers_Unknown, Transfers_NotRecipient, Transfers_WrongStatus or
    /// Transfers_NoContent.
    /// @param transferId The transfer.
    /// @param evidence Commitment to the evidence.
    function closeTransfer(bytes32 transferId, bytes32 evidence) external;

    /// @notice A transfer as stored; all zero for an unknown id.
    /// @param transferId The transfer.
    function transferOf(bytes32 transferId) external view returns (Transfer memory);

    /// @notice Whether a transfer of many records would break no rule if it were declared now: what it rests on is in force.
    /// @param transferId The transfer.
    function transferStands(bytes32 transferId) external view returns (bool);

    /// @notice The member that a permit allows to receive data; 0 if there is no unused permit that still stands.
    /// @param passportId The passport.
    /// @param seq The decision's number within the passport.
    function transferPermit(bytes32 passportId, uint40 seq) external view returns (uint32 recipient);
}
