"""
The Python client of the REST API: signed requests, retries, and what the recipient of a release must check.

Knows nothing of the service's inside: only HTTP, the member's keys, and the ledger's public encodings.
"""

from ledger.client.holders import (
    check_amendment,
    check_grant,
    seconds,
    sign_confirmation,
    sign_delegation,
    sign_grant,
    sign_guardians,
    sign_in,
    sign_objection,
    sign_recovery,
    sign_refusal,
    sign_repudiation,
    sign_revocation,
    sign_rotation,
    signer_beside,
)
from ledger.client.keys import MemberKeys
from ledger.client.releases import content_received, open_release, root_received
from ledger.client.rest import PassportClient
from ledger.client.signing import sign_headers

__all__ = [
    "MemberKeys",
    "PassportClient",
    "check_amendment",
    "check_grant",
    "content_received",
    "open_release",
    "root_received",
    "seconds",
    "sign_confirmation",
    "sign_delegation",
    "sign_grant",
    "sign_guardians",
    "sign_headers",
    "sign_in",
    "sign_objection",
    "sign_recovery",
    "sign_refusal",
    "sign_repudiation",
    "sign_revocation",
    "sign_rotation",
    "signer_beside",
]
