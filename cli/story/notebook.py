"""
What the story has done so far, on disk after every action, so that it can go on after any interruption.

An action is planned, written down, sent under a name of its own, and its answer is written down. Sent again after a
crash it is the same request under the same name, so it happens once.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Notebook:
    """A JSON file that is replaced as a whole at every change."""

    def __init__(self, path: Path) -> None:
        """Open the notebook, or begin a new one."""
        self._path = path
        self._pages: Json = json.loads(path.read_text()) if path.exists() else {}
        if not self._pages:
            self._pages = {"story": secrets.token_hex(8), "actions": {}}
            self._save()

    def act(self, name: str, send: Callable[[Json, str], Any], *, plan: Callable[[], Json] = dict) -> Any:
        """
        Do something once.

        Args:
            name: The action; the same name stands for the same action for ever.
            send: Does it, given the plan and an idempotency key; called again with the same two after a crash.
            plan: Makes the plan, a JSON value; called once. All that is random or depends on the time belongs here.

        Returns:
            The answer of *send*, or the one that was written down before.
        """
        entry = self._actions.get(name)
        if entry is not None and "answer" in entry:
            return entry["answer"]
        if entry is None:
            entry = self._actions[name] = {"plan": plan(), "attempt": 1}
            self._save()
        return self._finish(name, entry, send)

    def act_anew(self, name: str, send: Callable[[Json, str], Any], *, plan: Callable[[], Json]) -> Any:
        """Plan an action that failed for good once more, under a new idempotency key, and do it."""
        entry = self._actions[name]
        entry["plan"], entry["attempt"] = plan(), entry["attempt"] + 1
        self._save()
        return self._finish(name, entry, send)

    def answer(self, name: str) -> Any:
        """Return what an action that was done answered."""
        return self._actions[name]["answer"]

    def answers(self, prefix: str) -> dict[str, Any]:
        """Return the answers of all actions whose names begin so, in the order in which they were planned."""
        return {
            name: entry["answer"]
            for name, entry in self._actions.items()
            if name.startswith(prefix) and "answer" in entry
        }

    @property
    def _actions(self) -> Json:
        actions: Json = self._pages["actions"]
        return actions

    def _finish(self, name: str, entry: Json, send: Callable[[Json, str], Any]) -> Any:
        answer = send(entry["plan"], f"story-{self._pages['story']}-{name}-{entry['attempt']}")
        entry["answer"] = answer
        self._save()
        return answer

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(self._pages))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
