"""The program's settings: what there is, what each means, and where its value comes from.

A flag wins over the environment, the environment over the file, the file over the default. The
name `port` is `--port` as a flag, `CC_PORT` in the environment and `port` in the TOML file. What
is given must be right wherever it is given: an unknown name or a bad value stops the start, even
if another place overrides it, because a typing error that does nothing is worse than one that
is refused.

Names that begin with `CC_TEST_` belong to the test suite and are ignored here, as are names that
are not all upper case (compilers' wrappers use `CC_x86_64_…`).
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, cast, dataclass_transform, get_args

import attrs
import environ
import platformdirs

from command_center.http.config.parsers import (
    CLUSTER_NAME,
    COMMAND,
    CONTACT,
    FORGES,
    HIDDEN,
    HOST,
    HOSTS,
    KEEPING,
    NATS,
    NETWORKS,
    NUMBERS,
    OTLP_HEADERS,
    PATH,
    PATHS,
    SCHEDULE,
    SECRET_URLS,
    SIZE,
    TIME_ZONE,
    URLS,
    Parser,
    Secret,
    is_loopback,
    one_of,
    optional,
    secret,
    url,
    whole_number,
)
from command_center.store.records import Runner

Source: TypeAlias = Literal["flag", "environment", "file", "default"]

OF_COMMANDS = frozenset({"CC_CONFIG", "CC_SERVER", "CC_TOKEN"})
"""Variables of commands: which file they read, and which server they ask, by which token."""

_APPLICATION = "command-center"
_DAY = 24 * 60 * 60
_YEAR = 365 * _DAY

_BEARER = secret(r"[\x21-\x7e]+", "printable ASCII characters without spaces")
_BOT_TOKEN = secret(r"[0-9]+:[A-Za-z0-9_-]+", "a bot's token, as BotFather gives it")
_GITHUB_TOKEN = secret(r"[\x21-\x7e]{8,512}", "a token, as GitHub gives it")
_HOOK_SECRET = secret(r"[\x20-\x7e]{16,256}", "16 to 256 printable ASCII characters")
_PASSPHRASE = secret(r"[^\r\n]{12,1024}", "12 to 1024 characters on one line")
_WEBHOOK_SECRET = secret(r"[A-Za-z0-9_-]{1,256}", "1 to 256 letters, digits, _ or -")


class SettingsError(Exception):
    """The settings cannot be used; `problems` has one sentence for each thing that is wrong."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def _settings_class(cls: type[T]) -> type[T]:
    """Apply environ-config's class decorator, in a way that type checkers understand."""
    return environ.config(prefix="CC", frozen=True)(cls)


def _default_data_dir() -> Path:
    return platformdirs.user_data_path(_APPLICATION, appauthor=False)


@_settings_class
class Settings:
    """Every setting, parsed and consistent; frozen.

    Made by `load_settings`, or by keyword in tests. Raises `SettingsError` where two settings
    contradict each other, and `ValueError` where one is malformed.
    """

    host: str = environ.var(
        "127.0.0.1", HOST, help="Address to listen on. Any but loopback needs an API token."
    )
    port: int = environ.var(
        8787, whole_number(0, 65535), help="Port to listen on; 0 takes a free one."
    )
    data_dir: Path = environ.var(
        attrs.Factory(_default_data_dir),
        PATH,
        help="Folder of the database and its lock, made when missing.",
    )
    api_token: Secret | None = environ.var(
        None, optional(_BEARER), help="Bearer token that requests to /api/* must send."
    )
    allowed_hosts: tuple[str, ...] = environ.var(
        (), HOSTS, help="Further host names under which clients may reach the server."
    )
    trusted_proxies: tuple[str, ...] = environ.var(
        (),
        NETWORKS,
        help="Addresses or networks of proxies that are believed when they name their client.",
    )
    tls_cert: Path | None = environ.var(
        None, optional(PATH), help="Certificate with its chain (PEM), to speak https with."
    )
    tls_key: Path | None = environ.var(
        None, optional(PATH), help="Key of the certificate (PEM), for its owner alone."
    )
    tailscale: Literal["off", "serve"] = environ.var(
        "off",
        one_of("off", "serve"),
        help="serve has Tailscale lead here from its https address, in your tailnet alone.",
    )
    repo_roots: tuple[Path, ...] = environ.var(
        (), PATHS, help="Folders that repositories must lie in; empty allows any."
    )
    codex_runner_mode: Literal["auto"] | Runner = environ.var(
        "auto",
        one_of("auto", *get_args(Runner)),
        help="What runs a session; auto is app-server where Codex is found, else stub.",
    )
    codex_command: tuple[str, ...] = environ.var(
        ("codex",), COMMAND, help="Codex's program, with arguments if it needs some."
    )
    codex_transport: Literal["auto", "spawn", "proxy", "websocket"] = environ.var(
        "auto",
        one_of("auto", "spawn", "proxy", "websocket"),
        help="How to reach the app-server: auto joins one, or starts one that outlives the server; "
        "spawn starts one that ends with it; proxy and websocket join one.",
    )
    codex_socket: Path | None = environ.var(
        None, optional(PATH), help="Control socket to join; else Codex's own."
    )
    codex_url: str | None = environ.var(
        None, optional(url("ws", "wss")), help="Address for the websocket transport."
    )
    codex_ws_token_file: Path | None = environ.var(
        None, optional(PATH), help="File with the token for the websocket transport."
    )
    max_sessions: int = environ.var(
        4, whole_number(1, 1000), help="Sessions that may run at once; others wait."
    )
    approval_ttl_seconds: int = environ.var(
        _DAY, whole_number(1, _YEAR), help="Seconds that an approval waits before it expires."
    )
    approval_passkeys: Literal["off", "beyond-run"] = environ.var(
        "off",
        one_of("off", "beyond-run"),
        help="beyond-run has only a passkey approve what goes beyond its run's leave.",
    )
    import_threads: Literal["on", "off"] = environ.var(
        "on",
        one_of("on", "off"),
        help="on has what was said in Codex's stored threads copied, so that it can be searched.",
    )
    stall_seconds: int = environ.var(
        600,
        whole_number(0, _DAY),
        help="Seconds of silence after which a session counts as stalled; 0 never.",
    )
    setup_seconds: int = environ.var(
        900,
        whole_number(1, _DAY),
        help="Seconds that the set-up script of a worktree may take.",
    )
    timezone: str | None = environ.var(
        None, optional(TIME_ZONE), help="Time zone of automations; else the machine's."
    )
    backup_every: str | None = environ.var(
        None, optional(SCHEDULE), help="When a backup is made, such as daily@03:00; else never."
    )
    backup_keep: int = environ.var(
        7, whole_number(1, 1000), help="Backups of that schedule that are kept, the newest ones."
    )
    compress_days: int = environ.var(
        0,
        whole_number(0, 36500),
        help="Days after which the texts of events are compressed; 0 never.",
    )
    keep_events: str | None = environ.var(
        None,
        optional(KEEPING),
        help="Age or size beyond which the oldest events are removed, such as 365d,2GB.",
    )
    keep_transcripts: str | None = environ.var(
        None,
        optional(KEEPING),
        help="Age or size beyond which the oldest transcripts are removed, such as 365d,2GB.",
    )
    alarm_size: str = environ.var(
        "10GB", SIZE, help="Size of the database from which on that is told, or off."
    )
    backup_passphrase: Secret | None = environ.var(
        None, optional(_PASSPHRASE), help="Passphrase that closes every backup."
    )
    update_notice: Literal["off", "on"] = environ.var(
        "off",
        one_of("off", "on"),
        help="on asks the package index once a day whether a newer version is out, and tells.",
    )
    cluster: Secret | None = environ.var(
        None,
        optional(NATS),
        help="NATS servers by which several centres are one cluster: nats://HOST:4222,…",
    )
    cluster_name: str = environ.var(
        "centre", CLUSTER_NAME, help="Name of the cluster, the same on each of its centres."
    )
    cluster_key: Path | None = environ.var(
        None, optional(PATH), help="File with the key of the centres, the same on each of them."
    )
    cluster_credentials: Path | None = environ.var(
        None, optional(PATH), help="Credentials file, or file with an NKey's seed, for NATS."
    )
    cluster_ca: Path | None = environ.var(
        None, optional(PATH), help="Certificates (PEM) that NATS servers are trusted by."
    )
    cluster_cert: Path | None = environ.var(
        None, optional(PATH), help="Certificate (PEM) by which NATS servers know this centre."
    )
    cluster_cert_key: Path | None = environ.var(
        None, optional(PATH), help="Key of CC_CLUSTER_CERT, where it is not in the same file."
    )
    cluster_monitors: tuple[str, ...] = environ.var(
        (), URLS, help="Monitoring addresses of the NATS servers, which tell how they keep data."
    )
    cluster_url: str | None = environ.var(
        None,
        optional(url("https", "http")),
        help="Where clients reach this centre while it leads; else the first of its addresses.",
    )
    cluster_allow_single: Literal["off", "on"] = environ.var(
        "off",
        one_of("off", "on"),
        help="on lets one NATS server do, to try a cluster out: its disk is all that there is.",
    )
    telegram_mode: Literal["off", "webhook", "polling"] = environ.var(
        "off", one_of("off", "webhook", "polling"), help="How Telegram's updates come in."
    )
    telegram_bot_token: Secret | None = environ.var(
        None, optional(_BOT_TOKEN), help="The bot's token."
    )
    telegram_webhook_secret: Secret | None = environ.var(
        None, optional(_WEBHOOK_SECRET), help="Secret that Telegram sends with each update."
    )
    telegram_allowed_ids: tuple[int, ...] = environ.var(
        (), NUMBERS, help="Chat and user ids that the bot obeys."
    )
    telegram_api_base: str = environ.var(
        "https://api.telegram.org", url("https", "http"), help="Address of the Bot API."
    )
    github_token: Secret | None = environ.var(
        None, optional(_GITHUB_TOKEN), help="Token for GitHub; else that of `gh auth token`."
    )
    github_api_base: str = environ.var(
        "https://api.github.com", url("https", "http"), help="Address of GitHub's REST API."
    )
    forges: tuple[str, ...] = environ.var(
        (), FORGES, help="What self-hosted forges run: HOST=gitlab,…"
    )
    github_webhook_secret: Secret | None = environ.var(
        None, optional(_HOOK_SECRET), help="Secret that GitHub signs its deliveries with."
    )
    otlp_url: str | None = environ.var(
        None,
        optional(url("https", "http")),
        help="Receiver of traces by OTLP over HTTP, such as http://127.0.0.1:4318.",
    )
    otlp_headers: Secret | None = environ.var(
        None, optional(OTLP_HEADERS), help="Headers for it: NAME=VALUE, with commas between."
    )
    push_contact: str | None = environ.var(
        None,
        optional(CONTACT),
        help="Where push services reach you: mailto: and an address, or an https:// URL.",
    )
    push_private_addresses: Literal["refuse", "allow"] = environ.var(
        "refuse",
        one_of("refuse", "allow"),
        help="Push services at addresses that are not public, or without https.",
    )
    notify_urls: tuple[Secret, ...] = environ.var(
        (),
        SECRET_URLS,
        help="Where people are told, as URLs of Apprise with spaces between them.",
    )
    webhook_private_addresses: Literal["refuse", "allow"] = environ.var(
        "refuse",
        one_of("refuse", "allow"),
        help="Webhooks at addresses that are not public, or without https.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = environ.var(
        "info", one_of("debug", "info", "warning", "error"), help="Least level that is logged."
    )
    log_format: Literal["console", "json"] = environ.var(
        "console", one_of("console", "json"), help="Form of the log's lines."
    )
    log_file: Literal["auto", "off", "only"] = environ.var(
        "auto", one_of("auto", "off", "only"), help="Keep the log in the data folder, too."
    )

    def __attrs_post_init__(self) -> None:
        problems = tuple(_contradictions(self))
        if problems:
            raise SettingsError(*problems)


def _contradictions(settings: Settings) -> list[str]:
    """Return one sentence for each contradiction between settings."""
    problems = []
    if not is_loopback(settings.host) and settings.api_token is None:
        problems.append(
            f"CC_HOST is {settings.host}, which other machines can reach:"
            " set CC_API_TOKEN, or listen on 127.0.0.1."
        )
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, missing = "CC_TLS_CERT", "CC_TLS_KEY"
        if settings.tls_cert is None:
            given, missing = missing, given
        problems.append(f"{given} is set: set {missing} as well, or neither.")
    if settings.tailscale == "serve" and settings.api_token is None:
        problems.append(
            "CC_TAILSCALE is serve, and each device of the tailnet could come in: set CC_API_TOKEN."
        )
    if settings.approval_passkeys != "off" and settings.api_token is None:
        problems.append(
            f"CC_APPROVAL_PASSKEYS is {settings.approval_passkeys}, and nobody signs in here who "
            "could have a passkey: set CC_API_TOKEN."
        )
    if settings.codex_transport == "websocket" and settings.codex_url is None:
        problems.append("CC_CODEX_TRANSPORT is websocket: set CC_CODEX_URL.")
    problems.extend(_contradictions_of_cluster(settings))
    if settings.telegram_mode != "off" and settings.telegram_bot_token is None:
        problems.append(f"CC_TELEGRAM_MODE is {settings.telegram_mode}: set CC_TELEGRAM_BOT_TOKEN.")
    if settings.telegram_mode == "webhook" and settings.telegram_webhook_secret is None:
        problems.append("CC_TELEGRAM_MODE is webhook: set CC_TELEGRAM_WEBHOOK_SECRET.")
    return problems


def _contradictions_of_cluster(settings: Settings) -> list[str]:
    problems: list[str] = []
    if settings.cluster is None:
        return problems
    if settings.cluster_key is None:
        problems.append(
            "CC_CLUSTER is set: set CC_CLUSTER_KEY to a file that all its centres have, made by "
            "(umask 077 && openssl rand -hex 32 > cluster.key)."
        )
    if settings.cluster_cert_key is not None and settings.cluster_cert is None:
        problems.append("CC_CLUSTER_CERT_KEY is set: set CC_CLUSTER_CERT as well, or neither.")
    if not settings.cluster_monitors and settings.cluster_allow_single == "off":
        problems.append(
            "CC_CLUSTER is set: set CC_CLUSTER_MONITORS to the monitoring addresses of the NATS "
            "servers, such as http://n1:8222, which tell if they flush what they acknowledge."
        )
    return problems


@attrs.frozen
class SettingDeclaration:
    """One setting as declared: its names, its meaning and how its value is parsed."""

    name: str
    help: str
    parser: Parser[object]
    default: object

    @property
    def variable(self) -> str:
        """Return its name in the environment."""
        return f"CC_{self.name.upper()}"

    @property
    def flag(self) -> str:
        """Return its name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def is_secret(self) -> bool:
        """Return True if its value must never be shown."""
        return self.parser.form == "SECRET"


def _declarations() -> Mapping[str, SettingDeclaration]:
    """Read the declarations off the class, in its order."""
    fields = {
        field.name: field for field in attrs.fields(cast("type[attrs.AttrsInstance]", Settings))
    }
    helps: list[dict[str, str]] = environ.generate_help(Settings, formatter=list)  # type: ignore[assignment]
    return {
        name: SettingDeclaration(
            name, told["help_str"], cast("Parser[object]", field.converter), field.default
        )
        for (name, field), told in zip(fields.items(), helps, strict=True)
    }


DECLARATIONS = _declarations()


@attrs.frozen
class ResolvedSettings:
    """Settings, and for each by name where its value came from."""

    settings: Settings
    sources: Mapping[str, Source]
    config_file: Path | None
    """The file that was read, if there was one."""

    @classmethod
    def told_nothing(cls, settings: Settings) -> ResolvedSettings:
        """Return settings that a program made, as if they were its defaults."""
        return cls(settings, dict.fromkeys(DECLARATIONS, "default"), None)

    def shown(self, name: str) -> object:
        """Return a setting's value as it may be shown: JSON-able, secrets hidden."""
        return _shown(getattr(self.settings, name))

    def written(self, name: str) -> str:
        """Return a setting's value as the environment has it; an empty text for a secret."""
        declared, value = DECLARATIONS[name], getattr(self.settings, name)
        if declared.is_secret or value is None:
            return ""
        if not isinstance(value, tuple):
            return str(value)
        words = [str(part) for part in value]
        if declared.parser is COMMAND:
            return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
        return (os.pathsep if declared.parser is PATHS else ",").join(words)

    def contradictions(self, name: str, value: object) -> tuple[str, ...]:
        """Return why no server starts with another value of a setting, and the others as here."""
        try:
            attrs.evolve(cast("Any", self.settings), **{name: value})
        except SettingsError as error:
            return error.problems
        return ()


def _shown(value: object) -> object:
    match value:
        case Secret():
            return HIDDEN
        case Path():
            return str(value)
        case tuple():
            return [_shown(part) for part in value]
        case _:
            return value


def load_settings(
    variables: Mapping[str, str],
    flags: Mapping[str, object] | None = None,
    *,
    config_file: Path | None = None,
) -> Settings:
    """Return the settings as `resolve_settings` finds them."""
    return resolve_settings(variables, flags, config_file=config_file).settings


def resolve_settings(
    variables: Mapping[str, str],
    flags: Mapping[str, object] | None = None,
    *,
    config_file: Path | None = None,
) -> ResolvedSettings:
    """Put the settings together from everywhere that they may be given.

    Args:
        variables: the environment. A variable that is empty counts as not set.
        flags: what the command line gave, by setting name.
        config_file: the file to read; else the one that `CC_CONFIG` names; else `config.toml` in
            the user's configuration folder, if it exists.

    Raises:
        SettingsError: with every problem found, each naming the setting and where it was given.
    """
    problems: list[str] = []
    path, in_file = _read_config_file(variables, config_file, problems)
    layers: list[tuple[Source, dict[str, object]]] = [
        ("file", _known_in_file(in_file, path, problems)),
        ("environment", _known_in_environment(variables, problems)),
        ("flag", dict(flags or {})),
    ]
    sources: dict[str, Source] = dict.fromkeys(DECLARATIONS, "default")
    values: dict[str, object] = {}
    for source, layer in layers:
        for name, given in layer.items():
            declaration = DECLARATIONS[name]
            try:
                values[declaration.variable] = declaration.parser(given)
            except ValueError as error:
                problems.append(_bad_value(declaration, given, source, path, error))
            sources[name] = source
    if problems:
        raise SettingsError(*problems)
    settings = environ.to_config(Settings, cast("dict[str, str]", values))
    return ResolvedSettings(settings, sources, path)


def _bad_value(
    declaration: SettingDeclaration,
    given: object,
    source: Source,
    path: Path | None,
    error: ValueError,
) -> str:
    name = {
        "flag": declaration.flag,
        "environment": declaration.variable,
        "file": f"{declaration.name} in {path}",
    }[source]
    but_is = "" if declaration.is_secret else f", not {given!r}"
    return f"{name} {error}{but_is}."


def usual_config_file() -> Path:
    """Return the path of the file that is read, where it exists, when none is named."""
    return platformdirs.user_config_path(_APPLICATION, appauthor=False) / "config.toml"


def _read_config_file(
    variables: Mapping[str, str], named: Path | None, problems: list[str]
) -> tuple[Path | None, dict[str, object]]:
    """Return the file's path and content; only the file in the usual place may be missing."""
    if named is None and variables.get("CC_CONFIG"):
        try:
            named = Path(variables["CC_CONFIG"]).expanduser()
        except RuntimeError:  # the home of nobody
            problems.append(f"CC_CONFIG must be a path, not {variables['CC_CONFIG']!r}.")
            return None, {}
    path = named or usual_config_file()
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named is not None:
            problems.append(f"The configuration file {path} does not exist.")
    except OSError as error:
        problems.append(f"The configuration file {path} cannot be read: {error.strerror}.")
    except ValueError as error:  # broken TOML, or not UTF-8
        problems.append(f"The configuration file {path} is not valid TOML: {error}.")
    return None, {}


def _known_in_file(
    in_file: Mapping[str, object], path: Path | None, problems: list[str]
) -> dict[str, object]:
    known = {name: given for name, given in in_file.items() if name in DECLARATIONS}
    for name in in_file.keys() - known.keys():
        meant = name.lower().removeprefix("cc_").replace("-", "_")
        problems.append(f"{name} in {path} is not a setting.{_did_you_mean(meant, DECLARATIONS)}")
    return known


def _known_in_environment(variables: Mapping[str, str], problems: list[str]) -> dict[str, object]:
    names = {declaration.variable: name for name, declaration in DECLARATIONS.items()}
    known: dict[str, object] = {}
    for variable, given in sorted(variables.items()):
        if variable in names:
            if given:
                known[names[variable]] = given
        elif _is_ours(variable):
            problems.append(f"{variable} is not a setting.{_did_you_mean(variable, names)}")
    return known


def _is_ours(variable: str) -> bool:
    return (
        re.fullmatch(r"CC_[A-Z0-9_]+", variable) is not None
        and not variable.startswith("CC_TEST_")
        and variable not in OF_COMMANDS
    )


def _did_you_mean(name: str, names: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""
