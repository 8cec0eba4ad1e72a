"""What can be set, with every default, and where a value may come from.

A TOML file is weaker than the environment (`SEATD_SECTION_KEY`), which is weaker than a flag of
`seatd serve`. All faults are found before the server starts, and told at once (`ConfigError`). Every
setting is explained in docs/configuration.md; a test fails when one is missing there.

A name that ends in `_s` here is written without it in files and variables, as a duration such as `25s`.
"""

from __future__ import annotations

import re
import secrets
import socket
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec import field

from seatd.config_rules import broken_rules
from seatd.notation import Address, Seconds, Secret, Url, read, shown

FLAGS = {
    "clients": "clients.listen",
    "admin": "admin.listen",
    "data": "store.data",
    "store": "store.url",
    "node": "node.name",
    "workers": "node.workers",
    "trust": "licenses.trust",
    "log-level": "log.level",
    "log-format": "log.format",
}
"""Flag of `seatd serve` (without its dashes) -> the setting it gives."""

_FLAG_OF = {setting: flag for flag, setting in FLAGS.items()}


def _written(attribute: str) -> str:
    return attribute if attribute.endswith("_per_s") else attribute.removesuffix("_s")


def _node_name() -> str:
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:48]
    return f"{host or 'node'}-{secrets.token_hex(3)}"


class Section(msgspec.Struct, frozen=True, kw_only=True, rename=_written):
    """Base of the sections below."""


class Clients(Section, frozen=True):
    """The listener that client apps connect to."""

    listen: Address = Address("0.0.0.0", 8470)  # noqa: S104 -- clients come from everywhere; admins do not
    allowed_origins: tuple[str, ...] = ()
    max_sessions: int = 15_000
    max_lag_s: Seconds = Seconds(3)
    max_hellos: int = 10_000
    per_address: int = 5000
    silent_per_address: int = 300
    connects_per_s: float = 50.0
    proxies: tuple[str, ...] = ()
    hello_timeout_s: Seconds = Seconds(5)
    tls_cert: Path | None = None
    tls_key: Path | None = None


class Admin(Section, frozen=True):
    """The listener of console, REST API, metrics and health, and what its sessions live by."""

    listen: Address = Address("127.0.0.1", 8471)
    public_url: str | None = None
    proxies: tuple[str, ...] = ()
    session_s: Seconds = Seconds(12 * 3600)
    idle_s: Seconds = Seconds(30 * 60)
    require_totp: bool = False


class Node(Section, frozen=True):
    """This process among its peers. `lease_s` is T of docs/configuration.md."""

    name: str = field(default_factory=_node_name)
    workers: int = 1
    lease_s: Seconds = Seconds(10)
    renew_s: Seconds = Seconds(2.5)
    drain_s: Seconds = Seconds(10)


class Sessions(Section, frozen=True):
    """Rules that every session lives by. `lease_s` is C, `linger_s` is G of docs/configuration.md."""

    beat_s: Seconds = Seconds(8)
    lease_s: Seconds = Seconds(24)
    linger_s: Seconds = Seconds(30)
    store_grace_s: Seconds = Seconds(15 * 60)
    strict: bool = False
    cooldown_s: Seconds = Seconds(60)
    tombstone_s: Seconds = Seconds(5 * 60)
    per_user: int = 20
    queue_limit: int = 200
    messages_per_s: float = 20.0
    messages_burst: int = 40
    requests_at_once: int = 4
    outbox_bytes: int = 131_072


class Store(Section, frozen=True):
    """Where the seats are kept. `recovery_s` is R, `old_primary_s` is Z of docs/configuration.md."""

    data: Path = Path("seatd-data")
    url: Url | None = None
    partitions: int = 64
    timeout_s: Seconds = Seconds(1.5)
    connect_timeout_s: Seconds = Seconds(0.5)
    durability: Literal["everysec", "always"] = "everysec"
    recovery_s: Seconds = Seconds(50)
    old_primary_s: Seconds = Seconds(11)


class Licenses(Section, frozen=True):
    """Whose license keys count (`trust`: PEM files), and what the products are (`catalog`: a TOML file)."""

    trust: tuple[Path, ...] = ()
    catalog: Path | None = None


class Tokens(Section, frozen=True):
    """How the tokens that clients bring are checked. Without any key, all are refused."""

    audience: str = "seatd"
    issuer: str | None = None
    leeway_s: Seconds = Seconds(30)
    keys: tuple[Path, ...] = ()
    jwks_url: Url | None = None
    hs256_secret: Secret | None = None


class Webhooks(Section, frozen=True):
    """What is sent to receivers that customers name, and where they may be."""

    timeout_s: Seconds = Seconds(10)
    allow_http: bool = False
    allow_private: bool = False


class Log(Section, frozen=True):
    """What is logged, and for whom."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Settings(Section, frozen=True):
    """All sections, and `sources`: for each setting that was given, the place it came from."""

    clients: Clients = Clients()
    admin: Admin = Admin()
    node: Node = field(default_factory=Node)
    sessions: Sessions = Sessions()
    store: Store = Store()
    licenses: Licenses = Licenses()
    tokens: Tokens = Tokens()
    webhooks: Webhooks = Webhooks()
    log: Log = Log()
    sources: Mapping[str, str] = {}


class ConfigError(Exception):
    """The configuration has faults. `errors`: one sentence each, with the place; no secret stands in them."""

    def __init__(self, errors: Sequence[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(errors))


class Row(NamedTuple):
    """One effective setting, as `seatd config show` prints it."""

    name: str
    value: str
    source: str


class Given(NamedTuple):
    """A value as it was written, and where."""

    raw: object
    place: str


_SECTIONS: Mapping[str, type[Section]] = {
    part.name: part.type for part in msgspec.structs.fields(Settings) if part.name != "sources"
}
_SETTINGS: Mapping[str, msgspec.structs.FieldInfo] = {
    f"{section}.{part.encode_name}": part
    for section, struct in _SECTIONS.items()
    for part in msgspec.structs.fields(struct)
}
_FROM_FILE = {
    f"{name}_file": name for name, part in _SETTINGS.items() if part.type in (Secret | None, Url | None)
}

_VARIABLE = re.compile(rf"SEATD_({'|'.join(_SECTIONS).upper()})_(\w+)")
# Not settings, though they look like it: our own SEATD_STORE_BIN, and what Kubernetes sets for a Service
# that is called seatd-admin or seatd-clients.
_NOT_OURS = re.compile(
    r"SEATD_STORE_BIN"
    r"|SEATD_[A-Z]+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


def load(
    config_file: Path | None,
    environ: Mapping[str, str],
    flags: Mapping[str, str | Sequence[str]],
) -> Settings:
    """The effective settings. `flags` are keyed as in `FLAGS`, or by the setting's own name.

    Raises `ConfigError` with every fault that was found.
    """
    faults: list[str] = []
    given: dict[str, Given] = {}
    for layer in (_in_file(config_file, faults), _in_environment(environ), _in_flags(flags)):
        given |= _settled(layer, faults)
    values = _read(given, faults)
    settings = _assembled(values, given)
    faults += _rule_faults(settings, given, faulty=given.keys() - values.keys())
    if faults:
        raise ConfigError(faults)
    return settings


def describe(settings: Settings) -> tuple[Row, ...]:
    """Every setting with its effective value and where it came from; secrets and passwords are masked."""
    return tuple(
        Row(name, shown(_value(settings, name)), settings.sources.get(name, "default")) for name in _SETTINGS
    )


def variable(name: str) -> str:
    """The environment variable of a setting: `node.lease` is given by `SEATD_NODE_LEASE`."""
    return "SEATD_" + name.replace(".", "_").upper()


def _value(settings: Settings, name: str) -> object:
    section = name.partition(".")[0]
    return getattr(getattr(settings, section), _SETTINGS[name].name)


def _read(given: Mapping[str, Given], faults: list[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, (raw, place) in given.items():
        try:
            values[name] = read(_SETTINGS[name].type, raw)
        except ValueError as fault:
            faults.append(f"{place}: {fault}")
    return values


def _rule_faults(settings: Settings, given: Mapping[str, Given], faulty: Set[str]) -> Iterator[str]:
    """Broken rules as sentences, without those that only a value already found faulty may have broken."""
    for rule in broken_rules(settings):
        if faulty.isdisjoint(rule.settings):
            places = [given[name].place for name in rule.settings if name in given]
            yield rule.text + (f" (given by {', '.join(places)})" if places else "")


def _assembled(values: Mapping[str, object], given: Mapping[str, Given]) -> Settings:
    parts: dict[str, dict[str, object]] = {section: {} for section in _SECTIONS}
    for name, value in values.items():
        parts[name.partition(".")[0]][_SETTINGS[name].name] = value
    sections = {section: _SECTIONS[section](**part) for section, part in parts.items()}
    sources = {name: place for name, (_, place) in given.items()}
    return msgspec.structs.replace(Settings(), sources=sources, **sections)


Layer = Iterator[tuple[str, object, str]]
"""Name, value as written, place; the name may end in `_file`."""


def _in_file(path: Path | None, faults: list[str]) -> Layer:
    for section, table in _document(path, faults).items():
        if section not in _SECTIONS:
            faults.append(f"{path}: [{section}]: there is no such section{_meant(section, _SECTIONS)}")
        elif not isinstance(table, dict):
            faults.append(f"{path}: {section}: must be a section, with its settings below [{section}]")
        else:
            for key, raw in table.items():
                yield f"{section}.{key}", raw, f"{path}: [{section}] {key}"


def _document(path: Path | None, faults: list[str]) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8")) if path else {}
    except OSError as fault:
        faults.append(f"{path}: cannot be read: {fault.strerror}")
    except ValueError as fault:  # TOML and UTF-8 alike; the text names line and column
        faults.append(f"{path}: {fault}")
    except RecursionError:
        faults.append(f"{path}: nested too deeply")
    return {}


def _in_environment(environ: Mapping[str, str]) -> Layer:
    for name, raw in environ.items():
        found = _VARIABLE.fullmatch(name)
        if found and not _NOT_OURS.fullmatch(name):
            yield f"{found[1]}.{found[2]}".lower(), raw, name


def _in_flags(flags: Mapping[str, str | Sequence[str]]) -> Layer:
    for flag, raw in flags.items():
        name = FLAGS.get(flag, flag)
        yield name, raw, f"--{_FLAG_OF.get(name, flag)}"


def _settled(layer: Layer, faults: list[str]) -> dict[str, Given]:
    """What one layer gives, by setting: `_file` variants read, unknown and doubled names told."""
    settled: dict[str, Given] = {}
    for written, raw, place in layer:
        name = _FROM_FILE.get(written, written)
        if name not in _SETTINGS:
            faults.append(f"{place}: there is no such setting{_meant(name, _SETTINGS)}")
        elif name in settled:
            faults.append(f"{place}: {settled[name].place} gives the same; keep one of them")
        else:
            settled[name] = Given(raw if name == written else _file_text(raw, place, faults), place)
    return settled


def _file_text(raw: object, place: str, faults: list[str]) -> str:
    """What stands in the file of a secret, without the white space around it; "" when it cannot be used."""
    try:
        text = Path(str(raw)).expanduser().read_text("utf-8").strip() if raw else ""
        problem = "is empty" if raw and not text else ""
    except (OSError, ValueError) as fault:  # ValueError: not UTF-8, or no possible file name
        text, problem = "", f"cannot be read: {getattr(fault, 'strerror', None) or 'not UTF-8 text'}"
    if problem:
        faults.append(f"{place}: the file {problem}")
    return text


def _meant(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, known, 1)
    if not close:
        return ""
    return f"; did you mean {close[0]}" + (f" ({variable(close[0])})?" if "." in close[0] else "?")
