"""A record moves to the other hospital, and both sides say so."""

from __future__ import annotations

from typing import Any

from cli.story.asking import ask, is_what_was_registered
from cli.story.plan import move_ask
from cli.story.world import World
from ledger.client import content_received, open_release
from ledger.domain.vocabulary import Level
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import VerificationError

Json = dict[str, Any]


def move_record(world: World) -> None:
    """
    Ask for a copy, ship it, collect it, check it, and state what was received.

    Raises:
        VerificationError: What arrived is not what was shipped.
    """
    wanted = move_ask(world.cast)
    steps = "moving a record"
    world.report(steps, 0, 4)
    ask(world, "batch-move", [wanted])
    permit = world.answer_to("move")
    world.report(steps, 1, 4)
    sender = world.as_member(wanted.patient.hospital)
    shipped = world.notebook.act(
        "ship", lambda _, key: sender.ship(permit["passportId"], permit["seq"], idempotency_key=key)
    )
    world.report(steps, 2, 4)
    recipient = world.as_member(wanted.asker)
    received = world.notebook.act(
        "receive",
        lambda planned, key: recipient.receive(
            shipped["transferId"], planned["content"], idempotency_key=key
        ),
        plan=lambda: {"content": _collect(world, shipped)},
    )
    if received["status"] != "RECEIVED" or received["content"] != received["receivedContent"]:
        raise VerificationError(
            f"the transfer is {received['status']}: both sides do not have the same content"
        )
    world.report(steps, 4, 4)


def _collect(world: World, shipped: Json) -> str:
    """Collect as the recipient; returns the content commitment over what arrived."""
    wanted = move_ask(world.cast)
    release = world.as_member(wanted.asker).collect(shipped["transferId"])
    opened = open_release(release, world.keys(wanted.asker), level=Level[wanted.level])
    if not is_what_was_registered(opened, wanted.patient.content(), release["level"]):
        raise VerificationError("what arrived at the other hospital is not what was registered")
    return to_hex(content_received(release, world.keys(wanted.asker)))
