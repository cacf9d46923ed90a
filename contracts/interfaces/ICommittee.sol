// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ICommittee
/// @notice Seats of different kinds that decide together. What they decide the ledger does in its own name: there is
/// no owner, and nothing else may do what is said to be the committee's.
interface ICommittee {
    /// @notice Whose view a seat brings.
    enum SeatKind {
        NONE,
        CONVENOR, // convenes the committee until the others are seated
        LAW,
        MEDICINE,
        PRIVACY,
        DATA_SCIENCE,
        PATIENTS,
        PUBLIC,
        SECURITY,
        REGULATOR,
        PUBLIC_HEALTH
    }

    /// @notice What an act is about. Each kind has a rule of its own.
    enum ActKind {
        SEATS, // seats and rules
        MEMBERS,
        LAW, // the table, templates
        EMERGENCIES,
        DATA // unsealing
    }

    /// @notice What an act of a kind needs. Fits in a single slot.
    struct Rule {
        uint8 quorum; // how many seats must approve
        uint16 seats; // set of kinds of seats that must be among them: bit n for kind n
        uint32 delaySeconds; // how long it waits once it is approved
    }

    /// @notice An act: one call of the ledger, in the name of the committee.
    struct Act {
        ActKind kind;
        bool executed;
        uint32 proposedAt;
        uint32 approvedAt; // when it had what its rule needs; 0 before
        uint32[] approvers; // members whose seats approved, in order
        bytes call;
    }

    /// @notice A seat proposed an act, and so approved it.
    event ActProposed(
        uint32 indexed actId,
        uint32 indexed memberId,
        ActKind kind,
        bytes call,
        bytes32 reasons
    );
    /// @notice A seat approved an act.
    event ActApproved(uint32 indexed actId, uint32 indexed memberId);
    /// @notice The act was done.
    event ActExecuted(uint32 indexed actId);
    /// @notice A member was seated, or lost its seat.
    event SeatSet(uint32 indexed memberId, SeatKind kind);
    /// @notice What acts of a kind need from now on.
    event RuleSet(ActKind indexed kind, Rule rule);

    /// @notice Thrown when the caller is not the committee itself.
    error Committee_Only(address caller);
    /// @notice Thrown when the member has no seat, or is not active.
    error Committee_NoSeat(uint32 memberId);
    /// @notice Thrown when the call is not one of the committee's.
    error Committee_NotAnAct(bytes4 selector);
    /// @notice Thrown when there is no such act.
    error Committee_Unknown(uint32 actId);
    /// @notice Thrown when the seat approved before.
    error Committee_AlreadyApproved(uint32 actId, uint32 memberId);
    /// @notice Thrown when the act was done before.
    error Committee_AlreadyExecuted(uint32 actId);
    /// @notice Thrown when the act lacks approvals, a kind of seat, or time.
    error Committee_NotReady(uint32 actId, uint256 readyAt);
    /// @notice Thrown when the act is older than 30 days.
    error Committee_Expired(uint32 actId);
    /// @notice Thrown when the act would leave a committee that could not act.
    error Committee_Incapable(ActKind kind);
    /// @notice Thrown when a member is to be seated that does not hold the role, or there are too many seats.
    error Committee_CannotSeat(uint32 memberId);

    /// @notice Propose an act, and approve it. If its rule needs nothing more, it is done at once.
    /// @dev Only a member with a seat. Reverts with Committee_NoSeat, Committee_NotAnAct, or as the call does.
    /// @param call Calldata of a function of this ledger that is the committee's.
    /// @param reasons Commitment to the reasons.
    /// @return actId The number of the act, counted from 1.
    function propose(bytes calldata call, bytes32 reasons) external returns (uint32 actId);

    /// @notice Approve an act. If its rule needs nothing more, it is done at once.
    /// @dev Only a member with a seat. Reverts with Committee_NoSeat, Committee_Unknown, Committee_AlreadyApproved,
    /// Committee_AlreadyExecuted, Committee_Expired, or as the call does.
    /// @param actId The act.
    function approve(uint32 actId) external;

    /// @notice Do an act that has what its rule needs. Anyone may. Approvals of seats that were lost do not count. Where a
    /// rule was lowered and the act had not begun to wait, the wait begins with this call.
    /// @dev Reverts with Committee_Unknown, Committee_AlreadyExecuted, Committee_NotReady, Committee_Expired, or as the
    /// call does.
    /// @param actId The act.
    function execute(uint32 actId) external;

    /// @notice Seat a member, or take its seat.
    /// @dev Only the committee. Reverts with Committee_CannotSeat or Committee_Incapable.
    /// @param memberId The member.
    /// @param kind The seat, or NONE.
    function setSeat(uint32 memberId, SeatKind kind) external;

    /// @notice Say what acts of a kind need.
    /// @dev Only the committee. Reverts with Committee_Incapable.
    /// @param kind The kind.
    /// @param rule What they need.
    function setRule(ActKind kind, Rule calldata rule) external;

    /// @notice The seats: members, in the order of seating, and their kinds.
    function seats() external view returns (uint32[] memory memberIds, SeatKind[] memory kinds);

    /// @notice What acts of a kind need.
    /// @param kind The kind.
    function ruleOf(ActKind kind) external view returns (Rule memory);

    /// @notice An act; all zero for an unknown number.
    /// @param actId The act.
    function actOf(uint32 actId) external view returns (Act memory);

    /// @notice How many acts were ever proposed.
    function actCount() external view returns (uint32);
}
