// @ts-check
// What an approval asks for beside a yes or a no: answers to questions, and the fields of a form.
import { Words } from "../format.js";
import { html, useLayoutEffect, useState } from "../html.js";
import { Field } from "./basics.js";

/** @import { Approval } from "../openapi.js" */
/** @typedef {Record<string, any>} Answers By question, or by field. */

/** @param {any} field */
const isNumber = (field) => field.type === "number" || field.type === "integer";

/**
 * What is given, as the form wants it: its defaults where nothing is, no for a box that was left
 * alone, numbers as such, and none where a field is empty.
 * @param {Approval} approval
 * @param {Answers} given
 */
function answersTo(approval, given) {
  const answers = { ...given };
  for (const [key, field] of Object.entries(
    /** @type {Record<string, any>} */ (approval.details.schema?.properties || {}),
  )) {
    const answer = given[key] ?? field.default ?? (field.type === "boolean" ? false : "");
    answers[key] = answer === "" ? undefined : isNumber(field) ? Number(answer) : answer;
  }
  return answers;
}

/** @param {Approval} approval @param {Answers} given */
function isAnswered(approval, given) {
  const { questions = [], schema } = approval.details;
  const answers = answersTo(approval, given);
  const wanted = questions.length
    ? questions.map((/** @type {any} */ q) => q.id)
    : schema?.required || [];
  return wanted.every(
    (/** @type {string} */ key) => answers[key] !== undefined && answers[key] !== "",
  );
}

/**
 * The fields of an approval that wants words. `onAnswer` is given the answers, as they are to be
 * sent, once nothing is missing, and null before.
 * @param {{approval: Approval, onAnswer: (answers: Answers | null) => void}} props
 */
export const Questions = ({ approval, onAnswer }) => {
  const [answers, setAnswers] = useState(/** @type {Answers} */ ({}));
  useLayoutEffect(() => {
    onAnswer(isAnswered(approval, answers) ? answersTo(approval, answers) : null);
  }, [answers]);
  /** @param {string} key @param {any} value */
  const set = (key, value) => setAnswers({ ...answers, [key]: value });
  const asked = approval.details.questions || [];
  if (asked.length)
    return asked.map(
      (/** @type {any} */ q) => html`<fieldset key=${q.id}>
        <legend class=${asked.length === 1 ? "visually-hidden" : ""}>${q.question}</legend>
        ${q.options.map(
          (/** @type {any} */ o) => html`<label class="option">
            <input type="radio" name=${`${approval.id}-${q.id}`}
              checked=${answers[q.id] === o.label} onChange=${() => set(q.id, o.label)} />
            <span>
              <b>${o.label}</b>
              ${o.description && html`<span class="hint">${o.description}</span>`}
            </span>
          </label>`,
        )}
        ${
          q.freeText &&
          html`<input type=${q.secret ? "password" : "text"}
            aria-label=${q.options.length ? `Another answer: ${q.question}` : q.question}
            placeholder=${q.options.length ? "Something else" : "Your answer"} autocomplete="off"
            value=${
              q.options.some((/** @type {any} */ o) => o.label === answers[q.id])
                ? ""
                : (answers[q.id] ?? "")
            } onInput=${(/** @type {any} */ e) => set(q.id, e.currentTarget.value)} />`
        }
      </fieldset>`,
    );
  const { properties, required } = approval.details.schema || {};
  return Object.entries(properties || {}).map(
    ([key, field]) => html`
      <${SchemaField} key=${key} name=${key} field=${field} required=${required?.includes(key)}
        value=${answers[key]} onChange=${(/** @type {any} */ value) => set(key, value)} />
    `,
  );
};

/**
 * What a field of a form is one of, or some of, each with its name.
 * @param {any} field
 * @returns {[string, string][]}
 */
const optionsOf = ({ enum: values, enumNames, oneOf, anyOf }) =>
  values
    ? values.map((/** @type {string} */ value, /** @type {number} */ at) => [
        value,
        enumNames?.[at] ?? value,
      ])
    : (oneOf || anyOf || []).map((/** @type {any} */ option) => [
        option.const,
        option.title ?? option.const,
      ]);

/** @type {Record<string, string>} */
const INPUTS = { email: "email", uri: "url", date: "date" }; // by the format of a text

/** A field of the kinds that MCP's forms have. @param {any} props */
const SchemaField = ({ name, field, required, value, onChange }) => {
  const { type, description } = field;
  const isOptional = !required && type !== "boolean";
  const label = `${field.title || Words(name)}${isOptional ? " (optional)" : ""}`;
  const now = value ?? field.default;
  /** @param {any} e */
  const typed = (e) => onChange(e.currentTarget.value);
  if (type === "boolean")
    return html`<label class="option">
      <input type="checkbox" checked=${Boolean(now)}
        onChange=${(/** @type {any} */ e) => onChange(e.currentTarget.checked)} />
      <span><b>${label}</b>${description && html`<span class="hint">${description}</span>`}</span>
    </label>`;
  if (type === "array")
    return html`<fieldset>
      <legend>${label}</legend>
      ${description && html`<div class="hint">${description}</div>`}
      ${optionsOf(field.items || {}).map(
        ([key, text], _, all) => html`<label class="option" key=${key}>
          <input type="checkbox" checked=${now?.includes(key)}
            onChange=${(/** @type {any} */ e) =>
              onChange(
                all
                  .map(([each]) => each)
                  .filter((each) => (each === key ? e.currentTarget.checked : now?.includes(each))),
              )} />
          <span><b>${text}</b></span>
        </label>`,
      )}
    </fieldset>`;
  const options = optionsOf(field);
  return html`<${Field} label=${label} hint=${description}>
    ${
      options.length
        ? html`<select value=${now ?? ""} onChange=${typed}>
          <option value="" disabled=${required}>${required ? "Choose…" : "None"}</option>
          ${options.map(([key, text]) => html`<option value=${key}>${text}</option>`)}
        </select>`
        : html`<input type=${isNumber(field) ? "number" : INPUTS[field.format] || "text"}
          value=${now ?? ""} onInput=${typed} />`
    }
  <//>`;
};
