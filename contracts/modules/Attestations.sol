// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../interfaces/IAttestations.sol";
import {ILineage} from "../interfaces/ILineage.sol";
import {Codes} from "../libraries/Codes.sol";
import {Projects} from "./Projects.sol";

/// @title Attestations
/// @notice Statements of qualified members.
abstract contract Attestations is IAttestations, Projects {
    /* MEMBERS */

    /// @inheritdoc IAttestations
    function attest(bytes32 subject, AttestationKind kind, uint32 validTo, bytes32 statement) external {
        uint32 caller = _activeCallerId();
        require(_isQualified(subject, kind, caller), Attestations_NotQualified(kind, caller));
        Attestation storage former = _attestations[subject][kind];
        require(
            former.issuer == caller || block.timestamp >= former.validTo,
            Attestations_Standing(subject, kind)
        );
        _attestations[subject][kind] = Attestation(caller, validTo);
        emit Attested(subject, kind, caller, validTo, statement);
    }

    /* VIEWS */

    /// @inheritdoc IAttestations
    function attestationOf(bytes32 subject, AttestationKind kind) external view returns (Attestation memory) {
        return _attestations[subject][kind];
    }

    /* INTERNALS */

    function _isQualified(bytes32 subject, AttestationKind kind, uint32 caller) private view returns (bool) {
        uint16 roles = _members[caller].roles;
        if (kind == AttestationKind.LICENCE) {
            require(uint256(subject) <= type(uint32).max, Projects_Unknown(0));
            return
                _knownProject(uint32(uint256(subject))).memberId != caller &&
                roles & Codes.ROLE_REGULATOR != 0;
        }
        if (kind == AttestationKind.TOOL) return subject != 0 && roles & Codes.ROLE_ALLIANCE != 0;
        ILineage.Version storage version = _versions[subject];
        if (kind == AttestationKind.ENCRYPTION && version.kind != ILineage.VersionKind.NONE)
            return version.owner != caller && roles & Codes.ROLE_VERIFIER != 0;
        bool isCustodian = _knownPassport(subject).custodian == caller;
        if (kind == AttestationKind.SOURCE) return isCustodian;
        return !isCustodian && roles & Codes.ROLE_VERIFIER != 0;
    }
}
