// @ts-check
// What is longer than the server shows at first: that it is, and the button that loads all of it.
import { html } from "../html.js";
import { Button, Problem, useAct } from "./basics.js";

/** @param {{what: string, load: () => Promise<unknown>}} props `what` is shown in part. */
export const Shortened = ({ what, load }) => {
  const { busy, error, run } = useAct();
  return html`<div class="shortened">
    <${Problem} error=${error} />
    <span class="hint">${what} is longer than what is shown here.</span>
    <${Button} kind="quiet" busy=${busy} onClick=${() => run("whole", load)}>Show all of it<//>
  </div>`;
};
