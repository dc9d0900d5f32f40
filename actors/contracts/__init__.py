"""The messages of the actors: what each can be asked and told, and what it answers.

`sessions`, `tasks`, `approvals`, `automations`, `repositories`, `worktrees` and `devices` have the
messages about these, `landing` those about what a session has changed, `snapshots` those that put
it back, `prompts` those about what is said again, `files` those about all files of a checkout,
`pushes` and `pull_requests` those about where it goes, `issues` those about a forge's issues,
`comments` those about remarks on it, `reviews` those about its reviews, `shells` those about
terminals, `messages` those by which something is said to a session, `uploads` those about what is
shown with it, `turns` those by which a session's runner reports, and `addresses` where each is
taken. A body of the REST API is one of these messages, so nothing is mapped by hand between the
two. `fields` are the types of fields that several have. `events` are what everybody is told when
something has happened. `webpush` has those about browsers that are told with the page closed,
`webhooks` those about addresses that events are sent to, and `notify` those about places that
Apprise tells. `passkeys` has those by which a browser's authenticator signs in, and `inbox` those
about what people have seen.

`spending` has those about the caps of a day and their prices, `backups` those about backups of
the installation, and `releases` where newer releases are told of.

`runners` has what each runner can do, `hosts` the machines that all of it is done on,
`far_answers` what becomes of nonsense that one of them says, `fleet` the messages that add one,
`host_links` those of hosts that dial out, `pools` the clones that a host makes, and `leases`
which host may work on a run.

Of an agent, whichever it is, `bridges` has the connection to it,
`accounts` who is signed in there, `usage_limits` how much of its plan is used, `extensions` its MCP
servers and skills, `threads` what it has before there is a session and what is done with that, and
`project_configuration` the files by which a project configures it.
"""
