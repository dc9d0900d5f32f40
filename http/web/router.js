// @ts-check
// Where the page is: the part of the address after `#`. Back and forward work, links are links.
import { useLayoutEffect, useState } from "./html.js";

/** The places of the page: path, icon and name. */
export const PLACES = [
  ["", "now", "Now"],
  ["tasks", "tasks", "Tasks"],
  ["approvals", "approvals", "Approvals"],
  ["sessions", "sessions", "Sessions"],
  ["repos", "repos", "Repositories"],
  ["automations", "automations", "Automations"],
  ["threads", "threads", "Threads"],
  ["tools", "command", "Tools"],
  ["hosts", "host", "Hosts"],
  ["telemetry", "telemetry", "Telemetry"],
  ["runtime", "runtime", "Runtime"],
  ["notifications", "bell", "Notifications"],
  ["devices", "devices", "Devices"],
  ["account", "lock", "Account"],
];

/** @typedef {{path: string, parts: string[], params: URLSearchParams}} Place */

/** @returns {Place} */
export function here() {
  const [path, search] = (location.hash.slice(1) || "/").split("?");
  return {
    path,
    parts: path.split("/").filter(Boolean),
    params: new URLSearchParams(search || ""),
  };
}

/** @param {string} path */
export function go(path) {
  location.hash = path;
}

/**
 * Go a step back, where one came here from another screen of this page; else the link leads on.
 * @param {MouseEvent} event
 */
export function goBack(event) {
  if (!history.state?.hasBefore || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.back();
}

/** Change the address without a step back. @param {string} path */
export function replace(path) {
  history.replaceState(history.state, "", `#${path}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/**
 * A choice of a screen that stands in its address, so that it can be kept and sent; not where it is
 * what it would be anyway.
 * @param {string} name @param {string} [usual] @returns {[string, (value: string) => void]}
 */
export function useParam(name, usual = "") {
  const { params, path } = usePlace();
  /** @param {string} value */
  const set = (value) => {
    const next = here().params;
    if (value === usual) next.delete(name);
    else next.set(name, value);
    replace(`${path}${next.size ? `?${next}` : ""}`);
  };
  return [params.get(name) ?? usual, set];
}

/** How far down each entry of the history was, by its number. @type {Map<number, number>} */
const depths = new Map();
let entry = 0;
let arrivedAt = "";
let entries = Date.now(); // others than those before a reload

/** Keep in mind how far down one is, and be there again after a step back. */
export function rememberDepths() {
  history.scrollRestoration = "manual";
  addEventListener(
    "scroll",
    () => {
      if (wanted === null && here().path === arrivedAt) depths.set(entry, scrollY);
    },
    { passive: true },
  );
  for (const moved of ["wheel", "touchstart", "keydown"])
    addEventListener(moved, () => (wanted = null), { passive: true });
}

const ARRIVE_MS = 2000;
/** How far down the page is to come as soon as it is long enough. @type {number | null} */
let wanted = null;

/** @param {number} until */
function descend(until) {
  if (wanted === null) return;
  scrollTo(0, wanted);
  if (scrollY >= wanted - 1 || performance.now() > until) wanted = null;
  else requestAnimationFrame(() => descend(until));
}

/** After the screen of another place has come: its top, or where one was before. */
export function arrive() {
  const known = history.state?.entry;
  if (known === undefined)
    history.replaceState({ entry: (entries += 1), hasBefore: arrivedAt !== "" }, "");
  entry = known ?? entries;
  arrivedAt = here().path;
  wanted = known === undefined ? 0 : (depths.get(known) ?? 0);
  descend(performance.now() + ARRIVE_MS);
}

export function usePlace() {
  const [place, setPlace] = useState(here);
  useLayoutEffect(() => {
    const moved = () => setPlace(here());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return place;
}
