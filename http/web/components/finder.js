// @ts-check
// Where a text is looked for in all files: their patches are read a few at a time, page by page. A
// file opens once one goes to a place in it, as far as that place.
import { plural } from "../format.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { Button } from "./basics.js";
import { newsOfPage } from "./patches.js";

/** @import { ChangedFile, Patch } from "../openapi.js" */
/**
 * @typedef {{path: string, counts: number[], count: number}} Hit A file that has the text, and how
 * often: on each page of its patch, and in all.
 */

const TYPING_MS = 250;
const AT_ONCE = 4; // patches that are read at the same time
const KEPT = 8_000_000; // characters of patches that are kept while a text is typed
const OPENED = 3; // files with the text that open by themselves
const NOTHING = {
  hits: /** @type {Hit[]} */ ([]),
  first: /** @type {string[]} */ ([]),
  left: 0,
};
// in two columns a line that stays is there twice
const PLACES = "tr:is(.same, .hunk) > td:last-child mark, tr:not(.same, .hunk, .said) > td mark";

/**
 * `of` is what the patches are of: of something else they are read anew.
 * @param {{files: ChangedFile[], of: unknown, load: (file: ChangedFile) => AsyncGenerator<Patch>,
 * onFind: (text: string) => void, onOpen: (paths: string[], pages: number) => void}} props
 */
export const Finder = ({ files, of, load, onFind, onOpen }) => {
  const [text, setText] = useState("");
  const [at, setAt] = useState(-1);
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const going = useRef(/** @type {{path: string, nth: number} | null} */ (null));
  const wanted = useSettled(text.trim().length > 1 ? text.toLowerCase() : "");
  const { hits, first, left } = useHits(files, of, load, wanted);
  const total = hits.reduce((sum, { count }) => sum + count, 0);
  useEffect(() => onFind(wanted), [wanted]);
  useEffect(() => setAt(-1), [wanted, of]);
  useEffect(() => {
    if (first.length) onOpen(first, 1);
  }, [first.join("\0")]);
  const arrive = () => {
    const changes = place.current?.closest(".changes");
    if (!going.current || !changes) return;
    const { path, nth } = going.current;
    const file = changes.querySelector(`[data-path="${CSS.escape(path)}"]`);
    const mark = file?.querySelectorAll(PLACES)[nth];
    if (!mark) return;
    going.current = null;
    for (const old of changes.querySelectorAll("mark[data-current]"))
      old.removeAttribute("data-current");
    mark.setAttribute("data-current", "true");
    mark.scrollIntoView({ block: "center" });
  };
  useEffect(() => {
    const changes = place.current?.closest(".changes");
    if (!wanted || !changes) return;
    const watcher = new MutationObserver(arrive);
    watcher.observe(changes, { childList: true, subtree: true });
    return () => watcher.disconnect();
  }, [wanted]);
  /** @param {number} by */
  const go = (by) => {
    if (!total) return;
    const next = at < 0 && by < 0 ? total - 1 : (at + by + total) % total;
    let nth = next;
    const hit = hits.find(({ count }) => nth < count || ((nth -= count), false));
    setAt(next);
    if (!hit) return;
    going.current = { path: hit.path, nth };
    let before = 0;
    const page = hit.counts.findIndex((count) => nth < (before += count));
    onOpen([hit.path], page + 1);
    arrive();
  };
  return html`<div class="finder" role="search" ref=${place}>
    <input type="search" aria-label="Find in the changes" placeholder="Find in the changes"
      value=${text} onInput=${(/** @type {any} */ e) => setText(e.currentTarget.value)}
      onKeyDown=${(/** @type {any} */ e) => {
        if (e.key === "Enter") go(e.shiftKey ? -1 : 1);
      }} />
    ${
      wanted &&
      html`
        <span class="hint" role="status">
          ${at >= 0 ? `${at + 1} of ` : ""}${plural(total, "place")}${left ? "…" : ""}
        </span>
        <${Button} kind="quiet" disabled=${!total} onClick=${() => go(-1)}>Previous<//>
        <${Button} kind="quiet" disabled=${!total} onClick=${() => go(1)}>Next<//>
      `
    }
  </div>`;
};

/** A value once it has stood for a moment. @param {string} value */
function useSettled(value) {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/**
 * The files that have a text, in their order, the first of them once no earlier one can come, and
 * how many are still to be read.
 * @param {ChangedFile[]} files @param {unknown} of
 * @param {(file: ChangedFile) => AsyncGenerator<Patch>} load @param {string} wanted
 * @returns {{hits: Hit[], first: string[], left: number}}
 */
function useHits(files, of, load, wanted) {
  const [found, setFound] = useState(NOTHING);
  const kept = useRef({ of, texts: /** @type {Map<string, string[]>} */ (new Map()), size: 0 });
  useEffect(() => {
    setFound(NOTHING);
    if (!wanted) return;
    if (kept.current.of !== of) kept.current = { of, texts: new Map(), size: 0 };
    const { current: memory } = kept;
    const waiting = files.filter(({ path, isBinary }) => !isBinary && !path.endsWith("/"));
    const order = new Map(files.map(({ path }, index) => [path, index]));
    const place = (/** @type {string} */ path) => order.get(path) || 0;
    const unread = new Set(waiting.map(({ path }) => path)); // in the files' order
    const hits = /** @type {Hit[]} */ ([]);
    let first = /** @type {string[]} */ ([]);
    let left = waiting.length;
    let isOver = false;
    const tell = () => {
      hits.sort((one, other) => place(one.path) - place(other.path));
      const [next = ""] = unread;
      const end = unread.size ? place(next) : files.length;
      first = hits.slice(0, OPENED).flatMap(({ path }) => (place(path) < end ? [path] : []));
      setFound({ hits: [...hits], first, left });
    };
    const search = async () => {
      for (let file = waiting.shift(); file && !isOver; file = waiting.shift()) {
        const known = memory.texts.get(file.path);
        /** @type {string[] | null} */
        let read = [];
        const hit = { path: file.path, counts: /** @type {number[]} */ ([]), count: 0 };
        for await (const text of known || textsOf(file, load)) {
          if (isOver) return;
          read?.push(text);
          if (!known && memory.size + lengthOf(read) > KEPT) read = null;
          const count = text.split(wanted).length - 1;
          hit.counts.push(count);
          hit.count += count;
        }
        if (!known && read) {
          memory.texts.set(file.path, read);
          memory.size += lengthOf(read);
        }
        left -= 1;
        unread.delete(file.path);
        if (hit.count) hits.push(hit);
        if (hit.count || !left || first.length < Math.min(hits.length, OPENED)) tell();
      }
    };
    for (let worker = 0; worker < AT_ONCE; worker += 1) search();
    return () => {
      isOver = true;
    };
  }, [wanted, of]);
  return found;
}

/** @param {string[] | null} texts */
const lengthOf = (texts) => (texts || []).reduce((sum, text) => sum + text.length, 0);

/**
 * The lines of a file's patch as they are looked through, by its pages; none that cannot be read.
 * @param {ChangedFile} file @param {(file: ChangedFile) => AsyncGenerator<Patch>} load
 * @returns {AsyncGenerator<string>}
 */
async function* textsOf(file, load) {
  let isFirst = true;
  try {
    for await (const { patch } of load(file)) {
      yield newsOfPage(patch, isFirst)
        .map(({ text }) => text.toLowerCase())
        .join("\n");
      isFirst = false;
    }
  } catch {
    // it has changed meanwhile, and the list is read anew
  }
}
