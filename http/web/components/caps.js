// @ts-check
// Caps of what runs may use in a day: of one repository, or of all, with the price table.
/** @import { Caps as Capped, Price, Spending } from "../openapi.js" */
import { get, ME, patch } from "../api.js";
import { number } from "../format.js";
import { html, useState } from "../html.js";
import { useStore } from "../store.js";
import { Button, Choice, Field, Loading, Problem, useAct, useLoaded } from "./basics.js";

/** What money is in a sentence. @param {number} cost @param {string} currency */
const money = (cost, currency) => `${cost.toFixed(2)} ${currency}`;

/**
 * The fields of caps; they are kept when they are sent.
 * @param {{caps: Capped, onSave: (caps: Capped) => Promise<void>}} props
 */
export const Caps = ({ caps, onSave }) => {
  const [changed, setChanged] = useState(/** @type {Capped | null} */ (null));
  const { busy, error, run } = useAct();
  const shown = changed || caps;
  /** @param {keyof Capped} name */
  const set = (name) => (/** @type {any} */ e) =>
    setChanged({ ...shown, [name]: e.currentTarget.value ? Number(e.currentTarget.value) : null });
  /** @param {SubmitEvent} e */
  const save = (e) => {
    e.preventDefault();
    run("save", async () => {
      await onSave(shown);
      setChanged(null);
    });
  };
  return html`<form class="stack" onSubmit=${save}>
    <div class="two">
      <${Field} label="Tokens a day">
        <input type="number" min="1" step="1" value=${shown.dailyTokens ?? ""} placeholder="any"
          onInput=${set("dailyTokens")} />
      <//>
      <${Field} label="Cost a day">
        <input type="number" min="0.01" step="0.01" value=${shown.dailyCost ?? ""}
          placeholder="any" onInput=${set("dailyCost")} />
      <//>
    </div>
    <${Field} label="Share of the plan, in percent"
      hint="No run begins once more of any window is used.">
      <input type="number" min="1" max="100" step="1" value=${shown.windowPercent ?? ""}
        placeholder="any" onInput=${set("windowPercent")} />
    <//>
    <div class="field">
      <span class="label">Runs that work then</span>
      <${Choice} label="Runs that work then" value=${shown.over || "interrupt"}
        onChange=${(/** @type {any} */ over) => setChanged({ ...shown, over })}
        options=${[
          ["interrupt", "Are interrupted"],
          ["warn", "Go on"],
        ]} />
    </div>
    <${Problem} error=${error} />
    ${
      changed &&
      html`<div class="actions">
        <${Button} onClick=${() => setChanged(null)}>Leave it<//>
        <${Button} kind="primary" type="submit" busy=${busy}>Keep<//>
      </div>`
    }
  </form>`;
};

/** The caps of all repositories, what is used today, and the prices. */
export const SpendingCard = () => {
  const [spending, error, again] = useLoaded(() => get("/api/spending"), [], useStore("limits"));
  if (!spending) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  const save = async (/** @type {Partial<Spending>} */ changes) => {
    await patch("/api/spending", {
      caps: changes.caps,
      prices: changes.prices,
      requestedBy: ME,
    });
    again();
  };
  const { today, currency } = spending;
  return html`
    <section class="card stack" aria-labelledby="caps">
      <h2 id="caps" class="section">Caps of all repositories</h2>
      <p class="quiet-line">
        Today: ${number(today.tokens)} tokens, ${money(today.cost, currency)}.
      </p>
      ${
        today.unpriced.length > 0 &&
        html`<p class="hint">Without a price: ${today.unpriced.join(", ")}</p>`
      }
      <${Caps} caps=${spending.caps} onSave=${(/** @type {Capped} */ caps) => save({ caps })} />
    </section>
    <section class="card stack" aria-labelledby="prices">
      <h2 id="prices" class="section">Prices of a million tokens, in ${currency}</h2>
      <${Prices} prices=${spending.prices}
        onSave=${(/** @type {Price[]} */ prices) => save({ prices })} />
    </section>
  `;
};

const EMPTY = { model: "", input: 0, cachedInput: 0, output: 0 };

/** @param {{prices: Price[], onSave: (prices: Price[]) => Promise<void>}} props */
const Prices = ({ prices, onSave }) => {
  const [changed, setChanged] = useState(/** @type {Price[] | null} */ (null));
  const { busy, error, run } = useAct();
  const shown = changed || prices;
  /** @param {number} at @param {Partial<Price>} part */
  const set = (at, part) =>
    setChanged(shown.map((price, n) => (n === at ? { ...price, ...part } : price)));
  /** @param {SubmitEvent} e */
  const save = (e) => {
    e.preventDefault();
    run("save", async () => {
      await onSave(shown);
      setChanged(null);
    });
  };
  return html`<form class="stack" onSubmit=${save}>
    ${
      shown.length === 0 &&
      html`<p class="hint">None yet: a cap of the cost needs the prices of your models.</p>`
    }
    ${shown.map(
      (price, at) => html`<fieldset class="stack">
        <${Field} label="Model" hint="A name, or its beginning and a *.">
          <input required value=${price.model} autocomplete="off" spellcheck=${false}
            onInput=${(/** @type {any} */ e) => set(at, { model: e.currentTarget.value.trim() })} />
        <//>
        <div class="two">
          ${
            /** @type {const} */ ([
              ["input", "Input"],
              ["cachedInput", "Cached input"],
              ["output", "Output"],
            ]).map(
              ([name, label]) => html`<${Field} label=${label}>
                <input type="number" min="0" step="any" required value=${price[name]}
                  onInput=${(/** @type {any} */ e) =>
                    set(at, { [name]: Number(e.currentTarget.value) })} />
              <//>`,
            )
          }
        </div>
        <button type="button" class="link bad"
          onClick=${() => setChanged(shown.filter((_, n) => n !== at))}>
          Take ${price.model || "it"} away
        </button>
      </fieldset>`,
    )}
    <${Problem} error=${error} />
    <div class="actions">
      <${Button} icon="plus" onClick=${() => setChanged([...shown, EMPTY])}>Add a price<//>
      ${changed && html`<${Button} kind="primary" type="submit" busy=${busy}>Keep<//>`}
    </div>
  </form>`;
};
