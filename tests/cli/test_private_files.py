"""What was decrypted is readable by its owner alone, at every moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.commands.request import _write
from cli.private_files import write_private
from ledger.errors import InvalidInput


def test_a_file_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    """Neither its mode nor who has it open lets anybody read what is written now."""
    path = tmp_path / "records.json"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as opened_before:
        write_private(path, "new 流感")
        assert opened_before.read() == "old"
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) == ("new 流感", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """A link that somebody else has put there leads nowhere, and neither does a folder."""
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_text("untouched")
    link.symlink_to(other)
    for path in (link, tmp_path):
        with pytest.raises(InvalidInput, match="no plain file"):
            write_private(path, "secret")
    assert (other.read_text(), sorted(tmp_path.iterdir())) == ("untouched", [link, other])


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    """Text that cannot be written: the old file stays whole, and no draft is left."""
    path = tmp_path / "records.json"
    write_private(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_a_category_is_written_into_a_folder_that_others_can_read(tmp_path: Path) -> None:
    """The folder was there before and stays as it is; the files in it are private from the first byte."""
    tmp_path.chmod(0o755)
    (tmp_path / "diagnosis.ndjson").touch(mode=0o644)
    _, path, number = _write(tmp_path, "DIAGNOSIS", [{"id": "c1"}])
    assert (path.read_text(), number, path.stat().st_mode & 0o077) == ('{"id": "c1"}\n', 1, 0)
