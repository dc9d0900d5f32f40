// @ts-check
// The title and the icon of the page: which screen it is, and how many approvals are pending.
import { pendingApprovals, state, useStore } from "./store.js";
import { useEffect } from "./html.js";

const NAME = "Command Center";
let screen = "";

/** A screen's name, in the title while the screen is there. @param {string} name */
export function useTitle(name) {
  useEffect(() => {
    screen = name;
    show();
  }, [name]);
}

function show() {
  const count = state.phase === "signin" ? 0 : pendingApprovals().length;
  const shown = [count && `(${count})`, state.phase !== "signin" && screen && `${screen} ·`, NAME];
  document.title = shown.filter(Boolean).join(" ");
  document
    .getElementById("favicon")
    ?.setAttribute("href", count ? "/web/icons/icon-alert.svg" : "/web/icons/icon.svg");
  const setBadge = /** @type {any} */ (navigator).setAppBadge;
  if (setBadge) setBadge.call(navigator, count).catch(() => {});
}

/** Keeps them true. */
export const Title = () => {
  useStore("approvals", "connection");
  useEffect(show);
  return null;
};
