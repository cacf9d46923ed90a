"""
The closed vocabularies, numbered as the contracts number them.

`contracts/libraries/Facts.sol` and `Codes.sol` hold the same numbers; a test compares them. Each entry carries
what people and other systems call it: plain words in English and Chinese, HL7 v3-ActReason, GA4GH DUO.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum
from typing import Final, NamedTuple, TypeVar

from ledger.errors import UnknownCode


class Language(StrEnum):
    """The languages in which people read what they sign."""

    EN = "en"
    ZH = "zh"


class Label(NamedTuple):
    """What a code is called: plain English, Chinese, HL7 v3-ActReason and DUO where they have a word for it."""

    en: str
    zh: str
    act_reason: str | None = None
    duo: str | None = None

    def said(self, language: Language) -> str:
        """Return the words in a language."""
        return self.zh if language is Language.ZH else self.en


class Purpose(IntEnum):
    """Why data is used. Bit n of a set of purposes."""

    PRIMARY_CARE = 0
    EMERGENCY_CARE = 1
    PAYMENT = 2
    OPERATIONS = 3
    RESEARCH = 4
    DISEASE_RESEARCH = 5
    CLINICAL_TRIAL = 6
    AI_TRAINING = 7
    AI_VALIDATION = 8
    AI_INFERENCE = 9
    PUBLIC_HEALTH = 10
    PATIENT_REQUEST = 11
    INSURANCE_RATING = 12
    EMPLOYMENT = 13
    MARKETING = 14
    RESALE = 15


class Basis(IntEnum):
    """On what legal ground data is used."""

    NO_BASIS = 0
    CONSENT = 1
    CUSTODIAN_CARE = 2
    INDIVIDUAL_EMERGENCY = 3
    PUBLIC_EMERGENCY = 4
    LEGAL_DUTY = 5
    COMPELLED = 6
    SUBJECT_REQUEST = 7


class Operation(IntEnum):
    """What is done with the data."""

    READ = 0
    TRANSFER = 1
    INCLUDE = 2


class Category(IntFlag):
    """Kinds of content. A value is a set of categories."""

    DIAGNOSIS = 1 << 0
    MEDICATION = 1 << 1
    LABORATORY = 1 << 2
    IMAGING = 1 << 3
    VITALS = 1 << 4
    PROCEDURES = 1 << 5
    IMMUNISATION = 1 << 6
    NOTES = 1 << 7
    DEMOGRAPHICS = 1 << 8
    CLAIMS = 1 << 9
    DEVICE = 1 << 10
    GENOMICS = 1 << 11
    HIV_STI = 1 << 12
    PSYCHIATRY = 1 << 13
    REPRODUCTIVE = 1 << 14
    OTHER = 1 << 15


class DataClass(IntEnum):
    """Protection classes of the source: 1 is the most sensitive."""

    CORE_PRIVACY = 1
    SENSITIVE = 2
    NON_SENSITIVE = 3


class Level(IntEnum):
    """How far data is de-identified. A record has no aggregate form; datasets do."""

    IDENTIFIED = 0
    PSEUDONYMISED = 1
    DEIDENTIFIED = 2
    AGGREGATE = 3


class Outcome(IntEnum):
    """The answer to a request."""

    PERMIT = 1
    DENY = 2
    REVIEW = 3


class Role(IntFlag):
    """What a member may act as."""

    COMMITTEE = 1 << 0
    CUSTODIAN = 1 << 1
    PROCESSOR = 1 << 2
    AUDITOR = 1 << 3
    ALLIANCE = 1 << 4
    REGULATOR = 1 << 5
    ETHICS = 1 << 6
    COMPLIANCE = 1 << 7
    VERIFIER = 1 << 8
    EMERGENCY = 1 << 9


class Technique(IntFlag):
    """Privacy-enhancing techniques that a project declares."""

    FEDERATED_LEARNING = 1 << 0
    SECURE_MULTIPARTY = 1 << 1
    DIFFERENTIAL_PRIVACY = 1 << 2
    HOMOMORPHIC_ENCRYPTION = 1 << 3
    TRUSTED_EXECUTION = 1 << 4
    PSEUDONYMISATION = 1 << 5
    SYNTHETIC_DATA = 1 << 6
    K_ANONYMITY = 1 << 7


class GrantFlag(IntFlag):
    """
    Limits that a grant carries.

    The contract decides on SEPARATE, and of datasets on NO_RELINK (merging) and ONWARD (sharing); NO_REIDENTIFY binds
    the recipient.
    """

    SEPARATE = 1 << 0
    NO_RELINK = 1 << 1
    NO_REIDENTIFY = 1 << 2
    ONWARD = 1 << 3


class MemberStatus(IntEnum):
    """Whether a member may act. EXPELLED is final."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    EXPELLED = 3


class MemberKind(IntEnum):
    """What an institution is. Bit n of a set of kinds, which a grant can name instead of one member."""

    OTHER = 0
    HOSPITAL = 1
    RESEARCH = 2
    COMPANY = 3
    AUTHORITY = 4
    INSURER = 5


class PassportStatus(IntEnum):
    """Whether the data behind a passport may be used."""

    NONE = 0
    OPEN = 1
    SEALED = 2
    DESTROYED = 3


class Custody(IntEnum):
    """Who keeps the holder's key: the subject, or the custodian on the subject's behalf."""

    SELF = 0
    ASSISTED = 1


class GrantStatus(IntEnum):
    """State of a grant. That it expired is a matter of time, not of state."""

    NONE = 0
    REQUESTED = 1
    ACTIVE = 2
    REFUSED = 3
    WITHDRAWN = 4
    SUPERSEDED = 5
    REPUDIATED = 6


class Assurance(IntEnum):
    """Whose signature a grant rests on, the weakest first."""

    NONE = 0
    PAPER = 1
    ASSISTED = 2
    DELEGATED = 3
    SELF = 4


class Approval(IntEnum):
    """The two reviews of a project."""

    ETHICS = 0
    COMPLIANCE = 1


class AttestationKind(IntEnum):
    """What a qualified member states of a passport or a project."""

    ENCRYPTION = 0
    DEIDENTIFICATION = 1
    SOURCE = 2
    LICENCE = 3
    TOOL = 4


class AgreementStatus(IntEnum):
    """Where an agreement between two members stands."""

    NONE = 0
    PROPOSED = 1
    SIGNED = 2
    ENDED = 3


class Path(IntEnum):
    """The paths by which data may leave a country."""

    NONE = 0
    ASSESSMENT = 1
    CONTRACT = 2
    CERTIFICATION = 3


class DatasetStatus(IntEnum):
    """How far a dataset has come in its life."""

    NONE = 0
    DECLARED = 1
    COLLECTED = 2
    PROCESSED = 3
    VERIFIED = 4
    SHARED = 5
    IN_USE = 6
    SEALED = 7
    DESTROYED = 8


class StepKind(IntEnum):
    """What is done with data on its way to a model."""

    COLLECT = 0
    CLEAN = 1
    LABEL = 2
    SPLIT = 3
    MERGE = 4
    DEIDENTIFY = 5
    TRAIN = 6
    EVALUATE = 7
    DEPLOY = 8
    INFER = 9
    RELEASE = 10
    DESTROY = 11


class VersionKind(IntEnum):
    """What a version is of."""

    NONE = 0
    DATA = 1
    MODEL = 2
    RESULT = 3


class Part(IntFlag):
    """Which part of a split."""

    TRAINING = 1 << 0
    VALIDATION = 1 << 1
    TEST = 1 << 2


class Check(IntEnum):
    """What a verifier found about how a version was made."""

    PENDING = 0
    PASSED = 1
    FAILED = 2


class ModelStatus(IntEnum):
    """Whether a model may serve."""

    ACTIVE = 0
    SUSPENDED = 1
    RETIRED = 2


class Answer(IntEnum):
    """How an owner answers a withdrawal that reached a model."""

    NONE = 0
    RETRAINED = 1
    UNLEARNED = 2
    RETIRED = 3
    JUSTIFIED = 4


class StepFact(IntFlag):
    """The rules for steps, numbered as `StepFacts.sol` numbers them."""

    MEMBER_ACTIVE = 1 << 0
    PROJECT_APPROVED = 1 << 1
    INPUTS_KNOWN = 1 << 2
    INPUTS_AVAILABLE = 1 << 3
    INPUTS_CURRENT = 1 << 4
    INPUTS_SOUND = 1 << 5
    INPUTS_VERIFIED = 1 << 6
    TOOL_CERTIFIED = 1 << 7
    PURPOSE_ALLOWED = 1 << 8
    THREE_PARTS = 1 << 9
    TEST_UNSEEN = 1 << 10
    RELINK_ALLOWED = 1 << 11
    BUDGET_LEFT = 1 << 12
    PROTECTED = 1 << 13
    BORDER_CLEARED = 1 << 14
    MODEL_READY = 1 << 15


class EmergencyKind(IntEnum):
    """Whose emergency it is."""

    NONE = 0
    INDIVIDUAL = 1
    PUBLIC = 2


class EmergencyReason(IntEnum):
    """Why a member broke the glass."""

    UNCONSCIOUS = 1
    LIFE_THREATENING = 2
    CANNOT_CONSENT = 3
    DANGER_TO_OTHERS = 4
    OTHER = 255


class EmergencyFinding(IntEnum):
    """What the review of an individual emergency found."""

    PENDING = 0
    JUSTIFIED = 1
    UNJUSTIFIED = 2


class SeatKind(IntEnum):
    """Whose view a seat of the committee brings. Bit n of a set of kinds of seats."""

    NONE = 0
    CONVENOR = 1
    LAW = 2
    MEDICINE = 3
    PRIVACY = 4
    DATA_SCIENCE = 5
    PATIENTS = 6
    PUBLIC = 7
    SECURITY = 8
    REGULATOR = 9
    PUBLIC_HEALTH = 10


class ActKind(IntEnum):
    """What an act of the committee is about."""

    SEATS = 0
    MEMBERS = 1
    LAW = 2
    EMERGENCIES = 3
    DATA = 4


class TransferStatus(IntEnum):
    """Where a transfer stands."""

    NONE = 0
    SHIPPED = 1
    RECEIVED = 2
    DISPUTED = 3
    DECLARED = 4
    CLEARED = 5
    REFUSED = 6
    HALTED = 7
    TERMINATED = 8
    CLOSED = 9


class TransferFact(IntFlag):
    """The rules for transfers of many records, numbered as `TransferFacts.sol` numbers them."""

    SENDER_ACTIVE = 1 << 0
    RECIPIENT_ACTIVE = 1 << 1
    AGREEMENT_IN_FORCE = 1 << 2
    WITHIN_LIMITS = 1 << 3
    ONWARD_ALLOWED = 1 << 4
    BORDER_CLEARED = 1 << 5


class Fact(IntFlag):
    """What can hold for a request. A value is a set of facts."""

    MEMBER_ACTIVE = 1 << 0
    MEMBER_SCOPE = 1 << 1
    PASSPORT_OPEN = 1 << 2
    PURPOSE_ALLOWED = 1 << 3
    CATEGORIES_NECESSARY = 1 << 4
    PROJECT_FILED = 1 << 5
    PROJECT_ETHICS = 1 << 6
    PROJECT_TECHNIQUE = 1 << 7
    PROJECT_AGREEMENT = 1 << 8
    GRANT_LIVE = 1 << 9
    GRANT_RECIPIENT = 1 << 10
    GRANT_PURPOSE = 1 << 11
    GRANT_CATEGORIES = 1 << 12
    GRANT_SEPARATE = 1 << 13
    GRANT_QUOTA = 1 << 14
    EMERGENCY_IN_FORCE = 1 << 15
    ENCRYPTED = 1 << 16
    DEIDENTIFIED = 1 << 17
    SOURCE_DECLARED = 1 << 18
    DATASET_FITS = 1 << 19
    MODEL_LICENSED = 1 << 20
    BUDGET_LEFT = 1 << 21
    BORDER_CLEARED = 1 << 22
    REQUESTER_IS_CUSTODIAN = 1 << 23
    REVIEWS_CURRENT = 1 << 24
    HUMAN_REVIEWED = 1 << 25
    WITHIN_CAP = 1 << 26
    GRANT_PERIOD = 1 << 27
    PROJECT_COMPLIANCE = 1 << 28
    LEVEL_SUFFICIENT = 1 << 29
    UNLOCKED = 1 << 30
    LAWFUL = 1 << 31


#: The levels that one person's record has. An aggregate is made of many, so it is a level of datasets alone.
RECORD_LEVELS: Final = (Level.IDENTIFIED, Level.PSEUDONYMISED, Level.DEIDENTIFIED)

PURPOSE_LABELS: Final[dict[Purpose, Label]] = {
    Purpose.PRIMARY_CARE: Label("your care", "诊疗", "TREAT", "DUO:0000043"),
    Purpose.EMERGENCY_CARE: Label("emergency care", "急救", "ETREAT"),
    Purpose.PAYMENT: Label("payment for care", "费用结算", "HPAYMT"),
    Purpose.OPERATIONS: Label("running the hospital", "机构运营", "HOPERAT"),
    Purpose.RESEARCH: Label("health research", "健康研究", "HRESCH", "DUO:0000006"),
    Purpose.DISEASE_RESEARCH: Label("research on one disease", "特定疾病研究", "HRESCH", "DUO:0000007"),
    Purpose.CLINICAL_TRIAL: Label("a clinical trial", "临床试验", "CLINTRCH", "DUO:0000027"),
    Purpose.AI_TRAINING: Label("training an AI model", "训练人工智能模型", "HRESCH", "DUO:0000006"),
    Purpose.AI_VALIDATION: Label("testing an AI model", "验证人工智能模型", "HOPERAT"),
    Purpose.AI_INFERENCE: Label("using an AI model", "使用人工智能模型", "TREAT"),
    Purpose.PUBLIC_HEALTH: Label("public health", "公共卫生", "PUBHLTH"),
    Purpose.PATIENT_REQUEST: Label("your own request", "本人请求", "PATRQT"),
    Purpose.INSURANCE_RATING: Label("rating insurance", "保险定价"),
    Purpose.EMPLOYMENT: Label("deciding on employment", "雇佣决定"),
    Purpose.MARKETING: Label("marketing", "营销", "HMARKT"),
    Purpose.RESALE: Label("resale", "转售"),
}

BASIS_LABELS: Final[dict[Basis, Label]] = {
    Basis.NO_BASIS: Label("no legal basis", "无法律依据"),
    Basis.CONSENT: Label("consent", "个人同意"),
    Basis.CUSTODIAN_CARE: Label("the custodian's own use", "保管机构自用"),
    Basis.INDIVIDUAL_EMERGENCY: Label("emergency of one person", "个体紧急事件"),
    Basis.PUBLIC_EMERGENCY: Label("public-health emergency", "公共卫生紧急事件"),
    Basis.LEGAL_DUTY: Label("legal duty", "法定义务"),
    Basis.COMPELLED: Label("order of an authority", "强制调取"),
    Basis.SUBJECT_REQUEST: Label("the patient's own request", "本人请求"),
}

OPERATION_LABELS: Final[dict[Operation, Label]] = {
    Operation.READ: Label("read", "读取"),
    Operation.TRANSFER: Label("receive a copy of", "接收副本"),
    Operation.INCLUDE: Label("put into a dataset", "纳入数据集"),
}

CATEGORY_LABELS: Final[dict[Category, Label]] = {
    Category.DIAGNOSIS: Label("diagnoses", "诊断"),
    Category.MEDICATION: Label("medication", "用药"),
    Category.LABORATORY: Label("laboratory results", "检验"),
    Category.IMAGING: Label("images", "影像"),
    Category.VITALS: Label("vital signs", "生命体征"),
    Category.PROCEDURES: Label("procedures", "手术与操作"),
    Category.IMMUNISATION: Label("immunisations", "免疫接种"),
    Category.NOTES: Label("notes and plans", "病程与计划"),
    Category.DEMOGRAPHICS: Label("who you are", "身份信息"),
    Category.CLAIMS: Label("claims", "理赔与费用"),
    Category.DEVICE: Label("device data", "设备数据"),
    Category.GENOMICS: Label("genetic data", "基因"),
    Category.HIV_STI: Label("HIV and sexually transmitted infections", "艾滋病与性病"),
    Category.PSYCHIATRY: Label("psychiatry", "精神科"),
    Category.REPRODUCTIVE: Label("reproductive health", "生殖健康"),
    Category.OTHER: Label("other records", "其他"),
}

CLASS_LABELS: Final[dict[DataClass, Label]] = {
    DataClass.CORE_PRIVACY: Label("class 1, core privacy", "一级：核心隐私数据"),
    DataClass.SENSITIVE: Label("class 2, sensitive health data", "二级：敏感健康数据"),
    DataClass.NON_SENSITIVE: Label("class 3, non-sensitive", "三级：非敏感数据"),
}

LEVEL_LABELS: Final[dict[Level, Label]] = {
    Level.IDENTIFIED: Label("as recorded", "原始记录"),
    Level.PSEUDONYMISED: Label("under a pseudonym", "假名化"),
    Level.DEIDENTIFIED: Label("de-identified", "去标识化"),
    Level.AGGREGATE: Label("as statistics alone", "聚合"),
}

MEMBER_KIND_LABELS: Final[dict[MemberKind, Label]] = {
    MemberKind.OTHER: Label("other institutions", "其他机构"),
    MemberKind.HOSPITAL: Label("hospitals", "医院"),
    MemberKind.RESEARCH: Label("research institutions", "研究机构"),
    MemberKind.COMPANY: Label("companies", "企业"),
    MemberKind.AUTHORITY: Label("authorities", "政府机构"),
    MemberKind.INSURER: Label("insurers", "保险机构"),
}

ASSURANCE_LABELS: Final[dict[Assurance, Label]] = {
    Assurance.NONE: Label("nobody", "无"),
    Assurance.PAPER: Label("on paper, filed by the hospital", "纸质同意，由机构备案"),
    Assurance.ASSISTED: Label("with the hospital's help", "由机构协助签署"),
    Assurance.DELEGATED: Label("by somebody who speaks for you", "由代理人签署"),
    Assurance.SELF: Label("by your own key", "本人密钥签署"),
}

EMERGENCY_REASON_LABELS: Final[dict[EmergencyReason, Label]] = {
    EmergencyReason.UNCONSCIOUS: Label("the patient is unconscious", "患者昏迷"),
    EmergencyReason.LIFE_THREATENING: Label("life is in danger", "危及生命"),
    EmergencyReason.CANNOT_CONSENT: Label("the patient cannot consent", "患者无法表示同意"),
    EmergencyReason.DANGER_TO_OTHERS: Label("others are in danger", "危及他人"),
    EmergencyReason.OTHER: Label("another reason, given in words", "其他原因，另附说明"),
}

ATTESTATION_LABELS: Final[dict[AttestationKind, Label]] = {
    AttestationKind.ENCRYPTION: Label("the data is encrypted throughout", "数据全程加密"),
    AttestationKind.DEIDENTIFICATION: Label("the de-identification was checked", "去标识化已核验"),
    AttestationKind.SOURCE: Label("where the data is from, and how it was treated", "数据来源及处理标准"),
    AttestationKind.LICENCE: Label(
        "the model that the project deploys is licensed", "项目所部署模型持有牌照"
    ),
    AttestationKind.TOOL: Label("the tool may be used in steps", "工具可用于数据处理"),
}

PATH_LABELS: Final[dict[Path, Label]] = {
    Path.NONE: Label("no path", "无"),
    Path.ASSESSMENT: Label("security assessment", "安全评估"),
    Path.CONTRACT: Label("standard contract", "标准合同"),
    Path.CERTIFICATION: Label("certification", "个人信息保护认证"),
}

FINDING_LABELS: Final[dict[EmergencyFinding, Label]] = {
    EmergencyFinding.PENDING: Label("not reviewed yet", "尚未审查"),
    EmergencyFinding.JUSTIFIED: Label("justified", "正当"),
    EmergencyFinding.UNJUSTIFIED: Label("not justified", "不正当"),
}

FACT_LABELS: Final[dict[Fact, Label]] = {
    Fact.MEMBER_ACTIVE: Label(
        "the membership of the institution that asks is in force", "请求机构的成员资格有效"
    ),
    Fact.MEMBER_SCOPE: Label(
        "the purpose is within the licence of the institution that asks", "用途在请求机构的许可范围内"
    ),
    Fact.PASSPORT_OPEN: Label("the data is neither sealed nor destroyed", "数据未封存或销毁"),
    Fact.PURPOSE_ALLOWED: Label(
        "the hospital registered the data for this purpose, and the law does not ban it",
        "保管机构登记数据时列入该用途，且规则未禁止",
    ),
    Fact.CATEGORIES_NECESSARY: Label(
        "every kind of data asked for is among those that the law allows for the purpose",
        "所请求的每一类数据均属规则允许该用途涉及的类别",
    ),
    Fact.PROJECT_FILED: Label(
        "the institution has filed a project of its own that covers this", "机构自己已备案涵盖该请求的项目"
    ),
    Fact.PROJECT_ETHICS: Label("an ethics body has approved the project", "项目已获伦理批准"),
    Fact.PROJECT_TECHNIQUE: Label(
        "the project declares a privacy-enhancing technique", "项目声明采用隐私计算技术"
    ),
    Fact.PROJECT_AGREEMENT: Label(
        "the project names an agreement that states its limits", "项目指明限定边界的协议"
    ),
    Fact.GRANT_LIVE: Label("there is a consent in force", "存在有效的同意"),
    Fact.GRANT_RECIPIENT: Label(
        "the consent names this institution, or its kind", "同意指明该机构或其所属类型"
    ),
    Fact.GRANT_PURPOSE: Label("the consent covers this purpose", "同意涵盖该用途"),
    Fact.GRANT_CATEGORIES: Label(
        "the consent covers every kind of data asked for", "同意涵盖所请求的数据类别"
    ),
    Fact.GRANT_SEPARATE: Label(
        "the consent is separate: for this purpose and this institution alone, signed by the patient or who speaks for "
        "the patient",
        "本人或其代理人签署的、仅针对该用途和该机构的单独同意",
    ),
    Fact.GRANT_QUOTA: Label(
        "the number of uses in the consent, if it has one, is not used up", "同意限定使用次数的，未用尽"
    ),
    Fact.EMERGENCY_IN_FORCE: Label(
        "an emergency that covers this is in force", "存在涵盖该请求的有效紧急事件"
    ),
    Fact.ENCRYPTED: Label(
        "a verifier other than the hospital attests that the data is encrypted throughout",
        "已由保管机构以外的核验机构证明数据全程加密",
    ),
    Fact.DEIDENTIFIED: Label(
        "the data is handed over de-identified, which somebody independent has checked",
        "数据以去标识化形式提供，且已经独立核验",
    ),
    Fact.SOURCE_DECLARED: Label(
        "the hospital that keeps the data has declared its source", "保管机构已声明数据来源"
    ),
    Fact.DATASET_FITS: Label(
        "the dataset is that of the institution that asks, or on whose behalf it asks, and is declared to want no more than "
        "the request and, where there is one, the consent allow",
        "数据集属于请求机构或其所代表的机构，且所声明的需求不超出请求和（如有）同意的范围",
    ),
    Fact.MODEL_LICENSED: Label("the model holds a licence", "模型持有牌照"),
    Fact.BUDGET_LEFT: Label("the privacy budget is not spent", "隐私预算未耗尽"),
    Fact.BORDER_CLEARED: Label(
        "the institution that asks and the hospital that keeps the data are in one jurisdiction, or the institution "
        "may receive data from abroad and the hospital's data is cleared for the project, within the number of persons",
        "请求机构与数据保管机构属同一法域，或请求机构可接收境外数据，且该保管机构的数据已获准用于该项目出境，人数未超限",
    ),
    Fact.REQUESTER_IS_CUSTODIAN: Label("the institution itself keeps the data", "请求方为数据保管机构"),
    Fact.REVIEWS_CURRENT: Label(
        "the institution has its right to emergencies and owes no overdue review",
        "机构未丧失启动紧急事件的权利，且无逾期的事后审查",
    ),
    Fact.HUMAN_REVIEWED: Label(
        "a human has reviewed and approved this very request", "该请求已经人工审查批准"
    ),
    Fact.WITHIN_CAP: Label(
        "the institution that asks is below its daily cap for the purpose, if the committee has set one",
        "委员会为请求机构的该用途设有每日上限的，未超过",
    ),
    Fact.GRANT_PERIOD: Label("the consent covers the time the data is from", "同意涵盖数据产生的时间"),
    Fact.PROJECT_COMPLIANCE: Label("a compliance body has approved the project", "项目已获合规批准"),
    Fact.LEVEL_SUFFICIENT: Label(
        "the data is handed over as far de-identified as law and consent demand",
        "数据去标识化程度符合法律和同意的要求",
    ),
    Fact.UNLOCKED: Label(
        "the data is not locked to an emergency, or serves that emergency while it lasts",
        "数据未锁定于紧急事件，已锁定的仅可在该事件有效期内为应对该事件而使用",
    ),
    Fact.LAWFUL: Label(
        "the law allows this purpose on this basis for this class of data",
        "法律允许该依据用于该用途和数据等级",
    ),
}

#: What to tell a person when a fact was missing: the plain reason for a denial.
MISSING_LABELS: Final[dict[Fact, str]] = {
    Fact.MEMBER_ACTIVE: "the institution is suspended or its membership has ended",
    Fact.MEMBER_SCOPE: "the purpose is outside the institution's licence",
    Fact.PASSPORT_OPEN: "the data is sealed or destroyed",
    Fact.PURPOSE_ALLOWED: "the data may not be used for this purpose",
    Fact.CATEGORIES_NECESSARY: "it asked for kinds of data that the law does not allow for this purpose",
    Fact.PROJECT_FILED: "it has no project of its own on file that covers this",
    Fact.PROJECT_ETHICS: "no ethics body has approved the project",
    Fact.PROJECT_TECHNIQUE: "no privacy-enhancing technique is on file for the project",
    Fact.PROJECT_AGREEMENT: "the project has no agreement that states its limits",
    Fact.GRANT_LIVE: "there was no consent in force",
    Fact.GRANT_RECIPIENT: "no consent names this institution",
    Fact.GRANT_PURPOSE: "the consent does not cover this purpose",
    Fact.GRANT_CATEGORIES: "the consent does not cover all the kinds of data asked for",
    Fact.GRANT_SEPARATE: "the law asks for a separate consent, for this purpose alone, signed by the patient",
    Fact.GRANT_QUOTA: "the consent's number of uses is used up",
    Fact.EMERGENCY_IN_FORCE: "no emergency that covers it is in force",
    Fact.ENCRYPTED: "protection by encryption is not attested",
    Fact.DEIDENTIFIED: "it is not asked for de-identified, or nobody independent has checked that it is",
    Fact.SOURCE_DECLARED: "the source of the data is not declared",
    Fact.DATASET_FITS: "the dataset is not the institution's, is closed, or wants more than was asked for or consented to",
    Fact.MODEL_LICENSED: "the model holds no licence",
    Fact.BUDGET_LEFT: "the privacy budget is spent",
    Fact.BORDER_CLEARED: "the transfer across the border is not cleared",
    Fact.REQUESTER_IS_CUSTODIAN: "the institution does not keep this data itself",
    Fact.REVIEWS_CURRENT: "the institution has lost its right to emergencies, or owes an overdue review",
    Fact.HUMAN_REVIEWED: "a human has not approved the request",
    Fact.WITHIN_CAP: "the institution has reached its daily cap for this purpose",
    Fact.GRANT_PERIOD: "the consent does not cover the time the data is from",
    Fact.PROJECT_COMPLIANCE: "no compliance body has approved the project",
    Fact.LEVEL_SUFFICIENT: "the data was asked for in a form that says more about the patient than allowed",
    Fact.UNLOCKED: "the data was obtained in an emergency and serves that emergency alone",
    Fact.LAWFUL: "the law does not allow this use on this basis",
}

STEP_KIND_LABELS: Final[dict[StepKind, Label]] = {
    StepKind.COLLECT: Label("collect", "采集"),
    StepKind.CLEAN: Label("clean", "清洗"),
    StepKind.LABEL: Label("label", "标注"),
    StepKind.SPLIT: Label("split", "划分"),
    StepKind.MERGE: Label("merge", "合并"),
    StepKind.DEIDENTIFY: Label("de-identify", "去标识化"),
    StepKind.TRAIN: Label("train", "训练"),
    StepKind.EVALUATE: Label("evaluate", "评估"),
    StepKind.DEPLOY: Label("deploy", "部署"),
    StepKind.INFER: Label("infer", "推理"),
    StepKind.RELEASE: Label("release", "发布"),
    StepKind.DESTROY: Label("destroy", "销毁"),
}

DATASET_STATUS_LABELS: Final[dict[DatasetStatus, Label]] = {
    DatasetStatus.NONE: Label("unknown", "不存在"),
    DatasetStatus.DECLARED: Label("declared", "已声明"),
    DatasetStatus.COLLECTED: Label("collected", "已采集"),
    DatasetStatus.PROCESSED: Label("processed", "已处理"),
    DatasetStatus.VERIFIED: Label("verified", "已核验"),
    DatasetStatus.SHARED: Label("shared", "已共享"),
    DatasetStatus.IN_USE: Label("in use", "使用中"),
    DatasetStatus.SEALED: Label("sealed", "已封存"),
    DatasetStatus.DESTROYED: Label("destroyed", "已销毁"),
}

ANSWER_LABELS: Final[dict[Answer, Label]] = {
    Answer.NONE: Label("no answer yet", "尚未答复"),
    Answer.RETRAINED: Label("trained anew without the data", "已剔除数据并重新训练"),
    Answer.UNLEARNED: Label("made to forget the data", "已遗忘该数据"),
    Answer.RETIRED: Label("taken out of service", "已停止使用"),
    Answer.JUSTIFIED: Label("kept in service, with reasons", "说明理由后继续使用"),
}

TRANSFER_STATUS_LABELS: Final[dict[TransferStatus, Label]] = {
    TransferStatus.NONE: Label("unknown", "不存在"),
    TransferStatus.SHIPPED: Label("on its way", "已发出"),
    TransferStatus.RECEIVED: Label("received as sent", "已收讫且内容一致"),
    TransferStatus.DISPUTED: Label("disputed: what arrived is not what was sent", "有争议：收到与发出不一致"),
    TransferStatus.DECLARED: Label("declared; waits for an inspection", "已申报，待查验"),
    TransferStatus.CLEARED: Label("cleared; may be loaded and shipped", "已放行，可装载发运"),
    TransferStatus.REFUSED: Label("refused", "不予受理"),
    TransferStatus.HALTED: Label("halted", "已暂停"),
    TransferStatus.TERMINATED: Label("terminated", "已终止"),
    TransferStatus.CLOSED: Label("closed: destroyed or returned", "已办结：已销毁或退还"),
}

#: What to tell whoever declared it, if a rule is broken.
MISSING_TRANSFER_LABELS: Final[dict[TransferFact, str]] = {
    TransferFact.SENDER_ACTIVE: "the sender is suspended or its membership has ended",
    TransferFact.RECIPIENT_ACTIVE: "the recipient is suspended or its membership has ended",
    TransferFact.AGREEMENT_IN_FORCE: "the agreement is not signed by both, or has run out or been ended",
    TransferFact.WITHIN_LIMITS: "a purpose or a kind of data is outside the agreement, or a purpose is banned",
    TransferFact.ONWARD_ALLOWED: "the sender may not pass on what it received, not for that, or not any more",
    TransferFact.BORDER_CLEARED: "nothing clears the transfer for the border",
}

#: What to tell a person when a rule for steps was broken.
STEP_MISSING_LABELS: Final[dict[StepFact, str]] = {
    StepFact.MEMBER_ACTIVE: "the institution is suspended or its membership has ended",
    StepFact.PROJECT_APPROVED: "no project of its own that an ethics body approved covers the step",
    StepFact.INPUTS_KNOWN: "something that it used is not on record, or not of the kind that the step takes",
    StepFact.INPUTS_AVAILABLE: "something that it used is not its own and was not shared with it, or the dataset is closed, "
    "past its retention or past a consent in it",
    StepFact.INPUTS_CURRENT: "a withdrawal waits for an answer in what it used",
    StepFact.INPUTS_SOUND: "something that it used failed its check",
    StepFact.INPUTS_VERIFIED: "nobody independent has checked the data that it used",
    StepFact.TOOL_CERTIFIED: "the alliance does not certify the tool",
    StepFact.PURPOSE_ALLOWED: "the purpose is outside the institution's licence or what the data may serve",
    StepFact.THREE_PARTS: "the split does not make three parts",
    StepFact.TEST_UNSEEN: "test data trained a model, or a model was tested on what it was trained on",
    StepFact.RELINK_ALLOWED: "somebody in the data forbade that it is merged with other data",
    StepFact.BUDGET_LEFT: "the privacy budget is spent, or the step spent none where it must",
    StepFact.PROTECTED: "core privacy is not encrypted, or not protected by differential privacy",
    StepFact.BORDER_CLEARED: "the data comes from across the border and the project is not cleared for it",
    StepFact.MODEL_READY: "the model is suspended or retired, not evaluated, licensed or deployed, or owes an overdue answer",
}

#: What every entry of the table requires, whatever the committee writes.
FLOOR: Final = Fact.MEMBER_ACTIVE | Fact.PASSPORT_OPEN | Fact.PURPOSE_ALLOWED | Fact.LEVEL_SUFFICIENT
#: What every entry requires besides, unless the subject itself asks.
OTHERS_FLOOR: Final = Fact.UNLOCKED | Fact.WITHIN_CAP
#: What every entry under consent requires besides `FLOOR`.
CONSENT_FLOOR: Final = (
    Fact.GRANT_LIVE
    | Fact.GRANT_RECIPIENT
    | Fact.GRANT_PURPOSE
    | Fact.GRANT_CATEGORIES
    | Fact.GRANT_QUOTA
    | Fact.GRANT_PERIOD
)
#: What every entry under an individual emergency requires besides.
EMERGENCY_FLOOR: Final = Fact.EMERGENCY_IN_FORCE | Fact.REVIEWS_CURRENT
_BASIS_FLOORS: Final[dict[Basis, Fact]] = {
    Basis.CONSENT: CONSENT_FLOOR,
    Basis.CUSTODIAN_CARE: Fact.REQUESTER_IS_CUSTODIAN,
    Basis.INDIVIDUAL_EMERGENCY: EMERGENCY_FLOOR,
    Basis.PUBLIC_EMERGENCY: Fact.EMERGENCY_IN_FORCE,
    Basis.COMPELLED: Fact.HUMAN_REVIEWED,
}
#: Facts that are established only where the law requires them: each asks another register.
ASKED_ON_DEMAND: Final = (
    Fact.EMERGENCY_IN_FORCE
    | Fact.ENCRYPTED
    | Fact.DEIDENTIFIED
    | Fact.SOURCE_DECLARED
    | Fact.MODEL_LICENSED
    | Fact.BORDER_CLEARED
    | Fact.REVIEWS_CURRENT
    | Fact.HUMAN_REVIEWED
)


def floor_of(basis: Basis) -> Fact:
    """Return what every entry on a basis requires, whatever the committee writes."""
    common = FLOOR if basis is Basis.SUBJECT_REQUEST else FLOOR | OTHERS_FLOOR
    return common | _BASIS_FLOORS.get(basis, Fact(0))


ALL_CATEGORIES: Final = Category(0xFFFF)

_Code = TypeVar("_Code", bound=IntEnum)
_Flag = TypeVar("_Flag", bound=IntFlag)


def code(kind: type[_Code], name: str) -> _Code:
    """
    Read one code by its name.

    Args:
        kind: The vocabulary.
        name: Member name, any case, with `-` or `_` between words.

    Raises:
        UnknownCode: The vocabulary has no such name; the message lists those it has.
    """
    try:
        return kind[name.strip().upper().replace("-", "_")]
    except (KeyError, AttributeError):
        raise UnknownCode(
            f"unknown {_words(kind)} {name!r}; known are: {', '.join(member.name for member in kind)}"
        ) from None


def flags(kind: type[_Flag], names: list[str] | tuple[str, ...]) -> _Flag:
    """
    Read a set of flags by their names; the empty list is the empty set.

    Raises:
        UnknownCode: The vocabulary has no such name; the message lists those it has.
    """
    found = kind(0)
    for name in names:
        try:
            found |= kind[name.strip().upper().replace("-", "_")]
        except (KeyError, AttributeError):
            raise UnknownCode(
                f"unknown {_words(kind)} {name!r}; known are: {', '.join(str(member.name) for member in kind)}"
            ) from None
    return found


def names(value: IntFlag) -> list[str]:
    """Return the names in a set of flags, lowest bit first."""
    return [str(member.name) for member in type(value) if member in value]


def kind_set(kinds: list[MemberKind] | tuple[MemberKind, ...]) -> int:
    """Return the set of kinds of members as the contract stores it: bit n for kind n."""
    value = 0
    for kind in kinds:
        value |= 1 << kind
    return value


def kinds_of(value: int) -> list[MemberKind]:
    """Return the kinds of members in a set, lowest first."""
    return [kind for kind in MemberKind if value >> kind & 1]


def purpose_set(purposes: list[Purpose] | tuple[Purpose, ...]) -> int:
    """Return the set of purposes as the contract stores it: bit n for purpose n."""
    value = 0
    for purpose in purposes:
        value |= 1 << purpose
    return value


def purposes_of(value: int) -> list[Purpose]:
    """Return the purposes in a set, lowest first."""
    return [purpose for purpose in Purpose if value >> purpose & 1]


def _words(kind: type) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)
    return words.strip()
