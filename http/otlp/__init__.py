"""Traces, exported by OTLP over HTTP; off unless an address is set.

`spans` has what a span is and where its ids come from, `stories` makes spans of requests and
events, `encoding` writes them as OTLP's JSON, and `exporter` sends them from a bounded queue, so
that nobody ever waits for whoever receives them.
"""
