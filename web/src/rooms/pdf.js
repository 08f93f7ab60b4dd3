// The text of a PDF, by pdf.js in a worker of its own, under the rules of the command's intake (runner/intake/pdf.py).
import { UnreadableFile } from "./unreadable.js";

const MOST_PAGES = 300;
const MOST_CHARACTERS = 1_000_000;
const PATIENCE = 60_000;
const MOST_UNREADABLE = 0.1;
// Ligatures that fonts have as one sign; a judge and a count of words need the letters.
const LIGATURES = { "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl" };

let library = null;

/** The files of pdf.js bear the release that the page's own script bears; most visits need none of them. */
function fetchLibrary() {
  library ??= (async () => {
    const [, release] = document.querySelector('script[src*="app."]').src.match(/app\.(\w+)\.js$/);
    const found = await import(new URL(`pdf.${release}.js`, document.baseURI).href);
    found.GlobalWorkerOptions.workerSrc = new URL(`pdf-worker.${release}.js`, document.baseURI).href;
    return found;
  })();
  library.catch(() => { library = null; });
  return library;
}

/** The text of every page, with an empty line between, and the pages without any; a file without any is a scan. */
export async function readPdf(bytes) {
  const pdf = await fetchLibrary();
  const task = pdf.getDocument({ data: bytes, isEvalSupported: false, disableFontFace: true, useSystemFonts: false, verbosity: 0 });
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new UnreadableFile("slow")), PATIENCE); });
  try {
    return await Promise.race([readPages(task), late]);
  } catch (error) {
    if (error?.name === "PasswordException") throw new UnreadableFile("locked");
    throw error;
  } finally {
    clearTimeout(timer);
    task.destroy();
  }
}

async function readPages(task) {
  const document = await task.promise;
  if (document.numPages > MOST_PAGES) throw new UnreadableFile("large");
  const texts = [];
  const emptyPages = [];
  let n = 0;
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const text = joinItems((await page.getTextContent()).items);
    page.cleanup();
    n += text.length;
    if (n > MOST_CHARACTERS) throw new UnreadableFile("large");
    if (text) texts.push(text);
    else emptyPages.push(number);
  }
  const whole = texts.join("\n\n").replace(/[\ufb00-\ufb04]/g, (sign) => LIGATURES[sign]);
  if (!whole.trim()) throw new UnreadableFile("scanned");
  const nUnreadable = whole.match(/[\ue000-\uf8ff\ufffd]/g)?.length ?? 0;
  if (nUnreadable > MOST_UNREADABLE * whole.replace(/\s/g, "").length) throw new UnreadableFile("letters");
  return { text: whole, emptyPages };
}

/** Lines as they stand on the page. */
const joinItems = (items) => items.map((each) => (each.str ?? "") + (each.hasEOL ? "\n" : "")).join("").trim();
