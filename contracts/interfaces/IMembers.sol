// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IMembers
/// @notice The whitelist: the institutions that may act on the ledger, with the keys they act with.
/// @dev Members are numbered from 1 in the order of admission; 0 is nobody. Three tiers: the committee sets the rules
/// and gives the roles that govern, the alliance admits units and suspends them, units operate.
interface IMembers {
    /// @notice Whether a member may act.
    enum MemberStatus {
        NONE,
        ACTIVE,
        SUSPENDED, // blocks new use, keeps grants
        EXPELLED // final; grants to it never permit again
    }

    /// @notice What an institution is. A grant can name kinds of members instead of one.
    enum MemberKind {
        OTHER,
        HOSPITAL,
        RESEARCH, // university or institute that is no hospital
        COMPANY,
        AUTHORITY, // state body
        INSURER
    }

    /// @notice A member as stored. The first slot is the hot one.
    struct Member {
        // slot 0
        address signer; // account that signs the member's transactions
        uint16 roles; // set of roles, see Codes
        uint16 purposes; // licence scope: set of purposes
        uint16 jurisdiction; // ISO 3166-1 numeric
        uint32 validTo; // end of the membership, seconds since the Unix epoch, exclusive
        MemberStatus status;
        MemberKind kind;
        // slot 1
        uint16 control; // how often control of the institution has changed hands
        // slot 2
        bytes32 signingKey; // Ed25519 public key, verifies the member's HTTP requests
        // slot 3
        bytes32 sealingKey; // X25519 public key, receives data keys
    }

    /// @notice What is stated about an institution when it is admitted.
    struct Admission {
        address signer;
        uint16 roles;
        uint16 purposes;
        uint16 jurisdiction;
        uint32 validTo;
        MemberKind kind;
        bytes32 signingKey;
        bytes32 sealingKey;
        string name; // public name of the institution, 1 to 64 bytes of UTF-8; kept in the event alone
    }

    /// @notice A controller's order to a processor: act for me, for these purposes, until then.
    struct Entrustment {
        uint16 purposes;
        uint32 validTo; // exclusive
    }

    /// @notice A new member was admitted.
    event MemberAdmitted(
        uint32 indexed memberId,
        address indexed signer,
        uint16 roles,
        uint16 purposes,
        uint16 jurisdiction,
        uint32 validTo,
        MemberKind kind,
        bytes32 signingKey,
        bytes32 sealingKey,
        string name
    );
    /// @notice A member was suspended: its new requests are denied, what was granted to it stays stored.
    event MemberSuspended(uint32 indexed memberId, bytes32 reasons);
    /// @notice A suspended member may act again. Grants that ended meanwhile stay ended.
    event MemberReinstated(uint32 indexed memberId);
    /// @notice A member was expelled, for good.
    event MemberExpelled(uint32 indexed memberId, bytes32 reasons);
    /// @notice A member's keys were replaced; the old ones are dead at once.
    event MemberKeysRotated(
        uint32 indexed memberId,
        address indexed signer,
        bytes32 signingKey,
        bytes32 sealingKey
    );
    /// @notice Licence scope or end of a membership changed.
    event MemberLicensed(uint32 indexed memberId, uint16 purposes, uint32 validTo);
    /// @notice Control of a member changed hands: grants that name it are frozen until each holder confirms.
    event MemberControlChanged(uint32 indexed memberId, uint16 control, bytes32 reasons);
    /// @notice Daily caps of a member: 16 bits a purpose, 0 for none.
    event MemberCapsSet(uint32 indexed memberId, uint256 caps);
    /// @notice A controller entrusted a processor, or ended it with no purpose.
    event MemberEntrusted(
        uint32 indexed controller,
        uint32 indexed processor,
        uint16 purposes,
        uint32 validTo,
        bytes32 agreement
    );

    /// @notice Thrown when the caller is not a member's signer.
    error Members_NotMember(address caller);
    /// @notice Thrown when the member is not active at this time.
    error Members_NotActive(uint32 memberId);
    /// @notice Thrown when the member does not hold the role.
    error Members_MissingRole(uint32 memberId, uint16 role);
    /// @notice Thrown when no member has this number.
    error Members_Unknown(uint32 memberId);
    /// @notice Thrown when the account or the Ed25519 key already belongs to a member.
    error Members_KeyInUse(bytes32 key);
    /// @notice Thrown when an admission lacks a signer, a key, a role, a name of 1 to 64 bytes, or a future end.
    error Members_Incomplete();
    /// @notice Thrown when the change would change nothing, or the member was expelled.
    error Members_AlreadySet(uint32 memberId);
    /// @notice Thrown when the alliance gives a role that only the committee gives.
    error Members_RoleReserved(uint16 roles);
    /// @notice Thrown when anybody but the committee would suspend who holds a seat on it.
    error Members_HoldsSeat(uint32 memberId);
    /// @notice Thrown when a member would entrust itself.
    error Members_SelfEntrustment(uint32 memberId);

    /// @notice Admit an institution.
    /// @dev Only the committee, or the alliance for members without a role that governs. Reverts with
    /// Members_Incomplete, Members_KeyInUse or Members_RoleReserved.
    /// @param admission What is stated about the institution.
    /// @return memberId The number of the new member.
    function admit(Admission calldata admission) external returns (uint32 memberId);

    /// @notice Suspend a member.
    /// @dev Only the committee, a regulator or the alliance; who holds a seat only the committee. Reverts with
    /// Members_Unknown, Members_AlreadySet or Members_HoldsSeat.
    /// @param memberId The member.
    /// @param reasons Commitment to the reasons.
    function suspend(uint32 memberId, bytes32 reasons) external;

    /// @notice Let a suspended member act again.
    /// @dev Only the committee. Reverts with Members_Unknown or Members_AlreadySet.
    /// @param memberId The member.
    function reinstate(uint32 memberId) external;

    /// @notice Expel a member, for good: what was granted to it never permits again.
    /// @dev Only the committee. Reverts with Members_Unknown or Members_AlreadySet.
    /// @param memberId The member.
    /// @param reasons Commitment to the reasons.
    function expel(uint32 memberId, bytes32 reasons) external;

    /// @notice Replace a member's keys.
    /// @dev Only the committee. Reverts with Members_Unknown, Members_Incomplete or Members_KeyInUse.
    /// @dev Warning: a signing key that was rotated away can never be another member's.
    /// @param memberId The member.
    /// @param signer The account that signs the member's transactions from now on.
    /// @param signingKey The Ed25519 public key.
    /// @param sealingKey The X25519 public key.
    function rotateKeys(uint32 memberId, address signer, bytes32 signingKey, bytes32 sealingKey) external;

    /// @notice Change a member's licence scope and the end of its membership.
    /// @dev Only the committee. Reverts with Members_Unknown or, if it was expelled, Members_AlreadySet.
    /// @param memberId The member.
    /// @param purposes The new scope.
    /// @param validTo The new end, seconds since the Unix epoch, exclusive.
    function license(uint32 memberId, uint16 purposes, uint32 validTo) external;

    /// @notice Record that control of a member changed hands: authorisation does not come with the purchase.
    /// @dev Only the committee or the alliance. Reverts with Members_Unknown.
    /// @param memberId The member.
    /// @param reasons Commitment to what happened.
    function changeControl(uint32 memberId, bytes32 reasons) external;

    /// @notice Cap how many permits a member may get in a day (UTC), by purpose.
    /// @dev Only the committee. Reverts with Members_Unknown.
    /// @param memberId The member.
    /// @param caps Bits `16 * purpose` to `16 * purpose + 15`: most permits a day for the purpose, 0 for no cap.
    function setCaps(uint32 memberId, uint256 caps) external;

    /// @notice Entrust another member with acting for the caller; with no purpose, end it.
    /// @dev Only an active member. Reverts with Members_Unknown or Members_SelfEntrustment.
    /// @param processor Who will act.
    /// @param purposes For what.
    /// @param validTo Until when, exclusive.
    /// @param agreement Commitment to the agreement.
    function entrust(uint32 processor, uint16 purposes, uint32 validTo, bytes32 agreement) external;

    /// @notice A member as stored; all zero for an unknown number.
    /// @param memberId The member.
    function memberOf(uint32 memberId) external view returns (Member memory);

    /// @notice The member whose signer this is; 0 if nobody's.
    /// @param signer An account.
    function memberIdOf(address signer) external view returns (uint32);

    /// @notice How many members were ever admitted.
    function memberCount() external view returns (uint32);

    /// @notice A member's daily caps, and the permits that count against them.
    /// @param memberId The member.
    /// @param day Days since the Unix epoch.
    /// @return caps 16 bits a purpose; 0 for no cap.
    /// @return used 16 bits a purpose; counted only for purposes with a cap.
    function capsOf(uint32 memberId, uint256 day) external view returns (uint256 caps, uint256 used);

    /// @notice What a controller entrusted a processor with.
    /// @param controller Who entrusted.
    /// @param processor Who acts.
    function entrustmentOf(uint32 controller, uint32 processor) external view returns (Entrustment memory);
}
