// @ts-check
// On which host a run works, where repositories lie on several.
/** @import { CreateTask } from "../openapi.js" */
import { every } from "../api.js";
import { html } from "../html.js";
import { hostOf, state } from "../store.js";
import { Field, useLoaded } from "./basics.js";

/** @typedef {CreateTask["placement"]} Placement */

/**
 * Nothing, where there is one host; among other chips, without its label and hint.
 * @param {{repositoryId: number, placement: Placement, onChange: (wish: Placement) => void,
 *   isChip?: boolean}} props
 */
export const PlacementField = ({ repositoryId, placement, onChange, isChip }) => {
  const host = hostOf({ repositoryId });
  const [hosts] = useLoaded(() => (host ? every("/api/hosts") : Promise.resolve([])), [host]);
  if (!host) return null;
  const { identity } = state.repos.get(repositoryId) || {};
  const copies = [...state.repos.values()].filter((one) => identity && one.identity === identity);
  const names = new Set(copies.map((one) => one.host));
  const labels = new Set(
    (hosts || []).filter(({ name }) => names.has(name)).flatMap((one) => one.labels),
  );
  /** @typedef {[Placement, string]} Option */
  /** @type {Option[]} */
  const options = [
    [null, `On ${host}, where it lies`],
    ["any", "On the least busy host that has it"],
    ...[...names].map((name) => /** @type {Option} */ ([{ host: name }, `On ${name}`])),
    ...[...labels]
      .sort()
      .map((label) => /** @type {Option} */ ([{ labels: [label] }, `By label ${label}`])),
  ];
  const select = html`<select class=${isChip ? "chip" : null} aria-label=${isChip ? "Host" : null}
    value=${JSON.stringify(placement)}
    onChange=${(/** @type {any} */ e) => onChange(JSON.parse(e.currentTarget.value))}>
    ${options.map(
      ([wish, words]) => html`
        <option value=${JSON.stringify(wish)}>${words}</option>
      `,
    )}
  </select>`;
  if (isChip) return select;
  return html`<${Field} label="Host"
    hint=${
      copies.length > 1
        ? "A host that is draining or away is never chosen."
        : "No other host has this repository: the same remote, or the same project, says so."
    }>
    ${select}
  <//>`;
};
