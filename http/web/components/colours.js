// @ts-check
// The colours of code in a diff, and where a text that is looked for stands in it.
import { basename, seen } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { sheet } from "../sheets.js";

sheet("./styles/diff.css");

/** @import { Line } from "./diff.js" */
/** @typedef {[kind: string, text: string]} Token */
/** @typedef {Map<Line, Token[]>} Colours */

sheet("./styles/diff.css");

const LONGEST = 400_000; // characters of a file that are coloured
const MOST_MS = 4000; // that it may take

/** @typedef {{name: string, texts: string[], give: (told: Token[][][] | null) => void}} Wanted */

/** @type {Worker | null} */
let worker = null;
/** @type {Map<number, Wanted>} */
const asked = new Map();
let count = 0;
/** For the one that the worker is at; to load it may take as long as it takes. */
let timer = 0;

/** @param {number} id @param {Token[][][] | null} told */
function answer(id, told) {
  clearTimeout(timer);
  asked.get(id)?.give(told);
  asked.delete(id);
}

/** Have a worker do all that is asked for. */
function start() {
  worker = new Worker(new URL("../highlighter.js", import.meta.url), { type: "module" });
  worker.onerror = () => giveUp([...asked.keys()]);
  worker.onmessage = ({ data: { id, told } }) => {
    if (told === undefined) timer = setTimeout(giveUp, MOST_MS, [id]);
    else answer(id, told);
  };
  for (const [id, { name, texts }] of asked) worker.postMessage({ id, name, texts });
}

/** End the worker; what else is asked for is done by another. @param {number[]} ids */
function giveUp(ids) {
  worker?.terminate();
  worker = null;
  for (const id of ids) answer(id, null);
  if (asked.size) start();
}

/** @param {string} name @param {string[]} texts @returns {Promise<Token[][][] | null>} */
function colour(name, texts) {
  const id = (count += 1);
  return new Promise((give) => {
    asked.set(id, { name, texts, give });
    if (worker) worker.postMessage({ id, name, texts });
    else start();
  });
}

/**
 * The kinds of the words of each line, once they are known; null for what has no colours.
 * @param {string} path @param {Line[]} lines @returns {Colours | null}
 */
export function useColours(path, lines) {
  const [colours, set] = useState(/** @type {Colours | null} */ (null));
  useEffect(() => {
    let isWanted = true;
    set(null);
    const parts = partsOf(lines);
    const texts = parts.map((part) => part.map(({ text }) => text).join("\n"));
    if (!texts.length || texts.reduce((sum, text) => sum + text.length, 0) > LONGEST) return;
    colour(basename(path).toLowerCase(), texts).then((told) => {
      if (!told || !isWanted) return;
      /** @type {Colours} */
      const found = new Map();
      for (const [at, part] of parts.entries())
        for (const [number, line] of part.entries()) found.set(line, told[at][number] || []);
      set(found);
    });
    return () => {
      isWanted = false;
    };
  }, [path, lines]);
  return colours;
}

/**
 * The lines of each hunk as they were, and as they are: each is a text of its own.
 * @param {Line[]} lines @returns {Line[][]}
 */
function partsOf(lines) {
  /** @type {Line[][]} */
  const parts = [];
  for (const line of lines) {
    if (line.kind === "hunk" || !parts.length) parts.push([], []);
    if (line.kind === "del" || line.kind === "same") parts[parts.length - 2].push(line);
    if (line.kind === "add" || line.kind === "same") parts[parts.length - 1].push(line);
  }
  return parts.filter((part) => part.length);
}

/**
 * The text of a line with its colours, and with the places marked where another one is in it.
 * @param {Line} line @param {Colours | null} colours @param {string} find
 */
export function written(line, colours, find) {
  const tokens = colours?.get(line) || /** @type {Token[]} */ ([["", line.text]]);
  if (!find) return tokens.map(token);
  const text = line.text.toLowerCase();
  if (text.length !== line.text.length) return tokens.map(token);
  const shown = [];
  let end = 0;
  for (let at = text.indexOf(find); at >= 0; at = text.indexOf(find, end)) {
    shown.push(...cut(tokens, end, at).map(token));
    end = at + find.length;
    shown.push(html`<mark>${cut(tokens, at, end).map(token)}</mark>`);
  }
  return [...shown, ...cut(tokens, end, text.length).map(token)];
}

/** A part of a line. @param {Token[]} tokens @param {number} from @param {number} to */
function cut(tokens, from, to) {
  /** @type {Token[]} */
  const part = [];
  let begin = 0;
  for (const [kind, text] of tokens) {
    const some = text.slice(Math.max(from - begin, 0), Math.max(to - begin, 0));
    if (some) part.push([kind, some]);
    begin += text.length;
  }
  return part;
}

/** @param {Token} token */
const token = ([kind, text]) =>
  kind ? html`<span class=${`hl-${kind}`}>${seen(text)}</span>` : seen(text);
