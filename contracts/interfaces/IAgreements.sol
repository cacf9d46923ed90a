// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IAgreements
/// @notice Agreements between two members, which state the limits of what one gives the other. Each signs with its own
/// transaction.
interface IAgreements {
    /// @notice Where an agreement stands.
    enum AgreementStatus {
        NONE,
        PROPOSED,
        SIGNED,
        ENDED
    }

    /// @notice The limits that two members agree on.
    struct Limits {
        uint32 recipient;
        uint16 purposes; // what the data may serve
        uint16 categories; // what may be given
        uint32 validTo; // seconds since the Unix epoch, exclusive
        uint32 retentionSeconds; // how long the recipient may keep what it received
        uint16 responseHours; // within how many hours the recipient reports an incident
        bool onward; // whether the recipient may pass it on
        bool linkage; // whether the recipient may merge it with other data
    }

    /// @notice An agreement as stored. Fits in a single slot.
    struct Agreement {
        uint32 provider; // who proposed it
        uint32 recipient;
        uint16 purposes;
        uint16 categories;
        uint32 validTo;
        uint32 retentionSeconds;
        uint16 responseHours;
        bool onward;
        bool linkage;
        AgreementStatus status;
    }

    /// @notice A member proposed an agreement, and signed it by that.
    event AgreementProposed(
        uint32 indexed agreementId,
        uint32 indexed provider,
        uint32 indexed recipient,
        Limits limits,
        bytes32 text
    );
    /// @notice The other side signed: the agreement is in force.
    event AgreementSigned(uint32 indexed agreementId, uint32 indexed recipient, bytes32 text);
    /// @notice One side ended the agreement, or declined what was proposed.
    event AgreementEnded(uint32 indexed agreementId, uint32 indexed memberId, bytes32 reasons);

    /// @notice Thrown when recipient, purposes, categories, times or text are missing or do not fit.
    error Agreements_Incomplete();
    /// @notice Thrown when no agreement has this number.
    error Agreements_Unknown(uint32 agreementId);
    /// @notice Thrown when the caller is not the side that can do this.
    error Agreements_NotParty(uint32 agreementId, uint32 memberId);
    /// @notice Thrown when the agreement does not stand where this can be done.
    error Agreements_WrongStatus(uint32 agreementId, AgreementStatus status);
    /// @notice Thrown when the text signed is not the one proposed.
    error Agreements_OtherText(uint32 agreementId);
    /// @notice Thrown when an agreement does not let this be given: it is not in force, between others, or has narrower limits.
    error Agreements_NotCovered(uint32 agreementId);

    /// @notice Propose an agreement under which the caller will give data.
    /// @dev Only an active member. Reverts with Agreements_Incomplete or Members_NotActive.
    /// @param limits What is agreed.
    /// @param text Commitment to the text.
    /// @return agreementId The number of the agreement, counted from 1.
    function proposeAgreement(Limits calldata limits, bytes32 text) external returns (uint32 agreementId);

    /// @notice Sign what was proposed to the caller.
    /// @dev Only the recipient, an active member, in time. Reverts with Agreements_Unknown, Agreements_NotParty,
    /// Agreements_WrongStatus or Agreements_OtherText.
    /// @param agreementId The agreement.
    /// @param text Commitment to the text: the one that was proposed.
    function signAgreement(uint32 agreementId, bytes32 text) external;

    /// @notice End an agreement: nothing more is given under it, and what runs under it stops.
    /// @dev Only one of its sides. Reverts with Agreements_Unknown, Agreements_NotParty or Agreements_WrongStatus.
    /// @param agreementId The agreement.
    /// @param reasons Commitment to the reasons.
    function endAgreement(uint32 agreementId, bytes32 reasons) external;

    /// @notice An agreement as stored; all zero for an unknown number.
    /// @param agreementId The agreement.
    function agreementOf(uint32 agreementId) external view returns (Agreement memory);

    /// @notice Commitment to the text of an agreement.
    /// @param agreementId The agreement.
    function agreementText(uint32 agreementId) external view returns (bytes32);

    /// @notice How many agreements were ever proposed.
    function agreementCount() external view returns (uint32);
}
