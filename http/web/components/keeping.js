// @ts-check
// For how long the history of a repository is kept.
/** @import { Repository } from "../openapi.js" */
import { ME, patch } from "../api.js";
import { html, useState } from "../html.js";
import { learn } from "../store.js";
import { Button, Field, Problem, useAct } from "./basics.js";

/** The days of an age such as 90d. @param {string | null} age */
const days = (age) => (age && age !== "all" ? age.slice(0, -1) : "");

/** @param {{repo: Repository}} props */
export const Keeping = ({ repo }) => {
  const [changed, setChanged] = useState(
    /** @type {{keepEvents: string | null, keepTranscripts: string | null} | null} */ (null),
  );
  const { busy, error, run } = useAct();
  const { keepEvents, keepTranscripts } = changed || repo;
  /** @param {"keepEvents" | "keepTranscripts"} name */
  const set = (name) => (/** @type {any} */ e) => {
    const given = e.currentTarget.value;
    setChanged({ keepEvents, keepTranscripts, [name]: given ? `${Number(given)}d` : null });
  };
  const isAll = keepTranscripts === "all";
  /** @param {SubmitEvent} e */
  const save = (e) => {
    e.preventDefault();
    run("save", async () => {
      learn("repos", await patch(`/api/repos/${repo.id}`, { ...changed, requestedBy: ME }));
      setChanged(null);
    });
  };
  return html`<section aria-labelledby="keeping" class="card stack">
    <h2 id="keeping" class="section">How long its history is kept</h2>
    <form class="stack" onSubmit=${save}>
      <${Field} label="Days of transcripts"
        hint="Used instead of the server’s setting, be it shorter or longer.">
        <input type="number" min="1" max="99999" step="1" value=${days(keepTranscripts)}
          placeholder=${isAll ? "all" : "as the server"} disabled=${isAll}
          onInput=${set("keepTranscripts")} />
      <//>
      <label class="check">
        <input type="checkbox" checked=${isAll}
          onChange=${() => setChanged({ keepEvents, keepTranscripts: isAll ? null : "all" })} />
        Keep all its transcripts
      </label>
      <${Field} label="Days of events"
        hint="Its events go at this age, or when the server’s setting says, if that is earlier.">
        <input type="number" min="1" max="99999" step="1" value=${days(keepEvents)}
          placeholder="as the server" onInput=${set("keepEvents")} />
      <//>
      <${Problem} error=${error} />
      ${
        changed &&
        html`<div class="actions">
          <${Button} onClick=${() => setChanged(null)}>Leave it<//>
          <${Button} kind="primary" type="submit" busy=${busy}>Keep<//>
        </div>`
      }
    </form>
  </section>`;
};
