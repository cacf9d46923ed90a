"""`passport audit trace` and `blame` against a real chain, and what a file that turned up is on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.schemas.releases import release_out
from cli import main
from ledger.client import MemberKeys, open_release
from ledger.client.leaks import identify
from ledger.client.steps import Made
from ledger.domain.days import day_of
from ledger.domain.lineage import VersionId
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import Category, Level, StepKind
from ledger.encoding.commitments import MAX_RECORD_BYTES
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import InvalidInput, MalformedRecord, TooLarge, VerificationError
from tests.cli.conftest import seal_release
from tests.support.lineage import Laboratory, Target
from tests.support.world import World

CONTENT = b"age,diagnosis\n71,I10\n"
Auditor = Callable[..., Any]


class TestFiles:
    """What a file is committed to as, without a service or a chain."""

    def test_what_a_step_made_by_its_salt(self, tmp_path: Path) -> None:
        """The name of the version; another salt is another name."""
        file, made = _file(tmp_path, CONTENT), Made.of(CONTENT)
        assert identify(file, salt=made.salt).commitment == made.version_id
        assert identify(file, salt="0x" + "00" * 32).commitment != made.version_id

    def test_what_a_step_made_by_the_recorders_file(self, tmp_path: Path) -> None:
        """Found among others by its digest; an altered file is not."""
        made, names = Made.of(CONTENT), tmp_path / "made.jsonl"
        kept = (Made.of(b"other"), made)
        names.write_text(
            "".join(
                json.dumps({"version": item.version_id, "sha256": item.digest, "salt": item.salt}) + "\n"
                for item in kept
            )
        )
        assert identify(_file(tmp_path, CONTENT), names=names).commitment == made.version_id
        with pytest.raises(VerificationError, match=r"none of what made\.jsonl keeps"):
            identify(_file(tmp_path, CONTENT + b"\n"), names=names)

    @pytest.mark.parametrize("form", ["opened", "category", "lines", "one resource"])
    def test_records_by_a_release(
        self, tmp_path: Path, keys: MemberKeys, resources: dict[Category, list[dict[str, Any]]], form: str
    ) -> None:
        """As `request records` writes them, whole or a file for each category, or as what is committed to."""
        release = seal_release(resources, recipient=keys, level=Level.PSEUDONYMISED)
        vitals = resources[Category.VITALS]
        documents = {
            "opened": json.dumps({category.name: entries for category, entries in resources.items()}),
            "category": json.dumps({"category": "VITALS", "entries": vitals}),
            "lines": "".join(json.dumps(resource) + "\n" for resource in vitals),
            "one resource": json.dumps(resources[Category.DIAGNOSIS][0]),
        }
        expected = {
            "opened": Category.DIAGNOSIS | Category.VITALS,
            "category": Category.VITALS,
            "lines": Category.VITALS,
            "one resource": Category.DIAGNOSIS,
        }
        salts = _file(tmp_path, json.dumps(release).encode(), "release.json")

        found = identify(_file(tmp_path, documents[form].encode()), release=salts)

        assert (found.commitment, found.level) == (release["content"], Level.PSEUDONYMISED)
        assert found.categories == expected[form]

    def test_a_release_says_itself_what_it_is(self, tmp_path: Path, release: dict[str, Any]) -> None:
        """Nobody's keys are needed; whatever it says of its content, that is computed."""
        file = _file(tmp_path, json.dumps({**release, "content": "0x" + "00" * 32}).encode())
        found = identify(file)
        assert (found.commitment, found.level) == (release["content"], Level.IDENTIFIED)
        assert found.categories == Category.DIAGNOSIS | Category.VITALS

    def test_excerpts_are_found_as_the_receipt_of_their_hand_over(
        self, tmp_path: Path, keys: MemberKeys, resources: dict[Category, list[dict[str, Any]]]
    ) -> None:
        """Each hand-over has its own, so it names the one recipient; other resources than came are not in it."""
        release = seal_release(resources, recipient=keys, days=(None, "2020-01-31"))
        salts = _file(tmp_path, json.dumps(release).encode(), "release.json")
        vitals = json.dumps({"VITALS": resources[Category.VITALS]}).encode()
        fewer = json.dumps({"VITALS": resources[Category.VITALS][:1]}).encode()

        whole, found = identify(salts), identify(_file(tmp_path, vitals), release=salts)

        assert whole.commitment == found.commitment == release["excerpted"]["receipt"]
        assert (whole.level, found.categories) == (Level.IDENTIFIED, Category.VITALS)
        with pytest.raises(VerificationError, match="not those of the release"):
            identify(_file(tmp_path, fewer), release=salts)

    def test_a_release_whose_manifest_was_exchanged(self, tmp_path: Path, release: dict[str, Any]) -> None:
        """It is not that of its level."""
        release["manifest"]["VITALS"] = "0x" + "00" * 32
        with pytest.raises(VerificationError, match="not the one of its level"):
            identify(_file(tmp_path, json.dumps(release).encode()))

    def test_records_of_somebody_else(self, tmp_path: Path, release: dict[str, Any]) -> None:
        """By name or without one."""
        salts = _file(tmp_path, json.dumps(release).encode(), "release.json")
        other = {"resourceType": "Condition", "id": "other"}
        for document in (other, {"VITALS": [other]}, {"NOTES": [other]}):
            with pytest.raises(VerificationError, match="not those of the release"):
                identify(_file(tmp_path, json.dumps(document).encode()), release=salts)

    def test_records_over_the_bound_are_not_read(self, tmp_path: Path) -> None:
        """What a step made may be of any size, for it is only digested."""
        file = tmp_path / "huge"
        with file.open("wb") as writing:
            writing.truncate(MAX_RECORD_BYTES + 1)
        with pytest.raises(TooLarge, match="huge is over"):
            identify(file)
        assert identify(file, salt="0x" + "00" * 32).commitment.startswith("0x")

    def test_a_file_alone_says_nothing(self, tmp_path: Path) -> None:
        """The error says what is needed, one of them at a time."""
        file = _file(tmp_path, CONTENT)
        with pytest.raises(InvalidInput) as error:
            identify(file)
        assert all(way in error.value.advice for way in ("--salt", "--kept", "--release"))
        with pytest.raises(InvalidInput, match="one way at a time"):
            identify(file, salt="0x" + "00" * 32, release=file)
        with pytest.raises(MalformedRecord, match="is no release"):
            identify(file, release=file)


def _release(world: World, lab: Laboratory, name: tuple[PassportId, int], folder: Path) -> Path:
    """Have data handed over under a decision; returns a file of what came, once its receipt is on the chain."""
    release = world.service.releases.release(lab.lab.member, *name)
    deadline = time.monotonic() + 20
    while not world.service.index.releases_named([name]):
        assert time.monotonic() < deadline, "the receipt never came"
        time.sleep(0.05)
    return _file(folder, release_out(release).model_dump_json(by_alias=True).encode())


def _file(folder: Path, content: bytes, name: str = "leaked") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def lab(world: World) -> Laboratory:
    return Laboratory(world)


@pytest.fixture(scope="module")
def target(lab: Laboratory) -> Target:
    return lab.consent()


@pytest.fixture(scope="module")
def made(lab: Laboratory, target: Target) -> Made:
    """Return a table as `_table` makes it."""
    return _table(lab, target)


def _table(lab: Laboratory, target: Target) -> Made:
    """Clean, check and share a table with the company; then the consent behind it ends."""
    dataset, made = lab.declare(), Made.of(CONTENT)
    lab.include(dataset, target)
    name = VersionId(bytes32(made.version_id))
    assert lab.made(StepKind.CLEAN, lab.collect(dataset), outputs=(name,)) == name
    lab.share(lab.check(name), lab.company)
    lab.withdraw(target)
    return made


@pytest.fixture
def audit(world: World, capsys: pytest.CaptureFixture[str]) -> Iterator[Auditor]:
    """Return a function that runs `passport audit` with node and address alone."""
    deployment = world.runtime.deployment
    assert deployment is not None

    def run(*arguments: str, code: int = 0, text: bool = False) -> Any:
        ledger = ["--rpc", world.settings.rpc, "--ledger", deployment.ledger]
        spoken = ["audit", *arguments, *ledger, "--from-block", str(deployment.block_number)]
        capsys.readouterr()
        with capture_logs():
            found = main.run(spoken if text else [*spoken, "--json"])
        captured = capsys.readouterr()
        assert found == code, captured.out + captured.err
        return captured.out if text else json.loads(captured.out)

    return run


def test_a_leaked_table_is_traced_by_its_content(
    audit: Auditor, lab: Laboratory, target: Target, made: Made, tmp_path: Path
) -> None:
    """To those who have it, and the decision and consent behind it; nobody broke a rule yet."""
    leaked = _file(tmp_path, CONTENT)

    found = audit("trace", "--file", str(leaked), "--salt", made.salt)

    assert found["subject"] == {
        "kind": "version",
        "name": made.version_id,
        "words": f"version {made.version_id}",
    }
    assert [holder["memberName"] for holder in found["holders"]] == [
        "Lineage laboratory",
        "Lineage company",
    ]
    (share,) = found["shares"]
    assert (share["recipientName"], share["permitted"]) == ("Lineage company", True)
    assert share["agreement"] is not None
    collected = next(link for link in found["chain"] if link["act"] == "STEP")
    assert collected["inclusions"]["decisions"] == [
        {"passport": to_hex(target.passport_id), "seq": 0, "grant": to_hex(target.grant_id)}
    ]
    assert [link["act"] for link in found["chain"] if link["act"] == "WITHDRAWN"] == ["WITHDRAWN"]
    assert found["responsible"] is None
    told = audit("trace", "--file", str(leaked), "--salt", made.salt, text=True)
    assert f"Trace of version {made.version_id}, up to block" in told
    assert "agreement 0x" in told
    assert "decisions" in told
    assert "Nobody broke a rule on record. Accountable: Lineage laboratory, Lineage company." in told
    early = audit("trace", made.version_id, "--at", "2020-01-01")
    assert [holder["allowed"] for holder in early["holders"]] == [False, False]
    passport = audit("trace", to_hex(target.passport_id))
    assert (
        "made it in step"
        in {holder["memberName"]: holder for holder in passport["holders"]}["Lineage laboratory"]["reason"]
    )


def test_working_on_it_all_the_same_is_found_and_blamed(audit: Auditor, lab: Laboratory) -> None:
    """The step is recorded and makes nothing; trace and blame name who did it, with the block."""
    made = _table(lab, lab.consent(2))
    entry = lab.step(StepKind.CLEAN, VersionId(bytes32(made.version_id)))
    (output,) = entry.record.step.outputs

    found = audit("trace", made.version_id, code=1)
    blamed = audit("blame", to_hex(output), code=1)

    assert (found["violation"]["rule"], found["responsible"]["memberName"]) == (
        "step-against-rules",
        "Lineage laboratory",
    )
    (evidence,) = found["violation"]["evidence"]
    assert (evidence["block"], evidence["transaction"]) == (
        entry.position.block_number,
        to_hex(entry.position.transaction_hash),
    )
    assert (blamed["step"], blamed["memberName"], blamed["missing"]) == (
        entry.record.step_id,
        "Lineage laboratory",
        ["INPUTS_CURRENT"],
    )
    assert blamed["position"]["block"] == entry.position.block_number
    assert "is responsible: step" in audit("blame", to_hex(output), code=1, text=True)
    assert audit("blame", made.version_id)["step"] is None
    told = audit("trace", f"step:{entry.record.step_id}", code=1, text=True)
    assert "BREACH  step-against-rules: Lineage laboratory recorded step" in told


def test_what_is_asked_wrongly_or_is_unknown(audit: Auditor, made: Made, tmp_path: Path) -> None:
    """Each time the answer says what to do."""
    assert "PASSPORT:SEQ" in audit("trace", "0x" + "ab" * 32, code=2)["fix"]
    assert audit("trace", code=2)["fix"] == "Give a subject or --file."
    file = str(_file(tmp_path, CONTENT))
    assert audit("trace", made.version_id, "--file", file, code=2)["code"] == "invalid-input"
    assert "--salt" in audit("trace", "--file", file, code=2)["fix"]
    assert audit("blame", "0x" + "ab" * 32, code=2)["code"] == "not-found"


def test_without_a_node_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither from the command line nor from the environment."""
    for name in ("RPC", "LEDGER"):
        monkeypatch.delenv(f"PASSPORT_{name}", raising=False)
    for command in ("trace", "blame"):
        assert main.run(["audit", command, "0x" + "ab" * 32, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["fix"] == "Give --rpc URL and --ledger ADDRESS."


def test_a_release_of_a_record_is_traced_to_it(
    audit: Auditor, world: World, lab: Laboratory, tmp_path: Path
) -> None:
    """Fetched from the service once; traced without it, to those who got it in this form."""
    passport = world.register(lab.hospital, 1)
    grant = world.grant(lab.hospital, passport, lab.lab)
    verdict = world.ask(lab.lab, passport, grant_id=grant, project_id=lab.project)
    file = _release(world, lab, (passport, verdict.seq), tmp_path)

    found = audit("trace", "--file", str(file))

    assert found["subject"]["name"] == to_hex(passport)
    assert [holder["memberName"] for holder in found["holders"]] == ["Lineage hospital", "Lineage laboratory"]
    assert open_release(json.loads(file.read_text()), lab.lab.keys)


def test_an_excerpt_is_traced_to_the_decision_that_it_came_by(
    audit: Auditor, world: World, lab: Laboratory, tmp_path: Path
) -> None:
    """By the receipt on the chain: of two decisions about the record, only the one that it left under."""
    passport = world.register(lab.hospital, 1)
    grant = world.grant(lab.hospital, passport, lab.lab)
    words = {"grant_id": grant, "project_id": lab.project}
    world.ask(lab.lab, passport, **words)
    verdict = world.ask(
        lab.lab, passport, first_day=day_of(date(2013, 1, 4)), last_day=day_of(date(2013, 1, 18)), **words
    )
    file = _release(world, lab, (passport, verdict.seq), tmp_path)

    found = audit("trace", "--file", str(file))

    assert found["subject"]["name"] == f"{to_hex(passport)}/{verdict.seq}"
    assert "ReleaseRecorded" in json.dumps(found["subject"])
    assert [holder["memberName"] for holder in found["holders"]] == ["Lineage hospital", "Lineage laboratory"]
