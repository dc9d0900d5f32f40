"""The app: every route under the one gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from quart_trio import QuartTrio

from command_center.actors.center import Center
from command_center.http.config.settings import ResolvedSettings, Settings
from command_center.http.doctor.check import Subject
from command_center.http.doctor.clinic import Clinic
from command_center.http.documentation.routes import routes as documentation
from command_center.http.mcp import AgentEndpoint
from command_center.http.middleware.authorization import authorized, authorized_socket
from command_center.http.middleware.gate import Policy, install_gate
from command_center.http.middleware.idempotency import IdempotencyKeys
from command_center.http.middleware.location import located
from command_center.http.middleware.metrics import RequestMetrics
from command_center.http.middleware.request_log import install_request_log
from command_center.http.openapi import routes as documents
from command_center.http.otlp.exporter import Exporter
from command_center.http.routes import (
    dashboard,
    doctor,
    health,
    host_links,
    mcp,
    metrics,
    pairing,
    passkeys,
    settings,
    signin,
)
from command_center.http.routes.certificate import certificate_routes
from command_center.http.routes.table import APIS
from command_center.http.wire.codec import (
    ActorPathConverter,
    IdConverter,
    PromptNameConverter,
    ThreadConverter,
)
from command_center.http.wire.compression import install_compression
from command_center.http.wire.etags import install_etags
from command_center.http.wire.operation import Api, Operation, View
from command_center.http.wire.problems import install_error_handlers
from command_center.http.wire.quart_app import Application


def create_app(
    center: Center,
    policy: Policy,
    urls: Callable[[], Sequence[str]] = tuple,
    resolved: ResolvedSettings | None = None,
    exporter: Exporter | None = None,
    *,
    cluster: Callable[[], Mapping[str, Any]] = dict,
) -> Application:
    """Return the app that serves `center` to whom `policy` lets in.

    `urls` tells the addresses under which the page can be opened. The settings are those that were
    `resolved`; if they are left out, those of who set nothing but the data folder. `exporter` sends
    traces. `cluster` tells who leads the cluster that this server is one of, if it is one of any.
    """
    if resolved is None:
        resolved = ResolvedSettings.told_nothing(Settings(data_dir=center.settings.data_dir))
    app = Application(__name__)
    app.url_map.converters["id"] = IdConverter
    app.url_map.converters["actor"] = ActorPathConverter
    app.url_map.converters["thread"] = ThreadConverter
    app.url_map.converters["prompt"] = PromptNameConverter
    app.config["RESPONSE_TIMEOUT"] = None
    install_error_handlers(app)
    counted = RequestMetrics()
    credentials = policy.credentials(center.roster)
    center.system.observe(counted.signalled)
    served: dict[Api[Any], object] = {
        health.api: health.Probe(center, cluster),
        metrics.api: metrics.Scraped(center, counted, cluster),
        signin.api: credentials,
        pairing.api: pairing.Doorway(center, credentials, policy.counter("pairing codes"), urls),
        host_links.api: host_links.HostDoor(center, policy.counter("keys and codes of hosts")),
        mcp.api: AgentEndpoint.of(app, center, policy.sign_in_key),
        doctor.api: Clinic(
            Subject(
                settings=resolved.settings,
                center=center,
                urls=urls,
            )
        ),
        settings.api: resolved,
        passkeys.api: pairing.Doorway(center, credentials, policy.counter("passkeys"), urls),
    }
    keys = IdempotencyKeys(center.storage)
    for api in APIS:
        install(app, api, served.get(api, center), keys)
    app.register_blueprint(dashboard.routes())
    app.register_blueprint(certificate_routes(center.settings.data_dir))
    app.register_blueprint(documentation())
    app.register_blueprint(documents.routes(secured=policy.token is not None))
    install_compression(app)
    install_etags(app)
    install_gate(app, policy, credentials)
    if exporter is not None:
        exporter.count = counted.exported
    exported = None if exporter is None else exporter.answered
    install_request_log(app, counted, center.settings.secrets, exported)
    return app


def install(
    app: QuartTrio, api: Api[Any], served: object, keys: IdempotencyKeys | None = None
) -> None:
    """Add an api's endpoints to an app; `served` is what their handlers answer from."""
    for operation in api.operations:
        view = _wrapped(operation, operation.view(served), keys)
        app.add_url_rule(operation.rule, operation.id, view, methods=[operation.method])
    for socket in api.sockets:
        converse = authorized_socket(socket, socket.view(served))
        app.add_websocket(socket.rule, socket.id, converse)


def _wrapped(operation: Operation, view: View, keys: IdempotencyKeys | None) -> View:
    if keys is not None and operation.is_done_once:
        view = keys.once(operation, view)
    if operation.location is not None:
        view = located(view, operation.location)
    return authorized(operation, view)
