// @ts-check
// Styles of what is loaded when it is first shown, so that the page does not begin with them.

/** @type {Set<string>} */
const added = new Set();

/** Add a style sheet to the page, once. @param {string} path */
export function sheet(path) {
  if (added.has(path)) return;
  added.add(path);
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(path, import.meta.url).href;
  document.head.append(link);
}
