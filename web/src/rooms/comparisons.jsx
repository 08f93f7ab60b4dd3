// The comparisons of a batch: a large batch has thousands, so they come as far as a reader wants them.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../shared/language.js";
import { readComparisons } from "../shared/api.js";
import { Notice } from "../shared/parts.jsx";
import { Problem } from "./frame.jsx";

const ENOUGH = 1000; // at once; no class with ten comparisons an essay has more
const NOTHING = { comparisons: [], cursor: null, isReading: true, isWhole: false, error: null };

/** What has been read of a batch's comparisons, and `readOn`, which reads the next thousand. */
export function useComparisons(id) {
  const [state, setState] = useState(NOTHING);
  const round = useRef(0);
  const readOn = async (before) => {
    const own = round.current;
    const settle = (after) => own === round.current && setState({ ...before, isReading: false, ...after });
    setState({ ...before, isReading: true, error: null });
    try {
      const { comparisons, cursor } = await readComparisons(id, before.cursor, ENOUGH);
      settle({ comparisons: [...before.comparisons, ...comparisons], cursor, isWhole: cursor === null, error: null });
    } catch (error) {
      settle({ error });
    }
  };
  useEffect(() => {
    readOn(NOTHING);
    return () => { round.current += 1; };
  }, [id]);
  return { ...state, readOn: () => readOn(state) };
}

/** How many comparisons are not read yet, and the way to them. */
export function ReadOn({ read, total }) {
  if (read.error) return <Problem error={read.error} onRetry={read.readOn} />;
  if (read.isWhole || !read.comparisons.length) return null;
  return (
    <div class="no-print">
      <Notice>
        <p role="status">{t("comparisons.left", { n: Math.max(1, total - read.comparisons.length) })}</p>
        <button type="button" disabled={read.isReading} onClick={read.readOn}>{t(read.isReading ? "app.loading" : "comparisons.readOn")}</button>
      </Notice>
    </div>
  );
}
