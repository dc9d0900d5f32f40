// @ts-check
// What an agent writes, as text with a little of Markdown: paragraphs, lists, headings, code.
// Elements are made one by one, so whatever the text holds stays text.
import { html } from "../html.js";

/** @param {{text: string}} props */
export const Prose = ({ text }) => html`<div class="prose">${blocks(text)}</div>`;

/** @param {string} text */
function blocks(text) {
  const made = [];
  const parts = text.split(/^```[^\n]*\n?/m);
  for (let at = 0; at < parts.length; at += 1) {
    if (at % 2) made.push(html`<pre class="plain" tabindex="0" aria-label="Code">${parts[at].replace(/\n$/, "")}</pre>`);
    else for (const block of parts[at].split(/\n{2,}/)) if (block.trim()) made.push(paragraph(block.replace(/^\n+|\n+$/g, "")));
  }
  return made;
}

/** @param {string} block @returns {any} */
function paragraph(block) {
  const lines = block.split("\n");
  const heading = /^(#{1,6}) (.*)/.exec(lines[0]);
  if (heading) {
    const rest = lines.slice(1).join("\n");
    return html`<p class="heading">${inline(heading[2])}</p>${rest && paragraph(rest)}`;
  }
  if (lines.every((line) => /^\s*([-*•]|\d+[.)]) /.test(line) || /^\s{2,}/.test(line))) {
    const items = block.split(/\n(?=\s*(?:[-*•]|\d+[.)]) )/);
    const ordered = /^\s*\d/.test(lines[0]);
    const children = items.map((item) => html`<li>${inline(item.replace(/^\s*([-*•]|\d+[.)]) /, ""))}</li>`);
    return ordered ? html`<ol>${children}</ol>` : html`<ul>${children}</ul>`;
  }
  return html`<p>${inline(block)}</p>`;
}

/** @param {string} text */
function inline(text) {
  return text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*|(?<![\w*])\*[^*\s][^*\n]*\*(?![\w*]))/).map((part) => {
    if (part.length > 2 && part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
    if (part.length > 4 && part.startsWith("**")) return html`<strong>${part.slice(2, -2)}</strong>`;
    if (part.length > 2 && part.startsWith("*") && part.endsWith("*")) return html`<em>${part.slice(1, -1)}</em>`;
    return part;
  });
}
