// @ts-check
// What an approval decides on, where it is no command: the diff, the tool's arguments, the run, the
// push, or what somebody gave by the API.
/** @import { Approval } from "../openapi.js" */
import { plural, seen, Words } from "../format.js";
import { html } from "../html.js";
import { state } from "../store.js";
import { Code } from "./basics.js";
import { Diff } from "./diff.js";

/** @param {{approval: Approval}} props */
export const Subject = ({ approval }) => html`<div class="stack">
  ${
    approval.kind === "manual"
      ? Object.entries(approval.details).map(([key, value]) => told(key, value))
      : subjectOf(approval)
  }
</div>`;

/**
 * A detail that somebody gave by the API, who may give any, of any shape.
 * @param {string} key
 * @param {unknown} value
 */
function told(key, value) {
  if (key === "reason" && typeof value === "string") return html`<p>${value}</p>`;
  if (key === "command" && typeof value === "string")
    return html`<${Code} text=${value} label="Command" />`;
  if (key === "diff" && typeof value === "string") return html`<${Diff} text=${value} />`;
  if (key === "url" && typeof value === "string") return html`<${Address} url=${value} />`;
  return html`<dl class="facts">
    <dt>${Words(key)}</dt>
    <dd>${typeof value === "string" ? value : html`<code>${JSON.stringify(value)}</code>`}</dd>
  </dl>`;
}

/** @param {{url: string}} props */
const Address = ({ url }) =>
  html`
    <p><a href=${/^https?:/.test(url) ? url : null} target="_blank" rel="noreferrer">${url}</a></p>
  `;

/** @param {Approval} approval */
function subjectOf(approval) {
  const d = approval.details;
  const rows = [];
  if (d.arguments)
    rows.push(
      html`<div class="subject">
        <${Code} text=${seen(JSON.stringify(d.arguments, null, 2))} label="Arguments" />
      </div>`,
    );
  if (approval.kind === "setup") rows.push(html`<${Included} details=${d} />`);
  if (approval.kind === "push") rows.push(html`<${PushDetails} details=${d} />`);
  if (approval.kind === "trust" || approval.kind === "setup")
    rows.push(
      html`<p>
        ${plural(d.files.length, "file")},${" "}
        ${
          d.files.some((/** @type {any} */ f) => !f.isNew)
            ? "as they differ from what was agreed to last:"
            : "none of them agreed to before:"
        }
      </p>`,
    );
  if (d.files?.length && !d.diff)
    rows.push(
      html`<p>${d.files.map((/** @type {any} */ f) => html`<code>${seen(f.path)}</code> `)}</p>`,
    );
  if (d.diff)
    rows.push(
      html`<${Diff} text=${d.diff} cwd=${state.sessions.get(approval.sessionId ?? 0)?.cwd} />`,
    );
  if (d.diffCut) rows.push(html`<p class="hint">The diff is longer than what is shown here.</p>`);
  if (d.url) rows.push(html`<${Address} url=${d.url} />`);
  if (approval.kind === "run") rows.push(html`<${RunDetails} details=${d} />`);
  for (const [key, word] of [
    ["read", "Read"],
    ["write", "Write"],
  ])
    if (d[key]?.length)
      rows.push(
        html`<dl class="facts">
          <dt>${word}</dt>
          <dd>${d[key].map((/** @type {string} */ p) => html`<code>${seen(p)}</code> `)}</dd>
        </dl>`,
      );
  if (d.network)
    rows.push(
      html`<dl class="facts">
        <dt>Network</dt>
        <dd>
          ${
            d.network === true
              ? "full access"
              : html`<code>${d.network.host}</code> (${d.network.protocol})`
          }
        </dd>
      </dl>`,
    );
  return rows;
}

/** The ignored files that a worktree is given. @param {{details: any}} props */
const Included = ({ details }) => {
  const names = details.included || [];
  if (!details.includedCount) return null;
  const more = details.includedCount - names.length;
  return html`<p>
    ${plural(details.includedCount, "file")} to copy: ${names.map(
      (/** @type {string} */ name) => html`<code>${seen(name)}</code> `,
    )}
    ${more > 0 && `and ${more} more`}
  </p>`;
};

/** @param {{details: any}} props */
const RunDetails = ({ details }) => {
  const { reason, prompt, sandbox, allowNetwork, allowCommit, branchName, cwd, model } = details;
  return html`
    ${reason && html`<p>${reason}</p>`}
    ${prompt && html`<blockquote tabindex="0" aria-label="Prompt">${prompt}</blockquote>`}
    <dl class="facts">
      <dt>Sandbox</dt>
      <dd>
        ${Words(sandbox || "")} · network ${allowNetwork ? "on" : "off"} · commits${" "}
        ${allowCommit ? "on" : "off"}
      </dd>
      ${branchName && html`<dt>Branch</dt><dd><code>${branchName}</code></dd>`}
      ${model && html`<dt>Model</dt><dd>${model}</dd>`}
      ${cwd && html`<dt>Where</dt><dd><code>${seen(cwd)}</code></dd>`}
    </dl>
  `;
};

/** Where the commits go, and which they are. @param {{details: any}} props */
const PushDetails = ({ details }) => {
  const { address, branchName, sha, remoteSha, force, commits, commitCount } = details;
  return html`
    <dl class="facts">
      <dt>To</dt>
      <dd><code>${seen(address)}</code></dd>
      <dt>Branch</dt>
      <dd><code>${seen(branchName)}</code> ${remoteSha ? "" : "(new)"}</dd>
      ${force && html`<dt>Replaces</dt><dd><code>${remoteSha.slice(0, 12)}</code></dd>`}
      <dt>Commit</dt>
      <dd><code>${sha.slice(0, 12)}</code></dd>
    </dl>
    <ul class="lost">
      ${commits.map(
        (/** @type {any} */ one) => html`<li key=${one.sha}>
          <code>${one.sha.slice(0, 8)}</code> ${seen(one.subject)}
        </li>`,
      )}
      ${commitCount > commits.length && html`<li>and ${commitCount - commits.length} more</li>`}
    </ul>
  `;
};
