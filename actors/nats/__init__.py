"""A client of NATS and its JetStream, on trio: what a cluster of centres needs of it.

`wire` is the protocol without a socket, and `headers` what a message carries beside its payload.
`addresses` says where servers are, `credentials` who we are, and `connection` is one connection to
one server. `client` keeps one, whichever server it is with: publishing, requests, subscriptions.
On it stand `jetstream` (streams, and publishing that is acknowledged), `follower` (a stream
read in its order, with no gap and no repeat) and `objects` (things longer than a message). `errors`
has what goes wrong. docs/nats.md says what the client does not do.
"""
