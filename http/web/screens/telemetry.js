// @ts-check
// Telemetry: how many runs, how they ended, how long they took and what they used.
/** @import { Summary } from "../openapi.js" */
import { ApiError, get } from "../api.js";
import { Choice, Empty, Head, Loading, Problem, useLoaded } from "../components/basics.js";
import { Chart, colour } from "../components/chart.js";
import { clock, day, dayAndTime, duration, number, plural, wallDay, Words } from "../format.js";
import { html } from "../html.js";
import { useParam } from "../router.js";
import { sheet } from "../sheets.js";
import { listed, loadOlder, reachOf, state, useStore } from "../store.js";

sheet("./styles/telemetry.css");

const MOST_RUNS = 2000; // in the chart of durations
const MOST_ROWS = 200; // in its table, the newest
const WINDOWS = { "24h": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400 };
/** @type {[string, string][]} */
const OUTCOMES = [
  ["completed", "good"],
  ["failed", "bad"],
  ["interrupted", "warn"],
  ["stopped", "text-soft"],
];

export const Telemetry = () => {
  const version = useStore("sessions", "approvals", "repos");
  const [chosen, setSpan] = useParam("window", "7d");
  const span = /** @type {keyof typeof WINDOWS} */ (chosen in WINDOWS ? chosen : "7d");
  const [place, setPlace] = useParam("repo");
  const repositoryId = Number(place) || null;
  const [summary, error] = useLoaded(
    () => get("/api/telemetry/summary", { window: span, repositoryId }),
    [span, repositoryId],
    version,
  );
  const isOfAnother = error && summary?.repositoryId !== repositoryId;
  return html`
    <${Head} title="Telemetry"
      note=${summary && `${plural(summary.events.count, "event")} in this time`}>
      ${
        (state.repos.size > 1 || place) &&
        html`<select aria-label="Repository" value=${place}
          onChange=${(/** @type {any} */ e) => setPlace(e.currentTarget.value)}>
          <option value="">All repositories</option>
          ${[...state.repos.values()].map(
            (repo) => html`
              <option value=${String(repo.id)}>${repo.name}</option>
            `,
          )}
        </select>`
      }
      <${Choice} label="Window" value=${span} onChange=${setSpan}
        options=${[
          ["24h", "24 h"],
          ["7d", "7 days"],
          ["30d", "30 days"],
        ]} />
    <//>
    <${Problem} error=${error} />
    ${
      !summary || isOfAnother
        ? !error && html`<${Loading} />`
        : !state.sessions.size
          ? html`<${Empty} icon="telemetry" title="No run to count yet"
            curl=${`curl '${location.origin}/api/telemetry/summary?window=7d'`}>
            <p>Runs, outcomes, durations and tokens are counted here.</p>
          <//>`
          : html`<${Numbers} summary=${summary} /><${Charts} summary=${summary} span=${span} />`
    }
  `;
};

/** @param {{summary: Summary}} props */
const Numbers = ({ summary: { sessions, approvals, tokens, automations, runtime } }) => html`
  <dl class="tiles">
    <${Tile} name="Succeeded"
      value=${sessions.successRate === null ? "–" : `${Math.round(100 * sessions.successRate)} %`}
      note=${plural(total(sessions.outcomes), "run ended", "runs ended")} />
    <${Tile} name="At work" value=${sessions.active} note=${`${sessions.waiting} waiting`} />
    <${Tile} name="Median run"
      value=${sessions.durationSeconds.p50 === null ? "–" : rounded(sessions.durationSeconds.p50)}
      note=${
        sessions.durationSeconds.p95 === null
          ? ""
          : `95 % within ${rounded(sessions.durationSeconds.p95)}`
      } />
    <${Tile} name="Tokens" value=${number(tokens.total)}
      note=${plural(tokens.byRepository.length, "repository", "repositories")} />
    <${Tile} name="Approvals" value=${approvals.pending}
      note=${`open · ${total(approvals.settled)} settled`} />
    <${Tile} name="Automations" value=${automations.enabled}
      note=${automations.paused ? `${automations.paused} paused` : "enabled"} />
    <${Tile} name="Runtime" value=${Words(runtime.status)}
      note=${`${plural(runtime.actors, "actor")}, ${plural(runtime.restarts, "restart")}`} />
  </dl>
`;

/** Days under a chart, or hours where it is of one day. @param {string} span */
const xAxis = (span) => ({
  incrs:
    span === "24h" ? [3600, 3 * 3600, 6 * 3600] : [1, 2, 5, 7, 14].map((days) => days * 86_400),
  space: 64,
  values: (/** @type {any} */ _, /** @type {number[]} */ ticks) =>
    ticks.map((at) => (span === "24h" ? clock : day)(new Date(at * 1000))),
});

/** A duration to the minute, where it has some. @param {number} seconds */
const rounded = (seconds) => duration(seconds < 120 ? seconds : 60 * Math.round(seconds / 60));

/** @param {Record<string, number>} counts */
const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** @param {{name: string, value: string | number, note: string}} props */
const Tile = ({ name, value, note }) =>
  html`<div class="tile"><dt>${name}</dt><dd>${value}<span class="hint">${note}</span></dd></div>`;

/**
 * The runs that ended since then, oldest first, of all or of a repository; whether there were more;
 * and what kept them away. Those that are not here yet are asked for, a page at a time.
 * @param {number} since
 * @param {string} span
 * @param {number | null} repositoryId
 * @returns {[{at: number, minutes: number, status: string}[], boolean, ApiError | null]}
 */
function useEnded(since, span, repositoryId) {
  const filter = { repositoryId };
  const { rows } = listed(
    "sessions",
    filter,
    (run) => run.repositoryId === (repositoryId ?? run.repositoryId),
  );
  const { at, cursor } = reachOf("sessions", filter);
  const isBehind = Date.parse(at || "") / 1000 > since;
  const isFull = rows.length >= MOST_RUNS;
  const [, error] = useLoaded(async () => {
    if (isBehind && !isFull) await loadOlder("sessions", filter);
  }, [span, repositoryId, cursor]);
  const runs = rows.slice(0, MOST_RUNS).flatMap(({ status, startedAt, finishedAt }) => {
    const at = Date.parse(finishedAt || "") / 1000;
    return startedAt && at >= since
      ? [{ at, minutes: (at - Date.parse(startedAt) / 1000) / 60, status }]
      : [];
  });
  return [runs.sort((a, b) => a.at - b.at), isBehind && isFull, error];
}

/** @param {{summary: Summary, span: keyof typeof WINDOWS}} props */
const Charts = ({ summary, span }) => {
  const until = Date.parse(summary.until) / 1000;
  const since = until - WINDOWS[span];
  const [ended, isCut, failed] = useEnded(since, span, summary.repositoryId);
  const times = ended.map((run) => run.at);
  const took = (/** @type {string} */ status) =>
    ended.map((run) => (run.status === status ? run.minutes : null));
  const days = summary.tokens.byDay;
  const key = `${span} ${summary.repositoryId} ${ended.length} ${summary.tokens.total}`;
  const most = Math.max(1, ...summary.tokens.byRepository.map((r) => r.tokens));
  return html`<div class="columns charts">
    <section class="card" aria-labelledby="took">
      <h2 id="took" class="section">Runs, by the minutes they took</h2>
      ${isCut && html`<p class="hint">The newest ${MOST_RUNS.toLocaleString()} of them.</p>`}
      <${Problem} error=${failed} />
      ${
        ended.length
          ? html`
            <${Chart} height=${240} label=${`${ended.length} runs by their duration in minutes`}
              table=${{
                head: ["Ended", "Took", "Outcome"],
                rows: () =>
                  ended
                    .slice()
                    .reverse()
                    .slice(0, MOST_ROWS)
                    .map(({ at, minutes, status }) => [
                      dayAndTime(new Date(at * 1000).toISOString()),
                      rounded(minutes * 60),
                      Words(status),
                    ]),
              }}
              inputs=${[key]} data=${[times, ...OUTCOMES.map(([status]) => took(status))]}
              options=${() => ({
                axes: [xAxis(span)],
                scales: {
                  x: { range: [since, until] },
                  y: {
                    range: (
                      /** @type {any} */ _,
                      /** @type {number} */ low,
                      /** @type {number} */ high,
                    ) => [0, Math.max(1, high * 1.15)],
                  },
                },
                series: [
                  {},
                  ...OUTCOMES.map(([, tone]) => ({
                    paths: () => null,
                    points: { show: true, size: 9, fill: colour(tone), stroke: colour(tone) },
                  })),
                ],
              })} />
          `
          : html`<p class="quiet-line">None ended in this time.</p>`
      }
      <ul class="legend">
        ${OUTCOMES.map(
          ([status, tone]) => html`<li data-tone=${tone}>
            <i class="dot"></i>
            ${Words(status)} <b>${summary.sessions.outcomes[status] ?? 0}</b>
          </li>`,
        )}
      </ul>
    </section>
    <section class="card" aria-labelledby="used">
      <h2 id="used" class="section">Tokens, by day</h2>
      ${
        days.length
          ? html`<${Chart} label=${`Tokens on ${days.length} days`} inputs=${[key]}
            table=${{
              head: ["Day", "Tokens"],
              rows: () =>
                days
                  .slice()
                  .reverse()
                  .map(({ day, tokens }) => [
                    html`<time datetime=${day}>${wallDay(day)}</time>`,
                    tokens.toLocaleString(),
                  ]),
            }}
            data=${[days.map((d) => Date.parse(d.day) / 1000), days.map((d) => d.tokens)]}
            options=${(/** @type {any} */ uPlot) => ({
              scales: {
                x: {
                  range: [Math.min(since, Date.parse(days[0].day) / 1000) - 43_200, until + 43_200],
                },
                y: {
                  range: (
                    /** @type {any} */ _,
                    /** @type {number} */ low,
                    /** @type {number} */ high,
                  ) => [0, high * 1.15 || 1],
                },
              },
              axes: [
                xAxis(span),
                {
                  values: (/** @type {any} */ _, /** @type {number[]} */ ticks) =>
                    ticks.map(number),
                },
              ],
              series: [
                {},
                {
                  paths: uPlot.paths.bars({ size: [0.6, 40], radius: 0.2 }),
                  fill: colour("accent"),
                  stroke: colour("accent"),
                  points: { show: false },
                },
              ],
            })} />`
          : html`<p class="quiet-line">None were used in this time.</p>`
      }
      <ul class="bars">
        ${summary.tokens.byRepository.map(
          (r) => html`<li>
            <a href=${`#/repos/${r.repositoryId}`}>${r.name}</a>
            <meter
              min="0"
              max=${most}
              value=${r.tokens}
              aria-label=${`Tokens of ${r.name}`}></meter>
            <b>${number(r.tokens)}</b>
          </li>`,
        )}
      </ul>
    </section>
  </div>`;
};
