// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IConsents} from "../interfaces/IConsents.sol";
import {IDatasets} from "../interfaces/IDatasets.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {ITemplates} from "../interfaces/ITemplates.sol";
import {Codes} from "../libraries/Codes.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {Guards} from "./Guards.sol";

/// @title Consents
/// @notice Consent by signature, or filed from paper.
abstract contract Consents is IConsents, Guards {
    /// @dev Flags that allow something.
    uint8 private constant _ALLOWING = Codes.FLAG_SEPARATE | Codes.FLAG_ONWARD;

    /* ANYONE, WITH THE HOLDER'S SIGNATURE */

    /// @inheritdoc IConsents
    function grant(Grant[] calldata grants, Proof[] calldata proofs) external {
        require(grants.length == proofs.length, Consents_LengthMismatch(grants.length, proofs.length));
        for (uint256 index = 0; index < grants.length; ++index) {
            Grant calldata given = grants[index];
            require(block.timestamp <= given.deadline, Consents_SignatureExpired(given.deadline));
            _knownPassport(given.passportId);
            Assurance assurance = _assurance(given.passportId, PassportHash.grantHash(given), proofs[index]);
            _requireFit(given.passportId, assurance);
            _grant(given, assurance);
        }
    }

    /// @inheritdoc IConsents
    function revoke(bytes32 passportId, bytes32 grantId, Proof calldata proof) external {
        _knownPassport(passportId);
        _assurance(passportId, PassportHash.revocationHash(passportId, grantId), proof);
        // What replaced the grant before the withdrawal arrived is withdrawn with it: relaying an amendment first
        // must not save a consent that its holder takes back.
        while (_grants[passportId][grantId].status == GrantStatus.SUPERSEDED) grantId = _successors[grantId];
        GrantState storage state = _grants[passportId][grantId];
        GrantStatus status = state.status;
        if (
            status == GrantStatus.WITHDRAWN ||
            status == GrantStatus.REFUSED ||
            status == GrantStatus.REPUDIATED
        ) return;
        // Signed, perhaps, but not relayed yet: the id is used up for this passport, so it never will be.
        require(status == GrantStatus.ACTIVE || _uses[grantId] == 0, Consents_Unknown(grantId));
        state.status = GrantStatus.WITHDRAWN;
        emit ConsentWithdrawn(grantId, passportId);
        _tellDatasets(grantId);
    }

    /// @inheritdoc IConsents
    function refuse(bytes32 passportId, bytes32 grantId, Proof calldata proof) external {
        _knownPassport(passportId);
        GrantState storage state = _grants[passportId][grantId];
        require(state.status == GrantStatus.REQUESTED, Consents_WrongStatus(grantId, state.status));
        _assurance(passportId, PassportHash.refusalHash(passportId, grantId), proof);
        state.status = GrantStatus.REFUSED;
        emit ConsentRefused(grantId, passportId);
    }

    /// @inheritdoc IConsents
    function confirm(bytes32 passportId, bytes32 grantId, Proof calldata proof) external {
        _knownPassport(passportId);
        GrantState storage state = _grants[passportId][grantId];
        require(state.status == GrantStatus.ACTIVE, Consents_WrongStatus(grantId, state.status));
        uint16 control = _members[state.recipient].control;
        Assurance assurance = _assurance(
            passportId,
            PassportHash.confirmationHash(passportId, grantId, control),
            proof
        );
        _requireFit(passportId, assurance);
        state.control = control;
        if (assurance > state.assurance) state.assurance = assurance;
        emit ConsentConfirmed(grantId, passportId, control, state.assurance);
    }

    /// @inheritdoc IConsents
    function repudiate(bytes32 passportId, bytes32 grantId, Proof calldata proof) external {
        _knownPassport(passportId);
        GrantState storage state = _grants[passportId][grantId];
        require(
            state.status == GrantStatus.ACTIVE &&
                (state.assurance == Assurance.PAPER || state.assurance == Assurance.ASSISTED),
            Consents_WrongStatus(grantId, state.status)
        );
        _assurance(passportId, PassportHash.repudiationHash(passportId, grantId), proof);
        state.status = GrantStatus.REPUDIATED;
        emit ConsentRepudiated(grantId, passportId);
        _tellDatasets(grantId);
    }

    /* MEMBERS */

    /// @inheritdoc IConsents
    function requestConsent(bytes32 passportId, bytes32 grantId, bytes32 terms) external {
        uint32 caller = _activeCallerId();
        _requireOpen(passportId, _knownPassport(passportId));
        GrantState storage state = _grants[passportId][grantId];
        require(
            grantId != 0 && _uses[grantId] == 0 && state.status == GrantStatus.NONE,
            Consents_Exists(grantId)
        );
        require(terms != 0, Consents_Incomplete(grantId));
        state.status = GrantStatus.REQUESTED;
        emit ConsentRequested(grantId, passportId, caller, terms);
    }

    /// @inheritdoc IConsents
    function fileConsent(Grant calldata given, bytes32 evidence) external {
        _ownPassport(given.passportId);
        // Paper neither is the subject's own key nor replaces what that key signed.
        require(
            evidence != 0 && given.supersedes == 0 && given.flags & Codes.FLAG_SEPARATE == 0,
            Consents_Incomplete(given.grantId)
        );
        _grant(given, Assurance.PAPER);
        emit ConsentFiled(given.grantId, given.passportId, evidence);
    }

    /* VIEWS */

    /// @inheritdoc IConsents
    function grantOf(bytes32 passportId, bytes32 grantId) external view returns (GrantState memory) {
        return _grants[passportId][grantId];
    }

    /* INTERNALS */

    /// @dev Whose signature it is, or revert.
    function _assurance(
        bytes32 passportId,
        bytes32 structHash,
        Proof calldata proof
    ) private view returns (Assurance assurance) {
        IPassports.Passport storage passport = _passports[passportId];
        bytes memory signer = proof.signer;
        if (signer.length == 0) {
            signer = passport.holder;
            assurance = passport.custody == IPassports.Custody.SELF ? Assurance.SELF : Assurance.ASSISTED;
        } else {
            uint32 validTo = _delegates[passportId][_delegateKey(passport.epoch, signer)];
            require(block.timestamp < validTo, Consents_InvalidSignature(passportId));
            // Whom a custodian that assists lets speak speaks for the custodian.
            assurance =
                passport.custody == IPassports.Custody.SELF ? Assurance.DELEGATED : Assurance.ASSISTED;
        }
        require(
            SignatureChecker.isValidSignatureNow(signer, _hashTypedDataV4(structHash), proof.signature),
            Consents_InvalidSignature(passportId)
        );
    }

    /// @dev Who speaks for a patient must be fit to speak.
    function _requireFit(bytes32 passportId, Assurance assurance) private view {
        if (assurance != Assurance.ASSISTED) return;
        uint32 custodian = _passports[passportId].custodian;
        require(_isActive(_members[custodian]), IMembers.Members_NotActive(custodian));
    }

    function _grant(Grant calldata given, Assurance assurance) private {
        bytes32 grantId = given.grantId;
        GrantState storage state = _grants[given.passportId][grantId];
        GrantStatus status = state.status;
        require(
            grantId != 0 &&
                _uses[grantId] == 0 &&
                (status == GrantStatus.NONE || status == GrantStatus.REQUESTED),
            Consents_Exists(grantId)
        );
        _requireOpen(given.passportId, _knownPassport(given.passportId));
        _checkScope(given);
        _checkPeriod(given);
        _checkTemplate(given);
        _uses[grantId] = 1;
        if (given.supersedes != 0) _supersede(given, assurance);
        state.recipient = given.recipient;
        state.recipientKinds = given.recipientKinds;
        state.purposes = given.purposes;
        state.categories = given.categories;
        state.useFrom = given.useFrom;
        state.useTo = given.useTo;
        state.dataFrom = given.dataFrom;
        state.dataTo = given.dataTo;
        state.maxUses = given.maxUses;
        state.control = _members[given.recipient].control;
        state.level = given.level;
        state.flags = given.flags;
        state.status = GrantStatus.ACTIVE;
        state.assurance = assurance;
        emit ConsentGranted(
            grantId,
            given.passportId,
            given.recipient,
            state,
            given.template,
            given.terms,
            given.supersedes
        );
    }

    function _supersede(Grant calldata given, Assurance assurance) private {
        GrantState storage former = _grants[given.passportId][given.supersedes];
        require(former.status == GrantStatus.ACTIVE, Consents_WrongStatus(given.supersedes, former.status));
        former.status = GrantStatus.SUPERSEDED;
        _successors[given.supersedes] = given.grantId;
        emit ConsentSuperseded(given.supersedes, given.passportId, given.grantId);
        if (_coversAll(given, assurance, former)) _uses[given.grantId] = _uses[given.supersedes];
        else _tellDatasets(given.supersedes);
    }

    /// @dev Whether a grant permits all that the one it replaces did, and to whom: what was included under that one then
    /// stays in its datasets.
    function _coversAll(
        Grant calldata given,
        Assurance assurance,
        GrantState storage former
    ) private view returns (bool) {
        return
            given.recipient == former.recipient &&
            former.recipientKinds & ~given.recipientKinds == 0 &&
            former.purposes & ~given.purposes == 0 &&
            former.categories & ~given.categories == 0 &&
            given.useFrom <= block.timestamp && // no gap
            former.useTo <= given.useTo &&
            given.dataFrom <= former.dataFrom &&
            (given.dataTo == 0 || (former.dataTo != 0 && former.dataTo <= given.dataTo)) &&
            given.level <= former.level &&
            (former.flags & Codes.FLAG_SEPARATE == 0 || assurance > Assurance.ASSISTED) &&
            // Of the flags some allow and some forbid: turned over, those that allow forbid by their absence.
            (given.flags ^ _ALLOWING) & ~(former.flags ^ _ALLOWING) == 0;
    }

    /// @dev What was made of the datasets that somebody was included into under a grant is stale from now on.
    function _tellDatasets(bytes32 grantId) private {
        uint256 uses = _uses[grantId];
        uint256 count = uint8(uses >> 8);
        for (uint256 index = 0; index < count; ++index) {
            uint32 datasetId = uint32(uses >> (32 + 32 * index));
            _withdrawals[datasetId].push(uint32(block.timestamp));
            emit IDatasets.DatasetWithdrawn(datasetId, grantId, uint32(_withdrawals[datasetId].length));
        }
    }

    /// @dev No blanket grants: somebody, something, for some purpose that is not banned.
    function _checkScope(Grant calldata given) private view {
        require(
            given.purposes != 0 &&
                given.categories != 0 &&
                given.terms != 0 &&
                given.flags & ~Codes.FLAGS == 0 &&
                _isLevel(given.level) &&
                (given.dataTo == 0 || given.dataFrom <= given.dataTo) &&
                (given.recipient == 0) == (given.recipientKinds != 0),
            Consents_Incomplete(given.grantId)
        );
        if (given.recipient != 0) _knownMember(given.recipient);
        uint16 banned = given.purposes & _header.bannedPurposes;
        require(banned == 0, Consents_BannedPurpose(banned));
        if (given.flags & Codes.FLAG_SEPARATE != 0) {
            require(
                given.purposes & (given.purposes - 1) == 0 && given.recipient != 0,
                Consents_NotSeparate(given.purposes)
            );
        }
    }

    function _checkPeriod(Grant calldata given) private view {
        require(
            given.useFrom < given.useTo && block.timestamp < given.useTo,
            Consents_EmptyPeriod(given.useFrom, given.useTo)
        );
        uint256 latest = block.timestamp + _header.maxGrantSeconds;
        require(given.useTo <= latest, Consents_TermTooLong(given.useTo, latest));
    }

    function _checkTemplate(Grant calldata given) private view {
        ITemplates.Template memory template = _templates[given.template];
        uint16 kinds =
            given.recipient == 0 ? given.recipientKinds : uint16(1 << uint8(_members[given.recipient].kind));
        require(
            !template.withdrawn &&
                given.purposes & ~template.purposes == 0 &&
                given.categories & ~template.categories == 0 &&
                kinds & ~template.recipientKinds == 0,
            Consents_OutsideTemplate(given.template)
        );
        uint256 latest = uint256(given.useFrom) + template.maxSeconds;
        require(given.useTo <= latest, Consents_TermTooLong(given.useTo, latest));
    }
}
