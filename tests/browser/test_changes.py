"""Changes of a session in the page: files, their patches, and what is new since a look."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import UNWORKED, Changed, OpenPage
from tests.browser.test_agents import photograph
from tests.browser.vendored import WEB as VENDOR

WEB = VENDOR.parent


def row(page: Page, name: str) -> Any:
    return page.locator(".file").filter(has=page.locator("summary", has_text=name))


def open_files(page: Page) -> Locator:
    return page.locator(".file:has(details[open])")


def opened(page: Page) -> set[str]:
    """Return the paths of the files that are open."""
    return {*open_files(page).evaluate_all("files => files.map((file) => file.dataset.path)")}


@pytest.mark.parametrize(
    ("device", "scheme"),
    [("phone", "light"), ("desktop", "dark")],
)
def test_files_are_viewed_one_by_one_and_what_is_new_is_shown(
    changed: Changed,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    *,
    device: str,
    scheme: Any,
) -> None:
    page = open_page(changed.url, device=device, color_scheme=scheme).page
    expect(page.locator(".changes-head")).to_contain_text("4 files +5")
    expect(row(page, "notes.md").locator(".add").filter(has_text="This is new.")).to_be_visible()
    expect(row(page, "picture.png").get_by_alt_text("picture.png after")).to_be_visible()
    row(page, "raw.bin").locator("summary").click()
    expect(row(page, "raw.bin")).to_contain_text("A binary file.")
    code = row(page, "code.py")
    expect(code.locator(".add").filter(has_text="return 30")).to_be_visible()
    photograph(page, f"{request.node.name}-all")
    page.get_by_label("Ignore white space").check()
    expect(code.locator(".add").filter(has_text="return 30")).to_have_count(0)
    expect(code.locator(".add").filter(has_text="return 8")).to_be_visible()
    page.get_by_label("Viewed code.py").check()
    expect(code).to_have_attribute("data-viewed", "true")
    page.get_by_role("button", name="Not viewed").click()
    expect(code).to_have_count(0)
    text = (changed.folder / "code.py").read_text()
    (changed.folder / "code.py").write_text(text.replace("return 20\n", "return 21\n"))
    page.reload()
    page.get_by_role("button", name="Not viewed").click()
    expect(code.locator(".add").filter(has_text="return 21")).to_be_visible()
    expect(code.locator(".add").filter(has_text="return 8")).to_have_count(0)
    photograph(page, f"{request.node.name}-new")


def test_two_columns_are_shown_where_there_is_room(changed: Changed, open_page: OpenPage) -> None:
    page = open_page(changed.url, device="desktop").page
    code = row(page, "code.py")
    expect(code.locator("[data-split='false']")).to_be_visible()
    page.get_by_role("button", name="Across the page").click()
    expect(code.locator("[data-split='true'] td.del").filter(has_text="return 7")).to_be_visible()
    expect(code.locator("[data-split='true'] td.add").filter(has_text="return 8")).to_be_visible()
    photograph(page, "two-columns")
    page.set_viewport_size({"width": 800, "height": 1000})
    expect(code.locator("[data-split='false']")).to_be_visible()
    code.get_by_role("button", name="More lines around").click()
    expect(code.locator(".same").filter(has_text="return 20")).to_be_visible()
    expect(code.locator(".same").filter(has_text="return 39")).to_have_count(1)
    code.get_by_role("button", name="The whole file").click()
    expect(code.locator("tr.hunk")).to_have_count(1)
    expect(code.get_by_role("button", name="The whole file")).to_have_count(0)


IS_COLOURED = """
() => {
  const word = document.querySelector("[data-path='code.py'] .add .hl-keyword");
  const colour = (element) => getComputedStyle(element).color;
  return word !== null && colour(word) !== colour(word.parentElement);
}
"""


@pytest.mark.parametrize(("device", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_code_has_colours_and_a_text_is_found_in_all_files(
    changed: Changed,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    *,
    device: str,
    scheme: Any,
) -> None:
    page = open_page(changed.url, device=device, color_scheme=scheme).page
    code = row(page, "code.py")
    expect(code.locator(".add .hl-keyword").filter(has_text="return").first).to_be_visible()
    page.wait_for_function(IS_COLOURED)  # in one look, as the lines may be made anew meanwhile
    photograph(page, f"{request.node.name}-colours")
    find = page.get_by_label("Find in the changes")
    find.fill("RETURN 8")
    finder = page.get_by_role("search")
    expect(finder).to_contain_text("1 place")
    find.press("Enter")
    expect(finder).to_contain_text("1 of 1 place")
    expect(code.locator("mark[data-current]").first).to_be_in_viewport()
    photograph(page, f"{request.node.name}-found")
    find.fill("new.")
    expect(row(page, "notes.md").locator("mark")).to_have_text("new.")
    expect(code.locator("mark")).to_have_count(0)


def test_of_many_files_only_those_open_that_one_goes_to(
    changed: Changed, open_page: OpenPage
) -> None:
    (changed.folder / "many").mkdir()
    for number in range(60):
        text = "needle\nneedle\n" if number % 6 else "nothing\n"
        (changed.folder / "many" / f"{number:02}.txt").write_text(text)
    page = open_page(changed.url, device="desktop").page
    expect(row(page, "59.txt")).to_have_count(1)
    before = opened(page)
    page.route(re.compile("/changes/patch.*01.txt"), lambda _: None)
    page.get_by_label("Find in the changes").fill("NEEDLE")
    finder = page.get_by_role("search")
    expect(finder).to_have_text(re.compile("^98 places…"), timeout=60_000)
    page.unroute(re.compile("/changes/patch.*01.txt"))  # which lets it go on
    expect(finder).to_have_text(re.compile("^100 places(?!…)"), timeout=60_000)
    expect(row(page, "01.txt").locator("mark")).to_have_text(["needle", "needle"])
    firsts = {f"many/0{number}.txt" for number in (1, 2, 3)}
    expect(open_files(page)).to_have_count(len(before | firsts))
    assert before | firsts == opened(page)
    finder.get_by_role("button", name="Previous").click()
    expect(finder).to_contain_text("100 of 100 places")
    expect(row(page, "59.txt").locator("mark[data-current]")).to_be_in_viewport()
    for _ in range(2):
        finder.get_by_role("button", name="Previous").click()
    expect(row(page, "58.txt").locator("mark[data-current]")).to_be_in_viewport()
    for _ in range(3):
        finder.get_by_role("button", name="Next").click()
    expect(finder).to_contain_text("1 of 100 places")
    expect(row(page, "01.txt").locator("mark[data-current]")).to_be_in_viewport()
    expect(open_files(page)).to_have_count(len(before | firsts) + 2)
    assert before | firsts | {"many/58.txt", "many/59.txt"} == opened(page)


def test_a_text_is_found_far_down_in_a_long_patch(changed: Changed, open_page: OpenPage) -> None:
    lines = ["needle", *("x" * 3000 for _ in range(250)), "needle", "needle"]  # three pages
    (changed.folder / "wide.txt").write_text("\n".join(lines))
    page = open_page(changed.url, device="phone").page
    page.get_by_label("Find in the changes").fill("needle")
    finder = page.get_by_role("search")
    expect(finder).to_have_text(re.compile("^3 places(?!…)"))
    marks = row(page, "wide.txt").locator("mark")
    expect(marks).to_have_count(1)
    finder.get_by_role("button", name="Previous").click()
    expect(finder).to_contain_text("3 of 3 places")
    expect(marks).to_have_count(3)
    expect(marks.last).to_be_in_viewport()
    expect(marks.last).to_have_attribute("data-current", "true")


def test_a_comment_speaks_of_several_lines(changed: Changed, open_page: OpenPage) -> None:
    page = open_page(changed.url, device="phone").page
    code = row(page, "code.py")
    code.get_by_role("button", name="Comment on line 29 after the change").click()
    code.get_by_label("Comment on line 29 after the change").last.fill("Why?")
    code.get_by_role("button", name="Comment on line 31 after the change").click()
    expect(code.locator(".said")).to_contain_text("Lines 29 to 31")
    code.get_by_role("button", name="Comment", exact=True).click()
    expect(code.locator(".comment")).to_contain_text("Why?")
    with httpx.Client(base_url=changed.url.partition("/#")[0], trust_env=False) as client:
        (comment,) = client.get("/api/sessions/1/comments").json()["items"]
    assert (29, 31, "Why?") == (comment["line"], comment["endLine"], comment["text"])


PRESS = """
async (button) => {
  const writing = () => Boolean(document.querySelector(".writing textarea"));
  const before = writing();
  const done = new Promise((done) => new MutationObserver((_, watcher) => {
    if (writing() !== before) done(watcher.disconnect());
  }).observe(document.body, { childList: true, subtree: true }));
  button.click();
  await done;
}
"""
"""Press a button until the place where one writes has come, or gone."""


def test_ten_thousand_lines_stay_smooth(changed: Changed, open_page: OpenPage) -> None:
    """By the time of the processor that a tap on a line takes, whatever else runs meanwhile.

    A look for a name among so many would be work of the test's own in the same page. Where all
    lines were made anew, each tap took 0.22 to 0.25 s here; it takes 0.07 to 0.11.
    """
    (changed.folder / "long.py").write_text("".join(f"x = {n}  # line\n" for n in range(10_000)))
    page = open_page(changed.url, device="phone").page
    long = row(page, "long.py")
    long.locator("summary").click()
    page.get_by_label("Find in the changes").fill("x = 9999")
    last = long.get_by_role("button", name="Comment on line 10000 after the change")
    expect(last).to_have_count(1, timeout=60_000)
    expect(long.locator("mark")).to_have_count(1)
    expect(long.locator("tbody:last-child tr:last-child .hl-comment")).to_have_count(1)
    line = last.element_handle()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def taken() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(float(m["value"]) for m in metrics if m["name"] == "ScriptDuration")

    taps = []
    for _ in range(3):
        before = taken()
        line.evaluate(PRESS)
        taps.append(taken() - before)
        page.locator(".writing button").first.evaluate(PRESS)
    assert min(taps) < 0.18, taps


def test_what_git_cannot_say_any_more_codex_has_told(changed: Changed, open_page: OpenPage) -> None:
    subprocess.run(["rm", "-r", str(changed.folder)], check=True)  # noqa: S607
    page = open_page(changed.url).page
    expect(page.locator(".changes")).to_contain_text("is gone")


@pytest.mark.parametrize(("device", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_lines_are_commented_on_and_all_comments_sent_once(
    changed: Changed,
    open_page: OpenPage,
    request: pytest.FixtureRequest,
    *,
    device: str,
    scheme: Any,
) -> None:
    page = open_page(changed.url, device=device, color_scheme=scheme).page
    code = row(page, "code.py")
    code.get_by_role("button", name="Comment on line 30 after the change").click()
    code.get_by_label("Comment on line 30 after the change").last.fill("Why eight?")
    photograph(page, f"{request.node.name}-writing")
    code.get_by_role("button", name="Comment", exact=True).click()
    expect(code.locator(".comment")).to_contain_text("Why eight?")
    notes = row(page, "notes.md")
    notes.get_by_role("button", name="Comment on line 3 after the change").click()
    notes.get_by_label("Comment on line 3 after the change").last.fill("Say more.")
    notes.get_by_role("button", name="Comment", exact=True).click()
    bar = page.get_by_role("region", name="Comments")
    expect(bar).to_contain_text("2 comments to send")
    photograph(page, f"{request.node.name}-open")
    notes.get_by_role("button", name="Take it back").click()
    expect(bar).to_contain_text("1 comment to send")
    bar.get_by_role("button", name="Send").click()
    page.wait_for_url("**/#/sessions/2")
    prompt = "code.py, line 30:\n>     return 8\n\nWhy eight?"
    with httpx.Client(base_url=changed.url.partition("/#")[0], trust_env=False) as client:
        assert prompt in client.get("/api/sessions/2").json()["prompt"]


def test_what_is_discarded_comes_back_on_a_branch(
    changed: Changed, open_page: OpenPage, request: pytest.FixtureRequest
) -> None:
    page = open_page(changed.url).page
    # What is asked for of a file, and answered once that is gone, is a 404.
    expect(row(page, "picture.png").get_by_alt_text("picture.png after")).to_be_visible()
    page.get_by_role("button", name="Discard…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("picture.png")
    photograph(page, f"{request.node.name}-asked")
    dialog.get_by_role("button", name="Discard", exact=True).click()
    expect(page.locator(".changes")).to_contain_text("Nothing has changed.")
    assert not (changed.folder / "notes.md").exists()
    page.goto(f"{changed.url.partition('#')[0]}#/repos/1")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("status").filter(has_text="cc/restored-1")).to_be_visible()
    photograph(page, f"{request.node.name}-restored")
    shown = ["git", "-C", str(changed.folder), "show", "cc/restored-1:notes.md"]
    done = subprocess.run(shown, check=True, capture_output=True, text=True)
    assert "This is new." in done.stdout


HIGHLIGHTER = "**/vendor/highlight.js"
ENDLESS = """
export default {
  getLanguage: () => true,
  highlight(code) {
    while (code.includes("This is new."));
    const lines = code.split("\\n").map((line) => `<span class="hljs-keyword">${line}</span>`);
    return { value: lines.join("\\n") };
  },
};
"""


def test_colours_come_however_long_the_highlighter_takes_to_load(
    changed: Changed, open_page: OpenPage
) -> None:
    page = open_page("about:blank", device="desktop", **UNWORKED).page
    page.clock.install()
    held: list[Route] = []
    is_held = True

    def hold(route: Route) -> None:
        if is_held:
            held.append(route)
        else:
            route.continue_()

    page.route(HIGHLIGHTER, hold)
    page.goto(changed.url)
    # What is under way while the clock leaps is given up, like what a dead server would answer.
    expect(row(page, "code.py").locator(".add").filter(has_text="return 8")).to_be_visible()
    expect(row(page, "notes.md").locator(".add").filter(has_text="This is new.")).to_be_visible()
    expect(row(page, "picture.png").get_by_alt_text("picture.png after")).to_be_visible()
    while not held:
        page.wait_for_timeout(10)
    page.clock.fast_forward(60_000)
    is_held = False
    for route in held:
        route.continue_()
    expect(row(page, "code.py").locator(".add .hl-keyword").first).to_be_visible()


def test_a_text_that_takes_for_ever_keeps_no_other_from_its_colours(
    changed: Changed, open_page: OpenPage
) -> None:
    page = open_page("about:blank", device="desktop", **UNWORKED).page
    page.route(
        HIGHLIGHTER, lambda route: route.fulfill(body=ENDLESS, content_type="text/javascript")
    )
    page.goto(changed.url)
    expect(row(page, "code.py").locator(".add .hl-keyword").first).to_be_visible()
    expect(row(page, "notes.md").locator(".add [class^=hl-]")).to_have_count(0)
