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
  history.replaceState(null, "", `#${path}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
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
