// @ts-check
// Codex's permission profiles, one of which holds a run's commands in the place of a sandbox.
import { get } from "../api.js";
import { html } from "../html.js";
import { PickOrWrite, useListed } from "./choices.js";

/**
 * Choose a profile; where Codex lists none, its name can be written.
 * @param {{chosen: string | null | undefined, host: string | undefined, repositoryId?: number,
 *   otherwise: string, onPick: (value: string) => void}} props
 */
export const Profile = ({ chosen, host, repositoryId, otherwise, onPick }) => {
  const profiles = useListed(
    async () =>
      (await get("/api/codex/extensions", { host: host ?? "local", repositoryId })).profiles,
    [host, repositoryId],
  );
  const allowed = profiles && profiles.filter(({ isAllowed }) => isAllowed);
  const hint = "One of Codex's, as Tools lists them. It may give no more than the run may have.";
  const told = profiles?.find(({ id }) => id === chosen)?.description;
  return html`<${PickOrWrite} label="Permission profile" hint=${told || hint} value=${chosen}
    otherwise=${otherwise} onPick=${onPick}
    options=${allowed && allowed.map(({ id }) => [id, id])} />`;
};
