// @ts-check
// What the files of a session's worktree were after each turn, and the way back to that.
import { get, ME, post } from "../api.js";
import { plural } from "../format.js";
import { html, useState } from "../html.js";
import { Ago, Confirm, Loading, Problem, useLoaded } from "./basics.js";

/** @import { Changes, Session, Snapshot } from "../openapi.js" */

const MOST = 50; // that are kept of a worktree

/** @type {Record<Snapshot["moment"], string>} */
const MOMENTS = {
  start: "Before the first turn",
  turn: "After a turn",
  left: "Before files were put back",
  rewind: "Once files were put back",
};

/** @param {number} id of a session */
export const snapshotsOf = async (id) =>
  (await get(`/api/sessions/${id}/snapshots`, { limit: MOST })).items;

/**
 * Put the files of a session's worktree back.
 * @param {number} id @param {number} snapshotId @param {string | null} [headSha]
 */
export const putBack = (id, snapshotId, headSha) =>
  post(`/api/sessions/${id}/rewind`, {
    snapshotId,
    headSha: headSha ?? undefined,
    requestedBy: ME,
  });

/**
 * What the files were before a turn, if that is known: the one before may not have been kept.
 * @param {Snapshot[]} kept the newest first @param {string} turnId
 * @param {string | undefined} previousId the turn before it, if there is one
 */
export function beforeTurn(kept, turnId, previousId) {
  const at = kept.findIndex((one) => one.moment === "turn" && one.turnId === turnId);
  const before = at < 0 ? undefined : kept[at + 1];
  return before?.moment === "turn" && before.turnId !== previousId ? undefined : before;
}

/** @param {{session: Session, changes: Changes, onAct: () => void, onClose: () => void}} props */
export const Snapshots = ({ session, changes, onAct, onClose }) => {
  const [kept, error] = useLoaded(() => snapshotsOf(session.id), [session.id]);
  const [chosen, choose] = useState(0);
  return html`<${Confirm} title="Put files back" label="Put back" kind="primary"
    disabled=${!chosen} onClose=${onClose}
    act=${async () => {
      await putBack(session.id, chosen, changes.headSha);
      onAct();
    }}>
    <${Problem} error=${error} />
    ${!kept && !error && html`<${Loading} />`}
    ${kept && !kept.length && html`<p class="quiet-line">Nothing is kept of this worktree yet.</p>`}
    <fieldset class="stack" aria-label="What the files were">
      ${kept?.map(
        (one) => html`<label class="check" key=${one.id}>
          <input type="radio" name="snapshot" checked=${chosen === one.id}
            onChange=${() => choose(one.id)} />
          <span>
            ${MOMENTS[one.moment]}${one.moment === "turn" && ` of session ${one.sessionId}`},${" "}
            <${Ago} ts=${one.createdAt} />
            <span class="hint">
              ${" "}${one.files ? `${plural(one.files, "file")} not committed` : "all committed"}
            </span>
          </span>
        </label>`,
      )}
    </fieldset>
    <p class="hint">
      Commits stay on the branch; files that git ignores stay, too. What the files are now is kept
      first, so that you can come back to it here.
    </p>
  <//>`;
};
