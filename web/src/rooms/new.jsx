// A new batch: files in, judges chosen, and what it will ask and cost before it begins.
import { useMemo, useState } from "preact/hooks";
import cefr from "../../../layers/service/assessment/domain/scales/cefr_a1_c2.json";
import eng5 from "../../../layers/service/assessment/domain/scales/eng5_np_legacy_9_step.json";
import gcse from "../../../layers/service/assessment/domain/scales/gcse_9_1.json";
import swedish from "../../../layers/service/assessment/domain/scales/swedish_8_anchor.json";
import us from "../../../layers/service/assessment/domain/scales/us_letter.json";
import { decimal, money, t, whole } from "../shared/language.js";
import { call, get } from "../shared/api.js";
import { Name, Notice, Table, useLoaded } from "../shared/parts.jsx";
import { listDropped, readFiles } from "./documents.js";
import { MODELS, estimateBatch } from "./estimate.js";
import { Problem } from "./frame.jsx";

const SCALES = ["swedish_8_anchor", "eng5_np_legacy_9_step", "cefr_a1_c2", "gcse_9_1", "us_letter"];
const PROVIDERS = ["openai", "anthropic", "bedrock"];

/** The grades of the scales that the service knows, from the lowest to the highest. */
const SCALE_GRADES = { cefr_a1_c2: cefr.grades, eng5_np_legacy_9_step: eng5.grades, gcse_9_1: gcse.grades, swedish_8_anchor: swedish.grades, us_letter: us.grades };

const LIST_SIZES = [2, 3, 4, 5, 8, 10];

export function NewBatch() {
  const [essays, setEssays] = useState({ read: [], refused: [] });
  const [anchors, setAnchors] = useState({ read: [], refused: [] });
  const [assignment, setAssignment] = useState("");
  const [setup, setSetup] = useState({ name: "", scale: SCALES[0], rubric: "", people: true, model: "", provider: "openai", surface: false, endpoint: false, listSize: 2, fewest: 8, most: 12, until: "" });
  const [grades, setGrades] = useState({});
  const [error, setError] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const assignments = useLoaded(() => get("/admin/v1/assessment-instructions?limit=100"), []);
  const known = assignments.value?.assignments ?? [];
  const isMade = assignment === "+";
  const change = (name) => (event) => setSetup({ ...setup, [name]: event.currentTarget.type === "checkbox" ? event.currentTarget.checked : event.currentTarget.value });
  const listSize = Number(setup.listSize);
  const inLists = listSize > 2 ? { list_size: listSize } : {}; // people judge pairs only
  const judges = [
    setup.people && { provider: "person" },
    setup.model && { provider: setup.provider, model: setup.model.trim(), ...inLists },
    setup.surface && { provider: "surface", ...inLists },
    setup.endpoint && { provider: "callback_endpoint", ...inLists },
  ].filter(Boolean);
  const estimate = useMemo(() => essays.read.length > 1 && estimateBatch({ texts: essays.read, nAnchors: isMade ? anchors.read.length : 0, fewest: Number(setup.fewest), most: Number(setup.most), listSize: judges.some((each) => each.list_size) ? listSize : 2, provider: setup.model ? setup.provider : null, model: setup.model, task: isMade ? setup.rubric : "" }), [essays, anchors, setup, isMade]);
  const missing = [essays.read.length < 2 && t("new.needEssays"), judges.length === 0 && t("new.needJudge"), isMade && !setup.name.trim() && t("new.needName"), isMade && anchors.read.some((each) => !grades[each.name]) && t("new.needGrades")].filter(Boolean);
  const start = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const assignmentId = isMade ? setup.name.trim() : assignment || null;
      if (isMade) {
        await call("POST", "/v1/anchors/register", { body: { assignment_id: assignmentId, grade_scale: setup.scale, ...(setup.rubric.trim() ? { judge_rubric: setup.rubric } : { instructions: t("new.plainInstructions") }), anchors: anchors.read.map((each) => ({ anchor_ref: each.name.slice(0, 64), grade: grades[each.name], text: each.text })) } });
      }
      const body = { essays: essays.read.map((each) => ({ essay_id: each.name, text: each.text })), judge: judges.length === 1 ? judges[0] : judges, config: { min_comparisons_per_essay: Number(setup.fewest), max_comparisons_per_essay: Number(setup.most) } };
      if (setup.people && setup.until) body.config.judging_deadline = new Date(setup.until).toISOString();
      if (assignmentId) body.assignment_id = assignmentId;
      const made = await call("POST", "/v1/batches", { body, headers: { "Idempotency-Key": crypto.randomUUID() } });
      location.hash = `#/batch/${made.batch_id}`;
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const scale = SCALE_GRADES[setup.scale];
  return (
    <form class="setup" onSubmit={start}>
      <div>
      <fieldset><legend>{t("new.essays")}</legend>
        <Drop label={t("new.drop")} help={t("new.formats")} onRead={setEssays} name="essays" />
        <Files files={essays} />
      </fieldset>
      <fieldset><legend>{t("new.assignment")}</legend>
        <label><span>{t("new.assignmentWhich")}</span>
          <select value={assignment} onChange={(event) => setAssignment(event.currentTarget.value)}>
            <option value="">{t("new.noAssignment")}</option>
            {known.map((each) => <option value={each.assignment_id}>{each.assignment_id}</option>)}
            <option value="+">{t("new.makeAssignment")}</option>
          </select>
        </label>
        {isMade && (
          <>
            <label><span>{t("new.assignmentName")}</span><input value={setup.name} onInput={change("name")} maxLength={128} required /></label>
            <label><span>{t("assignments.scale")}</span><select value={setup.scale} onChange={change("scale")}>{SCALES.map((each) => <option value={each}>{t(`scale.${each}`)}</option>)}</select></label>
            <label><span>{t("judge.rubric")}</span><textarea rows={4} maxLength={20000} value={setup.rubric} onInput={change("rubric")} /></label>
            <Drop label={t("new.dropAnchors")} help={t("new.anchorsHelp")} onRead={setAnchors} name="anchors" />
            {anchors.read.length > 0 && <Table columns={[{ label: t("anchor"), value: (each) => each.name }, { label: t("grade"), value: (each) => <select aria-label={t("new.gradeOf", { name: each.name })} value={grades[each.name] ?? ""} onChange={(event) => setGrades({ ...grades, [each.name]: event.currentTarget.value })}><option value="">–</option>{scale.map((grade) => <option value={grade}>{grade}</option>)}</select> }]} rows={anchors.read} caption={t("essays.anchors")} />}
            <Files files={{ read: [], refused: anchors.refused }} />
          </>
        )}
      </fieldset>
      <fieldset><legend>{t("new.judges")}</legend>
        <label class="check"><input type="checkbox" checked={setup.people} onChange={change("people")} /> {t("new.people")}</label>
        {setup.people && <label class="until"><span>{t("new.until")}</span><input type="datetime-local" value={setup.until} onInput={change("until")} aria-describedby="until-help" /><small id="until-help" class="detail">{t("new.untilHelp")}</small></label>}
        <label class="check"><input type="checkbox" checked={setup.surface} onChange={change("surface")} /> {t("new.surface")}</label>
        <label class="check"><input type="checkbox" checked={setup.endpoint} onChange={change("endpoint")} /> {t("new.endpoint")}</label>
        <div class="row">
          <label><span>{t("new.provider")}</span><select value={setup.provider} onChange={change("provider")}>{PROVIDERS.map((each) => <option value={each}>{each}</option>)}</select></label>
          <label><span>{t("new.model")}</span><input value={setup.model} onInput={change("model")} list="models" placeholder={t("new.noModel")} maxLength={200} /></label>
          <datalist id="models">{(MODELS[setup.provider] ?? []).map((each) => <option value={each} />)}</datalist>
        </div>
        {(setup.model || setup.surface || setup.endpoint) && <label><span>{t("new.listSize")}</span><select value={setup.listSize} onChange={change("listSize")} aria-describedby="list-size-help">{LIST_SIZES.map((each) => <option value={each}>{each === 2 ? t("new.pairs") : t("new.lists", { n: each })}</option>)}</select><small id="list-size-help" class="detail">{t("new.listSizeHelp")}</small></label>}
        <div class="row">
          <label><span>{t("new.fewest")}</span><input type="number" min={1} max={200} value={setup.fewest} onInput={change("fewest")} /></label>
          <label><span>{t("new.most")}</span><input type="number" min={1} max={200} value={setup.most} onInput={change("most")} /></label>
        </div>
      </fieldset>
      </div>
      <aside class="before">
      <h2>{t("new.before")}</h2>
      {estimate && (
        <>
          <p>{t("new.comparisons", { least: whole(estimate.comparisons[0]), most: whole(estimate.comparisons[1]) })} {t("new.readings", { least: whole(estimate.readings[0]), most: whole(estimate.readings[1]) })}</p>
          <p>{estimate.cost ? t("new.cost", { least: money(estimate.cost[0]), most: money(estimate.cost[1]) }) : t(setup.model ? "new.costUnknown" : "new.costNone")}</p>
          <p>{t("new.precision", { expected: decimal(estimate.reliability[1]) })}</p>
          <p class="detail">{t("new.precisionRange", { least: decimal(estimate.reliability[0]), most: decimal(estimate.reliability[2]) })}</p>
        </>
      )}
      {missing.length > 0 && <ul class="missing" id="missing">{missing.map((each) => <li>{each}</li>)}</ul>}
      <Problem error={error} />
      <p><button class="primary" type="submit" disabled={isBusy || missing.length > 0} aria-describedby={missing.length ? "missing" : undefined}>{t(isBusy ? "new.starting" : "new.start")}</button></p>
      </aside>
    </form>
  );
}

function Drop({ label, help, onRead, name }) {
  const [isOver, setOver] = useState(false);
  const take = async (files) => onRead(await readFiles(files));
  return (
    <div class={isOver ? "drop over" : "drop"} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
      onDrop={async (event) => { event.preventDefault(); setOver(false); take(await listDropped(event.dataTransfer)); }}>
      <label><span>{label}</span><input type="file" name={name} multiple accept=".txt,.text,.md,.docx,.odt,.pdf,.rtf,.zip" onChange={(event) => take([...event.currentTarget.files])} /></label>
      <p class="detail">{help}</p>
    </div>
  );
}

/** What was read otherwise than it stands in the file. */
const tellFindings = (findings) => Object.entries(findings).filter(([, n]) => n > 0).map(([kind, n]) => t(`intake.${kind}`, { n }));

function Files({ files }) {
  return (
    <>
      {files.read.length > 0 && (
        <details class="numbers"><summary>{t("new.read", { n: files.read.length })}</summary>
          <ul class="files">{files.read.map((each) => <li><Name>{each.name}</Name> <small>{[t("new.words", { n: each.text.split(/\s+/).length }), ...tellFindings(each.findings)].join(" · ")}</small></li>)}</ul>
        </details>
      )}
      {files.read.some((each) => each.emptyPages.length > 0) && <Notice tone="warn" title={t("new.pages")}><ul>{files.read.filter((each) => each.emptyPages.length > 0).map((each) => <li><Name>{each.name}</Name>: {t("new.pagesOf", { pages: each.emptyPages.join(", ") })}</li>)}</ul></Notice>}
      {files.refused.length > 0 && <Notice tone="warn" title={t("new.refused", { n: files.refused.length })}><ul>{files.refused.map((each) => <li><Name>{each.name}</Name>: {t(`file.${each.reason}`)}</li>)}</ul></Notice>}
    </>
  );
}
