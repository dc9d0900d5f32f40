// @ts-check
// Codex's permission profiles, one of which holds a run's commands in the place of a sandbox.
import { get } from "../api.js";
import { html } from "../html.js";
import { Field, useLoaded } from "./basics.js";
import { Pick } from "./choices.js";

/**
 * Choose a profile; where Codex lists none, its name can be written.
 * @param {{chosen: string | null | undefined, host: string | undefined, repositoryId?: number,
 *   otherwise: string, onPick: (value: string) => void}} props
 */
export const Profile = ({ chosen, host, repositoryId, otherwise, onPick }) => {
  const [profiles] = useLoaded(
    () =>
      get("/api/codex/extensions", { host: host ?? "local", repositoryId }).then(
        (found) => found.profiles,
        () => [],
      ),
    [host, repositoryId],
  );
  const hint = "One of Codex's, as Tools lists them. It may give no more than the run may have.";
  if (!profiles?.length)
    return html`<${Field} label="Permission profile" hint=${hint}>
      <input value=${chosen || ""} placeholder=${otherwise} autocomplete="off"
        autocapitalize="none"
        onInput=${(/** @type {any} */ e) => onPick(e.currentTarget.value.trim())} />
    <//>`;
  const ids = new Set(profiles.filter(({ isAllowed }) => isAllowed).map(({ id }) => id));
  if (chosen) ids.add(chosen); // also one that Codex lists no more
  const told = profiles.find(({ id }) => id === chosen)?.description;
  return html`<${Pick} label="Permission profile" hint=${told || hint} value=${chosen}
    otherwise=${otherwise} onPick=${onPick} options=${[...ids].map((id) => [id, id])} />`;
};
