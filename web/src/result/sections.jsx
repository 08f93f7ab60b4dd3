// The result of a batch, in the order in which a teacher asks: what came out and what to do, then why.
import { useMemo } from "preact/hooks";
import { decimal, money, moment, percent, range, signed, t, tOr, whole } from "../shared/language.js";
import { Figure, Name, Notice, Said, Section, Table, Tiles } from "../shared/parts.jsx";
import { drawCoverage, drawIntervals, drawJudges, drawProbabilities, drawRuler, gradeShades } from "./charts.js";
import { EssayTable } from "./essays.jsx";
import { Z90, findSurprises, isPerson, median, nameJudge, readBoundaries, readComparisons, readEssays } from "./model.js";

/** All sections of a result. `onOpen` is called with an essay that a reader chooses, where there is a room for it. */
export function Result({ data, onOpen, decisions }) {
  const { result } = data;
  const essays = useMemo(() => readEssays(result, data.attention), [result, data.attention]);
  const comparisons = useMemo(() => readComparisons(data.comparisons), [data.comparisons]);
  const shared = { result, essays, comparisons, data, onOpen, decisions };
  return (
    <>
      <Decision {...shared} />
      <Ruler {...shared} />
      <Probabilities {...shared} />
      <Essays {...shared} />
      <Disagreements {...shared} />
      <Judges {...shared} />
      <Trust {...shared} />
      <Effects {...shared} />
      <Coverage {...shared} />
      <Record {...shared} />
    </>
  );
}

/** The way to each section that this result has. In a room the address names the room, so that nothing in it may name a section. */
export function Contents({ result, isRoom }) {
  const hasOrder = result.rankings.length > 0;
  const missing = { ruler: !result.rankings.some((each) => !each.is_anchor), probabilities: !result.grade_projections.grade_probabilities || !result.grade_projections.projections_available, judges: !result.judge_fit.length, coverage: !hasOrder };
  const shown = ["decision", "ruler", "probabilities", "essays", "disagreements", "judges", "trust", "effects", "coverage", "record"].filter((each) => !missing[each]);
  const go = (section) => (event) => {
    event.preventDefault();
    const heading = document.getElementById(`${section}-title`);
    document.getElementById(section)?.scrollIntoView();
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
  };
  return <nav aria-label={t("contents")} class="contents"><ul>{shown.map((each) => <li><a href={isRoom ? location.hash : `#${each}`} onClick={isRoom ? go(each) : undefined}>{t(`contents.${each}`)}</a></li>)}</ul></nav>;
}

function Decision({ result, essays, data }) {
  const grades = result.grade_projections;
  const needing = essays.filter((each) => each.causes.length).length;
  const isUnproven = result.outcome === "COMPLETE_UNPROVEN";
  const hasGrades = grades.projections_available;
  const headline = isUnproven ? t("decision.unproven") : hasGrades ? t("decision.grades", { n: result.n_students }) : t("decision.ranking", { n: result.n_students });
  const steps = [
    isUnproven && t("next.unproven"),
    !hasGrades && result.n_anchors === 0 && t("next.anchors"),
    !hasGrades && result.n_anchors > 0 && !isUnproven && t("next.noGrades"),
    needing > 0 && t("next.attention", { n: needing }),
    hasGrades && t("next.decide"),
    result.comparisons.failed > 0 && t("next.failed", { n: result.comparisons.failed }),
    result.n_students < 10 && t("next.small", { n: result.n_students }),
  ].filter(Boolean);
  return (
    <Section id="decision" title={headline} lead={<>{tOr(`outcome.${result.outcome}`, result.outcome)} <Said code={`reason.${result.decision.reason}`} english={result.decision.explanation} /></>}>
      <Tiles entries={[
        { label: t("tile.essays"), value: whole(result.n_students), note: t("tile.anchors", { n: result.n_anchors }) },
        { label: t("tile.comparisons"), value: whole(result.comparisons.recorded), note: t("tile.waves", { n: result.n_waves }) },
        { label: t("tile.reliability"), value: decimal(result.reliability.model_reliability), note: range(result.reliability.reliability_interval), tone: isUnproven ? "warn" : "" },
        { label: t("tile.attention"), value: whole(needing), note: t("tile.of", { total: whole(result.n_students) }), tone: needing ? "warn" : "" },
      ]} />
      <Notice tone={isUnproven ? "warn" : "info"} title={t("next.title")}>
        <ol>{steps.map((each) => <li>{each}</li>)}</ol>
      </Notice>
      {!hasGrades && grades.reason && <p class="detail">{t("decision.noGradesBecause")} <Said code={`noGrades.${grades.reason_code}`} english={grades.reason} /></p>}
      <Notes notes={result.notes} judgeNames={data.judge_names} />
    </Section>
  );
}

function Ruler({ result, essays }) {
  const pupils = essays.filter((each) => !each.isAnchor && each.ability !== null);
  if (!pupils.length) return null;
  const anchors = essays.filter((each) => each.isAnchor);
  const boundaries = readBoundaries(result);
  const finding = pupils.length < 2 ? t("ruler.one") : result.outcome === "COMPLETE_UNPROVEN" ? t("ruler.unproven") : t("ruler.finding", { share: percent(shareApart(pupils)) });
  const columns = [
    { label: t("essay"), value: (each) => each.name },
    { label: t("column.ability"), value: (each) => signed(each.ability), isNumber: true },
    { label: t("ruler.bar"), value: (each) => range([each.low, each.high], signed), isNumber: true },
    { label: t("ruler.published"), value: (each) => range(each.interval, signed), isNumber: true },
    { label: t("column.rank"), value: (each) => each.rank, isNumber: true },
    { label: t("column.anchorGrade"), value: (each) => each.anchorGrade ?? "" },
  ];
  return (
    <Section id="ruler" title={t("ruler.title")} lead={t(boundaries.length ? "ruler.leadBoundaries" : anchors.length ? "ruler.leadAnchors" : "ruler.lead")}>
      <Figure finding={finding} draw={(width) => drawRuler(result, essays, width)} columns={columns} rows={essays.filter((each) => each.ability !== null)} inputs={[result]} note={t(essays.some((each) => each.interval) ? "ruler.bars" : "ruler.barsOfErrors")} />
      {boundaries.length > 0 && (
        <details class="numbers"><summary>{t("ruler.boundaries")}</summary>
          <Table columns={[
            { label: t("ruler.boundary"), value: (each) => `${each.low} | ${each.high}` },
            { label: t("column.ability"), value: (each) => signed(each.at), isNumber: true },
            { label: t("column.interval90"), value: (each) => range([each.at - Z90 * each.se, each.at + Z90 * each.se], signed), isNumber: true },
          ]} rows={boundaries} />
        </details>
      )}
    </Section>
  );
}

/** The share of all pairs of essays whose difference is larger than its 90% interval. */
function shareApart(pupils) {
  let n = 0;
  for (let upper = 0; upper < pupils.length; upper += 1) {
    for (let lower = upper + 1; lower < pupils.length; lower += 1) {
      const [better, worse] = [pupils[upper], pupils[lower]];
      if (better.ability - worse.ability > Math.hypot(better.ability - better.low, worse.high - worse.ability)) n += 1;
    }
  }
  return n / ((pupils.length * (pupils.length - 1)) / 2);
}

function Probabilities({ result, essays }) {
  const grades = result.grade_projections.grade_scale ?? [];
  const graded = essays.filter((each) => each.probabilities);
  if (!graded.length) return null;
  const sure = graded.filter((each) => Math.max(...Object.values(each.probabilities)) >= 0.75).length;
  const shades = gradeShades(grades);
  const columns = [
    { label: t("essay"), value: (each) => each.name },
    ...grades.map((grade) => ({ label: grade, value: (each) => percent(each.probabilities[grade] ?? 0), isNumber: true })),
  ];
  return (
    <Section id="probabilities" title={t("probabilities.title")} lead={t("probabilities.lead")}>
      <Figure finding={t("probabilities.finding", { n: sure, total: whole(graded.length) })} draw={(width) => drawProbabilities(result, essays, width)} columns={columns} rows={graded} inputs={[result]}>
        <ul class="legend" aria-label={t("probabilities.legend")}>
          {grades.map((grade, index) => <li><Swatch color={shades[index]} />{grade}</li>)}
        </ul>
      </Figure>
    </Section>
  );
}

const Swatch = ({ color }) => <svg class="swatch" viewBox="0 0 14 14" aria-hidden="true"><rect width="14" height="14" rx="2" fill={color} /></svg>;

function Essays({ result, essays, onOpen, decisions }) {
  return (
    <Section id="essays" title={t("essays.title")} lead={t("essays.lead")}>
      <EssayTable essays={essays} grades={result.grade_projections.grade_scale ?? []} onOpen={onOpen} decisions={decisions} />
    </Section>
  );
}

function Disagreements({ result, essays, comparisons, data, onOpen }) {
  const names = new Map(essays.map((each) => [each.id, each]));
  const gaps = result.judge_fit.flatMap((judge) =>
    (judge.construct_gap?.disagreements ?? []).map((each) => ({ ...each, judge: judge.judge, size: each.standard_error > 0 ? Math.abs(each.shift) / each.standard_error : 0 })));
  gaps.sort((left, right) => right.size - left.size);
  const surprises = comparisons ? findSurprises(comparisons, essays) : [];
  const name = (id) => <EssayLink essay={names.get(id) ?? { id, name: id }} onOpen={onOpen} />;
  const hasBoth = result.judge_fit.some((each) => isPerson(each.judge)) && result.judge_fit.some((each) => !isPerson(each.judge));
  return (
    <Section id="disagreements" title={t("disagreements.title")} lead={t("disagreements.lead")}>
      {gaps.length > 0 ? (
        <>
          <p class="finding">{t("disagreements.finding", { n: gaps.filter((each) => each.size >= 2).length })}</p>
          <Table columns={[
            { label: t("essay"), value: (each) => name(each.essay_id) },
            { label: t("judge"), value: (each) => nameJudge(each.judge, data.judge_names) },
            { label: t("disagreements.direction"), value: (each) => t(each.shift > 0 ? "disagreements.better" : "disagreements.worse") },
            { label: t("disagreements.shift"), value: (each) => signed(each.shift), isNumber: true },
            { label: t("disagreements.size"), value: (each) => decimal(each.size, 1), isNumber: true },
          ]} rows={gaps} caption={t("disagreements.title")} />
        </>
      ) : <p class="finding">{t(hasBoth ? "disagreements.none" : "disagreements.oneKind")}</p>}
      {surprises.length > 0 && (
        <>
          <h3>{t("surprises.title")}</h3>
          <p>{t("surprises.lead")}</p>
          <Table columns={[
            { label: t("surprises.winner"), value: (each) => name(each.outcome > 0 ? each.first : each.second) },
            { label: t("surprises.loser"), value: (each) => name(each.outcome > 0 ? each.second : each.first) },
            { label: t("judge"), value: (each) => nameJudge(each.judge, data.judge_names) },
            { label: t("surprises.chance"), value: (each) => percent(each.chance), isNumber: true },
            { label: t("reasonGiven"), value: (each) => each.reason ?? "", isLong: true },
          ]} rows={surprises} caption={t("surprises.title")} />
        </>
      )}
      {data.comparisons?.lists?.length > 0 && <Lists packed={data.comparisons} essays={essays} onOpen={onOpen} judgeNames={data.judge_names} />}
    </Section>
  );
}

function Lists({ packed, essays, onOpen, judgeNames }) {
  const names = new Map(essays.map((each) => [each.id, each]));
  const name = (place) => { const id = packed.essays[place]; return <EssayLink essay={names.get(id) ?? { id, name: id }} onOpen={onOpen} />; };
  const rows = packed.lists.map(([ranking, signs, judge, wave, , reason]) => ({ ranking, signs, judge: packed.judges[judge], wave, reason }));
  return (
    <details class="numbers">
      <summary>{t("lists.title", { n: rows.length })}</summary>
      <p>{t("lists.signs")}</p>
      <Table columns={[
        { label: t("live.wave"), value: (each) => whole(each.wave), isNumber: true },
        { label: t("lists.order"), value: (each) => each.ranking.map((place, at) => <>{at > 0 && ` ${each.signs[at - 1]} `}{name(place)}</>) },
        { label: t("judge"), value: (each) => nameJudge(each.judge, judgeNames) },
        { label: t("reasonGiven"), value: (each) => each.reason ?? "", isLong: true },
      ]} rows={rows} caption={t("lists.title", { n: rows.length })} />
    </details>
  );
}

export function EssayLink({ essay, onOpen }) {
  if (!onOpen) return <Name>{essay.name}</Name>;
  return <button type="button" class="link" onClick={() => onOpen(essay.id)}><Name>{essay.name}</Name></button>;
}

function readJudges(result, comparisons, names) {
  const effects = new Map(result.order_effects.map((each) => [each.judge, each]));
  const seconds = new Map();
  for (const each of comparisons ?? []) {
    if (each.seconds === null || each.seconds === undefined) continue;
    if (!seconds.has(each.judge)) seconds.set(each.judge, []);
    seconds.get(each.judge).push(each.seconds);
  }
  return result.judge_fit.map((fit) => {
    const effect = effects.get(fit.judge) ?? (result.order_effects.length === 1 ? result.order_effects[0] : null);
    return {
      ...fit, name: nameJudge(fit.judge, names), isPerson: isPerson(fit.judge), orderEffect: effect?.estimate ?? 0, orderEffectSe: effect?.standard_error ?? 0,
      isOdd: fit.misfit_flags.length > 0 || (effect && Math.abs(effect.estimate) > 2 * effect.standard_error), seconds: median(seconds.get(fit.judge) ?? []),
    };
  });
}

/** How often a judge's control pairs agreed with the judge's own verdict, and with another's. */
export const showConsistency = (found) => (found ? `${whole(found.n_repeated_agreed)}/${whole(found.n_repeated)} · ${whole(found.n_shared_agreed)}/${whole(found.n_shared)}` : "–");

function Judges({ result, comparisons, data }) {
  const judges = readJudges(result, comparisons, data.judge_names);
  if (!judges.length) return null;
  const odd = judges.filter((each) => each.isOdd).length;
  const columns = [
    { label: t("judge"), value: (each) => each.name },
    { label: t("judges.verdicts"), value: (each) => whole(each.verdicts), isNumber: true },
    { label: t("judges.ties"), value: (each) => whole(each.ties), isNumber: true },
    { label: t("judges.first"), value: (each) => percent(each.verdicts - each.ties ? each.first_preferred / (each.verdicts - each.ties) : null), isNumber: true },
    { label: t("judges.order"), value: (each) => `${signed(each.orderEffect)} ± ${decimal(each.orderEffectSe)}`, isNumber: true },
    { label: t("judges.sharpness"), value: (each) => (each.discrimination_se ? `${decimal(each.discrimination)} ± ${decimal(each.discrimination_se)}` : decimal(each.discrimination)), isNumber: true },
    { label: t("judges.misfit"), value: (each) => `${decimal(each.infit)} / ${decimal(each.outfit)}`, isNumber: true },
    { label: t("judges.flags"), value: (each) => each.misfit_flags.map((flag) => tOr(`misfit.${flag}`, flag)).join(", ") || "–" },
    ...(result.judge_consistency?.length ? [{ label: t("judges.consistency"), value: (each) => showConsistency(result.judge_consistency.find((one) => one.judge === each.judge)), isNumber: true }] : []),
    { label: t("judges.time"), value: (each) => (each.seconds === null ? "–" : t("seconds", { value: decimal(each.seconds, 0) })), isNumber: true },
  ];
  return (
    <Section id="judges" title={t("judges.title")} lead={t("judges.lead")}>
      <Figure finding={odd ? t("judges.odd", { n: odd, total: whole(judges.length) }) : t("judges.fine", { n: judges.length })} draw={(width) => drawJudges(judges, width)} inputs={[result]} />
      <Table columns={columns} rows={judges} caption={t("judges.title")} />
    </Section>
  );
}

function Trust({ result }) {
  const { audit, reliability } = result;
  const info = result.grade_projections.calibration_info;
  const calibrated = result.grade_projections.set_calibration;
  const evidence = audit.log_bayes_factor;
  const checks = [
    { name: t("trust.chance"), state: audit.at_chance ? "bad" : evidence !== null && evidence >= Math.log(10) ? "good" : "open", words: audit.at_chance ? t("trust.chanceBad") : evidence !== null && evidence >= Math.log(10) ? t("trust.chanceGood", { odds: tellOdds(evidence) }) : t("trust.chanceOpen") },
    { name: t("trust.audit"), state: audit.agreement_interval ? (audit.agreement_interval[0] > 0.5 ? "good" : "open") : "open", words: audit.agreement_interval ? t("trust.auditWords", { n: audit.pairs, agreement: percent(audit.agreement), interval: range(audit.agreement_interval, percent) }) : t("trust.auditNone") },
    { name: t("trust.calibration"), state: audit.slope_interval ? (audit.slope_interval[0] <= 1 && audit.slope_interval[1] >= 1 ? "good" : "bad") : "open", words: audit.slope_interval ? t(audit.slope_interval[1] < 1 ? "trust.slopeOver" : audit.slope_interval[0] > 1 ? "trust.slopeUnder" : "trust.slopeGood", { slope: decimal(audit.slope), interval: range(audit.slope_interval) }) : t("trust.slopeNone") },
    { name: t("trust.reliability"), state: reliability.reliability_interval?.[0] >= 0.7 ? "good" : "open", words: t(reliability.scale === "people" ? "trust.scalePeople" : "trust.scaleJudges", { value: decimal(reliability.model_reliability), interval: range(reliability.reliability_interval) }) },
    info?.self_check && { name: t("trust.anchors"), state: info.self_check.rps === null ? "open" : info.self_check.rps < 0.1 ? "good" : "open", words: info.self_check.rps === null ? t("trust.anchorsNone") : t("trust.anchorsWords", { n: info.self_check.anchors, rps: decimal(info.self_check.rps), ece: decimal(info.self_check.ece) }) },
    calibrated && { name: t("trust.sets"), state: calibrated.guaranteed_coverage >= 0.8 ? "good" : "open", words: t("trust.setsWords", { target: percent(calibrated.target), expected: percent(calibrated.expected_coverage), guaranteed: percent(calibrated.guaranteed_coverage), held: whole(calibrated.anchors_held), total: whole(calibrated.anchors) }) },
  ].filter(Boolean);
  const figures = [
    audit.agreement_interval && { name: t("trust.audit"), value: audit.agreement, interval: audit.agreement_interval },
    reliability.reliability_interval && { name: t("trust.reliability"), value: reliability.model_reliability, interval: reliability.reliability_interval },
  ].filter(Boolean);
  const findings = info?.findings ?? [];
  return (
    <Section id="trust" title={t("trust.title")} lead={t("trust.lead")}>
      <ul class="checks">
        {checks.map((each) => <li class={each.state}><span class="sign" role="img" aria-label={t(`state.${each.state}`)}>{{ good: "✓", open: "?", bad: "!" }[each.state]}</span><div><strong>{each.name}</strong><p>{each.words}</p></div></li>)}
      </ul>
      {figures.length > 0 && (
        <Figure finding={t("trust.finding", { n: checks.filter((each) => each.state === "good").length, total: whole(checks.length) })} draw={(width) => drawIntervals(figures, { neutral: 0.5, axis: t("trust.axis"), domain: [0, 1], label: t("trust.title") }, width)}
          columns={[{ label: t("figure"), value: (each) => each.name }, { label: t("value"), value: (each) => decimal(each.value), isNumber: true }, { label: t("interval"), value: (each) => range(each.interval), isNumber: true }]} rows={figures} inputs={[result]} />
      )}
      <Baselines baselines={result.baselines} />
      {info && <AnchorTable info={info} />}
      {findings.length > 0 && <><h3>{t("trust.findings")}</h3><ul>{findings.map((each) => <li><Said code={`finding.${each.code}`} values={{ anchors: nameAnchors(each, info) }} english={each.message} /></li>)}</ul></>}
      {(info?.warnings ?? []).filter((each) => !findings.some((one) => one.message === each)).map((each) => <p class="detail" lang="en">{each}</p>)}
    </Section>
  );
}

const tellOdds = (evidence) => (evidence > Math.log(1e6) ? t("million") : whole(Math.round(Math.exp(evidence))));

/** Notes of a result; those of older results are words alone. */
function Notes({ notes, judgeNames }) {
  return notes.map((each) => {
    const values = { ...each.values, ...(each.values?.judge ? { judge: nameJudge(each.values.judge, judgeNames) } : {}) };
    return <p class="detail"><Said code={`note.${each.code}`} values={values} english={each.message ?? each} /></p>;
  });
}

const nameAnchors = (finding, info) =>
  finding.anchors.map((id) => info.anchors.find((each) => each.essay_id === id)?.anchor_ref ?? id).join(", ");

/** Why a batch failed: by the reason of the decision, or by the kind of error that ended it. */
const Failed = ({ failure }) => <Said code={failure.problem ? `kind.${failure.problem}` : `reason.${failure.code}`} english={failure.message} />;

/** A batch that failed before remedies had codes has that of its reason. */
const Remedy = ({ failure }) => failure.remedy && <p><Said code={`remedy.${failure.remedy_code ?? failure.code}`} english={failure.remedy} /></p>;

function AnchorTable({ info }) {
  return (
    <details class="numbers">
      <summary>{t("anchors.title", { n: info.anchors.length })}</summary>
      <Table columns={[
        { label: t("anchor"), value: (each) => each.anchor_ref ?? each.essay_id },
        { label: t("grade"), value: (each) => each.grade },
        { label: t("anchors.residual"), value: (each) => signed(each.residual), isNumber: true },
        { label: t("anchors.weight"), value: (each) => decimal(each.weight), isNumber: true },
        { label: t("anchors.misorder"), value: (each) => whole(each.misorder), isNumber: true },
        { label: t("anchors.shift"), value: (each) => decimal(each.boundary_shift), isNumber: true },
      ]} rows={info.anchors} caption={t("anchors.title", { n: info.anchors.length })} />
    </details>
  );
}

/** What the length of a text and its surface say by themselves, where the result has it. */
function Baselines({ baselines }) {
  const rows = ["length", "surface"].filter((kind) => baselines?.[kind]).map((kind) => ({ name: t(`effects.${kind}`), ...baselines[kind] }));
  if (!rows.length) return null;
  const findings = baselines.findings ?? [];
  return (
    <>
      {findings.length > 0 && <><h3>{t("baselines.findings")}</h3><ul>{findings.map((each) => <li><Said code={`baseline.${each.code}`} english={each.message} /></li>)}</ul></>}
      <details class="numbers">
        <summary>{t("baselines.title")}</summary>
        <Table columns={[
          { label: t("figure"), value: (each) => each.name },
          { label: t("baselines.correlation"), value: (each) => <>{decimal(each.spearman)}<small>{range(each.spearman_interval)}</small></>, isNumber: true },
          { label: t("effects.share"), value: (each) => <>{percent(each.explained_share)}<small>{range(each.explained_interval, percent)}</small></>, isNumber: true },
          { label: t("baselines.error"), value: (each) => decimal(each.grades?.rps), isNumber: true },
          { label: t("baselines.errorOfJudging"), value: (each) => decimal(each.grades?.rps_of_abilities), isNumber: true },
          { label: t("baselines.equal"), value: (each) => percent(each.grades?.equal_share), isNumber: true },
        ]} rows={rows} caption={t("baselines.title")} />
        <p class="detail">{t("baselines.help")}</p>
      </details>
    </>
  );
}

/** How much of the differences between essays their length and their surface explain. */
function LengthEffect({ baselines }) {
  const shown = ["length", "surface"].map((kind) => ({ name: t(`effects.${kind}`), value: baselines?.[kind]?.explained_share ?? null, interval: baselines?.[kind]?.explained_interval ?? null })).filter((each) => each.value !== null);
  if (!shown.length) return <p>{t("effects.noLength")}</p>;
  return (
    <Figure finding={t("effects.lengthFinding", { share: percent(shown[0].value), what: shown[0].name, interval: range(shown[0].interval, percent) })}
      draw={(width) => drawIntervals(shown.map((each) => ({ ...each, value: each.value * 100, interval: each.interval?.map((end) => end * 100) })), { neutral: 0, axis: t("effects.shareAxis"), domain: [0, 100], label: t("effects.title") }, width)}
      columns={[{ label: t("figure"), value: (each) => each.name }, { label: t("effects.share"), value: (each) => percent(each.value), isNumber: true }, { label: t("column.interval95"), value: (each) => range(each.interval, percent), isNumber: true }]} rows={shown} inputs={[baselines]} />
  );
}

function Effects({ result, data }) {
  const { groups } = result;
  const shown = (groups?.groups ?? []).filter((each) => each.difference !== null && each.interval);
  const reach = Math.max(1, ...shown.flatMap((each) => each.interval.map(Math.abs)));
  const beyond = shown.filter((each) => each.interval[0] > 0 || each.interval[1] < 0).length;
  return (
    <Section id="effects" title={t("effects.title")} lead={groups ? t("effects.lead") : null}>
      <LengthEffect baselines={result.baselines} />
      {!groups && <p>{t("effects.noGroups")}</p>}
      {shown.length > 0 && (
        <Figure finding={t("effects.finding", { n: beyond, total: whole(shown.length) })} draw={(width) => drawIntervals(shown.map((each) => ({ name: each.group, value: each.difference, interval: each.interval })), { neutral: 0, axis: t("effects.axis"), domain: [-reach, reach], label: t("effects.title") }, width)}
          columns={[{ label: t("effects.group"), value: (each) => each.group }, { label: t("tile.essays"), value: (each) => each.essays, isNumber: true }, { label: t("effects.difference"), value: (each) => signed(each.difference), isNumber: true }, { label: t("column.interval95"), value: (each) => range(each.interval, signed), isNumber: true }]} rows={shown} inputs={[result]} />
      )}
      {(groups?.groups ?? []).filter((each) => each.reason).map((each) => <p class="detail"><Name>{each.group}</Name>: <Said code={`groups.${each.reason_code}`} english={each.reason} /></p>)}
      {(groups?.judge_effects ?? []).some((each) => each.effect !== null) && (
        <Table columns={[{ label: t("judge"), value: (each) => nameJudge(each.judge, data.judge_names) }, { label: t("effects.group"), value: (each) => each.group }, { label: t("effects.effect"), value: (each) => signed(each.effect), isNumber: true }, { label: t("column.interval95"), value: (each) => range(each.interval, signed), isNumber: true }]} rows={groups.judge_effects.filter((each) => each.effect !== null)} caption={t("effects.judges")} />
      )}
      <Notes notes={groups?.notes ?? []} judgeNames={data.judge_names} />
    </Section>
  );
}

function Coverage({ essays, comparisons }) {
  const ranked = essays.filter((each) => each.rank !== null);
  if (!ranked.length) return null;
  const counts = ranked.map((each) => each.nComparisons);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return (
    <Section id="coverage" title={t("coverage.title")} lead={t(comparisons?.length ? "coverage.leadPairs" : "coverage.lead")}>
      <Figure finding={least === most ? t("coverage.same", { n: least }) : t("coverage.finding", { least: whole(least), most: whole(most) })} draw={(width) => drawCoverage(essays, comparisons, width)}
        columns={[{ label: t("essay"), value: (each) => each.name }, { label: t("tile.comparisons"), value: (each) => whole(each.nComparisons), isNumber: true }]} rows={ranked} inputs={[ranked, comparisons]} />
    </Section>
  );
}

function Record({ result, data }) {
  const entries = [
    [t("record.batch"), result.batch_id], [t("record.assignment"), result.assignment_id ?? "–"], [t("record.judges"), result.judges.map((each) => nameJudge(each, data.judge_names)).join(", ") || "–"],
    [t("record.cost"), money(result.cost_usd)], [t("record.tokens"), `${whole(result.input_tokens)} / ${whole(result.output_tokens)}`], [t("record.failed"), whole(result.comparisons.failed)],
    [t("record.repeated"), whole(result.repeated_calls)], [t("record.spec"), result.spec_hash], [t("record.seed"), String(result.seed)],
    ...Object.entries(result.versions).map(([name, version]) => [t("record.version", { name }), version]),
    data.result_sha256 && [t("record.sha"), data.result_sha256],
  ].filter(Boolean);
  const changed = Object.entries(result.config).filter(([name]) => result.config_sources[name] !== "default");
  return (
    <Section id="record" title={t("record.title")}>
      <dl class="facts">{entries.map(([label, value]) => <div><dt>{label}</dt><dd><bdi>{value}</bdi></dd></div>)}</dl>
      {changed.length > 0 && (
        <details class="numbers"><summary>{t("record.settings")}</summary>
          <Table columns={[{ label: t("record.setting"), value: ([name]) => name }, { label: t("value"), value: ([, value]) => JSON.stringify(value) }, { label: t("record.source"), value: ([name]) => result.config_sources[name] }]} rows={changed} caption={t("record.settings")} />
        </details>
      )}
      <h3>{t("use.title")}</h3>
      <ul class="use">{["propose", "scale", "interval", "groups", "notice"].map((each) => <li>{t(`use.${each}`)}</li>)}</ul>
    </Section>
  );
}

/** A batch that has no result: what happened, and what to do. */
export function WithoutResult({ progress }) {
  const { failure, decision } = progress;
  return (
    <Section id="decision" title={t(progress.status === "CANCELLED" ? "failed.cancelled" : progress.status === "FAILED" ? "failed.title" : "failed.running")} lead={failure ? <Failed failure={failure} /> : decision ? <Said code={`reason.${decision.reason}`} english={decision.explanation} /> : ""}>
      <Tiles entries={[
        { label: t("tile.essays"), value: whole(progress.essays), note: t("tile.anchors", { n: progress.anchors }) },
        { label: t("tile.verdicts"), value: whole(progress.comparisons.recorded), note: t("tile.of", { total: whole(progress.comparisons.planned) }) },
        { label: t("tile.failed"), value: whole(progress.comparisons.failed), tone: progress.comparisons.failed ? "warn" : "" },
      ]} />
      {failure && <Notice tone="warn" title={t("next.title")}><p lang="en">{failure.message}</p><Remedy failure={failure} /></Notice>}
      <p>{t("failed.kept")}</p>
      {progress.waves.length > 0 && (
        <Table columns={[{ label: t("live.wave"), value: (each) => each.wave }, { label: t("live.planned"), value: (each) => whole(each.planned), isNumber: true }, { label: t("live.recorded"), value: (each) => whole(each.recorded), isNumber: true }, { label: t("tile.failed"), value: (each) => whole(each.failed), isNumber: true }]} rows={progress.waves} caption={t("live.title")} />
      )}
      {progress.updated_at && <p class="detail">{t("changedAt", { when: moment(progress.updated_at) })}</p>}
    </Section>
  );
}

