// @ts-check
// Styles of what is loaded when it is first shown, so that the page does not begin with them.

/** @type {Map<string, Promise<void>>} */
const added = new Map();

/**
 * Add a style sheet to the page, once; resolved when it is there, or cannot be had.
 * @param {string} path
 */
export function sheet(path) {
  const known = added.get(path);
  if (known) return known;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(path, import.meta.url).href;
  const isThere = new Promise((/** @type {(_: void) => void} */ resolve) => {
    link.onload = link.onerror = () => resolve();
  });
  added.set(path, isThere);
  document.head.append(link);
  return isThere;
}
