"""The endpoint for agents, by the Model Context Protocol: tools, resources and the way to them.

The tools are the operations of the API, by their own declarations, and are carried out as requests
are. So a tool may do what its caller's scopes let the operation do, and refuses what that refuses.

`server` answers each message, in one of the `sessions` of clients, or by itself where a revision
has none; `exchange` is one request in the words of its revision. `methods` are what it may ask for.
`tools` are the operations as an agent sees them, and `calls` carries one out, within the `bounds`
of an agent's token. `resources` are what can be read by an address, and `waiting` is the wait for a
session of the product's.
"""

from command_center.http.mcp.server import AgentEndpoint

__all__ = ["AgentEndpoint"]
