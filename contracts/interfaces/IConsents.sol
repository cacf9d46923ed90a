// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IConsents
/// @notice Consent of subjects: asked for, given, amended, confirmed, refused and withdrawn by signature, relayed by
/// anyone; or filed from paper by the custodian.
interface IConsents {
    /// @notice The state of a grant. That it expired is a matter of time, not of state.
    enum GrantStatus {
        NONE, // never asked
        REQUESTED,
        ACTIVE,
        REFUSED,
        WITHDRAWN,
        SUPERSEDED,
        REPUDIATED // filed in the subject's name, and the subject says: never mine
    }

    /// @notice Whose signature a grant rests on.
    enum Assurance {
        NONE,
        PAPER, // filed by the custodian, evidence committed to
        ASSISTED, // by the custodian that keeps the holder's key
        DELEGATED, // by somebody the holder let speak for it
        SELF // by the subject
    }

    /// @notice What a holder signs (EIP-712).
    struct Grant {
        bytes32 grantId; // 32 random bytes; used once, which makes the signature good for one grant
        bytes32 passportId;
        uint32 recipient; // member that may use the data, or 0
        uint16 recipientKinds; // with no recipient: kinds of members that may
        uint16 purposes; // set of purposes, not empty
        uint16 categories; // set of categories, not empty
        uint32 useFrom; // start of the use period, seconds since the Unix epoch, inclusive
        uint32 useTo; // end of the use period, exclusive
        uint16 dataFrom; // first day of the data, days since 1900-01-01, or 0 for no limit
        uint16 dataTo; // last day of the data, or 0 for no limit
        uint16 maxUses; // permits it is good for; 0 means as many as the use period holds
        uint8 level; // least level of de-identification
        uint8 flags; // see Codes
        uint32 template; // template that it fits inside
        bytes32 terms; // commitment to the text that the holder read
        bytes32 supersedes; // grant that this one replaces, or 0
        uint32 deadline; // last moment at which the signature is accepted
    }

    /// @notice Whose signature it is. An empty signer means the holder itself.
    struct Proof {
        bytes signer; // a delegate's key, or empty
        bytes signature;
    }

    /// @notice A grant as stored: one slot.
    struct GrantState {
        uint32 recipient;
        uint16 recipientKinds;
        uint16 purposes;
        uint16 categories;
        uint32 useFrom;
        uint32 useTo;
        uint16 dataFrom;
        uint16 dataTo;
        uint16 maxUses;
        uint16 uses;
        uint16 control; // `control` of the recipient when the holder signed or confirmed
        uint8 level;
        uint8 flags;
        GrantStatus status;
        Assurance assurance;
    }

    /// @notice A member asked a holder for consent.
    event ConsentRequested(
        bytes32 indexed grantId,
        bytes32 indexed passportId,
        uint32 indexed memberId,
        bytes32 terms
    );
    /// @notice A holder gave consent, or the custodian filed one.
    event ConsentGranted(
        bytes32 indexed grantId,
        bytes32 indexed passportId,
        uint32 indexed recipient,
        GrantState state,
        uint32 template,
        bytes32 terms,
        bytes32 supersedes
    );
    /// @notice The custodian keeps this evidence of a consent on paper.
    event ConsentFiled(bytes32 indexed grantId, bytes32 indexed passportId, bytes32 evidence);
    /// @notice A holder refused what it was asked for.
    event ConsentRefused(bytes32 indexed grantId, bytes32 indexed passportId);
    /// @notice A holder stood by a grant: made from paper, or before control of its recipient changed.
    event ConsentConfirmed(
        bytes32 indexed grantId,
        bytes32 indexed passportId,
        uint16 control,
        Assurance assurance
    );
    /// @notice A holder withdrew consent.
    event ConsentWithdrawn(bytes32 indexed grantId, bytes32 indexed passportId);
    /// @notice A holder says that a consent filed in its name was never given.
    event ConsentRepudiated(bytes32 indexed grantId, bytes32 indexed passportId);
    /// @notice A grant was replaced by a newer one.
    event ConsentSuperseded(bytes32 indexed grantId, bytes32 indexed passportId, bytes32 indexed successor);

    /// @notice Thrown when the signature is past its deadline.
    error Consents_SignatureExpired(uint32 deadline);
    /// @notice Thrown when the signature is not the holder's, nor a delegate's, over exactly these words on this ledger.
    error Consents_InvalidSignature(bytes32 passportId);
    /// @notice Thrown when the grant id is zero or taken.
    error Consents_Exists(bytes32 grantId);
    /// @notice Thrown when the passport has no such grant.
    error Consents_Unknown(bytes32 grantId);
    /// @notice Thrown when the grant's status does not allow the change.
    error Consents_WrongStatus(bytes32 grantId, GrantStatus status);
    /// @notice Thrown when recipient, purposes, categories or terms are missing, or a flag, level or day does not exist.
    error Consents_Incomplete(bytes32 grantId);
    /// @notice Thrown when the use period is empty or over.
    error Consents_EmptyPeriod(uint32 useFrom, uint32 useTo);
    /// @notice Thrown when the use period ends later than the law or the template allows.
    error Consents_TermTooLong(uint32 useTo, uint256 latest);
    /// @notice Thrown when a purpose is banned.
    error Consents_BannedPurpose(uint16 purposes);
    /// @notice Thrown when a separate grant names more than one purpose.
    error Consents_NotSeparate(uint16 purposes);
    /// @notice Thrown when the grant does not fit inside its template, or there is no such template in force.
    error Consents_OutsideTemplate(uint32 template);
    /// @notice Thrown when there is not one proof per grant.
    error Consents_LengthMismatch(uint256 grants, uint256 proofs);

    /// @notice Ask a holder for consent. Nothing is granted.
    /// @dev Only an active member. Reverts with Passports_Unknown or Consents_Exists.
    /// @param passportId The passport.
    /// @param grantId 32 random bytes: the id of the grant, if it is given.
    /// @param terms Commitment to the terms proposed.
    function requestConsent(bytes32 passportId, bytes32 grantId, bytes32 terms) external;

    /// @notice Record consents that holders signed.
    /// @dev Anyone may relay; the effect does not depend on who does. Reverts with one of the errors above,
    /// Passports_Unknown, Passports_WrongStatus, Members_Unknown, or Members_NotActive if the custodian that keeps the
    /// holder's key is suspended.
    /// @param grants What was signed.
    /// @param proofs One per grant: whose signature, and the signature (65 bytes with a low s, what an ERC-1271 holder
    /// accepts, or what an ERC-7913 verifier does).
    function grant(Grant[] calldata grants, Proof[] calldata proofs) external;

    /// @notice File a consent that the subject gave on paper. It is of the lowest assurance.
    /// @dev Only the passport's active custodian. Reverts as `grant` does.
    /// @param given What was consented to.
    /// @param evidence Commitment to the evidence.
    function fileConsent(Grant calldata given, bytes32 evidence) external;

    /// @notice Refuse what was asked for; a grant with this id can never be given.
    /// @dev Anyone may relay. Reverts with Passports_Unknown, Consents_WrongStatus or Consents_InvalidSignature.
    /// @param passportId The passport.
    /// @param grantId The grant asked for.
    /// @param proof Over `Refusal(bytes32 passportId,bytes32 grantId)`.
    function refuse(bytes32 passportId, bytes32 grantId, Proof calldata proof) external;

    /// @notice Stand by a grant: lifts a freeze after a change of control, and raises its assurance to the signer's.
    /// @dev Anyone may relay. Reverts with Passports_Unknown, Consents_WrongStatus or Consents_InvalidSignature.
    /// @param passportId The passport.
    /// @param grantId The grant.
    /// @param proof Over `Confirmation(bytes32 passportId,bytes32 grantId,uint16 control)` with the recipient's present
    /// `control`.
    function confirm(bytes32 passportId, bytes32 grantId, Proof calldata proof) external;

    /// @notice Say that a consent filed from paper, or by a custodian that assisted, was never given.
    /// @dev Anyone may relay. Reverts with Passports_Unknown, Consents_WrongStatus or Consents_InvalidSignature.
    /// @param passportId The passport.
    /// @param grantId The grant.
    /// @param proof Over `Repudiation(bytes32 passportId,bytes32 grantId)`.
    function repudiate(bytes32 passportId, bytes32 grantId, Proof calldata proof) external;

    /// @notice Withdraw consent. From the next transaction on the grant permits nothing.
    /// @dev Anyone may relay. Withdrawing what has ended changes nothing and does not revert. Withdrawing what was
    /// superseded withdraws what replaced it. Withdrawing a grant that was signed but never relayed uses its id up.
    /// Reverts with Passports_Unknown, Consents_InvalidSignature, or Consents_Unknown if another passport has the grant.
    /// @param passportId The passport.
    /// @param grantId The grant.
    /// @param proof Over `Revocation(bytes32 passportId,bytes32 grantId)`.
    function revoke(bytes32 passportId, bytes32 grantId, Proof calldata proof) external;

    /// @notice A grant as stored; all zero if the passport has no such grant.
    /// @param passportId The passport.
    /// @param grantId The grant.
    function grantOf(bytes32 passportId, bytes32 grantId) external view returns (GrantState memory);
}
