"""The cases by which OTP tests supervisors, servers, monitors and links, and what is true here.

The names are those of `supervisor_SUITE`, `gen_server_SUITE`, `monitor_SUITE`, `link_SUITE` and
`process_SUITE`. A case that holds names the test that shows it; one that differs names the row of
the table of differences in `docs/runtime.md`. Cases of distribution, of code replacement and of
logging's own format are left out: there is nothing of that here.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.checkout import ROOT

SUPERVISOR_HOLDS = {
    "sup_start_normal": "test_children_are_stopped_in_reverse_order",
    "sup_start_ignore_child": "test_an_actor_that_is_not_to_run_is_no_failure_and_keeps_its_place",
    "sup_start_ignore_temporary_child_start_child": (
        "test_an_actor_that_is_not_to_run_is_no_failure_and_keeps_its_place"
    ),
    "sup_start_error_return": "test_a_first_start_that_fails_stops_what_was_started_and_raises",
    "sup_start_fail": "test_a_system_whose_start_failed_says_why",
    "sup_start_child_returns_error": "test_a_path_is_free_again_before_a_failed_start_is_reported",
    "sup_start_restart_child_returns_error": (
        "test_a_restart_by_an_operator_that_fails_is_told_and_a_dead_child_stays_dead"
    ),
    "sup_start_map_faulty_specs": "test_each_field_of_a_child_spec_is_checked",
    "sup_flags": "test_each_field_of_a_supervisor_spec_is_checked",
    "child_specs": "test_a_contradictory_spec_is_refused_with_its_reason",
    "sup_stop_timeout": "test_a_handler_that_outlives_the_deadline_is_cancelled_and_its_asker_told",
    "sup_stop_brutal_kill": "test_one_that_is_ended_by_force_is_killed_and_not_shut_down",
    "child_adm": "test_a_stopped_child_of_the_spec_stays_visible_and_can_be_brought_back",
    "child_adm_simple": "test_a_dynamic_child_that_ends_leaves_the_tree_and_frees_its_path",
    "child_adm, delete_child": "test_a_stopped_child_is_deleted_and_frees_its_path",
    "permanent_normal": "test_the_restart_policy_decides_by_the_kind_of_end",
    "transient_normal": "test_the_restart_policy_decides_by_the_kind_of_end",
    "temporary_normal": "test_the_restart_policy_decides_by_the_kind_of_end",
    "permanent_shutdown": "test_the_restart_policy_decides_by_the_kind_of_end",
    "transient_shutdown": "test_the_restart_policy_decides_by_the_kind_of_end",
    "temporary_shutdown": "test_the_restart_policy_decides_by_the_kind_of_end",
    "permanent_abnormal": "test_the_restart_policy_decides_by_the_kind_of_end",
    "transient_abnormal": "test_the_restart_policy_decides_by_the_kind_of_end",
    "temporary_abnormal": "test_the_restart_policy_decides_by_the_kind_of_end",
    "temporary_bystander": (
        "test_a_temporary_sibling_never_comes_back_even_through_anothers_death"
    ),
    "one_for_one": "test_one_for_one_leaves_the_siblings_alone",
    "one_for_one_escalation": "test_a_failure_escalates_through_two_levels",
    "one_for_all": "test_one_for_all_stops_all_in_reverse_and_starts_all_in_order",
    "one_for_all_escalation": (
        "test_a_supervisor_that_gives_up_stops_its_children_and_is_restarted_by_its_own"
    ),
    "one_for_all_other_child_fails_restart": (
        "test_a_child_that_fails_while_restarting_is_tried_again_with_its_group"
    ),
    "rest_for_one": "test_rest_for_one_restarts_the_failed_child_and_those_after_it",
    "rest_for_one_escalation": "test_the_root_that_gives_up_cancels_the_body_and_raises",
    "rest_for_one_other_child_fails_restart": (
        "test_a_child_that_fails_while_restarting_is_tried_again_with_its_group"
    ),
    "simple_one_for_one": "test_a_crashed_dynamic_child_is_restarted_by_its_policy",
    "simple_one_for_one_escalation": (
        "test_dynamic_children_are_lost_when_their_supervisor_is_restarted"
    ),
    "simple_one_for_one_shutdown": "test_dynamic_children_are_stopped_together",
    "tree": "test_a_subtree_is_started_in_order_and_stopped_in_reverse_and_leaves_nothing",
    "order_of_children": "test_children_are_stopped_in_reverse_order",
    "count_restarting_children": "test_a_child_in_backoff_says_so_and_when_it_comes_back",
    "do_not_save_child_specs_for_temporary_children": (
        "test_a_dynamic_child_that_ends_leaves_the_tree_and_frees_its_path"
    ),
    "scale_start_stop_many_children": (
        "test_many_that_are_stopped_together_let_others_run_in_between"
    ),
    "hanging_restart_loop": "test_a_stop_is_served_during_a_restart_loop",
    "hanging_restart_loop_rest_for_one": "test_a_stop_is_served_while_a_child_starts",
    "already_started_outside_supervisor": (
        "test_a_taken_id_an_unknown_supervisor_and_an_unknown_path_are_errors"
    ),
    "nonsignificant_temporary": "test_a_supervisor_does_what_the_rules_of_otp_say",
    "significant_temporary": "test_the_end_of_any_significant_child_ends_its_supervisor",
    "significant_transient": "test_the_end_of_the_last_significant_child_ends_its_supervisor",
    "significant_simple": "test_significant_children_are_refused_where_they_make_no_sense",
    "significant_bystander": "test_a_significant_child_that_is_stopped_from_outside_ends_nobody",
    "significant_escalation": "test_a_permanent_supervisor_that_shut_itself_down_is_started_again",
    "restart intensity, sliding": "test_the_window_slides",
}

SERVER_HOLDS = {
    "start": "test_an_ask_returns_what_the_handler_returned",
    "start, ignore": "test_an_actor_that_is_not_to_run_is_no_failure_and_keeps_its_place",
    "loop_start_fail": "test_failed_starts_count_towards_the_intensity",
    "stop1": "test_an_actor_that_leaves_is_dying_from_that_moment",
    "stop, from outside": "test_who_waits_for_a_death_is_told_how_it_was",
    "crash": "test_a_crash_tells_the_asker_whose_message_was_in_hand",
    "call": "test_an_ask_returns_what_the_handler_returned",
    "call, timeout": "test_an_ask_times_out_and_names_target_message_and_time",
    "call, late reply": "test_a_late_reply_is_dropped",
    "call, noproc": "test_asking_a_dead_actor_fails_at_once",
    "call, calling_self": "test_an_actor_that_asks_itself_gets_an_error_and_no_deadlock",
    "send_request": "test_a_request_may_be_sent_now_and_waited_for_later",
    "send_request, timeout": "test_a_request_that_was_sent_times_out",
    "reply from another process": "test_the_other_actors_answer_is_the_answer",
    "noreply, then reply": "test_a_deferred_reply_is_settled_by_a_later_message",
    "cast": "test_messages_of_one_sender_arrive_in_the_order_sent",
    "cast to the dead": "test_a_message_to_a_stopped_actor_becomes_a_dead_letter",
    "continue": "test_what_is_to_be_done_after_the_start_is_done_before_any_message",
    "info, timeout": "test_an_actor_is_told_when_it_has_had_nothing_to_do",
    "replace_state": "test_an_operator_changes_an_actor_between_two_messages",
    "replace_state, a function that fails": (
        "test_a_suspended_actor_is_changed_and_what_a_change_raises_is_the_operators"
    ),
    "undef_handle_call": "test_an_ask_without_a_handler_is_refused_and_becomes_a_dead_letter",
    "undef_handle_info": "test_messages_without_a_handler_leave_others_their_turn",
    "terminate, its reason": "test_on_stop_is_told_how_its_life_ends",
    "sys, suspend and resume": "test_a_supervisor_does_what_the_rules_of_otp_say",
    "timer: send_after": "test_a_message_comes_after_its_time_and_once",
    "timer: send_interval": "test_a_message_comes_again_and_again_until_its_timer_ends",
    "timer: cancel": "test_a_timer_that_is_cancelled_sends_nothing",
    "pg: join, leave, members": "test_bonds_do_what_their_rules_say",
}

BONDS_HOLD = {
    "case_1": "test_a_monitor_is_told_of_a_death",
    "case_1a, a reason that is an error": "test_a_monitor_is_told_what_the_other_died_of",
    "case_2, noproc": "test_a_monitor_is_told_at_once_of_one_that_is_dead_already",
    "demon_1": "test_a_monitor_that_was_taken_back_is_told_nothing",
    "list_cleanup": "test_a_dead_watcher_is_kept_by_nobody",
    "mixer": "test_bonds_do_what_their_rules_say",
    "named_down": "test_a_supervisor_is_monitored_as_an_actor_is",
    "links": "test_linked_actors_crash_together",
    "link, noproc": "test_linking_to_the_dead_crashes",
    "link to oneself": "test_an_actor_that_is_linked_to_itself_ends_as_any",
    "unlink": "test_unlinked_actors_no_longer_share_their_fate",
    "t_exit_2_other_normal": "test_a_normal_end_breaks_no_link",
    "t_exit_2_other": "test_a_supervisor_does_what_the_rules_of_otp_say",
    "self_exit": "test_an_actor_that_stops_itself_as_a_child_ends_after_its_message_and_for_good",
    "kill": "test_one_that_is_ended_by_force_is_killed_and_not_shut_down",
}

HOLDS = SUPERVISOR_HOLDS | SERVER_HOLDS | BONDS_HOLD

DIFFERS = {
    "sup_stop_brutal_kill of what ignores it": "`exit(Pid, kill)`",
    "permanent_abnormal, a new pid": "a restart is a new pid, its mailbox gone",
    "terminate, only where exits are trapped": "`terminate` only if exits are trapped",
    "sup_stop_brutal_kill_dynamic": "`brutal_kill`",
    "child_adm, restart_child": "`supervisor:restart_child`",
    "call, noproc as an exit": "a call to a dead process exits with `noproc`",
    "cast_fast, without a bound": "unbounded mailboxes",
    "receive by a pattern": "selective receive",
    "scheduling in the midst of a handler": "processes are preempted",
    "monitor, twice": "each `monitor` is told by itself",
    "trap_exit": "`trap_exit`",
}

LACKS = {
    "hibernate, auto_hibernate": "an idle actor has no stack that could be packed",
    "format_status": "an actor shows what it wants by `describe`",
    "send_request_receive_reqid_collection": "a nursery waits for many requests",
    "alias, monitor_tag": "a reply is an object, so a late one meets nobody else's",
    "code_change, significant_upgrade": "a new program is a new process",
    "sup_start_ignore_init": "a supervisor is a spec, and has no code of its own that could ignore",
    "demonitor_flush": "a `Down` that is in the mailbox already still comes",
    "extra_return": "`start_child` returns the handle alone",
}


def _tests() -> set[str]:
    found: set[str] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        text = path.read_text("utf-8")
        found |= set(re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE))
    return found


def test_every_case_that_holds_is_shown_by_a_test() -> None:
    assert {*HOLDS.values()} - _tests() == set()


def _differences() -> str:
    page = (ROOT / "docs" / "runtime.md").read_text("utf-8")
    return page[page.index("## What differs from OTP") : page.index("## Inspection")]


@pytest.mark.parametrize("row", DIFFERS.values())
def test_every_difference_is_a_row_of_the_table_of_them(row: str) -> None:
    assert re.search(rf"^\| {re.escape(row)}", _differences(), re.MULTILINE)


def test_the_page_tells_how_many_cases_hold() -> None:
    counted = Counter(holds=len(HOLDS), differ=len(DIFFERS), lack=len(LACKS))
    told = re.findall(r"\d+", _differences().partition("test_otp_cases.py")[2].partition(".\n")[0])
    assert [counted.total(), *counted.values()] == [*map(int, told)]
