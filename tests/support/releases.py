"""Releases as their recipients get them."""

from __future__ import annotations

import json
from typing import Any

from api.schemas.releases import release_out
from ledger.service.releases import Release


def sent(release: Release) -> dict[str, Any]:
    """Return a release as the recipient gets it."""
    body: dict[str, Any] = json.loads(release_out(release).model_dump_json(by_alias=True))
    return body
