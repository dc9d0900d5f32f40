"""Pictures of the documentation, and its tutorial: they have no button that the page has not."""

import json
import re

from tests.browser.pictures import LABELS, PICTURES, page_text
from tests.checkout import ROOT

AGAIN = "take the pictures anew: python -m tests.browser.pictures"


def test_no_picture_is_older_than_what_it_shows() -> None:
    shown = json.loads(LABELS.read_text(encoding="utf-8"))
    kept = {path.stem for path in (ROOT / "docs" / "images").glob("*.webp")}
    assert kept == set(shown) == {name for name, *_ in PICTURES}
    own = page_text()
    for name, labels in shown.items():
        assert len(labels) > 4, name
        assert [] == [label for label in labels if label not in own], f"{name}: {AGAIN}"


def test_the_tutorial_presses_what_its_picture_of_a_new_task_has() -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    (step,) = re.findall(r"^## 4\. Write a task\n(.+?)^## ", text, re.DOTALL | re.MULTILINE)
    pressed = set(re.findall(r"\*([A-Z][^*]+)\*", step))
    assert {"New task", "Run"} <= pressed
    assert pressed <= set(json.loads(LABELS.read_text(encoding="utf-8"))["new-task-phone"])
