"""Pictures of the documentation: none shows a heading or a button that the page no longer has."""

import json

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
