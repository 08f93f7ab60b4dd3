// Without a token: where one comes from.
import { useState } from "preact/hooks";
import { t } from "../shared/language.js";
import { useToken } from "../shared/api.js";
import { beginSignIn, canSignIn } from "../shared/signin.js";
import { Notice } from "../shared/parts.jsx";

export function SignIn({ onEnter, refusal }) {
  const [isWrong, setWrong] = useState(false);
  const enter = (event) => {
    event.preventDefault();
    const claims = useToken(new FormData(event.currentTarget).get("link"));
    if (claims) onEnter(claims);
    setWrong(!claims);
  };
  return (
    <section class="narrow">
      <h1>{t(canSignIn ? "signin.issuerTitle" : "signin.title")}</h1>
      {refusal && <div role="alert"><Notice tone="warn" title={t("signin.refused")}><p>{refusal.message}</p></Notice></div>}
      {canSignIn && <p><button type="button" class="primary" onClick={beginSignIn}>{t("signin.issuer")}</button></p>}
      <p class="lead">{t("signin.lead")}</p>
      <form onSubmit={enter}>
        <label><span>{t("signin.link")}</span><input name="link" type="password" autoComplete="off" required spellcheck={false} aria-invalid={isWrong} aria-describedby="signin-help" /></label>
        <p id="signin-help" class="detail">{isWrong ? t("signin.wrong") : t("signin.help")}</p>
        <button class={canSignIn ? "" : "primary"} type="submit">{t("signin.enter")}</button>
      </form>
    </section>
  );
}
