// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPassports
/// @notice The on-chain records of data assets.
/// @dev Warning: nothing here may be derived from a subject's identifier without a secret. Ids are random.
interface IPassports {
    /// @notice Whether the data behind a passport may be used.
    enum PassportStatus {
        NONE,
        OPEN,
        SEALED,
        DESTROYED
    }

    /// @notice Who keeps the holder's key.
    enum Custody {
        SELF, // the subject
        ASSISTED // the custodian, on the subject's behalf
    }

    /// @notice A passport as stored. The first slot is the hot one.
    struct Passport {
        // slot 0
        uint40 size; // decisions recorded so far
        uint32 custodian; // member that keeps the data
        uint16 purposes; // set of purposes it may serve; only narrows
        PassportStatus status;
        Custody custody;
        uint8 level; // level of de-identification that the data has in any case
        uint32 lock; // emergency under which the data was obtained, or 0: it serves that emergency alone
        uint16 epoch; // how often the holder's key was replaced
        // slot 1
        bytes32 content; // commitment to the manifests of the data
        // slot 2
        bytes holder; // key that speaks for the subject towards this custodian: an account, or a verifier and a key
        // (ERC-7913)
    }

    /// @notice What a custodian states when it issues a passport.
    struct Issue {
        bytes32 passportId; // 32 random bytes
        bytes holder; // 20 bytes: an account. Up to 512: the address of an ERC-7913 verifier, then the key
        Custody custody;
        uint16 purposes;
        uint8 level;
        uint32 lock;
        bytes32 content;
    }

    /// @notice A passport was issued.
    event PassportIssued(
        bytes32 indexed passportId,
        uint32 indexed custodian,
        bytes holder,
        Custody custody,
        uint16 purposes,
        uint8 level,
        uint32 lock,
        bytes32 content
    );
    /// @notice The custodian committed to new content.
    event PassportContentCommitted(bytes32 indexed passportId, bytes32 content);
    /// @notice The purposes were narrowed to a smaller set.
    event PassportNarrowed(bytes32 indexed passportId, uint16 purposes);
    /// @notice The data was sealed: no use, no destruction.
    event PassportSealed(bytes32 indexed passportId, bytes32 reasons);
    /// @notice The data was opened again.
    event PassportUnsealed(bytes32 indexed passportId);
    /// @notice The custodian stated that the data was destroyed.
    event PassportDestroyed(bytes32 indexed passportId, bytes32 evidence);

    /// @notice Thrown when no passport has this id.
    error Passports_Unknown(bytes32 passportId);
    /// @notice Thrown when the id is taken, by a passport or a version.
    error Passports_Exists(bytes32 passportId);
    /// @notice Thrown when id, holder, purposes or content are missing, the level does not exist, or the holder is no key.
    error Passports_Incomplete(bytes32 passportId);
    /// @notice Thrown when the caller does not keep the data.
    error Passports_NotCustodian(bytes32 passportId, uint32 memberId);
    /// @notice Thrown when the passport's status does not allow the change.
    error Passports_WrongStatus(bytes32 passportId, PassportStatus status);
    /// @notice Thrown when the new set of purposes is not a smaller, non-empty part of the old one.
    error Passports_NotNarrower(bytes32 passportId, uint16 current, uint16 given);

    /// @notice Issue passports for data that the caller keeps.
    /// @dev Only an active custodian. Reverts with Members_NotMember, Members_NotActive, Members_MissingRole,
    /// Passports_Exists, Passports_Incomplete or, if it is locked to none that exists, Emergencies_Unknown.
    /// @param issues One entry per passport.
    function issue(Issue[] calldata issues) external;

    /// @notice Commit to new content of a passport that the caller keeps.
    /// @dev Reverts with Members_NotMember, Members_NotActive, Passports_Unknown, Passports_NotCustodian,
    /// Passports_WrongStatus or Passports_Incomplete.
    /// @param passportId The passport.
    /// @param content Commitment to the new manifests.
    function commitContent(bytes32 passportId, bytes32 content) external;

    /// @notice Narrow the purposes that a passport may serve. There is no way to widen them.
    /// @dev Only its custodian. Reverts with Passports_NotNarrower besides the errors of `commitContent`.
    /// @param passportId The passport.
    /// @param purposes The smaller set.
    function narrow(bytes32 passportId, uint16 purposes) external;

    /// @notice Seal the data: no use and no destruction until it is unsealed.
    /// @dev Only its custodian, a regulator or the committee.
    /// @param passportId The passport.
    /// @param reasons Commitment to the reasons.
    function seal(bytes32 passportId, bytes32 reasons) external;

    /// @notice Open sealed data again.
    /// @dev Only the committee: who sealed data in its own interest cannot unseal it.
    /// @param passportId The passport.
    function unseal(bytes32 passportId) external;

    /// @notice State that the data was destroyed. Final.
    /// @dev Only its custodian, only from OPEN.
    /// @param passportId The passport.
    /// @param evidence Commitment to the evidence of destruction.
    function destroy(bytes32 passportId, bytes32 evidence) external;

    /// @notice A passport as stored; all zero for an unknown id.
    /// @param passportId The passport.
    function passportOf(bytes32 passportId) external view returns (Passport memory);

    /// @notice How many decisions a passport has. Entries are numbered 0 to size - 1 without a gap.
    /// @param passportId The passport.
    function sizeOf(bytes32 passportId) external view returns (uint40);
}
