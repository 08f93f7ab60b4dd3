// One essay: its text, what it beat and lost to and why, what would change its grade, and the decision.
import { useMemo, useState } from "preact/hooks";
import { decimal, moment, percent, range, signed, t, tOr, whole } from "../shared/language.js";
import { batchPath, call, essayPath, get, listComparisons } from "../shared/api.js";
import { Name, Notice, Section, Table, Tiles, useLoaded } from "../shared/parts.jsx";
import { Seen, describeSet } from "../result/essays.jsx";
import { findNeighbours, nameJudge, nearestBoundary, readBoundaries, readEssays } from "../result/model.js";
import { listOutcomes } from "../result/comparisons.js";
import { Problem, Text, Waiting } from "./frame.jsx";
import { useCompleted } from "./batch.jsx";
import { ReadOn } from "./comparisons.jsx";

export function Essay({ id, essayId }) {
  const completed = useCompleted(id);
  const text = useLoaded(() => get(essayPath(id, essayId)), [id, essayId]);
  const essays = useMemo(() => (completed.value ? readEssays(completed.value.result, completed.value.attention) : []), [completed.value]);
  if (!completed.value) return completed.error ? <Problem error={completed.error} onRetry={completed.reload} /> : <Waiting />;
  const essay = essays.find((each) => each.id === essayId);
  const { result } = completed.value;
  const grades = result.grade_projections.grade_scale ?? [];
  const position = essays.findIndex((each) => each.id === essayId);
  return (
    <>
      <p class="back no-print"><a href={`#/batch/${id}`}>← {t("essayRoom.back")}</a></p>
      <div class="top">
        <div><p class="kicker">{essay?.isAnchor ? t("anchor") : t("essay")}</p><h1><Name>{essay?.name ?? essayId}</Name></h1></div>
        <div class="tools no-print">
          {position > 0 && <a class="button" href={`#/batch/${id}/essay/${encodeURIComponent(essays[position - 1].id)}`}>{t("essayRoom.previous")}</a>}
          {position >= 0 && position < essays.length - 1 && <a class="button" href={`#/batch/${id}/essay/${encodeURIComponent(essays[position + 1].id)}`}>{t("essayRoom.next")}</a>}
          {essay && !essay.isAnchor && <a class="button" href={`#/batch/${id}/sheet/${encodeURIComponent(essayId)}`}>{t("sheet.title")}</a>}
        </div>
      </div>
      {essay && <Figures essay={essay} grades={grades} />}
      <div class="columns">
        <section aria-labelledby="text-title"><h2 id="text-title">{t("essayRoom.text")}</h2>{text.value ? <div class="pane paper" tabIndex={0} role="region" aria-labelledby="text-title"><Text>{text.value.text}</Text></div> : text.error ? <Problem error={text.error} onRetry={text.reload} /> : <Waiting />}</section>
        <div>
          {essay && !essay.isAnchor && grades.length > 0 && <Decide id={id} essay={essay} grades={grades} next={findOpen(essays, completed.value.decisions, essayId)} />}
          {essay && <Change essay={essay} result={result} essays={essays} id={id} />}
        </div>
      </div>
      {(completed.read.isWhole || completed.read.comparisons.length > 0) && <Judgements essayId={essayId} comparisons={completed.read.comparisons} essays={essays} id={id} judgeNames={completed.value.judgeNames} />}
      <ReadOn read={completed.read} total={result.comparisons.planned} />
    </>
  );
}

function Figures({ essay, grades }) {
  return (
    <>
      <Tiles entries={[
        { label: t("grade"), value: essay.grade ?? essay.anchorGrade ?? "–", note: essay.grade && t("essayRoom.proposed") },
        essay.probabilities && { label: t("column.probability"), value: percent(essay.probabilities[essay.grade] ?? 0), note: essay.set.length > 1 ? t("column.set", { grades: describeSet(essay.set, grades) }) : null },
        { label: t("column.rank"), value: essay.rank === null ? "–" : whole(essay.rank), note: essay.rankInterval && range(essay.rankInterval, whole) },
        { label: t("column.comparisons"), value: whole(essay.nComparisons) },
      ]} />
      {essay.causes.length > 0 && <Notice tone="warn" title={t("column.attention")}><ul>{essay.causes.map((each) => <li>{tOr(`cause.${each.reason}`, each.reason)}: <Seen cause={each} grades={grades} /></li>)}</ul></Notice>}
    </>
  );
}

/** How far the next boundary is, and what would change the grade. */
function Change({ essay, result, essays, id }) {
  const boundary = nearestBoundary(essay, readBoundaries(result));
  const neighbours = findNeighbours(essay, essays);
  const others = essay.probabilities && essay.grade ? Object.entries(essay.probabilities).filter(([grade, share]) => grade !== essay.grade && share >= 0.05).sort((left, right) => right[1] - left[1]) : [];
  return (
    <Section id="change" title={t("change.title")}>
      {boundary && <p>{t(boundary.distance > 0 ? "change.below" : "change.above", { boundary: `${boundary.low} | ${boundary.high}`, distance: decimal(Math.abs(boundary.distance)), spread: decimal(boundary.spread) })} {t(Math.abs(boundary.distance) < boundary.spread ? "change.near" : "change.far")}</p>}
      {others.length > 0 && <p>{t("change.others", { list: others.map(([grade, share]) => `${grade} ${percent(share)}`).join(", ") })}</p>}
      {essay.further ? <p>{t("change.further", { n: essay.further })}</p> : null}
      {neighbours.length > 0 && <Table columns={[
        { label: t("change.neighbour"), value: (each) => (each.isAnchor ? <>{each.name} <span class="badge">{t("anchor")}</span></> : <a href={`#/batch/${id}/essay/${encodeURIComponent(each.id)}`}><Name>{each.name}</Name></a>) }, { label: t("grade"), value: (each) => each.grade ?? each.anchorGrade ?? "–" },
        { label: t("change.difference"), value: (each) => signed(each.ability - essay.ability), isNumber: true },
      ]} rows={neighbours} caption={t("change.neighbours")} />}
    </Section>
  );
}

function Judgements({ essayId, comparisons, essays, id, judgeNames }) {
  const names = new Map(essays.map((each) => [each.id, each]));
  const rows = listOutcomes(essayId, comparisons);
  const count = (outcome) => rows.filter((each) => each.outcome === outcome).length;
  return (
    <Section id="judgements" title={t("judgements.title")} lead={t("judgements.lead", { won: whole(count("won")), lost: whole(count("lost")), tied: whole(count("tie")) })}>
      {rows.length > 0 && <Table columns={[
        { label: t("judgements.other"), value: (each) => { const other = names.get(each.other); return other?.isAnchor ? <>{other.name} <span class="badge">{t("anchor")} {other.anchorGrade}</span></> : <a href={`#/batch/${id}/essay/${encodeURIComponent(each.other)}`}><Name>{other?.name ?? each.other}</Name></a>; } },
        { label: t("judgements.outcome"), value: (each) => <>{t(`judgements.${each.outcome}`)}{each.degree && <small> {t(`degree.${each.degree}`)}</small>}</> },
        { label: t("judge"), value: (each) => nameJudge(each.judge, judgeNames) },
        { label: t("reasonGiven"), value: (each) => <bdi>{each.reason ?? ""}</bdi>, isLong: true },
      ]} rows={rows} caption={t("judgements.title")} />}
    </Section>
  );
}

/** The essay that waits for a decision and needs a person most, other than this one. */
function findOpen(essays, decisions, essayId) {
  const open = new Set((decisions.essays ?? []).filter((each) => each.state === "open").map((each) => each.essay_id));
  return essays.filter((each) => open.has(each.id) && each.id !== essayId).sort((left, right) => left.urgency - right.urgency || left.rank - right.rank)[0] ?? null;
}

function Decide({ id, essay, grades, next }) {
  const path = `${essayPath(id, essay.id)}/decision`;
  const view = useLoaded(() => get(path), [id, essay.id]);
  const [error, setError] = useState(null);
  const [isDone, setDone] = useState(false);
  const decide = async (event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const grade = given.get("grade");
    try {
      await call("PUT", path, { body: { grade: grade === "" ? null : grade, reason: given.get("reason").trim() || null } });
      setError(null);
      setDone(true);
      view.reload();
    } catch (problem) {
      setDone(false);
      setError(problem);
    }
  };
  if (!view.value) return view.error ? <Problem error={view.error} /> : <Waiting />;
  const { state, grade, decisions } = view.value;
  return (
    <section class="decide" aria-labelledby="decide-title">
      <h2 id="decide-title">{t("decide.title")}</h2>
      <p role="status">{isDone && <strong>{t("decide.saved")} </strong>}{t("decide.state", { state: tOr(`decision.state.${state}`, state) })}{state === "decided" && ` ${grade ?? t("decide.noGrade")}`}</p>
      {isDone && <p><a href={next ? `#/batch/${id}/essay/${encodeURIComponent(next.id)}` : `#/batch/${id}`}>{next ? <>{t("decide.next")} <Name>{next.name}</Name></> : t("decide.allDone")}</a></p>}
      <form onSubmit={decide} class="no-print">
        <label><span>{t("grade")}</span>
          <select name="grade" defaultValue={essay.grade ?? ""} key={essay.id}>
            {grades.map((each) => <option value={each} selected={each === essay.grade}>{each}{each === essay.grade ? ` (${t("essayRoom.proposed")})` : ""}</option>)}
            <option value="" selected={!essay.grade}>{t("decide.noGrade")}</option>
          </select>
        </label>
        <label><span>{t("decide.reason")}</span><textarea name="reason" rows={3} maxLength={2000} key={essay.id} /></label>
        <p class="detail">{t("decide.lead")}</p>
        <button class="primary" type="submit">{t("decide.decide")}</button>
      </form>
      <Problem error={error} />
      {decisions.length > 0 && (
        <details class="numbers" open><summary>{t("decide.history")}</summary>
          <ol class="history">{decisions.map((each) => <li><strong>{each.grade ?? t("decide.noGrade")}</strong> · <bdi>{each.assessor}</bdi> · {moment(each.decided_at)}{each.reason && <p><bdi>{each.reason}</bdi></p>}</li>)}</ol>
        </details>
      )}
    </section>
  );
}

/** What a pupil gets: one page, without a figure that needs an explanation. */
export function Sheet({ id, essayId }) {
  const loaded = useLoaded(async () => {
    const [result, decision, progress, comparisons] = await Promise.all([get(`${batchPath(id)}/results`), get(`${essayPath(id, essayId)}/decision`), get(batchPath(id)), listComparisons(id)]);
    return { result, decision, progress, comparisons };
  }, [id, essayId]);
  if (!loaded.value) return loaded.error ? <Problem error={loaded.error} onRetry={loaded.reload} /> : <Waiting />;
  const { result, decision, progress, comparisons } = loaded.value;
  const essay = readEssays(result).find((each) => each.id === essayId);
  const own = listOutcomes(essayId, comparisons);
  // A list has one reason for all its essays.
  const reasons = [...new Map(own.filter((each) => each.reason).map((each) => {
    const shown = each.letter ? t("sheet.shown", { letter: each.letter, outcome: t(`judgements.${each.outcome}`) }) : t("sheet.listed", { place: whole(each.place), total: whole(each.n) });
    return [`${shown} ${each.reason}`, { shown, words: each.reason }];
  })).values()];
  const isFinal = decision.state === "decided" && Boolean(progress.release);
  const grade = decision.state === "decided" ? decision.grade : decision.proposed_grade;
  const boundary = essay && nearestBoundary(essay, readBoundaries(result));
  return (
    <article class="sheet">
      <div class="top no-print"><p class="back"><a href={`#/batch/${id}/essay/${encodeURIComponent(essayId)}`}>← {t("essayRoom.backToEssay")}</a></p> <button type="button" class="primary" onClick={() => window.print()}>{t("print")}</button></div>
      <p class="kicker">{result.assignment_id ?? t("batches.unnamed")}</p>
      <h1><Name>{essayId}</Name></h1>
      {!isFinal && <Notice tone="warn"><p>{t("sheet.notFinal")}</p></Notice>}
      <p class="grade-line"><span>{t(isFinal ? "sheet.grade" : "sheet.proposed")}</span> <strong>{grade ?? "–"}</strong></p>
      {essay?.probabilities && <p>{t(sureness(essay, grade))}{boundary && Math.abs(boundary.distance) < boundary.spread ? ` ${t("sheet.nearBoundary", { low: boundary.low, high: boundary.high })}` : ""}</p>}
      <h2>{t("sheet.how")}</h2>
      <p>{t("sheet.compared", { n: own.length })} {t("sheet.judges", { list: describeJudges(own) })} {result.n_anchors > 0 ? t("sheet.anchors", { n: result.n_anchors }) : ""}</p>
      {decision.decisions.length > 0 && <p>{t("sheet.decided", { who: [...new Set(decision.decisions.map((each) => each.assessor))].join(", ") })}</p>}
      {reasons.length > 0 && <><h2>{t("sheet.said")}</h2><ul>{reasons.slice(0, 6).map((each) => <li>{each.shown} <bdi>{each.words}</bdi></li>)}</ul></>}
      <h2>{t("sheet.review")}</h2>
      <p>{t("sheet.reviewLead")}</p>
      <p class="detail">{t("sheet.notConsidered")}</p>
    </article>
  );
}

function sureness(essay, grade) {
  const share = essay.probabilities[grade] ?? 0;
  return share >= 0.75 ? "sheet.sure" : share >= 0.5 ? "sheet.likely" : "sheet.open";
}

function describeJudges(comparisons) {
  const judges = new Set(comparisons.map((each) => each.judge));
  const n = [...judges].filter((each) => each === "person" || each.startsWith("person/")).length;
  return [n ? t("sheet.people", { n }) : "", judges.size > n ? t("sheet.models") : ""].filter(Boolean).join(` ${t("and")} `) || "–";
}
