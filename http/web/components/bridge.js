// @ts-check
// Whether Codex can work on this machine: one line on every screen, and known to all of them.
import { get } from "../api.js";
import { clock } from "../format.js";
import { html, useEffect } from "../html.js";
import { ACTIVE, changed, state, useStore } from "../store.js";
import { Badge, useLoaded } from "./basics.js";

/** @import { Session, ShownHost } from "../openapi.js" */
/** @import { Codex } from "../store.js" */

/** Ask what Codex's state is, once all else is known, and with each event that tells of it. */
export const BridgeWatch = () => {
  const [told] = useLoaded(ask, [], useStore("runtime", "account", "limits"));
  useEffect(() => {
    if (!told) return; // until then it is as it was before the connection was lost
    state.codex = told;
    changed("codex");
  }, [told]);
  return null;
};

/** @returns {Promise<Codex>} */
async function ask() {
  const bridge = await get("/api/codex/bridge/health");
  if (bridge.status !== "connected") return { bridge, account: null, limits: null };
  const account = await get("/api/codex/account").catch(() => null);
  const hasLimits = account?.status === "signed_in" && account.kind === "chatgpt";
  const limits = hasLimits ? await get("/api/codex/limits").catch(() => null) : null;
  return { bridge, account, limits };
}

/**
 * Its tone, its words, and where one does something about it.
 * @param {Codex | null} codex @returns {[string, string, string] | null}
 */
export function stateOf(codex) {
  if (!codex) return null;
  const { bridge, account, limits } = codex;
  if (bridge.status === "disabled") return ["plain", "No Codex: a stub plays", "/account"];
  if (bridge.status !== "connected") return ["bad", "Codex is away", "/runtime?show=doctor"];
  if (account?.status === "signed_out") return ["bad", "Codex: signed out", "/account?signin=yes"];
  const until = limits?.heldUntil;
  if (limits?.heldSince)
    return ["warn", until ? `Limit resets ${clock(new Date(until))}` : "Limit reached", "/account"];
  return ["good", bridge.version ? `Codex ${bridge.version}` : "Codex", "/account"];
}

/** Offline nothing is known of it. */
export const Bridge = () => {
  useStore("codex", "connection");
  const shown = state.phase === "live" && stateOf(state.codex);
  if (!shown) return null;
  const [tone, text, where] = shown;
  return html`<div class="bridge" data-tone=${tone}>
    <a href=${`#${where}`}><i class="dot"></i>${text}</a>
  </div>`;
};

/**
 * Why nothing of a session can go on where it works; "" where it can, as far as is known.
 * @param {Session} session @param {ShownHost} [host]
 */
export function unable(session, host) {
  if (!ACTIVE.has(session.status) || session.runner !== "app-server") return "";
  if (session.host === "local")
    return state.codex && state.codex.bridge.status !== "connected" ? "Codex is away" : "";
  const isAway = host && (host.link === "away" || host.link === "refused");
  return isAway || host?.status === "unavailable" ? `${session.host} is away` : "";
}

/** Never that it runs while nothing can. @param {{session: Session}} props */
export const StatusOf = ({ session }) => {
  useStore("codex");
  const away = unable(session);
  return html`<${Badge} status=${away ? "unavailable" : session.status} text=${away} />`;
};
