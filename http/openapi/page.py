"""The page at `/docs/openapi.html`: the OpenAPI document, as people read it.

It needs no script, no network, and nothing that the strict content security policy forbids.
"""

from __future__ import annotations

import json
import re
from typing import Any

from jinja2 import Environment

from command_center.actors.contracts.fields import NOT_BLANK
from command_center.http.wire.codec import LARGEST


def page_of(described: dict[str, Any]) -> str:
    """Render the document as a page."""
    operations = [
        {"method": method.upper(), "path": path, **told}
        for path, methods in described["paths"].items()
        for method, told in methods.items()
    ]
    groups = {
        tag["name"]: [each for each in operations if tag["name"] in each["tags"]]
        for tag in described["tags"]
    }
    return _template.render(
        info=described["info"],
        groups=groups,
        schemas=described["components"]["schemas"],
        refusals=described["components"]["responses"],
    )


def kind_of(schema: dict[str, Any]) -> list[dict[str, str | None]]:
    """Describe a schema in words, in pieces of which some lead to another schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [{"text": shown(name), "link": name}]
    if "anyOf" in schema:
        pieces: list[dict[str, str | None]] = []
        for choice in schema["anyOf"]:
            pieces += [{"text": " or ", "link": None}] if pieces else []
            pieces += kind_of(choice)
        return pieces
    if "enum" in schema:
        values = ", ".join("null" if value is None else str(value) for value in schema["enum"])
        return [{"text": f"one of {values}", "link": None}]
    if schema.get("type") == "array":
        return [{"text": "list of ", "link": None}, *kind_of(schema.get("items", {}))]
    text = schema.get("format") or schema.get("type") or "anything"
    text += ", not blank" if schema.get("pattern") == NOT_BLANK else ""
    text += f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    text += _bounds(schema)
    return [{"text": text, "link": None}]


def default_of(schema: dict[str, Any]) -> str | None:
    """Return what a field is unless it is given; None where that says nothing."""
    default = schema.get("default")
    if default is None or isinstance(default, dict | list | tuple):
        return None
    return default if isinstance(default, str) else json.dumps(default)


def pieces_of(text: str) -> list[str]:
    """Split a text into words and code, by turns; code stands in backticks."""
    return _CODE.split(text)


def shown(name: str) -> str:
    """Return a component's name as a person reads it."""
    page = _PAGE.fullmatch(name)
    return name if page is None else f"page of {page[1].lower() if page[1] == 'Any' else page[1]}"


def _bounds(schema: dict[str, Any]) -> str:
    """Describe the bounds of a number; nothing where they are those of all numbers."""
    least = schema.get("minimum", schema.get("exclusiveMinimum", -LARGEST))
    most = schema.get("maximum", LARGEST)
    if most < LARGEST:
        return f" from {least} to {most}"
    return f", at least {least}" if least > -LARGEST else ""


_PAGE = re.compile(r"Page_(\w+)_")
_CODE = re.compile(r"`([^`]+)`")


_TEMPLATE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ info.title }}: the API</title>
<link rel="icon" href="../web/icons/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="../web/styles/tokens.css">
<link rel="stylesheet" href="openapi.css">
{% macro kind(schema) -%}
{% for piece in schema | kind %}{% if piece.link -%}
<a href="#schema-{{ piece.link }}">{{ piece.text }}</a>
{%- else %}{{ piece.text }}{% endif %}{% endfor %}
{%- if (schema | default_of) is not none %}; <code>{{ schema | default_of }}</code> unless given\
{% endif %}
{%- endmacro %}
{% macro marked(text) -%}
{% for piece in text | pieces %}{% if loop.index is odd %}{{ piece }}{% else -%}
<code>{{ piece }}</code>{% endif %}{% endfor %}
{%- endmacro %}
{% macro about(text) %}{% if text %}<div class="about">{{ marked(text) }}</div>{% endif %}
{%- endmacro %}
<nav aria-label="Contents">
<ul>
<li><a href="index.html">← Documentation</a></li>
{% for tag in groups %}<li><a href="#{{ tag | replace(" ", "-") }}">{{ tag }}</a></li>
{% endfor %}<li><a href="#failures">Failures</a></li>
<li><a href="#schemas">Schemas</a></li>
</ul>
</nav>
<main>
<h1>{{ info.title }} {{ info.version }}</h1>
<p class="words">{{ marked(info.description) }}</p>
<p>For programs: <a href="../openapi.json">OpenAPI</a>, and
<a href="../asyncapi.json">AsyncAPI</a> of the streams.</p>
{% for tag, operations in groups.items() %}
<h2 id="{{ tag | replace(" ", "-") }}">{{ tag }}</h2>
{% for op in operations %}
<section id="{{ op.operationId }}">
<h3><code><b class="{{ op.method | lower }}">{{ op.method }}</b> {{ op.path }}</code></h3>
<p>{{ op.summary }}.</p>
{% if op.parameters %}<table>
<caption>Parameters</caption>
{% for p in op.parameters %}<tr><th scope="row"><code>{{ p.name }}</code> <small>{{ p.in }}\
{% if p.required %}, required{% endif %}</small></th>\
<td>{{ kind(p.schema) }}{{ about(p.description) }}</td></tr>
{% endfor %}</table>{% endif %}
{% if op.requestBody %}<p>Body: \
{{ kind((op.requestBody.content.values() | first).schema) }}</p>{% endif %}
<p>Answers: {% for status, answer in op.responses.items() %}{% if "$ref" in answer -%}
<a href="#failure-{{ status }}">{{ status }}</a>{% else -%}
<b>{{ status }}</b>{% if answer.content %} \
{% for type, told in answer.content.items() %}({% if type == "application/json" -%}
{{ kind(told.schema) }}{% else %}{{ type }}{% endif %}){% endfor %}{% endif %}{% endif -%}
{% if not loop.last %}, {% endif %}{% endfor %}</p>
</section>
{% endfor %}{% endfor %}
<h2 id="failures">Failures</h2>
<p>Each is an <a href="#schema-Error">Error</a>.</p>
<table>
{% for status, told in refusals.items() %}<tr id="failure-{{ status }}">\
<th scope="row">{{ status }}</th><td>{{ marked(told.description) }}</td></tr>
{% endfor %}</table>
<h2 id="schemas">Schemas</h2>
{% for name, schema in schemas.items() %}
<section id="schema-{{ name }}">
<h3><code>{{ name | shown }}</code></h3>
{% if schema.description %}<p class="words">{{ marked(schema.description) }}</p>{% endif %}
{% if schema.properties %}<table>
{% for field, told in schema.properties.items() %}<tr><th scope="row"><code>{{ field }}</code>\
{% if field not in schema.required | default([]) %} <small>optional</small>{% endif %}</th>\
<td>{{ kind(told) }}{{ about(told.description) }}</td></tr>
{% endfor %}</table>{% else %}<p>{{ kind(schema) }}</p>{% endif %}
</section>
{% endfor %}
</main>
</html>
"""

STYLE = """\
:root { font: 15px/1.5 var(--sans); }
a { color: var(--accent-text); }
code { font-family: var(--mono); }
body { margin: 0; display: grid; grid-template-columns: minmax(10rem, 14rem) minmax(0, 60rem); }
body { background: var(--ground); color: var(--text); }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; }
nav ul { list-style: none; padding: 1.5rem 1rem; margin: 0; }
main { padding: 1rem 1.5rem 4rem; }
section { border-top: 1px solid var(--line); padding: .25rem 0; scroll-margin-top: 1rem; }
h3 { margin: .75rem 0 .25rem; font-size: 1rem; overflow-wrap: anywhere; }
h3 b { display: inline-block; min-width: 4.5rem; }
.get { color: var(--good); } .post, .put { color: var(--live); }
.patch { color: var(--warn); } .delete { color: var(--bad); }
p { margin: .25rem 0; }
.words { white-space: pre-line; }
.about, small { color: var(--text-soft); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .9rem; }
caption { text-align: left; color: var(--text-soft); }
th, td { text-align: left; vertical-align: top; padding: .15rem .75rem .15rem 0; }
th { font-weight: normal; width: 18rem; overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; }
:target { outline: 2px solid var(--accent); outline-offset: 4px; }
@media (max-width: 48rem) {
  body { display: block; } nav { position: static; max-height: none; } th { width: 40%; }
}
"""

_environment = Environment(autoescape=True)
_environment.filters |= {
    "kind": kind_of,
    "default_of": default_of,
    "pieces": pieces_of,
    "shown": shown,
}
_template = _environment.from_string(_TEMPLATE)
