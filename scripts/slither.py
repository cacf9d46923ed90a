"""
Run slither over the contracts and compare what it finds with docs/security.md: `make slither`.

slither needs another web3 than we do, and forge to compile: both go into `.tools/`, from the package registries. Every
kind of finding that docs/security.md does not explain, and every finding more than it counts, ends the run with 1.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TOOLS: Final = ROOT / ".tools" / "slither"
PAGE: Final = ROOT / "docs" / "security.md"
SLITHER: Final = "slither-analyzer==0.11.6"
WEB3: Final = "web3==7.16.0"
FORGE: Final = "@foundry-rs/forge@1.7.1"
#: What solhint and the house style look after.
STYLE: Final = "naming-convention,solc-version,pragma"


def main() -> None:
    """Install, run, compare."""
    install()
    findings = analyse()
    explained = explanations(PAGE.read_text())
    wrong = [kind for kind, found in findings.items() if len(found) > explained.get(kind, 0)]
    for kind, found in findings.items():
        print(f"{len(found):5} {kind}")
    for kind in wrong:
        print(f"\n{kind}: {len(found := findings[kind])} found, {explained.get(kind, 0)} explained")
        print("\n".join(found))
    if wrong:
        sys.exit(f"slither found what docs/security.md does not explain: {', '.join(wrong)}")
    total = sum(len(found) for found in findings.values())
    print(f"slither: {total} findings of {len(findings)} kinds, each explained in docs/security.md")


def install() -> None:
    """Bring slither and forge into `.tools/slither`, once."""
    if not (TOOLS / "venv").exists():
        subprocess.run([sys.executable, "-m", "venv", str(TOOLS / "venv")], check=True)
        subprocess.run([str(TOOLS / "venv" / "bin" / "pip"), "install", "-q", SLITHER, WEB3], check=True)
    if not (TOOLS / "node_modules").exists():
        npm = str(ROOT / ".venv" / "bin" / "npm")
        subprocess.run([npm, "install", "--silent", "--prefix", str(TOOLS), FORGE], check=True)


def analyse() -> dict[str, list[str]]:
    """Return what slither finds, by kind, in a copy of the contracts that forge can compile."""
    settings = json.loads((ROOT / "contracts" / "solc.settings.json").read_text())["settings"]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copytree(ROOT / "contracts", work / "contracts")
        (work / "node_modules").symlink_to(ROOT / "node_modules")
        (work / "foundry.toml").write_text(
            "[profile.default]\n"
            'src = "contracts"\nout = "out"\nlibs = ["node_modules"]\noffline = true\nvia_ir = true\n'
            f'solc = "{ROOT / "scripts" / "solc"}"\nevm_version = "{settings["evmVersion"]}"\n'
            'optimizer = true\nremappings = ["@openzeppelin/=node_modules/@openzeppelin/"]\n'
        )
        report = work / "report.json"
        path = f"{ROOT / '.venv' / 'bin'}:{TOOLS / 'node_modules' / '.bin'}:/usr/bin:/bin"
        subprocess.run(
            [
                str(TOOLS / "venv" / "bin" / "slither"),
                ".",
                "--filter-paths",
                "node_modules",
                "--exclude",
                STYLE,
                "--json",
                str(report),
            ],
            cwd=work,
            env={"PATH": path, "HOME": folder, "NODE_PATH": str(ROOT / "node_modules")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,  # it ends with the number of findings
        )
        if not report.exists():
            sys.exit("slither could not compile the contracts")
        findings: dict[str, list[str]] = {}
        found = json.loads(report.read_text())["results"].get("detectors", [])
        for item in sorted(found, key=lambda item: (item["check"], item["description"])):
            findings.setdefault(item["check"], []).append(item["description"].strip())
        return findings


def explanations(page: str) -> dict[str, int]:
    """Return how many findings of each kind the page explains: the rows of its table of findings."""
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\d+) \|", page, flags=re.MULTILINE)
    return {detector: int(count) for detector, count in rows}


if __name__ == "__main__":
    main()
