// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../interfaces/IAttestations.sol";
import {IConsents} from "../interfaces/IConsents.sol";
import {IDecisions} from "../interfaces/IDecisions.sol";
import {IEmergencies} from "../interfaces/IEmergencies.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {IProjects} from "../interfaces/IProjects.sol";
import {Codes} from "../libraries/Codes.sol";
import {Facts} from "../libraries/Facts.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {Terms} from "../libraries/Terms.sol";
import {Verdict, VerdictLib} from "../libraries/Verdict.sol";
import {EmergencyRight} from "./EmergencyRight.sol";

/// @title Decisions
/// @notice Requests answered by the law in force.
abstract contract Decisions is IDecisions, EmergencyRight {
    /// @dev A member as a request needs it.
    struct Party {
        uint32 id; // 0: nobody
        uint16 scope;
        uint16 jurisdiction;
        uint16 control;
        uint8 kind;
        bool active;
    }

    /// @dev What a batch reads once.
    struct Context {
        Party requester;
        Header header;
        Counts counts;
        uint256 necessary;
        uint256 caps;
        uint256 used; // permits of today that count against caps
        bytes32 head;
    }

    /* MEMBERS */

    /// @inheritdoc IDecisions
    function decide(Request[] calldata requests) external returns (Verdict[] memory verdicts) {
        require(requests.length != 0, Decisions_Empty());
        Context memory context;
        uint32 memberId = _callerId();
        context.requester = _party(memberId);
        context.header = _header;
        context.counts = _counts;
        context.necessary = _necessary;
        context.head = _head;
        context.caps = _caps[memberId];
        uint256 today = block.timestamp / 1 days;
        if (context.caps != 0) context.used = _capUses[memberId][today];
        verdicts = new Verdict[](requests.length);
        for (uint256 index = 0; index < requests.length; ++index) {
            verdicts[index] = _decide(context, requests[index], index);
        }
        _head = context.head;
        if (context.caps != 0) _capUses[memberId][today] = context.used;
    }

    /// @inheritdoc IDecisions
    function reviewRequest(
        Request calldata request,
        uint32 memberId,
        uint40 seq,
        bool approved,
        bytes32 opinion
    ) external {
        Terms terms = request.terms;
        uint32 caller = _callerWith(
            terms.basis() == Codes.COMPELLED ? Codes.ROLE_REGULATOR : Codes.ROLE_ETHICS
        );
        bytes32 waiting = PassportHash.requestHash(request, memberId);
        require(_waiting[request.passportId][seq] == waiting, Decisions_NotWaiting(request.passportId, seq));
        require(
            caller != memberId && caller != terms.controller(),
            Decisions_NotIndependent(request.passportId, seq, caller)
        );
        require(
            request.commitment != 0 || terms.basis() != Codes.COMPELLED,
            Decisions_NoInstrument(request.passportId, seq)
        );
        delete _waiting[request.passportId][seq];
        uint32 approvedUntil = approved ? uint32(block.timestamp) + _limits.reviewSeconds : 0;
        if (approved) _approvals[waiting] = approvedUntil;
        emit RequestReviewed(request.passportId, seq, caller, approvedUntil, opinion);
    }

    /// @inheritdoc IDecisions
    function recordRelease(bytes32 passportId, uint40 seq, bytes32 commitment) external {
        IPassports.Passport storage passport = _knownPassport(passportId);
        uint32 caller = _callerId();
        require(passport.custodian == caller, IPassports.Passports_NotCustodian(passportId, caller));
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
        _requireWellFormed(context.counts, terms, index);
        IPassports.Passport storage passport = _knownPassport(request.passportId);
        uint8 dataClass = _classOf(context.header, terms.categories());
        uint32 required = _requiredFor(dataClass, terms.purpose(), terms.basis());
        uint32 facts = _facts(context, request, passport, dataClass, required);
        uint32 missing = (required | Facts.LAWFUL) & ~facts;
        uint8 outcome =
            missing == 0
                ? Codes.PERMIT
                : missing == Facts.HUMAN_REVIEWED
                    ? Codes.REVIEW
                    : Codes.DENY;

        uint40 seq = passport.size;
        passport.size = seq + 1;
        verdict = VerdictLib.pack(seq, context.header.version, dataClass, outcome, facts, missing);
        if (outcome == Codes.PERMIT) _takePermit(context, request, passport, seq, required);
        else if (outcome == Codes.REVIEW)
            _waiting[request.passportId][seq] = PassportHash.requestHash(request, context.requester.id);
        context.head = PassportHash.foldDecision(context.head, request, context.requester.id, verdict);
        emit DecisionRecorded(
            request.passportId,
            request.grantId,
            context.requester.id,
            terms,
            verdict,
            request.commitment
        );
    }

    function _requireWellFormed(Counts memory counts, Terms terms, uint256 index) private pure {
        require(
            !terms.isDirty() &&
                terms.purpose() < Codes.PURPOSES &&
                terms.basis() < Codes.BASES &&
                terms.operation() < Codes.OPERATIONS_COUNT &&
                terms.level() < Codes.LEVELS &&
                terms.categories() != 0 &&
                terms.emergency() <= counts.emergencies &&
                terms.controller() <= counts.members &&
                (terms.lastDay() == 0 || terms.firstDay() <= terms.lastDay()),
            Decisions_Malformed(index, terms)
        );
    }

    function _facts(
        Context memory context,
        Request calldata request,
        IPassports.Passport storage passport,
        uint8 dataClass,
        uint32 required
    ) private view returns (uint32 facts) {
        Terms terms = request.terms;
        Party memory requester = context.requester;
        Party memory principal = requester;
        bool isActive = requester.active;
        uint16 scope = requester.scope;
        if (terms.controller() != 0) {
            Party memory controller = _party(terms.controller());
            isActive = isActive && controller.active;
            scope &= controller.scope;
            principal = _isEntrusted(controller.id, requester.id, terms.purpose()) ? controller : _nobody();
        }
        if (required != 0) facts = Facts.LAWFUL;
        if (isActive) facts |= Facts.MEMBER_ACTIVE;
        if (_has(scope, terms.purpose())) facts |= Facts.MEMBER_SCOPE;
        facts |= _limitFacts(context, terms);
        facts |= _passportFacts(context, terms, passport, principal.id);
        facts |= _projectFacts(principal.id, terms, dataClass);
        uint8 least = _leastLevel(context.header.levels, dataClass, terms.purpose());
        if (request.grantId != 0) {
            IConsents.GrantState storage state = _grants[request.passportId][request.grantId];
            facts |= _grantFacts(principal, state, terms);
            if (terms.basis() == Codes.CONSENT && state.level > least) least = state.level;
        }
        if (terms.level() >= least || passport.level >= least) facts |= Facts.LEVEL_SUFFICIENT;
        if (passport.lock == 0) facts |= Facts.UNLOCKED;
        else if (passport.lock == terms.emergency() && _covers(request, passport, requester.id))
            facts |= Facts.UNLOCKED;
        uint32 asked = required & Facts.ASKED_ON_DEMAND;
        if (asked != 0) facts |= _factsOnDemand(asked, request, passport, requester);
    }

    function _limitFacts(Context memory context, Terms terms) private pure returns (uint32 facts) {
        uint8 purpose = terms.purpose();
        uint16 necessary = uint16(context.necessary >> (16 * uint256(purpose)));
        if (terms.categories() & ~necessary == 0) facts |= Facts.CATEGORIES_NECESSARY;
        uint16 cap = uint16(context.caps >> (16 * uint256(purpose)));
        if (cap == 0 || uint16(context.used >> (16 * uint256(purpose))) < cap) facts |= Facts.WITHIN_CAP;
    }

    function _passportFacts(
        Context memory context,
        Terms terms,
        IPassports.Passport storage passport,
        uint32 principal
    ) private view returns (uint32 facts) {
        // What is true of every record; datasets and models will have to earn it.
        facts = Facts.DATASET_CURRENT | Facts.BUDGET_LEFT;
        if (passport.status == IPassports.PassportStatus.OPEN) facts |= Facts.PASSPORT_OPEN;
        uint16 allowed = passport.purposes & ~context.header.bannedPurposes;
        if (_has(allowed, terms.purpose())) facts |= Facts.PURPOSE_ALLOWED;
        if (passport.custodian == principal) facts |= Facts.REQUESTER_IS_CUSTODIAN;
    }

    function _projectFacts(
        uint32 principal,
        Terms terms,
        uint8 dataClass
    ) private view returns (uint32 facts) {
        if (terms.project() == 0 || principal == 0) return 0;
        IProjects.Project memory project = _projects[terms.project()];
        if (project.memberId != principal || project.withdrawn) return 0;
        if (
            block.timestamp >= project.validFrom &&
            block.timestamp < project.validTo &&
            _has(project.purposes, terms.purpose()) &&
            terms.categories() & ~project.categories == 0 &&
            dataClass >= project.highestClass
        ) facts = Facts.PROJECT_FILED;
        if (project.techniques != 0) facts |= Facts.PROJECT_TECHNIQUE;
        if (project.agreement) facts |= Facts.PROJECT_AGREEMENT;
        if (project.ethics != 0) facts |= Facts.PROJECT_ETHICS;
        if (project.compliance != 0) facts |= Facts.PROJECT_COMPLIANCE;
    }

    function _grantFacts(
        Party memory principal,
        IConsents.GrantState memory state,
        Terms terms
    ) private view returns (uint32 facts) {
        // No assurance: there is no grant, only one that was asked for, refused, or withdrawn before it was given.
        if (state.assurance == IConsents.Assurance.NONE) return 0;
        if (
            state.status == IConsents.GrantStatus.ACTIVE &&
            block.timestamp >= state.useFrom &&
            block.timestamp < state.useTo
        ) facts = Facts.GRANT_LIVE;
        if (
            principal.id != 0 &&
            (
                state.recipient == 0
                    ? _has(state.recipientKinds, principal.kind)
                    : state.recipient == principal.id && state.control == principal.control
            )
        ) facts |= Facts.GRANT_RECIPIENT;
        if (_has(state.purposes, terms.purpose())) facts |= Facts.GRANT_PURPOSE;
        if (terms.categories() & ~state.categories == 0) facts |= Facts.GRANT_CATEGORIES;
        if (state.flags & Codes.FLAG_SEPARATE != 0 && state.assurance >= IConsents.Assurance.DELEGATED)
            facts |= Facts.GRANT_SEPARATE;
        if (state.maxUses == 0 || state.uses < state.maxUses) facts |= Facts.GRANT_QUOTA;
        // No day asked for means all days: more than any limit.
        bool fromInside = terms.firstDay() >= state.dataFrom;
        bool toInside = state.dataTo == 0 || (terms.lastDay() != 0 && terms.lastDay() <= state.dataTo);
        if (fromInside && toInside) facts |= Facts.GRANT_PERIOD;
    }

    function _factsOnDemand(
        uint32 asked,
        Request calldata request,
        IPassports.Passport storage passport,
        Party memory requester
    ) private view returns (uint32 facts) {
        bytes32 passportId = request.passportId;
        Terms terms = request.terms;
        uint32 custodian = passport.custodian;
        bytes32 project = bytes32(uint256(terms.project()));
        if (asked & Facts.EMERGENCY_IN_FORCE != 0 && _covers(request, passport, requester.id))
            facts |= Facts.EMERGENCY_IN_FORCE;
        if (asked & Facts.REVIEWS_CURRENT != 0 && _reviewsCurrent(requester.id))
            facts |= Facts.REVIEWS_CURRENT;
        if (
            asked & Facts.HUMAN_REVIEWED != 0 &&
            block.timestamp < _approvals[PassportHash.requestHash(request, requester.id)]
        ) facts |= Facts.HUMAN_REVIEWED;
        if (
            asked & Facts.BORDER_CLEARED != 0 &&
            (_members[custodian].jurisdiction == requester.jurisdiction ||
                _attestedBy(project, IAttestations.AttestationKind.CLEARANCE) != 0)
        ) facts |= Facts.BORDER_CLEARED;
        if (
            asked & Facts.ENCRYPTED != 0 &&
            _attestedBy(passportId, IAttestations.AttestationKind.ENCRYPTION) != 0
        ) facts |= Facts.ENCRYPTED;
        if (asked & Facts.DEIDENTIFIED != 0) {
            uint32 verifier = _attestedBy(passportId, IAttestations.AttestationKind.DEIDENTIFICATION);
            if (verifier != 0 && verifier != requester.id && verifier != terms.controller())
                facts |= Facts.DEIDENTIFIED;
        }
        if (
            asked & Facts.SOURCE_DECLARED != 0 &&
            _attestedBy(passportId, IAttestations.AttestationKind.SOURCE) != 0
        ) facts |= Facts.SOURCE_DECLARED;
        if (
            asked & Facts.MODEL_LICENSED != 0 &&
            _attestedBy(project, IAttestations.AttestationKind.LICENCE) != 0
        ) facts |= Facts.MODEL_LICENSED;
    }

    /// @dev Whether the emergency that a request names is in force and covers it.
    function _covers(
        Request calldata request,
        IPassports.Passport storage passport,
        uint32 requester
    ) private view returns (bool) {
        Terms terms = request.terms;
        IEmergencies.Emergency storage emergency = _emergencies[terms.emergency()];
        if (
            block.timestamp < emergency.from ||
            block.timestamp >= emergency.until ||
            terms.categories() & ~emergency.categories != 0
        ) return false;
        bool individual = terms.basis() == Codes.INDIVIDUAL_EMERGENCY;
        if (emergency.kind == IEmergencies.EmergencyKind.INDIVIDUAL)
            return
                individual && emergency.memberId == requester && emergency.passportId == request.passportId;
        return
            !individual &&
            _has(emergency.purposes, terms.purpose()) &&
            emergency.used < emergency.maxRecords &&
            (emergency.jurisdiction == 0 ||
                emergency.jurisdiction == _members[passport.custodian].jurisdiction);
    }

    /// @dev What a permit uses up.
    function _takePermit(
        Context memory context,
        Request calldata request,
        IPassports.Passport storage passport,
        uint40 seq,
        uint32 required
    ) private {
        Terms terms = request.terms;
        uint256 place = 16 * uint256(terms.purpose());
        // A subject's own requests are counted beyond the cap: not into the next purpose's bits.
        if (uint16(context.caps >> place) != 0 && uint16(context.used >> place) != type(uint16).max)
            context.used += 1 << place;
        bool byConsent = terms.basis() == Codes.CONSENT;
        if (byConsent) {
            IConsents.GrantState storage state = _grants[request.passportId][request.grantId];
            if (state.maxUses != 0) ++state.uses;
        }
        uint32 emergencyId =
            required & Facts.EMERGENCY_IN_FORCE != 0 || (required & Facts.UNLOCKED != 0 && passport.lock != 0)
                ? terms.emergency()
                : 0;
        if (emergencyId != 0) {
            IEmergencies.Emergency storage emergency = _emergencies[emergencyId];
            if (emergency.kind == IEmergencies.EmergencyKind.PUBLIC) ++emergency.used;
        }
        if (terms.operation() == Codes.TRANSFER) {
            _permits[request.passportId][seq] = Permit({
                recipient: context.requester.id,
                decidedAt: uint32(block.timestamp),
                emergency: emergencyId,
                control: context.requester.control,
                grantId: byConsent ? request.grantId : bytes32(0)
            });
        }
    }

    function _party(uint32 memberId) private view returns (Party memory) {
        IMembers.Member storage member = _members[memberId];
        return
            Party({
                id: memberId,
                scope: member.purposes,
                jurisdiction: member.jurisdiction,
                control: member.control,
                kind: uint8(member.kind),
                active: _isActive(member)
            });
    }

    // solhint-disable-next-line no-empty-blocks
    function _nobody() private pure returns (Party memory nobody) {}

    function _isEntrusted(uint32 controller, uint32 processor, uint8 purpose) private view returns (bool) {
        IMembers.Entrustment storage order = _entrustments[controller][processor];
        return _has(order.purposes, purpose) && block.timestamp < order.validTo;
    }

    /// @dev Who states something of a subject, in a statement that is in force; 0 if nobody.
    function _attestedBy(bytes32 subject, IAttestations.AttestationKind kind) private view returns (uint32) {
        IAttestations.Attestation storage attestation = _attestations[subject][kind];
        return block.timestamp < attestation.validTo ? attestation.issuer : 0;
    }

    /// @dev The data class of a set of categories: that of the most sensitive one.
    function _classOf(Header memory header, uint16 categories) private pure returns (uint8) {
        if (categories & header.coreCategories != 0) return Codes.CORE_PRIVACY;
        if (categories & header.sensitiveCategories != 0) return Codes.SENSITIVE;
        return Codes.NON_SENSITIVE;
    }

    /// @dev The facts required, 0 if this basis can never justify this purpose for this class.
    function _requiredFor(uint8 dataClass, uint8 purpose, uint8 basis) private view returns (uint32) {
        return uint32(_required[(uint256(dataClass) - 1) * 16 + purpose] >> (32 * uint256(basis)));
    }

    function _leastLevel(uint96 levels, uint8 dataClass, uint8 purpose) private pure returns (uint8) {
        return uint8(levels >> (2 * ((uint256(dataClass) - 1) * 16 + purpose))) & 3;
    }
}
