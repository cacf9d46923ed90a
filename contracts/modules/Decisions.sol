// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecisions} from "../interfaces/IDecisions.sol";
import {Codes} from "../libraries/Codes.sol";
import {Facts} from "../libraries/Facts.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {Terms} from "../libraries/Terms.sol";
import {Verdict} from "../libraries/Verdict.sol";
import {Consents} from "./Consents.sol";
import {Projects} from "./Projects.sol";
import {Transfers} from "./Transfers.sol";

/// @title Decisions
/// @notice Requests answered by the law in force.
abstract contract Decisions is IDecisions, Consents, Projects, Transfers {
    /* STORAGE */

    bytes32 private _head;
    mapping(bytes32 passportId => mapping(uint40 seq => bool released)) private _released;

    /// @dev What a batch reads once.
    struct Context {
        uint32 memberId;
        uint16 scope;
        bool memberActive;
        Header header;
        uint256 necessary;
        bytes32 head;
    }

    /* MEMBERS */

    /// @inheritdoc IDecisions
    function decide(Request[] calldata requests) external returns (Verdict[] memory verdicts) {
        require(requests.length != 0, Decisions_Empty());
        Context memory context;
        context.memberId = _callerId();
        Member storage member = _members[context.memberId];
        context.scope = member.purposes;
        context.memberActive = _isActive(member);
        context.header = _header;
        context.necessary = _necessary;
        context.head = _head;
        verdicts = new Verdict[](requests.length);
        for (uint256 index = 0; index < requests.length; ++index) {
            verdicts[index] = _decide(context, requests[index], index);
        }
        _head = context.head;
    }

    /// @inheritdoc IDecisions
    function recordRelease(bytes32 passportId, uint40 seq, bytes32 commitment) external {
        Passport storage passport = _knownPassport(passportId);
        uint32 caller = _callerId();
        require(passport.custodian == caller, Passports_NotCustodian(passportId, caller));
        require(seq < passport.size, Decisions_Unknown(passportId, seq));
        require(!_released[passportId][seq], Decisions_AlreadyReleased(passportId, seq));
        _released[passportId][seq] = true;
        emit ReleaseRecorded(passportId, seq, caller, commitment);
    }

    /* VIEWS */

    /// @inheritdoc IDecisions
    function head() external view returns (bytes32) {
        return _head;
    }

    /* INTERNALS */

    function _decide(
        Context memory context,
        Request calldata request,
        uint256 index
    ) private returns (Verdict verdict) {
        Terms terms = request.terms;
        require(
            !terms.isDirty() &&
                terms.purpose() < Codes.PURPOSES &&
                terms.basis() < Codes.BASES &&
                terms.operation() < Codes.OPERATIONS_COUNT &&
                terms.categories() != 0,
            Decisions_Malformed(index, terms)
        );
        Passport storage passport = _knownPassport(request.passportId);
        GrantState storage grant = _grants[request.passportId][request.grantId];

        uint8 dataClass = _classOf(context.header, terms.categories());
        uint32 facts =
            _requesterFacts(context, terms) |
                _passportFacts(context, passport, terms) |
                _projectFacts(context.memberId, terms, dataClass) |
                _grantFacts(context.memberId, passport, grant, terms);
        uint32 required = _requiredFor(dataClass, terms.purpose(), terms.basis());
        if (required != 0) facts |= Facts.LAWFUL;
        uint32 missing = (required | Facts.LAWFUL) & ~facts;
        uint8 outcome =
            missing == 0
                ? Codes.PERMIT
                : missing == Facts.HUMAN_REVIEWED
                    ? Codes.REVIEW
                    : Codes.DENY;

        uint40 seq = passport.size;
        passport.size = seq + 1;
        if (outcome == Codes.PERMIT) {
            if (terms.basis() == Codes.CONSENT && grant.maxUses != 0) ++grant.uses;
            if (terms.operation() == Codes.TRANSFER) _permitTransfer(request, seq, context.memberId);
        }
        verdict = _pack(context.header.version, seq, terms, dataClass, outcome, facts, missing);
        context.head = PassportHash.foldDecision(
            context.head,
            request.passportId,
            request.grantId,
            context.memberId,
            verdict,
            request.commitment
        );
        emit DecisionRecorded(
            request.passportId,
            request.grantId,
            context.memberId,
            verdict,
            request.commitment
        );
    }

    function _requesterFacts(Context memory context, Terms terms) private pure returns (uint32 facts) {
        uint8 purpose = terms.purpose();
        if (context.memberActive) facts |= Facts.MEMBER_ACTIVE;
        if ((context.scope >> purpose) & 1 != 0) facts |= Facts.MEMBER_SCOPE;
        uint16 necessary = uint16(context.necessary >> (16 * uint256(purpose)));
        if (terms.categories() & ~necessary == 0) facts |= Facts.CATEGORIES_NECESSARY;
    }

    function _passportFacts(
        Context memory context,
        Passport storage passport,
        Terms terms
    ) private view returns (uint32 facts) {
        if (passport.status == PassportStatus.OPEN) facts |= Facts.PASSPORT_OPEN;
        uint16 allowed = passport.purposes & ~context.header.bannedPurposes;
        if ((allowed >> terms.purpose()) & 1 != 0) facts |= Facts.PURPOSE_ALLOWED;
        if (passport.custodian == context.memberId) facts |= Facts.REQUESTER_IS_CUSTODIAN;
    }

    function _projectFacts(
        uint32 memberId,
        Terms terms,
        uint8 dataClass
    ) private view returns (uint32 facts) {
        uint32 projectId = terms.project();
        if (projectId == 0) return 0;
        Project storage project = _projects[projectId];
        if (project.memberId != memberId || project.withdrawn) return 0;
        if (
            block.timestamp >= project.validFrom &&
            block.timestamp < project.validTo &&
            (project.purposes >> terms.purpose()) & 1 != 0 &&
            terms.categories() & ~project.categories == 0 &&
            dataClass >= project.highestClass
        ) facts |= Facts.PROJECT_FILED;
        if (project.techniques != 0) facts |= Facts.PROJECT_TECHNIQUE;
        if (project.agreement != 0) facts |= Facts.PROJECT_AGREEMENT;
    }

    function _grantFacts(
        uint32 memberId,
        Passport storage passport,
        GrantState storage grant,
        Terms terms
    ) private view returns (uint32 facts) {
        // No recipient: there is no grant, or only the mark of one that was withdrawn before it was given.
        if (grant.recipient == 0) return 0;
        if (_isLive(grant)) facts |= Facts.GRANT_LIVE;
        if (grant.recipient == memberId) facts |= Facts.GRANT_RECIPIENT;
        if ((grant.purposes >> terms.purpose()) & 1 != 0) facts |= Facts.GRANT_PURPOSE;
        if (terms.categories() & ~grant.categories == 0) facts |= Facts.GRANT_CATEGORIES;
        // A custodian that keeps the holder's key cannot give separate consent in the subject's stead.
        if (grant.flags & Codes.FLAG_SEPARATE != 0 && passport.custody == Custody.SELF)
            facts |= Facts.GRANT_SEPARATE;
        if (grant.maxUses == 0 || grant.uses < grant.maxUses) facts |= Facts.GRANT_QUOTA;
    }

    function _pack(
        uint32 version,
        uint40 seq,
        Terms terms,
        uint8 dataClass,
        uint8 outcome,
        uint32 facts,
        uint32 missing
    ) private pure returns (Verdict) {
        return
            Verdict.wrap(
                uint256(seq) |
                    (uint256(version) << 40) |
                    (uint256(terms.project()) << 72) |
                    (uint256(terms.categories()) << 104) |
                    (uint256(terms.purpose()) << 120) |
                    (uint256(terms.basis()) << 128) |
                    (uint256(terms.operation()) << 136) |
                    (uint256(dataClass) << 144) |
                    (uint256(outcome) << 152) |
                    (uint256(facts) << 160) |
                    (uint256(missing) << 192)
            );
    }
}
