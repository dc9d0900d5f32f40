"""Redaction: what goes, what stays, and that it always ends well."""

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from command_center.store.redaction.patterns import _HINTS_BY_MARK, RULES, _without_secret
from command_center.store.redaction.redact import REDACTED, names_a_secret, redact

text = st.text(st.characters(), max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)
# Text made of what the rules look for, in every order.
telling_text = st.lists(
    st.sampled_from(
        [
            *("password", "token", "secret", "api_key", "API_TOKEN", "Authorization", "Bearer "),
            *(
                "basic ",
                "cookie",
                "login ",
                "x-",
                "--",
                "-u ",
                "sk-",
                "ghp_",
                "eyJabcdefgh1",
                "sig",
            ),
            *(
                "=",
                ":",
                '"',
                "'",
                "\\",
                " ",
                "\n",
                "@",
                "/",
                "?",
                "&",
                ";",
                ".",
                ",",
                "(",
                "[",
                "{",
            ),
            *("key=", "code=", "://", "http", "[redacted]", "a1b2c3", "hunter2xyz", "str", "$X"),
            *("A_PASS", "A_KEY", "ENV ", " is ", "<password>", "</", ": |\n ", ":\n ", "_auth"),
            *("docker login -p ", "mysql -p", ";pwd", "'Bearer ", "-passin pass:", "PRIVATE-TOKEN"),
            *("A" * 36, "1" * 9, "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"),
        ]
    ),
    max_size=14,
).map("".join)


def shape(value: Any) -> Any:
    """The value with every text made equal: what redaction must not change."""
    if isinstance(value, dict):
        return [shape(member) for member in value.values()]
    if isinstance(value, list):
        return [shape(element) for element in value]
    return "" if isinstance(value, str) else value


def texts(value: Any) -> list[str]:
    """Every text in the value, names of members included."""
    if isinstance(value, dict):
        return [*value, *(said for member in value.values() for said in texts(member))]
    if isinstance(value, list):
        return [said for element in value for said in texts(element)]
    return [value] if isinstance(value, str) else []


@given(json_values)
def test_the_shape_stays_and_the_original_is_untouched(value: Any) -> None:
    before = copy.deepcopy(value)
    clean = redact(value)
    assert shape(value) == shape(clean)
    assert repr(before) == repr(value)


@given(json_values)
def test_what_comes_out_is_json(value: Any) -> None:
    json.loads(msgspec.json.encode(redact(value)))


@given(json_values)
def test_to_redact_twice_changes_nothing_more(value: Any) -> None:
    once = redact(value)
    assert once == redact(once)


@given(telling_text)
@example("secretcc.bearer.:&-u ;private_key=://")
def test_to_redact_text_twice_changes_nothing_more(value: str) -> None:
    once = redact(value)
    assert once == redact(once)


@given(
    json_values,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=4).filter(
        lambda secret: not set(secret) & set(REDACTED)
    ),
)
def test_a_named_secret_is_nowhere_in_what_comes_out(value: Any, secret: str) -> None:
    document = {"a": [value, secret, f"x{secret}y"], f"k{secret}": 1, "plain": value}
    assert not [said for said in texts(redact(document, [secret])) if secret in said]


# Without vowels no word is a name that tells of a secret.
words = st.lists(st.text("bdfghjlmnq", min_size=1, max_size=8), max_size=4).map(" ".join)


@given(
    st.recursive(
        words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=6,
    )
)
def test_plain_words_stay_as_they_are(value: Any) -> None:
    assert value == redact(value)


SECRETS = {
    "openai": "sk-proj-Ab1" + "xYz0" * 10,
    "openai, old": "sk-" + "Ab1c" * 12,
    "anthropic": "sk-ant-api03-" + "Ab1c" * 12,
    "github": "ghp_" + "Ab1c" * 9,
    "github, fine": "github_pat_" + "Ab1_" * 20,
    "a device of ours": "ccd_" + "Ab1c" * 10 + "_-0",
    "gitlab": "glpat-" + "Ab1c" * 5,
    "slack": "xoxb-" + "123456789012-" * 2 + "abcdef",
    "aws": "AKIA" + "ABCD1234" * 2,
    "google": "AIza" + "Ab1c-" * 7,
    "stripe": "sk_live_" + "Ab1c" * 6,
    "npm": "npm_" + "Ab1c" * 9,
    "pypi": "pypi-" + "AgEIcHlwaS5vcmc" * 5,
    "hugging face": "hf_" + "Abcd" * 9,
    "telegram": "123456789:AA" + "Ab1-_" * 6 + "xyz",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g",
    "vault": "hvs." + "Ab1c" * 6,
    "gitlab, routable": "glpat-" + "Ab1c" * 7 + ".01.0a1b2c3d4",
    "notion": "ntn_" + "1Ab2" * 12,
    "figma": "figd_" + "Ab1c-" * 8,
    "atlassian": "ATATT3xFfGF0" + "Ab1c" * 40 + "=0A1B2C3D",
    "doppler": "dp.pt." + "Ab1c" * 11,
    "planetscale": "pscale_tkn_" + "Ab1c" * 10,
    "supabase": "sbp_" + "0a1b" * 10,
    "databricks": "dapi" + "0a1b" * 8,
    "postman": "PMAK-" + "0a1b2c" * 4 + "-" + "0a" * 17,
    "new relic": "NRAK-" + "ABC12" * 5,
    "grafana": "glc_" + "Ab1c" * 10,
    "sentry": "sntryu_" + "0a1b" * 16,
    "google, to refresh": "1//0" + "Ab1c-" * 10,
    "pem": "-----BEGIN EC PRIVATE KEY-----\nb3BlbnNz\nZXktdjEA\n-----END EC PRIVATE KEY-----",
}


@given(
    before=st.sampled_from(["", "see ", "(", "x = ", 'a="', "\n+", "https://api.example/bot"]),
    after=st.sampled_from(["", " and on", ")", '"', "\n-", "/getMe", "'", ", "]),
    kind=st.sampled_from(sorted(SECRETS)),
)
def test_a_secret_with_a_form_of_its_own_goes_wherever_it_is(
    before: str, after: str, kind: str
) -> None:
    if before.endswith("bot") and kind != "telegram":
        before = "/"
    clean = redact(f"{before}{SECRETS[kind]}{after}")
    assert f"{before}{REDACTED}{after}" == clean


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("export OPENAI_API_KEY=hunter2", "export OPENAI_API_KEY=[redacted]"),
        ("CC_API_TOKEN=x CC_PORT=8787", "CC_API_TOKEN=[redacted] CC_PORT=8787"),
        ('MY_SECRET="a b c" run', 'MY_SECRET="[redacted]" run'),
        ("password: hunter2", "password: [redacted]"),
        ("  db.password = correcthorse\n", "  db.password = [redacted]\n"),
        ('{"apiKey": "ab\\"cd", "x": 1}', '{"apiKey": "[redacted]", "x": 1}'),
        (r"{\"apiKey\": \"abcd\", \"y\": 1}", r"{\"apiKey\": \"[redacted]\", \"y\": 1}"),
        ("Authorization: Bearer abc", "Authorization: Bearer [redacted]"),
        ("curl -H 'authorization: basic YTpi' x", "curl -H 'authorization: basic [redacted]' x"),
        ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: [redacted]"),
        ("x-api-key: foo", "x-api-key: [redacted]"),
        ("X-Telegram-Bot-Api-Secret-Token: a_b", "X-Telegram-Bot-Api-Secret-Token: [redacted]"),
        ("postgres://bob:pw@db/x", "postgres://bob:[redacted]@db/x"),
        (
            "https://x-access-token:abc@github.com/a",
            "https://x-access-token:[redacted]@github.com/a",
        ),
        ("https://h/p?access_token=abc&page=2", "https://h/p?access_token=[redacted]&page=2"),
        ("gh auth --token abc -v", "gh auth --token [redacted] -v"),
        ("tool --password='a b'", "tool --password='[redacted]'"),
        ("curl -u bob:pw https://h", "curl -u bob:[redacted] https://h"),
        ("machine h login bob password pw", "machine h login bob password [redacted]"),
        ("//registry/:_authToken=abc123", "//registry/:_authToken=[redacted]"),
        ("AccountKey=abc+/def123==;Suffix=core", "AccountKey=[redacted];Suffix=core"),
        ("cc.v1, cc.bearer.c2VjcmV0", "cc.v1, cc.bearer.[redacted]"),
        (f"curl -b cc_signin=1798191660.{'0a' * 32} x", "curl -b cc_signin=[redacted] x"),
        ("curl -H 'PRIVATE-TOKEN: abcdefgh'", "curl -H 'PRIVATE-TOKEN: [redacted]'"),
        ("X-Hub-Signature-256: sha256=ab", "X-Hub-Signature-256: [redacted]"),
        ("//registry/:_authToken=0000-1111-2222", "//registry/:_authToken=[redacted]"),
        ('//registry/:_password="Ym9iOnB3"', '//registry/:_password="[redacted]"'),
        ("machine h\n  login bob\n  password pw1", "machine h\n  login bob\n  password [redacted]"),
        ("setx DB_PASSWORD hunter2", "setx DB_PASSWORD [redacted]"),
        ("ENV DB_PASSWORD hunter2", "ENV DB_PASSWORD [redacted]"),
        ("mysql://bob:ab#cd12@host/x", "mysql://bob:[redacted]@host/x"),
        ("https://bob:%40pw@host", "https://bob:[redacted]@host"),
        ("Server=h;Uid=bob;Pwd=hunter2;", "Server=h;Uid=bob;Pwd=[redacted];"),
        ("MYSQL_PWD=hunter2 mysql", "MYSQL_PWD=[redacted] mysql"),
        ("mysql -u root -phunter2 db", "mysql -u root -p[redacted] db"),
        ("docker login -u bob -p hunter2 h", "docker login -u bob -p [redacted] h"),
        ("openssl rsa -passin pass:hunter2", "openssl rsa -passin pass:[redacted]"),
        ('{"auths":{"r":{"auth":"Ym9iOnB3MTI="}}}', '{"auths":{"r":{"auth":"[redacted]"}}}'),
        ("client-key-data: LS0tLS1CRUdJTiBS", "client-key-data: [redacted]"),
        ("DB_PASS=hunter2", "DB_PASS=[redacted]"),
        ('SMTP_PASS: "a b c"', 'SMTP_PASS: "[redacted]"'),
        ("STRIPE_KEY=abc123def456", "STRIPE_KEY=[redacted]"),
        ("SECRET_KEY_BASE=abcdef", "SECRET_KEY_BASE=[redacted]"),
        ("  secret_key_base: 3b7cd727ee24\n", "  secret_key_base: [redacted]\n"),
        ("<password>hunter2</password>", "<password>[redacted]</password>"),
        ("password: |\n  two words\nuser: bob", "password: |\n  [redacted]\nuser: bob"),
        ("The password is hunter2.", "The password is [redacted]"),
        ("('authorization', 'Bearer abc')", "('authorization', 'Bearer [redacted]')"),
        (
            "Private-Lines: 2\nAAAA\nBBBB\nPrivate-MAC: 1f",
            "Private-Lines: 2\n[redacted]\nPrivate-MAC: 1f",
        ),
    ],
)
def test_a_secret_goes_and_what_names_it_stays(said: str, kept: str) -> None:
    assert kept == redact(said)


@pytest.mark.parametrize(
    "said",
    [
        "def login(self, token: str, *, password: str | None = None) -> Token:",
        "token = read_token()",
        "api_key = settings.api_key",
        "if token == 'x':",
        "API_TOKEN=$TOKEN run",
        "password: ${DB_PASSWORD}",
        "Authorization: Bearer <token>",
        "max_tokens=4096, total tokens: 512",
        "The bearer of this letter authenticates differently.",
        "sk-learn-is-a-library-for-python",
        "ssh://git@github.com/a/b.git",
        "git@github.com:a/b.git",
        "docker run -u 1000:1000 image",
        "https://example.com/a?page=2&code=200",
        "sha: 3f1d7c4e9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d",
        "2025-01-31T07:05:09.120Z",
        "thr_0199a213-81c0-7800-8aa1-bbab2a035a53",
        "550e8400-e29b-41d4-a716-446655440000",
        "app-server:01a2122b-1c59-77f0-8e88-4eda55572203:01a2122b-1cb6-7373-b4c4-137b6eed8a78",
        "sha256:" + "ab12" * 16,
        '"integrity": "sha512-' + "Ab1/" * 21 + '=="',
        "PWD=/srv/project",
        'password = input("Password: ")',
        "self.password = password",
        "credentials: 'include'",
        "PRIMARY_KEY=id CACHE_KEY=users-by-name",
        "mkdir -p a/b && docker run -p 8080:80 x && mysql --version",
        '{"auth": "required"}',
        "token:\n  description: what lets you in\n",
        "if token_type is bearer, the token is valid",
    ],
)
def test_what_only_resembles_a_secret_stays(said: str) -> None:
    assert said == redact(said)


def test_what_stands_under_a_telling_name_goes() -> None:
    value = {
        "apiKey": "x",
        "Authorization": ["Bearer y"],
        "credentials": {"user": "bob", "tries": 3, "ok": True, "none": None, "empty": ""},
        "password": 1234,
        "tokens": 512,
        "tokenUsage": {"inputTokens": 5, "outputTokens": 6},
        "isSecret": True,
        "nextPageToken": "abc",
        "env": [{"name": "GH_TOKEN", "value": "z"}, {"name": "PATH", "value": "/bin"}],
        "headers": [["Cookie", "a=b"], ["Accept", "text/html"]],
        "command": ["gh", "--token", "t", "--verbose", "auth"],
    }
    expected = {
        "apiKey": REDACTED,
        "Authorization": [REDACTED],
        "credentials": {"user": REDACTED, "tries": 3, "ok": True, "none": None, "empty": ""},
        "password": REDACTED,
        "tokens": 512,
        "tokenUsage": {"inputTokens": 5, "outputTokens": 6},
        "isSecret": True,
        "nextPageToken": "abc",
        "env": [{"name": "GH_TOKEN", "value": REDACTED}, {"name": "PATH", "value": "/bin"}],
        "headers": [["Cookie", REDACTED], ["Accept", "text/html"]],
        "command": ["gh", "--token", REDACTED, "--verbose", "auth"],
    }
    assert expected == redact(value)


@pytest.mark.parametrize(
    "name",
    ["token", "CC_API_TOKEN", "clientSecret", "x-api-key", "Set-Cookie", "secret_key_base"],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize("name", ["tokenUsage", "secretName", "key", "monkey", "id", "author", ""])
def test_other_names_are_not(name: str) -> None:
    assert not names_a_secret(name)


def test_members_whose_names_become_equal_are_all_kept() -> None:
    one, other = ("ghp_" + letter * 36 for letter in "ab")
    assert {REDACTED: 1, f"{REDACTED} (2)": 2} == redact({one: 1, other: 2})


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert "[redacted]!" == redact("abcdefgh!", ["abcd", "abcdefgh"])


def test_secrets_too_short_to_tell_are_ignored() -> None:
    assert "a cat" == redact("a cat", ["", "a", "cat"])


def test_what_is_nested_beyond_measure_goes_unread() -> None:
    deep: Any = "end"
    for _ in range(5000):
        deep = [deep]
    clean = redact(deep)
    for _ in range(200):
        (clean,) = clean
    assert clean == REDACTED


def test_tuples_stay_tuples() -> None:
    assert ("a", [REDACTED]) == redact(("a", ["ghp_" + "a" * 36]))


HOSTILE = [
    "sk-" * 30_000,
    "-eyJ" * 25_000,
    "token=a1" * 12_000 + "(",
    "x-" * 50_000,
    "-----BEGIN PRIVATE KEY-----" * 4_000,
    'token:"' * 14_000,
    "token" + "\\" * 100_000,
    'token="' + "\\" * 100_000,
    "password:" + " " * 100_000,
    "://a:" * 20_000,
    "?a&" * 30_000,
    "123456789:" * 10_000,
    "authorization:" * 7_000,
    "api_key" * 14_000,
    "cookie:" * 14_000,
    "Private-Lines: 1\n" * 6_000,
    "login a password " * 6_000,
    "docker login -" * 7_000,
    "mysql -" * 14_000,
    "password:\n " * 9_000,
    "password: |\n" + " " * 100_000,
    "<password>" * 10_000,
    "<" + "a" * 100_000,
    "ENV A_TOKEN " * 8_000,
    "A_PASS='" * 12_000,
    "A_KEY=" + "a" * 100_000,
    "dp.pt." * 16_000,
    "the password is " * 6_000,
]


@pytest.mark.parametrize("said", HOSTILE, ids=lambda said: repr(said[:12]))
@pytest.mark.timeout(20)
def test_text_made_to_be_slow_is_not(said: str) -> None:
    # A rule that is quadratic would take minutes over these.
    assert len(redact(said)) <= len(said) * 4


def test_each_rule_is_tried_wherever_one_of_its_hints_stands() -> None:
    looked_for = [hint for _, hints in _HINTS_BY_MARK for hint, _ in hints]
    assert sorted({hint for rule in RULES for hint in rule.hints}) == sorted(looked_for)
    for mark, hints in _HINTS_BY_MARK:
        assert all(mark in hint for hint, _ in hints)
    for index, rule in enumerate(RULES):
        found = {hint for _, hints in _HINTS_BY_MARK for hint, rules in hints if rules >> index & 1}
        assert set(rule.hints) == found


@given(telling_text)
@example("secretoken='hunter2'")
@example("Password: 'a'; \u0130 password: 'b'")
def test_a_rule_that_is_tried_where_it_may_begin_finds_the_same(text: str) -> None:
    for rule in RULES:
        assert rule.pattern.sub(_without_secret, text) == rule.apply(text)
