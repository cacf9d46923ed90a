// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IAttestations} from "../../contracts/interfaces/IAttestations.sol";
import {IDatasets} from "../../contracts/interfaces/IDatasets.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IEmergencies} from "../../contracts/interfaces/IEmergencies.sol";
import {ILineage} from "../../contracts/interfaces/ILineage.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {StepFacts} from "../../contracts/libraries/StepFacts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {Base, ILedger} from "./Base.t.sol";

/// @notice Acts on the ledger at random and remembers what should be true. Never reverts: an act that must fail is
/// tried with a low-level call, and its success is a violation.
contract Handler is Base {
    struct Asset {
        bytes32 passportId;
        uint32 custodian;
        uint256 holderKey;
        uint256 formerKey; // 0 if there is none
        uint16 epoch;
        bool assisted;
        uint256 delegateKey;
        uint32 delegateUntil;
        uint256 heirKey; // of the recovery under way
        uint32 readyAt; // 0 if there is none
        uint16 purposes;
        uint32 lock;
        IPassports.PassportStatus status;
        uint40 size;
    }

    struct Consent {
        bytes32 passportId;
        bytes32 grantId;
        uint256 successor; // place in the list of what replaced it
        IConsents.GrantState state; // as it should be stored
    }

    /// @dev A permit to transfer.
    struct Leave {
        bytes32 passportId;
        bytes32 grantId; // 0 unless it rests on consent
        uint40 seq;
        uint32 decidedAt;
        uint32 recipient;
        uint16 control;
        uint32 emergency; // 0 unless it rests on one
        bool used;
    }

    /// @dev An emergency as it should be, and whether a review of it is owed.
    struct Urgency {
        IEmergencies.Emergency stored;
        bool owed;
    }

    uint256 private constant MOST_PASSPORTS = 8;
    uint256 private constant MOST_GRANTS = 48;
    uint256 private constant MOST_EMERGENCIES = 24;

    uint32 private constant GUEST = FOUNDED + 1; // the one that is expelled
    uint32 private constant SECOND_SEAT = FOUNDED + 2;
    uint32 private constant LAST_SEAT = FOUNDED + 4;

    /// @dev How often each numbered invariant was seen broken.
    mapping(uint256 invariant => uint256 times) public violations;
    bytes32 public head;
    uint256 public permits;
    uint256 public denials;
    uint256 public reviews;
    uint256 public forgeries;
    uint256 public shipments;
    bool public guestIsOut;

    Asset[] private _assets;
    Consent[] private _consents;
    Consent private _nothing; // is never written to
    Leave[] private _leaves;
    Urgency[] private _urgencies; // number n at place n - 1
    IEmergencies.Right private _right; // of the one member that opens emergencies
    mapping(uint32 memberId => bool inactive) private _inactive;
    mapping(uint32 memberId => uint16 control) private _controls;
    mapping(uint32 memberId => uint32 projectId) private _projectOf;
    mapping(uint32 memberId => mapping(uint8 purpose => uint16 cap)) private _caps;
    mapping(uint32 memberId => mapping(uint256 day => mapping(uint8 purpose => uint256 used))) private _used;
    mapping(uint32 controller => mapping(uint32 processor => IMembers.Entrustment order)) private _orders;
    mapping(bytes32 request => uint256 until) private _approved;
    IPolicy.Table private _defaultLaw;
    uint256 private _ids;
    uint256 private _keys = 0x1000;

    constructor() {
        _deploy();
        _defaultLaw = ledger.policy();
        _admit(GUEST, Codes.ROLE_PROCESSOR);
        for (uint32 memberId = SECOND_SEAT; memberId <= LAST_SEAT; ++memberId)
            _admit(memberId, Codes.ROLE_COMMITTEE);
        _asCommittee();
        ledger.setSeat(SECOND_SEAT, ICommittee.SeatKind.PATIENTS);
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = type(uint16).max;
        filing.validTo = START + 3650 * DAY;
        uint32[4] memory filers = [HOSPITAL, LAB, CLINIC, GUEST];
        for (uint256 index = 0; index < filers.length; ++index)
            _approve(_projectOf[filers[index]] = _file(filers[index], filing));
        issue(HOSPITAL);
        issue(CLINIC);
        grant(0, 0, 0, 0);
        grant(1, 1, 1, 1);
    }

    /* ACTS OF MEMBERS */

    function issue(uint256 seed) public {
        uint32 custodian = seed % 2 == 0 ? HOSPITAL : CLINIC;
        if (_assets.length == MOST_PASSPORTS || _inactive[custodian]) return;
        IPassports.Issue memory given = _issueOf(_freshId(), vm.addr(++_keys));
        if ((seed >> 8) % 5 == 1) given.custody = IPassports.Custody.ASSISTED;
        if ((seed >> 16) % 5 == 1) given.lock = _somePublic(seed >> 24);
        _issue(custodian, given);
        Asset storage asset = _assets.push();
        asset.passportId = given.passportId;
        asset.custodian = custodian;
        asset.holderKey = _keys;
        asset.assisted = given.custody == IPassports.Custody.ASSISTED;
        asset.purposes = LAWFUL_PURPOSES;
        asset.lock = given.lock;
        asset.status = IPassports.PassportStatus.OPEN;
    }

    /// @dev Requests that grant and project cover, as far as the seed lets them; mostly of the grant's recipient.
    function requestUnderGrants(uint256 seed) external {
        for (uint256 round = 0; round < 5; ++round) {
            seed = uint256(keccak256(abi.encode(seed)));
            _askUnderGrant(_consents[seed % _consents.length], seed >> 8);
        }
    }

    function requestAnything(uint256 caller, uint256 asset, uint256 consent, uint256 words) external {
        uint16 categories = uint16(words) == 0 ? 1 : uint16(words);
        Terms terms = TermsLib.pack(
            uint8(words >> 16) % 16,
            uint8(words >> 24) % 8,
            uint8(words >> 32) % 2,
            categories,
            uint32(words >> 40) % 6
        );
        terms = terms.atLevel(uint8(words >> 80) % 4);
        terms = terms.under(uint32((words >> 88) % (_urgencies.length + 1)));
        terms = terms.onBehalfOf(uint32(words >> 120) % 6);
        bytes32 grantId = consent % 4 == 0 ? bytes32(0) : _consents[consent % _consents.length].grantId;
        _ask(
            HOSPITAL + uint32(caller % (GUEST - 1)),
            _assets[asset % _assets.length].passportId,
            grantId,
            terms
        );
    }

    /// @dev Under an emergency, in force or not, what it is for.
    function requestUnderEmergency(uint256 seed) external {
        if (_urgencies.length == 0) return;
        uint32 number = 1 + uint32(seed % _urgencies.length);
        IEmergencies.Emergency storage emergency = _urgencies[number - 1].stored;
        bool individual = emergency.kind == IEmergencies.EmergencyKind.INDIVIDUAL;
        uint32 caller =
            (seed >> 8) % 5 == 0
                ? LAB
                : individual
                    ? RESCUE
                    : _someUser(seed >> 16);
        Terms terms = TermsLib.pack(
            individual ? Codes.EMERGENCY_CARE : Codes.PUBLIC_HEALTH,
            individual ? Codes.INDIVIDUAL_EMERGENCY : Codes.PUBLIC_EMERGENCY,
            uint8(seed >> 24) % 2,
            (seed >> 32) % 5 == 0 ? Codes.IMAGING : ASKED,
            _projectOf[caller]
        );
        bytes32 passportId =
            individual ? emergency.passportId : _assets[(seed >> 40) % _assets.length].passportId;
        _ask(caller, passportId, 0, terms.atLevel(Codes.PSEUDONYMISED).under(number));
    }

    /// @dev The subject itself asks: always served, while the data is open. Or an authority compels.
    function requestOfOthers(uint256 which) external {
        Asset storage asset = _assets[which % _assets.length];
        if ((which >> 64) % 3 == 0) {
            Terms compelled = TermsLib.pack(Codes.OPERATIONS, Codes.COMPELLED, Codes.READ, ASKED, 0);
            _ask(_someUser(which >> 72), asset.passportId, 0, compelled);
            return;
        }
        Terms terms = TermsLib.pack(Codes.PATIENT_REQUEST, Codes.SUBJECT_REQUEST, Codes.READ, ASKED, 0);
        terms = terms.under(uint32((which >> 8) % (_urgencies.length + 1)));
        _ask(asset.custodian, asset.passportId, 0, terms);
    }

    function narrow(uint256 which, uint16 mask) external {
        Asset storage asset = _assets[which % _assets.length];
        if (_inactive[asset.custodian] || asset.status != IPassports.PassportStatus.OPEN) return;
        uint16 wider = asset.purposes | mask | 0x8000;
        _tryAs(asset.custodian, abi.encodeCall(ledger.narrow, (asset.passportId, wider)), 5);

        uint16 purposes = asset.purposes & (mask | (mask << 8) | 0x0080);
        if (purposes == 0 || purposes == asset.purposes) return;
        _as(asset.custodian);
        ledger.narrow(asset.passportId, purposes);
        asset.purposes = purposes;
    }

    function sealUp(uint256 which, uint256 who) external {
        Asset storage asset = _assets[which % _assets.length];
        if (asset.status != IPassports.PassportStatus.OPEN || who % 4 == 0) return;
        if (who % 4 == 1 && _inactive[asset.custodian]) return;
        vm.prank([_signer(asset.custodian), _signer(REGULATOR), address(ledger)][(who % 4) - 1]);
        ledger.seal(asset.passportId, COMMITMENT);
        asset.status = IPassports.PassportStatus.SEALED;
    }

    function destroy(uint256 which) external {
        Asset storage asset = _assets[which % _assets.length];
        bytes memory call_ = abi.encodeCall(ledger.destroy, (asset.passportId, COMMITMENT));
        if (asset.status != IPassports.PassportStatus.OPEN) {
            _tryAs(asset.custodian, call_, 7);
        } else if (!_inactive[asset.custodian] && which % 8 == 0) {
            _destroy(asset.custodian, asset.passportId);
            asset.status = IPassports.PassportStatus.DESTROYED;
        }
    }

    /// @dev A permit to transfer stands for an hour, while its recipient and what it rests on are as they were.
    function ship(uint256 which) external {
        if (_leaves.length == 0) return;
        Leave storage permit = _leaves[_leaves.length - 1 - (which % _leaves.length) / 2]; // rather a late one
        bool stands = _stands(permit);
        _check(2, ledger.transferPermit(permit.passportId, permit.seq) == (stands ? permit.recipient : 0));
        Asset storage asset = _assetOf(permit.passportId);
        bool open = asset.status == IPassports.PassportStatus.OPEN && !_inactive[asset.custodian];
        bytes memory call_ = abi.encodeCall(
            ledger.ship,
            (_freshId(), permit.passportId, permit.seq, COMMITMENT)
        );
        bool done = _do(_signer(asset.custodian), call_);
        _check(2, done == (stands && open));
        if (!done) return;
        permit.used = true;
        ++shipments;
    }

    function entrust(uint256 seed, uint32 period) external {
        uint32 controller = _someUser(seed);
        uint32 processor = _someUser(seed >> 8);
        if (controller == processor || _inactive[controller]) return;
        IMembers.Entrustment memory order = IMembers.Entrustment(
            uint16(seed >> 16),
            uint32(_now()) + (period % (20 * DAY))
        );
        _as(controller);
        ledger.entrust(processor, order.purposes, order.validTo, COMMITMENT);
        _orders[controller][processor] = order;
    }

    /* ACTS OF HOLDERS AND DELEGATES, AND OF THOSE WHO PRETEND TO BE ONE */

    function grant(uint256 which, uint256 recipient, uint256 period, uint256 words) public {
        Asset storage asset = _assets[which % _assets.length];
        if (_consents.length >= MOST_GRANTS || asset.status != IPassports.PassportStatus.OPEN) return;
        IConsents.Grant memory given = _someGrant(asset, recipient, period, words);
        if (given.purposes & ledger.policy().bannedPurposes != 0) return;
        Consent storage former = _consents.length == 0 ? _nothing : _consents[words % _consents.length];
        bool asked = _isOf(former, asset, IConsents.GrantStatus.REQUESTED);
        if (asked) given.grantId = former.grantId;
        bool supersedes = _isOf(former, asset, IConsents.GrantStatus.ACTIVE) && period % 2 == 0;
        if (supersedes) given.supersedes = former.grantId;
        (IConsents.Proof memory proof, IConsents.Assurance assurance) = _sign(
            asset,
            _grantHash(given),
            period >> 8
        );
        bytes memory call_ = abi.encodeCall(ledger.grant, (_one(given), _one(proof)));
        bool fit = assurance != IConsents.Assurance.ASSISTED || !_inactive[asset.custodian];
        bool done = _do(STRANGER, call_);
        _check(3, done == fit);
        if (!done) return;

        if (supersedes) {
            former.state.status = IConsents.GrantStatus.SUPERSEDED;
            former.successor = _consents.length;
        }
        _remember(given).state = _stateOf(given, _controls[given.recipient], assurance);
    }

    function revoke(uint256 which, uint256 seed) external {
        Consent storage consent = _consents[which % _consents.length];
        Asset storage asset = _assetOf(consent.passportId);
        (IConsents.Proof memory proof, ) = _sign(
            asset,
            _revocationHash(consent.passportId, consent.grantId),
            seed
        );
        ledger.revoke(consent.passportId, consent.grantId, proof);
        while (consent.state.status == IConsents.GrantStatus.SUPERSEDED)
            consent = _consents[consent.successor];
        IConsents.GrantStatus status = consent.state.status;
        if (status == IConsents.GrantStatus.ACTIVE || status == IConsents.GrantStatus.REQUESTED)
            consent.state.status = IConsents.GrantStatus.WITHDRAWN;
    }

    /// @dev The withdrawal of a grant reaches the ledger before the grant: the grant never does.
    function revokeBeforeGrant(uint256 which, uint256 recipient, uint256 period, uint256 words) external {
        Asset storage asset = _assets[which % _assets.length];
        if (_consents.length >= MOST_GRANTS) return;
        IConsents.Grant memory given = _someGrant(asset, recipient, period, words);
        (IConsents.Proof memory proof, ) = _sign(
            asset,
            _revocationHash(given.passportId, given.grantId),
            period
        );
        ledger.revoke(given.passportId, given.grantId, proof);
        _remember(given).state.status = IConsents.GrantStatus.WITHDRAWN;
        (proof, ) = _sign(asset, _grantHash(given), period);
        _tryAs(asset.custodian, abi.encodeCall(ledger.grant, (_one(given), _one(proof))), 2);
        Terms terms = TermsLib.pack(
            _lowestBit(given.purposes),
            Codes.CONSENT,
            Codes.READ,
            Codes.VITALS,
            _projectOf[LAB]
        );
        _ask(LAB, given.passportId, given.grantId, terms.atLevel(Codes.AGGREGATE));
    }

    function requestConsent(uint256 which, uint256 who) external {
        Asset storage asset = _assets[which % _assets.length];
        uint32 caller = _someUser(who);
        if (
            _consents.length >= MOST_GRANTS ||
            asset.status != IPassports.PassportStatus.OPEN ||
            _inactive[caller]
        ) return;
        IConsents.Grant memory given = _grantOf(_freshId(), asset.passportId);
        _as(caller);
        ledger.requestConsent(given.passportId, given.grantId, COMMITMENT);
        _remember(given).state.status = IConsents.GrantStatus.REQUESTED;
    }

    /// @dev Refuse what was asked for, confirm what was given, repudiate what was filed in the holder's name.
    function answer(uint256 which, uint256 seed) external {
        Consent storage consent = _consents[which % _consents.length];
        if (consent.state.status == IConsents.GrantStatus.REQUESTED) _refuse(consent, seed);
        else if (consent.state.status == IConsents.GrantStatus.ACTIVE) {
            IConsents.Assurance assurance = consent.state.assurance;
            bool inItsName =
                assurance == IConsents.Assurance.PAPER || assurance == IConsents.Assurance.ASSISTED;
            if (inItsName && seed % 3 == 0) _repudiate(consent, seed >> 8);
            else _confirm(consent, seed >> 8);
        }
    }

    function fileConsent(uint256 which, uint256 recipient, uint256 period, uint256 words) external {
        Asset storage asset = _assets[which % _assets.length];
        if (
            _consents.length >= MOST_GRANTS ||
            asset.status != IPassports.PassportStatus.OPEN ||
            _inactive[asset.custodian]
        ) return;
        IConsents.Grant memory given = _someGrant(asset, recipient, period, words);
        given.flags &= ~Codes.FLAG_SEPARATE;
        if (given.purposes & ledger.policy().bannedPurposes != 0) return;
        _as(asset.custodian);
        ledger.fileConsent(given, COMMITMENT);
        _remember(given).state = _stateOf(given, _controls[given.recipient], IConsents.Assurance.PAPER);
        // Another custodian never files, nor does this one file what only a signature can say.
        given.grantId = _freshId();
        _tryAs(asset.custodian == CLINIC ? HOSPITAL : CLINIC, _fileCall(given), 3);
        given.flags |= Codes.FLAG_SEPARATE;
        _tryAs(asset.custodian, _fileCall(given), 3);
    }

    /// @dev Somebody else signs: a stranger, the holder of another passport, who was the holder or a delegate before.
    function forge(uint256 which, uint256 key, uint256 period, uint256 words) external {
        Asset storage asset = _assets[which % _assets.length];
        IConsents.Grant memory given = _someGrant(asset, words, period, words);
        IConsents.Proof memory proof = _forged(asset, key, _grantHash(given));
        _tryAs(asset.custodian, abi.encodeCall(ledger.grant, (_one(given), _one(proof))), 3);

        Consent storage consent = _consents[words % _consents.length];
        bytes32 passportId = consent.passportId;
        bytes32 grantId = consent.grantId;
        asset = _assetOf(passportId);
        proof = _forged(asset, key, _revocationHash(passportId, grantId));
        _tryAs(LAB, abi.encodeCall(ledger.revoke, (passportId, grantId, proof)), 3);
        proof = _forged(asset, key, _refusalHash(passportId, grantId));
        _tryAs(LAB, abi.encodeCall(ledger.refuse, (passportId, grantId, proof)), 3);
        proof = _forged(asset, key, _repudiationHash(passportId, grantId));
        _tryAs(LAB, abi.encodeCall(ledger.repudiate, (passportId, grantId, proof)), 3);
        uint16 control = _controls[consent.state.recipient];
        proof = _forged(asset, key, _confirmationHash(passportId, grantId, control));
        _tryAs(LAB, abi.encodeCall(ledger.confirm, (passportId, grantId, proof)), 3);
        bytes memory heir = abi.encodePacked(STRANGER);
        bytes memory signature = _forged(asset, key, _rotationHash(passportId, heir, IPassports.Custody.SELF))
            .signature;
        _tryAs(
            LAB,
            abi.encodeCall(ledger.rotateHolder, (passportId, heir, IPassports.Custody.SELF, signature)),
            3
        );
        ++forgeries;
    }

    function rotate(uint256 which, bool assisted) external {
        Asset storage asset = _assets[which % _assets.length];
        bytes memory heir = abi.encodePacked(vm.addr(++_keys));
        IPassports.Custody custody = assisted ? IPassports.Custody.ASSISTED : IPassports.Custody.SELF;
        bytes memory signature = _signedHash(asset.holderKey, _rotationHash(asset.passportId, heir, custody));
        bytes memory call_ = abi.encodeCall(
            ledger.rotateHolder,
            (asset.passportId, heir, custody, signature)
        );
        _check(3, _do(STRANGER, call_));
        _replaceHolder(asset, _keys, assisted);
        _tryAs(LAB, call_, 3); // a replay
    }

    /// @dev Name somebody, end somebody, or be told again what was said before.
    function nameDelegate(uint256 which, uint32 period) external {
        Asset storage asset = _assets[which % _assets.length];
        if (asset.delegateKey == 0) asset.delegateKey = ++_keys;
        bytes memory key = abi.encodePacked(vm.addr(asset.delegateKey));
        uint32 validTo = period % 3 == 0 ? 0 : uint32(_now()) + (period % (30 * DAY));
        bytes memory signature = _signedHash(
            asset.holderKey,
            _delegationHash(asset.passportId, key, validTo)
        );
        bytes memory call_ = abi.encodeCall(ledger.nameDelegate, (asset.passportId, key, validTo, signature));
        _check(3, _do(STRANGER, call_));
        asset.delegateUntil = validTo;
        _tryAs(LAB, call_, 3); // a replay
    }

    /// @dev At the counter: begin, object, complete; too early it fails.
    function recover(uint256 which, uint256 seed) external {
        Asset storage asset = _assets[which % _assets.length];
        if (asset.readyAt == 0) {
            if (_inactive[asset.custodian]) return;
            asset.heirKey = ++_keys;
            asset.readyAt = uint32(_now() + 7 days);
            _as(asset.custodian);
            ledger.recoverAtCounter(
                asset.passportId,
                abi.encodePacked(vm.addr(asset.heirKey)),
                IPassports.Custody.SELF
            );
        } else if (seed % 3 == 0) {
            bytes memory signature = _signedHash(
                asset.holderKey,
                _objectionHash(asset.passportId, asset.readyAt)
            );
            ledger.cancelRecovery(asset.passportId, signature);
            asset.readyAt = 0;
        } else {
            bool done = _do(STRANGER, abi.encodeCall(ledger.completeRecovery, (asset.passportId)));
            _check(3, done == (_now() >= asset.readyAt));
            if (done) _replaceHolder(asset, asset.heirKey, false);
        }
    }

    /* EMERGENCIES */

    function openEmergency(uint256 which) external {
        if (_urgencies.length == MOST_EMERGENCIES) return;
        Asset storage asset = _assets[which % _assets.length];
        bool current = !_right.lost;
        for (uint256 index = 0; index < _urgencies.length; ++index) {
            Urgency storage other = _urgencies[index];
            if (other.owed && _now() > other.stored.reviewDue) current = false;
        }
        uint32 time = uint32(_now());
        bool anew = time >= uint256(_right.windowStart) + 30 days;
        bool left = anew || _right.inWindow < _defaultLaw.emergencies.monthlyQuota;
        bytes memory call_ = abi.encodeCall(ledger.openEmergency, (asset.passportId, 1, 0, COMMITMENT));
        bool done = _do(_signer(RESCUE), call_);
        _check(8, done == (current && left && asset.status == IPassports.PassportStatus.OPEN));
        if (!done) return;
        if (anew) (_right.windowStart, _right.inWindow) = (time, 0);
        ++_right.inWindow;
        ++_right.opened;
        Urgency storage urgency = _urgencies.push();
        urgency.owed = true;
        urgency.stored.kind = IEmergencies.EmergencyKind.INDIVIDUAL;
        urgency.stored.memberId = RESCUE;
        urgency.stored.categories = _defaultLaw.emergencies.categories;
        urgency.stored.from = time;
        urgency.stored.until = time + 4 hours;
        urgency.stored.reviewDue = time + 72 hours;
        urgency.stored.passportId = asset.passportId;
    }

    function declareEmergency(uint256 seed) external {
        if (_urgencies.length == MOST_EMERGENCIES) return;
        IEmergencies.Declaration memory given = _declaration();
        given.from += uint32(seed % DAY);
        given.until = given.from + 1 + uint32((seed >> 32) % (30 * DAY));
        given.maxRecords = 1 + uint32((seed >> 64) % 20);
        if ((seed >> 96) % 3 == 0) given.jurisdiction = (seed >> 104) % 2 == 0 ? CHINA : ABROAD;
        _declare(given);
        Urgency storage urgency = _urgencies.push();
        urgency.stored.kind = IEmergencies.EmergencyKind.PUBLIC;
        urgency.stored.purposes = given.purposes;
        urgency.stored.categories = given.categories;
        urgency.stored.from = given.from;
        urgency.stored.until = given.until;
        urgency.stored.maxRecords = given.maxRecords;
        urgency.stored.jurisdiction = given.jurisdiction;
    }

    /// @dev A public one is ended, an individual one reviewed; what has ended never lasts longer.
    function settle(uint256 which, bool justified) external {
        if (_urgencies.length == 0) return;
        uint32 number = 1 + uint32(which % _urgencies.length);
        Urgency storage urgency = _urgencies[number - 1];
        if (urgency.stored.kind == IEmergencies.EmergencyKind.PUBLIC) {
            _asCommittee();
            (bool done, ) = address(ledger).call(abi.encodeCall(ledger.endEmergency, (number)));
            _check(8, done == (_now() < urgency.stored.until));
            if (done) urgency.stored.until = uint32(_now());
        } else if (urgency.stored.finding == IEmergencies.Finding.PENDING) {
            _reviewEmergency(ETHICS, number, justified || which % 4 != 0);
            bool found = justified || which % 4 != 0;
            urgency.stored.finding =
                found ? IEmergencies.Finding.JUSTIFIED : IEmergencies.Finding.UNJUSTIFIED;
            if (!found && _now() < urgency.stored.until) urgency.stored.until = uint32(_now());
            if (!found || (urgency.owed && _now() > urgency.stored.reviewDue)) _right.lost = true;
            urgency.owed = false;
        }
    }

    function restoreRight() external {
        _asCommittee();
        ledger.restoreEmergencyRight(RESCUE);
        _right.lost = false;
        for (uint256 index = 0; index < _urgencies.length; ++index) _urgencies[index].owed = false;
    }

    /* ACTS OF THE COMMITTEE, AND TIME */

    function suspendOrReinstate(uint256 which) external {
        uint32 memberId = HOSPITAL + uint32(which % 3);
        if (!_inactive[memberId] && (which >> 8) % 3 != 0) return; // mostly active
        bytes32 before = _storedGrants();
        if (_inactive[memberId]) _reinstate(memberId);
        else _suspend(memberId);
        _inactive[memberId] = !_inactive[memberId];
        _check(6, before == _storedGrants());
    }

    /// @dev Once, for good.
    function expel(uint256 seed) external {
        if (guestIsOut) {
            bytes[3] memory acts = [
                abi.encodeCall(ledger.reinstate, (GUEST)),
                abi.encodeCall(ledger.suspend, (GUEST, COMMITMENT)),
                abi.encodeCall(ledger.license, (GUEST, type(uint16).max, MEMBERSHIP_END))
            ];
            for (uint256 index = 0; index < acts.length; ++index)
                _check(6, !_do(address(ledger), acts[index]));
        } else if (seed % 8 == 0) {
            bytes32 before = _storedGrants();
            _expel(GUEST);
            guestIsOut = _inactive[GUEST] = true;
            _check(6, before == _storedGrants());
        }
    }

    function changeControl(uint256 which) external {
        uint32 memberId = _someUser(which);
        bytes32 before = _storedGrants();
        _changeControl(memberId);
        ++_controls[memberId];
        _check(6, before == _storedGrants());
    }

    function setCap(uint256 which, uint16 cap) external {
        uint32 memberId = _someUser(which);
        uint8 purpose = _somePurpose(which >> 8);
        for (uint8 other = 0; other < Codes.PURPOSES; ++other) _caps[memberId][other] = 0;
        _caps[memberId][purpose] = cap % 8;
        _setCap(memberId, purpose, cap % 8);
    }

    function unseal(uint256 which) external {
        Asset storage asset = _assets[which % _assets.length];
        if (asset.status != IPassports.PassportStatus.SEALED) return;
        _asCommittee();
        ledger.unseal(asset.passportId);
        asset.status = IPassports.PassportStatus.OPEN;
    }

    /// @dev The default law with one change: a purpose banned, an entry taken away, or a human review required.
    function changePolicy(uint256 kind, uint256 which, uint256 basis) external {
        IPolicy.Table memory law = _defaultLaw;
        uint8 purpose = _somePurpose(which);
        uint256 index = 16 * (1 + ((which >> 8) % 2)) + purpose; // class 2 or 3
        uint256 shift = 32 * (1 + (basis % 2)); // consent or care by the custodian
        if (kind % 4 == 1) {
            law.bannedPurposes |= _bit(purpose);
        } else if (kind % 4 == 2) {
            law.required[index] &= ~(uint256(type(uint32).max) << shift);
        } else if (kind % 4 == 3 && uint32(law.required[index] >> shift) != 0) {
            law.required[index] |= uint256(Facts.HUMAN_REVIEWED) << shift;
        }
        _asCommittee();
        ledger.setPolicy(law);
    }

    /// @dev Whatever a seat proposes, it is done in order or not at all. Among it: to unseat, suspend or expel each
    /// other, and rules that nobody could follow.
    function propose(uint256 seed, uint256 words) external {
        uint32 memberId = _someSeatable(words);
        bytes[7] memory calls = [
            abi.encodeCall(ledger.setSeat, (memberId, ICommittee.SeatKind(uint8(words >> 8) % 11))),
            abi.encodeCall(ledger.setSeat, (memberId, ICommittee.SeatKind.NONE)),
            abi.encodeCall(
                ledger.setRule,
                (
                    ICommittee.ActKind(uint8(words >> 16) % 5),
                    ICommittee.Rule(
                        uint8(words >> 24) % 4,
                        (words >> 32) % 3 == 0 ? uint16(1 << ((words >> 40) % 11)) : 0,
                        uint32((words >> 48) % (40 * DAY))
                    )
                )
            ),
            abi.encodeCall(ledger.suspend, (memberId, COMMITMENT)),
            abi.encodeCall(ledger.reinstate, (memberId)),
            abi.encodeCall(ledger.expel, (memberId, COMMITMENT)),
            abi.encodeCall(
                ledger.license,
                (memberId, 0, words % 2 == 0 ? uint32(_now()) : MEMBERSHIP_END + (uint32(words >> 224) % DAY))
            )
        ];
        bytes memory call_ = abi.encodeCall(ledger.propose, (calls[(seed >> 8) % calls.length], COMMITMENT));
        _do(_signer(_someSeatable(seed)), call_);
    }

    function approveOrExecute(uint256 seed) external {
        uint32 count = ledger.actCount();
        uint32 actId = count - (uint32((seed >> 8) % 4) % (count + 1)); // a late one
        _do(_signer(_someSeatable(seed)), abi.encodeCall(ledger.approve, (actId)));
        _do(STRANGER, abi.encodeCall(ledger.execute, (actId)));
    }

    function passTime(uint256 elapsed) external {
        vm.warp(_now() + (elapsed % (5 * DAY)));
    }

    /// @dev Where boundaries lie: the very second at which something ends, and the one before.
    function passTimeTo(uint256 which, bool before) external {
        if (_urgencies.length == 0) return;
        IEmergencies.Emergency storage emergency = _urgencies[which % _urgencies.length].stored;
        bool end = (which >> 8) % 2 == 0 || emergency.reviewDue == 0;
        uint256 time = end ? emergency.until : emergency.reviewDue;
        if (before) --time;
        if (time > _now()) vm.warp(time);
    }

    /* WHAT SHOULD BE TRUE */

    function assets() external view returns (Asset[] memory) {
        return _assets;
    }

    function consents() external view returns (Consent[] memory) {
        return _consents;
    }

    function urgencies() external view returns (Urgency[] memory) {
        return _urgencies;
    }

    function theLedger() external view returns (address) {
        return address(ledger);
    }

    /* REQUESTS */

    function _askUnderGrant(Consent storage consent, uint256 seed) private {
        IConsents.GrantState storage state = consent.state;
        if (state.purposes == 0) return; // never granted
        uint32 principal = seed % 4 == 0 || state.recipient == 0 ? _someUser(seed >> 8) : state.recipient;
        uint32 caller = (seed >> 16) % 4 == 0 ? _someUser(seed >> 24) : principal;
        uint16 impersonal = uint16(~(Codes.DEMOGRAPHICS | Codes.CLAIMS | _defaultLaw.coreCategories));
        Terms terms = TermsLib.pack(
            _lowestBit(state.purposes),
            Codes.CONSENT,
            uint8((seed >> 32) % 2),
            Codes.VITALS | (uint16(seed >> 40) & state.categories & impersonal),
            _projectOf[principal]
        );
        terms = terms.atLevel(1 + (uint8(seed >> 56) % 2));
        if (caller != principal) terms = terms.onBehalfOf(principal);
        if ((seed >> 64) % 8 != 0) terms = terms.between(state.dataFrom, state.dataTo);
        if ((seed >> 72) % 8 != 0) terms = terms.under(_assetOf(consent.passportId).lock);
        _ask(caller, consent.passportId, consent.grantId, terms);
    }

    function _ask(uint32 memberId, bytes32 passportId, bytes32 grantId, Terms terms) private {
        IDecisions.Request memory request = _request(passportId, grantId, terms);
        Verdict verdict = _decide(memberId, request);
        Asset storage asset = _assetOf(passportId);
        uint32 required = _requiredFor(verdict.dataClass(), terms.purpose(), terms.basis());
        bool permitted = verdict.outcome() == Codes.PERMIT;
        _check(1, verdict.missing() == (required | Facts.LAWFUL) & ~verdict.facts());
        _check(1, permitted == (verdict.missing() == 0));
        if (permitted) {
            ++permits;
            _checkPermit(memberId, request, asset, required);
        } else if (verdict.outcome() == Codes.REVIEW) {
            ++reviews;
        } else {
            ++denials;
        }
        _check(4, verdict.seq() == asset.size);
        ++asset.size;
        head = _fold(head, memberId, request, verdict);
        if (verdict.outcome() == Codes.REVIEW) _reviewAtRandom(memberId, request, verdict.seq());
    }

    /// @dev Every permit by what should be true, not by what the ledger says.
    function _checkPermit(
        uint32 memberId,
        IDecisions.Request memory request,
        Asset storage asset,
        uint32 required
    ) private {
        Terms terms = request.terms;
        uint8 purpose = terms.purpose();
        uint32 controller = terms.controller();
        _check(1, !_inactive[memberId] && !_inactive[controller]);
        _check(6, !guestIsOut || (memberId != GUEST && controller != GUEST));
        uint16 allowed = asset.purposes & ~ledger.policy().bannedPurposes;
        _check(1, (allowed >> purpose) & 1 != 0);
        _check(7, asset.status == IPassports.PassportStatus.OPEN);
        if (terms.basis() == Codes.CONSENT) _checkUse(memberId, request);
        if (terms.basis() == Codes.SUBJECT_REQUEST)
            _check(1, asset.custodian == (controller == 0 ? memberId : controller));
        if (required & Facts.HUMAN_REVIEWED != 0)
            _check(1, _now() < _approved[keccak256(abi.encode(request, memberId))]);

        _checkCap(memberId, purpose, required);
        bool locked = asset.lock != 0 && required & Facts.UNLOCKED != 0;
        _check(8, !locked || terms.emergency() == asset.lock);
        uint32 emergency = locked || required & Facts.EMERGENCY_IN_FORCE != 0 ? terms.emergency() : 0;
        if (emergency != 0) _checkEmergency(memberId, request, _urgencies[emergency - 1].stored);
        if (terms.operation() == Codes.TRANSFER) _pushLeave(memberId, request, asset.size, emergency);
    }

    function _checkCap(uint32 memberId, uint8 purpose, uint32 required) private {
        uint256 day = _now() / 1 days;
        uint16 cap = _caps[memberId][purpose];
        bool limited = required & Facts.WITHIN_CAP != 0;
        _check(1, !limited || cap == 0 || _used[memberId][day][purpose] < cap);
        if (cap != 0) ++_used[memberId][day][purpose];
    }

    function _pushLeave(
        uint32 memberId,
        IDecisions.Request memory request,
        uint40 seq,
        uint32 emergency
    ) private {
        Leave storage permit = _leaves.push();
        permit.passportId = request.passportId;
        if (request.terms.basis() == Codes.CONSENT) permit.grantId = request.grantId;
        permit.seq = seq;
        permit.decidedAt = uint32(_now());
        permit.recipient = memberId;
        permit.control = _controls[memberId];
        permit.emergency = emergency;
    }

    /// @dev A permit by consent: the grant is the holder's, was not ended and says so.
    function _checkUse(uint32 memberId, IDecisions.Request memory request) private {
        Terms terms = request.terms;
        IConsents.GrantState storage state = _stored(request.passportId, request.grantId);
        _check(3, state.assurance != IConsents.Assurance.NONE); // a grant that nobody gave
        _check(2, state.status == IConsents.GrantStatus.ACTIVE);
        uint32 principal = terms.controller() == 0 ? memberId : terms.controller();
        if (principal != memberId || terms.controller() != 0) {
            IMembers.Entrustment storage order = _orders[principal][memberId];
            _check(1, (order.purposes >> terms.purpose()) & 1 != 0 && _now() < order.validTo);
        }
        if (state.recipient == 0) _check(1, (state.recipientKinds >> uint8(_kindOf(principal))) & 1 != 0);
        else _check(1, state.recipient == principal && state.control == _controls[principal]);
        _check(1, (state.purposes >> terms.purpose()) & 1 != 0);
        _check(1, terms.categories() & ~state.categories == 0);
        _check(1, state.useFrom <= _now() && _now() < state.useTo);
        _check(1, terms.level() >= state.level);
        _check(1, terms.firstDay() >= state.dataFrom);
        _check(1, state.dataTo == 0 || (terms.lastDay() != 0 && terms.lastDay() <= state.dataTo));
        _check(1, state.maxUses == 0 || state.uses < state.maxUses);
        if (state.maxUses != 0) ++state.uses;
    }

    function _checkEmergency(
        uint32 memberId,
        IDecisions.Request memory request,
        IEmergencies.Emergency storage emergency
    ) private {
        _check(8, emergency.from <= _now() && _now() < emergency.until);
        _check(8, request.terms.categories() & ~emergency.categories == 0);
        if (emergency.kind == IEmergencies.EmergencyKind.INDIVIDUAL) {
            _check(8, emergency.memberId == memberId && emergency.passportId == request.passportId);
            _check(8, request.terms.basis() == Codes.INDIVIDUAL_EMERGENCY && !_right.lost);
        } else {
            _check(8, (emergency.purposes >> request.terms.purpose()) & 1 != 0);
            _check(8, emergency.used < emergency.maxRecords);
            _check(8, emergency.jurisdiction != ABROAD); // every custodian is in China
            ++emergency.used;
        }
    }

    /// @dev One in two is answered, most of these with yes, and then asked again.
    function _reviewAtRandom(uint32 memberId, IDecisions.Request memory request, uint40 seq) private {
        uint256 seed = uint256(keccak256(abi.encode(request, seq)));
        if (seed % 2 == 0) return;
        bool approved = (seed >> 8) % 4 != 0;
        uint32 reviewer = request.terms.basis() == Codes.COMPELLED ? REGULATOR : ETHICS;
        if (reviewer == memberId || reviewer == request.terms.controller()) return;
        _as(reviewer);
        ledger.reviewRequest(request, memberId, seq, approved, COMMITMENT);
        if (!approved) return;
        _approved[keccak256(abi.encode(request, memberId))] = _now() + 72 hours;
        _ask(memberId, request.passportId, request.grantId, request.terms);
    }

    function _stands(Leave storage permit) private view returns (bool) {
        if (permit.used || _now() > permit.decidedAt + 1 hours || _inactive[permit.recipient]) return false;
        if (permit.control != _controls[permit.recipient]) return false;
        if (permit.emergency != 0 && _now() >= _urgencies[permit.emergency - 1].stored.until) return false;
        if (permit.grantId == 0) return true;
        IConsents.GrantState storage state = _stored(permit.passportId, permit.grantId);
        bool active = state.status == IConsents.GrantStatus.ACTIVE;
        return active && state.useFrom <= _now() && _now() < state.useTo;
    }

    /* ANSWERS */

    function _refuse(Consent storage consent, uint256 seed) private {
        bytes32 words = _refusalHash(consent.passportId, consent.grantId);
        (IConsents.Proof memory proof, ) = _sign(_assetOf(consent.passportId), words, seed);
        ledger.refuse(consent.passportId, consent.grantId, proof);
        consent.state.status = IConsents.GrantStatus.REFUSED;
    }

    function _repudiate(Consent storage consent, uint256 seed) private {
        bytes32 words = _repudiationHash(consent.passportId, consent.grantId);
        (IConsents.Proof memory proof, ) = _sign(_assetOf(consent.passportId), words, seed);
        ledger.repudiate(consent.passportId, consent.grantId, proof);
        consent.state.status = IConsents.GrantStatus.REPUDIATED;
    }

    function _confirm(Consent storage consent, uint256 seed) private {
        Asset storage asset = _assetOf(consent.passportId);
        uint16 control = _controls[consent.state.recipient];
        bytes32 words = _confirmationHash(consent.passportId, consent.grantId, control);
        (IConsents.Proof memory proof, IConsents.Assurance assurance) = _sign(asset, words, seed);
        bytes memory call_ = abi.encodeCall(ledger.confirm, (consent.passportId, consent.grantId, proof));
        bool fit = assurance != IConsents.Assurance.ASSISTED || !_inactive[asset.custodian];
        bool done = _do(STRANGER, call_);
        _check(3, done == fit);
        if (!done) return;
        consent.state.control = control;
        if (assurance > consent.state.assurance) consent.state.assurance = assurance;
    }

    /// @dev By the holder, or one time in three by a delegate whose time is not over.
    function _sign(
        Asset storage asset,
        bytes32 words,
        uint256 seed
    ) private view returns (IConsents.Proof memory, IConsents.Assurance) {
        if (seed % 3 == 0 && _now() < asset.delegateUntil)
            return (
                _delegates(asset.delegateKey, words),
                asset.assisted ? IConsents.Assurance.ASSISTED : IConsents.Assurance.DELEGATED
            );
        return (
            _own(_signedHash(asset.holderKey, words)),
            asset.assisted ? IConsents.Assurance.ASSISTED : IConsents.Assurance.SELF
        );
    }

    function _forged(
        Asset storage asset,
        uint256 seed,
        bytes32 words
    ) private view returns (IConsents.Proof memory) {
        uint256 key = STRANGER_KEY;
        if (seed % 5 == 1) key = _assets[(seed >> 8) % _assets.length].holderKey;
        else if (seed % 5 == 2 && asset.formerKey != 0) key = asset.formerKey;
        else if (seed % 5 == 3 && asset.delegateKey != 0) {
            if (_now() >= asset.delegateUntil) return _delegates(asset.delegateKey, words);
            key = asset.delegateKey; // as if it were the holder
        } else if (seed % 5 == 4) return _delegates(STRANGER_KEY, words);
        if (key == asset.holderKey) key = STRANGER_KEY;
        return _own(_signedHash(key, words));
    }

    function _replaceHolder(Asset storage asset, uint256 key, bool assisted) private {
        asset.formerKey = asset.holderKey;
        asset.holderKey = key;
        asset.assisted = assisted;
        asset.delegateUntil = 0;
        asset.readyAt = 0;
        ++asset.epoch;
    }

    /* HELPERS */

    function _fileCall(IConsents.Grant memory given) private view returns (bytes memory) {
        return abi.encodeCall(ledger.fileConsent, (given, COMMITMENT));
    }

    function _isOf(
        Consent storage consent,
        Asset storage asset,
        IConsents.GrantStatus status
    ) private view returns (bool) {
        return consent.passportId == asset.passportId && consent.state.status == status;
    }

    /// @dev What should be stored of a grant; nothing if the handler knows of none.
    function _stored(
        bytes32 passportId,
        bytes32 grantId
    ) private view returns (IConsents.GrantState storage) {
        for (uint256 index = 0; index < _consents.length; ++index) {
            Consent storage consent = _consents[index];
            if (consent.grantId == grantId && consent.passportId == passportId) return consent.state;
        }
        return _nothing.state;
    }

    /// @dev The place for a grant: that of the request, if it was asked for.
    function _remember(IConsents.Grant memory given) private returns (Consent storage consent) {
        for (uint256 index = 0; index < _consents.length; ++index) {
            if (_consents[index].grantId == given.grantId) return _consents[index];
        }
        consent = _consents.push();
        consent.passportId = given.passportId;
        consent.grantId = given.grantId;
    }

    function _check(uint256 invariant, bool holds) private {
        if (!holds) ++violations[invariant];
    }

    /// @dev An act that must fail.
    function _tryAs(uint32 memberId, bytes memory call_, uint256 invariant) private {
        _check(invariant, !_do(_signer(memberId), call_));
    }

    function _do(address caller, bytes memory call_) private returns (bool done) {
        vm.prank(caller);
        (done, ) = address(ledger).call(call_);
    }

    function _someGrant(
        Asset storage asset,
        uint256 recipient,
        uint256 period,
        uint256 words
    ) private returns (IConsents.Grant memory given) {
        given = _grantOf(_freshId(), asset.passportId);
        given.recipient = _someUser(recipient);
        given.purposes = _bit(_somePurpose(words));
        given.flags = uint8(words >> 8) % 16;
        if (given.flags & Codes.FLAG_SEPARATE == 0) {
            given.purposes |= _bit(_somePurpose(words >> 16));
            if ((recipient >> 8) % 4 == 1)
                (given.recipient, given.recipientKinds) = (0, 1 + (uint16(recipient >> 16) % 63));
        }
        given.categories = uint16(words >> 24) | Codes.VITALS;
        given.level = uint8(words >> 40) % 3;
        if ((words >> 48) % 4 == 1) {
            given.dataFrom = uint16(words >> 56) % 100;
            given.dataTo = 100 + (uint16(words >> 72) % 100);
        }
        given.useFrom = uint32(_now() + ((period >> 16) % (3 * DAY)) - DAY);
        given.useTo = uint32(_now() + 3 * DAY + ((period >> 64) % (200 * DAY)));
        given.maxUses = uint16((period >> 128) % 4);
        given.deadline = uint32(_now());
    }

    function _assetOf(bytes32 passportId) private view returns (Asset storage asset) {
        uint256 index = 0;
        while (_assets[index].passportId != passportId) ++index;
        return _assets[index];
    }

    function _storedGrants() private view returns (bytes32 print) {
        for (uint256 index = 0; index < _consents.length; ++index) {
            Consent storage consent = _consents[index];
            print = keccak256(abi.encode(print, ledger.grantOf(consent.passportId, consent.grantId)));
        }
    }

    function _somePurpose(uint256 seed) private pure returns (uint8) {
        return
            [
                Codes.PRIMARY_CARE,
                Codes.DISEASE_RESEARCH,
                Codes.AI_TRAINING,
                Codes.PUBLIC_HEALTH,
                Codes.PATIENT_REQUEST
            ][seed % 5];
    }

    /// @dev A member that uses data.
    function _someUser(uint256 seed) private pure returns (uint32) {
        return [HOSPITAL, LAB, CLINIC, GUEST][seed % 4];
    }

    /// @dev A member that may hold a seat.
    function _someSeatable(uint256 seed) private pure returns (uint32) {
        return [COMMITTEE, SECOND_SEAT, SECOND_SEAT + 1, LAST_SEAT][seed % 4];
    }

    /// @dev The number of a public emergency, 0 if there is none.
    function _somePublic(uint256 seed) private view returns (uint32 number) {
        if (_urgencies.length == 0) return 0;
        number = 1 + uint32(seed % _urgencies.length);
        if (_urgencies[number - 1].stored.kind != IEmergencies.EmergencyKind.PUBLIC) return 0;
    }

    function _freshId() private returns (bytes32) {
        return keccak256(abi.encode(++_ids));
    }

    function _lowestBit(uint16 set) private pure returns (uint8 index) {
        while ((set >> index) & 1 == 0) ++index;
    }

    function _now() private view returns (uint256) {
        return vm.getBlockTimestamp();
    }
}

/// @notice The invariants of docs/design.md that the contracts can keep by themselves:
///
/// 1. A request is permitted if and only if nothing required is missing.
/// 2. A grant that was withdrawn, even before it was given, refused, repudiated or superseded never permits again, nor
/// does a permit to transfer that rested on it.
/// 3. Only the signature of the holder, or of a delegate while it lasts, creates, amends or ends a grant; only the
/// custodian files one from paper, which is marked as such.
/// 4. `seq` is contiguous, `size` never falls, and `head` is the fold of all decisions.
/// 5. The purposes of a passport only narrow.
/// 6. Suspension, expulsion and a change of control alter no stored grant; expulsion is final.
/// 7. Sealed data is neither used nor destroyed.
/// 8. An emergency ends by itself, and covers only what it is for.
/// 11. The committee can always act.
/// 12. No path leads from withdrawn data to a new training run: see LineageInvariantsTest.
///
/// Number 9, every function against every role, is AccessMatrix.t.sol. Number 10, no word derived from a subject's
/// identifier, is tested in Python over a whole chain.
contract InvariantsTest is Base {
    Handler private _handler;

    function setUp() external {
        _handler = new Handler();
        ledger = ILedger(_handler.theLedger());
    }

    /// @dev Read by the test runner: what it calls between two looks at the invariants.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_1_PermitIffNothingRequiredIsMissing() external view {
        _assertNoViolation(1);
    }

    function invariant_2_EndedGrantNeverPermitsAgain() external view {
        _assertNoViolation(2);
        _assertGrantsAreAsSigned();
    }

    function invariant_3_OnlyTheHoldersSignatureMakesOrEndsAGrant() external view {
        _assertNoViolation(3);
        _assertGrantsAreAsSigned();
        Handler.Asset[] memory assets = _handler.assets();
        for (uint256 index = 0; index < assets.length; ++index) {
            IPassports.Passport memory passport = ledger.passportOf(assets[index].passportId);
            vm.assertEq(abi.encodePacked(vm.addr(assets[index].holderKey)), passport.holder, "holder");
            vm.assertEq(assets[index].epoch, passport.epoch, "epoch");
        }
    }

    function invariant_4_SeqIsContiguousAndHeadIsTheFold() external view {
        _assertNoViolation(4);
        vm.assertEq(_handler.head(), ledger.head(), "head");
        Handler.Asset[] memory assets = _handler.assets();
        for (uint256 index = 0; index < assets.length; ++index) {
            vm.assertEq(assets[index].size, ledger.sizeOf(assets[index].passportId), "size");
        }
    }

    function invariant_5_PurposesOnlyNarrow() external view {
        _assertNoViolation(5);
        Handler.Asset[] memory assets = _handler.assets();
        for (uint256 index = 0; index < assets.length; ++index) {
            uint16 purposes = ledger.passportOf(assets[index].passportId).purposes;
            vm.assertEq(assets[index].purposes, purposes, "purposes");
        }
    }

    function invariant_6_SuspensionAltersNoGrantAndExpulsionIsFinal() external view {
        _assertNoViolation(6);
        _assertGrantsAreAsSigned();
        IMembers.MemberStatus status = ledger.memberOf(FOUNDED + 1).status;
        vm.assertEq(_handler.guestIsOut(), status == IMembers.MemberStatus.EXPELLED, "expelled");
    }

    function invariant_7_SealedDataIsNeitherUsedNorDestroyed() external view {
        _assertNoViolation(7);
        Handler.Asset[] memory assets = _handler.assets();
        for (uint256 index = 0; index < assets.length; ++index) {
            IPassports.PassportStatus status = ledger.passportOf(assets[index].passportId).status;
            vm.assertTrue(assets[index].status == status, "status");
        }
    }

    function invariant_8_EmergencyEndsByItself() external view {
        _assertNoViolation(8);
        Handler.Urgency[] memory urgencies = _handler.urgencies();
        vm.assertEq(urgencies.length, ledger.emergencyCount(), "count");
        for (uint32 index = 0; index < urgencies.length; ++index) {
            vm.assertEq(
                abi.encode(urgencies[index].stored),
                abi.encode(ledger.emergencyOf(index + 1)),
                "emergency"
            );
        }
    }

    /// @dev For each kind of act, the seats that are not suspended satisfy its rule, whatever the time, and an act lives longer than it waits.
    function invariant_11_CommitteeCanAlwaysAct() external view {
        (uint32[] memory memberIds, ICommittee.SeatKind[] memory kinds) = ledger.seats();
        uint256 count;
        uint16 seated;
        for (uint256 index = 0; index < memberIds.length; ++index) {
            IMembers.Member memory member = ledger.memberOf(memberIds[index]);
            if (member.status != IMembers.MemberStatus.ACTIVE) continue;
            ++count;
            seated |= uint16(1 << uint8(kinds[index]));
        }
        for (uint8 kind = 0; kind <= uint8(type(ICommittee.ActKind).max); ++kind) {
            ICommittee.Rule memory rule = ledger.ruleOf(ICommittee.ActKind(kind));
            vm.assertTrue(rule.quorum != 0 && rule.quorum <= count, "quorum");
            vm.assertEq(0, rule.seats & ~seated, "kinds of seats");
            vm.assertTrue(rule.delaySeconds < 30 days, "delay");
        }
    }

    function _assertNoViolation(uint256 invariant) private view {
        vm.assertEq(0, _handler.violations(invariant), "violations seen by the handler");
    }

    /// @dev Every stored grant is what its holder signed or its custodian filed, but for the uses that were permitted,
    /// its confirmation and its end.
    function _assertGrantsAreAsSigned() private view {
        Handler.Consent[] memory consents = _handler.consents();
        for (uint256 index = 0; index < consents.length; ++index) {
            vm.assertEq(
                abi.encode(consents[index].state),
                abi.encode(ledger.grantOf(consents[index].passportId, consents[index].grantId)),
                "grant"
            );
        }
    }
}

/// @notice Two institutions that compile datasets and make models of them, as they like, from patients who consent,
/// amend and withdraw as they like. It keeps its own books on whose data is in what, and asks the ledger for none of
/// it. Never reverts.
contract LineageHandler is Base {
    /// @dev The consent of one patient, from its first grant to its end; what amends it without taking anything away
    /// is the same consent.
    struct Consent {
        bytes32 passportId;
        uint256 key;
        uint32 recipient;
        bytes32[] grantIds; // the last one is in force
        bool paper;
        bool ended;
    }

    struct Item {
        bytes32 versionId;
        uint32 owner;
        ILineage.VersionKind kind;
        bool verified;
        bool retired;
        uint256 justified; // consents that had ended when its owner last justified it
    }

    uint16 private constant AI = uint16((1 << 7) | (1 << 8) | (1 << 9));
    uint256 private constant PATIENTS = 8;
    uint256 private constant MOST_CONSENTS = 64;
    uint256 private constant MOST_VERSIONS = 96;
    uint32 private constant MOST_DATASETS = 8;

    mapping(uint256 invariant => uint256 times) public violations;
    uint256 public trainings; // that stand
    uint256 public stopped; // trainings that lack nothing but current data

    Consent[] private _consents; // a consent is its place in this list; a set of them has bit n for place n
    uint256 private _ended;
    Item[] private _items;
    uint32 private _datasets;
    mapping(uint32 datasetId => uint32 owner) private _ownerOf;
    mapping(uint32 datasetId => uint256 consents) private _included;
    mapping(uint32 datasetId => uint256 consents) private _excused;
    mapping(uint32 datasetId => uint256 count) private _told;
    /// @dev Whose data, by the dataset that it came in by.
    mapping(bytes32 versionId => mapping(uint32 datasetId => uint256 consents)) private _inside;
    mapping(uint32 memberId => uint32 projectId) private _projectOf;
    mapping(uint32 owner => uint32 agreementId) private _agreementOf; // by which it shares with the other
    uint256 private _ids;

    constructor() {
        _deploy();
        _attest(ALLIANCE, TOOL, IAttestations.AttestationKind.TOOL, MEMBERSHIP_END);
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = type(uint16).max;
        filing.validTo = MEMBERSHIP_END;
        for (uint32 memberId = LAB; memberId <= CLINIC; ++memberId) {
            uint32 projectId = _projectOf[memberId] = _file(memberId, filing);
            _approve(projectId);
            _attest(
                REGULATOR,
                bytes32(uint256(projectId)),
                IAttestations.AttestationKind.LICENCE,
                MEMBERSHIP_END
            );
        }
        for (uint32 memberId = LAB; memberId <= CLINIC; ++memberId) {
            IAgreements.Limits memory limits = _limitsFor(memberId == LAB ? CLINIC : LAB);
            limits.onward = limits.linkage = true;
            _agreementOf[memberId] = _agree(memberId, limits);
        }
        for (uint256 patient = 0; patient < PATIENTS; ++patient)
            _issue(HOSPITAL, _issueOf(_passportOf(patient), vm.addr(_keyOf(patient))));
        for (uint256 seed = 0; seed < 4; ++seed) declare(seed);
        for (uint256 seed = 0; seed < 8; ++seed) {
            consent(seed);
            _includeInto(seed, 1 + uint32(seed % 2));
            _includeInto(seed, 3 + uint32(seed % 2));
        }
        for (uint256 seed = 0; seed < 4; ++seed) collect(seed << 8);
    }

    /* DATASETS */

    function declare(uint256 seed) public {
        if (_datasets == MOST_DATASETS) return;
        uint32 owner = _someOwner(seed);
        IDatasets.Plan memory plan = _plan();
        plan.purposes = AI;
        plan.retainUntil = MEMBERSHIP_END;
        if ((seed >> 8) % 3 == 1) plan.budget = 30;
        _ownerOf[_declareDataset(owner, plan)] = owner;
        ++_datasets;
    }

    function include(uint256 seed) external {
        for (uint256 round = 0; round < 3; ++round) {
            seed = uint256(keccak256(abi.encode(seed)));
            _includeInto(seed % _consents.length, 1 + uint32((seed >> 64) % _datasets));
        }
    }

    /// @dev Of those whose consent has not ended, which is what a collection is for.
    function collect(uint256 seed) public {
        uint32 datasetId = 1 + uint32((seed >> 8) % _datasets);
        ILineage.Step memory step = _collection(datasetId, _freshId());
        (bool stands, ) = _attempt(_ownerOf[datasetId], step);
        if (!stands) return;
        _push(step.outputs[0], _ownerOf[datasetId], ILineage.VersionKind.DATA, seed);
        _inside[step.outputs[0]][datasetId] = _included[datasetId] & ~_ended;
    }

    /// @dev Excuse, seal, open or, seldom, destroy.
    function oversee(uint256 seed) external {
        uint32 datasetId = 1 + uint32((seed >> 8) % _datasets);
        if (seed % 4 == 0) {
            uint32 withdrawals = uint32(ledger.withdrawalsOf(datasetId).length);
            bytes memory call_ = abi.encodeCall(
                ledger.excuseWithdrawals,
                (datasetId, withdrawals, COMMITMENT)
            );
            if (_do(ETHICS, call_)) _excused[datasetId] = _included[datasetId] & _ended;
        } else if (seed % 4 == 1 && (seed >> 16) % 4 == 0) {
            _do(_ownerOf[datasetId], abi.encodeCall(ledger.sealDataset, (datasetId, COMMITMENT)));
        } else if (seed % 4 != 3 || (seed >> 16) % 16 != 0) {
            _do(REGULATOR, abi.encodeCall(ledger.unsealDataset, (datasetId)));
        } else {
            _attempt(_ownerOf[datasetId], _destruction(datasetId));
        }
    }

    /* PATIENTS */

    function consent(uint256 seed) public {
        if (_consents.length == MOST_CONSENTS) return;
        uint256 patient = seed % PATIENTS;
        IConsents.Grant memory given = _grantOf(_freshId(), _passportOf(patient));
        given.recipient = _someOwner(seed >> 8);
        if (seed < 8) given.recipient = _someOwner(seed); // the first ones, of the set-up
        given.purposes = AI;
        given.useFrom = uint32(_now());
        given.useTo = given.useFrom + 300 * DAY;
        if ((seed >> 16) % 8 == 1) given.flags = Codes.FLAG_NO_RELINK;
        given.flags |= Codes.FLAG_ONWARD;
        bool paper = seed < 8 ? seed % 3 == 1 : (seed >> 24) % 2 == 1;
        if (paper) {
            _as(HOSPITAL);
            ledger.fileConsent(given, COMMITMENT);
        } else {
            _give(given, _signed(_keyOf(patient), given));
        }
        Consent storage pushed = _consents.push();
        pushed.passportId = given.passportId;
        pushed.key = _keyOf(patient);
        pushed.recipient = given.recipient;
        pushed.grantIds.push(given.grantId);
        pushed.paper = paper;
    }

    /// @dev Amended so that it covers what it did, or in one way less: that ends the consent, and begins another one.
    function amend(uint256 seed) external {
        uint256 place = seed % _consents.length;
        Consent storage former = _consents[place];
        if (former.ended || _consents.length == MOST_CONSENTS) return;
        uint256 last = former.grantIds.length - 1;
        IConsents.GrantState memory state = ledger.grantOf(former.passportId, former.grantIds[last]);
        IConsents.Grant memory given = _grantOf(_freshId(), former.passportId);
        given.recipient = former.recipient;
        given.purposes = AI;
        given.flags = state.flags;
        given.useFrom = uint32(_now());
        given.useTo = given.useFrom + 300 * DAY;
        given.supersedes = former.grantIds[last];
        bool narrower = (seed >> 8) % 4 == 0;
        if (narrower) _narrow(given, state, seed >> 16);
        _give(given, _signed(former.key, given));
        if (!narrower) {
            former.grantIds.push(given.grantId);
            former.paper = false;
            return;
        }
        _end(place);
        Consent storage pushed = _consents.push();
        (pushed.passportId, pushed.key) = (former.passportId, former.key);
        pushed.recipient = given.recipient;
        pushed.grantIds.push(given.grantId);
    }

    /// @dev By the id of any grant in its history.
    function withdraw(uint256 seed) external {
        uint256 place = seed % _consents.length;
        Consent storage ending = _consents[place];
        if (ending.ended || (seed >> 24) % 2 == 0) return; // its last id may have been replaced by another consent's
        bytes32 grantId = ending.grantIds[(seed >> 8) % ending.grantIds.length];
        if (ending.paper && (seed >> 16) % 2 == 0) {
            bytes memory words = _signedHash(ending.key, _repudiationHash(ending.passportId, grantId));
            ledger.repudiate(ending.passportId, grantId, _own(words));
        } else {
            bytes memory words = _signedRevocation(ending.key, ending.passportId, grantId);
            ledger.revoke(ending.passportId, grantId, _own(words));
        }
        _end(place);
    }

    /* STEPS */

    function treat(uint256 seed) external {
        ILineage.StepKind[3] memory kinds = [
            ILineage.StepKind.CLEAN,
            ILineage.StepKind.LABEL,
            ILineage.StepKind.DEIDENTIFY
        ];
        Item storage item = _someItem(seed >> 8);
        _work(_stepBy(item.owner, kinds[seed % 3], _list(item.versionId), 1), item.owner, seed >> 32);
    }

    function split(uint256 seed) external {
        Item storage item = _someItem(seed);
        ILineage.Step memory step = _stepBy(item.owner, ILineage.StepKind.SPLIT, _list(item.versionId), 3);
        step.epsilon = 1;
        _work(step, item.owner, seed >> 32);
    }

    function merge(uint256 seed) external {
        (bytes32[] memory inputs, uint32 memberId) = _someInputs(seed, 2 + (seed % 2));
        _work(_stepBy(memberId, ILineage.StepKind.MERGE, inputs, 1), memberId, seed >> 32);
    }

    function train(uint256 seed) public {
        for (uint256 round = 0; round < 4; ++round) {
            seed = uint256(keccak256(abi.encode(seed)));
            (bytes32[] memory inputs, uint32 memberId) = _someInputs(seed, 1 + (seed % 3));
            ILineage.Step memory step = _stepBy(memberId, ILineage.StepKind.TRAIN, inputs, 1);
            step.purposes = AI;
            _work(step, memberId, seed >> 32);
        }
    }

    function trainMore(uint256 seed) external {
        train(seed);
    }

    /// @dev Evaluate, deploy, infer, release.
    function use(uint256 seed) external {
        (bytes32[] memory inputs, uint32 memberId) = _someInputs(seed >> 8, 2);
        ILineage.StepKind kind = ILineage.StepKind(uint8(ILineage.StepKind.EVALUATE) + (seed % 4));
        bool alone = kind == ILineage.StepKind.DEPLOY || kind == ILineage.StepKind.RELEASE;
        bool makes = kind == ILineage.StepKind.INFER || kind == ILineage.StepKind.RELEASE;
        ILineage.Step memory step = _stepBy(memberId, kind, alone ? _list(inputs[0]) : inputs, makes ? 1 : 0);
        if (makes) step.epsilon = 1;
        _work(step, memberId, seed >> 32);
    }

    function check(uint256 seed) external {
        _verify(_someItem(seed), seed >> 32);
    }

    function share(uint256 seed) external {
        Item storage item = _someItem(seed);
        uint32 recipient = item.owner == LAB ? CLINIC : LAB;
        _do(
            item.owner,
            abi.encodeCall(ledger.shareVersion, (item.versionId, recipient, _agreementOf[item.owner], 0))
        );
    }

    /// @dev Justify or retire, replace by any other version, or suspend what is overdue.
    function answer(uint256 seed) external {
        Item storage item = _someItem(seed >> 8);
        if (seed % 4 == 0) {
            _do(HOSPITAL, abi.encodeCall(ledger.suspendOverdue, (item.versionId)));
            return;
        }
        ILineage.Answer given = [
            ILineage.Answer.JUSTIFIED,
            (seed >> 64) % 2 == 0 ? ILineage.Answer.RETRAINED : ILineage.Answer.UNLEARNED,
            (seed >> 64) % 2 == 0 ? ILineage.Answer.RETIRED : ILineage.Answer.JUSTIFIED
        ][(seed % 4) - 1];
        bytes32 successor;
        if (seed % 4 == 2) successor = _someItem(seed >> 72).versionId;
        bytes memory call_ = abi.encodeCall(
            ledger.answerWithdrawal,
            (item.versionId, given, successor, COMMITMENT)
        );
        if (!_do(item.owner, call_)) return;
        if (given == ILineage.Answer.JUSTIFIED) item.justified = _ended;
        else item.retired = true;
        if (successor != 0) _check(12, _isFree(successor));
    }

    function passTime(uint256 elapsed) external {
        vm.warp(_now() + (elapsed % (4 * DAY)));
    }

    /* WHAT SHOULD BE TRUE */

    function theLedger() external view returns (address) {
        return address(ledger);
    }

    function datasets() external view returns (uint32) {
        return _datasets;
    }

    /// @dev Consents that ended in a dataset.
    function told(uint32 datasetId) external view returns (uint256) {
        return _told[datasetId];
    }

    function items() external view returns (Item[] memory) {
        return _items;
    }

    /// @dev Whether something in a version was withdrawn and neither excused since nor, for this model, justified.
    function isOwed(uint256 place) external view returns (bool) {
        Item storage item = _items[place];
        for (uint32 datasetId = 1; datasetId <= _datasets; ++datasetId) {
            if (_withdrawnIn(item.versionId, datasetId) & ~item.justified != 0) return true;
        }
        return false;
    }

    /* HELPERS */

    function _includeInto(uint256 place, uint32 datasetId) private {
        Consent storage given = _consents[place];
        bytes32 grantId = given.grantIds[given.grantIds.length - 1];
        Terms terms = _inclusionTerms(datasetId, _projectOf[given.recipient]);
        Verdict verdict = _decide(given.recipient, _request(given.passportId, grantId, terms));
        if (verdict.outcome() == Codes.PERMIT) {
            _check(12, !given.ended);
            _included[datasetId] |= 1 << place;
        }
    }

    function _end(uint256 place) private {
        _consents[place].ended = true;
        _ended |= 1 << place;
        for (uint32 datasetId = 1; datasetId <= _datasets; ++datasetId) {
            if (_included[datasetId] & (1 << place) != 0) ++_told[datasetId];
        }
    }

    function _narrow(
        IConsents.Grant memory given,
        IConsents.GrantState memory state,
        uint256 seed
    ) private pure {
        if (seed % 6 == 0) given.purposes = _bit(Codes.AI_VALIDATION) | _bit(Codes.AI_INFERENCE);
        else if (seed % 6 == 1) given.categories = Codes.DIAGNOSIS;
        else if (seed % 6 == 2) given.useTo = state.useTo - 1;
        else if (seed % 6 == 3) given.dataTo = type(uint16).max;
        else if (seed % 6 == 4) given.level = Codes.AGGREGATE;
        else (given.recipient, given.categories) = (given.recipient == LAB ? CLINIC : LAB, ASKED);
    }

    function _stepBy(
        uint32 memberId,
        ILineage.StepKind kind,
        bytes32[] memory inputs,
        uint256 outputs
    ) private returns (ILineage.Step memory step) {
        step = _stepOf(kind);
        step.projectId = _projectOf[memberId];
        step.inputs = inputs;
        step.outputs = new bytes32[](outputs);
        for (uint256 index = 0; index < outputs; ++index) step.outputs[index] = _freshId();
    }

    /// @dev What is made has in it all that went in. Nothing that is withdrawn goes into anything but a test or use.
    function _work(ILineage.Step memory step, uint32 memberId, uint256 seed) private {
        if (_items.length + step.outputs.length > MOST_VERSIONS) return;
        (bool stands, uint32 missing) = _attempt(memberId, step);
        bool trains = step.kind == ILineage.StepKind.TRAIN;
        if (trains && missing == StepFacts.INPUTS_CURRENT) ++stopped;
        if (!stands) return;
        if (trains) ++trainings;
        bool uses =
            step.kind == ILineage.StepKind.EVALUATE ||
                step.kind == ILineage.StepKind.DEPLOY ||
                step.kind == ILineage.StepKind.INFER;
        for (uint256 index = 0; index < step.inputs.length; ++index)
            _check(12, uses || _isFree(step.inputs[index]));
        ILineage.VersionKind kind =
            trains
                ? ILineage.VersionKind.MODEL
                : step.kind < ILineage.StepKind.TRAIN
                    ? ILineage.VersionKind.DATA
                    : ILineage.VersionKind.RESULT;
        for (uint256 index = 0; index < step.outputs.length; ++index) {
            _push(step.outputs[index], memberId, kind, seed >> index);
            for (uint256 input = 0; input < step.inputs.length; ++input)
                _addInside(step.outputs[index], step.inputs[input]);
        }
    }

    function _addInside(bytes32 versionId, bytes32 input) private {
        for (uint32 datasetId = 1; datasetId <= _datasets; ++datasetId)
            _inside[versionId][datasetId] |= _inside[input][datasetId];
    }

    function _isFree(bytes32 versionId) private view returns (bool) {
        for (uint32 datasetId = 1; datasetId <= _datasets; ++datasetId) {
            if (_withdrawnIn(versionId, datasetId) != 0) return false;
        }
        return true;
    }

    /// @dev Consents that ended and were not excused, and whose data is in a version.
    function _withdrawnIn(bytes32 versionId, uint32 datasetId) private view returns (uint256) {
        return _inside[versionId][datasetId] & _ended & ~_excused[datasetId];
    }

    /// @dev Verified at once three times in four: otherwise little would train.
    function _push(bytes32 versionId, uint32 owner, ILineage.VersionKind kind, uint256 seed) private {
        Item storage item = _items.push();
        (item.versionId, item.owner, item.kind) = (versionId, owner, kind);
        if (seed % 4 != 1) _verify(item, 0);
    }

    function _verify(Item storage item, uint256 seed) private {
        bool passed = seed % 8 != 1;
        bytes memory call_ = abi.encodeCall(ledger.verifyVersion, (item.versionId, passed, COMMITMENT));
        if (_do(VERIFIER, call_)) item.verified = passed;
    }

    function _attempt(
        uint32 memberId,
        ILineage.Step memory step
    ) private returns (bool stands, uint32 missing) {
        _as(memberId);
        (bool done, bytes memory returned) = address(ledger).call(abi.encodeCall(ledger.recordStep, (step)));
        if (!done) return (false, 0);
        (, missing) = abi.decode(returned, (uint32, uint32));
        stands = missing == 0;
    }

    function _do(uint32 memberId, bytes memory call_) private returns (bool done) {
        _as(memberId);
        (done, ) = address(ledger).call(call_);
    }

    function _check(uint256 invariant, bool holds) private {
        if (!holds) ++violations[invariant];
    }

    /// @dev One of the late ones, rather.
    function _someItem(uint256 seed) private view returns (Item storage) {
        uint256 count = _items.length;
        uint256 range = seed % 2 == 0 && count > 16 ? 16 : count;
        return _items[count - 1 - ((seed >> 1) % range)];
    }

    /// @dev Rather of one owner's; models first.
    function _someInputs(
        uint256 seed,
        uint256 count
    ) private view returns (bytes32[] memory inputs, uint32 memberId) {
        inputs = new bytes32[](count);
        for (uint256 index = 0; index < count; ++index) {
            Item storage item = _someItem(seed >> 8);
            for (uint256 tries = 0; tries < 4 && index != 0 && item.owner != memberId; ++tries) {
                seed = uint256(keccak256(abi.encode(seed)));
                item = _someItem(seed >> 8);
            }
            if (index == 0) memberId = item.owner;
            inputs[index] = item.versionId;
            if (index != 0 && item.kind == ILineage.VersionKind.MODEL)
                (inputs[0], inputs[index]) = (inputs[index], inputs[0]);
            seed = uint256(keccak256(abi.encode(seed)));
        }
    }

    function _someOwner(uint256 seed) private pure returns (uint32) {
        return seed % 2 == 0 ? LAB : CLINIC;
    }

    function _passportOf(uint256 patient) private pure returns (bytes32) {
        return keccak256(abi.encode("patient", patient));
    }

    function _keyOf(uint256 patient) private pure returns (uint256) {
        return 0x2000 + patient;
    }

    function _freshId() private returns (bytes32) {
        return keccak256(abi.encode("id", ++_ids));
    }

    function _now() private view returns (uint256) {
        return vm.getBlockTimestamp();
    }
}

/// @notice The invariant about data on its way to models, with a world of its own.
contract LineageInvariantsTest is Base {
    LineageHandler private _handler;

    function setUp() external {
        _handler = new LineageHandler();
        ledger = ILedger(_handler.theLedger());
    }

    /// @dev Read by the test runner.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @dev Otherwise the invariant would say nothing.
    function test_WhenActsAreRandom_SomeTrainingStandsAndSomeIsStopped() external {
        bytes4[15] memory acts = [
            _handler.include.selector,
            _handler.collect.selector,
            _handler.oversee.selector,
            _handler.consent.selector,
            _handler.amend.selector,
            _handler.withdraw.selector,
            _handler.treat.selector,
            _handler.split.selector,
            _handler.merge.selector,
            _handler.train.selector,
            _handler.use.selector,
            _handler.check.selector,
            _handler.share.selector,
            _handler.answer.selector,
            _handler.passTime.selector
        ];
        for (uint256 round = 0; round < 256; ++round) {
            uint256 seed = uint256(keccak256(abi.encode(round)));
            bytes memory call_ = abi.encodeWithSelector(acts[seed % acts.length], seed >> 8);
            (bool done, ) = address(_handler).call(call_);
            vm.assertTrue(done, "the handler reverted");
        }
        vm.assertEq(0, _handler.violations(12), "violations");
        vm.assertLe(8, _handler.trainings(), "trainings that stand");
        vm.assertLe(8, _handler.stopped(), "trainings that are stopped");
    }

    /// @dev Unless an ethics body excused it. And whatever was made of it before is known to owe an answer.
    function invariant_12_NoPathLeadsFromWithdrawnDataToTraining() external view {
        vm.assertEq(0, _handler.violations(12), "violations seen by the handler");
        for (uint32 datasetId = 1; datasetId <= _handler.datasets(); ++datasetId) {
            vm.assertEq(
                _handler.told(datasetId),
                ledger.withdrawalsOf(datasetId).length,
                "withdrawals that reached a dataset"
            );
            IDatasets.Dataset memory dataset = ledger.datasetOf(datasetId);
            vm.assertTrue(dataset.spent <= dataset.budget, "budget");
        }
        LineageHandler.Item[] memory items = _handler.items();
        for (uint256 place = 0; place < items.length; ++place) {
            if (items[place].kind != ILineage.VersionKind.MODEL || items[place].retired) continue;
            bool owes = ledger.obligationOf(items[place].versionId) != 0;
            vm.assertTrue(owes || !_handler.isOwed(place), "an answer is owed");
        }
    }
}
