// The table of essays: filter, sort and search; those that need a person come first.
import { useEffect, useMemo, useState } from "preact/hooks";
import { collate, decimal, percent, range, t, tOr, whole } from "../shared/language.js";
import { Name, Said } from "../shared/parts.jsx";

const PAGE = 100;

const ORDERS = {
  attention: (left, right) => left.urgency - right.urgency || (left.rank ?? 1e9) - (right.rank ?? 1e9),
  rank: (left, right) => (left.rank ?? 1e9) - (right.rank ?? 1e9),
  name: (left, right) => collate(left.name, right.name),
  grade: (left, right, grades) => grades.indexOf(right.grade ?? right.anchorGrade) - grades.indexOf(left.grade ?? left.anchorGrade) || (left.rank ?? 1e9) - (right.rank ?? 1e9),
  surety: (left, right) => best(left) - best(right),
  comparisons: (left, right) => left.nComparisons - right.nComparisons,
};

const best = (essay) => (essay.probabilities ? Math.max(...Object.values(essay.probabilities)) : -1);

export function EssayTable({ essays, grades, onOpen, decisions }) {
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState({ by: "attention", isDown: false });
  const [filter, setFilter] = useState("all");
  const [nShown, setShown] = useState(PAGE);
  useEffect(() => {
    const showAll = () => setShown(Infinity);
    window.addEventListener("beforeprint", showAll);
    return () => window.removeEventListener("beforeprint", showAll);
  }, []);
  const rows = useMemo(() => {
    const wanted = search.trim().toLocaleLowerCase();
    const found = essays.filter((each) => {
      if (wanted && !each.name.toLocaleLowerCase().includes(wanted)) return false;
      if (filter === "attention") return each.causes.length > 0;
      if (filter === "anchors") return each.isAnchor;
      if (filter === "pupils") return !each.isAnchor;
      if (filter.startsWith("grade:")) return each.grade === filter.slice(6);
      return true;
    });
    found.sort((left, right) => ORDERS[order.by](left, right, grades));
    return order.isDown ? found.reverse() : found;
  }, [essays, search, order, filter]);
  const used = grades.filter((grade) => essays.some((each) => each.grade === grade));
  const head = (by, label, isNumber) => (
    <th scope="col" class={isNumber ? `number ${by}` : by} aria-sort={order.by === by ? (order.isDown ? "descending" : "ascending") : undefined}>
      <button type="button" onClick={() => setOrder({ by, isDown: order.by === by && !order.isDown })}>{label}<span aria-hidden="true" class="arrow">{order.by === by ? (order.isDown ? "↓" : "↑") : ""}</span></button>
    </th>
  );
  const hasGrades = used.length > 0;
  return (
    <div class="essay-table">
      <div class="controls">
        <label><span>{t("essays.search")}</span><input type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} /></label>
        <label><span>{t("essays.show")}</span>
          <select value={filter} onChange={(event) => setFilter(event.currentTarget.value)}>
            <option value="all">{t("essays.all")}</option>
            <option value="attention">{t("essays.attention")}</option>
            <option value="pupils">{t("essays.pupils")}</option>
            {essays.some((each) => each.isAnchor) && <option value="anchors">{t("essays.anchors")}</option>}
            {used.map((grade) => <option value={`grade:${grade}`}>{t("grade")} {grade}</option>)}
          </select>
        </label>
        <label><span>{t("essays.order")}</span>
          <select value={order.by} onChange={(event) => setOrder({ by: event.currentTarget.value, isDown: false })}>
            {Object.keys(ORDERS).filter((by) => hasGrades || !["grade", "surety"].includes(by)).map((by) => <option value={by}>{t(`order.${by}`)}</option>)}
          </select>
        </label>
        <p class="count" role="status">{t("essays.count", { n: rows.length })}</p>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("essays.title")}>
        <table class="essays">
          <thead><tr>
            {head("rank", t("column.rank"), true)}{head("name", t("essay"))}{hasGrades && head("grade", t("grade"))}
            {hasGrades && head("surety", t("column.probability"), true)}<th scope="col" class="number place">{t("column.place")}</th>{head("comparisons", t("column.comparisons"), true)}
            {decisions && <th scope="col">{t("column.decision")}</th>}{head("attention", t("column.attention"))}
          </tr></thead>
          <tbody>{rows.slice(0, nShown).map((each) => <Row key={each.id} essay={each} hasGrades={hasGrades} grades={grades} onOpen={onOpen} decision={decisions && (decisions.get(each.id) ?? null)} hasDecisions={Boolean(decisions)} />)}</tbody>
        </table>
      </div>
      {rows.length > nShown && <button type="button" class="more" onClick={() => setShown(Infinity)}>{t("essays.more", { n: rows.length - nShown })}</button>}
      {rows.length === 0 && <p class="empty">{t("essays.none")}</p>}
    </div>
  );
}

function Row({ essay, hasGrades, grades, onOpen, decision, hasDecisions }) {
  const name = onOpen && !essay.isAnchor ? <button type="button" class="link" onClick={() => onOpen(essay.id)}><Name>{essay.name}</Name></button> : <Name>{essay.name}</Name>;
  return (
    <tr class={essay.isAnchor ? "anchor" : essay.causes.length ? "needs" : undefined}>
      <td class="number rank" data-label={t("column.rank")}>{essay.rank === null ? "–" : whole(essay.rank)}{essay.rankInterval && <small>{range(essay.rankInterval, whole)}</small>}</td>
      <th scope="row">{name}{essay.isAnchor && <span class="badge">{t("anchor")} {essay.anchorGrade}</span>}</th>
      {hasGrades && <td class="given"><strong>{essay.grade ?? (essay.isAnchor ? "" : "–")}</strong>{essay.set.length > 1 && <small>{t("column.set", { grades: describeSet(essay.set, grades) })}</small>}</td>}
      {hasGrades && <td class="number likely">{essay.probabilities ? percent(essay.probabilities[essay.grade] ?? best(essay)) : ""}</td>}
      <td class="number place">{essay.ability === null ? "–" : <>{decimal(essay.ability)}<small>{range([essay.low, essay.high], (end) => decimal(end, 1))}</small></>}</td>
      <td class="number counted">{whole(essay.nComparisons)}</td>
      {hasDecisions && <td class="decided">{decision ? tOr(`decision.state.${decision.state}`, decision.state) : ""}{decision?.grade && <small>{decision.grade}</small>}</td>}
      <td class="causes">{essay.causes.map((cause) => <span class="cause">{tOr(`cause.${cause.reason}`, cause.reason)}<small><Seen cause={cause} grades={grades} /></small></span>)}</td>
    </tr>
  );
}

/** Grades from the lowest to the highest; three or more in a row by their ends. */
export function describeSet(set, grades) {
  const ordered = [...set].sort((left, right) => grades.indexOf(left) - grades.indexOf(right));
  const [lowest, highest] = [ordered[0], ordered.at(-1)];
  const isRow = ordered.length > 2 && grades.includes(lowest) && grades.indexOf(highest) - grades.indexOf(lowest) === ordered.length - 1;
  return isRow ? t("range", { low: lowest, high: highest }) : ordered.join(", ");
}

/** The key of the words for a code of a cause. */
const KEYS = { flagged: (code) => `flag.${code}`, misfit: (code) => `misfit.${code}`, abstained: (code) => `noGrades.${code}` };

/** What was seen, in the reader's words where they are known. What a provider said is in its own. */
export function Seen({ cause, grades }) {
  if (cause.grades.length) return <>{describeSet(cause.grades, grades)}</>;
  if (cause.judge) return <>{t(`cause.apart.${cause.shift > 0 ? "better" : "worse"}`, { judge: cause.judge, size: decimal(Math.abs(cause.shift)) })}</>;
  if (cause.reason === "not_assessed") return <><Said code={`notAssessed.${cause.codes[0]}`} english={cause.codes[0]} />{cause.codes[0] !== "left_out" && <> · <span lang="en">{cause.detail.replace(`${cause.codes[0]}: `, "")}</span></>}</>;
  if (!cause.codes.length) return <span lang="en">{cause.detail}</span>;
  return <>{cause.codes.map((code, at) => <>{at > 0 && ", "}<Said code={KEYS[cause.reason](code)} english={cause.reason === "abstained" ? cause.detail : code} /></>)}</>;
}
