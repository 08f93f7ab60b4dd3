// The report as one file: its data stand in the page.
import { render } from "preact";
import { useState } from "preact/hooks";
import { Contents, Result, WithoutResult } from "./result/sections.jsx";
import { LANGUAGES, chooseLanguage, language, moment, t } from "./shared/language.js";

const data = JSON.parse(document.getElementById("data").textContent);
chooseLanguage(data.language);

function Report() {
  const [, setLanguage] = useState(language());
  const change = (event) => setLanguage(chooseLanguage(event.currentTarget.value));
  const title = data.title || t("report.title");
  document.title = title;
  return (
    <div class="report" key={language()}>
      <a class="skip" href="#decision">{t("skip")}</a>
      <header class="top">
        <div>
          <p class="kicker">{t("report.kicker")}</p>
          <h1><bdi>{title}</bdi></h1>
          <p class="detail">{data.names_hidden && t("report.hidden")} {data.made_at && t("report.made", { when: moment(data.made_at) })}</p>
        </div>
        <div class="tools">
          <label><span>{t("language")}</span><select value={language()} onChange={change}>{LANGUAGES.map((each) => <option value={each} lang={each}>{t(`language.${each}`)}</option>)}</select></label>
          <button type="button" onClick={() => window.print()}>{t("print")}</button>
        </div>
      </header>
      {data.result && <Contents result={data.result} />}
      <main>{data.result ? <Result data={data} /> : <WithoutResult progress={data.progress} />}</main>
      <footer><p>{t("report.footer")}</p></footer>
    </div>
  );
}

render(<Report />, document.getElementById("page"));
