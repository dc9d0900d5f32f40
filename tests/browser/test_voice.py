"""Words by voice, where the browser has them; a stand-in speaks for its microphone and service."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Changed, OpenPage
from tests.browser.test_agents import photograph

SPEECH = """
globalThis.SpeechRecognition = class {
  static available = async ({ langs, processLocally }) =>
    langs.length && processLocally && localStorage.getItem("here") ? "available" : "unavailable";
  start() { globalThis.recognizer = this; }
  stop() { this.say("now", true); this.onend(); }
  abort() { this.onend(); }
  say(words, isFinal) {
    const result = Object.assign([{ transcript: words }], { isFinal });
    this.onresult({ resultIndex: 0, results: [result] });
  }
};
"""
SAY = "([words, isFinal]) => recognizer.say(words, isFinal)"


def say(page: Page, words: str, *, is_final: bool) -> None:
    page.wait_for_function("() => globalThis.recognizer")
    page.evaluate(SAY, [words, is_final])


def test_words_are_written_by_voice_after_it_is_said_where_the_sound_may_go(
    changed: Changed, open_page: OpenPage
) -> None:
    page = open_page("about:blank", device="phone").page
    page.add_init_script(SPEECH)
    page.goto(changed.url.partition("?")[0])
    box, speak = page.locator(".composer textarea"), page.get_by_role("button", name="Speak")
    voice = page.get_by_role("group", name="Voice")
    box.fill("Look at")
    speak.click()
    expect(voice).to_contain_text("may send what you say to its maker")
    photograph(page, "voice")
    voice.get_by_role("button", name="Not now").click()
    expect(voice).to_have_count(0)
    assert page.evaluate("() => globalThis.recognizer === undefined")
    speak.click()
    voice.get_by_role("button", name="Speak").click()
    say(page, "the tes", is_final=False)
    expect(voice).to_contain_text("the tes")
    expect(box).to_have_value("Look at")
    say(page, "the tests", is_final=True)
    expect(box).to_have_value("Look at the tests")
    say(page, "first", is_final=True)
    expect(box).to_have_value("Look at the tests first")
    voice.get_by_role("button", name="Done").click()
    expect(voice).to_have_count(0)
    expect(box).to_have_value("Look at the tests first now")
    speak.click()
    page.wait_for_function("() => recognizer.continuous && !recognizer.processLocally")
    # The person's language, which may be another one than the page's.
    assert page.evaluate("() => recognizer.lang") == page.evaluate("() => navigator.language")
    assert page.evaluate("() => recognizer.lang !== document.documentElement.lang")
    page.evaluate("() => recognizer.onerror({ error: 'not-allowed' })")
    expect(voice).to_contain_text("may not use the microphone")
    page.evaluate("() => { localStorage.clear(); localStorage.setItem('here', '1'); }")
    voice.get_by_role("button", name="Close").click()
    speak.click()
    page.wait_for_function("() => recognizer.processLocally")
    expect(voice).to_contain_text("Listening")
    say(page, "and what is late", is_final=False)
    box.fill("")
    expect(voice).to_have_count(0)
    expect(box).to_have_value("")
