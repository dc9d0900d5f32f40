// @ts-check
// "Always allow": what would be allowed is shown to the word, and pressed for twice.
/** @import { Approval, NewRule } from "../openapi.js" */
import { quoted, seen } from "../format.js";
import { html, useState } from "../html.js";
import { repoOf } from "../store.js";
import { Button } from "./basics.js";

const MOST = 4; // ways to begin that are offered

/**
 * @typedef {{kind: "command" | "network", words: string[], fewest: number | null, folder: string,
 * host: string | null, protocol: string | null}} Offer
 * @param {{approval: Approval, busy: string, onAllow: (rule: NewRule) => void}} props
 */
export const AlwaysAllow = ({ approval, busy, onAllow }) => {
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(0);
  const offer = /** @type {Offer} */ (approval.details.alwaysAllow);
  const repo = repoOf(approval);
  if (!open)
    return html`<button type="button" class="link" onClick=${() => setOpen(true)}>
      Always allow…
    </button>`;
  const ways = waysOf(offer);
  const where = offer.folder ? html`, in <code>${seen(offer.folder)}</code>` : "";
  return html`<fieldset class="stack">
    <legend>Always allow in ${repo?.name || "this repository"}</legend>
    ${ways.map(
      ([label, rule], n) => html`<label key=${n} class="check">
        <input type="radio" name=${`always-${approval.id}`} checked=${n === chosen}
          onChange=${() => setChosen(n)} />
        <span>${label} <code>${spelled(rule)}</code>${where}</span>
      </label>`,
    )}
    <p class="hint">
      ${
        offer.kind === "command"
          ? "It runs outside of the sandbox, with whatever the agent has written by then."
          : "The host is reached by whatever the run does."
      }
      ${" "}
      Nobody is asked, in each run of this repository that may do as much as this one, until the
      rule is removed in the repository’s page.
    </p>
    <${Button} kind="wide" icon="check" busy=${busy === "approved"} disabled=${Boolean(busy)}
      onClick=${() => onAllow(ways[chosen][1])}>
      Approve, and always allow
    <//>
    <${Button} kind="quiet wide" onClick=${() => setOpen(false)}>Not always<//>
  </fieldset>`;
};

/**
 * The rules to choose from, the narrowest first.
 * @param {Offer} offer
 * @returns {[string, NewRule][]}
 */
function waysOf({ kind, words, fewest, host }) {
  if (kind === "network") return [["The host", { host }]];
  /** @type {[string, NewRule][]} */
  const ways = [["Exactly", { words, isExact: true }]];
  for (let n = words.length; n >= (fewest ?? Infinity) && ways.length < MOST; n -= 1)
    ways.push(["Whatever begins with", { words: words.slice(0, n), isExact: false }]);
  // what Codex proposes is always there
  if (fewest && ways.length === MOST) ways[MOST - 1][1].words = words.slice(0, fewest);
  return ways;
}

/** @param {NewRule} rule */
const spelled = ({ words, host }) => (host ? seen(host) : (words || []).map(quoted).join(" "));
