// @ts-check
// What a run chooses about its model: which one, how much it thinks, how fast it is served, and
// whether it only plans. Of each model Codex lists what it takes.
/** @import { Choices as Chosen } from "../openapi.js" */
import { get } from "../api.js";
import { Words } from "../format.js";
import { html } from "../html.js";
import { can, state } from "../store.js";
import { Field, lazily, useLoaded } from "./basics.js";

const Profile = lazily(() => import("./profiles.js"), "Profile");

/**
 * @param {{chosen: Chosen, host: string | undefined, repositoryId?: number,
 *   onChange: (chosen: Chosen) => void, otherwise?: string}} props
 *   `repositoryId` is the repository whose own profiles are offered, too; `otherwise` says what
 *   holds where nothing is chosen.
 */
export const Choices = (props) => {
  const { chosen, host, repositoryId, onChange, otherwise = "As Codex has it" } = props;
  const hasThreads = can(state.health?.runnerMode, "hasThreads");
  const offered = useListed(
    async () =>
      hasThreads ? (await get("/api/codex/models", { host: host ?? "local" })).items : [],
    [host, hasThreads],
  );
  const models = hasThreads ? offered : null;
  const model = models?.find((/** @type {any} */ m) =>
    chosen.model ? (m.model || m.id) === chosen.model : m.isDefault,
  );
  /** @param {string} value */
  const pick = (value) =>
    onChange({ ...chosen, model: value || null, effort: null, serviceTier: null });
  /** @param {keyof Chosen} name */
  const set = (name) => (/** @type {string} */ value) =>
    onChange({ ...chosen, [name]: value || null });
  const efforts = (model?.supportedReasoningEfforts || []).map(
    (/** @type {any} */ { reasoningEffort }) => [reasoningEffort, Words(reasoningEffort)],
  );
  const tiers = (model?.serviceTiers || []).map((/** @type {any} */ t) => [t.id, t.name || t.id]);
  return html`
    <${PickOrWrite} label="Model" value=${chosen.model} otherwise=${otherwise} onPick=${pick}
      options=${
        models && models.map((/** @type {any} */ m) => [m.model || m.id, m.displayName || m.id])
      } />
    ${
      efforts.length > 0 &&
      html`<${Pick} label="Effort" hint="How much the model is to think." value=${chosen.effort}
        otherwise=${otherwise} onPick=${set("effort")} options=${efforts} />`
    }
    ${
      tiers.length > 0 &&
      html`<${Pick} label="Speed" hint="Faster ones use more of the plan."
        value=${chosen.serviceTier} otherwise=${otherwise} onPick=${set("serviceTier")}
        options=${[["default", "Standard"], ...tiers]} />`
    }
    <${Pick} label="Mode" hint="A plan changes nothing, and asks what is open."
      value=${chosen.collaborationMode} otherwise=${otherwise} onPick=${set("collaborationMode")}
      options=${[
        ["plan", "Plan first"],
        ["default", "Do it"],
      ]} />
    ${
      hasThreads &&
      html`<${Profile} chosen=${chosen.permissionProfile} host=${host}
        repositoryId=${repositoryId} otherwise=${otherwise} onPick=${set("permissionProfile")} />`
    }
  `;
};

/**
 * A list of Codex's; null where it gives none, and undefined until that of these inputs is here.
 * Without the server it is asked for again.
 * @template T @param {() => Promise<T[]>} load @param {unknown[]} inputs
 * @returns {T[] | null | undefined}
 */
export function useListed(load, inputs) {
  const of = JSON.stringify(inputs);
  const ask = async () => {
    try {
      const items = await load();
      return { of, items: items.length ? items : null };
    } catch (error) {
      if (/** @type {any} */ (error).status === 0) throw error;
      return { of, items: null };
    }
  };
  const [loaded] = useLoaded(ask, inputs);
  return loaded?.of === of ? loaded.items : undefined;
}

/**
 * @typedef {{label: string, hint?: string, value: string | null | undefined, otherwise: string,
 *   options: [string, string][] | null | undefined, onPick: (value: string) => void}} Picked
 */

/**
 * Pick one of the options, which may still be on their way. What is chosen already is one of them.
 * @param {Picked} props
 */
export const Pick = ({ label, hint, value, otherwise, options, onPick }) => html`
  <${Field} label=${label} hint=${hint}>
    <select value=${value || ""}
      onChange=${(/** @type {any} */ e) => onPick(e.currentTarget.value)}>
      <option value="">${otherwise}</option>
      ${
        value &&
        !options?.some(([key]) => key === value) &&
        html`<option value=${value}>${value}</option>`
      }
      ${options?.map(([key, words]) => html`<option value=${key}>${words}</option>`)}
      ${!options && html`<option disabled>Loading …</option>`}
    </select>
  <//>
`;

/** Pick one of the options, or write one where they are null. @param {Picked} props */
export const PickOrWrite = (props) =>
  props.options === null
    ? html`<${Field} label=${props.label} hint=${props.hint}>
      <input value=${props.value || ""} placeholder=${props.otherwise} autocomplete="off"
        autocapitalize="none"
        onInput=${(/** @type {any} */ e) => props.onPick(e.currentTarget.value.trim())} />
    <//>`
    : html`<${Pick} ...${props} />`;
