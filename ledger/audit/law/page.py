"""
The law as a page that a lawyer can read: Markdown from a policy table.

Source: docs/policy.md is this page for the law that a new ledger starts with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ledger.audit.law.rules import BASIS_RULE, CLASS_RULE, FACT_RULE, categories_of, requirements_of
from ledger.audit.law.words import PageLanguage, Voice, capital, duration, joined
from ledger.domain.lineage import ANSWER_SECONDS
from ledger.domain.records import PolicyTable
from ledger.domain.vocabulary import (
    ALL_CATEGORIES,
    BASIS_LABELS,
    CATEGORY_LABELS,
    CLASS_LABELS,
    EMERGENCY_REASON_LABELS,
    FACT_LABELS,
    LEVEL_LABELS,
    PURPOSE_LABELS,
    Basis,
    Category,
    DataClass,
    Fact,
    Label,
    Level,
    Purpose,
    floor_of,
    purposes_of,
)
from ledger.policy import PERMIT_SECONDS

#: Facts that every inclusion into a dataset requires, on whatever basis and whatever the law says.
OF_INCLUSIONS: Final = Fact.DATASET_FITS
#: What each basis is, for somebody who has never heard of it.
_BASIS_MEANINGS: Final[dict[Basis, Label]] = {
    Basis.CONSENT: Label(
        "the patient has agreed, or somebody who speaks for the patient",
        "患者或其代理人（含法定代理人）已表示同意",
    ),
    Basis.CUSTODIAN_CARE: Label(
        "the hospital that keeps the data uses it itself, without a consent; a daily cap, a suspension or a seal stops "
        "it too",
        "保管数据的机构自行使用，无须同意；达到每日上限、成员资格被暂停或数据被封存的，同样不得使用",
    ),
    Basis.INDIVIDUAL_EMERGENCY: Label(
        "an institution opens one patient's data in an emergency, and answers for it afterwards",
        "机构就某一患者启动紧急事件以查看其数据，事后接受审查",
    ),
    Basis.PUBLIC_EMERGENCY: Label(
        "the committee has declared an emergency of public health", "委员会已宣布公共卫生紧急事件"
    ),
    Basis.LEGAL_DUTY: Label(
        "a statute asks for the use, and the data is de-identified as this page defines it",
        "法律规定须使用，且数据达到本页所定义的去标识化程度",
    ),
    Basis.COMPELLED: Label(
        "an authority compels the use, by a warrant or another instrument",
        "公权机关以令状或其他法律文书强制调取",
    ),
    Basis.SUBJECT_REQUEST: Label(
        "the patient asks for the patient's own data; that the patient asked the ledger does not check, the institution "
        "that makes the request answers for it",
        "患者请求获取本人数据；账本不核实患者是否确已提出，由提交请求的机构负责",
    ),
}
_OTHERS: Final = tuple(basis for basis in Basis if basis is not Basis.SUBJECT_REQUEST)
#: What no version of the law can leave out of any entry, on whatever basis.
FLOOR_OF_ALL: Final = floor_of(Basis.SUBJECT_REQUEST)
_NOTHING: Final = Fact(0)


def render(table: PolicyTable, language: PageLanguage = "both") -> str:
    """
    Write a version of the law as Markdown.

    Args:
        table: The version.
        language: English, Chinese, or both.

    Returns:
        Text that ends with a newline. Requirement numbers are those of the project's list of what its two source
        papers ask for; they name the subject of a rule, also after the committee has changed it.
    """
    return _Page(Voice(language), table).write()


@dataclass(frozen=True)
class _Page:
    """One version of the law, in one voice."""

    voice: Voice
    table: PolicyTable

    def write(self) -> str:
        parts = [
            self.opening(),
            self.answers(),
            self.bases(),
            self.common(),
            *(self.uses(data_class) for data_class in DataClass),
            self.banned(),
            self.necessary(),
            self.classes(),
            self.levels(),
            self.consent(),
            self.institutions(),
            self.emergencies(),
            self.reviews(),
        ]
        return "\n\n".join(parts) + "\n"

    # What entries have in common

    @cached_property
    def always(self) -> Fact:
        """What every use requires."""
        return _shared(self.table, Basis) & ~Fact.LAWFUL

    @cached_property
    def by_others(self) -> Fact:
        """What every use requires besides, unless the patient asks."""
        return _shared(self.table, _OTHERS) & ~self.always & ~Fact.LAWFUL

    def on_basis(self, basis: Basis) -> Fact:
        """What every use on a basis requires besides."""
        common = self.always if basis is Basis.SUBJECT_REQUEST else self.always | self.by_others
        return _shared(self.table, [basis]) & ~common & ~Fact.LAWFUL

    def besides(self, basis: Basis, required: Fact) -> Fact:
        """What an entry requires besides all that."""
        common = self.always | self.on_basis(basis)
        if basis is not Basis.SUBJECT_REQUEST:
            common |= self.by_others
        return required & ~common & ~Fact.LAWFUL

    # Sections

    def heading(self, en: str, zh: str) -> str:
        return f"## {self.voice.say(Label(en, zh))}"

    def opening(self) -> str:
        title = Label(
            f"The law on the use of medical data: version {self.table.version}",
            f"医疗数据使用规则：第 {self.table.version} 版",
        )
        text = Label(
            "By this law the ledger answers every request for medical data. The page is written out from the table on "
            "the chain, which the committee can only replace as a whole, by a new version. Beside it the committee sets, "
            "by decisions of their own, the templates of consents, the thresholds for borders, each institution's "
            "licence and daily caps, and declarations of emergencies. What is done afterwards with datasets, models and "
            "transfers of many records has further rules that are fixed in the ledger; this page mentions only some of "
            "them.",
            "账本依据本规则答复每一次医疗数据请求。本页由链上规则表生成；委员会只能以新版本整体替换该表。除该表外，委员会另行决定："
            "同意模板、出境门槛、各机构的许可与每日上限、紧急事件的宣布。此后对数据集、模型和批量传输的处理，另有账本内固定的规则，"
            "本页仅提及其中一部分。",
        )
        force = Label(
            "A version is in force from the moment the ledger carries out the committee's decision until the next one "
            "is; the first from the ledger's beginning. How many seats must agree, of which kinds, and how long they "
            "wait, the committee has decided before. A new version applies at once to every later request, also under "
            "consents, emergencies and approvals from before, which keep their own end and lists; answers that were given "
            "keep the version that they were given under.",
            "版本自账本执行委员会的决定之时起生效，至下一版本生效为止；第一版自账本建立时起生效。须由多少席位、哪类席位同意及等待期，"
            "由委员会事先决定。新版本立即适用于此后的一切请求，包括依据此前的同意、紧急事件和审批提出的请求，后者的期限和清单不变；"
            "已作出的答复仍适用作出时的版本。",
        )
        words = Label(
            "*You* are the patient: purposes and kinds of data are named as patients read them. *The hospital* is the "
            "institution that keeps the data. *Regulator*, *ethics body*, *compliance body*, *verifier* and *alliance* are "
            "institutions that were admitted to act as such; the *committee* are those with a seat; a *jurisdiction* is the "
            "one that an institution was admitted under. R and a number point to the list, docs/requirements.md, "
            "of what two papers on the governance of medical data ask for; the list is no part of this law.",
            "“本人”指患者，用途和数据类别按患者所见名称列出。“保管机构”指保管数据的机构。“监管机构”“伦理机构”“合规机构”“核验机构”“联盟”"
            "指以此身份获准加入的机构；“委员会”指持席位的机构；“法域”以机构获准加入时登记的为准。R 加数字为两篇医疗数据治理论文的需求编号，"
            "不构成本规则的一部分。",
        )
        paragraphs = [self.voice.paragraphs(label) for label in (text, force, words)]
        return "\n\n".join([f"# {self.voice.say(title)}", *paragraphs])

    def answers(self) -> str:
        text = Label(
            "An institution asks before it uses data. Its request names what is to be done (read, receive a copy, put "
            "into a dataset; each is a use), the data of one patient at one hospital, the kinds of data, one purpose, one "
            "legal basis, how far the data is to be de-identified, and, where they matter, the consent, the project, the "
            "emergency and the time the data is from. The answer is",
            "机构使用数据前须提出请求，指明拟进行的操作（读取、接收副本、纳入数据集，均为“使用”）、某一患者在某一机构的数据、数据类别、"
            "一项用途、一项法律依据、去标识程度，并在相关时指明同意、项目、紧急事件和数据产生的时间。答复为：",
        )
        outcomes = [
            Label(
                "**permitted**, if everything holds that this page requires for the class of data, the purpose and the "
                "basis;",
                "**准许**：本页对该数据等级、用途和依据所要求的条件全部成立；",
            ),
            Label(
                "**to be reviewed**, if nothing is missing but a human's approval of this very request;",
                "**待审查**：仅缺对该请求的人工批准；",
            ),
            Label("**denied** in every other case.", "**拒绝**：其他一切情形。"),
        ]
        after = Label(
            "Every answer is recorded, a denial with what was missing (R121). A use that this page does not list the "
            "ledger never permits (R082); whether a statute allows it outside the ledger this page does not say.",
            "每次答复均予记录，拒绝时并记录所缺条件（R121）。本页未列出的用途，账本一律不准许（R082）；法律是否允许在账本之外进行，"
            "本页不作规定。",
        )
        lasts = duration(PERMIT_SECONDS)
        permit = Label(
            f"A permit to read or to receive a copy is good for {lasts.en}. It lapses earlier if the consent or the "
            "emergency that it rests on ends, the institution is suspended, or the data is sealed; one on consent, and one "
            "to receive a copy, also if control of the institution changes hands. A permit to put data into a dataset "
            "takes effect at once.",
            f"读取或接收副本的准许在 {lasts.zh}内有效。其所依据的同意或紧急事件终止、机构被暂停或数据被封存的，提前失效；"
            "依据同意的准许和接收副本的准许，在机构控制权变更时亦失效。纳入数据集的准许即时生效。",
        )
        behalf = Label(
            "An institution may ask on behalf of another that has entrusted it with the purpose for a time. Both need a "
            "membership in force and the purpose in their licence. Consent, project, dataset and who keeps the data are "
            "then tested of the one that entrusts; the daily cap and the right to emergencies of the one that asks.",
            "机构可受他机构委托，就所委托的用途在期限内代为请求。双方的成员资格均须有效，用途均须在各自许可内。同意、项目、数据集和"
            "“保管数据”按委托机构检验；每日上限和紧急事件的权利按请求机构检验。",
        )
        together = Label(
            "All sections hold together: what one permits another may narrow, and the narrower prevails. An emergency "
            "of one person, say, opens no kind of data outside its list, whichever class has a row for it.",
            "各节并用，以较严者为准。例如，个体紧急事件不得涉及其清单以外的数据类别，即使该等级的表中列有此项。",
        )
        named = Label(
            "Where two purposes fit, the more specific one is to be named. The ledger tests the purpose that is named and "
            "cannot see the true one; a false one is misuse, and the record proves which was named.",
            "两项用途均适用的，须指明较具体的一项。账本只检验所指明的用途，无法得知真实用途；虚报用途属滥用，记录可证明所指明的是哪一项。",
        )
        bullets = "\n".join(f"- {self.voice.say(outcome)}" for outcome in outcomes)
        rest = (self.voice.paragraphs(label) for label in (after, permit, behalf, together, named))
        heading = self.heading("How a request is answered", "请求的答复")
        return "\n\n".join([heading, self.voice.paragraphs(text), bullets, *rest])

    def bases(self) -> str:
        lines = [
            f"- *{self.voice.say(BASIS_LABELS[basis])}*: {self.voice.say(_BASIS_MEANINGS[basis])} ({BASIS_RULE[basis]})"
            for basis in _bases(self.table, DataClass)
            if basis in _BASIS_MEANINGS
        ]
        compelled = [
            PURPOSE_LABELS[purpose]
            for purpose in Purpose
            if any(self.table.required_for(data_class, purpose, Basis.COMPELLED) for data_class in DataClass)
        ]
        named = Label(
            f"What an order compels is asked for under the purpose *{' or '.join(label.en for label in compelled)}*, "
            "whatever the order is for; that is no false purpose. Whether an order that aims at a banned purpose is to be "
            "obeyed, the regulator who reviews the request judges.",
            f"依强制命令调取的，不论命令目的为何，用途均填“{'或'.join(label.zh for label in compelled)}”，不属虚报。命令以禁止用途为目的的，"
            "是否应予执行由审查该请求的监管机构判断。",
        )
        beyond = Label(
            "This law binds the ledger alone. Where a statute or an order compels more, the institution acts outside the "
            "ledger, answers for it and keeps a record of it. Whether a statute or an order really asks for a use the "
            "ledger cannot see; the institution that names it answers for that. Where this page gives an institution a duty "
            "that the ledger cannot enforce, the institution answers for it too.",
            "本规则仅约束账本。法律或命令强制要求超出本规则的，机构在账本之外执行，自行负责并留存记录。"
            "法律或命令是否确有此要求，账本无法得知，由援引的机构负责。本页规定而账本无法强制执行的义务，亦由有关机构负责。",
        )
        heading = self.heading("The legal bases", "法律依据")
        told = [named, beyond] if compelled else [beyond]
        return "\n\n".join([heading, "\n".join(lines), *map(self.voice.paragraphs, told)])

    def common(self) -> str:
        fixed = Label(
            "What is marked † is fixed in the ledger itself: no version of the law can leave it out. Of the sections on "
            "consent, institutions, emergencies and reviews only the numbers, but for the thresholds at borders and the time "
            "to answer a withdrawal, and the list of kinds of data belong to this version; the rest of them is fixed too, as "
            "is how long a permit is good for. All tables and the list of banned purposes belong to this version.",
            "标 † 的条件已固定于账本之中，任何版本均不得取消。“个人同意”“机构”“紧急事件”“审查与批准”各节中，仅数字（出境门槛和答复撤回的期限除外）"
            "和数据类别清单属于本版本，其余亦已固定，准许的有效时间亦同；各表和禁止用途清单属于本版本。",
        )
        parts = [
            self.heading("What every use requires", "一切使用的共同条件"),
            self.voice.paragraphs(fixed),
            self.bullets(self.always, FLOOR_OF_ALL),
        ]
        if self.by_others:
            own = BASIS_LABELS[Basis.SUBJECT_REQUEST]
            lead = Label(f"Besides, unless the basis is *{own.en}*:", f"依据不是“{own.zh}”的，另须满足：")
            parts += [self.voice.say(lead), self.bullets(self.by_others, floor_of(Basis.NO_BASIS))]
        for basis in _bases(self.table, DataClass):
            more = self.on_basis(basis)
            if more:
                name = BASIS_LABELS[basis]
                lead = Label(f"Besides, on the basis *{name.en}*:", f"依据“{name.zh}”的，另须满足：")
                parts += [self.voice.say(lead), self.bullets(more, floor_of(basis))]
        into = Label(
            "Besides, for data to be put into a dataset, on whatever basis:",
            "将数据纳入数据集的，不论依据，另须满足：",
        )
        parts += [self.voice.say(into), self.bullets(OF_INCLUSIONS, OF_INCLUSIONS)]
        rest = Label(
            "The next three sections list which uses the ledger permits, and what each requires on top of this. Where a row "
            "requires an emergency, one of public health is meant. A row "
            "on the basis of consent for your own request is for an institution that you name, other than the hospital.",
            "以下三节列出账本准许的用途及其额外条件。表中所要求的紧急事件，均指公共卫生紧急事件。"
            "以同意为依据的本人请求，由本人指明的、保管机构以外的机构提出。",
        )
        return "\n\n".join([*parts, self.voice.paragraphs(rest)])

    def bullets(self, facts: Fact, fixed: Fact) -> str:
        lines = [
            f"- {self.voice.say(FACT_LABELS[fact])}{'†' if fact in fixed else ''} ({FACT_RULE[fact]})"
            for fact in Fact
            if fact in facts
        ]
        return "\n".join(lines)

    def uses(self, data_class: DataClass) -> str:
        label = CLASS_LABELS[data_class]
        parts = [f"## {self.voice.say(Label(capital(label.en), label.zh))}"]
        rows = list(self.rows(data_class))
        if not rows:
            none = Label("No use is permitted.", "不得使用。")
            return f"{parts[0]}\n\n{self.voice.paragraphs(none)}"
        head = [
            Label("Purpose", "用途"),
            Label("Legal basis", "法律依据"),
            Label("Required besides", "额外条件"),
            Label("Requirements", "需求编号"),
        ]
        lines = [self.row(head), _row(["---"] * len(head)), *rows]
        return "\n\n".join([*parts, "\n".join(lines)])

    def rows(self, data_class: DataClass) -> Iterator[str]:
        """One row for each basis and set of conditions, with the purposes that share them."""
        found: dict[tuple[Basis, Fact, tuple[str, ...]], list[Purpose]] = {}
        for purpose in Purpose:
            if self.table.banned_purposes >> purpose & 1:
                continue
            for basis in Basis:
                required = self.table.required_for(data_class, purpose, basis)
                if required:
                    more = self.besides(basis, required)
                    cited = tuple(requirements_of(data_class, purpose, basis, more))
                    found.setdefault((basis, more, cited), []).append(purpose)
        nothing = Label("nothing more", "无额外条件")
        for (basis, more, cited), purposes in sorted(
            found.items(), key=lambda item: (item[1][0], item[0][0])
        ):
            conditions = [FACT_LABELS[fact] for fact in Fact if fact in more]
            yield _row(
                [
                    self.voice.items(PURPOSE_LABELS[purpose] for purpose in purposes),
                    self.voice.say(BASIS_LABELS[basis]),
                    self.voice.conditions(conditions or [nothing]),
                    ", ".join(cited),
                ]
            )

    def banned(self) -> str:
        lead = Label(
            "While this version is in force nothing can justify these, not even consent (R051).",
            "本版本有效期间，任何依据，包括个人同意，均不得使用（R051）。",
        )
        names = [
            f"- {self.voice.say(PURPOSE_LABELS[purpose])}"
            for purpose in purposes_of(self.table.banned_purposes)
        ]
        body = "\n".join(names) or self.voice.say(Label("None.", "无。"))
        heading = self.heading("Banned purposes", "禁止的用途")
        return f"{heading}\n\n{self.voice.paragraphs(lead)}\n\n{body}"

    def necessary(self) -> str:
        lead = Label("A request for more is denied (R049, R078).", "超出范围的请求一律拒绝（R049、R078）。")
        rows = [
            _row(
                [self.voice.say(PURPOSE_LABELS[purpose]), self.categories(self.table.necessary_for(purpose))]
            )
            for purpose in Purpose
            if self.table.necessary_for(purpose)
        ]
        head = [Label("Purpose", "用途"), Label("Kinds of data", "数据类别")]
        heading = self.heading("Kinds of data that each purpose may touch", "各用途可涉及的数据类别")
        return "\n".join(
            [heading, "", self.voice.paragraphs(lead), "", self.row(head), _row(["---", "---"]), *rows]
        )

    def classes(self) -> str:
        lead = Label(
            "A request is of the most sensitive class among the kinds of data it asks for. When the hospital "
            "registers data, the data is sorted into these kinds by its labels and codes, and the hospital answers for that: the ledger "
            "never sees the data. It also names the purposes that the data may serve; it can narrow them later, never widen "
            "them.",
            "请求的等级取所请求类别中最敏感者。保管机构登记数据时，数据按其标记和编码归入各类别，并由该机构负责：账本不接触数据本身。"
            "该机构并列明数据可用于的用途，此后只能缩小。",
        )
        rows = [
            _row(
                [
                    self.voice.say(CLASS_LABELS[data_class]),
                    self.kinds(categories_of(self.table, data_class)),
                    CLASS_RULE[data_class],
                ]
            )
            for data_class in DataClass
        ]
        head = [Label("Class", "等级"), Label("Kinds of data", "数据类别"), Label("Requirements", "需求编号")]
        heading = self.heading("Classes of data", "数据分级")
        return "\n".join(
            [heading, "", self.voice.paragraphs(lead), "", self.row(head), _row(["---"] * 3), *rows]
        )

    def levels(self) -> str:
        lead = Label(
            "Data is handed over at this level or a higher one (R023, R095); a consent can demand a higher one (R037). "
            "The levels are, from the lowest: as recorded; under a pseudonym, without name, address or number; "
            "de-identified, with no date finer than a year and no place finer than a country; as statistics alone. "
            "A dash: no use of this class for this purpose is permitted.",
            "提供的数据不得低于下列程度（R023、R095），同意可要求更高程度（R037）。由低到高依次为：原始记录；假名化，即不含姓名、住址和号码；"
            "去标识化，即日期不细于年、地点不细于国家；聚合，即仅统计结果。短横表示该等级不得用于该用途。",
        )
        found: dict[tuple[Level | None, ...], list[Purpose]] = {}
        for purpose in Purpose:
            levels = tuple(
                self.table.level_for(data_class, purpose) if self.is_lawful(data_class, purpose) else None
                for data_class in DataClass
            )
            if any(level is not None for level in levels):
                found.setdefault(levels, []).append(purpose)
        rows = [
            _row(
                [
                    self.voice.items(PURPOSE_LABELS[purpose] for purpose in purposes),
                    *("–" if level is None else self.voice.say(LEVEL_LABELS[level]) for level in levels),
                ]
            )
            for levels, purposes in found.items()
        ]
        head = [Label("Purpose", "用途"), *(CLASS_LABELS[data_class] for data_class in DataClass)]
        heading = self.heading("How far data is de-identified", "去标识程度")
        return "\n".join(
            [heading, "", self.voice.paragraphs(lead), "", self.row(head), _row(["---"] * 4), *rows]
        )

    def consent(self) -> str:
        longest, answer = duration(self.table.max_grant_seconds), duration(ANSWER_SECONDS)
        recovery = duration(self.table.emergencies.recovery_seconds)
        rules = [
            Label(
                "It names who may use which kinds of data (one institution, or kinds of institutions), for which purposes, "
                "from when until when; none of these is left open, and a banned purpose cannot be named (R030).",
                "同意须写明使用者（一家机构或若干类机构）、数据类别、用途和起止时间，均不得留白，不得指明禁止的用途（R030）。",
            ),
            Label(
                "It may also limit the number of uses, the time that the data is from and the level, forbid to link and to "
                "re-identify, or allow to pass on; where it is silent, uses and times are not limited, and nothing may be "
                "passed on (R036, R037, R038).",
                "还可限定使用次数、数据产生的时间和去标识程度，禁止关联和重新识别，或允许转交；未限定的，次数和时间不限，不得转交"
                "（R036、R037、R038）。",
            ),
            Label(
                "It fits inside a template that the committee has issued; the first allows all that this law does (R114).",
                "须符合委员会发布的模板；首个模板不在本规则之外另设限制（R114）。",
            ),
            Label(
                f"It lasts at most {longest.en} from the moment it is given, and can be given anew before it ends (R030).",
                f"自作出之时起最长 {longest.zh}，到期前可重新作出（R030）。",
            ),
            Label(
                "It is *separate* if it says so, is for one purpose and one institution, and is under the signature of the "
                "patient or of who speaks for the patient; a signature by the hospital that assists, or a paper that it "
                "files, never makes it so (R136, R115). One that says so and that the hospital only assisted with becomes "
                "separate when the patient's own key confirms it. Where no separate consent is required, a consent signed "
                "with the hospital's help or filed from paper suffices.",
                "载明为单独同意、仅针对一项用途和一家机构，并由患者或其代理人签署的，为单独同意；由协助机构签署或以纸质文件备案的"
                "不构成单独同意（R136、R115）。由机构协助签署并载明为单独同意的，经患者本人密钥确认后成为单独同意。"
                "不要求单独同意的，由机构协助签署或以纸质备案的同意即可。",
            ),
            Label(
                "Whether somebody may speak for a patient the law of the place decides; the ledger checks only the key "
                "that signs, and knows no age: a guardian's key, or one that the patient's key lets sign until a time, can "
                "sign until that time, or until the patient's key is handed over or replaced, which ends every such power. "
                "What it signed stays in force after that, until it runs out or the patient changes or withdraws it.",
                "何人有权代理患者，依当地法律确定；账本只核验签署所用的密钥，不识别年龄：监护人或经患者密钥授权的密钥，可签署至所定期限，"
                "或至患者密钥移交、更换为止，届时一切此类授权终止。其已作出的同意此后继续有效，直至到期、变更或撤回。",
            ),
            Label(
                "The patient can change or withdraw it at any time (R035, R041). Once it is replaced, only the new consent "
                "permits; withdrawing the old one withdraws what replaced it too. That does not undo a use already made; a "
                "use that was permitted but not made by then may not be made any more.",
                "患者可随时变更或撤回（R035、R041）。变更后仅新的同意可准许使用；撤回原同意，亦撤回取代它的同意。"
                "此前已进行的使用不受影响；已获准许但尚未进行的使用不得再进行。",
            ),
            Label(
                "What was put into a dataset before the withdrawal may train nothing more, unless an ethics body excuses it; "
                f"the owner of each model made of it must answer within {answer.en}: train it anew, make it forget, retire "
                "it, or give reasons. After that any institution can have the model suspended (R035).",
                f"撤回前已纳入数据集的数据不得再用于训练，经伦理机构豁免的除外；由其制成的每个模型的所有者须在 {answer.zh}内答复："
                "重新训练、遗忘、停用或说明理由。逾期的，任何机构均可使该模型停用（R035）。",
            ),
            Label(
                "If control of the institution that it names changes hands, which the committee or the alliance records, it "
                "permits nothing until the patient confirms it (R020). A consent that names kinds of institutions alone is "
                "not affected.",
                "所指明机构的控制权变更后（由委员会或联盟登记），经患者确认前不再准许任何使用（R020）。仅指明机构类型的同意不受影响。",
            ),
            Label(
                "A patient's lost key is replaced on the demand of the people whom the patient named for that or, if there "
                f"are none, of the hospital, after {recovery.en} in which anybody with the old one can object (R043).",
                f"患者遗失的密钥由患者事先指定的人提出更换，未指定的由保管机构提出；须经 {recovery.zh}的异议期，持原密钥者可提出异议（R043）。",
            ),
        ]
        return f"{self.heading('Consent', '个人同意')}\n\n{self.listed(rules)}"

    def institutions(self) -> str:
        rules = [
            Label(
                "The committee admits, licenses for purposes until a time, caps, reinstates and expels. The alliance admits "
                "too, but nobody as committee, alliance or regulator, nor with the right to emergencies (R110).",
                "委员会接纳机构，许可其用途及期限，设定上限，并可恢复和除名。联盟亦可接纳，但不得授予委员会、联盟、监管机构的职责或紧急事件的权利（R110）。",
            ),
            Label(
                "The committee, the alliance or a regulator suspends; a member with a seat the committee alone (R119).",
                "委员会、联盟或监管机构可暂停成员资格；持席位的成员仅委员会可暂停（R119）。",
            ),
            Label(
                "While it is suspended, or after its membership has run out, an institution is permitted nothing. Consents "
                "stay as they are, and permit again once it is reinstated or licensed anew (R119).",
                "暂停期间或资格届满后，机构不得获准任何使用。同意本身不变，恢复或重新许可后继续有效（R119）。",
            ),
            Label(
                "Expulsion is final: no consent that names the institution permits again (R119).",
                "除名为终局，指明该机构的同意不再准许任何使用（R119）。",
            ),
            Label(
                "Others' requests for the data of a hospital that is suspended are answered as before, unless the data is "
                "sealed. The hospital, a regulator or the committee seals; only the committee unseals (R158).",
                "保管机构被暂停的，他方对其数据的请求照常答复，数据被封存的除外。保管机构、监管机构或委员会可封存，仅委员会可解封（R158）。",
            ),
        ]
        return f"{self.heading('Institutions', '机构')}\n\n{self.listed(rules)}"

    def emergencies(self) -> str:
        limits = self.table.emergencies
        lasts, review = duration(limits.seconds), duration(limits.review_seconds)
        declared = duration(limits.max_declaration_seconds)
        reasons = joined(EMERGENCY_REASON_LABELS.values())
        touched = Label(
            "An emergency of one patient touches at most these kinds of data (R084):",
            "个体紧急事件至多涉及下列数据类别（R084）：",
        )
        individual = [
            Label(
                "An institution to which the committee has given that right may open one for one patient's data at one "
                "hospital. It gives one of these reasons: "
                f"{reasons.en}. The reviewer judges whether it was so and whether the access was needed (R083).",
                f"经委员会授权的机构可就某一患者在某一机构的数据启动，并须说明下列理由之一：{reasons.zh}。"
                "由审查方判断理由是否属实、访问是否必要（R083）。",
            ),
            Label(
                "It covers a request that the institution that opened it makes for that data, on the basis "
                f"*{BASIS_LABELS[Basis.INDIVIDUAL_EMERGENCY].en}*, for kinds of data on its list, while it lasts (R083).",
                f"其涵盖的请求须由启动机构就该数据提出，以“{BASIS_LABELS[Basis.INDIVIDUAL_EMERGENCY].zh}”为依据，"
                "类别在其清单之内，且在有效期内（R083）。",
            ),
            Label(
                f"It ends by itself after {lasts.en} (R085). Data obtained before that is not locked to it; what becomes "
                "of such data the law of the place decides.",
                f"{lasts.zh}后自动终止（R085）。此前已取得的数据不锁定于该事件，其后续处理依当地法律。",
            ),
            Label(
                f"An institution may open at most {limits.monthly_quota} in 30 days (R087). The days run from the first; "
                "then the count starts anew.",
                f"每家机构 30 天内至多启动 {limits.monthly_quota} 次（R087）。自首次启动起算，期满重新计数。",
            ),
            Label(
                f"Within {review.en} somebody else reviews it: an ethics body or a regulator, neither the institution "
                "that opened it nor the hospital that keeps the data. The time runs from the opening (R086).",
                f"须在 {review.zh}内由他方审查：伦理机构或监管机构，且不得为启动机构或数据保管机构。期限自启动时起算（R086）。",
            ),
            Label(
                "If the review finds it unjustified, it ends there and then, and with it every unused permit that rested on "
                "it; the institution loses the right at once. If the review is late, "
                "the institution loses the right from the end of that time: it bears a reviewer's delay. Without the right "
                "it can open no emergency, and under one that still runs no further request is permitted. A late review "
                "can still be given; it restores nothing. Only the committee restores the right, and with that settles what "
                "was owed (R086).",
                "认定不正当的，该紧急事件即时终止，据其作出而尚未使用的准许随之失效，该机构即时丧失此项权利。"
                "逾期未审查的，自期限届满时丧失，审查方的延误由该机构承担。丧失此项权利的，不得再启动紧急事件，"
                "仍在有效期内的紧急事件也不再准许新的请求。逾期的审查仍可作出，但不恢复权利。此项权利仅可由委员会恢复，所欠审查随之了结（R086）。",
            ),
            Label(
                "The patient is told at once who looked and why or, where a reason for delay is on record, no later than "
                "the end of the time for the review (R086).",
                "患者即时获知何人因何访问；有记录在案的理由的，至迟于审查期限届满时告知（R086）。",
            ),
        ]
        public = [
            Label(
                "The committee declares it, in public: for which purposes, kinds of data and place, from when until when, "
                "and for how many permits (R083, R084). The ledger tests no ground for it: the committee answers for it, "
                "and publishes the document's fingerprint.",
                "由委员会公开宣布，载明用途、数据类别、地域、起止时间和准许次数上限（R083、R084）。账本不检验宣布的理由，由委员会负责，"
                "并公布文件的数字指纹。",
            ),
            Label(
                f"It lasts at most {declared.en}, and ends by itself (R085). The committee can end it earlier. Another may "
                "be declared after it or beside it.",
                f"最长 {declared.zh}，期满自动终止（R085）。委员会可提前终止，也可再次或同时另行宣布。",
            ),
            Label(
                "It covers a request that names it, on any basis but "
                f"*{BASIS_LABELS[Basis.INDIVIDUAL_EMERGENCY].en}*, for purposes and kinds of data that were declared, if "
                "who keeps the data is in the place declared, while it lasts and permits are left (R083).",
                f"其涵盖的请求须指明该事件，依据不是“{BASIS_LABELS[Basis.INDIVIDUAL_EMERGENCY].zh}”，用途和类别在宣布范围之内，数据保管机构属所宣布的地域，且在有效期内、准许次数未用尽（R083）。",
            ),
            Label(
                "Who obtains a copy under it and registers it is to lock it to the emergency. A lock is set at registration "
                "and never lifted. Where a copy is from the ledger cannot see; who registers it answers for the lock. "
                "The hospital's original is registered by itself, and is not locked (R080).",
                "据此取得副本并予登记的机构，须将其锁定于该事件。锁定在登记时设定，不得解除。"
                "账本无法得知副本的来源，由登记机构对锁定负责。保管机构的原件另有登记，不受锁定（R080）。",
            ),
            Label(
                "Locked data serves only requests that name that emergency and are covered by it; once it is over, only "
                "those on the basis of the patient's own request, which it serves at any time (R080). A dataset made under it "
                "can be used until its end. The ledger orders no destruction of copies, and cannot lock one that nobody "
                "registers.",
                "已锁定的数据仅供指明该事件并为其所涵盖的请求使用；终止后仅供以本人请求为依据的请求使用，此类请求始终不受锁定限制（R080）。"
                "据此形成的数据集仅可使用至该事件终止。账本不命令销毁副本，也无法锁定未登记的副本。",
            ),
        ]
        return "\n\n".join(
            [
                self.heading("Emergencies", "紧急事件"),
                self.voice.say(Label("Of one patient:", "个体紧急事件：")),
                self.listed(individual),
                f"{self.voice.say(touched)} {self.categories(limits.categories)}.",
                self.voice.say(Label("Of public health:", "公共卫生紧急事件：")),
                self.listed(public),
            ]
        )

    def reviews(self) -> str:
        valid = duration(self.table.emergencies.review_seconds)
        rules = [
            Label(
                "A request that waits for a human is reviewed by an ethics body; if an authority compels it, by a "
                "regulator, who must have the instrument before it (R002, R091); the ledger tests only that the request "
                "carries a document's fingerprint. Never by who asks, nor by the institution on whose behalf it is asked. There "
                "is no time limit for the review; until it is approved nothing is permitted.",
                "待审查的请求由伦理机构审查；由公权机关强制调取的，由监管机构审查，且须已取得该法律文书（R002、R091）；账本仅检验请求是否附有文书的数字指纹。"
                "请求机构及其委托机构不得审查。审查无期限，获批前不准许任何使用。",
            ),
            Label(
                "An approval is not yet a permit: the request must be made again. Made again word for word, it counts as "
                f"reviewed for {valid.en} from the approval, however often; every other condition is tested again each time.",
                f"批准本身不是准许，须再次提出请求。获批后 {valid.zh}内，逐字相同的请求视为已审查，次数不限；其他条件每次重新检验。",
            ),
            Label(
                "Refused, it is not permitted; made again, it waits again. A later answer replaces an earlier one, be it "
                "an approval or a refusal.",
                "不予批准的，不准许使用；再次提出的，重新待审。后一审查结论取代前一结论，批准与不予批准均同。",
            ),
            Label(
                "A project covers a request if it is not withdrawn, runs at that time, and names the purpose, every kind of "
                "data and a class at least as sensitive. Whether it does what it declares, those who approve it judge. Nobody "
                "approves a project that it has filed. Where a row requires both approvals, an ethics body's and a "
                "compliance body's, they come from two different institutions (R111).",
                "项目未撤回、在期限内，并列明该用途、各类数据及不低于其敏感程度的等级的，即为涵盖。是否如所声明执行，由批准机构判断。"
                "备案机构不得批准自己的项目。同时要求伦理批准和合规批准的，须分别由两家不同机构作出（R111）。",
            ),
            Label(
                "Who checks a de-identification is neither the hospital that keeps the data, nor who asks, nor the "
                "institution on whose behalf it is asked (R118).",
                "核验去标识化者不得为数据保管机构、请求机构或其委托机构（R118）。",
            ),
            Label(
                "A regulator licenses the models that projects deploy (R059).",
                "项目所部署的模型由监管机构颁发牌照（R059）。",
            ),
            Label(
                "Where a row of the three sections requires it, and for every transfer of many records, data crosses a border "
                "only to an institution that a regulator has put on the list, and only if the data of the hospital that keeps "
                "it is cleared for the project: by a security assessment or a filed standard contract, which a regulator of "
                "the hospital's jurisdiction acknowledges, or by a certification, which a verifier of that jurisdiction "
                "gives; neither may be the hospital or the institution that receives. A clearance is good for a number of "
                "persons. Where no row requires it, the ledger does not test the border, and the institutions answer for "
                "it (R003, R004).",
                "凡三节表中列有此项条件的，以及每一次批量传输，数据出境须同时满足：接收机构已列入监管机构的跨境名单；保管机构的数据已获准"
                "用于该项目出境，即通过安全评估，或标准合同已备案，均经保管机构所在法域的监管机构确认，或经该法域的核验机构认证；上述机构"
                "均不得为保管机构或接收机构。每项许可限定人数。表中未列此项条件的，账本不检验出境，由相关机构负责（R003、R004）。",
            ),
            Label(
                "There are two thresholds for the number of persons whose data a hospital has sent abroad in a calendar year "
                "(UTC+8): one of all data, and a lower one of class 1 or 2. From either on, nothing but an assessment clears "
                "a further person. Each person counts once. The ledger begins with 1,000,000 and 10,000; the committee can "
                "change them without a new version (R003, R004).",
                "保管机构在一个日历年（UTC+8）内向境外提供数据的人数设两项门槛：全部数据，以及一级或二级数据。达到任一门槛后，新增人员"
                "仅可通过安全评估出境。每人只计一次。初始为 1,000,000 人和 10,000 人，委员会可另行变更而无须发布新版本（R003、R004）。",
            ),
            Label(
                f"That {FACT_LABELS[Fact.BUDGET_LEFT].en} is not tested of a request: only datasets have a privacy budget, "
                "and it is tested when they are used (R093).",
                f"请求不检验“{FACT_LABELS[Fact.BUDGET_LEFT].zh}”：仅数据集设有隐私预算，在使用数据集时检验（R093）。",
            ),
        ]
        return f"{self.heading('Who reviews what', '审查与批准')}\n\n{self.listed(rules)}"

    # Words

    def is_lawful(self, data_class: DataClass, purpose: Purpose) -> bool:
        if self.table.banned_purposes >> purpose & 1:
            return False
        return any(self.table.required_for(data_class, purpose, basis) for basis in Basis)

    def listed(self, rules: Iterable[Label]) -> str:
        return "\n".join(f"- {self.voice.say(rule)}" for rule in rules)

    def row(self, labels: Iterable[Label]) -> str:
        return _row([self.voice.say(label) for label in labels])

    def categories(self, categories: Category) -> str:
        if categories == ALL_CATEGORIES:
            return self.voice.say(Label("all", "全部"))
        if sum(category in categories for category in Category) > len(Category) // 2:
            missing = [CATEGORY_LABELS[category] for category in Category if category not in categories]
            return f"{self.voice.say(Label('all but', '除外：'))} {self.voice.items(missing)}"
        return self.kinds(categories)

    def kinds(self, categories: Category) -> str:
        """List kinds of data one by one, however many."""
        labels = [CATEGORY_LABELS[category] for category in Category if category in categories]
        return self.voice.items(labels) or self.voice.say(Label("none", "无"))


def _shared(table: PolicyTable, bases: Iterable[Basis]) -> Fact:
    """Return what every lawful entry on these bases requires."""
    entries = [
        table.required_for(data_class, purpose, basis)
        for basis in bases
        for data_class in DataClass
        for purpose in Purpose
    ]
    shared = None
    for entry in entries:
        if entry:
            shared = entry if shared is None else shared & entry
    return _NOTHING if shared is None else shared


def _bases(table: PolicyTable, classes: Iterable[DataClass]) -> list[Basis]:
    """Return the bases on which anything is lawful in these classes."""
    found = set()
    for data_class in classes:
        for purpose in Purpose:
            found |= {basis for basis in Basis if table.required_for(data_class, purpose, basis)}
    return sorted(found)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
