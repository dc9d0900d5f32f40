// @ts-check
// What helps one on: the sheet of every shortcut, and the screen of an address that is none.
import { Dialog, Empty, Head } from "../components/basics.js";
import { html } from "../html.js";
import { GO } from "../keys.js";

/** @param {{onClose: () => void}} props */
export const Help = ({ onClose }) => html`<${Dialog} title="Keyboard" onClose=${onClose}>
  <dl class="keys">
    ${GO.map(([key, , name]) => html`<dt><kbd>g</kbd> <kbd>${key}</kbd></dt><dd>${name}</dd>`)}
    <dt><kbd>Ctrl</kbd> <kbd>K</kbd></dt><dd>Search everything</dd>
    <dt><kbd>c</kbd></dt><dd>New task</dd>
    <dt><kbd>/</kbd></dt><dd>Search</dd>
    <dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>Next and previous row</dd>
    <dt><kbd>Ctrl</kbd> <kbd>Enter</kbd></dt><dd>Run or send what is written</dd>
    <dt><kbd>?</kbd></dt><dd>This sheet</dd>
  </dl>
  <p class="hint">Nothing is decided, run or stopped by a single key.</p>
<//>`;

export const Lost = () => html`
  <${Head} title="Nothing is here" />
  <${Empty} icon="question" title="No screen has this address">
    <p><code>${location.hash}</code></p>
    <p>It may be cut short, or of another version.</p>
    <p><a class="button primary" href="#/"><span>Now</span></a></p>
  <//>
`;
