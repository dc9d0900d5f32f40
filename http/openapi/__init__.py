"""The documents: what the API is, for programs and for people.

`document` makes OpenAPI of the declarations of all operations, `asyncapi` describes the streams,
and `schemas` makes JSON Schema of the structs of both. `page` renders `/docs/openapi.html`, and
`routes` serves all of them.
"""
