// @ts-check
// Several approvals, decided together.
/** @import { Approval } from "../openapi.js" */
import { ME } from "../api.js";
import { plural } from "../format.js";
import { html } from "../html.js";
import { learn, refresh } from "../store.js";
import { goesBeyond, settle, wantsWords } from "./approval.js";
import { Button, Problem, useAct } from "./basics.js";

/** @param {{chosen: Approval[], onDone: () => void}} props */
export const Many = ({ chosen, onDone }) => {
  const { busy, error, run } = useAct();
  const apart = chosen.filter((a) => goesBeyond(a) || wantsWords(a)).length;
  /** @param {"approved" | "rejected"} status */
  const decide = (status) =>
    run(status, async () => {
      for (const { id } of chosen)
        try {
          learn("approvals", await settle(id, { status, resolvedBy: ME }));
        } catch (failure) {
          refresh("approvals", id); // somebody else may have been first
          throw failure;
        }
      onDone();
    });
  return html`<div class="many" role="region" aria-label="Selected">
    <span>
      ${plural(chosen.length, "approval")} selected
      ${apart > 0 && ` · ${apart} can only be approved by itself`}
    </span>
    <${Problem} error=${error} />
    <div class="actions two">
      <${Button} kind="reject" icon="cross" busy=${busy === "rejected"} disabled=${Boolean(busy)}
        onClick=${() => decide("rejected")}>
        Reject ${chosen.length}
      <//>
      <${Button} kind="approve" icon="check" busy=${busy === "approved"}
        disabled=${Boolean(busy) || apart > 0} onClick=${() => decide("approved")}>
        Approve ${chosen.length}
      <//>
    </div>
  </div>`;
};
