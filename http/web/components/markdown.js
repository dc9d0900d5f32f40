// @ts-check
// Markdown as agents write it, by the tokens of markdown-it: tables, quotes, tasks, links, code.
// Elements are made one by one of a fixed few, so whatever the text holds stays text.
import { filesAt } from "../files.js";
import { within } from "../format.js";
import { html, useMemo } from "../html.js";
import { Code } from "./basics.js";
import { useColours, written } from "./colours.js";

/** @import { FilesOf } from "../files.js" */
/** @typedef {{of: FilesOf, id: number, cwd: string}} Place The folder of which the text tells. */
/** @typedef {{token: any, children: any[]}} Open An element whose end has not come yet. */

const NAME = "../vendor/markdown-it.js";
/** The parser leaves out what lies deeper: such a text is not formatted. */
const DEEPEST = 100;
const LONGEST = 60_000; // characters that are formatted, in a time that nobody notices
const { default: MarkdownIt } = await import(/** @type {string} */ (NAME));

const parser = new MarkdownIt({ html: false, linkify: true, maxNesting: DEEPEST });
// else `app.py` were a page in Paraguay
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
// a target stays as it is written; `target` says what one may lead to
parser.validateLink = () => true;
parser.normalizeLink = (/** @type {string} */ to) => to;

/**
 * Return the elements of a text, or null where it is too long or too deep to be formatted. Without
 * a place nothing in it leads to files. Code gets its colours once it grows no more.
 * @param {string} text @param {Place | null} place @param {boolean} isGrowing
 */
export function elements(text, place, isGrowing) {
  if (text.length > LONGEST) return null;
  const tokens = parser.parse(text, {});
  if (tokens.some((/** @type {any} */ token) => token.level >= DEEPEST - 1)) return null;
  const growing = isGrowing ? tokens.at(-1) : null;
  return tree(tokens, (token) => leaf(token, place, token === growing), place);
}

/**
 * @param {any[]} tokens @param {(token: any) => any} single @param {Place | null} place
 * @returns {any[]}
 */
function tree(tokens, single, place) {
  /** @type {Open[]} */
  const open = [{ token: null, children: [] }];
  for (const token of tokens) {
    if (token.nesting > 0) open.push({ token, children: [] });
    else if (token.nesting < 0 && open.length > 1) {
      const { token: begun, children } = /** @type {Open} */ (open.pop());
      open[open.length - 1].children.push(element(begun, children, place));
    } else open[open.length - 1].children.push(single(token));
  }
  return open[0].children;
}

/** @param {any} token @param {any[]} children @param {Place | null} place */
function element(token, children, place) {
  switch (token.type) {
    case "paragraph_open":
      return token.hidden ? children : html`<p>${children}</p>`;
    case "heading_open":
      return html`<p class="heading" role="heading" aria-level=${Math.max(3, level(token))}>
        ${children}
      </p>`;
    case "bullet_list_open":
      return html`<ul>${children}</ul>`;
    case "ordered_list_open":
      return html`<ol start=${Number(token.attrGet("start") ?? 1)}>${children}</ol>`;
    case "list_item_open":
      return html`<li>${children}</li>`;
    case "blockquote_open":
      return html`<blockquote>${children}</blockquote>`;
    case "table_open":
      return html`<div class="table" tabindex="0" role="group" aria-label="Table">
        <table>${children}</table>
      </div>`;
    case "thead_open":
      return html`<thead>${children}</thead>`;
    case "tbody_open":
      return html`<tbody>${children}</tbody>`;
    case "tr_open":
      return html`<tr>${children}</tr>`;
    case "th_open":
      return html`<th scope="col" data-align=${alignment(token)}>${children}</th>`;
    case "td_open":
      return html`<td data-align=${alignment(token)}>${children}</td>`;
    case "em_open":
      return html`<em>${children}</em>`;
    case "strong_open":
      return html`<strong>${children}</strong>`;
    case "s_open":
      return html`<s>${children}</s>`;
    case "link_open":
      return linked(token.attrGet("href") || "", children, place);
    default:
      return children;
  }
}

/** @param {any} token */
const level = (token) => Number(token.tag.slice(1)) || 3;

/** @param {any} token */
const alignment = (token) => token.attrGet("style")?.replace("text-align:", "") || null;

/** @param {any} token @param {Place | null} place @param {boolean} isGrowing */
function leaf(token, place, isGrowing) {
  switch (token.type) {
    case "inline":
      return inline(token, place);
    case "fence":
    case "code_block":
      return html`<${Block} text=${token.content.replace(/\n$/, "")}
        language=${isGrowing ? "" : token.info.trim().split(/\s/)[0]} />`;
    case "hr":
      return html`<hr />`;
    default:
      return token.content;
  }
}

const TASK = /^\[([ xX])\] /;

/** @param {any} token @param {Place | null} place @returns {any} */
function inline(token, place) {
  const { children } = token;
  const task = children[0]?.type === "text" && TASK.exec(children[0].content);
  if (task) children[0].content = children[0].content.slice(task[0].length);
  const shown = tree(children, (child) => word(child, place), place);
  return task ? [html`<${Box} isDone=${task[1] !== " "} />`, ...shown] : shown;
}

/** A task of a list. @param {{isDone: boolean}} props */
const Box = ({ isDone }) =>
  html`<span role="img" aria-label=${isDone ? "Done" : "Not done"}>${isDone ? "☑" : "☐"} </span>`;

/** @param {any} token @param {Place | null} place */
function word(token, place) {
  switch (token.type) {
    case "softbreak":
      return "\n";
    case "hardbreak":
      return html`<br />`;
    case "code_inline": {
      const code = html`<code>${token.content}</code>`;
      return LINE.test(token.content) ? linked(token.content, code, place) : code;
    }
    case "image": // nothing is fetched from elsewhere for being looked at
      return linked(token.attrGet("src") || "", token.content || "picture", place);
    default:
      return token.content;
  }
}

const ELSEWHERE = /^(https?:\/\/|mailto:)/i;
const SCHEME = /^[a-z][a-z\d+.-]+:(?!\d)/i; // one letter is a drive
/** `file.py:12`, `file.py:12:5`, and `file.py#L12` */
const LINE = /^([^\s#?]*[^\s#?:\d][^\s#?:]*?)(?::(\d{1,7})(?:[-:]\d+)?|#L(\d{1,7})\S*)$/;

/**
 * What a text leads to: a page elsewhere in a tab of its own, a line of a file, or nothing.
 * @param {string} to @param {any} children @param {Place | null} place
 */
function linked(to, children, place) {
  if (ELSEWHERE.test(to))
    return html`<a href=${to} target="_blank" rel="noreferrer noopener" title=${to}>
      ${children}
    </a>`;
  const [, path = to, after, hash] = LINE.exec(to) || [];
  if (!place || !path || /^[#?]/.test(path) || SCHEME.test(path)) return children;
  const inside = within(decoded(path).replace(/^\.[\\/]/, ""), place.cwd).replaceAll("\\", "/");
  if (/^(\/|[a-z]:)/i.test(inside)) return children; // it lies in another folder
  const line = Number(after || hash) || null;
  return html`<a href=${filesAt(place.of, place.id, { path: inside, line })}>${children}</a>`;
}

/** @param {string} path */
function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a percent sign of its own
  }
}

/** @param {{text: string, language: string}} props */
const Block = ({ text, language }) => {
  const lines = useMemo(
    () =>
      (language ? text.split("\n") : []).map((one) => ({
        kind: /** @type {const} */ ("add"),
        text: one,
        old: null,
        now: null,
      })),
    [text, language],
  );
  const colours = useColours(language, lines);
  return html`<${Code} text=${text}>
    ${colours && lines.flatMap((line, at) => [at ? "\n" : "", ...written(line, colours, "")])}
  <//>`;
};
