"""`cj fit`: abilities from files of judgements, against a published fit and by hand."""

import csv
import io
import json
import math
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assessment.domain.comparison import Comparison
from assessment.domain.identifiers import canonical_json
from assessment.domain.verdict import Verdict, Winner
from runner.cli import app

DATA = Path(os.environ.get("CJ_DATA_DIR", "../shared/data"))


def fit(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["fit", *map(str, arguments)])


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    path = tmp_path / "chosen.csv"
    path.write_text(
        "judge,candidate_chosen,candidate_not_chosen\n"
        "j1,ada,ben\nj2,ada,ben\nj3,ada,ben\nj4,ben,ada\n"
    )
    return path


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    path = tmp_path / "shown.csv"
    path.write_text(
        "text_a,text_b,verdict,judge\n"
        "ada,ben,a,j1\nada,ben,A,j2\nben,ada,b,j3\nben,ada,a,j4\nada,ben,tie,j5\n"
    )
    return path


def rows(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def figures(result: Result) -> dict[str, dict[str, float]]:
    """The figures of each essay by its id."""
    return {
        row.pop("essay_id"): {name: float(value) for name, value in row.items()}
        for row in rows(result)
    }


def test_two_essays_by_hand(chosen: Path):
    """Three wins of four: a difference of ln 3 with information 4 p (1 - p) = 3/4."""
    ada, ben = rows(fit(chosen, "--estimator", "mle", "--format", "csv"))
    assert (ada["essay_id"], ada["rank"], ben["rank"]) == ("ada", "1", "2")
    difference = float(ada["bradley_terry_score"]) - float(ben["bradley_terry_score"])
    assert difference == pytest.approx(math.log(3), abs=1e-6)
    assert float(ada["bradley_terry_se"]) == pytest.approx(math.sqrt(4 / 3) / 2, abs=1e-6)


def test_both_formats_give_the_same_abilities(chosen: Path, shown: Path):
    shown.write_text("\n".join(shown.read_text().splitlines()[:-1]))
    by_choice, by_verdict = (rows(fit(file, "--format", "csv")) for file in (chosen, shown))
    for one, other in zip(by_choice, by_verdict, strict=True):
        assert one["essay_id"] == other["essay_id"]
        for column in ("bradley_terry_score", "bradley_terry_se"):
            # Rows in another order: sums differ in their last digits.
            assert float(one[column]) == pytest.approx(float(other[column]), rel=1e-12)


def test_ties_are_read(shown: Path):
    document = json.loads(fit(shown, "--format", "json").stdout)
    assert (document["judgements"], document["judges"], document["essays"]) == (5, 5, 2)
    assert document["order_effect"] == {}
    low, high = document["reliability_interval"]
    assert 0 <= low <= document["model_reliability"] <= high <= 1


@pytest.fixture
def alike(tmp_path: Path) -> Path:
    """Verdicts on all pairs of eight essays, nearly all contradicted once: they are alike."""
    names = [f"e{n}" for n in range(8)]
    lines = [f"{one},{two},{v}" for one in names for two in names if one < two for v in "ab"]
    path = tmp_path / "alike.csv"
    path.write_text("text_a,text_b,verdict\n" + "\n".join(lines[1:]) + "\n")
    return path


def test_the_spread_is_estimated_unless_one_is_assumed(alike: Path):
    """Contradictions everywhere: the estimated spread is small, whatever a caller may assume."""
    estimated = json.loads(fit(alike, "--format", "json").stdout)
    assumed = json.loads(fit(alike, "--prior-sd", "2", "--format", "json").stdout)
    assert estimated["spread"]["is_assumed"] is False
    assert estimated["spread"]["interval"][0] < estimated["spread"]["sd"] < 0.7
    assert assumed["spread"] == {"sd": 2.0, "interval": [2.0, 2.0], "is_assumed": True}
    assert estimated["model_reliability"] < assumed["model_reliability"]
    assert "is assumed" in fit(alike, "--prior-sd", "2").stderr
    assert "is assumed" in fit(alike, "--estimator", "map").stderr
    assert "is assumed" not in fit(alike).stderr


def test_table_and_csv_show_the_reliability_with_its_interval(alike: Path):
    document = json.loads(fit(alike, "--format", "json").stdout)
    low, high = document["reliability_interval"]
    for row in rows(fit(alike, "--format", "csv")):
        assert float(row["model_reliability"]) == pytest.approx(document["model_reliability"])
        assert float(row["reliability_low"]) == pytest.approx(low)
        assert float(row["reliability_high"]) == pytest.approx(high)
    assert f"(90% interval {low:.2f} to {high:.2f})" in " ".join(fit(alike).stdout.split())


def test_repeats_of_a_judge_weigh_by_what_is_new_in_them(tmp_path: Path):
    """A judge who says the same ten times said it once; one who contradicts itself is evidence."""
    names = [f"e{n}" for n in range(6)]
    pairs = [(one, two) for one in names for two in names if one < two]
    head = "text_a,text_b,verdict,judge\n"
    same, mixed = tmp_path / "same.csv", tmp_path / "mixed.csv"
    same.write_text(head + "".join(f"{a},{b},a,j\n" for a, b in pairs * 10))
    mixed.write_text(
        head + "".join(f"{a},{b},{v},j\n" for turn in "abaabaaaba" for a, b in pairs for v in turn)
    )
    one, other = (json.loads(fit(path, "--format", "json").stdout) for path in (same, mixed))
    assert one["repeat_correlation"] > 0.9
    assert other["repeat_correlation"] < 0.3
    assert "judged again correlate" in fit(same).stderr
    published = json.loads(fit(same, "--estimator", "epsilon", "--format", "json").stdout)
    assert published["repeat_correlation"] is None
    best = one["abilities"][0]
    assert best["bradley_terry_low"] < best["bradley_terry_score"] < best["bradley_terry_high"]


def test_estimators_without_a_prior_claim_no_reliability(chosen: Path):
    table = fit(chosen, "--estimator", "mle")
    assert "reliability" not in table.output
    (first, _) = rows(fit(chosen, "--estimator", "mle", "--format", "csv"))
    assert first["reliability_low"] == ""


def test_the_order_effect_is_estimated_only_when_the_order_is_known(chosen: Path, shown: Path):
    document = json.loads(fit(shown, "--order-effect", "--format", "json").stdout)
    assert set(document["order_effect"]) == {"j1", "j2", "j3", "j4", "j5"}
    refused = fit(chosen, "--order-effect")
    assert refused.exit_code == 2
    assert "--order-effect" in refused.stderr


def test_a_verdict_column_sorted_by_winner_is_no_order_effect(tmp_path: Path):
    """text_a always wins: by default that is ability, not the advantage of a place."""
    path = tmp_path / "sorted.csv"
    path.write_text("text_a,text_b,verdict\n" + "ada,ben,a\nben,cy,a\nada,cy,a\n" * 3)
    abilities = [float(row["bradley_terry_score"]) for row in rows(fit(path, "--format", "csv"))]
    assert abilities[0] > 1
    assert abilities == sorted(abilities, reverse=True)


def test_essays_that_nothing_links_are_told(tmp_path: Path):
    path = tmp_path / "islands.csv"
    path.write_text("text_a,text_b,verdict\nada,ben,a\ncy,dan,b\n")
    result = fit(path)
    assert "component" in result.stdout
    assert "CAUTION: 2 sets" in result.stderr


def test_a_fit_that_does_not_exist_names_the_essays(tmp_path: Path):
    path = tmp_path / "unbeaten.csv"
    path.write_text("text_a,text_b,verdict\nada,ben,a\nada,cy,a\nben,cy,a\ncy,ben,a\n")
    result = fit(path, "--estimator", "mle")
    assert result.exit_code == 2
    assert "(ada)" in result.stderr
    assert "--estimator map" in result.stderr


@pytest.mark.parametrize(
    ("content", "places"),
    [
        ("a,b\n1,2\n", ["row 1: the header needs a winner and a loser (candidate_chosen"]),
        ("text_a,text_b,verdict\nada,ben,maybe\n", ["row 2, verdict", "a, b or tie"]),
        ("text_a,text_b,verdict\nada,,a\nben,ben,b\n", ["row 2, text_b", "row 3, text_b"]),
        (
            "judge,candidate_chosen,candidate_not_chosen\n,ada,ben\n",
            ["row 2, judge: is empty"],
        ),
    ],
)
def test_what_cannot_be_read_is_named_by_row_and_field(
    tmp_path: Path, content: str, places: list[str]
):
    path = tmp_path / "judgements.csv"
    path.write_text(content)
    result = fit(path)
    assert result.exit_code == 2
    assert all(place in result.stderr for place in places)


def test_a_file_takes_the_format_of_its_ending(chosen: Path, tmp_path: Path):
    for name in ("fit.csv", "fit.json", "fit.txt"):
        assert fit(chosen, "--output", tmp_path / name).exit_code == 0
    assert (tmp_path / "fit.csv").read_text().startswith("rank,essay_id")
    assert json.loads((tmp_path / "fit.json").read_text())["essays"] == 2
    assert "ability ± SE" in (tmp_path / "fit.txt").read_text()


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["Coertjens2015_stress", "Bramley2018_1b", "McMahon2014_teachers"])
def test_epsilon_gives_the_published_abilities(name: str):
    """Fits published with R's sirt::btm, eps .3, which stops at its own tolerance."""
    published = DATA / "cj-sessions" / f"{name}.published-fit.csv"
    if not published.exists():
        pytest.skip(f"{published} is absent; set CJ_DATA_DIR")
    fitted = rows(
        fit(published.with_name(f"{name}.csv"), "--estimator", "epsilon", "--format", "csv")
    )
    ours = {row["essay_id"]: float(row["bradley_terry_score"]) for row in fitted}
    with published.open(encoding="utf-8-sig", newline="") as file:
        theirs = {row["individual"]: float(row["theta"]) for row in csv.DictReader(file)}
    assert ours == pytest.approx(theirs, abs=2e-3)


VERDICTS = [("ada", "ben"), ("ada", "ben"), ("ada", "ben"), ("ben", "ada")]


def export(header: str, row: str, *, before: str = "") -> str:
    """Three wins of four for ada, each by a judge of its own, in the form of a row."""
    rows = [row.format(n=n, won=won, lost=lost) for n, (won, lost) in enumerate(VERDICTS, 1)]
    return before + "\n".join([header, *rows]) + "\n"


EXPORTS = {
    "no more marking": export("chosen,notChosen,judgeName", "{won},{lost},j{n}"),
    "its older form": export(
        "id,timeTaken,createdAt,judgeId,chosen,notChosen,task", "{n},5,x,j{n},{won},{lost},t"
    ),
    "capitals": export("Judge,Candidate Chosen,Candidate_Not_Chosen", "j{n},{won},{lost}"),
    "won and lost": export("JudgeID,Won,Lost", "j{n},{won},{lost}"),
    "a line sep": export("winner;loser;judge", "{won};{lost};j{n}", before="sep=;\r\n"),
    "empty rows first": export("winner;loser;judge", "{won};{lost};j{n}", before="\n;;\n"),
    "the better one's id": export("ID1,ID2,better_id,rater", "{lost},{won},{won},j{n}"),
    "answers": export("users_id,answer1,answer2,winner", "j{n},{won},{lost},{won}"),
    "left and right": export("assessor,left,right,chosen", "j{n},{lost},{won},Right"),
    "places": export("judge|item1|item2|choice", "j{n}|{lost}|{won}|2"),
    "comproved": export(
        "Assessor name,Assessor email,Better product,Participant(s),Lesser product,Participant(s),"
        "Compare time,Feedback time,Total time,Submitted",
        "j{n},x@y.org,{won},A. Name,{lost},B. Name,00:01:02,00:00:10,00:01:12,2021-03-02",
    ),
    "d-pac": export(
        "comparison,assessment,assessor,representation A,representation B,selected representation,"
        "completed,total",
        "{n},t,j{n}@y.org,{lost},{won},{won},1,5",
    ),
    "the consortium's": export(
        "participant_id,choice_id1,choice_id2,winner_id,choice1_text,choice2_text",
        'P0{n},{won},{lost},{won},"a text, with a comma",another',
    ),
    "scores": export("judge,id1,id2,result", "j{n},{lost},{won},0"),
}


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_exports_of_other_tools_give_the_same_abilities(
    name: str, encoding: str, chosen: Path, tmp_path: Path
):
    path = tmp_path / "export.csv"
    path.write_text(EXPORTS[name], encoding=encoding)
    read = fit(path, "--format", "csv")
    assert rows(read) == rows(fit(chosen, "--format", "csv"))
    assert "4 judges" in read.stderr


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_tables_in_json_give_the_same_abilities(ending: str, chosen: Path, tmp_path: Path):
    records = [
        {"ID1": lost, "ID2": won, "better_id": won, "rater": f"j{n}"}
        for n, (won, lost) in enumerate(VERDICTS, 1)
    ]
    path = tmp_path / f"export{ending}"
    lines = "\n".join(map(json.dumps, records))
    path.write_text(lines if ending == ".jsonl" else json.dumps({"comparisons": records}))
    assert rows(fit(path, "--format", "csv")) == rows(fit(chosen, "--format", "csv"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"left": "a"}\nnot json\n[1]\n', "row 2: is no comparison; write"),
        ("a.jsonl", "", "has no comparison with a verdict"),
        ("a.json", "{", "is not well-formed JSON"),
        ("a.json", '{"rows": []}', "has no list of comparisons"),
        ("a.jsonl", '{"verdict": {"winner": "first"}}', "row 1: is no comparison of a batch"),
    ],
)
def test_json_that_cannot_be_read_says_why(name: str, content: str, message: str, tmp_path: Path):
    path = tmp_path / name
    path.write_text(content)
    refused = fit(path)
    assert refused.exit_code == 2
    assert message in refused.stderr


def test_counts_of_wins_are_that_many_comparisons(chosen: Path, tmp_path: Path):
    path = tmp_path / "counts.csv"
    path.write_text("player1,player2,win1,win2\nada,ben,3,1\nben,ada,0,0\n")
    columns = ("essay_id", "bradley_terry_score", "comparison_count")
    counted, listed = (rows(fit(file, "--format", "csv")) for file in (path, chosen))
    assert [[row[c] for c in columns] for row in counted] == [
        [row[c] for c in columns] for row in listed
    ]
    path.write_text("player1,player2,win1,win2\nada,ben,3,-1\nada,ben,1e9,0.5\n")
    refused = fit(path)
    assert refused.exit_code == 2
    assert "row 2, win2: is '-1'" in refused.stderr
    assert "row 3, win1: is '1e9'" in refused.stderr


def test_comparisons_that_nobody_completed_are_counted(tmp_path: Path):
    path = tmp_path / "dpac.csv"
    path.write_text(
        "assessor,representation A,representation B,selected representation\n"
        "x,ada,ben,ada\nx,ada,ben,N/A\ny,NA,ada,NA\n"
    )
    read = fit(path, "--format", "csv")
    assert {row["essay_id"]: row["comparison_count"] for row in rows(read)} == {
        "ada": "2", "ben": "1", "NA": "1",
    }  # fmt: skip
    assert "nobody has judged them: 1 comparisons" in " ".join(read.stderr.split())


def test_one_name_in_two_spellings_is_one_essay(tmp_path: Path):
    path = tmp_path / "accents.csv"
    path.write_text(
        "winner,loser\n\u00c5sa,ben\nA\u030asa,ben\nben,\u00a0\u00c5sa \n", encoding="utf-8"
    )
    assert {row["essay_id"] for row in rows(fit(path, "--format", "csv"))} == {"\u00c5sa", "ben"}


@pytest.mark.parametrize("other", ["ada\x00", "ad\u200ba", "\u0430da", "ada\u00ad"])
def test_two_names_that_print_alike_are_refused_with_both(tmp_path: Path, other: str):
    path = tmp_path / "alike.csv"
    path.write_text(f"winner,loser\nada,ben\n{other},ben\n", encoding="utf-8")
    result = fit(path)
    assert result.exit_code == 2
    assert "print alike" in result.output
    assert "U+" in result.output


def test_of_two_columns_with_one_name_none_can_be_meant(tmp_path: Path):
    path = tmp_path / "twice.csv"
    path.write_text("winner,loser,Winner\nada,ben,x\n")
    refused = fit(path)
    assert refused.exit_code == 2
    assert "two columns have the name winner" in refused.stderr


def test_columns_of_any_name_are_named_by_options(chosen: Path, tmp_path: Path):
    path = tmp_path / "own.csv"
    path.write_text(
        "Bäst;Sämst;Lärare;winner;loser\nada;ben;Åsa;x;y\nada;ben;Bo;x;y\n", encoding="cp1252"
    )
    named = ("--winner-column", "bäst", "--loser-column", "Sämst", "--judge-column", "Lärare")
    read = fit(path, *named, "--format", "csv")
    assert [row["essay_id"] for row in rows(read)] == ["ada", "ben"]
    assert "read as cp1252" in " ".join(read.stderr.split())
    missing = fit(path, "--winner-column", "Best")
    assert missing.exit_code == 2
    assert "--winner-column Best" in missing.stderr
    assert "Bäst, Sämst" in missing.stderr


def test_a_score_is_one_half_or_nothing(tmp_path: Path):
    path = tmp_path / "scores.csv"
    path.write_text("x,y,points\nada,ben,1\nada,ben,0.5\nada,ben,2\n")
    options = ("--first-column", "x", "--second-column", "y", "--score-column", "points")
    refused = fit(path, *options)
    assert refused.exit_code == 2
    assert "row 4, points: is '2'; write 1 (the first is better), 0 or 0.5" in refused.stderr
    path.write_text('x,y,points\nada,ben,1\nada,ben,"0,5"\n')
    assert [row["essay_id"] for row in rows(fit(path, *options, "--format", "csv"))] == [
        "ada",
        "ben",
    ]


def test_the_comparisons_of_a_batch_are_read_back(chosen: Path, tmp_path: Path):
    said = [
        ("ada", "ben", "first"),
        ("ben", "ada", "second"),
        ("ada", "ben", "first"),
        ("ada", "ben", "second"),
    ]
    lines = [
        Comparison(
            comparison_id=f"w001-{n}", wave=1, first=first, second=second, submitted_wave=1,
            verdict=Verdict(winner=Winner(winner), judge=f"j{n}", justification="a\u2028b"),
        )
        for n, (first, second, winner) in enumerate(said)
    ]  # fmt: skip
    lines.append(
        Comparison(comparison_id="w001-9", wave=1, first="ada", second="cy", submitted_wave=1)
    )
    path = tmp_path / "comparisons.jsonl"
    path.write_text("".join(canonical_json(line.model_dump(mode="json")) + "\n" for line in lines))
    expected = figures(fit(chosen, "--format", "csv"))
    # Judges in another order are summed in another order: the last digits may differ.
    assert figures(fit(path, "--format", "csv")) == {
        essay: pytest.approx(values, rel=1e-9) for essay, values in expected.items()
    }
    path.write_text(path.read_text() + "{broken\n")
    assert "row 6: is no comparison" in fit(path).stderr
