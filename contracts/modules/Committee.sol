// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBorders} from "../interfaces/IBorders.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {IEmergencies} from "../interfaces/IEmergencies.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {IPolicy} from "../interfaces/IPolicy.sol";
import {ITemplates} from "../interfaces/ITemplates.sol";
import {Codes} from "../libraries/Codes.sol";
import {Guards} from "./Guards.sol";

/// @title Committee
/// @notice Seats that decide together, and the ledger's hand that does what they decided.
abstract contract Committee is ICommittee, Guards {
    uint256 private constant _MAX_SEATS = 32;
    uint256 private constant _ACT_SECONDS = 30 days;

    /* SEATS */

    /// @inheritdoc ICommittee
    function propose(bytes calldata call, bytes32 reasons) external returns (uint32 actId) {
        uint32 memberId = _seatedCaller();
        ActKind kind = _kindOf(bytes4(call));
        actId = ++_counts.acts;
        Act storage act = _acts[actId];
        act.kind = kind;
        act.proposedAt = uint32(block.timestamp);
        act.call = call;
        emit ActProposed(actId, memberId, kind, call, reasons);
        _approve(actId, act, memberId);
    }

    /// @inheritdoc ICommittee
    function approve(uint32 actId) external {
        uint32 memberId = _seatedCaller();
        Act storage act = _pendingAct(actId);
        for (uint256 index = 0; index < act.approvers.length; ++index) {
            require(act.approvers[index] != memberId, Committee_AlreadyApproved(actId, memberId));
        }
        emit ActApproved(actId, memberId);
        _approve(actId, act, memberId);
    }

    /* ANYONE */

    /// @inheritdoc ICommittee
    function execute(uint32 actId) external {
        Act storage act = _pendingAct(actId);
        uint256 delay = _rules[act.kind].delaySeconds;
        uint256 readyAt = act.approvedAt == 0 ? 0 : act.approvedAt + delay;
        require(_isApproved(act), Committee_NotReady(actId, readyAt));
        if (act.approvedAt == 0) {
            // A rule that was lowered meanwhile asks for no approval more, but still for its delay.
            act.approvedAt = uint32(block.timestamp);
            if (delay != 0) return;
        }
        require(block.timestamp >= readyAt, Committee_NotReady(actId, readyAt));
        _execute(actId, act);
    }

    /* COMMITTEE */

    /// @inheritdoc ICommittee
    function setSeat(uint32 memberId, SeatKind kind) external onlyCommittee {
        _setSeat(memberId, kind);
    }

    /// @inheritdoc ICommittee
    function setRule(ActKind kind, Rule calldata rule) external onlyCommittee {
        _setRule(kind, rule);
    }

    /* VIEWS */

    /// @inheritdoc ICommittee
    function seats() external view returns (uint32[] memory memberIds, SeatKind[] memory kinds) {
        memberIds = _seated;
        kinds = new SeatKind[](memberIds.length);
        for (uint256 index = 0; index < memberIds.length; ++index) {
            kinds[index] = _seats[memberIds[index]].kind;
        }
    }

    /// @inheritdoc ICommittee
    function ruleOf(ActKind kind) external view returns (Rule memory) {
        return _rules[kind];
    }

    /// @inheritdoc ICommittee
    function actOf(uint32 actId) external view returns (Act memory) {
        return _acts[actId];
    }

    /// @inheritdoc ICommittee
    function actCount() external view returns (uint32) {
        return _counts.acts;
    }

    /* INTERNALS */

    /// @dev A committee of one, which can do everything at once: it seats the others and then raises the rules.
    function _found(uint32 founder) internal {
        _setSeat(founder, SeatKind.CONVENOR);
        Rule memory alone = Rule({quorum: 1, seats: 0, delaySeconds: 0});
        for (uint8 kind = 0; kind <= uint8(type(ActKind).max); ++kind) _setRule(ActKind(kind), alone);
    }

    function _setSeat(uint32 memberId, SeatKind kind) private {
        Seat memory former = _seats[memberId];
        if (kind == SeatKind.NONE) {
            require(former.kind != SeatKind.NONE, Committee_NoSeat(memberId));
            uint32 last = _seated[_seated.length - 1];
            _seated[former.index] = last;
            _seats[last].index = former.index;
            _seated.pop();
            delete _seats[memberId];
        } else {
            IMembers.Member storage member = _knownMember(memberId);
            bool isNew = former.kind == SeatKind.NONE;
            require(
                _isActive(member) &&
                    member.roles & Codes.ROLE_COMMITTEE != 0 &&
                    (!isNew || _seated.length < _MAX_SEATS),
                Committee_CannotSeat(memberId)
            );
            if (isNew) {
                former.index = uint8(_seated.length);
                _seated.push(memberId);
            }
            _seats[memberId] = Seat(kind, former.index);
        }
        emit SeatSet(memberId, kind);
    }

    function _setRule(ActKind kind, Rule memory rule) private {
        // An act that waits longer than it lives could never be done.
        require(rule.quorum != 0 && rule.delaySeconds < _ACT_SECONDS, Committee_Incapable(kind));
        _rules[kind] = rule;
        emit RuleSet(kind, rule);
    }

    function _approve(uint32 actId, Act storage act, uint32 memberId) private {
        act.approvers.push(memberId);
        if (!_isApproved(act)) return;
        // The wait begins once, with the approval that was the last one needed.
        if (act.approvedAt == 0) act.approvedAt = uint32(block.timestamp);
        if (_rules[act.kind].delaySeconds == 0) _execute(actId, act);
    }

    /// @dev Whether those who approved and still sit satisfy the rule in force.
    function _isApproved(Act storage act) private view returns (bool) {
        Rule memory rule = _rules[act.kind];
        (uint256 count, uint16 kinds) = _tally(act.approvers);
        return count >= rule.quorum && rule.seats & ~kinds == 0;
    }

    function _tally(uint32[] memory memberIds) private view returns (uint256 count, uint16 kinds) {
        for (uint256 index = 0; index < memberIds.length; ++index) {
            SeatKind kind = _seats[memberIds[index]].kind;
            if (kind == SeatKind.NONE || !_isInGoodStanding(memberIds[index])) continue;
            ++count;
            kinds |= uint16(1 << uint8(kind));
        }
    }

    function _execute(uint32 actId, Act storage act) private {
        act.executed = true;
        // The ledger calls itself, which is how the modules know the committee. Nothing else makes it call.
        // solhint-disable-next-line avoid-low-level-calls
        (bool done, bytes memory answer) = address(this).call(act.call);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        _requireCapable();
        emit ActExecuted(actId);
    }

    /// @dev No act may leave a committee that cannot act: the last seat gone, its only member of a kind suspended, a
    /// quorum that nobody can fill.
    function _requireCapable() private view {
        (uint256 count, uint16 kinds) = _tally(_seated);
        for (uint8 kind = 0; kind <= uint8(type(ActKind).max); ++kind) {
            Rule memory rule = _rules[ActKind(kind)];
            require(count >= rule.quorum && rule.seats & ~kinds == 0, Committee_Incapable(ActKind(kind)));
        }
    }

    /// @dev A seat does not lapse with its member's licence: the calendar alone must never leave the ledger without a
    /// committee. A seat is taken, and its member suspended or expelled, by an act.
    function _isInGoodStanding(uint32 memberId) private view returns (bool) {
        return _members[memberId].status == IMembers.MemberStatus.ACTIVE;
    }

    function _seatedCaller() private view returns (uint32 memberId) {
        memberId = _callerId();
        require(_isInGoodStanding(memberId), IMembers.Members_NotActive(memberId));
        require(_seats[memberId].kind != SeatKind.NONE, Committee_NoSeat(memberId));
    }

    function _pendingAct(uint32 actId) private view returns (Act storage act) {
        act = _acts[actId];
        require(act.proposedAt != 0, Committee_Unknown(actId));
        require(!act.executed, Committee_AlreadyExecuted(actId));
        require(block.timestamp < act.proposedAt + _ACT_SECONDS, Committee_Expired(actId));
    }

    function _kindOf(bytes4 selector) private pure returns (ActKind) {
        if (selector == ICommittee.setSeat.selector || selector == ICommittee.setRule.selector)
            return ActKind.SEATS;
        if (
            selector == IPolicy.setPolicy.selector ||
            selector == IBorders.setThresholds.selector ||
            selector == ITemplates.issueTemplate.selector ||
            selector == ITemplates.withdrawTemplate.selector
        ) return ActKind.LAW;
        if (
            selector == IEmergencies.declareEmergency.selector ||
            selector == IEmergencies.endEmergency.selector ||
            selector == IEmergencies.restoreEmergencyRight.selector
        ) return ActKind.EMERGENCIES;
        if (selector == IPassports.seal.selector || selector == IPassports.unseal.selector)
            return ActKind.DATA;
        require(
            selector == IMembers.admit.selector ||
                selector == IMembers.suspend.selector ||
                selector == IMembers.reinstate.selector ||
                selector == IMembers.expel.selector ||
                selector == IMembers.rotateKeys.selector ||
                selector == IMembers.license.selector ||
                selector == IMembers.changeControl.selector ||
                selector == IMembers.setCaps.selector,
            Committee_NotAnAct(selector)
        );
        return ActKind.MEMBERS;
    }
}
