// @ts-check
// What an ended session left in its folder, and its way home: commit it, then merge the branch.
import { get, ME, post } from "../api.js";
import { number, plural } from "../format.js";
import { html, useState } from "../html.js";
import { repoOf, taskOf, useStore } from "../store.js";
import { Button, Confirm, Field, Problem, useLoaded } from "./basics.js";
import { Icon } from "./icon.js";

/** @import { Session, Uncommitted } from "../openapi.js" */

/** @param {{session: Session}} props */
export const Landing = ({ session }) => {
  const { id } = session;
  useStore("tasks", "repos");
  const [acts, setActs] = useState(0);
  const [left, error] = useLoaded(() => get(`/api/sessions/${id}/uncommitted`), [id, acts]);
  const [asked, ask] = useState(/** @type {"commit" | "merge" | null} */ (null));
  // such as of a worktree that was tidied up
  if (error?.status === 409) return html`<p class="quiet-line">${error.message}</p>`;
  if (error || !left) return html`<${Problem} error=${error} />`;
  const repo = repoOf(session);
  const isApart = session.worktreePath !== null;
  const isMergeable = isApart && !left.files.length && Boolean(left.commits);
  if (!isApart || !(left.files.length || left.commits)) return null;
  const done = () => {
    ask(null);
    setActs(acts + 1);
  };
  return html`<section class="card small landing" aria-label="Landing">
    <h2 class="section">${left.files.length ? "Not committed" : "Committed"}</h2>
    <p class="quiet-line">
      ${left.files.length ? totalOf(left) : plural(left.commits || 0, "commit")} on
      <code> ${left.branchName || "no branch"}</code>
    </p>
    ${
      left.files.length > 0 &&
      html`<ul class="files">
        ${left.files.slice(0, SHOWN).map(
          (file) => html`<li key=${file.path} title=${file.status.replace("_", " ")}>
              <b>${file.status[0].toUpperCase()}</b> <code>${file.path}</code>
            </li>`,
        )}
        ${left.files.length > SHOWN && html`<li>and ${left.files.length - SHOWN} more</li>`}
      </ul>`
    }
    <div class="actions start">
      ${
        left.files.length > 0 &&
        html`<${Button} kind="primary" onClick=${() => ask("commit")}>Commit…<//>`
      }
      ${
        isMergeable &&
        html`<${Button} kind="primary" icon="merge" onClick=${() => ask("merge")}>
          Merge into ${repo?.currentBranch || "the main checkout"}…
        <//>`
      }
    </div>
    ${asked === "commit" && html`<${Commit} session=${session} left=${left} onClose=${done} />`}
    ${
      asked === "merge" &&
      html`<${Confirm} title=${`Merge ${left.branchName}?`} label="Merge" kind="primary"
        onClose=${done}
        act=${() =>
          post(`/api/repos/${session.repositoryId}/worktrees/merge`, {
            path: left.path,
            requestedBy: ME,
          })}>
        <p>
          Its ${plural(left.commits || 0, "commit")} ${left.commits === 1 ? "comes" : "come"} into
          <code> ${repo?.currentBranch}</code> of the main checkout, which must be clean.
        </p>
      <//>`
    }
  </section>`;
};

/** Files that are named; the diff above has them all. */
const SHOWN = 8;

/** @param {{session: Session, left: Uncommitted, onClose: () => void}} props */
const Commit = ({ session, left, onClose }) => {
  const [message, setMessage] = useState(taskOf(session)?.title || "");
  return html`<${Confirm} title="Commit these changes?" label="Commit" kind="primary"
    onClose=${onClose}
    act=${() =>
      post(`/api/sessions/${session.id}/commit`, {
        message,
        headSha: left.headSha,
        requestedBy: ME,
      })}>
    <p>${totalOf(left)} on <code>${left.branchName}</code>. No hook of the repository runs.</p>
    <${Field} label="Message">
      <textarea rows="4" value=${message}
        onInput=${(/** @type {any} */ e) => setMessage(e.currentTarget.value)}></textarea>
    <//>
  <//>`;
};

/** @param {Uncommitted} left */
const totalOf = (left) => {
  const sum = (/** @type {"added" | "removed"} */ lines) =>
    left.files.reduce((total, file) => total + (file[lines] || 0), 0);
  const files = plural(left.files.length, "file");
  return html`${left.isCut ? "More than " : ""}${files}
    <span class="mark"> +${number(sum("added"))} −${number(sum("removed"))}</span>`;
};
