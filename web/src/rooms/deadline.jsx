// Until when people may judge a batch that runs, and moving that time.
import { useState } from "preact/hooks";
import { moment, t } from "../shared/language.js";
import { batchPath, call } from "../shared/api.js";
import { Problem } from "./frame.jsx";

export function Deadline({ id, progress, onChange }) {
  const [moved, setMoved] = useState(null);
  const [error, setError] = useState(null);
  const move = async (event) => {
    event.preventDefault();
    const until = new Date(new FormData(event.currentTarget).get("until"));
    try {
      setMoved(await call("PUT", `${batchPath(id)}/judging-deadline`, { body: { judging_deadline: until.toISOString() } }));
      setError(null);
      onChange();
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <>
      <p>{t("live.until", { when: moment(progress.config.judging_deadline) })}{progress.n_reminders > 0 && ` ${t("live.reminded", { n: progress.n_reminders })}`}</p>
      <details class="deadline"><summary>{t("deadline.move")}</summary>
        <form class="inline" onSubmit={move}>
          <label class="until"><span>{t("new.until")}</span><input type="datetime-local" name="until" required aria-describedby="deadline-help" /><small id="deadline-help" class="detail">{t("deadline.help")}</small></label>
          <button type="submit">{t("deadline.move")}</button>
        </form>
      </details>
      <Problem error={error} />
      {moved && <p role="status">{t("deadline.moved", { when: moment(moved.judging_deadline) })}{moved.n_invitations_ending_before > 0 && ` ${t("deadline.links", { n: moved.n_invitations_ending_before })}`}</p>}
    </>
  );
}
