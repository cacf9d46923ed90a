"""An authenticator and a browser in a few lines: a P-256 key that signs as a passkey does."""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from ledger.encoding.webauthn import P256_ORDER, pack_assertion, passkey

_PRESENT_AND_VERIFIED = 0x05
_WORD = 32


class Passkey:
    """One passkey, made for one relying party."""

    def __init__(self, rp_id: str) -> None:
        self.rp_id = rp_id
        self._key = generate_private_key(SECP256R1())
        self._uses = 0

    def holder(self, verifier: str) -> str:
        """Return the holder's key for a verifier on the chain."""
        point = self._key.public_key().public_numbers()
        return passkey(verifier, x=point.x, y=point.y)

    def bare(self, digest: bytes) -> bytes:
        """Sign a digest itself, as no browser does; r and s, s in the lower half."""
        r, s = decode_dss_signature(self._key.sign(digest, ECDSA(Prehashed(hashes.SHA256()))))
        return r.to_bytes(_WORD, "big") + min(s, P256_ORDER - s).to_bytes(_WORD, "big")

    def assertion(
        self,
        challenge: bytes,
        origin: str,
        *,
        flags: int = _PRESENT_AND_VERIFIED,
        rp_id: str | None = None,
        kind: str = "webauthn.get",
        flipped: bool = False,
    ) -> bytes:
        """
        Sign a challenge as a passkey does on a page of an origin.

        Args:
            challenge: What the page wants signed.
            origin: Where the page is.
            flags: What the authenticator says about its user.
            rp_id: Another relying party than the one it was made for.
            kind: What the browser says that this is.
            flipped: Whether s is in the upper half.

        Returns:
            The assertion as the verifier reads it.
        """
        self._uses += 1
        party = hashlib.sha256((rp_id or self.rp_id).encode()).digest()
        authenticator_data = party + bytes([flags]) + self._uses.to_bytes(4, "big")
        client_data = json.dumps(
            {
                "type": "webauthn.get",
                "challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
                "origin": origin,
                "crossOrigin": False,
            },
            separators=(",", ":"),
        ).encode()
        written = client_data.replace(b"webauthn.get", kind.encode())
        signed = authenticator_data + hashlib.sha256(written).digest()
        r, s = decode_dss_signature(self._key.sign(signed, ECDSA(hashes.SHA256())))
        s = min(s, P256_ORDER - s)
        packed = pack_assertion(
            r=r,
            s=P256_ORDER - s if flipped else s,
            authenticator_data=authenticator_data,
            client_data_json=client_data,
            lower_s=not flipped,
        )
        # Only the length must stay the same: the indices are those of the client data before.
        return packed.replace(client_data, written)
