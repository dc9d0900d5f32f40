"""Secrets out of what is stored or shown.

`redact` takes them out of plain JSON, by the `patterns` of secrets in text; `streamed` takes them
out of a text that comes in pieces.
"""
