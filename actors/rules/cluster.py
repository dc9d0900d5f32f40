"""The refusal of a start in a cluster, apart from all that only a cluster needs."""


class ClusterRefused(Exception):
    """The centre cannot be part of its cluster as it is; the text says why, and what to do."""
