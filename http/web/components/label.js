// @ts-check
// What a session is called, and whether it is out of the way.
/** @import { Session } from "../openapi.js" */
import { ME, patch } from "../api.js";
import { html, useState } from "../html.js";
import { ENDED, learn } from "../store.js";
import { Button, Field, Problem, useAct } from "./basics.js";

/** @param {{session: Session}} props */
export const Label = ({ session }) => {
  const [title, setTitle] = useState(session.title);
  const { busy, error, run } = useAct();
  /** @param {string} act @param {{title?: string, archived?: boolean}} label */
  const save = (act, label) =>
    run(act, async () =>
      learn(
        "sessions",
        await patch(`/api/sessions/${session.id}/label`, { ...label, requestedBy: ME }),
      ),
    );
  return html`<details class="fold" open=${session.archived}>
    <summary>${session.archived ? "Archived" : "Rename or archive"}</summary>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        save("rename", { title: title.trim() });
      }}>
      <${Field} label="Title">
        <input required maxlength="200" value=${title}
          onInput=${(/** @type {any} */ e) => setTitle(e.currentTarget.value)} />
      <//>
      <div class="actions">
        <${Button} type="submit" busy=${busy === "rename"}
          disabled=${!title.trim() || title.trim() === session.title}>
          Rename
        <//>
        ${
          ENDED.has(session.status) &&
          html`<${Button} busy=${busy === "archive"}
            onClick=${() => save("archive", { archived: !session.archived })}>
            ${session.archived ? "Bring back" : "Archive"}
          <//>`
        }
      </div>
      <${Problem} error=${error} />
    </form>
  </details>`;
};
