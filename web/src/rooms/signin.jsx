// Without a token: where one comes from.
import { useState } from "preact/hooks";
import { t } from "../shared/language.js";
import { useToken } from "../shared/api.js";

export function SignIn({ onEnter }) {
  const [isWrong, setWrong] = useState(false);
  const enter = (event) => {
    event.preventDefault();
    const claims = useToken(new FormData(event.currentTarget).get("link"));
    if (claims) onEnter(claims);
    setWrong(!claims);
  };
  return (
    <section class="narrow">
      <h1>{t("signin.title")}</h1>
      <p class="lead">{t("signin.lead")}</p>
      <form onSubmit={enter}>
        <label><span>{t("signin.link")}</span><input name="link" type="password" autoComplete="off" required spellcheck={false} aria-invalid={isWrong} aria-describedby="signin-help" /></label>
        <p id="signin-help" class="detail">{isWrong ? t("signin.wrong") : t("signin.help")}</p>
        <button class="primary" type="submit">{t("signin.enter")}</button>
      </form>
    </section>
  );
}
