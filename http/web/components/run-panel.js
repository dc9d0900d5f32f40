// @ts-check
// A run before it is pressed: what it may do, and what policy says to it, asked of the server anew
// with every change.
/** @import { HandRun, PolicyResult, RunInput, RunOutcome, Task } from "../openapi.js" */
import { ApiError, ask, ME, post } from "../api.js";
import { forget, placeOf, useDraft, written } from "../drafts.js";
import { Words } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { can, learn, repoOf, state } from "../store.js";
import { Attach, Attached, takes, useAttachments } from "./attachments.js";
import { Badge, Button, Choice, Field, Problem, Switch, useAct } from "./basics.js";
import { Choices } from "./choices.js";

const SANDBOXES = [
  ["read-only", "Read only"],
  ["workspace-write", "Write here"],
  ["danger-full-access", "No sandbox"],
];

const PLACES = [
  ["worktree", "A worktree"],
  ["main_checkout", "Your checkout"],
];

/** Of what a task is given, and has not been run with yet. @param {Task} task */
export const placeOfTask = (task) => `task ${placeOf(task)}`;

/** Why tasks that were just made did not start, until their screens say so. */
export const failedToStart = /** @type {Map<number, ApiError>} */ (new Map());

/** @param {{task: Task, onStarted: (outcome: RunOutcome) => void}} props */
export const RunPanel = ({ task, onStarted }) => {
  const repo = repoOf(task);
  const [run, setRun] = useState(/** @type {RunInput} */ ({}));
  const [policy, setPolicy] = useState(/** @type {PolicyResult | null} */ (null));
  const [refused, setRefused] = useState(/** @type {ApiError | null} */ (null));
  const { busy, error, run: act, setError } = useAct();
  useEffect(() => {
    setError(failedToStart.get(task.id) || null);
    failedToStart.delete(task.id);
  }, []);
  const [{ attached }, write] = useDraft(placeOfTask(task));
  const files = useAttachments(attached, (now) => write({ attached: now }));
  const takesFiles = task.type !== "review_task" && can(state.health?.runnerMode, "takesImages");
  const wanted = Object.fromEntries(
    Object.entries(run).filter(
      ([, value]) => value !== "" && value !== undefined && value !== null,
    ),
  );
  const key = JSON.stringify([wanted, repo?.updatedAt, task.updatedAt]);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      ask(`/api/tasks/${task.id}/policy-check`, wanted).then(
        (result) => current && (setPolicy(result), setRefused(null)),
        (failure) => current && (setPolicy(null), setRefused(failure)),
      );
    }, 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  /** @param {keyof RunInput} name @param {any} value */
  const set = (name, value) => setRun({ ...run, [name]: value });
  const start = () => act("run", async () => onStarted(await startRun(task, wanted)));
  const gets = policy?.run;
  const hasDefaults = Object.keys({ ...repo?.runDefaults, ...task.runDefaults }).length > 0;
  const otherwise = hasDefaults ? "As by default" : "As Codex has it";
  const sandbox = run.sandbox || gets?.sandbox || "";
  const place = run.workplace || (gets?.worktree === "none" ? "main_checkout" : "worktree");
  return html`<div class="run-panel" ...${takesFiles ? takes(files.add) : {}}>
    <div class="stack">
      <div class="field">
        <span class="label">Sandbox</span>
        <${Choice} label="Sandbox" value=${sandbox}
          onChange=${(/** @type {string} */ v) => set("sandbox", v)} options=${SANDBOXES} />
      </div>
      ${
        !repo?.requireWorktree &&
        html`<div class="field">
          <span class="label">Works in</span>
          <${Choice} label="Works in" value=${gets || run.workplace ? place : ""}
            onChange=${(/** @type {string} */ v) => set("workplace", v)} options=${PLACES} />
        </div>`
      }
      <${Switch} label="Network"
        on=${run.allowNetwork ?? gets?.allowNetwork ?? repo?.allowNetwork ?? false}
        onChange=${(/** @type {boolean} */ v) => set("allowNetwork", v)} />
      <${Switch} label="Commits"
        on=${run.allowCommit ?? gets?.allowCommit ?? repo?.allowCommit ?? false}
        onChange=${(/** @type {boolean} */ v) => set("allowCommit", v)} />
      <details class="fold">
        <summary>Branch and model</summary>
        <div class="stack">
          <${Field} label="Branch"
            hint="A worktree is made for it; left out, the run works where the repository says.">
            <input value=${run.branchName || ""}
              placeholder=${repo?.requireWorktree ? "chosen for you" : repo?.currentBranch || ""}
              autocomplete="off" spellcheck=${false}
              onInput=${(/** @type {any} */ e) =>
                set("branchName", e.currentTarget.value.trim())} />
          <//>
          <${Choices} chosen=${run} host=${repo?.host} repositoryId=${repo?.id}
            otherwise=${otherwise}
            onChange=${(/** @type {RunInput} */ chosen) => setRun({ ...run, ...chosen })} />
        </div>
      </details>
    </div>
    <div class="policy" data-decision=${policy?.decision} aria-live="polite">
      ${
        policy &&
        html`
          <div class="policy-head">
            <span>Policy</span>
            <${Badge} status=${policy.decision} text=${SAYS[policy.decision]} />
          </div>
          ${policy.reasons.map(
            (r) => html`
              <div class="reason"><code>${r.code}</code> ${r.message}</div>
            `,
          )}
          ${
            gets &&
            html`<div class="hint">
              It gets: ${Words(gets.sandbox)}, network ${gets.allowNetwork ? "on" : "off"}, commits
              ${" "}
              ${gets.allowCommit ? "on" : "off"}
              ${gets.worktree === "automatic" ? ", a worktree of its own" : ""}
              ${gets.worktree === "none" ? ", your checkout" : ""}
              ${[gets.model, gets.effort, gets.serviceTier, gets.permissionProfile]
                .filter(Boolean)
                .map((one) => `, ${one}`)
                .join("")}${gets.collaborationMode === "plan" ? ", a plan only" : ""}.
            </div>`
          }
        `
      }
      <${Problem} error=${refused} />
    </div>
    ${
      takesFiles &&
      html`<div class="quiet-line">
        <${Attached} attached=${attached} remove=${files.remove} />
        <${Attach} onFiles=${files.add} busy=${files.busy} />
        ${!attached.length && "Pictures and files that go with the prompt"}
      </div>`
    }
    <${Problem} error=${error || files.error} />
    <${Button} kind="primary wide big" icon="play" busy=${busy}
      disabled=${Boolean(busy) || files.busy || !policy || policy.decision === "deny"}
      onClick=${start}>
      ${policy?.decision === "needs_approval" ? "Ask to run" : "Run"}
    <//>
  </div>`;
};

/** @type {Record<string, string>} */
const SAYS = { allow: "Allowed", needs_approval: "Needs an approval", deny: "Denied" };

/**
 * Run a task with what it was given.
 * @param {Task} task @param {RunInput} wanted @returns {Promise<RunOutcome>}
 */
export async function startRun(task, wanted) {
  const given = written(placeOfTask(task));
  const outcome = await post(`/api/tasks/${task.id}/run`, {
    ...wanted,
    attachments: given.attached.map(({ id }) => id),
    requestedBy: ME,
  });
  forget(placeOfTask(task), given);
  learnOutcome(outcome);
  return outcome;
}

/** What a run's answer means to the page. @param {RunOutcome | HandRun} outcome */
function learnOutcome(outcome) {
  learn("tasks", outcome.task);
  learn("sessions", outcome.session);
  for (const approval of outcome.approvals || []) learn("approvals", approval);
}

/** Go to what was begun. @param {RunOutcome | HandRun} outcome */
export function follow(outcome) {
  learnOutcome(outcome);
  location.hash = `/sessions/${outcome.session.id}`;
}
