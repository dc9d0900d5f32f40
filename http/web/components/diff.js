// @ts-check
// A unified diff as people read one: by file, folded where it is long, with its lines numbered.
import { html, useMemo, useState } from "../html.js";
import { basename, plural, seen, within } from "../format.js";

const FOLDED = 400; // lines of a file above which it begins folded
const SHOWN = 1500; // lines of a file that are shown at once

/**
 * @typedef {{kind: "add" | "del" | "same" | "hunk" | "note", text: string, old: number | null, now: number | null}} Line
 * @typedef {{path: string, was: string | null, added: number, removed: number, lines: Line[]}} FileDiff
 */

/** @param {string} text @returns {FileDiff[]} */
function parseDiff(text) {
  /** @type {FileDiff[]} */
  const files = [];
  /** @type {FileDiff | null} */
  let file = null;
  let old = 0;
  let now = 0;
  let inHunk = false;
  /** @param {string} path */
  const begin = (path) => {
    file = { path, was: null, added: 0, removed: 0, lines: [] };
    files.push(file);
    inHunk = false;
    return file;
  };
  /** @param {string} name */
  const plain = (name) => name.replace(/^"?[ab]\//, "").replace(/"?\t?$/, "");
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    if (line.startsWith("diff --git ")) {
      begin(plain(line.slice(11).split(/ "?b\//)[1] || line.slice(11)));
    } else if (!inHunk && line.startsWith("--- ")) {
      const name = line.slice(4);
      const target = /** @type {FileDiff | null} */ (file);
      if (!target || target.lines.length) begin(plain(name));
      if (file) /** @type {FileDiff} */ (file).was = name === "/dev/null" ? null : plain(name);
    } else if (!inHunk && line.startsWith("+++ ")) {
      const name = line.slice(4);
      if (file && name !== "/dev/null") /** @type {FileDiff} */ (file).path = plain(name);
    } else if (line.startsWith("@@")) {
      const match = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)/.exec(line);
      old = match ? Number(match[1]) : 1;
      now = match ? Number(match[2]) : 1;
      inHunk = true;
      (file || begin("")).lines.push({ kind: "hunk", text: match ? match[3] || "⋯" : line, old: null, now: null });
    } else if (inHunk && file) {
      const target = /** @type {FileDiff} */ (file);
      const rest = line.slice(1);
      if (line.startsWith("+")) {
        target.added += 1;
        target.lines.push({ kind: "add", text: rest, old: null, now: now++ });
      } else if (line.startsWith("-")) {
        target.removed += 1;
        target.lines.push({ kind: "del", text: rest, old: old++, now: null });
      } else if (line.startsWith(" ") || line === "") target.lines.push({ kind: "same", text: rest, old: old++, now: now++ });
      else target.lines.push({ kind: "note", text: line, old: null, now: null });
    } else if (file && /^(rename|new file|deleted file|Binary|similarity)/.test(line)) {
      /** @type {FileDiff} */ (file).lines.push({ kind: "note", text: line, old: null, now: null });
    }
  }
  return files;
}

/** Its paths are shown from the folder `cwd` on, where they lie in it. @param {{text: string, cwd?: string, label?: string}} props */
export const Diff = ({ text, cwd, label = "Changes" }) => {
  const files = useMemo(() => parseDiff(seen(text)), [text]);
  if (!files.length) return html`<pre class="plain" tabindex="0" aria-label=${label}>${seen(text)}</pre>`;
  return html`<div class="diff" aria-label=${label}>${files.map((file) => html`<${FileView} key=${file.path} file=${file} path=${within(file.path, cwd)} />`)}</div>`;
};

/** @param {{file: FileDiff, path: string}} props */
const FileView = ({ file, path }) => {
  const [shown, setShown] = useState(SHOWN);
  return html`<details class="diff-file" open=${file.lines.length <= FOLDED}>
    <summary title=${file.path}>
      <span class="path"><span class="folder">${path.slice(0, -basename(path).length)}</span><b>${basename(path)}</b></span>
      <span class="counts"><b class="add">+${file.added}</b> <b class="del">−${file.removed}</b></span>
    </summary>
    <div class="diff-lines" tabindex="0" role="group" aria-label=${path}>
      <table><tbody>
        ${file.lines.slice(0, shown).map((line) => html`<tr class=${line.kind}>
          <td class="no">${line.now ?? line.old ?? ""}</td>
          <td class="sign">${line.kind === "add" ? "+" : line.kind === "del" ? "−" : ""}</td>
          <td class="text">${seen(line.text)}</td>
        </tr>`)}
      </tbody></table>
    </div>
    ${file.lines.length > shown && html`<button type="button" class="button quiet wide" onClick=${() => setShown(shown + SHOWN)}>
      Show ${plural(Math.min(SHOWN, file.lines.length - shown), "more line", "more lines")}
    </button>`}
  </details>`;
};
