// The judging room: two texts, one choice, the next pair at once. Nothing here tells whose texts they are.
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { moment, t } from "../shared/language.js";
import { Notice } from "../shared/parts.jsx";
import { Problem, Text, Told, Waiting } from "./frame.jsx";
import { Judging } from "./judging.js";

const CHOICES = [
  { key: "1", winner: "A", degree: "decisive", dots: 3 },
  { key: "2", winner: "A", degree: "clear", dots: 2 },
  { key: "3", winner: "A", degree: "slight", dots: 1 },
  { key: "4", winner: "tie", degree: null, dots: 0 },
  { key: "5", winner: "B", degree: "slight", dots: 1 },
  { key: "6", winner: "B", degree: "clear", dots: 2 },
  { key: "7", winner: "B", degree: "decisive", dots: 3 },
];
const OTHER_KEYS = { a: CHOICES[1], b: CHOICES[5], e: CHOICES[3], "=": CHOICES[3] };

export function Judge({ id }) {
  const [, redraw] = useReducer((n) => n + 1, 0);
  const judging = useRef(null);
  const reason = useRef(null);
  const panes = [useRef(null), useRef(null)];
  const [isTogether, setTogether] = useState(false);
  useEffect(() => {
    judging.current = new Judging(id, redraw);
    return () => judging.current.stop();
  }, [id]);
  const state = judging.current;
  const decide = (choice) => {
    judging.current.decide(choice.winner, choice.degree, reason.current?.value.trim());
    if (reason.current) reason.current.value = "";
  };
  useEffect(() => {
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || ["TEXTAREA", "INPUT", "SELECT"].includes(event.target.tagName)) return;
      const pressed = event.key.toLowerCase();
      const choice = CHOICES.find((each) => each.key === pressed) ?? OTHER_KEYS[pressed];
      if (choice && !event.repeat) decide(choice);
      else if (pressed === "u") judging.current.undo();
      else if (pressed === "p") judging.current.pause(!judging.current.isPaused);
      else if (pressed === "s") setTogether((before) => !before);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [id]);
  const pair = state?.current;
  useEffect(() => {
    for (const pane of panes) if (pane.current) pane.current.scrollTop = 0;
    window.scrollTo({ top: 0 });
  }, [pair?.comparison_id]);
  const follow = (from, to) => () => {
    if (!isTogether || !panes[from].current || !panes[to].current) return;
    const [one, other] = [panes[from].current, panes[to].current];
    const share = one.scrollTop / Math.max(1, one.scrollHeight - one.clientHeight);
    const top = share * (other.scrollHeight - other.clientHeight);
    if (Math.abs(other.scrollTop - top) > 2) other.scrollTop = top;
  };
  if (!state) return <Waiting />;
  const nKept = state.outbox.length;
  return (
    <div class="judge">
      <h1 class="hidden">{t("judge.title")}</h1>
      <div class="judge-bar">
        <p role="status" aria-live="polite" class="counts">{t("judge.given", { n: state.counts.n_judged + nKept + (state.held ? 1 : 0) })}{!state.ended && ` · ${t("judge.left", { n: state.nLeft })}`}{state.isOffline && <strong class="offline"> · {t("judge.offline", { n: nKept })}</strong>}</p>
        {state.counts.judging_deadline && !state.ended && <p class={isNear(state.counts.judging_deadline) ? "detail near" : "detail"}>{t("judge.until", { when: moment(state.counts.judging_deadline) })}</p>}
        {pair && !state.isPaused && <label class="together"><input type="checkbox" checked={isTogether} onChange={(event) => setTogether(event.currentTarget.checked)} /> {t("judge.together")}</label>}
        <div class="tools">
          <button type="button" onClick={() => judging.current.undo()} disabled={!state.held}>{t("judge.undo")}</button>
          {pair && <button type="button" onClick={() => judging.current.pause(!state.isPaused)} aria-pressed={state.isPaused}>{t(state.isPaused ? "judge.resume" : "judge.pause")}</button>}
        </div>
      </div>
      <Problem error={state.error} />
      {state.lost && <Notice tone="warn"><p>{t("judge.lost")}</p><Told error={state.lost} /></Notice>}
      {state.ended && <Notice tone="good" title={t("judge.ended")}><p>{t("judge.endedLead")}</p></Notice>}
      {!pair && !state.ended && !state.error && <Notice><p>{t(state.isAsking ? "app.loading" : "judge.none")}</p></Notice>}
      {pair && state.isPaused && <Notice title={t("judge.paused")}><p>{t("judge.pausedLead")}</p><button type="button" class="primary" onClick={() => judging.current.pause(false)}>{t("judge.resume")}</button></Notice>}
      {pair && !state.isPaused && (
        <>
          <Task pair={pair} />
          <div class="pair">
            {[pair.essay_a, pair.essay_b].map((text, index) => (
              <section aria-labelledby={`text-${index}`}>
                <h2 id={`text-${index}`}>{t(index ? "judge.b" : "judge.a")}</h2>
                <div class="pane" ref={panes[index]} onScroll={follow(index, 1 - index)} tabIndex={0} role="region" aria-labelledby={`text-${index}`}><Text>{text}</Text></div>
              </section>
            ))}
          </div>
          <div class="choose">
            <div class="choices" role="group" aria-label={t("judge.question")}>
              <p class="ask">{t("judge.question")}</p>
              {CHOICES.map((each) => (
                <button type="button" key={each.key} class={`choice ${each.winner.toLowerCase()}`} onClick={() => decide(each)} aria-keyshortcuts={each.key} aria-label={describe(each)} title={`${describe(each)} (${each.key})`}>
                  <span class="letter" aria-hidden="true">{each.winner === "tie" ? "=" : each.winner}</span><span class="dots" aria-hidden="true">{"●".repeat(each.dots) || "○"}</span><span class="degree" aria-hidden="true">{t(`choice.${each.degree ?? "tie"}`)}</span>
                </button>
              ))}
            </div>
            <details class="why"><summary>{t("judge.addReason")}</summary><label><span>{t("judge.reason")}</span><textarea ref={reason} maxLength={500} rows={2} /></label></details>
            <p class="detail keys">{t("judge.keys")}</p>
          </div>
        </>
      )}
      {!pair && state.held && <p class="detail">{t("judge.undoStill")}</p>}
    </div>
  );
}

const LAST_DAY = 86400000;
const isNear = (deadline) => new Date(deadline) - Date.now() < LAST_DAY;

const describe = (choice) => (choice.winner === "tie" ? t("judge.tie") : t(`judge.${choice.degree}`, { letter: choice.winner }));

function Task({ pair }) {
  if (!pair.instructions && !pair.student_prompt && !pair.judge_rubric) return null;
  return (
    <details class="task">
      <summary>{t("judge.task")}</summary>
      {pair.instructions && <><h3>{t("judge.instructions")}</h3><Text>{pair.instructions}</Text></>}
      {pair.student_prompt && <><h3>{t("judge.prompt")}</h3><Text>{pair.student_prompt}</Text></>}
      {pair.judge_rubric && <><h3>{t("judge.rubric")}</h3><Text>{pair.judge_rubric}</Text></>}
    </details>
  );
}
