"""A record moves to the other hospital, and some go to the company together; both sides say so."""

from __future__ import annotations

from typing import Any, Final

from cli.story.admission import UNITED_STATES
from cli.story.asking import ask, is_what_was_registered
from cli.story.cast import COMPANY, HOSPITALS
from cli.story.plan import AI_PURPOSES, DAY_SECONDS, delivery_asks, move_ask
from cli.story.world import World
from cli.times import rfc3339
from ledger.client import content_received, open_release, root_received
from ledger.domain.vocabulary import Category, Level, names
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import VerificationError

Json = dict[str, Any]

_AGREEMENT: Final = (
    "The hospital gives records of those who consent to the company, for its early-warning model. The company keeps them "
    "for a year at most, passes nothing on, merges nothing, and reports an incident within three days."
)
_DELIVERING: Final = "delivering records"
_ACTIONS: Final = 6


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


def deliver_records(world: World) -> None:
    """
    Agree with the company, ask for some records, send them together, and let both sides state what moved.

    Raises:
        VerificationError: The declaration was refused, or what arrived is not what was shipped.
    """
    told = iter(range(_ACTIONS + 1))

    def tell() -> None:
        world.report(_DELIVERING, next(told), _ACTIONS)

    hospital, company, notebook = world.as_member(HOSPITALS[0]), world.as_member(COMPANY), world.notebook
    tell()
    agreement = _agree(world)
    tell()
    asked = delivery_asks(world.cast)
    ask(world, "batch-delivery", asked)
    tell()
    declaration = {
        **_scope(world),
        "agreementId": agreement,
        "count": len(asked),
        "places": [UNITED_STATES],
        "description": "Records of the first hospital for the early-warning model",
    }
    name = str(
        notebook.act(
            "delivery-declared",
            lambda planned, key: hospital.declare_transfer(planned, idempotency_key=key),
            plan=lambda: declaration,
        )["transferId"]
    )
    tell()
    permits = [world.answer_to(item.name) for item in asked]
    items = [(str(permit["passportId"]), int(permit["seq"])) for permit in permits]
    notebook.act("delivery-loaded", lambda _, key: hospital.load_transfer(name, items, idempotency_key=key))
    tell()
    shipped = notebook.act("delivery-shipped", lambda _, key: hospital.ship_many(name, idempotency_key=key))
    tell()
    received = notebook.act(
        "receive-delivery",
        lambda planned, key: company.receive(name, planned["content"], idempotency_key=key),
        plan=lambda: {"content": to_hex(root_received(company.collect_many(name), world.keys(COMPANY)))},
    )
    if received["status"] != "RECEIVED" or received["receivedContent"] != shipped["content"]:
        raise VerificationError(
            f"the transfer of many is {received['status']}: both sides do not have the same root"
        )
    tell()


def _agree(world: World) -> int:
    hospital, company = world.as_member(HOSPITALS[0]), world.as_member(COMPANY)

    def plan() -> Json:
        return {
            **_scope(world),
            "recipient": world.id_of(COMPANY),
            "validTo": rfc3339(world.now() + 365 * DAY_SECONDS),
            "retentionSeconds": 365 * DAY_SECONDS,
            "responseHours": 72,
            "text": _AGREEMENT,
        }

    proposed = world.notebook.act(
        "delivery-agreement",
        lambda planned, key: hospital.propose_agreement(planned, idempotency_key=key),
        plan=plan,
    )
    number = int(proposed["agreementId"])
    world.notebook.act(
        "delivery-signature",
        lambda _, key: company.sign_agreement(number, proposed["commitment"], idempotency_key=key),
    )
    return number


def _scope(world: World) -> Json:
    categories = Category(0)
    for item in delivery_asks(world.cast):
        categories |= item.categories
    return {"purposes": AI_PURPOSES, "categories": names(categories)}


def _collect(world: World, shipped: Json) -> str:
    """Collect as the recipient; returns the content commitment over what arrived."""
    wanted = move_ask(world.cast)
    release = world.as_member(wanted.asker).collect(shipped["transferId"])
    opened = open_release(release, world.keys(wanted.asker), level=Level[wanted.level])
    if not is_what_was_registered(opened, wanted.patient.content(), release["level"]):
        raise VerificationError("what arrived at the other hospital is not what was registered")
    return to_hex(content_received(release, world.keys(wanted.asker)))
