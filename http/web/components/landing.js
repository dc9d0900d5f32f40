// @ts-check
// What an ended session left in its worktree, and its way home: commit it, then merge the branch.
import { get, ME, post } from "../api.js";
import { number, plural, seen } from "../format.js";
import { html, useState } from "../html.js";
import { learn, repoOf, useStore } from "../store.js";
import { Button, Confirm, Field, lazily, Problem, useAct, useLoaded } from "./basics.js";
import { hasRemotes, Outward } from "./outward.js";

/** @import { ApiError } from "../api.js" */
/** @import { Changes, Committed, Session } from "../openapi.js" */
/** @typedef {{session: Session, changes: Changes, onAct: () => void}} Props */

const Commit = lazily(() => import("./commit.js"), "Commit"); // once it is asked for

/** @param {Props} props */
export const Landing = ({ session, changes, onAct }) => {
  const version = useStore(`pushes:${session.taskId}`, "tasks", "repos");
  const [page] = useLoaded(
    () => get(`/api/sessions/${session.id}/pushes`, { limit: 1 }),
    [session.id],
    `${changes.headSha} ${version}`,
  );
  const [opened] = useLoaded(
    () => get(`/api/sessions/${session.id}/pull-requests`, { limit: 1 }),
    [session.id],
    version,
  );
  // the newest; undefined until it is known
  const push = page && (page.items[0] || null);
  const pull = opened && (opened.items[0] || null);
  const isMerged = pull?.status === "merged" && pull.headSha === changes.headSha;
  const [asked, ask] = useState(
    /** @type {"commit" | "merge" | "discard" | "push" | null} */ (null),
  );
  const [made, setMade] = useState(/** @type {Committed | null} */ (null));
  const [merged, setMerged] = useState("");
  const repo = repoOf(session);
  const { uncommitted, commits, branchName } = changes;
  const landed = merged && html`<p class="quiet-line" role="status">${merged}</p>`;
  if (!(uncommitted || commits))
    return (
      landed && html`<section class="card small landing" aria-label="Landing">${landed}</section>`
    );
  const here = hasRemotes(session) ? "" : "primary"; // with a remote, a pull request is the way
  const done = () => {
    ask(null);
    onAct();
  };
  return html`<section class="card small landing" aria-label="Landing">
    <h2 class="section">${uncommitted ? "Not committed" : "Committed"}</h2>
    <p class="quiet-line">
      ${uncommitted ? totalOf(changes) : plural(commits || 0, "commit")} on
      <code> ${branchName || "no branch"}</code>
    </p>
    ${landed} ${made && html`<${Made} made=${made} />`}
    <div class="actions start">
      ${
        uncommitted > 0 &&
        html`<${Button} kind=${here} onClick=${() => ask("commit")}>Commit…<//>
          <${Button} onClick=${() => ask("discard")}>Discard…<//>`
      }
      ${
        !uncommitted &&
        !isMerged &&
        html`<${Button} kind=${here} icon="merge" onClick=${() => ask("merge")}>
          Merge into ${repo?.currentBranch || "the main checkout"}…
        <//>`
      }
      ${
        (commits || 0) > 0 &&
        push !== undefined &&
        !(push?.sha === changes.headSha && push?.status !== "failed") &&
        html`<${Button} onClick=${() => ask("push")}>Push…<//>`
      }
    </div>
    <${Outward} session=${session} changes=${changes} push=${push} pull=${pull} onAct=${onAct} />
    ${
      asked === "push" &&
      html`<${Confirm} title=${`Push ${branchName}?`} label="Push" kind="primary" onClose=${done}
        act=${() =>
          post(`/api/sessions/${session.id}/push`, { headSha: changes.headSha, requestedBy: ME })}>
        <p>
          Its ${plural(commits || 0, "commit")} ${commits === 1 ? "goes" : "go"} to the branch of
          this name at the remote.${" "}
          ${
            repo?.allowPush
              ? "A remote that is new since you allowed pushes is asked about first."
              : "You are asked first, and see the address and the commits."
          }
        </p>
      <//>`
    }
    ${
      asked === "commit" &&
      html`<${Commit} session=${session} changes=${changes} onMade=${setMade} onClose=${done} />`
    }
    ${
      asked === "discard" &&
      html`<${Confirm} title="Discard what is not committed?" label="Discard" onClose=${done}
        act=${() =>
          post(`/api/sessions/${session.id}/discard`, {
            headSha: changes.headSha,
            requestedBy: ME,
          })}>
        <p>${totalOf(changes)} on <code>${branchName}</code>:</p>
        <ul class="lost">
          ${changes.items
            .filter((file) => !file.isCommitted)
            .map(
              (file) => html`<li key=${file.path}>
                <b>${file.status[0].toUpperCase()}</b> <code>${seen(file.path)}</code>
              </li>`,
            )}
        </ul>
        <p>
          It is kept for 30 days. Until then it comes back on a branch from the page of its
          repository.
        </p>
      <//>`
    }
    ${
      asked === "merge" &&
      html`<${Merge} session=${session} changes=${changes} onMerged=${setMerged} onClose=${done} />`
    }
  </section>`;
};

/** A commit that was just made. @param {{made: Committed}} props */
const Made = ({ made: { sha, files, isSigned, hooksSkipped } }) => html`<p class="quiet-line">
  <code>${sha.slice(0, 9)}</code> has ${plural(files, "file")}${isSigned ? " and is signed" : ""}.
  ${hooksSkipped.length > 0 && ` Hooks that did not run: ${hooksSkipped.join(", ")}.`}
</p>`;

/**
 * @param {{session: Session, changes: Changes, onMerged: (told: string) => void,
 * onClose: () => void}} props
 */
const Merge = ({ session, changes, onMerged, onClose }) => {
  const current = repoOf(session)?.currentBranch || "";
  const [into, setInto] = useState(current);
  const commits = changes.commits || 0;
  return html`<${Confirm} title=${`Merge ${changes.branchName}?`} label="Merge" kind="primary"
    onClose=${onClose}
    act=${async () => {
      await post(`/api/sessions/${session.id}/merge`, {
        into: into.trim() && into.trim() !== current ? into.trim() : undefined,
        headSha: changes.headSha,
        requestedBy: ME,
      });
      onMerged(`Merged: ${plural(commits, "commit")} into ${into.trim() || "the main checkout"}.`);
    }}
    instead=${(/** @type {ApiError} */ error) =>
      error.conflicts.length > 0 &&
      html`<${Resolve} session=${session} base=${into.trim()} onClose=${onClose} />`}>
    <${Field} label="Into" hint="Any local branch that no other work tree has checked out.">
      <input value=${into} autocapitalize="none" spellcheck=${false}
        onInput=${(/** @type {any} */ e) => setInto(e.currentTarget.value)} />
    <//>
    <p>
      Its ${plural(commits, "commit")} ${commits === 1 ? "comes" : "come"} into it.
      ${into.trim() === current ? " The main checkout must be clean." : ""}
    </p>
  <//>`;
};

/**
 * Have Codex resolve what conflicts.
 * @param {{session: Session, base: string, onClose: () => void}} props
 */
const Resolve = ({ session, base, onClose }) => {
  const { busy, error, run } = useAct();
  const act = () =>
    run("resolve", async () => {
      const made = await post(`/api/sessions/${session.id}/resolve-conflicts`, {
        base: base || undefined,
        requestedBy: ME,
      });
      onClose();
      learn("sessions", made.session);
      if (!made.followup) location.hash = `/sessions/${made.session.id}`;
    });
  return html`
    <p class="hint">
      Codex can resolve them in the worktree: ${base} is merged into the branch with the conflicts
      marked, and the thread is asked to resolve them. You commit what it makes of it.
    </p>
    <${Problem} error=${error} />
    <${Button} kind="primary" busy=${busy === "resolve"} onClick=${act}>Resolve with Codex<//>
  `;
};

/** Files and lines that are not committed. @param {Changes} changes */
const totalOf = ({ items, isCut }) => {
  const left = items.filter((file) => !file.isCommitted);
  const sum = (/** @type {"additions" | "deletions"} */ lines) =>
    left.reduce((total, file) => total + (file[lines] || 0), 0);
  return html`${isCut ? "More than " : ""}${plural(left.length, "file")}
    <span class="mark"> +${number(sum("additions"))} −${number(sum("deletions"))}</span>`;
};
