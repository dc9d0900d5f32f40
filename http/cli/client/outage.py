"""A lost connection: said once, and once more when it is there again."""

from __future__ import annotations

from command_center.http.cli.client.terminal import complain, line_of
from command_center_client.errors import ClientError, NotReachable


class Outage:
    """Tells of a stream's losses; its methods are the stream's `on_open` and `on_loss`.

    A connection that can be made again at once is no outage: it is told of at the second failure.
    """

    def __init__(self) -> None:
        """Begin with a server that answers."""
        self._failures = 0

    def end(self) -> None:
        """Say that the server is back, if it was said to be away."""
        if self._failures > 1:
            complain("The server is back.")
        self._failures = 0

    def begin(self, problem: ClientError, _seconds: float) -> None:
        """Say what is wrong, unless that is said already; the stream goes on trying by itself."""
        self._failures += 1
        if self._failures == 2:  # noqa: PLR2004 - see above
            said = str(problem)
            if isinstance(problem, NotReachable):  # whose advice is for a server not yet begun
                said = f"The server at {problem.url} does not answer."
            complain(f"{line_of(said)} Trying again until it is back.")
