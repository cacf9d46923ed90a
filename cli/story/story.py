"""The story as an ordered list of steps, and its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.progress import Report
from cli.story.admission import found_consortium, register_records
from cli.story.asking import ask_for_access, collect_records
from cli.story.consenting import give_consents
from cli.story.learning import ask_and_train_again, make_model, withdraw_from_model
from cli.story.moving import deliver_records, move_record
from cli.story.notebook import Notebook
from cli.story.tampering import find_altered_row
from cli.story.watching import audit_ledger, read_log
from cli.story.world import Place, World
from ledger.client import MemberKeys

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, what happens in it in words, and what makes it happen."""

    name: str
    title: str
    run: Callable[[World], None]


STEPS: Final = (
    Step("consortium", "A consortium starts; a company stays outside", found_consortium),
    Step("records", "The hospitals register their patients' records", register_records),
    Step("consents", "Patients consent", give_consents),
    Step("requests", "Members ask, the contract decides", ask_for_access),
    Step("releases", "What was permitted is opened and compared", collect_records),
    Step("model", "The company makes a model of those who consent", make_model),
    Step("transfer", "A record moves to the other hospital", move_record),
    Step("delivery", "Some records go to the company together, under an agreement", deliver_records),
    Step("withdrawal", "A patient withdraws, which reaches the model", withdraw_from_model),
    Step("refusal", "The next request is refused, and training on the old data", ask_and_train_again),
    Step("log", "The patient reads the log and checks it against the chain", read_log),
    Step("audit", "An auditor replays the chain and finds the misuse", audit_ledger),
    Step("tampering", "One altered row of the service's index is found", find_altered_row),
)


class Story:
    """
    The main job from end to end, through the REST API alone.

    Every step can be run again, and does nothing that is done; service and node may be killed and started again
    between any two steps, or within one.
    """

    def __init__(
        self,
        *,
        url: str,
        data: Path,
        directory: Path,
        committee: MemberKeys,
        rpc: str,
        ledger: str,
        from_block: int = 0,
        database: Path | None = None,
    ) -> None:
        """
        Set the scene; nothing happens yet.

        Args:
            url: The service.
            data: Folder of FHIR R4 patient bundles.
            directory: Where keys, wallets and the notebook are kept: the same one goes on with the same story.
            committee: Keys of the founding member.
            rpc: URL of a node of the chain.
            ledger: The contract's address.
            from_block: A block before or at which the ledger was deployed.
            database: The service's SQLite file, if it can be reached: only then its index is held against the chain.

        Raises:
            MalformedRecord: There is no such data folder, or no patient bundle in it.
        """
        self.steps = STEPS
        self._world = World(Place(url, data, directory, rpc, ledger, from_block, database), committee)

    @property
    def notebook(self) -> Notebook:
        """Return what has been done so far."""
        return self._world.notebook

    def run_step(self, name: str, report: Report | None = None) -> None:
        """
        Run one step; those before it must be done.

        Raises:
            LedgerError: Something did not come out as it must; says what.
        """
        step = next(step for step in self.steps if step.name == name)
        if report is not None:
            self._world.report = report
        step.run(self._world)

    def run(self, report: Report | None = None) -> Json:
        """
        Run the whole story, or what is left of it; returns `result`.

        Raises:
            LedgerError: Something did not come out as it must; says what.
        """
        for step in self.steps:
            self.run_step(step.name, report)
        return self.result()

    def result(self) -> Json:
        """Return what happened, in numbers, once all steps are done."""
        notebook, cast = self._world.notebook, self._world.cast
        answers = list(self._world.answers().values())
        audit = notebook.answer("audit")
        missing = Counter(
            fact for answer in answers if answer["outcome"] == "DENY" for fact in answer["missing"]
        )
        return {
            "patients": len(cast.patients),
            "passports": len(notebook.answers("register-")),
            "resources": sum(cast.resources.values()),
            "categories": {str(category.name): number for category, number in sorted(cast.resources.items())},
            "grants": len(notebook.answers("consent-")),
            "permits": sum(answer["outcome"] == "PERMIT" for answer in answers),
            "denials": dict(sorted(missing.items())),
            "denied": sum(answer["outcome"] == "DENY" for answer in answers),
            "released": sum(sum(opened.values()) for opened in notebook.answers("opened-").values()),
            "transfers": len(notebook.answers("receive")),
            "included": sum(
                answer["outcome"] == "PERMIT"
                for batch in notebook.answers("batch-include-").values()
                for answer in batch.values()
            ),
            "steps": sum(answer["outcome"] == "PERMIT" for answer in notebook.answers("step-").values()),
            "owed": notebook.answer("owed")["sentence"],
            "outsiderRefused": len(notebook.answers("outsider-")),
            "log": notebook.answer("log"),
            "findings": [
                {key: found[key] for key in ("rule", "member", "memberName", "passport", "seq", "detail")}
                for found in self._findings()
            ],
            "replay": {"decisions": audit["decisions"], "mismatches": audit["mismatches"]},
            "chain": {"chainId": audit["chainId"], "ledger": audit["ledger"], "blocks": audit["toBlock"]},
        }

    def _findings(self) -> list[Json]:
        found = [self._world.notebook.answer("audit")]
        found += self._world.notebook.answers("tampering").values()
        return [finding for report in found for finding in report["findings"]]

    def close(self) -> None:
        """Close all connections."""
        self._world.close()
