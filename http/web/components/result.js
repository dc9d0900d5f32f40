// @ts-check
// What a review or a report found: the answer of a session whose task wants one of a given shape.
/** @import { Session } from "../openapi.js" */
import { wholeText } from "../api.js";
import { plural, Words } from "../format.js";
import { html, useState } from "../html.js";
import { Badge } from "./basics.js";
import { Prose } from "./prose.js";
import { Shortened } from "./shortened.js";

/** @type {Record<string, string>} */
const TONES = {
  healthy: "ok",
  needs_attention: "interrupted",
  broken: "failed",
  pass: "ok",
  warn: "interrupted",
  fail: "failed",
};

/** @param {{session: Session}} props */
export const Result = ({ session }) => {
  const [whole, setWhole] = useState({ of: "", result: session.result });
  const isWhole = whole.of === session.updatedAt;
  const result = isWhole ? whole.result : session.result;
  if (!result) return null;
  const load = async () => {
    const text = await wholeText(`/api/sessions/${session.id}/text`, { field: "result" });
    setWhole({ of: session.updatedAt, result: JSON.parse(text) });
  };
  const { status, summary, review, findings, ...more } = result; // those are in the review's text
  return html`<section class="card stack result" aria-label="Result">
    <div class="policy-head">
      <h2>${review ? "Review" : "Report"}</h2>
      ${status && html`<${Badge} status=${TONES[status] || status} text=${Words(status)} />`}
    </div>
    ${(review || summary) && html`<${Prose} text=${review || summary} />`}
    ${
      findings &&
      session.review &&
      html`<p class="quiet-line">
        ${plural(findings.length, "finding")} as
        <a href=${`#/sessions/${session.review.sessionId}?pane=changes`}> comments on the work</a>.
      </p>`
    }
    ${Object.entries(more).map(
      ([name, value]) => html`
        <div><h3 class="section">${Words(name)}</h3><${Value} value=${value} /></div>
      `,
    )}
    ${
      session.shortened.includes("result") &&
      !isWhole &&
      html`<${Shortened} what=${review ? "The review" : "The report"} load=${load} />`
    }
  </section>`;
};

/** @param {{value: any}} props */
const Value = ({ value }) => {
  if (Array.isArray(value))
    return value.length
      ? html`
        <ul class="points">${value.map((item) => html`<li><${Value} value=${item} /></li>`)}</ul>
      `
      : html`<span class="hint">None.</span>`;
  if (value && typeof value === "object") {
    const { name, source, outcome, ...rest } = value;
    return html`
      <b>${name || source}</b>
      ${" "}
      ${outcome && html`<${Badge} status=${TONES[outcome] || outcome} text=${Words(outcome)} />`}
      ${Object.values(rest)
        .filter((text) => typeof text === "string" && text)
        .map((text) => html`<div class="hint">${text}</div>`)}
    `;
  }
  return html`<${Prose} text=${String(value ?? "–")} />`;
};
