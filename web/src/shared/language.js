// Words and numbers in the reader's language. One catalogue file a language; English fills no gaps:
// a test holds the catalogues to the same keys.
import en from "../languages/en.json";
import sv from "../languages/sv.json";

const CATALOGUES = { en, sv };
const KEPT_AT = "cj-language";
let current = "en";
let plurals = new Intl.PluralRules("en");

export const LANGUAGES = Object.keys(CATALOGUES);

/** The language of the page: the one that was chosen here, else the browser's, else English. */
export function chooseLanguage(wanted) {
  const candidates = [wanted, readChoice(), ...(navigator.languages ?? [])];
  const found = candidates.map((each) => (each ?? "").slice(0, 2)).find((each) => each in CATALOGUES);
  current = found ?? "en";
  plurals = new Intl.PluralRules(current);
  document.documentElement.lang = current;
  if (wanted) keepChoice(current);
  return current;
}

export const language = () => current;

/** The words for a key. `{name}` is replaced by a value; `n` chooses between `.one` and `.other`. */
export function t(key, values = {}) {
  const catalogue = CATALOGUES[current];
  const form = "n" in values ? `${key}.${plurals.select(values.n) === "one" ? "one" : "other"}` : key;
  const words = catalogue[form] ?? catalogue[key];
  if (words === undefined) return key;
  return words.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" && Number.isInteger(value) ? whole(value) : `${value ?? ""}`;
  });
}

/** The words for a key, or the fallback where the catalogue has none. */
export function tOr(key, fallback, values) {
  return key in CATALOGUES[current] ? t(key, values) : fallback;
}

// English has a hyphen from Intl where the charts have a minus sign.
const minus = (words) => (/[1-9]/.test(words) ? words.replace("-", "−") : words.replace(/^[-−]/, ""));
export const whole = (value) => new Intl.NumberFormat(current).format(value);
export const decimal = (value, digits = 2) =>
  value === null || value === undefined || !Number.isFinite(value)
    ? "–"
    : minus(new Intl.NumberFormat(current, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value));
export const signed = (value, digits = 2) =>
  value === null || value === undefined
    ? "–"
    : minus(new Intl.NumberFormat(current, {
        minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "exceptZero",
      }).format(value));
/** A number as briefly as it can be said, for the axes of charts. */
export const plain = (value) => minus(new Intl.NumberFormat(current, { maximumFractionDigits: 2 }).format(value));
export const percent = (value) =>
  value === null || value === undefined
    ? "–"
    : new Intl.NumberFormat(current, { style: "percent", maximumFractionDigits: 0 }).format(value);
export const money = (value) =>
  new Intl.NumberFormat(current, { style: "currency", currency: "USD", maximumFractionDigits: value < 1 ? 4 : 2 }).format(value);
export const moment = (value) =>
  new Intl.DateTimeFormat(current, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value));
export const range = (pair, format = decimal) => (pair ? t("range", { low: format(pair[0]), high: format(pair[1]) }) : "–");
export const collate = (left, right) => new Intl.Collator(current, { numeric: true }).compare(left, right);

function readChoice() {
  try {
    return localStorage.getItem(KEPT_AT);
  } catch {
    return null; // a file that is opened from a disk may not have a store
  }
}

function keepChoice(choice) {
  try {
    localStorage.setItem(KEPT_AT, choice);
  } catch {
    // the choice holds for this visit
  }
}
