// The rooms for people: which one the address names, and who may enter it.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { forgetToken, takeSignIn, takeToken } from "./shared/api.js";
import { isComingBack } from "./shared/signin.js";
import { chooseLanguage, language, t } from "./shared/language.js";
import { Assignment, Assignments } from "./rooms/assignments.jsx";
import { Batch } from "./rooms/batch.jsx";
import { Batches } from "./rooms/batches.jsx";
import { Essay, Sheet } from "./rooms/essay.jsx";
import { Frame, Waiting } from "./rooms/frame.jsx";
import { Judge } from "./rooms/judge.jsx";
import { NewBatch } from "./rooms/new.jsx";
import { SignIn } from "./rooms/signin.jsx";

const STAFF = ["admin", "assessor"];
const entered = takeToken();
const coming = entered || !isComingBack() ? null : takeSignIn().then((claims) => ({ claims }), (refusal) => ({ refusal }));
chooseLanguage();

const readRoute = () => location.hash.replace(/^#/, "").split("/").filter(Boolean).map((each) => { try { return decodeURIComponent(each); } catch { return each; } });

/** Whether the caller is more than an invited judge. Whose token names no roles of ours is asked for them by the API. */
const isStaffOf = (claims) => !claims.aud?.includes?.("invitation") && (!claims.batch_id || [claims.roles ?? []].flat().some((each) => STAFF.includes(each)));

function App() {
  const [claims, setClaims] = useState(entered);
  const [isComing, setComing] = useState(coming !== null);
  const [refusal, setRefusal] = useState(null);
  useEffect(() => {
    coming?.then(({ claims: found = null, refusal: reason = null }) => {
      setClaims(found);
      setRefusal(reason);
      setComing(false);
    });
  }, []);
  const [route, setRoute] = useState(readRoute);
  const [, setLanguage] = useState(language());
  useEffect(() => {
    const follow = () => {
      const given = takeToken();
      if (given) setClaims(given);
      setRoute(readRoute());
      document.getElementById("main")?.focus({ preventScroll: true });
      window.scrollTo({ top: 0 });
    };
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  const leave = () => { forgetToken(); setClaims(null); };
  const isStaff = claims && isStaffOf(claims);
  const shared = { isStaff, room: claims ? route[0] : null, onLanguage: setLanguage, onLeave: claims ? leave : null, key: language() };
  const { room, title, wide } = choose(claims, isStaff, route, setClaims, refusal);
  document.title = title ? `${title} · ${t("app.name")}` : t("app.name");
  if (isComing) return <Frame {...shared}><Waiting /></Frame>;
  return <Frame {...shared} title={title} wide={wide}>{room}</Frame>;
}

function choose(claims, isStaff, [kind, id, part, essayId], onEnter, refusal) {
  if (!claims) return { room: <SignIn refusal={refusal} onEnter={(given) => { if (given.batch_id && !isStaffOf(given)) location.hash = `#/judge/${given.batch_id}`; onEnter(given); }} /> };
  if (!isStaff) return { room: <Judge id={claims.batch_id} key={claims.batch_id} />, wide: true };
  if (kind === "judge" && id) return { room: <Judge id={id} key={id} />, wide: true };
  if (kind === "batch" && part === "essay") return { room: <Essay id={id} essayId={essayId} key={essayId} />, wide: true };
  if (kind === "batch" && part === "sheet") return { room: <Sheet id={id} essayId={essayId} key={essayId} /> };
  if (kind === "batch" && id) return { room: <Batch id={id} key={id} /> };
  if (kind === "new") return { room: <NewBatch />, title: t("new.title") };
  if (kind === "assignments") return { room: <Assignments />, title: t("assignments.title") };
  if (kind === "assignment" && id) return { room: <Assignment id={id} key={id} /> };
  return { room: <Batches />, title: t("batches.title") };
}

render(<App />, document.getElementById("page"));
