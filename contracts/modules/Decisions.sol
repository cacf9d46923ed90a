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
import {Branchless} from "../libraries/Branchless.sol";
import {GrantTest, GrantWord, GrantWordLib} from "../libraries/GrantWord.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {PassportWord, PassportWordLib} from "../libraries/PassportWord.sol";
import {Terms} from "../libraries/Terms.sol";
import {Verdict, VerdictLib} from "../libraries/Verdict.sol";
import {EmergencyRight} from "./EmergencyRight.sol";

/// @title Decisions
/// @notice Requests answered by the law in force.
/// @dev The hot path. A batch reads member, law and caps once; what follows from the terms alone is worked out once for
/// a run of equal terms; a passport and a grant are read as one word each.
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

    /// @dev What a batch reads once, and what the terms in hand come to.
    struct Batch {
        Party requester;
        Header header;
        Counts counts;
        uint256 necessary;
        uint256 caps;
        uint256 used; // permits of today that count against caps
        bytes32 head;
        // The terms in hand
        Terms terms;
        GrantTest test;
        Party principal;
        uint256 facts; // that follow from the terms alone
        uint256 required; // with LAWFUL
        uint256 asked; // facts on demand that are required, but for the border
        uint256 answer; // what every verdict has: policy version and data class
        uint256 leastLevel; // that the law demands
        uint256 purpose; // as a set; empty if it is banned
        bool unusual; // caps, or facts on demand
        bool consumes; // a permit uses something up besides a grant's uses
        // The custodian in hand
        uint256 custodian;
        uint16 jurisdiction;
        uint256 custodianFacts; // that follow from who keeps the data
    }

    /* MEMBERS */

    /// @inheritdoc IDecisions
    function decide(Request[] calldata requests) external returns (Verdict[] memory verdicts) {
        uint256 count = requests.length;
        require(count != 0, Decisions_Empty());
        uint256 today = block.timestamp / 1 days;
        Batch memory batch = _open(_callerId(), today);
        verdicts = new Verdict[](count);
        Request calldata request = requests[0];
        for (uint256 index = 0; index < count; ++index) {
            if (index != 0) request = _next(request);
            if (Terms.unwrap(request.terms) != Terms.unwrap(batch.terms)) _take(batch, request.terms, index);
            verdicts[index] = _decide(batch, request);
        }
        _head = batch.head;
        if (batch.caps != 0) _capUses[batch.requester.id][today] = batch.used;
        _answer(verdicts);
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

    /// @dev The request that follows in the calldata: four words further.
    function _next(Request calldata request) private pure returns (Request calldata following) {
        assembly ("memory-safe") {
            following := add(request, 0x80)
        }
    }

    /// @dev Ends the call with the verdicts as they lie in memory: they need not be copied to be returned.
    function _answer(Verdict[] memory verdicts) private pure {
        assembly ("memory-safe") {
            let start := sub(verdicts, 0x20)
            mstore(start, 0x20)
            return(start, add(0x40, shl(5, mload(verdicts))))
        }
    }

    function _open(uint32 memberId, uint256 today) private view returns (Batch memory batch) {
        batch.requester = _party(memberId);
        batch.header = _header;
        batch.counts = _counts;
        batch.necessary = _necessary;
        batch.head = _head;
        batch.caps = _caps[memberId];
        if (batch.caps != 0) batch.used = _capUses[memberId][today];
        batch.terms = Terms.wrap(type(uint256).max); // no request has these: undefined bits are set
    }

    /// @dev Works out what follows from the terms alone.
    function _take(Batch memory batch, Terms terms, uint256 index) private view {
        _requireWellFormed(batch.counts, terms, index);
        uint8 purpose = terms.purpose();
        uint8 dataClass = _classOf(batch.header, terms.categories());
        uint256 entry = (uint256(dataClass) - 1) * 16 + purpose;
        uint256 required = uint32(_required[entry] >> (32 * uint256(terms.basis())));
        uint256 facts = required == 0 ? 0 : Facts.LAWFUL;
        // What is true of every record; datasets and models will have to earn it.
        facts |= Facts.DATASET_CURRENT | Facts.BUDGET_LEFT;
        uint16 necessary = uint16(batch.necessary >> (16 * uint256(purpose)));
        if (terms.categories() & ~necessary == 0) facts |= Facts.CATEGORIES_NECESSARY;
        batch.terms = terms;
        batch.answer = VerdictLib.base(batch.header.version, dataClass);
        batch.required = required | Facts.LAWFUL;
        batch.asked = required & Facts.ASKED_ON_DEMAND & ~Facts.BORDER_CLEARED;
        batch.leastLevel = uint8(batch.header.levels >> (2 * entry)) & 3;
        batch.purpose = uint16(1 << purpose) & ~batch.header.bannedPurposes;
        batch.unusual = batch.caps != 0 || batch.asked != 0;
        batch.consumes =
            batch.caps != 0 ||
            terms.emergency() != 0 ||
            terms.operation() == Codes.TRANSFER;
        batch.custodian = 0; // what follows from the custodian depends on the terms too
        if (batch.caps == 0) facts |= Facts.WITHIN_CAP;
        facts |= _memberFacts(batch, terms);
        Party memory principal = batch.principal;
        batch.facts = facts | _projectFacts(principal.id, terms, dataClass);
        batch.test = GrantWordLib.testOf(terms, principal.id, principal.control, principal.kind);
    }

    /// @dev What follows from who asks; names the principal.
    function _memberFacts(Batch memory batch, Terms terms) private view returns (uint256 facts) {
        Party memory requester = batch.requester;
        uint8 purpose = terms.purpose();
        bool active = requester.active;
        uint16 scope = requester.scope;
        batch.principal = requester;
        if (terms.controller() != 0) {
            Party memory controller = _party(terms.controller());
            active = active && controller.active;
            scope &= controller.scope;
            batch.principal = _isEntrusted(controller.id, requester.id, purpose) ? controller : _nobody();
        }
        if (active) facts = Facts.MEMBER_ACTIVE;
        if (_has(scope, purpose)) facts |= Facts.MEMBER_SCOPE;
    }

    function _decide(Batch memory batch, Request calldata request) private returns (Verdict verdict) {
        bytes32 passportId = request.passportId;
        bytes32 grantId = request.grantId;
        IPassports.Passport storage stored = _passports[passportId];
        PassportWord passport = PassportWordLib.load(stored);
        require(passport.isKnown(), IPassports.Passports_Unknown(passportId));
        GrantWord grant = GrantWordLib.NO_GRANT;
        if (grantId != 0) grant = GrantWordLib.load(_grants[passportId][grantId]);
        uint256 facts =
            batch.facts |
                grant.facts(batch.test) |
                _passportFacts(batch, request, passport, grant);
        uint256 missing = batch.required & ~facts;
        passport.storeNext(stored);
        uint256 outcome = Codes.PERMIT;
        if (missing == 0) {
            if (batch.consumes || grant.hasQuota()) _takePermit(batch, request, passport);
        } else {
            outcome = Codes.DENY;
            if (missing == Facts.HUMAN_REVIEWED) {
                outcome = Codes.REVIEW;
                _waiting[passportId][uint40(passport.size())] = PassportHash.requestHash(request, batch.requester.id);
            }
        }
        verdict = _record(
            batch,
            request,
            VerdictLib.answer(batch.answer, passport.size(), outcome, facts, missing)
        );
    }

    /// @dev What follows from the passport, and the facts on demand.
    function _passportFacts(
        Batch memory batch,
        Request calldata request,
        PassportWord passport,
        GrantWord grant
    ) private view returns (uint256 facts) {
        uint256 custodian = passport.custodian();
        if (custodian != batch.custodian) _meet(batch, custodian);
        facts =
            batch.custodianFacts |
                Branchless.select(passport.isOpen(), Facts.PASSPORT_OPEN) |
                Branchless.select(passport.serves(batch.purpose), Facts.PURPOSE_ALLOWED) |
                Branchless.select(_isLevelSufficient(batch, passport, grant), Facts.LEVEL_SUFFICIENT) |
                Branchless.select(passport.lock() == 0, Facts.UNLOCKED);
        if (Branchless.either(batch.unusual, passport.lock() != 0))
            facts |= _unusualFacts(batch, request, passport);
    }

    function _isLevelSufficient(
        Batch memory batch,
        PassportWord passport,
        GrantWord grant
    ) private pure returns (bool) {
        Terms terms = batch.terms;
        uint256 least = batch.leastLevel;
        if (grant.level() > least && terms.basis() == Codes.CONSENT) least = grant.level();
        return Branchless.either(terms.level() >= least, passport.level() >= least);
    }

    function _unusualFacts(
        Batch memory batch,
        Request calldata request,
        PassportWord passport
    ) private view returns (uint256 facts) {
        Terms terms = batch.terms;
        if (passport.lock() != 0 && passport.lock() == terms.emergency() && _covers(batch, request))
            facts = Facts.UNLOCKED;
        if (batch.caps != 0) {
            uint256 place = 16 * uint256(terms.purpose());
            uint16 cap = uint16(batch.caps >> place);
            if (cap == 0 || uint16(batch.used >> place) < cap) facts |= Facts.WITHIN_CAP;
        }
        if (batch.asked != 0) facts |= _factsOnDemand(batch.asked, batch, request);
    }

    /// @dev Works out what follows from who keeps the data.
    function _meet(Batch memory batch, uint256 custodian) private view {
        batch.custodian = custodian;
        batch.jurisdiction = _members[uint32(custodian)].jurisdiction;
        uint256 facts = custodian == batch.principal.id ? Facts.REQUESTER_IS_CUSTODIAN : 0;
        if (
            batch.required & Facts.BORDER_CLEARED != 0 &&
            (batch.jurisdiction == batch.requester.jurisdiction ||
                _attestedBy(_project(batch.terms), IAttestations.AttestationKind.CLEARANCE) != 0)
        ) facts |= Facts.BORDER_CLEARED;
        batch.custodianFacts = facts;
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

    function _projectFacts(
        uint32 principal,
        Terms terms,
        uint8 dataClass
    ) private view returns (uint256 facts) {
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

    function _factsOnDemand(
        uint256 asked,
        Batch memory batch,
        Request calldata request
    ) private view returns (uint256 facts) {
        uint32 requester = batch.requester.id;
        if (asked & Facts.EMERGENCY_IN_FORCE != 0 && _covers(batch, request))
            facts = Facts.EMERGENCY_IN_FORCE;
        if (asked & Facts.REVIEWS_CURRENT != 0 && _reviewsCurrent(requester)) facts |= Facts.REVIEWS_CURRENT;
        if (
            asked & Facts.HUMAN_REVIEWED != 0 &&
            block.timestamp < _approvals[PassportHash.requestHash(request, requester)]
        ) facts |= Facts.HUMAN_REVIEWED;
        facts |= _attestedFacts(asked, request, requester);
    }

    function _attestedFacts(
        uint256 asked,
        Request calldata request,
        uint32 requester
    ) private view returns (uint256 facts) {
        bytes32 passportId = request.passportId;
        Terms terms = request.terms;
        if (
            asked & Facts.ENCRYPTED != 0 &&
            _attestedBy(passportId, IAttestations.AttestationKind.ENCRYPTION) != 0
        ) facts = Facts.ENCRYPTED;
        if (asked & Facts.DEIDENTIFIED != 0) {
            uint32 verifier = _attestedBy(passportId, IAttestations.AttestationKind.DEIDENTIFICATION);
            if (verifier != 0 && verifier != requester && verifier != terms.controller())
                facts |= Facts.DEIDENTIFIED;
        }
        if (
            asked & Facts.SOURCE_DECLARED != 0 &&
            _attestedBy(passportId, IAttestations.AttestationKind.SOURCE) != 0
        ) facts |= Facts.SOURCE_DECLARED;
        if (
            asked & Facts.MODEL_LICENSED != 0 &&
            _attestedBy(_project(terms), IAttestations.AttestationKind.LICENCE) != 0
        ) facts |= Facts.MODEL_LICENSED;
    }

    /// @dev Whether the emergency that a request names is in force and covers it.
    function _covers(Batch memory batch, Request calldata request) private view returns (bool) {
        Terms terms = batch.terms;
        IEmergencies.Emergency storage emergency = _emergencies[terms.emergency()];
        if (
            block.timestamp < emergency.from ||
            block.timestamp >= emergency.until ||
            terms.categories() & ~emergency.categories != 0
        ) return false;
        bool individual = terms.basis() == Codes.INDIVIDUAL_EMERGENCY;
        if (emergency.kind == IEmergencies.EmergencyKind.INDIVIDUAL)
            return
                individual &&
                emergency.memberId == batch.requester.id &&
                emergency.passportId == request.passportId;
        return
            !individual &&
            _has(emergency.purposes, terms.purpose()) &&
            emergency.used < emergency.maxRecords &&
            (emergency.jurisdiction == 0 || emergency.jurisdiction == batch.jurisdiction);
    }

    /// @dev What a permit uses up.
    function _takePermit(Batch memory batch, Request calldata request, PassportWord passport) private {
        Terms terms = request.terms;
        uint256 place = 16 * uint256(terms.purpose());
        // A subject's own requests are counted beyond the cap: not into the next purpose's bits.
        if (uint16(batch.caps >> place) != 0 && uint16(batch.used >> place) != type(uint16).max)
            batch.used += 1 << place;
        if (terms.basis() == Codes.CONSENT) {
            IConsents.GrantState storage grant = _grants[request.passportId][request.grantId];
            if (grant.maxUses != 0) ++grant.uses;
        }
        uint32 emergencyId = terms.emergency();
        if (emergencyId != 0) {
            // Named, but nothing rests on it: nothing is used up.
            bool rests =
                batch.required & Facts.EMERGENCY_IN_FORCE != 0 ||
                    (batch.required & Facts.UNLOCKED != 0 && passport.lock() != 0);
            if (!rests) emergencyId = 0;
            IEmergencies.Emergency storage emergency = _emergencies[emergencyId];
            if (emergency.kind == IEmergencies.EmergencyKind.PUBLIC) ++emergency.used;
        }
        if (terms.operation() == Codes.TRANSFER) {
            _permits[request.passportId][uint40(passport.size())] = Permit({
                recipient: batch.requester.id,
                decidedAt: uint32(block.timestamp),
                emergency: emergencyId,
                control: batch.requester.control,
                grantId: terms.basis() == Codes.CONSENT ? request.grantId : bytes32(0)
            });
        }
    }

    /// @dev Adds the decision to the fold and emits it. The words of the fold end with those of the event's data, so one
    /// piece of memory serves both.
    function _record(
        Batch memory batch,
        Request calldata request,
        Verdict verdict
    ) private returns (Verdict recorded) {
        bytes32 topic = DecisionRecorded.selector;
        bytes32 head_ = batch.head;
        uint256 requester = batch.requester.id;
        assembly ("memory-safe") {
            let words := mload(0x40)
            let passportId := calldataload(request)
            let grantId := calldataload(add(request, 0x20))
            mstore(words, head_)
            mstore(add(words, 0x20), passportId)
            mstore(add(words, 0x40), grantId)
            mstore(add(words, 0x60), requester)
            mstore(add(words, 0x80), calldataload(add(request, 0x60)))
            mstore(add(words, 0xa0), verdict)
            mstore(add(words, 0xc0), calldataload(add(request, 0x40)))
            head_ := keccak256(words, 0xe0)
            log4(add(words, 0x80), 0x60, topic, passportId, grantId, requester)
            recorded := mload(add(words, 0xa0))
        }
        batch.head = head_;
    }

    /// @dev A project as attestations name it.
    function _project(Terms terms) private pure returns (bytes32) {
        return bytes32(uint256(terms.project()));
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
}
