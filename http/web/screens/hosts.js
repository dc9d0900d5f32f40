// @ts-check
// Hosts: the machines that repositories lie on, how each is, and what may be begun there.
/** @import { AddedHost, Device, HostTree, ShownHost } from "../openapi.js" */
import { ApiError, ask, every, get, ME, patch, post, remove } from "../api.js";
import {
  Ago,
  Badge,
  Button,
  Choice,
  Code,
  Confirm,
  Countdown,
  Dialog,
  Field,
  Head,
  Loading,
  Problem,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { useFilter } from "../components/filter.js";
import { plural, size } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { useStore } from "../store.js";

/** @typedef {Device["scopes"][number]} Scope */

const LOOK_MS = 15_000; // how busy a machine is, no event tells

export const Hosts = () => {
  const version = useStore("hosts", "runtime", "sessions", "repos");
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(
      () => document.hidden || setTick((/** @type {number} */ n) => n + 1),
      LOOK_MS,
    );
    return () => clearInterval(timer);
  }, []);
  const [hosts, error, again] = useLoaded(() => every("/api/hosts"), [], `${version} ${tick}`);
  const [me] = useLoaded(() => get("/api/devices/current"), []);
  /** @param {Scope} scope */
  const may = (scope) => Boolean(me?.scopes.includes(scope));
  const [adding, setAdding] = useState(false);
  const [changed, change] = useState(/** @type {ShownHost | null} */ (null));
  const [removed, drop] = useState(/** @type {ShownHost | null} */ (null));
  const [looked, look] = useState("");
  const [enrolled, enrol] = useState(/** @type {AddedHost["enrolment"]} */ (null));
  const [shown, search] = useFilter(
    hosts || [],
    ({ name, labels, pool }) => [name, ...labels, pool?.remotes || ""].flat().join(" "),
    "Search hosts",
  );
  return html`
    <${Head} title="Hosts" note="The machines that repositories lie on, and Codex works on">
      ${
        may("admin") &&
        html`<${Button} kind="primary" icon="plus" onClick=${() => setAdding(true)}>Add a host<//>`
      }
    <//>
    <${Problem} error=${error} />
    ${!hosts && !error && html`<${Loading} />`}
    ${search}
    <ul class="cards hosts">
      ${shown.map(
        (host) => html`<li key=${host.name}>
          <${Host} host=${host} may=${may} again=${again} onChange=${() => change(host)}
            onRemove=${() => drop(host)} onEnrol=${enrol} onLook=${() => look(host.name)} />
        </li>`,
      )}
    </ul>
    ${adding && html`<${Add} onAdded=${again} onClose=${() => setAdding(false)} />`}
    ${looked && html`<${Actors} name=${looked} onClose=${() => look("")} />`}
    ${enrolled && html`<${Enrolment} offer=${enrolled} onClose=${() => enrol(null)} />`}
    ${changed && html`<${Change} host=${changed} onSaved=${again} onClose=${() => change(null)} />`}
    ${
      removed &&
      html`<${Confirm} title=${`Remove ${removed.name}?`} label="Remove it"
        onClose=${() => drop(null)}
        act=${async () => {
          await remove(`/api/hosts/${removed.name}`, { requestedBy: ME });
          again();
        }}>
        <p>
          Its connection ends, and its key is worthless. What lies on the machine stays there.
          ${
            removed.repositories > 0 &&
            html`<b> ${plural(removed.repositories, "repository", "repositories")} of this server
              lie there: forget them first.</b>`
          }
        </p>
      <//>`
    }
  `;
};

/** The word for how a host is. @param {ShownHost} host @returns {[string, string]} */
const stateOf = (host) =>
  host.link === "refused"
    ? ["failed", "Refused"]
    : host.link === "away"
      ? ["interrupted", host.lastSeenAt ? "Away" : "Not connected yet"]
      : host.draining
        ? ["pending", "Draining"]
        : host.status === "unavailable"
          ? ["unavailable", "Without Codex"]
          : ["connected", "Here"];

/**
 * A host; of what can be done to it, what this device may do.
 * @param {{host: ShownHost, may: (scope: Scope) => boolean, again: () => void,
 * onChange: () => void, onRemove: () => void,
 * onEnrol: (offer: AddedHost["enrolment"]) => void, onLook: () => void}} props
 */
const Host = ({ host, may, again, onChange, onRemove, onEnrol, onLook }) => {
  const { busy, error, run } = useAct();
  const path = /** @type {const} */ (`/api/hosts/${host.name}`);
  /** @param {"drain" | "resume" | "retry"} act */
  const does = (act) => () =>
    run(act, async () => {
      await post(`${path}/${act}`, { requestedBy: ME });
      again();
    });
  /** @param {number} session */
  const abandon = (session) => () =>
    run(`abandon ${session}`, async () => {
      await post(`/api/sessions/${session}/abandon`, { requestedBy: ME });
      again();
    });
  const renew = () =>
    run("enrol", async () => onEnrol(await ask(`${path}/enrolment`, { requestedBy: ME })));
  const [status, word] = stateOf(host);
  const isAway = host.link === "away" || host.link === "refused";
  return html`<article class="card stack host" aria-label=${host.name}>
    <div class="host-head">
      <h2>${host.name}</h2>
      <${Badge} status=${status} text=${word} />
      ${host.draining && isAway && html`<${Badge} status="pending" text="Draining" />`}
    </div>
    <p class="hint">
      ${host.kind === "local" ? "This server’s own machine" : host.address || "Dials out to here"}
      ${isAway && host.lastSeenAt && html` · seen <${Ago} ts=${host.lastSeenAt} />`}
    </p>
    ${
      host.message &&
      (isAway || host.status !== "disabled") &&
      html`<p class="hint">${host.message}</p>`
    }
    <dl class="facts">
      <dt>Codex</dt>
      <dd>${host.agentVersion || "–"} ${host.warning && html`<p class="hint">${host.warning}</p>`}
      </dd>
      <dt>Signed in</dt>
      <dd>${signInOf(host)}</dd>
      <dt>Sessions</dt>
      <dd>${host.active} of ${host.maxSessions ?? host.slots}, ${host.queued} waiting</dd>
      <dt>Repositories</dt>
      <dd>${host.repositories}</dd>
      ${
        host.load &&
        html`
          <dt>Load</dt>
          <dd>
            ${host.load.load.toFixed(1)} on ${plural(host.load.processors, "processor")}
          </dd>
          <dt>Disk</dt>
          <dd>${size(host.load.diskFree)} free of ${size(host.load.diskSize)}</dd>
        `
      }
      ${
        host.pool &&
        html`
          <dt>Pool</dt>
          <dd>
            ${size(host.pool.size)} of ${size(host.pool.limit)} for clones of${" "}
            ${host.pool.remotes.join(", ")}
          </dd>
        `
      }
    </dl>
    ${
      host.labels.length > 0 &&
      html`<div class="tags">
        ${host.labels.map((label) => html`<span class="tag">${label}</span>`)}
      </div>`
    }
    ${
      isAway &&
      host.orphanedTurns.map(
        (session) => html`<p key=${session} class="hint">
          The turn of <a href=${`#/sessions/${session}`}>session ${session}</a> is ended when the
          host is back. Others wait for that.${" "}
          ${
            may("work") &&
            html`<${Button} busy=${busy === `abandon ${session}`} onClick=${abandon(session)}
              aria-label=${`Give up the turn of session ${session}`}>
              Give it up
            <//>`
          }
        </p>`,
      )
    }
    <${Problem} error=${error} />
    <div class="actions">
      ${
        may("operate") &&
        (host.draining
          ? html`<${Button} kind="primary" busy=${busy === "resume"} onClick=${does("resume")}
            aria-label=${`Resume ${host.name}`}>
            Resume
          <//>`
          : html`<${Button} busy=${busy === "drain"} onClick=${does("drain")}
            aria-label=${`Drain ${host.name}`}>
            Drain
          <//>`)
      }
      ${
        may("admin") &&
        html`<${Button} onClick=${onChange} aria-label=${`Change ${host.name}`}>Change<//>`
      }
      ${
        host.kind === "dial" &&
        !isAway &&
        html`<${Button} onClick=${onLook} aria-label=${`Actors of ${host.name}`}>Actors<//>`
      }
      ${
        isAway &&
        may(host.kind === "dial" ? "admin" : "operate") &&
        (host.kind === "dial"
          ? html`<${Button} busy=${busy === "enrol"} onClick=${renew}
            aria-label=${`New code for ${host.name}`}>
            New code
          <//>`
          : html`<${Button} busy=${busy === "retry"} onClick=${does("retry")}
            aria-label=${`Try ${host.name} now`}>
            Try now
          <//>`)
      }
      ${
        host.kind !== "local" &&
        may("admin") &&
        html`<${Button} kind="danger" onClick=${onRemove} aria-label=${`Remove ${host.name}`}>
          Remove
        <//>`
      }
    </div>
  </article>`;
};

/** @param {ShownHost} host */
const signInOf = ({ account }) =>
  !account
    ? "–"
    : account.status === "signed_out"
      ? "nobody"
      : account.email || (account.status === "not_needed" ? "not needed" : account.kind);

/**
 * The actors of the program that a host runs.
 * @param {{name: string, onClose: () => void}} props
 */
const Actors = ({ name, onClose }) => {
  const path = /** @type {const} */ (`/api/hosts/${name}/runtime`);
  const version = useStore("hosts");
  const [tree, error] = useLoaded(
    async () => {
      /** @type {any} */
      const told = await get(path);
      return /** @type {HostTree} */ (told);
    },
    [name],
    version,
  );
  return html`<${Dialog} title=${`What runs on ${name}`} onClose=${onClose}>
    <${Problem} error=${error} />
    ${!tree && !error && html`<${Loading} />`}
    <ul class="rows host-actors">
      ${((!error && tree?.actors) || []).map(
        (one) => html`<li key=${one.path} class="row">
          <div class="row-main">
            <div class="row-title"><code>${one.path}</code></div>
            <div class="row-note">${one.lastError || one.contract || one.kind}</div>
          </div>
          <div class="row-side"><${Badge} status=${one.status} /></div>
        </li>`,
      )}
    </ul>
    <p>
      <a href=${`#/runtime/hosts/${name}/link`} onClick=${onClose}>
        Its link, as this server has it
      </a>
    </p>
  <//>`;
};

/** A code, and the command with it, as long as they are shown. @param {any} props */
const Enrolment = ({ offer, onClose }) => html`<${Dialog} title="Run this on the machine"
  onClose=${onClose}>
  <div class="stack">
    <p>It is shown once. Command Center has to be${" "}
      <a href="/docs/installing.html" target="_blank" rel="noreferrer">installed</a> there.</p>
    <${Code} text=${offer.command} label="Command" />
    <p class="hint">
      The address is the one that you are at. Write another where the machine needs one.
    </p>
    <p class="hint" role="status">
      The code works once. <${Countdown} until=${offer.expiresAt} />
    </p>
  </div>
  <div class="actions"><${Button} kind="primary" onClick=${onClose}>Done<//></div>
<//>`;

/** @param {{onAdded: () => void, onClose: () => void}} props */
const Add = ({ onAdded, onClose }) => {
  const [kind, setKind] = useState("dial");
  const [name, setName] = useState("");
  const [address, setAddress] = useState("");
  const [hostKey, setHostKey] = useState("");
  const [added, setAdded] = useState(/** @type {AddedHost | null} */ (null));
  const { busy, error, run } = useAct();
  /** @param {string} [agreed] */
  const add = (agreed) =>
    run("add", async () => {
      try {
        const host = await ask("/api/hosts", {
          name: name.trim(),
          requestedBy: ME,
          ...(kind === "ssh"
            ? { kind: "ssh", address: address.trim(), ...(agreed && { hostKey: agreed }) }
            : { kind: "dial" }),
        });
        onAdded();
        if (host.enrolment) setAdded(host);
        else onClose();
      } catch (refused) {
        const key = refused instanceof ApiError && !agreed && refused.facts.hostKey;
        if (!key) throw refused;
        setHostKey(String(key));
      }
    });
  useEffect(() => setHostKey(""), [kind, address]);
  if (added?.enrolment) return html`<${Enrolment} offer=${added.enrolment} onClose=${onClose} />`;
  if (hostKey)
    return html`<${Dialog} title=${`Is this ${address.trim()}?`} onClose=${onClose}>
      <div class="stack">
        <p>Nobody has accepted the key of this machine yet. Its fingerprint is</p>
        <${Code} text=${hostKey} label="Fingerprint" />
        <p>Compare it with what this prints on that machine:</p>
        <${Code} text="ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" label="Command" />
        <${Problem} error=${error} />
      </div>
      <div class="actions">
        <${Button} onClick=${onClose}>It differs<//>
        <${Button} kind="primary" busy=${busy === "add"} onClick=${() => add(hostKey)}>
          It is the same
        <//>
      </div>
    <//>`;
  return html`<${Dialog} title="Add a host" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        add();
      }}>
      <div class="field">
        <span class="label">How it is reached</span>
        <${Choice} label="How it is reached" value=${kind} onChange=${setKind}
          options=${[
            ["dial", "It dials out to here"],
            ["ssh", "Over ssh from here"],
          ]} />
        <p class="hint">
          ${
            kind === "dial"
              ? "A laptop, or a machine behind a router. You run one command on it."
              : "Nothing is installed there. ssh from the server has to work without a password."
          }
        </p>
      </div>
      <${Field} label="Name" hint="Small letters, digits and -, such as box-2.">
        <input required maxlength="32" spellcheck=${false} autocapitalize="off" autocomplete="off"
          value=${name}
          onInput=${(/** @type {any} */ e) => setName(e.currentTarget.value)} />
      <//>
      ${
        kind === "ssh" &&
        html`<${Field} label="Address"
          hint="A name of your ssh configuration, user@host, or user@host:port.">
          <input required maxlength="400" spellcheck=${false} autocapitalize="off"
            autocomplete="off" value=${address} placeholder="ada@box.example"
            onInput=${(/** @type {any} */ e) => setAddress(e.currentTarget.value)} />
        <//>`
      }
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy === "add"}
        disabled=${Boolean(busy) || !name.trim() || (kind === "ssh" && !address.trim())}>
        ${kind === "ssh" ? "Reach it and add it" : "Make a code for it"}
      <//>
    </form>
  <//>`;
};

/** @param {{host: ShownHost, onSaved: () => void, onClose: () => void}} props */
const Change = ({ host, onSaved, onClose }) => {
  const [labels, setLabels] = useState(host.labels.join(" "));
  const [most, setMost] = useState(host.maxSessions === null ? "" : String(host.maxSessions));
  const { busy, error, run } = useAct();
  const save = () =>
    run("save", async () => {
      await patch(`/api/hosts/${host.name}`, {
        labels: labels.split(/[\s,]+/).filter(Boolean),
        maxSessions: most === "" ? null : Number(most),
        requestedBy: ME,
      });
      onSaved();
      onClose();
    });
  return html`<${Dialog} title=${`Change ${host.name}`} onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        save();
      }}>
      <${Field} label="Labels" hint="Words by which a run can ask for it, such as gpu.">
        <input spellcheck=${false} autocapitalize="off" autocomplete="off" value=${labels}
          onInput=${(/** @type {any} */ e) => setLabels(e.currentTarget.value)} />
      <//>
      <${Field} label="Sessions at once"
        hint=${`No number for as many as the server lets work: ${host.slots} on all hosts.`}>
        <input type="number" min="1" max="1000" value=${most}
          onInput=${(/** @type {any} */ e) => setMost(e.currentTarget.value)} />
      <//>
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy} disabled=${Boolean(busy)}>
        Save
      <//>
    </form>
  <//>`;
};
