// @ts-check
// What an agent writes, as text with a little of Markdown: paragraphs, lists, headings, code.
// Elements are made one by one, so whatever the text holds stays text.
import { html } from "../html.js";

const ITEM = /^([ \t]*)(?:[-*•]|(\d{1,9})[.)]) /;
const DEEPEST = 8; // lists within each other; what stands deeper is shown as deep as that

/** @param {{text: string}} props */
export const Prose = ({ text }) => html`<div class="prose">${blocks(text)}</div>`;

/** @param {string} text */
function blocks(text) {
  const made = [];
  const parts = text.split(/^```[^\n]*\n?/m);
  for (let at = 0; at < parts.length; at += 1) {
    if (at % 2)
      made.push(
        html`<pre class="plain" tabindex="0" aria-label="Code">
          ${parts[at].replace(/\n$/, "")}
        </pre>`,
      );
    else
      for (const block of parts[at].split(/\n{2,}/))
        if (block.trim()) made.push(paragraph(block.replace(/^\n+|\n+$/g, "")));
  }
  return made;
}

/** Headings, and what stands below them. @param {string} block */
function paragraph(block) {
  const made = [];
  const lines = block.split("\n");
  let at = 0;
  for (let heading; at < lines.length && (heading = /^#{1,6} (.*)/.exec(lines[at])); at += 1) {
    made.push(html`<p class="heading">${inline(heading[1])}</p>`);
  }
  const rest = lines.slice(at);
  const isList = rest.every((line) => ITEM.test(line) || /^\s{2,}/.test(line));
  if (rest.length)
    made.push(isList ? list(rest.join("\n")) : html`<p>${inline(rest.join("\n"))}</p>`);
  return made;
}

/**
 * Its items stand as deep as the first; what stands deeper is a list within one.
 * @param {string} text
 * @returns {any}
 */
function list(text, level = 1) {
  const [, depth = "", number] = ITEM.exec(text) || [];
  /** @type {string[][]} */
  const items = [];
  for (const part of text.split(/\n(?=[ \t]*(?:[-*•]|\d{1,9}[.)]) )/)) {
    const isDeeper = (ITEM.exec(part)?.[1] ?? "").length > depth.length;
    if (items.length && isDeeper && level < DEEPEST) items[items.length - 1].push(part);
    else items.push([part]);
  }
  const children = items.map(
    ([first, ...deeper]) =>
      html`<li>
        ${inline(first.replace(ITEM, ""))}
        ${deeper.length > 0 && list(deeper.join("\n"), level + 1)}
      </li>`,
  );
  return number ? html`<ol start=${Number(number)}>${children}</ol>` : html`<ul>${children}</ul>`;
}

/** @param {string} text */
function inline(text) {
  return text
    .split(/(`[^`\n]+`|\*\*[^*\n]+\*\*|(?<![\w*])\*[^*\s][^*\n]*\*(?![\w*]))/)
    .map((part) => {
      if (part.length > 2 && part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
      if (part.length > 4 && part.startsWith("**"))
        return html`<strong>${part.slice(2, -2)}</strong>`;
      if (part.length > 2 && part.startsWith("*") && part.endsWith("*"))
        return html`<em>${part.slice(1, -1)}</em>`;
      return part;
    });
}
