// @ts-check
// The documentation: its search, and the colours that this browser has chosen for the page.
import { applyTheme } from "../theme.js";

/** @typedef {{at: string, page: string, heading: string, words: string}} Part */

const MOST = 12;
const field = /** @type {HTMLInputElement} */ (document.getElementById("search"));
const list = /** @type {HTMLElement} */ (document.getElementById("found"));
const contents = /** @type {HTMLDetailsElement} */ (document.querySelector("details.contents"));

applyTheme();
const wide = matchMedia("(min-width: 900px)");
const unfold = () => (contents.open ||= wide.matches);
wide.addEventListener("change", unfold);
unfold();

/** @type {Promise<Part[]> | undefined} */
let index;

/** Asked for once, when somebody is about to search. @returns {Promise<Part[]>} */
const parts = () =>
  (index ??= fetch(String(field.dataset.index)).then(
    (answer) => answer.json(),
    (error) => {
      index = undefined;
      throw error;
    },
  ));

/** Where a word begins with it. @param {string} word */
const beginning = (word) =>
  new RegExp(`(?<![a-z0-9])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "gi");

/**
 * How well a part fits; 0 where a word is missing. A word in a heading counts for more.
 * @param {Part} part @param {RegExp[]} words
 */
function fit(part, words) {
  let sum = 0;
  for (const word of words) {
    const [page, heading, text] = [part.page, part.heading, part.words].map(
      (said) => said.match(word)?.length ?? 0,
    );
    if (!page && !heading && !text) return 0;
    sum += 12 * Math.min(heading, 1) + 6 * Math.min(page, 1) + Math.min(text, 5);
  }
  return sum;
}

/** @param {Part} part @param {RegExp[]} words */
function around({ words: text }, words) {
  const found = words.map((word) => text.search(word)).filter((at) => at >= 0);
  const start = Math.max(0, Math.min(...found, text.length) - 50);
  const end = start + 160;
  return `${start ? "…" : ""}${text.slice(start, end)}${text.length > end ? "…" : ""}`;
}

/** @param {HTMLElement} place @param {string} text @param {RegExp[]} words */
function mark(place, text, words) {
  const any = new RegExp(`(${words.map((word) => word.source).join("|")})`, "gi");
  for (const [at, piece] of text.split(any).entries()) {
    const made = at % 2 ? document.createElement("mark") : null;
    if (made) made.textContent = piece;
    place.append(made ?? piece);
  }
}

/** @param {Part} part @param {RegExp[]} words */
function row(part, words) {
  const link = document.createElement("a");
  link.href = `${field.dataset.up}${part.at}`;
  const title = link.appendChild(document.createElement("b"));
  const where = part.heading === part.page ? part.page : `${part.page}: ${part.heading}`;
  mark(title, where, words);
  mark(link.appendChild(document.createElement("span")), around(part, words), words);
  return link;
}

async function search() {
  const asked = field.value;
  const words = asked.split(/\s+/).filter(Boolean).map(beginning);
  list.hidden = !words.length;
  if (!words.length) return;
  /** @type {{part: Part, fits: number}[] | null} */
  let found = null;
  try {
    found = (await parts())
      .map((part) => ({ part, fits: fit(part, words) }))
      .filter(({ fits }) => fits)
      .sort((one, other) => other.fits - one.fits)
      .slice(0, MOST);
  } catch {
    // said below
  }
  if (asked !== field.value) return; // a later search is under way
  list.replaceChildren(...(found ?? []).map(({ part }) => row(part, words)));
  if (found?.length) return;
  const none = list.appendChild(document.createElement("p"));
  none.textContent = found ? "Nothing has all of these words." : "The server cannot be reached.";
}

field.addEventListener("focus", () => void parts().catch(() => {}));
field.addEventListener("input", search);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") list.hidden = true;
  if (event.key === "Enter" && event.target === field) list.querySelector("a")?.click();
  if (event.key !== "/" || event.target === field || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  field.focus();
});
document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !target.closest("search, #found a")) list.hidden = true;
  if (target instanceof Element && target.closest("#found a")) list.hidden = true;
});
