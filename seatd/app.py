"""A node: everything is built here once, started and stopped in named steps."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
import time
from pathlib import Path
from typing import NamedTuple

import structlog
from aiohttp import web

from seatd import descriptors, serving, tracing
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
from seatd.store.connect import connect, subscriber
from seatd.store.embedded import EmbeddedStore
from seatd.store.engine import EngineError
from seatd.store.redis import Store
from seatd.store.url import weakness
from seatd.store.values import StoreUnavailable, WrongDeployment
from seatd.store.wakeups import Wakeups
from seatd.store_settings import connect_options, store_options
from seatd.web.address import PROXIES, networks
from seatd.web.auth import BadTokenFile, admin_token, operator_record, token_hash
from seatd.web.connect import ClientRules, make_client_app
from seatd.web.console import ConsoleOptions
from seatd.web.crowd import CONNECTED
from seatd.web.door import Bounds, Door
from seatd.web.fetch import fetch
from seatd.web.handler import Gate, Runner
from seatd.web.own_pages import make_own_app
from seatd.web.services import Services
from seatd.web.siblings import ALONE, Siblings
from seatd.web.site import make_admin_app
from seatd.web.weeks import Weeks

log = structlog.get_logger(__name__)

IDLE_S = 5.0
"""How long a connection may be silent before and between requests (aiohttp's own default is an hour)."""
STOP_S = 3.0
DOORS = {"clients": 2, "admin": 4}
"""One half, one quarter of the descriptors that are kept back from clients is out of reach for who comes to a listener."""

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


class Worker(NamedTuple):
    """What is different about a node that is one of several workers: the others, and whether the store that they were
    given is their supervisor's own."""

    siblings: Siblings
    owns_engine: bool


class Node:
    """One seatd process: its store, its hub, its two listeners. A `worker` shares these with others, and is found through
    its supervisor."""

    def __init__(self, settings: Settings, worker: Worker | None = None) -> None:
        self.settings = settings
        self.worker = worker
        self.catalog = Catalog.load(_text(settings.licenses.catalog))
        self.trust = TrustStore.from_pems((str(path), path.read_bytes()) for path in settings.licenses.trust)
        self.metrics = Metrics(self.catalog.products)
        self.tokens = TokenChecker(_token_options(settings), fetch)
        self._operator: TokenRecord | None = None
        self._steps = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Store, hub, listeners; the node is ready when this returns. On a failure everything started is stopped."""
        try:
            self._trace()
            self.url, vouched = await self._start_store()
            self.store = await self._join_store(vouched)
            self.hub = await self._start_hub()
            await self._register_admin()
            self.hub.on_found_again = self._register_admin
            self.clients, self.admin = await self._listen()
            self._steps.push_async_callback(drain, self.hub, self.deliveries)
            if self.worker is None:
                state = serving.write_state(self.settings, self, self.url)
                self._steps.callback(state.unlink, missing_ok=True)
        except BaseException:
            await self._steps.aclose()
            raise

    async def stop(self) -> None:
        """The same in reverse order: clients are sent on with their seats, then the store is let go of."""
        await self._steps.aclose()

    # -- steps ------------------------------------------------------------------------------------

    def _trace(self) -> None:
        end = tracing.begin(self.settings.node.name)
        if end is not None:
            self._steps.push_async_callback(asyncio.to_thread, end)

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
        settings = self.settings
        client = connect(self.url, connect_options(settings))
        store = Store(client, store_options(settings), on_call=self._note_call)
        is_ours = self.worker.owns_engine if self.worker else settings.store.url is None
        store.owns_engine = is_ours and settings.store.durability == "everysec"
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
        tracing.spent(f"store {verb}", taken_s)

    async def _start_hub(self) -> Hub:
        options = _hub_options(self.settings)
        wakeups = Wakeups(
            subscriber(self.url, connect_options(self.settings)),
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
        digest = token_hash(admin_token(self.settings.store.data))
        self._operator = self._operator or operator_record(
            f"admin.token of {self.settings.node.name}", int(time.time() * 1000), digest
        )
        await self.store.register_token(digest, self._operator)

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
            store_weakness=weakness(self.url),
            week_changes=weeks.of_licenses,
            customer_weeks=weeks.of_customers,
            siblings=self.worker.siblings if self.worker else ALONE,
        )
        if self.worker is not None:
            await self._tell_siblings(services, self.worker.siblings.own)
        rules = _client_rules(settings)
        admin = await self._serve("admin", make_admin_app(services), settings.admin.listen, None)
        clients = await self._serve(
            "clients", make_client_app(self.hub, rules), settings.clients.listen, _tls(settings)
        )
        if _unencrypted(settings):
            log.warning(
                "clients are not encrypted: give clients.tls_cert and clients.tls_key, or name in clients.proxies what speaks "
                "TLS before this listener"
            )
        return clients, admin

    async def _serve(
        self, name: str, app: web.Application, address: Address, tls: ssl.SSLContext | None
    ) -> str:
        runner = await self._runner(app)
        site = Door(
            runner,
            address.host,
            address.port,
            bounds=Bounds.of(DOORS[name], descriptors.limit()),
            on_shut=self.metrics.doors_shut_total.labels(name).inc,
            admission=self.hub.admission if name == "clients" else None,
            tls=tls,
            shared=True if self.worker else None,
        )
        try:
            await site.start()
        except OSError as error:
            raise serving.cannot_listen(address, error) from error
        return str(Address(address.host, int(runner.addresses[0][1])))

    async def _tell_siblings(self, services: Services, place: Path) -> None:
        await web.UnixSite(await self._runner(make_own_app(services)), place).start()

    async def _runner(self, app: web.Application) -> web.AppRunner:
        gate = Gate(
            note_malformed=self.metrics.refused_total.labels("malformed").inc,
            note_crowded=self.metrics.shed_total.labels("address").inc,
            crowd=app.get(CONNECTED),
            proxies=app.get(PROXIES, ()),
        )
        runner = Runner(app, gate, keepalive_timeout=IDLE_S, shutdown_timeout=STOP_S)
        await runner.setup()
        self._steps.push_async_callback(runner.cleanup)
        return runner


def run(settings: Settings) -> int:
    """Runs a node until it is told to stop; the process's exit code."""
    return serving.run(settings, lambda: Node(settings), FAILURES, serving.uvloop_factory())


def _unencrypted(settings: Settings) -> bool:
    """Whether clients' tokens cross a network in the clear, as far as one can tell."""
    clients = settings.clients
    local = clients.listen.host in ("127.0.0.1", "::1", "localhost")
    return clients.tls_cert is None and not clients.proxies and not local


def _client_rules(settings: Settings) -> ClientRules:
    clients = settings.clients
    return ClientRules(
        allowed_origins=frozenset(clients.allowed_origins),
        proxies=networks(clients.proxies),
        per_address=clients.per_address,
        silent_per_address=clients.silent_per_address,
        connects_per_s=clients.connects_per_s,
    )


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
        max_lag_s=settings.clients.max_lag_s,
        max_hellos=settings.clients.max_hellos,
        remember_s=sessions.tombstone_s,
        per_user=sessions.per_user,
        queue_limit=sessions.queue_limit,
        outbox_bytes=sessions.outbox_bytes,
        messages_per_s=sessions.messages_per_s,
        burst=sessions.messages_burst,
        requests_at_once=sessions.requests_at_once,
        token_leeway_s=settings.tokens.leeway_s,
    )
