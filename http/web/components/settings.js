// @ts-check
// What the server was told at its start, and the line to write so that it is told otherwise.
/** @import { ApiError } from "../api.js" */
/** @import { SettingLine, ShownSetting } from "../openapi.js" */
import { get } from "../api.js";
import { html, useEffect, useState } from "../html.js";
import { Code, Field, Head, Loading, Problem, useLoaded } from "./basics.js";
import { useFilter } from "./filter.js";

const TYPING_MS = 250;

/** @type {Record<ShownSetting["source"], string>} */
const SOURCES = {
  default: "default",
  environment: "set in the environment",
  file: "set in the file",
  flag: "set by a flag",
};

export const Settings = () => {
  const [found, error] = useLoaded(() => get("/api/settings"), []);
  const [shown, search] = useFilter(
    found?.items || [],
    ({ variable, help, source }) => `${variable} ${help} ${SOURCES[source]}`,
    "Search settings",
  );
  return html`
    <${Head} title="Settings" back="/runtime"
      note=${
        found &&
        html`They count from a start on. Lines go
          into <code>${found.configFile}</code>${!found.hasConfigFile && " (not there yet)"}`
      } />
    <${Problem} error=${error} />
    ${!found && !error && html`<${Loading} />`}
    ${search}
    <p class="hint setting-note">
      How many sessions work at once on a machine, and its labels, change at once:
      in <a href="#/hosts">Hosts</a>.
    </p>
    <ul class="rows">
      ${shown.map(
        (setting) => html`<li key=${setting.name}><${Setting} setting=${setting} /></li>`,
      )}
    </ul>
  `;
};

/** @param {{setting: ShownSetting}} props */
const Setting = ({ setting }) => {
  const [isOpen, open] = useState(false);
  return html`<details class="fold setting" open=${isOpen}
    onToggle=${(/** @type {any} */ e) => open(e.currentTarget.open)}>
    <summary>
      <code>${setting.variable}</code>
      <span class="setting-value">
        ${setting.isSecret ? String(setting.value ?? "") || "–" : setting.text || "–"}
      </span>
      <span class="hint">${SOURCES[setting.source]}</span>
    </summary>
    <p>${setting.help}</p>
    ${isOpen && html`<${Line} setting=${setting} />`}
  </details>`;
};

/** @param {{setting: ShownSetting}} props */
const Line = ({ setting: { name, form, text, isSecret } }) => {
  const [wanted, want] = useState(text);
  const [line, setLine] = useState(/** @type {{found?: SettingLine, failure?: ApiError}} */ ({}));
  useEffect(() => {
    let current = true;
    const timer = setTimeout(
      () =>
        get("/api/settings/line", { name, value: isSecret ? undefined : wanted }).then(
          (found) => current && setLine({ found }),
          (failure) => current && setLine({ failure }),
        ),
      TYPING_MS,
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [name, wanted]);
  const { found, failure } = line;
  return html`<div class="stack">
    ${
      !isSecret &&
      html`<${Field} label="Value" error=${failure?.message} hint=${form}>
        <input spellcheck=${false} autocapitalize="off" autocomplete="off" value=${wanted}
          onInput=${(/** @type {any} */ e) => want(e.currentTarget.value)} />
      <//>`
    }
    ${
      found &&
      html`
        <${Code} label="Line of the file" text=${found.line} />
        ${
          found.needs.length > 0 &&
          html`<p class="hint" data-bad="true">
            The server does not start with it alone. ${found.needs.join(" ")}
          </p>`
        }
        <p class="hint">
          ${
            found.overriddenBy
              ? `It is ${SOURCES[found.overriddenBy]}, which wins over the file. There:`
              : "Or in the environment:"
          }${" "}
          <code>${found.environment}</code>
        </p>
      `
    }
  </div>`;
};
