"""
HTTP message signatures of members.

Source: RFC 9421; RFC 9530 for Content-Digest; docs/spec.md, "Request signature".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ED25519

from ledger.client.keys import MemberKeys

LABEL: Final = "sig1"
#: How long a signed request is good for, in seconds; the service takes no more.
VALID_SECONDS: Final = 300
_COMPONENTS: Final = ("@method", "@target-uri")
_NONCE_BYTES: Final = 16


@dataclass(slots=True)
class _Message:
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class _OneKey(HTTPSignatureKeyResolver):
    """Knows the one private key there is to sign with."""

    def __init__(self, keys: MemberKeys) -> None:
        self._keys = keys

    def resolve_public_key(self, key_id: str) -> Any:
        raise NotImplementedError

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:  # noqa: ARG002 - there is only one
        return Ed25519PrivateKey.from_private_bytes(self._keys.signing_seed)


def sign_headers(keys: MemberKeys, method: str, url: str, body: bytes | None = None) -> dict[str, str]:
    """
    Sign a request.

    Args:
        keys: The member's keys.
        method: HTTP method in capitals.
        url: Absolute URL exactly as it is sent.
        body: Exactly the bytes that are sent; None or empty for none.

    Returns:
        The headers to add: `Signature-Input`, `Signature`, and `Content-Digest` if there is a body. They are good
        for one request within `VALID_SECONDS`.
    """
    message = _Message(method, url)
    created = datetime.now(UTC)
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_OneKey(keys)).sign(
        message,
        key_id=keys.signing_public,
        created=created,
        expires=created + timedelta(seconds=VALID_SECONDS),
        nonce=secrets.token_urlsafe(_NONCE_BYTES),
        label=LABEL,
        covered_component_ids=_COMPONENTS,
        body=body or None,
    )
    return message.headers
