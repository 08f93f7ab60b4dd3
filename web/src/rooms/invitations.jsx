// Who is invited to judge a batch, how far each is, and new invitations.
import { useState } from "preact/hooks";
import { moment, t, tOr, whole } from "../shared/language.js";
import { batchPath, call, get } from "../shared/api.js";
import { Section, Table, useLoaded } from "../shared/parts.jsx";
import { showConsistency } from "../result/sections.jsx";
import { Problem } from "./frame.jsx";

export function Invitations({ id }) {
  const path = `${batchPath(id)}/invitations`;
  const listed = useLoaded(() => get(path, { once: true }), [id]);
  const [made, setMade] = useState([]);
  const [error, setError] = useState(null);
  // A batch that only models judge invites nobody.
  if (!listed.value) return null;
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
      listed.reload();
    } catch (problem) {
      setError(problem);
    }
  };
  const revoke = async (invitation) => {
    try {
      await call("DELETE", `${path}/${invitation.invitation_id}`);
      listed.reload();
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <Section id="invitations" title={t("invitations.title")} lead={t("invitations.lead")}>
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
      {listed.value.invitations.length > 0 && <Table columns={[
        { label: t("invitations.name"), value: (each) => each.name }, { label: t("invitations.state"), value: (each) => tOr(`invitation.${each.state}`, each.state) },
        { label: t("judges.verdicts"), value: (each) => `${whole(each.n_judged)}${each.quota ? ` / ${whole(each.quota)}` : ""}`, isNumber: true },
        ...(listed.value.invitations.some((each) => each.consistency) ? [{ label: t("judges.consistency"), value: (each) => showConsistency(each.consistency), isNumber: true }] : []),
        { label: t("invitations.until"), value: (each) => moment(each.expires_at) },
        { label: t("invitations.change"), value: (each) => (each.revoked_at ? "" : <button type="button" onClick={() => revoke(each)}>{t("invitations.revoke")}</button>) },
      ]} rows={listed.value.invitations} caption={t("invitations.title")} />}
    </Section>
  );
}
