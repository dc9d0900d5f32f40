// @ts-check
// A line at the edge for what has just happened, and where.
import { html, render, useLayoutEffect, useState } from "../html.js";
import { state, useStore } from "../store.js";
import { Icon } from "./icon.js";

const SECONDS = 6;
/** @typedef {{id: number, tone: string, text: string, where: string, note?: string}} Toast */

/** @type {Toast[]} */
let toasts = [];
/** @type {(toasts: Toast[]) => void} */
let show = () => {};
let last = 0;

/** @param {Omit<Toast, "id">} wanted */
export function toast(wanted) {
  if (!last) render(html`<${Toasts} />`, document.body.appendChild(document.createElement("div")));
  last += 1;
  const made = { ...wanted, id: last };
  toasts = [...toasts.slice(-2), made];
  show(toasts);
  setTimeout(() => expire(made.id), SECONDS * 1000);
}

/** Not while somebody is about to press one. @param {number} id */
function expire(id) {
  if (document.querySelector(".toasts:is(:hover, :focus-within)"))
    setTimeout(() => expire(id), 1000);
  else drop(id);
}

/** @param {number} id */
function drop(id) {
  toasts = toasts.filter((shown) => shown.id !== id);
  show(toasts);
}

/** They come with the first of them; who is signed out sees none. */
const Toasts = () => {
  useStore("connection");
  const [shown, setShown] = useState(toasts);
  useLayoutEffect(() => {
    show = setShown;
    return () => {
      show = () => {};
    };
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${(state.phase === "signin" ? [] : shown).map(
      (/** @type {Toast} */ t) => html`<div class="toast" key=${t.id} data-tone=${t.tone}>
        <a href=${`#${t.where}`} onClick=${() => drop(t.id)}>
          <b>${t.text}</b>
          ${t.note && html`<span>${t.note}</span>`}
        </a>
        <button type="button" class="icon-button" aria-label="Dismiss" onClick=${() => drop(t.id)}>
          <${Icon} name="cross" size=${16} />
        </button>
      </div>`,
    )}
  </div>`;
};
