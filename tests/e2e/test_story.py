"""The acceptance of the main job: the numbers, the crashes, the replay, and what the chain gives away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from ledger.chain.contract import decoder
from ledger.chain.rpc import Node
from ledger.interop.fhir import category_of
from tests.e2e.conftest import Told
from tests.support.data import ROOT, bundle_files


def test_the_numbers_are_those_of_the_data(told: Told) -> None:
    """Every entry of every bundle is counted, under its category."""
    entries = [
        entry["resource"] for path in bundle_files() for entry in json.loads(path.read_text())["entry"]
    ]

    assert told.result["patients"] == told.result["passports"] == len(bundle_files()) == 20
    assert told.result["resources"] == len(entries)
    assert told.result["categories"] == dict(Counter(str(category_of(entry).name) for entry in entries))


def test_the_story_has_permits_and_recorded_denials(told: Told) -> None:
    """Each way to be refused that the story tells of is on record by its missing fact."""
    assert told.result["permits"] > 0
    expected = {"GRANT_LIVE", "GRANT_PURPOSE", "GRANT_CATEGORIES", "GRANT_QUOTA", "PROJECT_FILED", "LAWFUL"}
    assert expected <= told.result["denials"].keys()
    assert told.result["transfers"] == 2
    assert told.result["outsiderRefused"] == 1


@pytest.mark.parametrize("which", ["told", "told_on_a_forgetful_chain"])
def test_crashes_lose_nothing_and_double_nothing(which: str, request: pytest.FixtureRequest) -> None:
    """Killed before every step and in the middle of one, each step told twice: everything is there once."""
    told: Told = request.getfixturevalue(which)
    result, node = told.result, Node(told.sandbox.rpc)
    names = Counter(event.name for event in _events(told))

    assert names["PassportIssued"] == result["passports"] == 20
    assert names["ConsentGranted"] == result["grants"]
    assert names["DecisionRecorded"] == result["permits"] + result["denied"] == result["replay"]["decisions"]
    assert names["ConsentWithdrawn"] == 1
    assert names["TransferShipped"] == names["TransferDeclared"] == names["TransferDispatched"] == 1
    assert names["TransferLoaded"] == 3
    assert names["TransferReceived"] == 2
    assert names["AgreementProposed"] == names["AgreementSigned"] == 1
    assert names["MemberAdmitted"] == names["ActProposed"] + 1 == 8  # the founder needs no act
    assert names["ActExecuted"] == 7
    assert names["DatasetDeclared"] == 1
    assert names["StepRecorded"] == result["steps"] + 1 == 8  # one broke a rule
    assert names["ProjectReviewed"] == 2 * names["ProjectFiled"] > 0
    assert result["replay"]["mismatches"] == 0
    assert node.head().number >= 60


def test_the_same_story_comes_out_whatever_is_killed(told: Told, told_on_a_forgetful_chain: Told) -> None:
    """Permits, denials by missing fact, grants and categories do not depend on what crashed."""
    same = (
        "patients",
        "passports",
        "resources",
        "categories",
        "grants",
        "permits",
        "denials",
        "denied",
        "transfers",
        "included",
        "steps",
    )

    assert {key: told.result[key] for key in same} == {
        key: told_on_a_forgetful_chain.result[key] for key in same
    }


def test_a_model_is_made_and_the_withdrawal_reaches_it(told: Told) -> None:
    """Those whose consent covers the dataset are in it; its model owes an answer, and old data trains nothing more."""
    inclusions = [
        answer
        for batch in told.story.notebook.answers("batch-include-").values()
        for answer in batch.values()
    ]
    again = told.story.notebook.answer("step-train-again")

    assert told.result["included"] == sum(answer["outcome"] == "PERMIT" for answer in inclusions) == 10
    assert {"GRANT_CATEGORIES"} <= {
        fact for answer in inclusions if answer["outcome"] == "DENY" for fact in answer["missing"]
    }
    assert told.result["owed"].startswith(
        "North Star AI (demo) owes an answer to a consent that was withdrawn"
    )
    assert (again["outcome"], again["missing"]) == ("DENY", ["INPUTS_CURRENT"])


def test_the_auditor_needs_the_node_alone(told: Told, tmp_path: Path) -> None:
    """Service stopped, database deleted: 0 mismatches, and the planted misuse is named."""
    copy = tmp_path / "sandbox"
    told.sandbox.stop_service()
    shutil.move(told.sandbox.folder / "data", copy)
    try:
        code, report = _passport(
            "audit", "replay", "--rpc", told.sandbox.rpc, "--ledger", told.facts["ledger"],
            "--access-log", str(told.sandbox.folder / "access-log.json"), "--json",
        )  # fmt: skip
    finally:
        shutil.move(copy, told.sandbox.folder / "data")
        told.sandbox.start_service()

    assert code == 1  # something was found
    assert report["mismatches"] == 0
    assert report["decisions"] == told.result["replay"]["decisions"]
    misuse = [finding for finding in report["findings"] if finding["rule"] == "use-without-permit"]
    assert len(misuse) == 1
    assert "North Star" in misuse[0]["memberName"]


def test_one_altered_row_of_the_index_is_found(told: Told, tmp_path: Path) -> None:
    """A refusal turned into a permit in the service's database is named with its table and passport."""
    altered = tmp_path / "ledger.db"
    _copy_database(told.sandbox.folder / "data" / "ledger.db", altered)
    passport = _turn_a_denial_into_a_permit(altered)

    _, report = _passport(
        "audit", "replay", "--rpc", told.sandbox.rpc, "--ledger", told.facts["ledger"],
        "--index", f"sqlite:///{altered}", "--json",
    )  # fmt: skip

    found = [finding for finding in report["findings"] if finding["rule"] == "index-altered"]
    assert [finding["passport"] for finding in found] == ["0x" + passport.hex()]


def test_the_honest_index_is_not_accused(told: Told) -> None:
    """The service's own database compared with the chain: no finding about the index."""
    _, report = _passport(
        "audit", "replay", "--rpc", told.sandbox.rpc, "--ledger", told.facts["ledger"],
        "--index", told.sandbox.database, "--json",
    )  # fmt: skip

    assert [finding for finding in report["findings"] if finding["rule"] == "index-altered"] == []


def test_nothing_on_the_chain_tells_who_a_patient_is(told: Told) -> None:
    """Calldata, logs and storage hold no name, identifier, birth date, nor any of twenty usual hashes of them."""
    haystack = _everything_on_chain(told)
    identifiers = {text for path in bundle_files() for text in _identifiers(json.loads(path.read_text()))}
    assert len(identifiers) > 20 * 5

    hits = [
        (text, name)
        for text in identifiers
        for name, needle in _derivations(text)
        if len(needle) >= 4 and needle in haystack
    ]

    assert hits == []


def test_holders_of_one_seed_are_unrelated_between_hospitals(told: Told) -> None:
    """No holder address occurs twice on the chain: each patient speaks to each custodian with another key."""
    holders = [event.arguments["holder"] for event in _events(told) if event.name == "PassportIssued"]

    assert len(holders) == len(set(holders)) == 20


def test_keys_are_in_no_log(told: Told) -> None:
    """The service's log holds no private key, passphrase, salt or name of a patient."""
    log = (told.sandbox.folder / "service.log").read_text(errors="replace")
    secrets = [
        json.loads(path.read_text())[name][2:]
        for path in (told.sandbox.folder / "keys").glob("*.json")
        for name in ("signingKey", "sealingKey")
    ]
    secrets += [
        (told.sandbox.folder / "data" / "secrets" / name).read_text()
        for name in ("keystore-passphrase", "vault-key")
    ]

    assert secrets
    assert [secret for secret in secrets if secret in log] == []


def test_the_demo_command_ends_with_one_json_object(tmp_path: Path) -> None:
    """`passport demo --json` on a folder of two patients: one object with the promised keys, nothing else."""
    few = tmp_path / "few"
    few.mkdir()
    for path in bundle_files()[:2]:
        shutil.copy(path, few)

    code, result = _passport("demo", "--data", str(few), "--json")

    promised = {
        "patients",
        "passports",
        "resources",
        "categories",
        "grants",
        "permits",
        "denials",
        "transfers",
    }
    assert code == 0
    assert promised | {"findings", "replay"} <= result.keys()
    assert result["patients"] == 2
    assert result["replay"]["mismatches"] == 0


def _events(told: Told) -> list[Any]:
    node = Node(told.sandbox.rpc)
    logs = node.logs(told.facts["ledger"], 0, node.head().number)
    return [event for log in logs if (event := decoder().decode(log)) is not None]


def _passport(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the command line as a user would; return its exit code and its JSON."""
    run = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert run.stdout, run.stderr
    return run.returncode, json.loads(run.stdout)


def _copy_database(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as reading, sqlite3.connect(target) as writing:
        reading.backup(writing)
    reading.close()
    writing.close()


def _turn_a_denial_into_a_permit(database: Path) -> bytes:
    connection = sqlite3.connect(database)
    for passport, seq, verdict in connection.execute(
        "SELECT passport_id, seq, verdict FROM decisions"
    ).fetchall():
        word = int.from_bytes(verdict, "big")
        if word >> 80 & 0xFF == 2:
            altered = (word & ~(0xFF << 80) | 1 << 80).to_bytes(32, "big")
            connection.execute(
                "UPDATE decisions SET verdict = ? WHERE passport_id = ? AND seq = ?", (altered, passport, seq)
            )
            connection.commit()
            connection.close()
            return bytes(passport)
    raise AssertionError("the story has no denial")


def _everything_on_chain(told: Told) -> bytes:
    """Return all calldata, log topics, log data and non-zero storage words that the ledger's chain holds."""
    node, parts = Node(told.sandbox.rpc), []
    for number in range(node.head().number + 1):
        block = node.request("eth_getBlockByNumber", hex(number), True)
        for transaction in block["transactions"]:
            parts.append(bytes.fromhex(transaction["input"][2:]))
            trace = node.request(
                "debug_traceTransaction", transaction["hash"], {"disableStack": True, "disableMemory": True}
            )
            for step in trace["structLogs"]:
                for slot, word in (step.get("storage") or {}).items():
                    parts += [
                        bytes.fromhex(slot.removeprefix("0x").zfill(64)),
                        bytes.fromhex(word.removeprefix("0x").zfill(64)),
                    ]
    for log in node.logs(told.facts["ledger"], 0, node.head().number):
        parts += [*log.topics, log.data]
    return b"\x00".join(parts)


def _identifiers(document: dict[str, Any]) -> Iterator[str]:
    patient = next(e["resource"] for e in document["entry"] if e["resource"]["resourceType"] == "Patient")
    yield patient["id"]
    yield patient["birthDate"]
    yield from (item["value"] for item in patient["identifier"])
    for name in patient["name"]:
        yield name["family"]
        yield from name["given"]
        yield f"{' '.join(name['given'])} {name['family']}"
    yield from (item["value"] for item in patient.get("telecom", []))


def _derivations(text: str) -> Iterable[tuple[str, bytes]]:
    """Yield the text itself and twenty usual ways to hash it."""
    raw = text.encode()
    yield "plain", raw
    yield "lower", raw.lower()
    yield "upper", raw.upper()
    for form, data in (("as is", raw), ("lower", raw.lower()), ("upper", raw.upper())):
        for name in ("md5", "sha1", "sha256", "sha512", "sha3_256"):
            yield f"{name} {form}", hashlib.new(name, data).digest()[:32]
        yield f"keccak {form}", keccak(data)
    yield "double sha256", hashlib.sha256(hashlib.sha256(raw).digest()).digest()
    yield "keccak of sha256", keccak(hashlib.sha256(raw).digest())
    yield "hex sha256", hashlib.sha256(raw).hexdigest().encode()
    yield "base64", base64.b64encode(raw)
    yield "padded", raw.ljust(32, b"\x00") if len(raw) >= 4 else b""
    yield "keccak padded", keccak(raw.rjust(32, b"\x00"))
    yield "hmac empty key", hmac.digest(b"", raw, "sha256")
    yield "blake2b", hashlib.blake2b(raw, digest_size=32).digest()
    yield "blake2s", hashlib.blake2s(raw).digest()
