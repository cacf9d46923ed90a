"""The command line: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import re
import shlex
import stat
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier

from cli import main
from cli.health import Check, LeftOut, Wrong, examine
from cli.output import short, table
from cli.times import read_time, rfc3339
from ledger.client import MemberKeys
from ledger.client import rest as client_module
from ledger.client.transport import Transport
from ledger.errors import InvalidInput, NodeUnreachable

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "URL",
        "KEY",
        "WALLET",
        "WALLET_PASSPHRASE",
        "RPC",
        "LEDGER",
        "SESSION",
        "CUSTODIAN",
        "DEBUG",
    ):
        monkeypatch.delenv(f"PASSPORT_{name}", raising=False)


@pytest.fixture
def key_file(keys: MemberKeys, tmp_path: Path) -> Path:
    path = tmp_path / "hospital.json"
    keys.save(path)
    return path


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, scripted: Any) -> Any:
    """Let every client of the command line talk to a script."""

    def use(*responses: httpx2.Response) -> list[httpx2.Request]:
        seen: list[httpx2.Request] = []
        http = scripted(*responses, seen=seen)
        monkeypatch.setattr(
            client_module,
            "Transport",
            lambda url, credentials, patience: Transport(url, credentials, patience, http),
        )
        return seen

    return use


def _decision(outcome: str, reasons: list[str]) -> dict[str, Any]:
    return {
        "passportId": "0x" + "aa" * 32,
        "seq": 0,
        "outcome": outcome,
        "answer": "permitted" if outcome == "PERMIT" else "refused",
        "sentence": "North asked to read diagnoses",
        "reasons": reasons,
        "position": {"time": "2026-11-24T00:00:00Z"},
    }


class TestEnding:
    def test_help_ends_with_0(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert 0 == main.run(["--help"])
        out = capsys.readouterr().out
        for name in (
            "up",
            "demo",
            "doctor",
            "member",
            "holder",
            "grant",
            "request",
            "transfer",
            "log",
            "verify",
            "audit",
        ):
            assert f"  {name} " in out

    def test_the_version_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert 0 == main.run(["--version"])
        assert re.fullmatch(r"\d+\.\d+\.\d+\n", capsys.readouterr().out)

    def test_no_command_at_all_shows_the_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert 2 == main.run([])
        assert "Commands:" in capsys.readouterr().err

    def test_misuse_ends_with_2_and_says_what_to_do(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert 2 == main.run(["nonsense"])
        captured = capsys.readouterr()
        assert "" == captured.out
        assert "No such command 'nonsense'" in captured.err
        assert "what to do" in captured.err

    def test_an_error_is_a_problem_object_if_json_is_asked_for(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert 2 == main.run(["policy", "show", "--url", NOWHERE, "--json"])
        captured = capsys.readouterr()
        problem = json.loads(captured.out)
        assert {"type", "title", "code", "detail", "fix"} == problem.keys()
        assert "service-unreachable" == problem["code"]
        assert "" == captured.err

    def test_misuse_is_a_problem_object_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert 2 == main.run(["request", "ask", "--json"])
        assert "invalid-input" == json.loads(capsys.readouterr().out)["code"]

    def test_an_error_in_words_names_no_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert 2 == main.run(["member", "list", "--key", "/nonexistent", "--url", NOWHERE])
        err = capsys.readouterr().err
        assert "cannot read the key file" in err
        assert "Traceback" not in err

    def test_an_unforeseen_error_is_told_in_words(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr(main, "command_line", fail)
        assert 2 == main.run(["member", "list"])
        assert "this program made a mistake: ZeroDivisionError" in capsys.readouterr().err

    def test_a_missing_file_is_told_in_words(
        self, capsys: pytest.CaptureFixture[str], key_file: Path
    ) -> None:
        arguments = [
            "record",
            "register",
            "/nonexistent.json",
            "--purpose",
            "RESEARCH",
            "--key",
            str(key_file),
        ]
        assert 2 == main.run(arguments)
        assert "No such file" in capsys.readouterr().err

    @pytest.mark.parametrize(("outcome", "code"), [("PERMIT", 0), ("DENY", 1), ("REVIEW", 1)])
    def test_asking_ends_as_it_was_answered(
        self, answers: Any, key_file: Path, capsys: pytest.CaptureFixture[str], outcome: str, code: int
    ) -> None:
        answers(httpx2.Response(201, json={"decisions": [_decision(outcome, [])]}))
        arguments = [
            "request",
            "ask",
            "0x" + "aa" * 32,
            "--purpose",
            "AI_TRAINING",
            "--category",
            "DIAGNOSIS",
        ]

        assert code == main.run([*arguments, "--key", str(key_file), "--json"])
        assert outcome == json.loads(capsys.readouterr().out)["outcome"]

    def test_a_refusal_is_told_with_its_reasons(
        self, answers: Any, key_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers(
            httpx2.Response(201, json={"decisions": [_decision("DENY", ["there was no consent for it"])]})
        )
        main.run(
            ["request", "ask", "0x" + "aa" * 32, "--purpose", "x", "--category", "y", "--key", str(key_file)]
        )

        out = capsys.readouterr().out
        assert "refused." in out
        assert "because there was no consent for it" in out

    def test_a_refused_request_ends_with_1(
        self, answers: Any, key_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        body = {"code": "not-permitted", "detail": "not a committee", "fix": "ask it"}
        answers(httpx2.Response(403, json=body))
        assert 1 == main.run(["member", "reinstate", "3", "--key", str(key_file)])
        assert "ask it" in capsys.readouterr().err


class TestPolicy:
    PAGE = "# The law\n\n| a | b |\n"

    @pytest.mark.parametrize(
        ("arguments", "path", "language"),
        [
            (["show"], "/v1/policy", None),
            (["show", "--version", "3", "--language", "zh"], "/v1/policy/3", "zh"),
            (["show", "--language", "both"], "/v1/policy", None),
            (["changes", "1", "3", "--language", "en"], "/v1/policy/3/changes", "en"),
        ],
    )
    def test_the_law_is_printed_as_the_page_that_it_is(
        self,
        answers: Any,
        capsys: pytest.CaptureFixture[str],
        arguments: list[str],
        path: str,
        language: str | None,
    ) -> None:
        page = {"Content-Type": "text/markdown; charset=utf-8"}
        seen = answers(httpx2.Response(200, content=self.PAGE, headers=page))
        assert 0 == main.run(["policy", *arguments])
        assert self.PAGE == capsys.readouterr().out
        [request] = seen
        assert (request.url.path, request.url.params.get("language")) == (path, language)
        assert request.headers["Accept"].startswith("text/markdown")
        assert request.url.params.get("since") == ("1" if "changes" in arguments else None)

    @pytest.mark.parametrize("arguments", [["show"], ["changes", "1", "2"]])
    def test_as_json_it_is_what_the_service_says(
        self, answers: Any, capsys: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        seen = answers(httpx2.Response(200, json={"version": 2}))
        assert 0 == main.run(["policy", *arguments, "--json"])
        assert json.loads(capsys.readouterr().out) == {"version": 2}
        assert seen[0].headers["Accept"].startswith("application/json")

    def test_a_version_that_is_none_is_misuse(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert 2 == main.run(["policy", "changes", "0", "1"])
        assert 2 == main.run(["policy", "show", "--language", "fr"])
        assert "zh" in capsys.readouterr().err


class TestMember:
    def test_new_keys_prints_the_public_ones_alone(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "new.json"
        assert 0 == main.run(["member", "new-keys", "New Hospital", "--out", str(path), "--json"])

        captured = capsys.readouterr()
        keys = MemberKeys.load(path)
        assert keys.public() == json.loads(captured.out)
        for text in (captured.out, captured.err):
            assert keys.signing_seed.hex() not in text
            assert keys.sealing_seed.hex() not in text

    def test_signing_prints_a_curl_config(
        self, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        body = tmp_path / "body.json"
        body.write_text('{"a":\n 1}\n')
        url = "http://127.0.0.1:8000/v1/decisions"
        assert 0 == main.run(["member", "sign", "post", url, "-d", f"@{body}", "--key", str(key_file)])

        headers, lines = {}, capsys.readouterr().out.splitlines()
        assert 'request = "POST"' == lines[0]
        for line in lines[1:]:
            name, value = shlex.split(line.removeprefix("header = "))[0].split(": ", 1)
            headers[name] = value
        assert "application/json" == headers.pop("Content-Type")
        assert headers.pop("Idempotency-Key")
        self._verify(url, headers, b'{"a": 1}')  # curl -d @FILE leaves line breaks out

    def test_signing_takes_the_body_as_it_is_too(
        self, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        body = tmp_path / "body.json"
        body.write_text('{"a":\n 1}\n')
        url = "http://127.0.0.1:8000/v1/decisions"
        arguments = [
            "member",
            "sign",
            "POST",
            url,
            "--data-binary",
            f"@{body}",
            "--key",
            str(key_file),
            "--json",
        ]
        assert 0 == main.run(arguments)

        headers = json.loads(capsys.readouterr().out)["headers"]
        self._verify(url, headers, b'{"a":\n 1}\n')

    @staticmethod
    def _verify(url: str, headers: dict[str, str], body: bytes) -> None:
        from http_message_signatures import HTTPSignatureKeyResolver
        from http_message_signatures.algorithms import ED25519

        class Resolver(HTTPSignatureKeyResolver):
            def resolve_public_key(self, key_id: str) -> Any:
                return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key_id[2:]))

        class Lax(HTTPMessageVerifier):
            allow_label_only_selection = True

        class Message:
            method = "POST"

        message = Message()
        message.url, message.headers = url, headers  # type: ignore[attr-defined]
        verifier = Lax(signature_algorithm=ED25519, key_resolver=Resolver())
        with pytest.warns(UserWarning, match="label"):
            results = verifier.verify(message, expect_label="sig1", expect_tag=None)
        verifier.verify_body(message, results, body)


class TestHolder:
    def test_a_wallet_is_made_and_recovered_from_its_words(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PASSPORT_WALLET_PASSPHRASE", "correct horse")
        first, second = tmp_path / "first.json", tmp_path / "second.json"
        assert 0 == main.run(["holder", "new", "--wallet", str(first), "--json"])
        words = json.loads(capsys.readouterr().out)["words"]
        monkeypatch.setenv("PASSPORT_WALLET_WORDS", words)
        assert 0 == main.run(["holder", "recover", "--wallet", str(second), "--json"])
        capsys.readouterr()

        holders = []
        for path in (first, second):
            assert 0 == main.run(["holder", "address", "--wallet", str(path), "--custodian", "2", "--json"])
            holders.append(json.loads(capsys.readouterr().out)["holder"])
            assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        assert holders[0] == holders[1]
        assert 24 == len(words.split())

    def test_a_wallet_needs_a_custodian(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert 2 == main.run(["holder", "address", "--wallet", str(tmp_path / "w.json")])
        assert "--custodian" in capsys.readouterr().err

    def test_without_a_terminal_the_passphrase_comes_from_the_environment(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert 2 == main.run(["holder", "new", "--wallet", str(tmp_path / "w.json")])
        assert "PASSPORT_WALLET_PASSPHRASE" in capsys.readouterr().err


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2027-01-31", "2027-01-31T00:00:00Z"),
            ("2027-01-31T08:00:00+02:00", "2027-01-31T06:00:00Z"),
            ("2027-01-31T08:00:00Z", "2027-01-31T08:00:00Z"),
        ],
    )
    def test_a_time_is_read_as_utc(self, text: str, expected: str) -> None:
        assert expected == read_time(text, field="until")

    def test_a_span_counts_from_now(self) -> None:
        from datetime import UTC, datetime

        now = datetime(2026, 11, 24, tzinfo=UTC)
        assert "2026-12-24T00:00:00Z" == read_time("30d", field="until", now=now)

    def test_anything_else_is_bad_input(self) -> None:
        with pytest.raises(InvalidInput, match="until"):
            read_time("soon", field="until")

    def test_seconds_become_rfc_3339(self) -> None:
        assert "1970-01-01T00:00:01Z" == rfc3339(1.9)


class TestHealth:
    def _raise(self, error: Exception) -> Any:
        raise error

    def test_each_check_is_a_finding_whatever_happens(self) -> None:
        results = [
            examine(Check("a", lambda: "fine")),
            examine(Check("b", lambda: self._raise(LeftOut("no node is known")))),
            examine(Check("c", lambda: self._raise(Wrong("broken", "mend it")))),
            examine(Check("d", lambda: self._raise(NodeUnreachable("silence")))),
            examine(Check("e", lambda: self._raise(FileNotFoundError("gone")))),
        ]
        assert ["well", "left out", "wrong", "wrong", "wrong"] == [item.state for item in results]
        assert all(item.fix for item in results if item.state == "wrong")

    def test_doctor_ends_with_1_if_there_is_no_service(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        (tmp_path / "secrets").mkdir()
        secret = tmp_path / "secrets" / "key"
        secret.write_text("x")
        secret.chmod(0o644)
        assert 1 == main.run(["doctor", "--url", NOWHERE, "--dir", str(tmp_path), "--json"])
        found = {item["check"]: item for item in json.loads(capsys.readouterr().out)}
        assert "wrong" == found["service"]["state"]
        assert "left out" == found["node"]["state"]
        assert str(secret) in found["private files"]["fix"]
        assert "wrong" == found["database"]["state"]


class TestOutput:
    def test_only_long_hexadecimal_is_shortened(self) -> None:
        assert "0xaaaaaaaaaaaa…" == short("0x" + "aa" * 32)
        assert "0x12" == short("0x12")
        assert "DIAGNOSIS, LABORATORY" == short("DIAGNOSIS, LABORATORY")

    def test_the_first_column_is_whole(self) -> None:
        from rich.console import Console

        console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
        console.print(table("T", ("id", "other"), [("0x" + "aa" * 32, "0x" + "bb" * 32)]))
        text = console.export_text()
        console.file.close()
        assert "0x" + "aa" * 32 in text
        assert "0x" + "bb" * 32 not in text
