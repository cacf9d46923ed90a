"""Files for their owner's eyes alone: records that were decrypted, as they are written to disk."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from ledger.errors import InvalidInput

_MODE: Final = 0o600


def write_private(path: Path, text: str) -> None:
    """
    Write a file that nobody but its owner can read at any moment, whole or not at all; one by that name is replaced.

    It is written under a new name first: who has the old file open, or whom its mode lets read it, gets nothing.

    Raises:
        InvalidInput: The name is a link, or anything else but a file.
    """
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        raise InvalidInput(f"{path} is no plain file", field="out", fix="Name another file.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
