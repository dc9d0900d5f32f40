"""Durable state in a SQLite file: records, the event log, and the one writer.

A change of state and the events that tell of it are one transaction; it is on the disk before
anybody is told. Everything here is synchronous and bound to threads: connections are driven from
worker threads by whoever uses this package, which itself knows neither trio nor the product's
rules.

Start with ``writer`` (how things are written; ``transaction`` is what a unit of work is given, and
``replica`` who must have each commit, too, and ``membership`` of which cluster a folder is),
``tables`` (the rows of what ``records`` names, each a ``table`` with its ``columns``; ``statuses``
are those of a session) and ``events`` (the log; ``event_segments`` has its old texts,
``event_notes`` what is noted of each thousand, ``event_cut`` where it begins, and ``log_identity``
tells it from others).
``automation_hooks``, ``device_tokens``, ``forge_deliveries``, ``hook_answers``, ``host_keys`` (with
``host_life``), ``issue_tasks``, ``idempotency_keys``, ``leases``, ``released_threads``,
``orphaned_turns``, ``spending``, ``unready_worktrees``, ``usage_limits`` and
``trusted_configurations`` are small tables with functions of their own. No SQL stands outside of
the store: what the tables cannot ask or change is in ``queries``. The files of uploads are
``uploaded_files``, and ``private_files`` has what such files are written with. A backup of them all
is made and put back by ``backups``, and ``portable`` has the history as JSON Lines.
``replication`` sends each commit elsewhere before it is acknowledged.

``database`` opens the file and lends connections that read, ``integrity`` finds what the disk has
changed in it, ``totals`` keeps how many rows there are, ``derived`` makes anew what is made of
other rows, ``ownership`` keeps a second process away from it, ``lists`` has pages and cursors,
``long_texts`` keeps what is too long for a row, and ``redaction`` takes secrets out.
``timestamps`` and ``errors`` serve them all.

Names of the package are loaded when they are first asked for (``__init__.pyi`` says from where), so
that the program of a host, which needs a lock and no database, loads no database.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
