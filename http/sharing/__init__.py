"""A session as one document to share: Markdown, or a page that stands alone.

`story` reads a session and tells it as `blocks`, without secrets. `markdown` and `page` write
blocks, and `letters` takes from their words what is no text. `stream` sends them piece by piece, up
to a bound.
"""
