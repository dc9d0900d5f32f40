// @ts-check
// The limits of an agent's token: where it works, how deep runs may start runs, and how often.
import { Code, Field, Switch } from "./basics.js";
import { plural } from "../format.js";
import { html } from "../html.js";
import { state, useStore } from "../store.js";

/** @import { Device } from "../openapi.js" */

/**
 * The limits of an agent as they stand in a form; no repository is all of them, no number no bound.
 * @typedef {{repositories: number[], depth: string, runsPerHour: string}} FormLimits
 */

/** @type {FormLimits} */
export const USUAL_LIMITS = { repositories: [], depth: "1", runsPerHour: "10" };

/** @param {Device} device */
export const limitsOf = ({ limits }) => {
  const { repositories, depth, runsPerHour } = limits || {};
  const named = (repositories || []).map((/** @type {number} */ id) => nameOf(id));
  return [
    `tools in ${named.join(", ") || "all repositories"}`,
    depth != null && `${depth} deep`,
    runsPerHour != null && `${plural(runsPerHour, "run", "runs")} an hour`,
  ]
    .filter(Boolean)
    .join(" · ");
};

/** @param {number} id */
const nameOf = (id) => state.repos.get(id)?.name || `repository ${id}`;

/** @param {FormLimits | null} limits */
export const limitsToSend = (limits) =>
  limits && {
    repositories: limits.repositories.length ? limits.repositories : null,
    depth: limits.depth === "" ? null : Number(limits.depth),
    runsPerHour: limits.runsPerHour === "" ? null : Number(limits.runsPerHour),
  };

/**
 * Say where an agent works, how deep, and how often.
 * @param {{limits: FormLimits | null, onChange: (limits: FormLimits | null) => void}} props
 */
export const Limits = ({ limits, onChange }) => {
  useStore("repos");
  const known = [...state.repos.keys()];
  const gone = (limits?.repositories || []).filter((id) => !state.repos.has(id));
  /** @param {"depth" | "runsPerHour"} name */
  const set = (name) => (/** @type {any} */ e) =>
    limits && onChange({ ...limits, [name]: e.currentTarget.value });
  return html`
    <${Switch} label="For tools alone" on=${Boolean(limits)}
      hint="The token is good for /mcp, within limits, and for nothing else."
      onChange=${(/** @type {boolean} */ on) => onChange(on ? USUAL_LIMITS : null)} />
    ${
      limits &&
      html`<fieldset class="stack">
          <legend class="label">Works in</legend>
          ${[...known, ...gone].map(
            (id) => html`<${Switch} key=${id} label=${nameOf(id)}
              on=${limits.repositories.includes(id)}
              onChange=${(/** @type {boolean} */ on) =>
                onChange({
                  ...limits,
                  repositories: on
                    ? [...limits.repositories, id]
                    : limits.repositories.filter((other) => other !== id),
                })} />`,
          )}
          ${!limits.repositories.length && html`<p class="hint">All repositories.</p>`}
        </fieldset>
        <div class="two">
          <${Field} label="Depth">
            <input type="number" min="0" max="100" step="1" value=${limits.depth}
              onInput=${set("depth")} />
          <//>
          <${Field} label="Runs an hour">
            <input type="number" min="0" max="100000" step="1" value=${limits.runsPerHour}
              onInput=${set("runsPerHour")} />
          <//>
        </div>
        <p class="hint">
          With depth 1 a run starts others, and those start none. No number is no bound.
        </p>`
    }
  `;
};

/** @param {Device} device @returns {FormLimits | null} */
export const formOf = ({ limits }) =>
  limits && {
    repositories: limits.repositories || [],
    depth: String(limits.depth ?? ""),
    runsPerHour: String(limits.runsPerHour ?? ""),
  };

/** How Codex is told of the token. */
export const ForCodex = () => html`
  <p>For Codex, in its <code>config.toml</code>, with the token in the environment:</p>
  <${Code} label="Configuration" text=${[
    "[mcp_servers.command_center]",
    `url = "${location.origin}/mcp"`,
    'bearer_token_env_var = "COMMAND_CENTER_TOKEN"',
  ].join("\n")} />
`;
