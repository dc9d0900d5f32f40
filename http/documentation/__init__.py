"""The documentation, as a site at `/docs/`, and as files for any web server.

`contents` has its pages and their order, which `docs/README.md` declares. `markdown` makes HTML of
a page, `shell` lays the contents around it, and `search` takes it apart for the search. `site` has
all files of the site by name; `routes` serves them, and `build` writes them to a folder.
"""
