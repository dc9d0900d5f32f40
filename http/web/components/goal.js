// @ts-check
// What a session pursues turn after turn, and what may be done about that.
import { get, ME, put, remove } from "../api.js";
import { Button, Problem, useAct } from "./basics.js";
import { number, Words } from "../format.js";
import { html } from "../html.js";
import { sheet } from "../sheets.js";
import { ENDED, learn } from "../store.js";

sheet("./styles/session.css");

/** @import { Session } from "../openapi.js" */

/** @param {{session: Session}} props */
export const Goal = ({ session }) => {
  const { busy, error, run } = useAct();
  const { goal } = session;
  if (!goal) return null;
  const path = /** @type {const} */ (`/api/sessions/${session.id}/goal`);
  const shown = async () => learn("sessions", await get(`/api/sessions/${session.id}`));
  /** @param {"active" | "paused"} status */
  const change = (status) =>
    run(status, async () => {
      await put(path, { status, requestedBy: ME });
      await shown();
    });
  const clear = () =>
    run("clear", async () => {
      await remove(path);
      await shown();
    });
  const isLive = !ENDED.has(session.status) && session.codexTurnId !== null;
  return html`<section class="card small goal" aria-label="Goal">
    <h2 class="section">Goal</h2>
    <p class="prompt">${goal.objective}</p>
    <p class="quiet-line">
      ${Words(goal.status)} · turn ${session.turns} · ${number(goal.tokensUsed || 0)}
      ${goal.tokenBudget ? ` of ${number(goal.tokenBudget)}` : ""} tokens
    </p>
    <${Problem} error=${error} />
    ${
      isLive &&
      html`<div class="actions start">
        ${
          goal.status === "active" &&
          html`<${Button} busy=${busy === "paused"} onClick=${() => change("paused")}>
            Pause after this turn
          <//>`
        }
        ${
          goal.status === "paused" &&
          html`<${Button} busy=${busy === "active"} onClick=${() => change("active")}>Go on<//>`
        }
        <${Button} kind="quiet" busy=${busy === "clear"} onClick=${clear}>Clear the goal<//>
      </div>`
    }
  </section>`;
};
