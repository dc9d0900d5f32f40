// @ts-check
// What a task wants done about its pull requests, where that is not as its repository has it.
import { html } from "../html.js";
import { Field } from "./basics.js";

/** @import { CreateTask } from "../openapi.js" */
/**
 * @typedef {Required<Pick<CreateTask, "onChecksFailed" | "onReview" | "mergeWhen">> &
 * {forgeFollowups: number | null}} Wishes
 */

/** @type {Wishes} */
export const AS_REPOSITORY = {
  onChecksFailed: null,
  onReview: null,
  mergeWhen: null,
  forgeFollowups: null,
};

const NEWS = [
  ["follow_up", "Go on with a turn"],
  ["tell", "Tell me"],
];

/** @type {["onChecksFailed" | "onReview" | "mergeWhen", string, string[][]][]} */
const CHOICES = [
  ["onChecksFailed", "Where checks fail", NEWS],
  ["onReview", "Where reviewers want changes", NEWS],
  [
    "mergeWhen",
    "Merging",
    [
      ["checks_pass", "Ask me once checks pass"],
      ["asked", "Only when I ask for it"],
    ],
  ],
];

/** @param {{wishes: Wishes, onChange: (wishes: Wishes) => void}} props */
export const PullRequestWishes = ({ wishes, onChange }) => html`
  <h3 class="section">Its pull requests</h3>
  ${CHOICES.map(
    ([key, label, choices]) => html`<${Field} key=${key} label=${label}>
      <select value=${wishes[key] || ""}
        onChange=${(/** @type {any} */ e) =>
          onChange({ ...wishes, [key]: e.currentTarget.value || null })}>
        <option value="">As the repository</option>
        ${choices.map(([value, name]) => html`<option value=${value}>${name}</option>`)}
      </select>
    <//>`,
  )}
  <${Field} label="Turns that they lead to at most">
    <input type="number" min="0" max="100" placeholder="As the repository"
      value=${wishes.forgeFollowups ?? ""}
      onInput=${(/** @type {any} */ e) =>
        onChange({
          ...wishes,
          forgeFollowups: e.currentTarget.value === "" ? null : Number(e.currentTarget.value),
        })} />
  <//>
`;
