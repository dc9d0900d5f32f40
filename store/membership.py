"""The file of a data folder that says of which cluster it is: its lock and its replication look."""

from typing import Final

MEMBERSHIP: Final = "cluster.json"
