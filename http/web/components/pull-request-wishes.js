// @ts-check
// What a task wants done about its pull requests, where that is not as its repository has it.
import { html } from "../html.js";
import { Field } from "./basics.js";

/** @import { CreateTask, Task } from "../openapi.js" */
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

const MOST = "Turns that they lead to at most";

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

/** What a task wants by itself. @param {{task: Task}} props */
export const OwnWishes = ({ task }) => html`
  ${CHOICES.map(([key, label, choices]) => {
    const chosen = choices.find(([value]) => value === task[key]);
    return chosen && html`<dt>${label}</dt><dd>${chosen[1]}</dd>`;
  })}
  ${task.forgeFollowups !== null && html`<dt>${MOST}</dt><dd>${task.forgeFollowups}</dd>`}
`;

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
  <${Field} label=${MOST}>
    <input type="number" min="0" max="100" placeholder="As the repository"
      value=${wishes.forgeFollowups ?? ""}
      onInput=${(/** @type {any} */ e) =>
        onChange({
          ...wishes,
          forgeFollowups: e.currentTarget.value === "" ? null : Number(e.currentTarget.value),
        })} />
  <//>
`;
