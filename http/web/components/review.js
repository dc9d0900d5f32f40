// @ts-check
// Have Codex review what a session has changed; what it finds becomes comments on the lines.
import { ME, post } from "../api.js";
import { html, useState } from "../html.js";
import { repoOf } from "../store.js";
import { Button, Choice, Dialog, Field, Problem, useAct } from "./basics.js";
import { follow } from "./run-panel.js";

/** @import { Session } from "../openapi.js" */

/** @param {{session: Session, onClose: () => void}} props */
export const Review = ({ session, onClose }) => {
  const repo = repoOf(session);
  const [what, setWhat] = useState("uncommitted");
  const [base, setBase] = useState(repo?.defaultBranch || repo?.currentBranch || "");
  const [commit, setCommit] = useState("");
  const [instructions, setInstructions] = useState("");
  const { busy, error, run } = useAct();
  /** @type {Record<string, Record<string, string>>} */
  const asked = {
    uncommitted: {},
    base: { base: base.trim() },
    commit: { commit: commit.trim() },
    instructions: { instructions: instructions.trim() },
  };
  const isReady = Object.values(asked[what]).every(Boolean);
  const begin = () =>
    run("begin", async () => {
      const body = { ...asked[what], requestedBy: ME };
      follow(await post(`/api/sessions/${session.id}/review`, body));
      onClose();
    });
  return html`<${Dialog} title="Review these changes" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        if (isReady) begin();
      }}>
      <${Choice} label="What is reviewed" value=${what} onChange=${setWhat}
        options=${[
          ["uncommitted", "Not committed"],
          ["base", "Since a branch"],
          ["commit", "A commit"],
          ["instructions", "In words"],
        ]} />
      ${
        what === "base" &&
        html`<${Field} label="Branch">
          <input value=${base} autocapitalize="none" spellcheck=${false}
            onInput=${(/** @type {any} */ e) => setBase(e.currentTarget.value)} />
        <//>`
      }
      ${
        what === "commit" &&
        html`<${Field} label="Commit" hint="Seven or more of its digits.">
          <input value=${commit} autocapitalize="none" spellcheck=${false}
            pattern="[0-9a-f]{7,64}"
            onInput=${(/** @type {any} */ e) => setCommit(e.currentTarget.value)} />
        <//>`
      }
      ${
        what === "instructions" &&
        html`<${Field} label="What to look at">
          <textarea rows="4" value=${instructions}
            onInput=${(/** @type {any} */ e) => setInstructions(e.currentTarget.value)}></textarea>
        <//>`
      }
      <p class="hint">
        Codex reads the work in its folder and changes nothing. What it finds becomes comments on
        the lines, which you send or take back as your own.
      </p>
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy} disabled=${!isReady}>Review<//>
    </form>
  <//>`;
};
