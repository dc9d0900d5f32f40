// @ts-check
// Shortcuts: single keys, and `g` before the place to go to. None of them decides anything.
import { useEffect, useState } from "./html.js";
import { go } from "./router.js";

export const GO = [
  ["n", "/", "Now"],
  ["t", "/tasks", "Tasks"],
  ["a", "/approvals", "Approvals"],
  ["s", "/sessions", "Sessions"],
  ["r", "/repos", "Repositories"],
  ["u", "/automations", "Automations"],
  ["h", "/threads", "Threads"],
  ["e", "/telemetry", "Telemetry"],
  ["x", "/runtime", "Runtime"],
];

/** @typedef {"" | "help" | "palette"} Sheet */

/** @type {(sheet: Sheet) => void} */
let show = () => {};

/** Show the box that searches everything. */
export const openPalette = () => show("palette");

/**
 * Listen to the keyboard; the sheet that is shown over the page, and a setter of it.
 * @returns {[Sheet, (sheet: Sheet) => void]}
 */
export function useKeys() {
  const [sheet, setSheet] = useState(/** @type {Sheet} */ (""));
  useEffect(() => {
    show = setSheet;
    let prefixAt = 0;
    /** @param {KeyboardEvent} event */
    const pressed = (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
        if (target.closest("dialog")) return;
        event.preventDefault();
        openPalette();
        return;
      }
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target.closest("input, textarea, select, dialog")
      )
        return;
      const place = Date.now() - prefixAt < 1500 && GO.find(([key]) => key === event.key);
      prefixAt = 0;
      if (place) go(place[1]);
      else if (event.key === "g") prefixAt = Date.now();
      else if (event.key === "c") go("/tasks/new");
      else if (event.key === "?") setSheet("help");
      else if (event.key === "/")
        /** @type {HTMLElement | null} */ (document.querySelector("[data-search]"))?.focus();
      else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return [sheet, setSheet];
}

/** To the next or the previous row, or card. @param {number} by */
function step(by) {
  const rows = /** @type {HTMLElement[]} */ ([
    ...document.querySelectorAll("main :is(a, button).row, main a.card, main article h3 a"),
  ]);
  const focused = document.activeElement;
  const card = focused?.closest("article");
  const at = rows.findIndex((row) => row === focused || card?.contains(row));
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}
