"""Rules: pure functions and tables, which look at nothing but their arguments.

`policy` says what a run may do, `run_leave` what a question asks beyond that, `choices` how its
model is to work, `caps` how much may be used in a day, `transitions` which states of a session
follow which, `occupancy` which session is in the way of another, `host_room` how many sessions a
host has room for, `placement` on which host a run works, `schedule` when an automation is due,
`event_triggers` which events it is due at, with `schedule_errors` for what is wrong with an
expression. `paths` and `branch_names` say what people may name, `lengths` how long a text may be,
`pull_request_wishes` what is done about a task's pull requests, `scopes` what a device may do,
`questions` what an agent asks a person, `answers` which answers fit, `standing_rules` what may be
answered in a person's place, `unified_diffs` how a person is shown what differs, `reviews` what a
reviewer has found, `commit_messages` how the message of a commit is proposed, `preconditions` what
a change may be made to depend on, `retry_after` when another machine wants to be asked again,
`uploads` which files are taken for an agent and `pictures` what is left out of them, `forge_links`
of which project at a forge an address is and where a person opens a pull request there, and
`errors` how any of it is refused. `agent_limits` says how far an agent's token reaches.
`prompt_fields` quotes in a prompt what comes from outside. `file_names` says which file somebody
means, `text_lines` which of its lines have a text, and `prompt_files` which prompts a repository
has. `keeping` bounds what is kept, `cluster` refuses to start in one, and `own_mcp_server` is the
name of Command Center's own tools in Codex's configuration.
"""
