// @ts-check
// Where the page is: the part of the address after `#`. Back and forward work, links are links.
import { useEffect, useState } from "./html.js";

/** @typedef {{path: string, parts: string[], params: URLSearchParams}} Place */

/** @returns {Place} */
export function here() {
  const [path, search] = (location.hash.slice(1) || "/").split("?");
  return { path, parts: path.split("/").filter(Boolean), params: new URLSearchParams(search || "") };
}

/** @param {string} path */
export function go(path) {
  location.hash = path;
}

/** Change the address without a step back. @param {string} path */
export function replace(path) {
  history.replaceState(history.state, "", `#${path}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/**
 * A choice of a screen that stands in its address, so that it can be kept and sent; not where it is what
 * it would be anyway.
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
let entries = Date.now(); // others than those before a reload

/** Keep in mind how far down one is, and be there again after a step back. */
export function rememberDepths() {
  history.scrollRestoration = "manual";
  addEventListener("scroll", () => depths.set(entry, scrollY), { passive: true });
}

/** After the screen of another place has come: its top, or where one was before. */
export function arrive() {
  const known = history.state?.entry;
  if (known === undefined) history.replaceState({ entry: (entries += 1) }, "");
  entry = known ?? entries;
  scrollTo(0, known === undefined ? 0 : (depths.get(known) ?? 0));
}

export function usePlace() {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const moved = () => setPlace(here());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return place;
}
