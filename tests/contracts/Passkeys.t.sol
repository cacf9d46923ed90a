// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC7913P256Verifier} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol";

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {Base} from "./Base.t.sol";

/// @notice Cheat codes for the curve of passkeys.
interface VmP256 {
    function publicKeyP256(uint256 privateKey) external pure returns (uint256 x, uint256 y);
    function signP256(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
}

/// @notice Holders whose key is on the curve of passkeys (P-256), through a verifier (ERC-7913).
contract PasskeysTest is Base {
    VmP256 private constant p256 = VmP256(address(vm));
    uint256 private constant P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    address private constant PRECOMPILE = address(0x100); // EIP-7951
    uint256 private constant SECRET = 0xC0FFEE;

    function setUp() external {
        _deploy();
        (uint256 x, uint256 y) = p256.publicKeyP256(SECRET);
        bytes memory key = abi.encodePacked(address(new ERC7913P256Verifier()), x, y);
        _issue(HOSPITAL, _issueOf(PASSPORT, key));
    }

    /// @dev RFC 6979, A.2.5, P-256 with SHA-256, message "sample": the s of the RFC is high, so it is flipped here.
    function test_WhenSignatureIsThatOfTheRfc_VerifierAcceptsIt() external {
        ERC7913P256Verifier verifier = new ERC7913P256Verifier();
        bytes memory key = abi.encode(
            0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6,
            0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299
        );
        bytes32 r = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716;
        uint256 s = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8;
        bytes32 hash = sha256("sample");
        bytes4 good = verifier.verify.selector;
        vm.assertEq(bytes32(good), verifier.verify(key, hash, abi.encode(r, P256_N - s)), "low s");
        vm.assertTrue(good != verifier.verify(key, hash, abi.encode(r, s)), "high s");
    }

    function test_WhenChainHasThePrecompile_ItAgrees() external view {
        (uint256 x, uint256 y) = p256.publicKeyP256(SECRET);
        bytes32 digest = keccak256("words");
        bytes memory signature = _signP256(SECRET, digest, false);
        (, bytes memory answer) = PRECOMPILE.staticcall(bytes.concat(digest, signature, abi.encode(x, y)));
        vm.assertEq(abi.encode(uint256(1)), answer, "answer of the precompile");
    }

    function test_WhenHolderIsAPasskey_ItGrantsWithdrawsAndRotates() external {
        IConsents.Grant memory given = _grantOf(GRANT, PASSPORT);
        _give(given, _signedP256(_grantHash(given)));
        vm.assertTrue(ledger.grantOf(PASSPORT, GRANT).assurance == IConsents.Assurance.SELF, "assurance");
        ledger.revoke(PASSPORT, GRANT, _own(_signedP256(_revocationHash(PASSPORT, GRANT))));
        vm.assertTrue(ledger.grantOf(PASSPORT, GRANT).status == IConsents.GrantStatus.WITHDRAWN, "withdrawn");
        bytes memory account = abi.encodePacked(vm.addr(HOLDER_KEY));
        bytes32 rotation = _rotationHash(PASSPORT, account, IPassports.Custody.SELF);
        ledger.rotateHolder(PASSPORT, account, IPassports.Custody.SELF, _signedP256(rotation));
        vm.assertEq(account, ledger.passportOf(PASSPORT).holder, "an account from now on");
    }

    function test_RevertWhen_PasskeysSignatureIsNotInOrder() external {
        IConsents.Grant memory given = _grantOf(GRANT, PASSPORT);
        bytes32 digest = _digest(_grantHash(given));
        bytes[5] memory signatures = [
            _signP256(SECRET, digest, true), // the flipped twin, which the curve itself would accept
            _signP256(SECRET + 1, digest, false),
            _signP256(SECRET, keccak256("other words"), false),
            _sign(HOLDER_KEY, digest),
            bytes("")
        ];
        for (uint256 index = 0; index < signatures.length; ++index) {
            _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
            _give(given, signatures[index]);
        }
    }

    function _signedP256(bytes32 structHash) private view returns (bytes memory) {
        return _signP256(SECRET, _digest(structHash), false);
    }

    /// @dev With a low s, as the browser must send it; or with a high one.
    function _signP256(uint256 secret, bytes32 digest, bool high) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = p256.signP256(secret, digest);
        if ((uint256(s) > P256_N / 2) != high) s = bytes32(P256_N - uint256(s));
        return abi.encodePacked(r, s);
    }
}
