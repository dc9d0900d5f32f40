"""The documents: what the API is, for programs and for people.

`operations` lists every operation. `document` makes OpenAPI of it, `asyncapi` describes the
streams, and `schemas` makes JSON Schema of the structs of both. `page` renders `/docs`, and
`routes` serves all of them.
"""
