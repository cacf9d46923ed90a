// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IMembers
/// @notice The whitelist: the institutions that may act on the ledger, with the keys they act with.
/// @dev Members are numbered from 1 in the order of admission; 0 is nobody. The committee is the owner of the ledger.
interface IMembers {
    /// @notice Whether a member may act.
    enum MemberStatus {
        NONE,
        ACTIVE,
        SUSPENDED
    }

    /// @notice A member as stored. Fits in three slots, the first of which is the hot one.
    struct Member {
        // slot 0
        address signer; // account that signs the member's transactions
        uint16 roles; // set of roles, see Codes
        uint16 purposes; // licence scope: set of purposes
        uint16 jurisdiction; // ISO 3166-1 numeric
        uint40 validTo; // end of the membership, seconds since the Unix epoch, exclusive
        MemberStatus status;
        // slot 1
        bytes32 signingKey; // Ed25519 public key, verifies the member's HTTP requests
        // slot 2
        bytes32 sealingKey; // X25519 public key, receives data keys
    }

    /// @notice What the committee states about an institution when it admits it.
    struct Admission {
        address signer;
        uint16 roles;
        uint16 purposes;
        uint16 jurisdiction;
        uint40 validTo;
        bytes32 signingKey;
        bytes32 sealingKey;
        string name; // public name of the institution, 1 to 64 bytes of UTF-8; kept in the event alone
    }

    /// @notice A new member was admitted.
    event MemberAdmitted(
        uint32 indexed memberId,
        address indexed signer,
        uint16 roles,
        uint16 purposes,
        uint16 jurisdiction,
        uint40 validTo,
        bytes32 signingKey,
        bytes32 sealingKey,
        string name
    );

    /// @notice A member was suspended: its new requests are denied, what was granted to it stays stored.
    event MemberSuspended(uint32 indexed memberId, bytes32 reasonCommitment);

    /// @notice A suspended member may act again. Grants that ended meanwhile stay ended.
    event MemberReinstated(uint32 indexed memberId);

    /// @notice A member's keys were replaced; the old ones are dead at once.
    event MemberKeysRotated(
        uint32 indexed memberId,
        address indexed signer,
        bytes32 signingKey,
        bytes32 sealingKey
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
    /// @notice Thrown when the change would change nothing.
    error Members_AlreadySet(uint32 memberId);

    /// @notice Admit an institution.
    /// @dev Only the owner. Reverts with Members_Incomplete or Members_KeyInUse.
    /// @param admission What is stated about the institution.
    /// @return memberId The number of the new member.
    function admit(Admission calldata admission) external returns (uint32 memberId);

    /// @notice Suspend a member.
    /// @dev Only the owner. Reverts with Members_Unknown or Members_AlreadySet.
    /// @param memberId The member.
    /// @param reasonCommitment Commitment to the reasons.
    function suspend(uint32 memberId, bytes32 reasonCommitment) external;

    /// @notice Let a suspended member act again.
    /// @dev Only the owner. Reverts with Members_Unknown or Members_AlreadySet.
    /// @param memberId The member.
    function reinstate(uint32 memberId) external;

    /// @notice Replace a member's keys. If the member is the committee, the ledger's ownership moves with its signer.
    /// @dev Only the owner. Reverts with Members_Unknown, Members_Incomplete or Members_KeyInUse.
    /// @dev Warning: a signing key that was rotated away can never be another member's.
    /// @param memberId The member.
    /// @param signer The account that signs the member's transactions from now on.
    /// @param signingKey The Ed25519 public key.
    /// @param sealingKey The X25519 public key.
    function rotateKeys(uint32 memberId, address signer, bytes32 signingKey, bytes32 sealingKey) external;

    /// @notice A member as stored; all zero for an unknown number.
    /// @param memberId The member.
    function memberOf(uint32 memberId) external view returns (Member memory);

    /// @notice The member whose signer this is; 0 if nobody's.
    /// @param signer An account.
    function memberIdOf(address signer) external view returns (uint32);

    /// @notice How many members were ever admitted.
    function memberCount() external view returns (uint32);
}
