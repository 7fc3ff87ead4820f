"""What looks like a secret: names of variables, and values whose form says what they are.

Both are a help, not a guarantee: a secret may have any name and any form.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
# A word of a name, in capitals and without digits at its end. KEY stands alone: MONKEY and KEYBOARD are none.
_TELLING = re.compile(
    r"(KEY|CRED|JWT|BEARER|AUTHORIZATION|PASSPHRASE|PASSKEY|MNEMONIC"
    r"|(SSH|DB|PG|MY|SQL|MYSQL|ROOT|ADMIN|BIND|LDAP|USER)(PASS|PWD|PW)"
    r"|.*(TOKEN|SECRET|PASSWORD|PASSWD|PASSCODE|CREDENTIAL|WEBHOOK)"
    r"|.*(API|ACCESS|PRIVATE|AUTH|SIGNING|DEPLOY|SECRET|ENCRYPTION|MASTER|LICENSE|SSH|GPG|HF|WANDB|OPENAI"
    r"|ANTHROPIC|COHERE|GEMINI|GROQ|MISTRAL|TOGETHER)KEY)S?"
)
_AT_THE_END = (
    "PAT",
    "PWD",
    "PW",
    "PSWD",
    "PASS",
    "AUTH",
    "OAUTH",
    "COOKIE",
    "COOKIES",
    "OTP",
    "SAS",
)  # HF_AUTH, but not SSH_AUTH_SOCK
_PLACES = (
    "FILE",
    "PATH",
    "DIR",
    "FOLDER",
    "SOCK",
    "MODE",
    "HELPER",
    "PORT",
    "TYPE",
    "DTYPE",
)  # says where a secret is, or how it is used
_SWITCHES = frozenset(
    ("DISABLE", "DISABLED", "ENABLE", "ENABLED", "USE", "NO", "REQUIRED")
)  # HF_HUB_DISABLE_IMPLICIT_TOKEN
# Of a key that opens nothing: SORT_KEY, KEY_VALUE_HEADS.
_OF_A_TABLE = frozenset(
    (
        *("PUBLIC", "SORT", "PRIMARY", "COLUMN", "CACHE", "VALUE", "PER", "NUM", "GROUP", "FN"),
        *("PROMPT", "RESPONSE", "QUESTION", "ANSWER", "GOLD", "LABEL", "TEXT", "INPUT", "OUTPUT", "IMAGE", "MODEL"),
        *("REWARD", "METRIC", "VAL", "BEST", "VIDEO", "AUDIO", "TOOLS", "FIELD", "ROW"),
    )
)
# Of a model's tokens: MAX_TOKENS, PAD_TOKEN.
_OF_A_MODEL = frozenset(
    (
        *("MAX", "MIN", "NUM", "N", "TOTAL", "MEAN", "PER", "BATCHED", "PROMPT", "RESPONSE", "LEN", "LENGTH", "LIMIT"),
        *("BUDGET", "COUNT", "CONTEXT", "LEVEL", "IDS"),
        *("PAD", "EOS", "BOS", "UNK", "MASK", "SEP", "CLS", "STOP", "SPECIAL", "IMAGE", "THINK"),
    )
)
# Names that mean other things too, and the values that are these: a column, a number, a digest; a measure of ours.
_NO_KEY = re.compile(
    r"(?!(?=\S*\d)(?=\S*[A-Za-z])[^\s/,.:@]{16,}$).*|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.DOTALL
)
_OF_MANY: dict[tuple[str, ...], re.Pattern[str]] = {
    **dict.fromkeys((("KEY",), ("KEYS",), ("TOKENS",), ("PAT",)), _NO_KEY),
    ("PASS",): re.compile(r"(?:(?:val_)?pass[@_^-]?)?\w{0,3}", re.IGNORECASE),
}
# What tells nothing, whatever the name: a switch, a metric (val-core/gsm8k/pass@8), a special token (</s>).
_TELLS_NOTHING = re.compile(
    r"true|false|yes|no|on|off|none|null|gssapi|kerberos|eos|bos|pad|unk|</?\w{1,20}>|<\|\w{1,20}\|>"
    r"|(?:(?:[\w-]+/)*(?:\w+_)?(?:pass|mean|maj|best|worst|std)@[\dk{},]{1,12}(?:,(?=\w)|$))+",
    re.IGNORECASE,
)
_DATABASES = frozenset(
    ("DATABASE", "DB", "POSTGRES", "POSTGRESQL", "PG", "MYSQL", "MONGO", "MONGODB", "REDIS", "AMQP", "BROKER")
)


@cache
def _words(name: str) -> tuple[str, ...]:
    return tuple(word for part in _WORDS.split(name) if (word := part.upper().rstrip("0123456789")))


def is_secret(name: str, value: str | None = None) -> bool:
    """Whether a variable's name says that its value is a secret: WANDB_API_KEY, GITHUB_PAT, PGPASSWORD.

    An address (DATABASE_URL, HTTPS_PROXY) may hold a login; with its `value` known, it is a secret if it does. Any
    other variable whose value is an address with a login is one as well. KEY, KEYS, TOKENS and PASS by themselves are
    no secret where the value is a column, a number, a digest or pass@k. A switch or a metric never is one.
    """
    if value is not None and _TELLS_NOTHING.fullmatch(value):
        return False
    if value is not None and (_may_hold_a_login(name) or "://" in value):
        return has_login(value) or (not _may_hold_a_login(name) and _is_named(name))
    if value is not None and _words(name) in _OF_MANY:
        return _is_named(name) and not _OF_MANY[_words(name)].fullmatch(value)
    return _is_named(name) or _may_hold_a_login(name)


@cache
def _is_named(name: str) -> bool:
    words = _words(name)
    if not words or words[-1] in _PLACES:
        return False
    if not _SWITCHES.isdisjoint(words):
        return False
    if words[-1] in _AT_THE_END and words not in (("PWD",), ("OLD", "PWD"), ("N", "PASS"), ("MAX", "PASS")):
        return True
    others = {"TOKEN": _OF_A_MODEL, "TOKENS": _OF_A_MODEL, "KEY": _OF_A_TABLE, "KEYS": _OF_A_TABLE}
    telling = [word for word in words if _TELLING.fullmatch(word)]
    return words[-2:] == ("CONNECTION", "STRING") or any(
        others.get(word, _SWITCHES).isdisjoint(words) for word in telling
    )


@cache
def _may_hold_a_login(name: str) -> bool:
    words = _words(name)
    if not words or words[0] == "NO":  # NO_PROXY
        return False
    return words[-1].endswith(("PROXY", "DSN")) or (words[-1] in ("URL", "URI") and not _DATABASES.isdisjoint(words))


class _Shape(NamedTuple):
    """A form of secrets.

    Attributes:
        name: What it is.
        marks: One of them is in every text that holds one: found a hundred times sooner than the pattern.
        pattern: Its group `secret` is what must not be seen.
    """

    name: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(name: str, pattern: str, *marks: str) -> _Shape:
    # No letter, digit or sign of a longer word before it: `disk-usage` holds no `sk-`.
    return _Shape(name, marks, re.compile(rf"(?<![A-Za-z0-9])(?P<secret>{pattern})"))


_SHAPES = (
    # A word of up to 29 letters, or one and a date, is a folder's: hf_transformerscache.
    _shape(
        "Hugging Face token",
        r"(?:hf|api_org)_(?!(?:[a-z]{1,29}|[a-z]+20\d{6})(?![A-Za-z0-9]))[A-Za-z0-9]{16,}",
        *("hf_", "api_org_"),
    ),
    # A model's name has no part like theirs: sk-learn-7b-instruct.
    _shape(
        "API key",
        r"sk-(?=(?:[A-Za-z0-9]{1,99}[_-]){0,8}?(?:(?=[A-Za-z]{0,99}\d)[A-Za-z0-9]{10}|[A-Za-z0-9]{24}))[A-Za-z0-9_-]{16,}",
        "sk-",
    ),
    _shape(
        "access token",
        r"nvapi-[A-Za-z0-9_-]{16,}|pypi-Ag[A-Za-z0-9_-]{16,}|dckr_pat_[A-Za-z0-9_-]{16,}|sk_(?:live|test)_[A-Za-z0-9]{16,}"
        r"|ya29\.[A-Za-z0-9_-]{16,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|lsv2_[a-z]{2}_\w{16,}"
        r"|(?:npm|gsk|r8|shpat|lin_api|jina|tgp_v1|sbp)_[A-Za-z0-9]{30,}|pcsk_\w{40,}|rk_(?:live|test)_[A-Za-z0-9]{16,}"
        r"|(?:dop|doo)_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}|hv[sb]\.(?=[A-Za-z_-]*\d)[\w-]{20,}|ATATT3[\w=-]{20,}"
        r"|(?:xai|pplx|csk)-[A-Za-z0-9]{40,}|tvly-(?=[A-Za-z-]{0,40}\d)[A-Za-z0-9-]{20,}|tskey-[a-z]+-[A-Za-z0-9-]{12,}"
        r"|sq0(?:atp|csp)-[A-Za-z0-9_-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}|ABSK[A-Za-z0-9+/=]{40,}",
        *("nvapi-", "pypi-Ag", "dckr_pat_", "sk_", "ya29.", "SG.", "lsv2_", "npm_", "gsk_", "r8_", "shpat_"),
        *("lin_api_", "jina_", "pcsk_", "tgp_v1_", "sbp_", "rk_", "_v1_", "dapi", "hvs.", "hvb.", "ATATT3", "xai-"),
        *("pplx-", "csk-", "tvly-", "tskey-", "sq0", "AGE-SECRET", "ABSK"),
    ),
    _shape("GitHub token", r"gh[opsur]_[A-Za-z0-9]{16,}|github_pat_\w{16,}", "gh", "github_pat_"),
    _shape("AWS key", r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])", "AKIA", "ASIA"),
    _shape("Slack token", r"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}", "xox", "xapp-"),
    _shape(
        "GitLab token",
        r"gl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent|oas)-[A-Za-z0-9_-]{16,}",
        *("glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "glsoat-", "glft-", "glimt-", "glagent-", "gloas-"),
    ),
    _shape("Google key", r"AIza[A-Za-z0-9_-]{30,}", "AIza"),
    _shape("wandb key", r"wandb_v\d_[A-Za-z0-9_]{16,}", "wandb_v"),
    _shape("JSON web token", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", "eyJ"),
    _Shape(
        "webhook",
        ("hooks.slack.com", "/api/webhooks/", "office.com/webhook", "api.telegram.org/bot"),
        re.compile(
            r"(?:hooks\.slack\.com/|discord(?:app)?\.com/api/webhooks/|office\.com/webhook(?:b2)?/"
            r"|api\.telegram\.org/bot(?=\d+:))(?P<secret>[\w/@:-]{8,})"
        ),
    ),
    _Shape(
        "login",
        ("://",),
        # What stands for a value that is known elsewhere is none: $PASSWORD, <password>, ***, and what was replaced.
        # A password may have a slash; a token may be the user. A port is none, nor is the tag of `image:tag@sha256:`.
        re.compile(
            r"://(?P<secret>[^\s/:@'\"<>]*:(?![$<*\[])(?:[^\s/'\"<>]+|(?!\d+/)[^\s'\"<>]{1,200}?)"
            r"|(?=[A-Za-z_]*\d)\w{20,})@(?!sha256:)"
        ),
    ),
    _Shape(
        "key of an address",
        ("?",),
        re.compile(
            r"(?i:[?&;](?:[\w-]*(?:api[_-]?key|(?<!page_)(?<!page)token|secret|password|signature)|sig)=)"
            r"(?P<secret>(?![$<*\[{])[^\s&#'\"<>]{8,})"
        ),
    ),
    _Shape(
        "storage key",
        ("AccountKey=", "AccessKey", "access_key", "ACCESS_KEY"),
        re.compile(
            r"(?:(?:Account|SharedAccess)Key=|(?i:secret_?access_?key)[\"']?\s*[:=]\s*[\"']?(?=[A-Za-z0-9+/]{40}))"
            r"(?P<secret>[A-Za-z0-9+/=]{16,})"
        ),
    ),
    _Shape(
        "authorization",
        ("uthorization", "UTHORIZATION"),
        re.compile(
            r"(?i:authorization)[\"']?\s*[:=]\s*[\"']?(?i:basic|token)\s+(?P<secret>(?![$<*\[])[A-Za-z0-9._~+/=-]{8,})"
        ),
    ),
    _Shape("bearer token", ("earer ", "EARER "), re.compile(r"\b[Bb](?i:earer)\s+(?P<secret>[A-Za-z0-9._~+/=-]{16,})")),
    _Shape(
        "private key",
        ("-----BEGIN ",),
        re.compile(
            r"(?P<secret>-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]|\\n)*"
            r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----)?)"
        ),
    ),
    _Shape(
        "key",
        ("login", "Login", "key", "Key", "KEY", "token", "Token", "TOKEN", "passw", "secret", "SECRET"),
        # 40 hex digits alone are a commit, and after `key` what a cache calls it.
        re.compile(
            r"(?<![A-Za-z])(?i:login|(?:api|wandb|secret|access|private)[ _-]?key|(?:auth|access)?token|passw(?:or)?d"
            r"|secret)\b"
            r"[^\n/]{0,24}?(?<![0-9A-Za-z])(?P<secret>[0-9a-f]{40})\b"
        ),
    ),
)


class Found(NamedTuple):
    """A secret by its form: what it is, and where in the text."""

    name: str
    start: int
    end: int


def shapes_in(text: str) -> Iterator[Found]:
    """What in a text has the form of a secret, in no order."""
    for name, marks, pattern in _SHAPES:
        if any(mark in text for mark in marks):
            for match in pattern.finditer(text):
                yield Found(name, *match.span("secret"))


def has_login(value: str) -> bool:
    """Whether a text is an address with a password: `https://user:password@host`."""
    return any(found.name == "login" for found in shapes_in(value))


def without_shapes(text: str) -> str:
    """The text with what has the form of a secret replaced by what it is: `[GitHub token]`."""
    parts, end = [], 0
    for found in sorted(shapes_in(text), key=lambda found: (found.start, -found.end)):
        if found.start >= end:  # a token may lie in an address's login
            parts += [text[end : found.start], f"[{found.name}]"]
            end = found.end
    return "".join([*parts, text[end:]])
