// A batch: while it runs, its waves; when it has ended, its result and the decisions about it.
import { useEffect, useMemo, useState } from "preact/hooks";
import { decimal, moment, money, percent, t, whole } from "../shared/language.js";
import { batchPath, call, get, listComparisons } from "../shared/api.js";
import { Figure, Name, Notice, Said, Section, Table, Tiles, useLoaded } from "../shared/parts.jsx";
import { packComparisons, summariseJudges } from "../result/comparisons.js";
import { Contents, Result, WithoutResult } from "../result/sections.jsx";
import { drawWaves } from "../result/charts.js";
import { isPerson, median, nameJudge } from "../result/model.js";
import { ReadOn, useComparisons } from "./comparisons.jsx";
import { Deadline } from "./deadline.jsx";
import { Problem, Waiting } from "./frame.jsx";
import { Invitations, listInvitations, nameInvited } from "./invitations.jsx";

const LOOK_AGAIN = 3000;
const MOST_LISTED = 2000; // with more comparisons the cost is that of the last scored wave
const FINAL = ["COMPLETED", "FAILED", "CANCELLED"];

export function Batch({ id }) {
  const progress = useLoaded(() => get(batchPath(id)), [id]);
  const isFinal = progress.value && FINAL.includes(progress.value.status);
  useEffect(() => {
    if (isFinal) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && progress.reload(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, [id, isFinal]);
  if (!progress.value) return progress.error ? <Problem error={progress.error} onRetry={progress.reload} /> : <Waiting />;
  return (
    <>
      {progress.value.status === "COMPLETED" ? <Completed id={id} progress={progress.value} /> : isFinal ? <><Heading progress={progress.value} /><WithoutResult progress={progress.value} /></> : <Live id={id} progress={progress.value} onChange={progress.reload} />}
    </>
  );
}

function Live({ id, progress, onChange }) {
  const { comparisons: tally, waves, config } = progress;
  const [error, setError] = useState(null);
  const comparisons = useLoaded(() => (tally.planned <= MOST_LISTED ? listComparisons(id) : Promise.resolve([])), [id, tally.recorded]);
  const invitations = useLoaded(() => listInvitations(id), [id, tally.recorded]);
  const isListed = comparisons.value && tally.planned <= MOST_LISTED;
  const spent = isListed ? sumCost(comparisons.value) : waves.findLast((each) => each.cost_usd !== undefined && each.cost_usd !== null)?.cost_usd;
  const stop = async () => {
    if (!window.confirm(t("live.confirmStop"))) return;
    try {
      await call("POST", `${batchPath(id)}/cancel`);
      onChange();
    } catch (problem) {
      setError(problem);
    }
  };
  const last = waves.at(-1);
  const scored = waves.filter((each) => each.standardised_se !== null && each.standardised_se !== undefined);
  const precision = scored.at(-1)?.standardised_se;
  const rows = waves.map((each) => ({ ...each, precision: each.standardised_se }));
  return (
    <>
      <Heading progress={progress}>
        <a class="button" href={`#/judge/${id}`}>{t("live.judge")}</a>
        <button type="button" class="danger" onClick={stop}>{t("live.stop")}</button>
      </Heading>
      <h2 class="now">{t("live.heading")}</h2>
      <p class="lead">{progress.decision ? <Said code={`reason.${progress.decision.reason}`} english={progress.decision.explanation} /> : t(tally.recorded ? "live.pending" : "live.begin", { n: tally.pending })}</p>
      <Tiles entries={[
        { label: t("live.wave"), value: last ? whole(last.wave) : "–" },
        { label: t("tile.verdicts"), value: whole(tally.recorded), note: t("tile.of", { total: whole(tally.planned) }) },
        { label: t("tile.failed"), value: whole(tally.failed), tone: tally.failed ? "warn" : "" },
        { label: t("live.cost"), value: spent === undefined ? "–" : money(spent), note: isListed || spent === undefined ? null : t("live.costAtWave") },
        { label: t("live.precision"), value: precision === undefined ? "–" : decimal(precision), note: config.target_mean_se ? t("live.target", { value: decimal(config.target_mean_se) }) : null },
      ]} />
      <p class="progress"><progress max={Math.max(1, tally.planned)} value={tally.recorded + tally.failed} aria-label={t("live.progress")} /></p>
      {progress.judge_troubles.map((each) => <Notice tone="warn" title={t("live.trouble", { judge: each.judge })}>{each.code && <p><Said code={`kind.${each.code}`} english="" /></p>}<p lang="en">{each.message}</p><p class="detail">{t("live.since", { when: moment(each.failing_since) })}</p></Notice>)}
      {config.judging_deadline && <Deadline id={id} progress={progress} onChange={onChange} />}
      <Problem error={error} />
      {rows.some((each) => each.precision) && (
        <Section id="waves" title={t("live.title")}>
          <Figure finding={precision !== undefined && config.target_mean_se ? t(precision <= config.target_mean_se ? "live.reached" : "live.notReached") : t("live.title")} draw={(width) => drawWaves(rows, config.target_mean_se, width)} columns={WAVES()} rows={rows} inputs={[waves]} />
        </Section>
      )}
      <JudgesSoFar comparisons={comparisons.value ?? []} names={nameInvited(invitations.value)} />
      {invitations.value && <Invitations id={id} invitations={invitations.value} onChange={invitations.reload} />}
    </>
  );
}

const WAVES = () => [
  { label: t("live.wave"), value: (each) => whole(each.wave) },
  { label: t("live.planned"), value: (each) => whole(each.planned), isNumber: true },
  { label: t("live.recorded"), value: (each) => whole(each.recorded), isNumber: true },
  { label: t("tile.failed"), value: (each) => whole(each.failed), isNumber: true },
  { label: t("live.precision"), value: (each) => decimal(each.precision), isNumber: true },
];

const sumCost = (comparisons) => comparisons.reduce((sum, each) => sum + (each.verdict?.cost_usd ?? 0) + (each.spent_before?.cost_usd ?? 0), 0);

function JudgesSoFar({ comparisons, names }) {
  const rows = useMemo(() => summariseJudges(comparisons).map((each) => ({ ...each, seconds: isPerson(each.judge) ? median(each.seconds) : null })), [comparisons]);
  if (!rows.length) return null;
  return (
    <Section id="judges-so-far" title={t("live.judges")}>
      <Table columns={[
        { label: t("judge"), value: (each) => nameJudge(each.judge, names) }, { label: t("judges.verdicts"), value: (each) => whole(each.n), isNumber: true }, { label: t("judges.ties"), value: (each) => whole(each.ties), isNumber: true },
        { label: t("judges.first"), value: (each) => percent(each.first), isNumber: true }, { label: t("judges.time"), value: (each) => (each.seconds === null ? "–" : t("seconds", { value: decimal(each.seconds, 0) })), isNumber: true },
      ]} rows={rows} caption={t("live.judges")} />
    </Section>
  );
}

/** What stands above every batch: its state, its name, and what may be done with it. */
function Heading({ progress, children }) {
  return (
    <header class="top heading">
      <div>
        <p class="kicker"><span class={`state ${progress.status.toLowerCase()}`}>{t(`status.${progress.status}`)}</span> · {moment(progress.created_at)} · <span class="code">{progress.batch_id.slice(0, 8)}</span></p>
        <h1><Name>{progress.assignment_id ?? t("batches.unnamed")}</Name></h1>
      </div>
      {children && <div class="tools no-print">{children}</div>}
    </header>
  );
}

/** What a completed batch came to, and how far its decisions are. The comparisons, many pages of them, come after it. */
export function useCompleted(id) {
  const loaded = useLoaded(async () => {
    const [result, attention, decisions, invitations] = await Promise.all([
      get(`${batchPath(id)}/results`), get(`${batchPath(id)}/attention?limit=5000`), get(`${batchPath(id)}/decisions`).catch((error) => ({ error })), listInvitations(id),
    ]);
    return { result, attention: attention.essays, decisions, judgeNames: nameInvited(invitations) };
  }, [id]);
  return { ...loaded, read: useComparisons(id) };
}

function Completed({ id, progress }) {
  const loaded = useCompleted(id);
  const data = useMemo(() => loaded.value && { result: loaded.value.result, attention: loaded.value.attention, comparisons: loaded.read.isWhole ? packComparisons(loaded.read.comparisons) : null, judge_names: loaded.value.judgeNames, result_sha256: progress.result_sha256 }, [loaded.value, loaded.read.isWhole]);
  const states = useMemo(() => loaded.value && !loaded.value.decisions.error ? new Map(loaded.value.decisions.essays.map((each) => [each.essay_id, each])) : null, [loaded.value]);
  if (!loaded.value) return loaded.error ? <Problem error={loaded.error} onRetry={loaded.reload} /> : <Waiting />;
  return (
    <>
      <Release id={id} progress={progress} decisions={loaded.value.decisions} onChange={loaded.reload} />
      <ReadOn read={loaded.read} total={data.result.comparisons.planned} />
      <Contents result={data.result} isRoom />
      <Result data={data} decisions={states} onOpen={(essay) => { location.hash = `#/batch/${id}/essay/${encodeURIComponent(essay)}`; }} />
    </>
  );
}

function Release({ id, progress, decisions, onChange }) {
  const [error, setError] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    const page = await get(`${batchPath(id)}/report`, { isText: true });
    const address = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `report-${id.slice(0, 8)}.html`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  };
  const release = async () => {
    if (!window.confirm(t(decisions.n_waiting ? "release.confirmOpen" : "release.confirm", { n: decisions.n_waiting }))) return;
    setBusy(true);
    try {
      await call("POST", `${batchPath(id)}/release`, { body: { without_decisions: decisions.n_waiting > 0 } });
      onChange();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const report = <button type="button" onClick={() => save().catch(setError)}>{t("release.report")}</button>;
  // Without grades there is nothing to release.
  if (decisions.error || !decisions.n_essays) return <><Heading progress={progress}>{report}</Heading><Problem error={error} /></>;
  const { release: released } = decisions;
  const state = released ? t("release.done", { when: moment(released.released_at), who: released.released_by }) : decisions.n_waiting ? t("release.waiting", { n: decisions.n_waiting, total: whole(decisions.n_essays) }) : t("release.ready");
  return (
    <>
      <Heading progress={progress}>
        {report}
        {!released && <button type="button" class={decisions.n_waiting ? "" : "primary"} disabled={isBusy} onClick={release}>{t(decisions.n_waiting ? "release.withoutDecisions" : "release.release")}</button>}
      </Heading>
      <p class="release" role="status"><progress max={Math.max(1, decisions.n_essays)} value={decisions.n_essays - decisions.n_waiting} aria-label={t("release.progress")} /> {state}</p>
      <Problem error={error} />
    </>
  );
}
