"""Bodies, answers and failures on the wire: every other layer but `config` uses them.

`operation` declares an endpoint beside its handler. `codec` turns bodies and queries into structs,
and structs into bodies; `responses` are the answers that are no records, and `problems` is every
failure, in one shape. `caller` is who asks, and what they may do. `timestamps` reads times in a
query. `etags`, `compression` and `security_headers` are what an answer carries, and `event_stream`
is what one subscriber sees of the events, from which of the `positions` in the log on, with
`joined_deltas` where it asks for fewer of them; `streamed`
is the body of an answer that comes piece by piece. `mcp` has
the messages of the Model Context Protocol, and `leaving` is a client's before it has its answer.
`asgi` names the parts of ASGI; `quart_app` and
`quart_handlers` are what is left of Quart on a request's way.
"""
