"""
Whose signature it is, checked before it is relayed.

The contract checks every signature again; this gives the clearer answer, and looks at what the contract cannot see:
where a passkey was used.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from ledger.domain.records import HolderKey, Passport
from ledger.encoding.typed_data import digest, recover
from ledger.encoding.webauthn import describe, is_bare, is_point_key, read_assertion
from ledger.errors import SignatureRejected
from ledger.ports import Chain, Index

#: `0x` and 40 digits: an account, of a person or of code.
_ACCOUNT_CHARACTERS = 42
_FIX = "Sign with the holder key of this passport, for this ledger's chain and address."


@dataclass(frozen=True, slots=True)
class Passkeys:
    """
    Where passkeys may be used.

    Attributes:
        rp_ids: Ids of relying parties that passkeys are made for.
        origins: Origins that ask for them.
    """

    rp_ids: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Signatures:
    """Signatures of holders and of who speaks for them."""

    chain: Chain
    index: Index
    passkeys: Passkeys = Passkeys()

    def check(self, key: HolderKey, typed_data: dict[str, Any], signature: bytes) -> None:
        """
        Check that a key stands by typed data.

        Args:
            key: An account, a contract that stands for somebody (ERC-1271), or a verifier and a key (ERC-7913).
            typed_data: What was signed.
            signature: The signature.

        Raises:
            SignatureRejected: It does not; or a passkey was used elsewhere, or without knowing its user.
        """
        if len(key) == _ACCOUNT_CHARACTERS:
            self._check_account(key, typed_data, signature)
            return
        if is_point_key(key) and not is_bare(signature):
            self._check_place(signature)
        if not self.chain.stands_by(key, digest(typed_data), signature):
            raise SignatureRejected(f"this is not a signature of the holder's key {key}", fix=_FIX)

    def check_voice(
        self, passport: Passport, typed_data: dict[str, Any], signature: bytes, *, signer: HolderKey = ""
    ) -> None:
        """
        Check that a passport's holder, or somebody it lets speak for it, stands by typed data.

        Args:
            passport: The passport.
            typed_data: What was signed.
            signature: The signature.
            signer: The delegate's key; the empty string for the holder itself.

        Raises:
            SignatureRejected: It does not, or *signer* may not speak for the holder (any more).
        """
        if signer and self.index.delegates(passport.passport_id).get(signer, 0) <= self.chain.now():
            raise SignatureRejected(
                f"{signer} may not speak for the holder of this passport, or not any more",
                fix="Let the holder name it: passport holder delegate.",
            )
        self.check(signer or passport.holder, typed_data, signature)

    def _check_account(self, key: HolderKey, typed_data: dict[str, Any], signature: bytes) -> None:
        try:
            found = recover(typed_data, signature)
            if found == key.lower():
                return
            refusal = SignatureRejected(f"signed by {found}, but the holder is {key}", fix=_FIX)
        except SignatureRejected as error:
            refusal = error
        if not self.chain.stands_by(key, digest(typed_data), signature):
            raise refusal

    def _check_place(self, signature: bytes) -> None:
        assertion = read_assertion(signature)
        known = {hashlib.sha256(name.encode()).digest() for name in self.passkeys.rp_ids}
        if assertion.rp_id_hash not in known or assertion.origin not in self.passkeys.origins:
            raise SignatureRejected(
                f"the passkey was used at {describe(assertion)}, and not at this service",
                fix="Use it on this service's own page; what another page asks you to sign is not for here.",
            )
        if not (assertion.user_present and assertion.user_verified):
            raise SignatureRejected(
                "the passkey did not make sure who used it",
                fix="Ask for user verification: PIN, finger or face.",
            )
