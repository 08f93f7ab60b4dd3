// The batches of the organisation, and what of each needs the reader.
import { useEffect, useState } from "preact/hooks";
import { moment, t, tOr } from "../shared/language.js";
import { batchPath, get } from "../shared/api.js";
import { Name, useLoaded } from "../shared/parts.jsx";
import { Problem, Waiting } from "./frame.jsx";

const STATES = ["WAITING_CALLBACKS", "COMPLETED", "FAILED", "CANCELLED"];

export function Batches() {
  const [status, setStatus] = useState("");
  const [pages, setPages] = useState({ batches: [], cursor: null });
  const query = (cursor) => `/v1/batches?limit=30${status ? `&status=${status}` : ""}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;
  const first = useLoaded(() => get(query()), [status]);
  useEffect(() => { if (first.value) setPages(first.value); }, [first.value]);
  const more = async () => {
    const page = await get(query(pages.cursor));
    setPages({ batches: [...pages.batches, ...page.batches], cursor: page.cursor });
  };
  return (
    <>
      <div class="controls">
        <label><span>{t("batches.state")}</span>
          <select value={status} onChange={(event) => setStatus(event.currentTarget.value)}>
            <option value="">{t("batches.all")}</option>
            {STATES.map((each) => <option value={each}>{t(`status.${each}`)}</option>)}
          </select>
        </label>
        {(pages.batches.length > 0 || status) && <a class="button primary" href="#/new">{t("batches.new")}</a>}
      </div>
      <Problem error={first.error} onRetry={first.reload} />
      {!first.value && !first.error && <Waiting />}
      <ul class="cards">{pages.batches.map((each) => <Batch key={each.batch_id} batch={each} />)}</ul>
      {first.value && pages.batches.length === 0 && <div class="empty"><p>{t(status ? "batches.noneOfState" : "batches.none")}</p>{!status && <p><a class="button primary" href="#/new">{t("batches.new")}</a></p>}</div>}
      {pages.cursor && <button type="button" onClick={more}>{t("batches.more")}</button>}
    </>
  );
}

function Batch({ batch }) {
  const isDone = batch.status === "COMPLETED";
  const decisions = useLoaded(() => (isDone ? get(`${batchPath(batch.batch_id)}/decisions`, { once: true }) : Promise.resolve(null)), [batch.batch_id, batch.status]);
  const needs = decisions.value && (decisions.value.release ? t("batches.released") : decisions.value.n_waiting ? t("batches.waiting", { n: decisions.value.n_waiting }) : t("batches.ready"));
  return (
    <li class="card">
      <h2><a href={`#/batch/${batch.batch_id}`}><Name>{batch.assignment_id ?? t("batches.unnamed")}</Name></a></h2>
      <p>{t("batches.essays", { n: batch.essays })}{batch.anchors > 0 && `, ${t("tile.anchors", { n: batch.anchors })}`}</p>
      <p class={`state ${batch.status.toLowerCase()}`}>{t(`status.${batch.status}`)}{batch.outcome === "COMPLETE_UNPROVEN" && `: ${tOr("batches.unproven", "")}`}</p>
      {batch.status === "FAILED" && <p class="needs">{t("batches.lookWhy")}</p>}
      {needs && <p class={decisions.value.n_waiting && !decisions.value.release ? "needs" : "detail"}>{needs}</p>}
      <p class="detail">{moment(batch.created_at)} · <span class="code">{batch.batch_id.slice(0, 8)}</span></p>
    </li>
  );
}

