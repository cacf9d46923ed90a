// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IConsents
/// @notice Consent of subjects: given, amended and withdrawn by the holder's signature, relayed by anyone.
interface IConsents {
    /// @notice The state of a grant. That it expired is a matter of time, not of state.
    enum GrantStatus {
        NONE,
        ACTIVE,
        WITHDRAWN,
        SUPERSEDED
    }

    /// @notice What a holder signs (EIP-712).
    struct Grant {
        bytes32 grantId; // 32 random bytes; used once, which makes the signature good for one grant
        bytes32 passportId;
        uint32 recipient; // member that may use the data
        uint16 purposes; // set of purposes, not empty
        uint16 categories; // set of categories, not empty
        uint40 useFrom; // start of the use period, seconds since the Unix epoch, inclusive
        uint40 useTo; // end of the use period, exclusive
        uint24 maxUses; // permits it is good for; 0 means as many as the use period holds
        uint8 flags; // see Codes
        bytes32 terms; // commitment to the text that the holder read
        bytes32 supersedes; // grant that this one replaces, or 0
        uint40 deadline; // last moment at which the signature is accepted
    }

    /// @notice A grant as stored: one slot.
    struct GrantState {
        uint32 recipient;
        uint16 purposes;
        uint16 categories;
        uint40 useFrom;
        uint40 useTo;
        uint24 maxUses;
        uint24 uses;
        uint8 flags;
        GrantStatus status;
        uint40 endedAt; // when it was withdrawn or superseded, 0 before
    }

    /// @notice A holder gave consent.
    event ConsentGranted(
        bytes32 indexed grantId,
        bytes32 indexed passportId,
        uint32 indexed recipient,
        uint16 purposes,
        uint16 categories,
        uint40 useFrom,
        uint40 useTo,
        uint24 maxUses,
        uint8 flags,
        bytes32 terms,
        bytes32 supersedes
    );
    /// @notice A holder withdrew consent.
    event ConsentWithdrawn(bytes32 indexed grantId, bytes32 indexed passportId);
    /// @notice A grant was replaced by a newer one.
    event ConsentSuperseded(bytes32 indexed grantId, bytes32 indexed passportId, bytes32 indexed successor);

    /// @notice Thrown when the signature is past its deadline.
    error Consents_SignatureExpired(uint40 deadline);
    /// @notice Thrown when the signature is not the holder's over exactly these words on this ledger.
    error Consents_InvalidSignature(bytes32 grantId, address holder);
    /// @notice Thrown when the grant id is zero or taken.
    error Consents_Exists(bytes32 grantId);
    /// @notice Thrown when another passport has the grant.
    error Consents_Unknown(bytes32 grantId);
    /// @notice Thrown when the superseded grant is not active.
    error Consents_NotActive(bytes32 grantId);
    /// @notice Thrown when purposes, categories or terms are missing, or a flag does not exist.
    error Consents_Incomplete(bytes32 grantId);
    /// @notice Thrown when the use period is empty or over.
    error Consents_EmptyPeriod(uint40 useFrom, uint40 useTo);
    /// @notice Thrown when the use period ends later than the law allows.
    error Consents_TermTooLong(uint40 useTo, uint40 latest);
    /// @notice Thrown when a purpose is banned.
    error Consents_BannedPurpose(uint16 purposes);
    /// @notice Thrown when a separate grant names more than one purpose.
    error Consents_NotSeparate(uint16 purposes);
    /// @notice Thrown when there is not one signature per grant.
    error Consents_LengthMismatch(uint256 grants, uint256 signatures);

    /// @notice Record consents that holders signed.
    /// @dev Anyone may relay; the effect does not depend on who does. Reverts with one of the errors above,
    /// Passports_Unknown, Passports_WrongStatus, Members_Unknown, or Members_NotActive if the custodian that keeps the
    /// holder's key is suspended.
    /// @param grants What was signed.
    /// @param signatures One per grant: 65 bytes with a low s, or what an ERC-1271 holder accepts.
    function grant(Grant[] calldata grants, bytes[] calldata signatures) external;

    /// @notice Withdraw consent. From the next transaction on the grant permits nothing.
    /// @dev Anyone may relay. Withdrawing what was withdrawn changes nothing and does not revert. Withdrawing what was
    /// superseded withdraws what replaced it. Withdrawing a grant that was signed but never relayed uses its id up.
    /// Reverts with Passports_Unknown, Consents_InvalidSignature, or Consents_Unknown if another passport has the grant.
    /// @param passportId The passport.
    /// @param grantId The grant.
    /// @param signature The holder's signature over `Revocation(bytes32 passportId,bytes32 grantId)`.
    function revoke(bytes32 passportId, bytes32 grantId, bytes calldata signature) external;

    /// @notice A grant as stored; all zero if the passport has no such grant.
    /// @param passportId The passport.
    /// @param grantId The grant.
    function grantOf(bytes32 passportId, bytes32 grantId) external view returns (GrantState memory);
}
