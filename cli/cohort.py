"""A cohort: those who are to be included into a dataset, as a file lists them, and the answers, counted and written down."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from rich.console import Console

from cli.output import table
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import InvalidInput

Json = dict[str, Any]

#: More answers than this are counted, and not listed.
_MOST_LISTED: Final = 100
_BETWEEN: Final = re.compile(r"[\s,;:]+")
_COLUMNS: Final = ("passportId", "grantId", "seq", "outcome", "missing", "reasons")


class Refusals(Protocol):
    """Takes answers, and keeps those that are no permits."""

    def __call__(self, answers: Sequence[Json]) -> None:
        """Keep the refusals among some answers."""


def read_cohort(named: Sequence[str], file: Path | None) -> list[Json]:
    """
    Read who is to be included.

    Args:
        named: Each a passport, or a passport and a grant with something between them.
        file: The same, one a line; empty lines, lines that begin with `#` and a first line with the names of the columns
            are passed over.

    Returns:
        The targets as the service takes them, in this order.

    Raises:
        InvalidInput: Nobody is named, a line cannot be read, or somebody is named twice.
    """
    listed = [(f"--target {text}", text) for text in named]
    if file is not None:
        lines = (line.strip() for line in _text(file).splitlines())
        listed += [
            (f"line {number} of {file}", line)
            for number, line in enumerate(lines, start=1)
            if line and not line.startswith("#") and not (number == 1 and line.startswith(_COLUMNS[0]))
        ]
    if not listed:
        raise InvalidInput("nobody is named", field="target", fix="Give --target or --targets.")
    first: dict[str, str] = {}
    found = []
    for place, text in listed:
        target = _target(place, text)
        if (before := first.setdefault(target["passportId"], place)) != place:
            raise InvalidInput(
                f"{place} names the passport of {before} again",
                field="targets",
                fix="Name each passport once: somebody is included under one consent.",
            )
        found.append(target)
    return found


@contextmanager
def refusals_to(file: Path | None) -> Iterator[Refusals]:
    """Write refusals to a CSV file while the block runs, each batch at once; to nowhere without a file."""
    if file is None:
        yield lambda _: None
        return
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(_COLUMNS)

        def write(answers: Sequence[Json]) -> None:
            writer.writerows(_row(answer) for answer in _refused(answers))
            out.flush()

        yield write


def tell_answers(out: Console, dataset: int, answers: Sequence[Json]) -> None:
    """Print how many were included, how many were not and why; and the answers themselves if they are few."""
    if len(answers) <= _MOST_LISTED:
        rows = [(item["passportId"], item["seq"], item["answer"], item["reasons"]) for item in answers]
        out.print(table("Asked to include", ("passport", "no.", "answer", "reasons"), rows))
    refused = list(_refused(answers))
    by_answer = Counter(str(item["answer"]) for item in refused)
    told = "".join(f", {count} {answer}" for answer, count in sorted(by_answer.items()))
    out.print(
        f"Dataset {dataset}: {len(answers) - len(refused)} of {len(answers)} included{told}.", markup=False
    )
    reasons = Counter(reason for item in refused for reason in item["reasons"])
    for reason, count in reasons.most_common():
        out.print(f"  {count}: {reason}", markup=False)


def _refused(answers: Iterable[Json]) -> Iterator[Json]:
    return (item for item in answers if item["outcome"] != "PERMIT")


def _row(item: Json) -> list[Any]:
    return [
        item["passportId"],
        item["grantId"] or "",
        item["seq"],
        item["outcome"],
        " ".join(item["missing"]),
        "; ".join(item["reasons"]),
    ]


def _target(place: str, text: str) -> Json:
    words = _BETWEEN.split(text.strip(" ,;"))
    if len(words) not in {1, 2}:
        raise InvalidInput(
            f"{place} is not a passport and a grant",
            field="targets",
            fix="Give a passport, and after a space, comma or colon the grant; nothing else.",
        )
    names = ("passportId", "grantId")
    return {
        name: to_hex(bytes32(word, field=f"{place}: {name}"))
        for name, word in zip(names, words, strict=False)
    }


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", field="targets") from None
