// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IAttestations
/// @notice Typed statements of qualified members, which expire and can be taken back.
interface IAttestations {
    /// @notice What is stated, of what, by whom.
    enum AttestationKind {
        ENCRYPTION, // of a passport or a version, by a verifier: the data is encrypted throughout
        DEIDENTIFICATION, // of a passport, by a verifier: de-identification was checked
        SOURCE, // of a passport, by its custodian: where the data is from and by what standard it was treated
        LICENCE, // of a project, by a regulator: the model that it deploys is licensed
        TOOL // of a tool's digest, by the alliance: it may be used in steps
    }

    /// @notice The latest statement of a kind about a subject. Fits in a single slot.
    struct Attestation {
        uint32 issuer;
        uint32 validTo; // exclusive; 0 once taken back
    }

    /// @notice A statement was made; at once over if `validTo` is 0.
    event Attested(
        bytes32 indexed subject,
        AttestationKind indexed kind,
        uint32 indexed issuer,
        uint32 validTo,
        bytes32 statement
    );

    /// @notice Thrown when the caller may not make this statement about this subject.
    error Attestations_NotQualified(AttestationKind kind, uint32 memberId);
    /// @notice Thrown when a statement that another member made is still in force.
    error Attestations_Standing(bytes32 subject, AttestationKind kind);

    /// @notice State something, or take back what the caller stated.
    /// @dev Only an active member that is qualified. Reverts with Attestations_NotQualified, Attestations_Standing,
    /// Passports_Unknown or Projects_Unknown.
    /// @param subject A passport's id, a project's number as 32 bytes, a version, or a tool's digest.
    /// @param kind What is stated.
    /// @param validTo Until when, exclusive; 0 to take it back.
    /// @param statement Commitment to the statement.
    function attest(bytes32 subject, AttestationKind kind, uint32 validTo, bytes32 statement) external;

    /// @notice The latest statement of a kind about a subject; all zero if there is none.
    /// @param subject A passport's id, a project's number as 32 bytes, a version, or a tool's digest.
    /// @param kind What is stated.
    function attestationOf(bytes32 subject, AttestationKind kind) external view returns (Attestation memory);
}
