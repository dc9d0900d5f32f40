"""This product's actors, the messages they take, and the rules they apply.

The folders are layers. A module imports from its own folder and from those below it, never from one
above; import-linter holds that in the test command. From the bottom upwards:

- `rules`: decide without looking at anything but their arguments.
- `git`, `codex`, `core`, `nats`: speak with git, with Codex, with the database and its events, and
  with servers of NATS.
- `cluster`: replicate the database by a stream of NATS.
- `contracts`: name what each actor can be asked and told.
- `ledger`: write what belongs together in one transaction; no trio, and no actor.
- `repositories`, `forges`, `approvals`, `devices`, `uploads`, `backups`, `store_care`
  and `channels` (by which people hear of things), then `sessions`, `tasks`, `automations`, and on
  top `telegram`, `webpush`, `notify`, `webhooks` and `operator`: a folder for each actor, or each
  family of them.
- `hosts`: the machines that all of it is done on, and the only folder that touches one.
- `tree` puts all actors under their supervisors, and `center` is the one object through which the
  whole is used.
"""
