// @ts-check
// The help sheet: every shortcut.
import { Dialog } from "../components/basics.js";
import { html } from "../html.js";
import { GO } from "../keys.js";

/** @param {{onClose: () => void}} props */
export const Help = ({ onClose }) => html`<${Dialog} title="Keyboard" onClose=${onClose}>
  <dl class="keys">
    ${GO.map(([key, , name]) => html`<dt><kbd>g</kbd> <kbd>${key}</kbd></dt><dd>${name}</dd>`)}
    <dt><kbd>c</kbd></dt><dd>New task</dd>
    <dt><kbd>/</kbd></dt><dd>Search</dd>
    <dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>Next and previous row</dd>
    <dt><kbd>Ctrl</kbd> <kbd>Enter</kbd></dt><dd>Send what is written to a session</dd>
    <dt><kbd>?</kbd></dt><dd>This sheet</dd>
  </dl>
  <p class="hint">Nothing is decided, run or stopped by a single key.</p>
<//>`;
