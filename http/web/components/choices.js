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
  const [models] = useLoaded(
    () =>
      can(state.health?.runnerMode, "hasThreads")
        ? get("/api/codex/models", { host: host ?? "local" }).then(
            (page) => page.items,
            () => [],
          )
        : Promise.resolve([]),
    [host],
  );
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
    ${
      models?.length
        ? html`<${Pick} label="Model" value=${chosen.model} otherwise=${otherwise} onPick=${pick}
          options=${models.map((/** @type {any} */ m) => [
            m.model || m.id,
            m.displayName || m.id,
          ])} />`
        : html`<${Field} label="Model">
          <input value=${chosen.model || ""} placeholder=${otherwise} autocomplete="off"
            onInput=${(/** @type {any} */ e) => pick(e.currentTarget.value.trim())} />
        <//>`
    }
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
      can(state.health?.runnerMode, "hasThreads") &&
      html`<${Profile} chosen=${chosen.permissionProfile} host=${host}
        repositoryId=${repositoryId} otherwise=${otherwise} onPick=${set("permissionProfile")} />`
    }
  `;
};

/**
 * @param {{label: string, hint?: string, value: string | null | undefined, otherwise: string,
 *   options: [string, string][], onPick: (value: string) => void}} props
 */
export const Pick = ({ label, hint, value, otherwise, options, onPick }) => html`
  <${Field} label=${label} hint=${hint}>
    <select value=${value || ""}
      onChange=${(/** @type {any} */ e) => onPick(e.currentTarget.value)}>
      <option value="">${otherwise}</option>
      ${options.map(([key, words]) => html`<option value=${key}>${words}</option>`)}
    </select>
  <//>
`;
