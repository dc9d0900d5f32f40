// @ts-check
// Until when an approval is put off.
/** @import { Approval } from "../openapi.js" */
import { html } from "../html.js";
import { Problem, useAct } from "./basics.js";
import { mark } from "./inbox.js";

const HOUR_MS = 3_600_000;
const MORNING = 9; // o'clock

/** @returns {[string, Date][]} */
function moments() {
  const morning = new Date();
  morning.setDate(morning.getDate() + 1);
  morning.setHours(MORNING, 0, 0, 0);
  return [
    ["In an hour", new Date(Date.now() + HOUR_MS)],
    ["Tomorrow", morning],
  ];
}

/** @param {{approval: Approval}} props */
export const Later = ({ approval }) => {
  const { busy, error, run } = useAct();
  return html`
    ${moments().map(
      ([name, until]) => html`<button type="button" class="chip" key=${name}
        disabled=${Boolean(busy)}
        onClick=${() => run("later", () => mark("approval", [approval.id], until))}>
        ${name}
      </button>`,
    )}
    <${Problem} error=${error} />
  `;
};
