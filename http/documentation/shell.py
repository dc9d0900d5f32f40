"""The frame of a page: the contents of the whole, those of the page, and the way on.

It has no script or style of its own, as the content security policy wants. All addresses are
relative, so that the files work below any path.
"""

from __future__ import annotations

from jinja2 import Environment

from command_center.http.documentation.contents import (
    START,
    address_of,
    kind_of,
    kinds,
    names,
    text_of,
)
from command_center.http.documentation.markdown import RenderedPage, page_of

API = "openapi.html"
"""The page of every operation, which is made of the declarations."""


def shown(name: str, *, is_served: bool = True) -> str:
    """Return a page with all that lies around it; `is_served` by the program itself."""
    page = page_of(name, text_of(name))
    order = names()
    at = order.index(name)
    return _template.render(
        page=page,
        kind=kind_of().get(name),
        kinds=kinds(),
        up=_up(page),
        start=START,
        api=API,
        address_of=address_of,
        is_served=is_served,
        before=_titled(order[at - 1]) if at else None,
        after=_titled(order[at + 1]) if at + 1 < len(order) else None,
    )


def _titled(name: str) -> tuple[str, str]:
    told = {entry.name: entry.title for kind in kinds() for entry in kind.entries}
    first = text_of(name).partition("\n")[0].removeprefix("# ")
    return address_of(name), told.get(name, first)


def _up(page: RenderedPage) -> str:
    """Return the way from a page to `/docs/`."""
    return "../" * page.name.count("/")


_TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ page.title }} · Command Center</title>
<meta name="color-scheme" content="light dark">
<link rel="icon" href="{{ up }}../web/icons/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{ up }}../web/styles/tokens.css">
<link rel="stylesheet" href="{{ up }}../web/styles/base.css">
<link rel="stylesheet" href="{{ up }}../web/documentation/site.css">
<script type="module" src="{{ up }}../web/documentation/site.js"></script>
</head>
<body>
<a class="skip" href="#page">Skip to the page</a>
<header>
<a class="brand" href="{{ up }}index.html">Command Center <span>Docs</span></a>
<search>
<input id="search" type="search" placeholder="Search" aria-label="Search the documentation" \
autocomplete="off" data-index="{{ up }}search.json" data-up="{{ up }}">
<div id="found" role="region" aria-label="Found" aria-live="polite" hidden></div>
</search>
{% if is_served %}<a class="app" href="{{ up }}..">Open the page</a>{% endif %}
</header>
<div class="frame">
<details class="contents"{% if page.name == start %} open{% endif %}>
<summary>Contents</summary>
<nav aria-label="Contents">
{% for kind in kinds %}<h2>{{ kind.name }}</h2>
<ul>
{% for entry in kind.entries %}<li><a href="{{ up }}{{ address_of(entry.name) }}"\
{% if entry.name == page.name %} aria-current="page"{% endif %}>{{ entry.title }}</a></li>
{% endfor %}{% if kind.name == "Reference" %}\
<li><a href="{{ up }}{{ api }}">Every operation</a></li>
{% endif %}</ul>
{% endfor %}</nav>
</details>
<main id="page" tabindex="-1">
{% if kind %}<p class="kind">{{ kind }}</p>
{% endif %}<article>
{{ page.html | safe }}</article>
<nav class="around" aria-label="Next pages">
{% if before %}<a rel="prev" href="{{ up }}{{ before[0] }}">← {{ before[1] }}</a>{% endif %}
{% if after %}<a rel="next" href="{{ up }}{{ after[0] }}">{{ after[1] }} →</a>{% endif %}
</nav>
</main>
{% if page.headings | length > 1 %}<nav class="here" aria-label="On this page">
<h2>On this page</h2>
<ul>
{% for heading in page.headings %}<li><a href="#{{ heading.anchor }}">{{ heading.text }}</a></li>
{% endfor %}</ul>
</nav>{% endif %}
</div>
</body>
</html>
"""

_environment = Environment(autoescape=True)
_template = _environment.from_string(_TEMPLATE)
