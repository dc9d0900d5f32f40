"""From the socket to the app: listening, connections, and the HTTP on them.

`listen` binds the address and serves, in the seat that `hypercorn_worker` leaves; `accept` takes
connections, and each is a `connection`. On it come requests (`exchange`) or a WebSocket
(`websocket`); `channel` is what these need of it. `unsent` bounds what waits for all clients, and
`turns` what they do in one moment; `encryption` is TLS on all of them.
"""
