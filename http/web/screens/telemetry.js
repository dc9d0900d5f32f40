// @ts-check
// Telemetry: how many runs, how they ended, how long they took and what they used.
import { get } from "../api.js";
import { Ago, Choice, Empty, Head, Loading, useLoaded } from "../components/basics.js";
import { duration, number, Words } from "../format.js";
import { html, useState } from "../html.js";
import { useStore } from "../store.js";

export const Telemetry = () => {
  const version = useStore("sessions");
  const [window, setWindow] = useState("24h");
  const [summary, error] = useLoaded(() => get("/api/telemetry/summary", { window }), [window, version]);
  return html`<${Head} title="Telemetry"><${Choice} label="Window" value=${window} onChange=${setWindow} options=${[["24h", "24 h"], ["7d", "7 days"], ["30d", "30 days"]]} /><//>
    ${error ? html`<${Empty} icon="telemetry" title="Nothing to show"><p>${error.message}</p><//>` : !summary ? html`<${Loading} />` : html`<pre class="plain">${JSON.stringify(summary, null, 2)}</pre>`}`;
};

export { Ago, duration, number, Words };
