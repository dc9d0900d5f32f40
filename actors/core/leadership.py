"""The request to the leader of a cluster to lead no more; in no cluster, nobody hears it."""

from __future__ import annotations

from command_center.runtime import Address, Request


class StepDown(Request[bool]):
    """Lead no more, so that another centre claims; answer False if this one does not lead."""


CLUSTER: Address[StepDown] = Address("/cluster")
