"""The app: every route under the one gate."""

from __future__ import annotations

from command_center.actors.center import Center
from command_center.http.middleware import metrics, signin
from command_center.http.middleware.gate import Policy, install_gate
from command_center.http.middleware.idempotency import install_idempotency
from command_center.http.middleware.location import install_locations
from command_center.http.middleware.request_log import install_observation
from command_center.http.openapi import routes as documents
from command_center.http.routes import (
    approvals,
    automations,
    codex,
    dashboard,
    events,
    followups,
    health,
    repos,
    runtime,
    search,
    sessions,
    tasks,
    telegram,
    telemetry,
)
from command_center.http.wire.codec import ActorPathConverter, IdConverter
from command_center.http.wire.compression import install_compression
from command_center.http.wire.etags import install_tags
from command_center.http.wire.problems import install_error_handlers
from command_center.http.wire.quart_app import Application

ROUTES = (
    health.routes,
    repos.routes,
    tasks.routes,
    sessions.routes,
    followups.routes,
    approvals.routes,
    automations.routes,
    codex.routes,
    search.routes,
    events.routes,
    runtime.routes,
    telegram.routes,
    telemetry.routes,
)
"""Each noun's routes."""


def create_app(center: Center, policy: Policy) -> Application:
    """The app that serves `center` to whom `policy` lets in."""
    app = Application(__name__)
    app.url_map.converters["id"] = IdConverter
    app.url_map.converters["actor"] = ActorPathConverter
    app.config["RESPONSE_TIMEOUT"] = None
    install_error_handlers(app)
    for routes in ROUTES:
        app.register_blueprint(routes(center))
    app.register_blueprint(signin.routes(policy.sign_ins))
    app.register_blueprint(dashboard.routes())
    app.register_blueprint(documents.routes(secured=policy.token is not None))
    counted = metrics.RequestMetrics()
    app.register_blueprint(metrics.routes(center, counted))
    install_compression(app)
    install_tags(app)
    install_idempotency(app, center.storage)
    install_locations(app)
    install_gate(app, policy)
    install_observation(app, counted, center.settings.secrets)
    return app
