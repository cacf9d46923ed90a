"""What the documents say is true of the code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess

import pytest
import typer

from api.problems import KINDS
from cli.main import command_line
from tests.support.data import ROOT

#: Hosts of package registries, written so that this file does not name them either.
_REGISTRIES = [
    ".".join(words)
    for words in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
        ("deb", "debian", "org"),
    )
]


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_project_names_no_registry_and_no_path_of_a_machine() -> None:
    """No tracked file holds the host of a package registry or a home directory of somebody's machine."""
    forbidden = re.compile(
        "|".join(map(re.escape, [*_REGISTRIES, "/" + "home/", "/" + "root/", "/" + "work/main"]))
    )
    found = []
    for name in _tracked():
        path = ROOT / name
        if path.is_file() and (hit := forbidden.search(path.read_text(errors="replace"))):
            found.append((name, hit.group()))

    assert found == []


def test_every_setting_is_in_the_operations_manual() -> None:
    """Each setting has its row, under the name of its variable."""
    from ledger.settings import Settings

    manual = (ROOT / "docs" / "operations.md").read_text()

    assert [n for n in Settings.model_fields if f"`PASSPORT_{n.upper()}`" not in manual] == []


def test_every_variable_that_the_program_reads_is_documented() -> None:
    """What the client, the tests and Hardhat take from the environment has its row in one of two pages."""
    read = re.compile(
        r"""(?:environ(?:\.get\(|\[)|envvar=|integer\(|VARIABLE(?:: Final)? = )"(PASSPORT_[A-Z_]+)"|"""
        r"""process\.env\.(PASSPORT_[A-Z_]+)|"(PASSPORT_[A-Z_]+)"(?= not in os\.environ)"""
    )
    names = {
        name
        for path in (ROOT / name for name in _tracked() if name.endswith((".py", ".js")))
        if path.is_file()
        for groups in read.findall(path.read_text())
        for name in groups
        if name
    }
    manual = (ROOT / "docs" / "operations.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()

    assert {"PASSPORT_URL", "PASSPORT_DEBUG", "PASSPORT_TWIN_DEEP", "PASSPORT_HARDHAT_DIR"} <= names
    assert sorted(name for name in names if f"`{name}`" not in manual) == []


def test_every_error_code_is_in_the_specification() -> None:
    """The table of the specification has each code that the program gives, and no other."""
    table = (ROOT / "docs" / "spec.md").read_text().partition("## Error codes")[2]
    listed = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    given = {
        code
        for folder in ("ledger", "api", "cli")
        for path in (ROOT / folder).rglob("*.py")
        for code in re.findall(
            r"""\bcode(?:: ClassVar\[str\]|: str)? ?= ?"([a-z]+(?:-[a-z]+)*)\"""", path.read_text()
        )
    }

    assert [code for code in listed if listed.count(code) > 1] == []
    assert sorted({*given, *KINDS}) == sorted(listed)


def test_every_command_is_named_in_the_changelog() -> None:
    """The list of commands in the changelog is that of the command line."""
    group = typer.main.get_command(command_line([]))
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert [name for name in group.commands if f"`{name}" not in changelog] == []  # type: ignore[attr-defined]


def _commands(document: str) -> list[list[str]]:
    """Return the words of each `uv run passport` in the shell blocks of a document."""
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", document, re.DOTALL | re.MULTILINE))
    found = []
    for line in blocks.replace("\\\n", " ").splitlines():
        inner = re.findall(r"\$\(uv run passport ([^()]*)\)", line)
        outer = re.sub(r"\$\([^()]*\)", "0x12", line.partition("  #")[0]).partition("uv run passport ")[2]
        found += [*inner, *([outer.partition(" > ")[0]] if outer else [])]
    # Numbers stand as single letters.
    return [["7" if word in ("N", "P", "T") else word for word in shlex.split(words)] for words in found]


def _read(words: list[str]) -> None:
    """Let the command line read words; raises if it does not take them. Runs nothing."""
    command, name = typer.main.get_command(command_line(words)), "passport"
    context = None
    while True:
        context = command.make_context(name, list(words), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        name, command, words = command.resolve_command(context, words)


def test_the_commands_of_the_manual_exist_with_their_options() -> None:
    """Each is read by the command line as it stands there, with all that it requires."""
    commands = _commands((ROOT / "docs" / "operations.md").read_text())

    assert {"agreement", "border", "transfer", "lineage"} <= {words[0] for words in commands}
    for words in commands:
        _read(words)
    with pytest.raises(Exception, match="No such option"):
        _read(["lineage", "answer", "0x12", "RETIRED", "--evidence", "x", "--nothing"])
    with pytest.raises(Exception, match="Missing parameter: withdrawals"):
        _read(["dataset", "excuse", "7", "--opinion", "x"])


def test_every_link_in_the_documents_leads_somewhere() -> None:
    """Relative links of README and docs point at files that exist."""
    broken = [
        (document.name, target)
        for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]

    assert broken == []


def test_one_compiler_version_everywhere() -> None:
    """Settings, package, pragmas, solhint and the mutants' pragma name the same compiler."""
    version = json.loads((ROOT / "contracts" / "solc.settings.json").read_text())["version"]
    package = json.loads((ROOT / "package.json").read_text())
    pragmas = {
        re.search(r"pragma solidity ([^;]+);", path.read_text()).group(1)  # type: ignore[union-attr]
        for path in (ROOT / "contracts").rglob("*.sol")
    }

    assert {version} == pragmas
    assert version == package["dependencies"]["solc"]
    assert ["error", version] == json.loads((ROOT / ".solhint.json").read_text())["rules"]["compiler-version"]
    mutants = (ROOT / "scripts" / "mutants.py").read_text()
    assert {version} == set(re.findall(r"pragma solidity ([0-9.]+);", mutants))


def test_every_locked_package_has_a_digest() -> None:
    """Whatever mirror the packages come from, they are those that were locked."""
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    python = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([a-z0-9._-]+)==[^\n]*", python, re.MULTILINE)

    assert [name for name, package in lock.items() if name and not package.get("integrity")] == []
    assert len(pinned) > 50
    assert [line for line in python.splitlines() if "==" in line and not line.endswith("\\")] == []


#: How the repository cites a requirement: R and three digits.
_CITED = re.compile(r"\bR\d{3}\b")


def test_every_requirement_that_is_cited_has_its_row() -> None:
    """`docs/requirements.md` has each number once that text or code names, and no other; its files exist."""
    page = ROOT / "docs" / "requirements.md"
    rows = re.findall(r"^\| (R\d{3}) \| [^|]+ \| ([^|]+) \|$", page.read_text(), re.MULTILINE)
    cited = {
        number
        for folder in ("api", "cli", "contracts", "docs", "ledger", "scripts", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sol", ".md", ".html"} and path != page
        for number in _CITED.findall(path.read_text())
    }

    assert [number for number, _ in rows] == sorted(cited)
    held = {(number, name) for number, where in rows for name in re.findall(r"`([^`]*[/.][^`]*)`", where)}
    assert {number for number, _ in held} == cited
    assert [(number, name) for number, name in sorted(held) if not (ROOT / name).exists()] == []


def test_no_document_that_is_not_here_is_named() -> None:
    """Whoever reads a name of a document finds the document."""
    names = re.compile(r"\b(?:DESIGN|REQUIREMENTS|STYLE|INTEROP|CONVENTIONS)\.md\b")
    named = [
        path.relative_to(ROOT).as_posix()
        for folder in ("api", "cli", "contracts", "docs", "ledger", "scripts", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sol", ".md", ".html"} and names.search(path.read_text())
    ]

    assert named == []


def test_the_invariants_of_the_design_are_the_tested_ones() -> None:
    """The numbers of the list in the design are those of the Solidity invariants, but for two that are tested elsewhere."""
    design = (ROOT / "docs" / "design.md").read_text()
    invariants = design[design.index("## Invariants") : design.index("## When things fail")]
    listed = [int(number) for number in re.findall(r"^(\d+)\. ", invariants, re.MULTILINE)]
    tested = (ROOT / "tests" / "contracts" / "Invariants.t.sol").read_text()

    assert listed == list(range(1, 13))
    elsewhere = {9, 10}  # every role by AccessMatrix.t.sol, no identifier on the chain by Python
    assert {int(number) for number in re.findall(r"function invariant_(\d+)_", tested)} == set(
        listed
    ) - elsewhere


def test_each_decision_says_context_decision_and_consequences() -> None:
    """The records of decisions have their form."""
    for path in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        text = path.read_text()
        assert path.name[:4] in text.splitlines()[0]
        assert all(f"**{word}.**" in text for word in ("Context", "Decision", "Consequences")), path.name


def test_the_glossary_has_each_word_once() -> None:
    """One word per concept, one concept per word."""
    rows = [
        line for line in (ROOT / "docs" / "glossary.md").read_text().splitlines() if line.startswith("| ")
    ]
    words = [word.strip() for row in rows[2:] for word in row.split("|")[1].split(",")]

    assert len(words) > 80
    assert [word for word in words if words.count(word) > 1] == []
