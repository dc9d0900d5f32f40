"""A run's confinement of Codex: complete in every spelling, and never more than it says."""

import tomllib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.codex.confinement import Reviewer, Sandbox
from command_center.actors.codex.errors import NotConfined, ProfileTooWide
from tests.codex.confining import confined

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def settings_of(options: tuple[str, ...]) -> str:
    """The settings among the options of `codex exec`, as one TOML document."""
    return "\n".join(text for flag, text in pairwise(options) if flag == "-c")


@given(projects=st.lists(TEXTS, min_size=1, unique=True), writable=st.lists(TEXTS))
def test_the_command_line_says_what_the_thread_is_opened_with_whatever_the_paths(
    projects: list[str], writable: list[str]
) -> None:
    confinement = confined(projects=tuple(projects), writable=tuple(writable))
    said = tomllib.loads(settings_of(confinement.exec_options()))
    assert {path: {"trust_level": "untrusted"} for path in projects} == said["projects"]
    assert writable == said["sandbox_workspace_write"]["writable_roots"]
    assert confinement.start_params()["config"]["projects"] == said["projects"]


@pytest.mark.parametrize("allowed", [False, True])
def test_the_network_is_set_in_both_directions_everywhere(*, allowed: bool) -> None:
    confinement = confined(allow_network=allowed)
    config = confinement.start_params()["config"]
    assert allowed == config["sandbox_workspace_write.network_access"]
    assert allowed == confinement.turn_params()["sandboxPolicy"]["networkAccess"]
    said = tomllib.loads(settings_of(confinement.exec_options()))
    assert allowed == said["sandbox_workspace_write"]["network_access"]


@pytest.mark.parametrize("reviewer", list(Reviewer))
def test_the_reviewer_is_named_wherever_something_is_asked(reviewer: Reviewer) -> None:
    confinement = confined(reviewer=reviewer)
    assert reviewer.value == confinement.start_params()["approvalsReviewer"]
    assert reviewer.value == confinement.resume_params()["approvalsReviewer"]
    assert reviewer.value == confinement.turn_params()["approvalsReviewer"]
    said = tomllib.loads(settings_of(confinement.exec_options()))
    assert ("never", "user") == (said["approval_policy"], said["approvals_reviewer"])


@pytest.mark.parametrize("sandbox", list(Sandbox))
def test_what_codex_would_do_by_itself_is_turned_off_in_every_sandbox(sandbox: Sandbox) -> None:
    confinement = confined("/w", sandbox=sandbox)
    config = confinement.start_params()["config"]
    assert {"/w": {"trust_level": "untrusted"}} == config["projects"]
    assert config["features.goals"] is False
    said = tomllib.loads(settings_of(confinement.exec_options()))
    assert said["features"]["goals"] is False
    assert "--ignore-rules" in confinement.exec_options()


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("approvalPolicy", "never"),
        ("approvalsReviewer", "auto_review"),
        ("sandbox", {"type": "dangerFullAccess"}),
        ("sandbox", {"type": "workspaceWrite", "networkAccess": True, "writableRoots": []}),
        ("sandbox", {"type": "workspaceWrite", "networkAccess": False, "writableRoots": ["/x"]}),
        ("sandbox", {"type": "somethingNew"}),
    ],
)
def test_a_thread_that_codex_starts_looser_than_asked_is_refused(
    setting: str, found: object
) -> None:
    with pytest.raises(NotConfined, match=setting):
        confined().check_started({setting: found})


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"sandbox": {"type": "readOnly", "networkAccess": False}, "approvalPolicy": "on-request"},
        {"sandbox": {"type": "workspaceWrite", "networkAccess": False, "writableRoots": []}},
    ],
)
def test_a_thread_that_is_as_tight_as_asked_or_tighter_is_taken(answer: dict[str, Any]) -> None:
    confined().check_started(answer)


def started(**sandbox: object) -> dict[str, Any]:
    policy = {"type": "workspaceWrite", "writableRoots": [], "networkAccess": False, **sandbox}
    return {"sandbox": policy, "activePermissionProfile": {"id": "mine", "extends": ":workspace"}}


def test_a_profile_holds_commands_in_the_place_of_a_sandbox() -> None:
    confinement = confined("/w", sandbox=Sandbox.WORKSPACE_WRITE, profile="mine")
    for params in (confinement.start_params(), confinement.turn_params()):
        assert "mine" == params["permissions"]
        assert not {"sandbox", "sandboxPolicy"} & params.keys()
    resumed = confinement.resume_params()
    assert ("read-only", False) == (resumed["sandbox"], "permissions" in resumed)
    confinement.check_started(started())
    told = {**SETTINGS, "activePermissionProfile": {"id": "mine"}}
    assert confinement.exceeded_by(told) is None
    assert confinement.exceeded_by({**told, "sandboxPolicy": {"type": "dangerFullAccess"}})
    assert confinement.exceeded_by({**told, "activePermissionProfile": {"id": "other"}})
    assert confinement.exceeded_by(SETTINGS)


@pytest.mark.parametrize(
    "wider",
    [
        {"writableRoots": ["/srv"]},
        {"networkAccess": True},
        {"type": "dangerFullAccess"},
        {"type": "unheardOf"},
    ],
)
def test_a_profile_that_gives_more_than_the_run_may_have_is_refused(wider: dict[str, Any]) -> None:
    confinement = confined("/w", sandbox=Sandbox.WORKSPACE_WRITE, profile="mine")
    with pytest.raises(ProfileTooWide, match="mine gives"):
        confinement.check_started(started(**wider))
    with pytest.raises(NotConfined, match="permissions"):
        confinement.check_started({**started(), "activePermissionProfile": None})


@pytest.mark.parametrize("sandbox", list(Sandbox))
def test_what_is_hidden_is_hidden_in_every_spelling_unless_nothing_holds_commands(
    sandbox: Sandbox,
) -> None:
    hidden = confined("/w", sandbox=sandbox, writable=("/git",), hidden=("/data/key",))
    name, free = hidden.named_profile, sandbox is Sandbox.DANGER_FULL_ACCESS
    assert free == (name is None)
    params = hidden.start_params()
    for spelled in (params, hidden.turn_params()):
        assert (name, free) == (spelled.get("permissions"), "permissions" not in spelled)
    said = tomllib.loads(settings_of(hidden.exec_options()))
    assert (name, free) == (said.get("default_permissions"), "-s" in hidden.exec_options())
    assert free == ("-P" not in hidden.sandbox_options())
    if name is None:
        return
    profile = params["config"][f"permissions.{name}"]
    assert "deny" == profile["filesystem"]["/data/key"]
    assert (sandbox is Sandbox.WORKSPACE_WRITE) == ("/git" in profile["filesystem"])
    assert profile == said["permissions"][name]
    assert profile == tomllib.loads(settings_of(hidden.sandbox_options()))["permissions"][name]
    resumed = hidden.resume_params()
    assert ("read-only", None) == (resumed["sandbox"], resumed.get("permissions"))
    assert profile == resumed["config"][f"permissions.{name}"]
    with pytest.raises(NotConfined, match="permissions"):
        hidden.check_started({"activePermissionProfile": None})


def test_a_profile_is_named_by_what_it_says_and_a_like_one_exceeds_nothing() -> None:
    wide = confined("/w", hidden=("/a",), allow_network=True)
    other = confined("/w", hidden=("/a", "/b"))
    assert 3 == len({one.named_profile for one in (wide, other, confined("/w", hidden=("/a",)))})
    active = {"id": wide.named_profile, "extends": ":workspace"}
    assert other.exceeded_by({**SETTINGS, "activePermissionProfile": active}) is None
    for odd in ({"id": "mine", "extends": ":workspace"}, {**active, "extends": "mine"}):
        assert other.exceeded_by({**SETTINGS, "activePermissionProfile": odd})
    network = {**SETTINGS["sandboxPolicy"], "networkAccess": True}
    told = {**SETTINGS, "activePermissionProfile": active, "sandboxPolicy": network}
    assert other.exceeded_by(told)


def test_a_profile_that_was_chosen_hides_besides() -> None:
    chosen = confined("/w", profile="mine", hidden=("/a",))
    name = chosen.named_profile
    made = {"extends": "mine", "filesystem": {"/a": "deny"}}
    assert made == chosen.start_params()["config"][f"permissions.{name}"]
    chosen.check_started({**started(), "activePermissionProfile": {"id": name, "extends": "mine"}})
    assert ":workspace" in "".join(chosen.sandbox_options())
    assert ":danger-full-access" == confined(profile=":danger-full-access").named_profile


def test_a_thread_is_resumed_as_tight_as_can_be_and_the_turn_says_what_it_may() -> None:
    confinement = confined(sandbox=Sandbox.DANGER_FULL_ACCESS)
    resumed = confinement.resume_params()
    assert ("read-only", "untrusted") == (resumed["sandbox"], resumed["approvalPolicy"])
    assert {"type": "dangerFullAccess"} == confinement.turn_params()["sandboxPolicy"]


SETTINGS: dict[str, Any] = {
    "cwd": "/w",
    "approvalPolicy": "on-request",
    "approvalsReviewer": "user",
    "sandboxPolicy": {"type": "workspaceWrite", "networkAccess": False, "writableRoots": []},
    "activePermissionProfile": None,
}


def test_settings_as_they_were_asked_for_or_tighter_exceed_nothing() -> None:
    confinement = confined("/w", sandbox=Sandbox.WORKSPACE_WRITE)
    assert confinement.exceeded_by(SETTINGS) is None
    assert confinement.exceeded_by({**SETTINGS, "sandboxPolicy": {"type": "readOnly"}}) is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("cwd", "/elsewhere"),
        ("approvalsReviewer", "auto_review"),
        ("sandboxPolicy", {"type": "dangerFullAccess"}),
        ("activePermissionProfile", {"id": "open"}),
    ],
)
def test_settings_by_which_turns_could_do_more_are_named(setting: str, value: object) -> None:
    confinement = confined("/w", sandbox=Sandbox.WORKSPACE_WRITE)
    assert confinement.exceeded_by({**SETTINGS, setting: value})


def test_a_project_that_the_machine_s_managed_configuration_trusts_is_refused() -> None:
    trusted = {"projects": {"/w": {"trust_level": "trusted"}}}
    managed = {"name": {"type": "legacyManagedConfigTomlFromFile"}, "config": trusted}
    layers = [managed, {"name": {"type": "user"}, "config": trusted}]
    confinement = confined("/w", obeyed=("/w/.codex",))
    with pytest.raises(NotConfined, match="trust_level"):
        confinement.check_managed(layers)
    confinement.check_managed(layers[1:])
    confined("/w", obeyed=("/w/.codex",), trusts_project=True).check_managed(layers)
    confined("/w").check_managed(layers)
