// @ts-check
// The terminal emulator, xterm.js: loaded where there is a terminal, and kept from what the page's
// policy refuses, which is styles that a script writes as markup.
import { seen } from "../format.js";
import { sheet } from "../sheets.js";

const XTERM = "../vendor/xterm.js";
const FIT = "../vendor/xterm-fit.js";

/** A colour of the page. @param {string} name */
const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A thing whose text is a style sheet; the policy knows only those that are made of rules. */
function styled() {
  const rules = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, rules];
  const element = document.createElement("span");
  element.hidden = true;
  Object.defineProperty(element, "textContent", {
    set: (/** @type {string} */ text) => rules.replaceSync(text),
  });
  const remove = element.remove.bind(element);
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== rules);
    remove();
  };
  return element;
}

/** The document as the emulator sees it. */
const seenDocument = () =>
  new Proxy(document, {
    get: (target, name) => {
      if (name === "createElement")
        return (/** @type {string} */ tag) =>
          tag === "style" ? styled() : target.createElement(tag);
      const value = /** @type {any} */ (target)[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

/**
 * Open what a program has made a link, once a person has read where it leads.
 * @param {Event} _ @param {string} address
 */
function follow(_, address) {
  if (/^https?:\/\//i.test(address) && window.confirm(`Open ${seen(address)}?`))
    window.open(address, "_blank", "noopener,noreferrer");
}

/**
 * A terminal in an element, as large as that is; `fit` makes it so again.
 * @param {HTMLElement} host @returns {Promise<{terminal: any, fit: () => void}>}
 */
export async function emulate(host) {
  sheet("./vendor/xterm.css");
  const [{ Terminal }, { FitAddon }] = await Promise.all([
    import(/** @type {string} */ (XTERM)),
    import(/** @type {string} */ (FIT)),
  ]);
  const terminal = new Terminal({
    documentOverride: seenDocument(),
    fontFamily: colour("mono"),
    fontSize: 13,
    linkHandler: { activate: follow },
    scrollback: 5000,
    screenReaderMode: true,
    theme: {
      background: colour("sunken"),
      foreground: colour("text"),
      cursor: colour("accent"),
      selectionBackground: colour("line-strong"),
    },
  });
  const fitting = new FitAddon();
  terminal.loadAddon(fitting);
  terminal.open(host);
  const fit = () => fitting.fit();
  fit();
  return { terminal, fit };
}
