// @ts-check
// Backups of the installation: the newest, when the next one is due, and one that is made now.
import { get, ME, post } from "../api.js";
import { size } from "../format.js";
import { html } from "../html.js";
import { Ago, Button, Problem, useAct, useLoaded } from "./basics.js";

export const Backups = () => {
  const [kept, error, again] = useLoaded(() => get("/api/backups"), []);
  const making = useAct();
  const make = () =>
    making.run("backup", async () => {
      await post("/api/backups", { requestedBy: ME });
      again();
    });
  if (!kept) return html`<${Problem} error=${error} />`;
  const [newest] = kept.items;
  return html`<section aria-labelledby="backups">
    <h2 id="backups" class="section">Backups</h2>
    <${Problem} error=${error || making.error} />
    <dl class="facts">
      <dt>Newest</dt>
      <dd>
        ${
          newest
            ? html`<${Ago} ts=${newest.madeAt} />, ${size(newest.size)}${
                newest.isEncrypted ? ", closed with a passphrase" : ""
              }`
            : "There is none."
        }
      </dd>
      <dt>Next</dt>
      <dd>
        ${kept.nextAt ? html`<${Ago} ts=${kept.nextAt} />` : "Not by itself: set CC_BACKUP_EVERY."}
      </dd>
      ${kept.lastFailure && html`<dt>Last</dt><dd role="alert">${kept.lastFailure}</dd>`}
    </dl>
    <${Button} busy=${making.busy} onClick=${make}>Back up now<//>
  </section>`;
};
