// @ts-check
// A search over the rows of a list that is here as a whole.
import { html } from "../html.js";
import { useParam } from "../router.js";
import { Icon } from "./icon.js";

/**
 * The box in which one writes what is looked for in a list.
 * @param {{label: string, value: string, onChange: (value: string) => void}} props
 */
export const SearchField = ({ label, value, onChange }) => html`<label class="search">
  <${Icon} name="search" size=${18} />
  <span class="visually-hidden">${label}</span>
  <input type="search" placeholder="Search" data-search maxlength="500" value=${value}
    onInput=${(/** @type {any} */ e) => onChange(e.currentTarget.value)} />
</label>`;

const MANY = 8; // rows that one looks through without a search

/**
 * Return the rows that have all of the words that are looked for, and the box to write these,
 * where there are many.
 * @template R @param {R[]} rows @param {(row: R) => string} textOf @param {string} label
 * @returns {[R[], any]}
 */
export function useFilter(rows, textOf, label) {
  const [text, setText] = useParam("q");
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fit = rows.filter((row) => {
    const told = textOf(row).toLowerCase();
    return words.every((word) => told.includes(word));
  });
  const box =
    (rows.length > MANY || text) &&
    html`<div class="filters">
      <${SearchField} label=${label} value=${text} onChange=${setText} />
      <span class="hint" role="status">
        ${words.length > 0 && `${fit.length} of ${rows.length}`}
      </span>
    </div>`;
  return [fit, box];
}
