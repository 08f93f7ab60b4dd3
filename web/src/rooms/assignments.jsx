// Assignments: what judges are told, and the graded essays that grades rest on.
import { useState } from "preact/hooks";
import { decimal, signed, t, whole } from "../shared/language.js";
import { batchPath, call, get } from "../shared/api.js";
import { Name, Section, Table, useLoaded } from "../shared/parts.jsx";
import { Problem, Text, Waiting } from "./frame.jsx";

const PATH = "/admin/v1/assessment-instructions";

export function Assignments() {
  const listed = useLoaded(() => get(`${PATH}?limit=100`), []);
  if (!listed.value) return listed.error ? <Problem error={listed.error} onRetry={listed.reload} /> : <Waiting />;
  const { assignments } = listed.value;
  return (
    <>
      <ul class="cards">{assignments.map((each) => (
        <li class="card"><h2><a href={`#/assignment/${encodeURIComponent(each.assignment_id)}`}><Name>{each.assignment_id}</Name></a></h2>
          <p>{each.grades.join(" · ")}</p>
          <p class="detail">{[each.has_instructions && t("judge.instructions"), each.has_judge_rubric && t("judge.rubric"), each.has_student_prompt && t("judge.prompt")].filter(Boolean).join(", ") || t("assignments.bare")}</p>
        </li>))}
      </ul>
      {assignments.length === 0 && <div class="empty"><p>{t("assignments.none")}</p><p><a class="button primary" href="#/new">{t("batches.new")}</a></p></div>}
    </>
  );
}

export function Assignment({ id }) {
  const path = `${PATH}/${encodeURIComponent(id)}`;
  const loaded = useLoaded(() => Promise.all([get(path), get(`/v1/anchors/${encodeURIComponent(id)}`).catch(() => null), findHealth(id)]), [id]);
  if (!loaded.value) return loaded.error ? <Problem error={loaded.error} onRetry={loaded.reload} /> : <Waiting />;
  const [assignment, anchors, health] = loaded.value;
  return (
    <>
      <p class="back"><a href="#/assignments">← {t("assignments.title")}</a></p>
      <h1><Name>{id}</Name></h1>
      <Tell assignment={assignment} />
      <Anchors anchors={anchors?.anchors ?? []} health={health} />
      <Edit key={id} assignment={assignment} onChange={loaded.reload} />
    </>
  );
}

/** The anchors as the newest completed batch of the assignment saw them. */
async function findHealth(id) {
  try {
    const { batches } = await get(`/v1/batches?limit=1&status=COMPLETED&assignment_id=${encodeURIComponent(id)}`);
    if (!batches.length) return null;
    const result = await get(`${batchPath(batches[0].batch_id)}/results`);
    return result.grade_projections.calibration_info ?? null;
  } catch {
    return null;
  }
}

function Tell({ assignment }) {
  const scale = assignment.grade_scale?.grades ?? [];
  return (
    <Section id="told" title={t("assignments.told")}>
      <dl class="facts"><div><dt>{t("assignments.scale")}</dt><dd>{scale.join(" · ") || assignment.grade_scale?.name || "–"}</dd></div></dl>
      {[["judge.instructions", assignment.instructions], ["judge.prompt", assignment.student_prompt], ["judge.rubric", assignment.judge_rubric]].filter(([, text]) => text).map(([key, text]) => <><h3>{t(key)}</h3><Text>{text}</Text></>)}
    </Section>
  );
}

function Anchors({ anchors, health }) {
  if (!anchors.length) return <Section id="anchors" title={t("essays.anchors")}><p>{t("next.anchors")}</p></Section>;
  const measured = new Map((health?.anchors ?? []).map((each) => [each.anchor_ref, each]));
  const drift = new Map((health?.history?.anchors ?? []).map((each) => [each.essay_id, each]));
  return (
    <Section id="anchors" title={t("essays.anchors")} lead={health ? t("assignments.health", { n: health.history?.batches ?? 0 }) : t("assignments.noHealth")}>
      <Table columns={[
        { label: t("anchor"), value: (each) => each.anchor_ref }, { label: t("grade"), value: (each) => each.grade },
        { label: t("anchors.residual"), value: (each) => signed(measured.get(each.anchor_ref)?.residual), isNumber: true },
        { label: t("anchors.weight"), value: (each) => decimal(measured.get(each.anchor_ref)?.weight), isNumber: true },
        { label: t("anchors.misorder"), value: (each) => (measured.has(each.anchor_ref) ? whole(measured.get(each.anchor_ref).misorder) : "–"), isNumber: true },
        { label: t("assignments.moved"), value: (each) => signed(drift.get(measured.get(each.anchor_ref)?.essay_id)?.moved), isNumber: true },
      ]} rows={anchors} caption={t("essays.anchors")} />
    </Section>
  );
}

function Edit({ assignment, onChange }) {
  const [error, setError] = useState(null);
  const [isDone, setDone] = useState(false);
  const save = async (event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    try {
      // What this leaves out stays as it is.
      await call("POST", "/v1/anchors/register", { body: { assignment_id: assignment.assignment_id, instructions: given.get("instructions"), judge_rubric: given.get("judge_rubric") } });
      setError(null);
      setDone(true);
      onChange();
    } catch (problem) {
      setDone(false);
      setError(problem);
    }
  };
  return (
    <details class="numbers"><summary>{t("assignments.edit")}</summary>
      <form onSubmit={save} class="stack">
        <label><span>{t("judge.instructions")}</span><textarea name="instructions" rows={6} maxLength={20000} defaultValue={assignment.instructions} /></label>
        <label><span>{t("judge.rubric")}</span><textarea name="judge_rubric" rows={6} maxLength={20000} defaultValue={assignment.judge_rubric} /></label>
        <p role="status">{isDone && t("assignments.saved")}</p>
        <Problem error={error} />
        <button class="primary" type="submit">{t("assignments.save")}</button>
      </form>
    </details>
  );
}
