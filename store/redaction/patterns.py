r"""The patterns of secrets in text: the rules that ``redaction`` applies, in their order.

There are two sorts. Some secrets show what they are (``ghp_…``, ``sk-…``, a PEM block): those are
found anywhere. Others are known only by what stands before them (``password = …``,
``Authorization: …``, ``--token …``): of those the name is kept and the value goes.

The rules meet prose and source code far more often than secrets, so a rule that goes by a name
wants a value that is quoted, or that looks unlike a word, a type or a call: ``token: str``,
``token = read_token()`` and ``API_TOKEN=$TOKEN`` stay as they are. Where in doubt it goes.

Every rule carries hints: lower-case texts of which at least one is in whatever it can match. To
look for them is much faster than to run the expression, and mostly they are absent. The
expressions have no nested repetition; their time grows with the text's length alone.
"""

import re

import attrs

REDACTED = "[redacted]"
"""The text that takes the place of a secret."""


@attrs.frozen
class RedactionRule:
    """One way to find a secret: its last group goes, or the whole match if it has no group."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    begins: re.Pattern[str] | None = None
    """The beginning, in lower case, of all that it finds. An expression that ignores case is tried
    at every character, and one of many words takes long; this one says where to try it."""

    def apply(self, text: str) -> str:
        """Give the text without what this rule finds."""
        if self.begins is None or len(folded := text.lower()) != len(text):
            return self.pattern.sub(_without_secret, text)
        parts, done, place = [], 0, self.begins.search(folded)
        while place is not None:
            match = self.pattern.match(text, place.start())
            if match is None:
                place = self.begins.search(folded, place.start() + 1)
                continue
            parts += [text[done : match.start()], _without_secret(match)]
            done = match.end()
            place = self.begins.search(folded, done)
        return "".join([*parts, text[done:]]) if parts else text


def _without_secret(match: re.Match[str]) -> str:
    if match.lastindex is None:
        return REDACTED
    start, end = match.span(match.lastindex)
    whole = match.group()
    return whole[: start - match.start()] + REDACTED + whole[end - match.start() :]


def _known(*hints: str, pattern: str) -> RedactionRule:
    return RedactionRule(hints, re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})"))


def _named(*hints: str, pattern: str, begins: re.Pattern[str] | None = None) -> RedactionRule:
    return RedactionRule(hints, re.compile(pattern, re.IGNORECASE | re.MULTILINE), begins)


_HAS_DIGIT_OR_CAPITAL = r"(?=[a-z_-]{0,200}[0-9A-Z])"

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![A-Za-z0-9_-])"

_KNOWN = (
    RedactionRule(
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[\s\S]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)"
        ),
    ),
    _known("sk-", pattern=rf"sk-{_HAS_DIGIT_OR_CAPITAL}[A-Za-z0-9_-]{{20,}}"),
    _known("ghp_", "gho_", "ghu_", "ghs_", "ghr_", pattern=r"gh[pousr]_[A-Za-z0-9]{30,}"),
    _known("ccd_", "cch_", pattern=r"cc[dh]_[A-Za-z0-9_-]{43}"),
    _known("github_pat_", pattern=r"github_pat_[A-Za-z0-9_]{30,}"),
    _known("gl", pattern=r"gl(?:pat|dt|rt|ptt|oas|cbt|ft|soat|agent)-[A-Za-z0-9_.-]{20,}"),
    _known("xox", "xapp-", pattern=r"(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,}"),
    _known("akia", "asia", pattern=r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _known("aiza", pattern=r"AIza[A-Za-z0-9_-]{35}"),
    _known("ya29.", pattern=r"ya29\.[A-Za-z0-9_-]{20,}"),
    _known("gocspx-", pattern=r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    _known("_live_", "_test_", pattern=r"[spr]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    _known("whsec_", pattern=r"whsec_[A-Za-z0-9+/=]{20,}"),
    _known("npm_", pattern=r"npm_[A-Za-z0-9]{36}"),
    _known("pypi-", pattern=r"pypi-[A-Za-z0-9_-]{50,}"),
    _known("hf_", "gsk_", "r8_", pattern=r"(?:hf|gsk|r8)_[A-Za-z0-9]{30,}"),
    _known("xai-", pattern=r"xai-[A-Za-z0-9]{40,}"),
    _known("_v1_", pattern=r"do[opr]_v1_[a-f0-9]{64}"),
    _known("sg.", pattern=r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _known("shp", pattern=r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _known("hvs.", "hvb.", pattern=r"hv[sb]\.[A-Za-z0-9_-]{20,}"),
    _known(
        *("dckr_pat_", "lin_api_", "glsa_", "glc_", "figd_", "pscale_", "sb_secret_", "sntryu_"),
        pattern=r"(?:dckr_pat|lin_api|glsa|glc|figd|pscale_(?:tkn|oauth|pw)|sb_secret|sntryu)"
        r"_[A-Za-z0-9_-]{20,}",
    ),
    _known("sntrys_", pattern=r"sntrys_[A-Za-z0-9_+/=-]{20,}"),
    _known("ntn_", "sbp_", "rubygems_", pattern=r"(?:ntn|sbp|rubygems)_[A-Za-z0-9]{30,}"),
    _known("pplx-", "pul-", pattern=r"(?:pplx|pul)-[A-Za-z0-9]{40,}"),
    _known("pmak-", "nrak-", pattern=r"(?:PMAK-[a-f0-9]{24}-[a-f0-9]{34}|NRAK-[A-Z0-9]{20,})"),
    _known("key-", "dapi", pattern=r"(?:key-|dapi)[a-f0-9]{32}(?![A-Za-z0-9])"),
    _known("atatt3", "atctt3", "atbb", pattern=r"(?:ATATT3|ATCTT3|ATBB)[A-Za-z0-9_=-]{30,}"),
    _known("sq0", pattern=r"sq0[a-z]{3}-[A-Za-z0-9_-]{22,}"),
    _known("dp.", pattern=r"dp\.(?:pt|st|sa|ct|scim|audit)\.[A-Za-z0-9.]{40,}"),
    _known("1//0", pattern=r"1//0[A-Za-z0-9_-]{40,}"),
    RedactionRule(
        ("private-lines:",),
        re.compile(
            r"Private-Lines: \d{1,4}\r?\n"
            r"([A-Za-z0-9+/=]{1,100}+(?:\r?\n(?!Private-)[A-Za-z0-9+/=]{1,100}+)*+)"
        ),
    ),
    _known("tskey-", pattern=r"tskey-[A-Za-z0-9-]{16,}"),
    _known("age-secret-key-", pattern=r"AGE-SECRET-KEY-1[A-Z0-9]{20,}"),
    RedactionRule(
        ("eyj",),
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]{8,}+){1,4}\.?"),
    ),
    # A Telegram bot's token; in the Bot API's addresses it follows the word "bot". A `codexRef` has
    # two UUIDs with a colon between them, and the first may end in digits.
    RedactionRule((":",), re.compile(rf"(?<![0-9])[0-9]{{8,10}}:(?!{_UUID})[A-Za-z0-9_-]{{30,}}")),
    _known("cc.bearer.", pattern=r"cc\.bearer\.([A-Za-z0-9_-]+)"),
    _known("cc_signin=", pattern=r"cc_signin=([0-9]{1,12}\.[0-9a-f]{64})"),
    _known("hooks.slack.com", pattern=r"hooks\.slack\.com/services/([A-Za-z0-9/_-]+)"),
    _known("/api/webhooks/", pattern=r"discord(?:app)?\.com/api/webhooks/([\w/-]+)"),
)

_KEYWORD = (
    r"(?:password|passwd|passphrase|secret|token|credentials?"
    r"|(?:api|access|private|secret|account|auth|signing|encryption)[_-]?key(?:[_-]?(?:id|base))?)"
)
_KEYWORD_BEGINS = re.compile(
    "passw(?:or)?d|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key"
    "|account[_-]?key|auth[_-]?key|signing[_-]?key|encryption[_-]?key"
)
# Of these the capitals tell: `_pass` and `_key` are the ends of many a harmless name.
_CAPITAL_KEYWORD = (
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|_PASS|MYSQL_PWD|SECRET_KEY_BASE"
    r"|(?:API|ACCESS|PRIVATE|SECRET|ACCOUNT|AUTH|SIGNING|ENCRYPTION)_?KEY(?:_ID)?)"
)
_CAPITAL_HINTS = (*("passw", "passphrase", "secret", "token", "credential", "key"), "_pass", "_pwd")
_LETTER_AND_DIGIT = r"(?=[^\s\d\"']{0,64}\d)(?=[^\sA-Za-z\"']{0,64}[A-Za-z])"
_KEYWORD_HINTS = ("passw", "passphrase", "secret", "token", "credential", "key")
# Between a name and its value: `"name": `, `\"name\": `, `name = `, `name := `, not `name == `.
_GIVEN = r"(?:\\*[\"'])?[ \t]{0,8}(?::=|=>|[:=])(?![:=])[ \t]{0,8}"
# A reference or a placeholder is no secret.
_NO_REFERENCE = r"(?![$<{%*])"
_NO_CALL = r"(?![A-Za-z0-9_.]{1,128}[(\[{])"
_TYPE_NAMES = (
    r"(?!(?:str|string|bytes|int|integer|number|bool|boolean|none|null|nil|undefined|any|object"
    r"|true|false|required|optional|self|this)\b)"
)

_NAMED = (
    # user:password@ and a long token@ in an address
    _named(
        "://",
        pattern=(
            r"://[^\s/:@\"'?#]{0,256}:(?!<|\{|\$\{|\$[A-Z_][A-Z0-9_]{0,64}@|%[sv(]|\*{1,64}@)"
            r"([^\s/@\"'?]{1,512})@"
        ),
    ),
    _named("://", pattern=r"\bhttps?://([^\s/:@\"'?#\[]{20,512})@"),
    _named(
        "authorization",
        pattern=(
            r"\bauthorization(?:\\*[\"'])?[ \t]*[:=][ \t]*(?:\\*[\"'])?"
            r"(?:(?:bearer|basic|token|digest|negotiate|apikey|aws4-hmac-sha256)[ \t]+)?+"
            rf"{_NO_REFERENCE}([^\s\"'\\][^\r\n\"'\\]*)"
        ),
    ),
    # ("Authorization", "Bearer …"), as programs show their headers
    _named(
        "authorization",
        pattern=(
            r"\bauthorization\\*[\"'][ \t]*,[ \t]*b?\\*[\"']"
            rf"(?:(?:bearer|basic|token|digest)[ \t]+){_NO_REFERENCE}([^\r\n\"'\\]+)"
        ),
    ),
    _named("bearer", pattern=r"\bbearer[ \t]+((?=[^\s\d]*\d)[A-Za-z0-9._~+/-]{16,}=*)"),
    _named(
        "cookie",
        pattern=r"\bcookie[ \t]*:[ \t]*([^\s=;,\"'\[]{1,128}=[^\r\n\"']+)",
    ),
    _named(
        "x-",
        "-token",
        pattern=(
            r"(?<![\w-])(?:x-[a-z0-9-]{0,60}(?:token|key|secret|signature(?:-\d{1,3})?)"
            r"|(?:private|job|deploy)-token)[ \t]*:[ \t]*"
            rf"{_NO_REFERENCE}(?!\[redacted\])([^\s\"'\\]+)"
        ),
    ),
    _named(
        *_KEYWORD_HINTS,
        "sig",
        "code=",
        pattern=(
            r"[?&;][a-z0-9_.-]{0,40}?(?:token|secret|password|passwd|apikey|api_key|access_key"
            r"|credential|signature|(?<![a-z0-9])(?:key|sig|code)(?==[^&\s]{8}))="
            rf"{_NO_REFERENCE}([^&\s\"'#<>;\\]+)"
        ),
    ),
    # --token VALUE, --password=VALUE
    _named(
        "--",
        pattern=(
            rf"(?<![\w-])--(?!no-)[a-z0-9-]{{0,40}}?{_KEYWORD}(?:=|[ \t]+)[\"']?"
            rf"{_NO_REFERENCE}((?!-)[^\s\"'\\]+)"
        ),
    ),
    _named(
        "-u",
        pattern=(
            r"(?<![\w-])(?:-u|--user)[ \t]+[\"']?[^\s:\"']{1,128}:"
            rf"{_NO_REFERENCE}((?!\d+\b)[^\s\"']+)"
        ),
    ),
    _named("sshpass", pattern=r"\bsshpass[ \t]+-p[ \t]*([^\s\[]+)"),
    _named("login", pattern=r"\blogin\s{1,16}\S{1,128}\s{1,16}password\s{1,16}([^\s\[]+)"),
    _named(
        "docker",
        pattern=(
            r"\bdocker[ \t]+login\b[^\r\n|;&]{0,200}?[ \t]-p[ \t]*[\"']?"
            rf"{_NO_REFERENCE}([^\s\"']+)"
        ),
    ),
    RedactionRule(
        ("mysql", "mariadb"),
        re.compile(
            r"\b(?:mysql|mariadb)(?:dump|admin)?\b[^\r\n|;&]{0,200}?[ \t]-p"
            rf"[\"']?{_NO_REFERENCE}([^\s\"']+)"
        ),
    ),
    _named("-pass", pattern=r"(?<![\w-])-pass(?:in|out)?[ \t]+[\"']?pass:([^\s\"']+)"),
    # .npmrc
    _named(
        "_auth",
        "_password",
        pattern=(
            r"(?<![a-z0-9_])_(?:authtoken|auth|password)[ \t]*=[ \t]*[\"']?"
            rf"{_NO_REFERENCE}(?!\[redacted\])([^\s\"'=][^\s\"']*)"
        ),
    ),
    # Docker's config.json, and kubectl's
    RedactionRule(
        ('"auth"',),
        re.compile(r"\"auth\"[ \t]*:[ \t]*\"((?=[^\"]{0,200}[A-Z0-9=])[A-Za-z0-9+/]{8,}={0,2})\""),
    ),
    _named("key-data", pattern=r"\bclient-key-data[ \t]*:[ \t]*([A-Za-z0-9+/=]{16,})"),
    # ENV NAME value, setx NAME value
    RedactionRule(
        ("env ", "setx "),
        re.compile(
            rf"\b(?:ENV|setx)[ \t]+[A-Z0-9_]{{0,60}}?{_CAPITAL_KEYWORD}[ \t]+[\"']?"
            rf"{_NO_REFERENCE}([^\s\"'=][^\s\"']*)"
        ),
    ),
    _named(
        ";pwd",
        "; pwd",
        pattern=rf";[ \t]{{0,8}}pwd[ \t]{{0,8}}=[ \t]{{0,8}}{_NO_REFERENCE}([^;\s\"']+)",
    ),
    # NAME=value, as in a shell or an .env file: the name is in capitals
    RedactionRule(
        _CAPITAL_HINTS,
        re.compile(
            rf"{_CAPITAL_KEYWORD}="
            rf"(?![=\"'\\]){_NO_REFERENCE}([^\s\"'`;&|<>()\\]+)"
        ),
    ),
    RedactionRule(
        ("_key",),
        re.compile(
            r"[A-Z0-9]_KEY[ \t]{0,8}[:=][ \t]{0,8}[\"']?"
            rf"{_LETTER_AND_DIGIT}{_NO_REFERENCE}([^\s\"'`;&|<>()\\]{{12,}})"
        ),
    ),
    RedactionRule(
        ("_pass",),
        re.compile(
            r"[A-Z0-9]_PASS[ \t]{0,8}[:=][ \t]{0,8}"
            rf"(?:(\\*[\"']){_NO_REFERENCE}((?:(?!\1)[^\r\n\\])+)|{_NO_REFERENCE}([^\s\"'`;&|<>()\\]+))"
        ),
    ),
    # a name and a quoted value
    _named(
        *_KEYWORD_HINTS,
        begins=_KEYWORD_BEGINS,
        pattern=(
            rf"{_KEYWORD}{_GIVEN}"
            rf"(\\*[\"'`]){_NO_REFERENCE}(?![)\],;]|(?:include|same-origin|omit)\1)"
            r"((?:(?!\1)(?:\\.|[^\r\n]))+)"
        ),
    ),
    # a name and a bare value that is unlike a word and not called
    _named(
        *_KEYWORD_HINTS,
        begins=_KEYWORD_BEGINS,
        pattern=(
            rf"{_KEYWORD}{_GIVEN}{_NO_REFERENCE}{_NO_CALL}"
            r"((?=[^\s\d]{0,64}\d)(?=[^\sa-z]{0,64}[a-z])"
            r"[^\s\"'`,;(){}\[\]<>\\]{6,}+)"
        ),
    ),
    # a line of its own: password: whatever
    _named(
        "passw",
        "passphrase",
        pattern=(
            r"^[ \t+-]{0,40}[\w.-]{0,60}?(?:password|passwd|passphrase)[ \t]{0,8}[:=][ \t]{0,8}"
            rf"{_NO_REFERENCE}{_TYPE_NAMES}(?![\w.]{{0,60}}(?:password|passwd|passphrase)\b)"
            r"([^\s\"'`,;()\[\]{}<>\\]{4,}+)[ \t]*\r?$"
        ),
    ),
    # password: |
    _named(
        *("word:\n", "word: |", "word: >", "phrase:\n", "phrase: |", "phrase: >"),
        *("secret:\n", "secret: |", "secret: >", "token:\n", "token: |", "token: >"),
        pattern=(
            r"^[ \t-]{0,40}[\w.-]{0,60}?(?:password|passphrase|secret|token):"
            r"[ \t]{0,8}(?:[|>][+-]?[ \t]{0,8})?\r?\n[ \t]{1,40}"
            rf"{_NO_REFERENCE}(?!\[redacted\])(?![\w.-]{{1,60}}:)([^\s\r\n#-][^\r\n]*)"
        ),
    ),
    # <password>…</password>
    _named(
        *("word>", "passwd>", "phrase>", "secret>", "token>", "key>", "credential"),
        pattern=rf"<[\w.:-]{{0,40}}?{_KEYWORD}>{_NO_REFERENCE}(?!\[redacted\])([^<>\r\n]{{1,512}})</",
    ),
    # the password is …
    _named(
        *("word is", "phrase is", "secret is", "token is", "key is"),
        pattern=(
            r"\b(?:password|passphrase|token|secret|api[ _-]?key) is[ \t]{0,8}:?[ \t]{1,8}"
            r"[\"'`]?((?=[^\s\d]{0,64}\d)(?=[^\sa-z]{0,64}[a-z])[^\s\"'`]{6,})"
        ),
    ),
)

RULES: tuple[RedactionRule, ...] = (*_KNOWN, *_NAMED)
"""All rules. Those that know a secret by its looks come first."""


def apply_rules(text: str) -> str:
    """Give the text without what any of the rules finds, each applied once."""
    folded = text.lower()
    found = 0
    for mark, hints in _HINTS_BY_MARK:
        if mark in folded:
            for hint, rules in hints:
                if hint in folded:
                    found |= rules
    if found:
        for index, rule in enumerate(RULES):
            if found >> index & 1:
                text = rule.apply(text)
    return text


def _hints_by_mark() -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """Give each hint once, with the set of the rules that have it, as bits.

    Hints that have a mark in common stand together, for one look tells that all are absent.
    """
    found: dict[str, int] = {}
    for index, rule in enumerate(RULES):
        for hint in rule.hints:
            found[hint] = found.get(hint, 0) | 1 << index
    by_mark: dict[str, list[tuple[str, int]]] = {}
    for hint, rules in found.items():
        mark = next((mark for mark in _MARKS if mark in hint), "")
        by_mark.setdefault(mark, []).append((hint, rules))
    return tuple((mark, tuple(hints)) for mark, hints in by_mark.items())


_MARKS = '_-:/=.>";\n '
_HINTS_BY_MARK = _hints_by_mark()
