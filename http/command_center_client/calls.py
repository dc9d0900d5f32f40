"""Every operation of the API as a function that returns its call.

They are made from its OpenAPI document by `uv run python -m tests.http.python_client`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from command_center_client.call import ApiCall, at

if TYPE_CHECKING:
    from typing import Unpack

    from command_center_client import shapes
    from command_center_client.shapes import ListPage


def health() -> ApiCall[shapes.Health]:
    """Tell whether the server can do its work: `GET /health`."""
    return ApiCall("GET", "/health")


def list_hosts(**query: Unpack[shapes.ListHostsQuery]) -> ApiCall[ListPage[shapes.ShownHost]]:
    """List the machines that repositories lie on, by name: `GET /api/hosts`."""
    return ApiCall("GET", "/api/hosts", query=query)


def add_host(**body: Unpack[shapes.NewHost]) -> ApiCall[shapes.AddedHost]:
    """Have a machine as a host from now on: `POST /api/hosts`."""
    return ApiCall("POST", "/api/hosts", body=body)


def offer_enrolment(host_name: str, /, **body: Unpack[shapes.NewEnrolment]) -> ApiCall[shapes.HostEnrolment]:
    """Make a new code for a machine that dials out, good once and for an hour: `POST /api/hosts/{hostName}/enrolment`."""
    return ApiCall("POST", at("/api/hosts/{}/enrolment", host_name), body=body)


def patch_host(host_name: str, /, **body: Unpack[shapes.HostChanges]) -> ApiCall[shapes.ShownHost]:
    """Change the labels of a machine, or how many sessions may work there at once: `PATCH /api/hosts/{hostName}`."""
    return ApiCall("PATCH", at("/api/hosts/{}", host_name), body=body)


def remove_host(host_name: str, /, **query: Unpack[shapes.RemoveHostQuery]) -> ApiCall[shapes.ShownHost]:
    """Have a machine as a host no longer; what lies on it stays there: `DELETE /api/hosts/{hostName}`."""
    return ApiCall("DELETE", at("/api/hosts/{}", host_name), query=query)


def get_host(host_name: str, /) -> ApiCall[shapes.ShownHost]:
    """Show a machine that repositories lie on: `GET /api/hosts/{hostName}`."""
    return ApiCall("GET", at("/api/hosts/{}", host_name))


def drain_host(host_name: str, /, **body: Unpack[shapes.HostOrder]) -> ApiCall[shapes.ShownHost]:
    """Begin no more runs on a machine; those that work there go on to their end: `POST /api/hosts/{hostName}/drain`."""
    return ApiCall("POST", at("/api/hosts/{}/drain", host_name), body=body)


def resume_host(host_name: str, /, **body: Unpack[shapes.HostOrder]) -> ApiCall[shapes.ShownHost]:
    """Begin runs again on a machine that was draining: `POST /api/hosts/{hostName}/resume`."""
    return ApiCall("POST", at("/api/hosts/{}/resume", host_name), body=body)


def retry_host(host_name: str, /, **body: Unpack[shapes.HostOrder]) -> ApiCall[shapes.ShownHost]:
    """Reach for a machine at once that is away, or that refused: `POST /api/hosts/{hostName}/retry`."""
    return ApiCall("POST", at("/api/hosts/{}/retry", host_name), body=body)


def list_inbox_marks() -> ApiCall[shapes.InboxMarks]:
    """List what stands in nobody's inbox now: what was dismissed, and what is put off: `GET /api/inbox/marks`."""
    return ApiCall("GET", "/api/inbox/marks")


def mark_inbox(**body: Unpack[shapes.NewMarks]) -> ApiCall[shapes.InboxMarks]:
    """Dismiss things, or put them off; all marks that hold are the answer: `PUT /api/inbox/marks`."""
    return ApiCall("PUT", "/api/inbox/marks", body=body)


def enrol_host(**body: Unpack[shapes.EnrolHost]) -> ApiCall[shapes.EnrolledHost]:
    """Give the machine that brings a code its key, which is shown this once: `POST /api/enrolments`."""
    return ApiCall("POST", "/api/enrolments", body=body)


def list_repositories(**query: Unpack[shapes.ListRepositoriesQuery]) -> ApiCall[ListPage[shapes.Repository]]:
    """List the repositories: `GET /api/repos`."""
    return ApiCall("GET", "/api/repos", query=query)


def create_repository(**body: Unpack[shapes.CreateRepository]) -> ApiCall[shapes.Repository]:
    """Register a repository: `POST /api/repos`."""
    return ApiCall("POST", "/api/repos", body=body, is_done_once=True)


def clone_repository(**body: Unpack[shapes.CloneRepository]) -> ApiCall[shapes.Repository]:
    """Have a pool host clone a remote, and register that: `POST /api/repos/clone`."""
    return ApiCall("POST", "/api/repos/clone", body=body)


def inspect_folder(**body: Unpack[shapes.InspectRepository]) -> ApiCall[shapes.Inspection]:
    """Look at a folder, and save nothing: `POST /api/repos/inspect`."""
    return ApiCall("POST", "/api/repos/inspect", body=body, is_done_once=True)


def find_repositories(**query: Unpack[shapes.FindRepositoriesQuery]) -> ApiCall[shapes.FoundRepositories]:
    """Look for repositories in the home folder of the server's user, for a second: `GET /api/repos/found`."""
    return ApiCall("GET", "/api/repos/found", query=query)


def get_repository(repository_id: int, /) -> ApiCall[shapes.Repository]:
    """Show a repository: `GET /api/repos/{repositoryId}`."""
    return ApiCall("GET", at("/api/repos/{}", repository_id))


def patch_repository(repository_id: int, /, **body: Unpack[shapes.RepositoryChanges]) -> ApiCall[shapes.Repository]:
    """Change a repository: `PATCH /api/repos/{repositoryId}`."""
    return ApiCall("PATCH", at("/api/repos/{}", repository_id), body=body)


def delete_repository(repository_id: int, /, **query: Unpack[shapes.DeleteRepositoryQuery]) -> ApiCall[shapes.RepositoryDeleted]:
    """Forget a repository and what was done in it, its events, too, if `history` is asked for: `DELETE /api/repos/{repositoryId}`."""
    return ApiCall("DELETE", at("/api/repos/{}", repository_id), query=query)


def scan_repository(repository_id: int, /, **body: Unpack[shapes.Requester]) -> ApiCall[shapes.Repository]:
    """Ask git anew: `POST /api/repos/{repositoryId}/scan`."""
    return ApiCall("POST", at("/api/repos/{}/scan", repository_id), body=body, is_done_once=True)


def list_worktrees(repository_id: int, /, **query: Unpack[shapes.ListWorktreesQuery]) -> ApiCall[ListPage[shapes.WorktreeState]]:
    """List a repository's worktrees: `GET /api/repos/{repositoryId}/worktrees`."""
    return ApiCall("GET", at("/api/repos/{}/worktrees", repository_id), query=query)


def create_worktree(repository_id: int, /, **body: Unpack[shapes.WorktreeRequest]) -> ApiCall[shapes.WorktreeCreated]:
    """Make a worktree: `POST /api/repos/{repositoryId}/worktrees`."""
    return ApiCall("POST", at("/api/repos/{}/worktrees", repository_id), body=body, is_done_once=True)


def remove_worktree(repository_id: int, /, **query: Unpack[shapes.RemoveWorktreeQuery]) -> ApiCall[shapes.WorktreeEntry]:
    """Remove a worktree: `DELETE /api/repos/{repositoryId}/worktrees`."""
    return ApiCall("DELETE", at("/api/repos/{}/worktrees", repository_id), query=query)


def diff_worktree(repository_id: int, /, **query: Unpack[shapes.DiffWorktreeQuery]) -> ApiCall[shapes.Diff]:
    """Show what a worktree changed: `GET /api/repos/{repositoryId}/worktrees/diff`."""
    return ApiCall("GET", at("/api/repos/{}/worktrees/diff", repository_id), query=query)


def merge_worktree(repository_id: int, /, **body: Unpack[shapes.MergeRequest]) -> ApiCall[shapes.MergeResult]:
    """Merge a worktree's branch into the main checkout's, or into another: `POST /api/repos/{repositoryId}/worktrees/merge`."""
    return ApiCall("POST", at("/api/repos/{}/worktrees/merge", repository_id), body=body, is_done_once=True)


def prune_worktrees(repository_id: int, /, **body: Unpack[shapes.Requester]) -> ApiCall[ListPage[shapes.WorktreeEntry]]:
    """Let git forget worktrees whose folders are gone: `POST /api/repos/{repositoryId}/worktrees/prune`."""
    return ApiCall("POST", at("/api/repos/{}/worktrees/prune", repository_id), body=body, is_done_once=True)


def clean_worktrees(repository_id: int, /, **body: Unpack[shapes.Requester]) -> ApiCall[ListPage[shapes.WorktreeEntry]]:
    """Remove worktrees that nobody needs: `POST /api/repos/{repositoryId}/worktrees/clean`."""
    return ApiCall("POST", at("/api/repos/{}/worktrees/clean", repository_id), body=body, is_done_once=True)


def list_tasks(**query: Unpack[shapes.ListTasksQuery]) -> ApiCall[ListPage[shapes.Task]]:
    """List the tasks, the newest first: `GET /api/tasks`."""
    return ApiCall("GET", "/api/tasks", query=query)


def create_task(**body: Unpack[shapes.CreateTask]) -> ApiCall[shapes.Task]:
    """Make a task: `POST /api/tasks`."""
    return ApiCall("POST", "/api/tasks", body=body, is_done_once=True)


def get_task(task_id: int, /) -> ApiCall[shapes.Task]:
    """Show a task: `GET /api/tasks/{taskId}`."""
    return ApiCall("GET", at("/api/tasks/{}", task_id))


def patch_task(task_id: int, /, **body: Unpack[shapes.TaskChanges]) -> ApiCall[shapes.Task]:
    """Change a task: `PATCH /api/tasks/{taskId}`."""
    return ApiCall("PATCH", at("/api/tasks/{}", task_id), body=body)


def run_task(task_id: int, /, **body: Unpack[shapes.RunRequest]) -> ApiCall[shapes.RunOutcome]:
    """Run a task: `POST /api/tasks/{taskId}/run`."""
    return ApiCall("POST", at("/api/tasks/{}/run", task_id), body=body, is_done_once=True)


def check_policy(task_id: int, /, **body: Unpack[shapes.RunInput]) -> ApiCall[shapes.PolicyResult]:
    """Tell what policy would say of a run: `POST /api/tasks/{taskId}/policy-check`."""
    return ApiCall("POST", at("/api/tasks/{}/policy-check", task_id), body=body, is_done_once=True)


def create_session(task_id: int, /, **body: Unpack[shapes.RunRequest]) -> ApiCall[shapes.Session]:
    """Make a session that waits to be told to run: `POST /api/tasks/{taskId}/sessions`."""
    return ApiCall("POST", at("/api/tasks/{}/sessions", task_id), body=body, is_done_once=True)


def list_task_sessions(task_id: int, /, **query: Unpack[shapes.ListTaskSessionsQuery]) -> ApiCall[ListPage[shapes.Session]]:
    """List a task's sessions, the newest first: `GET /api/tasks/{taskId}/sessions`."""
    return ApiCall("GET", at("/api/tasks/{}/sessions", task_id), query=query)


def list_task_events(task_id: int, /, **query: Unpack[shapes.ListTaskEventsQuery]) -> ApiCall[shapes.EventPage_Event_]:
    """List a task's events: `GET /api/tasks/{taskId}/events`."""
    return ApiCall("GET", at("/api/tasks/{}/events", task_id), query=query)


def list_sessions(**query: Unpack[shapes.ListSessionsQuery]) -> ApiCall[ListPage[shapes.Session]]:
    """List the sessions, the newest first: `GET /api/sessions`."""
    return ApiCall("GET", "/api/sessions", query=query)


def get_session(session_id: int, /) -> ApiCall[shapes.Session]:
    """Show a session: `GET /api/sessions/{sessionId}`."""
    return ApiCall("GET", at("/api/sessions/{}", session_id))


def patch_session(session_id: int, /, **body: Unpack[shapes.SessionChanges]) -> ApiCall[shapes.Session]:
    """Start or stop a session: `PATCH /api/sessions/{sessionId}`."""
    return ApiCall("PATCH", at("/api/sessions/{}", session_id), body=body)


def label_session(session_id: int, /, **body: Unpack[shapes.SessionLabel]) -> ApiCall[shapes.Session]:
    """Name a session, archive it once it has ended, or bring it back: `PATCH /api/sessions/{sessionId}/label`."""
    return ApiCall("PATCH", at("/api/sessions/{}/label", session_id), body=body)


def stop_session(session_id: int, /, **body: Unpack[shapes.StopSession]) -> ApiCall[shapes.SessionStopped]:
    """Stop a session: `POST /api/sessions/{sessionId}/stop`."""
    return ApiCall("POST", at("/api/sessions/{}/stop", session_id), body=body, is_done_once=True)


def abandon_turn(session_id: int, /, **body: Unpack[shapes.AbandonTurn]) -> ApiCall[shapes.SessionStopped]:
    """Wait no longer for a turn that may still run on a host that does not come back: `POST /api/sessions/{sessionId}/abandon`."""
    return ApiCall("POST", at("/api/sessions/{}/abandon", session_id), body=body, is_done_once=True)


def steer_session(session_id: int, /, **body: Unpack[shapes.SteerSession]) -> ApiCall[shapes.SteerReceipt]:
    """Say something to the running turn: `POST /api/sessions/{sessionId}/steer`."""
    return ApiCall("POST", at("/api/sessions/{}/steer", session_id), body=body, is_done_once=True)


def list_session_events(session_id: int, /, **query: Unpack[shapes.ListSessionEventsQuery]) -> ApiCall[shapes.EventPage_Event_]:
    """List a session's events: `GET /api/sessions/{sessionId}/events`."""
    return ApiCall("GET", at("/api/sessions/{}/events", session_id), query=query)


def list_items(session_id: int, /, **query: Unpack[shapes.ListItemsQuery]) -> ApiCall[ListPage[shapes.Item]]:
    """List a session's transcript, or that of a sub-agent of it: `GET /api/sessions/{sessionId}/items`."""
    return ApiCall("GET", at("/api/sessions/{}/items", session_id), query=query)


def list_agents(session_id: int, /, **query: Unpack[shapes.ListAgentsQuery]) -> ApiCall[ListPage[shapes.Agent]]:
    """List the sub-agents that work for a session, each after the one that started it: `GET /api/sessions/{sessionId}/agents`."""
    return ApiCall("GET", at("/api/sessions/{}/agents", session_id), query=query)


def get_plan(session_id: int, /) -> ApiCall[shapes.SessionPlan]:
    """Show a session's plan: `GET /api/sessions/{sessionId}/plan`."""
    return ApiCall("GET", at("/api/sessions/{}/plan", session_id))


def get_diff(session_id: int, /, **query: Unpack[shapes.GetDiffQuery]) -> ApiCall[shapes.SessionDiff]:
    """Show a session's diff, a long one piece by piece: `GET /api/sessions/{sessionId}/diff`."""
    return ApiCall("GET", at("/api/sessions/{}/diff", session_id), query=query)


def get_goal(session_id: int, /) -> ApiCall[shapes.SessionGoal]:
    """Show a session's goal: `GET /api/sessions/{sessionId}/goal`."""
    return ApiCall("GET", at("/api/sessions/{}/goal", session_id))


def change_goal(session_id: int, /, **body: Unpack[shapes.GoalChanges]) -> ApiCall[shapes.SessionGoal]:
    """Change, pause or resume the goal of a live session: `PUT /api/sessions/{sessionId}/goal`."""
    return ApiCall("PUT", at("/api/sessions/{}/goal", session_id), body=body)


def clear_goal(session_id: int, /) -> ApiCall[shapes.SessionGoal]:
    """Take the goal of a live session away; its turn is the last one: `DELETE /api/sessions/{sessionId}/goal`."""
    return ApiCall("DELETE", at("/api/sessions/{}/goal", session_id))


def say(session_id: int, /, **body: Unpack[shapes.NewMessage]) -> ApiCall[shapes.Said]:
    """Say something to a session, whatever its state: `POST /api/sessions/{sessionId}/messages`."""
    return ApiCall("POST", at("/api/sessions/{}/messages", session_id), body=body, is_done_once=True)


def list_issues(repository_id: int, /, **query: Unpack[shapes.ListIssuesQuery]) -> ApiCall[ListPage[shapes.Issue]]:
    """List the open issues of a repository at GitHub, the newest first: `GET /api/repos/{repositoryId}/issues`."""
    return ApiCall("GET", at("/api/repos/{}/issues", repository_id), query=query)


def take_issue(repository_id: int, number: int, /, **body: Unpack[shapes.IssueRequest]) -> ApiCall[shapes.Task]:
    """Make a task of an issue, once: `POST /api/repos/{repositoryId}/issues/{number}/task`."""
    return ApiCall("POST", at("/api/repos/{}/issues/{}/task", repository_id, number), body=body, is_done_once=True)


def list_changes(session_id: int, /, **query: Unpack[shapes.ListChangesQuery]) -> ApiCall[shapes.Changes]:
    """List the files that a session has changed: `GET /api/sessions/{sessionId}/changes`."""
    return ApiCall("GET", at("/api/sessions/{}/changes", session_id), query=query)


def show_patch(session_id: int, /, **query: Unpack[shapes.ShowPatchQuery]) -> ApiCall[shapes.Patch]:
    """Show what a session has changed in a file, page by page: `GET /api/sessions/{sessionId}/changes/patch`."""
    return ApiCall("GET", at("/api/sessions/{}/changes/patch", session_id), query=query)


def show_picture(session_id: int, /, **query: Unpack[shapes.ShowPictureQuery]) -> ApiCall[shapes.Picture]:
    """Show a picture that a session has changed, as it was or as it is: `GET /api/sessions/{sessionId}/changes/picture`."""
    return ApiCall("GET", at("/api/sessions/{}/changes/picture", session_id), query=query)


def mark_viewed(session_id: int, /, **body: Unpack[shapes.ViewedFiles]) -> ApiCall[shapes.ViewedFiles]:
    """Keep that somebody looked at changed files, as they are now: `POST /api/sessions/{sessionId}/changes/viewed`."""
    return ApiCall("POST", at("/api/sessions/{}/changes/viewed", session_id), body=body, is_done_once=True)


def propose_commit_message(session_id: int, /) -> ApiCall[shapes.ProposedMessage]:
    """Propose the message of a commit, from the task's title and what its agent said last: `GET /api/sessions/{sessionId}/commit-message`."""
    return ApiCall("GET", at("/api/sessions/{}/commit-message", session_id))


def ask_for_commit_message(session_id: int, /, **body: Unpack[shapes.MessageRequest]) -> ApiCall[shapes.ProposedMessage]:
    """Have Codex write the message of a commit; nothing is committed: `POST /api/sessions/{sessionId}/commit-message`."""
    return ApiCall("POST", at("/api/sessions/{}/commit-message", session_id), body=body)


def commit_session(session_id: int, /, **body: Unpack[shapes.CommitRequest]) -> ApiCall[shapes.Committed]:
    """Commit what an ended session left in its folder: `POST /api/sessions/{sessionId}/commit`."""
    return ApiCall("POST", at("/api/sessions/{}/commit", session_id), body=body, is_done_once=True)


def merge_session(session_id: int, /, **body: Unpack[shapes.MergeOptions]) -> ApiCall[shapes.MergeResult]:
    """Merge the branch of a session's worktree into the main checkout's, or into another: `POST /api/sessions/{sessionId}/merge`."""
    return ApiCall("POST", at("/api/sessions/{}/merge", session_id), body=body, is_done_once=True)


def resolve_conflicts(session_id: int, /, **body: Unpack[shapes.ConflictsRequest]) -> ApiCall[shapes.Resolving]:
    """Have Codex resolve what conflicts with a base, which is merged into the session's branch: `POST /api/sessions/{sessionId}/resolve-conflicts`."""
    return ApiCall("POST", at("/api/sessions/{}/resolve-conflicts", session_id), body=body, is_done_once=True)


def discard_work(session_id: int, /, **body: Unpack[shapes.DiscardRequest]) -> ApiCall[shapes.DiscardedWork]:
    """Take away what an ended session left in its worktree, and keep it for 30 days: `POST /api/sessions/{sessionId}/discard`."""
    return ApiCall("POST", at("/api/sessions/{}/discard", session_id), body=body, is_done_once=True)


def list_discarded(repository_id: int, /, **query: Unpack[shapes.ListDiscardedQuery]) -> ApiCall[ListPage[shapes.DiscardedWork]]:
    """List what was discarded of the work in a repository, the newest first: `GET /api/repos/{repositoryId}/discarded`."""
    return ApiCall("GET", at("/api/repos/{}/discarded", repository_id), query=query)


def get_discarded(discarded_id: int, /) -> ApiCall[shapes.DiscardedWork]:
    """Show work that was discarded: `GET /api/discarded/{discardedId}`."""
    return ApiCall("GET", at("/api/discarded/{}", discarded_id))


def restore_discarded(discarded_id: int, /, **body: Unpack[shapes.RestoreRequest]) -> ApiCall[shapes.Restored]:
    """Bring discarded work back on a branch of its own: `POST /api/discarded/{discardedId}/restore`."""
    return ApiCall("POST", at("/api/discarded/{}/restore", discarded_id), body=body, is_done_once=True)


def list_snapshots(session_id: int, /, **query: Unpack[shapes.ListSnapshotsQuery]) -> ApiCall[ListPage[shapes.Snapshot]]:
    """List what the files of a session's worktree were, the newest first: `GET /api/sessions/{sessionId}/snapshots`."""
    return ApiCall("GET", at("/api/sessions/{}/snapshots", session_id), query=query)


def rewind_work(session_id: int, /, **body: Unpack[shapes.RewindRequest]) -> ApiCall[shapes.Rewound]:
    """Put the files of an ended session's worktree back to what they were after a turn: `POST /api/sessions/{sessionId}/rewind`."""
    return ApiCall("POST", at("/api/sessions/{}/rewind", session_id), body=body, is_done_once=True)


def list_repository_files(repository_id: int, /, **query: Unpack[shapes.ListRepositoryFilesQuery]) -> ApiCall[shapes.FileView]:
    """Show a folder or a file of a repository's main checkout, page by page: `GET /api/repos/{repositoryId}/files`."""
    return ApiCall("GET", at("/api/repos/{}/files", repository_id), query=query)


def search_repository_files(repository_id: int, /, **query: Unpack[shapes.SearchRepositoryFilesQuery]) -> ApiCall[shapes.FoundFiles]:
    """Find files of a repository's main checkout by name, or by a text in them: `GET /api/repos/{repositoryId}/files/search`."""
    return ApiCall("GET", at("/api/repos/{}/files/search", repository_id), query=query)


def list_session_files(session_id: int, /, **query: Unpack[shapes.ListSessionFilesQuery]) -> ApiCall[shapes.FileView]:
    """Show a folder or a file where a session works, page by page: `GET /api/sessions/{sessionId}/files`."""
    return ApiCall("GET", at("/api/sessions/{}/files", session_id), query=query)


def search_session_files(session_id: int, /, **query: Unpack[shapes.SearchSessionFilesQuery]) -> ApiCall[shapes.FoundFiles]:
    """Find files by name, or by a text in them, where a session works: `GET /api/sessions/{sessionId}/files/search`."""
    return ApiCall("GET", at("/api/sessions/{}/files/search", session_id), query=query)


def list_prompts(repository_id: int, /) -> ApiCall[shapes.ReadyPrompts]:
    """List the prompts that were saved for a repository, and those in its `.codex/prompts`: `GET /api/repos/{repositoryId}/prompts`."""
    return ApiCall("GET", at("/api/repos/{}/prompts", repository_id))


def save_prompt(repository_id: int, name: str, /, **body: Unpack[shapes.NewPrompt]) -> ApiCall[shapes.SavedPrompt]:
    """Save a prompt for a repository, in the place of the one of that name: `PUT /api/repos/{repositoryId}/prompts/{name}`."""
    return ApiCall("PUT", at("/api/repos/{}/prompts/{}", repository_id, name), body=body)


def delete_prompt(repository_id: int, name: str, /, **query: Unpack[shapes.DeletePromptQuery]) -> ApiCall[shapes.SavedPrompt]:
    """Delete a prompt that was saved for a repository: `DELETE /api/repos/{repositoryId}/prompts/{name}`."""
    return ApiCall("DELETE", at("/api/repos/{}/prompts/{}", repository_id, name), query=query)


def list_open_terminals(**query: Unpack[shapes.ListOpenTerminalsQuery]) -> ApiCall[shapes.OpenTerminals]:
    """List the terminals that people have where sessions work: `GET /api/terminals`."""
    return ApiCall("GET", "/api/terminals", query=query)


def close_terminal(shell_id: str, /, **query: Unpack[shapes.CloseTerminalQuery]) -> ApiCall[shapes.OpenTerminals]:
    """End a terminal, whoever has it; the others are answered: `DELETE /api/terminals/{shellId}`."""
    return ApiCall("DELETE", at("/api/terminals/{}", shell_id), query=query)


def push_session(session_id: int, /, **body: Unpack[shapes.PushRequest]) -> ApiCall[shapes.Push]:
    """Push what a session committed, or ask a person whether it may be: `POST /api/sessions/{sessionId}/push`."""
    return ApiCall("POST", at("/api/sessions/{}/push", session_id), body=body, is_done_once=True)


def list_pushes(session_id: int, /, **query: Unpack[shapes.ListPushesQuery]) -> ApiCall[ListPage[shapes.Push]]:
    """List the pushes of a session, the newest first: `GET /api/sessions/{sessionId}/pushes`."""
    return ApiCall("GET", at("/api/sessions/{}/pushes", session_id), query=query)


def get_push(push_id: int, /) -> ApiCall[shapes.Push]:
    """Show a push: `GET /api/pushes/{pushId}`."""
    return ApiCall("GET", at("/api/pushes/{}", push_id))


def open_pull_request(session_id: int, /, **body: Unpack[shapes.PullRequestRequest]) -> ApiCall[shapes.PullRequest]:
    """Open a pull request of what was pushed of a session's task: `POST /api/sessions/{sessionId}/pull-request`."""
    return ApiCall("POST", at("/api/sessions/{}/pull-request", session_id), body=body, is_done_once=True)


def list_pull_requests(session_id: int, /, **query: Unpack[shapes.ListPullRequestsQuery]) -> ApiCall[ListPage[shapes.PullRequest]]:
    """List the pull requests of a session's task, the newest first: `GET /api/sessions/{sessionId}/pull-requests`."""
    return ApiCall("GET", at("/api/sessions/{}/pull-requests", session_id), query=query)


def get_pull_request(pull_request_id: int, /) -> ApiCall[shapes.PullRequest]:
    """Show a pull request, as its forge told of it last: `GET /api/pull-requests/{pullRequestId}`."""
    return ApiCall("GET", at("/api/pull-requests/{}", pull_request_id))


def read_pull_request(pull_request_id: int, /) -> ApiCall[shapes.PullRequest]:
    """Ask the forge about a pull request now: `POST /api/pull-requests/{pullRequestId}/read`."""
    return ApiCall("POST", at("/api/pull-requests/{}/read", pull_request_id))


def merge_pull_request(pull_request_id: int, /, **body: Unpack[shapes.MergeOrder]) -> ApiCall[shapes.PullRequest]:
    """Ask a person whether a pull request may be merged once its checks pass: `POST /api/pull-requests/{pullRequestId}/merge`."""
    return ApiCall("POST", at("/api/pull-requests/{}/merge", pull_request_id), body=body, is_done_once=True)


def call_off_merge(pull_request_id: int, /, **query: Unpack[shapes.CallOffMergeQuery]) -> ApiCall[shapes.PullRequest]:
    """Merge a pull request no more by itself, though that was asked or agreed to: `DELETE /api/pull-requests/{pullRequestId}/merge`."""
    return ApiCall("DELETE", at("/api/pull-requests/{}/merge", pull_request_id), query=query)


def list_comments(session_id: int, /, **query: Unpack[shapes.ListCommentsQuery]) -> ApiCall[ListPage[shapes.PlacedComment]]:
    """List the comments on the work of a session's task, with their places in the files now: `GET /api/sessions/{sessionId}/comments`."""
    return ApiCall("GET", at("/api/sessions/{}/comments", session_id), query=query)


def create_comment(session_id: int, /, **body: Unpack[shapes.NewComment]) -> ApiCall[shapes.Comment]:
    """Say something of lines that a session has changed: `POST /api/sessions/{sessionId}/comments`."""
    return ApiCall("POST", at("/api/sessions/{}/comments", session_id), body=body, is_done_once=True)


def send_comments(session_id: int, /, **body: Unpack[shapes.SendRequest]) -> ApiCall[shapes.SentComments]:
    """Send all open comments as one message, once: `POST /api/sessions/{sessionId}/comments/send`."""
    return ApiCall("POST", at("/api/sessions/{}/comments/send", session_id), body=body, is_done_once=True)


def get_comment(comment_id: int, /) -> ApiCall[shapes.Comment]:
    """Show a comment: `GET /api/comments/{commentId}`."""
    return ApiCall("GET", at("/api/comments/{}", comment_id))


def change_comment(comment_id: int, /, **body: Unpack[shapes.CommentText]) -> ApiCall[shapes.Comment]:
    """Say something else instead: `PATCH /api/comments/{commentId}`."""
    return ApiCall("PATCH", at("/api/comments/{}", comment_id), body=body)


def cancel_comment(comment_id: int, /, **query: Unpack[shapes.CancelCommentQuery]) -> ApiCall[shapes.Comment]:
    """Take a comment back: `DELETE /api/comments/{commentId}`."""
    return ApiCall("DELETE", at("/api/comments/{}", comment_id), query=query)


def review_session(session_id: int, /, **body: Unpack[shapes.ReviewRequest]) -> ApiCall[shapes.RunOutcome]:
    """Have what a session has changed reviewed; findings become comments on it: `POST /api/sessions/{sessionId}/review`."""
    return ApiCall("POST", at("/api/sessions/{}/review", session_id), body=body, is_done_once=True)


def list_followups(session_id: int, /, **query: Unpack[shapes.ListFollowupsQuery]) -> ApiCall[ListPage[shapes.Followup]]:
    """List the follow-ups of a session's task: `GET /api/sessions/{sessionId}/followups`."""
    return ApiCall("GET", at("/api/sessions/{}/followups", session_id), query=query)


def queue_followup(session_id: int, /, **body: Unpack[shapes.NewFollowup]) -> ApiCall[shapes.Followup]:
    """Say something when the turn has ended: `POST /api/sessions/{sessionId}/followups`."""
    return ApiCall("POST", at("/api/sessions/{}/followups", session_id), body=body, is_done_once=True)


def get_followup(followup_id: int, /) -> ApiCall[shapes.Followup]:
    """Show a follow-up: `GET /api/followups/{followupId}`."""
    return ApiCall("GET", at("/api/followups/{}", followup_id))


def change_followup(followup_id: int, /, **body: Unpack[shapes.FollowupText]) -> ApiCall[shapes.Followup]:
    """Say something else instead: `PATCH /api/followups/{followupId}`."""
    return ApiCall("PATCH", at("/api/followups/{}", followup_id), body=body)


def cancel_followup(followup_id: int, /, **query: Unpack[shapes.CancelFollowupQuery]) -> ApiCall[shapes.Followup]:
    """Take a follow-up back: `DELETE /api/followups/{followupId}`."""
    return ApiCall("DELETE", at("/api/followups/{}", followup_id), query=query)


def create_upload(body: bytes, /, **query: Unpack[shapes.CreateUploadQuery]) -> ApiCall[shapes.Upload]:
    """Send a picture or a text for Codex: `POST /api/uploads`."""
    return ApiCall("POST", "/api/uploads", body=body, query=query, is_done_once=True)


def list_uploads(**query: Unpack[shapes.ListUploadsQuery]) -> ApiCall[ListPage[shapes.Upload]]:
    """List what was sent, the newest first: `GET /api/uploads`."""
    return ApiCall("GET", "/api/uploads", query=query)


def get_upload(upload_id: int, /) -> ApiCall[shapes.Upload]:
    """Show what is known of an upload: `GET /api/uploads/{uploadId}`."""
    return ApiCall("GET", at("/api/uploads/{}", upload_id))


def delete_upload(upload_id: int, /, **query: Unpack[shapes.DeleteUploadQuery]) -> ApiCall[shapes.Upload]:
    """Delete an upload that nothing needs any more: `DELETE /api/uploads/{uploadId}`."""
    return ApiCall("DELETE", at("/api/uploads/{}", upload_id), query=query)


def read_upload(upload_id: int, /) -> ApiCall[shapes.UploadContent]:
    """Show the content of an upload: `GET /api/uploads/{uploadId}/content`."""
    return ApiCall("GET", at("/api/uploads/{}/content", upload_id))


def get_session_text(session_id: int, /, **query: Unpack[shapes.GetSessionTextQuery]) -> ApiCall[shapes.LongText]:
    """Show the whole of a session's field, piece by piece: `GET /api/sessions/{sessionId}/text`."""
    return ApiCall("GET", at("/api/sessions/{}/text", session_id), query=query)


def get_item_text(session_id: int, /, **query: Unpack[shapes.GetItemTextQuery]) -> ApiCall[shapes.LongText]:
    """Show the whole of an item of a transcript as JSON, piece by piece: `GET /api/sessions/{sessionId}/items/text`."""
    return ApiCall("GET", at("/api/sessions/{}/items/text", session_id), query=query)


def get_agent_text(agent_id: int, /, **query: Unpack[shapes.GetAgentTextQuery]) -> ApiCall[shapes.LongText]:
    """Show the whole of a sub-agent's field, piece by piece: `GET /api/agents/{agentId}/text`."""
    return ApiCall("GET", at("/api/agents/{}/text", agent_id), query=query)


def get_approval_text(approval_id: int, /, **query: Unpack[shapes.GetApprovalTextQuery]) -> ApiCall[shapes.LongText]:
    """Show the whole of an approval's field, piece by piece: `GET /api/approvals/{approvalId}/text`."""
    return ApiCall("GET", at("/api/approvals/{}/text", approval_id), query=query)


def get_event_text(event_id: int, /, **query: Unpack[shapes.GetEventTextQuery]) -> ApiCall[shapes.LongText]:
    """Show the whole of an event's data as JSON, piece by piece: `GET /api/events/{eventId}/text`."""
    return ApiCall("GET", at("/api/events/{}/text", event_id), query=query)


def list_approvals(**query: Unpack[shapes.ListApprovalsQuery]) -> ApiCall[ListPage[shapes.Approval]]:
    """List the approvals, the newest first: `GET /api/approvals`."""
    return ApiCall("GET", "/api/approvals", query=query)


def create_approval(**body: Unpack[shapes.CreateApproval]) -> ApiCall[shapes.Approval]:
    """Ask a person: `POST /api/approvals`."""
    return ApiCall("POST", "/api/approvals", body=body, is_done_once=True)


def count_approvals() -> ApiCall[shapes.ApprovalCounts]:
    """Count the approvals: `GET /api/approvals/counts`."""
    return ApiCall("GET", "/api/approvals/counts")


def get_approval(approval_id: int, /) -> ApiCall[shapes.Approval]:
    """Show an approval: `GET /api/approvals/{approvalId}`."""
    return ApiCall("GET", at("/api/approvals/{}", approval_id))


def extend_approval(approval_id: int, /, **body: Unpack[shapes.Extension]) -> ApiCall[shapes.Approval]:
    """Put off the deadline of an approval: `POST /api/approvals/{approvalId}/extend`."""
    return ApiCall("POST", at("/api/approvals/{}/extend", approval_id), body=body, is_done_once=True)


def resolve_approval(approval_id: int, /, **body: Unpack[shapes.Resolution]) -> ApiCall[shapes.Approval]:
    """Decide on an approval: `POST /api/approvals/{approvalId}/resolve`."""
    return ApiCall("POST", at("/api/approvals/{}/resolve", approval_id), body=body, is_done_once=True)


def make_approval_challenge(approval_id: int, /, **body: Unpack[shapes.Resolution]) -> ApiCall[shapes.PasskeyChallenge]:
    """Make what a passkey is to sign for this decision, once, within two minutes: `POST /api/approvals/{approvalId}/challenge`."""
    return ApiCall("POST", at("/api/approvals/{}/challenge", approval_id), body=body)


def list_rules(repository_id: int, /, **query: Unpack[shapes.ListRulesQuery]) -> ApiCall[ListPage[shapes.Rule]]:
    """List what is always allowed in a repository, the newest first: `GET /api/repos/{repositoryId}/rules`."""
    return ApiCall("GET", at("/api/repos/{}/rules", repository_id), query=query)


def get_rule(rule_id: int, /) -> ApiCall[shapes.Rule]:
    """Show what is always allowed by a rule: `GET /api/rules/{ruleId}`."""
    return ApiCall("GET", at("/api/rules/{}", rule_id))


def delete_rule(rule_id: int, /, **query: Unpack[shapes.DeleteRuleQuery]) -> ApiCall[shapes.RuleRemoval]:
    """Have what a rule allowed asked about again: `DELETE /api/rules/{ruleId}`."""
    return ApiCall("DELETE", at("/api/rules/{}", rule_id), query=query)


def list_automations(**query: Unpack[shapes.ListAutomationsQuery]) -> ApiCall[ListPage[shapes.Automation]]:
    """List the automations, the newest first: `GET /api/automations`."""
    return ApiCall("GET", "/api/automations", query=query)


def create_automation(**body: Unpack[shapes.CreateAutomation]) -> ApiCall[shapes.Automation]:
    """Make an automation: `POST /api/automations`."""
    return ApiCall("POST", "/api/automations", body=body, is_done_once=True)


def get_automation(automation_id: int, /) -> ApiCall[shapes.Automation]:
    """Show an automation: `GET /api/automations/{automationId}`."""
    return ApiCall("GET", at("/api/automations/{}", automation_id))


def patch_automation(automation_id: int, /, **body: Unpack[shapes.AutomationChanges]) -> ApiCall[shapes.Automation]:
    """Change an automation: `PATCH /api/automations/{automationId}`."""
    return ApiCall("PATCH", at("/api/automations/{}", automation_id), body=body)


def delete_automation(automation_id: int, /, **query: Unpack[shapes.DeleteAutomationQuery]) -> ApiCall[shapes.Automation]:
    """Take an automation away: `DELETE /api/automations/{automationId}`."""
    return ApiCall("DELETE", at("/api/automations/{}", automation_id), query=query)


def run_automation(automation_id: int, /, **body: Unpack[shapes.RunByHand]) -> ApiCall[shapes.HandRun]:
    """Run an automation now: `POST /api/automations/{automationId}/run`."""
    return ApiCall("POST", at("/api/automations/{}/run", automation_id), body=body, is_done_once=True)


def list_automation_runs(automation_id: int, /, **query: Unpack[shapes.ListAutomationRunsQuery]) -> ApiCall[ListPage[shapes.AutomationRun]]:
    """List what became of an automation's due times, the newest first: `GET /api/automations/{automationId}/runs`."""
    return ApiCall("GET", at("/api/automations/{}/runs", automation_id), query=query)


def list_templates(**query: Unpack[shapes.ListTemplatesQuery]) -> ApiCall[ListPage[shapes.Template]]:
    """List automations to begin from: `GET /api/automations/templates`."""
    return ApiCall("GET", "/api/automations/templates", query=query)


def preview_schedule(**query: Unpack[shapes.PreviewScheduleQuery]) -> ApiCall[shapes.Preview]:
    """Show the next due times of a schedule: `GET /api/automations/preview`."""
    return ApiCall("GET", "/api/automations/preview", query=query)


def list_backups() -> ApiCall[shapes.BackupsShown]:
    """List the backups in the data folder, the newest first, and when the next one is due: `GET /api/backups`."""
    return ApiCall("GET", "/api/backups")


def make_backup(**body: Unpack[shapes.NewBackup]) -> ApiCall[shapes.KeptBackup]:
    """Make a backup now. It waits for one that is being made: `POST /api/backups`."""
    return ApiCall("POST", "/api/backups", body=body, is_done_once=True)


def make_hook(automation_id: int, /, **body: Unpack[shapes.RunByHand]) -> ApiCall[shapes.HookSecret]:
    """Give an automation a hook, or its hook another secret, which is shown this once: `POST /api/automations/{automationId}/hook`."""
    return ApiCall("POST", at("/api/automations/{}/hook", automation_id), body=body)


def remove_hook(automation_id: int, /, **query: Unpack[shapes.RemoveHookQuery]) -> ApiCall[shapes.Automation]:
    """Take an automation's hook away: `DELETE /api/automations/{automationId}/hook`."""
    return ApiCall("DELETE", at("/api/automations/{}/hook", automation_id), query=query)


def receive_hook(automation_id: int, body: Mapping[str, Any], /) -> ApiCall[shapes.HookReceipt]:
    """Take a delivery, and start the automation's run once for it: `POST /api/hooks/{automationId}`."""
    return ApiCall("POST", at("/api/hooks/{}", automation_id), body=body)


def bridge_health(**query: Unpack[shapes.BridgeHealthQuery]) -> ApiCall[shapes.BridgeHealth]:
    """Tell how the bridge to the Codex of a host is: `GET /api/codex/bridge/health`."""
    return ApiCall("GET", "/api/codex/bridge/health", query=query)


def list_loaded_threads(**query: Unpack[shapes.ListLoadedThreadsQuery]) -> ApiCall[ListPage[str]]:
    """List the threads that the app-server has in memory: `GET /api/codex/threads/loaded`."""
    return ApiCall("GET", "/api/codex/threads/loaded", query=query)


def search_threads(**query: Unpack[shapes.SearchThreadsQuery]) -> ApiCall[ListPage[shapes.FoundThread]]:
    """Find what was said in stored threads that nobody began here, by its words: `GET /api/codex/threads/search`."""
    return ApiCall("GET", "/api/codex/threads/search", query=query)


def import_threads(**body: Unpack[shapes.ThreadOrder]) -> ApiCall[shapes.ThreadsImported]:
    """Copy now what was said in stored threads, so that it can be searched: `POST /api/codex/threads/import`."""
    return ApiCall("POST", "/api/codex/threads/import", body=body)


def list_threads(**query: Unpack[shapes.ListThreadsQuery]) -> ApiCall[ListPage[Any]]:
    """List the threads that Codex has stored: `GET /api/codex/threads`."""
    return ApiCall("GET", "/api/codex/threads", query=query)


def get_thread(thread_id: str, /, **query: Unpack[shapes.GetThreadQuery]) -> ApiCall[shapes.ShownThread]:
    """Show a thread: `GET /api/codex/threads/{threadId}`."""
    return ApiCall("GET", at("/api/codex/threads/{}", thread_id), query=query)


def patch_thread(thread_id: str, /, **body: Unpack[shapes.ThreadChanges]) -> ApiCall[shapes.ShownThread]:
    """Name a thread, archive it, or bring it back: `PATCH /api/codex/threads/{threadId}`."""
    return ApiCall("PATCH", at("/api/codex/threads/{}", thread_id), body=body)


def delete_thread(thread_id: str, /, **query: Unpack[shapes.DeleteThreadQuery]) -> ApiCall[shapes.ThreadDeleted]:
    """Delete a thread for good: `DELETE /api/codex/threads/{threadId}`."""
    return ApiCall("DELETE", at("/api/codex/threads/{}", thread_id), query=query)


def list_thread_turns(thread_id: str, /, **query: Unpack[shapes.ListThreadTurnsQuery]) -> ApiCall[ListPage[Any]]:
    """List the turns of a thread, the newest first; nothing is loaded or prompted: `GET /api/codex/threads/{threadId}/turns`."""
    return ApiCall("GET", at("/api/codex/threads/{}/turns", thread_id), query=query)


def fork_thread(thread_id: str, /, **body: Unpack[shapes.NewFork]) -> ApiCall[shapes.ShownThread]:
    """Make another thread of a thread's past: `POST /api/codex/threads/{threadId}/fork`."""
    return ApiCall("POST", at("/api/codex/threads/{}/fork", thread_id), body=body, is_done_once=True)


def revert_thread(thread_id: str, /, **body: Unpack[shapes.Reversion]) -> ApiCall[shapes.ShownThread]:
    """Have a thread forget its last turns; files stay as they are: `POST /api/codex/threads/{threadId}/revert`."""
    return ApiCall("POST", at("/api/codex/threads/{}/revert", thread_id), body=body, is_done_once=True)


def list_terminals(thread_id: str, /, **query: Unpack[shapes.ListTerminalsQuery]) -> ApiCall[shapes.Terminals]:
    """List the commands that a thread's turns have left running: `GET /api/codex/threads/{threadId}/terminals`."""
    return ApiCall("GET", at("/api/codex/threads/{}/terminals", thread_id), query=query)


def end_terminal(thread_id: str, process_id: str, /, **query: Unpack[shapes.EndTerminalQuery]) -> ApiCall[shapes.Terminals]:
    """End a command that a thread's turns have left running: `DELETE /api/codex/threads/{threadId}/terminals/{processId}`."""
    return ApiCall("DELETE", at("/api/codex/threads/{}/terminals/{}", thread_id, process_id), query=query)


def list_models(**query: Unpack[shapes.ListModelsQuery]) -> ApiCall[ListPage[Any]]:
    """List the models that Codex offers: `GET /api/codex/models`."""
    return ApiCall("GET", "/api/codex/models", query=query)


def prompt_thread(thread_id: str, /, **body: Unpack[shapes.ThreadPrompt]) -> ApiCall[shapes.RunOutcome]:
    """Start a turn in a thread: `POST /api/codex/threads/{threadId}/prompt`."""
    return ApiCall("POST", at("/api/codex/threads/{}/prompt", thread_id), body=body, is_done_once=True)


def compact_thread(thread_id: str, /, **body: Unpack[shapes.Compaction]) -> ApiCall[shapes.RunOutcome]:
    """Have a thread's history made shorter, in a session of its own: `POST /api/codex/threads/{threadId}/compact`."""
    return ApiCall("POST", at("/api/codex/threads/{}/compact", thread_id), body=body, is_done_once=True)


def read_account(**query: Unpack[shapes.ReadAccountQuery]) -> ApiCall[shapes.AgentAccount]:
    """Tell who is signed in to the Codex of a host: `GET /api/codex/account`."""
    return ApiCall("GET", "/api/codex/account", query=query)


def read_limits(**query: Unpack[shapes.ReadLimitsQuery]) -> ApiCall[shapes.UsageLimits]:
    """Tell how much of the account's plan is used, and when it resets: `GET /api/codex/limits`."""
    return ApiCall("GET", "/api/codex/limits", query=query)


def begin_sign_in(**body: Unpack[shapes.NewSignIn]) -> ApiCall[shapes.SignIn]:
    """Sign the Codex of a host in, with a code to enter elsewhere or with a key: `POST /api/codex/account/sign-ins`."""
    return ApiCall("POST", "/api/codex/account/sign-ins", body=body)


def cancel_sign_in(sign_in_id: str, /, **body: Unpack[shapes.AccountOrder]) -> ApiCall[shapes.SignIn]:
    """Give up a sign-in that waits for its code: `POST /api/codex/account/sign-ins/{signInId}/cancel`."""
    return ApiCall("POST", at("/api/codex/account/sign-ins/{}/cancel", sign_in_id), body=body)


def sign_out_of_codex(**body: Unpack[shapes.AccountOrder]) -> ApiCall[shapes.AgentAccount]:
    """Sign the Codex of a host out: `POST /api/codex/account/sign-out`."""
    return ApiCall("POST", "/api/codex/account/sign-out", body=body)


def list_mcp_servers(**query: Unpack[shapes.ListMcpServersQuery]) -> ApiCall[ListPage[shapes.McpServer]]:
    """List the MCP servers of Codex's user, with their tools; Codex starts them for that: `GET /api/codex/mcp-servers`."""
    return ApiCall("GET", "/api/codex/mcp-servers", query=query)


def begin_server_sign_in(server: str, /, **body: Unpack[shapes.ServerOrder]) -> ApiCall[shapes.ServerSignIn]:
    """Begin to sign an MCP server in, by a page that is opened on Codex's own machine: `POST /api/codex/mcp-servers/{server}/sign-ins`."""
    return ApiCall("POST", at("/api/codex/mcp-servers/{}/sign-ins", server), body=body)


def list_extensions(**query: Unpack[shapes.ListExtensionsQuery]) -> ApiCall[shapes.Extensions]:
    """List the skills, plugins, hooks and permission profiles of Codex, with what they run: `GET /api/codex/extensions`."""
    return ApiCall("GET", "/api/codex/extensions", query=query)


def switch_skill(**body: Unpack[shapes.SkillSwitch]) -> ApiCall[shapes.SkillState]:
    """Have a skill followed from now on, or no more, in all that Codex does: `PATCH /api/codex/skills`."""
    return ApiCall("PATCH", "/api/codex/skills", body=body)


def list_events(**query: Unpack[shapes.ListEventsQuery]) -> ApiCall[shapes.EventPage_Event_]:
    """List the durable log: `GET /api/events`."""
    return ApiCall("GET", "/api/events", query=query)


def search(**query: Unpack[shapes.SearchQuery]) -> ApiCall[ListPage[shapes.Found]]:
    """Find what was said and done in sessions, by its words: `GET /api/search`."""
    return ApiCall("GET", "/api/search", query=query)


def send_mcp_message(**body: Unpack[shapes.McpMessage]) -> ApiCall[shapes.McpAnswer | None]:
    """Send a message of the Model Context Protocol; some are answered as a stream of events: `POST /mcp`."""
    return ApiCall("POST", "/mcp", body=body)


def end_mcp_session() -> ApiCall[None]:
    """End the session that `Mcp-Session-Id` names, and what runs in it: `DELETE /mcp`."""
    return ApiCall("DELETE", "/mcp")


def summary(**query: Unpack[shapes.SummaryQuery]) -> ApiCall[shapes.Summary]:
    """Sum up the last hours or days in numbers: `GET /api/telemetry/summary`."""
    return ApiCall("GET", "/api/telemetry/summary", query=query)


def read_spending() -> ApiCall[shapes.Spending]:
    """Show the caps of all repositories, the price table, and what is used today: `GET /api/spending`."""
    return ApiCall("GET", "/api/spending")


def change_spending(**body: Unpack[shapes.SpendingChanges]) -> ApiCall[shapes.Spending]:
    """Change the caps of all repositories, or the price table: `PATCH /api/spending`."""
    return ApiCall("PATCH", "/api/spending", body=body)


def get_tree() -> ApiCall[shapes.Tree]:
    """Show the tree of actors: `GET /api/runtime`."""
    return ApiCall("GET", "/api/runtime")


def get_host_tree(host_name: str, /) -> ApiCall[shapes.HostTree]:
    """Show the actors of the program that a host runs which dials out; it is asked for them: `GET /api/hosts/{hostName}/runtime`."""
    return ApiCall("GET", at("/api/hosts/{}/runtime", host_name))


def get_actor(name: str, /, **query: Unpack[shapes.GetActorQuery]) -> ApiCall[shapes.ActorShown]:
    """Show an actor: `GET /api/runtime/actors/{name}`."""
    return ApiCall("GET", at("/api/runtime/actors/{}", name), query=query)


def suspend_actor(name: str, /, **body: Unpack[shapes.Order]) -> ApiCall[shapes.ActorShown]:
    """Let an actor take no more messages: `POST /api/runtime/actors/{name}/suspend`."""
    return ApiCall("POST", at("/api/runtime/actors/{}/suspend", name), body=body, is_done_once=True)


def resume_actor(name: str, /, **body: Unpack[shapes.Order]) -> ApiCall[shapes.ActorShown]:
    """Let an actor go on: `POST /api/runtime/actors/{name}/resume`."""
    return ApiCall("POST", at("/api/runtime/actors/{}/resume", name), body=body, is_done_once=True)


def drain_actor(name: str, /, **body: Unpack[shapes.Order]) -> ApiCall[shapes.ActorShown]:
    """Let an actor finish its messages and stop: `POST /api/runtime/actors/{name}/drain`."""
    return ApiCall("POST", at("/api/runtime/actors/{}/drain", name), body=body, is_done_once=True)


def restart_actor(name: str, /, **body: Unpack[shapes.Order]) -> ApiCall[shapes.ActorShown]:
    """Begin a new life of an actor: `POST /api/runtime/actors/{name}/restart`."""
    return ApiCall("POST", at("/api/runtime/actors/{}/restart", name), body=body, is_done_once=True)


def stop_actor(name: str, /, **body: Unpack[shapes.Order]) -> ApiCall[shapes.ActorShown]:
    """Stop an actor: `POST /api/runtime/actors/{name}/stop`."""
    return ApiCall("POST", at("/api/runtime/actors/{}/stop", name), body=body, is_done_once=True)


def step_down() -> ApiCall[shapes.SteppingDown]:
    """Have this centre lead no more, so that another one goes on: `POST /api/cluster/step-down`."""
    return ApiCall("POST", "/api/cluster/step-down")


def examine_server() -> ApiCall[shapes.Diagnosis]:
    """Examine the server and its machine; it takes some seconds: `GET /api/doctor`."""
    return ApiCall("GET", "/api/doctor")


def list_settings() -> ApiCall[shapes.ShownSettings]:
    """List all settings, with their values and where these are from: `GET /api/settings`."""
    return ApiCall("GET", "/api/settings")


def show_setting_line(**query: Unpack[shapes.ShowSettingLineQuery]) -> ApiCall[shapes.SettingLine]:
    """Show the line that gives a setting a value, once that value is right; nothing is changed: `GET /api/settings/line`."""
    return ApiCall("GET", "/api/settings/line", query=query)


def receive_update(body: Mapping[str, Any], /) -> ApiCall[None]:
    """Take an update; for Telegram alone: `POST /api/telegram/webhook`."""
    return ApiCall("POST", "/api/telegram/webhook", body=body)


def receive_delivery(body: Mapping[str, Any], /) -> ApiCall[None]:
    """Take a delivery; for GitHub alone: `POST /api/github/webhook`."""
    return ApiCall("POST", "/api/github/webhook", body=body)


def list_devices(**query: Unpack[shapes.ListDevicesQuery]) -> ApiCall[ListPage[shapes.Device]]:
    """List the devices: `GET /api/devices`."""
    return ApiCall("GET", "/api/devices", query=query)


def create_device(**body: Unpack[shapes.NewDevice]) -> ApiCall[shapes.DeviceToken]:
    """Make a device, and show its token this once: `POST /api/devices`."""
    return ApiCall("POST", "/api/devices", body=body)


def get_current_device() -> ApiCall[shapes.Identity]:
    """Tell who asks, and what they may do: `GET /api/devices/current`."""
    return ApiCall("GET", "/api/devices/current")


def get_device(device_id: int, /) -> ApiCall[shapes.Device]:
    """Show a device: `GET /api/devices/{deviceId}`."""
    return ApiCall("GET", at("/api/devices/{}", device_id))


def patch_device(device_id: int, /, **body: Unpack[shapes.DeviceChanges]) -> ApiCall[shapes.Device]:
    """Change a device; its open streams end where its access changed: `PATCH /api/devices/{deviceId}`."""
    return ApiCall("PATCH", at("/api/devices/{}", device_id), body=body)


def revoke_device(device_id: int, /, **query: Unpack[shapes.RevokeDeviceQuery]) -> ApiCall[shapes.Device]:
    """Revoke a device: it is let in no more, and its open streams end: `DELETE /api/devices/{deviceId}`."""
    return ApiCall("DELETE", at("/api/devices/{}", device_id), query=query)


def list_addresses() -> ApiCall[shapes.PageAddresses]:
    """List the addresses under which the page can be opened: `GET /api/addresses`."""
    return ApiCall("GET", "/api/addresses")


def offer_pairing(**body: Unpack[shapes.NewPairing]) -> ApiCall[shapes.PairingOffer]:
    """Make a code that lets a device in once, within five minutes: `POST /api/devices/pairings`."""
    return ApiCall("POST", "/api/devices/pairings", body=body)


def redeem_code(**body: Unpack[shapes.RedeemCode]) -> ApiCall[shapes.Device]:
    """Let the device in that brings the code, and give it its cookie: `POST /api/pair`."""
    return ApiCall("POST", "/api/pair", body=body)


def make_passkey_challenge() -> ApiCall[shapes.PasskeyChallenge]:
    """Make what an authenticator is to sign, once, within five minutes: `GET /api/passkeys/challenge`."""
    return ApiCall("GET", "/api/passkeys/challenge")


def list_passkeys(**query: Unpack[shapes.ListPasskeysQuery]) -> ApiCall[ListPage[shapes.ShownPasskey]]:
    """List the passkeys of the device; all of them for who has `admin`: `GET /api/passkeys`."""
    return ApiCall("GET", "/api/passkeys", query=query)


def keep_passkey(**body: Unpack[shapes.NewPasskey]) -> ApiCall[shapes.ShownPasskey]:
    """Keep a passkey of this device, which signs it in from now on: `POST /api/passkeys`."""
    return ApiCall("POST", "/api/passkeys", body=body)


def sign_in_with_passkey(**body: Unpack[shapes.PasskeyProof]) -> ApiCall[shapes.Device]:
    """Let the device in that brings a proof by its passkey, and give it a cookie: `POST /api/passkeys/signin`."""
    return ApiCall("POST", "/api/passkeys/signin", body=body)


def remove_passkey(passkey_id: int, /, **query: Unpack[shapes.RemovePasskeyQuery]) -> ApiCall[shapes.ShownPasskey]:
    """Let a passkey sign in no more: `DELETE /api/passkeys/{passkeyId}`."""
    return ApiCall("DELETE", at("/api/passkeys/{}", passkey_id), query=query)


def get_push_key() -> ApiCall[shapes.PushKey]:
    """Show the key that a browser subscribes with: `GET /api/push/key`."""
    return ApiCall("GET", "/api/push/key")


def list_push_subscriptions(**query: Unpack[shapes.ListPushSubscriptionsQuery]) -> ApiCall[ListPage[shapes.SubscribedBrowser]]:
    """List the browsers of the device that are told; all of them for who needs to be none: `GET /api/push/subscriptions`."""
    return ApiCall("GET", "/api/push/subscriptions", query=query)


def create_push_subscription(**body: Unpack[shapes.NewPushSubscription]) -> ApiCall[shapes.SubscribedBrowser]:
    """Tell a browser from now on; one that is told already keeps its preferences: `POST /api/push/subscriptions`."""
    return ApiCall("POST", "/api/push/subscriptions", body=body)


def get_push_subscription(subscription_id: int, /) -> ApiCall[shapes.SubscribedBrowser]:
    """Show a browser that is told: `GET /api/push/subscriptions/{subscriptionId}`."""
    return ApiCall("GET", at("/api/push/subscriptions/{}", subscription_id))


def patch_push_subscription(subscription_id: int, /, **body: Unpack[shapes.PushSubscriptionChanges]) -> ApiCall[shapes.SubscribedBrowser]:
    """Change what a browser is told, and when without a sound: `PATCH /api/push/subscriptions/{subscriptionId}`."""
    return ApiCall("PATCH", at("/api/push/subscriptions/{}", subscription_id), body=body)


def delete_push_subscription(subscription_id: int, /, **query: Unpack[shapes.DeletePushSubscriptionQuery]) -> ApiCall[shapes.SubscribedBrowser]:
    """Tell a browser no more: `DELETE /api/push/subscriptions/{subscriptionId}`."""
    return ApiCall("DELETE", at("/api/push/subscriptions/{}", subscription_id), query=query)


def send_test_push(subscription_id: int, /) -> ApiCall[shapes.SubscribedBrowser]:
    """Send a test to a browser: `POST /api/push/subscriptions/{subscriptionId}/test`."""
    return ApiCall("POST", at("/api/push/subscriptions/{}/test", subscription_id))


def decide_by_push(**body: Unpack[shapes.PushDecision]) -> ApiCall[shapes.Approval]:
    """Decide on the approval that a notification showed: `POST /api/push/decisions`."""
    return ApiCall("POST", "/api/push/decisions", body=body)


def list_notify_targets() -> ApiCall[shapes.NotifyTargets]:
    """List the places of CC_NOTIFY_URLS, what each is told, and how it took its last message: `GET /api/notify/targets`."""
    return ApiCall("GET", "/api/notify/targets")


def patch_notify_target(target_id: int, /, **body: Unpack[shapes.NotifyTargetChanges]) -> ApiCall[shapes.NotifyTarget]:
    """Change what a place is told: `PATCH /api/notify/targets/{targetId}`."""
    return ApiCall("PATCH", at("/api/notify/targets/{}", target_id), body=body)


def send_test_notification(target_id: int, /) -> ApiCall[shapes.NotifyTarget]:
    """Send a test to a place: `POST /api/notify/targets/{targetId}/test`."""
    return ApiCall("POST", at("/api/notify/targets/{}/test", target_id))


def list_webhooks(**query: Unpack[shapes.ListWebhooksQuery]) -> ApiCall[ListPage[shapes.ShownWebhook]]:
    """List the webhooks: `GET /api/webhooks`."""
    return ApiCall("GET", "/api/webhooks", query=query)


def create_webhook(**body: Unpack[shapes.NewWebhook]) -> ApiCall[shapes.MadeWebhook]:
    """Send events to an address from now on, and show the secret this once: `POST /api/webhooks`."""
    return ApiCall("POST", "/api/webhooks", body=body)


def get_webhook(webhook_id: int, /) -> ApiCall[shapes.ShownWebhook]:
    """Show a webhook: `GET /api/webhooks/{webhookId}`."""
    return ApiCall("GET", at("/api/webhooks/{}", webhook_id))


def patch_webhook(webhook_id: int, /, **body: Unpack[shapes.WebhookChanges]) -> ApiCall[shapes.ShownWebhook]:
    """Change a webhook, pause it, or resume it with what it missed: `PATCH /api/webhooks/{webhookId}`."""
    return ApiCall("PATCH", at("/api/webhooks/{}", webhook_id), body=body)


def delete_webhook(webhook_id: int, /, **query: Unpack[shapes.DeleteWebhookQuery]) -> ApiCall[shapes.ShownWebhook]:
    """Send nothing there any more: `DELETE /api/webhooks/{webhookId}`."""
    return ApiCall("DELETE", at("/api/webhooks/{}", webhook_id), query=query)


def replay_webhook(webhook_id: int, /, **body: Unpack[shapes.ReplayFrom]) -> ApiCall[shapes.ShownWebhook]:
    """Send the events after one, again if they were sent before: `POST /api/webhooks/{webhookId}/replay`."""
    return ApiCall("POST", at("/api/webhooks/{}/replay", webhook_id), body=body, is_done_once=True)


def send_test_delivery(webhook_id: int, /, **body: Unpack[shapes.Requester]) -> ApiCall[shapes.WebhookDelivery]:
    """Send a test there: `POST /api/webhooks/{webhookId}/test`."""
    return ApiCall("POST", at("/api/webhooks/{}/test", webhook_id), body=body, is_done_once=True)


def list_webhook_deliveries(webhook_id: int, /, **query: Unpack[shapes.ListWebhookDeliveriesQuery]) -> ApiCall[ListPage[shapes.WebhookDelivery]]:
    """List what was sent to a webhook, the newest first: `GET /api/webhooks/{webhookId}/deliveries`."""
    return ApiCall("GET", at("/api/webhooks/{}/deliveries", webhook_id), query=query)


def resend_webhook_delivery(webhook_id: int, delivery_id: int, /) -> ApiCall[shapes.WebhookDelivery]:
    """Send an event there once more, out of the order of events: `POST /api/webhooks/{webhookId}/deliveries/{deliveryId}/resend`."""
    return ApiCall("POST", at("/api/webhooks/{}/deliveries/{}/resend", webhook_id, delivery_id), is_done_once=True)


def sign_in() -> ApiCall[None]:
    """Give a cookie in place of the token: `POST /api/signin`."""
    return ApiCall("POST", "/api/signin")


def sign_out() -> ApiCall[None]:
    """End the cookie, and with it the streams and terminals of whose it is: `POST /api/signout`."""
    return ApiCall("POST", "/api/signout")
