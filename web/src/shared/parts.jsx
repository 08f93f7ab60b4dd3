// Parts that all pages share.
import { useEffect, useRef, useState } from "preact/hooks";
import { t, tOr } from "./language.js";

const MOST_PRINTED = 80;

/** A chart with its finding as caption and its numbers as a table. */
export function Figure({ finding, draw, columns, rows, inputs = [], note, children }) {
  const box = useRef(null);
  useEffect(() => {
    const place = box.current;
    let drawn = 0;
    const redraw = () => {
      const width = Math.max(280, Math.floor(place.clientWidth));
      if (Math.abs(width - drawn) < 2) return;
      drawn = width;
      place.replaceChildren(draw(width));
    };
    redraw();
    const observer = new ResizeObserver(redraw);
    observer.observe(place);
    return () => observer.disconnect();
  }, inputs);
  return (
    <figure>
      <figcaption>{finding}</figcaption>
      <div class="chart" ref={box} />
      {children}
      {note && <p class="detail">{note}</p>}
      {columns && <Numbers columns={columns} rows={rows} />}
    </figure>
  );
}

/** The numbers of a chart, drawn up when they are opened. */
export function Numbers({ columns, rows }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class={rows.length > MOST_PRINTED ? "numbers long" : "numbers"} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("numbers")}</summary>
      {isOpen && <Table columns={columns} rows={rows} />}
    </details>
  );
}

/** A plain table; a column is {label, value, isNumber, isLong}. */
export function Table({ columns, rows, caption }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption ?? t("numbers")}>
      <table>
        <thead>
          <tr>{columns.map((each) => <th scope="col" class={each.isNumber ? "number" : ""}>{each.label}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>{columns.map((each, index) => (index === 0 ? <th scope="row"><bdi>{each.value(row)}</bdi></th> : <td class={each.isNumber ? "number" : each.isLong ? "long" : undefined}>{each.value(row)}</td>))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What the service says: the page's words for its code; where it has none, the service's own, which are English. */
export function Said({ code, values, english }) {
  const words = tOr(code, null, values);
  return words === null ? <span lang="en">{english}</span> : <>{words}</>;
}

/** A name that somebody chose: in its own direction, and never wider than its place. */
export const Name = ({ children }) => <bdi class="name" title={children}>{children}</bdi>;

export function Section({ id, title, lead, children }) {
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {lead && <p class="lead">{lead}</p>}
      {children}
    </section>
  );
}

export function Tiles({ entries }) {
  return (
    <dl class="tiles">
      {entries.filter(Boolean).map(({ label, value, note, tone }) => (
        <div class={tone ? `tile ${tone}` : "tile"}><dt>{label}</dt><dd>{value}{note && <small>{note}</small>}</dd></div>
      ))}
    </dl>
  );
}

export const Notice = ({ tone = "info", title, children }) => (
  <div class={`notice ${tone}`}>{title && <p class="title">{title}</p>}{children}</div>
);

/** A value that follows an asynchronous call: {value, error, reload}. */
export function useLoaded(load, inputs) {
  const [state, setState] = useState({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    load().then(
      (value) => isCurrent && setState({ value }),
      (error) => isCurrent && setState((before) => ({ ...before, error })),
    );
    return () => { isCurrent = false; };
  }, [...inputs, round]);
  return { ...state, reload: () => setRound((before) => before + 1) };
}

