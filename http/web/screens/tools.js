// @ts-check
// What extends Codex: its MCP servers and their tools, skills, plugins and hooks.
/** @import { Hook, McpServer, PermissionProfile, Plugin } from "../openapi.js" */
/** @import { Repository, Skill } from "../openapi.js" */
import { ask, get, ME, patch } from "../api.js";
import {
  Badge,
  Button,
  Choice,
  Code,
  Dialog,
  Empty,
  Head,
  Loading,
  Problem,
  Switch,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { plural, seen, Words } from "../format.js";
import { html, useState } from "../html.js";
import { useParam } from "../router.js";
import { learn, state, useStore } from "../store.js";

/** Turns off all servers that seem to lead here, whatever Codex's configuration calls them. */
const OWN = "command_center";

/** Ways in which a server is signed in, by Codex's names. @type {Record<string, string>} */
const SIGNED_IN = { oAuth: "Signed in", bearerToken: "Has a token" };

export const Tools = () => {
  const [which, setWhich] = useParam("which", "servers");
  const [repo, setRepo] = useParam("repo");
  useStore("repos");
  const repos = [...state.repos.values()];
  return html`
    <${Head} title="Tools" note="What extends Codex, for your terminal and apps, too">
      <${Choice} label="What" value=${which} onChange=${setWhich}
        options=${[
          ["servers", "MCP servers"],
          ["rest", "Skills, plugins, hooks"],
        ]} />
    <//>
    <div class="stack wide-gap">
      ${
        repos.length > 0 &&
        html`<label class="field">
          <span>Where</span>
          <select
            value=${repo}
            onChange=${(/** @type {any} */ event) => setRepo(event.currentTarget.value)}
          >
            <option value="">Anywhere</option>
            ${repos.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
          </select>
        </label>`
      }
      ${
        which === "rest"
          ? html`<${Rest} repo=${repo} />`
          : html`<${Servers} repo=${state.repos.get(Number(repo))} />`
      }
    </div>
  `;
};

/** @param {{repo: Repository | undefined}} props */
const Servers = ({ repo }) => {
  const version = useStore("mcp");
  const [page, error, again] = useLoaded(() => get("/api/codex/mcp-servers"), [], version);
  if (error)
    return html`<${Empty} icon="command" title="No servers to show"><p>${error.message}</p><//>`;
  if (!page)
    return html`<${Loading} /><p class="hint">Codex starts its servers to ask what they offer.</p>`;
  return html`
    ${
      page.items.length === 0 &&
      html`<${Empty} icon="command" title="No MCP server">
        <p>Codex's configuration names none: <code>codex mcp add</code>.</p>
      <//>`
    }
    <ul class="stack">
      ${
        repo &&
        html`<li class="card stack">
          <div class="row-title">Command Center's own tools</div>
          <${Allowed} repo=${repo} name=${OWN}
            hint="Where this is off, so is each server that seems to lead here." />
        </li>`
      }
      ${page.items.map(
        (server) => html`<${Server} key=${server.name} server=${server} repo=${repo} />`,
      )}
    </ul>
    <div class="actions start"><${Button} icon="refresh" onClick=${again}>Look again<//></div>
  `;
};

/** @param {{server: McpServer, repo: Repository | undefined}} props */
const Server = ({ server, repo }) => {
  const { busy, error, run } = useAct();
  const [url, setUrl] = useState("");
  const signIn = () =>
    run("sign-in", async () => {
      const path = /** @type {const} */ (
        `/api/codex/mcp-servers/${encodeURIComponent(server.name)}/sign-ins`
      );
      setUrl((await ask(path, { requestedBy: ME })).authorizationUrl);
    });
  const facts = [
    (server.origin && seen(server.origin)) || "a program on this machine",
    server.plugin && `of the plugin ${seen(server.plugin)}`,
    SIGNED_IN[server.signIn],
  ];
  return html`<li class="card stack">
    <div class="switch-row">
      <div class="row-main">
        <div class="row-title">${seen(server.name)}</div>
        <div class="row-note">${facts.filter(Boolean).join(" · ")}</div>
      </div>
      ${
        (server.signIn === "notLoggedIn" || (server.signIn === "unknown" && server.origin)) &&
        html`<${Button} icon="lock" busy=${busy === "sign-in"} onClick=${signIn}>Sign in<//>`
      }
    </div>
    ${server.error && html`<p class="problem" data-tone="warn">${seen(server.error)}</p>`}
    ${
      repo &&
      !server.plugin &&
      server.name !== OWN &&
      html`<${Allowed} repo=${repo} name=${server.name} isOwn=${server.leadsHere}
        hint="Where this is off, Codex does not start it for them." />`
    }
    <${Problem} error=${error} />
    ${
      server.tools.length > 0 &&
      html`<details class="fold">
        <summary>${plural(server.tools.length, "tool")}</summary>
        <ul class="stack">
          ${server.tools.map(
            (tool) => html`<li key=${tool.name}>
              <code>${seen(tool.name)}</code>${" "}
              ${tool.isReadOnly && html`<span class="tag">says that it only reads</span>`}
              ${tool.isDestructive && html`<span class="tag">says that it may destroy</span>`}
              ${tool.description && html`<p class="hint">${seen(tool.description)}</p>`}
            </li>`,
          )}
        </ul>
      </details>`
    }
    ${
      url &&
      html`<${Dialog} title=${`Sign in to ${server.name}`} onClose=${() => setUrl("")}>
        <div class="stack">
          <p>Open this page on the machine on which Codex runs: it leads back there. Sign in only if
            you began this yourself.</p>
          <${Code} text=${url} label="Page" />
        </div>
        <div class="actions">
          ${
            /^https?:/.test(url) &&
            html`<a class="button primary" href=${url} target="_blank" rel="noopener noreferrer">
              Open the page
            </a>`
          }
        </div>
      <//>`
    }
  </li>`;
};

/**
 * Switch a name for the runs of a repository, and no other one. What is taken for Command Center's
 * own is off while that is.
 * @param {{repo: Repository, name: string, hint: string, isOwn?: boolean}} props
 */
const Allowed = ({ repo, name, hint, isOwn }) => {
  const { busy, error, run } = useAct();
  const off = repo.mcpServersOff;
  const isWithOwn = Boolean(isOwn) && off.includes(OWN);
  const allow = (/** @type {boolean} */ isOn) =>
    run("allow", async () => {
      const others = off.filter((other) => other !== name);
      const mcpServersOff = isOn ? others : [...others, name];
      learn("repos", await patch(`/api/repos/${repo.id}`, { mcpServersOff, requestedBy: ME }));
    });
  return html`
    <${Switch} label=${`For runs in ${repo.name}`}
      hint=${isWithOwn ? "It seems to lead here, and is off with Command Center's tools." : hint}
      on=${!isWithOwn && !off.includes(name)} disabled=${isWithOwn || Boolean(busy)}
      onChange=${allow} />
    <${Problem} error=${error} />
  `;
};

/** @param {{repo: string}} props */
const Rest = ({ repo }) => {
  const version = useStore("mcp");
  const [found, error] = useLoaded(
    () => get("/api/codex/extensions", { repositoryId: repo ? Number(repo) : undefined }),
    [repo],
    version,
  );
  if (error)
    return html`<${Empty} icon="command" title="Nothing to show"><p>${error.message}</p><//>`;
  if (!found) return html`<${Loading} />`;
  return html`
    ${found.problems.map(
      (said, n) => html`<p key=${n} class="problem" data-tone="warn">${said}</p>`,
    )}
    <${Group} name="Skills" rows=${found.skills} none="Codex finds no skill."
      row=${(/** @type {Skill} */ one) => html`<${SkillRow} key=${one.path} skill=${one} />`} />
    <${Group} name="Plugins" rows=${found.plugins} none="None is installed."
      row=${(/** @type {Plugin} */ one) => html`<${PluginRow} key=${one.id} plugin=${one} />`} />
    <${Group} name="Hooks" rows=${found.hooks} none="Codex runs nothing by itself."
      row=${(/** @type {Hook} */ hook, /** @type {number} */ n) =>
        html`<${HookRow} key=${n} hook=${hook} />`} />
    <${Group} name="Permission profiles" rows=${found.profiles} none="Codex names none."
      row=${(/** @type {PermissionProfile} */ one) => html`<li key=${one.id} class="card">
        <code>${seen(one.id)}</code> ${!one.isAllowed && html`<span class="tag">not allowed</span>`}
        ${one.description && html`<p class="hint">${seen(one.description)}</p>`}
      </li>`} />
  `;
};

/** @param {{name: string, rows: any[], none: string, row: (one: any, n: number) => any}} props */
const Group = ({ name, rows, none, row }) => html`<section aria-label=${name}>
  <h2 class="section">${name}</h2>
  ${
    rows.length
      ? html`<ul class="stack">${rows.map(row)}</ul>`
      : html`<p class="quiet-line">${none}</p>`
  }
</section>`;

/** @param {{skill: Skill}} props */
const SkillRow = ({ skill }) => {
  const { busy, error, run } = useAct();
  const [isOn, setOn] = useState(skill.isEnabled);
  const set = (/** @type {boolean} */ isEnabled) =>
    run("switch", async () => {
      const wanted = { path: skill.path, isEnabled, requestedBy: ME };
      setOn((await patch("/api/codex/skills", wanted)).isEnabled);
    });
  return html`<li class="card">
    <${Switch} label=${seen(skill.name)} hint=${seen(skill.description)} on=${isOn}
      disabled=${Boolean(busy)} onChange=${set} />
    <div class="row-note" title=${skill.path}>
      ${Words(skill.scope)}${skill.plugin ? ` · ${skill.plugin}` : ""} · ${seen(skill.path)}
    </div>
    <${Problem} error=${error} />
  </li>`;
};

/** @param {{isOn: boolean}} props */
const OnOff = ({ isOn }) => html`
  <${Badge} status=${isOn ? "active" : "paused"} text=${isOn ? "On" : "Off"} />
`;

/** @param {{plugin: Plugin}} props */
const PluginRow = ({ plugin }) => html`<li class="card">
  <div class="switch-row">
    <div class="row-main">
      <div class="row-title">${seen(plugin.name)} ${plugin.version}</div>
      <div class="row-note">
        ${seen([plugin.marketplace, plugin.description].filter(Boolean).join(" · "))}
      </div>
    </div>
    <${OnOff} isOn=${plugin.isEnabled} />
  </div>
</li>`;

/** @param {{hook: Hook}} props */
const HookRow = ({ hook }) => html`<li class="card stack">
  <div class="switch-row">
    <div class="row-main">
      <div class="row-title">
        ${Words(hook.event)} ${hook.matcher && html`<code>${seen(hook.matcher)}</code>`}
      </div>
      <div class="row-note" title=${hook.path}>
        ${[Words(hook.source), hook.plugin, Words(hook.trust), seen(hook.path)]
          .filter(Boolean)
          .join(" · ")}
      </div>
    </div>
    <${OnOff} isOn=${hook.isEnabled} />
  </div>
  ${
    hook.runs
      ? html`<${Code} text=${seen(hook.runs)} label="It runs" />`
      : html`<p>${Words(hook.type)}</p>`
  }
</li>`;
