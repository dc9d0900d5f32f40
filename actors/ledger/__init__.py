"""The ledger: what is written together, as units of one transaction.

A function here takes a `Transaction`, changes rows, and emits the events that tell of the change.
It waits for nothing and knows no actor, so the same unit serves a request, a schedule and a button
in Telegram.

`sessions`, `tasks`, `repositories`, `approvals`, `automations`, `devices`, `threads` and
`worktrees` write of these. `admission` lets a session in by policy, `adoption` a turn that runs
already, and `missed_turns` keeps one that had ended before; `budgets` sums its tokens, `reports`
reads its result and `successors` makes what follows it: a retry, a continuation, a follow-up.
`comments` are what people say of its changes, `reviews` have others say it, `uploads` are what
people show with what they say, `pushes` its commits on their way to a remote, `push_outcomes` what
came of them, `pull_request_plans` which pull request is wanted of them, `pull_requests` what became
of it there, `pull_request_news` what is done about that and `pull_request_merges` whether it is
merged. `issues` makes tasks of a forge's issues. `drafts` are messages that are not complete.
`firing` claims the due time of an automation, `event_firing` the event by which it runs, `outcomes`
counts how its runs ended, and `templates` has automations to begin from. `deadlines` are those of
approvals, `async_questions` what Codex asks without waiting, `agents` the sub-agents of a session,
`trust` has a person asked about a repository's own configuration of Codex, and `setup` about how
its worktrees are set up. `left_commands` are those that go on when their turn has completed.
`hook_answers` tells how hooks have decided in a person's place. `webpush` writes of the browsers
that are told with the page closed, `notify` of the places of Apprise, and `webhooks` of the
addresses that events are sent to. `usage_limits` holds runs until a limit of the agent's account
resets, and `spending` ends them at the caps of a day. `rules` writes of what is always allowed, and
`hooks` of those by which others start automations. `passkeys` writes of what devices sign in with,
`prompts` of those that are saved, `hosts` of other machines, `placing` which of them a run works
on, and `leases` for how long it may. `followers` says how far automations and webhooks have come in
the log. `inbox` keeps what people have dismissed or put off.
"""
