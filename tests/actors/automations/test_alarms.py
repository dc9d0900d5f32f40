"""The alarms against the simplest thing that could keep them: a dictionary."""

from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.automations.alarms import SPARE, Alarms

steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(1, 5), st.none() | st.integers(0, 20)),
        st.tuples(st.just("take"), st.integers(0, 20), st.none()),
    )
)


@given(steps)
def test_alarms_go_off_as_those_of_a_dictionary_would(
    steps: list[tuple[str, int, int | None]],
) -> None:
    alarms = Alarms()
    model: dict[int, float] = {}
    for step, number, due in steps:
        if step == "set":
            alarms.set(number, due)
            if due is None:
                model.pop(number, None)
            else:
                model[number] = due
        else:
            gone = [key for key, moment in model.items() if moment <= number]
            expected = sorted(gone, key=lambda key: (model[key], key))
            assert expected == list(alarms.take_due(number))
            for key in gone:
                del model[key]
        assert len(model) == len(alarms)
        assert min(model.values(), default=None) == alarms.next_due()


def test_an_alarm_that_is_moved_very_often_takes_no_more_room() -> None:
    alarms = Alarms()
    for due in range(10 * SPARE):
        alarms.set(1, due)
    assert len(alarms._heap) <= SPARE + 3
    assert [1] == list(alarms.take_due(10 * SPARE))
