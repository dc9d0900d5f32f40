// @ts-check
// A unified diff as people read one: by file, folded where it is long, with its lines numbered.
import { html, useMemo, useRef, useState } from "../html.js";
import { basename, plural, seen, within } from "../format.js";
import { useColours, written } from "./colours.js";

/** @import { Colours } from "./colours.js" */
/** @typedef {[Line | null, Line | null]} Row A line before and after, or one that is both. */

const FOLDED = 400; // lines of a file above which it begins folded
const SHOWN = 1500; // lines of a file that are shown at once
const PART = 100; // rows that are made anew together

/**
 * @typedef {{kind: "add" | "del" | "same" | "hunk" | "note", text: string, old: number | null, now:
 * number | null}} Line
 * @typedef {{path: string, was: string | null, added: number, removed: number, lines: Line[]}}
 * FileDiff
 */

/** @param {string} text @returns {FileDiff[]} */
export function parseDiff(text) {
  /** @type {FileDiff[]} */
  const files = [];
  let old = 0;
  let now = 0;
  let left = { old: 0, now: 0 }; // lines that the hunk still has, by its head
  let isNamed = false; // by "diff --git", and no "--- " came since
  let hasHunk = false;
  /** @param {string} path */
  const begin = (path) => {
    files.push({ path, was: null, added: 0, removed: 0, lines: [] });
    left = { old: 0, now: 0 };
    hasHunk = false;
  };
  /** @param {string} name */
  const plain = (name) => name.replace(/^"?[ab]\//, "").replace(/"?\t?$/, "");
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  // A secret of several lines is one line by now, so that a hunk may end before its head says.
  const isHead = (/** @type {number} */ at) =>
    lines[at].startsWith("--- ") &&
    lines[at + 1]?.startsWith("+++ ") &&
    lines[at + 2]?.startsWith("@@ -") &&
    !(left.old === 1 && left.now === 1);
  for (const [at, line] of lines.entries()) {
    const file = files.at(-1);
    const isLeft = line.startsWith("+")
      ? left.now > 0
      : left.old > 0 && (line.startsWith("-") || left.now > 0);
    if (file && isLeft && /^([-+ ]|$)/.test(line) && !isHead(at)) {
      const rest = line.slice(1);
      if (!line.startsWith("+")) left.old -= 1;
      if (!line.startsWith("-")) left.now -= 1;
      if (line.startsWith("+")) {
        file.added += 1;
        file.lines.push({ kind: "add", text: rest, old: null, now: now++ });
      } else if (line.startsWith("-")) {
        file.removed += 1;
        file.lines.push({ kind: "del", text: rest, old: old++, now: null });
      } else file.lines.push({ kind: "same", text: rest, old: old++, now: now++ });
    } else if (line.startsWith("diff --git ")) {
      begin(plain(line.slice(11).split(/ "?b\//)[1] || line.slice(11)));
      isNamed = true;
    } else if (line.startsWith("--- ")) {
      const name = line.slice(4);
      if (!isNamed) begin(plain(name));
      isNamed = false;
      left = { old: 0, now: 0 };
      files[files.length - 1].was = name === "/dev/null" ? null : plain(name);
    } else if (line.startsWith("+++ ")) {
      const name = line.slice(4);
      if (file && name !== "/dev/null") file.path = plain(name);
    } else if (line.startsWith("@@")) {
      if (!file) begin("");
      const match = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)/.exec(line);
      old = match ? Number(match[1]) : 1;
      now = match ? Number(match[3]) : 1;
      left = match
        ? { old: Number(match[2] ?? 1), now: Number(match[4] ?? 1) }
        : { old: Infinity, now: Infinity };
      hasHunk = true;
      files[files.length - 1].lines.push({
        kind: "hunk",
        text: match ? match[5] || (now > 1 ? `From line ${now}` : "") : line,
        old: null,
        now: null,
      });
    } else if (
      file &&
      line &&
      (hasHunk || /^(rename|old mode|new mode|new file|deleted file|Binary|similarity)/.test(line))
    ) {
      file.lines.push({ kind: "note", text: line, old: null, now: null });
    }
  }
  return files;
}

/**
 * Its paths are shown from the folder `cwd` on, where they lie in it.
 * @param {{text: string, cwd?: string, label?: string}} props
 */
export const Diff = ({ text, cwd, label = "Changes" }) => {
  const files = useMemo(() => parseDiff(seen(text)), [text]);
  if (!files.length)
    return html`<pre class="plain" tabindex="0" aria-label=${label}>${seen(text)}</pre>`;
  return html`<div class="diff" aria-label=${label}>
    ${files.map((file) => html`<${FileView} key=${file.path} file=${file} cwd=${cwd} />`)}
  </div>`;
};

/** @param {{file: FileDiff, cwd?: string}} props */
const FileView = ({ file, cwd }) => {
  const path = within(file.path, cwd);
  const moved = file.was && file.was !== file.path && `, moved from ${within(file.was, cwd)}`;
  return html`<details class="diff-file" open=${file.lines.length <= FOLDED}>
    <summary title=${`${file.path}${moved || ""}`}>
      <span class="path">
        <span class="folder">${path.slice(0, -basename(path).length)}</span>
        <b>${basename(path)}</b>
        ${moved && html`<span class="folder">${moved}</span>`}
      </span>
      <span class="counts">
        <b class="add">+${file.added}</b> <b class="del">−${file.removed}</b>
      </span>
    </summary>
    <${Lines} lines=${file.lines} label=${path} />
  </details>`;
};

/**
 * What is said of lines: where a new remark begins, and those that there are, under their lines.
 * @typedef {"before" | "after"} DiffSide
 * @typedef {{pick: (side: DiffSide, line: number) => void, under: (side: DiffSide, line: number) =>
 * any, hasBefore: boolean}} Saying
 */

/**
 * The lines of a file, as many as are shown at once; in two columns, where there is room.
 * @param {{lines: Line[], label: string, isSplit?: boolean, saying?: Saying, find?: string,
 * atLeast?: number}} props
 */
export const Lines = ({ lines, label, isSplit = false, saying, find = "", atLeast = 0 }) => {
  const [asked, setShown] = useState(Math.max(SHOWN, atLeast));
  const colours = useColours(label, lines);
  const shown = find ? lines.length : asked;
  const parts = useMemo(() => {
    const some = lines.slice(0, shown);
    /** @type {Row[]} */
    const rows = isSplit ? sideBySide(some) : some.map((line) => [line, line]);
    return Array.from({ length: Math.ceil(rows.length / PART) }, (_, at) =>
      rows.slice(at * PART, (at + 1) * PART),
    );
  }, [lines, shown, isSplit]);
  const how = { isSplit, colours, find, saying };
  return html`
    <div class="diff-lines" data-split=${isSplit} tabindex="0" role="group" aria-label=${label}>
      <table>
        ${parts.map((rows, at) => html`<${Part} key=${at} rows=${rows} ...${how} />`)}
      </table>
    </div>
    ${
      lines.length > shown &&
      html`<button type="button" class="button quiet wide" onClick=${() => setShown(shown + SHOWN)}>
        Show ${plural(Math.min(SHOWN, lines.length - shown), "more line", "more lines")}
      </button>`
    }
  `;
};

/**
 * Some rows of it. Where nothing is said of them, they are made once: another one's remark costs
 * them nothing.
 * @param {{rows: Row[], isSplit: boolean, colours: Colours | null, find: string, saying?: Saying}}
 * props
 */
const Part = ({ rows, isSplit, colours, find, saying }) => {
  const kept = useRef(/** @type {{of: unknown[], made: any} | null} */ (null));
  const said = rows.map(([before, after]) =>
    (before === after ? [after] : [before?.kind === "del" ? before : null, after])
      .map((line) => line && saying && under(saying, line))
      .filter(Boolean),
  );
  const how = { saying, colours, find };
  const isQuiet = said.every((remarks) => !remarks.length);
  const of = [rows, isSplit, colours, find, Boolean(saying), saying?.hasBefore];
  if (isQuiet && kept.current?.of.every((value, at) => value === of[at])) return kept.current.made;
  const made = html`<tbody>
    ${rows.map(
      ([before, after], at) => html`
        ${
          after?.kind === "hunk" && !after.text
            ? null // it begins with the first line: nothing is left out
            : isSplit
              ? html`<tr class=${before === after ? before?.kind : ""}>
              <${Side} line=${before} side="before" ...${how} />
              <${Side} line=${after} side="after" ...${how} />
            </tr>`
              : after &&
                html`<tr class=${after.kind}>
                <${LineNumber} line=${after} side=${sideOf(after)} saying=${saying} />
                <td class="sign">
                  ${after.kind === "add" ? "+" : after.kind === "del" ? "−" : ""}
                </td>
                <td class="text">${written(after, colours, find)}</td>
              </tr>`
        }
        ${said[at]}
      `,
    )}
  </tbody>`;
  kept.current = isQuiet ? { of, made } : null;
  return made;
};

/** @param {Line} line @returns {DiffSide} */
const sideOf = (line) => (line.kind === "del" ? "before" : "after");

/** @param {Line} line @param {DiffSide} side */
const numberOf = (line, side) => (side === "before" ? line.old : line.now);

/** What is said of a line, in a row below it. @param {Saying} saying @param {Line} line */
function under(saying, line) {
  const number = numberOf(line, sideOf(line));
  const said = number !== null && saying.under(sideOf(line), number);
  return said && html`<tr class="said"><td colspan="4">${said}</td></tr>`;
}

/** @param {{line: Line | null, side: DiffSide, saying?: Saying}} props */
const LineNumber = ({ line, side, saying }) => {
  const number = line && numberOf(line, side);
  return html`<td class=${`no ${line?.kind || "none"}`}>
    ${
      number && saying && (side === "after" || saying.hasBefore)
        ? html`<button type="button" class="line" title="Comment on it"
          aria-label=${`Comment on line ${number} ${side} the change`}
          onClick=${() => saying.pick(side, number)}>
          ${number}
        </button>`
        : (number ?? "")
    }
  </td>`;
};

/**
 * @param {{line: Line | null, side: DiffSide, saying?: Saying, colours: Colours | null, find:
 * string}} props
 */
const Side = ({ line, side, saying, colours, find }) => html`
  <${LineNumber} line=${line} side=${side} saying=${saying} />
  <td class=${`text ${line?.kind || "none"}`}>${line && written(line, colours, find)}</td>
`;

/**
 * Lines that were taken away beside those that came in their place.
 * @param {Line[]} lines @returns {Row[]}
 */
function sideBySide(lines) {
  /** @type {Row[]} */
  const rows = [];
  /** @type {{del: Line[], add: Line[]}} */
  const waiting = { del: [], add: [] };
  const flush = () => {
    for (let at = 0; at < Math.max(waiting.del.length, waiting.add.length); at += 1)
      rows.push([waiting.del[at] || null, waiting.add[at] || null]);
    waiting.del = [];
    waiting.add = [];
  };
  for (const line of lines) {
    if (line.kind === "del" && waiting.add.length) flush();
    if (line.kind === "del" || line.kind === "add") waiting[line.kind].push(line);
    else {
      flush();
      rows.push([line, line]);
    }
  }
  flush();
  return rows;
}
