"""Errors of a cluster: a leaf class for each, its facts as attributes."""


class UnreadableSign(Exception):
    """A sign in the stream was not sealed with our key."""

    def __init__(self) -> None:
        super().__init__(
            "The stream of the cluster has what was not closed with this centre's key: see that "
            "CC_CLUSTER_KEY is the same file on all centres."
        )
