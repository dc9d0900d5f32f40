// @ts-check
// For how long the history of a repository is kept.
/** @import { Repository } from "../openapi.js" */
import { ME, patch } from "../api.js";
import { html, useState } from "../html.js";
import { learn } from "../store.js";
import { Button, Field, Problem, useAct } from "./basics.js";

const MEGABYTES = { MB: 1, GB: 1e3, TB: 1e6 };

/** The days and the megabytes of a bound such as 90d,2GB. @param {string | null} bound */
const parts = (bound) => {
  const [, days = "", size = "", unit = "MB"] =
    /^(?:(\d+)d)?,?(?:(\d+)(MB|GB|TB))?$/.exec(bound || "") || [];
  const megabytes = size && String(Number(size) * MEGABYTES[/** @type {"MB"} */ (unit)]);
  return { days, megabytes };
};

/** @param {{repo: Repository}} props */
export const Keeping = ({ repo }) => {
  const [changed, setChanged] = useState(
    /** @type {{keepEvents: string | null, keepTranscripts: string | null} | null} */ (null),
  );
  const { busy, error, run } = useAct();
  const { keepEvents, keepTranscripts } = changed || repo;
  /** @param {"keepEvents" | "keepTranscripts"} name @param {"days" | "megabytes"} part */
  const set = (name, part) => (/** @type {any} */ e) => {
    const bound = {
      ...parts({ keepEvents, keepTranscripts }[name]),
      [part]: e.currentTarget.value,
    };
    const { days, megabytes } = bound;
    const words = [days && `${Number(days)}d`, megabytes && `${Number(megabytes)}MB`];
    setChanged({ keepEvents, keepTranscripts, [name]: words.filter(Boolean).join(",") || null });
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
        <input type="number" min="1" max="99999" step="1" value=${parts(keepTranscripts).days}
          placeholder=${isAll ? "all" : "as the server"} disabled=${isAll}
          onInput=${set("keepTranscripts", "days")} />
      <//>
      <${Field} label="Megabytes of transcripts" hint="Where there is more, the oldest go.">
        <input type="number" min="1" max="999999" step="1" disabled=${isAll}
          value=${parts(keepTranscripts).megabytes}
          onInput=${set("keepTranscripts", "megabytes")} />
      <//>
      <label class="check">
        <input type="checkbox" checked=${isAll}
          onChange=${() => setChanged({ keepEvents, keepTranscripts: isAll ? null : "all" })} />
        Keep all its transcripts
      </label>
      <${Field} label="Days of events"
        hint="Its events go at this age, or when the server’s setting says, if that is earlier.">
        <input type="number" min="1" max="99999" step="1" value=${parts(keepEvents).days}
          placeholder="as the server" onInput=${set("keepEvents", "days")} />
      <//>
      <${Field} label="Megabytes of events" hint="Where there is more, the oldest go.">
        <input type="number" min="1" max="999999" step="1" value=${parts(keepEvents).megabytes}
          onInput=${set("keepEvents", "megabytes")} />
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
