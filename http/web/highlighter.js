// @ts-check
// A worker that finds what the words of a program are, so that no text, however hostile, holds up
// the page: one that takes too long is ended by whoever asked.

const NAME = "./vendor/highlight.js";
const loaded = import(/** @type {string} */ (NAME));

/** @import { Token } from "./components/colours.js" */

/** @type {Record<string, string>} */
const BY_NAME = {
  "cmakelists.txt": "cmake",
  dockerfile: "dockerfile",
  gemfile: "ruby",
  makefile: "makefile",
  rakefile: "ruby",
};

/** @type {Record<string, string>} */
const ESCAPED = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };

self.onmessage = async ({ data: { id, name, texts } }) => {
  const { default: hljs } = await loaded;
  self.postMessage({ id }); // it begins
  const ending = name.slice(name.lastIndexOf(".") + 1);
  const language = BY_NAME[name] || (hljs.getLanguage(ending) ? ending : null);
  const told = language
    ? texts.map((/** @type {string} */ code) =>
        linesOf(hljs.highlight(code, { language, ignoreIllegals: true }).value),
      )
    : null;
  self.postMessage({ id, told });
};

/**
 * What the highlighter writes, by lines: of each piece of text its kind, which is "" for none.
 * @param {string} written @returns {Token[][]}
 */
function linesOf(written) {
  /** @type {Token[][]} */
  const lines = [[]];
  /** @type {string[]} */
  const kinds = [];
  const pieces = written.matchAll(
    /<span class="hljs-([\w-]+)[^"]*">|<\/span>|(&[\w#]+;)|[^<&]+|./gs,
  );
  for (const [piece, kind, escaped] of pieces) {
    if (kind !== undefined) kinds.push(kind);
    else if (piece === "</span>") kinds.pop();
    else
      for (const [at, text] of (ESCAPED[escaped] ?? piece).split("\n").entries()) {
        if (at) lines.push([]);
        if (text) lines[lines.length - 1].push([kinds.at(-1) || "", text]);
      }
  }
  return lines;
}
