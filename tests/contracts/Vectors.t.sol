// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {ILineage} from "../../contracts/interfaces/ILineage.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {DefaultPolicy} from "../../contracts/libraries/DefaultPolicy.sol";
import {PassportHash} from "../../contracts/libraries/PassportHash.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {Base} from "./Base.t.sol";

/// @notice The cheat codes that read the vectors.
interface VmFiles {
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(
        string calldata json,
        string calldata key
    ) external pure returns (bytes32[] memory);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function readFile(string calldata path) external view returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
}

/// @notice The bytes that docs/spec.md and Python agree on, from the contracts' side.
contract VectorsTest is Base {
    VmFiles private constant files = VmFiles(address(vm));
    uint256 private constant COMMITMENTS = 3;
    uint256 private constant TERMS = 3;
    uint256 private constant VERDICTS = 3;
    uint256 private constant FOLDS = 3;

    string private _json;

    function setUp() public {
        _json = files.readFile("tests/vectors/passport-v1.json");
    }

    function test_CommitmentsAreThoseOfTheVectors() public view {
        for (uint256 index = 0; index < COMMITMENTS; ++index) {
            _assertCommitted(_at(".commitments", index));
        }
        _assertCommitted(".manifest");
        _assertCommitted(".content");
    }

    function test_GrantIsSignedAsInTheVectors() public view {
        IConsents.Grant memory given = _grantVector();
        bytes32 digest = _digest(_vectorDomain(), PassportHash.grantHash(given));
        vm.assertEq(_word(".grant.digest"), digest, "digest of the grant");
        vm.assertEq(digest, _digest(_vectorDomain(), _grantHash(given)), "digest of the grant, written out");
        _assertSigned(".grant", digest);
    }

    function test_RevocationIsSignedAsInTheVectors() public view {
        bytes32 passportId = _word(".revocation.message.passportId");
        bytes32 grantId = _word(".revocation.message.grantId");
        bytes32 digest = _digest(_vectorDomain(), PassportHash.revocationHash(passportId, grantId));
        vm.assertEq(_word(".revocation.digest"), digest, "digest of the revocation");
        _assertSigned(".revocation", digest);
    }

    function test_PartIsSignedAsInTheVectors() public view {
        bytes32 digest = this.partDigest(_stepVector());
        vm.assertEq(_word(".part.digest"), digest, "digest of the part");
        ILineage.Part memory part;
        part.memberId = uint32(_number(".part.message", ".memberId"));
        part.contribution = _word(".part.message.contribution");
        uint32 recorder = uint32(_number(".part.message", ".recorder"));
        bytes32 written = _partHash(recorder, part, _stepVector());
        vm.assertEq(digest, _digest(_vectorDomain(), written), "digest of the part, written out");
        _assertSigned(".part", digest);
    }

    function partDigest(ILineage.Step calldata step) external view returns (bytes32) {
        bytes32 hash = PassportHash.partHash(
            uint32(_number(".part.message", ".recorder")),
            uint32(_number(".part.message", ".memberId")),
            _word(".part.message.contribution"),
            PassportHash.stepHash(step)
        );
        return _digest(_vectorDomain(), hash);
    }

    function _stepVector() private view returns (ILineage.Step memory step) {
        string memory path = ".part.message.step";
        step.kind = ILineage.StepKind(_number(path, ".kind"));
        step.datasetId = uint32(_number(path, ".datasetId"));
        step.projectId = uint32(_number(path, ".projectId"));
        step.purposes = uint16(_number(path, ".purposes"));
        step.epsilon = uint64(_number(path, ".epsilon"));
        step.inputs = files.parseJsonBytes32Array(_json, string.concat(path, ".inputs"));
        step.outputs = files.parseJsonBytes32Array(_json, string.concat(path, ".outputs"));
        step.tool = _word(path, ".tool");
        step.parameters = _word(path, ".parameters");
    }

    function test_TermsAreThoseOfTheVectors() public view {
        for (uint256 index = 0; index < TERMS; ++index) {
            string memory path = _at(".terms", index);
            vm.assertEq(uint256(_word(path, ".word")), Terms.unwrap(_termsVector(path)), path);
        }
    }

    function test_VerdictsAreThoseOfTheVectors() public view {
        for (uint256 index = 0; index < VERDICTS; ++index) {
            string memory path = _at(".verdicts", index);
            Verdict verdict = Verdict.wrap(uint256(_word(path, ".word")));
            vm.assertEq(_number(path, ".seq"), verdict.seq(), path);
            vm.assertEq(_number(path, ".policyVersion"), verdict.policyVersion(), path);
            vm.assertEq(_number(path, ".dataClass"), verdict.dataClass(), path);
            vm.assertEq(_number(path, ".outcome"), verdict.outcome(), path);
            vm.assertEq(_number(path, ".facts"), verdict.facts(), path);
            vm.assertEq(_number(path, ".missing"), verdict.missing(), path);
            vm.assertEq(Verdict.unwrap(_packedVector(path)), Verdict.unwrap(verdict), path);
        }
    }

    function test_HeadsAreThoseOfTheVectors() public view {
        bytes32 head;
        for (uint256 index = 0; index < FOLDS; ++index) {
            string memory path = _at(".fold", index);
            IDecisions.Request memory request = IDecisions.Request({
                passportId: _word(path, ".passportId"),
                grantId: _word(path, ".grantId"),
                commitment: _word(path, ".commitment"),
                terms: Terms.wrap(uint256(_word(path, ".terms")))
            });
            uint32 memberId = uint32(_number(path, ".memberId"));
            Verdict verdict = Verdict.wrap(uint256(_word(path, ".verdict")));
            head = _fold(head, memberId, request, verdict);
            vm.assertEq(_word(path, ".head"), head, path);
            vm.assertEq(_word(path, ".head"), head, path);
        }
    }

    function test_DefaultLawIsThatOfThePage() public view {
        string memory law = files.readFile("tests/vectors/default-policy.json");
        IPolicy.Table memory table = DefaultPolicy.table();
        bytes32[] memory required = files.parseJsonBytes32Array(law, ".required");
        vm.assertEq(48, required.length, "number of entries");
        for (uint256 index = 0; index < 48; ++index) {
            vm.assertEq(uint256(required[index]), table.required[index], _at(".required", index));
        }
        vm.assertEq(files.parseJsonBytes32(law, ".necessary"), bytes32(table.necessary), "necessary");
        vm.assertEq(files.parseJsonUint(law, ".coreCategories"), table.coreCategories, "core");
        vm.assertEq(files.parseJsonUint(law, ".sensitiveCategories"), table.sensitiveCategories, "sensitive");
        vm.assertEq(files.parseJsonUint(law, ".bannedPurposes"), table.bannedPurposes, "banned");
        vm.assertEq(files.parseJsonUint(law, ".maxGrantSeconds"), table.maxGrantSeconds, "longest grant");
        vm.assertEq(files.parseJsonBytes32(law, ".levels"), bytes32(uint256(table.levels)), "levels");
        _assertLimits(law, table.emergencies);
    }

    function _assertLimits(string memory law, IPolicy.Emergencies memory limits) private pure {
        vm.assertEq(files.parseJsonUint(law, ".emergencies.seconds"), limits.seconds_, "seconds");
        vm.assertEq(files.parseJsonUint(law, ".emergencies.categories"), limits.categories, "categories");
        vm.assertEq(files.parseJsonUint(law, ".emergencies.monthlyQuota"), limits.monthlyQuota, "quota");
        vm.assertEq(files.parseJsonUint(law, ".emergencies.reviewSeconds"), limits.reviewSeconds, "review");
        vm.assertEq(
            files.parseJsonUint(law, ".emergencies.maxDeclarationSeconds"),
            limits.maxDeclarationSeconds,
            "longest declaration"
        );
        vm.assertEq(
            files.parseJsonUint(law, ".emergencies.recoverySeconds"),
            limits.recoverySeconds,
            "recovery"
        );
    }

    /* READING */

    function _assertCommitted(string memory path) private view {
        bytes32 actual = PassportHash.commitment(
            _text(path, ".domain"),
            _word(path, ".salt"),
            _bytes(path, ".canonical")
        );
        vm.assertEq(_word(path, ".commitment"), actual, path);
    }

    function _assertSigned(string memory path, bytes32 digest) private view {
        address signer = files.parseJsonAddress(_json, string.concat(path, ".signer"));
        vm.assertEq(signer, vm.addr(uint256(_word(path, ".testKey"))), "signer");
        vm.assertEq(_bytes(path, ".signature"), _sign(uint256(_word(path, ".testKey")), digest), "signature");
        vm.assertTrue(_accepts(signer, digest, _bytes(path, ".signature")), "the signature is accepted");
        vm.assertTrue(!_accepts(signer, digest, _bytes(path, ".flipped")), "its flipped twin is not");
    }

    /// @dev As the ledger checks a holder's signature.
    function _accepts(address signer, bytes32 digest, bytes memory signature) private view returns (bool) {
        return SignatureChecker.isValidSignatureNow(signer, digest, signature);
    }

    function _vectorDomain() private view returns (bytes32) {
        return
            _domainSeparator(
                _number(".domain", ".chainId"),
                files.parseJsonAddress(_json, ".domain.verifyingContract")
            );
    }

    function _grantVector() private view returns (IConsents.Grant memory) {
        string memory path = ".grant.message";
        return
            IConsents.Grant({
                grantId: _word(path, ".grantId"),
                passportId: _word(path, ".passportId"),
                recipient: uint32(_number(path, ".recipient")),
                recipientKinds: uint16(_number(path, ".recipientKinds")),
                purposes: uint16(_number(path, ".purposes")),
                categories: uint16(_number(path, ".categories")),
                useFrom: uint32(_number(path, ".useFrom")),
                useTo: uint32(_number(path, ".useTo")),
                dataFrom: uint16(_number(path, ".dataFrom")),
                dataTo: uint16(_number(path, ".dataTo")),
                maxUses: uint16(_number(path, ".maxUses")),
                level: uint8(_number(path, ".level")),
                flags: uint8(_number(path, ".flags")),
                template: uint32(_number(path, ".template")),
                terms: _word(path, ".terms"),
                supersedes: _word(path, ".supersedes"),
                deadline: uint32(_number(path, ".deadline"))
            });
    }

    function _termsVector(string memory path) private view returns (Terms terms) {
        terms = TermsLib.pack(
            uint8(_number(path, ".purpose")),
            uint8(_number(path, ".basis")),
            uint8(_number(path, ".operation")),
            uint16(_number(path, ".categories")),
            uint32(_number(path, ".projectId"))
        );
        terms = terms.atLevel(uint8(_number(path, ".level")));
        terms = terms.under(uint32(_number(path, ".emergency")));
        terms = terms.onBehalfOf(uint32(_number(path, ".controller")));
        return terms.between(uint16(_number(path, ".firstDay")), uint16(_number(path, ".lastDay")));
    }

    function _packedVector(string memory path) private view returns (Verdict) {
        return
            _packed(
                uint40(_number(path, ".seq")),
                uint32(_number(path, ".policyVersion")),
                uint8(_number(path, ".dataClass")),
                uint8(_number(path, ".outcome")),
                uint32(_number(path, ".facts")),
                uint32(_number(path, ".missing"))
            );
    }

    function _at(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", files.toString(index), "]");
    }

    function _word(string memory key) private view returns (bytes32) {
        return files.parseJsonBytes32(_json, key);
    }

    function _word(string memory path, string memory key) private view returns (bytes32) {
        return _word(string.concat(path, key));
    }

    function _bytes(string memory path, string memory key) private view returns (bytes memory) {
        return files.parseJsonBytes(_json, string.concat(path, key));
    }

    function _text(string memory path, string memory key) private view returns (string memory) {
        return files.parseJsonString(_json, string.concat(path, key));
    }

    function _number(string memory path, string memory key) private view returns (uint256) {
        return files.parseJsonUint(_json, string.concat(path, key));
    }
}
