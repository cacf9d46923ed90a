"""Health: whether the service lives and is ready."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import Model


class AliveOut(Model):
    """The process runs."""

    status: Literal["alive"] = "alive"


class ReadyOut(Model):
    """Whether the service can do its work; each check is null or says what is wrong."""

    ready: bool
    checks: dict[str, str | None] = Field(examples=[{"database": None, "node": None}])
    indexed_block: int | None = Field(examples=[42])
    chain_head: int | None = Field(examples=[42])
