"""A centre that survives its machine: its database, replicated by a stream of JetStream.

`stream_log` publishes the pieces of each commit, and knows when another centre has taken over.

Nothing of the server uses it yet: who leads, and how a standby begins, is not here.
"""
