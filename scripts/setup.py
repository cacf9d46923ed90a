"""
Set up everything the project needs, in this folder: `make setup`.

Runs on the machine's own Python and uses its standard library only. Brings uv, makes `.venv` from
requirements.lock, `node_modules` from package-lock.json (under the Node of `.venv`), copies what the pages
load into `api/static/vendor`, and compiles the contracts. Each part has a stamp with the digest of what it was
made from; a part whose stamp is right is left alone, so that a second run does nothing.

Commands: `setup` (default), `lock` (write requirements.lock and package-lock.json anew) and `compile`
(compile the contracts even if their stamp is right).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
NODE_MODULES = ROOT / "node_modules"
ARTIFACTS = ROOT / "ledger" / "chain" / "artifacts"
VENDOR = ROOT / "api" / "static" / "vendor"
# What the pages load of Node packages; each file begins with its licence.
SCRIPTS = (Path("cytoscape/dist/cytoscape.min.js"),)
STAMP = ".setup-stamp"
SHOWN_LINES = 25  # of a failed command's output


class SetupError(Exception):
    """A step failed; the message says which, and what to do."""


def say(text: str) -> None:
    """Print one line about what happens."""
    print(f"setup: {text}", flush=True)


def environment() -> dict[str, str]:
    """Return the environment of child processes: the tools of `.venv` come first on PATH."""
    env = dict(os.environ)
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', '')}"
    env.pop("VIRTUAL_ENV", None)
    env.setdefault("UV_HTTP_TIMEOUT", "180")
    env.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    return env


def run(*command: str | Path, advice: str, stdin: str | None = None) -> None:
    """
    Run a command in the project's folder; show its output only if it fails.

    Raises:
        SetupError: It failed.
    """
    result = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment(),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        shown = " ".join(str(part) for part in command)
        output = "\n".join(result.stdout.strip().splitlines()[-SHOWN_LINES:])
        raise SetupError(f"`{shown}` failed:\n{output}\n\n{advice}")


def digest(*paths: Path) -> str:
    """Return a digest over the names and contents of files; a missing file counts as empty."""
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes() if path.is_file() else b""
        whole.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def is_current(stamp: Path, wanted: str) -> bool:
    """Tell whether a stamp says *wanted*."""
    return stamp.is_file() and stamp.read_text().strip() == wanted


def find_uv() -> str | None:
    """Return the path of a uv that is already here."""
    if found := shutil.which("uv"):
        return found
    own = sysconfig.get_path("scripts")
    user = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    for folder in (own, user, str(TOOLS / "bin")):
        if found := shutil.which("uv", path=folder):
            return found
    return None


def bring_uv() -> str:
    """
    Return the path of uv; install it if there is none.

    It goes into the running Python if that allows it, so that `uv run` works afterwards, else into a
    private environment.

    Raises:
        SetupError: Neither worked.
    """
    if found := find_uv():
        return found
    in_venv = sys.prefix != sys.base_prefix
    if in_venv or not Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists():
        say("installing uv")
        try:
            run(sys.executable, "-m", "pip", "install", "--quiet", "uv", advice="")
        except SetupError:
            say("this Python does not take packages; using a private environment")
        else:
            if pyenv := shutil.which("pyenv"):
                run(pyenv, "rehash", advice="Run `pyenv rehash` by hand.")
            if found := find_uv():
                return found
    say("installing uv into .tools")
    advice = "Install uv (or Debian's python3-venv) by hand and run `make setup` again."
    run(sys.executable, "-m", "venv", "--clear", TOOLS, advice=advice)
    run(TOOLS / "bin" / "python", "-m", "pip", "install", "--quiet", "uv", advice=advice)
    return str(TOOLS / "bin" / "uv")


def set_up_python() -> bool:
    """Make `.venv`; return whether there was anything to do."""
    lock = ROOT / "requirements.lock"
    wanted = digest(lock, ROOT / "pyproject.toml")
    python = VENV / "bin" / "python"
    if is_current(VENV / STAMP, wanted) and python.exists():
        return False
    uv = bring_uv()
    advice = "Check the network and the package index that uv is set up to use, then run `make setup` again."
    if not python.exists():
        say(f"making .venv with Python {sys.version.split()[0]}")
        run(
            *(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV),
            advice="Remove .venv and run `make setup` again.",
        )
    (VENV / STAMP).unlink(missing_ok=True)
    say("installing the Python packages of requirements.lock")
    run(uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock, advice=advice)
    run(
        *(uv, "pip", "install", "--quiet", "--python", python),
        *("--no-deps", "--no-build-isolation", "--editable", "."),
        advice="This is the project's own build: look at pyproject.toml.",
    )
    (VENV / STAMP).write_text(wanted + "\n")
    return True


def set_up_node() -> bool:
    """Make `node_modules`; return whether there was anything to do."""
    wanted = digest(ROOT / "package-lock.json", ROOT / "package.json", ROOT / ".npmrc")
    if is_current(NODE_MODULES / STAMP, wanted):
        return False
    say("installing the Node packages of package-lock.json")
    # npm must itself run under this Node: it leaves out binaries that the running Node could not load.
    run(
        *(VENV / "bin" / "npm", "ci", "--no-audit", "--no-fund"),
        advice="Check the network and the registry that npm is set up to use, then run `make setup` again.",
    )
    (NODE_MODULES / STAMP).write_text(wanted + "\n")
    return True


def copy_scripts() -> bool:
    """Copy the scripts that the pages load out of `node_modules`; return whether there was anything to do."""
    missing = []
    for script in SCRIPTS:
        source, target = NODE_MODULES / script, VENDOR / script.name
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            missing.append((source, target))
    for source, target in missing:
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
    return bool(missing)


def compile_contracts(*, force: bool = False) -> bool:
    """Compile the contracts; return whether there was anything to do."""
    script = ROOT / "scripts" / "compile.py"
    if not script.exists():
        return False
    sources = sorted((ROOT / "contracts").rglob("*.sol"))
    wanted = digest(*sources, ROOT / "contracts" / "solc.settings.json", ROOT / "package-lock.json", script)
    stamp = ROOT / ".build" / "compile-stamp"
    if not force and is_current(stamp, wanted) and any(ARTIFACTS.glob("*.json")):
        return False
    say("compiling the contracts")
    advice = "If the sources are as committed, run `make distclean setup`."
    run(VENV / "bin" / "python", "-m", "scripts.compile", advice=advice)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted + "\n")
    return True


def complete_package_lock() -> None:
    """
    Name in package-lock.json the optional packages that npm left out.

    npm drops an optional package from the lock if the registry at hand does not have it, as happens with
    the binaries of other platforms; then `npm ci` refuses the lock. Such a package is pinned by its exact
    version only, without a digest.
    """
    path = ROOT / "package-lock.json"
    content = json.loads(path.read_text())
    packages = content["packages"]
    for package in list(packages.values()):
        for name, version in package.get("optionalDependencies", {}).items():
            _, _, platform = name.rpartition("/")
            words = platform.split("-")
            systems = [word for word in words if word in {"darwin", "linux", "win32"}]
            processors = [word for word in words if word in {"arm64", "x64"}]
            if version[:1].isdigit() and systems and processors:
                missing = {"version": version, "cpu": processors, "optional": True, "os": systems}
                packages.setdefault(f"node_modules/{name}", missing)
    content["packages"] = dict(sorted(packages.items()))
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def lock() -> None:
    """Resolve all requirements anew and write both lock files, without the address of any registry."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    say("writing requirements.lock")
    (ROOT / "requirements.lock").unlink(missing_ok=True)
    run(
        *(bring_uv(), "pip", "compile", "-", "--quiet", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *("--custom-compile-command", "make lock", "--output-file", "requirements.lock"),
        advice="Two requirements may contradict each other: look at pyproject.toml.",
        stdin="\n".join(requirements),
    )
    set_up_python()
    say("writing package-lock.json")
    (ROOT / "package-lock.json").unlink(missing_ok=True)
    # npm writes the addresses it knows from an earlier install, so it starts without one.
    shutil.rmtree(NODE_MODULES, ignore_errors=True)
    run(VENV / "bin" / "npm", "install", "--package-lock-only", advice="Look at package.json.")
    complete_package_lock()
    set_up_node()


def set_up() -> None:
    """Do what is missing, and say how to go on."""
    started = time.monotonic()
    parts = [set_up_python(), set_up_node(), copy_scripts(), compile_contracts()]
    if not any(parts):
        say("everything is there")
        return
    say(f"done in {time.monotonic() - started:.0f} s")
    if shutil.which("uv") is None:
        where = Path(find_uv() or "uv").parent
        say(f"uv is not on PATH: use .venv/bin/passport, or add it with  export PATH={where}:$PATH")


def main(arguments: list[str]) -> int:
    """Run one command; return the exit status."""
    commands = {"setup": set_up, "lock": lock, "compile": lambda: compile_contracts(force=True)}
    command = commands.get(arguments[0] if arguments else "setup")
    if command is None or len(arguments) > 1:
        print(f"usage: setup.py [{'|'.join(commands)}]", file=sys.stderr)
        return 2
    try:
        command()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
