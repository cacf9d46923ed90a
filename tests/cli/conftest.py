"""What the tests of client and command line share: keys, a sealed release, and a service that answers from a script."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from nacl.public import PublicKey, SealedBox
from nacl.secret import SecretBox
from nacl.utils import random

from ledger.client import MemberKeys
from ledger.domain.vocabulary import RECORD_LEVELS, Category, Level
from ledger.encoding.commitments import (
    canonical,
    category_record,
    commit,
    content_of,
    levels,
    manifest,
    manifest_of,
    new_salt,
)
from ledger.encoding.hexadecimal import to_hex

Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture
def keys() -> MemberKeys:
    return MemberKeys.new("Riverside Hospital", member_id=2)


@pytest.fixture
def resources() -> dict[Category, list[dict[str, Any]]]:
    return {
        Category.DIAGNOSIS: [{"resourceType": "Condition", "id": "c1", "text": "Grippe – 流感"}],
        Category.VITALS: [
            {"resourceType": "Observation", "value": 36.6},
            {"resourceType": "Observation", "value": 1.0},
        ],
    }


@pytest.fixture
def release(keys: MemberKeys, resources: dict[Category, list[dict[str, Any]]]) -> dict[str, Any]:
    """A release as the service sends it, sealed with the library that the vault uses."""
    return seal_release(resources, recipient=keys)


def seal_release(
    resources: dict[Category, list[dict[str, Any]]],
    *,
    recipient: MemberKeys,
    level: Level = Level.IDENTIFIED,
) -> dict[str, Any]:
    items, commitments = [], {}
    box = SealedBox(PublicKey(bytes.fromhex(recipient.sealing_public[2:])))
    for category, entries in resources.items():
        plain, salt, data_key = (
            canonical(category_record(category, entries)),
            new_salt(),
            random(SecretBox.KEY_SIZE),
        )
        commitments[category] = commit("category", plain, salt=salt)
        items.append(
            {
                "category": category.name,
                "entries": len(entries),
                "ciphertext": base64.b64encode(SecretBox(data_key).encrypt(plain)).decode(),
                "sealedKey": base64.b64encode(box.encrypt(data_key)).decode(),
                "commitment": to_hex(commitments[category]),
                "salt": to_hex(salt),
            }
        )
    whole, salt, top_salt = manifest(commitments), new_salt(), new_salt()
    others = {other: manifest_of(manifest({}), salt=new_salt()) for other in RECORD_LEVELS}
    top = levels({**others, level: manifest_of(whole, salt=salt)})
    return {
        "passportId": "0x" + "11" * 32,
        "seq": 0,
        "level": level.name,
        "content": to_hex(content_of(top, salt=top_salt)),
        "levels": top,
        "levelsSalt": to_hex(top_salt),
        "manifest": whole,
        "manifestSalt": to_hex(salt),
        "categories": items,
    }


@pytest.fixture
def scripted() -> Callable[..., httpx2.Client]:
    """Make an HTTP client whose requests are answered one after the other; the last answer stays."""

    def make(
        *answers: Answer | httpx2.Response | Exception, seen: list[httpx2.Request] | None = None
    ) -> httpx2.Client:
        left = list(answers)

        def handle(request: httpx2.Request) -> httpx2.Response:
            if seen is not None:
                seen.append(request)
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, httpx2.Response) else answer(request)

        return httpx2.Client(transport=httpx2.MockTransport(handle))

    return make


def problem(status: int, code: str, detail: str = "it is so", fix: str = "do this") -> httpx2.Response:
    body = {
        "type": f"/problems/{code}",
        "title": "t",
        "status": status,
        "detail": detail,
        "code": code,
        "fix": fix,
    }
    return httpx2.Response(
        status, content=json.dumps(body), headers={"Content-Type": "application/problem+json"}
    )
