"""Monitoring addresses of NATS servers, at which they tell of themselves.

No client is told how a server keeps what it acknowledges. Its monitor tells it: ``/jsz`` in
https://docs.nats.io/running-a-nats-service/nats_admin/monitoring.
"""

from collections.abc import Sequence
from typing import Final

import httpx
import msgspec
import structlog

from command_center.actors.rules.cluster import ClusterRefused

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_SECONDS: Final = 3.0


class _JetStreamConfig(msgspec.Struct, frozen=True):
    """The part of a server's configuration that says when it flushes."""

    sync_always: bool = False


class _Monitored(msgspec.Struct, frozen=True):
    """A server's JetStream; it has no configuration where JetStream is off."""

    config: _JetStreamConfig = _JetStreamConfig()


async def refuse_unflushed(monitors: Sequence[str]) -> None:
    """Do nothing if each server that tells flushes all that it acknowledges.

    A server that does not answer may be down: the others do then.

    Raises:
        ClusterRefused: one does not flush always, or none tells.
    """
    reasons: dict[str, str] = {}
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
        for monitor in monitors:
            try:
                answer = (await http.get(f"{monitor}/jsz")).raise_for_status()
                found = msgspec.json.decode(answer.content, type=_Monitored)
            except (httpx.HTTPError, msgspec.DecodeError, UnicodeDecodeError) as error:
                reasons[monitor] = str(error) or type(error).__name__
                log.warning("cluster.monitor_silent", monitor=monitor, reason=reasons[monitor])
                continue
            if not found.config.sync_always:
                raise ClusterRefused(
                    f"The NATS server at {monitor} does not flush what it acknowledges: a loss of "
                    "power could take it back. Put sync_interval: always into its jetstream block, "
                    "and restart it."
                )
    if monitors and len(reasons) == len(monitors):
        told = "; ".join(f"{monitor}: {reason}" for monitor, reason in reasons.items())
        raise ClusterRefused(f"No NATS server tells how it keeps data. {told}")
