// Who is invited to judge a batch, how far each is, and new invitations.
import { useState } from "preact/hooks";
import { moment, t, tOr, whole } from "../shared/language.js";
import { batchPath, call, get } from "../shared/api.js";
import { Section, Table, useLoaded } from "../shared/parts.jsx";
import { showConsistency } from "../result/sections.jsx";
import { Problem } from "./frame.jsx";

const pathTo = (id) => `${batchPath(id)}/invitations`;

/** Everybody who was invited to a batch; null where only models judge it. */
export const listInvitations = (id) => get(pathTo(id), { once: true }).then(({ invitations }) => invitations, () => null);

/** The names of invited people by what their verdicts are attributed to. */
export const nameInvited = (invitations) => Object.fromEntries((invitations ?? []).map((each) => [`person/invited:${each.invitation_id}`, each.name]));

export function Invitations({ id, invitations, onChange }) {
  const path = pathTo(id);
  const [made, setMade] = useState([]);
  const [error, setError] = useState(null);
  const invite = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const names = new FormData(form).get("names").split(/[\n,;]/).map((each) => each.trim()).filter(Boolean);
    try {
      const answer = await call("POST", path, { body: { names }, headers: { "Idempotency-Key": crypto.randomUUID() } });
      // Of the address by which the teacher came: the API may know itself by another one.
      setMade(answer.invitations.map((each) => ({ ...each, link: `${location.origin}${location.pathname}#invitation=${each.token}` })));
      setError(null);
      form.reset();
      onChange();
    } catch (problem) {
      setError(problem);
    }
  };
  const revoke = async (invitation) => {
    try {
      await call("DELETE", `${path}/${invitation.invitation_id}`);
      onChange();
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <Section id="invitations" title={t("invitations.title")} lead={t("invitations.lead")}>
      {tellWhoRemains(invitations).map((each) => <p class="finding">{each}</p>)}
      <form class="inline" onSubmit={invite}>
        <label><span>{t("invitations.names")}</span><textarea name="names" rows={3} required /></label>
        <button type="submit" class="primary">{t("invitations.invite")}</button>
      </form>
      <Problem error={error} />
      {made.length > 0 && (
        <div role="status"><p><strong>{t("invitations.once")}</strong></p>
          <ul class="links">{made.map((each) => <li><bdi>{each.name}</bdi> <input readOnly value={each.link} aria-label={t("invitations.linkOf", { name: each.name })} onFocus={(event) => event.currentTarget.select()} /> <button type="button" onClick={() => navigator.clipboard?.writeText(each.link)}>{t("invitations.copy")}</button></li>)}</ul>
        </div>
      )}
      {invitations.length > 0 && <Table columns={[
        { label: t("invitations.name"), value: (each) => each.name }, { label: t("invitations.state"), value: (each) => tOr(`invitation.${each.state}`, each.state) },
        { label: t("judges.verdicts"), value: (each) => `${whole(each.n_judged)}${each.quota ? ` / ${whole(each.quota)}` : ""}`, isNumber: true },
        ...(invitations.some((each) => each.consistency) ? [{ label: t("judges.consistency"), value: (each) => showConsistency(each.consistency), isNumber: true }] : []),
        { label: t("invitations.until"), value: (each) => moment(each.expires_at) },
        { label: t("invitations.change"), value: (each) => (each.revoked_at ? "" : <button type="button" onClick={() => revoke(each)}>{t("invitations.revoke")}</button>) },
      ]} rows={invitations} caption={t("invitations.title")} />}
    </Section>
  );
}

/** Whose verdicts are still to come: who has not begun, and who has begun and has a number of comparisons to reach. */
function tellWhoRemains(invitations) {
  const open = invitations.filter((each) => each.state === "open");
  const idle = open.filter((each) => each.n_judged === 0);
  const underWay = open.filter((each) => each.n_judged > 0 && each.quota && each.n_judged < each.quota);
  return [
    idle.length > 0 && t("invitations.idle", { list: idle.map((each) => each.name).join(", ") }),
    underWay.length > 0 && t("invitations.underWay", { list: underWay.map((each) => t("invitations.left", { name: each.name, left: whole(each.quota - each.n_judged) })).join(", ") }),
    open.length > 0 && !idle.length && !underWay.length && t("invitations.allBegun"),
  ].filter(Boolean);
}
