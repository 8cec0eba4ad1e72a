"""A node: everything is built here once, started and stopped in named steps."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import socket
import ssl
import sys
import time
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from seatd import descriptors, logs
from seatd.config import Settings
from seatd.hub.hub import Hub
from seatd.hub.options import HubOptions
from seatd.hub.tokens import TokenChecker, TokenOptions
from seatd.licensing.catalog import BadCatalog, Catalog
from seatd.licensing.trust import BadTrustAnchor, TrustStore
from seatd.metrics import Metrics
from seatd.notation import Address, mask_passwords
from seatd.sending import drain, start_sending
from seatd.store.access_values import TokenRecord
from seatd.store.connect import ConnectOptions, connect, subscriber
from seatd.store.embedded import EmbeddedStore
from seatd.store.engine import EngineError
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable, WrongDeployment
from seatd.store.verbs import StoreOptions
from seatd.store.wakeups import Wakeups
from seatd.web.auth import BadTokenFile, admin_token, operator_record, token_hash
from seatd.web.connect import make_client_app
from seatd.web.console import ConsoleOptions
from seatd.web.fetch import fetch
from seatd.web.services import Services
from seatd.web.site import make_admin_app
from seatd.web.weeks import Weeks

log = structlog.get_logger(__name__)

BACKLOG = 4096
"""Connections that may wait for the first turn of a reconnecting crowd."""
IDLE_S = 5.0
"""How long a connection may be silent before and between requests (aiohttp's own default is an hour)."""
STOP_S = 3.0

FAILURES = (
    EngineError,
    StoreUnavailable,
    WrongDeployment,
    BadTrustAnchor,
    BadCatalog,
    BadTokenFile,
    OSError,
    ValueError,
)
"""What can keep a node from starting through no fault of the program: told in one sentence."""


class Node:
    """One seatd process: its store, its hub, its two listeners."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalog = Catalog.load(_text(settings.licenses.catalog))
        self.trust = TrustStore.from_pems((str(path), path.read_bytes()) for path in settings.licenses.trust)
        self.metrics = Metrics(self.catalog.products)
        self.tokens = TokenChecker(_token_options(settings), fetch)
        self._operator: TokenRecord | None = None
        self._steps = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Store, hub, listeners; the node is ready when this returns. On a failure everything started is stopped."""
        try:
            self.url, vouched = await self._start_store()
            self.store = await self._join_store(vouched)
            self.hub = await self._start_hub()
            await self._register_admin()
            self.hub.on_found_again = self._register_admin
            self.clients, self.admin = await self._listen()
            self._steps.push_async_callback(drain, self.hub, self.deliveries)
            self._write_state()
        except BaseException:
            await self._steps.aclose()
            raise

    async def stop(self) -> None:
        """The same in reverse order: clients are sent on with their seats, then the store is let go of."""
        await self._steps.aclose()

    # -- steps ------------------------------------------------------------------------------------

    async def _start_store(self) -> tuple[str, str]:
        """The store's URL, and the run of our own engine for whose data we can vouch (or "")."""
        options = self.settings.store
        options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if options.url is not None:
            return str(options.url), ""
        engine = EmbeddedStore(options.data, durability=options.durability)
        engine.on_restart = lambda: self.store.vouch(engine.previous_replid)
        url = await engine.start()
        self._steps.push_async_callback(engine.stop)
        return url, engine.previous_replid if engine.intact else ""

    async def _join_store(self, vouched: str) -> Store:
        settings, times = self.settings, self._connect_options()
        client = connect(self.url, times)
        store = Store(client, _store_options(settings), on_call=self._note_call)
        store.owns_engine = settings.store.url is None and settings.store.durability == "everysec"
        self._steps.push_async_callback(store.close_client)
        try:
            await store.join()
        except StoreUnavailable as error:
            where = mask_passwords(self.url)
            raise StoreUnavailable(f"the store at {where} does not answer: {error}") from error
        if vouched:
            await store.vouch(vouched)
        return store

    def _note_call(self, verb: str, taken_s: float) -> None:
        self.metrics.script_seconds.labels(verb).observe(taken_s)

    async def _start_hub(self) -> Hub:
        options = _hub_options(self.settings)
        wakeups = Wakeups(
            subscriber(self.url, self._connect_options()),
            options.node,
            publish=self.store.publish,
            every_s=options.renew_s,
            on_echo=self.metrics.wakeup_echo_seconds.observe,
        )
        hub = Hub(self.store, wakeups, self.catalog, self.tokens, self.metrics, options)
        self._steps.push_async_callback(self.tokens.close)
        await hub.start()
        self._steps.push_async_callback(hub.stop)
        if options.max_connections < options.max_sessions:
            log.warning(
                "fewer clients fit than clients.max_sessions: raise the limit of descriptors (LimitNOFILE, ulimit -n)",
                fit=options.max_connections,
                max_sessions=options.max_sessions,
                descriptors=descriptors.limit(),
            )
        if not self.tokens.configured:
            log.warning("no client token keys are configured: every hello will be refused")
        if not len(self.trust):
            log.warning("no vendor keys are trusted: no license key can be imported")
        return hub

    async def _register_admin(self) -> None:
        token = admin_token(self.settings.store.data)
        self._operator = self._operator or operator_record(
            f"admin.token of {self.settings.node.name}", int(time.time() * 1000)
        )
        await self.store.register_token(token_hash(token), self._operator)

    async def _listen(self) -> tuple[str, str]:
        settings, weeks = self.settings, Weeks(self.store)
        sender, self.deliveries = start_sending(settings, self.hub)
        services = Services(
            store=self.store,
            hub=self.hub,
            metrics=self.metrics,
            catalog=self.catalog,
            trust=self.trust,
            cooldown_s=int(settings.sessions.cooldown_s),
            console=_console_options(settings),
            webhooks=sender,
            admin_host=settings.admin.listen.host,
            week_changes=weeks.of_licenses,
            customer_weeks=weeks.of_customers,
        )
        origins = frozenset(settings.clients.allowed_origins)
        admin = await self._serve(make_admin_app(services), settings.admin.listen, None)
        clients = await self._serve(
            make_client_app(self.hub, origins), settings.clients.listen, _tls(settings)
        )
        return clients, admin

    async def _serve(self, app: web.Application, address: Address, tls: ssl.SSLContext | None) -> str:
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=IDLE_S, shutdown_timeout=STOP_S)
        await runner.setup()
        self._steps.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, address.host, address.port, ssl_context=tls, backlog=BACKLOG)
        try:
            await site.start()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise OSError(f"cannot listen on {address}: {why}") from error
        return str(Address(address.host, int(runner.addresses[0][1])))

    def _write_state(self) -> None:
        """`seatd.json`: where this node is to be found, for the command line and for further nodes."""
        path = self.settings.store.data / "seatd.json"
        state = {
            "clients": self.clients,
            "admin": self.admin,
            "node": self.settings.node.name,
            "pid": os.getpid(),
            "store": self.url,
        }
        draft = path.with_suffix(".new")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(state)) + b"\n")
        draft.replace(path)
        self._steps.callback(path.unlink, missing_ok=True)

    def _connect_options(self) -> ConnectOptions:
        options = self.settings.store
        return ConnectOptions(timeout_s=options.timeout_s, connect_timeout_s=options.connect_timeout_s)


def run(settings: Settings) -> int:
    """Runs a node until it is told to stop; the process's exit code."""
    logs.configure(settings.log.level, settings.log.format)
    descriptors.raise_limit()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_run(settings))
    except KeyboardInterrupt:
        return 0


async def _run(settings: Settings) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_end, stopped)
    try:
        node = Node(settings)
        await node.start()
    except FAILURES as error:
        print(f"seatd: {error}", file=sys.stderr)
        return 1
    gc.collect()
    gc.freeze()
    print(f"seatd ready clients={node.clients} admin={node.admin} node={settings.node.name}", flush=True)
    notify("READY=1")
    await stopped.wait()
    log.info("stopping")
    notify("STOPPING=1")
    await node.stop()
    return 0


def _stop_or_end(stopped: asyncio.Event) -> None:
    """The first signal stops in order; the second one ends the process now."""
    if stopped.is_set():
        os._exit(1)
    stopped.set()


def notify(state: str) -> None:
    """Tells systemd, when it is the one that started us (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        if address.startswith("@"):
            address = "\0" + address[1:]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire, contextlib.suppress(OSError):
            wire.sendto(state.encode(), address)


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # no wheel for this platform: asyncio's own loop does the same, slower
        return None
    return uvloop.Loop


def _text(path: Path | None) -> str | None:
    return None if path is None else path.read_text("utf-8")


def _tls(settings: Settings) -> ssl.SSLContext | None:
    clients = settings.clients
    if clients.tls_cert is None or clients.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(clients.tls_cert, clients.tls_key)
    return context


def _token_options(settings: Settings) -> TokenOptions:
    tokens = settings.tokens
    return TokenOptions(
        audience=tokens.audience,
        issuer=tokens.issuer,
        leeway_s=int(tokens.leeway_s),
        hs256_secret=tokens.hs256_secret,
        keys=tokens.keys,
        jwks_url=tokens.jwks_url,
    )


def _console_options(settings: Settings) -> ConsoleOptions:
    admin = settings.admin
    return ConsoleOptions(
        session_ms=round(admin.session_s * 1000),
        idle_ms=round(admin.idle_s * 1000),
        require_totp=admin.require_totp,
        public_url=admin.public_url or "",
        proxies=admin.proxies,
    )


def _store_options(settings: Settings) -> StoreOptions:
    return StoreOptions(
        partitions=settings.store.partitions,
        node_lease_ms=round(settings.node.lease_s * 1000),
        client_lease_ms=round(settings.sessions.lease_s * 1000),
        linger_ms=round(settings.sessions.linger_s * 1000),
        tomb_ms=round(settings.sessions.tombstone_s * 1000),
        recovery_ms=round(settings.store.recovery_s * 1000),
        old_primary_ms=round(settings.store.old_primary_s * 1000),
    )


def _hub_options(settings: Settings) -> HubOptions:
    sessions = settings.sessions
    return HubOptions(
        name=settings.node.name,
        node=f"{settings.node.name}~{secrets.token_hex(4)}",
        lease_s=settings.node.lease_s,
        renew_s=settings.node.renew_s,
        drain_s=settings.node.drain_s,
        beat_s=sessions.beat_s,
        client_lease_s=sessions.lease_s,
        linger_s=sessions.linger_s,
        store_grace_s=sessions.store_grace_s,
        strict=sessions.strict,
        hello_timeout_s=settings.clients.hello_timeout_s,
        max_sessions=settings.clients.max_sessions,
        max_connections=descriptors.room(descriptors.limit()),
        remember_s=sessions.tombstone_s,
        per_user=sessions.per_user,
        queue_limit=sessions.queue_limit,
        outbox_bytes=sessions.outbox_bytes,
        messages_per_s=sessions.messages_per_s,
        burst=sessions.messages_burst,
        token_leeway_s=settings.tokens.leeway_s,
    )
