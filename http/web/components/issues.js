// @ts-check
// Open issues of a repository at its forge, each a tap away from being worked on.
/** @import { Issue, Repository } from "../openapi.js" */
import { get, ME, patch, post } from "../api.js";
import { seen } from "../format.js";
import { html, useState } from "../html.js";
import { go } from "../router.js";
import { learn } from "../store.js";
import { Button, Field, Loading, Problem, Switch, useAct } from "./basics.js";

/** @param {{repo: Repository}} props */
export const Issues = ({ repo }) => {
  const { busy, error, run } = useAct();
  const [issues, setIssues] = useState(/** @type {Issue[] | null} */ (null));
  const load = () =>
    run("load", async () =>
      setIssues((await get(`/api/repos/${repo.id}/issues`, { limit: 50 })).items),
    );
  return html`
    <h2 id="issues" class="section">Issues</h2>
    <${Problem} error=${error} />
    ${busy === "load" && html`<${Loading} />`}
    ${
      issues &&
      html`<ul class="rows">
        ${issues.map((issue) => html`<${Row} key=${issue.number} repo=${repo} issue=${issue} />`)}
      </ul>`
    }
    ${issues && !issues.length && html`<p class="quiet-line">None is open.</p>`}
    <div class="actions start">
      <${Button} icon="refresh" busy=${busy === "load"} onClick=${load}>
        ${issues ? "Look again" : "Show open issues"}
      <//>
    </div>
    <${Wanted} repo=${repo} />
  `;
};

/** @param {{repo: Repository, issue: Issue}} props */
const Row = ({ repo, issue }) => {
  const { busy, error, run } = useAct();
  const start = () =>
    run("start", async () => {
      const task = await post(`/api/repos/${repo.id}/issues/${issue.number}/task`, {
        requestedBy: ME,
      });
      learn("tasks", task);
      const made = await post(`/api/tasks/${task.id}/run`, { requestedBy: ME });
      go(`/sessions/${made.session.id}`);
    });
  return html`<li>
    <div class="row">
      <div class="row-main">
        <div class="row-title">#${issue.number} ${seen(issue.title)}</div>
        <div class="row-note">
          <a href=${issue.url} target="_blank" rel="noreferrer">by ${seen(issue.author)}</a>
          ${issue.labels.map((label) => html` <span class="tag">${seen(label)}</span>`)}
        </div>
      </div>
      ${
        issue.taskId
          ? html`<a href=${`#/tasks/${issue.taskId}`}>Task ${issue.taskId}</a>`
          : html`<${Button} icon="play" busy=${busy === "start"} onClick=${start}>Run this<//>`
      }
    </div>
    <${Problem} error=${error} />
  </li>`;
};

/**
 * The label that makes tasks by itself, and whether those wait.
 * @param {{repo: Repository}} props
 */
const Wanted = ({ repo }) => {
  const { busy, error, run } = useAct();
  const [label, setLabel] = useState(repo.issueLabel || "");
  /** @param {{issueLabel?: string | null, issueApproval?: boolean}} changes */
  const change = (changes) =>
    run("change", async () =>
      learn("repos", await patch(`/api/repos/${repo.id}`, { ...changes, requestedBy: ME })),
    );
  const ask = (/** @type {boolean} */ issueApproval) => change({ issueApproval });
  return html`<form class="stack"
    onSubmit=${(/** @type {any} */ e) => {
      e.preventDefault();
      change({ issueLabel: label.trim() || null });
    }}>
    <${Field} label="Label"
      hint="Each open issue that has it becomes a task by itself, once. Leave it empty for none.">
      <input value=${label} maxlength="100" autocapitalize="off"
        onInput=${(/** @type {any} */ e) => setLabel(e.currentTarget.value)} />
    <//>
    ${
      label.trim() !== (repo.issueLabel || "") &&
      html`<${Button} type="submit" busy=${busy === "change"}>Save<//>`
    }
    <${Switch} label="Ask before a run"
      hint="A stranger may have written an issue. Its task waits for an approval."
      on=${repo.issueApproval} onChange=${ask} />
    <${Problem} error=${error} />
  </form>`;
};
