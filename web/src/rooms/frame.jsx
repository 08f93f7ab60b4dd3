// What all rooms have around them.
import { LANGUAGES, chooseLanguage, language, t } from "../shared/language.js";
import { Notice, Said } from "../shared/parts.jsx";

const ROOMS = [["", "batches.title"], ["new", "new.title"], ["assignments", "assignments.title"]];

export function Frame({ children, room, isStaff, onLanguage, onLeave, title, wide }) {
  return (
    <div class={wide ? "frame wide" : "frame"}>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>{t("skip")}</a>
      <header class="bar">
        {isStaff ? <a class="brand" href="#/">{t("app.name")}</a> : <span class="brand">{t("app.name")}</span>}
        {isStaff && (
          <nav aria-label={t("app.rooms")}><ul>
            {ROOMS.map(([kind, words]) => <li><a href={`#/${kind}`} aria-current={kind === (room ?? "") ? "page" : undefined}>{t(words)}</a></li>)}
          </ul></nav>
        )}
        <div class="tools">
          <label><span class="hidden">{t("language")}</span><select value={language()} onChange={(event) => onLanguage(chooseLanguage(event.currentTarget.value))}>{LANGUAGES.map((each) => <option value={each} lang={each}>{t(`language.${each}`)}</option>)}</select></label>
          {onLeave && <button type="button" onClick={onLeave}>{t("app.leave")}</button>}
        </div>
      </header>
      <main id="main" tabIndex={-1}>{title && <h1>{title}</h1>}{children}</main>
    </div>
  );
}

/** What kind of problem it is, in the page's words; below it what the API says of it, which is English. */
export function Told({ error }) {
  if (error.status === 0) return <p>{t("problem.network")}</p>;
  if (error.status === 401) return <p>{t("problem.token")}</p>;
  return (
    <>
      {(error.kind || error.title) && <p><strong><Said code={`kind.${error.kind}`} english={error.title} /></strong></p>}
      {error.message !== error.title && <p lang="en">{error.message}</p>}
    </>
  );
}

/** What went wrong, with the wrong fields. */
export function Problem({ error, onRetry }) {
  if (!error) return null;
  return (
    <div role="alert">
      <Notice tone="warn" title={t("problem.title")}>
        <Told error={error} />
        {error.problems?.length > 0 && <ul>{error.problems.map((each) => <li><bdi>{each.field}</bdi>: <span lang="en">{each.message}</span></li>)}</ul>}
        {onRetry && <button type="button" onClick={onRetry}>{t("problem.retry")}</button>}
      </Notice>
    </div>
  );
}

export const Waiting = () => <p class="waiting" role="status">{t("app.loading")}</p>;

/** A text that somebody wrote, as it is: no mark in it means anything here. */
export const Text = ({ children }) => <div class="essay-text" dir="auto">{children}</div>;
