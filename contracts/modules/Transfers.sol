// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../interfaces/IAgreements.sol";
import {IBorders} from "../interfaces/IBorders.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {ITransfers} from "../interfaces/ITransfers.sol";
import {Codes} from "../libraries/Codes.sol";
import {MerkleTree} from "../libraries/MerkleTree.sol";
import {TransferFacts} from "../libraries/TransferFacts.sol";
import {Borders} from "./Borders.sol";

/// @title Transfers
/// @notice Custody moving between two members.
abstract contract Transfers is ITransfers, Borders {
    /// @dev How long after its decision a permit can be used.
    uint256 private constant _PERMIT_SECONDS = 1 hours;
    /// @dev How long after it was shipped, and after each report, the recipient of data from abroad reports.
    uint256 private constant _REPORT_SECONDS = 90 days;
    /// @dev How many countries a declaration names at most on the way, and as many where the data will be.
    uint256 private constant _MAX_COUNTRIES = 32;

    /* ONE RECORD */

    /// @inheritdoc ITransfers
    function ship(bytes32 transferId, bytes32 passportId, uint40 seq, bytes32 content) external {
        IPassports.Passport storage passport = _ownPassport(passportId);
        _requireOpen(passportId, passport);
        uint32 recipient = _standingPermit(passportId, seq);
        require(recipient != 0, Transfers_NotPermitted(passportId, seq));
        require(content != 0, Transfers_NoContent(transferId));
        Transfer storage transfer = _newTransfer(transferId);
        delete _permits[passportId][seq];
        transfer.sender = passport.custodian;
        transfer.recipient = recipient;
        transfer.seq = seq;
        transfer.passportId = passportId;
        transfer.crosses = _members[recipient].jurisdiction != _members[passport.custodian].jurisdiction;
        _sendOff(transfer, content);
        emit TransferShipped(transferId, passportId, recipient, passport.custodian, seq, content);
    }

    /// @inheritdoc ITransfers
    function receiveTransfer(bytes32 transferId, bytes32 content) external {
        Transfer storage transfer = _knownTransfer(transferId);
        uint32 caller = _activeCallerId();
        _requireRecipient(transferId, transfer, caller);
        require(transfer.receivedAt == 0, Transfers_AlreadyReceived(transferId));
        TransferStatus status = transfer.status;
        require(transfer.shippedAt != 0, Transfers_WrongStatus(transferId, status));
        require(content != 0, Transfers_NoContent(transferId));
        bool matched = content == transfer.content;
        transfer.receivedAt = uint40(block.timestamp);
        if (status != TransferStatus.CLOSED) {
            transfer.status =
                matched && status == TransferStatus.SHIPPED
                    ? TransferStatus.RECEIVED
                    : TransferStatus.DISPUTED;
        }
        emit TransferReceived(transferId, transfer.passportId, caller, content, matched);
    }

    /* DECLARED */

    /// @inheritdoc ITransfers
    function declareTransfer(
        bytes32 transferId,
        Consignment calldata consignment,
        bytes32 description
    ) external returns (uint32 missing) {
        uint32 sender = _callerId();
        Transfer storage transfer = _newTransfer(transferId);
        IAgreements.Agreement storage agreement = _agreements[consignment.agreementId];
        require(
            agreement.status != IAgreements.AgreementStatus.NONE &&
                consignment.count != 0 &&
                consignment.purposes != 0 &&
                consignment.categories != 0 &&
                consignment.places.length != 0 &&
                consignment.places.length <= _MAX_COUNTRIES &&
                consignment.route.length <= _MAX_COUNTRIES &&
                description != 0,
            Transfers_Incomplete()
        );
        require(
            agreement.provider == sender,
            IAgreements.Agreements_NotParty(consignment.agreementId, sender)
        );
        if (consignment.parent != 0) _knownTransfer(consignment.parent);
        uint32 recipient = agreement.recipient;
        transfer.sender = sender;
        transfer.recipient = recipient;
        transfer.agreementId = consignment.agreementId;
        transfer.projectId = consignment.projectId;
        transfer.count = consignment.count;
        transfer.purposes = consignment.purposes;
        transfer.categories = consignment.categories;
        transfer.parent = consignment.parent;
        bool crosses = _crosses(sender, recipient, consignment);
        transfer.crosses = crosses;
        missing = _missingOf(transfer);
        if (missing != 0) transfer.status = TransferStatus.REFUSED;
        else transfer.status = crosses ? TransferStatus.DECLARED : TransferStatus.CLEARED;
        emit TransferDeclared(transferId, sender, recipient, missing, crosses, consignment, description);
    }

    /// @inheritdoc ITransfers
    function inspectTransfer(bytes32 transferId, bool released, bytes32 report) external {
        uint32 caller = _callerWith(Codes.ROLE_REGULATOR);
        Transfer storage transfer = _knownTransfer(transferId);
        require(_isRegulatorOf(transfer, caller), Transfers_NotQualified(transferId, caller));
        _requireStatus(transferId, transfer, TransferStatus.DECLARED);
        if (released) _requireStanding(transferId, transfer);
        transfer.status = released ? TransferStatus.CLEARED : TransferStatus.TERMINATED;
        emit TransferInspected(transferId, caller, released, report);
    }

    /* LOADED AND SHIPPED */

    /// @inheritdoc ITransfers
    function loadTransfer(bytes32 transferId, Item[] calldata items) external {
        Transfer storage transfer = _loadable(transferId);
        require(transfer.parent == 0, Transfers_NotInParent(transferId, 0));
        uint32 sender = transfer.sender;
        for (uint256 index = 0; index < items.length; ++index) {
            bytes32 passportId = items[index].passportId;
            require(
                _knownPassport(passportId).custodian == sender,
                IPassports.Passports_NotCustodian(passportId, sender)
            );
        }
        _load(transferId, transfer, items);
    }

    /// @inheritdoc ITransfers
    function loadOnward(
        bytes32 transferId,
        Item[] calldata items,
        Provenance[] calldata provenances
    ) external {
        Transfer storage transfer = _loadable(transferId);
        require(items.length == provenances.length, Transfers_Incomplete());
        bytes32 parentId = transfer.parent;
        require(parentId != 0, Transfers_NotInParent(transferId, 0));
        Transfer storage parent = _transfers[parentId];
        bytes32 root = parent.content;
        uint256 size = parent.loaded;
        for (uint256 index = 0; index < items.length; ++index) {
            bytes32 passportId = items[index].passportId;
            Provenance calldata from = provenances[index];
            bytes32 leaf = MerkleTree.leaf(passportId, from.seq, from.content);
            require(
                MerkleTree.verify(leaf, from.index, size, from.path, root),
                Transfers_NotInParent(transferId, passportId)
            );
        }
        _load(transferId, transfer, items);
    }

    /// @inheritdoc ITransfers
    function shipTransfer(bytes32 transferId) external {
        Transfer storage transfer = _loadable(transferId);
        uint32 count = transfer.count;
        require(transfer.loaded == count, Transfers_WrongCount(transferId, transfer.loaded, count));
        bytes32[32] memory frontier = _frontierOf(transferId, count);
        bytes32 root = MerkleTree.root(frontier, count);
        _sendOff(transfer, root);
        emit TransferDispatched(transferId, root, count);
    }

    /* STOPPED */

    /// @inheritdoc ITransfers
    function haltTransfer(bytes32 transferId, bytes32 reasons) external {
        uint32 caller = _callerId();
        Transfer storage transfer = _knownTransfer(transferId);
        require(
            transfer.sender == caller || _isRegulatorOf(transfer, caller),
            Transfers_NotQualified(transferId, caller)
        );
        TransferStatus status = transfer.status;
        if (status == TransferStatus.HALTED && transfer.haltedBy == transfer.sender) {
            // A regulator takes over what the sender halted, and the sender cannot let it go on any more.
            require(caller != transfer.sender, Transfers_WrongStatus(transferId, status));
        } else {
            require(_isRunning(transfer), Transfers_WrongStatus(transferId, status));
            transfer.haltedFrom = status;
            transfer.status = TransferStatus.HALTED;
        }
        transfer.haltedBy = caller;
        emit TransferHalted(transferId, caller, reasons);
    }

    /// @inheritdoc ITransfers
    function resumeTransfer(bytes32 transferId) external {
        uint32 caller = _activeCallerId();
        Transfer storage transfer = _knownTransfer(transferId);
        require(
            transfer.haltedBy == caller || _isRegulatorOf(transfer, caller),
            Transfers_NotQualified(transferId, caller)
        );
        _requireStatus(transferId, transfer, TransferStatus.HALTED);
        _requireStanding(transferId, transfer);
        transfer.status = transfer.haltedFrom;
        transfer.haltedFrom = TransferStatus.NONE;
        transfer.haltedBy = 0;
        emit TransferResumed(transferId, caller);
    }

    /// @inheritdoc ITransfers
    function terminateTransfer(bytes32 transferId, bytes32 reasons) external {
        uint32 caller = _callerId();
        Transfer storage transfer = _knownTransfer(transferId);
        TransferStatus status = transfer.status;
        require(
            _isRunning(transfer) || status == TransferStatus.HALTED,
            Transfers_WrongStatus(transferId, status)
        );
        require(
            transfer.sender == caller ||
                transfer.recipient == caller ||
                _isRegulatorOf(transfer, caller) ||
                _missingOf(transfer) != 0,
            Transfers_NotQualified(transferId, caller)
        );
        transfer.status = TransferStatus.TERMINATED;
        emit TransferTerminated(transferId, caller, reasons);
    }

    /* AFTERWARDS */

    /// @inheritdoc ITransfers
    function reportTransfer(bytes32 transferId, bytes32 report) external {
        uint32 caller = _callerId();
        Transfer storage transfer = _knownTransfer(transferId);
        _requireRecipient(transferId, transfer, caller);
        require(_isReporting(transfer), Transfers_WrongStatus(transferId, transfer.status));
        require(report != 0, Transfers_NoContent(transferId));
        uint32 nextDue = uint32(block.timestamp + _REPORT_SECONDS);
        transfer.reportDue = nextDue;
        emit TransferReported(transferId, caller, nextDue, report);
    }

    /// @inheritdoc ITransfers
    function endBorderAccess(bytes32 transferId) external {
        uint32 caller = _callerId();
        Transfer storage transfer = _knownTransfer(transferId);
        uint32 recipient = transfer.recipient;
        require(
            _isReporting(transfer) &&
                block.timestamp >= transfer.reportDue &&
                block.timestamp < _borderAccess[recipient],
            Transfers_NothingOverdue(transferId)
        );
        _borderAccess[recipient] = 0;
        emit IBorders.BorderAccessSet(recipient, caller, 0);
    }

    /// @inheritdoc ITransfers
    function closeTransfer(bytes32 transferId, bytes32 evidence) external {
        uint32 caller = _callerId();
        Transfer storage transfer = _knownTransfer(transferId);
        _requireRecipient(transferId, transfer, caller);
        require(_isOut(transfer), Transfers_WrongStatus(transferId, transfer.status));
        require(evidence != 0, Transfers_NoContent(transferId));
        transfer.status = TransferStatus.CLOSED;
        emit TransferClosed(transferId, caller, evidence);
    }

    /* VIEWS */

    /// @inheritdoc ITransfers
    function transferOf(bytes32 transferId) external view returns (Transfer memory) {
        return _transfers[transferId];
    }

    /// @inheritdoc ITransfers
    function transferStands(bytes32 transferId) external view returns (bool) {
        return _isDeclared(_transfers[transferId]) && _missingOf(_transfers[transferId]) == 0;
    }

    /// @inheritdoc ITransfers
    function transferPermit(bytes32 passportId, uint40 seq) external view returns (uint32 recipient) {
        return _standingPermit(passportId, seq);
    }

    /* INTERNALS */

    function _newTransfer(bytes32 transferId) private view returns (Transfer storage transfer) {
        transfer = _transfers[transferId];
        require(transferId != 0 && transfer.status == TransferStatus.NONE, Transfers_Exists(transferId));
    }

    function _knownTransfer(bytes32 transferId) private view returns (Transfer storage transfer) {
        transfer = _transfers[transferId];
        require(transfer.status != TransferStatus.NONE, Transfers_Unknown(transferId));
    }

    /// @dev From now on it is on its way; abroad the first report is due some time later, whatever becomes of it.
    function _sendOff(Transfer storage transfer, bytes32 content) private {
        transfer.content = content;
        transfer.shippedAt = uint40(block.timestamp);
        transfer.status = TransferStatus.SHIPPED;
        if (transfer.crosses) transfer.reportDue = uint32(block.timestamp + _REPORT_SECONDS);
    }

    /// @dev A cleared transfer of the active member behind the caller, which may go on.
    function _loadable(bytes32 transferId) private view returns (Transfer storage transfer) {
        transfer = _knownTransfer(transferId);
        uint32 caller = _activeCallerId();
        require(transfer.sender == caller, Transfers_NotQualified(transferId, caller));
        _requireStatus(transferId, transfer, TransferStatus.CLEARED);
        _requireStanding(transferId, transfer);
    }

    /// @dev Use up the permits and add the leaves. The frontier is worked on in memory and written once.
    function _load(bytes32 transferId, Transfer storage transfer, Item[] calldata items) private {
        uint256 loaded = transfer.loaded;
        {
            uint256 total = loaded + items.length;
            uint32 count = transfer.count;
            require(total <= count, Transfers_WrongCount(transferId, uint32(loaded), count));
        }
        bytes32[32] memory frontier = _frontierOf(transferId, loaded);
        uint256 changed; // levels of the frontier, as bits
        for (uint256 index = 0; index < items.length; ++index) {
            bytes32 leaf = _take(transferId, transfer, items[index], uint32(loaded));
            changed |= 1 << MerkleTree.append(frontier, loaded, leaf);
            ++loaded;
        }
        transfer.loaded = uint32(loaded); // at most `count`
        bytes32[32] storage kept = _frontiers[transferId];
        // A level whose bit is not set in the number of leaves is part of a higher one.
        for (uint256 left = changed & loaded; left != 0; left &= left - 1) {
            uint256 level = _lowest(left);
            kept[level] = frontier[level];
        }
    }

    /// @dev Use up the permit of one record; returns its leaf.
    function _take(
        bytes32 transferId,
        Transfer storage transfer,
        Item calldata item,
        uint32 index
    ) private returns (bytes32 leaf) {
        bytes32 passportId = item.passportId;
        uint40 seq = item.seq;
        bytes32 content = item.content;
        _requireOpen(passportId, _knownPassport(passportId));
        require(content != 0, Transfers_NoContent(transferId));
        Permit storage permit = _permits[passportId][seq];
        require(
            _standingPermit(passportId, seq) == transfer.recipient &&
                _has(transfer.purposes, permit.purpose) &&
                permit.categories & ~transfer.categories == 0,
            Transfers_NotPermitted(passportId, seq)
        );
        if (transfer.crosses) _cross(transfer, permit, passportId);
        delete _permits[passportId][seq];
        emit TransferLoaded(transferId, passportId, index, seq, content);
        return MerkleTree.leaf(passportId, seq, content);
    }

    /// @dev Count the person, whom the decision did not if the law asks for no clearance or only the way is abroad.
    function _cross(Transfer storage transfer, Permit storage permit, bytes32 passportId) private {
        Crossing memory crossing = Crossing({
            projectId: transfer.projectId,
            exporter: transfer.sender,
            importer: transfer.recipient,
            sensitive: permit.categories & (_header.coreCategories | _header.sensitiveCategories) != 0,
            passportId: passportId
        });
        require(_mayCross(crossing), Borders_NotCleared(crossing.projectId, crossing.exporter));
        _countCrossing(crossing);
    }

    /// @dev The frontier of so many leaves; what is not part of it is zero.
    function _frontierOf(
        bytes32 transferId,
        uint256 size
    ) private view returns (bytes32[32] memory frontier) {
        bytes32[32] storage kept = _frontiers[transferId];
        for (uint256 left = size; left != 0; left &= left - 1) {
            uint256 level = _lowest(left);
            frontier[level] = kept[level];
        }
    }

    /// @dev The number of the lowest bit that is set.
    function _lowest(uint256 set) private pure returns (uint256 level) {
        while ((set >> level) & 1 == 0) ++level;
    }

    /// @dev The rules that a transfer of many records breaks now: when it is declared, and at each later turn.
    function _missingOf(Transfer storage transfer) private view returns (uint32 missing) {
        IAgreements.Agreement memory agreement = _agreements[transfer.agreementId];
        uint32 sender = transfer.sender;
        uint32 recipient = transfer.recipient;
        uint16 purposes = transfer.purposes;
        if (!_isActive(_members[sender])) missing |= TransferFacts.SENDER_ACTIVE;
        if (!_isActive(_members[recipient])) missing |= TransferFacts.RECIPIENT_ACTIVE;
        if (!_isInForce(agreement)) missing |= TransferFacts.AGREEMENT_IN_FORCE;
        if (
            purposes & ~agreement.purposes != 0 ||
            transfer.categories & ~agreement.categories != 0 ||
            purposes & _header.bannedPurposes != 0
        ) missing |= TransferFacts.WITHIN_LIMITS;
        if (transfer.parent != 0 && !_maySendOn(transfer)) missing |= TransferFacts.ONWARD_ALLOWED;
        if (transfer.crosses && !_mayLeave(transfer.projectId, sender, recipient)) {
            missing |= TransferFacts.BORDER_CLEARED;
        }
    }

    /// @dev Whether the sender may pass on what it received by the parent: it still has it and may keep it, the agreement
    /// lets it, and the child's purposes and categories are within the parent's.
    function _maySendOn(Transfer storage transfer) private view returns (bool) {
        Transfer storage parent = _transfers[transfer.parent];
        IAgreements.Agreement memory agreement = _agreements[parent.agreementId];
        return
            parent.status == TransferStatus.RECEIVED &&
            parent.recipient == transfer.sender &&
            _isInForce(agreement) &&
            agreement.onward &&
            block.timestamp < uint256(parent.receivedAt) + agreement.retentionSeconds &&
            transfer.purposes & ~parent.purposes == 0 &&
            transfer.categories & ~parent.categories == 0;
    }

    /// @dev Whether a clearance of the recipient's project is in force for the sender.
    function _mayLeave(uint32 projectId, uint32 sender, uint32 recipient) private view returns (bool) {
        return
            _projects[projectId].memberId == recipient &&
            _isCleared(_clearances[_clearanceFor[projectId][sender]], recipient);
    }

    /// @dev Whether recipient, route or storage are in another country than the sender.
    function _crosses(
        uint32 sender,
        uint32 recipient,
        Consignment calldata consignment
    ) private view returns (bool) {
        uint16 home = _members[sender].jurisdiction;
        return
            _members[recipient].jurisdiction != home ||
            _isElsewhere(home, consignment.route) ||
            _isElsewhere(home, consignment.places);
    }

    /// @dev Whether one of the countries, of which there are few, is not this one.
    function _isElsewhere(uint16 home, uint16[] calldata countries) private pure returns (bool) {
        for (uint256 index = 0; index < countries.length; ++index) {
            if (countries[index] != home) return true;
        }
        return false;
    }

    /// @dev Whether a member regulates where the sender is, and is no side of the transfer.
    function _isRegulatorOf(Transfer storage transfer, uint32 memberId) private view returns (bool) {
        IMembers.Member storage member = _members[memberId];
        return
            member.roles & Codes.ROLE_REGULATOR != 0 &&
            member.jurisdiction == _members[transfer.sender].jurisdiction &&
            memberId != transfer.sender &&
            memberId != transfer.recipient &&
            _isActive(member);
    }

    /// @dev Whether a transfer is of many records.
    function _isDeclared(Transfer storage transfer) private view returns (bool) {
        return transfer.count != 0;
    }

    /// @dev Whether a transfer of many records is on its way.
    function _isRunning(Transfer storage transfer) private view returns (bool) {
        TransferStatus status = transfer.status;
        return
            _isDeclared(transfer) &&
            (status == TransferStatus.DECLARED ||
                status == TransferStatus.CLEARED ||
                status == TransferStatus.SHIPPED);
    }

    /// @dev Whether the recipient may have it, answered or not: it was shipped, and is neither destroyed nor returned.
    function _isOut(Transfer storage transfer) private view returns (bool) {
        return transfer.shippedAt != 0 && transfer.status != TransferStatus.CLOSED;
    }

    /// @dev Whether the recipient owes reports.
    function _isReporting(Transfer storage transfer) private view returns (bool) {
        return transfer.crosses && _isOut(transfer);
    }

    function _requireRecipient(bytes32 transferId, Transfer storage transfer, uint32 caller) private view {
        require(transfer.recipient == caller, Transfers_NotRecipient(transferId, caller));
    }

    function _requireStatus(
        bytes32 transferId,
        Transfer storage transfer,
        TransferStatus expected
    ) private view {
        TransferStatus status = transfer.status;
        require(status == expected, Transfers_WrongStatus(transferId, status));
    }

    function _requireStanding(bytes32 transferId, Transfer storage transfer) private view {
        require(_missingOf(transfer) == 0, Transfers_Lapsed(transferId));
    }

    /// @dev The recipient of an unused permit that still stands: not too old, the recipient active, the principal too and
    /// controlled as it was, still entrusting the recipient if it is another, and what the permit rested on, a grant or an
    /// emergency, still in force.
    function _standingPermit(bytes32 passportId, uint40 seq) private view returns (uint32) {
        Permit storage permit = _permits[passportId][seq];
        uint32 recipient = permit.recipient;
        if (recipient == 0 || block.timestamp > permit.decidedAt + _PERMIT_SECONDS) return 0;
        bytes32 grantId = permit.grantId;
        if (grantId != 0 && !_isLive(_grants[passportId][grantId])) return 0;
        uint32 emergency = permit.emergency;
        if (emergency != 0 && block.timestamp >= _emergencies[emergency].until) return 0;
        uint32 principal = permit.principal;
        IMembers.Member storage member = _members[principal];
        if (!_isActive(member) || member.control != permit.control) return 0;
        if (principal == recipient) return recipient;
        return
            _isActive(_members[recipient]) && _isEntrusted(principal, recipient, permit.purpose)
                ? recipient
                : 0;
    }
}
