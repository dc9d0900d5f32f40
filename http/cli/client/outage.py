"""A lost connection: said once, and once more when it is there again."""

from __future__ import annotations

from command_center.http.cli.client.terminal import complain, line_of
from command_center_client.errors import ClientError, NotReachable


class Outage:
    """Tells of a stream's losses; its methods are the stream's `on_open` and `on_loss`."""

    def __init__(self) -> None:
        """Begin with a server that answers."""
        self._is_on = False

    def end(self) -> None:
        """Say that the server is back, if it was away."""
        if self._is_on:
            complain("The server is back.")
        self._is_on = False

    def begin(self, problem: ClientError, _seconds: float) -> None:
        """Say what is wrong, unless that is said already; the stream goes on trying by itself."""
        if not self._is_on:
            said = str(problem)
            if isinstance(problem, NotReachable):  # whose advice is for a server not yet begun
                said = f"The server at {problem.url} does not answer."
            complain(f"{line_of(said)} Trying again until it is back.")
        self._is_on = True
