// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../interfaces/IAgreements.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {Guards} from "./Guards.sol";

/// @title Agreements
/// @notice Agreements between two members.
abstract contract Agreements is IAgreements, Guards {
    /* MEMBERS */

    /// @inheritdoc IAgreements
    function proposeAgreement(Limits calldata limits, bytes32 text) external returns (uint32 agreementId) {
        uint32 provider = _activeCallerId();
        require(
            limits.recipient != provider &&
                limits.purposes != 0 &&
                limits.purposes & _header.bannedPurposes == 0 &&
                limits.categories != 0 &&
                block.timestamp < limits.validTo &&
                limits.retentionSeconds != 0 &&
                text != 0,
            Agreements_Incomplete()
        );
        require(_isActive(_knownMember(limits.recipient)), IMembers.Members_NotActive(limits.recipient));
        agreementId = ++_counts.agreements;
        _agreements[agreementId] = Agreement({
            provider: provider,
            recipient: limits.recipient,
            purposes: limits.purposes,
            categories: limits.categories,
            validTo: limits.validTo,
            retentionSeconds: limits.retentionSeconds,
            responseHours: limits.responseHours,
            onward: limits.onward,
            linkage: limits.linkage,
            status: AgreementStatus.PROPOSED
        });
        _agreementTexts[agreementId] = text;
        emit AgreementProposed(agreementId, provider, limits.recipient, limits, text);
    }

    /// @inheritdoc IAgreements
    function signAgreement(uint32 agreementId, bytes32 text) external {
        uint32 caller = _activeCallerId();
        Agreement storage agreement = _knownAgreement(agreementId);
        AgreementStatus status = agreement.status;
        require(agreement.recipient == caller, Agreements_NotParty(agreementId, caller));
        require(
            status == AgreementStatus.PROPOSED && block.timestamp < agreement.validTo,
            Agreements_WrongStatus(agreementId, status)
        );
        require(text == _agreementTexts[agreementId], Agreements_OtherText(agreementId));
        agreement.status = AgreementStatus.SIGNED;
        emit AgreementSigned(agreementId, caller, text);
    }

    /// @inheritdoc IAgreements
    function endAgreement(uint32 agreementId, bytes32 reasons) external {
        uint32 caller = _callerId();
        Agreement storage agreement = _knownAgreement(agreementId);
        AgreementStatus status = agreement.status;
        require(
            agreement.provider == caller || agreement.recipient == caller,
            Agreements_NotParty(agreementId, caller)
        );
        require(status != AgreementStatus.ENDED, Agreements_WrongStatus(agreementId, status));
        agreement.status = AgreementStatus.ENDED;
        emit AgreementEnded(agreementId, caller, reasons);
    }

    /* VIEWS */

    /// @inheritdoc IAgreements
    function agreementOf(uint32 agreementId) external view returns (Agreement memory) {
        return _agreements[agreementId];
    }

    /// @inheritdoc IAgreements
    function agreementText(uint32 agreementId) external view returns (bytes32) {
        return _agreementTexts[agreementId];
    }

    /// @inheritdoc IAgreements
    function agreementCount() external view returns (uint32) {
        return _counts.agreements;
    }

    /* INTERNALS */

    function _knownAgreement(uint32 agreementId) private view returns (Agreement storage agreement) {
        agreement = _agreements[agreementId];
        require(agreement.status != AgreementStatus.NONE, Agreements_Unknown(agreementId));
    }
}
