"""Acts of the committee through REST and on the pages: proposed, waiting, approved, done; and what the other two tiers may do."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.middleware import COOKIE
from api.settings import ApiSettings
from ledger.chain import artifacts
from ledger.chain.devnet import Devnet
from ledger.client import MemberKeys, PassportClient, sign_headers, sign_in
from ledger.domain.vocabulary import Role
from ledger.encoding.events import selector
from ledger.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from ledger.ports import Call
from tests.api.conftest import ORIGIN, assert_page, assert_problem
from tests.support.world import Actor, World

DAY = 86_400
KINDS = ["SEATS", "MEMBERS", "LAW", "EMERGENCIES", "DATA"]


@dataclass
class Council:
    """A ledger of its own with a committee of several seats, whose clock may run ahead."""

    world: World
    http: TestClient
    law: Actor
    medicine: Actor
    bystander: Actor

    @property
    def convenor(self) -> Actor:
        """Return the founding member."""
        return self.world.committee

    def as_(self, who: Actor | MemberKeys) -> PassportClient:
        """Return a REST client of a member."""
        return PassportClient(ORIGIN, who.keys if isinstance(who, Actor) else who, http=self.http)

    def post(self, actor: Actor, path: str, body: dict[str, Any] | None, key: str | None = None) -> Any:
        """Post a body as it is; returns the response with its headers."""
        content = json.dumps(body).encode() if body is not None else b""
        headers = {"Content-Type": "application/json"} if content else {}
        headers |= {"Idempotency-Key": key or secrets.token_hex(8)}
        signature = sign_headers(actor.keys, "POST", ORIGIN + path, content)
        return self.http.post(path, content=content, headers={**headers, **signature})

    def page(self, reader: Actor | bytes, path: str) -> Any:
        """Return the root of a page as a member reads it, or the holder of a key."""
        anybody = PassportClient(ORIGIN, None, http=self.http)
        session = (
            sign_in(anybody, reader) if isinstance(reader, bytes) else self.as_(reader).open_member_session()
        )
        headers = {"Cookie": f"{COOKIE}={session['code']}"}
        return assert_page(self.http.get(path, headers=headers))

    def rule(self, kind: str, quorum: int, *seats: str, delay: int = 0) -> None:
        """Let the convenor set a rule; works while SEATS needs one seat alone."""
        rule = {
            "kind": kind,
            "quorum": quorum,
            "seats": list(seats),
            "delaySeconds": delay,
            "reason": "statute",
        }
        answer = self.as_(self.convenor).set_rule(rule)
        assert {item["kind"]: item["quorum"] for item in answer["rules"]}[kind] == quorum

    def propose(self, keys: MemberKeys | None = None) -> tuple[int, dict[str, Any]]:
        """Let the convenor propose to admit a clinic; returns the number of the act that waits, and the answer."""
        response = self.post(
            self.convenor, "/v1/members", admission(keys or MemberKeys.new("Valley Clinic"), ["CUSTODIAN"])
        )
        assert response.status_code == 202, response.text
        return int(response.headers["Location"].removeprefix("/v1/acts/")), response.json()

    def wait(self, seconds: int) -> None:
        """Let time pass on the chain."""
        node = self.world.runtime.node
        node.request("evm_increaseTime", hex(seconds))
        node.request("evm_mine")
        assert self.world.service.index.wait_for(node.head().number, timeout=20)


@pytest.fixture(scope="module")
def own_devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Return a devnet whose clock these tests may move."""
    node = Devnet(tmp_path_factory.mktemp("council-devnet"))
    node.start()
    yield node
    node.stop()


@pytest.fixture
def council(own_devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    """Return a committee with three seats, of which one is enough for every act, and a member that may be seated."""
    world = World(tmp_path_factory.mktemp("council"), own_devnet.spec.url)
    try:
        app = create_app(world.service, sessions=world.runtime.sessions, settings=ApiSettings(origin=ORIGIN))
        http = TestClient(app, base_url=ORIGIN, follow_redirects=False)
        law, medicine, bystander = (
            world.admit(name, Role.COMMITTEE) for name in ("Law faculty", "Medics", "Alumni")
        )
        made = Council(world, http, law, medicine, bystander)
        for actor, kind in ((law, "LAW"), (medicine, "MEDICINE")):
            seat = {"memberId": actor.member.member_id, "kind": kind, "reason": "elected"}
            made.as_(made.convenor).set_seat(seat)
        yield made
    finally:
        world.stop()


def admission(keys: MemberKeys, roles: list[str]) -> dict[str, Any]:
    """Return the body that admits an institution."""
    return {
        **keys.public(),
        "roles": roles,
        "purposes": ["PRIMARY_CARE"],
        "kind": "HOSPITAL",
        "jurisdiction": 756,
        "validTo": "2040-01-01T00:00:00Z",
    }


def text_of(element: Any) -> str:
    """Return what people read in an element; nothing if it is not there."""
    return "" if element is None else " ".join(" ".join(element.itertext()).split())


def section_of(page: Any, name: str) -> str:
    """Return what people read in a section of a page."""
    return text_of(page.find(f".//section[@aria-labelledby='{name}']"))


def commands_on(page: Any) -> list[str]:
    """Return the commands that a page tells its reader to run."""
    return [text_of(element) for element in page.findall(".//code[@class='command']")]


def selector_of(function: str) -> str:
    """Return the four bytes that name a function of the ledger in calldata, in hexadecimal."""
    entry = next(
        item for item in artifacts.load().abi if item["type"] == "function" and item["name"] == function
    )
    return selector(entry).hex()


def test_a_founder_sits_alone_and_what_it_proposes_is_done_at_once(client, cast):
    """A new ledger's committee is its founder with the convenor's seat, and every kind of act needs that seat alone."""
    committee = client(cast.committee)
    seated = committee.committee()
    assert seated["seats"] == [
        {"memberId": 1, "memberName": "Committee of the test", "kind": "CONVENOR"},
    ]
    assert [rule["kind"] for rule in seated["rules"]] == KINDS
    assert {(rule["quorum"], rule["delaySeconds"], *rule["seats"]) for rule in seated["rules"]} == {(1, 0)}
    keys = MemberKeys.new("At once")
    member = committee.admit(admission(keys, ["PROCESSOR"]))
    act = committee.acts()[-1]
    assert (act["function"], act["kind"], act["status"], act["approvers"]) == (
        "admit",
        "MEMBERS",
        "done",
        [1],
    )
    assert act["arguments"]["admission"]["name"] == member["name"] == "At once"
    assert act["arguments"]["admission"]["signingKey"] == keys.public()["signingKey"]
    assert act["executedAt"] is not None
    assert (act["lacking"], act["readyAt"]) == (0, None)
    assert act == committee.act(act["actId"])


def test_an_admission_waits_for_the_second_seat_and_is_done_by_it(council):
    """202 with the act as Location and what to do next; the second seat's approval admits the member."""
    council.rule("MEMBERS", 2, "LAW")
    keys = MemberKeys.new("Valley Clinic")
    number, body = council.propose(keys)

    assert (body["status"], body["actId"], body["error"]) == ("mined", number, None)
    assert f"Act {number} (admit) waits until" in body["advice"]
    assert "for the approval of 1 more seat, among them LAW" in body["advice"]
    assert f"POST /v1/acts/{number}/approvals" in body["advice"]
    assert f"passport committee approve {number}" in body["advice"]
    assert [event["name"] for event in body["events"]] == ["ActProposed"]
    waiting = council.as_(council.law).act(number)
    assert (waiting["status"], waiting["lacking"], waiting["lackingSeats"]) == ("waiting", 1, ["LAW"])
    assert (waiting["approvers"], waiting["executedAt"], waiting["readyAt"]) == ([1], None, None)
    assert waiting["arguments"]["admission"]["name"] == "Valley Clinic"
    with pytest.raises(NotAuthenticated):
        council.as_(keys).members()

    # The medics' seat is no seat of law: the act goes on waiting for one, though two have approved.
    second = council.as_(council.medicine).approve_act(number)
    assert (second["status"], second["lacking"], second["lackingSeats"]) == ("waiting", 1, ["LAW"])
    done = council.as_(council.law).approve_act(number)

    assert (done["status"], done["lacking"], done["lackingSeats"]) == ("done", 0, [])
    assert done["approvers"] == [1, council.medicine.member.member_id, council.law.member.member_id]
    assert done["executedAt"] is not None
    assert "nothing left to do" in done["advice"]
    admitted = council.as_(keys).members()[-1]
    assert (admitted["name"], admitted["kind"], admitted["status"]) == ("Valley Clinic", "HOSPITAL", "ACTIVE")
    told = council.as_(council.convenor).operation(body["operationId"])
    assert (told["actId"], told["advice"]) == (number, done["advice"])


def test_the_same_proposal_sent_twice_is_one_act(council):
    """An Idempotency-Key stands for one act, which waits once."""
    council.rule("MEMBERS", 2)
    body = admission(MemberKeys.new("Twice Clinic"), ["CUSTODIAN"])
    first = council.post(council.convenor, "/v1/members", body, "once")
    second = council.post(council.convenor, "/v1/members", body, "once")
    assert (first.status_code, first.headers["Location"]) == (202, second.headers["Location"])
    assert first.json() == second.json()
    assert "Retry-After" not in first.headers
    assert len([act for act in council.as_(council.law).acts() if act["status"] == "waiting"]) == 1


def test_the_client_gives_the_operation_of_an_act_that_waits(council):
    """A REST client does not poll for what the chain will not do by itself."""
    council.rule("MEMBERS", 2)
    committee, target = council.as_(council.convenor), council.bystander.member.member_id
    answer = committee.suspend(target, "an inquiry")
    assert answer["advice"].startswith(f"Act {answer['actId']} (suspend) waits until")
    assert committee.member(target)["status"] == "ACTIVE"
    council.as_(council.law).approve_act(answer["actId"])
    assert committee.member(target)["status"] == "SUSPENDED"


def test_only_seats_approve_and_each_of_them_once(council):
    """No seat: 403, even with the committee's role. Twice, or after it is done: 409. No such act: 404."""
    council.rule("MEMBERS", 2)
    number, _ = council.propose()
    problem = assert_problem(
        council.post(council.bystander, f"/v1/acts/{number}/approvals", None), 403, "not-permitted"
    )
    assert "Alumni has no seat on the committee" in problem["detail"]
    with pytest.raises(NotPermitted, match="no seat"):
        council.as_(council.bystander).admit(admission(MemberKeys.new("x"), ["CUSTODIAN"]))
    with pytest.raises(Conflict, match=f"approved act {number} before"):
        council.as_(council.convenor).approve_act(number)
    with pytest.raises(Conflict, match="lacks approvals, a kind of seat, or time"):
        council.as_(council.bystander).execute_act(number)
    with pytest.raises(NotFound, match="there is no act"):
        council.as_(council.law).approve_act(9_999)
    assert council.as_(council.law).act(number)["status"] == "waiting"
    council.as_(council.law).approve_act(number)
    for actor, act in ((council.medicine, "approve_act"), (council.bystander, "execute_act")):
        with pytest.raises(Conflict, match="done before"):
            getattr(council.as_(actor), act)(number)


def test_an_approved_act_waits_for_its_time_and_then_anybody_has_it_done(council):
    """Approved by who must, before its delay is over it is a conflict; after it any member executes it, once."""
    council.rule("MEMBERS", 2, delay=DAY)
    keys = MemberKeys.new("Patient Clinic")
    number, _ = council.propose(keys)
    approved = council.as_(council.medicine).approve_act(number)
    assert (approved["status"], approved["lacking"], approved["executedAt"]) == ("approved", 0, None)
    assert approved["position"]["time"] < approved["readyAt"] < approved["lapsesAt"]
    assert f"passport committee execute {number}" in approved["advice"]
    with pytest.raises(Conflict, match="lacks approvals, a kind of seat, or time"):
        council.as_(council.bystander).execute_act(number)

    council.wait(DAY)

    done = council.as_(council.bystander).execute_act(number)
    assert (done["status"], done["executedAt"] >= approved["readyAt"]) == ("done", True)
    assert council.as_(keys).members()[-1]["name"] == "Patient Clinic"


@pytest.mark.parametrize("delay", [0, DAY])
def test_an_act_whose_rule_was_lowered_needs_no_approval_more_but_its_time(council, delay):
    council.rule("MEMBERS", 2, delay=delay)
    number, _ = council.propose()
    council.rule("MEMBERS", 1, delay=delay)
    told = council.as_(council.bystander).act(number)
    assert (told["status"], told["lacking"], told["readyAt"]) == ("approved", 0, None)
    assert f"/v1/acts/{number}/execution" in told["advice"]
    assert ("begins its wait of 86400 seconds" in told["advice"]) == bool(delay)

    answer = council.as_(council.bystander).execute_act(number)
    if delay:
        assert (answer["status"], answer["executedAt"]) == ("approved", None)
        with pytest.raises(Conflict, match="lacks approvals, a kind of seat, or time"):
            council.as_(council.bystander).execute_act(number)
        assert answer["readyAt"] is not None
        council.wait(DAY)
        answer = council.as_(council.bystander).execute_act(number)
    assert answer["status"] == "done"


def test_an_approval_is_worth_no_more_than_its_seat(council):
    """Who loses the seat before the act is done takes the approval along; another seat's can come in its place."""
    council.rule("MEMBERS", 2, delay=DAY)
    number, _ = council.propose()
    assert council.as_(council.law).approve_act(number)["status"] == "approved"
    unseat = {"memberId": council.law.member.member_id, "kind": "NONE", "reason": "resigned"}
    seats = council.as_(council.convenor).set_seat(unseat)["seats"]
    assert council.law.member.member_id not in {seat["memberId"] for seat in seats}

    orphan = council.as_(council.convenor).act(number)
    assert (orphan["status"], orphan["lacking"], orphan["readyAt"]) == ("waiting", 1, None)
    assert orphan["approvers"] == [1, council.law.member.member_id]
    council.wait(DAY)
    with pytest.raises(Conflict, match="lacks approvals, a kind of seat, or time"):
        council.as_(council.convenor).execute_act(number)
    with pytest.raises(NotPermitted, match="no seat"):
        council.as_(council.law).approve_act(number)

    assert council.as_(council.medicine).approve_act(number)["status"] == "approved"
    assert council.as_(council.bystander).execute_act(number)["status"] == "done"


def test_a_suspended_seat_neither_approves_nor_counts(council):
    """The committee suspends one of its own: what it approved lacks an approval again, and it can give no other."""
    council.rule("SEATS", 2)
    change = {
        "kind": "LAW",
        "quorum": 1,
        "seats": [],
        "delaySeconds": 0,
        "reason": "as it was",
    }
    number = council.as_(council.medicine).set_rule(change)["actId"]
    council.as_(council.convenor).suspend(council.medicine.member.member_id, "an inquiry")

    waiting = council.as_(council.law).act(number)
    assert (waiting["status"], waiting["lacking"]) == ("waiting", 2)
    with pytest.raises(NotPermitted, match="suspended"):
        council.as_(council.medicine).set_rule(change)
    assert council.as_(council.law).approve_act(number)["lacking"] == 1
    assert council.as_(council.convenor).approve_act(number)["status"] == "done"


def test_who_approves_a_law_reads_what_it_changes(council):
    """Sentences in both languages, against the law in force when asked; other acts change no law."""
    council.rule("LAW", 2)
    council.rule("MEMBERS", 2)
    law = council.as_(council.convenor).policy()
    banned = {**law, "bannedPurposes": [*law["bannedPurposes"], "RESEARCH"]}
    bold = council.as_(council.convenor).set_policy(banned, "Resolution 4")["actId"]
    limits = {**law["emergencies"], "recoverySeconds": law["emergencies"]["recoverySeconds"] + DAY}
    meek = council.as_(council.law).set_policy({**law, "emergencies": limits}, "Resolution 5")["actId"]
    medicine = council.as_(council.medicine)

    [ban] = medicine.act(bold)["changes"]
    assert (ban["kind"], ban["stricter"], ban["purpose"]) == ("ban", True, "RESEARCH")
    assert ban["en"] == "Banned: health research."
    assert ban["zh"].startswith("禁止：")
    assert [change["kind"] for change in medicine.act(meek)["changes"]] == ["limit"]

    # Once the first is law, the second would lift its ban.
    assert medicine.approve_act(bold)["changes"] == []
    changes = medicine.act(meek)["changes"]
    assert [change["kind"] for change in changes] == ["ban", "limit"]
    assert changes[0]["en"] == "No longer banned: health research."
    assert medicine.acts()[-1]["changes"] == changes
    number, _ = council.propose()
    assert medicine.act(number)["changes"] is None


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("setPolicy", "ff"), ("admit", ""), ("suspend", "ff" * 64)],
)
def test_an_act_that_cannot_be_read_hides_no_other(council, function, arguments):
    """Past the service a seat may propose any bytes after the name of a function: they are told as they are."""
    for kind in ("LAW", "MEMBERS"):
        council.rule(kind, 2)
    call = f"0x{selector_of(function)}{arguments}"
    proposal = Call("propose", (call, "0x" + "01" * 32))
    council.world.done(council.world.service.writer.submit(council.law.member.signer, proposal))

    *others, act = council.as_(council.medicine).acts()
    page = council.page(council.medicine, f"/acts/{act['actId']}")

    assert (act["function"], act["arguments"], act["call"]) == (function, {}, call)
    assert (act["status"], act["changes"]) == ("waiting", None)
    assert others
    assert act == council.as_(council.medicine).act(act["actId"])
    assert "This cannot be read." in section_of(page, "arguments")


def test_a_name_that_is_no_text_is_told_as_it_can_be(council):
    """Who approves sees all that is stated; bytes that are no UTF-8 are U+FFFD."""
    council.rule("MEMBERS", 2)
    number, _ = council.propose(MemberKeys.new("Valley"))
    call = council.as_(council.law).act(number)["call"].replace(b"Valley".hex(), "ff" * 6)
    proposal = Call("propose", (call, "0x" + "01" * 32))
    council.world.done(council.world.service.writer.submit(council.law.member.signer, proposal))
    act = council.as_(council.medicine).acts()[-1]
    assert (act["function"], act["arguments"]["admission"]["name"]) == ("admit", "\ufffd" * 6)


def test_an_act_lapses_after_thirty_days(council):
    """Nobody approves or executes what lay for a month; the answer says to propose it again."""
    council.rule("MEMBERS", 2)
    number, _ = council.propose()
    council.wait(30 * DAY)
    with pytest.raises(Conflict, match="older than 30 days"):
        council.as_(council.law).approve_act(number)
    lapsed = council.as_(council.law).act(number)
    assert (lapsed["status"], lapsed["executedAt"]) == ("lapsed", None)
    assert "propose it again" in lapsed["advice"]


def test_the_committee_never_makes_itself_incapable(council):
    """A quorum nobody can fill, the last seat taken, the one seat of a required kind suspended: refused, nothing done."""
    committee = council.as_(council.convenor)
    rule = {"kind": "LAW", "quorum": 4, "seats": [], "delaySeconds": 0, "reason": "ambition"}
    with pytest.raises(InvalidInput, match="the number of seats"):
        committee.set_rule(rule)
    with pytest.raises(Conflict, match="cannot act"):
        committee.set_rule({**rule, "quorum": 1, "seats": ["PATIENTS"]})
    council.rule("LAW", 1, "LAW")
    with pytest.raises(Conflict, match="cannot act"):
        committee.suspend(council.law.member.member_id, "the only lawyer")
    with pytest.raises(Conflict, match="cannot act"):
        committee.set_seat({"memberId": council.law.member.member_id, "kind": "NONE", "reason": "the same"})
    assert committee.member(council.law.member.member_id)["status"] == "ACTIVE"
    council.rule("LAW", 1)
    for actor in (council.law, council.medicine):
        committee.set_seat({"memberId": actor.member.member_id, "kind": "NONE", "reason": "too many"})
    with pytest.raises(Conflict, match="cannot act"):
        committee.set_seat({"memberId": 1, "kind": "NONE", "reason": "the last one"})
    assert [seat["memberId"] for seat in committee.committee()["seats"]] == [1]


def test_seats_are_for_members_with_the_role(council):
    """A seat for who cannot hold one, for nobody, or taken where there is none: refused with the reason."""
    committee = council.as_(council.convenor)
    clinic = council.world.admit("Seatless clinic", Role.CUSTODIAN)
    seat = {"memberId": clinic.member.member_id, "kind": "PUBLIC", "reason": "asked for it"}
    with pytest.raises(InvalidInput, match="does not hold the role COMMITTEE"):
        committee.set_seat(seat)
    with pytest.raises(NotFound, match="there is no member"):
        committee.set_seat({**seat, "memberId": 9_999})
    with pytest.raises(NotFound, match="has no seat"):
        committee.set_seat({**seat, "kind": "NONE"})
    moved = {"memberId": council.law.member.member_id, "kind": "PRIVACY", "reason": "another chair"}
    kinds = {item["memberId"]: item["kind"] for item in committee.set_seat(moved)["seats"]}
    assert kinds[council.law.member.member_id] == "PRIVACY"
    assert len(kinds) == 3


def test_the_alliance_admits_units_and_gives_no_role_that_governs(council):
    """Admission by the alliance is its own act, not the committee's; roles that govern are refused."""
    alliance = council.world.admit("Alliance", Role.ALLIANCE)
    before = len(council.as_(alliance).acts())
    keys = MemberKeys.new("Unit")
    member = council.as_(alliance).admit(admission(keys, ["CUSTODIAN", "PROCESSOR", "ETHICS"]))
    assert (member["kind"], member["roles"]) == ("HOSPITAL", ["CUSTODIAN", "PROCESSOR", "ETHICS"])
    assert len(council.as_(alliance).acts()) == before
    for role in ("COMMITTEE", "ALLIANCE", "REGULATOR", "EMERGENCY"):
        with pytest.raises(NotPermitted):
            council.as_(alliance).admit(admission(MemberKeys.new(role), [role, "CUSTODIAN"]))
    assert council.as_(alliance).suspend(member["memberId"], "left the alliance")["status"] == "SUSPENDED"
    with pytest.raises(NotPermitted, match="no seat"):
        council.as_(alliance).reinstate(member["memberId"])
    with pytest.raises(NotPermitted):
        council.as_(keys).admit(admission(MemberKeys.new("Friend"), ["PROCESSOR"]))


def test_a_regulator_suspends_units_and_no_seat(council):
    """A regulator suspends at once and alone, but not who sits on the committee, and admits nobody."""
    regulator = council.world.admit("Regulator", Role.REGULATOR)
    council.rule("MEMBERS", 3)  # what the committee would need is not what a regulator needs
    unit = council.bystander.member.member_id
    assert council.as_(regulator).suspend(unit, "a raid")["status"] == "SUSPENDED"
    for seated in (1, council.law.member.member_id):
        with pytest.raises(NotPermitted, match="no seat"):
            council.as_(regulator).suspend(seated, "a raid")
        assert council.as_(regulator).member(seated)["status"] == "ACTIVE"
    with pytest.raises(NotPermitted, match="no seat"):
        council.as_(regulator).admit(admission(MemberKeys.new("y"), ["CUSTODIAN"]))
    with pytest.raises(NotPermitted, match="no seat"):
        council.as_(regulator).reinstate(unit)


def test_the_contract_itself_keeps_regulators_from_seats(council):
    """The same call sent past the service's own check is refused by the ledger."""
    regulator = council.world.admit("Regulator", Role.REGULATOR)
    call = Call("suspend", (council.law.member.member_id, "0x" + "01" * 32))
    problem = council.world.failed(council.world.service.writer.submit(regulator.member.signer, call))
    assert problem["code"] == "not-permitted"
    assert "holds a seat: only the committee suspends it" in problem["message"]


def test_a_seat_lands_on_what_waits_for_it_and_reads_how_to_approve(council):
    """From the page where a member lands to the act, with the very command that approves it; then it is gone."""
    council.rule("MEMBERS", 2, "LAW")
    number, _ = council.propose()
    for landing in ("/auditor", "/institution", "/acts"):
        page = council.page(council.law, landing)
        assert f"Act {number} : Admit an institution: Valley Clinic" in section_of(page, "approvals")
        assert f"/acts/{number}" in {link.get("href") for link in page.findall(".//a")}
        assert "/acts" in {link.get("href") for link in page.findall(".//header//a")}
        # Whoever proposed it has approved it, and whoever has no seat cannot.
        for other in (council.convenor, council.bystander):
            assert section_of(council.page(other, landing), "approvals") == ""

    page = council.page(council.law, f"/acts/{number}")

    assert text_of(page.find(".//h1")) == f"Act {number}: Admit an institution: Valley Clinic"
    assert "jurisdiction 756" in section_of(page, "arguments")
    assert "roles CUSTODIAN" in section_of(page, "arguments")
    standing = section_of(page, "standing")
    assert "Proposed by Committee of the test on 20" in standing
    assert "Approved by Committee of the test Lacks 1 more seat, among them LAW Lapses 20" in standing
    act = council.as_(council.law).act(number)
    assert act["advice"] in text_of(page)
    assert commands_on(page) == [f"passport committee approve {number} --url {ORIGIN} --key FILE"]
    # A session is good for reading: nothing on the page writes.
    assert [form.get("action") for form in page.findall(".//form")] == ["/sign-out"]
    assert commands_on(council.page(council.bystander, f"/acts/{number}")) == []

    council.as_(council.law).approve_act(number)

    for reader in (council.law, council.bystander):
        done = council.page(reader, f"/acts/{number}")
        assert commands_on(done) == []
        assert "Lacks" not in section_of(done, "standing")
        assert "Approved by Committee of the test, Law faculty Done 20" in section_of(done, "standing")
    assert section_of(council.page(council.law, "/auditor"), "approvals") == ""


def test_any_member_reads_how_an_approved_act_is_done_and_a_patient_reads_along(council):
    council.rule("MEMBERS", 2, delay=DAY)
    number, _ = council.propose()
    council.as_(council.law).approve_act(number)
    for reader in (council.medicine, council.bystander):
        page = council.page(reader, f"/acts/{number}")
        assert "Approved, not yet done" in text_of(page)
        assert "Lacks nothing May be done from 20" in section_of(page, "standing")
        assert commands_on(page) == [f"passport committee execute {number} --url {ORIGIN} --key FILE"]
        assert section_of(council.page(reader, "/acts"), "approvals") == ""
    patient = council.page(secrets.token_bytes(32), f"/acts/{number}")
    assert "May be done from" in section_of(patient, "standing")
    assert commands_on(patient) == []


def test_a_seat_that_cannot_vote_is_not_asked(council):
    """Nothing waits for a suspended seat, nor once an act has lapsed."""
    council.rule("MEMBERS", 2)
    number, _ = council.propose()
    council.rule("MEMBERS", 1)
    council.as_(council.convenor).suspend(council.medicine.member.member_id, "an inquiry")
    council.rule("MEMBERS", 2)
    assert section_of(council.page(council.medicine, "/acts"), "approvals") == ""
    assert f"Act {number} :" in section_of(council.page(council.law, "/acts"), "approvals")
    council.wait(30 * DAY)
    assert section_of(council.page(council.law, "/acts"), "approvals") == ""
    lapsed = council.page(council.law, f"/acts/{number}")
    assert "✕ Lapsed" in text_of(lapsed)
    assert commands_on(lapsed) == []


def test_a_law_is_told_on_its_page_by_what_it_changes(council):
    """Sentences against the law in force, not the table; done, it says the same as the law."""
    council.rule("LAW", 2)
    law = council.as_(council.convenor).policy()
    banned = {**law, "bannedPurposes": [*law["bannedPurposes"], "RESEARCH"]}
    number = council.as_(council.convenor).set_policy(banned, "Resolution 4")["actId"]

    page = council.page(council.law, f"/acts/{number}")

    told = section_of(page, "changes")
    assert f"Version {law['version']} is in force now." in told
    assert "Stricter Banned: health research. (R051)" in told
    assert "necessary" not in text_of(page)
    council.as_(council.law).approve_act(number)
    told = section_of(council.page(council.law, f"/acts/{number}"), "changes")
    assert f"Version {law['version'] + 1} is in force now." in told
    assert "Not at all: it says the same." in told


def test_the_acts_are_listed_newest_first_and_page(council, monkeypatch):
    from api.pages import people

    monkeypatch.setattr(people, "PAGE_LINES", 2)
    numbers = [act["actId"] for act in council.as_(council.law).acts()]
    read, path = [], "/acts"
    while path:
        page = council.page(council.bystander, path)
        read += [int(link.get("href").removeprefix("/acts/")) for link in page.findall(".//ol//a")]
        older = page.find(".//a[@rel='next']")
        path = older.get("href") if older is not None else None
    assert read == numbers[::-1]
    assert len(read) > 2


def test_an_act_that_is_not_there_has_no_page(council):
    code = council.as_(council.law).open_member_session()["code"]
    headers = {"Cookie": f"{COOKIE}={code}", "Accept": "text/html"}
    assert council.http.get("/acts/9999", headers=headers).status_code == 404
    for path in ("/acts", "/acts/1"):
        stranger = council.http.get(path)
        assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in")
