"""Draw the pictures of the README: the state machine from its definition, a result from its JSON.

    python docs/make_pictures.py [--result out/demo/result.json]

Without a result only the state machine is drawn. The same input gives the same bytes, so a test
can tell when a picture no longer shows what is there.
"""

from __future__ import annotations

import argparse
import json
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DEFINITION = ROOT / "statemachine" / "assessment.asl.json"
STATE_MACHINE = ROOT / "docs" / "figures" / "state-machine.svg"
RESULT = ROOT / "docs" / "figures" / "result.svg"

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b1b1b}.small{font-size:11px;fill:#555}"
    ".edge{fill:none;stroke:#555;stroke-width:1.3}.error{stroke:#b3261e;stroke-dasharray:4 3}"
)
_FILL = {
    "Task": "#dce9f9", "Choice": "#fdf1d0", "Wait": "#ececec", "Succeed": "#d9f0dc",
    "Fail": "#f8dad7",
}  # fmt: skip
_BOX_WIDTH, _BOX_HEIGHT, _GAP_X, _GAP_Y = 170, 34, 30, 44
_MARGIN = 60


def _targets(state: dict[str, Any]) -> list[str]:
    """Where a state leads without an error, each once."""
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    found = [state.get("Next"), *choices, state.get("Default")]
    return list(dict.fromkeys(target for target in found if target))


def _layers(definition: dict[str, Any]) -> list[list[str]]:
    """The states by their longest way from the start; edges that lead back do not count."""
    states = definition["States"]
    depth: dict[str, int] = {}

    def visit(name: str, level: int, way: tuple[str, ...]) -> None:
        if name in way or depth.get(name, -1) >= level:
            return
        depth[name] = level
        caught = [c["Next"] for c in states[name].get("Catch", [])] if name == "FailBatch" else []
        for target in (*_targets(states[name]), *caught):
            visit(target, level + 1, (*way, name))

    visit(definition["StartAt"], 0, ())
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in states:
        layers[depth[name]].append(name)
    return layers


def draw_state_machine(definition: dict[str, Any]) -> str:
    """The states from top to bottom; arrows that lead back run on the left, errors are dashed."""
    states, layers = definition["States"], _layers(definition)
    widest = max(map(len, layers))
    width = widest * (_BOX_WIDTH + _GAP_X) + 2 * _MARGIN
    height = len(layers) * (_BOX_HEIGHT + _GAP_Y) + 20
    places: dict[str, tuple[float, float]] = {}
    for row, names in enumerate(layers):
        left = (width - len(names) * (_BOX_WIDTH + _GAP_X) + _GAP_X) / 2
        for column, name in enumerate(names):
            x = left + column * (_BOX_WIDTH + _GAP_X)
            places[name] = (x, 10 + row * (_BOX_HEIGHT + _GAP_Y))
    edges = [
        _edge(places[name], places[target], "edge")
        for name, state in states.items()
        for target in _targets(state)
    ]
    caught = {(n, c["Next"]) for n, state in states.items() for c in state.get("Catch", [])}
    edges += [
        _edge(places[name], places[target], "edge error")
        for name, target in sorted(caught)
        if target not in _targets(states[name])
    ]
    boxes = [_box(name, states[name]["Type"], *places[name]) for name in places]
    return _svg(width, height, [_ARROW, *edges, *boxes])


def _edge(start: tuple[float, float], end: tuple[float, float], style: str) -> str:
    (x1, y1), (x2, y2) = start, end
    middle = _BOX_WIDTH / 2
    if y1 == y2 and x1 < x2:
        path = f"M{x1 + _BOX_WIDTH:g} {y1 + _BOX_HEIGHT / 2:g} H{x2:g}"
    elif y2 <= y1:  # back, around the left side
        side = min(x1, x2) - 34
        path = (
            f"M{x1:g} {y1 + _BOX_HEIGHT / 2:g} C{side:g} {y1:g} {side:g} {y2 + _BOX_HEIGHT:g} "
            f"{x2:g} {y2 + _BOX_HEIGHT / 2:g}"
        )
    elif "error" in style and y2 - y1 > _BOX_HEIGHT + _GAP_Y:  # past other states, on the right
        side = max(x1, x2) + _BOX_WIDTH + 40
        path = (
            f"M{x1 + _BOX_WIDTH:g} {y1 + _BOX_HEIGHT / 2:g} C{side:g} {y1 + _BOX_HEIGHT:g} "
            f"{side:g} {y2 - _GAP_Y:g} {x2 + _BOX_WIDTH - 20:g} {y2:g}"
        )
    elif x1 == x2 and y2 - y1 > _BOX_HEIGHT + _GAP_Y:  # past a state of the same column
        side = x1 + _BOX_WIDTH + 30
        path = (
            f"M{x1 + _BOX_WIDTH:g} {y1 + _BOX_HEIGHT / 2:g} C{side:g} {y1 + _BOX_HEIGHT:g} "
            f"{side:g} {y2:g} {x2 + _BOX_WIDTH:g} {y2 + _BOX_HEIGHT / 2:g}"
        )
    else:
        path = (
            f"M{x1 + middle:g} {y1 + _BOX_HEIGHT:g} C{x1 + middle:g} {y1 + _BOX_HEIGHT + 24:g} "
            f"{x2 + middle:g} {y2 - 24:g} {x2 + middle:g} {y2:g}"
        )
    return f'<path class="{style}" marker-end="url(#arrow)" d="{path}"/>'


def _box(name: str, kind: str, x: float, y: float) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6" '
        f'fill="{_FILL[kind]}" stroke="#777"/>'
        f'<text x="{x + _BOX_WIDTH / 2:g}" y="{y + 22:g}" text-anchor="middle">{name}</text>'
    )


_LINE, _SCALE_LEFT, _SCALE_WIDTH, _GRADES_LEFT, _GRADES_WIDTH = 20, 150, 300, 480, 240
_SHADES = ("#b3261e", "#e07a5f", "#f2b880", "#f7e1a0", "#d9e8a0", "#a5d08c", "#5fae78", "#2c7a5b")


def draw_result(document: dict[str, Any]) -> str:
    """Every essay by rank: ability with its 95% interval, and the probability of every grade."""
    rankings, grades = document["rankings"], document["grade_projections"]
    ends = [end for ranking in rankings for end in _read_interval(ranking)]
    low, high = min(ends), max(ends)

    def place(ability: float) -> float:
        return round(_SCALE_LEFT + (ability - low) / (high - low) * _SCALE_WIDTH, 1)

    height = (len(rankings) + 2) * _LINE + 14
    parts = [
        f'<text class="small" x="{_SCALE_LEFT}" y="14">ability, logits, with 95% interval</text>',
        f'<text class="small" x="{_GRADES_LEFT}" y="14">probability of every grade</text>',
    ]
    for row, ranking in enumerate(rankings, 1):
        y = row * _LINE + 10
        parts += _result_row(ranking, grades, y, place)
    parts += _legend(grades.get("grade_scale", []), height - 10)
    return _svg(_GRADES_LEFT + _GRADES_WIDTH + 20, height, parts)


def _read_interval(ranking: dict[str, Any]) -> tuple[float, float]:
    """The ability's 95% interval; by standard errors where an older result has none."""
    published = ranking.get("bradley_terry_interval")
    if published is not None:
        return published[0], published[1]
    ability, reach = ranking["bradley_terry_score"], 1.96 * ranking["bradley_terry_se"]
    return ability - reach, ability + reach


def _result_row(ranking: dict[str, Any], grades: dict[str, Any], y: int, place: Any) -> list[str]:  # noqa: ANN401 - a function
    ability = ranking["bradley_terry_score"]
    colour = "#8a8a8a" if ranking["is_anchor"] else "#1f4e8c"
    essay_id = ranking["essay_id"]
    name = essay_id.removeprefix("ANCHOR_").rpartition("_")[0] or essay_id
    left, right = map(place, _read_interval(ranking))
    parts = [
        f'<text x="{_SCALE_LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(name[:20])}</text>',
        f'<path d="M{left} {y}H{right}" stroke="{colour}" stroke-width="2"/>',
        f'<circle cx="{place(ability)}" cy="{y}" r="4" fill="{colour}"/>',
    ]
    if ranking["is_anchor"]:
        label = f"anchor, {ranking['anchor_grade']}"
        return [
            *parts,
            f'<text class="small" x="{_GRADES_LEFT}" y="{y + 4}">{escape(label)}</text>',
        ]
    x = float(_GRADES_LEFT)
    shares = grades.get("grade_probabilities", {}).get(essay_id, {})
    scale = grades.get("grade_scale", []) if shares else []  # JSON objects have no order
    for position, grade in enumerate(scale):
        share = shares[grade]
        wide = share * _GRADES_WIDTH
        colour = _shade(position, len(scale))
        parts.append(
            f'<rect x="{x:.1f}" y="{y - 7}" width="{wide:.1f}" height="14" fill="{colour}">'
            f"<title>{escape(grade)} {share:.0%}</title></rect>"
        )
        x += wide
    return parts


def _shade(position: int, count: int) -> str:
    return _SHADES[round(position * (len(_SHADES) - 1) / max(count - 1, 1))]


def _legend(scale: list[str], y: int) -> list[str]:
    parts = []
    for position, grade in enumerate(scale):
        x = _GRADES_LEFT + position * _GRADES_WIDTH / len(scale)
        parts.append(
            f'<rect x="{x:.1f}" y="{y - 10}" width="10" height="10" '
            f'fill="{_shade(position, len(scale))}"/>'
            f'<text class="small" x="{x + 13:.1f}" y="{y}">{escape(grade)}</text>'
        )
    return parts


_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>'
)


def _svg(width: float, height: float, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}">\n<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def main() -> None:
    """Draw what there is input for."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the README.")
    parser.add_argument("--result", type=Path, help="a result document, such as the demo's")
    options = parser.parse_args()
    definition = json.loads(DEFINITION.read_text(encoding="utf-8"))
    STATE_MACHINE.write_text(draw_state_machine(definition), encoding="utf-8")
    if options.result:
        document = json.loads(options.result.read_text(encoding="utf-8"))
        RESULT.write_text(draw_result(document), encoding="utf-8")


if __name__ == "__main__":
    main()
