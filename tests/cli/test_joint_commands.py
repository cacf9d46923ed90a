"""Joint steps on the command line: drafted by who records, signed by the others, online and offline, submitted."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli import main
from ledger.client.joint import body_of, sign_part, step_of_draft
from ledger.client.steps import kept
from ledger.domain.records import Address
from ledger.domain.vocabulary import Role, StepKind
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import LedgerDomain, part_typed_data, recover
from ledger.errors import InvalidInput
from ledger.wallet import holder_address
from tests.cli.conftest import Run
from tests.support.lineage import TOOL, Laboratory, fresh
from tests.support.world import World

CONTRIBUTION = "0x" + "c0" * 32
DRAFT: dict[str, Any] = {
    "chainId": 31337,
    "ledger": "0x" + "11" * 20,
    "recorder": 2,
    "salt": "0x" + "22" * 32,
    "kind": "TRAIN",
    "inputs": ["0x" + "01" * 32],
    "outputs": ["0x" + "02" * 32],
    "projectId": 1,
    "purposes": ["AI_TRAINING"],
    "parameters": {"round": 1},
}


@pytest.fixture(scope="module")
def lab(world: World) -> Laboratory:
    return Laboratory(world)


@pytest.fixture
def run(run_in: Callable[[World], Run], world: World) -> Run:
    speak = run_in(world)
    return lambda who, *arguments, **options: speak(*arguments, who=who, **options)


def written(path: Path, document: Any) -> str:
    """Write a document as JSON; returns the file's name."""
    path.write_text(json.dumps(document))
    return str(path)


def test_a_round_is_drafted_signed_and_submitted(
    run: Run, lab: Laboratory, world: World, tmp_path: Path
) -> None:
    """By a site whose key its service holds; the chain of models grows by one."""
    site = world.admit("Command line site", Role.PROCESSOR)
    data = lab.check(lab.made(StepKind.COLLECT, actor=site, dataset_id=lab.declare(site)))
    recorder = str(lab.lab.member.member_id)
    base, models = [], []
    for number in (1, 2):
        step = {
            "kind": "TRAIN",
            "inputs": [*base, to_hex(data)],
            "outputs": [to_hex(fresh())],
            "projectId": lab.project,
            "purposes": ["AI_TRAINING", "AI_VALIDATION"],
            "tool": to_hex(TOOL),
            "parameters": {"round": number},
        }
        body = written(tmp_path / "step.json", step)
        told = run(lab.lab, "lineage", "draft", body, "--recorder", recorder, text=True)
        draft = written(tmp_path / "draft.json", json.loads(told))
        signed = ["lineage", "sign-part", draft, "--contribution", CONTRIBUTION]
        part = written(tmp_path / "part.json", json.loads(run(site, *signed, text=True)))
        found = run(lab.lab, "lineage", "joint", draft, part)
        assert found["outcome"] == "PERMIT"
        assert [(one["member"]["name"], one["contribution"]) for one in found["parts"]] == [
            ("Command line site", CONTRIBUTION)
        ]
        assert found["parameters"] == {"round": number}
        models += found["outputs"]
        base = found["outputs"]
    rounds = run(site, "lineage", "rounds", models[-1])
    assert [(item["number"], item["model"]["versionId"], item["base"]) for item in rounds["items"]] == [
        (1, models[0], None),
        (2, models[1], models[0]),
    ]
    assert "Command line site" in run(site, "lineage", "rounds", models[-1], text=True)
    # Sent again, or by somebody else, it is refused.
    assert run(lab.lab, "lineage", "joint", draft, part, code=2)["code"] == "conflict"
    assert run(lab.company, "lineage", "joint", draft, part, code=2)["code"] in (
        "conflict",
        "signature_rejected",
    )


def test_a_step_that_lacks_a_part_is_on_record_and_makes_nothing(
    run: Run, lab: Laboratory, world: World, tmp_path: Path
) -> None:
    """It ends with 1."""
    step = {**DRAFT, "projectId": lab.project, "inputs": [to_hex(fresh())], "outputs": [to_hex(fresh())]}
    spec = run(
        lab.lab,
        "lineage",
        "draft",
        written(tmp_path / "s", body_of(step)),
        "--recorder",
        str(lab.lab.member.member_id),
        text=True,
    )
    draft = written(tmp_path / "draft.json", json.loads(spec))
    signed = run(lab.company, "lineage", "sign-part", draft, "--contribution", CONTRIBUTION, text=True)
    part = written(tmp_path / "part.json", json.loads(signed))
    found = run(lab.lab, "lineage", "joint", draft, part, code=1)
    assert "INPUTS_KNOWN" in found["missing"]


def test_what_is_from_outside_is_registered_and_shown(run: Run, lab: Laboratory) -> None:
    """In quarantine, with who vouches for it."""
    content = to_hex(fresh())
    words = ["MODEL", "--purpose", "AI_TRAINING", "--statement", "Published weights, release 4"]
    found = run(lab.lab, "lineage", "external", content, *words)
    name = found["versionId"]
    assert name != content
    assert (found["external"], found["quarantined"], found["stepId"]) == (True, True, None)
    assert found["statement"] == "Published weights, release 4"
    assert found["owner"]["name"] == "Lineage laboratory"
    passed = run(lab.verifier, "lineage", "verify", name, "--passed", "--report", "Weights are as published")
    assert (passed["external"], passed["quarantined"]) == (True, False)
    trace = run(lab.company, "lineage", "trace", name, text=True)
    assert "vouches for it" in trace


def test_a_part_is_signed_without_a_network(run: Run, lab: Laboratory, tmp_path: Path) -> None:
    """With the key of the account; the signature is the account's, for the step, the recorder and the contribution."""
    key = secrets.token_bytes(32)
    file = tmp_path / "key"
    file.write_text(key.hex())
    draft = written(tmp_path / "draft.json", DRAFT)
    command = ["lineage", "sign-part", draft, "--contribution", CONTRIBUTION, "--signer", str(file)]
    part = json.loads(run(lab.lab, *command, "--member", "7", text=True))
    assert part == sign_part(DRAFT, member_id=7, contribution=bytes.fromhex("c0" * 32), private_key=key)
    typed = part_typed_data(
        LedgerDomain(31337, Address("0x" + "11" * 20)),
        step_of_draft(DRAFT),
        recorder=2,
        member_id=7,
        contribution=bytes.fromhex("c0" * 32),
    )
    assert recover(typed, bytes.fromhex(part["signature"][2:])) == holder_address(key).lower()
    run(lab.lab, *command, code=2, text=True)  # whose part it is must be said


def test_files_are_named_by_commitments_that_are_kept(
    run: Run, lab: Laboratory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each name under a salt of its own, which stays in the file of the one who named it."""
    update, weights = tmp_path / "update.bin", tmp_path / "weights.bin"
    update.write_bytes(b"update")
    weights.write_bytes(b"weights")
    keep = tmp_path / "made.jsonl"
    capsys.readouterr()
    assert main.run(["lineage", "name", str(update), str(weights), "--keep", str(keep), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert main.run(["lineage", "name", str(update), "--keep", str(keep)]) == 0
    alone = capsys.readouterr().out.strip()

    found = kept(keep)
    assert list(found) == [first["version"], second["version"], alone]
    assert found[first["version"]].proves(update)
    assert found[alone].proves(update)
    assert not found[second["version"]].proves(update)
    assert alone != first["version"]
    assert keep.stat().st_mode & 0o777 == 0o600
    draft = written(tmp_path / "draft.json", DRAFT)
    key = tmp_path / "key"
    key.write_text(secrets.token_hex(32))
    command = ["lineage", "sign-part", draft, "--contribution", alone, "--signer", str(key), "--member", "7"]
    assert json.loads(run(lab.lab, *command, text=True))["contribution"] == alone
    assert main.run(["lineage", "name", str(tmp_path / "nothing"), "--keep", str(keep), "--json"]) != 0
    assert len(kept(keep)) == 3


@pytest.mark.parametrize(
    "spoilt",
    [{"salt": None}, {"kind": "PAINT"}, {"inputs": ["0x01"]}, {"purposes": ["FUN"]}, {"parameters": None}],
)
def test_what_is_no_draft_is_not_signed(spoilt: dict[str, Any]) -> None:
    """Who signs must know what."""
    drafted = {name: value for name, value in {**DRAFT, **spoilt}.items() if value is not None}
    with pytest.raises(InvalidInput, match=r"no draft|0x and 64"):
        step_of_draft(drafted)


@pytest.mark.parametrize("field", ["chainId", "ledger", "recorder"])
def test_a_draft_says_what_the_signature_is_for(field: str) -> None:
    """The chain, the ledger, and who records."""
    drafted = {name: value for name, value in DRAFT.items() if name != field}
    with pytest.raises(InvalidInput, match="a draft names"):
        sign_part(drafted, member_id=7, contribution=bytes(32), private_key=b"\x01" * 32)


def test_parts_are_sent_in_the_order_of_their_members() -> None:
    """However they came; what the draft says about the signatures stays behind."""
    body = body_of(DRAFT, [{"memberId": 9}, {"memberId": 3}])
    assert [part["memberId"] for part in body["parts"]] == [3, 9]
    assert not {"chainId", "ledger", "recorder"} & body.keys()
    assert body["salt"] == DRAFT["salt"]
